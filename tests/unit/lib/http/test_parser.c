#include "lib/http/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct http_limits limits = {
    .target_max = 256, .head_max = 2048, .body_max = 1024, .header_max = 32
};

struct outcome {
    enum http_parse result;
    struct http_parser parser;
    struct http_request request;
    struct arena *arena;
};

/* Feeds `input` in the steps given by `split` (0: whole; SIZE_MAX: octet by octet), each time from another
 * piece of memory of exactly that size, as a growing buffer would. */
static struct outcome parse_split(struct bytes input, size_t split)
{
    struct outcome o = { .arena = arena_new(1 << 20) };
    size_t at = split == 0 ? input.len : split == SIZE_MAX ? 1 : split;

    assert_non_null(o.arena);
    http_parser_init(&o.parser, &limits);
    for (;;) {
        uint8_t *copy = malloc(at + 1);

        assert_non_null(copy);
        memcpy(copy, input.data, at);
        o.result = http_parse_request(&o.parser, bytes_of(copy, at), o.arena, &o.request);
        memset(copy, 'X', at);
        free(copy);
        if (o.result == HTTP_PARSE_REFUSED || o.result == HTTP_PARSE_DONE || at == input.len)
            return o;
        at = split == SIZE_MAX ? at + 1 : input.len;
    }
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->result, b->result);
    if (a->result == HTTP_PARSE_REFUSED) {
        assert_int_equal(a->parser.status, b->parser.status);
        assert_string_equal(a->parser.reason, b->parser.reason);
    }
    if (a->result != HTTP_PARSE_DONE)
        return;
    assert_int_equal(a->parser.consumed, b->parser.consumed);
    assert_int_equal(a->parser.keep_alive, b->parser.keep_alive);
    assert_int_equal(a->parser.expects_continue, b->parser.expects_continue);
    assert_int_equal(a->request.method, b->request.method);
    assert_true(bytes_equal(a->request.path, b->request.path));
    assert_true(bytes_equal(a->request.query, b->request.query));
    assert_true(bytes_equal(a->request.body, b->request.body));
    assert_int_equal(a->request.header_count, b->request.header_count);
    for (size_t i = 0; i < a->request.header_count; i++) {
        assert_true(bytes_equal(a->request.header[i].name, b->request.header[i].name));
        assert_true(bytes_equal(a->request.header[i].value, b->request.header[i].value));
    }
}

/* Parses the whole, and checks that every split of it gives the same. */
static struct outcome parse_bytes(struct bytes input)
{
    struct outcome whole = parse_split(input, 0), part;

    for (size_t split = 1; split <= input.len; split += input.len > 1000 ? 37 : 1) {
        part = parse_split(input, split);
        assert_same(&whole, &part);
        arena_free(part.arena);
    }
    part = parse_split(input, SIZE_MAX);
    assert_same(&whole, &part);
    arena_free(part.arena);
    return whole;
}

static struct outcome parse(const char *text)
{
    return parse_bytes(bytes_text(text));
}

static void refuses_bytes(struct bytes input, int status)
{
    struct outcome o = parse_bytes(input);

    assert_int_equal(o.result, HTTP_PARSE_REFUSED);
    assert_int_equal(o.parser.status, status);
    assert_non_null(o.parser.reason);
    arena_free(o.arena);
}

static void refuses(const char *text, int status)
{
    refuses_bytes(bytes_text(text), status);
}

static void wants_more(const char *text, enum http_parse as)
{
    struct outcome o = parse(text);

    assert_int_equal(o.result, as);
    arena_free(o.arena);
}

static struct outcome accepts(const char *text)
{
    struct outcome o = parse(text);

    if (o.result == HTTP_PARSE_REFUSED)
        fail_msg("refused: %d %s", o.parser.status, o.parser.reason);
    assert_int_equal(o.result, HTTP_PARSE_DONE);
    return o;
}

static void accepts_body(const char *text, const char *body)
{
    struct outcome o = accepts(text);

    assert_true(bytes_is(o.request.body, body));
    assert_int_equal(o.parser.consumed, strlen(text));
    arena_free(o.arena);
}

