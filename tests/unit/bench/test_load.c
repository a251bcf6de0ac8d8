#include "bench/load.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server of one connection after the other, which answers as the test has it. */
struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    const char *answer;
    unsigned per_connection; /* it closes after so many; 0: never */
    unsigned sleep_ms;       /* before the first answer */
    atomic_uint connections, requests;
};

static void *serve(void *context)
{
    struct server *s = context;
    int peer;

    while ((peer = accept(s->fd, NULL, NULL)) >= 0) {
        char in[4096];

        atomic_fetch_add(&s->connections, 1);
        for (unsigned n = 0; s->per_connection == 0 || n < s->per_connection; n++) {
            if (read(peer, in, sizeof(in)) <= 0)
                break;
            if (atomic_fetch_add(&s->requests, 1) == 0 && s->sleep_ms > 0)
                usleep(s->sleep_ms * 1000);
            if (write(peer, s->answer, strlen(s->answer)) < 0)
                break;
        }
        close(peer);
    }
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(address);

    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &len), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
    (void)shutdown(s->fd, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    close(s->fd);
}

static const char plain[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/* Two requests an exchange, when `context` says so. */
static bool talk(void *context, unsigned client, size_t n, const struct link_answer *before,
                 struct buffer *request)
{
    const unsigned *requests = context;

    (void)client;
    (void)n;
    if (before != NULL && (*requests == 1 || bytes_is(link_header(before, "X-Last"), "yes")))
        return false;
    buffer_append_text(request, "GET / HTTP/1.1\r\n\r\n");
    return true;
}

static struct load_work work_of(const struct server *s, size_t count, unsigned *requests)
{
    struct load_work work = { .count = count, .weight = 1, .talk = talk, .context = requests };

    (void)snprintf(work.target.host, sizeof(work.target.host), "127.0.0.1");
    (void)snprintf(work.target.port, sizeof(work.target.port), "%u", s->port);
    return work;
}

static void run(const struct load_plan *plan, struct load_result *result)
{
    struct error err = { 0 };

    assert_true(load_run(plan, result, &err));
}

static void every_exchange_is_held_once_over_one_connection(void **state)
{
    struct server s = { .answer = plain };
    unsigned once = 1;
    struct load_work work;
    struct load_result result;

    (void)state;
    start(&s);
    work = work_of(&s, 50, &once);
    run(&(struct load_plan){ .work = &work, .work_count = 1, .clients = 1 }, &result);
    assert_int_equal(result.count, 50);
    for (size_t i = 0; i < 50; i++) {
        assert_true(result.record[i].held);
        assert_int_equal(result.record[i].n, i);
        assert_int_equal(result.record[i].fault, LINK_OK);
        assert_int_equal(result.record[i].requests, 1);
        assert_true(bytes_is(result.record[i].answer.body, "hi"));
        assert_true(result.record[i].ended_us >= result.record[i].begun_us);
        assert_true(load_is_measured(&result, &result.record[i]));
    }
    load_free(&result);
    stop(&s);
    assert_int_equal(atomic_load(&s.requests), 50);
    assert_int_equal(atomic_load(&s.connections), 1);
}

static void an_exchange_goes_on_until_its_talk_is_over(void **state)
{
    struct server s = { .answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nx-last: yes\r\n\r\n"
                                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" };
    unsigned more = 2;
    struct load_work work;
    struct load_result result;

    (void)state;
    start(&s);
    work = work_of(&s, 3, &more);
    run(&(struct load_plan){ .work = &work, .work_count = 1, .clients = 1, .connections = LOAD_NEW },
        &result);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(result.record[i].requests, 1);
        assert_int_equal(result.record[i].connections, 1);
        assert_true(bytes_is(result.record[i].answer.body, "abcde"));
    }
    load_free(&result);
    stop(&s);
    assert_int_equal(atomic_load(&s.connections), 3);
}

static void a_kept_connection_that_was_closed_meanwhile_is_opened_again(void **state)
{
    struct server s = { .answer = plain, .per_connection = 2 };
    unsigned once = 1;
    struct load_work work;
    struct load_result result;
    unsigned connections = 0;

    (void)state;
    start(&s);
    work = work_of(&s, 10, &once);
    run(&(struct load_plan){ .work = &work, .work_count = 1, .clients = 1 }, &result);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(result.record[i].fault, LINK_OK);
        connections += result.record[i].connections;
    }
    load_free(&result);
    stop(&s);
    assert_int_equal(connections, 5);
}

