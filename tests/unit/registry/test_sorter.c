#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "registry/sorter_internal.h"

static const char *directory(void)
{
    const char *name = getenv("TMPDIR");

    return name != NULL ? name : "/tmp";
}

static struct sorter *a_sorter(size_t memory)
{
    struct error err;
    struct sorter *s = NULL;

    assert_true(sorter_new(directory(), memory, &s, &err));
    return s;
}

/* Adds the numbers below `count` in a jumbled order, and expects them back in theirs. */
static void sort_numbers(size_t memory, unsigned count, unsigned step)
{
    struct sorter *s = a_sorter(memory);
    struct bytes key, value;
    struct error err;
    char k[16], v[16];
    bool found = true;

    for (unsigned i = 0; i < count; i++) {
        unsigned n = (unsigned)((unsigned long)i * step % count);

        (void)snprintf(k, sizeof(k), "k%08u", n);
        (void)snprintf(v, sizeof(v), "v%u", n);
        assert_true(sorter_add(s, bytes_text(k), bytes_text(v), &err));
    }
    for (unsigned n = 0; n < count; n++) {
        assert_true(sorter_next(s, &found, &key, &value, &err));
        assert_true(found);
        (void)snprintf(k, sizeof(k), "k%08u", n);
        (void)snprintf(v, sizeof(v), "v%u", n);
        assert_true(bytes_is(key, k));
        assert_true(bytes_is(value, v));
    }
    assert_true(sorter_next(s, &found, &key, &value, &err));
    assert_false(found);
    assert_true(sorter_next(s, &found, &key, &value, &err));
    assert_false(found);
    sorter_free(s);
}

static void what_fits_into_memory_is_sorted(void **state)
{
    (void)state;
    sort_numbers(1 << 20, 1000, 7);
    sort_numbers(1 << 20, 1000, 1);
    sort_numbers(1 << 20, 0, 1);
}

static void many_runs_are_merged(void **state)
{
    (void)state;
    sort_numbers(1000, 2000, 7);
    sort_numbers(1000, 2000, 1);
    sort_numbers(256 * 1024, 100003, 7919); /* runs as long as their windows */
}

static void equal_keys_keep_their_order(void **state)
{
    struct sorter *s = a_sorter(200);
    struct bytes key, value;
    struct error err;
    bool found = false;

    (void)state;
    for (uint8_t i = 0; i < 50; i++)
        assert_true(
            sorter_add(s, i % 2 == 0 ? BYTES_LITERAL("b") : BYTES_LITERAL("a"), bytes_of(&i, 1), &err));
    for (uint8_t i = 0; i < 50; i++) {
        assert_true(sorter_next(s, &found, &key, &value, &err));
        assert_true(found);
        assert_int_equal(value.data[0], i < 25 ? 2 * i + 1 : 2 * (i - 25));
    }
    sorter_free(s);
}

static void long_values_cross_windows(void **state)
{
    static uint8_t large[300 * 1024];
    struct sorter *s = a_sorter(700 * 1024);
    struct bytes key, value;
    struct error err;
    bool found = false;

    (void)state;
    for (uint8_t i = 8; i > 0; i--) {
        memset(large, i, sizeof(large));
        assert_true(sorter_add(s, bytes_of(&i, 1), BYTES_ARRAY(large), &err));
    }
    for (uint8_t i = 1; i <= 8; i++) {
        assert_true(sorter_next(s, &found, &key, &value, &err));
        assert_true(found);
        assert_int_equal(key.data[0], i);
        assert_int_equal(value.len, sizeof(large));
        assert_int_equal(value.data[sizeof(large) - 1], i);
    }
    sorter_free(s);
}

static void what_is_too_long_or_too_late_is_refused(void **state)
{
    struct sorter *s = a_sorter(100);
    uint8_t large[100] = { 0 };
    struct bytes key, value;
    struct error err;
    bool found = true;

    (void)state;
    assert_false(sorter_add(s, BYTES_LITERAL("k"), BYTES_ARRAY(large), &err));
    assert_true(sorter_next(s, &found, &key, &value, &err));
    assert_false(found);
    assert_false(sorter_add(s, BYTES_LITERAL("k"), BYTES_NONE, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    sorter_free(s);
    sorter_free(NULL);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
    struct error err = { 0 };
    struct sorter *s = NULL;
    uint8_t half[60] = { 0 };

    (void)state;
    assert_true(sorter_new("/nonexistent/directory", 100, &s, &err));
    assert_true(sorter_add(s, BYTES_LITERAL("k"), BYTES_ARRAY(half), &err));
    assert_false(sorter_add(s, BYTES_LITERAL("l"), BYTES_ARRAY(half), &err));
    assert_int_equal(err.code, ERROR_IO);
    sorter_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_into_memory_is_sorted),
        cmocka_unit_test(many_runs_are_merged),
        cmocka_unit_test(equal_keys_keep_their_order),
        cmocka_unit_test(long_values_cross_windows),
        cmocka_unit_test(what_is_too_long_or_too_late_is_refused),
        cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
