#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/unit/lib/pki/certificates.h"

static X509 *elsewhere(struct bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);

    assert_non_null(x);
    assert_ptr_equal(at, der.data + der.len);
    return x;
}

static void what_is_built_is_read_again(void **state)
{
    struct certificate_template t = plain("CN=router5.example.com,O=Example", "p256");
    struct bytes usage[] = { BYTES_LITERAL("\x2b\x06\x01\x05\x05\x07\x03\x02") };
    struct certificate c;

    (void)state;
    t.issuer = name_of("CN=CA");
    t.san = hex("8201 61 8704c0000201");
    t.key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
    t.extended_key_usage = usage;
    t.extended_key_usage_count = 1;
    t.authority_key_id = hex("aabb");
    c = decoded(signed_by("rsa", t));
    assert_true(bytes_equal(c.serial, hex("0102030405")));
    assert_true(bytes_equal(c.issuer.encoded, t.issuer));
    assert_true(bytes_equal(c.subject.encoded, t.subject));
    assert_int_equal(c.not_before_s, t.not_before_s);
    assert_int_equal(c.not_after_s, t.not_after_s);
    assert_true(bytes_equal(c.key.spki, t.spki));
    assert_int_equal(c.key.kind, KEY_EC_P256);
    assert_int_equal(c.san.count, 2);
    assert_true(c.has_key_usage && c.key_usage == KEY_USAGE_DIGITAL_SIGNATURE);
    assert_int_equal(c.extended_key_usage_count, 1);
    assert_true(bytes_equal(c.authority_key_id, hex("aabb")));
    assert_int_equal(c.subject_key_id.len, 20);
    assert_false(c.is_ca);
}

static void libcrypto_reads_what_is_built(void **state)
{
    static const char *const signers[] = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448" };
    struct bytes url = BYTES_LITERAL("http://pki.example.com/x");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(signers); i++) {
        struct certificate_template t = plain("CN=CA", signers[i]);
        CRL_DIST_POINTS *points;
        AUTHORITY_INFO_ACCESS *access;
        X509 *x;

        t.is_ca = true;
        t.path_len = 0;
        t.key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN;
        t.san = hex("820161");
        t.san_critical = true;
        t.crl_url = t.ca_issuers_url = t.ocsp_url = &url;
        t.crl_url_count = t.ca_issuers_url_count = t.ocsp_url_count = 1;
        x = elsewhere(signed_by(signers[i], t));
        assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
        assert_int_equal(X509_check_ca(x), 1);
        assert_int_equal(X509_get_pathlen(x), 0);
        assert_int_equal(X509_get_key_usage(x), X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN);
        points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
        access = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
        assert_int_equal(sk_DIST_POINT_num(points), 1);
        assert_int_equal(sk_ACCESS_DESCRIPTION_num(access), 2);
        assert_int_equal(X509_get_extension_flags(x) & EXFLAG_INVALID, 0);
        CRL_DIST_POINTS_free(points);
        AUTHORITY_INFO_ACCESS_free(access);
        X509_free(x);
    }
}

static void a_certificate_of_libcrypto_is_read(void **state)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    unsigned char *der = NULL;
    struct certificate c;
    int len;

    (void)state;
    assert_int_equal(X509_set_version(x, X509_VERSION_1), 1);
    /* 33 octets: the serial number that some SCEP clients make from a hash */
    assert_int_equal(ASN1_STRING_set(X509_get_serialNumber(x),
                                     "\xf0"
                                     "0123456789012345678901234567890",
                                     32),
                     1);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"client", -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(x, name), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
    assert_int_equal(X509_set_pubkey(x, pkey), 1);
    assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
    len = i2d_X509(x, &der);
    assert_true(certificate_decode(bytes_of(der, (size_t)len), arena, &c));
    assert_int_equal(c.serial.len, 33);
    assert_false(c.is_ca || c.has_key_usage);
    assert_int_equal(c.not_after_s - c.not_before_s, 3600);
    OPENSSL_free(der);
    X509_free(x);
    EVP_PKEY_free(pkey);
}

static void the_issuers_key_verifies_and_no_other(void **state)
{
    struct certificate root = decoded(root_of("CN=CA", "rsa")), other = decoded(root_of("CN=CA", "rsa2"));
    struct certificate_template t = plain("CN=a", "p256");
    struct certificate leaf = decoded(signed_by("rsa", t));

    (void)state;
    assert_int_equal(certificate_verify_signature(&leaf, &root.key), SIGNATURE_OK);
    assert_int_equal(certificate_verify_signature(&leaf, &other.key), SIGNATURE_WRONG);
    assert_int_equal(certificate_verify_signature(&leaf, &leaf.key), SIGNATURE_WRONG);
}

