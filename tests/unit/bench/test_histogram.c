#include "bench/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SAMPLES = 20000 };

/* Values of every size that there is: as many between 1 and 2 as between 2^30 and 2^31. */
static uint64_t sample(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 28) >> ((*state >> 20) % 36);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* The smallest value that a part of q does not exceed. */
static uint64_t exact_quantile(const uint64_t *sorted, size_t count, double q)
{
    size_t rank = 0;

    while (rank < count && (double)rank < q * (double)count)
        rank++;
    return sorted[rank == 0 ? 0 : rank - 1];
}

static void assert_close(uint64_t told, uint64_t exact)
{
    assert_true(told >= exact);
    assert_true(told - exact <= exact / 1024);
}

static void quantiles_are_known_to_a_part_in_1024(void **state)
{
    static const double q[] = { 0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1 };
    static uint64_t value[SAMPLES];
    AUTO_HISTOGRAM *h = histogram_new();
    double sum = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t random = seed;

        histogram_reset(h);
        sum = 0;
        for (size_t i = 0; i < SAMPLES; i++) {
            value[i] = sample(&random);
            sum += (double)value[i];
            histogram_record(h, value[i]);
        }
        qsort(value, SAMPLES, sizeof(value[0]), by_value);
        for (size_t i = 0; i < COUNT_OF(q); i++)
            assert_close(histogram_quantile(h, q[i]), exact_quantile(value, SAMPLES, q[i]));
        assert_int_equal(histogram_count(h), SAMPLES);
        assert_int_equal(histogram_min(h), value[0]);
        assert_int_equal(histogram_max(h), value[SAMPLES - 1]);
        assert_true(histogram_mean(h) == sum / SAMPLES);
    }
}

/* One value alone is what every quantile is, at both sides of each bucket's edge. */
static void every_value_of_the_range_falls_into_its_own_bucket(void **state)
{
    AUTO_HISTOGRAM *h = histogram_new();

    (void)state;
    for (unsigned bits = 0; bits < 36; bits++)
        for (int beside = -1; beside <= 1; beside++) {
            uint64_t value = ((uint64_t)1 << bits) + (uint64_t)(int64_t)beside;

            histogram_reset(h);
            histogram_record(h, value);
            histogram_record(h, HISTOGRAM_MAX);
            assert_close(histogram_quantile(h, 0.5), value);
        }
}

static void small_values_are_exact(void **state)
{
    AUTO_HISTOGRAM *h = histogram_new();

    (void)state;
    for (uint64_t value = 0; value < HISTOGRAM_EXACT; value++)
        histogram_record(h, value);
    for (uint64_t value = 0; value < HISTOGRAM_EXACT; value++)
        assert_int_equal(histogram_quantile(h, ((double)value + 1) / HISTOGRAM_EXACT), value);
}

static void merged_ones_say_what_one_would_that_had_seen_all(void **state)
{
    AUTO_HISTOGRAM *all = histogram_new();
    AUTO_HISTOGRAM *merged = histogram_new();
    AUTO_HISTOGRAM *part = histogram_new();
    uint64_t random = 7;

    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        histogram_reset(part);
        for (size_t i = 0; i < n * 500; i++) { /* the first stays empty */
            uint64_t value = sample(&random);

            histogram_record(part, value);
            histogram_record(all, value);
        }
        histogram_merge(merged, part);
    }
    assert_int_equal(histogram_count(merged), 3000);
    assert_int_equal(histogram_min(merged), histogram_min(all));
    assert_int_equal(histogram_max(merged), histogram_max(all));
    for (unsigned i = 0; i <= 1000; i++)
        assert_int_equal(histogram_quantile(merged, i / 1000.0), histogram_quantile(all, i / 1000.0));
}

static void nothing_recorded_is_nothing_and_what_is_too_large_is_the_largest(void **state)
{
    AUTO_HISTOGRAM *h = histogram_new();

    (void)state;
    assert_int_equal(histogram_count(h), 0);
    assert_int_equal(histogram_quantile(h, 0.5), 0);
    assert_int_equal(histogram_max(h), 0);
    assert_true(histogram_mean(h) == 0);
    histogram_record(h, HISTOGRAM_MAX + 5);
    histogram_record(h, UINT64_MAX);
    assert_int_equal(histogram_quantile(h, 0.5), HISTOGRAM_MAX);
    assert_true(histogram_max(h) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_known_to_a_part_in_1024),
        cmocka_unit_test(every_value_of_the_range_falls_into_its_own_bucket),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(merged_ones_say_what_one_would_that_had_seen_all),
        cmocka_unit_test(nothing_recorded_is_nothing_and_what_is_too_large_is_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
