/* Lists of weak keys: the format of openssl-blacklist, and the hash of a modulus. */
#include "lib/pki/weak_list.h"
#include "tests/unit/lib/pki/fixtures.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

static struct weak_list *list_of(const char *text)
{
    struct bytes whole = bytes_text(text);
    struct weak_list *list = NULL;

    if (!weak_list_new(&whole, 1, &list, &err))
        fail_msg("%s", err.text);
    return list;
}

static bool has(const struct weak_list *list, struct bytes modulus)
{
    bool found = false;

    assert_true(weak_list_has(list, modulus, &found));
    return found;
}

/* The hashes are of printf 'Modulus=C0FFEE\n' | sha1sum and the like. */
static const char known[] = "# of these tests\n"
                            "6149ed99475722f13e18\n"
                            "\n"
                            "5e88f10d69110483e558\r\n"
                            "6149ed99475722f13e18\n";

static void csr_27_a_modulus_is_known_by_the_end_of_its_hash(void **state)
{
    struct weak_list *list = list_of(known);

    (void)state;
    assert_int_equal(weak_list_count(list), 2);
    assert_true(has(list, hex("c0ffee")));
    assert_true(has(list, hex("0abc"))); /* printed without its zero digit: Modulus=ABC */
    assert_false(has(list, hex("c0ffef")));
    assert_false(has(list, BYTES_NONE));
    weak_list_free(list);
}

static void case_of_the_digits_does_not_matter_but_all_of_them_are_there(void **state)
{
    static const char *const malformed[] = { "0011223344556677889", "001122334455667788990",
                                             "0011223344556677889g", "00112233 445566778899",
                                             "00112233445566778899 00112233445566778899" };
    struct weak_list *list = list_of("ABCDEFABCDEFABCDEFAB\nabcdefabcdefabcdefab");

    (void)state;
    assert_int_equal(weak_list_count(list), 1);
    weak_list_free(list);
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        struct bytes text[] = { BYTES_LITERAL("# good\n"), arena_format(arena, "# c\n%s\n", malformed[i]) };
        struct weak_list *untouched = NULL;

        assert_false(weak_list_new(text, 2, &untouched, &err));
        assert_null(untouched);
        assert_int_equal(err.code, ERROR_FORMAT);
        assert_non_null(strstr(err.text, "list 2, line 2"));
    }
}

static void every_line_of_a_long_unsorted_list_is_found(void **state)
{
    AUTO_STRUCT(buffer) lines = BUFFER(1 << 20);
    struct weak_list *list;

    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        buffer_format(&lines, "%020x\n", i * 2654435761u);
    buffer_append_text(&lines, known);
    buffer_append_byte(&lines, '\0');
    assert_false(buffer_failed(&lines));
    list = list_of((const char *)lines.data);
    assert_int_equal(weak_list_count(list), 5002);
    assert_true(has(list, hex("c0ffee")));
    assert_true(has(list, hex("0abc")));
    weak_list_free(list);
}

static void an_empty_list_names_no_key(void **state)
{
    struct weak_list *list = NULL;

    (void)state;
    assert_true(weak_list_new(NULL, 0, &list, &err));
    assert_int_equal(weak_list_count(list), 0);
    assert_false(has(list, hex("c0ffee")));
    weak_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(csr_27_a_modulus_is_known_by_the_end_of_its_hash),
        TEST(case_of_the_digits_does_not_matter_but_all_of_them_are_there),
        TEST(every_line_of_a_long_unsorted_list_is_found),
        TEST(an_empty_list_names_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
