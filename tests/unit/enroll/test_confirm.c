#include "enroll/confirm.h"

#include "enroll/confirm_internal.h"

#include "tests/unit/enroll/enroll_world.h"

enum { WITHIN_S = 300 };

static const struct registration plain = { .revision = 0 }, one_time = { .one_time = true };

static const struct job_handler table[] = { { .kind = ENROLL_CONFIRM_JOB, .run = enroll_confirm_job_run } };

/* --- builders --- */
static struct registration router5(struct world *w, struct registration fields)
{
    open_cmp(w);
    return registered(w, "router5.example.com", "s3cret", fields);
}

/* A first enrollment whose certificate must be confirmed. */
static struct asking an_asking(const struct registration *r)
{
    return (struct asking){ .protocol = PROTOCOL_CMP, .mac_of = r, .confirm_within_s = WITHIN_S };
}

static struct bytes unconfirmed(struct world *w, const struct asking *a)
{
    struct enroll_result result = ask(w, a);

    assert_int_equal(result.kind, ENROLL_ISSUED);
    assert_true(result.unconfirmed);
    return arena_copy(w->arena, result.certificate);
}

static struct bytes issue_one(struct world *w, const struct registration *r)
{
    const struct asking a = an_asking(r);

    return unconfirmed(w, &a);
}

static enum confirm_outcome say_only(struct world *w, const char *transaction, bool accepted)
{
    enum confirm_outcome outcome = CONFIRM_UNKNOWN;
    struct error err = { 0 };

    begin_turn(w);
    if (!enroll_confirm(&w->turn, &w->service, &w->procedure, PROTOCOL_CMP, bytes_text(transaction), accepted,
                        &outcome, &err))
        fail_msg("%s", err.text);
    if (outcome != CONFIRM_DONE)
        assert_int_equal(w->turn.changes.count, 0);
    return outcome;
}

static enum confirm_outcome say(struct world *w, bool accepted)
{
    enum confirm_outcome outcome = say_only(w, "t1", accepted);

    assert_int_equal(apply(w), APPLY_DONE);
    return outcome;
}

/* The only job there is; false: there is none. */
static bool find_job(struct world *w, struct job_record *out)
{
    size_t count = 0;
    int64_t next_s;

    begin_turn(w);
    assert_true(registry_jobs_due(w->view, INT64_MAX - 1, 1, w->arena, out, &count, &next_s, NULL));
    return count == 1;
}

static enum job_effect_kind run_job_only(struct world *w, struct job_record *job)
{
    const struct job_event event = { .kind = JOB_EVENT_DUE };
    struct job_handler row[] = { table[0] };
    struct job_effect effect = { 0 };
    struct error err = { 0 };

    row[0].service = &w->service;
    begin_turn(w);
    if (!job_run(&w->turn, row, 1, job, &event, &effect, &err))
        fail_msg("%s", err.text);
    return effect.kind;
}

static void run_job(struct world *w)
{
    struct job_record job;

    assert_true(find_job(w, &job));
    assert_int_equal(run_job_only(w, &job), JOB_EFFECT_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_false(find_job(w, &job));
}

static bool is_used(struct world *w, const struct registration *r)
{
    struct registration now;
    bool found = false;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_registration_by_id(w->view, &r->id, w->arena, &found, &now, NULL));
    assert_true(found);
    return now.used;
}

static size_t marks(struct world *w)
{
    struct certificate_record record[8];
    size_t count = 0, marked = 0;

    begin_turn(w);
    assert_true(registry_certificates_list(w->view, NULL, COUNT_OF(record), w->arena, record, &count, NULL));
    for (size_t i = 0; i < count; i++) {
        struct holder h;

        assert_true(enroll_holder(&w->turn, &w->service, &w->procedure, record[i].der, NULL, 0, &h, NULL));
        marked += h.awaits_confirmation;
    }
    return marked;
}

/* Nothing is left of the wait, and what happened is told. */
static void assert_settled(struct world *w, enum audit_kind kind)
{
    struct job_record job;

    assert_false(find_job(w, &job));
    assert_int_equal(marks(w), 0);
    assert_int_equal(last_entry(w).kind, kind);
    assert_audit_is_sound(w);
}

