#include "bench/histogram.h"

#include <stdlib.h>
#include <string.h>

enum {
    EXACT_BITS = 11, /* of HISTOGRAM_EXACT */
    MAX_BITS = 36,   /* of HISTOGRAM_MAX */
    OCTAVE = HISTOGRAM_EXACT / 2,
    BUCKETS = HISTOGRAM_EXACT + (MAX_BITS - EXACT_BITS) * OCTAVE
};
_Static_assert(HISTOGRAM_EXACT == 1 << EXACT_BITS, "a power of two");

struct histogram {
    uint64_t count, min, max;
    double sum;
    uint64_t bucket[BUCKETS];
};

/* Values of one octave above the exact ones share all but their EXACT_BITS highest bits. */
static size_t bucket_of(uint64_t value)
{
    unsigned width; /* log2 of the bucket's */

    if (value < HISTOGRAM_EXACT)
        return (size_t)value;
    if (value > HISTOGRAM_MAX)
        value = HISTOGRAM_MAX;
    width = 64u - (unsigned)__builtin_clzll(value) - EXACT_BITS;
    return HISTOGRAM_EXACT + (width - 1) * OCTAVE + (size_t)((value >> width) - OCTAVE);
}

static uint64_t highest_of(size_t bucket)
{
    size_t octave;

    if (bucket < HISTOGRAM_EXACT)
        return bucket;
    octave = (bucket - HISTOGRAM_EXACT) / OCTAVE;
    return (((uint64_t)((bucket - HISTOGRAM_EXACT) % OCTAVE) + OCTAVE + 1) << (octave + 1)) - 1;
}

struct histogram *histogram_new(void)
{
    return calloc(1, sizeof(struct histogram));
}

void histogram_free(struct histogram *histogram)
{
    free(histogram);
}

void histogram_reset(struct histogram *histogram)
{
    memset(histogram, 0, sizeof(*histogram));
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->sum += (double)value;
    histogram->bucket[bucket_of(value)]++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    if (other->count == 0)
        return;
    if (histogram->count == 0 || other->min < histogram->min)
        histogram->min = other->min;
    if (other->max > histogram->max)
        histogram->max = other->max;
    histogram->count += other->count;
    histogram->sum += other->sum;
    for (size_t i = 0; i < BUCKETS; i++)
        histogram->bucket[i] += other->bucket[i];
}

uint64_t histogram_count(const struct histogram *histogram)
{
    return histogram->count;
}

uint64_t histogram_min(const struct histogram *histogram)
{
    return histogram->min;
}

uint64_t histogram_max(const struct histogram *histogram)
{
    return histogram->max;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->sum / (double)histogram->count;
}

uint64_t histogram_quantile(const struct histogram *histogram, double q)
{
    double wanted = q * (double)histogram->count;
    uint64_t below = 0;

    if (q >= 1)
        return histogram->max;
    for (size_t i = 0; i < BUCKETS; i++) {
        below += histogram->bucket[i];
        if (below > 0 && (double)below >= wanted)
            return highest_of(i) < histogram->max ? highest_of(i) : histogram->max;
    }
    return histogram->max;
}
