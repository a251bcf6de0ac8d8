#include "bench/link.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_target_is_host_port_and_path(void **state)
{
    static const struct {
        const char *url, *host, *port, *path;
        bool tls;
    } row[] = {
        { "http://ra.example.com/scep/demo", "ra.example.com", "80", "/scep/demo", false },
        { "https://127.0.0.1:8443/.well-known/est", "127.0.0.1", "8443", "/.well-known/est", true },
        { "https://ra.example.com", "ra.example.com", "443", "/", true },
        { "https://[::1]:8443/a:b", "::1", "8443", "/a:b", true },
        { "http://[2001:db8::1]", "2001:db8::1", "80", "/", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        struct link_target target;

        assert_true(link_target_parse(row[i].url, &target, NULL));
        assert_string_equal(target.host, row[i].host);
        assert_string_equal(target.port, row[i].port);
        assert_string_equal(target.path, row[i].path);
        assert_int_equal(target.tls, row[i].tls);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "ftp://a/",
        "http://",
        "http:///path",
        "http://:80/",
        "http://[::1/",
        "http://[::1]8/",
        "http://a:123456789/",
    };
    struct link_target target;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(link_target_parse(bad[i], &target, NULL));
}

static void a_request_says_host_length_and_whether_it_is_the_last(void **state)
{
    struct link_target target;
    AUTO_STRUCT(buffer) kept = BUFFER(1024);
    AUTO_STRUCT(buffer) last = BUFFER(1024);

    (void)state;
    assert_true(link_target_parse("http://[::1]:8080/scep", &target, NULL));
    link_request_put(&kept, &target,
                     &(struct link_request){ .method = "POST",
                                             .query = "?operation=x",
                                             .more = "A: b\r\n",
                                             .keep_alive = true,
                                             .body = BYTES_LITERAL("body") });
    assert_true(bytes_is(buffer_bytes(&kept), "POST /scep?operation=x HTTP/1.1\r\nHost: [::1]:8080\r\n"
                                              "Content-Length: 4\r\nA: b\r\n\r\nbody"));
    link_request_put(&last, &target, &(struct link_request){ .method = "GET" });
    assert_true(bytes_is(buffer_bytes(&last), "GET /scep HTTP/1.1\r\nHost: [::1]:8080\r\n"
                                              "Content-Length: 0\r\nConnection: close\r\n\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_host_port_and_path),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_request_says_host_length_and_whether_it_is_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
