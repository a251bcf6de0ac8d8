#include "enroll/slow_down.h"

#include <pthread.h>

#include "tests/lib/test.h"

static const int64_t NOW_S = 1790000000;

static struct slow_down *a_table(size_t entries_max)
{
    struct slow_down *s = NULL;

    assert_true(slow_down_new(entries_max, &s, NULL));
    return s;
}

static struct digest256 key(unsigned number)
{
    struct digest256 k;

    assert_true(sha256(bytes_of(&number, sizeof(number)), &k));
    return k;
}

static void the_pause_doubles_up_to_its_maximum(void **state)
{
    static const unsigned pause_s[] = { 0, 0, 1, 2, 4, 8, 10, 10 };
    struct slow_down *s = a_table(16);
    const struct digest256 k = key(1);

    (void)state;
    assert_int_equal(slow_down_wait_s(s, &k, 3, 10, NOW_S), 0);
    for (size_t i = 0; i < COUNT_OF(pause_s); i++) {
        slow_down_strike(s, &k, NOW_S);
        assert_int_equal(slow_down_wait_s(s, &k, 3, 10, NOW_S), pause_s[i]);
    }
    assert_int_equal(slow_down_wait_s(s, &k, 3, 10, NOW_S + 4), 6);
    assert_int_equal(slow_down_wait_s(s, &k, 3, 10, NOW_S + 10), 0);
    assert_int_equal(slow_down_wait_s(s, &k, 0, 10, NOW_S), 0); /* off */
    slow_down_free(s);
}

static void many_strikes_never_overflow(void **state)
{
    struct slow_down *s = a_table(16);
    const struct digest256 k = key(1);

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        slow_down_strike(s, &k, NOW_S);
    assert_int_equal(slow_down_wait_s(s, &k, 3, 600, NOW_S), 600);
    assert_int_equal(slow_down_wait_s(s, &k, 3, 600, NOW_S - 50), 600); /* the clock was set back */
    slow_down_free(s);
}

static void strikes_are_forgotten_after_an_hour_without_one(void **state)
{
    struct slow_down *s = a_table(16);
    const struct digest256 k = key(1);

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        slow_down_strike(s, &k, NOW_S);
    assert_true(slow_down_wait_s(s, &k, 3, 10000, NOW_S + 3599) > 0);
    assert_int_equal(slow_down_wait_s(s, &k, 3, 10000, NOW_S + 3600), 0);
    slow_down_strike(s, &k, NOW_S + 3600);
    assert_int_equal(slow_down_wait_s(s, &k, 2, 10000, NOW_S + 3600), 0);
    slow_down_free(s);
}

static void a_held_credential_starts_anew(void **state)
{
    struct slow_down *s = a_table(16);
    const struct digest256 k = key(1), other = key(2);

    (void)state;
    slow_down_clear(s, &k); /* of nothing */
    for (unsigned i = 0; i < 5; i++) {
        slow_down_strike(s, &k, NOW_S);
        slow_down_strike(s, &other, NOW_S);
    }
    slow_down_clear(s, &k);
    assert_int_equal(slow_down_wait_s(s, &k, 3, 10, NOW_S), 0);
    assert_true(slow_down_wait_s(s, &other, 3, 10, NOW_S) > 0);
    slow_down_free(s);
}

static void a_full_table_forgets_the_oldest(void **state)
{
    enum { ENTRIES = 64 };
    struct slow_down *s = a_table(ENTRIES);

    (void)state;
    for (unsigned i = 0; i < ENTRIES; i++) {
        const struct digest256 k = key(i);

        slow_down_strike(s, &k, NOW_S);
    }
    for (unsigned i = 0; i < ENTRIES / 2; i++) { /* the first half becomes the newer one */
        const struct digest256 k = key(i);

        slow_down_strike(s, &k, NOW_S);
    }
    for (unsigned i = ENTRIES; i < ENTRIES + ENTRIES / 2; i++) {
        const struct digest256 k = key(i);

        slow_down_strike(s, &k, NOW_S);
    }
    for (unsigned i = 0; i < ENTRIES + ENTRIES / 2; i++) {
        const struct digest256 k = key(i);
        bool remembered = slow_down_wait_s(s, &k, 1, 10, NOW_S) > 0;

        assert_int_equal(remembered, i < ENTRIES / 2 || i >= ENTRIES);
    }
    slow_down_free(s);
}

