/* What is written decodes to what was ordered; libcrypto reads it and holds the proof, and we read
 * libcrypto's. */
#include <openssl/cmp.h>
#include <openssl/crmf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/pki/crmf.h"
#include "tests/unit/lib/pki/certificates.h"
#include "tests/unit/lib/pki/openssl_cmp.h"
#include "tests/unit/lib/pki/requests.h"

static const char *const key_names[] = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448" };

/* What a client orders unless a test changes it. */
static struct crmf_order order_of(const char *key)
{
    return (struct crmf_order){
        .subject = name_of("CN=router5.example.com"),
        .spki = keys_public(ring, key),
        .pop = CRMF_POP_SIGNATURE,
        .keys = ring,
        .key_name = key,
    };
}

static struct bytes written(struct crmf_order order)
{
    struct buffer out = BUFFER(128 * 1024);

    if (!crmf_put(&out, &order, arena, &err))
        fail_msg("%s", err.text);
    return kept(&out);
}

static struct crmf_request crmf;

static enum csr_fault decode(struct bytes der)
{
    struct crmf_rules rules = { .key = KEY_RULES_DEFAULT };
    const char *detail;

    rules.key.ed25519 = rules.key.ed448 = rules.key.rsa_pss = true;
    memset(&crmf, 0, sizeof(crmf));
    return crmf_decode(der, &rules, arena, &crmf, &detail);
}

/* --- the way there and back --- */

static void what_is_ordered_is_decoded(void **state)
{
    struct crmf_order order = order_of("p256");

    (void)state;
    order.cert_req_id = -1;
    order.san = join(dns("a.example.com"), dns("b.example.com"));
    order.extensions = extension("551d0f", true, hex("03020780"));
    order.old_issuer = name_of("CN=Issuing CA");
    order.old_serial = hex("00c0ffee");
    assert_int_equal(decode(written(order)), CSR_OK);
    assert_int_equal(crmf.cert_req_id, -1);
    assert_true(bytes_equal(crmf.template.subject, order.subject));
    assert_true(bytes_equal(crmf.template.spki, order.spki));
    assert_int_equal(crmf.requested.san.count, 2);
    assert_true(bytes_is(crmf.requested.san.item[1].value, "b.example.com"));
    assert_int_equal(crmf.requested.key_usage, KEY_USAGE_DIGITAL_SIGNATURE);
    assert_true(crmf.has_old_cert_id);
    assert_true(bytes_equal(crmf.old_issuer, order.old_issuer));
    assert_true(bytes_equal(crmf.old_serial, order.old_serial));
    assert_int_equal(crmf.pop, CRMF_POP_SIGNATURE);
}

static void what_is_not_ordered_is_left_out(void **state)
{
    struct crmf_order order = { .subject = name_of("CN=router5.example.com") };

    (void)state;
    assert_int_equal(decode(written(order)), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_ABSENT);
    assert_false(crmf.template.has_key || crmf.template.has_extensions || crmf.has_old_cert_id);
    order.spki = keys_public(ring, "p256");
    order.pop = CRMF_POP_RA_VERIFIED;
    assert_int_equal(decode(written(order)), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_RA_VERIFIED);
}

static void cmp_52_a_sender_stands_in_for_the_subject(void **state)
{
    struct crmf_order order = order_of("p256");

    (void)state;
    order.subject = BYTES_NONE;
    order.san = dns("a.example.com");
    order.sk_input_sender = wrap(DER_CONTEXT(4), name_of("CN=router5.example.com"));
    assert_int_equal(decode(written(order)), CSR_OK);
    assert_true(crmf.has_sk_input);
    assert_true(bytes_equal(crmf.sk_input_sender, order.sk_input_sender));
    assert_true(bytes_equal(crmf.sk_input_key, order.spki));
}

static bool is_refused(struct crmf_order order, enum error_code code)
{
    struct buffer out = BUFFER(128 * 1024);
    bool refused;

    err.code = ERROR_NONE;
    refused = !crmf_put(&out, &order, arena, &err) && err.code == code && out.len == 0;
    buffer_free(&out);
    return refused;
}

static void what_cannot_be_written_is_an_error(void **state)
{
    struct crmf_order no_key = order_of("p256"), odd = order_of("p256"), other = order_of("p256"),
                      huge = order_of("p256");
    struct crmf_order good = order_of("p256");
    struct buffer small = BUFFER(100);

    (void)state;
    no_key.key_name = "nobody";
    assert_true(is_refused(no_key, ERROR_NOT_FOUND));
    odd.spki = hex("0500");
    assert_true(is_refused(odd, ERROR_FORMAT));
    odd.spki = join(keys_public(ring, "p256"), hex("00"));
    assert_true(is_refused(odd, ERROR_FORMAT));
    other.pop = CRMF_POP_OTHER;
    assert_true(is_refused(other, ERROR_UNSUPPORTED));
    huge.extensions = extension("2a03", false, text_of(CRMF_LEN_MAX));
    assert_true(is_refused(huge, ERROR_MEMORY));
    assert_false(crmf_put(&small, &good, arena, &err));
    assert_int_equal(err.code, ERROR_MEMORY);
    buffer_free(&small);
}

