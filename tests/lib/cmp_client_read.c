/* Replies, read by OpenSSL and by us, and verified by OpenSSL. */
#include "tests/lib/cmp_client.h"

#include <openssl/err.h>
#include <openssl/hmac.h>

/* --- protection --- */

static int quiet(const char *function, const char *file, int line, OSSL_CMP_severity level, const char *text)
{
    if (level <= OSSL_CMP_LOG_ERR)
        (void)fprintf(stderr, "%s %s:%d: %s\n", function, file, line, text);
    return 1;
}

static OSSL_CMP_CTX *context_of(const struct cmp_trust *trust)
{
    OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
    const char *secret = trust->secret != NULL ? trust->secret : "s3cret";
    X509_STORE *store = X509_STORE_new();

    assert_non_null(ctx);
    assert_int_equal(X509_STORE_add_cert(store, trust->ca), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)trust->now_s);
    assert_int_equal(OSSL_CMP_CTX_set0_trustedStore(ctx, store), 1);
    assert_int_equal(OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)secret, (int)strlen(secret)),
                     1);
    assert_int_equal(OSSL_CMP_CTX_set_log_cb(ctx, quiet), 1);
    return ctx;
}

/* PBMAC1 is none of OpenSSL's CMP: its parts are (RFC 8018 A.5 has the shape of PBES2's parameters). */
static void verify_pbmac1(const struct cmp_message *m, struct bytes part, const struct cmp_trust *trust)
{
    const char *secret = trust->secret != NULL ? trust->secret : "s3cret";
    const unsigned char *at = m->header.protection_alg.data;
    X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)m->header.protection_alg.len);
    PBE2PARAM *params;
    PBKDF2PARAM *kdf;
    uint8_t key[64], mac[EVP_MAX_MD_SIZE];
    unsigned len = sizeof(mac);
    const ASN1_OCTET_STRING *salt;

    assert_non_null(algorithm);
    assert_int_equal(OBJ_obj2nid(algorithm->algorithm), NID_pbmac1);
    params = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    assert_non_null(params);
    assert_int_equal(OBJ_obj2nid(params->keyfunc->algorithm), NID_id_pbkdf2);
    assert_int_equal(OBJ_obj2nid(params->encryption->algorithm), NID_hmacWithSHA256);
    kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), params->keyfunc->parameter);
    assert_non_null(kdf);
    assert_int_equal(OBJ_obj2nid(kdf->prf->algorithm), NID_hmacWithSHA256);
    assert_int_equal(ASN1_INTEGER_get(kdf->keylength), 32);
    salt = kdf->salt->value.octet_string;
    assert_int_equal(PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret), ASN1_STRING_get0_data(salt),
                                       ASN1_STRING_length(salt), (int)ASN1_INTEGER_get(kdf->iter),
                                       EVP_sha256(), 32, key),
                     1);
    assert_non_null(HMAC(EVP_sha256(), key, 32, part.data, part.len, mac, &len));
    assert_bytes(m->protection, bytes_of(mac, len));
    PBKDF2PARAM_free(kdf);
    PBE2PARAM_free(params);
    X509_ALGOR_free(algorithm);
}

static int protection_nid(const struct cmp_message *m)
{
    const unsigned char *at = m->header.protection_alg.data;
    X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)m->header.protection_alg.len);
    int nid;

    assert_non_null(algorithm);
    nid = OBJ_obj2nid(algorithm->algorithm);
    X509_ALGOR_free(algorithm);
    return nid;
}

/* Of a message that OpenSSL's CMP does not read: by its PasswordBasedMac alone. */
static void verify_pbm(const struct cmp_message *m, struct bytes part, const struct cmp_trust *trust)
{
    const char *secret = trust->secret != NULL ? trust->secret : "s3cret";
    const unsigned char *at = m->header.protection_alg.data;
    X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)m->header.protection_alg.len);
    const ASN1_STRING *sequence;
    OSSL_CRMF_PBMPARAMETER *parameter;
    unsigned char *mac = NULL;
    size_t len = 0;

    assert_non_null(algorithm);
    sequence = algorithm->parameter->value.sequence;
    at = ASN1_STRING_get0_data(sequence);
    parameter = d2i_OSSL_CRMF_PBMPARAMETER(NULL, &at, ASN1_STRING_length(sequence));
    assert_non_null(parameter);
    assert_int_equal(OSSL_CRMF_pbm_new(NULL, NULL, parameter, part.data, part.len,
                                       (const unsigned char *)secret, strlen(secret), &mac, &len),
                     1);
    assert_bytes(m->protection, bytes_of(mac, len));
    OPENSSL_free(mac);
    OSSL_CRMF_PBMPARAMETER_free(parameter);
    X509_ALGOR_free(algorithm);
}

