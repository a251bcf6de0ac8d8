/* CMP-83 to CMP-90: polling (RFC 9810 5.3.22, RFC 9483 4.4). */
#include "tests/conformance/cmp/cmp_case.h"

/* A request that waits for an officer; *poll is the question that follows. */
static struct cmp_said asked_for_approval(struct cmp_case *c, struct cmp_plan plan, struct cmp_plan *poll)
{
    struct cmp_said said;

    c->g->procedure.manual_approval = true;
    said = cmp_ask(c, plan);
    assert_waiting(c, &said, plan.body == CMP_IR ? CMP_IP : CMP_CP);
    *poll = cmp_client_next(plan, &said, CMP_POLL_REQ);
    return said;
}

/* Still waiting: the seconds until the next try; *poll goes on. */
static uint64_t polled(struct cmp_case *c, struct cmp_plan *poll)
{
    struct cmp_said said = cmp_ask(c, *poll);

    cmp_expect(c, &said, CMP_POLL_REP, CMP_STATUS_NONE, 0);
    assert_int_equal(said.cert_req_id, poll->poll_id);
    *poll = cmp_client_next(*poll, &said, CMP_POLL_REQ);
    return said.check_after_s;
}

static const struct cmp_plan AN_IR = { .body = CMP_IR };

static void cmp_83_a_request_that_an_officer_must_see_is_waiting(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR };
    struct cmp_case *c = *state;
    struct cmp_plan poll;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_said said = asked_for_approval(
            c, (struct cmp_plan){ .body = bodies[i], .implicit_confirm = true }, &poll);

        assert_int_equal(said.cert_req_id, bodies[i] == CMP_P10CR ? -1 : 0);
        assert_string_equal(c->facts.verdict, "pending");
        (void)polled(c, &poll);
    }
}

static void cmp_84_revocation_questions_and_confirmation_never_wait(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, AN_IR);
    struct cmp_person device = { .key = cmp_client_key("P-256", 0),
                                 .certificate = assert_granted(c, &said, CMP_IP) };

    c->g->procedure.manual_approval = true;
    cmp_confirmed(c, AN_IR, &said);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_GENM, .signer = &device });
    assert_int_equal(said.body, CMP_GENP);
    said = cmp_ask(
        c, (struct cmp_plan){ .body = CMP_RR, .signer = &device, .revoke.certificate = device.certificate });
    cmp_expect(c, &said, CMP_RP, CMP_ACCEPTED, 0);
}

static void cmp_85_polls_are_told_when_to_come_again(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;

    (void)asked_for_approval(c, AN_IR, &poll);
    for (int i = 0; i < 3; i++)
        assert_in_range(polled(c, &poll), 1, c->g->procedure.retry_after_s);
}

static void cmp_86_a_poll_of_what_is_ready_gets_the_response_itself(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    (void)polled(c, &poll);
    cmp_decide(c, true);
    said = cmp_ask(c, poll);
    (void)assert_granted(c, &said, CMP_IP);
    assert_int_equal(said.cert_req_id, 0);
    cmp_confirmed(c, AN_IR, &said);
}

static void cmp_86_for_a_pkcs10_too(void **state)
{
    const struct cmp_plan plan = { .body = CMP_P10CR };
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, plan, &poll);
    cmp_decide(c, true);
    said = cmp_ask(c, poll);
    (void)assert_granted_as(c, &said, CMP_CP, said.status);
    assert_int_equal(said.cert_req_id, -1);
    cmp_confirmed(c, plan, &said);
}

static void cmp_86_the_gateway_may_have_stopped_between(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    a_gateway_restart(c->g);
    (void)polled(c, &poll);
    a_gateway_restart(c->g);
    cmp_decide(c, true);
    a_gateway_restart(c->g);
    said = cmp_ask(c, poll);
    (void)assert_granted(c, &said, CMP_IP);
    a_gateway_restart(c->g);
    cmp_confirmed(c, AN_IR, &said);
}

static void cmp_86_a_signed_request_waits_as_well(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_plan plan = { .body = CMP_IR, .signer = &device, .request.cn = "router6.example.com" };
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, plan, &poll);
    poll.no_signer_certificate = true; /* it is known by now */
    (void)polled(c, &poll);
    cmp_decide(c, true);
    said = cmp_ask(c, poll);
    (void)assert_granted_as(c, &said, CMP_IP, said.status);
    cmp_confirmed(c, plan, &said);
}

