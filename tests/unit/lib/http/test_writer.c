#include "lib/http/writer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_written(const struct http_response *response, bool head_only, bool close, const char *text)
{
    AUTO_STRUCT(buffer) out = BUFFER(4096);

    http_write_response(&out, response, 784111777, head_only, close);
    assert_false(buffer_failed(&out));
    buffer_append_byte(&out, 0);
    assert_string_equal((const char *)out.data, text);
}

static void head_and_body_are_one_piece_with_date_and_length(void **state)
{
    struct http_response response = http_respond(200, "application/x-pki-message", BYTES_LITERAL("abc"));

    (void)state;
    assert_written(&response, false, false,
                   "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Content-Type: application/x-pki-message\r\nContent-Length: 3\r\n"
                   "Connection: keep-alive\r\n\r\nabc");
}

static void a_head_reply_has_the_length_without_the_body(void **state)
{
    struct http_response response = http_respond(404, NULL, BYTES_LITERAL("abc"));

    (void)state;
    assert_written(&response, true, true,
                   "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Content-Length: 3\r\nConnection: close\r\n\r\n");
}

static void a_204_has_neither_body_nor_length(void **state)
{
    struct http_response response = http_respond(204, NULL, BYTES_LITERAL("abc"));

    (void)state;
    assert_written(&response, false, false,
                   "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Connection: keep-alive\r\n\r\n");
}

static void an_empty_body_has_length_zero(void **state)
{
    struct http_response response = http_respond(401, NULL, BYTES_NONE);

    (void)state;
    assert_written(&response, false, false,
                   "HTTP/1.1 401 Unauthorized\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

static void what_does_not_fit_marks_the_buffer(void **state)
{
    struct http_response response = http_respond(200, NULL, BYTES_LITERAL("abc"));
    AUTO_STRUCT(buffer) out = BUFFER(20);

    (void)state;
    http_write_response(&out, &response, 0, false, false);
    assert_true(buffer_failed(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_and_body_are_one_piece_with_date_and_length),
        cmocka_unit_test(a_head_reply_has_the_length_without_the_body),
        cmocka_unit_test(a_204_has_neither_body_nor_length),
        cmocka_unit_test(an_empty_body_has_length_zero),
        cmocka_unit_test(what_does_not_fit_marks_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
