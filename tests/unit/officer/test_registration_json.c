#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "officer/registration_json.h"

static const struct fqdn_pattern_rules rules = { .dns = { .trailing_dot = true, .unicode = true } };

static enum registration_json read_text(const char *text, struct arena *arena, struct registration *r,
                                        struct json_fault *fault)
{
    AUTO(json_t) *object = json_read(bytes_text(text));

    assert_non_null(object);
    return registration_from_json(object, &rules, arena, r, fault);
}

/* Written again, it is this canonical text. */
static void assert_reads(const char *text, const char *canonical)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct registration r;
    struct json_fault fault;
    struct bytes written;

    if (read_text(text, arena, &r, &fault) != REGISTRATION_JSON_OK)
        fail_msg("%s: %s (%s)", fault.field, fault.text, text);
    {
        AUTO(json_t) *again = registration_to_json(&r);

        assert_non_null(again);
        assert_true(json_write(again, arena, &written));
        if (!bytes_is(written, canonical))
            fail_msg("%.*s, not %s", BYTES_FMT(written), canonical);
    }
}

static void assert_refused(const char *text, const char *field)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct registration r;
    struct json_fault fault;

    if (read_text(text, arena, &r, &fault) != REGISTRATION_JSON_FAULT)
        fail_msg("accepted: %s", text);
    assert_string_equal(fault.field, field);
    assert_int_not_equal(strlen(fault.text), 0);
}

#define SCEP   "\"order\":\"scep\",\"procedure\":\"p\",\"fqdn\":\"a.example.com\""
#define DIGEST "abababababababababababababababababababababababababababababababab"

static void each_order_keeps_its_fields(void **state)
{
    (void)state;
    assert_reads(
        "{" SCEP ",\"enrollReg\":\"true\",\"cpmState\":1000,\"ipAddress\":\"::ffff:192.0.2.1\"}",
        "{\"enrollReg\":true,\"fqdn\":\"a.example.com\",\"ipAddress\":\"192.0.2.1\",\"order\":\"scep\","
        "\"procedure\":\"p\",\"state\":\"Open\",\"validity\":\"always\"}");
    assert_reads(
        "{\"order\":\"CMP\",\"certTemplate\":\"p\",\"commonName\":\"A.Example.com.\",\"validity\":\"30\","
        "\"serialNumber\":\"0-7\",\"oneTime\":true,\"state\":\"closed\"}",
        "{\"fqdn\":\"a.example.com\",\"oneTime\":true,\"order\":\"cmp\",\"procedure\":\"p\",\"serialNumber\":"
        "\"0-7\","
        "\"state\":\"Closed\",\"validity\":30}");
    assert_reads("{\"order\":\"est\",\"procedure\":\"p\",\"fqdn\":\"*.example.com\",\"userName\":\"u\","
                 "\"realm\":\"r\","
                 "\"protocols\":\"est,scep\",\"emailAddress\":\"a@b.c\",\"keyFingerprint\":\"" DIGEST "\"}",
                 "{\"email\":\"a@b.c\",\"fqdn\":\"*.example.com\",\"keyFingerprint\":\"" DIGEST
                 "\",\"order\":\"est\","
                 "\"procedure\":\"p\",\"protocols\":[\"scep\",\"est\"],\"realm\":\"r\",\"state\":\"Open\","
                 "\"userName\":\"u\",\"validity\":\"always\"}");
    assert_reads(
        "{\"order\":\"acme\",\"procedure\":\"p\",\"keyId\":\"k\",\"allowedDomains\":\"example.com, "
        "B.example\","
        "\"preAuthorised\":true,\"commitment\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"allowedDomains\":[\"example.com\",\"b.example\"],"
        "\"commitment\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"keyId\":\"k\",\"order\":\"acme\","
        "\"preAuthorised\":true,\"procedure\":\"p\",\"state\":\"Open\",\"validity\":\"always\"}");
}

