#include "tests/lib/est_client.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

static const char DEFAULT_PATH[] = "/.well-known/est/demo/simpleenroll";

EVP_PKEY *est_client_key(unsigned n)
{
    static EVP_PKEY *key[EST_CLIENT_KEYS];

    assert_true(n < EST_CLIENT_KEYS);
    if (key[n] == NULL)
        key[n] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    assert_non_null(key[n]);
    return key[n];
}

/* --- requests to certify --- */

static void set_subject(X509_REQ *req, const struct est_csr_plan *plan)
{
    X509_NAME *name = X509_REQ_get_subject_name(req);
    const char *cn = plan->cn != NULL ? plan->cn : "router5.example.com";

    if (plan->o != NULL)
        assert_true(
            X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)plan->o, -1, -1, 0));
    if (cn[0] != '\0')
        assert_true(
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
}

/* permanentIdentifier (RFC 4043) of that value. */
static X509_EXTENSION *device_san(const char *device)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    X509_EXTENSION *extension;
    char text[256];

    (void)snprintf(text, sizeof(text), "SEQWRAP,UTF8:%s", device);
    assert_true(
        GENERAL_NAME_set0_othername(name, OBJ_txt2obj("1.3.6.1.5.5.7.8.3", 1), ASN1_generate_v3(text, NULL)));
    assert_true(sk_GENERAL_NAME_push(names, name));
    extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
    GENERAL_NAMES_free(names);
    return extension;
}

static void push_extension(STACK_OF(X509_EXTENSION) * extensions, int nid, const char *text)
{
    X509_EXTENSION *extension = text != NULL ? X509V3_EXT_conf_nid(NULL, NULL, nid, text) : NULL;

    if (text == NULL)
        return;
    assert_non_null(extension);
    assert_true(sk_X509_EXTENSION_push(extensions, extension));
}

static void set_san(X509_REQ *req, const struct est_csr_plan *plan)
{
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *extension = plan->device != NULL
                                    ? device_san(plan->device)
                                    : X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, plan->san);

    assert_non_null(extension);
    assert_true(sk_X509_EXTENSION_push(extensions, extension));
    push_extension(extensions, NID_ext_key_usage, plan->usage);
    push_extension(extensions, NID_basic_constraints, plan->basic);
    push_extension(extensions, NID_key_usage, plan->key_usage);
    assert_true(X509_REQ_add_extensions(req, extensions));
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static struct bytes encode_request(struct arena *arena, X509_REQ *req)
{
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(req, &der);
    struct bytes copy;

    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    assert_non_null(copy.data);
    OPENSSL_free(der);
    return copy;
}

struct bytes est_client_csr(struct arena *arena, const struct est_csr_plan *plan)
{
    EVP_PKEY *key = plan->key != NULL ? plan->key : est_client_key(0);
    X509_REQ *req = X509_REQ_new();
    struct bytes der;

    assert_true(X509_REQ_set_version(req, X509_REQ_VERSION_1));
    set_subject(req, plan);
    assert_true(X509_REQ_set_pubkey(req, key));
    if (plan->san != NULL || plan->device != NULL)
        set_san(req, plan);
    if (plan->password != NULL)
        assert_true(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, V_ASN1_PRINTABLESTRING,
                                              (const unsigned char *)plan->password,
                                              (int)strlen(plan->password)));
    if (plan->oid != NULL)
        assert_true(X509_REQ_add1_attr_by_txt(req, plan->oid, V_ASN1_UTF8STRING,
                                              (const unsigned char *)plan->text, (int)strlen(plan->text)));
    assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
    der = encode_request(arena, req);
    if (plan->broken_signature) /* the last octet is of ECDSA's s or of RSA's signature */
        ((uint8_t *)(uintptr_t)der.data)[der.len - 1] ^= 1;
    X509_REQ_free(req);
    return der;
}

struct bytes est_client_base64(struct arena *arena, struct bytes der, unsigned columns)
{
    size_t len = (der.len + 2) / 3 * 4, out = 0;
    unsigned char *line = arena_alloc(arena, len + 1);
    uint8_t *text = arena_alloc(arena, 2 * len + 2);