/* --- libcrypto reads ours --- */

static bool libcrypto_verifies(struct bytes message)
{
    struct bytes list = wrap(DER_SEQUENCE, message);
    const unsigned char *at = list.data;
    OSSL_CRMF_MSGS *msgs = d2i_OSSL_CRMF_MSGS(NULL, &at, (long)list.len);
    bool good;

    assert_non_null(msgs);
    assert_ptr_equal(at, list.data + list.len);
    good = OSSL_CRMF_MSGS_verify_popo(msgs, 0, 0, NULL, NULL) == 1;
    OSSL_CRMF_MSGS_free(msgs);
    ERR_clear_error();
    return good;
}

static void libcrypto_verifies_what_we_prove(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(key_names); i++) {
        struct crmf_order order = order_of(key_names[i]);

        order.san = dns("a.example.com");
        order.old_issuer = name_of("CN=Issuing CA");
        order.old_serial = hex("2a");
        assert_true(libcrypto_verifies(written(order)));
        order.spki = keys_public(ring, strcmp(key_names[i], "p256") == 0 ? "other" : "p256");
        assert_false(libcrypto_verifies(written(order)));
        assert_int_equal(decode(written(order)), CSR_FAULT_POP);
    }
}

static void libcrypto_reads_what_we_write(void **state)
{
    struct crmf_order order = order_of("p256");
    const unsigned char *at;
    struct bytes der;
    OSSL_CRMF_MSG *msg;
    OSSL_CRMF_CERTID *id;
    unsigned char *again = NULL;
    int len;

    (void)state;
    order.cert_req_id = 7;
    order.san = dns("a.example.com");
    order.old_issuer = name_of("CN=Issuing CA");
    order.old_serial = hex("2a");
    der = written(order);
    at = der.data;
    msg = d2i_OSSL_CRMF_MSG(NULL, &at, (long)der.len);
    assert_non_null(msg);
    assert_int_equal(OSSL_CRMF_MSG_get_certReqId(msg), 7);
    id = OSSL_CRMF_MSG_get0_regCtrl_oldCertID(msg);
    assert_non_null(id);
    assert_int_equal(ASN1_INTEGER_get(OSSL_CRMF_CERTID_get0_serialNumber(id)), 42);
    assert_int_equal(
        X509v3_get_ext_count(OSSL_CRMF_CERTTEMPLATE_get0_extensions(OSSL_CRMF_MSG_get0_tmpl(msg))), 1);
    len = i2d_OSSL_CRMF_MSG(msg, &again);
    assert_true(bytes_equal(bytes_of(again, (size_t)len), der)); /* octet for octet */
    OPENSSL_free(again);
    OSSL_CRMF_MSG_free(msg);
}

/* --- we read libcrypto's --- */

static struct bytes encoded(OSSL_CRMF_MSG *msg)
{
    unsigned char *der = NULL;
    int len = i2d_OSSL_CRMF_MSG(msg, &der);
    struct bytes copy;

    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return copy;
}

static EVP_PKEY *a_key(const char *kind)
{
    EVP_PKEY *key = strcmp(kind, "RSA") == 0  ? EVP_PKEY_Q_keygen(NULL, NULL, kind, (size_t)2048)
                    : strcmp(kind, "EC") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, kind, "P-256")
                                              : EVP_PKEY_Q_keygen(NULL, NULL, kind);

    assert_non_null(key);
    return key;
}

/* The request of libcrypto's CMP client (`openssl cmp`), with its proof. */
static OSSL_CRMF_MSG *made_elsewhere(const char *kind, int pop)
{
    OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
    X509_NAME *name = X509_NAME_new();
    GENERAL_NAME *alternative = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, "a.example.com", 0);
    EVP_PKEY *key = a_key(kind);
    OSSL_CRMF_MSG *msg;

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"a.example.com", -1, -1, 0);
    assert_int_equal(OSSL_CMP_CTX_set1_subjectName(ctx, name), 1);
    assert_int_equal(OSSL_CMP_CTX_push1_subjectAltName(ctx, alternative), 1);
    assert_int_equal(OSSL_CMP_CTX_set0_newPkey(ctx, 1, key), 1);
    msg = OSSL_CMP_CTX_setup_CRM(ctx, 0, 0);
    assert_non_null(msg);
    assert_int_equal(OSSL_CRMF_MSG_create_popo(pop, msg, key,
                                               strncmp(kind, "ED", 2) == 0 ? NULL : EVP_sha256(), NULL, NULL),
                     1);
    GENERAL_NAME_free(alternative);
    X509_NAME_free(name);
    OSSL_CMP_CTX_free(ctx);
    return msg;
}

