/* The HTTP binding without a gateway: what is answered at once, and what goes to a worker. */
#include "proto/scep/scep.h"

#include "tests/lib/test.h"

struct fixture {
    struct arena *arena;
    struct procedure procedure;
    struct enroll_service enroll;
    struct scep_service service;
    struct http_response response;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->arena = arena_new(1 << 20);
    f->procedure = (struct procedure){ .name = "demo", .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) };
    f->service.enroll = &f->enroll;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_free(f->arena);
    test_free(f);
    return 0;
}

static bool is_answered(struct fixture *f, enum http_method method, const char *query)
{
    struct http_request request = {
        .method = method, .query = bytes_text(query), .path = BYTES_LITERAL("/scep"), .arena = f->arena
    };

    f->response = (struct http_response){ 0 };
    return scep_serve_public(&f->service, &f->procedure, &request, &f->response);
}

static void a_pki_operation_goes_to_a_worker(void **state)
{
    struct fixture *f = *state;

    assert_false(is_answered(f, HTTP_METHOD_POST, "operation=PKIOperation"));
    assert_false(is_answered(f, HTTP_METHOD_POST, NULL));
    assert_false(is_answered(f, HTTP_METHOD_GET, "operation=PKIOperation&message=MAA"));
    assert_false(is_answered(f, HTTP_METHOD_GET, "message=MAA&operation=PKIOperation"));
    assert_int_equal(f->response.status, 0);
}

static void a_get_without_message_is_answered_at_once(void **state)
{
    struct fixture *f = *state;

    assert_true(is_answered(f, HTTP_METHOD_GET, "operation=PKIOperation"));
    assert_int_equal(f->response.status, 400);
    assert_true(is_answered(f, HTTP_METHOD_GET, "operation=PKIOperation&message="));
    assert_int_equal(f->response.status, 400);
}

static void capabilities_are_answered_at_once(void **state)
{
    struct fixture *f = *state;

    assert_true(is_answered(f, HTTP_METHOD_GET, "operation=GetCACaps&message=0"));
    assert_int_equal(f->response.status, 200);
    assert_text(f->response.body, "AES\nPOSTPKIOperation\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n");
}

static void without_memory_capabilities_are_no_half_list(void **state)
{
    struct fixture *f = *state;

    arena_fail_after(f->arena, 2); /* the first is the decoded parameter */
    assert_true(is_answered(f, HTTP_METHOD_GET, "operation=GetCACaps"));
    assert_int_equal(f->response.status, 503);
}

static void a_procedure_without_ra_gives_no_certificates(void **state)
{
    struct fixture *f = *state;

    assert_true(is_answered(f, HTTP_METHOD_GET, "operation=GetCACert"));
    assert_int_equal(f->response.status, 500);
}

static void a_procedure_that_is_not_open_on_scep_is_not_found(void **state)
{
    struct fixture *f = *state;

    f->procedure.protocols = PROTOCOL_BIT(PROTOCOL_EST);
    assert_true(is_answered(f, HTTP_METHOD_POST, "operation=PKIOperation"));
    assert_int_equal(f->response.status, 404);
}

static void the_operation_is_named_as_the_standard_spells_it(void **state)
{
    struct fixture *f = *state;
    struct http_request request = { .arena = f->arena,
                                    .method = HTTP_METHOD_GET,
                                    .query = BYTES_LITERAL("operation=getcacaps") };

    assert_string_equal(scep_operation_name(&request), "GetCACaps");
    request.query = BYTES_LITERAL("operation=Reboot");
    assert_null(scep_operation_name(&request));
    request = (struct http_request){ .arena = f->arena, .method = HTTP_METHOD_POST };
    assert_string_equal(scep_operation_name(&request), "PKIOperation");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(a_pki_operation_goes_to_a_worker),
        WITH(a_get_without_message_is_answered_at_once),
        WITH(capabilities_are_answered_at_once),
        WITH(without_memory_capabilities_are_no_half_list),
        WITH(a_procedure_without_ra_gives_no_certificates),
        WITH(a_procedure_that_is_not_open_on_scep_is_not_found),
        WITH(the_operation_is_named_as_the_standard_spells_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
