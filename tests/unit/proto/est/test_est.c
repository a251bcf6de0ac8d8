#include "proto/est/est.h"

#include "tests/lib/test.h"

static int set_up(void **state)
{
    *state = arena_new(1 << 20);
    return *state == NULL;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct profile profile = { .name = "p", .keys = KEY_RULES_DEFAULT };
static const struct procedure procedure = {
    .name = "demo", .ca = "demo", .profile = &profile, .est_basic = true
};
static const struct enroll_service enroll_service;
static const struct est_service service = { .enroll = &enroll_service };

struct asked {
    bool answered;
    struct http_response response;
};

static struct asked ask(struct arena *arena, enum http_method method, const char *operation,
                        const char *content_type)
{
    struct http_header header = { BYTES_LITERAL("Content-Type"), bytes_text(content_type) };
    struct http_request request = { .method = method,
                                    .path = BYTES_LITERAL("/.well-known/est/x"),
                                    .header = &header,
                                    .header_count = content_type != NULL ? 1 : 0,
                                    .body = BYTES_LITERAL("body"),
                                    .peer = { .tls = true, .tls_version = 0x0304 },
                                    .arena = arena };
    struct asked a = { 0 };

    a.answered = est_serve_public(&service, &procedure, bytes_text(operation), &request, &a.response);
    return a;
}

static void assert_answered(struct asked a, int status)
{
    assert_true(a.answered);
    assert_int_equal(a.response.status, status);
}

static void est_10_operations_are_reserved_labels(void **state)
{
    static const char *const names[] = {
        "cacerts", "simpleenroll", "simplereenroll", "fullcmc",  "serverkeygen", "csrattrs", "pal",
        "eecerts", "crls",         "symmetrickeys",  "firmware", "tamp",         "sen",      "CaCerts"
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(est_label_is_reserved(bytes_text(names[i])));
    assert_false(est_label_is_reserved(BYTES_LITERAL("demo")));
    assert_false(est_label_is_reserved(BYTES_LITERAL("cacert")));
    assert_false(est_label_is_reserved(BYTES_NONE));
}

static void est_12_an_unknown_operation_is_not_found(void **state)
{
    assert_answered(ask(*state, HTTP_METHOD_GET, "nonsense", NULL), 404);
    assert_answered(ask(*state, HTTP_METHOD_GET, "CACERTS", NULL), 404);
    assert_answered(ask(*state, HTTP_METHOD_GET, "", NULL), 404);
}

static void est_13_an_optional_operation_is_not_implemented(void **state)
{
    assert_answered(ask(*state, HTTP_METHOD_POST, "fullcmc", NULL), 501);
    assert_answered(ask(*state, HTTP_METHOD_POST, "serverkeygen", NULL), 501);
}

static void est_14_a_wrong_method_names_the_right_one(void **state)
{
    static const struct {
        enum http_method method;
        const char *operation, *allow;
    } rows[] = {
        { HTTP_METHOD_GET, "simpleenroll", "POST" },   { HTTP_METHOD_PUT, "simplereenroll", "POST" },
        { HTTP_METHOD_POST, "cacerts", "GET, HEAD" },  { HTTP_METHOD_POST, "csrattrs", "GET, HEAD" },
        { HTTP_METHOD_OTHER, "cacerts", "GET, HEAD" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct asked a = ask(*state, rows[i].method, rows[i].operation, NULL);

        assert_answered(a, 405);
        assert_text(a.response.header[1].name, "Allow");
        assert_text(a.response.header[1].value, rows[i].allow);
    }
}

static void est_17_26_a_body_has_a_length_and_one_type(void **state)
{
    struct http_request request = {
        .method = HTTP_METHOD_POST, .path = BYTES_LITERAL("/x"), .peer = { .tls = true }, .arena = *state
    };
    struct http_response response;

    assert_false(ask(*state, HTTP_METHOD_POST, "simpleenroll", "application/pkcs10").answered);
    assert_false(ask(*state, HTTP_METHOD_POST, "simpleenroll", "Application/PKCS10; x=y").answered);
    assert_false(ask(*state, HTTP_METHOD_POST, "simplereenroll", NULL).answered);
    assert_answered(ask(*state, HTTP_METHOD_POST, "simpleenroll", "application/x-www-form-urlencoded"), 415);
    assert_true(est_serve_public(&service, &procedure, BYTES_LITERAL("simpleenroll"), &request, &response));
    assert_int_equal(response.status, 411);
}

static void est_1_plain_http_is_not_served(void **state)
{
    static const char *const operations[] = { "cacerts", "csrattrs", "simpleenroll", "nonsense" };
    struct http_request request = { .method = HTTP_METHOD_GET, .path = BYTES_LITERAL("/x"), .arena = *state };
    struct http_response response;

    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        assert_true(est_serve_public(&service, &procedure, bytes_text(operations[i]), &request, &response));
        assert_int_equal(response.status, 403);
    }
}

static void est_35_without_a_ca_nothing_empty_is_sent(void **state)
{
    assert_answered(ask(*state, HTTP_METHOD_GET, "cacerts", NULL), 503);
}

static void est_81_without_demands_there_is_no_content(void **state)
{
    struct asked a = ask(*state, HTTP_METHOD_GET, "csrattrs", NULL);

    assert_answered(a, 204);
    assert_int_equal(a.response.body.len, 0);
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(est_10_operations_are_reserved_labels),
        WITH_ARENA(est_12_an_unknown_operation_is_not_found),
        WITH_ARENA(est_13_an_optional_operation_is_not_implemented),
        WITH_ARENA(est_14_a_wrong_method_names_the_right_one),
        WITH_ARENA(est_17_26_a_body_has_a_length_and_one_type),
        WITH_ARENA(est_1_plain_http_is_not_served),
        WITH_ARENA(est_35_without_a_ca_nothing_empty_is_sent),
        WITH_ARENA(est_81_without_demands_there_is_no_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
