/* What someone tries who may do a little: with a secret of his own, with messages of others that he heard, or
 * behind an RA. */
#include "tests/conformance/cmp/cmp_case.h"

static const struct cmp_plan AN_IR = { .body = CMP_IR };

/* --- origPKIMessage --- */

static struct cmp_plan with_original(struct cmp_case *c, struct cmp_plan plan, struct bytes original)
{
    AUTO_STRUCT(buffer) all = BUFFER(CMP_MESSAGE_MAX);

    cmp_elements_put(&all, &original, 1);
    plan.info[plan.info_count++] = (struct cmp_info){ .oid = CMP_IT_ORIG_PKI_MESSAGE,
                                                      .value = arena_copy(c->arena, buffer_bytes(&all)) };
    return plan;
}

static void cmp_115_an_original_is_an_ras_word(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct bytes good = cmp_message_of(c, AN_IR);
    struct bytes guess = cmp_message_of(c, (struct cmp_plan){ .body = CMP_IR, .protection.secret = "guess" });
    struct cmp_said said = cmp_ask(c, with_original(c, AN_IR, good));

    assert_error(c, &said, CMP_NOT_AUTHORIZED); /* the same, whether the secret in it is right or wrong */
    said = cmp_ask(c, with_original(c, AN_IR, guess));
    assert_error(c, &said, CMP_NOT_AUTHORIZED);
    said = cmp_ask(c, with_original(c, (struct cmp_plan){ .body = CMP_IR, .signer = &ra }, guess));
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    said = cmp_ask(c, with_original(c, (struct cmp_plan){ .body = CMP_IR, .signer = &ra }, good));
    (void)assert_granted(c, &said, CMP_IP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_115_an_original_is_an_ras_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
