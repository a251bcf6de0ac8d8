/* CMP-58 to CMP-60: kur (RFC 9810 5.3.5, RFC 9483 4.1.3). */
#include "tests/conformance/cmp/cmp_case.h"

static void cmp_58_a_key_update_is_signed_with_the_certificate_that_it_updates(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_plan plan = a_kur(&device);
    struct cmp_said said = cmp_ask(c, plan);
    X509 *updated = assert_granted(c, &said, CMP_KUP);

    assert_int_equal(said.cert_req_id, 0);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(updated), cmp_client_key("P-256", 1)), 1);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(updated), X509_get_subject_name(device.certificate)),
                     0);
    cmp_confirmed(c, plan, &said);
}

static void cmp_58_old_cert_id_may_be_left_out(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    plan.request.no_old = true;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_KUP);
}

static void cmp_58_another_old_cert_id_is_a_bad_cert_id(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person other = cmp_enrolled_as(
        c, (struct cmp_plan){ .body = CMP_IR, .request.key = cmp_client_key("P-256", 2) });
    const struct cmp_person stranger = cmp_client_person(&(struct cmp_certificate_plan){ 0 });
    const X509 *const olds[] = { other.certificate, stranger.certificate, c->ra };
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    for (size_t i = 0; i < COUNT_OF(olds); i++) {
        plan.request.old = olds[i];
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_KUP, CMP_BAD_CERT_ID);
    }
    plan.request.old = NULL;
    plan.request.other_old_serial = true;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_KUP, CMP_BAD_CERT_ID);
}

static void cmp_58_names_stay_as_they_are(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    (void)a_gateway_register(c->g, "router7.example.com", "s3cret", (struct registration){ 0 });
    plan.request.cn = "router7.example.com";
    plan.request.san = "DNS:router7.example.com";
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_KUP, CMP_BAD_CERT_TEMPLATE);
    plan.request.cn = NULL;
    plan.request.san = "DNS:router5.example.com,DNS:more.example.com";
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_KUP, CMP_NOT_AUTHORIZED);
    plan.request.san = NULL; /* the certificate would say the same */
    said = cmp_ask(c, plan);
    (void)assert_granted_as(c, &said, CMP_KUP, said.status);
    assert_int_equal(X509_check_host(said.certificate, "router5.example.com", 0, 0, NULL), 1);
}

static void cmp_58_a_vendors_certificate_is_none_that_is_updated(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    plan.request.cn = "router6.example.com";
    plan.request.san = NULL;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_KUP, CMP_NOT_AUTHORIZED);
}

static void cmp_58_updates_may_be_off(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said;

    c->g->procedure.renewal = false;
    said = cmp_ask(c, a_kur(&device));
    assert_rejected(c, &said, CMP_KUP, CMP_NOT_AUTHORIZED);
}

static void cmp_58_an_update_of_the_update(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_person device = cmp_enrolled(c);

    for (unsigned n = 1; n <= 3; n++) {
        struct cmp_plan plan = a_kur(&device);
        struct cmp_said said;

        plan.request.key = cmp_client_key("P-256", n);
        said = cmp_ask(c, plan);
        (void)assert_granted(c, &said, CMP_KUP);
        cmp_confirmed(c, plan, &said);
        a_gateway_restart(c->g);
        device = (struct cmp_person){ .key = plan.request.key, .certificate = said.certificate };
    }
}

static void cmp_59_the_same_key_by_policy(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    plan.request.key = device.key;
    c->g->procedure.same_key_renewal = false;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_KUP, CMP_BAD_CERT_TEMPLATE);
    c->g->procedure.same_key_renewal = true;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_KUP);
}

/* Everything that a certificate whose update waits for its confirmation may not do. */
static void assert_begins_nothing(struct cmp_case *c, const struct cmp_person *device)
{
    struct cmp_plan plan = a_kur(device);
    struct cmp_said said;

    plan.request.key = cmp_client_key("P-256", 2);
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_REQUEST);
    plan.body = CMP_IR;
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_REQUEST);
    plan.body = CMP_CR;
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_REQUEST);
    said = cmp_ask(
        c, (struct cmp_plan){ .body = CMP_RR, .signer = device, .revoke.certificate = device->certificate });
    assert_error(c, &said, CMP_BAD_REQUEST);
}

static void cmp_60_a_certificate_whose_update_waits_begins_nothing(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_plan plan = a_kur(&device);
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted(c, &said, CMP_KUP);
    assert_begins_nothing(c, &device);
    a_gateway_restart(c->g);
    assert_begins_nothing(c, &device);
    cmp_confirmed(c, plan, &said);
}

