/* Keys, certificates, protection and the message as a whole. */
#include "tests/lib/cmp_client.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

enum { RING_MAX = 32, KEPT_MAX = 512, MESSAGE_MAX = 1 << 20 };

static const int64_t BEGIN_S = 1700000000;

static X509 *kept[KEPT_MAX];
static size_t kept_count;

static X509 *keep(X509 *x)
{
    assert_non_null(x);
    assert_true(kept_count < KEPT_MAX);
    kept[kept_count++] = x;
    return x;
}

void cmp_client_reset(void)
{
    while (kept_count > 0)
        X509_free(kept[--kept_count]);
    ERR_clear_error();
}

static struct bytes given(struct arena *arena, const struct buffer *buffer)
{
    struct bytes copy;

    assert_false(buffer_failed(buffer));
    copy = arena_copy(arena, buffer_bytes(buffer));
    assert_non_null(copy.data);
    return copy;
}

static struct bytes taken(struct arena *arena, unsigned char *der, int len)
{
    struct bytes copy;

    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    assert_non_null(copy.data);
    OPENSSL_free(der);
    return copy;
}

/* --- keys --- */

static EVP_PKEY *make_rsa(const char *kind)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *make_key(const char *kind)
{
    if (strcmp(kind, "RSA-1024") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    if (strcmp(kind, "RSA") == 0 || strcmp(kind, "RSA-PSS") == 0)
        return make_rsa(kind);
    if (kind[0] == 'P')
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    return EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

EVP_PKEY *cmp_client_key(const char *kind, unsigned n)
{
    static struct {
        char name[32];
        EVP_PKEY *key;
    } made[RING_MAX];
    char name[32];
    size_t i;

    (void)snprintf(name, sizeof(name), "%s/%u", kind, n);
    for (i = 0; i < RING_MAX && made[i].key != NULL; i++)
        if (strcmp(made[i].name, name) == 0)
            return made[i].key;
    assert_true(i < RING_MAX);
    made[i].key = make_key(kind);
    assert_non_null(made[i].key);
    memcpy(made[i].name, name, sizeof(name));
    return made[i].key;
}

struct bytes cmp_client_spki(struct arena *arena, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    return taken(arena, der, len);
}

static bool is_eddsa(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
}

/* --- certificates --- */

X509 *cmp_client_certificate(struct bytes der)
{
    const unsigned char *p = der.data;
    X509 *x = keep(d2i_X509(NULL, &p, (long)der.len));

    assert_true(p == der.data + der.len);
    return x;
}

struct bytes cmp_client_der(struct arena *arena, const X509 *certificate)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);

    return taken(arena, der, len);
}

static void add_to_name(X509_NAME *name, const char *type, const char *value)
{
    if (value != NULL && value[0] != '\0')
        assert_int_equal(
            X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0),
            1);
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX ctx;

    if (value == NULL || value[0] == '\0')
        return;
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *x, const struct cmp_certificate_plan *plan)
{
    if (plan->issuer == NULL || plan->is_ca)
        add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x, NID_key_usage, plan->key_usage != NULL ? plan->key_usage : "digitalSignature");
    add_extension(x, NID_ext_key_usage, plan->extended_key_usage);
    if (!plan->no_key_id)
        add_extension(x, NID_subject_key_identifier, "hash");
}

static void set_names(X509 *x, const struct cmp_certificate_plan *plan)
{
    X509_NAME *name = X509_NAME_new();

    add_to_name(name, "CN", plan->cn != NULL ? plan->cn : "device");
    add_to_name(name, "serialNumber", plan->serial_number);
    assert_int_equal(X509_set_subject_name(x, name), 1);
    assert_int_equal(X509_set_issuer_name(
                         x, plan->issuer != NULL ? X509_get_subject_name(plan->issuer->certificate) : name),
                     1);
    X509_NAME_free(name);
}

