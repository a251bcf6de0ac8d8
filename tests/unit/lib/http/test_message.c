#include "lib/http/message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = arena_new(1 << 16);
    return *state == NULL;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static void a_header_is_found_in_any_case_and_the_first_wins(void **state)
{
    static const struct http_header header[] = {
        { BYTES_LITERAL("Content-Type"), BYTES_LITERAL("a/b") },
        { BYTES_LITERAL("content-type"), BYTES_LITERAL("c/d") },
    };
    struct http_request request = { .header = header, .header_count = 2 };

    (void)state;
    assert_true(bytes_is(http_header_find(&request, "CONTENT-TYPE"), "a/b"));
    assert_int_equal(http_header_count(&request, "Content-type"), 2);
    assert_null(http_header_find(&request, "Content").data);
}

static void a_query_value_is_found_and_percent_decoded(void **state)
{
    struct http_request request = {
        .query = BYTES_LITERAL("a=1&operation=PKI%4f&b&message=a+b%2B%0A/=&a=2&x=%4"), .arena = *state
    };
    struct bytes value;

    assert_true(http_query_find(&request, "operation", &value));
    assert_true(bytes_is(value, "PKIO"));
    assert_true(http_query_find(&request, "message", &value));
    assert_true(bytes_is(value, "a+b+\n/="));
    assert_true(http_query_find(&request, "a", &value));
    assert_true(bytes_is(value, "1"));
    assert_true(http_query_find(&request, "b", &value));
    assert_int_equal(value.len, 0);
    assert_false(http_query_find(&request, "c", &value));
    assert_false(http_query_find(&request, "x", &value));
    assert_true(http_query_find_raw(&request, "x", &value));
    assert_true(bytes_is(value, "%4"));
    request.query = BYTES_NONE;
    assert_false(http_query_find(&request, "a", &value));
}

static void a_malformed_escape_is_not_decoded(void **state)
{
    static const char *const bad[] = { "%", "%4", "%g0", "%0g", "a%", "%%41" };
    struct bytes out = BYTES_LITERAL("untouched");

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(http_percent_decode(*state, bytes_text(bad[i]), &out));
    assert_true(bytes_is(out, "untouched"));
    assert_true(http_percent_decode(*state, BYTES_LITERAL("%41%00"), &out));
    assert_int_equal(out.len, 2);
}

static void a_media_type_compares_without_case_and_parameters(void **state)
{
    (void)state;
    assert_true(http_media_type_is(bytes_text("Application/PKCS10 ; charset=x"), "application/pkcs10"));
    assert_true(http_media_type_is(bytes_text("application/pkcs10"), "application/pkcs10"));
    assert_false(http_media_type_is(bytes_text("application/pkcs10x"), "application/pkcs10"));
    assert_false(http_media_type_is(BYTES_NONE, "application/pkcs10"));
}

static void a_response_carries_its_type_and_retry_after(void **state)
{
    struct http_response response = http_respond_text(503, "busy\n");

    http_response_retry_after(*state, &response, 17);
    assert_int_equal(response.status, 503);
    assert_int_equal(response.header_count, 2);
    assert_true(bytes_is(response.header[0].value, "text/plain; charset=utf-8"));
    assert_true(bytes_is(response.header[1].name, "Retry-After"));
    assert_true(bytes_is(response.header[1].value, "17"));
    assert_string_equal(http_status_text(411), "Length Required");
    assert_string_equal(http_status_text(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_found_in_any_case_and_the_first_wins),
        cmocka_unit_test_setup_teardown(a_query_value_is_found_and_percent_decoded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_malformed_escape_is_not_decoded, set_up, tear_down),
        cmocka_unit_test(a_media_type_compares_without_case_and_parameters),
        cmocka_unit_test_setup_teardown(a_response_carries_its_type_and_retry_after, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
