#include "tests/conformance/est/est_case.h"

static const char WRONG_CN[] = "other.example.com";

static void est_40_the_issued_certificate_comes_alone(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ .user = "router5", .password = "s3cret" });
    X509 *certificate = assert_issued(c, &response);

    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), est_client_key(0)), 1);
    assert_string_equal(c->facts.verdict, "issued");
    assert_string_equal(c->facts.operation, "simpleenroll");
    assert_text(c->facts.fqdn, "router5.example.com");
}

static void est_41_without_a_credential_there_is_a_challenge_or_a_refusal(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ 0 });

    assert_status(c, &response, 401);
    assert_reason(c, "no_credential");
    c->g->procedure.est_basic = c->g->procedure.est_digest = false;
    response = est_ask(c, (struct est_plan){ 0 });
    assert_status(c, &response, 403);
}

static void est_42_an_authentic_client_without_registration_is_not_authorized(void **state)
{
    struct est_case *c = *state;
    struct bytes held = est_der(c, est_enrolled(c));
    struct http_response response = est_ask(c, (struct est_plan){ .certificate = held, .csr.cn = WRONG_CN });

    assert_status(c, &response, 403);
}

static void est_42_a_revoked_certificate_is_not_authorized(void **state)
{
    struct est_case *c = *state;
    X509 *certificate = est_enrolled(c);
    struct bytes held = est_der(c, certificate);
    struct http_response response;

    est_revoke(c, certificate);
    response = est_ask(c, (struct est_plan){ .certificate = held, .csr.key = est_client_key(1) });
    assert_status(c, &response, 403);
    assert_reason(c, "renew_state");
}

static void est_43_a_wrong_csr_signature_is_refused(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(
        c, (struct est_plan){ .password = "s3cret", .csr.broken_signature = true });

    assert_status(c, &response, 400);
    assert_reason(c, "pop");
}

static void est_44_a_weak_key_is_refused(void **state)
{
    struct est_case *c = *state;
    EVP_PKEY *weak = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    struct http_response response = est_ask(c, (struct est_plan){ .password = "s3cret", .csr.key = weak });

    assert_status(c, &response, 400);
    assert_reason(c, "key");
    EVP_PKEY_free(weak);
}

static void est_45_46_errors_are_plain_text_and_no_cmc_whatever_is_asked_for(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .password = "wrong" };
    struct http_response response;

    plan.more = (struct http_header){ BYTES_LITERAL("Accept"),
                                      BYTES_LITERAL("application/pkcs7-mime; smime-type=CMC-response") };
    response = est_ask(c, plan);
    assert_status(c, &response, 401);
    response = est_ask(c, (struct est_plan){ .password = "s3cret", .body = BYTES_LITERAL("?") });
    assert_status(c, &response, 400);
}

static void est_47_48_pending_is_asked_again_until_it_is_decided(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .user = "router5", .password = "s3cret" };
    struct http_response response;

    c->g->procedure.manual_approval = true;
    plan.body = est_client_base64(c->arena, est_client_csr(c->arena, &plan.csr), 64);
    for (int i = 0; i < 3; i++) {
        response = est_ask(c, plan);
        assert_status(c, &response, 202);
        assert_text(est_client_header(&response, "Retry-After", 0), "30");
        c->g->now_s += 30;
    }
    est_decide(c, true);
    response = est_ask(c, plan);
    (void)assert_issued(c, &response);
}

static void est_51_who_comes_early_is_told_what_is_left(void **state)
{
    static const struct {
        int after_s;
        const char *left;
    } rows[] = { { 1, "29" }, { 29, "1" }, { 30, "30" }, { 31, "29" }, { 90, "30" }, { 100, "20" } };
    struct est_case *c = *state;
    struct est_plan plan = { .password = "s3cret" };
    int64_t began_s = c->g->now_s;
    struct http_response response;

    c->g->procedure.manual_approval = true;
    response = est_ask(c, plan);
    assert_status(c, &response, 202);
    assert_text(est_client_header(&response, "Retry-After", 0), "30");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        c->g->now_s = began_s + rows[i].after_s;
        response = est_ask(c, plan);
        assert_status(c, &response, 202);
        assert_text(est_client_header(&response, "Retry-After", 0), rows[i].left);
    }
}

static void est_48_a_denied_request_is_refused(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .password = "s3cret" };
    struct http_response response;

    c->g->procedure.manual_approval = true;
    response = est_ask(c, plan);
    assert_status(c, &response, 202);
    est_decide(c, false);
    response = est_ask(c, plan);
    assert_status(c, &response, 403);
    assert_reason(c, "denied");
}

static void est_49_a_repetition_with_another_channel_binding_is_recognised(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .password = "s3cret", .connection = 1 };
    struct http_response response;

    c->g->procedure.manual_approval = true;
    plan.csr.password = est_client_binding(c->arena, 1, false);
    response = est_ask(c, plan);
    assert_status(c, &response, 202);
    plan.connection = 2;
    plan.csr.password = est_client_binding(c->arena, 2, false);
    response = est_ask(c, plan);
    assert_status(c, &response, 202);
    est_decide(c, true); /* there is one, not two */
    response = est_ask(c, plan);
    (void)assert_issued(c, &response);
}

