#include "lib/dns/dns_caa.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_record_is_read(void **state)
{
    struct dns_caa caa;

    (void)state;
    assert_true(dns_caa_parse(BYTES_LITERAL("\0\5issueca.example"), &caa));
    assert_false(caa.critical);
    assert_int_equal(caa.tag, DNS_CAA_ISSUE);
    assert_true(bytes_is(caa.value, "ca.example"));
    assert_true(dns_caa_parse(BYTES_LITERAL("\x80\x09IssueWild;"), &caa));
    assert_true(caa.critical);
    assert_int_equal(caa.tag, DNS_CAA_ISSUEWILD);
    assert_true(dns_caa_parse(BYTES_LITERAL("\1\5iodef"), &caa)); /* other flags mean nothing */
    assert_false(caa.critical);
    assert_int_equal(caa.tag, DNS_CAA_IODEF);
    assert_int_equal(caa.value.len, 0);
    assert_true(dns_caa_parse(BYTES_LITERAL("\x80\3tbsx"), &caa));
    assert_int_equal(caa.tag, DNS_CAA_OTHER);
    assert_true(bytes_is(caa.tag_text, "tbs"));
}

static void broken_records_are_refused(void **state)
{
    static const struct bytes broken[] = {
        { (const uint8_t *)"", 0 },        { (const uint8_t *)"\0", 1 },
        { (const uint8_t *)"\0\0x", 3 },   { (const uint8_t *)"\0\2i", 3 },
        { (const uint8_t *)"\0\1-x", 4 },  { (const uint8_t *)"\0\1\xff", 3 },
        { (const uint8_t *)"\0\2i s", 5 },
    };
    struct dns_caa caa;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        if (dns_caa_parse(broken[i], &caa))
            fail_msg("row %zu", i);
}

static void acme_129_the_issuer_of_a_value(void **state)
{
    static const struct {
        const char *value, *issuer; /* NULL: malformed */
        size_t parameters;
    } rows[] = {
        { "ca.example", "ca.example", 0 },
        { " CA.Example\t", "ca.example", 0 },
        { "", "", 0 },
        { ";", "", 0 },
        { " ; ", "", 0 },
        { "ca.example;", "ca.example", 0 },
        { "ca.example; account=230123", "ca.example", 1 },
        { "ca.example;a=1;b=2", "ca.example", 2 },
        { "ca.example \t; a-b = 1 ; c=", "ca.example", 2 },
        { "; a=1", "", 1 },
        { "%%%%%", NULL, 0 },
        { "ca.example/x", NULL, 0 },
        { "ca..example", NULL, 0 },
        { "ca.example a=1", NULL, 0 },
        { "ca.example; a", NULL, 0 },
        { "ca.example; =1", NULL, 0 },
        { "ca.example; a=1;", NULL, 0 },
        { "ca.example;; a=1", NULL, 0 },
        { "ca.example; -a=1", NULL, 0 },
        { "ca.example; a_b=1", NULL, 0 },
        { "ca.example; a=1 2", NULL, 0 },
        { "ca.example; a=\xc3\xbc", NULL, 0 },
        { "a; 1=;2=;3=;4=;5=;6=;7=;8=;9=;10=;11=;12=;13=;14=;15=;16=", "a", 16 },
        { "a; 1=;2=;3=;4=;5=;6=;7=;8=;9=;10=;11=;12=;13=;14=;15=;16=;17=", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct dns_issue_value v;
        bool parsed = dns_issue_value_parse(bytes_text(rows[i].value), &v);

        if (parsed != (rows[i].issuer != NULL))
            fail_msg("%s", rows[i].value);
        if (!parsed)
            continue;
        assert_string_equal(v.issuer.text, rows[i].issuer);
        assert_int_equal(v.count, rows[i].parameters);
        assert_false(v.duplicate);
    }
}

static void acme_133_parameters(void **state)
{
    struct dns_issue_value v;

    (void)state;
    assert_true(dns_issue_value_parse(
        BYTES_LITERAL(
            "ca.example; accounturi=https://a.example/?a=b,c; validationMethods=dns-01,http-01; e="),
        &v));
    assert_true(bytes_is(dns_issue_parameter(&v, "accounturi"), "https://a.example/?a=b,c"));
    assert_true(bytes_is(dns_issue_parameter(&v, "validationmethods"), "dns-01,http-01"));
    assert_non_null(dns_issue_parameter(&v, "e").data);
    assert_int_equal(dns_issue_parameter(&v, "e").len, 0);
    assert_null(dns_issue_parameter(&v, "f").data);
    assert_false(v.duplicate);
    assert_true(dns_issue_value_parse(BYTES_LITERAL("ca.example; a=1; A=1"), &v));
    assert_true(v.duplicate);
}

static void acme_128_the_tree_is_climbed_to_the_last_label(void **state)
{
    static const char *const expected[] = { "b.example.com", "example.com", "com" };
    const struct dns_rules rules = { 0 };
    struct dns_name name;
    size_t steps = 0;

    (void)state;
    assert_int_equal(dns_name_parse(BYTES_LITERAL("a.b.example.com"), &rules, &name), DNS_OK);
    while (dns_name_parent(&name, &name))
        assert_string_equal(name.text, expected[steps++]);
    assert_int_equal(steps, COUNT_OF(expected));
    assert_false(dns_name_parent(&(struct dns_name){ 0 }, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read),
        cmocka_unit_test(broken_records_are_refused),
        cmocka_unit_test(acme_129_the_issuer_of_a_value),
        cmocka_unit_test(acme_133_parameters),
        cmocka_unit_test(acme_128_the_tree_is_climbed_to_the_last_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