static void cmp_86_implicit_confirmation_is_granted_with_the_certificate(void **state)
{
    const struct cmp_plan plan = { .body = CMP_IR, .implicit_confirm = true };
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, plan, &poll);
    cmp_decide(c, true);
    said = cmp_ask(c, poll);
    (void)assert_granted(c, &said, CMP_IP);
    assert_true(said.implicit_confirm);
    c->g->now_s += (int64_t)10 * c->g->procedure.cmp_confirm_wait_s;
    cmp_run_confirm_jobs(c);
    assert_false(cmp_is_revoked(c, said.certificate));
}

static void cmp_86_the_time_to_confirm_begins_when_it_is_delivered(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    c->g->now_s += (int64_t)10 * c->g->procedure.cmp_confirm_wait_s;
    cmp_decide(c, true);
    said = cmp_ask(c, poll);
    (void)assert_granted(c, &said, CMP_IP);
    c->g->now_s += c->g->procedure.cmp_confirm_wait_s;
    cmp_confirmed(c, AN_IR, &said);
}

static void cmp_87_a_poll_names_the_request(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_P10CR };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_plan poll, bad;
        struct cmp_said said;

        (void)asked_for_approval(c, (struct cmp_plan){ .body = bodies[i] }, &poll);
        bad = poll;
        bad.poll_id = bodies[i] == CMP_IR ? -1 : 0;
        said = cmp_ask(c, bad);
        assert_error(c, &said, CMP_BAD_REQUEST);
        bad.poll_id = 1;
        said = cmp_ask(c, bad);
        assert_error(c, &said, CMP_BAD_REQUEST);
        (void)polled(c, &poll);
    }
}

static void cmp_88_who_comes_early_is_told_what_is_left(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;

    (void)asked_for_approval(c, AN_IR, &poll);
    c->g->now_s += 20;
    assert_int_equal(polled(c, &poll), c->g->procedure.retry_after_s - 20);
}

static void cmp_89_polls_of_nothing_are_bad_requests(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll, bad;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    bad = poll;
    bad.transaction_id = BYTES_LITERAL("another one");
    said = cmp_ask(c, bad);
    assert_error(c, &said, CMP_BAD_REQUEST);
    bad.body = CMP_ERROR;
    bad.transaction_id = poll.transaction_id;
    said = cmp_ask(c, bad);
    cmp_expect(c, &said, CMP_PKICONF, CMP_STATUS_NONE, 0);
    said = cmp_ask(c, poll); /* the device gave up: it is closed */
    assert_error(c, &said, CMP_BAD_REQUEST);
}

static void cmp_89_what_was_denied_is_rejected_and_closed(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    cmp_decide(c, false);
    a_gateway_restart(c->g);
    said = cmp_ask(c, poll);
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
    said = cmp_ask(c, cmp_client_next(poll, &said, CMP_POLL_REQ));
    assert_error(c, &said, CMP_BAD_REQUEST);
}

