#include "lib/net/probe.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tests/lib/alpn_server.h"
#include "tests/lib/dns_server.h"

#define B(text)                                   \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static const struct dns_server_row rows[] = {
    { .name = "device.example", .type = DNS_TYPE_A, .rdata = { B("\x7f\0\0\1") } },
    { .name = "two.example", .type = DNS_TYPE_A, .rdata = { B("\x7f\0\0\2"), B("\x7f\0\0\1") } },
    { .name = "inside.example", .type = DNS_TYPE_A, .rdata = { B("\xa\0\0\1") } },
    { .name = "empty.example", .type = DNS_TYPE_TXT, .rdata = { B("\1x") } },
    { .name = "ill.example", .type = DNS_TYPE_A, .rcode = 2 },
};

static const struct ip_range loopback[] = { { { 4, { 127 } }, 8 } };
static const struct address_rules rules = { .allowed = loopback, .allowed_count = 1 };

struct fixture {
    struct dns_server dns;
    struct alpn_server tls;
    struct event_base *base;
    struct net_resolver *resolver;
    struct net_prober *prober;
    /* what came */
    unsigned done;
    enum net_fault fault;
    char failure[64], address[IP_TEXT_LEN];
    uint8_t certificate[4096];
    size_t certificate_len;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err;

    if (f == NULL)
        return -1;
    dns_server_start(&f->dns, rows, COUNT_OF(rows));
    f->base = event_base_new();
    f->tls.alpn = "acme-tls/1";
    *state = f;
    return net_resolver_new(f->base, f->dns.address, &f->resolver, &err) &&
                   net_prober_new(f->base, f->resolver, &f->prober, &err)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    net_prober_free(f->prober);
    net_resolver_free(f->resolver);
    event_base_free(f->base);
    dns_server_stop(&f->dns);
    free(f);
    return 0;
}

static void on_done(const struct net_probe_result *result, void *user)
{
    struct fixture *f = user;

    f->done++;
    f->fault = result->fault;
    f->certificate_len = result->certificate.len;
    assert_true(f->certificate_len <= sizeof(f->certificate));
    if (f->certificate_len > 0)
        memcpy(f->certificate, result->certificate.data, f->certificate_len);
    ip_format(&result->address, f->address);
    (void)snprintf(f->failure, sizeof(f->failure), "%s", result->failure != NULL ? result->failure : "");
    (void)event_base_loopbreak(f->base);
}

static struct net_probe_request request_to(const struct fixture *f, const char *host)
{
    struct net_probe_request request = { .host = bytes_text(host),
                                         .port = f->tls.port,
                                         .alpn = "acme-tls/1",
                                         .rules = &rules,
                                         .timeout_ms = 10000 };
    const struct dns_rules any = { 0 };
    struct ip_address ip;

    if (ip_parse(request.host, &ip))
        dns_name_reverse(&ip, &request.server_name);
    else
        assert_int_equal(dns_name_parse(request.host, &any, &request.server_name), DNS_OK);
    return request;
}

static void send_and_wait(struct fixture *f, const struct net_probe_request *request)
{
    struct error err;

    f->done = 0;
    if (!net_probe(f->prober, request, on_done, f, &err))
        fail_msg("%s", err.text);
    assert_int_equal(f->done, 0); /* never from within */
    (void)event_base_dispatch(f->base);
    assert_int_equal(f->done, 1);
}

/* Starts the server as it is set, probes the host, stops the server. */
static enum net_fault probe(struct fixture *f, const char *host)
{
    struct net_probe_request request;

    alpn_server_start(&f->tls);
    request = request_to(f, host);
    send_and_wait(f, &request);
    alpn_server_stop(&f->tls);
    return f->fault;
}

static void acme_93_one_protocol_a_name_and_no_data(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(probe(f, "device.example"), NET_OK);
    assert_int_equal(f->certificate_len, f->tls.certificate_len);
    assert_memory_equal(f->certificate, f->tls.certificate, f->certificate_len);
    assert_string_equal(f->address, "127.0.0.1");
    assert_string_equal(f->tls.server_name, "device.example");
    assert_string_equal(f->tls.offered, "\x0a"
                                        "acme-tls/1");
    assert_int_equal(f->tls.received, 0);
    assert_int_equal(f->tls.connections, 1);
}

static void acme_97_an_address_goes_by_its_reverse_name(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(probe(f, "127.0.0.1"), NET_OK);
    assert_string_equal(f->tls.server_name, "1.0.0.127.in-addr.arpa");
    assert_int_equal(atomic_load(&f->dns.asked), 0);
}

