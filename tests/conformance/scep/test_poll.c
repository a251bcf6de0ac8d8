/* SCEP-100 to SCEP-112: CertPoll, and what is not offered. */
#include "tests/conformance/scep/scep_case.h"

/* IssuerAndSubject of two empty names: the form counts alone (SCEP-102). */
static const uint8_t NAMES[] = { 0x30, 4, 0x30, 0, 0x30, 0 };

static struct scep_plan a_poll(const char *transaction)
{
    return (struct scep_plan){ .content = BYTES_ARRAY(NAMES),
                               .message_type = "20",
                               .transaction_id = transaction };
}

static struct scep_said poll(struct scep_case *c, const char *transaction)
{
    return scep_ask(c, a_poll(transaction));
}

static void ask_for_approval(struct scep_case *c, const char *transaction)
{
    struct scep_said said;

    c->g->procedure.manual_approval = true;
    said = scep_ask(c, (struct scep_plan){ .csr.password = "s3cret", .transaction_id = transaction });
    assert_pending(&said);
    assert_string_equal(c->facts.verdict, "pending");
}

static void scep_100_a_poll_while_an_officer_thinks_is_pending(void **state)
{
    struct scep_said said;

    ask_for_approval(*state, "m1");
    said = poll(*state, "m1");
    assert_pending(&said);
}

static void scep_101_an_unknown_transaction_is_bad_cert_id(void **state)
{
    struct scep_said said = poll(*state, "never-heard-of");

    assert_failure(&said, BAD_CERT_ID);
}

static void scep_102_106_neither_names_nor_nonce_of_a_poll_decide(void **state)
{
    static const uint8_t nonce[16] = { 0 }; /* chained to nothing */
    struct scep_case *c = *state;
    struct scep_plan plan = a_poll("m1");
    struct scep_said said;

    ask_for_approval(c, "m1");
    scep_decide(c, true);
    plan.nonce = nonce;
    said = scep_ask(c, plan);
    (void)assert_success(c, &said);
}

static void scep_103_another_key_does_not_get_the_answer(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = a_poll("m1");
    struct scep_said said;

    ask_for_approval(c, "m1");
    scep_decide(c, true);
    plan.signer_key = scep_client_key(1);
    said = scep_ask(c, plan);
    assert_failure(&said, BAD_MESSAGE_CHECK);
}

static void scep_104_approved_is_success(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said;

    ask_for_approval(c, "m1");
    scep_decide(c, true);
    said = poll(c, "m1");
    (void)assert_success(c, &said);
}

static void scep_104_denied_is_a_bad_request(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said;

    ask_for_approval(c, "m1");
    scep_decide(c, false);
    said = poll(c, "m1");
    assert_failure(&said, BAD_REQUEST);
}

static void scep_105_polling_again_gives_the_same_certificate(void **state)
{
    struct scep_case *c = *state;
    struct scep_said first, second;

    ask_for_approval(c, "m1");
    scep_decide(c, true);
    first = poll(c, "m1");
    second = poll(c, "m1");
    assert_int_equal(X509_cmp(assert_success(c, &first), assert_success(c, &second)), 0);
    a_gateway_restart(c->g);
    second = poll(c, "m1");
    assert_int_equal(X509_cmp(first.certificate[0], assert_success(c, &second)), 0);
}

static void scep_105_a_poll_after_an_issued_request_gives_its_certificate(void **state)
{
    struct scep_case *c = *state;
    X509 *issued = scep_enrolled(c, "t1");
    struct scep_said said = poll(c, "t1");

    assert_int_equal(X509_cmp(issued, assert_success(c, &said)), 0);
}

static void scep_111_get_cert_and_get_crl_are_not_offered(void **state)
{
    static const uint8_t issuer_and_serial[] = { 0x30, 5, 0x30, 0, 0x02, 1, 0x05 };
    static const char *const types[] = { "21", "22" };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct scep_said said = scep_ask(
            *state,
            (struct scep_plan){ .content = BYTES_ARRAY(issuer_and_serial), .message_type = types[i] });

        assert_failure(&said, BAD_REQUEST);
    }
}

static void scep_112_there_is_no_message_that_revokes(void **state)
{
    struct scep_case *c = *state;
    X509 *mine = scep_enrolled(c, "t1");

    for (int type = 0; type < 64; type++) {
        char text[8];
        struct scep_said said;

        if (type >= 17 && type <= 22 && type != 18)
            continue;
        (void)snprintf(text, sizeof(text), "%d", type);
        said = scep_ask(c,
                        (struct scep_plan){ .signer = mine, .csr.password = "s3cret", .message_type = text });
        assert_failure(&said, BAD_REQUEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCEP_ROW(scep_100_a_poll_while_an_officer_thinks_is_pending),
        SCEP_ROW(scep_101_an_unknown_transaction_is_bad_cert_id),
        SCEP_ROW(scep_102_106_neither_names_nor_nonce_of_a_poll_decide),
        SCEP_ROW(scep_103_another_key_does_not_get_the_answer),
        SCEP_ROW(scep_104_approved_is_success),
        SCEP_ROW(scep_104_denied_is_a_bad_request),
        SCEP_ROW(scep_105_polling_again_gives_the_same_certificate),
        SCEP_ROW(scep_105_a_poll_after_an_issued_request_gives_its_certificate),
        SCEP_ROW(scep_111_get_cert_and_get_crl_are_not_offered),
        SCEP_ROW(scep_112_there_is_no_message_that_revokes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
