#include "tests/lib/test.h"

#include "gateway/targets.h"

static int set_up(void **state)
{
    struct targets *targets = NULL;

    assert_true(targets_new(&targets, NULL));
    *state = targets;
    return 0;
}

static int tear_down(void **state)
{
    targets_free(*state);
    return 0;
}

static struct job_id job(uint8_t number)
{
    return (struct job_id){ .bytes = { number } };
}

static bool take_at(struct targets *t, uint8_t number, int64_t now_ms)
{
    struct job_id id = job(number);

    return target_take(t, "ca", 2, &id, now_ms);
}

static bool done_at(struct targets *t, enum target_outcome outcome, int64_t now_ms)
{
    bool changed;

    target_done(t, "ca", outcome, now_ms, &changed);
    return changed;
}

static int next_at(struct targets *t, int64_t now_ms)
{
    struct job_id id;

    return targets_next(t, now_ms, &id) ? id.bytes[0] : -1;
}

static void so_many_at_a_time_and_the_rest_in_order(void **state)
{
    struct targets *t = *state;

    assert_true(take_at(t, 1, 0));
    assert_true(take_at(t, 2, 0));
    assert_false(take_at(t, 3, 0));
    assert_false(take_at(t, 4, 0));
    assert_false(take_at(t, 3, 0)); /* keeps its place */
    assert_int_equal(next_at(t, 0), -1);
    assert_false(done_at(t, TARGET_ANSWERED, 0));
    assert_int_equal(next_at(t, 0), 3);
    assert_true(take_at(t, 3, 0));
    assert_int_equal(next_at(t, 0), -1);
    assert_false(done_at(t, TARGET_ANSWERED, 0));
    assert_int_equal(next_at(t, 0), 4);
}

static void who_comes_by_itself_waits_no_more(void **state)
{
    struct targets *t = *state;

    assert_true(take_at(t, 1, 0));
    assert_true(take_at(t, 2, 0));
    assert_false(take_at(t, 3, 0));
    assert_false(take_at(t, 4, 0));
    (void)done_at(t, TARGET_ANSWERED, 0);
    assert_true(take_at(t, 4, 0));
    (void)done_at(t, TARGET_ANSWERED, 0);
    assert_int_equal(next_at(t, 0), 3);
    (void)done_at(t, TARGET_ANSWERED, 0);
    assert_int_equal(next_at(t, 0), -1);
}

static void one_target_does_not_hold_up_another(void **state)
{
    struct targets *t = *state;
    struct job_id id = job(9);

    assert_true(take_at(t, 1, 0));
    assert_true(take_at(t, 2, 0));
    assert_false(take_at(t, 3, 0));
    assert_true(target_take(t, "other", 1, &id, 0));
}

static void one_that_fails_is_left_in_peace_and_then_tried_by_one_alone(void **state)
{
    struct targets *t = *state;

    for (int i = 0; i < TARGET_FAILURES_MAX; i++) {
        assert_true(take_at(t, 1, 0));
        assert_int_equal(done_at(t, TARGET_FAILED, 0), i == TARGET_FAILURES_MAX - 1);
    }
    assert_false(take_at(t, 1, TARGET_PEACE_MIN_MS - 1));
    assert_false(take_at(t, 2, TARGET_PEACE_MIN_MS - 1));
    assert_int_equal(next_at(t, TARGET_PEACE_MIN_MS - 1), -1);
    assert_int_equal(next_at(t, TARGET_PEACE_MIN_MS), 1);
    assert_true(take_at(t, 1, TARGET_PEACE_MIN_MS));
    assert_false(take_at(t, 2, TARGET_PEACE_MIN_MS)); /* alone */
    assert_false(done_at(t, TARGET_FAILED, 1000));
    assert_false(take_at(t, 2, 1000 + TARGET_PEACE_MIN_MS)); /* twice as long */
    assert_true(take_at(t, 2, 1000 + 2 * TARGET_PEACE_MIN_MS));
    assert_true(done_at(t, TARGET_ANSWERED, 5000));
    assert_true(take_at(t, 3, 5000));
    assert_true(take_at(t, 4, 5000));
}

static void what_was_never_sent_says_nothing(void **state)
{
    struct targets *t = *state;

    for (int i = 0; i < 2 * TARGET_FAILURES_MAX; i++) {
        assert_true(take_at(t, 1, 0));
        assert_false(done_at(t, TARGET_NOT_SENT, 0));
    }
}

static void the_pause_is_bounded(void **state)
{
    struct targets *t = *state;
    int64_t now_ms = 0;

    for (int i = 0; i < 100; i++) {
        assert_true(take_at(t, 1, now_ms));
        (void)done_at(t, TARGET_FAILED, now_ms);
        now_ms += TARGET_PEACE_MAX_MS;
    }
}

static void figures_name_the_target(void **state)
{
    AUTO_STRUCT(buffer) out = BUFFER(4096);

    assert_true(take_at(*state, 1, 0));
    targets_metrics(*state, &out);
    buffer_append_byte(&out, 0);
    assert_non_null(strstr((const char *)out.data, "muster_target_requests_under_way{target=\"ca\"} 1\n"));
    assert_non_null(strstr((const char *)out.data, "muster_target_answers{target=\"ca\"} 1\n"));
}

#define targets_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        targets_test(so_many_at_a_time_and_the_rest_in_order),
        targets_test(who_comes_by_itself_waits_no_more),
        targets_test(one_target_does_not_hold_up_another),
        targets_test(one_that_fails_is_left_in_peace_and_then_tried_by_one_alone),
        targets_test(what_was_never_sent_says_nothing),
        targets_test(the_pause_is_bounded),
        targets_test(figures_name_the_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
