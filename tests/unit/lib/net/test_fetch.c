#include "lib/net/fetch.h"

#include <event2/event.h>

#include "tests/lib/alpn_server.h"
#include "tests/lib/dns_server.h"
#include "tests/unit/lib/net/net_test.h"

#define B(text)                                   \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static const struct dns_server_row rows[] = {
    { .name = "device.example", .type = DNS_TYPE_A, .rdata = { B("\x7f\0\0\1") } },
    { .name = "other.example", .type = DNS_TYPE_A, .rdata = { B("\x7f\0\0\1") } },
    { .name = "two.example", .type = DNS_TYPE_A, .rdata = { B("\x7f\0\0\2"), B("\x7f\0\0\1") } },
    { .name = "inside.example", .type = DNS_TYPE_A, .rdata = { B("\xa\0\0\1") } },
    { .name = "mapped.example",
      .type = DNS_TYPE_AAAA,
      .rdata = { B("\0\0\0\0\0\0\0\0\0\0\xff\xff\xa\0\0\1") } },
    { .name = "silent.example", .type = DNS_TYPE_A, .silent = true },
    { .name = "ill.example", .type = DNS_TYPE_A, .rcode = 2 },
};

static const struct ip_range loopback[] = { { { 4, { 127 } }, 8 } };
static const struct address_rules rules = { .allowed = loopback, .allowed_count = 1 };

struct fetch_fixture {
    struct fixture server;
    struct dns_server dns;
    struct event_base *base;
    struct net_client *client;
    struct net_resolver *resolver;
    struct net_fetcher *fetcher;
    uint16_t port;
    /* what came */
    unsigned done, redirects;
    enum net_fault fault;
    int status;
    size_t body_len;
    char body[256], failure[128], address[IP_TEXT_LEN];
};

/* /to?to=URL redirects there, /host says which host was asked for, /cookie which cookies came. */
static void serve(struct net_exchange *exchange, void *context)
{
    const struct http_request *request = &exchange->request;
    struct http_response *response = &exchange->response;
    struct bytes to;

    (void)context;
    if (http_query_find(request, "to", &to)) {
        *response = http_respond(302, "text/plain", BYTES_LITERAL("elsewhere"));
        http_response_add(response, "Location", to);
        http_response_add(response, "Set-Cookie", BYTES_LITERAL("a=b"));
    } else if (bytes_is(request->path, "/host")) {
        *response = http_respond(200, "text/plain", http_header_find(request, "Host"));
    } else if (bytes_is(request->path, "/cookie")) {
        *response = http_respond(200, "text/plain", http_header_find(request, "Cookie"));
    } else if (bytes_is(request->path, "/big")) {
        *response = http_respond(200, "text/plain", bytes_of(arena_alloc(request->arena, 65537), 65537));
    } else if (bytes_is(request->path, "/loop")) {
        *response = http_respond(307, "text/plain", BYTES_NONE);
        http_response_add(response, "Location", BYTES_LITERAL("/loop"));
    } else if (bytes_is(request->path, "/nowhere")) {
        *response = http_respond(302, "text/plain", BYTES_LITERAL("no Location"));
    } else {
        *response = http_respond(404, "text/plain", request->path);
    }
    net_reply(exchange);
}