/* --- the ways it ends --- */
static void cmp_72_a_certificate_is_confirmed(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct bytes der = issue_one(w, &r);
    struct job_record job;

    assert_true(find_job(w, &job));
    assert_int_equal(job.due_s, w->now_s + WITHIN_S);
    assert_int_equal(marks(w), 1);
    w->now_s += WITHIN_S;
    assert_int_equal(say(w, true), CONFIRM_DONE);
    assert_text(w->turn.facts.fqdn, "router5.example.com");
    assert_settled(w, AUDIT_CONFIRMED);
    assert_says(last_entry(w), "\"fqdn\":\"router5.example.com\"");
    assert_int_equal(record_of(w, der).status, CERTIFICATE_GOOD);
    assert_true(is_used(w, &r));
    assert_issued(w, .protocol = PROTOCOL_CMP, .certificate = &der, .transaction = "t2");
}

static void cmp_75_a_rejected_certificate_is_revoked_and_its_registration_free(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct bytes der = issue_one(w, &r);
    struct certificate_record record;

    assert_true(is_used(w, &r));
    assert_int_equal(say(w, false), CONFIRM_DONE);
    assert_settled(w, AUDIT_REVOKED);
    assert_says(last_entry(w), "\"why\":\"the device rejected it\"");
    assert_says(last_entry(w), "\"by\":\"holder\"");
    record = record_of(w, der);
    assert_int_equal(record.status, CERTIFICATE_REVOKED);
    assert_int_equal(record.revocation_reason, REVOCATION_CESSATION);
    assert_false(is_used(w, &r));
    assert_issued(w, .protocol = PROTOCOL_CMP, .mac_of = &r, .transaction = "t2");
    assert_true(is_used(w, &r));
}

static void cmp_79_silence_is_a_rejection(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct bytes der = issue_one(w, &r);

    w->now_s += WITHIN_S;
    run_job(w);
    assert_settled(w, AUDIT_REVOKED);
    assert_says(last_entry(w), "\"why\":\"not confirmed in time\"");
    assert_says(last_entry(w), "\"by\":\"gateway\"");
    assert_int_equal(record_of(w, der).status, CERTIFICATE_REVOKED);
    assert_false(is_used(w, &r));
    assert_int_equal(say(w, true), CONFIRM_OVER);
}

static void after_its_time_nothing_is_confirmed(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);
    struct job_record job;

    issue_one(w, &r);
    w->now_s += WITHIN_S + 1; /* before the job had its turn */
    assert_int_equal(say(w, true), CONFIRM_OVER);
    assert_int_equal(say(w, false), CONFIRM_OVER);
    assert_true(find_job(w, &job));
}

static void cmp_77_each_word_counts_once(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);
    struct bytes der = issue_one(w, &r);

    assert_int_equal(say(w, true), CONFIRM_DONE);
    assert_int_equal(say(w, true), CONFIRM_ALREADY);
    assert_int_equal(say(w, false), CONFIRM_ALREADY);
    assert_int_equal(record_of(w, der).status, CERTIFICATE_GOOD);
}

static void a_rejection_is_not_taken_back(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);

    issue_one(w, &r);
    assert_int_equal(say(w, false), CONFIRM_DONE);
    assert_int_equal(say(w, false), CONFIRM_OVER);
    assert_int_equal(say(w, true), CONFIRM_OVER);
}

static void cmp_78_what_is_not_awaited_is_unknown(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);

    assert_int_equal(say_only(w, "t1", true), CONFIRM_UNKNOWN);
    assert_issued(w, .protocol = PROTOCOL_CMP, .mac_of = &r); /* implicitly confirmed */
    assert_int_equal(say_only(w, "t1", true), CONFIRM_UNKNOWN);
    w->procedure.manual_approval = true;
    assert_int_equal(asks(w, .protocol = PROTOCOL_CMP, .mac_of = &r, .key = "device-2", .transaction = "t2",
                          .confirm_within_s = WITHIN_S)
                         .kind,
                     ENROLL_PENDING);
    assert_int_equal(say_only(w, "t2", true), CONFIRM_UNKNOWN);
}

