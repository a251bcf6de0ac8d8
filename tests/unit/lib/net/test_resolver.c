#include "lib/net/resolver.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tests/lib/dns_server.h"

#define B(text)                                   \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static uint8_t long_text[30000];

static struct dns_server_row rows[] = {
    { .name = "a.example", .type = DNS_TYPE_A, .rdata = { B("\x7f\0\0\1"), B("\1\2\3\4") } },
    { .name = "a.example", .type = DNS_TYPE_AAAA, .rdata = { B("0123456789abcdef") } },
    { .name = "_acme-challenge.a.example", .type = DNS_TYPE_TXT, .rdata = { B("\3abc\2de"), B("\1x") } },
    { .name = "a.example", .type = DNS_TYPE_CAA, .rdata = { B("\0\5issueca.example") } },
    { .name = "alias.example", .type = DNS_TYPE_A, .alias = "target.example", .rdata = { B("\5\6\7\x8") } },
    { .name = "ill.example", .type = DNS_TYPE_A, .rcode = 2 },
    { .name = "not-you.example", .type = DNS_TYPE_A, .rcode = 5 },
    { .name = "silent.example", .type = DNS_TYPE_A, .silent = true },
    { .name = "large.example", .type = DNS_TYPE_TXT, .truncated = true, .rdata = { { long_text, 0 } } },
    { .name = "garbage.example", .type = DNS_TYPE_A, .garbage = true, .rdata = { B("\1\2\3\4") } },
};

struct fixture {
    struct dns_server server;
    struct event_base *base;
    struct net_resolver *resolver;
    /* what came */
    unsigned done, wanted;
    enum dns_status status;
    size_t count;
    char value[64];
    size_t value_len;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err;

    if (f == NULL)
        return -1;
    dns_server_start(&f->server, rows, COUNT_OF(rows));
    f->base = event_base_new();
    if (!net_resolver_new(f->base, f->server.address, &f->resolver, &err))
        return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    net_resolver_free(f->resolver);
    event_base_free(f->base);
    dns_server_stop(&f->server);
    free(f);
    return 0;
}

static void on_answer(const struct dns_answer *answer, void *user)
{
    struct fixture *f = user;

    f->done++;
    f->status = answer->status;
    f->count = answer->count;
    f->value_len = answer->count > 0 ? answer->record[0].value.len : 0;
    (void)snprintf(f->value, sizeof(f->value), "%.*s",
                   BYTES_FMT(answer->count > 0 ? bytes_slice(answer->record[0].value, 0, 60) : BYTES_NONE));
    if (f->done == f->wanted)
        (void)event_base_loopbreak(f->base);
}

static struct net_question question_for(const char *name, enum dns_type type)
{
    const struct dns_rules rules = { .underscore = true };
    struct net_question question = { .type = type, .timeout_ms = 10000 };

    assert_int_equal(dns_name_parse(bytes_text(name), &rules, &question.name), DNS_OK);
    return question;
}

static enum dns_status ask(struct fixture *f, const char *name, enum dns_type type, unsigned timeout_ms)
{
    struct net_question question = question_for(name, type);
    struct error err;

    question.timeout_ms = timeout_ms;
    f->done = 0;
    f->wanted = 1;
    if (!net_resolver_ask(f->resolver, &question, on_answer, f, &err))
        fail_msg("%s", err.text);
    assert_int_equal(f->done, 0); /* never from within */
    (void)event_base_dispatch(f->base);
    assert_int_equal(f->done, 1);
    return f->status;
}

static void records_of_each_type_come(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "a.example", DNS_TYPE_A, 10000), DNS_STATUS_RECORDS);
    assert_int_equal(f->count, 2);
    assert_memory_equal(f->value, "\x7f", 1);
    assert_int_equal(ask(f, "a.example", DNS_TYPE_AAAA, 10000), DNS_STATUS_RECORDS);
    assert_string_equal(f->value, "0123456789abcdef");
    assert_int_equal(ask(f, "_acme-challenge.a.example", DNS_TYPE_TXT, 10000), DNS_STATUS_RECORDS);
    assert_int_equal(f->count, 2);
    assert_string_equal(f->value, "abcde");
    assert_int_equal(ask(f, "a.example", DNS_TYPE_CAA, 10000), DNS_STATUS_RECORDS);
    assert_int_equal(f->value_len, 17);
    assert_int_equal(ask(f, "alias.example", DNS_TYPE_A, 10000), DNS_STATUS_RECORDS);
    assert_int_equal(f->count, 1);
}

static void what_is_not_there_is_told_apart(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "nobody.example", DNS_TYPE_A, 10000), DNS_STATUS_NXDOMAIN);
    assert_int_equal(ask(f, "a.example", DNS_TYPE_TXT, 10000), DNS_STATUS_RECORDS);
    assert_int_equal(f->count, 0);
    assert_int_equal(ask(f, "ill.example", DNS_TYPE_A, 10000), DNS_STATUS_SERVFAIL);
    assert_int_equal(ask(f, "not-you.example", DNS_TYPE_A, 10000), DNS_STATUS_REFUSED);
    assert_int_equal(ask(f, "garbage.example", DNS_TYPE_A, 10000), DNS_STATUS_MALFORMED);
}

/* By the recursive resolver that is configured, and nothing is kept in mind of what it said. What it finds
 * bogus it says as SERVFAIL, which is no answer. */
