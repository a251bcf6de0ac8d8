/* figures.h: clocks, medians, and what the kernel says of a process. Two things are compared in rounds that
 * alternate within one run: what disturbs the machine disturbs both, and the median of the rounds' ratios
 * forgets the worst of it. */
#ifndef MUSTER_BENCH_FIGURES_H
#define MUSTER_BENCH_FIGURES_H

#include <sys/types.h>

#include "lib/base/base.h"

double figures_wall_s(void);
double figures_thread_s(void);          /* CPU of this thread, user and system */
double figures_process_s(void);         /* of this process */
double figures_process_of_s(pid_t pid); /* of another one of the same user; negative: not known */

/* Resident memory of a process, and its share of it; false when the kernel does not say. */
struct figures_memory {
    double resident_kib, proportional_kib;
};
MUST_USE bool figures_memory_of(pid_t pid, struct figures_memory *out);

enum { ROUNDS_MAX = 201 };
struct rounds {
    size_t count;
    double value[ROUNDS_MAX];
};

/* Past ROUNDS_MAX nothing is added. */
void rounds_add(struct rounds *rounds, double value);

/* Median and quartiles; zeroes of no round. */
struct spread {
    double median, low, high;
};
struct spread rounds_spread(const struct rounds *rounds);

/* Of each round's `a` divided by the same round's `b`. */
struct spread rounds_ratio(const struct rounds *a, const struct rounds *b);

/* "name":{"median":1.234,"low":1.200,"high":1.300} */
void spread_print_json(const char *name, struct spread spread);

#endif
