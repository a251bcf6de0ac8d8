#include "tests/unit/ca/ca_fixture.h"

static const uint8_t CLIENT_AUTH[] = { 0x2b, 6, 1, 5, 5, 7, 3, 2 };
static const uint8_t EMPTY_NAME[] = { 0x30, 0x00 };

static struct fixture *prepared(enum key_kind ca, enum key_kind device, unsigned bits)
{
    struct fixture *f = fixture_new(ca, device, bits);

    fixture_prepare(f);
    return f;
}

static int setup_rsa(void **state)
{
    *state = prepared(KEY_EC_P256, KEY_RSA, 2048);
    return 0;
}

static int setup_ec(void **state)
{
    *state = prepared(KEY_RSA, KEY_EC_P256, 0);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static struct bytes issue(struct fixture *f, const struct ca_order *order)
{
    struct connector_step step = fixture_start(f, order);

    if (step.verdict != CONNECTOR_ISSUED)
        fail_msg("rejected: %s", step.why);
    return step.certificate;
}

static void assert_rejected(struct fixture *f, const struct ca_order *order)
{
    struct connector_step step = fixture_start(f, order);

    assert_int_equal(step.verdict, CONNECTOR_REJECTED);
    assert_non_null(step.why);
    assert_int_equal(step.certificate.len, 0);
}

static void openssl_verifies_what_it_issues(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    struct bytes der = issue(f, &order);

    assert_int_equal(fixture_judge(f, der, NOW_S), X509_V_OK);
    assert_int_equal(fixture_judge(f, der, NOW_S + 366 * DAY_S), X509_V_ERR_CERT_HAS_EXPIRED);
}

static void dates_come_from_the_profile(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    X509 *x = fixture_x509(issue(f, &order));

    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x), NOW_S - 300), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), NOW_S + 365 * DAY_S), 0);
    X509_free(x);
}

static void dates_that_are_asked_for_stay_within_the_profile(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    X509 *x;

    order.not_before_s = NOW_S + DAY_S;
    order.not_after_s = NOW_S + 366 * DAY_S;
    x = fixture_x509(issue(f, &order));
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x), NOW_S + DAY_S), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), NOW_S + 366 * DAY_S), 0);
    X509_free(x);
    order.not_after_s++;
    assert_rejected(f, &order);
    order.not_before_s = NOW_S - DAY_S; /* what is over does not count */
    assert_rejected(f, &order);
    order.not_after_s = NOW_S;
    assert_rejected(f, &order);
}

static void no_certificate_outlives_its_ca(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    struct bytes der;
    X509 *x;

    f->profile.validity_s = 4000000000u;
    f->profile.backdate_s = 10 * DAY_S;
    der = issue(f, &order);
    x = fixture_x509(der);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), (time_t)f->ca.certificate.not_after_s), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x), (time_t)f->ca.certificate.not_before_s), 0);
    X509_free(x);
    assert_int_equal(fixture_judge(f, der, NOW_S), X509_V_OK);
}

static void an_expired_ca_issues_nothing(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);

    order.now_s = f->ca.certificate.not_after_s;
    assert_rejected(f, &order);
    order.now_s = f->ca.certificate.not_before_s - 1;
    assert_rejected(f, &order);
}

static void key_usages_of_a_ca_are_never_given(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);

    f->profile.key_usage |= KEY_USAGE_KEY_CERT_SIGN;
    assert_rejected(f, &order);
    f->profile.key_usage = KEY_USAGE_CRL_SIGN;
    assert_rejected(f, &order);
}

static void a_certificate_of_nobody_is_rejected(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);

    order.subject = BYTES_ARRAY(EMPTY_NAME);
    assert_rejected(f, &order);
}

static void san_is_critical_with_an_empty_subject_alone(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    AUTO_STRUCT(buffer) san = BUFFER(256);
    X509 *x;
    int at;

    general_name_put(&san, GENERAL_NAME_DNS, BYTES_LITERAL("router5.example.com"), BYTES_NONE);
    order.san = buffer_bytes(&san);
    x = fixture_x509(issue(f, &order));
    at = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);
    assert_true(at >= 0);
    assert_false(X509_EXTENSION_get_critical(X509_get_ext(x, at)));
    assert_int_equal(X509_check_host(x, "router5.example.com", 0, 0, NULL), 1);
    X509_free(x);
    order.subject = BYTES_ARRAY(EMPTY_NAME);
    x = fixture_x509(issue(f, &order));
    at = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);
    assert_true(X509_EXTENSION_get_critical(X509_get_ext(x, at)));
    X509_free(x);
}

static void an_rsa_key_may_encipher(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    X509 *x = fixture_x509(issue(f, &order));

    assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    X509_free(x);
}

static void an_ec_key_does_not_get_key_encipherment(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    X509 *x = fixture_x509(issue(f, &order));

    assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
    X509_free(x);
}

static void extended_key_usages_and_pointers_stand_in_the_certificate(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    const struct bytes usage = BYTES_ARRAY(CLIENT_AUTH);
    X509 *x;

    f->profile.extended_key_usage = &usage;
    f->profile.extended_key_usage_count = 1;
    f->ca.crl_url[f->ca.crl_url_count++] = BYTES_LITERAL("http://127.0.0.1/crl/test.crl");
    f->ca.ca_issuers_url[f->ca.ca_issuers_url_count++] = BYTES_LITERAL("http://127.0.0.1/ca/test.cer");
    x = fixture_x509(issue(f, &order));
    assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_CLIENT);
    assert_true(X509_get_ext_by_NID(x, NID_crl_distribution_points, -1) >= 0);
    assert_true(X509_get_ext_by_NID(x, NID_info_access, -1) >= 0);
    X509_free(x);
}

static void key_identifiers_name_issuer_and_subject(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    X509 *x = fixture_x509(issue(f, &order)), *root = fixture_x509(f->ca.chain[0]);

    assert_non_null(X509_get0_subject_key_id(x));
    assert_non_null(X509_get0_authority_key_id(x));
    assert_int_equal(ASN1_STRING_cmp(X509_get0_authority_key_id(x), X509_get0_subject_key_id(root)), 0);
    assert_int_equal(X509_check_ca(x), 0);
    X509_free(x);
    X509_free(root);
}

static void two_orders_get_two_serials(void **state)
{
    struct fixture *f = *state;
    struct ca_order order = fixture_order(f);
    X509 *a = fixture_x509(issue(f, &order)), *b = fixture_x509(issue(f, &order));

    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a), X509_get0_serialNumber(b)), 0);
    assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(a)), CA_SERIAL_LEN);
    X509_free(a);
    X509_free(b);
}

int main(void)
{
#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(setup_rsa, openssl_verifies_what_it_issues),
        WITH(setup_ec, openssl_verifies_what_it_issues),
        WITH(setup_ec, dates_come_from_the_profile),
        WITH(setup_ec, dates_that_are_asked_for_stay_within_the_profile),
        WITH(setup_ec, no_certificate_outlives_its_ca),
        WITH(setup_ec, an_expired_ca_issues_nothing),
        WITH(setup_ec, key_usages_of_a_ca_are_never_given),
        WITH(setup_ec, a_certificate_of_nobody_is_rejected),
        WITH(setup_ec, san_is_critical_with_an_empty_subject_alone),
        WITH(setup_rsa, an_rsa_key_may_encipher),
        WITH(setup_ec, an_ec_key_does_not_get_key_encipherment),
        WITH(setup_ec, extended_key_usages_and_pointers_stand_in_the_certificate),
        WITH(setup_ec, key_identifiers_name_issuer_and_subject),
        WITH(setup_ec, two_orders_get_two_serials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
