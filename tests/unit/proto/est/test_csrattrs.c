#include "proto/est/csrattrs.h"

#include "lib/base/encode.h"
#include "tests/lib/test.h"

static const uint8_t RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t SHA256_RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b };
static const uint8_t EC[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t P384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t MAC_ADDRESS[] = { 0x2b, 0x06, 0x01, 0x01, 0x01, 0x01, 0x16 };
static const uint8_t ECDSA_SHA384[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };

static void assert_encodes(const struct est_csrattrs *a, const char *base64)
{
    AUTO_STRUCT(buffer) der = BUFFER(1024);
    AUTO_STRUCT(buffer) text = BUFFER(1024);

    est_csrattrs_encode(a, &der);
    base64_encode(&text, buffer_bytes(&der), 0);
    assert_false(buffer_failed(&der));
    assert_text(buffer_bytes(&text), base64);
}

static void est_85_the_rsa_vector_is_met(void **state)
{
    (void)state;
    assert_encodes(&(struct est_csrattrs){ .challenge_password = true,
                                           .key = BYTES_ARRAY(RSA),
                                           .rsa_bits = 4096,
                                           .signature = BYTES_ARRAY(SHA256_RSA) },
                   "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==");
}

static void est_86_the_mac_address_vector_is_met(void **state)
{
    (void)state;
    assert_encodes(&(struct est_csrattrs){ .challenge_password = true,
                                           .key = BYTES_ARRAY(EC),
                                           .curve = BYTES_ARRAY(P384),
                                           .bare = BYTES_ARRAY(MAC_ADDRESS),
                                           .signature = BYTES_ARRAY(ECDSA_SHA384) },
                   "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==");
}

static struct est_csrattrs demands(struct key_rules keys, bool link_required)
{
    const struct profile profile = { .name = "p", .keys = keys };
    const struct procedure procedure = { .name = "p",
                                         .profile = &profile,
                                         .est_link_required = link_required };

    return est_csrattrs_of(&procedure);
}

static void est_82_challenge_password_is_listed_when_linking_is_required(void **state)
{
    struct est_csrattrs a = demands(KEY_RULES_DEFAULT, true);

    (void)state;
    assert_false(est_csrattrs_is_empty(&a));
    assert_encodes(&a, "MAsGCSqGSIb3DQEJBw==");
}

static void nothing_is_demanded_where_several_kinds_of_key_will_do(void **state)
{
    struct est_csrattrs a = demands(KEY_RULES_DEFAULT, false);

    (void)state;
    assert_true(est_csrattrs_is_empty(&a));
}

static void est_83_one_kind_of_key_is_stated(void **state)
{
    struct est_csrattrs rsa = demands((struct key_rules){ .rsa_bits_min = 4096, .rsa_bits_max = 8192 }, true);
    struct est_csrattrs p384 = demands((struct key_rules){ .p384 = true }, false);
    struct est_csrattrs ec = demands((struct key_rules){ .p256 = true, .p384 = true }, false);
    struct est_csrattrs ed = demands((struct key_rules){ .ed25519 = true }, false);

    (void)state;
    assert_encodes(&rsa, "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==");
    assert_bytes(p384.curve, BYTES_ARRAY(P384));
    assert_bytes(p384.signature, BYTES_ARRAY(ECDSA_SHA384));
    assert_bytes(ec.key, BYTES_ARRAY(EC));
    assert_int_equal(ec.curve.len, 0);
    assert_int_equal(ec.signature.len, 0);
    assert_encodes(&ec, "MA0wCwYHKoZIzj0CATEA");
    assert_encodes(&ed, "MAkwBwYDK2VwMQA=");
}

/* Hexadecimal of a CsrAttrs. */
static const char *fault_of(const char *hex)
{
    static uint8_t der[256];

    assert_true(strlen(hex) <= 2 * sizeof(der));
    assert_true(hex_decode(bytes_text(hex), der));
    return est_csrattrs_fault(bytes_of(der, strlen(hex) / 2));
}

static const uint8_t EXTENSION_REQUEST[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e };
static const uint8_t KEY_USAGE[] = { 0x55, 0x1d, 0x0f }, BASIC_CONSTRAINTS[] = { 0x55, 0x1d, 0x13 };

/* How extensions are demanded: in how many attributes, with how many values each, and which. */
struct demand {
    unsigned attributes, values;
    struct bytes extension[2]; /* OIDs; none: one less */
};

static void put_extensions(struct buffer *out, const struct demand *d)
{
    size_t list = der_begin(out, DER_SEQUENCE), one;

    for (size_t i = 0; i < COUNT_OF(d->extension) && d->extension[i].len > 0; i++) {
        one = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, d->extension[i]);
        if (i > 0)
            der_put_boolean(out, true); /* critical */
        der_put(out, DER_OCTET_STRING, BYTES_LITERAL("\x30\x00"));
        der_end(out, one);
    }
    der_end(out, list);
}

