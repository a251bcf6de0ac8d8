/* Bodies, as RFC 9810 appendix F and RFC 4211 appendix B write them. */
#include "tests/lib/cmp_client.h"

enum { CONTENT_MAX = 1 << 20 };

static struct bytes given(struct arena *arena, const struct buffer *buffer)
{
    struct bytes copy;

    assert_false(buffer_failed(buffer));
    copy = arena_copy(arena, buffer_bytes(buffer));
    assert_non_null(copy.data);
    return copy;
}

static struct bytes inside(struct bytes element)
{
    struct der in = der_of(element);

    return der_value(&in, DER_SEQUENCE);
}

static void put_object(struct buffer *out, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    assert_non_null(object);
    der_put_oid(out, bytes_of(OBJ_get0_data(object), OBJ_length(object)));
    ASN1_OBJECT_free(object);
}

/* --- CertTemplate --- */

static void put_version(struct buffer *out, const char *version)
{
    if (version != NULL)
        der_put(out, DER_CONTEXT_PRIMITIVE(0), bytes_text(version));
}

static void put_serial(struct buffer *out, const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    AUTO_STRUCT(buffer) element = BUFFER(256);
    struct der in;

    der_put_integer(&element, bytes_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
    in = der_of(buffer_bytes(&element));
    der_put(out, DER_CONTEXT_PRIMITIVE(1), der_value(&in, DER_INTEGER));
}

static void put_subject(struct buffer *out, const char *cn, struct arena *arena)
{
    struct der name = der_of(cmp_client_sender(arena, cn));

    der_put(out, DER_CONTEXT(5), der_value(&name, DER_CONTEXT(4)));
}

static void put_key(struct buffer *out, EVP_PKEY *key, struct arena *arena)
{
    der_put(out, DER_CONTEXT(6), inside(cmp_client_spki(arena, key)));
}

/* The algorithm, and no bits. */
static void put_empty_key(struct buffer *out, EVP_PKEY *key, struct arena *arena)
{
    struct der spki = der_of(inside(cmp_client_spki(arena, key)));
    size_t tag = der_begin(out, DER_CONTEXT(6));

    buffer_append(out, der_element(&spki, DER_SEQUENCE));
    der_put_bits(out, BYTES_NONE);
    der_end(out, tag);
}

static void put_san(struct buffer *out, const char *san)
{
    X509_EXTENSION *extension;
    unsigned char *der = NULL;
    int len;

    if (san == NULL)
        return;
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    assert_non_null(extension);
    len = i2d_X509_EXTENSION(extension, &der);
    assert_true(len > 0);
    buffer_append(out, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    X509_EXTENSION_free(extension);
}

static EVP_PKEY *key_of(const struct cmp_request_plan *r)
{
    return r->key != NULL ? r->key : cmp_client_key("P-256", 0);
}

static void put_template(struct buffer *out, const struct cmp_request_plan *r, struct arena *arena)
{
    size_t template = der_begin(out, DER_SEQUENCE), tag;

    put_version(out, r->version);
    buffer_append(out, r->before_issuer);
    if (r->issuer.data != NULL)
        der_put(out, DER_CONTEXT(3), r->issuer);
    if (!r->no_subject)
        put_subject(out, r->cn != NULL ? r->cn : "router5.example.com", arena);
    if (r->empty_key)
        put_empty_key(out, key_of(r), arena);
    else if (!r->no_key)
        put_key(out, key_of(r), arena);
    buffer_append(out, r->after_key);
    if (r->san != NULL || r->extensions.data != NULL) {
        tag = der_begin(out, DER_CONTEXT(9));
        put_san(out, r->san);
        buffer_append(out, r->extensions);
        der_end(out, tag);
    }
    der_end(out, template);
}

/* --- CertRequest --- */

/* oldCertID: CertId ::= SEQUENCE { issuer GeneralName, serialNumber INTEGER } */
static void put_old(struct buffer *out, const struct cmp_plan *plan, struct arena *arena)
{
    const X509 *old = plan->request.old;
    size_t controls, control, id, name;

    if (old == NULL && plan->body == CMP_KUR && plan->signer != NULL)
        old = plan->signer->certificate;
    if (old == NULL || plan->request.no_old)
        return;
    controls = der_begin(out, DER_SEQUENCE);
    control = der_begin(out, DER_SEQUENCE);
    put_object(out, "1.3.6.1.5.5.7.5.1.5");
    id = der_begin(out, DER_SEQUENCE);
    name = der_begin(out, DER_CONTEXT(4));
    buffer_append(out, cmp_client_name(arena, X509_get_issuer_name(old)));
    der_end(out, name);
    if (plan->request.other_old_serial)
        der_put_uint(out, 4711);
    else
        der_put_integer(out, bytes_of(ASN1_STRING_get0_data(X509_get0_serialNumber(old)),
                                      (size_t)ASN1_STRING_length(X509_get0_serialNumber(old))));
    der_end(out, id);
    der_end(out, control);
    der_end(out, controls);
}

static struct bytes cert_request(struct arena *arena, const struct cmp_plan *plan)
{
    AUTO_STRUCT(buffer) out = BUFFER(CONTENT_MAX);
    size_t seq = der_begin(&out, DER_SEQUENCE);

    der_put_int(&out, plan->request.cert_req_id);
    put_template(&out, &plan->request, arena);
    put_old(&out, plan, arena);
    der_end(&out, seq);
    return given(arena, &out);
}

/* --- ProofOfPossession --- */

/* PKMACValue over the key, RFC 4211 4.1. */
static void put_key_mac(struct buffer *out, const struct cmp_plan *plan, struct bytes spki,
                        struct arena *arena)
{
    const struct cmp_protection_plan mac = { .secret = plan->request.sk_secret };
    size_t seq = der_begin(out, DER_SEQUENCE);

    buffer_append(out, cmp_client_mac_algorithm(arena, &mac));
    der_put_bits(out, cmp_client_mac(arena, &mac, spki));
    der_end(out, seq);
}

/* POPOSigningKeyInput, as SEQUENCE. */
static struct bytes sk_input(struct arena *arena, const struct cmp_plan *plan)
{
    const struct cmp_request_plan *r = &plan->request;
    AUTO_STRUCT(buffer) out = BUFFER(CONTENT_MAX);
    struct bytes spki = cmp_client_spki(arena, r->sk_key != NULL ? r->sk_key : key_of(r));
    size_t seq = der_begin(&out, DER_SEQUENCE);

    if (r->sk_input == CMP_SK_MAC)
        put_key_mac(&out, plan, spki, arena);
    else
        der_put(&out, DER_CONTEXT(0),
                r->sk_sender.data != NULL ? r->sk_sender : cmp_client_sender(arena, "router5.example.com"));
    buffer_append(&out, spki);
    der_end(&out, seq);
    return given(arena, &out);
}

static struct bytes flipped(struct arena *arena, struct bytes in)
{
    uint8_t *copy = arena_alloc(arena, in.len);

    assert_non_null(copy);
    memcpy(copy, in.data, in.len);
    copy[in.len - 1] ^= 1;
    return bytes_of(copy, in.len);
}

static void put_signature(struct buffer *out, const struct cmp_plan *plan, struct bytes request,
                          struct arena *arena)
{
    const struct cmp_request_plan *r = &plan->request;
    struct bytes input = r->sk_input != CMP_SK_NONE ? sk_input(arena, plan) : BYTES_NONE, algorithm,
                 signature;
    size_t tag = der_begin(out, DER_CONTEXT(1));

    if (input.data != NULL)
        der_put(out, DER_CONTEXT(0), inside(input));
    signature = cmp_client_sign(arena, r->pop_key != NULL ? r->pop_key : key_of(r), r->pop_digest, false,
                                input.data != NULL ? input : request, &algorithm);
    buffer_append(out, algorithm);
    der_put_bits(out, r->broken_pop ? flipped(arena, signature) : signature);
    der_end(out, tag);
}

static void put_pop(struct buffer *out, const struct cmp_plan *plan, struct bytes request,
                    struct arena *arena)
{
    static const uint8_t challenge[] = { 0x81, 1, 1 }; /* subsequentMessage: challengeResp */

    switch (plan->request.pop) {
    case CMP_POP_SIGNATURE: put_signature(out, plan, request, arena); break;
    case CMP_POP_NONE: break;
    case CMP_POP_RA_VERIFIED: der_put(out, DER_CONTEXT_PRIMITIVE(0), BYTES_NONE); break;
    case CMP_POP_ENCIPHER: der_put(out, DER_CONTEXT(2), BYTES_ARRAY(challenge)); break;
    case CMP_POP_AGREE: der_put(out, DER_CONTEXT(3), BYTES_ARRAY(challenge)); break;
    }
}

static void put_requests(struct buffer *out, const struct cmp_plan *plan, struct arena *arena)
{
    struct bytes request = cert_request(arena, plan);
    size_t all = der_begin(out, DER_SEQUENCE), message;

    for (unsigned i = 0; i <= plan->request.more; i++) {
        message = der_begin(out, DER_SEQUENCE);
        buffer_append(out, request);
        put_pop(out, plan, request, arena);
        der_end(out, message);
    }
    der_end(out, all);
}

/* --- certConf and error --- */

static struct bytes hash_of(const struct cmp_confirm_plan *confirm, struct arena *arena)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const char *name = confirm->digest != NULL ? confirm->digest : "SHA256";
    EVP_MD *digest;
    struct bytes der, copy;

    if (confirm->certificate == NULL)
        return BYTES_LITERAL("");
    der = cmp_client_der(arena, confirm->certificate);
    digest = EVP_MD_fetch(NULL, name, NULL);
    assert_non_null(digest);
    if (strcmp(name, "SHAKE256") == 0) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        len = 64;
        assert_int_equal(EVP_DigestInit_ex(ctx, digest, NULL), 1);
        assert_int_equal(EVP_DigestUpdate(ctx, der.data, der.len), 1);
        assert_int_equal(EVP_DigestFinalXOF(ctx, hash, len), 1);
        EVP_MD_CTX_free(ctx);
    } else {
        assert_int_equal(EVP_Digest(der.data, der.len, hash, &len, digest, NULL), 1);
    }
    EVP_MD_free(digest);
    copy = arena_copy(arena, bytes_of(hash, len));
    assert_non_null(copy.data);
    return copy;
}

