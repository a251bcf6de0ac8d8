#include "tests/unit/ca/ca_fixture.h"

static int setup(void **state)
{
    struct fixture *f = fixture_new(KEY_EC_P256, KEY_RSA, 2048);
    struct error err;

    assert_true(keys_generate(f->keys, "officer", KEY_EC_P256, 0, &err));
    fixture_prepare(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static bool make(struct fixture *f, enum service_kind kind, const char *key, struct bytes san,
                 struct bytes *der, struct error *err)
{
    struct ca_make order = { .subject = fixture_name(f, "CN=gateway.example.com"),
                             .validity_s = 90 * DAY_S,
                             .now_s = NOW_S };

    return ca_make_service(&f->ca, kind, &order, san, f->keys, key, &f->random, f->arena, der, err);
}

static X509 *made(struct fixture *f, enum service_kind kind, const char *key, struct bytes san)
{
    struct bytes der;
    struct error err = { 0 };

    if (!make(f, kind, key, san, &der, &err))
        fail_msg("%s", err.text);
    assert_int_equal(fixture_judge(f, der, NOW_S), X509_V_OK);
    return fixture_x509(der);
}

static void a_root_signs_itself_and_is_a_ca(void **state)
{
    struct fixture *f = *state;
    X509 *root = fixture_x509(f->ca.chain[0]);

    assert_int_equal(X509_verify(root, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_check_ca(root), 1);
    assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(fixture_judge(f, f->ca.chain[0], NOW_S), X509_V_OK);
    X509_free(root);
}

static void a_tls_certificate_is_for_a_server_of_that_name(void **state)
{
    struct fixture *f = *state;
    AUTO_STRUCT(buffer) san = BUFFER(256);
    X509 *x;

    general_name_put(&san, GENERAL_NAME_DNS, BYTES_LITERAL("gateway.example.com"), BYTES_NONE);
    x = made(f, SERVICE_TLS, "officer", buffer_bytes(&san));
    assert_int_equal(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0), 1);
    assert_int_equal(X509_check_host(x, "gateway.example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
    X509_free(x);
}

static void scep_33_an_ra_signs_and_enciphers(void **state)
{
    struct fixture *f = *state;
    X509 *x = made(f, SERVICE_SCEP_RA, "device", BYTES_NONE);

    assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
    assert_int_equal(X509_check_ca(x), 0);
    X509_free(x);
}

static void scep_54_an_ra_needs_an_rsa_key(void **state)
{
    struct fixture *f = *state;
    struct bytes der = BYTES_NONE;
    struct error err = { 0 };

    assert_false(make(f, SERVICE_SCEP_RA, "officer", BYTES_NONE, &der, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_int_equal(der.len, 0);
}

static void assert_extended_key_usage(const X509 *x, const char *const *oid, int count)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    char text[64];

    assert_int_equal(sk_ASN1_OBJECT_num(usages), count);
    for (int i = 0; i < count; i++) {
        assert_true(OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1) > 0);
        assert_string_equal(text, oid[i]);
    }
    sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
}

static void cmp_42_an_ra_signs_as_cmc_ra_and_as_cm_kga(void **state)
{
    static const char *const oids[] = { "1.3.6.1.5.5.7.3.28", "1.3.6.1.5.5.7.3.32" };
    struct fixture *f = *state;
    X509 *x = made(f, SERVICE_CMP_RA, "officer", BYTES_NONE);

    assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
    assert_extended_key_usage(x, oids, 2);
    assert_int_equal(X509_check_ca(x), 0);
    X509_free(x);
}

static void an_officer_is_a_tls_client(void **state)
{
    struct fixture *f = *state;
    X509 *x = made(f, SERVICE_OFFICER, "officer", BYTES_NONE);

    assert_int_equal(X509_check_purpose(x, X509_PURPOSE_SSL_CLIENT, 0), 1);
    assert_int_equal(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0), 0);
    X509_free(x);
}

static void no_kind_and_no_key_are_errors(void **state)
{
    struct fixture *f = *state;
    struct bytes der;
    struct error err = { 0 };

    assert_false(make(f, SERVICE_NONE, "officer", BYTES_NONE, &der, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_false(make(f, SERVICE_TLS, "nobody", BYTES_NONE, &der, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(a_root_signs_itself_and_is_a_ca),
        WITH(a_tls_certificate_is_for_a_server_of_that_name),
        WITH(scep_33_an_ra_signs_and_enciphers),
        WITH(scep_54_an_ra_needs_an_rsa_key),
        WITH(cmp_42_an_ra_signs_as_cmc_ra_and_as_cm_kga),
        WITH(an_officer_is_a_tls_client),
        WITH(no_kind_and_no_key_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
