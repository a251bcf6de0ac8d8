#include "bench/arguments.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct read {
    bool flag;
    const char *text;
    uint64_t number;
};

static bool read_words(struct read *out, int argc, const char *const *word)
{
    const struct argument table[] = { { "flag", ARGUMENT_FLAG, { .flag = &out->flag } },
                                      { "text", ARGUMENT_TEXT, { .text = &out->text } },
                                      { "number", ARGUMENT_NUMBER, { .number = &out->number } } };

    return arguments_read(argc, (char **)(uintptr_t)word, "", table, COUNT_OF(table));
}
#define READ(out, ...)                                                           \
    read_words((out), (int)COUNT_OF(((const char *[]){ "bench", __VA_ARGS__ })), \
               (const char *[]){ "bench", __VA_ARGS__, NULL })

static void options_set_what_they_name_and_leave_the_rest(void **state)
{
    struct read read = { .text = "before", .number = 7 };

    (void)state;
    assert_true(READ(&read, "--flag"));
    assert_true(read.flag);
    assert_string_equal(read.text, "before");
    assert_true(READ(&read, "--number", "4294967295", "--text=a b"));
    assert_int_equal(read.number, UINT32_MAX);
    assert_string_equal(read.text, "a b");
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct read read = { 0 };

    (void)state;
    assert_false(READ(&read, "--number", "0"));
    assert_false(READ(&read, "--number", "-1"));
    assert_false(READ(&read, "--number", "12x"));
    assert_false(READ(&read, "--number", "4294967296"));
    assert_false(READ(&read, "--number"));
    assert_false(READ(&read, "--other"));
    assert_false(READ(&read, "--flag", "more"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_set_what_they_name_and_leave_the_rest),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
