#include "bench/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static struct rounds rounds_of(const double *value, size_t count)
{
    struct rounds rounds = { 0 };

    for (size_t i = 0; i < count; i++)
        rounds_add(&rounds, value[i]);
    return rounds;
}
#define ROUNDS(...) \
    rounds_of((const double[]){ __VA_ARGS__ }, sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

static void assert_spread(struct spread spread, double low, double median, double high)
{
    assert_true(spread.low == low);
    assert_true(spread.median == median);
    assert_true(spread.high == high);
}

static void a_spread_is_the_median_and_the_quartiles_in_any_order(void **state)
{
    struct rounds odd = ROUNDS(5, 1, 4, 2, 3), even = ROUNDS(4, 1, 3, 2), one = ROUNDS(7), none = { 0 };

    (void)state;
    assert_spread(rounds_spread(&odd), 2, 3, 4);
    assert_spread(rounds_spread(&even), 1.75, 2.5, 3.25);
    assert_spread(rounds_spread(&one), 7, 7, 7);
    assert_spread(rounds_spread(&none), 0, 0, 0);
    assert_true(odd.value[0] == 5); /* the rounds keep their order */
}

static void a_ratio_is_made_round_by_round(void **state)
{
    struct rounds a = ROUNDS(10, 40, 3), b = ROUNDS(10, 20, 1), empty = ROUNDS(10, 0, 1);

    (void)state;
    assert_spread(rounds_ratio(&a, &b), 1.5, 2, 2.5);
    assert_spread(rounds_ratio(&a, &empty), 1.5, 2, 2.5); /* a round that took nothing is left out */
}

static void rounds_beyond_the_room_are_not_kept(void **state)
{
    struct rounds rounds = { 0 };

    (void)state;
    for (unsigned i = 0; i < ROUNDS_MAX + 10; i++)
        rounds_add(&rounds, i);
    assert_int_equal(rounds.count, ROUNDS_MAX);
}

static void a_process_has_memory_and_cpu_time_and_a_stranger_has_none(void **state)
{
    struct figures_memory memory = { 0 };
    volatile unsigned busy = 0;
    double begun = figures_process_s();

    (void)state;
    while (busy < 1000000)
        busy++;
    assert_true(figures_process_s() > begun);
    assert_true(figures_thread_s() > 0);
    assert_true(figures_process_of_s(getpid()) >= begun);
    assert_true(figures_memory_of(getpid(), &memory));
    assert_true(memory.proportional_kib > 0 && memory.proportional_kib <= memory.resident_kib);
    assert_true(figures_process_of_s(0) < 0);
    assert_false(figures_memory_of(0, &memory));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spread_is_the_median_and_the_quartiles_in_any_order),
        cmocka_unit_test(a_ratio_is_made_round_by_round),
        cmocka_unit_test(rounds_beyond_the_room_are_not_kept),
        cmocka_unit_test(a_process_has_memory_and_cpu_time_and_a_stranger_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
