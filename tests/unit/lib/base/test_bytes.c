#include "tests/lib/test.h"

static void comparing_ignores_nothing_but_what_it_says(void **state)
{
    (void)state;
    assert_true(bytes_equal(BYTES_NONE, bytes_text("")));
    assert_true(bytes_is_nocase(bytes_text("AbC-1"), "aBc-1"));
    assert_false(bytes_is(bytes_text("AbC"), "abc"));
    assert_false(bytes_equal_nocase(bytes_of("a\x00", 2), bytes_of("a ", 2)));
    assert_true(bytes_compare(bytes_text("ab"), bytes_text("abc")) < 0);
    assert_true(bytes_compare(bytes_text("b"), bytes_text("abc")) > 0);
    assert_true(bytes_equal_constant_time(bytes_text("same"), bytes_text("same")));
    assert_false(bytes_equal_constant_time(bytes_text("same"), bytes_text("sama")));
}

static void slices_are_cut_to_what_is_there(void **state)
{
    struct bytes b = bytes_text("hello");

    (void)state;
    assert_text(bytes_slice(b, 1, 3), "ell");
    assert_text(bytes_slice(b, 3, SIZE_MAX), "lo");
    assert_int_equal(bytes_slice(b, 9, 1).len, 0);
    assert_true(bytes_ends_with(b, "llo"));
    assert_false(bytes_ends_with(bytes_text("lo"), "hello"));
    assert_text(bytes_trim(bytes_text(" \t a b\r\n")), "a b");
}

static void splitting_yields_every_part_once(void **state)
{
    struct bytes rest = bytes_text("a,,b,"), part;
    const char *expected[] = { "a", "", "b", "" };
    size_t n = 0;

    (void)state;
    while (bytes_split(&rest, ',', &part))
        assert_text(part, expected[n++]);
    assert_int_equal(n, 4);
}

static void a_number_is_digits_alone_and_within_its_bound(void **state)
{
    const char *bad[] = { "", "+5", "-0", " 5", "5 ", "0x5", "18446744073709551616", "101" };
    uint64_t value = 7;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(bytes_to_u64(bytes_text(bad[i]), 100, &value));
    assert_int_equal(value, 7);
    assert_true(bytes_to_u64(bytes_text("18446744073709551615"), UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
}

static void utf8_is_well_formed_or_refused(void **state)
{
    const char *good[] = { "", "plain", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
    const char *bad[] = { "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xff" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(bytes_is_utf8(bytes_text(good[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(bytes_is_utf8(bytes_text(bad[i])));
    assert_true(bytes_has_control(bytes_of("a\0b", 3)));
    assert_false(bytes_has_control(bytes_text("a b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_ignores_nothing_but_what_it_says),
        cmocka_unit_test(slices_are_cut_to_what_is_there),
        cmocka_unit_test(splitting_yields_every_part_once),
        cmocka_unit_test(a_number_is_digits_alone_and_within_its_bound),
        cmocka_unit_test(utf8_is_well_formed_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