static void put_status(struct buffer *out, enum cmp_status status, uint32_t fail_info)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    der_put_uint(out, (uint64_t)status - 1);
    if (fail_info != 0)
        der_put_named_bits(out, fail_info);
    der_end(out, seq);
}

static void put_confirm(struct buffer *out, const struct cmp_confirm_plan *confirm, struct arena *arena)
{
    size_t all = der_begin(out, DER_SEQUENCE), one;

    for (int i = confirm->empty ? 2 : confirm->twice ? 0 : 1; i < 2; i++) {
        one = der_begin(out, DER_SEQUENCE);
        der_put(out, DER_OCTET_STRING, hash_of(confirm, arena));
        der_put_int(out, confirm->cert_req_id);
        if (confirm->status != CMP_STATUS_NONE)
            put_status(out, confirm->status, confirm->fail_info);
        if (confirm->hash_alg.data != NULL)
            der_put(out, DER_CONTEXT(0), confirm->hash_alg);
        der_end(out, one);
    }
    der_end(out, all);
}

static void put_error(struct buffer *out)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    put_status(out, CMP_REJECTION, CMP_BAD_REQUEST);
    der_end(out, seq);
}

/* --- rr, pollReq, genm --- */

static void put_reason(struct buffer *out, int reason)
{
    const uint8_t value[] = { DER_ENUMERATED, 1, (uint8_t)reason };
    size_t seq = der_begin(out, DER_SEQUENCE);

    put_object(out, "2.5.29.21");
    der_put(out, DER_OCTET_STRING, BYTES_ARRAY(value));
    der_end(out, seq);
}

