#include "lib/net/client.h"

#include <event2/event.h>

#include "tests/unit/lib/net/net_test.h"

/* What the callback saw; the result lives only during the call. */
struct seen {
    struct event_base *base;
    int done, wanted; /* the loop ends when as many have come */
    bool ok;
    int status;
    char body[256], type[64], failure[128];
    size_t body_len;
};

static void on_done(const struct net_client_result *result, void *user)
{
    struct seen *seen = user;

    seen->done++;
    seen->ok = result->ok;
    seen->status = result->status;
    seen->body_len = result->body.len;
    (void)snprintf(seen->body, sizeof(seen->body), "%.*s", BYTES_FMT(bytes_slice(result->body, 0, 200)));
    (void)snprintf(seen->type, sizeof(seen->type), "%.*s", BYTES_FMT(result->content_type));
    (void)snprintf(seen->failure, sizeof(seen->failure), "%s",
                   result->failure != NULL ? result->failure : "");
    if (seen->done == seen->wanted)
        (void)event_base_loopbreak(seen->base);
}

struct client_fixture {
    struct fixture server;
    struct event_base *base;
    struct net_client *client;
    struct seen seen;
    char url[128];
};

static void start_client(struct client_fixture *f, unsigned per_host_max)
{
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct error err;

    *f = (struct client_fixture){ .url = "" };
    start(&f->server, &options, &listener);
    f->base = event_base_new();
    assert_non_null(f->base);
    assert_true(net_client_new(f->base, per_host_max, &f->client, &err));
    f->seen = (struct seen){ .base = f->base, .wanted = 1 };
}

static void finish_client(struct client_fixture *f)
{
    net_client_free(f->client);
    event_base_free(f->base);
    finish(&f->server);
}

static struct net_client_request request_to(struct client_fixture *f, const char *path)
{
    (void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u%s", net_server_port(f->server.server, 0),
                   path);
    return (struct net_client_request){
        .method = HTTP_METHOD_GET, .url = f->url, .timeout_ms = 5000, .response_max = 65536
    };
}

static const struct seen *send_and_wait(struct client_fixture *f, const struct net_client_request *request)
{
    struct error err;

    f->seen.done = 0;
    if (!net_client_send(f->client, request, on_done, &f->seen, &err))
        fail_msg("%s", err.text);
    assert_int_equal(f->seen.done, 0); /* never from within send */
    (void)event_base_dispatch(f->base);
    assert_int_equal(f->seen.done, 1);
    return &f->seen;
}

static void a_get_and_a_post_are_answered_over_one_connection(void **state)
{
    static const struct http_header header[] = {
        { BYTES_LITERAL("Content-Type"), BYTES_LITERAL("application/octet-stream") },
        { BYTES_LITERAL("X-Empty"), BYTES_LITERAL("") },
    };
    struct net_client_request request;
    const struct seen *seen;
    struct client_fixture f;

    (void)state;
    start_client(&f, 2);
    request = request_to(&f, "/abc");
    seen = send_and_wait(&f, &request);
    assert_true(seen->ok);
    assert_int_equal(seen->status, 200);
    assert_string_equal(seen->body, "/abc");
    assert_string_equal(seen->type, "text/plain");
    request = request_to(&f, "/echo?thread");
    request.method = HTTP_METHOD_POST;
    request.body = BYTES_LITERAL("to be echoed");
    request.header = header;
    request.header_count = 2;
    seen = send_and_wait(&f, &request);
    assert_string_equal(seen->body, "to be echoed");
    request.method = HTTP_METHOD_PUT;
    seen = send_and_wait(&f, &request);
    assert_string_equal(seen->body, "to be echoed");
    request = request_to(&f, "/head");
    request.method = HTTP_METHOD_HEAD;
    seen = send_and_wait(&f, &request);
    assert_true(seen->ok && seen->body_len == 0);
    assert_int_equal(counters(&f.server).accepted, 1);
    finish_client(&f);
}

