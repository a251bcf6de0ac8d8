#include "tests/conformance/est/est_case.h"

static struct http_response ask_linked(struct est_case *c, const char *value, struct est_plan plan)
{
    plan.password = "s3cret";
    plan.csr.password = value;
    return est_ask(c, plan);
}

static void est_61_a_wrong_value_is_refused_though_linking_is_not_required(void **state)
{
    struct est_case *c = *state;
    struct http_response response = ask_linked(c, "bm90IGl0", (struct est_plan){ .connection = 1 });

    assert_status(c, &response, 400);
    assert_text(response.body, "linking of identity and proof of possession failed\n");
    response = ask_linked(c, "s3cret", (struct est_plan){ .connection = 1 });
    assert_status(c, &response, 400);
}

static void est_62_absence_passes_unless_linking_is_required(void **state)
{
    struct est_case *c = *state;
    struct http_response response = ask_linked(c, NULL, (struct est_plan){ 0 });

    (void)assert_issued(c, &response);
    c->g->procedure.est_link_required = true;
    response = ask_linked(c, NULL, (struct est_plan){ .csr.key = est_client_key(1) });
    assert_status(c, &response, 400);
    response = ask_linked(c, est_client_binding(c->arena, 4, false), (struct est_plan){ .connection = 4 });
    (void)assert_issued(c, &response);
}

static void est_63_65_66_the_value_of_the_negotiated_version_links(void **state)
{
    struct est_case *c = *state;
    const char *unique = est_client_binding(c->arena, 7, true),
               *exporter = est_client_binding(c->arena, 7, false);
    struct http_response response = ask_linked(c, unique,
                                               (struct est_plan){ .tls_1_2 = true, .connection = 7 });

    (void)assert_issued(c, &response);
    response = ask_linked(c, exporter, (struct est_plan){ .connection = 7 });
    (void)assert_issued(c, &response);
    response = ask_linked(c, exporter, (struct est_plan){ .tls_1_2 = true, .connection = 7 });
    assert_status(c, &response, 400);
    response = ask_linked(c, unique, (struct est_plan){ .connection = 7 });
    assert_status(c, &response, 400);
}

static void est_64_required_linking_requires_extended_master_secret(void **state)
{
    struct est_case *c = *state;
    const char *unique = est_client_binding(c->arena, 7, true);
    struct est_plan plan = { .tls_1_2 = true, .without_ems = true, .connection = 7 };
    struct http_response response = ask_linked(c, unique, plan);

    (void)assert_issued(c, &response);
    c->g->procedure.est_link_required = true;
    response = ask_linked(c, unique, plan);
    assert_status(c, &response, 400);
}

static void est_69_one_connection_may_use_its_value_again_and_no_other_may(void **state)
{
    struct est_case *c = *state;
    const char *mine = est_client_binding(c->arena, 1, false);
    struct http_response response = ask_linked(c, mine, (struct est_plan){ .connection = 1 });

    (void)assert_issued(c, &response);
    response = ask_linked(c, mine, (struct est_plan){ .connection = 1, .csr.key = est_client_key(1) });
    (void)assert_issued(c, &response);
    response = ask_linked(c, mine, (struct est_plan){ .connection = 2, .csr.key = est_client_key(2) });
    assert_status(c, &response, 400);
}

static void est_67_identity_linking_is_verified_like_challenge_password(void **state)
{
    static const char OID[] = "1.2.840.113549.1.9.16.2.58";
    struct est_case *c = *state;
    const char *mine = est_client_binding(c->arena, 1, false);
    struct http_response response;

    c->g->procedure.est_link_required = true;
    response = ask_linked(c, NULL, (struct est_plan){ .connection = 1, .csr = { .oid = OID, .text = mine } });
    (void)assert_issued(c, &response);
    response = ask_linked(c, mine,
                          (struct est_plan){ .connection = 1, .csr = { .oid = OID, .text = "AAAA" } });
    assert_status(c, &response, 400);
}

static void est_68_the_challenge_password_is_no_secret_here(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ .csr.password = "s3cret" });

    assert_status(c, &response, 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_61_a_wrong_value_is_refused_though_linking_is_not_required),
        EST_ROW(est_62_absence_passes_unless_linking_is_required),
        EST_ROW(est_63_65_66_the_value_of_the_negotiated_version_links),
        EST_ROW(est_64_required_linking_requires_extended_master_secret),
        EST_ROW(est_69_one_connection_may_use_its_value_again_and_no_other_may),
        EST_ROW(est_67_identity_linking_is_verified_like_challenge_password),
        EST_ROW(est_68_the_challenge_password_is_no_secret_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
