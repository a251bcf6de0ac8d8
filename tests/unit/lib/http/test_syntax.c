#include "lib/http/syntax_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_token_is_what_rfc_9110_5_6_2_says(void **state)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~";

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t octet = (uint8_t)c;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool expected = letter || (c != 0 && c < 128 && strchr(allowed, (int)c) != NULL);

        assert_int_equal(http_is_token(bytes_of(&octet, 1)), expected);
    }
    assert_false(http_is_token(BYTES_NONE));
    assert_false(http_is_token(BYTES_LITERAL("a b")));
}

static void an_authority_is_a_host_and_perhaps_a_port(void **state)
{
    static const char *const good[] = { "a",  "a.b:1", "a:", "[::1]", "[2001:db8::1]:443", "10.0.0.1:65535",
                                        "%41" };
    static const char *const bad[] = { "",     ":1", "a:b",      "a:65536", "a:1:2", "u@a", "a/b",
                                       "[::1", "[]", "[::1]x:1", "[a b]",   "a b",   "a?",  "\x80" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(http_is_authority(bytes_text(good[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(http_is_authority(bytes_text(bad[i])));
}

static void a_target_splits_into_authority_path_and_query(void **state)
{
    struct http_target t;

    (void)state;
    assert_true(http_target_split(BYTES_LITERAL("/a/%20b;c=d?e=f?g"), &t));
    assert_true(bytes_is(t.path, "/a/%20b;c=d") && bytes_is(t.query, "e=f?g"));
    assert_int_equal(t.authority.len, 0);
    assert_true(http_target_split(BYTES_LITERAL("HTTP://h:80?/x"), &t));
    assert_true(bytes_is(t.authority, "h:80") && bytes_is(t.path, "/") && bytes_is(t.query, "/x"));
    assert_true(http_target_split(BYTES_LITERAL("/"), &t));
    assert_null(t.query.data);
    assert_true(http_target_split(BYTES_LITERAL("/?"), &t));
    assert_true(t.query.data != NULL && t.query.len == 0);
}

static void a_target_of_another_form_or_character_is_refused(void **state)
{
    static const char *const bad[] = { "",          "*",    "a",     "a:1",     "http://",      "http:///a",
                                       "ftp://h/a", "/a b", "/\x7f", "/a?\x80", "http://u@h/a", "/<>",
                                       "/a?{}",     "/a#b" };
    struct http_target t = { .path = BYTES_LITERAL("untouched") };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(http_target_split(bytes_text(bad[i]), &t));
    assert_true(bytes_is(t.path, "untouched"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_what_rfc_9110_5_6_2_says),
        cmocka_unit_test(an_authority_is_a_host_and_perhaps_a_port),
        cmocka_unit_test(a_target_splits_into_authority_path_and_query),
        cmocka_unit_test(a_target_of_another_form_or_character_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