static const char *demand_fault(const struct demand *d)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024);
    size_t list = der_begin(&out, DER_SEQUENCE), attribute, values;

    der_put_oid(&out, BYTES_ARRAY(MAC_ADDRESS));
    for (unsigned i = 0; i < d->attributes; i++) {
        attribute = der_begin(&out, DER_SEQUENCE);
        der_put_oid(&out, BYTES_ARRAY(EXTENSION_REQUEST));
        values = der_begin(&out, DER_SET);
        for (unsigned v = 0; v < d->values; v++)
            put_extensions(&out, d);
        der_end(&out, values);
        der_end(&out, attribute);
    }
    der_end(&out, list);
    assert_false(buffer_failed(&out));
    return est_csrattrs_fault(buffer_bytes(&out));
}

static void est_84_extensions_are_demanded_once_and_in_one_value(void **state)
{
    const struct bytes usage = BYTES_ARRAY(KEY_USAGE), constraints = BYTES_ARRAY(BASIC_CONSTRAINTS);

    (void)state;
    assert_null(demand_fault(&(struct demand){ 1, 1, { usage } }));
    assert_null(demand_fault(&(struct demand){ 1, 1, { usage, constraints } }));
    assert_string_equal(demand_fault(&(struct demand){ 2, 1, { usage } }), "one extension request");
    assert_string_equal(demand_fault(&(struct demand){ 1, 2, { usage } }),
                        "one value in the extension request");
    assert_string_equal(demand_fault(&(struct demand){ 1, 1, { usage, usage } }), "no extension twice");
    assert_non_null(demand_fault(&(struct demand){ 1, 0, { usage } }));
    assert_non_null(demand_fault(&(struct demand){ 1, 1, { BYTES_NONE } }));
}

static void what_is_no_list_of_oids_and_attributes_is_malformed(void **state)
{
    static const char *const malformed[] = { "",         "3000ff",     "3100",
                                             "30020500", "3003020105", "300d300b06092a864886f70d010907",
                                             "300206" };

    (void)state;
    assert_null(fault_of("3000"));
    assert_null(fault_of("300b06092a864886f70d010907"));
    for (size_t i = 0; i < COUNT_OF(malformed); i++)
        assert_non_null(fault_of(malformed[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(est_85_the_rsa_vector_is_met),
        cmocka_unit_test(est_86_the_mac_address_vector_is_met),
        cmocka_unit_test(est_82_challenge_password_is_listed_when_linking_is_required),
        cmocka_unit_test(nothing_is_demanded_where_several_kinds_of_key_will_do),
        cmocka_unit_test(est_84_extensions_are_demanded_once_and_in_one_value),
        cmocka_unit_test(what_is_no_list_of_oids_and_attributes_is_malformed),
        cmocka_unit_test(est_83_one_kind_of_key_is_stated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
