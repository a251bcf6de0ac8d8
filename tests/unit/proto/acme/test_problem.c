#include "proto/acme/problem.h"

#include "tests/lib/test.h"

static void acme_13_each_problem_is_of_the_registered_set(void **state)
{
    static const char *const registered[] = {
        "accountDoesNotExist",
        "alreadyReplaced",
        "alreadyRevoked",
        "autoRenewalCanceled",
        "autoRenewalCancellationInvalid",
        "autoRenewalExpired",
        "autoRenewalRevocationNotSupported",
        "badAttestationStatement",
        "badCSR",
        "badNonce",
        "badPublicKey",
        "badRevocationReason",
        "badSignatureAlgorithm",
        "caa",
        "connection",
        "dns",
        "externalAccountRequired",
        "incorrectResponse",
        "invalidContact",
        "invalidProfile",
        "malformed",
        "orderNotReady",
        "rateLimited",
        "rejectedIdentifier",
        "serverInternal",
        "tls",
        "unauthorized",
        "unsupportedContact",
        "unsupportedIdentifier",
        "userActionRequired",
    };

    (void)state;
    for (unsigned i = 0; i < ACME_PROBLEM_COUNT; i++) {
        bool known = false;

        for (size_t j = 0; j < COUNT_OF(registered); j++)
            known |= strcmp(acme_problem_name((enum acme_problem)i), registered[j]) == 0;
        assert_true(known);
        assert_in_range(acme_problem_status((enum acme_problem)i), 400, 500);
    }
}

static void csr_111_covered_reasons_look_alike(void **state)
{
    const struct acme_answer secret = acme_answer_to(REFUSAL_SECRET);

    (void)state;
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        struct acme_answer a = acme_answer_to(refusal_on_wire((enum refusal)i, false));

        assert_non_null(a.detail);
        if (refusal_is_covered((enum refusal)i)) {
            assert_int_equal(a.problem, secret.problem);
            assert_string_equal(a.detail, secret.detail);
        }
    }
}

static void every_reason_has_an_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        struct acme_answer a = acme_answer_to((enum refusal)i);

        assert_true((a.problem == ACME_SERVER_INTERNAL) ==
                    (i == REFUSAL_INTERNAL || i == REFUSAL_CA_UNAVAILABLE || i == REFUSAL_CA_REJECTED));
    }
}

static void a_problem_document(void **state)
{
    AUTO(json_t) *object = acme_problem_json(ACME_BAD_NONCE, BYTES_LITERAL("why"), 400);

    (void)state;
    assert_text(json_member(object, "type"), "urn:ietf:params:acme:error:badNonce");
    assert_text(json_member(object, "detail"), "why");
    assert_int_equal(json_integer_value(json_object_get(object, "status")), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acme_13_each_problem_is_of_the_registered_set),
        cmocka_unit_test(csr_111_covered_reasons_look_alike),
        cmocka_unit_test(every_reason_has_an_answer),
        cmocka_unit_test(a_problem_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
