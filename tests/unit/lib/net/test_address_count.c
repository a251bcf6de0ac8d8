#include "lib/net/address_count_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct ip_address ip(const char *text)
{
    struct ip_address address;

    assert_true(ip_parse(bytes_text(text), &address));
    return address;
}

static void each_address_has_its_own_maximum(void **state)
{
    struct address_count *count = address_count_new(2, 100);
    struct ip_address one = ip("192.0.2.1"), two = ip("192.0.2.2");

    (void)state;
    assert_true(address_count_add(count, &one));
    assert_true(address_count_add(count, &one));
    assert_false(address_count_add(count, &one));
    assert_true(address_count_add(count, &two));
    address_count_remove(count, &one);
    assert_true(address_count_add(count, &one));
    assert_false(address_count_add(count, &one));
    address_count_free(count);
}

static void an_ipv6_client_counts_by_its_64(void **state)
{
    struct address_count *count = address_count_new(1, 100);
    struct ip_address a = ip("2001:db8::1"), b = ip("2001:db8::2"), c = ip("2001:db8:0:1::1");

    (void)state;
    assert_true(address_count_add(count, &a));
    assert_false(address_count_add(count, &b));
    assert_true(address_count_add(count, &c));
    address_count_remove(count, &b); /* the same client */
    assert_true(address_count_add(count, &b));
    address_count_free(count);
}

static void many_addresses_come_and_go(void **state)
{
    struct address_count *count = address_count_new(1, 100);
    char text[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            (void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
            struct ip_address address = ip(text);
            assert_true(address_count_add(count, &address));
            assert_false(address_count_add(count, &address));
        }
        for (int i = 0; i < 5000; i++) {
            (void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
            struct ip_address address = ip(text);
            address_count_remove(count, &address);
        }
    }
    address_count_free(count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_own_maximum),
        cmocka_unit_test(an_ipv6_client_counts_by_its_64),
        cmocka_unit_test(many_addresses_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
