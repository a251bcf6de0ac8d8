#include "tests/conformance/est/est_case.h"

static void est_1_plain_http_is_not_served(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(
        c, (struct est_plan){ .user = "router5", .password = "s3cret", .plain = true });

    assert_status(c, &response, 403);
    response = est_ask(
        c, (struct est_plan){ .path = "/.well-known/est/cacerts", .method = HTTP_METHOD_GET, .plain = true });
    assert_status(c, &response, 403);
}

static void est_8_9_11_operations_are_found_with_and_without_label(void **state)
{
    static const char *const paths[] = { "/.well-known/est/cacerts", "/.well-known/est/demo/cacerts",
                                         "/demo/.well-known/est/cacerts" /* strongSwan */ };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_int_equal(est_get(c, paths[i]).status, 200);
    assert_int_equal(
        est_ask(c, (struct est_plan){ .path = "/.well-known/est/simpleenroll", .password = "s3cret" }).status,
        200);
}

static void est_12_unknown_labels_and_operations_are_not_found(void **state)
{
    static const char *const paths[] = { "/.well-known/est/other/cacerts",
                                         "/.well-known/est/demo/other",
                                         "/.well-known/est/other",
                                         "/.well-known/est/",
                                         "/.well-known/est",
                                         "/.well-known/est/demo/cacerts/more",
                                         "/demo/.well-known/est/demo/cacerts" };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct http_response response = est_get(c, paths[i]);

        assert_status(c, &response, 404);
    }
}

static void est_13_115_fullcmc_and_serverkeygen_are_not_implemented(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ .path = "/.well-known/est/demo/fullcmc" });

    assert_status(c, &response, 501);
    response = est_ask(c, (struct est_plan){ .path = "/.well-known/est/demo/serverkeygen" });
    assert_status(c, &response, 501);
}

static void est_14_a_wrong_method_is_answered_with_the_right_one(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_get(c, "/.well-known/est/demo/simpleenroll");

    assert_status(c, &response, 405);
    assert_text(est_client_header(&response, "Allow", 0), "POST");
    response = est_ask(c, (struct est_plan){ .path = "/.well-known/est/demo/cacerts" });
    assert_status(c, &response, 405);
    assert_text(est_client_header(&response, "Allow", 0), "GET, HEAD");
}

static void est_16_nothing_is_redirected(void **state)
{
    static const char *const paths[] = { "/.well-known/est/demo/cacerts", "/.well-known/est/demo/csrattrs",
                                         "/.well-known/est/demo", "/.well-known/est/cacerts/" };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct http_response response = est_get(c, paths[i]);

        assert_false(response.status >= 300 && response.status < 400);
        assert_null(est_client_header(&response, "Location", 0).data);
    }
}

static void est_17_26_a_body_of_another_type_is_refused(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .password = "s3cret", .content_type = "application/x-www-form-urlencoded" };
    struct http_response response = est_ask(c, plan);

    assert_status(c, &response, 415);
    plan.content_type = ""; /* none at all */
    response = est_ask(c, plan);
    (void)assert_issued(c, &response);
}

static void est_18_a_ca_that_is_not_configured_gives_no_partial_answer(void **state)
{
    struct est_case *c = *state;
    struct http_response response;

    c->g->procedure.ca = "gone";
    response = est_ask(c, (struct est_plan){ .password = "s3cret" });
    assert_true(response.status == 503 || response.status == 500);
    assert_status(c, &response, response.status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_1_plain_http_is_not_served),
        EST_ROW(est_8_9_11_operations_are_found_with_and_without_label),
        EST_ROW(est_12_unknown_labels_and_operations_are_not_found),
        EST_ROW(est_13_115_fullcmc_and_serverkeygen_are_not_implemented),
        EST_ROW(est_14_a_wrong_method_is_answered_with_the_right_one),
        EST_ROW(est_16_nothing_is_redirected),
        EST_ROW(est_17_26_a_body_of_another_type_is_refused),
        EST_ROW(est_18_a_ca_that_is_not_configured_gives_no_partial_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