static void est_50_a_repetition_gets_the_same_certificate_for_ten_minutes(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .password = "s3cret" };
    struct bytes first, again;
    struct http_response response;

    plan.body = est_client_base64(c->arena, est_client_csr(c->arena, &plan.csr), 64);
    response = est_ask(c, plan);
    first = est_der(c, assert_issued(c, &response));
    c->g->now_s += 590;
    response = est_ask(c, plan);
    again = est_der(c, assert_issued(c, &response));
    assert_bytes(again, first);
    c->g->now_s += 20;
    response = est_ask(c, plan);
    again = est_der(c, assert_issued(c, &response));
    assert_false(bytes_equal(again, first));
}

static void est_50_a_repetition_needs_the_credential_again(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .password = "s3cret" };
    struct http_response response;

    plan.body = est_client_base64(c->arena, est_client_csr(c->arena, &plan.csr), 64);
    response = est_ask(c, plan);
    (void)assert_issued(c, &response);
    plan.password = "wrong";
    response = est_ask(c, plan);
    assert_status(c, &response, 401);
}

static void est_50_another_request_is_a_new_one(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ .password = "s3cret" });
    struct bytes first = est_der(c, assert_issued(c, &response));

    response = est_ask(c, (struct est_plan){ .password = "s3cret", .csr.key = est_client_key(1) });
    assert_false(bytes_equal(est_der(c, assert_issued(c, &response)), first));
}

static void est_59_an_additional_certificate_by_an_existing_one(void **state)
{
    struct est_case *c = *state;
    struct bytes held = est_der(c, est_enrolled(c));
    struct http_response response = est_ask(
        c, (struct est_plan){ .certificate = held, .csr.key = est_client_key(1) });
    X509 *certificate = assert_issued(c, &response);

    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), est_client_key(1)), 1);
}

/* ChangeSubjectName (RFC 6402 2.8), with the old certificate or a vendor's: not offered, and said so. */
static void est_54_55_names_are_not_changed_by_an_attribute(void **state)
{
    struct est_case *c = *state;
    const struct est_csr_plan csr = { .oid = "1.3.6.1.5.5.7.7.36", .text = "x" };
    struct bytes held = est_der(c, est_enrolled(c));
    struct bytes birth = est_vendor(c, "CN=Model X,serialNumber=S1", &c->g->procedure.vendor_anchors);
    struct http_response response = est_ask(
        c, (struct est_plan){ .path = REENROLL, .certificate = held, .csr = csr });

    assert_status(c, &response, 400);
    assert_reason(c, "profile");
    response = est_ask(c, (struct est_plan){ .certificate = birth, .csr = csr });
    assert_status(c, &response, 400);
    assert_reason(c, "profile");
    anchors_free(c->g->procedure.vendor_anchors);
}

static void csr_48_the_challenges_of_rfc_7894_are_judged_or_refused(void **state)
{
    static const char OTP[] = "1.2.840.113549.1.9.16.2.56", REVOCATION[] = "1.2.840.113549.1.9.16.2.57",
                      LINKING[] = "1.2.840.113549.1.9.16.2.58";
    struct est_case *c = *state;
    const char *mine = est_client_binding(c->arena, 1, false);
    const struct {
        const char *oid, *text;
        int status;
    } rows[] = { { OTP, "s3cret", 400 },
                 { REVOCATION, "s3cret", 400 },
                 { LINKING, "AAAA", 400 },
                 { LINKING, mine, 200 } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response response = est_ask(
            c, (struct est_plan){ .password = "s3cret",
                                  .connection = 1,
                                  .csr = { .oid = rows[i].oid, .text = rows[i].text } });

        assert_int_equal(response.status, rows[i].status);
    }
}

static void est_54_67_an_attribute_that_demands_something_is_not_passed_over(void **state)
{
    static const char *const oids[] = { "1.3.6.1.5.5.7.7.36", "1.2.840.113549.1.9.16.2.56",
                                        "1.2.840.113549.1.9.16.2.57" };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(oids); i++) {
        struct http_response response = est_ask(
            c, (struct est_plan){ .password = "s3cret", .csr = { .oid = oids[i], .text = "x" } });

        assert_status(c, &response, 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_40_the_issued_certificate_comes_alone),
        EST_ROW(est_41_without_a_credential_there_is_a_challenge_or_a_refusal),
        EST_ROW(est_42_an_authentic_client_without_registration_is_not_authorized),
        EST_ROW(est_42_a_revoked_certificate_is_not_authorized),
        EST_ROW(est_43_a_wrong_csr_signature_is_refused),
        EST_ROW(est_44_a_weak_key_is_refused),
        EST_ROW(est_45_46_errors_are_plain_text_and_no_cmc_whatever_is_asked_for),
        EST_ROW(est_47_48_pending_is_asked_again_until_it_is_decided),
        EST_ROW(est_51_who_comes_early_is_told_what_is_left),
        EST_ROW(est_48_a_denied_request_is_refused),
        EST_ROW(est_49_a_repetition_with_another_channel_binding_is_recognised),
        EST_ROW(est_50_a_repetition_gets_the_same_certificate_for_ten_minutes),
        EST_ROW(est_50_a_repetition_needs_the_credential_again),
        EST_ROW(est_50_another_request_is_a_new_one),
        EST_ROW(est_59_an_additional_certificate_by_an_existing_one),
        EST_ROW(est_54_55_names_are_not_changed_by_an_attribute),
        EST_ROW(csr_48_the_challenges_of_rfc_7894_are_judged_or_refused),
        EST_ROW(est_54_67_an_attribute_that_demands_something_is_not_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