static int set_up(void **state)
{
    struct fetch_fixture *f = calloc(1, sizeof(*f));
    struct net_options options = quick_options();
    struct net_listener listener = plain_listener();
    struct error err = { ERROR_NONE, "" };

    if (f == NULL)
        return -1;
    *state = f;
    dns_server_start(&f->dns, rows, COUNT_OF(rows));
    f->base = event_base_new();
    if (!net_server_new(&options, &listener, 1, NULL, serve, f, &f->server.server, &err) ||
        !net_server_start(f->server.server, &err) || !net_client_new(f->base, 8, &f->client, &err) ||
        !net_resolver_new(f->base, f->dns.address, &f->resolver, &err) ||
        !net_fetcher_new(f->base, f->client, f->resolver, &f->fetcher, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    f->port = net_server_port(f->server.server, 0);
    return 0;
}

static int tear_down(void **state)
{
    struct fetch_fixture *f = *state;

    net_fetcher_free(f->fetcher);
    net_client_free(f->client);
    net_resolver_free(f->resolver);
    event_base_free(f->base);
    net_server_free(f->server.server);
    dns_server_stop(&f->dns);
    free(f);
    return 0;
}

static void on_done(const struct net_fetch_result *result, void *user)
{
    struct fetch_fixture *f = user;

    f->done++;
    f->fault = result->fault;
    f->status = result->status;
    f->redirects = result->redirects;
    f->body_len = result->body.len;
    (void)snprintf(f->body, sizeof(f->body), "%.*s", BYTES_FMT(bytes_slice(result->body, 0, 200)));
    (void)snprintf(f->failure, sizeof(f->failure), "%s", result->failure != NULL ? result->failure : "");
    ip_format(&result->address, f->address);
    (void)event_base_loopbreak(f->base);
}

static enum net_fault send_and_wait(struct fetch_fixture *f, const struct net_fetch_request *request)
{
    struct error err;

    f->done = 0;
    if (!net_fetch(f->fetcher, request, on_done, f, &err))
        fail_msg("%s", err.text);
    assert_int_equal(f->done, 0); /* never from within */
    (void)event_base_dispatch(f->base);
    assert_int_equal(f->done, 1);
    return f->fault;
}

/* What PORT stands for in a URL is the server's port. */
static enum net_fault fetch(struct fetch_fixture *f, const char *pattern)
{
    const char *port = strstr(pattern, "PORT");
    char url[8192];
    struct net_fetch_request request = { .url = url, .rules = &rules, .port = f->port, .timeout_ms = 10000 };

    if (port == NULL)
        request.url = pattern;
    else
        (void)snprintf(url, sizeof(url), "%.*s%u%s", (int)(port - pattern), pattern, f->port, port + 4);
    return send_and_wait(f, &request);
}

static void acme_81_the_host_is_the_name(void **state)
{
    struct fetch_fixture *f = *state;

    assert_int_equal(fetch(f, "http://device.example:PORT/host"), NET_OK);
    assert_int_equal(f->status, 200);
    assert_int_equal(strncmp(f->body, "device.example:", 15), 0);
    assert_string_equal(f->address, "127.0.0.1");
    assert_int_equal(f->redirects, 0);
    assert_int_equal(fetch(f, "http://127.0.0.1:PORT/host"), NET_OK);
    assert_int_equal(strncmp(f->body, "127.0.0.1:", 10), 0);
    assert_int_equal(fetch(f, "http://device.example:PORT/nothing"), NET_OK);
    assert_int_equal(f->status, 404);
}

static void acme_82_redirects_are_followed(void **state)
{
    struct fetch_fixture *f = *state;
    char pattern[256];

    (void)snprintf(pattern, sizeof(pattern), "http://device.example:PORT/?to=http://other.example:%u/host",
                   f->port);
    assert_int_equal(fetch(f, pattern), NET_OK);
    assert_int_equal(strncmp(f->body, "other.example:", 14), 0);
    assert_int_equal(f->redirects, 1);
    assert_int_equal(fetch(f, "http://device.example:PORT/?to=/cookie"), NET_OK);
    assert_int_equal(f->status, 200);
    assert_int_equal(f->body_len, 0);
    assert_int_equal(fetch(f, "http://device.example:PORT/loop"), NET_FAULT_REDIRECT);
    assert_int_equal(f->redirects, NET_FETCH_REDIRECTS_MAX);
    assert_int_equal(fetch(f, "http://device.example:PORT/nowhere"), NET_OK);
    assert_int_equal(f->status, 302);
}

static void acme_82_other_schemes_ports_and_forms_are_not_followed(void **state)
{
    static const char *const url[] = {
        "http://device.example:1/",
        "https://device.example:80/",
        "http://device.example:443/",
        "ftp://device.example:PORT/",
        "file:///etc/hostname",
        "gopher://device.example:PORT/",
        "http://a@device.example:PORT",
        "http://:b@device.example:PORT/",
        "http://[fe80::1%25lo]:PORT/",
        "http://",
        "device.example",
        "",
    };
    struct fetch_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(url); i++) {
        char pattern[256];

        if (fetch(f, url[i]) != NET_FAULT_URL)
            fail_msg("%s: %d", url[i], f->fault);
        (void)snprintf(pattern, sizeof(pattern), "http://device.example:PORT/?to=%s", url[i]);
        if (strstr(url[i], "://") == NULL || strstr(url[i], "PORT") != NULL)
            continue;
        if (fetch(f, pattern) == NET_OK)
            assert_int_equal(f->status, 302); /* curl itself makes nothing of it */
        else
            assert_int_equal(f->fault, NET_FAULT_URL);
    }
}

static void acme_84_addresses_are_judged_at_each_hop(void **state)
{
    static const char *const url[] = {
        "http://inside.example/",    "http://mapped.example/", "http://10.0.0.1/",         "http://[::1]/",
        "http://[::ffff:10.0.0.1]/", "http://0x0a000001/",     "http://167772161/",        "http://0/",
        "http://169.254.169.254/",   "https://10.0.0.1/",      "http://[64:ff9b::a00:1]/",
    };
    struct fetch_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(url); i++) {
        char pattern[256];

        if (fetch(f, url[i]) != NET_FAULT_ADDRESS)
            fail_msg("%s: %d", url[i], f->fault);
        (void)snprintf(pattern, sizeof(pattern), "http://device.example:PORT/?to=%s", url[i]);
        if (fetch(f, pattern) != NET_FAULT_ADDRESS)
            fail_msg("to %s: %d", url[i], f->fault);
        assert_int_equal(f->redirects, 1);
    }
}

