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

static void an_hmac_key_is_base64url(void **state)
{
    static const char text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const struct {
        struct password_options given;
        size_t len; /* 0: refused */
    } rows[] = { { { .text = text }, 32 },
                 { { .text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }, 32 },
                 { { .text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ" }, 34 },
                 { { .text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd" }, 0 }, /* too short */
                 { { .text = "the password of a device, which is long enough" }, 0 },
                 { { .text = text, .generate = true }, 0 } };
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_STRUCT(secret) key = { 0 };

        assert_int_equal(password_hmac_key(&rows[i].given, &random_system, &key, &err), rows[i].len > 0);
        assert_int_equal(key.len, rows[i].len);
        for (size_t j = 0; j < key.len; j++)
            assert_int_equal(key.data[j], j);
    }
}

static void an_hmac_key_that_is_not_given_is_made(void **state)
{
    AUTO_STRUCT(secret) first = { 0 };
    AUTO_STRUCT(secret) second = { 0 };
    const struct password_options none = { 0 }, generate = { .generate = true };
    struct error err;

    (void)state;
    assert_true(password_hmac_key(&none, &random_system, &first, &err));
    assert_true(password_hmac_key(&generate, &random_system, &second, &err));
    assert_int_equal(first.len, HMAC_KEY_LEN);
    assert_int_equal(second.len, HMAC_KEY_LEN);
    assert_false(bytes_equal(secret_bytes(&first), secret_bytes(&second)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_given_is_none),
        cmocka_unit_test(two_sources_are_one_too_many),
        cmocka_unit_test(a_generated_one_is_long_plain_and_never_the_same),
        cmocka_unit_test(an_hmac_key_is_base64url),
        cmocka_unit_test(an_hmac_key_that_is_not_given_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
