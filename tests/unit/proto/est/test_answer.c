#include "proto/est/answer.h"

#include <string.h>

#include "tests/lib/test.h"

static void every_reason_has_a_status_and_a_text(void **state)
{
    (void)state;
    for (enum refusal why = REFUSAL_INTERNAL; why < REFUSAL_COUNT; why++) {
        struct est_answer a = est_answer_to(why);

        assert_true(why == REFUSAL_INTERNAL ? a.status == 500
                                            : a.status >= 400 && a.status <= 503 && a.status != 500);
        assert_non_null(a.text);
        assert_true(strlen(a.text) > 0);
        assert_true(a.retry_after == (a.status == 429 || a.status == 503));
    }
}

static void csr_111_covered_reasons_look_alike_before_a_credential_has_held(void **state)
{
    struct est_answer secret = est_answer_to(REFUSAL_SECRET), none = est_answer_to(REFUSAL_NO_CREDENTIAL);

    (void)state;
    assert_int_equal(secret.status, 401);
    assert_int_equal(none.status, 401);
    assert_string_equal(secret.text, none.text);
    for (enum refusal why = REFUSAL_INTERNAL; why < REFUSAL_COUNT; why++) {
        struct est_answer a = est_answer_to(refusal_on_wire(why, false));

        if (!refusal_is_covered(why))
            continue;
        assert_int_equal(a.status, secret.status);
        assert_string_equal(a.text, secret.text);
    }
}

static void csr_110_the_table_says_what_the_standard_row_says(void **state)
{
    static const struct {
        enum refusal why;
        int status;
    } rows[] = {
        { REFUSAL_SYNTAX, 400 },
        { REFUSAL_ALGORITHM, 400 },
        { REFUSAL_POP, 400 },
        { REFUSAL_KEY, 400 },
        { REFUSAL_KEY_REUSE, 403 },
        { REFUSAL_NAME, 400 },
        { REFUSAL_NAME_POLICY, 403 },
        { REFUSAL_PROFILE, 400 },
        { REFUSAL_NO_FQDN, 403 },
        { REFUSAL_NO_REGISTRATION, 403 },
        { REFUSAL_SECRET, 401 },
        { REFUSAL_CLOSED, 403 },
        { REFUSAL_USED, 403 },
        { REFUSAL_EXPIRED, 403 },
        { REFUSAL_PROTOCOL, 403 },
        { REFUSAL_IP, 403 },
        { REFUSAL_SERIAL, 403 },
        { REFUSAL_RENEW_MISMATCH, 403 },
        { REFUSAL_RENEW_STATE, 403 },
        { REFUSAL_CONFLICT, 400 },
        { REFUSAL_LOCKED, 429 },
        { REFUSAL_CAA, 403 },
        { REFUSAL_CA_UNAVAILABLE, 503 },
        { REFUSAL_CA_REJECTED, 400 },
        { REFUSAL_INTERNAL, 500 },
        { REFUSAL_DENIED, 403 },
        { REFUSAL_KEY_FINGERPRINT, 403 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(est_answer_to(rows[i].why).status, rows[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_status_and_a_text),
        cmocka_unit_test(csr_111_covered_reasons_look_alike_before_a_credential_has_held),
        cmocka_unit_test(csr_110_the_table_says_what_the_standard_row_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