static void cmp_89_a_stranger_does_not_poll_for_others(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll, bad;
    struct cmp_said said;

    (void)a_gateway_register(c->g, "router7.example.com", "s3cret", (struct registration){ 0 });
    (void)asked_for_approval(c, AN_IR, &poll);
    cmp_decide(c, true);
    bad = poll;
    bad.sender_kid = BYTES_LITERAL("router7.example.com");
    said = cmp_ask(c, bad);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    said = cmp_ask(c, poll);
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_90_a_lost_reply_is_given_again(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll, again;
    struct cmp_said first, second;

    (void)asked_for_approval(c, AN_IR, &poll);
    cmp_decide(c, true);
    again = poll; /* chained to what was heard last: "waiting" */
    first = cmp_ask(c, poll);
    a_gateway_restart(c->g);
    second = cmp_ask(c, again);
    assert_int_equal(X509_cmp(assert_granted(c, &first, CMP_IP), assert_granted(c, &second, CMP_IP)), 0);
    cmp_confirmed(c, AN_IR, &second);
    second = cmp_ask(c, again);
    assert_error(c, &second, CMP_BAD_REQUEST); /* confirmed: over */
}

static void cmp_90_a_poll_after_an_issued_request_gives_its_certificate(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said first = cmp_ask(c, AN_IR), second;

    (void)assert_granted(c, &first, CMP_IP);
    second = cmp_ask(c, cmp_client_next(AN_IR, &first, CMP_POLL_REQ));
    assert_int_equal(X509_cmp(first.certificate, assert_granted(c, &second, CMP_IP)), 0);
    cmp_confirmed(c, AN_IR, &second);
}

static void cmp_19_while_it_waits_the_nonce_of_the_waiting_reply_is_good_too(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll, first;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    first = poll;
    (void)polled(c, &poll);
    (void)polled(c, &poll);
    said = cmp_ask(c, first); /* two answers later */
    cmp_expect(c, &said, CMP_POLL_REP, CMP_STATUS_NONE, 0);
    first.recip_nonce = BYTES_LITERAL("0123456789abcdef");
    said = cmp_ask(c, first);
    assert_error(c, &said, CMP_BAD_RECIPIENT_NONCE);
}

static void cmp_20_nonces_of_polls_are_remembered(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    poll.nonce = BYTES_LITERAL("0123456789abcdef");
    (void)polled(c, &poll);
    poll.nonce = BYTES_LITERAL("0123456789abcdef");
    said = cmp_ask(c, poll);
    assert_error(c, &said, CMP_BAD_SENDER_NONCE);
}

static void cmp_15_the_same_poll_again_gets_the_same_answer(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan poll;
    struct bytes message, first;
    struct cmp_said said;

    (void)asked_for_approval(c, AN_IR, &poll);
    cmp_decide(c, true);
    message = cmp_message_of(c, poll);
    said = cmp_send(c, message);
    first = c->reply;
    a_gateway_restart(c->g);
    (void)cmp_send(c, message); /* octet for octet: no new nonce */
    assert_bytes(c->reply, first);
    cmp_confirmed(c, AN_IR, &said);
}

static void cmp_15_a_request_that_waits_is_looked_at_once_more(void **state)
{
    struct cmp_case *c = *state;
    struct bytes message = cmp_message_of(c, AN_IR), first;
    struct cmp_said said;

    c->g->procedure.manual_approval = true;
    said = cmp_send(c, message);
    assert_waiting(c, &said, CMP_IP);
    first = c->reply;
    (void)cmp_send(c, message);
    assert_bytes(c->reply, first);
    cmp_decide(c, true);
    said = cmp_send(c, message);
    (void)assert_granted(c, &said, CMP_IP);
    cmp_confirmed(c, AN_IR, &said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_83_a_request_that_an_officer_must_see_is_waiting),
        CMP_ROW(cmp_84_revocation_questions_and_confirmation_never_wait),
        CMP_ROW(cmp_85_polls_are_told_when_to_come_again),
        CMP_ROW(cmp_86_a_poll_of_what_is_ready_gets_the_response_itself),
        CMP_ROW(cmp_86_for_a_pkcs10_too),
        CMP_ROW(cmp_86_the_gateway_may_have_stopped_between),
        CMP_ROW(cmp_86_a_signed_request_waits_as_well),
        CMP_ROW(cmp_86_implicit_confirmation_is_granted_with_the_certificate),
        CMP_ROW(cmp_86_the_time_to_confirm_begins_when_it_is_delivered),
        CMP_ROW(cmp_87_a_poll_names_the_request),
        CMP_ROW(cmp_88_who_comes_early_is_told_what_is_left),
        CMP_ROW(cmp_89_polls_of_nothing_are_bad_requests),
        CMP_ROW(cmp_89_what_was_denied_is_rejected_and_closed),
        CMP_ROW(cmp_89_a_stranger_does_not_poll_for_others),
        CMP_ROW(cmp_90_a_lost_reply_is_given_again),
        CMP_ROW(cmp_90_a_poll_after_an_issued_request_gives_its_certificate),
        CMP_ROW(cmp_19_while_it_waits_the_nonce_of_the_waiting_reply_is_good_too),
        CMP_ROW(cmp_20_nonces_of_polls_are_remembered),
        CMP_ROW(cmp_15_the_same_poll_again_gets_the_same_answer),
        CMP_ROW(cmp_15_a_request_that_waits_is_looked_at_once_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
