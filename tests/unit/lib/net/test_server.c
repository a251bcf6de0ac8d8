#include <sys/resource.h>

#include "tests/unit/lib/net/net_test.h"

static char out[1 << 16];

static void *stop_thread(void *server)
{
    net_server_stop(server);
    return NULL;
}

static void a_graceful_stop_finishes_what_is_in_flight(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };
    int fd, idle;
    pthread_t stopper;

    (void)state;
    start(&f, &options, &listener);
    idle = connect_to(&f);
    send_text(idle, GET("/a"));
    read_until(idle, "\r\n\r\n/a", out, sizeof(out));
    fd = connect_to(&f);
    send_text(fd, GET("/park"));
    assert_int_equal(sem_wait(&f.arrived), 0);
    assert_int_equal(pthread_create(&stopper, NULL, stop_thread, f.server), 0);
    assert_true(is_at_end(idle));
    net_reply(f.parked);
    read_all(fd, out, sizeof(out));
    assert_non_null(strstr(out, "Connection: close\r\n\r\nparked"));
    assert_int_equal(pthread_join(stopper, NULL), 0);
    assert_int_equal(counters(&f).open, 0);
    (void)close(fd);
    (void)close(idle);
    finish(&f);
}

static void a_reply_after_the_stop_is_dropped(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };
    int fd;

    (void)state;
    options.drain_ms = 50;
    start(&f, &options, &listener);
    fd = connect_to(&f);
    send_text(fd, GET("/park"));
    assert_int_equal(sem_wait(&f.arrived), 0);
    net_server_stop(f.server);
    assert_true(is_at_end(fd));
    finish(&f);
    net_reply(f.parked); /* even after the server is gone */
    (void)close(fd);
}

static void beyond_the_connections_of_one_address_plain_gets_503(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };
    int first, second, third;

    (void)state;
    options.per_address_max = 2;
    start(&f, &options, &listener);
    first = connect_to(&f);
    second = connect_to(&f);
    EVENTUALLY(counters(&f).open == 2);
    third = connect_to(&f);
    read_all(third, out, sizeof(out));
    assert_int_equal(strncmp(out, "HTTP/1.1 503 ", 13), 0);
    assert_int_equal(counters(&f).refused_limit, 1);
    (void)close(third);
    (void)close(first);
    EVENTUALLY(counters(&f).open == 1);
    third = connect_to(&f);
    send_text(third, GET("/a"));
    read_until(third, "\r\n\r\n/a", out, sizeof(out));
    (void)close(second);
    (void)close(third);
    finish(&f);
}

static void beyond_all_connections_the_next_is_closed(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };
    int first, second;

    (void)state;
    options.connections_max = 1;
    start(&f, &options, &listener);
    first = connect_to(&f);
    EVENTUALLY(counters(&f).open == 1);
    second = connect_to(&f);
    assert_true(is_at_end(second));
    assert_int_equal(counters(&f).refused_limit, 1);
    (void)close(first);
    (void)close(second);
    finish(&f);
}

