#include "tests/lib/test.h"

#include "gateway/answer.h"
#include "lib/base/arena.h"
#include "lib/base/random.h"
#include "proto/acme/nonce.h"

/* What the log line of a request says before any worker has seen it. */
static struct turn_facts facts_of(void **state, enum http_method method, struct bytes path,
                                  struct bytes query)
{
    struct procedure procedure = { .name = "demo",
                                   .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST) };
    struct config config = { .listener_count = 1,
                             .listener_role = { LISTENER_DEVICES },
                             .default_procedure = &procedure };
    struct http_request request = { .method = method, .path = path, .query = query, .arena = *state };
    struct answering a;

    assert_true(answer_at_once(&a, &config, &request));
    return a.turn.facts;
}

static void what_is_answered_at_once_names_its_operation(void **state)
{
    struct turn_facts facts = facts_of(state, HTTP_METHOD_GET, BYTES_LITERAL("/scep"),
                                       BYTES_LITERAL("operation=GetCACaps"));

    assert_string_equal(facts.protocol, "scep");
    assert_string_equal(facts.procedure, "demo");
    assert_string_equal(facts.operation, "GetCACaps");
    assert_string_equal(facts.verdict, "served");
    assert_null(facts.reason);
}

static void what_http_refuses_is_no_service(void **state)
{
    struct turn_facts facts = facts_of(state, HTTP_METHOD_DELETE, BYTES_LITERAL("/scep"),
                                       BYTES_LITERAL("operation=GetCACaps"));

    assert_string_equal(facts.verdict, "refused");
    assert_string_equal(facts.reason, "http");
    facts = facts_of(state, HTTP_METHOD_POST, BYTES_LITERAL("/.well-known/est/serverkeygen"), BYTES_NONE);
    assert_string_equal(facts.operation, "serverkeygen");
    assert_string_equal(facts.verdict, "refused");
}

static void an_operation_that_is_none_is_not_repeated(void **state)
{
    struct turn_facts facts = facts_of(state, HTTP_METHOD_GET, BYTES_LITERAL("/.well-known/est/reboot"),
                                       BYTES_NONE);

    assert_null(facts.operation);
    assert_string_equal(facts.verdict, "refused");
}

static void a_path_of_nobody_is_told_as_such(void **state)
{
    struct turn_facts facts = facts_of(state, HTTP_METHOD_GET, BYTES_LITERAL("/nothing"), BYTES_NONE);

    assert_string_equal(facts.protocol, "http");
    assert_string_equal(facts.reason, "no_route");
}

/* --- what cannot be answered now --- */
struct later_case {
    struct procedure procedure;
    const struct procedure *procedures[1];
    struct config config;
    struct http_request request;
    struct answering a;
    uint64_t seed;
};

/* A request that has arrived and waits for a worker. */
static void arrived(struct later_case *l, struct arena *arena, struct bytes path, struct bytes body)
{
    struct random_source random = random_seeded(&l->seed);

    *l = (struct later_case){
        .procedure = { .name = "demo",
                       .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_ACME) },
        .config = { .listener_count = 1, .listener_role = { LISTENER_DEVICES }, .busy_retry_after_s = 7 },
        .request = { .method = HTTP_METHOD_POST,
                     .path = path,
                     .query = BYTES_LITERAL("operation=PKIOperation"),
                     .body = body,
                     .peer.tls = true,
                     .base_url = "https://ra.example.com",
                     .arena = arena },
    };
    l->procedures[0] = &l->procedure;
    l->config.procedure = l->procedures;
    l->config.procedure_count = 1;
    l->config.default_procedure = &l->procedure;
    l->config.acme.nonce_valid_s = ACME_NONCE_VALID_S;
    assert_true(acme_nonces_new(16, &random, &l->config.acme.nonces, NULL));
    assert_false(answer_at_once(&l->a, &l->config, &l->request));
}

static struct bytes header(const struct http_response *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (bytes_is(r->header[i].name, name))
            return r->header[i].value;
    return BYTES_NONE;
}

