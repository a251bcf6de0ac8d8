#include "proto/acme/identifier.h"

#include "tests/lib/test.h"

static const struct domain DOMAIN = { .name = "d" };
static const struct procedure PROCEDURE = {
    .name = "demo", .domain = &DOMAIN, .acme_wildcard = true, .acme_ip = true
};

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
        cmocka_unit_test(acme_96_addresses),
        cmocka_unit_test(what_is_stored_is_read_back),
        cmocka_unit_test(a_wildcard_is_another_than_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
