/* One step of one job, and what it leaves in the registry. */
#include "tests/unit/jobs/jobs_world.h"

struct script {
    struct job_step step;
    bool fails;
    struct job_event seen;
};

static bool run_script(struct turn *turn, const void *service, const struct job_record *job,
                       const struct job_event *event, struct job_step *out, struct error *err)
{
    const struct script *script = service;

    (void)turn;
    (void)job;
    assert_int_equal(event->kind, script->seen.kind);
    if (script->fails)
        return error_set(err, ERROR_UNAVAILABLE, "not today");
    *out = script->step;
    return true;
}

static const struct job_event due = { .kind = JOB_EVENT_DUE };

static void start(struct world *w, const struct job_handler *row, struct job_record *job)
{
    assert_true(jobs_standing(&w->turn, row, 1, &w->err));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(job_of_kind(w, row->kind, job));
    begin_turn(w, NOW_S);
}

static void standing_jobs_are_made_once(void **state)
{
    struct world *w = *state;
    const struct job_handler table[] = { { .kind = "a", .run = run_script, .standing = true },
                                         { .kind = "b", .run = run_script } };
    struct job_record job;

    assert_true(jobs_standing(&w->turn, table, 2, &w->err));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(job_of_kind(w, "a", &job));
    assert_int_equal(job.due_s, NOW_S);
    assert_true(bytes_is(job.kind, "a"));
    assert_false(job_of_kind(w, "b", &job));
    begin_turn(w, NOW_S + 1);
    assert_true(jobs_standing(&w->turn, table, 2, &w->err));
    assert_int_equal(w->turn.changes.count, 0);
}

