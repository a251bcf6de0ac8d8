#include "lib/dns/dns_name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct dns_rules text_rules = { .trailing_dot = true, .unicode = true };
static const struct dns_rules ascii_rules = { 0 };

static enum dns_fault parsed(const char *text, const struct dns_rules *rules)
{
    struct dns_name name;

    return dns_name_parse(bytes_text(text), rules, &name);
}

static void assert_canonical(const char *text, const struct dns_rules *rules, const char *expected)
{
    struct dns_name name, again;

    assert_int_equal(dns_name_parse(bytes_text(text), rules, &name), DNS_OK);
    assert_string_equal(name.text, expected);
    assert_int_equal(name.len, strlen(expected));
    assert_int_equal(dns_name_parse(dns_name_bytes(&name), &ascii_rules, &again), DNS_OK);
    assert_true(dns_name_equal(&name, &again)); /* canonical twice is canonical once */
}

static void csr_84_case_folds_and_one_trailing_dot_goes(void **state)
{
    (void)state;
    assert_canonical("Router5.Dept.EXAMPLE.com", &text_rules, "router5.dept.example.com");
    assert_canonical("Router5.Dept.EXAMPLE.com", &ascii_rules, "router5.dept.example.com");
    assert_canonical("router5.example.com.", &text_rules, "router5.example.com");
    assert_int_equal(parsed("router5.example.com.", &ascii_rules), DNS_FAULT_SYNTAX);
}

static void csr_85_empty_labels_are_faults(void **state)
{
    static const char *const broken[] = { "a..example.com", ".example.com", "example.com..", "", ".", ".." };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        assert_int_equal(parsed(broken[i], &text_rules), DNS_FAULT_SYNTAX);
        assert_int_not_equal(parsed(broken[i], &ascii_rules), DNS_OK);
    }
}

static void csr_86_a_u_label_is_mapped_in_text_and_refused_in_ia5(void **state)
{
    (void)state;
    assert_canonical("b\xc3\xbc"
                     "cher.example",
                     &text_rules, "xn--bcher-kva.example");
    assert_canonical("B\xc3\x9c"
                     "cher.Example.",
                     &text_rules, "xn--bcher-kva.example");
    assert_int_equal(parsed("b\xc3\xbc"
                            "cher.example",
                            &ascii_rules),
                     DNS_FAULT_SYNTAX);
}

static void csr_87_an_a_label_is_lower_cased(void **state)
{
    (void)state;
    assert_canonical("xn--bcher-kva.example", &ascii_rules, "xn--bcher-kva.example");
    assert_canonical("XN--BCHER-KVA.example", &ascii_rules, "xn--bcher-kva.example");
}

static void csr_88_fake_a_labels_are_faults(void **state)
{
    static const char *const fake[] = {
        "xn--a.example", /* decodes to nothing that encodes so */
        "xn--abc-.example",     "xn--.example",
        "ab--c.example",        "xn--bcher-kva-.example",
        "www.xn--\x31.example", "xn--strae-oqa.example.xn--a", /* the first is genuine, the last is not */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fake); i++)
        assert_true(parsed(fake[i], &text_rules) < DNS_NOT_A_NAME ||
                    parsed(fake[i], &text_rules) == DNS_FAULT_IDNA);
    assert_int_equal(parsed("xn--a.example", &ascii_rules), DNS_FAULT_IDNA);
    assert_int_equal(parsed("ab--c.example", &ascii_rules), DNS_FAULT_IDNA);
    assert_int_equal(parsed("xn--", &(struct dns_rules){ .single_label = true }), DNS_FAULT_SYNTAX);
    assert_canonical("xn--strae-oqa.example", &ascii_rules, "xn--strae-oqa.example");
}

