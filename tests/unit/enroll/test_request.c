#include "tests/unit/enroll/enroll_world.h"

/* Takes no key of the tests' ring. */
static const struct profile p384_alone = { .name = "strong", .keys = { .p384 = true } };

static enum refusal read_csr(struct world *w, const struct profile *profile, struct bytes der)
{
    enum refusal why = REFUSAL_COUNT;
    const char *detail = NULL;
    struct csr csr;

    if (!enroll_csr_decode(&w->procedure, profile, PROTOCOL_CMP, der, w->arena, &csr, &why, &detail))
        assert_non_null(detail);
    return why;
}

static enum refusal read_crmf(struct world *w, const struct profile *profile, struct bytes der)
{
    enum refusal why = REFUSAL_COUNT;
    const char *detail = NULL;
    struct crmf_request request;

    if (!enroll_crmf_decode(&w->procedure, profile, der, w->arena, &request, &why, &detail))
        assert_non_null(detail);
    else
        assert_bytes(request.requested.key.spki, keys_public(w->keys, "device"));
    return why;
}

static void both_forms_are_judged_by_the_profile(void **state)
{
    struct world *w = *state;
    const struct asking a = { 0 };
    const struct requested *requested = a_request(w, &a);
    struct bytes csr = a_csr(w, requested, "device"), crmf = a_certificate_request(w, requested, NULL);

    assert_int_equal(read_csr(w, NULL, csr), REFUSAL_COUNT);
    assert_int_equal(read_csr(w, &w->profile, csr), REFUSAL_COUNT);
    assert_int_equal(read_csr(w, &p384_alone, csr), REFUSAL_KEY);
    assert_int_equal(read_crmf(w, NULL, crmf), REFUSAL_COUNT);
    assert_int_equal(read_crmf(w, &w->profile, crmf), REFUSAL_COUNT);
    assert_int_equal(read_crmf(w, &p384_alone, crmf), REFUSAL_KEY);
}

static void possession_is_proved_in_both_forms(void **state)
{
    struct world *w = *state;
    const struct asking a = { 0 };
    const struct requested *requested = a_request(w, &a);

    assert_int_equal(read_csr(w, NULL, a_csr(w, requested, "device-2")), REFUSAL_POP);
    assert_int_equal(read_crmf(w, NULL, a_certificate_request(w, requested, "device-2")), REFUSAL_POP);
    assert_int_equal(read_crmf(w, NULL, a_certificate_request(w, requested, "device")), REFUSAL_COUNT);
}

static void neither_form_is_the_other(void **state)
{
    struct world *w = *state;
    const struct asking a = { 0 };
    const struct requested *requested = a_request(w, &a);

    assert_int_equal(read_csr(w, NULL, a_certificate_request(w, requested, NULL)), REFUSAL_SYNTAX);
    assert_int_equal(read_crmf(w, NULL, a_csr(w, requested, "device")), REFUSAL_SYNTAX);
    assert_int_equal(read_crmf(w, NULL, BYTES_NONE), REFUSAL_SYNTAX);
}

static void a_procedure_offers_its_own_profile_and_those_it_lists(void **state)
{
    struct world *w = *state;
    const struct profile *const listed[] = { &p384_alone };

    assert_ptr_equal(enroll_profile(&w->procedure, BYTES_LITERAL("device")), &w->profile);
    assert_null(enroll_profile(&w->procedure, BYTES_LITERAL("strong")));
    w->procedure.cmp_profile = listed;
    w->procedure.cmp_profile_count = 1;
    assert_ptr_equal(enroll_profile(&w->procedure, BYTES_LITERAL("strong")), &p384_alone);
    assert_null(enroll_profile(&w->procedure, BYTES_LITERAL("Strong")));
    assert_null(enroll_profile(&w->procedure, BYTES_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(both_forms_are_judged_by_the_profile),
        world_test(possession_is_proved_in_both_forms),
        world_test(neither_form_is_the_other),
        world_test(a_procedure_offers_its_own_profile_and_those_it_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