static void put_rev_details(struct buffer *out, const struct cmp_revoke_plan *r, struct arena *arena)
{
    size_t details = der_begin(out, DER_SEQUENCE), template = der_begin(out, DER_SEQUENCE), extensions;

    put_version(out, r->version);
    if (!r->no_serial)
        put_serial(out, r->certificate);
    if (!r->no_issuer)
        der_put(out, DER_CONTEXT(3), cmp_client_name(arena, X509_get_issuer_name(r->certificate)));
    if (r->cn != NULL)
        put_subject(out, r->cn, arena);
    if (r->key != NULL)
        put_key(out, r->key, arena);
    der_end(out, template);
    if (r->reason != 0) {
        extensions = der_begin(out, DER_SEQUENCE);
        put_reason(out, r->reason - 1);
        if (r->second_reason)
            put_reason(out, r->reason - 1);
        der_end(out, extensions);
    }
    der_end(out, details);
}

static void put_revoke(struct buffer *out, const struct cmp_revoke_plan *r, struct arena *arena)
{
    size_t all = der_begin(out, DER_SEQUENCE);

    put_rev_details(out, r, arena);
    if (r->twice)
        put_rev_details(out, r, arena);
    der_end(out, all);
}

static void put_poll(struct buffer *out, int64_t cert_req_id)
{
    size_t all = der_begin(out, DER_SEQUENCE), one = der_begin(out, DER_SEQUENCE);

    der_put_int(out, cert_req_id);
    der_end(out, one);
    der_end(out, all);
}