    assert_non_null(line);
    assert_non_null(text);
    assert_int_equal(EVP_EncodeBlock(line, der.data, (int)der.len), (int)len);
    for (size_t i = 0; i < len; i++) {
        text[out++] = line[i];
        if (columns > 0 && ((i + 1) % columns == 0 || i + 1 == len))
            text[out++] = '\n';
    }
    return bytes_of(text, out);
}

/* --- HTTP --- */

static void add_header(struct http_request *r, const char *name, struct bytes value)
{
    struct http_header *header = (struct http_header *)(uintptr_t)r->header;

    assert_true(r->header_count < EST_CLIENT_HEADERS_MAX);
    header[r->header_count++] = (struct http_header){ bytes_text(name), value };
}

static struct bytes basic(struct arena *arena, const char *user, const char *password)
{
    struct bytes pair = arena_format(arena, "%s:%s", user != NULL ? user : "", password);
    struct bytes text = est_client_base64(arena, pair, 0);

    return arena_format(arena, "Basic %.*s", BYTES_FMT(text));
}

static void add_headers(struct http_request *r, const struct est_plan *plan)
{
    if (plan->content_type == NULL || plan->content_type[0] != '\0')
        add_header(r, "Content-Type",
                   bytes_text(plan->content_type != NULL ? plan->content_type : "application/pkcs10"));
    if (r->method == HTTP_METHOD_POST)
        add_header(r, "Content-Length", arena_format(r->arena, "%zu", r->body.len));
    if (plan->authorization.len > 0)
        add_header(r, "Authorization", plan->authorization);
    else if (plan->password != NULL)
        add_header(r, "Authorization", basic(r->arena, plan->user, plan->password));
    if (plan->user_agent != NULL)
        add_header(r, "User-Agent", bytes_text(plan->user_agent));
    if (plan->more.name.len > 0)
        add_header(r, (const char *)plan->more.name.data, plan->more.value);
}

static void set_peer(struct http_peer *peer, const struct est_plan *plan)
{
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.7"), &peer->address));
    if (plan->plain)
        return;
    peer->tls = true;
    peer->tls_version = plan->tls_1_2 ? 0x0303 : 0x0304;
    peer->tls_extended_master_secret = !plan->without_ems;
    peer->certificate = plan->certificate;
    if (plan->issuer.len > 0)
        peer->chain[peer->chain_count++] = plan->issuer;
    if (plan->tls_1_2) {
        memset(peer->tls_unique, plan->connection, 12);
        peer->tls_unique_len = 12;
    } else {
        memset(peer->tls_exporter, plan->connection, sizeof(peer->tls_exporter));
        peer->has_tls_exporter = true;
    }
}

const char *est_client_binding(struct arena *arena, uint8_t connection, bool tls_1_2)
{
    uint8_t value[32];
    char *text;

    memset(value, connection, sizeof(value));
    text = arena_text(arena, est_client_base64(arena, bytes_of(value, tls_1_2 ? 12 : sizeof(value)), 0));
    assert_non_null(text);
    return text;
}

struct http_request *est_client_request(struct arena *arena, const struct est_plan *plan)
{
    struct http_request *r = arena_alloc(arena, sizeof(*r));

    assert_non_null(r);
    *r = (struct http_request){
        .method = plan->method != HTTP_METHOD_OTHER ? plan->method : HTTP_METHOD_POST,
        .path = bytes_text(plan->path != NULL ? plan->path : DEFAULT_PATH),
        .query = bytes_text(plan->query),
        .minor_version = 1,
        .header = arena_array(arena, EST_CLIENT_HEADERS_MAX, sizeof(struct http_header)),
        .base_url = "https://127.0.0.1:8443",
        .arena = arena,
    };
    assert_non_null(r->header);
    r->method_text = bytes_text(r->method == HTTP_METHOD_GET   ? "GET"
                                : r->method == HTTP_METHOD_PUT ? "PUT"
                                                               : "POST");
    if (plan->body.data != NULL)
        r->body = plan->body;
    else if (r->method == HTTP_METHOD_POST)
        r->body = est_client_base64(arena, est_client_csr(arena, &plan->csr), 64);
    add_headers(r, plan);
    set_peer(&r->peer, plan);
    return r;
}

/* --- Digest --- */

