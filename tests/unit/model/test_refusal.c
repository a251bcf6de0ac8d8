#include "model/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void every_reason_has_its_own_name_and_advice(void **state)
{
    (void)state;
    for (unsigned a = 0; a < REFUSAL_COUNT; a++) {
        assert_true(strlen(refusal_name((enum refusal)a)) > 0);
        assert_true(strlen(refusal_advice((enum refusal)a)) > 0);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(refusal_name((enum refusal)a), refusal_name((enum refusal)b));
    }
}

static void csr_111_covered_reasons_are_one_until_a_credential_has_held(void **state)
{
    static const enum refusal covered[] = {
        REFUSAL_NAME_POLICY, REFUSAL_NO_REGISTRATION, REFUSAL_SECRET,         REFUSAL_CLOSED,
        REFUSAL_USED,        REFUSAL_EXPIRED,         REFUSAL_PROTOCOL,       REFUSAL_IP,
        REFUSAL_SERIAL,      REFUSAL_LOCKED,          REFUSAL_KEY_FINGERPRINT
    };
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(covered); i++) {
        assert_int_equal(refusal_on_wire(covered[i], false), REFUSAL_SECRET);
        assert_int_equal(refusal_on_wire(covered[i], true), covered[i]);
    }
    for (unsigned r = 0; r < REFUSAL_COUNT; r++)
        count += refusal_is_covered((enum refusal)r);
    assert_int_equal(count, COUNT_OF(covered));
    assert_int_equal(refusal_on_wire(REFUSAL_SYNTAX, false), REFUSAL_SYNTAX);
}

static void an_unset_reason_is_ours(void **state)
{
    enum refusal unset = (enum refusal)0;

    (void)state;
    assert_string_equal(refusal_name(unset), "internal");
    assert_string_equal(refusal_name((enum refusal)999), "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_its_own_name_and_advice),
        cmocka_unit_test(csr_111_covered_reasons_are_one_until_a_credential_has_held),
        cmocka_unit_test(an_unset_reason_is_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