static void verify_signature(const struct cmp_message *m, struct bytes part, const struct cmp_trust *trust)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_int_equal(protection_nid(m), NID_ecdsa_with_SHA256);
    assert_int_equal(
        EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, X509_get0_pubkey(trust->ra), NULL), 1);
    assert_int_equal(EVP_DigestVerify(ctx, m->protection.data, m->protection.len, part.data, part.len), 1);
    EVP_MD_CTX_free(ctx);
}

static bool verify_parts(const struct cmp_message *m, struct bytes part, const struct cmp_trust *trust)
{
    switch (protection_nid(m)) {
    case NID_pbmac1: verify_pbmac1(m, part, trust); return true;
    case NID_id_PasswordBasedMAC: verify_pbm(m, part, trust); return true;
    default: verify_signature(m, part, trust); return false;
    }
}

static bool verify(struct arena *arena, const struct cmp_message *m, const OSSL_CMP_MSG *read,
                   const struct cmp_trust *trust)
{
    int nid = protection_nid(m);
    OSSL_CMP_CTX *ctx;
    struct bytes part;

    assert_true(m->has_protection);
    assert_true(cmp_protected_part(m, arena, &part));
    if (nid == NID_pbmac1 || read == NULL)
        return verify_parts(m, part, trust);
    ctx = context_of(trust);
    if (OSSL_CMP_validate_msg(ctx, read) != 1)
        fail_msg("the protection of the reply does not hold");
    OSSL_CMP_CTX_free(ctx);
    return nid == NID_id_PasswordBasedMAC;
}

/* --- header --- */

static void check_header(const struct cmp_header *h, const struct cmp_header *sent)
{
    assert_int_equal(h->pvno, sent->pvno < 2 ? 2 : sent->pvno > 3 ? 3 : sent->pvno);
    assert_true(h->has_transaction_id);
    if (sent->has_transaction_id && sent->transaction_id.len > 0)
        assert_bytes(h->transaction_id, sent->transaction_id);
    else
        assert_true(h->transaction_id.len >= 16);
    assert_true(h->has_sender_nonce);
    assert_true(h->sender_nonce.len >= 16);
    assert_int_equal(h->has_recip_nonce, sent->has_sender_nonce);
    if (sent->has_sender_nonce)
        assert_bytes(h->recip_nonce, sent->sender_nonce);
    assert_bytes(h->recipient, sent->sender);
    assert_true(h->has_message_time);
}

/* OpenSSL 3.0 knows of no EnvelopedData in a CertifiedKeyPair. */
static bool is_beyond_openssl(struct arena *arena, const struct cmp_message *m)
{
    struct cmp_cert_rep *rep = arena_alloc(arena, sizeof(*rep));

    assert_non_null(rep);
    return (m->body == CMP_IP || m->body == CMP_CP || m->body == CMP_KUP) &&
           cmp_cert_rep_decode(m->content, arena, rep) && rep->response_count > 0 &&
           rep->response[0].private_key.data != NULL;
}

/* OpenSSL reads the same, and would write the same octets. */
static OSSL_CMP_MSG *read_by_openssl(struct bytes reply, const struct cmp_message *m)
{
    const unsigned char *at = reply.data;
    OSSL_CMP_MSG *message = d2i_OSSL_CMP_MSG(NULL, &at, (long)reply.len);
    unsigned char *der = NULL;
    int len;

    if (message == NULL)
        ERR_print_errors_fp(stderr);
    assert_non_null(message);
    assert_ptr_equal(at, reply.data + reply.len);
    assert_int_equal(OSSL_CMP_MSG_get_bodytype(message) + 1, m->body);
    len = i2d_OSSL_CMP_MSG(message, &der);
    assert_true(len > 0);
    assert_bytes(bytes_of(der, (size_t)len), reply);
    OPENSSL_free(der);
    return message;
}

/* --- bodies --- */

static size_t take_certificates(const struct bytes *der, size_t count, X509 **out)
{
    assert_true(count <= CMP_CLIENT_LIST_MAX);
    for (size_t i = 0; i < count; i++)
        out[i] = cmp_client_certificate(der[i]);
    return count;
}