static void cmp_60_one_that_is_not_confirmed_itself_entitles_to_nothing(void **state)
{
    static const struct {
        enum cmp_body asked, answered;
    } bodies[] = { { CMP_KUR, CMP_KUP }, { CMP_IR, CMP_IP }, { CMP_CR, CMP_CP } };
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR, .request.san = "DNS:router5.example.com" };
    struct cmp_said said = cmp_ask(c, plan), other;
    const struct cmp_person device = { .key = cmp_client_key("P-256", 0),
                                       .certificate = assert_granted(c, &said, CMP_IP) };

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_plan next = a_kur(&device);

        next.body = bodies[i].asked;
        other = cmp_ask(c, next);
        assert_rejected(c, &other, bodies[i].answered, CMP_NOT_AUTHORIZED);
    }
    cmp_confirmed(c, plan, &said);
    other = cmp_ask(c, a_kur(&device));
    (void)assert_granted(c, &other, CMP_KUP);
}

static void cmp_60_a_rejected_update_leaves_the_old_certificate(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device), next;
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_KUP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.confirm.status = CMP_REJECTION;
    other = cmp_ask(c, next);
    cmp_expect(c, &other, CMP_PKICONF, CMP_STATUS_NONE, 0);
    assert_true(cmp_is_revoked(c, said.certificate));
    assert_false(cmp_is_revoked(c, device.certificate));
    said = cmp_ask(c, plan); /* once more */
    (void)assert_granted(c, &said, CMP_KUP);
    cmp_confirmed(c, plan, &said);
}

static void cmp_60_an_update_that_is_never_confirmed_leaves_it_too(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_plan plan = a_kur(&device);
    struct cmp_said said = cmp_ask(c, plan);
    X509 *lost = assert_granted(c, &said, CMP_KUP);

    c->g->now_s += c->g->procedure.cmp_confirm_wait_s + 1;
    cmp_run_confirm_jobs(c);
    assert_true(cmp_is_revoked(c, lost));
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_KUP);
    cmp_confirmed(c, plan, &said);
}

static void cmp_60_implicit_confirmation_supersedes_at_once(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    plan.implicit_confirm = true;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_KUP);
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_CERT_REVOKED);
}

/* A message whose turn ran before the update was written: its changes are not taken. */
static void assert_raced(struct cmp_case *c, struct cmp_plan plan, const struct cmp_person *device)
{
    const struct http_header header = { .name = BYTES_LITERAL("Content-Type"),
                                        .value = bytes_text(CMP_TYPE) };
    struct http_request request = { .method = HTTP_METHOD_POST,
                                    .path = bytes_text(CMP_PATH),
                                    .header = &header,
                                    .header_count = 1,
                                    .body = cmp_message_of(c, plan),
                                    .arena = c->arena };
    struct cmp_plan update = a_kur(device);
    const struct changes *changes;
    enum apply_result result = APPLY_NONE;
    struct answering a;
    struct cmp_said said;

    assert_false(answer_at_once(&a, &c->g->config, &request));
    answer_turn(&a, a_gateway_view(c->g), c->g->random, c->g->now_s);
    update.implicit_confirm = true;
    said = cmp_ask(c, update);
    (void)assert_granted(c, &said, CMP_KUP);
    changes = &a.turn.changes;
    registry_view_reset(c->g->view);
    assert_true(registry_apply(c->g->registry, &changes, 1, c->g->now_s, &result, NULL));
    assert_int_equal(result, APPLY_CONFLICT);
    answer_turn(&a, a_gateway_view(c->g), c->g->random, c->g->now_s);
    assert_string_equal(a.turn.facts.reason, "cmp_signer_revoked");
}

static void cmp_60_what_raced_with_an_update_is_judged_again(void **state)
{
    static const enum cmp_body bodies[] = { CMP_CR, CMP_KUR, CMP_RR };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        const struct cmp_person device = cmp_enrolled(c);
        struct cmp_plan plan = a_kur(&device);

        plan.body = bodies[i];
        plan.revoke.certificate = device.certificate;
        assert_raced(c, plan, &device);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_58_a_key_update_is_signed_with_the_certificate_that_it_updates),
        CMP_ROW(cmp_58_old_cert_id_may_be_left_out),
        CMP_ROW(cmp_58_another_old_cert_id_is_a_bad_cert_id),
        CMP_ROW(cmp_58_names_stay_as_they_are),
        CMP_ROW(cmp_58_a_vendors_certificate_is_none_that_is_updated),
        CMP_ROW(cmp_58_updates_may_be_off),
        CMP_ROW(cmp_58_an_update_of_the_update),
        CMP_ROW(cmp_59_the_same_key_by_policy),
        CMP_ROW(cmp_60_a_certificate_whose_update_waits_begins_nothing),
        CMP_ROW(cmp_60_one_that_is_not_confirmed_itself_entitles_to_nothing),
        CMP_ROW(cmp_60_a_rejected_update_leaves_the_old_certificate),
        CMP_ROW(cmp_60_an_update_that_is_never_confirmed_leaves_it_too),
        CMP_ROW(cmp_60_implicit_confirmation_supersedes_at_once),
        CMP_ROW(cmp_60_what_raced_with_an_update_is_judged_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
