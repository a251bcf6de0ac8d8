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

static const struct target_place CA = { .name = "ca", .max = 2 };

static bool take_at(struct targets *t, uint8_t number, int64_t now_ms)
{
    struct job_id id = job(number);

    return target_take(t, &CA, &id, now_ms);
}

static bool done_at(struct targets *t, enum target_outcome outcome, int64_t now_ms)
{
    bool changed;

    target_done(t, &CA, outcome, now_ms, &changed);
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
    assert_true(target_take(t, &(struct target_place){ .name = "other", .max = 1 }, &id, 0));
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

/* --- shares --- */
static struct target_place place_for(uint64_t share)
{
    return (struct target_place){ .name = "hosts", .max = 4, .share = share, .share_max = 3 };
}

static bool take_for(struct targets *t, uint64_t share, uint8_t number)
{
    const struct target_place place = place_for(share);
    struct job_id id = job(number);

    return target_take(t, &place, &id, 0);
}

static void done_for(struct targets *t, uint64_t share)
{
    const struct target_place place = place_for(share);
    bool changed;

    target_done(t, &place, TARGET_ANSWERED, 0, &changed);
}

/* The next one in turn takes the place that is free; whose it is must be what the job says. */
static int next_takes(struct targets *t, uint64_t share)
{
    int number = next_at(t, 0);

    if (number >= 0)
        assert_true(take_for(t, share, (uint8_t)number));
    return number;
}

static void nobody_takes_all_places(void **state)
{
    struct targets *t = *state;

    for (uint8_t n = 10; n < 13; n++)
        assert_true(take_for(t, 1, n));
    assert_false(take_for(t, 1, 13)); /* though there is a place */
    assert_int_equal(next_at(t, 0), -1);
    assert_true(take_for(t, 2, 20));
    done_for(t, 1);
    assert_int_equal(next_takes(t, 1), 13);
}

static void who_has_the_fewest_comes_next(void **state)
{
    struct targets *t = *state;

    for (uint8_t n = 10; n < 30; n++) /* one has twenty, and is first */
        assert_int_equal(take_for(t, 1, n), n < 13);
    assert_true(take_for(t, 2, 40));
    for (uint8_t n = 41; n < 44; n++)
        assert_false(take_for(t, 2, n));
    assert_false(take_for(t, 3, 50));
    done_for(t, 1); /* two and one are under way: the third has none */
    assert_int_equal(next_takes(t, 3), 50);
    done_for(t, 1); /* one, one, one: who has waited longest */
    assert_int_equal(next_takes(t, 1), 13);
    done_for(t, 3); /* two and one */
    assert_int_equal(next_takes(t, 2), 41);
    done_for(t, 1);
    assert_int_equal(next_takes(t, 1), 14);
    done_for(t, 2);
    assert_int_equal(next_takes(t, 2), 42);
}

/* One share's long list keeps nobody out of the queue. */
static void one_share_does_not_fill_the_queue(void **state)
{
    struct targets *t = *state;
    const struct target_place place = place_for(1);
    AUTO_STRUCT(buffer) out = BUFFER(4096);

    for (unsigned n = 0; n < 2 * TARGET_WAITING_SHARE_MAX; n++) {
        struct job_id id = { .bytes = { 0, (uint8_t)(n >> 8), (uint8_t)n } };

        assert_int_equal(target_take(t, &place, &id, 0), n < 3);
    }
    assert_true(take_for(t, 2, 20));
    assert_false(take_for(t, 2, 21));
    targets_metrics(t, &out);
    buffer_append_byte(&out, 0);
    assert_non_null(strstr((const char *)out.data, "muster_target_jobs_waiting{target=\"hosts\"} 257\n"));
    done_for(t, 1);
    assert_int_equal(next_takes(t, 2), 21);
}

/* Nor does one without a bound: the last of its places is for who has none waiting. */
static void a_full_queue_has_room_for_a_share_that_is_not_in_it(void **state)
{
    struct targets *t = *state;
    const struct target_place place = { .name = "hosts", .max = 4, .share = 1 };

    for (unsigned n = 0; n < TARGET_WAITING_MAX + 10; n++) {
        struct job_id id = { .bytes = { 0, (uint8_t)(n >> 8), (uint8_t)n } };

        assert_int_equal(target_take(t, &place, &id, 0), n < 4);
    }
    assert_false(take_for(t, 2, 20));
    done_for(t, 1);
    assert_int_equal(next_takes(t, 2), 20);
}

/* What follows from an answer leaves at once, and counts. */
static void what_follows_counts_for_its_share(void **state)
{
    struct targets *t = *state;
    const struct target_place place = place_for(1);

    assert_true(take_for(t, 1, 10));
    for (int i = 0; i < 5; i++) {
        done_for(t, 1);
        target_take_next(t, &place);
    }
    assert_true(take_for(t, 1, 11));
    assert_true(take_for(t, 1, 12));
    assert_false(take_for(t, 1, 13));
    done_for(t, 1);
    assert_int_equal(next_takes(t, 1), 13);
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
        targets_test(nobody_takes_all_places),
        targets_test(who_has_the_fewest_comes_next),
        targets_test(one_share_does_not_fill_the_queue),
        targets_test(a_full_queue_has_room_for_a_share_that_is_not_in_it),
        targets_test(what_follows_counts_for_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