static void csr_89_forms_of_ascii_are_mapped_and_all_else_is_stored_as_a_label(void **state)
{
    (void)state;
    assert_canonical("router5\xe3\x80\x82"
                     "example\xe3\x80\x82"
                     "com",
                     &text_rules, "router5.example.com");
    assert_canonical("\xef\xbd\x81\xef\xbd\x82.example.com", &text_rules, "ab.example.com");
    assert_canonical("router5\xe3\x80\x82"
                     "example.com\xe3\x80\x82",
                     &text_rules, "router5.example.com");
    assert_canonical("stra\xc3\x9f"
                     "e.example",
                     &text_rules, "xn--strae-oqa.example"); /* nontransitional: not strasse */
    assert_int_equal(parsed("a\xe2\x80\x8d"
                            "b.example",
                            &text_rules),
                     DNS_FAULT_IDNA); /* ZWJ without context */
    assert_int_equal(parsed("\xef\xbc\x8a.example.com", &text_rules), DNS_NOT_A_NAME); /* full-width star */
    assert_int_equal(parsed("\xff\xfe.example.com", &text_rules), DNS_FAULT_SYNTAX);
}

static void csr_89_a_look_alike_never_equals_the_name_that_it_looks_like(void **state)
{
    struct dns_name cyrillic;

    (void)state;
    assert_int_equal(dns_name_parse(bytes_text("\xd0\xb0pple.example.com"), &text_rules, &cyrillic), DNS_OK);
    assert_true(bytes_starts_with(dns_name_bytes(&cyrillic), "xn--"));
}

static void csr_90_underscore_needs_its_rule(void **state)
{
    const struct dns_rules with = { .underscore = true };

    (void)state;
    assert_int_equal(parsed("_acme.example.com", &ascii_rules), DNS_FAULT_SYNTAX);
    assert_int_equal(parsed("host_1.example.com", &text_rules), DNS_FAULT_SYNTAX);
    assert_canonical("router5.example.com", &with, "router5.example.com");
    assert_int_equal(parsed("_acme.example.com", &with), DNS_OK);
    assert_int_equal(parsed("host_1.example.com", &with), DNS_OK);
}

static void name_of_len(char *text, size_t first_label, size_t len)
{
    memset(text, 'a', len);
    text[len] = '\0';
    for (size_t at = first_label; at + 1 < len; at += 51)
        text[at] = '.';
}

static void csr_91_lengths_are_bounded(void **state)
{
    char text[512];

    (void)state;
    name_of_len(text, 63, 75);
    assert_int_equal(parsed(text, &ascii_rules), DNS_OK);
    name_of_len(text, 64, 75);
    assert_int_equal(parsed(text, &ascii_rules), DNS_FAULT_SYNTAX);
    name_of_len(text, 50, 253);
    assert_int_equal(parsed(text, &ascii_rules), DNS_OK);
    name_of_len(text, 50, 254);
    assert_int_equal(parsed(text, &ascii_rules), DNS_FAULT_SYNTAX);
    name_of_len(text, 50, 253);
    text[253] = '.';
    text[254] = '\0';
    assert_int_equal(parsed(text, &text_rules), DNS_OK);
}

static void csr_92_addresses_and_numbers_are_not_names(void **state)
{
    static const char *const others[] = {
        "192.0.2.1",     "2001:db8::1",   "0x7f.1", "example.123", "SCEP Client 7",
        "u@example.com", "*.example.com", "*",      " ",           "http://a.example"
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(parsed(others[i], &text_rules), DNS_NOT_A_NAME);
        assert_int_equal(parsed(others[i], &ascii_rules), DNS_NOT_A_NAME);
    }
}

static void csr_67_a_single_label_is_a_name_only_by_rule(void **state)
{
    const struct dns_rules with = { .single_label = true };

    (void)state;
    assert_int_equal(parsed("router5", &ascii_rules), DNS_NOT_A_NAME);
    assert_int_equal(parsed("Ger\xc3\xa4t", &text_rules), DNS_NOT_A_NAME);
    assert_int_equal(parsed("router5", &with), DNS_OK);
    assert_int_equal(parsed("123", &with), DNS_NOT_A_NAME);
    assert_int_equal(parsed("-a.example", &ascii_rules), DNS_FAULT_SYNTAX);
    assert_int_equal(parsed("a-.example", &ascii_rules), DNS_FAULT_SYNTAX);
}