/* --- races --- */
static void of_a_confirmation_and_the_deadline_the_first_counts(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct bytes der = issue_one(w, &r);
    struct job_record job;
    struct turn slower;

    assert_true(find_job(w, &job));
    w->now_s += WITHIN_S;
    assert_int_equal(run_job_only(w, &job), JOB_EFFECT_DONE);
    slower = w->turn;
    assert_int_equal(say(w, true), CONFIRM_DONE);
    w->turn = slower;
    assert_int_equal(apply(w), APPLY_CONFLICT);
    assert_int_equal(run_job_only(w, &job), JOB_EFFECT_DONE); /* should it be run again all the same */
    assert_int_equal(apply(w), APPLY_DONE);
    assert_settled(w, AUDIT_CONFIRMED);
    assert_int_equal(record_of(w, der).status, CERTIFICATE_GOOD);
    assert_true(is_used(w, &r));
}

static void of_the_deadline_and_a_confirmation_the_first_counts(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct bytes der = issue_one(w, &r);
    struct turn slower;

    w->now_s += WITHIN_S;
    assert_int_equal(say_only(w, "t1", true), CONFIRM_DONE);
    slower = w->turn;
    run_job(w);
    w->turn = slower;
    assert_int_equal(apply(w), APPLY_CONFLICT);
    assert_int_equal(say(w, true), CONFIRM_OVER);
    assert_settled(w, AUDIT_REVOKED);
    assert_int_equal(record_of(w, der).status, CERTIFICATE_REVOKED);
}

static void a_job_that_comes_early_waits(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);
    struct job_record job;

    issue_one(w, &r);
    assert_true(find_job(w, &job));
    w->now_s += WITHIN_S - 1;
    assert_int_equal(run_job_only(w, &job), JOB_EFFECT_WAIT);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_true(find_job(w, &job));
    assert_int_equal(job.due_s, w->now_s + 1);
    w->now_s++;
    run_job(w);
}

static void an_officers_revocation_stays_his(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct bytes der = issue_one(w, &r);
    struct turn slower;

    assert_int_equal(say_only(w, "t1", true), CONFIRM_DONE);
    slower = w->turn;
    officer_revokes(w, der, REVOCATION_KEY_COMPROMISE);
    w->turn = slower;
    assert_int_equal(apply(w), APPLY_CONFLICT);
    assert_int_equal(say(w, true), CONFIRM_OVER);
    w->now_s += WITHIN_S;
    run_job(w);
    assert_int_equal(marks(w), 0);
    assert_int_equal(record_of(w, der).revocation_reason, REVOCATION_KEY_COMPROMISE);
    assert_true(is_used(w, &r));
}

/* --- the registration --- */
static void what_another_issuance_used_stays_used(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);

    issue_one(w, &r);
    r.revision++; /* registered again by an officer, and used by another device */
    r.used = true;
    put(w, r, r.revision - 1);
    assert_int_equal(say(w, false), CONFIRM_DONE);
    assert_true(is_used(w, &r));
}

/* A one-time registration is no source of certificates that are good for some minutes each. */
static void what_is_given_back_again_and_again_stays_used(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct asking a = an_asking(&r);
    char transaction[16];

    for (unsigned i = 0; i <= GIVEN_BACK_MAX; i++) {
        (void)snprintf(transaction, sizeof(transaction), "again %u", i);
        a.transaction = transaction;
        (void)unconfirmed(w, &a);
        assert_int_equal(say_only(w, transaction, false), CONFIRM_DONE);
        assert_int_equal(apply(w), APPLY_DONE);
        assert_int_equal(is_used(w, &r), i == GIVEN_BACK_MAX);
    }
    assert_refused(w, REFUSAL_USED, .protocol = PROTOCOL_CMP, .mac_of = &r, .transaction = "once more");
}

static void what_is_given_back_now_and_then_is_free(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct asking a = an_asking(&r);
    char transaction[16];

    for (unsigned i = 0; i <= GIVEN_BACK_MAX + 1; i++) {
        (void)snprintf(transaction, sizeof(transaction), "again %u", i);
        a.transaction = transaction;
        (void)unconfirmed(w, &a);
        assert_int_equal(say_only(w, transaction, false), CONFIRM_DONE);
        assert_int_equal(apply(w), APPLY_DONE);
        assert_false(is_used(w, &r));
        w->now_s += 86400;
    }
}

