#include "model/procedure.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct domain domain = { .name = "plant" };
static const struct profile profile = { .name = "device", .validity_s = 86400 };

static struct procedure a_procedure(void)
{
    return (struct procedure){ .name = "routers",
                               .domain = &domain,
                               .ca = "demo",
                               .profile = &profile,
                               .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST),
                               .preregistration = true,
                               .est_basic = true };
}

static void a_complete_procedure_is_well(void **state)
{
    struct procedure p = a_procedure();

    (void)state;
    assert_null(procedure_fault(&p));
}

static void an_open_ca_is_refused(void **state)
{
    struct procedure p = a_procedure();

    (void)state;
    p.preregistration = false;
    assert_non_null(procedure_fault(&p)); /* SCEP */
    p.protocols = PROTOCOL_BIT(PROTOCOL_EST);
    p.est_basic = false;
    assert_non_null(procedure_fault(&p)); /* EST without any */
    p.est_basic = true;
    assert_non_null(procedure_fault(&p)); /* passwords that nobody registered */
    p.est_basic = false;
    p.est_client_certificate = true;
    assert_null(procedure_fault(&p));
    p.protocols = PROTOCOL_BIT(PROTOCOL_ACME);
    assert_non_null(procedure_fault(&p)); /* ACME with nothing to prove a name by */
    p.acme_challenges = ACME_CHALLENGE_BIT(ACME_HTTP_01);
    assert_null(procedure_fault(&p)); /* a challenge proves */
    p.acme_challenges = 0;
    p.acme_binding = true;
    assert_null(procedure_fault(&p)); /* a pre-authorised account is bound to its registration */
    p.acme_challenges = ACME_CHALLENGE_BIT(ACME_CHALLENGE_COUNT);
    assert_non_null(procedure_fault(&p));
}

static void est_needs_a_way_to_authenticate(void **state)
{
    struct procedure p = a_procedure();

    (void)state;
    p.est_basic = false;
    assert_non_null(procedure_fault(&p));
    p.est_client_certificate = p.est_certificate_and_http = true;
    assert_non_null(procedure_fault(&p));
    p.est_digest = true;
    assert_null(procedure_fault(&p));
}

static void est_10_a_procedure_is_not_named_like_an_operation(void **state)
{
    static const char *const bad[] = { "simpleenroll", "CACERTS", "", "a/b", "a b", ".hidden" };
    struct procedure p = a_procedure();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        p.name = bad[i];
        assert_non_null(procedure_fault(&p));
    }
}

static void a_zeroed_procedure_is_refused(void **state)
{
    struct procedure p = { 0 };

    (void)state;
    assert_non_null(procedure_fault(&p));
    p = a_procedure();
    p.protocols = 0;
    assert_non_null(procedure_fault(&p));
    p.protocols = 1u << 20;
    assert_non_null(procedure_fault(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_procedure_is_well),
        cmocka_unit_test(an_open_ca_is_refused),
        cmocka_unit_test(est_needs_a_way_to_authenticate),
        cmocka_unit_test(est_10_a_procedure_is_not_named_like_an_operation),
        cmocka_unit_test(a_zeroed_procedure_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