static void tls_1_2_is_enough_and_1_1_is_not(void **state)
{
    struct fixture *f = *state;

    f->tls.version_max = TLS1_2_VERSION;
    assert_int_equal(probe(f, "device.example"), NET_OK);
    f->tls.version_max = TLS1_1_VERSION;
    assert_int_equal(probe(f, "device.example"), NET_FAULT_TLS);
    assert_int_equal(f->certificate_len, 0);
}

static void acme_95_the_protocol_must_be_chosen(void **state)
{
    struct fixture *f = *state;

    f->tls.alpn = NULL;
    assert_int_equal(probe(f, "device.example"), NET_FAULT_ALPN);
    f->tls.alpn = "h2";
    assert_int_equal(probe(f, "device.example"), NET_FAULT_ALPN);
    f->tls.refuses = true;
    assert_int_equal(probe(f, "device.example"), NET_FAULT_ALPN);
}

static void acme_95_what_is_no_tls_is_told_apart(void **state)
{
    struct fixture *f = *state;

    f->tls.plain = true;
    assert_int_equal(probe(f, "device.example"), NET_FAULT_TLS);
}

static void a_silent_server_is_given_up_in_time(void **state)
{
    struct fixture *f = *state;
    int64_t start_ms = clock_monotonic_ms();
    struct net_probe_request request;

    f->tls.silent = true;
    alpn_server_start(&f->tls);
    request = request_to(f, "device.example");
    request.timeout_ms = 300;
    send_and_wait(f, &request);
    assert_int_equal(f->fault, NET_FAULT_TIMEOUT);
    assert_true(clock_monotonic_ms() - start_ms < 5000);
    alpn_server_stop(&f->tls);
}

static void a_port_where_nobody_is_is_no_connection(void **state)
{
    struct fixture *f = *state;
    struct net_probe_request request;

    alpn_server_start(&f->tls);
    request = request_to(f, "device.example");
    alpn_server_stop(&f->tls);
    send_and_wait(f, &request);
    assert_int_equal(f->fault, NET_FAULT_CONNECT);
}

static void the_next_address_is_tried(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(probe(f, "two.example"), NET_OK); /* nobody listens on 127.0.0.2 */
    assert_string_equal(f->address, "127.0.0.1");
}

static void acme_84_forbidden_addresses_are_not_connected_to(void **state)
{
    struct fixture *f = *state;
    struct address_rules none = { 0 };
    struct net_probe_request request;

    alpn_server_start(&f->tls);
    request = request_to(f, "device.example");
    request.rules = &none;
    send_and_wait(f, &request);
    assert_int_equal(f->fault, NET_FAULT_ADDRESS);
    request = request_to(f, "127.0.0.1");
    request.rules = &none;
    send_and_wait(f, &request);
    assert_int_equal(f->fault, NET_FAULT_ADDRESS);
    request = request_to(f, "inside.example");
    send_and_wait(f, &request);
    assert_int_equal(f->fault, NET_FAULT_ADDRESS);
    alpn_server_stop(&f->tls);
    assert_int_equal(f->tls.connections, 0);
}

static void names_that_do_not_resolve_are_told_apart(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(probe(f, "nobody.example"), NET_FAULT_DNS);
    assert_string_equal(f->failure, "no such name");
    assert_int_equal(probe(f, "empty.example"), NET_FAULT_DNS);
    assert_string_equal(f->failure, "the name has no address");
    assert_int_equal(probe(f, "ill.example"), NET_FAULT_DNS);
    assert_string_equal(f->failure, "server failure");
}

static void freeing_ends_what_is_pending_without_its_callback(void **state)
{
    struct fixture *f = *state;
    struct net_probe_request request;
    struct error err;

    f->tls.silent = true;
    alpn_server_start(&f->tls);
    f->done = 0;
    request = request_to(f, "127.0.0.1");
    assert_true(net_probe(f->prober, &request, on_done, f, &err));
    request = request_to(f, "device.example");
    assert_true(net_probe(f->prober, &request, on_done, f, &err));
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
    net_prober_free(f->prober);
    f->prober = NULL;
    net_resolver_free(f->resolver);
    f->resolver = NULL;
    assert_int_equal(f->done, 0);
    alpn_server_stop(&f->tls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(acme_93_one_protocol_a_name_and_no_data),
        TEST(acme_97_an_address_goes_by_its_reverse_name),
        TEST(tls_1_2_is_enough_and_1_1_is_not),
        TEST(acme_95_the_protocol_must_be_chosen),
        TEST(acme_95_what_is_no_tls_is_told_apart),
        TEST(a_silent_server_is_given_up_in_time),
        TEST(a_port_where_nobody_is_is_no_connection),
        TEST(the_next_address_is_tried),
        TEST(acme_84_forbidden_addresses_are_not_connected_to),
        TEST(names_that_do_not_resolve_are_told_apart),
        TEST(freeing_ends_what_is_pending_without_its_callback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