static void who_closes_in_the_middle_of_an_answer_has_not_answered(void **state)
{
    struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nhi", .per_connection = 1 };
    unsigned once = 1;
    struct load_work work;
    struct load_result result;

    (void)state;
    start(&s);
    work = work_of(&s, 4, &once);
    run(&(struct load_plan){ .work = &work, .work_count = 1, .clients = 2 }, &result);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(result.record[i].fault, LINK_CLOSED);
        assert_int_equal(result.record[i].answer.status, 0);
    }
    load_free(&result);
    stop(&s);
    run(&(struct load_plan){ .work = &work, .work_count = 1, .clients = 2 }, &result);
    assert_int_equal(result.record[0].fault, LINK_CONNECT);
    load_free(&result);
}

/* One client: those who are due while it waits for the first answer begin late, and are charged with it. */
static void in_an_open_loop_time_counts_from_when_an_exchange_was_due(void **state)
{
    struct server s = { .answer = plain, .sleep_ms = 60 };
    unsigned once = 1;
    struct load_work work;
    struct load_result result;

    (void)state;
    start(&s);
    work = work_of(&s, 20, &once);
    run(&(struct load_plan){ .work = &work, .work_count = 1, .clients = 1, .rate = 1000 }, &result);
    for (size_t i = 0; i < 20; i++) {
        const struct load_record *r = &result.record[i];

        assert_int_equal(r->due_us, i * 1000);
        assert_true(r->begun_us >= r->due_us);
        if (i > 0)
            assert_true(r->ended_us - r->due_us > (60 - (int64_t)i) * 1000);
    }
    load_free(&result);
    stop(&s);
}

static void nothing_begins_after_the_interval(void **state)
{
    struct server s = { .answer = plain };
    unsigned once = 1;
    struct load_work work;
    struct load_result result;
    size_t held = 0;

    (void)state;
    start(&s);
    work = work_of(&s, 1000, &once);
    run(&(struct load_plan){ .work = &work,
                             .work_count = 1,
                             .clients = 1,
                             .rate = 1000,
                             .warm_up_s = 0.02,
                             .duration_s = 0.03 },
        &result);
    for (size_t i = 0; i < 1000; i++) {
        held += result.record[i].held;
        assert_true(!load_is_measured(&result, &result.record[i]) ||
                    result.record[i].ended_us >= result.from_us);
    }
    assert_int_equal(held, 50);
    assert_true(result.from_us >= 20000);
    load_free(&result);
    stop(&s);
}

/* The first answer takes longer than anyone may wait for a client. */
static void who_waited_too_long_for_a_client_is_missed_and_told_of(void **state)
{
    struct server s = { .answer = plain, .sleep_ms = 700 };
    unsigned once = 1;
    struct load_work work;
    struct load_result result;
    size_t missed = 0;

    (void)state;
    start(&s);
    work = work_of(&s, 60, &once);
    run(&(struct load_plan){ .work = &work, .work_count = 1, .clients = 1, .rate = 1000, .late_max_s = 0.5 },
        &result);
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(result.record[i].held, !result.record[i].missed);
        missed += result.record[i].missed;
    }
    assert_true(result.record[0].held);
    assert_int_equal(missed, 59); /* all were due more than that before the first answer */
    load_free(&result);
    stop(&s);
}

static void turns_are_taken_by_weight_and_evenly(void **state)
{
    const struct load_work work[] = { { .weight = 7 }, { .weight = 2 }, { .weight = 1 } };
    long credit[3] = { 0 };
    size_t count[3] = { 0 }, last = 0;

    (void)state;
    for (size_t i = 1; i <= 1000; i++) {
        size_t turn = load_turn(work, 3, credit);

        assert_true(turn < 3);
        count[turn]++;
        if (turn == 2) { /* once in ten, never twice nearby */
            assert_true(last == 0 || i - last >= 9);
            last = i;
        }
    }
    assert_int_equal(count[0], 700);
    assert_int_equal(count[1], 200);
    assert_int_equal(count[2], 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exchange_is_held_once_over_one_connection),
        cmocka_unit_test(an_exchange_goes_on_until_its_talk_is_over),
        cmocka_unit_test(a_kept_connection_that_was_closed_meanwhile_is_opened_again),
        cmocka_unit_test(who_closes_in_the_middle_of_an_answer_has_not_answered),
        cmocka_unit_test(in_an_open_loop_time_counts_from_when_an_exchange_was_due),
        cmocka_unit_test(nothing_begins_after_the_interval),
        cmocka_unit_test(who_waited_too_long_for_a_client_is_missed_and_told_of),
        cmocka_unit_test(turns_are_taken_by_weight_and_evenly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
