#include "bench/plot.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_near(double told, double wanted)
{
    assert_true(told > wanted * 0.9999 && told < wanted * 1.0001);
}

static void axes_and_ticks_stand_at_round_numbers(void **state)
{
    (void)state;
    assert_near(plot_step(1), 1);
    assert_near(plot_step(1.01), 2);
    assert_near(plot_step(0.3), 0.5);
    assert_near(plot_step(61), 100);
    assert_near(plot_axis(5), 5);
    assert_near(plot_axis(106), 125);
    assert_near(plot_axis(352), 400);
    assert_near(plot_axis(0.021), 0.025);
    assert_true(plot_axis(0) > 0); /* nothing is drawn over nothing */
    for (double value = 0.003; value < 1e6; value *= 1.37) {
        assert_true(plot_step(value) >= value * 0.9999 && plot_step(value) <= value * 2.51);
        assert_true(plot_axis(value) >= value * 0.9999 && plot_axis(value) <= value * 1.51);
    }
}

/* A line never leaves the picture, whatever its points are. */
static void points_above_the_axis_stay_at_its_edge(void **state)
{
    const struct plot plot = { .x_max = 10, .y_max = 100, .y_unit = "ms" };
    AUTO_STRUCT(buffer) edge = BUFFER(256);
    AUTO_STRUCT(buffer) above = BUFFER(256);

    (void)state;
    plot_point(&edge, &plot, 5, 100);
    plot_point(&above, &plot, 5, 1e9);
    assert_true(bytes_equal(buffer_bytes(&edge), buffer_bytes(&above)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_and_ticks_stand_at_round_numbers),
        cmocka_unit_test(points_above_the_axis_stay_at_its_edge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
