#include "proto/scep/answer.h"

#include "tests/lib/test.h"

/* The SCEP column of the refusal table in conformance csr.md. */
static void csr_110_every_refusal_has_the_wire_form_of_the_table(void **state)
{
    (void)state;
    for (enum refusal why = REFUSAL_INTERNAL; why < REFUSAL_COUNT; why++) {
        struct scep_answer answer = scep_answer_to(why);

        if (why == REFUSAL_INTERNAL)
            assert_int_equal(answer.fail_info, SCEP_FAIL_NONE);
        else if (why == REFUSAL_ALGORITHM)
            assert_int_equal(answer.fail_info, SCEP_BAD_ALG);
        else
            assert_int_equal(answer.fail_info, SCEP_BAD_REQUEST);
        assert_non_null(answer.text);
    }
}

static void csr_111_without_a_proof_covered_reasons_look_alike(void **state)
{
    const struct scep_answer secret = scep_answer_to(REFUSAL_SECRET);

    (void)state;
    for (enum refusal why = REFUSAL_INTERNAL; why < REFUSAL_COUNT; why++) {
        struct scep_answer answer = scep_answer_to(refusal_on_wire(why, false));

        if (!refusal_is_covered(why))
            continue;
        assert_int_equal(answer.fail_info, secret.fail_info);
        assert_string_equal(answer.text, secret.text);
    }
}

static void the_text_of_a_covered_reason_names_none_even_after_a_proof(void **state)
{
    (void)state;
    for (enum refusal why = REFUSAL_INTERNAL; why < REFUSAL_COUNT; why++)
        if (refusal_is_covered(why))
            assert_string_equal(scep_answer_to(why).text, scep_answer_to(REFUSAL_SECRET).text);
}

static void scep_50_decryption_and_content_fail_alike(void **state)
{
    struct scep_answer envelope = scep_answer_to_fault(SCEP_FAULT_ENVELOPE);
    struct scep_answer syntax = scep_answer_to(REFUSAL_SYNTAX);

    (void)state;
    assert_int_equal(envelope.fail_info, SCEP_BAD_REQUEST);
    assert_int_equal(envelope.fail_info, syntax.fail_info);
    assert_string_equal(envelope.text, syntax.text);
}

static void every_fault_of_a_message_has_name_and_answer(void **state)
{
    (void)state;
    for (enum scep_fault fault = SCEP_FAULT_STRUCTURE; fault < SCEP_FAULT_INTERNAL; fault++) {
        assert_int_not_equal(scep_answer_to_fault(fault).fail_info, SCEP_FAIL_NONE);
        assert_true(bytes_starts_with(bytes_text(scep_fault_name(fault)), "scep_"));
    }
    assert_int_equal(scep_answer_to_fault(SCEP_FAULT_INTERNAL).fail_info, SCEP_FAIL_NONE);
    assert_int_equal(scep_answer_to_fault(SCEP_OK).fail_info, SCEP_FAIL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csr_110_every_refusal_has_the_wire_form_of_the_table),
        cmocka_unit_test(csr_111_without_a_proof_covered_reasons_look_alike),
        cmocka_unit_test(the_text_of_a_covered_reason_names_none_even_after_a_proof),
        cmocka_unit_test(scep_50_decryption_and_content_fail_alike),
        cmocka_unit_test(every_fault_of_a_message_has_name_and_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