/* One octet more or less, or another key, and nothing is remembered. */
static void what_is_remembered_held_for_these_octets_and_this_key(void **state)
{
    struct certificate root = decoded(root_of("CN=CA", "rsa")), other = decoded(root_of("CN=CA", "rsa2"));
    struct certificate_template t = plain("CN=a", "p256");
    struct certificate leaf = decoded(signed_by("rsa", t)), forged;
    struct bytes copy = arena_copy(arena, leaf.encoded);

    (void)state;
    assert_int_equal(certificate_verify_remembered(&leaf, &other.key), SIGNATURE_WRONG);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(certificate_verify_remembered(&leaf, &root.key), SIGNATURE_OK);
        assert_int_equal(certificate_verify_remembered(&leaf, &other.key), SIGNATURE_WRONG);
    }
    ((uint8_t *)(uintptr_t)copy.data)[copy.len - 1] ^= 1;
    assert_true(certificate_decode(copy, arena, &forged));
    for (int i = 0; i < 2; i++)
        assert_int_equal(certificate_verify_remembered(&forged, &root.key), SIGNATURE_WRONG);
}

static void a_serial_number_that_is_odd_is_not_signed(void **state)
{
    struct certificate_template t = plain("CN=a", "p256");
    struct bytes der = BYTES_NONE;

    (void)state;
    t.serial = BYTES_NONE;
    assert_false(certificate_sign(&t, ring, "p256", DIGEST_NONE, arena, &der, &err));
    t.serial = hex("010203040506070809101112131415161718192021");
    assert_false(certificate_sign(&t, ring, "p256", DIGEST_NONE, arena, &der, &err));
    t = plain("CN=a", "p256");
    assert_false(certificate_sign(&t, ring, "absent", DIGEST_NONE, arena, &der, &err));
    assert_null(der.data);
}

static void malformed_certificates_are_refused(void **state)
{
    struct bytes der = root_of("CN=A", "p256");
    struct certificate c;

    (void)state;
    for (size_t i = 0; i < der.len; i++)
        assert_false(certificate_decode(bytes_slice(der, 0, i), arena, &c));
    assert_false(certificate_decode(join(der, hex("00")), arena, &c));
}

static X509_CRL *list_elsewhere(struct buffer *out)
{
    const unsigned char *at = out->data;
    X509_CRL *list = d2i_X509_CRL(NULL, &at, (long)out->len);

    assert_non_null(list);
    assert_ptr_equal(at, out->data + out->len);
    return list;
}

static void a_list_is_read_by_libcrypto(void **state)
{
    struct revoked_entry entry[] = { { hex("0102"), NOW_S - 10, 1 }, { hex("f0"), NOW_S - 20, 0 } };
    struct crl_template t = { .issuer = name_of("CN=CA"),
                              .authority_key_id = hex("aabb"),
                              .number = 300,
                              .this_update_s = NOW_S,
                              .next_update_s = NOW_S + 3600,
                              .entry = entry,
                              .entry_count = COUNT_OF(entry) };
    struct buffer out = BUFFER(64 * 1024);
    X509 *root = elsewhere(root_of("CN=CA", "rsa"));
    X509_REVOKED *found = NULL;
    ASN1_INTEGER *serial = ASN1_INTEGER_new(), *number;
    ASN1_ENUMERATED *reason;
    X509_CRL *list;

    (void)state;
    assert_true(crl_sign(&t, ring, "rsa", &out, arena, &err));
    list = list_elsewhere(&out);
    assert_int_equal(X509_CRL_verify(list, X509_get0_pubkey(root)), 1);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)), 2);
    assert_int_equal(ASN1_INTEGER_set(serial, 0x0102), 1);
    assert_int_equal(X509_CRL_get0_by_serial(list, &found, serial), 1);
    reason = X509_REVOKED_get_ext_d2i(found, NID_crl_reason, NULL, NULL);
    assert_int_equal(ASN1_ENUMERATED_get(reason), 1);
    number = X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
    assert_int_equal(ASN1_INTEGER_get(number), 300);
    ASN1_ENUMERATED_free(reason);
    ASN1_INTEGER_free(number);
    ASN1_INTEGER_free(serial);
    X509_CRL_free(list);
    X509_free(root);
    buffer_free(&out);
}

static void an_empty_list_has_no_entries_at_all(void **state)
{
    struct crl_template t = {
        .issuer = name_of("CN=CA"), .number = 0, .this_update_s = NOW_S, .next_update_s = NOW_S + 1
    };
    struct buffer out = BUFFER(64 * 1024), small = BUFFER(64);
    X509_CRL *list;

    (void)state;
    assert_true(crl_sign(&t, ring, "p256", &out, arena, &err));
    list = list_elsewhere(&out);
    assert_null(X509_CRL_get_REVOKED(list));
    X509_CRL_free(list);
    assert_false(crl_sign(&t, ring, "p256", &small, arena, &err));
    buffer_free(&out);
    buffer_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_built_is_read_again),
        TEST(libcrypto_reads_what_is_built),
        TEST(a_certificate_of_libcrypto_is_read),
        TEST(the_issuers_key_verifies_and_no_other),
        TEST(what_is_remembered_held_for_these_octets_and_this_key),
        TEST(a_serial_number_that_is_odd_is_not_signed),
        TEST(malformed_certificates_are_refused),
        TEST(a_list_is_read_by_libcrypto),
        TEST(an_empty_list_has_no_entries_at_all),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