struct cmp_person cmp_client_person(const struct cmp_certificate_plan *plan)
{
    static long serial = 4711;
    EVP_PKEY *key = plan->key != NULL ? plan->key : cmp_client_key("P-256", 7);
    EVP_PKEY *issuer = plan->issuer != NULL ? plan->issuer->key : key;
    const char *digest = plan->digest != NULL ? plan->digest : "SHA256";
    X509 *x = keep(X509_new());
    int64_t end_s = plan->not_after_s != 0 ? plan->not_after_s : BEGIN_S + (int64_t)20 * 365 * 86400;

    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), serial++), 1);
    set_names(x, plan);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)BEGIN_S));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)end_s));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    add_extensions(x, plan);
    assert_true(X509_sign(x, issuer, is_eddsa(issuer) ? NULL : EVP_get_digestbyname(digest)) > 0);
    return (struct cmp_person){ .key = key, .certificate = x };
}

/* --- names and algorithms --- */

struct bytes cmp_client_name(struct arena *arena, const X509_NAME *name)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);

    return taken(arena, der, len);
}

static struct bytes directory_name(struct arena *arena, const X509_NAME *name)
{
    AUTO_STRUCT(buffer) out = BUFFER(4096);

    der_put(&out, DER_CONTEXT(4), cmp_client_name(arena, name));
    return given(arena, &out);
}

struct bytes cmp_client_sender(struct arena *arena, const char *cn)
{
    X509_NAME *name = X509_NAME_new();
    struct bytes element;

    add_to_name(name, "CN", cn);
    element = directory_name(arena, name);
    X509_NAME_free(name);
    return element;
}

static void put_algorithm(struct buffer *out, int nid, struct bytes parameters)
{
    const ASN1_OBJECT *object = OBJ_nid2obj(nid);
    size_t seq = der_begin(out, DER_SEQUENCE);

    assert_non_null(object);
    der_put_oid(out, bytes_of(OBJ_get0_data(object), OBJ_length(object)));
    buffer_append(out, parameters);
    der_end(out, seq);
}

struct bytes cmp_client_algorithm(struct arena *arena, int nid)
{
    AUTO_STRUCT(buffer) out = BUFFER(256);

    put_algorithm(&out, nid, BYTES_NONE);
    return given(arena, &out);
}

/* --- MACs --- */

static const char SALT[] = "0123456789abcdef";

static long iterations_of(const struct cmp_protection_plan *plan)
{
    return plan->iterations != 0 ? plan->iterations : 500;
}

static int mac_of(const struct cmp_protection_plan *plan)
{
    return plan->mac != 0 ? plan->mac : NID_hmacWithSHA256;
}

static int owf_of(const struct cmp_protection_plan *plan)
{
    return plan->owf != 0 ? plan->owf : plan->by == CMP_BY_PBMAC1 ? NID_hmacWithSHA256 : NID_sha256;
}

static const EVP_MD *hash_of(int nid)
{
    switch (nid) {
    case NID_hmac_sha1:
    case NID_hmacWithSHA1: return EVP_sha1();
    case NID_hmacWithSHA384: return EVP_sha384();
    case NID_hmacWithSHA512: return EVP_sha512();
    case NID_hmac_md5: return EVP_md5();
    case NID_hmacWithSHA256: return EVP_sha256();
    default: return EVP_get_digestbynid(nid) != NULL ? EVP_get_digestbynid(nid) : EVP_sha256();
    }
}

/* PBMParameter, RFC 4211 4.4. */
static void put_pbm_parameter(struct buffer *out, const struct cmp_protection_plan *plan)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    der_put(out, DER_OCTET_STRING, BYTES_LITERAL(SALT));
    put_algorithm(out, owf_of(plan), BYTES_NONE);
    der_put_uint(out, (uint64_t)iterations_of(plan));
    put_algorithm(out, mac_of(plan), BYTES_NONE);
    der_end(out, seq);
}

/* PBMAC1-params with PBKDF2-params, RFC 8018 A.2 and A.5. */
static void put_pbmac1_parameter(struct buffer *out, const struct cmp_protection_plan *plan)
{
    AUTO_STRUCT(buffer) pbkdf2 = BUFFER(1024);
    size_t inner = der_begin(&pbkdf2, DER_SEQUENCE), seq;

    der_put(&pbkdf2, DER_OCTET_STRING, BYTES_LITERAL(SALT));
    der_put_uint(&pbkdf2, (uint64_t)iterations_of(plan));
    if (plan->key_len >= 0)
        der_put_uint(&pbkdf2, plan->key_len > 0 ? (uint64_t)plan->key_len : 32);
    put_algorithm(&pbkdf2, owf_of(plan), BYTES_LITERAL("\x05\x00"));
    der_end(&pbkdf2, inner);
    seq = der_begin(out, DER_SEQUENCE);
    put_algorithm(out, NID_id_pbkdf2, buffer_bytes(&pbkdf2));
    put_algorithm(out, mac_of(plan), BYTES_LITERAL("\x05\x00"));
    der_end(out, seq);
}