static void csr_53_a_nul_in_a_name_is_a_fault(void **state)
{
    static const char text[] = "a.example.com\0.evil.com";
    struct dns_name name = { .len = 7 };

    (void)state;
    assert_int_equal(dns_name_parse(BYTES_LITERAL(text), &text_rules, &name), DNS_FAULT_SYNTAX);
    assert_int_equal(name.len, 7); /* untouched */
}

static void labels_are_counted(void **state)
{
    struct dns_name name, none = { 0 };

    (void)state;
    assert_int_equal(dns_name_parse(bytes_text("a.example.com"), &ascii_rules, &name), DNS_OK);
    assert_int_equal(dns_name_labels(&name), 3);
    assert_int_equal(dns_name_labels(&none), 0);
}

static struct dns_name name_of(const char *text)
{
    struct dns_name name;

    assert_int_equal(dns_name_parse(bytes_text(text), &ascii_rules, &name), DNS_OK);
    return name;
}

static void acme_87_a_label_goes_before_a_name(void **state)
{
    struct dns_name name = name_of("a.example.com"), none = { 0 }, out;
    char longest[DNS_NAME_MAX + 1];

    (void)state;
    assert_true(dns_name_below("_acme-challenge", &name, &out));
    assert_string_equal(out.text, "_acme-challenge.a.example.com");
    assert_true(dns_name_below("_ujmmovf2vn55tgye._acme-challenge", &name, &out));
    assert_string_equal(out.text, "_ujmmovf2vn55tgye._acme-challenge.a.example.com");
    assert_false(dns_name_below("_acme-challenge", &none, &out));
    for (size_t i = 0; i < DNS_NAME_MAX; i++)
        longest[i] = i % 50 == 49 ? '.' : 'a';
    longest[DNS_NAME_MAX] = '\0';
    name = name_of(longest);
    assert_false(dns_name_below("_acme-challenge", &name, &out));
}

static void acme_97_reverse_names_of_addresses(void **state)
{
    static const struct {
        const char *ip, *name;
    } rows[] = {
        { "192.0.2.1", "1.2.0.192.in-addr.arpa" },
        { "255.255.255.255", "255.255.255.255.in-addr.arpa" },
        { "4321:0:1:2:3:4:567:89ab", /* RFC 3596 2.5 */
          "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa" },
    };
    struct dns_name out;
    struct ip_address ip;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(ip_parse(bytes_text(rows[i].ip), &ip));
        dns_name_reverse(&ip, &out);
        assert_string_equal(out.text, rows[i].name);
        assert_int_equal(out.len, strlen(rows[i].name));
    }
    dns_name_reverse(&(struct ip_address){ 0 }, &out);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csr_84_case_folds_and_one_trailing_dot_goes),
        cmocka_unit_test(csr_85_empty_labels_are_faults),
        cmocka_unit_test(csr_86_a_u_label_is_mapped_in_text_and_refused_in_ia5),
        cmocka_unit_test(csr_87_an_a_label_is_lower_cased),
        cmocka_unit_test(csr_88_fake_a_labels_are_faults),
        cmocka_unit_test(csr_89_forms_of_ascii_are_mapped_and_all_else_is_stored_as_a_label),
        cmocka_unit_test(csr_89_a_look_alike_never_equals_the_name_that_it_looks_like),
        cmocka_unit_test(csr_90_underscore_needs_its_rule),
        cmocka_unit_test(csr_91_lengths_are_bounded),
        cmocka_unit_test(csr_92_addresses_and_numbers_are_not_names),
        cmocka_unit_test(csr_67_a_single_label_is_a_name_only_by_rule),
        cmocka_unit_test(csr_53_a_nul_in_a_name_is_a_fault),
        cmocka_unit_test(labels_are_counted),
        cmocka_unit_test(acme_87_a_label_goes_before_a_name),
        cmocka_unit_test(acme_97_reverse_names_of_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
