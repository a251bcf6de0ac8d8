#include "tests/lib/test.h"

#include "gateway/parking.h"

static int set_up(void **state)
{
    struct parking *parking = NULL;

    assert_true(parking_new(2, &parking, NULL));
    *state = parking;
    return 0;
}

static int tear_down(void **state)
{
    parking_free(*state);
    return 0;
}

static struct parked a_request(uint8_t job, int64_t until_ms)
{
    return (struct parked){ .job = { .bytes = { job } }, .until_ms = until_ms };
}

static size_t length(const struct parked *list)
{
    size_t count = 0;

    for (; list != NULL; list = list->next)
        count++;
    return count;
}

static void news_of_a_job_wakes_those_who_wait_for_it(void **state)
{
    struct parked a = a_request(1, 1000), b = a_request(2, 1000);

    assert_int_equal(parking_put(*state, &a), PARKING_HELD);
    assert_int_equal(parking_put(*state, &b), PARKING_HELD);
    assert_ptr_equal(parking_news(*state, &b.job), &b);
    assert_int_equal(parking_count(*state), 1);
    assert_int_equal(length(parking_close(*state)), 1);
}

static void patience_ends(void **state)
{
    struct parked a = a_request(1, 1000), b = a_request(1, 2000);

    assert_int_equal(parking_next_ms(*state), INT64_MAX);
    assert_int_equal(parking_put(*state, &b), PARKING_HELD);
    assert_int_equal(parking_put(*state, &a), PARKING_HELD);
    assert_int_equal(parking_next_ms(*state), 1000);
    assert_null(parking_expired(*state, 999));
    assert_ptr_equal(parking_expired(*state, 1000), &a);
    assert_int_equal(parking_next_ms(*state), 2000);
    assert_ptr_equal(parking_expired(*state, 5000), &b);
}

static void news_that_came_between_looking_and_parking_is_not_missed(void **state)
{
    struct parked a = a_request(1, 1000);

    assert_null(parking_news(*state, &a.job));
    assert_int_equal(parking_put(*state, &a), PARKING_NEWS);
    assert_int_equal(parking_count(*state), 0);
}

static void places_are_bounded(void **state)
{
    struct parked a = a_request(1, 1000), b = a_request(1, 1000), c = a_request(1, 1000);

    assert_int_equal(parking_put(*state, &a), PARKING_HELD);
    assert_int_equal(parking_put(*state, &b), PARKING_HELD);
    assert_int_equal(parking_put(*state, &c), PARKING_REFUSED);
    assert_int_equal(length(parking_news(*state, &a.job)), 2);
}

static void once_closed_nobody_is_held(void **state)
{
    struct parked a = a_request(1, 1000);

    assert_null(parking_close(*state));
    assert_int_equal(parking_put(*state, &a), PARKING_REFUSED);
}

#define parking_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        parking_test(news_of_a_job_wakes_those_who_wait_for_it),
        parking_test(patience_ends),
        parking_test(news_that_came_between_looking_and_parking_is_not_missed),
        parking_test(places_are_bounded),
        parking_test(once_closed_nobody_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