static void waiting_saves_state_and_time(void **state)
{
    struct world *w = *state;
    struct script script = { .step = { .state = BYTES_LITERAL("where I was"),
                                       .effect = { .kind = JOB_EFFECT_WAIT, .until_s = NOW_S + 77 } } };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    struct job_record job;
    struct job_effect effect;

    start(w, &row, &job);
    job.attempts = 4;
    assert_true(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(job_of_kind(w, "a", &job));
    assert_int_equal(job.due_s, NOW_S + 77);
    assert_int_equal(job.attempts, 0);
    assert_true(bytes_is(job.state, "where I was"));
}

static void a_time_in_the_past_means_at_once(void **state)
{
    struct world *w = *state;
    struct script script = { .step = { .effect = { .kind = JOB_EFFECT_WAIT, .until_s = 5 } } };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    struct job_record job;
    struct job_effect effect;

    start(w, &row, &job);
    assert_true(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(job_of_kind(w, "a", &job));
    assert_int_equal(job.due_s, NOW_S);
}

static void a_job_that_is_over_is_deleted(void **state)
{
    struct world *w = *state;
    struct script script = { .step = { .effect = { .kind = JOB_EFFECT_DONE } } };
    struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    struct job_record job;
    struct job_effect effect;

    start(w, &row, &job);
    assert_false(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err)); /* it stands */
    assert_int_equal(w->err.code, ERROR_INTERNAL);
    row.standing = false;
    begin_turn(w, NOW_S);
    assert_true(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_false(job_of_kind(w, "a", &job));
}

static void before_a_request_leaves_its_state_is_saved_and_due_again(void **state)
{
    struct world *w = *state;
    struct script script = { .step = { .state = BYTES_LITERAL("asked"),
                                       .effect = { .kind = JOB_EFFECT_HTTP,
                                                   .url = BYTES_LITERAL("http://ca/"),
                                                   .timeout_ms = 30000 } } };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    struct job_record job;
    struct job_effect effect;

    start(w, &row, &job);
    assert_true(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
    assert_true(bytes_is(effect.url, "http://ca/"));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(job_of_kind(w, "a", &job));
    assert_int_equal(job.due_s, NOW_S + 30 + 60);
    assert_int_equal(job.attempts, 1);
    assert_true(bytes_is(job.state, "asked"));
}

static void each_effect_that_leaves_is_due_again(void **state)
{
    static const struct {
        enum job_effect_kind kind;
        bool leaves;
    } rows[] = { { JOB_EFFECT_HTTP, true }, { JOB_EFFECT_DNS, true },   { JOB_EFFECT_PROBE, true },
                 { JOB_EFFECT_FILE, true }, { JOB_EFFECT_WAIT, false }, { JOB_EFFECT_DONE, false },
                 { JOB_EFFECT_NONE, false } };
    struct world *w = *state;
    struct script script = { 0 };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    struct job_record job;
    struct job_effect effect;

    start(w, &row, &job);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        script.step = (struct job_step){ .effect = { .kind = rows[i].kind, .timeout_ms = 5000 } };
        assert_int_equal(job_effect_leaves(&script.step.effect), rows[i].leaves);
        if (!rows[i].leaves)
            continue;
        assert_true(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
        assert_int_equal(apply_turn(w), APPLY_DONE);
        assert_true(job_of_kind(w, "a", &job));
        assert_int_equal(job.due_s, NOW_S + 5 + 60);
        begin_turn(w, NOW_S);
    }
}

static void before_a_file_is_written_its_state_is_saved_and_due_again(void **state)
{
    struct world *w = *state;
    struct script script = { .step = { .state = BYTES_LITERAL("writing"),
                                       .effect = { .kind = JOB_EFFECT_FILE,
                                                   .path = "/tmp/x",
                                                   .content = BYTES_LITERAL("new"),
                                                   .reload = true } } };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script };
    struct job_record job = { .kind = BYTES_LITERAL("a"), .due_s = NOW_S };
    struct job_effect effect;

    assert_true(job_id_of_kind("a", &job.id));
    assert_true(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
    assert_string_equal(effect.path, "/tmp/x");
    assert_true(bytes_is(effect.content, "new"));
    assert_true(effect.reload);
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(job_of_kind(w, "a", &job));
    assert_int_equal(job.due_s, NOW_S + 60);
    assert_true(bytes_is(job.state, "writing"));
}

static void an_event_reaches_the_handler(void **state)
{
    struct world *w = *state;
    struct script script = { .step = { .effect = { .kind = JOB_EFFECT_WAIT } },
                             .seen = { .kind = JOB_EVENT_HTTP } };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    const struct job_event answer = { .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200 };
    struct job_record job;
    struct job_effect effect;

    start(w, &row, &job);
    assert_true(job_run(&w->turn, &row, 1, &job, &answer, &effect, &w->err));
}

static void an_effect_that_was_not_set_is_an_error(void **state)
{
    struct world *w = *state;
    struct script script = { 0 };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    struct job_effect effect = { .kind = JOB_EFFECT_DONE };
    struct job_record job;

    start(w, &row, &job);
    assert_false(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
    assert_int_equal(w->err.code, ERROR_INTERNAL);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE); /* untouched */
}

static void an_unknown_kind_is_unsupported(void **state)
{
    struct world *w = *state;
    const struct job_handler row = { .kind = "a", .run = run_script };
    const struct job_record job = { .kind = BYTES_LITERAL("b") };
    struct job_effect effect;

    assert_false(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
    assert_int_equal(w->err.code, ERROR_UNSUPPORTED);
    assert_int_equal(w->turn.changes.count, 0);
}

static void a_failed_step_is_tried_again_with_growing_pauses(void **state)
{
    struct world *w = *state;
    struct script script = { .fails = true };
    const struct job_handler row = { .kind = "a", .run = run_script, .service = &script, .standing = true };
    struct job_record job;
    struct job_effect effect;

    start(w, &row, &job);
    for (uint32_t n = 0; n < 12; n++) {
        begin_turn(w, NOW_S);
        assert_false(job_run(&w->turn, &row, 1, &job, &due, &effect, &w->err));
        begin_turn(w, NOW_S);
        job_failed(&w->turn.changes, &job, NOW_S);
        assert_int_equal(apply_turn(w), APPLY_DONE);
        assert_true(job_of_kind(w, "a", &job));
        assert_int_equal(job.attempts, n + 1);
        assert_int_equal(job.due_s, NOW_S + (n < 9 ? 1 << n : 300));
    }
}

static void pauses_grow_from_a_second_to_five_minutes(void **state)
{
    (void)state;
    assert_int_equal(job_backoff_s(0), 1);
    assert_int_equal(job_backoff_s(1), 2);
    assert_int_equal(job_backoff_s(8), 256);
    assert_int_equal(job_backoff_s(9), 300);
    assert_int_equal(job_backoff_s(UINT32_MAX), 300);
}

static void each_kind_has_an_id_of_its_own(void **state)
{
    struct job_id a, again, b;

    (void)state;
    assert_true(job_id_of_kind("a", &a) && job_id_of_kind("a", &again) && job_id_of_kind("b", &b));
    assert_memory_equal(a.bytes, again.bytes, sizeof(a.bytes));
    assert_memory_not_equal(a.bytes, b.bytes, sizeof(a.bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(standing_jobs_are_made_once),
        jobs_test(waiting_saves_state_and_time),
        jobs_test(a_time_in_the_past_means_at_once),
        jobs_test(a_job_that_is_over_is_deleted),
        jobs_test(before_a_request_leaves_its_state_is_saved_and_due_again),
        jobs_test(each_effect_that_leaves_is_due_again),
        jobs_test(before_a_file_is_written_its_state_is_saved_and_due_again),
        jobs_test(an_event_reaches_the_handler),
        jobs_test(an_effect_that_was_not_set_is_an_error),
        jobs_test(an_unknown_kind_is_unsupported),
        jobs_test(a_failed_step_is_tried_again_with_growing_pauses),
        cmocka_unit_test(pauses_grow_from_a_second_to_five_minutes),
        cmocka_unit_test(each_kind_has_an_id_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
