#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/address_rules.h"

static struct ip_address address(const char *text)
{
    struct ip_address ip;

    if (!ip_parse(bytes_text(text), &ip))
        fail_msg("%s", text);
    return ip;
}

static struct ip_range range(const char *text)
{
    struct ip_range out;

    if (!ip_range_parse(bytes_text(text), &out))
        fail_msg("%s", text);
    return out;
}

static void assert_allowed(const struct address_rules *rules, const char *text, bool allowed)
{
    struct ip_address ip = address(text);

    if (address_allowed(rules, &ip) != allowed)
        fail_msg("%s is %s", text, allowed ? "forbidden" : "allowed");
}

static const char *const open_ones[] = {
    "1.1.1.1",     "9.255.255.255",  "11.0.0.0",         "100.63.255.255",  "100.128.0.0",
    "126.0.0.1",   "128.0.0.1",      "172.15.255.255",   "172.32.0.0",      "192.0.1.1",
    "192.169.0.0", "198.17.255.255", "198.20.0.0",       "223.255.255.255", "2606:4700::1111",
    "2001:200::1", "2a00::1",        "64:ff9b::1.1.1.1", "::ffff:1.1.1.1",
};
static const char *const forbidden_ones[] = {
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    /* IPv6, and what it hides */
    "::",
    "::1",
    "::7f00:1",
    "::10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1.1.1.1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
};

static void acme_84_only_the_public_internet_is_open(void **state)
{
    struct address_rules none = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(open_ones); i++)
        assert_allowed(&none, open_ones[i], true);
    for (size_t i = 0; i < COUNT_OF(forbidden_ones); i++)
        assert_allowed(&none, forbidden_ones[i], false);
    assert_false(address_allowed(&none, &(struct ip_address){ 0 }));
}

static void acme_84_listed_ranges_open_what_they_name(void **state)
{
    struct ip_range allowed[] = { range("10.0.0.0/8"), range("169.254.0.0/16"), range("fc00::/7"),
                                  range("127.0.0.1"),  range("0.0.0.0/0"),      range("::/0") };
    struct address_rules rules = { .allowed = allowed, .allowed_count = COUNT_OF(allowed) };

    (void)state;
    assert_allowed(&rules, "10.1.2.3", true);
    assert_allowed(&rules, "::ffff:10.1.2.3", true);
    assert_allowed(&rules, "64:ff9b::10.1.2.3", true);
    assert_allowed(&rules, "127.0.0.1", true);
    assert_allowed(&rules, "127.0.0.2", false);
    assert_allowed(&rules, "169.254.1.1", true);
    assert_allowed(&rules, "169.254.169.254", false); /* metadata wants its own line */
    assert_allowed(&rules, "fd00::1", true);
    assert_allowed(&rules, "fd00:ec2::254", false);
    assert_allowed(&rules, "192.168.0.1", false); /* 0.0.0.0/0 opens nothing */
    assert_allowed(&rules, "::1", false);
    assert_allowed(&rules, "1.1.1.1", true);
}

static void forbidden_ranges_go_first(void **state)
{
    struct ip_range allowed[] = { range("10.0.0.0/8"), range("10.9.0.0/16") };
    struct ip_range forbidden[] = { range("10.9.0.0/16"), range("1.1.1.1"), range("2606:4700::/32") };
    struct address_rules rules = { .allowed = allowed,
                                   .allowed_count = COUNT_OF(allowed),
                                   .forbidden = forbidden,
                                   .forbidden_count = COUNT_OF(forbidden) };

    (void)state;
    assert_allowed(&rules, "10.8.0.1", true);
    assert_allowed(&rules, "10.9.0.1", false);
    assert_allowed(&rules, "1.1.1.1", false);
    assert_allowed(&rules, "1.1.1.2", true);
    assert_allowed(&rules, "64:ff9b::1.1.1.1", false);
    assert_allowed(&rules, "2606:4700::1", false);
}

static void a_copy_says_the_same(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct ip_range allowed[] = { range("10.0.0.0/8") };
    struct address_rules rules = { .allowed = allowed, .allowed_count = 1 }, copy, empty = { 0 };

    (void)state;
    assert_true(address_rules_copy(&rules, arena, &copy));
    assert_ptr_not_equal(copy.allowed, allowed);
    assert_allowed(&copy, "10.0.0.1", true);
    assert_true(address_rules_copy(&empty, arena, &copy));
    assert_allowed(&copy, "10.0.0.1", false);
    arena_fail_after(arena, 1);
    assert_false(address_rules_copy(&rules, arena, &copy));
}

/* What is built in is open by ranges that are not the widest: it must not shine through. */
static void what_is_forbidden_widely_is_not_opened_from_within(void **state)
{
    struct ip_range allowed[] = { range("2606:4700::/32") };
    struct ip_range forbidden[] = { range("::/0") };
    struct address_rules rules = { .forbidden = forbidden, .forbidden_count = COUNT_OF(forbidden) };

    (void)state;
    assert_allowed(&rules, "2a00::1", false);
    assert_allowed(&rules, "1.1.1.1", true);
    rules.allowed = allowed;
    rules.allowed_count = COUNT_OF(allowed);
    assert_allowed(&rules, "2606:4700::1", true);
    assert_allowed(&rules, "2a00::1", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acme_84_only_the_public_internet_is_open),
        cmocka_unit_test(acme_84_listed_ranges_open_what_they_name),
        cmocka_unit_test(forbidden_ranges_go_first),
        cmocka_unit_test(what_is_forbidden_widely_is_not_opened_from_within),
        cmocka_unit_test(a_copy_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
