/* Certificate lists: made, made anew when old or when something was revoked, and not otherwise. */
#include <openssl/x509.h>

#include "jobs/crl.h"
#include "tests/unit/jobs/ca_world.h"

static const struct job_event due = { .kind = JOB_EVENT_DUE };

static bool run(struct world *w, const struct ca *ca, size_t count, int64_t now_s, struct job_step *step)
{
    const struct crl_service service = { .ca = ca, .count = count };
    const struct job_record job = { .kind = BYTES_LITERAL("crl") };

    *step = (struct job_step){ 0 };
    begin_turn(w, now_s);
    return job_crl_run(&w->turn, &service, &job, &due, step, &w->err);
}

/* Runs the job and writes; how many lists were made. */
static size_t refresh(struct world *w, const struct ca *ca, int64_t now_s)
{
    struct job_step step;

    assert_true(run(w, ca, 1, now_s, &step));
    assert_int_equal(step.effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(step.effect.until_s, now_s + CRL_POLL_S);
    size_t made = w->turn.changes.count;
    if (made > 0)
        assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(registry_view_renew(w->view, &w->err));
    return made;
}

static X509_CRL *current(struct world *w, const struct ca *ca)
{
    struct bytes der;
    bool found;

    assert_true(crl_current(w->view, bytes_text(ca->name), w->arena, &found, &der, &w->err));
    assert_true(found);
    const unsigned char *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    assert_non_null(crl);
    return crl;
}

static size_t revoked_in(X509_CRL *crl)
{
    const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    return entries == NULL ? 0 : (size_t)sk_X509_REVOKED_num(entries);
}

/* A certificate of this CA, issued and written; its DER does not matter here. */
static struct certificate_id issue(struct world *w, const struct ca *ca, uint8_t number)
{
    struct certificate_record record = { .status = CERTIFICATE_GOOD,
                                         .protocol = PROTOCOL_SCEP,
                                         .ca = bytes_text(ca->name),
                                         .procedure = BYTES_LITERAL("p"),
                                         .profile = BYTES_LITERAL("d"),
                                         .der = BYTES_LITERAL("der"),
                                         .issued_s = NOW_S,
                                         .not_before_s = NOW_S,
                                         .not_after_s = NOW_S + 50 * 86400 };

    record.id = (struct certificate_id){ .issuer = ca->issuer, .serial_len = 2, .serial = { 7, number } };
    begin_turn(w, NOW_S);
    change_certificate_add(&w->turn.changes, &record);
    change_audit_append(&w->turn.changes, AUDIT_ISSUED, BYTES_LITERAL("{}"));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    return record.id;
}

static void revoke_it(struct world *w, const struct certificate_id *id, int64_t now_s)
{
    begin_turn(w, now_s);
    change_certificate_revoke(&w->turn.changes, id, REVOCATION_KEY_COMPROMISE, now_s);
    change_audit_append(&w->turn.changes, AUDIT_REVOKED, BYTES_LITERAL("{}"));
    assert_int_equal(apply_turn(w), APPLY_DONE);
}

static void there_is_no_list_before_the_first_run(void **state)
{
    struct world *w = *state;
    struct bytes der;
    bool found = true;

    assert_true(crl_current(w->view, BYTES_LITERAL("ca"), w->arena, &found, &der, &w->err));
    assert_false(found);
}

static void the_first_run_signs_an_empty_list(void **state)
{
    struct world *w = *state;
    struct ca ca;
    struct crl_state stored;
    bool found;

    make_ca(w, "ca", &ca);
    assert_int_equal(refresh(w, &ca, NOW_S), 1);
    X509_CRL *crl = current(w, &ca);
    assert_int_equal(revoked_in(crl), 0);
    const unsigned char *at = ca.chain[0].data;
    X509 *issuer = d2i_X509(NULL, &at, (long)ca.chain[0].len);
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(issuer)), 1);
    X509_free(issuer);
    X509_CRL_free(crl);
    assert_true(crl_state_read(w->view, BYTES_LITERAL("ca"), w->arena, &found, &stored, &w->err));
    assert_int_equal(stored.next_update_s, NOW_S + 7 * 86400);
    assert_int_equal(stored.entries, 0);
    ca_release(&ca);
}

static void nothing_is_signed_while_nothing_changes(void **state)
{
    struct world *w = *state;
    struct ca ca;

    make_ca(w, "ca", &ca);
    assert_int_equal(refresh(w, &ca, NOW_S), 1);
    assert_int_equal(refresh(w, &ca, NOW_S + 10), 0);
    (void)issue(w, &ca, 1); /* the audit grew, the list did not */
    assert_int_equal(refresh(w, &ca, NOW_S + 20), 0);
    ca_release(&ca);
}

static void a_revocation_is_on_the_next_list(void **state)
{
    struct world *w = *state;
    struct ca ca;
    struct crl_state before, after;
    bool found;

    make_ca(w, "ca", &ca);
    struct certificate_id id = issue(w, &ca, 1);
    assert_int_equal(refresh(w, &ca, NOW_S), 1);
    assert_true(crl_state_read(w->view, BYTES_LITERAL("ca"), w->arena, &found, &before, &w->err));
    revoke_it(w, &id, NOW_S + 5);
    assert_int_equal(refresh(w, &ca, NOW_S + 10), 1);
    X509_CRL *crl = current(w, &ca);
    assert_int_equal(revoked_in(crl), 1);
    X509_CRL_free(crl);
    assert_true(crl_state_read(w->view, BYTES_LITERAL("ca"), w->arena, &found, &after, &w->err));
    assert_int_equal(after.number, before.number + 1);
    assert_int_equal(after.entries, 1);
    assert_int_equal(refresh(w, &ca, NOW_S + 20), 0);
    ca_release(&ca);
}