static void a_reusable_one_and_a_renewal_free_nothing(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct asking a = an_asking(&r), renewal = {
        .protocol = PROTOCOL_CMP, .renewal = true, .transaction = "t2", .confirm_within_s = WITHIN_S
    };
    struct bytes old, new;

    a.confirm_within_s = 0;
    old = issued(w, &a);
    renewal.certificate = &old;
    new = unconfirmed(w, &renewal);
    assert_int_equal(say_only(w, "t2", false), CONFIRM_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_true(is_used(w, &r));
    assert_int_equal(record_of(w, old).status, CERTIFICATE_GOOD);
    assert_int_equal(record_of(w, new).status, CERTIFICATE_REVOKED);
}

/* --- while it is awaited, and after --- */
static void cmp_90_the_same_message_gets_the_same_certificate(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    const struct asking a = an_asking(&r);
    struct bytes first = unconfirmed(w, &a);
    struct enroll_result again;

    assert_bytes(unconfirmed(w, &a), first);
    assert_int_equal(say(w, true), CONFIRM_DONE);
    again = ask(w, &a);
    assert_bytes(again.certificate, first);
    assert_false(again.unconfirmed);
}

static void what_was_given_back_is_not_handed_out_again(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    const struct asking a = an_asking(&r);

    unconfirmed(w, &a);
    assert_int_equal(say(w, false), CONFIRM_DONE);
    assert_int_equal(ask(w, &a).reason, REFUSAL_CONFLICT);
    assert_false(is_used(w, &r));
}

static void an_awaited_one_is_remembered_however_long_its_job_is_late(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    struct bytes der = issue_one(w, &r);
    struct state_key key[4];
    uint64_t revision[4];
    size_t count = 9;

    w->now_s += 2 * (int64_t)w->service.transaction_keep_s; /* the gateway stood still */
    begin_turn(w);
    assert_true(registry_state_expired(w->view, w->now_s, 4, w->arena, key, revision, &count, NULL));
    assert_int_equal(count, 0);
    run_job(w);
    assert_int_equal(record_of(w, der).status, CERTIFICATE_REVOKED);
    w->now_s += w->service.transaction_keep_s + 1;
    begin_turn(w);
    assert_true(registry_state_expired(w->view, w->now_s, 4, w->arena, key, revision, &count, NULL));
    assert_int_equal(count, 2); /* and that its registration came back */
}

static void cmp_60_until_then_neither_old_nor_new_is_renewed(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);
    struct asking first = an_asking(&r), kur = { .protocol = PROTOCOL_CMP,
                                                 .renewal = true,
                                                 .transaction = "t2",
                                                 .key = "device-2",
                                                 .signer = "old",
                                                 .confirm_within_s = WITHIN_S };
    struct bytes old, new;

    w->procedure.latest_only = true;
    first.confirm_within_s = 0;
    old = issued(w, &first);
    kur.certificate = &old;
    new = unconfirmed(w, &kur);
    assert_bytes(unconfirmed(w, &kur), new); /* a lost answer */
    assert_int_equal(marks(w), 2);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .renewal = true, .transaction = "t3",
                   .certificate = &old);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .transaction = "t3",
                   .certificate = &old);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .renewal = true, .transaction = "t3",
                   .certificate = &new, .key = "device-2");
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_EST, .certificate = &old);
    assert_int_equal(say_only(w, "t2", true), CONFIRM_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_int_equal(marks(w), 0);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .renewal = true, .transaction = "t3",
                   .certificate = &old); /* superseded */
    assert_issued(w, .protocol = PROTOCOL_CMP, .renewal = true, .transaction = "t3", .certificate = &new,
                  .key = "device-2");
}

static void cmp_60_a_renewal_that_was_given_back_leaves_the_old_one_as_it_was(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);
    struct asking first = an_asking(&r), kur = {
        .protocol = PROTOCOL_CMP, .renewal = true, .signer = "old", .confirm_within_s = WITHIN_S
    };
    static const char *const transaction[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
    struct bytes old;

    w->procedure.latest_only = true;
    first.confirm_within_s = 0;
    old = issued(w, &first);
    kur.certificate = &old;
    for (size_t i = 0; i < COUNT_OF(transaction); i++) {
        kur.transaction = transaction[i];
        unconfirmed(w, &kur);
        w->now_s += WITHIN_S;
        run_job(w);
    }
    assert_issued(w, .protocol = PROTOCOL_CMP, .renewal = true, .transaction = "t2", .certificate = &old);
}

