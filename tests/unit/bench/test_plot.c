#include "bench/plot.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void rounding_up_gives_a_round_number_that_is_not_below(void **state)
{
    static const struct {
        double value, rounded;
    } row[] = { { 1, 1 }, { 1.01, 1.5 }, { 3.2, 4 }, { 9, 10 }, { 0.021, 0.025 }, { 352, 400 }, { 0, 1 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        double rounded = plot_round_up(row[i].value);

        assert_true(rounded > row[i].rounded * 0.9999 && rounded < row[i].rounded * 1.0001);
    }
    for (double value = 0.003; value < 1e6; value *= 1.37) {
        assert_true(plot_round_up(value) >= value * 0.9999 && plot_round_up(value) <= value * 1.51);
        assert_true(plot_axis(value) >= value * 0.9999);
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
        cmocka_unit_test(rounding_up_gives_a_round_number_that_is_not_below),
        cmocka_unit_test(points_above_the_axis_stay_at_its_edge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
