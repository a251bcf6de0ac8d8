#include "tests/unit/lib/net/net_test.h"

static char out[1 << 16];

static struct fixture *start_plain(struct fixture *f)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();

    return start(f, &options, &listener);
}

static void assert_refused_with(const char *request, const char *status_line)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    send_text(fd, request);
    read_all(fd, out, sizeof(out));
    if (strncmp(out, status_line, strlen(status_line)) != 0)
        fail_msg("expected %s, got %s", status_line, out);
    assert_non_null(strstr(out, "Connection: close"));
    assert_int_equal(counters(&f).refused_http, 1);
    assert_int_equal(counters(&f).requests, 0);
    (void)close(fd);
    finish(&f);
}

static void est_15_a_connection_is_kept_for_the_next_request(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    for (int i = 0; i < 3; i++) {
        send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
        read_until(fd, "\r\n\r\nhello", out, sizeof(out));
        assert_non_null(strstr(out, "Connection: keep-alive"));
    }
    assert_int_equal(counters(&f).requests, 3);
    assert_int_equal(counters(&f).accepted, 1);
    (void)close(fd);
    finish(&f);
}

static unsigned long long number_of_next(int fd)
{
    const char *at;

    send_text(fd, "GET /number HTTP/1.1\r\n" HOST "\r\n");
    read_until(fd, ";", out, sizeof(out));
    at = strstr(out, "number=");
    assert_non_null(at);
    return strtoull(at + strlen("number="), NULL, 10);
}

/* They may lie at one address, on one connection or on two. */
static void no_two_requests_have_one_number(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f)), other = connect_to(&f);
    unsigned long long a = number_of_next(fd), b = number_of_next(fd), c = number_of_next(other);

    (void)state;
    assert_true(a != 0 && b != 0 && c != 0);
    assert_true(a != b && b != c && a != c);
    (void)close(fd);
    (void)close(other);
    finish(&f);
}

/* As `openssl cmp` asks. */
#define POST_1_0 "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n"

static void a_connection_of_http_1_0_is_kept_when_asked(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    for (int i = 0; i < 2; i++) {
        send_text(fd, POST_1_0 "hello");
        read_until(fd, "\r\n\r\nhello", out, sizeof(out));
        assert_non_null(strstr(out, "\r\nConnection: keep-alive\r\n"));
    }
    send_text(fd, "POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nbye"); /* not asked: the last */
    read_all(fd, out, sizeof(out));
    assert_non_null(strstr(out, "\r\nConnection: close\r\n"));
    assert_int_equal(counters(&f).requests, 3);
    assert_int_equal(counters(&f).accepted, 1);
    (void)close(fd);
    finish(&f);
}

/* With Nagle's algorithm the client's body leaves when its head was acknowledged; a delayed ACK takes 40 ms
 * and more, every time. */
static void a_head_without_its_body_is_acknowledged_at_once(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));
    int64_t best_ms = INT64_MAX;

    (void)state;
    for (int i = 0; i < 10; i++) {
        int64_t start_ms = clock_monotonic_ms(), took_ms;

        send_text(fd, POST_1_0);
        send_text(fd, "hello");
        read_until(fd, "\r\n\r\nhello", out, sizeof(out));
        took_ms = clock_monotonic_ms() - start_ms;
        if (i > 0 && took_ms < best_ms) /* a new connection is acknowledged at once anyway */
            best_ms = took_ms;
    }
    assert_in_range(best_ms, 0, 30);
    assert_int_equal(counters(&f).accepted, 1);
    (void)close(fd);
    finish(&f);
}

static void connection_close_is_obeyed(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    send_text(fd, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    read_all(fd, out, sizeof(out));
    assert_non_null(strstr(out, "Connection: close\r\n\r\n/a"));
    (void)close(fd);
    fd = connect_to(&f);
    send_text(fd, "GET /b HTTP/1.0\r\n\r\n");
    read_all(fd, out, sizeof(out));
    assert_non_null(strstr(out, "\r\n\r\n/b"));
    (void)close(fd);
    finish(&f);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));
    const char *first, *second, *third;

    (void)state;
    send_text(fd, GET("/1?thread") GET("/2") "GET /3?thread HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    read_all(fd, out, sizeof(out));
    first = strstr(out, "\r\n\r\n/1");
    second = strstr(out, "\r\n\r\n/2");
    third = strstr(out, "\r\n\r\n/3");
    assert_true(first != NULL && second > first && third > second);
    (void)close(fd);
    finish(&f);
}

static void thousands_of_pipelined_requests_are_all_answered(void **state)
{
    enum { COUNT = 4000 };
    static char big[COUNT * 64], answers[COUNT * 256];
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f)), found = 0;

    (void)state;
    for (size_t i = 0, len = 0; i < COUNT; i++)
        len += (size_t)sprintf(big + len, "GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n",
                               i % 7 == 0 ? "x?thread" : "x", i + 1 == COUNT ? "Connection: close\r\n" : "");
    for (size_t at = 0, all = strlen(big); at < all;) {
        ssize_t n = send(fd, big + at, all - at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0)
            at += (size_t)n;
        else if (found < (int)sizeof(answers) - 1)
            found += (int)recv(fd, answers + found, sizeof(answers) - 1 - (size_t)found, 0);
    }
    read_all(fd, answers + found, sizeof(answers) - (size_t)found);
    found = 0;
    for (const char *at = answers; (at = strstr(at, "\r\n\r\n/x")) != NULL; at++)
        found++;
    assert_int_equal(found, COUNT);
    (void)close(fd);
    finish(&f);
}