static void of_two_renewals_of_one_certificate_the_first_counts(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);
    struct asking first = an_asking(&r), kur = {
        .protocol = PROTOCOL_CMP, .renewal = true, .transaction = "a", .confirm_within_s = WITHIN_S
    };
    struct bytes old;
    struct turn slower;

    first.confirm_within_s = 0;
    old = issued(w, &first);
    kur.certificate = &old;
    assert_int_equal(ask_only(w, &kur).kind, ENROLL_ISSUED);
    slower = w->turn;
    kur.transaction = "b";
    unconfirmed(w, &kur);
    w->turn = slower;
    assert_int_equal(apply(w), APPLY_CONFLICT);
    kur.transaction = "a";
    assert_int_equal(ask(w, &kur).reason, REFUSAL_RENEW_STATE);
}

/* --- faults --- */
static void a_job_whose_state_is_malformed_is_an_error(void **state)
{
    static const char *const states[] = { "", "\x02", "\x01", "\x01\x00\x01" };
    struct world *w = *state;
    const struct job_event event = { .kind = JOB_EVENT_DUE };

    for (size_t i = 0; i < COUNT_OF(states); i++) {
        const struct job_record job = { .kind = BYTES_LITERAL(ENROLL_CONFIRM_JOB),
                                        .state = bytes_text(states[i]) };
        struct job_step step = { 0 };
        struct error err = { 0 };

        begin_turn(w);
        assert_false(enroll_confirm_job_run(&w->turn, &w->service, &job, &event, &step, &err));
        assert_int_equal(err.code, ERROR_FORMAT);
    }
}

static void every_allocation_that_fails_is_a_clean_error(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, one_time);
    unsigned failed = 0;
    bool done = false;

    issue_one(w, &r);
    for (unsigned n = 1; n < 200 && !done; n++) {
        enum confirm_outcome outcome = CONFIRM_UNKNOWN;
        struct error err = { 0 };

        begin_turn(w);
        w->turn.arena = arena_new(1 << 20);
        changes_begin(&w->turn.changes, w->turn.arena);
        arena_fail_after(w->turn.arena, n);
        if (!enroll_confirm(&w->turn, &w->service, &w->procedure, PROTOCOL_CMP, BYTES_LITERAL("t1"), false,
                            &outcome, &err))
            assert_int_equal(outcome, CONFIRM_UNKNOWN);
        else
            done = !changes_failed(&w->turn.changes);
        failed += !done;
        if (done)
            assert_int_equal(apply(w), APPLY_DONE);
        arena_free(w->turn.arena);
    }
    assert_true(done);
    assert_true(failed > 5);
    assert_settled(w, AUDIT_REVOKED);
    assert_false(is_used(w, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(cmp_72_a_certificate_is_confirmed),
        world_test(cmp_75_a_rejected_certificate_is_revoked_and_its_registration_free),
        world_test(cmp_79_silence_is_a_rejection),
        world_test(after_its_time_nothing_is_confirmed),
        world_test(cmp_77_each_word_counts_once),
        world_test(a_rejection_is_not_taken_back),
        world_test(cmp_78_what_is_not_awaited_is_unknown),
        world_test(of_a_confirmation_and_the_deadline_the_first_counts),
        world_test(of_the_deadline_and_a_confirmation_the_first_counts),
        world_test(a_job_that_comes_early_waits),
        world_test(an_officers_revocation_stays_his),
        world_test(what_another_issuance_used_stays_used),
        world_test(what_is_given_back_again_and_again_stays_used),
        world_test(what_is_given_back_now_and_then_is_free),
        world_test(a_reusable_one_and_a_renewal_free_nothing),
        world_test(cmp_90_the_same_message_gets_the_same_certificate),
        world_test(what_was_given_back_is_not_handed_out_again),
        world_test(an_awaited_one_is_remembered_however_long_its_job_is_late),
        world_test(cmp_60_until_then_neither_old_nor_new_is_renewed),
        world_test(cmp_60_a_renewal_that_was_given_back_leaves_the_old_one_as_it_was),
        world_test(of_two_renewals_of_one_certificate_the_first_counts),
        world_test(a_job_whose_state_is_malformed_is_an_error),
        world_test(every_allocation_that_fails_is_a_clean_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
