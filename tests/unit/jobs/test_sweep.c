/* Sweeping: what is over goes, what is not stays. */
#include "tests/unit/jobs/jobs_world.h"

static void put_state(struct world *w, unsigned number, int64_t expires_s)
{
    struct state_key key = { .procedure = BYTES_LITERAL("p"),
                             .kind = "txn",
                             .id = bytes_of(&number, sizeof(number)) };

    change_state_put(&w->turn.changes, &key,
                     &(struct state_value){ .blob = BYTES_LITERAL("x"), .expires_s = expires_s }, 0);
}

static bool count_one(const struct state_key *key, const struct state_value *value, void *context)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

static size_t states(struct world *w)
{
    size_t count = 0;

    assert_true(registry_view_renew(w->view, &w->err));
    assert_true(registry_state_each(w->view, BYTES_LITERAL("p"), "txn", count_one, &count, &w->err));
    return count;
}

static int64_t sweep(struct world *w, int64_t now_s)
{
    struct job_record job = { .kind = BYTES_LITERAL("sweep") };
    const struct job_event due = { .kind = JOB_EVENT_DUE };
    struct job_step step = { 0 };

    begin_turn(w, now_s);
    assert_true(job_sweep_run(&w->turn, NULL, &job, &due, &step, &w->err));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_int_equal(step.effect.kind, JOB_EFFECT_WAIT);
    return step.effect.until_s;
}

static void what_is_over_goes_and_the_rest_stays(void **state)
{
    struct world *w = *state;

    put_state(w, 1, NOW_S + 10);
    put_state(w, 2, NOW_S + 20);
    put_state(w, 3, 0); /* never over */
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_int_equal(sweep(w, NOW_S), NOW_S + 60);
    assert_int_equal(states(w), 3);
    (void)sweep(w, NOW_S + 15);
    assert_int_equal(states(w), 2);
    (void)sweep(w, NOW_S + 1000);
    assert_int_equal(states(w), 1);
}

static void much_goes_in_pieces_one_at_once_after_the_other(void **state)
{
    struct world *w = *state;
    unsigned turns = 0;

    for (unsigned i = 0; i < 600; i++)
        put_state(w, i, NOW_S + 1);
    assert_int_equal(apply_turn(w), APPLY_DONE);
    while (sweep(w, NOW_S + 5) == NOW_S + 5) {
        turns++;
        assert_int_equal(states(w), 600 - 256 * turns);
    }
    assert_int_equal(turns, 2);
    assert_int_equal(states(w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(what_is_over_goes_and_the_rest_stays),
        jobs_test(much_goes_in_pieces_one_at_once_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