/* The client's own check, should the pinned address ever be another than the judged one. */
static void on_sent(const struct net_client_result *result, void *user)
{
    struct fetch_fixture *f = user;

    f->fault = result->fault;
    (void)event_base_loopbreak(f->base);
}

static void acme_84_what_is_connected_to_is_judged_once_more(void **state)
{
    struct fetch_fixture *f = *state;
    struct address_rules none = { 0 };
    struct net_client_request request = { .method = HTTP_METHOD_GET,
                                          .url = "http://public.example/",
                                          .timeout_ms = 5000,
                                          .response_max = 100,
                                          .rules = &none,
                                          .address = { 4, { 127, 0, 0, 1 } } };
    struct error err;

    assert_true(net_client_send(f->client, &request, on_sent, f, &err));
    (void)event_base_dispatch(f->base);
    assert_int_equal(f->fault, NET_FAULT_ADDRESS);
}

static void acme_85_what_is_too_large_is_refused(void **state)
{
    struct fetch_fixture *f = *state;

    assert_int_equal(fetch(f, "http://device.example:PORT/big"), NET_FAULT_ANSWER);
    assert_int_equal(f->body_len, 0);
}

static void acme_85_the_time_is_bounded(void **state)
{
    struct fetch_fixture *f = *state;
    struct alpn_server silent = { .silent = true };
    int64_t start_ms = clock_monotonic_ms();
    char url[64];
    struct net_fetch_request request = { .url = url, .rules = &rules, .timeout_ms = 300 };

    alpn_server_start(&silent);
    request.port = silent.port;
    (void)snprintf(url, sizeof(url), "http://device.example:%u/", silent.port);
    assert_int_equal(send_and_wait(f, &request), NET_FAULT_TIMEOUT);
    assert_true(clock_monotonic_ms() - start_ms < 5000);
    alpn_server_stop(&silent);
}

static void acme_82_the_certificate_of_https_is_not_judged(void **state)
{
    struct fetch_fixture *f = *state;
    struct alpn_server tls = { .reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" };
    char url[64];
    struct net_fetch_request request = { .url = url, .rules = &rules, .timeout_ms = 5000 };

    alpn_server_start(&tls);
    request.port = tls.port;
    (void)snprintf(url, sizeof(url), "https://device.example:%u/", tls.port);
    assert_int_equal(send_and_wait(f, &request), NET_OK);
    assert_string_equal(f->body, "hi");
    alpn_server_stop(&tls);
    assert_string_equal(tls.server_name, "device.example");
}

static void acme_83_faults_are_told_apart(void **state)
{
    struct fetch_fixture *f = *state;
    struct alpn_server plain = { .plain = true };
    char url[64];
    struct net_fetch_request request = { .url = url, .rules = &rules, .timeout_ms = 5000 };

    assert_int_equal(fetch(f, "http://nobody.example/"), NET_FAULT_DNS);
    assert_string_equal(f->failure, "no such name");
    assert_int_equal(fetch(f, "http://ill.example/"), NET_FAULT_DNS);
    alpn_server_start(&plain);
    request.port = plain.port;
    (void)snprintf(url, sizeof(url), "https://device.example:%u/", plain.port);
    assert_int_equal(send_and_wait(f, &request), NET_FAULT_TLS);
    (void)snprintf(url, sizeof(url), "http://device.example:%u/", plain.port);
    assert_int_equal(send_and_wait(f, &request), NET_FAULT_ANSWER);
    alpn_server_stop(&plain);
    assert_int_equal(send_and_wait(f, &request), NET_FAULT_CONNECT);
}

static void the_next_address_is_tried(void **state)
{
    struct fetch_fixture *f = *state;

    assert_int_equal(fetch(f, "http://two.example:PORT/host"), NET_OK); /* nobody listens on 127.0.0.2 */
    assert_string_equal(f->address, "127.0.0.1");
}

static void freeing_ends_what_is_pending_without_its_callback(void **state)
{
    struct fetch_fixture *f = *state;
    struct net_fetch_request request = { .url = "http://silent.example/",
                                         .rules = &rules,
                                         .timeout_ms = 5000 };
    struct error err;

    assert_true(net_fetch(f->fetcher, &request, on_done, f, &err));
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
    assert_true(net_fetch(f->fetcher, &request, on_done, f, &err));
    assert_int_equal(f->done, 0); /* tear_down() frees the rest */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(acme_81_the_host_is_the_name),
        TEST(acme_82_redirects_are_followed),
        TEST(acme_82_other_schemes_ports_and_forms_are_not_followed),
        TEST(acme_84_addresses_are_judged_at_each_hop),
        TEST(acme_84_what_is_connected_to_is_judged_once_more),
        TEST(acme_85_what_is_too_large_is_refused),
        TEST(acme_85_the_time_is_bounded),
        TEST(acme_82_the_certificate_of_https_is_not_judged),
        TEST(acme_83_faults_are_told_apart),
        TEST(the_next_address_is_tried),
        TEST(freeing_ends_what_is_pending_without_its_callback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