static void an_old_list_is_made_anew_with_the_next_number(void **state)
{
    struct world *w = *state;
    struct ca ca;
    struct crl_state stored;
    bool found;

    make_ca(w, "ca", &ca);
    assert_int_equal(refresh(w, &ca, NOW_S), 1);
    assert_int_equal(refresh(w, &ca, NOW_S + 86399), 0);
    assert_int_equal(refresh(w, &ca, NOW_S + 86400), 1);
    assert_true(crl_state_read(w->view, BYTES_LITERAL("ca"), w->arena, &found, &stored, &w->err));
    assert_int_equal(stored.this_update_s, NOW_S + 86400);
    assert_int_equal(stored.number, NOW_S + 1);
    ca_release(&ca);
}

static void a_list_from_the_future_is_made_anew(void **state)
{
    struct world *w = *state;
    struct ca ca;

    make_ca(w, "ca", &ca);
    assert_int_equal(refresh(w, &ca, NOW_S + 5000), 1);
    assert_int_equal(refresh(w, &ca, NOW_S), 1);
    ca_release(&ca);
}

static void an_expired_certificate_leaves_the_list_when_it_is_made_anew(void **state)
{
    struct world *w = *state;
    struct ca ca;

    make_ca(w, "ca", &ca);
    struct certificate_id id = issue(w, &ca, 1);
    revoke_it(w, &id, NOW_S + 1);
    assert_int_equal(refresh(w, &ca, NOW_S + 2), 1);
    assert_int_equal(refresh(w, &ca, NOW_S + 60 * 86400), 1);
    X509_CRL *crl = current(w, &ca);
    assert_int_equal(revoked_in(crl), 0);
    X509_CRL_free(crl);
    ca_release(&ca);
}

static void one_ca_that_cannot_sign_does_not_hold_up_the_others(void **state)
{
    struct world *w = *state;
    struct ca ca[2];
    struct job_step step;
    struct bytes der;
    bool found;

    make_ca(w, "broken", &ca[0]);
    make_ca(w, "good", &ca[1]);
    ca[0].key_name = "lost";
    assert_true(run(w, ca, 2, NOW_S, &step));
    assert_non_null(strstr(w->turn.facts.error, "broken"));
    assert_int_equal(step.effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(registry_view_renew(w->view, &w->err));
    assert_true(crl_current(w->view, BYTES_LITERAL("good"), w->arena, &found, &der, &w->err));
    assert_true(found);
    assert_false(run(w, ca, 1, NOW_S, &step)); /* alone it is an error */
    assert_non_null(strstr(w->err.text, "broken"));
    ca_release(&ca[0]);
    ca_release(&ca[1]);
}

static void a_malformed_stored_list_is_an_error(void **state)
{
    struct world *w = *state;
    const struct state_key key = { .kind = "crl", .id = BYTES_LITERAL("ca") };
    struct bytes der;
    bool found;

    change_state_put(&w->turn.changes, &key, &(struct state_value){ .blob = BYTES_LITERAL("\x01junk") }, 0);
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(registry_view_renew(w->view, &w->err));
    assert_false(crl_current(w->view, BYTES_LITERAL("ca"), w->arena, &found, &der, &w->err));
    assert_int_equal(w->err.code, ERROR_FORMAT);
}

static void every_allocation_that_fails_is_an_error_and_the_old_list_stays(void **state)
{
    struct world *w = *state;
    struct ca ca;
    struct job_step step;
    struct crl_state stored;
    bool found, ok = false;
    unsigned n = 1;

    make_ca(w, "ca", &ca);
    assert_int_equal(refresh(w, &ca, NOW_S), 1);
    for (; !ok && n < 500; n++) {
        const struct crl_service service = { .ca = &ca, .count = 1 };
        const struct job_record job = { .kind = BYTES_LITERAL("crl") };

        step = (struct job_step){ 0 };
        w->err = (struct error){ 0 };
        begin_turn(w, NOW_S + 86400);
        arena_fail_after(w->arena, n);
        ok = job_crl_run(&w->turn, &service, &job, &due, &step, &w->err);
        arena_fail_after(w->arena, 0);
        if (!ok) {
            assert_int_not_equal(w->err.code, ERROR_NONE);
            assert_int_equal(step.effect.kind, JOB_EFFECT_NONE);
        }
    }
    assert_true(ok);
    assert_true(n > 3);
    assert_true(registry_view_renew(w->view, &w->err));
    assert_true(crl_state_read(w->view, BYTES_LITERAL("ca"), w->arena, &found, &stored, &w->err));
    assert_int_equal(stored.this_update_s, NOW_S);
    ca_release(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(there_is_no_list_before_the_first_run),
        jobs_test(the_first_run_signs_an_empty_list),
        jobs_test(nothing_is_signed_while_nothing_changes),
        jobs_test(a_revocation_is_on_the_next_list),
        jobs_test(an_old_list_is_made_anew_with_the_next_number),
        jobs_test(a_list_from_the_future_is_made_anew),
        jobs_test(an_expired_certificate_leaves_the_list_when_it_is_made_anew),
        jobs_test(one_ca_that_cannot_sign_does_not_hold_up_the_others),
        jobs_test(a_malformed_stored_list_is_an_error),
        jobs_test(every_allocation_that_fails_is_an_error_and_the_old_list_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
