#include "proto/acme/identifier.h"

#include "tests/lib/test.h"

static const struct domain DOMAIN = { .name = "d" };
static const struct procedure PROCEDURE = { .name = "demo",
                                            .domain = &DOMAIN,
                                            .acme_wildcard = true,
                                            .acme_ip = true,
                                            .acme_challenges = ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01) };

static enum acme_identifier_fault read_it(const char *type, const char *value, struct acme_identifier *out)
{
    AUTO(json_t) *object = json_object();

    assert_true(json_put(object, "type", json_string(type)) && json_put(object, "value", json_string(value)));
    return acme_identifier_read(object, &PROCEDURE, out);
}

static void acme_54_names(void **state)
{
    struct acme_identifier id;
    char text[ACME_IDENTIFIER_TEXT_MAX];

    (void)state;
    assert_int_equal(read_it("dns", "A.Example.COM", &id), ACME_IDENTIFIER_OK);
    acme_identifier_format(&id, text);
    assert_string_equal(text, "a.example.com");
    assert_int_equal(read_it("dns", "*.example.com", &id), ACME_IDENTIFIER_OK);
    assert_true(id.wildcard);
    assert_text(dns_name_bytes(&id.name), "example.com");
    acme_identifier_format(&id, text);
    assert_string_equal(text, "*.example.com");
    assert_int_equal(read_it("dns", "", &id), ACME_IDENTIFIER_MALFORMED);
    assert_int_equal(read_it("dns", "*", &id), ACME_IDENTIFIER_MALFORMED);
    assert_int_equal(read_it("dns", "router5", &id), ACME_IDENTIFIER_MALFORMED);
    assert_int_equal(read_it("email", "a@b", &id), ACME_IDENTIFIER_UNSUPPORTED);
}

static void acme_103_devices(void **state)
{
    AUTO_STRUCT(buffer) stored = BUFFER(ACME_IDENTIFIER_TEXT_MAX + 2);
    struct acme_identifier id, again;
    char text[ACME_IDENTIFIER_TEXT_MAX], long_one[DEVICE_ID_MAX + 2];

    (void)state;
    assert_int_equal(read_it("permanent-identifier", "C02 xk\xc3\xa9", &id), ACME_IDENTIFIER_OK);
    acme_identifier_format(&id, text);
    assert_string_equal(text, "C02 xk\xc3\xa9");
    acme_identifier_put(&stored, &id);
    assert_true(acme_identifier_take(buffer_bytes(&stored), &again));
    assert_true(acme_identifier_equal(&id, &again));
    assert_int_equal(read_it("permanent-identifier", "c02 xk\xc3\xa9", &again), ACME_IDENTIFIER_OK);
    assert_false(acme_identifier_equal(&id, &again));
    memset(long_one, 'a', sizeof(long_one));
    long_one[DEVICE_ID_MAX + 1] = '\0';
    assert_int_equal(read_it("permanent-identifier", long_one, &id), ACME_IDENTIFIER_MALFORMED);
    long_one[DEVICE_ID_MAX] = '\0';
    assert_int_equal(read_it("permanent-identifier", long_one, &id), ACME_IDENTIFIER_OK);
    assert_int_equal(read_it("hardware-module", "a", &id), ACME_IDENTIFIER_UNSUPPORTED);
    /* a value and nothing else */
    assert_true(acme_identifier_of_permanent(BYTES_LITERAL("\x30\x03\x0c\x01\x61"), &id));
    assert_false(acme_identifier_of_permanent(BYTES_LITERAL("\x30\x07\x0c\x01\x61\x06\x02\x2a\x03"), &id));
    assert_false(acme_identifier_of_permanent(BYTES_LITERAL("\x30\x00"), &id));
}

static void acme_96_addresses(void **state)
{
    struct acme_identifier id;

    (void)state;
    assert_int_equal(read_it("ip", "192.0.2.1", &id), ACME_IDENTIFIER_OK);
    assert_int_equal(read_it("ip", "2001:db8::1", &id), ACME_IDENTIFIER_OK);
    assert_int_equal(id.ip.len, 16);
    assert_int_equal(read_it("ip", "2001:db8:0::1", &id), ACME_IDENTIFIER_MALFORMED);
    assert_int_equal(read_it("ip", "[2001:db8::1]", &id), ACME_IDENTIFIER_MALFORMED);
    assert_int_equal(read_it("ip", "example.com", &id), ACME_IDENTIFIER_MALFORMED);
}

static void what_is_stored_is_read_back(void **state)
{
    static const char *const rows[][2] = {
        { "dns", "a.example.com" }, { "dns", "*.example.com" }, { "ip", "192.0.2.1" }, { "ip", "2001:db8::1" }
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_STRUCT(buffer) stored = BUFFER(512);
        struct acme_identifier id, again;

        assert_int_equal(read_it(rows[i][0], rows[i][1], &id), ACME_IDENTIFIER_OK);
        acme_identifier_put(&stored, &id);
        assert_true(acme_identifier_take(buffer_bytes(&stored), &again));
        assert_true(acme_identifier_equal(&id, &again));
        assert_false(acme_identifier_take(bytes_slice(buffer_bytes(&stored), 0, 2), &again));
    }
}

static void a_wildcard_is_another_than_its_name(void **state)
{
    struct acme_identifier a, b;

    (void)state;
    assert_int_equal(read_it("dns", "example.com", &a), ACME_IDENTIFIER_OK);
    assert_int_equal(read_it("dns", "*.example.com", &b), ACME_IDENTIFIER_OK);
    assert_false(acme_identifier_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acme_54_names),
        cmocka_unit_test(acme_103_devices),
        cmocka_unit_test(acme_96_addresses),
        cmocka_unit_test(what_is_stored_is_read_back),
        cmocka_unit_test(a_wildcard_is_another_than_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
