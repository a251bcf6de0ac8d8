#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/password.h"

static void none_given_is_none(void **state)
{
    struct secret secret;
    struct error err;

    (void)state;
    assert_true(password_get(&(struct password_options){ 0 }, &random_system, &secret, &err));
    assert_int_equal(secret.len, 0);
}

static void two_sources_are_one_too_many(void **state)
{
    struct secret secret;
    struct error err;

    (void)state;
    assert_false(password_get(&(struct password_options){ .text = "x", .generate = true }, &random_system,
                              &secret, &err));
    assert_false(password_get(&(struct password_options){ .text = "" }, &random_system, &secret, &err));
    assert_false(
        password_get(&(struct password_options){ .file = "/nowhere/at/all" }, &random_system, &secret, &err));
}

static void a_generated_one_is_long_plain_and_never_the_same(void **state)
{
    AUTO_STRUCT(secret) first = { 0 };
    AUTO_STRUCT(secret) second = { 0 };
    const struct password_options generate = { .generate = true };
    struct error err;

    (void)state;
    assert_true(password_get(&generate, &random_system, &first, &err));
    assert_true(password_get(&generate, &random_system, &second, &err));
    assert_int_equal(first.len, PASSWORD_GENERATED_LEN);
    assert_false(bytes_equal(secret_bytes(&first), secret_bytes(&second)));
    for (size_t i = 0; i < first.len; i++)
        assert_true((first.data[i] >= 'a' && first.data[i] <= 'z') ||
                    (first.data[i] >= '2' && first.data[i] <= '9'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_given_is_none),
        cmocka_unit_test(two_sources_are_one_too_many),
        cmocka_unit_test(a_generated_one_is_long_plain_and_never_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