static void take_status(struct cmp_said *said, const struct cmp_status_info *status)
{
    said->status = status->status;
    said->fail_info = status->fail_info;
    said->text = status->text;
}

static void read_response(struct arena *arena, struct cmp_said *said)
{
    struct cmp_cert_rep *rep = arena_alloc(arena, sizeof(*rep));

    assert_non_null(rep);
    assert_true(cmp_cert_rep_decode(said->message.content, arena, rep));
    assert_int_equal(rep->response_count, 1);
    take_status(said, &rep->response[0].status);
    said->cert_req_id = rep->response[0].cert_req_id;
    said->ca_pub_count = take_certificates(rep->ca_pub, rep->ca_pub_count, said->ca_pub);
    if (rep->response[0].certificate.data != NULL)
        said->certificate = cmp_client_certificate(rep->response[0].certificate);
    said->private_key = rep->response[0].private_key;
}

static void read_body(struct arena *arena, struct cmp_said *said)
{
    struct bytes content = said->message.content;
    struct cmp_status_info status;
    struct cmp_poll_rep poll;
    size_t count = 0;

    switch (said->body) {
    case CMP_IP:
    case CMP_CP:
    case CMP_KUP: read_response(arena, said); return;
    case CMP_RP:
        assert_true(cmp_rev_rep_decode(content, &status, 1, &count));
        take_status(said, &status);
        return;
    case CMP_ERROR:
        assert_true(cmp_error_decode(content, &status));
        take_status(said, &status);
        return;
    case CMP_PKICONF: assert_bytes(content, BYTES_LITERAL("\x05\x00")); return;
    case CMP_POLL_REP:
        assert_true(cmp_poll_rep_decode(content, &poll, 1, &count));
        said->cert_req_id = poll.cert_req_id;
        said->check_after_s = poll.check_after_s;
        return;
    case CMP_GENP:
        assert_true(cmp_general_decode(content, &said->info, 1, &count));
        assert_int_equal(count, 1);
        return;
    case CMP_NESTED:
        assert_true(cmp_elements_decode(content, said->nested, CMP_CLIENT_LIST_MAX, &said->nested_count));
        return;
    default: fail_msg("a reply with the body %s", cmp_body_name(said->body));
    }
}

static void read_infos(struct cmp_said *said)
{
    const struct cmp_header *h = &said->message.header;
    const struct cmp_info *implicit = cmp_info_find(h->info, h->info_count, CMP_IT_IMPLICIT_CONFIRM);
    const struct cmp_info *wait = cmp_info_find(h->info, h->info_count, CMP_IT_CONFIRM_WAIT_TIME);

    said->implicit_confirm = implicit != NULL;
    if (implicit != NULL)
        assert_bytes(implicit->value, BYTES_LITERAL("\x05\x00"));
    if (wait != NULL)
        said->confirm_wait_time = wait->value;
}

struct cmp_said cmp_client_read(struct arena *arena, struct bytes reply, struct bytes sent,
                                const struct cmp_trust *trust)
{
    struct cmp_said said = { 0 };
    struct cmp_message asked;
    OSSL_CMP_MSG *read = NULL;

    assert_int_not_equal(cmp_message_decode(sent, &asked), CMP_DECODED_NOTHING);
    assert_int_equal(cmp_message_decode(reply, &said.message), CMP_DECODED_ALL);
    said.body = said.message.body;
    if (!is_beyond_openssl(arena, &said.message))
        read = read_by_openssl(reply, &said.message);
    check_header(&said.message.header, &asked.header);
    said.by_mac = verify(arena, &said.message, read, trust);
    OSSL_CMP_MSG_free(read);
    read_infos(&said);
    said.extra_count = take_certificates(said.message.extra_cert, said.message.extra_cert_count, said.extra);
    read_body(arena, &said);
    return said;
}

struct cmp_plan cmp_client_next(struct cmp_plan plan, const struct cmp_said *said, enum cmp_body body)
{
    const struct cmp_header *h = &said->message.header;

    plan.body = body;
    plan.implicit_confirm = false;
    plan.info_count = 0;
    plan.content = BYTES_NONE;
    plan.nonce = BYTES_NONE;
    plan.transaction_id = h->transaction_id;
    plan.recip_nonce = h->sender_nonce;
    plan.confirm = (struct cmp_confirm_plan){ .certificate = said->certificate,
                                              .cert_req_id = said->cert_req_id,
                                              .status = CMP_ACCEPTED };
    plan.poll_id = said->cert_req_id;
    return plan;
}
