#include "bench/floor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static void every_primitive_costs_something_and_nothing_costs_nothing(void **state)
{
    const struct floor none = { 0 };

    (void)state;
    assert_true(floor_us(&none, 0) == 0);
    for (size_t i = PRIMITIVE_NONE + 1; i < PRIMITIVE_COUNT; i++) {
        struct floor one = { 0 };

        one.times[i] = 1;
        assert_true(floor_us(&one, 0) > 0);
    }
}

/* A primitive is timed once in a run, so sums hold to the last digit but for rounding. */
static void costs_add_up(void **state)
{
    struct floor a = { 0 }, b = { 0 }, sum = { 0 };
    double apart, together;

    (void)state;
    a.times[SIGN_P256] = 2;
    b.times[VERIFY_P256] = 1;
    b.times[SIGN_P256] = 1;
    floor_add(&sum, &a, 1);
    floor_add(&sum, &b, 3);
    apart = floor_us(&a, getpid()) + 3 * floor_us(&b, getpid());
    together = floor_us(&sum, getpid());
    assert_true(together > apart * 0.999999 && together < apart * 1.000001);
    assert_true(sum.times[SIGN_P256] == 5 && sum.times[VERIFY_P256] == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_primitive_costs_something_and_nothing_costs_nothing),
        cmocka_unit_test(costs_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
