#include "tests/conformance/est/est_case.h"

enum { DAY_S = 86400 };

static void est_52_the_same_names_renew_with_the_same_or_another_key(void **state)
{
    struct est_case *c = *state;
    struct bytes held = est_der(c, est_enrolled(c));
    struct est_plan plan = { .path = REENROLL, .certificate = held };
    struct http_response response = est_ask(c, plan);
    X509 *renewed = assert_issued(c, &response);

    assert_false(bytes_equal(est_der(c, renewed), held));
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(renewed), est_client_key(0)), 1);
    plan.csr.key = est_client_key(1);
    response = est_ask(c, plan);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(assert_issued(c, &response)), est_client_key(1)), 1);
    assert_string_equal(c->facts.operation, "simplereenroll");
}

static void est_53_other_names_do_not_renew(void **state)
{
    struct est_case *c = *state;
    struct bytes held = est_der(c, est_enrolled(c));
    struct http_response response;

    (void)a_gateway_register(c->g, "other.example.com", "0ther", (struct registration){ .order = ORDER_EST });
    response = est_ask(
        c, (struct est_plan){ .path = REENROLL, .certificate = held, .csr.cn = "other.example.com" });
    assert_status(c, &response, 403);
    response = est_ask(c, (struct est_plan){ .path = REENROLL,
                                             .certificate = held,
                                             .csr.san = "DNS:router5.example.com,DNS:other.example.com" });
    assert_status(c, &response, 403);
}

/* RFC 7030 3.3.2: what is renewed cannot be shown; another certificate of the same names is. */
static void est_57_another_certificate_of_the_same_names_renews(void **state)
{
    struct est_case *c = *state;
    struct bytes other;
    struct http_response response;
    X509 *certificate, *renewed;

    (void)est_enrolled(c); /* key 0: for signatures only, say */
    response = est_ask(c, (struct est_plan){ .password = "s3cret", .csr.key = est_client_key(1) });
    certificate = assert_issued(c, &response);
    other = est_der(c, certificate);
    response = est_ask(c, (struct est_plan){ .path = REENROLL, .certificate = other });
    renewed = assert_issued(c, &response);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(renewed), est_client_key(0)), 1);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(renewed), X509_get_subject_name(certificate)), 0);
    response = est_ask(
        c, (struct est_plan){ .path = REENROLL, .certificate = other, .csr.cn = "other.example.com" });
    assert_status(c, &response, 403);
    est_revoke(c, certificate); /* it must be valid itself */
    response = est_ask(
        c, (struct est_plan){ .path = REENROLL, .certificate = other, .csr.key = est_client_key(2) });
    assert_status(c, &response, 403);
    assert_reason(c, "renew_state");
}

static void est_56_renewal_without_a_client_certificate_is_refused(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ .path = REENROLL, .password = "s3cret" });

    assert_status(c, &response, 403);
    c->g->procedure.est_client_certificate = false;
    response = est_ask(c, (struct est_plan){ .path = REENROLL, .certificate = est_der(c, est_enrolled(c)) });
    assert_status(c, &response, 403);
}

static void a_certificate_of_somebody_else_does_not_renew(void **state)
{
    struct est_case *c = *state;
    struct bytes own = est_der(c, est_enrolled(c)), stranger;
    X509 *forged = scep_client_make_certificate(
        &(struct scep_certificate_plan){ .key = scep_client_key(0), .cn = "router5.example.com" });
    struct http_response response;

    stranger = est_der(c, forged);
    response = est_ask(c, (struct est_plan){ .path = REENROLL, .certificate = stranger });
    assert_status(c, &response, 403);
    /* the same issuer and serial as a good one, another key */
    forged = scep_client_make_certificate(&(struct scep_certificate_plan){
        .key = scep_client_key(0), .cn = "router5.example.com", .same_name = scep_client_certificate(own) });
    response = est_ask(c, (struct est_plan){ .path = REENROLL, .certificate = est_der(c, forged) });
    assert_status(c, &response, 403);
    response = est_ask(c, (struct est_plan){ .path = REENROLL, .certificate = BYTES_LITERAL("garbage") });
    assert_status(c, &response, 403);
}

static void est_60_an_expired_certificate_renews_only_within_grace(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .path = REENROLL, .certificate = est_der(c, est_enrolled(c)) };
    struct http_response response;

    c->g->now_s += 366 * (int64_t)DAY_S;
    response = est_ask(c, plan);
    assert_status(c, &response, 403);
    assert_reason(c, "renew_state");
    c->g->procedure.renewal_grace_s = 30 * DAY_S;
    response = est_ask(c, plan);
    (void)assert_issued(c, &response);
}

static void a_revoked_certificate_does_not_renew(void **state)
{
    struct est_case *c = *state;
    X509 *certificate = est_enrolled(c);
    struct est_plan plan = { .path = REENROLL, .certificate = est_der(c, certificate) };
    struct http_response response;

    est_revoke(c, certificate);
    response = est_ask(c, plan);
    assert_status(c, &response, 403);
    assert_reason(c, "renew_state");
}

static void a_lost_answer_to_a_renewal_comes_again(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .path = REENROLL, .certificate = est_der(c, est_enrolled(c)) };
    struct http_response response = est_ask(c, plan);
    struct bytes first = est_der(c, assert_issued(c, &response));

    c->g->procedure.latest_only = true;
    response = est_ask(c, plan);
    assert_bytes(est_der(c, assert_issued(c, &response)), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_52_the_same_names_renew_with_the_same_or_another_key),
        EST_ROW(est_53_other_names_do_not_renew),
        EST_ROW(est_57_another_certificate_of_the_same_names_renews),
        EST_ROW(est_56_renewal_without_a_client_certificate_is_refused),
        EST_ROW(a_certificate_of_somebody_else_does_not_renew),
        EST_ROW(est_60_an_expired_certificate_renews_only_within_grace),
        EST_ROW(a_revoked_certificate_does_not_renew),
        EST_ROW(a_lost_answer_to_a_renewal_comes_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