struct bytes cmp_client_mac_algorithm(struct arena *arena, const struct cmp_protection_plan *plan)
{
    AUTO_STRUCT(buffer) parameter = BUFFER(1024);
    AUTO_STRUCT(buffer) out = BUFFER(1024);

    if (plan->by == CMP_BY_PBMAC1)
        put_pbmac1_parameter(&parameter, plan);
    else
        put_pbm_parameter(&parameter, plan);
    put_algorithm(&out, plan->by == CMP_BY_PBMAC1 ? NID_pbmac1 : NID_id_PasswordBasedMAC,
                  buffer_bytes(&parameter));
    return given(arena, &out);
}

/* RFC 4211 4.4: the secret and the salt, hashed over and over. */
static unsigned pbm_key(const struct cmp_protection_plan *plan, const char *secret, uint8_t *key)
{
    uint8_t all[256 + sizeof(SALT)];
    unsigned len = (unsigned)strlen(secret);

    assert_true(len < 256);
    memcpy(all, secret, len);
    memcpy(all + len, SALT, sizeof(SALT) - 1);
    assert_int_equal(EVP_Digest(all, len + sizeof(SALT) - 1, key, &len, hash_of(owf_of(plan)), NULL), 1);
    for (long i = 1; i < iterations_of(plan) && i < 200000; i++)
        assert_int_equal(EVP_Digest(key, len, key, &len, hash_of(owf_of(plan)), NULL), 1);
    return len;
}

static unsigned pbkdf2_key(const struct cmp_protection_plan *plan, const char *secret, uint8_t *key)
{
    const EVP_MD *prf = hash_of(owf_of(plan));
    int len = plan->key_len > 0 ? plan->key_len : plan->key_len < 0 ? EVP_MD_get_size(prf) : 32;
    long iterations = iterations_of(plan) < 200000 ? iterations_of(plan) : 1;

    assert_int_equal(PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret), (const unsigned char *)SALT,
                                       sizeof(SALT) - 1, (int)iterations, prf, len, key),
                     1);
    return (unsigned)len;
}

struct bytes cmp_client_mac(struct arena *arena, const struct cmp_protection_plan *plan, struct bytes message)
{
    const char *secret = plan->secret != NULL ? plan->secret : "s3cret";
    uint8_t key[1024], mac[EVP_MAX_MD_SIZE];
    unsigned key_len, len;
    struct bytes copy;

    key_len = plan->by == CMP_BY_PBMAC1 ? pbkdf2_key(plan, secret, key) : pbm_key(plan, secret, key);
    assert_non_null(HMAC(hash_of(mac_of(plan)), key, (int)key_len, message.data, message.len, mac, &len));
    copy = arena_copy(arena, bytes_of(mac, len));
    assert_non_null(copy.data);
    return copy;
}

/* --- signatures --- */

static EVP_MD_CTX *begin_signature(EVP_PKEY *key, const char *digest, bool pss, struct arena *arena,
                                   struct bytes *algorithm)
{
    uint8_t aid[256];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, aid, sizeof(aid)), OSSL_PARAM_END
    };
    const char *name = is_eddsa(key) ? NULL : digest != NULL ? digest : "SHA256";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;

    assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, name, NULL, NULL, key, NULL), 1);
    if (pss || EVP_PKEY_is_a(key, "RSA-PSS")) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    assert_int_equal(EVP_PKEY_CTX_get_params(pctx, params), 1);
    *algorithm = arena_copy(arena, bytes_of(aid, params[0].return_size));
    assert_non_null(algorithm->data);
    return ctx;
}