#define HOST         "Host: ra.example.com\r\n"
#define GET(headers) "GET / HTTP/1.1\r\n" HOST headers "\r\n"
#define TARGET(t)    "GET " t " HTTP/1.1\r\n" HOST "\r\n"
#define POST(more)   "POST /p HTTP/1.1\r\n" HOST more
#define CHUNKED(b)   POST("Transfer-Encoding: chunked\r\n\r\n" b)

/* --- What is a request --- */

static void a_get_request_has_method_path_query_and_headers(void **state)
{
    struct outcome o = accepts("GET /scep/p/pkiclient.exe?operation=GetCACaps&message=0 HTTP/1.1\r\n" HOST
                               "X-A:  b c\t\r\nX-A:\r\n\r\nleft over");

    (void)state;
    assert_int_equal(o.request.method, HTTP_METHOD_GET);
    assert_true(bytes_is(o.request.method_text, "GET"));
    assert_true(bytes_is(o.request.path, "/scep/p/pkiclient.exe"));
    assert_true(bytes_is(o.request.query, "operation=GetCACaps&message=0"));
    assert_int_equal(o.request.minor_version, 1);
    assert_int_equal(o.request.header_count, 3);
    assert_int_equal(http_header_count(&o.request, "x-a"), 2);
    assert_true(bytes_is(http_header_find(&o.request, "x-a"), "b c"));
    assert_true(bytes_is(o.request.header[2].value, ""));
    assert_int_equal(o.request.body.len, 0);
    assert_true(o.parser.keep_alive);
    arena_free(o.arena);
}

static void a_pipelined_second_request_is_not_consumed(void **state)
{
    static const char first[] = POST("Content-Length: 3\r\n\r\nabc");
    static const char both[] = POST("Content-Length: 3\r\n\r\nabc") GET("");
    struct outcome o = accepts(both);

    (void)state;
    assert_int_equal(o.parser.consumed, sizeof(first) - 1);
    assert_true(bytes_is(o.request.body, "abc"));
    arena_free(o.arena);
}

static void one_empty_line_before_the_request_is_skipped_two_are_not(void **state)
{
    struct outcome o = accepts("\r\n" GET(""));

    (void)state;
    assert_int_equal(o.parser.consumed, strlen("\r\n" GET("")));
    arena_free(o.arena);
    refuses("\r\n\r\n" GET(""), 400);
}

