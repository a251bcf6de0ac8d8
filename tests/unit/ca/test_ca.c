#include "lib/base/encode.h"
#include "tests/unit/ca/ca_fixture.h"

static int setup(void **state)
{
    *state = fixture_new(KEY_EC_P256, KEY_EC_P256, 0);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static void assert_unfit(struct fixture *f, enum error_code code)
{
    struct error err = { 0 };

    assert_false(ca_prepare(&f->ca, f->keys, &err));
    assert_int_equal(err.code, code);
    assert_null(f->ca.anchors);
    assert_null(f->ca.arena);
}

static void a_prepared_ca_knows_its_certificate_and_issuer_id(void **state)
{
    struct fixture *f = *state;
    struct certificate_id id;
    static const uint8_t serial[] = { 1 };

    fixture_prepare(f);
    assert_true(f->ca.certificate.is_ca);
    assert_true(certificate_id_of(f->ca.certificate.subject.encoded, BYTES_ARRAY(serial), &id));
    assert_true(digest256_equal(&id.issuer, &f->ca.issuer));
    assert_int_equal(anchors_verify(f->ca.anchors, f->ca.chain[0], NULL, 0, NOW_S), CHAIN_OK);
}

static void scep_38_fingerprints_are_over_the_whole_certificate(void **state)
{
    static const struct {
        enum digest_algorithm hash;
        const char *name;
    } rows[] = { { DIGEST_SHA256, "SHA256" }, { DIGEST_SHA1, "SHA1" } };
    struct fixture *f = *state;
    const unsigned char *p = f->ca.chain[0].data;
    X509 *certificate = d2i_X509(NULL, &p, (long)f->ca.chain[0].len);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char fingerprint[CA_FINGERPRINT_LEN], expected[CA_FINGERPRINT_LEN];
        unsigned char octets[EVP_MAX_MD_SIZE];
        unsigned len;

        assert_int_equal(X509_digest(certificate, EVP_get_digestbyname(rows[i].name), octets, &len), 1);
        hex_encode(bytes_of(octets, len), expected);
        assert_true(ca_fingerprint(&f->ca, rows[i].hash, fingerprint));
        assert_string_equal(fingerprint, expected);
    }
    X509_free(certificate);
}

static void a_key_that_does_not_fit_the_certificate_is_an_error(void **state)
{
    struct fixture *f = *state;

    f->ca.key_name = "device";
    assert_unfit(f, ERROR_FORMAT);
    f->ca.key_name = "nobody";
    assert_unfit(f, ERROR_NOT_FOUND);
}

static void an_end_entity_certificate_is_no_ca(void **state)
{
    struct fixture *f = *state;
    struct ca_make make = { .validity_s = DAY_S, .now_s = NOW_S };
    struct bytes der, root = f->ca.chain[0];
    struct error err;

    fixture_prepare(f);
    make.subject = fixture_name(f, "CN=gateway.example.com");
    assert_true(ca_make_service(&f->ca, SERVICE_TLS, &make, BYTES_NONE, f->keys, "device", &f->random,
                                f->arena, &der, &err));
    ca_release(&f->ca);
    f->ca.chain[0] = der;
    f->ca.chain[1] = root;
    f->ca.chain_count = 2;
    f->ca.key_name = "device";
    assert_unfit(f, ERROR_FORMAT);
}

static void a_chain_out_of_order_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct ca_make make = { .validity_s = DAY_S, .now_s = NOW_S };
    struct bytes der;
    struct error err;

    make.subject = fixture_name(f, "CN=Another Root");
    assert_true(ca_make_root(&make, f->keys, "device", &f->random, f->arena, &der, &err));
    f->ca.chain[1] = der;
    f->ca.chain_count = 2;
    assert_unfit(f, ERROR_FORMAT);
    make.subject = fixture_name(f, "CN=Test CA,O=Example"); /* the right name alone is not enough */
    assert_true(ca_make_root(&make, f->keys, "device", &f->random, f->arena, &der, &err));
    f->ca.chain[1] = der;
    assert_unfit(f, ERROR_FORMAT);
}

static void no_chain_and_garbage_are_errors(void **state)
{
    struct fixture *f = *state;

    f->ca.chain[0] = BYTES_LITERAL("garbage");
    assert_unfit(f, ERROR_FORMAT);
    f->ca.chain_count = 0;
    assert_unfit(f, ERROR_FORMAT);
}

static void a_kind_that_is_not_built_in_is_refused(void **state)
{
    struct fixture *f = *state;

    f->ca.connector = NULL;
    assert_unfit(f, ERROR_UNSUPPORTED);
}

static void serials_are_positive_and_begin_with_the_time(void **state)
{
    struct fixture *f = *state;
    uint8_t a[CA_SERIAL_LEN], b[CA_SERIAL_LEN];

    assert_true(ca_serial_make(NOW_S, &f->random, a));
    assert_true(ca_serial_make(NOW_S + 1, &f->random, b));
    assert_true(memcmp(a, b, 4) < 0);
    assert_memory_not_equal(a + 4, b + 4, CA_SERIAL_LEN - 4);
    assert_true(ca_serial_make((int64_t)1 << 31, &f->random, a)); /* where 31 bits of seconds begin anew */
    assert_int_equal(a[0] & 0x80, 0);
    assert_int_not_equal(a[0], 0);
}

static bool no_randomness(void *self, uint8_t *out, size_t len)
{
    (void)self;
    (void)out;
    (void)len;
    return false;
}

static void without_randomness_nothing_is_issued(void **state)
{
    struct fixture *f = *state;
    const struct random_source none = { .fill = no_randomness };
    struct ca_order order = fixture_order(f);
    struct connector_call call = fixture_call(f);
    struct connector_step step = { 0 };
    struct error err = { 0 };

    fixture_prepare(f);
    call.random = &none;
    assert_false(ca_local_connector.start(&call, &order, &step, &err));
    assert_int_equal(err.code, ERROR_CRYPTO);
    assert_int_equal(step.verdict, CONNECTOR_UNSET);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(a_prepared_ca_knows_its_certificate_and_issuer_id),
        WITH(scep_38_fingerprints_are_over_the_whole_certificate),
        WITH(a_key_that_does_not_fit_the_certificate_is_an_error),
        WITH(an_end_entity_certificate_is_no_ca),
        WITH(a_chain_out_of_order_is_an_error),
        WITH(no_chain_and_garbage_are_errors),
        WITH(a_kind_that_is_not_built_in_is_refused),
        WITH(serials_are_positive_and_begin_with_the_time),
        WITH(without_randomness_nothing_is_issued),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
