/* summary.h: what a load came to: every answer judged, then counts, latencies and the course of time. */
#ifndef MUSTER_BENCH_SUMMARY_H
#define MUSTER_BENCH_SUMMARY_H

#include "bench/histogram.h"
#include "bench/load.h"
#include "bench/options.h"

enum { SUMMARY_FAULTS_MAX = 24, SUMMARY_STEPS_MAX = 240 };

struct summary_work {
    const char *name;
    size_t good, bad;          /* measured; good: verified */
    struct histogram *latency; /* microseconds, of the good ones */
    size_t connections, resumed, requests;
    double floor_us; /* of an exchange; 0: not measured */
};

struct summary_fault { /* one kind of failure */
    char what[LOAD_WHY_MAX + 64];
    size_t count;
};

struct summary_step { /* of time */
    size_t good, bad; /* that ended in it */
    double p50_ms, p99_ms;
};

struct summary {
    struct summary_work all, work[LOAD_WORKS_MAX];
    size_t work_count;
    struct summary_fault fault[SUMMARY_FAULTS_MAX]; /* the most frequent first; warm-up included */
    size_t fault_count;
    struct summary_step step[SUMMARY_STEPS_MAX]; /* of the whole run, warm-up included */
    size_t step_count;
    double step_s;
    double seconds, per_second; /* the interval, and good ones in it */
    double cpu_us, own_cpu_us;  /* of a good one: at the target, negative: not known; of this process */
    double late_ms;             /* open loop: the longest that one was due before a client was free */
    size_t warm;                /* exchanges that ended in the warm-up */
    size_t left;                /* that were not begun, and need not be */
};

/* Judges every answer of the run. `options` says which certificates are believed and whether the floor is
 * measured; NULL: all, and no. Serial numbers must differ within a work. */
MUST_USE bool summary_make(const struct load_plan *plan, const struct load_result *result,
                           const struct load_options *options, struct summary *out, struct error *err);
void summary_free(struct summary *summary);
UNUSED static inline void auto_summary(struct summary *summary)
{
    summary_free(summary);
}

#endif