static void put_questions(struct buffer *out, const struct cmp_plan *plan)
{
    const struct cmp_info ca_certs = { .oid = CMP_IT_CA_CERTS };
    const struct cmp_info *ask = plan->ask_count > 0 ? plan->ask : &ca_certs;
    size_t count = plan->ask_count > 0 ? plan->ask_count : 1, all = der_begin(out, DER_SEQUENCE), one;

    for (size_t i = 0; i < count; i++) {
        one = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, ask[i].oid);
        buffer_append(out, ask[i].value);
        der_end(out, one);
    }
    der_end(out, all);
}

static void put_nested(struct buffer *out, const struct cmp_plan *plan)
{
    size_t all = der_begin(out, DER_SEQUENCE);

    for (size_t i = 0; i < plan->nested_count; i++)
        buffer_append(out, plan->nested[i]);
    der_end(out, all);
}

static void put_content(struct buffer *out, const struct cmp_plan *plan, struct arena *arena)
{
    switch (plan->body) {
    case CMP_P10CR: buffer_append(out, scep_client_csr(arena, &plan->csr)); break;
    case CMP_CERT_CONF: put_confirm(out, &plan->confirm, arena); break;
    case CMP_PKICONF: der_put_null(out); break;
    case CMP_POLL_REQ: put_poll(out, plan->poll_id); break;
    case CMP_RR: put_revoke(out, &plan->revoke, arena); break;
    case CMP_GENM: put_questions(out, plan); break;
    case CMP_NESTED: put_nested(out, plan); break;
    case CMP_ERROR: put_error(out); break;
    default: put_requests(out, plan, arena); break;
    }
}

struct bytes cmp_client_content(struct arena *arena, const struct cmp_plan *plan)
{
    AUTO_STRUCT(buffer) out = BUFFER(CONTENT_MAX);

    if (plan->content.data != NULL)
        return plan->content;
    put_content(&out, plan, arena);
    return given(arena, &out);
}
