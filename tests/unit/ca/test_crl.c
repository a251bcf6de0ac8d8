#include "tests/unit/ca/ca_fixture.h"

static int setup(void **state)
{
    struct fixture *f = fixture_new(KEY_EC_P256, KEY_EC_P256, 0);

    fixture_prepare(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static X509_CRL *list(struct fixture *f, const struct revoked_entry *entry, size_t count)
{
    AUTO_STRUCT(buffer) out = BUFFER(1 << 20);
    struct error err = { 0 };
    const unsigned char *p;
    X509_CRL *crl;

    if (!ca_crl(&f->ca, f->keys, 42, entry, count, NOW_S, &out, f->arena, &err))
        fail_msg("%s", err.text);
    p = out.data;
    crl = d2i_X509_CRL(NULL, &p, (long)out.len);
    assert_non_null(crl);
    assert_true(p == out.data + out.len);
    return crl;
}

static void openssl_verifies_the_list(void **state)
{
    struct fixture *f = *state;
    static const uint8_t serial[] = { 0x80, 1, 2, 3 };
    const struct revoked_entry entry = { BYTES_ARRAY(serial), NOW_S - 60, REVOCATION_KEY_COMPROMISE };
    X509_CRL *crl = list(f, &entry, 1);
    X509 *root = fixture_x509(f->ca.chain[0]);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    BIGNUM *wanted = BN_bin2bn(serial, sizeof(serial), NULL);
    ASN1_INTEGER *revoked = BN_to_ASN1_INTEGER(wanted, NULL);
    X509_REVOKED *found = NULL;

    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(root)), 1);
    assert_int_equal(ASN1_INTEGER_get(number), 42);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &found, revoked), 1);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(found), NOW_S - 60), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(crl), NOW_S + 7 * DAY_S), 0);
    BN_free(wanted);
    ASN1_INTEGER_free(number);
    ASN1_INTEGER_free(revoked);
    X509_free(root);
    X509_CRL_free(crl);
}

static void an_empty_list_is_a_list(void **state)
{
    struct fixture *f = *state;
    X509_CRL *crl = list(f, NULL, 0);
    X509 *root = fixture_x509(f->ca.chain[0]);

    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(root)), 1);
    assert_null(X509_CRL_get_REVOKED(crl)); /* RFC 5280 5.1.2.6: absent, not empty */
    X509_free(root);
    X509_CRL_free(crl);
}

static void a_list_without_validity_is_an_error(void **state)
{
    struct fixture *f = *state;
    AUTO_STRUCT(buffer) out = BUFFER(1 << 16);
    struct error err = { 0 };

    f->ca.crl_validity_s = 0;
    assert_false(ca_crl(&f->ca, f->keys, 1, NULL, 0, NOW_S, &out, f->arena, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_int_equal(out.len, 0);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(openssl_verifies_the_list),
        WITH(an_empty_list_is_a_list),
        WITH(a_list_without_validity_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
