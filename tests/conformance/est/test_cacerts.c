#include "tests/conformance/est/est_case.h"

static const char PATH[] = "/.well-known/est/demo/cacerts";

static void est_30_31_cacerts_are_served_to_anyone(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_get(c, PATH);
    X509 *certificate[4];

    assert_int_equal(response.status, 200);
    assert_int_equal(est_client_bag(c->arena, &response, certificate, 4), 1);
    assert_bytes(est_der(c, certificate[0]), c->g->ca.chain[0]);
}

static void est_32_root_and_every_intermediate_are_in_the_bag(void **state)
{
    struct est_case *c = *state;
    struct http_response response;
    X509 *certificate[4];

    /* the bag carries what the CA's chain holds, issuing CA first */
    c->g->ca.chain[1] = c->g->ra.certificate.encoded;
    c->g->ca.chain_count = 2;
    response = est_get(c, PATH);
    c->g->ca.chain_count = 1;
    assert_int_equal(response.status, 200);
    assert_int_equal(est_client_bag(c->arena, &response, certificate, 4), 2);
}

static void est_34_35_without_a_ca_the_answer_is_no_empty_bag(void **state)
{
    struct est_case *c = *state;
    struct http_response response;

    c->g->procedure.ca = "gone";
    response = est_get(c, PATH);
    assert_status(c, &response, 503);
}

static void cacerts_verify_what_the_same_server_issues(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_get(c, PATH);
    X509 *certificate[2], *leaf = est_enrolled(c);

    assert_int_equal(est_client_bag(c->arena, &response, certificate, 2), 1);
    assert_int_equal(X509_verify(leaf, X509_get0_pubkey(certificate[0])), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_30_31_cacerts_are_served_to_anyone),
        EST_ROW(est_32_root_and_every_intermediate_are_in_the_bag),
        EST_ROW(est_34_35_without_a_ca_the_answer_is_no_empty_bag),
        EST_ROW(cacerts_verify_what_the_same_server_issues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