static void a_chunked_request_in_pieces_is_put_together(void **state)
{
    static const char *const pieces[] = { "POST /echo HTTP/1.1\r\nHo",
                                          "st: a\r\nTransfer-Encoding: chu",
                                          "nked\r\n\r\n5;x=y\r",
                                          "\nhel",
                                          "lo\r\n6\r\n world\r\n0\r\nT: v\r\n",
                                          "\r\n" };
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        send_text(fd, pieces[i]);
    read_until(fd, "\r\n\r\nhello world", out, sizeof(out));
    (void)close(fd);
    finish(&f);
}

static void who_expects_100_continue_is_told_to_go_on(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    read_until(fd, "HTTP/1.1 100 Continue\r\n\r\n", out, sizeof(out));
    send_text(fd, "hello");
    read_until(fd, "\r\n\r\nhello", out, sizeof(out));
    (void)close(fd);
    finish(&f);
}

static void a_head_request_gets_no_body(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    send_text(fd, "HEAD /abc HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    read_all(fd, out, sizeof(out));
    assert_non_null(strstr(out, "Content-Length: 4\r\n"));
    assert_null(strstr(out, "/abc"));
    (void)close(fd);
    finish(&f);
}

static void garbage_is_refused_and_closed(void **state)
{
    (void)state;
    assert_refused_with("\x16\x03\x01\x02\r\n\r\n", "HTTP/1.1 400 ");
    assert_refused_with("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" GET("/"), "HTTP/1.1 400 ");
    assert_refused_with("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
}

static void limits_are_answered_with_their_status(void **state)
{
    static char text[40000];

    (void)state;
    assert_refused_with("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\nsome of it",
                        "HTTP/1.1 413 ");
    assert_refused_with("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffff\r\n",
                        "HTTP/1.1 413 ");
    assert_refused_with("POST /echo HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 411 ");
    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "GET /", 5);
    assert_refused_with(text, "HTTP/1.1 414 ");
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    assert_refused_with(text, "HTTP/1.1 431 ");
}

static void what_is_refused_here_is_told_for_the_log(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };
    int fd;

    (void)state;
    options.body_ms = 100;
    start(&f, &options, &listener);
    fd = connect_to(&f);
    send_text(fd, GET("/fine") "\x01garbage\r\n\r\n");
    read_all(fd, out, sizeof(out));
    (void)close(fd);
    assert_told(1, 400, "control character or bare CR or LF in the head", "");
    fd = connect_to(&f);
    send_text(fd, "POST /slow HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nhalf");
    read_all(fd, out, sizeof(out));
    (void)close(fd);
    assert_told(2, 408, "the body took too long", "/slow");
    fd = connect_to(&f); /* truncated: it gets no answer, but a line */
    send_text(fd, "POST /cut HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nhalf");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(is_at_end(fd));
    (void)close(fd);
    assert_told(3, 0, "the connection ended within a request", "/cut");
    fd = connect_to(&f); /* who says nothing at all is nobody's business */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(is_at_end(fd));
    (void)close(fd);
    finish(&f); /* the loop has ended: nothing more is told */
    assert_int_equal(told.count, 3);
}

/* Closing at once would break the connection under the sender, and the reason would be lost with it. */
static void a_refusal_reaches_a_client_that_goes_on_sending(void **state)
{
    static char piece[1 << 16];
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 16777216\r\n\r\n");
    for (int i = 0; i < 256; i++)
        assert_int_equal(send(fd, piece, sizeof(piece), MSG_NOSIGNAL), (ssize_t)sizeof(piece));
    read_all(fd, out, sizeof(out));
    assert_int_equal(strncmp(out, "HTTP/1.1 413 ", 13), 0);
    (void)close(fd);
    finish(&f);
}

static void a_handler_that_sets_nothing_answers_500(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    send_text(fd, GET("/nothing"));
    read_until(fd, "HTTP/1.1 500 ", out, sizeof(out));
    (void)close(fd);
    finish(&f);
}

/* Drips one octet every 20 ms until the connection is closed; how long that took. */
static int64_t drip(int fd, const char *text)
{
    int64_t start_ms = clock_monotonic_ms();
    struct timeval tv = { .tv_usec = 20000 };
    ssize_t n = -1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
    for (size_t i = 0; n < 0 && text[i] != '\0' && clock_monotonic_ms() < start_ms + 3000; i++) {
        (void)send(fd, &text[i], 1, MSG_NOSIGNAL);
        n = recv(fd, out, sizeof(out) - 1, 0);
    }
    out[n > 0 ? n : 0] = '\0';
    return clock_monotonic_ms() - start_ms;
}