static void an_unknown_method_is_a_request_of_method_other(void **state)
{
    struct outcome o = accepts("BREW /pot HTTP/1.1\r\n" HOST "\r\n");

    (void)state;
    assert_int_equal(o.request.method, HTTP_METHOD_OTHER);
    assert_true(bytes_is(o.request.method_text, "BREW"));
    arena_free(o.arena);
    o = accepts("get / HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(o.request.method, HTTP_METHOD_OTHER);
    arena_free(o.arena);
    refuses("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMN / HTTP/1.1\r\n" HOST "\r\n", 501);
}

static void keep_alive_follows_version_and_connection_header(void **state)
{
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        { GET(""), true },
        { GET("Connection: close\r\n"), false },
        { GET("Connection: x, Close\r\n"), false },
        { GET("Connection: keep-alive\r\nConnection: close\r\n"), false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct outcome o = accepts(rows[i].text);

        assert_int_equal(o.parser.keep_alive, rows[i].keep);
        arena_free(o.arena);
    }
}

static void the_absolute_form_is_taken_when_its_authority_is_the_host(void **state)
{
    struct outcome o = accepts("GET http://RA.example.com/a?b HTTP/1.1\r\n" HOST "\r\n");

    (void)state;
    assert_true(bytes_is(o.request.path, "/a"));
    assert_true(bytes_is(o.request.query, "b"));
    arena_free(o.arena);
    o = accepts("GET https://ra.example.com?b HTTP/1.1\r\n" HOST "\r\n");
    assert_true(bytes_is(o.request.path, "/"));
    assert_true(bytes_is(o.request.query, "b"));
    arena_free(o.arena);
    refuses(TARGET("http://evil.example.com/a"), 400);
    refuses(TARGET("http:///a"), 400);
    refuses(TARGET("http://u:p@ra.example.com/a"), 400);
    refuses(TARGET("ftp://ra.example.com/a"), 400);
    refuses(TARGET("ra.example.com:443"), 400);
    refuses(TARGET("*"), 400);
    refuses(TARGET("a/b"), 400);
}

static void a_body_of_content_length_is_copied(void **state)
{
    (void)state;
    accepts_body(POST("Content-Length: 5\r\n\r\nhello"), "hello");
    accepts_body(POST("Content-Length: 005\r\n\r\nhello"), "hello");
    accepts_body(POST("Content-Length: 0\r\n\r\n"), "");
    wants_more(POST("Content-Length: 5\r\n\r\nhell"), HTTP_PARSE_HEAD);
    wants_more(POST("Content-Length: 5\r\n"), HTTP_PARSE_MORE);
}

static void a_chunked_body_is_decoded_and_extensions_and_trailers_dropped(void **state)
{
    (void)state;
    accepts_body(CHUNKED("5\r\nhello\r\n0\r\n\r\n"), "hello");
    accepts_body(CHUNKED("5;a=b\r\nhello\r\n6 ;c=\"d\"\r\n world\r\n000\r\nX-T: y\r\n\r\n"), "hello world");
    accepts_body(CHUNKED("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), "01234567890123456789");
    accepts_body(CHUNKED("0\r\n\r\n"), "");
    accepts_body(POST("Transfer-Encoding: CHUNKED\r\n\r\n1\r\n\n\r\n0\r\n\r\n"), "\n");
    wants_more(CHUNKED("5\r\nhello\r\n0\r\n"), HTTP_PARSE_HEAD);
}

static void expect_100_continue_is_asked_for_when_a_body_is_to_come(void **state)
{
    struct outcome o = parse(POST("Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"));

    (void)state;
    assert_int_equal(o.result, HTTP_PARSE_HEAD);
    assert_true(o.parser.expects_continue);
    assert_true(bytes_is(o.request.path, "/p"));
    arena_free(o.arena);
    o = accepts("POST / HTTP/1.0\r\nExpect: 200-maybe\r\nContent-Length: 1\r\n\r\nx");
    assert_false(o.parser.expects_continue);
    arena_free(o.arena);
    refuses(POST("Expect: 200-maybe\r\nContent-Length: 1\r\n\r\nx"), 417);
    refuses(POST("Expect: 100-continue\r\nContent-Length: 9999\r\n\r\n"), 413);
}

/* --- The hostile list --- */

static void a_chunk_size_with_0x_is_refused(void **state)
{
    (void)state;
    refuses(CHUNKED("0x5\r\nhello\r\n0\r\n\r\n"), 400);
}

static void a_chunk_size_with_plus_is_refused(void **state)
{
    (void)state;
    refuses(CHUNKED("+5\r\nhello\r\n0\r\n\r\n"), 400);
}

static void a_chunk_size_after_a_blank_is_refused(void **state)
{
    (void)state;
    refuses(CHUNKED(" 5\r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED("5 \r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED("5 5\r\nhello\r\n0\r\n\r\n"), 400);
}

static void a_chunk_size_of_minus_zero_is_refused(void **state)
{
    (void)state;
    refuses(CHUNKED("-0\r\n\r\n"), 400);
    refuses(CHUNKED("-5\r\nhello\r\n0\r\n\r\n"), 400);
}

static void an_empty_or_endless_chunk_size_is_refused(void **state)
{
    (void)state;
    refuses(CHUNKED("\r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED(";x\r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED("g\r\n"), 400);
    refuses(CHUNKED("00000000000000000000000000005\r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED("fffffffffffffff\r\nhello\r\n0\r\n\r\n"), 413);
}

static void chunk_data_longer_or_shorter_than_its_size_is_refused(void **state)
{
    (void)state;
    refuses(CHUNKED("4\r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED("6\r\nhello\r\n0\r\n\r\n"), 400);
    refuses(CHUNKED("5\r\nhello0\r\n\r\n"), 400);
    refuses(CHUNKED("5\nhello\r\n0\r\n\r\n"), 400);
}

static void two_content_lengths_are_refused(void **state)
{
    (void)state;
    refuses(POST("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400);
    refuses(POST("Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 400);
    refuses(POST("Content-Length: 5, 5\r\n\r\nhello"), 400);
}

static void a_content_length_with_a_sign_or_junk_is_refused(void **state)
{
    (void)state;
    refuses(POST("Content-Length: +5\r\n\r\nhello"), 400);
    refuses(POST("Content-Length: -5\r\n\r\nhello"), 400);
    refuses(POST("Content-Length: 0x5\r\n\r\nhello"), 400);
    refuses(POST("Content-Length: 5 5\r\n\r\nhello"), 400);
    refuses(POST("Content-Length:\r\n\r\nhello"), 400);
}

static void an_oversized_content_length_is_refused_as_too_large(void **state)
{
    (void)state;
    refuses(POST("Content-Length: 1025\r\n\r\n"), 413);
    refuses(POST("Content-Length: 18446744073709551616\r\n\r\n"), 413);
    refuses(POST("Content-Length: 99999999999999999999999999999999\r\n\r\n"), 413);
    wants_more(POST("Content-Length: 1024\r\n\r\n"), HTTP_PARSE_HEAD);
}

static void a_body_that_grows_over_the_limit_by_chunks_is_refused(void **state)
{
    (void)state;
    wants_more(CHUNKED("400\r\n"), HTTP_PARSE_HEAD);
    refuses(CHUNKED("401\r\n"), 413);
    refuses(CHUNKED("1\r\nx\r\n400\r\n"), 413);
}

static void another_transfer_coding_than_chunked_is_refused(void **state)
{
    (void)state;
    refuses(POST("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 501);
    refuses(POST("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501);
    refuses(POST("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), 501);
    refuses(POST("Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), 501);
    refuses(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
    refuses("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

static void both_framings_at_once_are_refused(void **state)
{
    (void)state;
    refuses(POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 400);
    refuses(POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

static void a_nul_or_control_in_a_header_value_is_refused(void **state)
{
    static const char nul[] = "GET / HTTP/1.1\r\n" HOST "X: admin\0evil\r\n\r\n";

    (void)state;
    refuses_bytes(bytes_of(nul, sizeof(nul) - 1), 400);
    refuses(GET("X: a\x01\x62\r\n"), 400);
    refuses(GET("X: a\x7f\r\n"), 400);
    refuses(GET("X: a\rb\r\n"), 400);
}

static void a_blank_before_the_colon_is_refused(void **state)
{
    (void)state;
    refuses(GET("X : a\r\n"), 400);
    refuses("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400);
    refuses(POST("Content-Length\t: 5\r\n\r\nhello"), 400);
}

static void an_empty_or_control_header_name_is_refused(void **state)
{
    (void)state;
    refuses(GET(": a\r\n"), 400);
    refuses(GET("X\x01: a\r\n"), 400);
    refuses(GET("X\x80: a\r\n"), 400);
    refuses(GET("X(y): a\r\n"), 400);
    refuses(GET("no colon\r\n"), 400);
}

static void a_folded_header_is_refused(void **state)
{
    (void)state;
    refuses(GET("X: a\r\n b\r\n"), 400);
    refuses(GET("X: a\r\n\tb: c\r\n"), 400);
    refuses("GET / HTTP/1.1\r\n " HOST "\r\n", 400);
}

static void a_bare_lf_is_refused(void **state)
{
    (void)state;
    refuses("GET / HTTP/1.1\nHost: a\n\n", 400);
    refuses("GET / HTTP/1.1\r\nHost: a\n\r\n", 400);
    refuses("GET / HTTP/1.1\r\nHost: a\r\n\n", 400);
    refuses("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    refuses("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400);
}

static void a_blank_or_control_in_the_target_is_refused(void **state)
{
    (void)state;
    refuses(TARGET("/a b"), 400);
    refuses(TARGET("/a\tb"), 400);
    refuses(TARGET("/a\x01"), 400);
    refuses(TARGET("/a\x7f"), 400);
    refuses(TARGET("/a\xc3\xa4"), 400);
    refuses(TARGET("/a#b"), 400);
    refuses(TARGET("/a\\b"), 400);
    refuses("GET  / HTTP/1.1\r\n" HOST "\r\n", 400);
    refuses("GET /  HTTP/1.1\r\n" HOST "\r\n", 400);
    refuses(" GET / HTTP/1.1\r\n" HOST "\r\n", 400);
}

static void http_1_9_and_other_versions_are_refused(void **state)
{
    (void)state;
    refuses("GET / HTTP/1.9\r\n" HOST "\r\n", 505);
    refuses("GET / HTTP/2.0\r\n" HOST "\r\n", 505);
    refuses("GET / HTTP/0.9\r\n" HOST "\r\n", 505);
    refuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    refuses("GET / HTTP/1.10\r\n" HOST "\r\n", 400);
    refuses("GET / http/1.1\r\n" HOST "\r\n", 400);
    refuses("GET / HTTP/1.1 \r\n" HOST "\r\n", 400);
    refuses("GET /\r\n\r\n", 400);
}

static void http_1_1_without_host_is_refused(void **state)
{
    struct outcome o = accepts("GET / HTTP/1.0\r\n\r\n");

    (void)state;
    assert_int_equal(o.request.minor_version, 0);
    arena_free(o.arena);
    refuses("GET / HTTP/1.1\r\n\r\n", 400);
}

static void two_hosts_are_refused(void **state)
{
    (void)state;
    refuses("GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400);
    refuses("GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400);
}

static void a_malformed_host_is_refused(void **state)
{
    static const char *const bad[] = { "a/b", "a b", "u@a", "a:b", "a:99999", "[::1", "[]", ":80" };
    static const char *const good[] = { "a", "a:", "a:8080", "[::1]:80", "10.0.0.1", "" };
    char text[128];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", bad[i]);
        refuses(text, 400);
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct outcome o;

        (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", good[i]);
        o = accepts(text);
        arena_free(o.arena);
    }
}

/* A buffer that tests fill by repetition. */
static struct bytes repeated(char *out, const char *head, const char *line, size_t times, const char *tail)
{
    size_t len = strlen(head);

    memcpy(out, head, len);
    for (size_t i = 0; i < times; i++, len += strlen(line))
        memcpy(out + len, line, strlen(line));
    memcpy(out + len, tail, strlen(tail));
    return bytes_of(out, len + strlen(tail));
}

static void thousands_of_headers_are_refused(void **state)
{
    static char text[20000];

    (void)state;
    refuses_bytes(repeated(text, "GET / HTTP/1.1\r\n" HOST, "a:\r\n", 3900, "\r\n"), 431);
    refuses_bytes(repeated(text, "GET / HTTP/1.1\r\n" HOST, "a:\r\n", 32, "\r\n"), 431);
    refuses_bytes(repeated(text, "GET / HTTP/1.1\r\n" HOST "a: ", "bbbbbbbbbb", 300, "\r\n\r\n"), 431);
}

static void a_target_that_is_too_long_is_refused(void **state)
{
    static char text[20000];

    (void)state;
    refuses_bytes(repeated(text, "GET /", "a", 256, " HTTP/1.1\r\n" HOST "\r\n"), 414);
    refuses_bytes(repeated(text, "GET /", "a", 9000, ""), 414);
}

static void a_flood_of_chunk_extensions_is_refused(void **state)
{
    static char text[300000];

    (void)state;
    refuses_bytes(repeated(text, CHUNKED("1;"), "x", 1000, "\r\n"), 400);
    refuses_bytes(repeated(text, CHUNKED("1;"), "x", 1000, ""), 400);
}

static void a_flood_of_tiny_chunks_with_extensions_is_refused(void **state)
{
    static char text[300000];
    char line[260] = "1;";
    struct outcome o;

    (void)state;
    memset(line + 2, 'x', 200);
    memcpy(line + 202, "\r\nA\r\n", 6);
    o = parse_split(repeated(text, CHUNKED(""), line, 900, "0\r\n\r\n"), 0);
    assert_int_equal(o.result, HTTP_PARSE_REFUSED);
    assert_int_equal(o.parser.status, 400);
    arena_free(o.arena);
}

static void a_flood_of_trailers_is_refused(void **state)
{
    static char text[20000];

    (void)state;
    refuses_bytes(repeated(text, CHUNKED("0\r\n"), "a: b\r\n", 2000, "\r\n"), 431);
    refuses_bytes(repeated(text, CHUNKED("0\r\na: "), "b", 9000, "\r\n\r\n"), 431);
    refuses(CHUNKED("0\r\na : b\r\n\r\n"), 400);
}

static void a_post_without_length_is_refused(void **state)
{
    (void)state;
    refuses(POST("\r\n"), 411);
    refuses("POST / HTTP/1.0\r\n\r\n", 411);
    refuses("PUT / HTTP/1.1\r\n" HOST "\r\n", 411);
}

/* --- Limits of memory --- */

static void without_memory_a_request_is_refused_at_every_allocation(void **state)
{
    struct bytes input = bytes_text(POST("Content-Length: 5\r\n\r\nhello"));

    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        struct outcome o = { .arena = arena_new(1 << 20) };

        arena_fail_after(o.arena, n);
        http_parser_init(&o.parser, &limits);
        o.result = http_parse_request(&o.parser, input, o.arena, &o.request);
        assert_int_equal(o.result, HTTP_PARSE_REFUSED);
        assert_int_equal(o.parser.status, 503);
        arena_free(o.arena);
    }
}

static void no_accepted_request_is_longer_than_input_max(void **state)
{
    struct http_limits small = { .target_max = 16, .head_max = 100, .body_max = 40000, .header_max = 4 };
    AUTO_ARENA *arena = arena_new(1 << 20);
    static char text[1000000];
    struct http_parser parser;
    struct http_request request;
    struct bytes input = repeated(text, CHUNKED(""), "1;xxxx\r\nA\r\n", 40000, "0\r\n\r\n");

    (void)state;
    http_parser_init(&parser, &small);
    assert_int_equal(http_parse_request(&parser, input, arena, &request), HTTP_PARSE_REFUSED);
    assert_int_equal(parser.status, 400);
    assert_true(parser.scanned <= http_input_max(&small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_request_has_method_path_query_and_headers),
        cmocka_unit_test(a_pipelined_second_request_is_not_consumed),
        cmocka_unit_test(one_empty_line_before_the_request_is_skipped_two_are_not),
        cmocka_unit_test(an_unknown_method_is_a_request_of_method_other),
        cmocka_unit_test(keep_alive_follows_version_and_connection_header),
        cmocka_unit_test(the_absolute_form_is_taken_when_its_authority_is_the_host),
        cmocka_unit_test(a_body_of_content_length_is_copied),
        cmocka_unit_test(a_chunked_body_is_decoded_and_extensions_and_trailers_dropped),
        cmocka_unit_test(expect_100_continue_is_asked_for_when_a_body_is_to_come),
        cmocka_unit_test(a_chunk_size_with_0x_is_refused),
        cmocka_unit_test(a_chunk_size_with_plus_is_refused),
        cmocka_unit_test(a_chunk_size_after_a_blank_is_refused),
        cmocka_unit_test(a_chunk_size_of_minus_zero_is_refused),
        cmocka_unit_test(an_empty_or_endless_chunk_size_is_refused),
        cmocka_unit_test(chunk_data_longer_or_shorter_than_its_size_is_refused),
        cmocka_unit_test(two_content_lengths_are_refused),
        cmocka_unit_test(a_content_length_with_a_sign_or_junk_is_refused),
        cmocka_unit_test(an_oversized_content_length_is_refused_as_too_large),
        cmocka_unit_test(a_body_that_grows_over_the_limit_by_chunks_is_refused),
        cmocka_unit_test(another_transfer_coding_than_chunked_is_refused),
        cmocka_unit_test(both_framings_at_once_are_refused),
        cmocka_unit_test(a_nul_or_control_in_a_header_value_is_refused),
        cmocka_unit_test(a_blank_before_the_colon_is_refused),
        cmocka_unit_test(an_empty_or_control_header_name_is_refused),
        cmocka_unit_test(a_folded_header_is_refused),
        cmocka_unit_test(a_bare_lf_is_refused),
        cmocka_unit_test(a_blank_or_control_in_the_target_is_refused),
        cmocka_unit_test(http_1_9_and_other_versions_are_refused),
        cmocka_unit_test(http_1_1_without_host_is_refused),
        cmocka_unit_test(two_hosts_are_refused),
        cmocka_unit_test(a_malformed_host_is_refused),
        cmocka_unit_test(thousands_of_headers_are_refused),
        cmocka_unit_test(a_target_that_is_too_long_is_refused),
        cmocka_unit_test(a_flood_of_chunk_extensions_is_refused),
        cmocka_unit_test(a_flood_of_tiny_chunks_with_extensions_is_refused),
        cmocka_unit_test(a_flood_of_trailers_is_refused),
        cmocka_unit_test(a_post_without_length_is_refused),
        cmocka_unit_test(without_memory_a_request_is_refused_at_every_allocation),
        cmocka_unit_test(no_accepted_request_is_longer_than_input_max),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
