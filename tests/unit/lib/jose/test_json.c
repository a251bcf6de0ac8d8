#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/jose/json.h"

static bool reads(const char *text)
{
    AUTO(json_t) *value = json_read(bytes_text(text));

    return value != NULL;
}

static void one_object_is_read_and_nothing_else(void **state)
{
    (void)state;
    assert_true(reads("{\"a\":1}"));
    assert_true(reads(" {} "));
    assert_false(reads(""));
    assert_false(reads("[]"));
    assert_false(reads("\"a\""));
    assert_false(reads("{} {}"));
    assert_false(reads("{\"a\":1"));
}

static void a_member_given_twice_is_refused(void **state)
{
    (void)state;
    assert_false(reads("{\"a\":1,\"a\":1}"));
    assert_false(reads("{\"b\":{\"a\":1,\"a\":2}}"));
    assert_false(reads("{\"a\":1,\"\\u0061\":1}"));
}

static void nul_and_broken_utf8_are_refused(void **state)
{
    (void)state;
    assert_false(reads("{\"a\":\"\\u0000\"}"));
    assert_false(reads("{\"a\":\"\xff\"}"));
    assert_false(reads("{\"a\":\"\\ud800\"}"));
}

static void what_is_too_large_is_refused_unread(void **state)
{
    static char text[JSON_READ_MAX + 2];

    (void)state;
    memset(text, ' ', sizeof(text));
    text[0] = '{';
    text[1] = '}';
    assert_null(json_read(bytes_of(text, sizeof(text))));
}

static bool reads_nested(size_t depth)
{
    char text[4096] = "{\"a\":\"[[{\\\"[\",\"b\":";
    size_t at = strlen(text);

    memset(text + at, '[', depth - 1);
    memset(text + at + depth - 1, ']', depth - 1);
    text[at + 2 * (depth - 1)] = '}';
    return reads(text);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    assert_true(reads_nested(JSON_DEPTH_MAX)); /* brackets in strings do not count */
    assert_false(reads_nested(JSON_DEPTH_MAX + 1));
    assert_false(reads_nested(1500));
    assert_true(reads("{\"a\":[[]],\"b\":[[]],\"c\":{\"d\":[[],[]]}}"));
}

static void written_twice_it_is_the_same_text(void **state)
{
    AUTO(json_t) *value = json_read(BYTES_LITERAL("{ \"b\": [1, true], \"a\": \"x\" }"));
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct bytes text;

    (void)state;
    assert_true(json_write(value, arena, &text));
    assert_true(bytes_is(text, "{\"a\":\"x\",\"b\":[1,true]}"));
}

static void members_of_nothing_are_nothing(void **state)
{
    (void)state;
    assert_null(json_member(NULL, "a").data);
    assert_false(json_put(NULL, "a", json_string("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_object_is_read_and_nothing_else),
        cmocka_unit_test(a_member_given_twice_is_refused),
        cmocka_unit_test(nul_and_broken_utf8_are_refused),
        cmocka_unit_test(what_is_too_large_is_refused_unread),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(written_twice_it_is_the_same_text),
        cmocka_unit_test(members_of_nothing_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