/* Without the reserve the waiting connection would wake the loop for ever, and never be told. */
static void without_descriptors_the_next_connection_is_turned_away(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct rlimit before, tight;
    struct fixture f = { 0 };
    struct sockaddr_in to = { .sin_family = AF_INET };
    int fd, again;

    (void)state;
    start(&f, &options, &listener);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* the last one: all below it are taken */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = (struct rlimit){ .rlim_cur = (rlim_t)fd + 1, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    to.sin_port = htons(net_server_port(f.server, 0));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_true(is_at_end(fd));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(counters(&f).refused_limit, 1);
    again = connect_to(&f);
    send_text(again, GET("/a"));
    read_until(again, "\r\n\r\n/a", out, sizeof(out));
    (void)close(fd);
    (void)close(again);
    finish(&f);
}

static struct net_listener listener_behind(const char *proxy)
{
    struct net_listener listener = plain_listener();

    assert_true(ip_range_parse(bytes_text(proxy), &listener.proxy[0]));
    listener.proxy_count = 1;
    return listener;
}

static void csr_72_a_listed_proxy_tells_the_address_of_the_client(void **state)
{
    static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x30\x39\x01\xbb";
    struct net_options options = quick_options();
    struct net_listener listener = listener_behind("127.0.0.0/8");
    struct fixture f = { 0 };
    int fd;

    (void)state;
    start(&f, &options, &listener);
    fd = connect_to(&f);
    send_text(fd, "PROXY TCP4 192.0.2.9 10.0.0.1 5");
    send_text(fd, "1000 443\r\n" GET("/peer"));
    read_until(fd, ";", out, sizeof(out));
    assert_non_null(strstr(out, "address=192.0.2.9 port=51000 tls=0000"));
    (void)close(fd);
    fd = connect_to(&f);
    assert_int_equal(send(fd, v2, sizeof(v2) - 1, 0), (ssize_t)sizeof(v2) - 1);
    send_text(fd, GET("/peer"));
    read_until(fd, ";", out, sizeof(out));
    assert_non_null(strstr(out, "address=192.0.2.7 port=12345"));
    (void)close(fd);
    fd = connect_to(&f);
    send_text(fd, "PROXY UNKNOWN\r\n" GET("/peer"));
    read_until(fd, ";", out, sizeof(out));
    assert_non_null(strstr(out, "address=127.0.0.1"));
    (void)close(fd);
    finish(&f);
}

static void a_listed_proxy_without_its_header_is_closed(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = listener_behind("127.0.0.1");
    struct fixture f = { 0 };
    int fd;

    (void)state;
    options.handshake_ms = 100;
    start(&f, &options, &listener);
    fd = connect_to(&f);
    send_text(fd, GET("/peer"));
    assert_true(is_at_end(fd));
    (void)close(fd);
    assert_told(1, 0, "the load balancer's header is missing or malformed", "");
    fd = connect_to(&f);
    send_text(fd, "PROXY TCP4");
    assert_true(is_at_end(fd));
    (void)close(fd);
    assert_told(2, 0, "the load balancer's header took too long", "");
    fd = connect_to(&f); /* a probe */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(is_at_end(fd));
    (void)close(fd);
    finish(&f);
    assert_int_equal(told.count, 2);
}

static void csr_72_a_proxy_header_from_anybody_else_is_garbage(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = listener_behind("10.0.0.0/8");
    struct fixture f = { 0 };
    int fd;

    (void)state;
    start(&f, &options, &listener);
    fd = connect_to(&f);
    send_text(fd, "PROXY TCP4 192.0.2.9 10.0.0.1 51000 443\r\n" GET("/peer"));
    read_all(fd, out, sizeof(out));
    assert_int_equal(strncmp(out, "HTTP/1.1 400 ", 13), 0);
    (void)close(fd);
    finish(&f);
}

static void several_loops_share_a_port_and_an_occupied_one_is_an_error(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };
    struct net_server *second = NULL;
    struct error err;

    (void)state;
    options.loops = 3;
    start(&f, &options, &listener);
    for (int i = 0; i < 20; i++) {
        int fd = connect_to(&f);

        send_text(fd, GET("/a?thread"));
        read_until(fd, "\r\n\r\n/a", out, sizeof(out));
        (void)close(fd);
    }
    assert_int_equal(counters(&f).requests, 20);
    listener.port = net_server_port(f.server, 0);
    assert_false(net_server_new(&options, &listener, 1, NULL, on_request, &f, &second, &err));
    assert_null(second);
    assert_int_equal(err.code, ERROR_IO);
    assert_non_null(strstr(err.text, "plain"));
    finish(&f);
}

static void options_that_make_no_sense_are_errors(void **state)
{
    struct net_options options = quick_options();
    struct net_listener two[2] = { plain_listener(), plain_listener() };
    struct net_server *server = NULL;
    struct error err;

    (void)state;
    assert_false(net_server_new(&options, two, 2, NULL, on_request, NULL, &server, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
    two[0].address = "localhost";
    assert_false(net_server_new(&options, two, 1, NULL, on_request, NULL, &server, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    options.loops = 0;
    assert_false(net_server_new(&options, two, 1, NULL, on_request, NULL, &server, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_null(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graceful_stop_finishes_what_is_in_flight),
        cmocka_unit_test(a_reply_after_the_stop_is_dropped),
        cmocka_unit_test(beyond_the_connections_of_one_address_plain_gets_503),
        cmocka_unit_test(beyond_all_connections_the_next_is_closed),
        cmocka_unit_test(without_descriptors_the_next_connection_is_turned_away),
        cmocka_unit_test(csr_72_a_listed_proxy_tells_the_address_of_the_client),
        cmocka_unit_test(a_listed_proxy_without_its_header_is_closed),
        cmocka_unit_test(csr_72_a_proxy_header_from_anybody_else_is_garbage),
        cmocka_unit_test(several_loops_share_a_port_and_an_occupied_one_is_an_error),
        cmocka_unit_test(options_that_make_no_sense_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