static void random_use_never_loses_its_links(void **state)
{
    uint32_t seed = 12345;
    struct slow_down *s = a_table(50);

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct digest256 k;

        seed = seed * 1664525u + 1013904223u;
        k = key((seed >> 8) % 120);
        if ((seed >> 28) < 5)
            slow_down_clear(s, &k);
        else
            slow_down_strike(s, &k, NOW_S);
        assert_int_equal(slow_down_wait_s(s, &k, 1, 10, NOW_S) > 0, (seed >> 28) >= 5);
    }
    slow_down_free(s);
}

static void a_source_counts_by_its_network_and_a_name_by_itself(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } pair[] = { { "192.0.2.1", "192.0.2.200", true },
                 { "192.0.2.1", "192.0.3.1", false },
                 { "2001:db8:1:100::1", "2001:db8:1:1ff::9", true },
                 { "2001:db8:1:100::1", "2001:db8:1:200::1", false } };
    struct dns_name name = { .len = 5, .text = "a.bcd" }, other = { .len = 5, .text = "a.bce" };
    struct digest256 a, b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pair); i++) {
        struct ip_address left, right;

        assert_true(ip_parse(bytes_text(pair[i].a), &left));
        assert_true(ip_parse(bytes_text(pair[i].b), &right));
        assert_true(slow_down_key(&left, &name, &a));
        assert_true(slow_down_key(&right, &name, &b));
        assert_int_equal(digest256_equal(&a, &b), pair[i].same);
        assert_true(slow_down_key(&left, &other, &b));
        assert_false(digest256_equal(&a, &b));
    }
    assert_true(slow_down_key(&(struct ip_address){ 0 }, &name, &a));
}

static struct slow_down *shared;
static struct digest256 shared_key[10];

static void *strike_many(void *argument)
{
    for (unsigned i = 0; i < 2000; i++) {
        const struct digest256 *k = &shared_key[i % COUNT_OF(shared_key)];

        slow_down_strike(shared, k, NOW_S);
        (void)slow_down_wait_s(shared, k, 3, 10, NOW_S);
    }
    return argument;
}

static void threads_share_a_table(void **state)
{
    pthread_t thread[4];

    (void)state;
    shared = a_table(8);
    for (unsigned i = 0; i < COUNT_OF(shared_key); i++)
        shared_key[i] = key(i);
    for (size_t i = 0; i < COUNT_OF(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, strike_many, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(thread); i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    slow_down_strike(shared, &shared_key[3], NOW_S);
    assert_int_equal(slow_down_wait_s(shared, &shared_key[3], 1, 1, NOW_S), 1);
    slow_down_free(shared);
}

static void an_empty_table_is_refused(void **state)
{
    struct slow_down *s = NULL;

    (void)state;
    assert_false(slow_down_new(0, &s, NULL));
    assert_null(s);
    slow_down_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pause_doubles_up_to_its_maximum),
        cmocka_unit_test(many_strikes_never_overflow),
        cmocka_unit_test(strikes_are_forgotten_after_an_hour_without_one),
        cmocka_unit_test(a_held_credential_starts_anew),
        cmocka_unit_test(a_full_table_forgets_the_oldest),
        cmocka_unit_test(random_use_never_loses_its_links),
        cmocka_unit_test(a_source_counts_by_its_network_and_a_name_by_itself),
        cmocka_unit_test(threads_share_a_table),
        cmocka_unit_test(an_empty_table_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