static void attribute_names_have_no_case_and_lists_are_texts_or_arrays(void **state)
{
    (void)state;
    assert_reads(
        "{" SCEP ",\"attributes\":{\"OrganisationUnit\":\"a, "
        "b\\\\,c\",\"DNS\":[\"B.example.com\",\"*.x.example.com\"],"
        "\"IPaddress\":\"2001:DB8:0::1\",\"country\":\"SE\"}}",
        "{\"attributes\":{\"country\":\"SE\",\"dns\":[\"b.example.com\",\"*.x.example.com\"],"
        "\"ipaddress\":[\"2001:db8::1\"],\"organisationunit\":[\"a\",\"b,c\"]},\"fqdn\":\"a.example.com\","
        "\"order\":\"scep\",\"procedure\":\"p\",\"state\":\"Open\",\"validity\":\"always\"}");
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *field;
    } rows[] = {
        { "{}", "order" },
        { "{\"order\":\"ndes\"}", "order" },
        { "{\"order\":\"scep\"}", "procedure" },
        { "{\"order\":\"scep\",\"procedure\":\"p\"}", "fqdn" },
        { "{\"order\":\"acme\",\"procedure\":\"p\"}", "keyId" },
        { "{\"order\":\"acme\",\"procedure\":\"p\",\"keyId\":\"k\",\"fqdn\":\"a.example.com\"}", "fqdn" },
        { "{\"order\":\"est\",\"procedure\":\"p\",\"fqdn\":\"a.example.com\",\"cpmState\":1000}",
          "cpmState" },
        { "{" SCEP ",\"userName\":\"u\"}", "userName" },
        { "{" SCEP ",\"colour\":\"red\"}", "colour" },
        { "{" SCEP ",\"FQDN\":\"b.example.com\"}", "FQDN" },
        { "{" SCEP ",\"commonName\":\"b.example.com\"}", "commonName" },
        { "{" SCEP ",\"password\":\"x\"}", "password" },
        { "{" SCEP ",\"state\":\"ajar\"}", "state" },
        { "{" SCEP ",\"cpmState\":1002}", "cpmState" },
        { "{" SCEP ",\"cpmState\":999}", "cpmState" },
        { "{" SCEP ",\"state\":\"Open\",\"cpmState\":1001}", "cpmState" },
        { "{" SCEP ",\"validity\":0}", "validity" },
        { "{" SCEP ",\"validity\":-1}", "validity" },
        { "{" SCEP ",\"validity\":36501}", "validity" },
        { "{" SCEP ",\"ipAddress\":\"\"}", "ipAddress" },
        { "{" SCEP ",\"serialNumber\":\"\"}", "serialNumber" },
        { "{" SCEP ",\"serialNumber\":7}", "serialNumber" },
        { "{" SCEP ",\"protocols\":[]}", "protocols" },
        { "{" SCEP ",\"protocols\":[\"ftp\"]}", "protocols" },
        { "{" SCEP ",\"oneTime\":1}", "oneTime" },
        { "{" SCEP ",\"keyFingerprint\":\"ab\"}", "keyFingerprint" },
        { "{" SCEP ",\"commitment\":\"AA\"}", "commitment" },
        { "{" SCEP ",\"commitment\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "commitment" },
        { "{" SCEP ",\"attributes\":[]}", "attributes" },
        { "{" SCEP ",\"attributes\":{\"shoe\":\"42\"}}", "attributes.shoe" },
        { "{" SCEP ",\"attributes\":{\"country\":\"SWE\"}}", "attributes.country" },
        { "{" SCEP ",\"attributes\":{\"country\":\"SE\",\"Country\":\"SE\"}}", "attributes.Country" },
        { "{" SCEP ",\"attributes\":{\"dns\":\"not a name\"}}", "attributes.dns" },
        { "{" SCEP ",\"attributes\":{\"dns\":\"a.*.example.com\"}}", "attributes.dns" },
        { "{" SCEP ",\"attributes\":{\"ipaddress\":\"1.2.3\"}}", "attributes.ipaddress" },
        { "{" SCEP ",\"attributes\":{\"sanemailaddress\":\"nobody\"}}", "attributes.sanemailaddress" },
        { "{" SCEP ",\"attributes\":{\"uri\":\"relative/x\"}}", "attributes.uri" },
        { "{" SCEP ",\"attributes\":{\"registeredid\":\"1.x\"}}", "attributes.registeredid" },
        { "{" SCEP ",\"attributes\":{\"directory\":\"nonsense\"}}", "attributes.directory" },
        { "{" SCEP ",\"attributes\":{\"postaladdress\":\"1,2,3,4,5,6,7\"}}", "attributes.postaladdress" },
        { "{" SCEP ",\"attributes\":{\"locality\":\"a\\nb\"}}", "attributes.locality" },
        { "{" SCEP ",\"attributes\":{\"locality\":[\"a\"]}}", "attributes.locality" },
        { "{\"order\":\"scep\",\"procedure\":\"p\",\"fqdn\":\"**.example.com\"}", "fqdn" },
        { "{\"order\":\"scep\",\"procedure\":\"p\",\"fqdn\":\"*.com\"}", "fqdn" },
        { "{\"order\":\"acme\",\"procedure\":\"p\",\"keyId\":\"k\",\"allowedDomains\":\"*\"}",
          "allowedDomains" },
        { "{" SCEP ",\"\\u0001\":1}", "(not printable)" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(rows[i].text, rows[i].field);
}

static void memory_that_runs_out_is_no_fault_of_the_text(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct registration r;
    struct json_fault fault;

    (void)state;
    for (unsigned n = 1; n < 5; n++) {
        arena_fail_after(arena, n);
        enum registration_json read = read_text(
            "{" SCEP ",\"attributes\":{\"locality\":\"a\",\"street\":\"b\"}}", arena, &r, &fault);
        arena_fail_after(arena, 0);
        assert_int_equal(read, REGISTRATION_JSON_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_order_keeps_its_fields),
        cmocka_unit_test(attribute_names_have_no_case_and_lists_are_texts_or_arrays),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(memory_that_runs_out_is_no_fault_of_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
