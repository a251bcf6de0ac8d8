/* histogram.h: how often which duration came, in buckets whose width grows with the value (as HdrHistogram
 * does it), so that every quantile is known to a part in 1024 and a tail of milliseconds stands beside one of
 * minutes. Recording is an addition; histograms of several threads are merged. One thread at a time. */
#ifndef MUSTER_BENCH_HISTOGRAM_H
#define MUSTER_BENCH_HISTOGRAM_H

#include "lib/base/base.h"

/* Values below HISTOGRAM_EXACT are told apart; above, each power of two has HISTOGRAM_EXACT / 2 buckets. What
 * is above HISTOGRAM_MAX (in microseconds: 19 hours) counts as that, but for histogram_max(). */
enum { HISTOGRAM_EXACT = 2048 };
#define HISTOGRAM_MAX (((uint64_t)1 << 36) - 1)

struct histogram;

/* NULL when out of memory. */
struct histogram *histogram_new(void);
void histogram_free(struct histogram *histogram); /* accepts NULL */
UNUSED static inline void auto_histogram(struct histogram **histogram)
{
    histogram_free(*histogram);
}
#define AUTO_HISTOGRAM __attribute__((cleanup(auto_histogram))) struct histogram

void histogram_record(struct histogram *histogram, uint64_t value);

/* Adds all that `other` has. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);
void histogram_reset(struct histogram *histogram);

/* Of what was recorded; 0 when nothing was. */
uint64_t histogram_count(const struct histogram *histogram);
uint64_t histogram_min(const struct histogram *histogram); /* exact, as the next two */
uint64_t histogram_max(const struct histogram *histogram);
double histogram_mean(const struct histogram *histogram);

/* The value that a part of `q` (0 to 1) of all does not exceed: never below the exact one, and above it by a
 * part in 1024 at most. */
uint64_t histogram_quantile(const struct histogram *histogram, double q);

#endif