static void acme_86_each_question_is_asked_anew(void **state)
{
    struct fixture *f = *state;
    unsigned before = atomic_load(&f->server.asked);

    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ask(f, "_acme-challenge.a.example", DNS_TYPE_TXT, 10000), DNS_STATUS_RECORDS);
        assert_int_equal(atomic_load(&f->server.asked), before + i);
    }
    assert_int_equal(ask(f, "ill.example", DNS_TYPE_A, 10000), DNS_STATUS_SERVFAIL);
    assert_int_equal(f->count, 0);
}

static void a_silent_server_is_given_up_in_time(void **state)
{
    struct fixture *f = *state;
    int64_t start_ms = clock_monotonic_ms();

    assert_int_equal(ask(f, "silent.example", DNS_TYPE_A, 900), DNS_STATUS_TIMEOUT);
    assert_true(clock_monotonic_ms() - start_ms >= 250);
    assert_true(clock_monotonic_ms() - start_ms < 5000);
    assert_true(atomic_load(&f->server.asked) >= 2); /* asked again */
}

static void a_large_answer_comes_by_tcp(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i + 256 <= sizeof(long_text); i += 256)
        long_text[i] = 255;
    rows[8].rdata[0] = bytes_of(long_text, sizeof(long_text) / 256 * 256);
    assert_int_equal(ask(f, "large.example", DNS_TYPE_TXT, 10000), DNS_STATUS_RECORDS);
    assert_int_equal(f->value_len, sizeof(long_text) / 256 * 255);
}

static void many_are_asked_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct net_question question = question_for("a.example", DNS_TYPE_A);
    struct error err;

    f->wanted = 100;
    for (unsigned i = 0; i < f->wanted; i++)
        assert_true(net_resolver_ask(f->resolver, &question, on_answer, f, &err));
    (void)event_base_dispatch(f->base);
    assert_int_equal(f->done, 100);
    assert_int_equal(f->status, DNS_STATUS_RECORDS);
}

static void freeing_ends_what_is_pending_without_its_callback(void **state)
{
    struct fixture *f = *state;
    struct net_question question = question_for("silent.example", DNS_TYPE_A);
    struct error err;

    for (unsigned i = 0; i < 3; i++)
        assert_true(net_resolver_ask(f->resolver, &question, on_answer, f, &err));
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
    net_resolver_free(f->resolver);
    f->resolver = NULL;
    assert_int_equal(f->done, 0);
    assert_true(net_resolver_new(f->base, f->server.address, &f->resolver, &err));
}

static void a_port_without_server_is_no_answer(void **state)
{
    struct fixture *f = *state;
    struct error err;

    assert_true(net_resolver_set_servers(f->resolver, "127.0.0.1:1", &err));
    assert_int_equal(ask(f, "a.example", DNS_TYPE_A, 2000), DNS_STATUS_TIMEOUT);
    /* the next one in the list answers */
    {
        char servers[64];

        (void)snprintf(servers, sizeof(servers), "127.0.0.1:1, %s", f->server.address);
        assert_true(net_resolver_set_servers(f->resolver, servers, &err));
        assert_int_equal(ask(f, "a.example", DNS_TYPE_A, 10000), DNS_STATUS_RECORDS);
    }
}

static void a_server_that_is_ill_is_passed_over(void **state)
{
    static const struct dns_server_row healthy[] = {
        { .name = "ill.example", .type = DNS_TYPE_A, .rdata = { B("\1\2\3\4") } },
        { .name = "not-you.example", .type = DNS_TYPE_A, .rcode = 5 },
    };
    struct fixture *f = *state;
    struct dns_server other;
    char servers[80];
    struct error err;

    dns_server_start(&other, healthy, COUNT_OF(healthy));
    (void)snprintf(servers, sizeof(servers), "%s,%s", f->server.address, other.address);
    assert_true(net_resolver_set_servers(f->resolver, servers, &err));
    assert_int_equal(ask(f, "ill.example", DNS_TYPE_A, 10000), DNS_STATUS_RECORDS);
    assert_int_equal(f->count, 1);
    assert_int_equal(ask(f, "not-you.example", DNS_TYPE_A, 10000), DNS_STATUS_REFUSED); /* both say so */
    dns_server_stop(&other);
}

static void servers_are_addresses_with_or_without_a_port(void **state)
{
    static const char *const good[] = { "",
                                        "192.0.2.1",
                                        "192.0.2.1:53,192.0.2.2",
                                        "2001:db8::1",
                                        "[2001:db8::1]",
                                        "[::1]:5353",
                                        " ::1 , 127.0.0.1:5353 " };
    static const char *const bad[] = { ",",
                                       "a.example",
                                       "192.0.2.1:",
                                       "192.0.2.1:0",
                                       "192.0.2.1:65536",
                                       "[::1",
                                       "[::1]x",
                                       "[::1]:",
                                       "[]:53",
                                       "192.0.2.1,,::1",
                                       ":53",
                                       "192.0.2.1 53",
                                       "::1,::1,::1,::1,::1,::1,::1,::1,::1" };
    struct error err;

    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!net_resolver_servers_valid(bytes_text(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (net_resolver_servers_valid(bytes_text(bad[i])))
            fail_msg("%s", bad[i]);
    assert_false(net_resolver_set_servers(((struct fixture *)*state)->resolver, "x", &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_of_each_type_come),
        TEST(what_is_not_there_is_told_apart),
        TEST(acme_86_each_question_is_asked_anew),
        TEST(a_silent_server_is_given_up_in_time),
        TEST(a_large_answer_comes_by_tcp),
        TEST(many_are_asked_at_a_time),
        TEST(freeing_ends_what_is_pending_without_its_callback),
        TEST(a_port_without_server_is_no_answer),
        TEST(a_server_that_is_ill_is_passed_over),
        TEST(servers_are_addresses_with_or_without_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
