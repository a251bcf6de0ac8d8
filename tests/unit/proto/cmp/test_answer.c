/* What a sender is told. */
#include "tests/lib/test.h"

#include "proto/cmp/answer.h"

static bool is_one_bit(uint32_t bits)
{
    return bits != 0 && (bits & (bits - 1)) == 0;
}

static void every_fault_has_a_name_a_fail_info_and_a_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CMP_OK; i++) {
        struct cmp_answer answer = cmp_answer_to_fault((enum cmp_fault)i);

        assert_true(is_one_bit(answer.fail_info));
        assert_true(strlen(answer.text) > 5);
        assert_true(strlen(cmp_fault_name((enum cmp_fault)i)) > 3);
        if (i != CMP_FAULT_INTERNAL)
            assert_string_not_equal(cmp_fault_name((enum cmp_fault)i), "internal");
    }
}

static void what_is_no_fault_is_an_error_of_ours(void **state)
{
    (void)state;
    assert_string_equal(cmp_fault_name(CMP_OK), "ok");
    assert_string_equal(cmp_fault_name((enum cmp_fault)(CMP_OK + 1)), "internal");
    assert_int_equal(cmp_answer_to_fault((enum cmp_fault)(CMP_OK + 1)).fail_info, CMP_SYSTEM_FAILURE);
}

static void every_refusal_has_a_fail_info_and_a_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= REFUSAL_COUNT; i++) {
        struct cmp_answer answer = cmp_answer_to((enum refusal)i);

        assert_true(is_one_bit(answer.fail_info));
        assert_true(strlen(answer.text) > 5);
        assert_int_equal(answer.fail_info == CMP_SYSTEM_FAILURE, i == REFUSAL_INTERNAL || i == REFUSAL_COUNT);
    }
}

/* CSR-111. */
static void what_would_tell_registrations_apart_is_told_in_one_way(void **state)
{
    const struct cmp_answer secret = cmp_answer_to(REFUSAL_SECRET);

    (void)state;
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        struct cmp_answer answer;

        if (refusal_on_wire((enum refusal)i, false) != REFUSAL_SECRET)
            continue;
        answer = cmp_answer_to((enum refusal)i);
        assert_int_equal(answer.fail_info, secret.fail_info);
        assert_string_equal(answer.text, secret.text);
    }
}

static void the_rows_that_clients_act_on(void **state)
{
    static const struct {
        enum refusal why;
        uint32_t fail_info;
    } rows[] = {
        { REFUSAL_SYNTAX, CMP_BAD_DATA_FORMAT },
        { REFUSAL_ALGORITHM, CMP_BAD_ALG },
        { REFUSAL_POP, CMP_BAD_POP },
        { REFUSAL_KEY, CMP_BAD_CERT_TEMPLATE },
        { REFUSAL_SECRET, CMP_NOT_AUTHORIZED },
        { REFUSAL_RENEW_MISMATCH, CMP_BAD_CERT_TEMPLATE },
        { REFUSAL_CONFLICT, CMP_TRANSACTION_ID_IN_USE },
        { REFUSAL_DENIED, CMP_NOT_AUTHORIZED },
        { REFUSAL_CA_UNAVAILABLE, CMP_SYSTEM_UNAVAIL },
        { REFUSAL_CA_REJECTED, CMP_BAD_REQUEST },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(cmp_answer_to(rows[i].why).fail_info, rows[i].fail_info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_has_a_name_a_fail_info_and_a_text),
        cmocka_unit_test(what_is_no_fault_is_an_error_of_ours),
        cmocka_unit_test(every_refusal_has_a_fail_info_and_a_text),
        cmocka_unit_test(what_would_tell_registrations_apart_is_told_in_one_way),
        cmocka_unit_test(the_rows_that_clients_act_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