struct bytes cmp_client_sign(struct arena *arena, EVP_PKEY *key, const char *digest, bool pss,
                             struct bytes message, struct bytes *algorithm)
{
    EVP_MD_CTX *ctx = begin_signature(key, digest, pss, arena, algorithm);
    uint8_t signature[1024];
    size_t len = sizeof(signature);
    struct bytes copy;

    assert_int_equal(EVP_DigestSign(ctx, signature, &len, message.data, message.len), 1);
    EVP_MD_CTX_free(ctx);
    copy = arena_copy(arena, bytes_of(signature, len));
    assert_non_null(copy.data);
    return copy;
}

/* --- the header --- */

static struct bytes random_bytes(struct arena *arena, size_t len)
{
    uint8_t *octets = arena_alloc(arena, len);

    assert_non_null(octets);
    assert_int_equal(RAND_bytes(octets, (int)len), 1);
    return bytes_of(octets, len);
}

static enum cmp_protection_choice choice_of(const struct cmp_plan *plan)
{
    return plan->protection.by == CMP_BY_PBM && plan->signer != NULL ? CMP_BY_SIGNATURE : plan->protection.by;
}

static struct bytes signer_key_id(const struct cmp_person *signer)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(signer->certificate);

    return id == NULL ? BYTES_NONE : bytes_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
}

static void fill_sender(struct arena *arena, const struct cmp_plan *plan, struct cmp_header *h)
{
    const struct cmp_person *signer = plan->signer;

    if (plan->sender.data != NULL)
        h->sender = plan->sender;
    else if (signer != NULL)
        h->sender = directory_name(arena, X509_get_subject_name(signer->certificate));
    else
        h->sender = cmp_client_sender(arena, "router5.example.com");
    if (plan->no_sender_kid)
        return;
    if (plan->sender_kid.data != NULL)
        h->sender_kid = plan->sender_kid;
    else
        h->sender_kid = signer != NULL ? signer_key_id(signer) : BYTES_LITERAL("router5.example.com");
}

static void fill_numbers(struct arena *arena, const struct cmp_plan *plan, struct cmp_header *h)
{
    h->pvno = plan->pvno != 0 ? plan->pvno : 2;
    h->has_message_time = plan->time_s != 0;
    h->message_time_s = plan->time_s;
    h->has_transaction_id = !plan->no_transaction_id;
    h->transaction_id = plan->transaction_id.data != NULL ? plan->transaction_id : random_bytes(arena, 16);
    h->has_sender_nonce = plan->nonce_len >= 0;
    if (plan->nonce.data != NULL)
        h->sender_nonce = plan->nonce;
    else if (h->has_sender_nonce)
        h->sender_nonce = random_bytes(arena, plan->nonce_len > 0 ? (size_t)plan->nonce_len : 16);
    h->has_recip_nonce = plan->recip_nonce.data != NULL;
    h->recip_nonce = plan->recip_nonce;
}

static struct cmp_header header_of(struct arena *arena, const struct cmp_plan *plan)
{
    struct cmp_header h = { 0 };

    fill_sender(arena, plan, &h);
    fill_numbers(arena, plan, &h);
    for (size_t i = 0; i < plan->info_count; i++)
        h.info[h.info_count++] = plan->info[i];
    if (plan->implicit_confirm)
        h.info[h.info_count++] = (struct cmp_info){ .oid = CMP_IT_IMPLICIT_CONFIRM,
                                                    .value = BYTES_LITERAL("\x05\x00") };
    return h;
}

/* PKIFreeText stands in [7], before generalInfo: the codec reads it and writes none. */
static struct bytes with_free_text(struct arena *arena, struct bytes header)
{
    static const uint8_t text[] = { 0xa7, 9, DER_SEQUENCE, 7, DER_UTF8_STRING, 5, 'h', 'e', 'l', 'l', 'o' };
    AUTO_STRUCT(buffer) out = BUFFER(MESSAGE_MAX);
    struct der in = der_of(header), fields = der_enter(&in, DER_SEQUENCE);
    size_t seq = der_begin(&out, DER_SEQUENCE);