static void an_answer_that_is_too_large_is_a_failure(void **state)
{
    struct net_client_request request;
    const struct seen *seen;
    struct client_fixture f;

    (void)state;
    start_client(&f, 2);
    request = request_to(&f, "/big");
    seen = send_and_wait(&f, &request);
    assert_false(seen->ok);
    assert_int_equal(seen->body_len, 0);
    assert_non_null(strstr(seen->failure, "larger"));
    finish_client(&f);
}

static void a_silent_server_is_a_failure_after_the_timeout(void **state)
{
    struct net_client_request request;
    const struct seen *seen;
    struct client_fixture f;
    int64_t start_ms = clock_monotonic_ms();

    (void)state;
    start_client(&f, 2);
    request = request_to(&f, "/park");
    request.timeout_ms = 100;
    seen = send_and_wait(&f, &request);
    assert_false(seen->ok);
    assert_true(strlen(seen->failure) > 0);
    assert_true(clock_monotonic_ms() - start_ms < 3000);
    assert_int_equal(sem_wait(&f.server.arrived), 0);
    net_reply(f.server.parked);
    finish_client(&f);
}

static void only_http_and_https_are_spoken(void **state)
{
    static const char *const urls[] = { "file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/",
                                        "not a url" };
    struct net_client_request request;
    struct client_fixture f;

    (void)state;
    start_client(&f, 2);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        request = request_to(&f, "/");
        request.url = urls[i];
        assert_false(send_and_wait(&f, &request)->ok);
    }
    finish_client(&f);
}

static void a_refused_connection_is_a_failure(void **state)
{
    struct net_client_request request;
    struct client_fixture f;

    (void)state;
    start_client(&f, 2);
    request = request_to(&f, "/");
    net_server_stop(f.server.server);
    assert_false(send_and_wait(&f, &request)->ok);
    finish_client(&f);
}

static void many_requests_go_over_few_connections_to_one_host(void **state)
{
    struct net_client_request request;
    struct client_fixture f;
    struct error err;

    (void)state;
    start_client(&f, 2);
    request = request_to(&f, "/a?thread");
    f.seen.wanted = 20;
    for (int i = 0; i < 20; i++)
        assert_true(net_client_send(f.client, &request, on_done, &f.seen, &err));
    (void)event_base_dispatch(f.base);
    assert_int_equal(f.seen.done, 20);
    assert_true(f.seen.ok);
    assert_true(counters(&f.server).accepted <= 2);
    finish_client(&f);
}

static void freeing_ends_what_is_pending_without_its_callback(void **state)
{
    struct net_client_request request;
    struct client_fixture f;
    struct error err;

    (void)state;
    start_client(&f, 2);
    request = request_to(&f, "/park");
    assert_true(net_client_send(f.client, &request, on_done, &f.seen, &err));
    while (f.seen.done == 0 && sem_trywait(&f.server.arrived) != 0)
        (void)event_base_loop(f.base, EVLOOP_NONBLOCK);
    net_client_free(take(f.client));
    assert_int_equal(f.seen.done, 0);
    net_reply(f.server.parked);
    finish_client(&f);
}

static void a_header_with_a_line_break_is_not_sent(void **state)
{
    static const struct http_header header = { BYTES_LITERAL("X"), BYTES_LITERAL("a\r\nY: b") };
    struct net_client_request request;
    struct client_fixture f;
    struct error err;

    (void)state;
    start_client(&f, 2);
    request = request_to(&f, "/");
    request.header = &header;
    request.header_count = 1;
    assert_false(net_client_send(f.client, &request, on_done, &f.seen, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    finish_client(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_and_a_post_are_answered_over_one_connection),
        cmocka_unit_test(an_answer_that_is_too_large_is_a_failure),
        cmocka_unit_test(a_silent_server_is_a_failure_after_the_timeout),
        cmocka_unit_test(only_http_and_https_are_spoken),
        cmocka_unit_test(a_refused_connection_is_a_failure),
        cmocka_unit_test(many_requests_go_over_few_connections_to_one_host),
        cmocka_unit_test(freeing_ends_what_is_pending_without_its_callback),
        cmocka_unit_test(a_header_with_a_line_break_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
