#include "lib/net/lookup_internal.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/lib/dns_server.h"

#define B(text)                                   \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }
#define V6(end) "\x26\x06\x47\0\0\0\0\0\0\0\0\0\0\0\0" end

static const struct dns_server_row rows[] = {
    { .name = "both.example", .type = DNS_TYPE_A, .rdata = { B("\1\1\1\1"), B("\1\1\1\2") } },
    { .name = "both.example", .type = DNS_TYPE_AAAA, .rdata = { B(V6("\1")) } },
    { .name = "mixed.example", .type = DNS_TYPE_A, .rdata = { B("\xa\0\0\1"), B("\1\1\1\1") } },
    { .name = "half.example", .type = DNS_TYPE_A, .rcode = 2 },
    { .name = "half.example", .type = DNS_TYPE_AAAA, .rdata = { B(V6("\1")) } },
    { .name = "ill.example", .type = DNS_TYPE_A, .rdata = { { 0 } } },
    { .name = "ill.example", .type = DNS_TYPE_AAAA, .rcode = 2 },
};

struct fixture {
    struct dns_server server;
    struct event_base *base;
    struct lookup lookup;
    struct address_rules rules;
    unsigned done;
};

static void on_done(struct lookup *lookup, void *user)
{
    struct fixture *f = user;

    assert_ptr_equal(lookup, &f->lookup);
    f->done++;
    (void)event_base_loopbreak(f->base);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err;

    if (f == NULL)
        return -1;
    dns_server_start(&f->server, rows, COUNT_OF(rows));
    f->base = event_base_new();
    f->lookup = (struct lookup){ .rules = &f->rules, .done = on_done, .user = f };
    *state = f;
    return net_resolver_new(f->base, f->server.address, &f->lookup.resolver, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    net_resolver_free(f->lookup.resolver);
    event_base_free(f->base);
    dns_server_stop(&f->server);
    free(f);
    return 0;
}

static enum net_fault look_up(struct fixture *f, const char *host)
{
    f->done = 0;
    lookup_start(&f->lookup, bytes_text(host), 10000);
    if (f->done == 0)
        (void)event_base_dispatch(f->base);
    assert_int_equal(f->done, 1);
    return f->lookup.fault;
}

static void assert_address(const struct fixture *f, size_t i, const char *expected)
{
    char text[IP_TEXT_LEN];

    assert_true(i < f->lookup.count);
    ip_format(&f->lookup.address[i], text);
    assert_string_equal(text, expected);
}

static void ipv4_goes_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(look_up(f, "both.example"), NET_OK);
    assert_int_equal(f->lookup.count, 3);
    assert_address(f, 0, "1.1.1.1");
    assert_address(f, 1, "1.1.1.2");
    assert_address(f, 2, "2606:4700::1");
}

static void forbidden_addresses_are_left_out(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(look_up(f, "mixed.example"), NET_OK);
    assert_int_equal(f->lookup.count, 1);
    assert_address(f, 0, "1.1.1.1");
    assert_int_equal(look_up(f, "127.0.0.1"), NET_FAULT_ADDRESS);
    assert_int_equal(look_up(f, "::ffff:127.0.0.1"), NET_FAULT_ADDRESS);
    assert_int_equal(look_up(f, "1.1.1.1"), NET_OK);
    assert_address(f, 0, "1.1.1.1");
}

static void one_family_is_enough(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(look_up(f, "half.example"), NET_OK);
    assert_address(f, 0, "2606:4700::1");
    assert_int_equal(look_up(f, "ill.example"), NET_FAULT_DNS);
    assert_string_equal(f->lookup.failure, "server failure");
}

static void what_is_no_name_is_not_asked_for(void **state)
{
    static const char *const broken[] = { "a..example", "-a.example", "a b",
                                          "1.2.3",      "256.1.1.1",  "\xc3\xbc.example" };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(broken); i++)
        assert_int_equal(look_up(f, broken[i]), NET_FAULT_DNS);
    assert_int_equal(atomic_load(&f->server.asked), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ipv4_goes_first),
        TEST(forbidden_addresses_are_left_out),
        TEST(one_family_is_enough),
        TEST(what_is_no_name_is_not_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