static void what_libcrypto_proves_is_verified(void **state)
{
    static const char *const kinds[] = { "RSA", "EC", "ED25519", "ED448" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        OSSL_CRMF_MSG *msg = made_elsewhere(kinds[i], OSSL_CRMF_POPO_SIGNATURE);

        assert_int_equal(decode(encoded(msg)), CSR_OK);
        assert_int_equal(crmf.pop, CRMF_POP_SIGNATURE);
        assert_true(bytes_is(name_find(&crmf.requested.subject, OID_COMMON_NAME, NULL), "a.example.com"));
        assert_int_equal(crmf.requested.san.count, 1);
        assert_true(bytes_is(crmf.requested.san.item[0].value, "a.example.com"));
        assert_int_equal(OSSL_CRMF_MSG_set_certReqId(msg, 1), 1); /* after it was signed */
        assert_int_equal(decode(encoded(msg)), CSR_FAULT_POP);
        OSSL_CRMF_MSG_free(msg);
    }
}

static void the_request_of_openssls_client_is_verified(void **state)
{
    struct der in = der_of(hex(openssl_ir)), message = der_enter(&in, DER_SEQUENCE), body, list;

    (void)state;
    (void)der_element(&message, DER_SEQUENCE);
    body = der_enter(&message, DER_CONTEXT(0));
    list = der_enter(&body, DER_SEQUENCE);
    assert_int_equal(decode(list.rest), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_SIGNATURE);
    assert_int_equal(crmf.requested.key.kind, KEY_EC_P256);
    assert_int_equal(crmf.requested.san.count, 2);
    assert_true(bytes_is(name_find(&crmf.requested.subject, OID_COMMON_NAME, NULL), "a.example.com"));
}

static void other_proofs_of_libcrypto_are_known(void **state)
{
    OSSL_CRMF_MSG *verified = made_elsewhere("EC", OSSL_CRMF_POPO_RAVERIFIED),
                  *encrypted = made_elsewhere("RSA", OSSL_CRMF_POPO_KEYENC),
                  *none = made_elsewhere("EC", OSSL_CRMF_POPO_NONE);

    (void)state;
    assert_int_equal(decode(encoded(verified)), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_RA_VERIFIED);
    assert_int_equal(decode(encoded(encrypted)), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_OTHER);
    assert_int_equal(decode(encoded(none)), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_ABSENT);
    OSSL_CRMF_MSG_free(verified);
    OSSL_CRMF_MSG_free(encrypted);
    OSSL_CRMF_MSG_free(none);
}

static void controls_and_wishes_of_libcrypto_are_read(void **state)
{
    OSSL_CRMF_MSG *msg = made_elsewhere("EC", OSSL_CRMF_POPO_RAVERIFIED);
    ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    X509_NAME *issuer = X509_NAME_new();
    OSSL_CRMF_CERTID *id;

    (void)state;
    assert_int_equal(ASN1_STRING_set(text, "token", -1), 1);
    assert_int_equal(ASN1_INTEGER_set(serial, 200), 1);
    X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_UTF8, (const unsigned char *)"Issuing CA", -1, -1, 0);
    id = OSSL_CRMF_CERTID_gen(issuer, serial);
    assert_int_equal(OSSL_CRMF_MSG_set1_regCtrl_regToken(msg, text), 1);
    assert_int_equal(OSSL_CRMF_MSG_set1_regCtrl_oldCertID(msg, id), 1);
    assert_int_equal(OSSL_CRMF_MSG_set1_regInfo_utf8Pairs(msg, text), 1);
    assert_int_equal(
        OSSL_CRMF_MSG_set0_validity(msg, ASN1_TIME_set(NULL, NOW_S), ASN1_TIME_set(NULL, NOW_S + 1)), 1);
    assert_int_equal(decode(encoded(msg)), CSR_OK);
    assert_true(crmf.has_old_cert_id);
    assert_true(bytes_equal(crmf.old_issuer, name_of("CN=Issuing CA")));
    assert_true(bytes_equal(crmf.old_serial, hex("00c8")));
    assert_true(crmf.template.has_validity);
    assert_int_equal(crmf.requested.challenge_password.len, 0);
    assert_int_equal(OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_MSG_get0_tmpl(msg), NULL, NULL, issuer, serial),
                     1);
    assert_int_equal(decode(encoded(msg)), CSR_FAULT_PROFILE); /* CMP-48 */
    assert_true(bytes_equal(crmf.template.serial, hex("00c8")));
    assert_true(bytes_equal(crmf.template.issuer, name_of("CN=Issuing CA")));
    OSSL_CRMF_CERTID_free(id);
    X509_NAME_free(issuer);
    ASN1_INTEGER_free(serial);
    ASN1_UTF8STRING_free(text);
    OSSL_CRMF_MSG_free(msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_ordered_is_decoded),
        TEST(what_is_not_ordered_is_left_out),
        TEST(cmp_52_a_sender_stands_in_for_the_subject),
        TEST(what_cannot_be_written_is_an_error),
        TEST(libcrypto_verifies_what_we_prove),
        TEST(libcrypto_reads_what_we_write),
        TEST(what_libcrypto_proves_is_verified),
        TEST(the_request_of_openssls_client_is_verified),
        TEST(other_proofs_of_libcrypto_are_known),
        TEST(controls_and_wishes_of_libcrypto_are_read),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
