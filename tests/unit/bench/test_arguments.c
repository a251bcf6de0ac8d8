#include "bench/arguments.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct read {
    bool flag;
    const char *text;
    uint64_t number;
    struct argument_texts texts;
    double amount, seconds;
};

static bool read_words(struct read *out, int argc, const char *const *word)
{
    const struct argument table[] = { { "flag", ARGUMENT_FLAG, { .flag = &out->flag } },
                                      { "text", ARGUMENT_TEXT, { .text = &out->text } },
                                      { "number", ARGUMENT_NUMBER, { .number = &out->number } },
                                      { "texts", ARGUMENT_TEXTS, { .texts = &out->texts } },
                                      { "amount", ARGUMENT_AMOUNT, { .amount = &out->amount } },
                                      { "seconds", ARGUMENT_SECONDS, { .amount = &out->seconds } } };

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

static void some_may_come_several_times(void **state)
{
    struct read read = { 0 };

    (void)state;
    assert_true(READ(&read, "--texts", "a", "--flag", "--texts", "b"));
    assert_int_equal(read.texts.count, 2);
    assert_string_equal(read.texts.text[0], "a");
    assert_string_equal(read.texts.text[1], "b");
    assert_false(READ(&read, "--texts=1", "--texts=2", "--texts=3", "--texts=4", "--texts=5", "--texts=6",
                      "--texts=7")); /* with those above more than there is room for */
}

static void amounts_are_positive_and_seconds_may_have_a_unit(void **state)
{
    static const struct {
        const char *text;
        double seconds;
    } row[] = { { "10", 10 }, { "2.5s", 2.5 }, { "250ms", 0.25 }, { "2m", 120 }, { "1h", 3600 } };
    static const char *const bad[] = { "", "0", "-1", "1d", "s", "inf", "nan", "1e999", "1 s", "0x" };
    struct read read = { 0 };

    (void)state;
    assert_true(READ(&read, "--amount", "12.5"));
    assert_true(read.amount == 12.5);
    assert_false(READ(&read, "--amount", "12s"));
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        assert_true(READ(&read, "--seconds", row[i].text));
        assert_true(read.seconds == row[i].seconds);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(READ(&read, "--seconds", bad[i]));
        assert_false(READ(&read, "--amount", bad[i]));
    }
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
        cmocka_unit_test(some_may_come_several_times),
        cmocka_unit_test(amounts_are_positive_and_seconds_may_have_a_unit),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