static void acme_is_told_later_by_a_problem_document(void **state)
{
    struct later_case l = { .seed = 1 };
    const struct error disk = { .code = ERROR_STORAGE, .text = "the disk has a secret" };

    arrived(&l, *state, BYTES_LITERAL("/acme/demo/new-order"), BYTES_LITERAL("{}"));
    answer_busy(&l.a, random_seeded(&l.seed), 1800000000);
    assert_int_equal(l.a.response.status, 503);
    assert_text(header(&l.a.response, "Content-Type"), "application/problem+json");
    assert_text(l.a.response.body, "{\"detail\":\"busy, try again later\",\"status\":503,"
                                   "\"type\":\"urn:ietf:params:acme:error:rateLimited\"}");
    assert_text(header(&l.a.response, "Retry-After"), "7");
    assert_text(header(&l.a.response, "Link"), "<https://ra.example.com/acme/demo/directory>;rel=\"index\"");
    assert_int_equal(header(&l.a.response, "Replay-Nonce").len, ACME_NONCE_LEN);
    assert_string_equal(l.a.turn.facts.verdict, "busy");

    answer_not_durable(&l.a, &disk);
    assert_int_equal(l.a.response.status, 503);
    assert_text(l.a.response.body, "{\"detail\":\"try again later\",\"status\":503,"
                                   "\"type\":\"urn:ietf:params:acme:error:serverInternal\"}");
    assert_text(header(&l.a.response, "Retry-After"), "7");
    assert_int_equal(header(&l.a.response, "Replay-Nonce").len, ACME_NONCE_LEN);
    assert_string_equal(l.a.turn.facts.verdict, "error");
    acme_nonces_free(l.config.acme.nonces);
}

/* On the loop's thread, without clock and randomness: the same document without a nonce. */
static void acme_is_told_that_the_chain_is_not_there_yet(void **state)
{
    struct ca ca = { .name = "upstream", .chain_awaited = true };
    struct procedure procedure = { .name = "demo",
                                   .ca = "upstream",
                                   .protocols = PROTOCOL_BIT(PROTOCOL_ACME) };
    const struct procedure *procedures[] = { &procedure };
    struct config config = { .listener_count = 1,
                             .listener_role = { LISTENER_DEVICES },
                             .procedure = procedures,
                             .procedure_count = 1,
                             .enroll = { .ca = &ca, .ca_count = 1 },
                             .busy_retry_after_s = 7 };
    struct http_request request = { .method = HTTP_METHOD_GET,
                                    .path = BYTES_LITERAL("/acme/demo/directory"),
                                    .peer.tls = true,
                                    .base_url = "https://ra.example.com",
                                    .arena = *state };
    struct answering a;

    assert_true(answer_at_once(&a, &config, &request));
    assert_int_equal(a.response.status, 503);
    assert_text(a.response.body, "{\"detail\":\"not ready yet, try again later\",\"status\":503,"
                                 "\"type\":\"urn:ietf:params:acme:error:serverInternal\"}");
    assert_text(header(&a.response, "Retry-After"), "7");
    assert_int_equal(header(&a.response, "Replay-Nonce").len, 0);
    assert_string_equal(a.turn.facts.reason, "not_ready");
    request.base_url = NULL; /* no link can be made */
    assert_true(answer_at_once(&a, &config, &request));
    assert_text(a.response.body, "not ready yet, try again later\n");
}

static void others_are_told_later_in_plain_text(void **state)
{
    struct later_case l = { .seed = 1 };

    arrived(&l, *state, BYTES_LITERAL("/scep/demo"), BYTES_LITERAL("x"));
    answer_busy(&l.a, random_seeded(&l.seed), 1800000000);
    assert_int_equal(l.a.response.status, 503);
    assert_text(header(&l.a.response, "Content-Type"), "text/plain; charset=utf-8");
    assert_text(l.a.response.body, "busy, try again later\n");
    assert_text(header(&l.a.response, "Retry-After"), "7");
    acme_nonces_free(l.config.acme.nonces);
}

/* Nothing more can be made: plain text, which needs nothing. */
static void without_memory_there_is_an_answer(void **state)
{
    struct later_case l = { .seed = 1 };

    for (unsigned n = 1; n < 8; n++) {
        arrived(&l, *state, BYTES_LITERAL("/acme/demo/new-order"), BYTES_LITERAL("{}"));
        arena_fail_after(*state, n);
        answer_busy(&l.a, random_seeded(&l.seed), 1800000000);
        arena_fail_after(*state, 0);
        assert_int_equal(l.a.response.status, 503);
        assert_true(header(&l.a.response, "Retry-After").len > 0);
        assert_true(l.a.response.body.len > 0);
        acme_nonces_free(l.config.acme.nonces);
    }
}

static int setup(void **state)
{
    *state = arena_new(1 << 20);
    return *state == NULL;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(what_is_answered_at_once_names_its_operation),
        WITH(what_http_refuses_is_no_service),
        WITH(an_operation_that_is_none_is_not_repeated),
        WITH(a_path_of_nobody_is_told_as_such),
        WITH(acme_is_told_later_by_a_problem_document),
        WITH(acme_is_told_that_the_chain_is_not_there_yet),
        WITH(others_are_told_later_in_plain_text),
        WITH(without_memory_there_is_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