    while (der_more(&fields) && !der_next_is(&fields, DER_CONTEXT(8)))
        buffer_append(&out, der_any(&fields, NULL));
    buffer_append(&out, BYTES_ARRAY(text));
    buffer_append(&out, fields.rest);
    der_end(&out, seq);
    return given(arena, &out);
}

/* --- the message --- */

static struct bytes written_header(struct arena *arena, const struct cmp_plan *plan, struct cmp_header header,
                                   struct bytes algorithm)
{
    AUTO_STRUCT(buffer) out = BUFFER(MESSAGE_MAX);

    header.protection_alg = plan->protection.algorithm.data != NULL ? plan->protection.algorithm : algorithm;
    if (plan->protection.no_algorithm)
        header.protection_alg = BYTES_NONE;
    cmp_header_put(&out, &header);
    return plan->free_text ? with_free_text(arena, given(arena, &out)) : given(arena, &out);
}

static struct bytes written_body(struct arena *arena, const struct cmp_plan *plan)
{
    AUTO_STRUCT(buffer) out = BUFFER(MESSAGE_MAX);

    cmp_body_put(&out, plan->body != CMP_BODY_NONE ? plan->body : CMP_IR, cmp_client_content(arena, plan));
    return given(arena, &out);
}

/* ProtectedPart ::= SEQUENCE { header, body } */
static struct bytes protected_part(struct arena *arena, struct bytes header, struct bytes body)
{
    AUTO_STRUCT(buffer) out = BUFFER(MESSAGE_MAX);
    size_t seq = der_begin(&out, DER_SEQUENCE);

    buffer_append(&out, header);
    buffer_append(&out, body);
    der_end(&out, seq);
    return given(arena, &out);
}

static struct bytes algorithm_of(struct arena *arena, const struct cmp_plan *plan)
{
    struct cmp_protection_plan p = plan->protection;
    struct bytes algorithm = BYTES_NONE;

    p.by = choice_of(plan);
    switch (p.by) {
    case CMP_BY_PBM:
    case CMP_BY_PBMAC1: return cmp_client_mac_algorithm(arena, &p);
    case CMP_BY_SIGNATURE:
        EVP_MD_CTX_free(begin_signature(plan->signer->key, p.digest, p.pss, arena, &algorithm));
        return algorithm;
    case CMP_BY_NOTHING: break;
    }
    return BYTES_NONE;
}

static struct bytes protection_of(struct arena *arena, const struct cmp_plan *plan, struct bytes part)
{
    struct cmp_protection_plan p = plan->protection;
    struct bytes bits = BYTES_NONE, algorithm;
    uint8_t *copy;

    p.by = choice_of(plan);
    if (p.by == CMP_BY_NOTHING || p.no_bits)
        return BYTES_NONE;
    bits = p.by == CMP_BY_SIGNATURE
               ? cmp_client_sign(arena, plan->signer->key, p.digest, p.pss, part, &algorithm)
               : cmp_client_mac(arena, &p, part);
    if (!p.broken)
        return bits;
    copy = arena_alloc(arena, bits.len);
    assert_non_null(copy);
    memcpy(copy, bits.data, bits.len);
    copy[bits.len - 1] ^= 1;
    return bytes_of(copy, bits.len);
}

static size_t extra_of(struct arena *arena, const struct cmp_plan *plan, struct bytes *list)
{
    size_t count = 0;

    if (plan->signer != NULL && !plan->no_signer_certificate)
        list[count++] = cmp_client_der(arena, plan->signer->certificate);
    for (size_t i = 0; i < plan->extra_count; i++)
        list[count++] = cmp_client_der(arena, plan->extra[i]);
    return count;
}

struct bytes cmp_client_message(struct arena *arena, const struct cmp_plan *plan)
{
    AUTO_STRUCT(buffer) out = BUFFER(MESSAGE_MAX);
    struct bytes header = written_header(arena, plan, header_of(arena, plan), algorithm_of(arena, plan));
    struct bytes body = written_body(arena, plan);
    struct bytes protection = protection_of(arena, plan, protected_part(arena, header, body));
    struct bytes extra[1 + CMP_CLIENT_LIST_MAX];
    size_t count = extra_of(arena, plan, extra);

    cmp_message_put(&out, header, body, protection, extra, count);
    return given(arena, &out);
}
