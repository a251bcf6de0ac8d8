#include "lib/net/proxy_protocol_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* The whole decides; every prefix of what is accepted wants more. */
static enum proxy_parse parse(struct bytes input, struct proxy_header *header, size_t *consumed)
{
    enum proxy_parse result = proxy_parse(input, header, consumed), part;
    struct proxy_header ignored;
    size_t ignored_len;

    if (result != PROXY_DONE)
        return result;
    for (size_t len = 0; len < *consumed; len++) {
        part = proxy_parse(bytes_slice(input, 0, len), &ignored, &ignored_len);
        assert_int_equal(part, PROXY_MORE);
    }
    return result;
}

static void accepts(struct bytes input, size_t header_len, const char *address, uint16_t port)
{
    struct proxy_header header;
    char text[IP_TEXT_LEN];
    size_t consumed;

    assert_int_equal(parse(input, &header, &consumed), PROXY_DONE);
    assert_int_equal(consumed, header_len);
    ip_format(&header.client, text);
    assert_string_equal(text, address);
    assert_int_equal(header.port, port);
}

static void refuses(struct bytes input)
{
    struct proxy_header header;
    size_t consumed;

    assert_int_equal(parse(input, &header, &consumed), PROXY_REFUSED);
}

static void version_1_tells_the_client(void **state)
{
    static const char four[] = "PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n";
    static const char six[] = "PROXY TCP6 2001:db8::1 2001:db8::2 65535 1\r\n";

    (void)state;
    accepts(BYTES_LITERAL("PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\nGET"), strlen(four), "192.0.2.1",
            51000);
    accepts(BYTES_LITERAL(six), strlen(six), "2001:db8::1", 65535);
}

static void version_1_unknown_keeps_the_socket_address(void **state)
{
    (void)state;
    accepts(BYTES_LITERAL("PROXY UNKNOWN\r\n"), 15, "", 0);
    accepts(BYTES_LITERAL("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), 35, "", 0);
}

static void malformed_version_1_is_refused(void **state)
{
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\n",
        "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
        "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        "PROXY TCP4 2001:db8::1 5.6.7.8 1 2\r\n",
        "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY \n",
        "PROXY TCP6 "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaa",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        refuses(bytes_text(bad[i]));
}

static void version_2_tells_the_client_and_skips_extensions(void **state)
{
    (void)state;
    accepts(BYTES_LITERAL(V2 "\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x30\x39\x01\xbb\x16\x03"), 28,
            "192.0.2.7", 12345);
    accepts(BYTES_LITERAL(V2 "\x21\x11\0\x10\xc0\0\x02\x07\x0a\0\0\x01\x30\x39\x01\xbb\x04\0\x01x"), 32,
            "192.0.2.7", 12345);
    accepts(BYTES_LITERAL(V2 "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05"
                             "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x06\x30\x39\x01\xbb"),
            52, "2001:db8::5", 12345);
}

static void version_2_local_or_unspecified_keeps_the_socket_address(void **state)
{
    (void)state;
    accepts(BYTES_LITERAL(V2 "\x20\0\0\0"), 16, "", 0);
    accepts(BYTES_LITERAL(V2 "\x21\0\0\x03xyz"), 19, "", 0);
}

static void malformed_version_2_is_refused(void **state)
{
    (void)state;
    refuses(BYTES_LITERAL(V2 "\x11\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x30\x39\x01\xbb")); /* version 1 */
    refuses(BYTES_LITERAL(V2 "\x22\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x30\x39\x01\xbb")); /* command 2 */
    refuses(BYTES_LITERAL(V2 "\x21\x11\0\x0b\xc0\0\x02\x07\x0a\0\0\x01\x30\x39\x01"));     /* too short */
    refuses(BYTES_LITERAL(V2 "\x21\x11\xff\xff"));                                         /* too long */
    refuses(BYTES_LITERAL("\r\n\r\n\0\r\nQUIX\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_tells_the_client),
        cmocka_unit_test(version_1_unknown_keeps_the_socket_address),
        cmocka_unit_test(malformed_version_1_is_refused),
        cmocka_unit_test(version_2_tells_the_client_and_skips_extensions),
        cmocka_unit_test(version_2_local_or_unspecified_keeps_the_socket_address),
        cmocka_unit_test(malformed_version_2_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
