#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/keys/keys.h"

static struct arena *arena;
static struct keys *ring;
static struct error err;
static const uint8_t first_key[32] = { 1, 2, 3 }, second_key[32] = { 4, 5, 6 };

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1024 * 1024);
    return arena != NULL && keys_new(&ring, &err) && keys_add_secrets_key(ring, "k1", first_key, &err) ? 0
                                                                                                       : -1;
}

static int teardown(void **state)
{
    (void)state;
    keys_unref(ring);
    arena_free(arena);
    return 0;
}

static struct bytes sealed(const char *plain, const char *bound_to)
{
    struct bytes out;

    assert_true(keys_seal(ring, bytes_text(plain), bytes_text(bound_to), arena, &out, &err));
    return out;
}

static bool opens(const struct keys *keys, struct bytes value, const char *bound_to, const char *expected)
{
    AUTO_STRUCT(secret) plain = { 0 };

    return keys_open(keys, value, bytes_text(bound_to), &plain, &err) &&
           bytes_is(secret_bytes(&plain), expected);
}

static void what_was_sealed_opens(void **state)
{
    (void)state;
    assert_true(opens(ring, sealed("s3cret", "r1"), "r1", "s3cret"));
    assert_true(opens(ring, sealed("", "r1"), "r1", ""));
    assert_true(opens(ring, sealed("s3cret", ""), "", "s3cret"));
}

static void the_same_secret_is_sealed_differently_each_time(void **state)
{
    (void)state;
    assert_false(bytes_equal(sealed("s3cret", "r1"), sealed("s3cret", "r1")));
}

static void a_value_moved_to_another_registration_does_not_open(void **state)
{
    (void)state;
    assert_false(opens(ring, sealed("s3cret", "r1"), "r2", "s3cret"));
    assert_int_equal(err.code, ERROR_CRYPTO);
}

static void no_byte_can_be_altered_or_cut(void **state)
{
    struct bytes value = sealed("s3cret", "r1");
    uint8_t copy[128];

    (void)state;
    assert_true(value.len <= sizeof(copy));
    for (size_t i = 0; i < value.len; i++) {
        memcpy(copy, value.data, value.len);
        copy[i] ^= 1;
        assert_false(opens(ring, bytes_of(copy, value.len), "r1", "s3cret"));
        assert_false(opens(ring, bytes_slice(value, 0, i), "r1", "s3cret"));
    }
}

static void old_keys_still_open_after_a_rotation(void **state)
{
    struct bytes old = sealed("s3cret", "r1"), fresh;
    struct keys *rotated = NULL, *only_new = NULL;

    (void)state;
    assert_true(keys_new(&rotated, &err) && keys_add_secrets_key(rotated, "k2", second_key, &err) &&
                keys_add_secrets_key(rotated, "k1", first_key, &err));
    assert_true(keys_new(&only_new, &err) && keys_add_secrets_key(only_new, "k2", second_key, &err));
    assert_true(opens(rotated, old, "r1", "s3cret"));
    assert_true(keys_seal(rotated, BYTES_LITERAL("n3w"), BYTES_LITERAL("r1"), arena, &fresh, &err));
    assert_true(opens(only_new, fresh, "r1", "n3w"));
    assert_false(opens(only_new, old, "r1", "s3cret"));
    keys_unref(rotated);
    keys_unref(only_new);
}

static void a_key_file_is_raw_or_hexadecimal(void **state)
{
    char path[] = "/tmp/muster-test-secrets-XXXXXX";
    int fd = mkstemp(path);
    struct bytes value = sealed("s3cret", "r1");
    struct keys *raw = NULL, *hex = NULL;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_true(file_write(path, BYTES_ARRAY(first_key), 0600, &err));
    assert_true(keys_new(&raw, &err) && keys_load_secrets_key(raw, "k1", path, &err));
    assert_true(opens(raw, value, "r1", "s3cret"));
    assert_true(
        file_write(path, BYTES_LITERAL("0102030000000000000000000000000000000000000000000000000000000000\n"),
                   0600, &err));
    assert_true(keys_new(&hex, &err) && keys_load_secrets_key(hex, "k1", path, &err));
    assert_true(opens(hex, value, "r1", "s3cret"));
    assert_true(file_write(path, BYTES_LITERAL("0102"), 0600, &err));
    assert_false(keys_load_secrets_key(hex, "k9", path, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    (void)unlink(path);
    keys_unref(raw);
    keys_unref(hex);
}

static void without_a_key_nothing_is_sealed(void **state)
{
    struct keys *empty = NULL;
    struct bytes out = BYTES_NONE;

    (void)state;
    assert_true(keys_new(&empty, &err));
    assert_false(keys_seal(empty, BYTES_LITERAL("s"), BYTES_LITERAL("r"), arena, &out, &err));
    assert_null(out.data);
    keys_unref(empty);
    assert_false(keys_add_secrets_key(ring, "k1", second_key, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_sealed_opens),
        TEST(the_same_secret_is_sealed_differently_each_time),
        TEST(a_value_moved_to_another_registration_does_not_open),
        TEST(no_byte_can_be_altered_or_cut),
        TEST(old_keys_still_open_after_a_rotation),
        TEST(a_key_file_is_raw_or_hexadecimal),
        TEST(without_a_key_nothing_is_sealed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