static void a_slow_drip_is_ended_at_the_deadline(void **state)
{
    static const char *const slow[] = {
        "GET / HTTP/1.1\r\nHost: a\r\nX: "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    };
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };

    (void)state;
    options.head_ms = options.body_ms = 200;
    start(&f, &options, &listener);
    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        int fd = connect_to(&f);
        int64_t took_ms;

        if (i == 1)
            send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 90000\r\n\r\n");
        took_ms = drip(fd, slow[i]);
        assert_true(took_ms >= 150);
        assert_int_equal(strncmp(out, "HTTP/1.1 408 ", 13), 0);
        (void)close(fd);
    }
    assert_int_equal(counters(&f).timeouts, 2);
    finish(&f);
}

static void who_sends_or_reads_nothing_is_closed_at_the_deadline(void **state)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct fixture f = { 0 };
    int silent, idle, unread;

    (void)state;
    options.head_ms = options.idle_ms = options.write_ms = 100;
    start(&f, &options, &listener);
    silent = connect_to(&f);
    assert_true(is_at_end(silent));
    idle = connect_to(&f);
    send_text(idle, GET("/a"));
    read_until(idle, "\r\n\r\n/a", out, sizeof(out));
    assert_true(is_at_end(idle));
    unread = connect_to(&f);
    for (int i = 0; i < 4; i++)
        send_text(unread, GET("/big"));
    EVENTUALLY(counters(&f).timeouts == 2); /* who is idle is closed without being counted */
    EVENTUALLY(counters(&f).open == 0);
    (void)close(silent);
    (void)close(idle);
    (void)close(unread);
    finish(&f);
}

static void a_big_answer_arrives_whole(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));
    size_t len = 0;
    ssize_t n;

    (void)state;
    send_text(fd, "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    while ((n = recv(fd, out, sizeof(out), 0)) > 0)
        len += (size_t)n;
    assert_true(len > 4 << 20 && len < (4 << 20) + 500);
    (void)close(fd);
    finish(&f);
}

static void a_half_closed_peer_gets_its_answer(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    send_text(fd, GET("/park") GET("/second"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(sem_wait(&f.arrived), 0);
    net_reply(f.parked);
    read_all(fd, out, sizeof(out));
    assert_non_null(strstr(out, "\r\n\r\nparked"));
    assert_non_null(strstr(out, "\r\n\r\n/second"));
    (void)close(fd);
    fd = connect_to(&f);
    send_text(fd, "GET /incomplete HTTP/1.1\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(is_at_end(fd));
    (void)close(fd);
    finish(&f);
}

static void an_answer_to_a_client_that_has_gone_is_dropped(void **state)
{
    struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    send_text(fd, GET("/park"));
    assert_int_equal(sem_wait(&f.arrived), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    (void)close(fd);
    EVENTUALLY(counters(&f).open == 0);
    assert_true(bytes_is(f.parked->request.path, "/park")); /* still the handler's */
    net_reply(f.parked);
    fd = connect_to(&f);
    send_text(fd, GET("/next"));
    read_until(fd, "\r\n\r\n/next", out, sizeof(out));
    (void)close(fd);
    finish(&f);
}

static void an_answer_may_come_from_another_thread(void **state)
{
    struct fixture f = { 0 };
    int fd = connect_to(start_plain(&f));

    (void)state;
    for (int i = 0; i < 20; i++) {
        send_text(fd, GET("/a?thread"));
        read_until(fd, "\r\n\r\n/a", out, sizeof(out));
    }
    (void)close(fd);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(est_15_a_connection_is_kept_for_the_next_request),
        cmocka_unit_test(no_two_requests_have_one_number),
        cmocka_unit_test(a_connection_of_http_1_0_is_kept_when_asked),
        cmocka_unit_test(a_head_without_its_body_is_acknowledged_at_once),
        cmocka_unit_test(connection_close_is_obeyed),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(thousands_of_pipelined_requests_are_all_answered),
        cmocka_unit_test(a_chunked_request_in_pieces_is_put_together),
        cmocka_unit_test(who_expects_100_continue_is_told_to_go_on),
        cmocka_unit_test(a_head_request_gets_no_body),
        cmocka_unit_test(garbage_is_refused_and_closed),
        cmocka_unit_test(limits_are_answered_with_their_status),
        cmocka_unit_test(what_is_refused_here_is_told_for_the_log),
        cmocka_unit_test(a_refusal_reaches_a_client_that_goes_on_sending),
        cmocka_unit_test(a_handler_that_sets_nothing_answers_500),
        cmocka_unit_test(a_slow_drip_is_ended_at_the_deadline),
        cmocka_unit_test(who_sends_or_reads_nothing_is_closed_at_the_deadline),
        cmocka_unit_test(a_big_answer_arrives_whole),
        cmocka_unit_test(a_half_closed_peer_gets_its_answer),
        cmocka_unit_test(an_answer_to_a_client_that_has_gone_is_dropped),
        cmocka_unit_test(an_answer_may_come_from_another_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
