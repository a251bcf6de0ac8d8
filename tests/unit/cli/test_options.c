#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/options.h"

struct parsed {
    bool flag;
    const char *text;
    struct option_values values;
    const char *argument[2];
};

static enum options_result parse(struct parsed *p, int argc, const char *const *argv)
{
    const struct option options[] = {
        { "flag", NULL, "a flag", .flag = &p->flag },
        { "text", "TEXT", "a text", .text = &p->text },
        { "value", "VALUE", "many", .values = &p->values },
    };

    *p = (struct parsed){ 0 };
    return options_parse(argc, (char **)(uintptr_t)argv, options, COUNT_OF(options), p->argument, 2);
}

#define PARSE(p, ...)                                                       \
    parse((p), (int)COUNT_OF(((const char *[]){ "command", __VA_ARGS__ })), \
          (const char *[]){ "command", __VA_ARGS__ })

static void options_and_arguments_come_in_any_order(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(PARSE(&p, "a", "--text", "x", "--flag", "b", "--value=1", "--value", "2"), OPTIONS_OK);
    assert_true(p.flag);
    assert_string_equal(p.text, "x");
    assert_string_equal(p.argument[0], "a");
    assert_string_equal(p.argument[1], "b");
    assert_int_equal(p.values.count, 2);
    assert_string_equal(p.values.value[0], "1");
    assert_string_equal(p.values.value[1], "2");
}

static void a_value_may_look_like_an_option_and_may_be_empty(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(PARSE(&p, "--text", "--flag"), OPTIONS_OK);
    assert_string_equal(p.text, "--flag");
    assert_false(p.flag);
    assert_int_equal(PARSE(&p, "--text=a=b"), OPTIONS_OK);
    assert_string_equal(p.text, "a=b");
    assert_int_equal(PARSE(&p, "--text="), OPTIONS_OK);
    assert_string_equal(p.text, "");
    assert_int_equal(PARSE(&p, "--", "--flag"), OPTIONS_OK);
    assert_string_equal(p.argument[0], "--flag");
}

static void what_is_not_in_the_table_is_wrong(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(PARSE(&p, "--nothing"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&p, "--flag=1"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&p, "--text"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&p, "a", "b", "c"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&p, "--tex", "x"), OPTIONS_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_come_in_any_order),
        cmocka_unit_test(a_value_may_look_like_an_option_and_may_be_empty),
        cmocka_unit_test(what_is_not_in_the_table_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
