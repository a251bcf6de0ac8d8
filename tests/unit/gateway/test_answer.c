#include "tests/lib/test.h"

#include "gateway/answer.h"
#include "lib/base/arena.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