static struct bytes hex_digest(struct arena *arena, const char *algorithm, struct bytes text)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t len = 0;
    char *out;

    assert_true(EVP_Q_digest(NULL, strcmp(algorithm, "MD5") == 0 ? "MD5" : "SHA256", NULL, text.data,
                             text.len, hash, &len));
    out = arena_alloc(arena, 2 * len + 1);
    assert_non_null(out);
    for (size_t i = 0; i < len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return bytes_of(out, 2 * len);
}

/* What stands between the quotes after name=. */
static struct bytes parameter(struct bytes challenge, const char *name)
{
    for (size_t i = 0; i + strlen(name) + 2 < challenge.len; i++) {
        struct bytes rest = bytes_from(challenge, i);

        if (bytes_starts_with(rest, name) && rest.data[strlen(name)] == '=' &&
            rest.data[strlen(name) + 1] == '"') {
            rest = bytes_from(rest, strlen(name) + 2);
            return bytes_slice(rest, 0, bytes_find(rest, '"'));
        }
    }
    fail_msg("no %s in the challenge", name);
    return BYTES_NONE;
}

static struct bytes challenge_of(const struct http_response *response, const char *algorithm)
{
    char wanted[64];
    struct bytes value;

    (void)snprintf(wanted, sizeof(wanted), "algorithm=%s,", algorithm);
    for (size_t n = 0; (value = est_client_header(response, "WWW-Authenticate", n)).data != NULL; n++)
        if (memmem(value.data, value.len, wanted, strlen(wanted)) != NULL)
            return value;
    fail_msg("no Digest challenge of %s", algorithm);
    return BYTES_NONE;
}

struct bytes est_client_digest(struct arena *arena, const struct est_digest_plan *p)
{
    struct bytes challenge = challenge_of(p->challenge, p->algorithm);
    struct bytes realm = parameter(challenge, "realm"), opaque = parameter(challenge, "opaque");
    struct bytes nonce = p->nonce != NULL ? bytes_text(p->nonce) : parameter(challenge, "nonce");
    const char *uri = p->uri != NULL ? p->uri : DEFAULT_PATH, *nc = p->nc != NULL ? p->nc : "00000001";
    const char *cnonce = p->cnonce != NULL ? p->cnonce : "0a4f113b";
    struct bytes a1 = hex_digest(arena, p->algorithm,
                                 arena_format(arena, "%s:%.*s:%s", p->user, BYTES_FMT(realm), p->password));
    struct bytes a2 = hex_digest(arena, p->algorithm, arena_format(arena, "POST:%s", uri));
    struct bytes response = hex_digest(arena, p->algorithm,
                                       arena_format(arena, "%.*s:%.*s:%s:%s:auth:%.*s", BYTES_FMT(a1),
                                                    BYTES_FMT(nonce), nc, cnonce, BYTES_FMT(a2)));
    struct bytes client = p->no_cnonce ? BYTES_NONE : arena_format(arena, "cnonce=\"%s\", ", cnonce);

    return arena_format(
        arena,
        "Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%s\", %.*sqop=auth, nc=%s, "
        "algorithm=%s, opaque=\"%.*s\", response=\"%.*s\"",
        p->user, BYTES_FMT(realm), BYTES_FMT(nonce), uri, BYTES_FMT(client), nc, p->algorithm,
        BYTES_FMT(opaque), BYTES_FMT(response));
}

/* --- answers --- */

struct bytes est_client_header(const struct http_response *response, const char *name, size_t n)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (bytes_is(response->header[i].name, name) &&
            n-- == 0) /* capitals matter to clients of the field */
            return response->header[i].value;
    return BYTES_NONE;
}

int est_client_bag(struct arena *arena, const struct http_response *response, X509 *out[], int max)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    unsigned char *der = arena_alloc(arena, response->body.len + 64);
    int len = 0, last = 0;

    assert_non_null(ctx);
    assert_non_null(der);
    EVP_DecodeInit(ctx);
    assert_true(EVP_DecodeUpdate(ctx, der, &len, response->body.data, (int)response->body.len) >= 0);
    assert_int_equal(EVP_DecodeFinal(ctx, der + len, &last), 1);
    EVP_ENCODE_CTX_free(ctx);
    assert_text(est_client_header(response, "Content-Type", 0),
                "application/pkcs7-mime; smime-type=certs-only");
    assert_text(est_client_header(response, "Content-Transfer-Encoding", 0), "base64");
    return scep_client_bag(bytes_of(der, (size_t)(len + last)), out, max);
}
