/* work.h: the operations that a load can be made of: a protocol is a file and a row, an operation a row in
 * it. A command of muster-bench drives one protocol, `mix` all of them; both are a list of works with
 * weights. */
#ifndef MUSTER_BENCH_WORK_H
#define MUSTER_BENCH_WORK_H

#include "bench/options.h"

/* What is wanted of an operation. */
struct work_order {
    const struct load_options *options;
    const char *url;
    size_t count; /* exchanges */
    size_t first; /* number of the first one's name */
};

struct work_row {
    const char *operation; /* as --mix has it */
    /* Makes all that the exchanges need: keys, requests, and what must be there before, as certificates to be
     * renewed. Fills *out but for weight and count. */
    bool (*open)(const struct work_order *order, struct load_work *out, struct error *err);
};

enum { WORK_ROWS_MAX = 4 };
struct work_protocol {
    const char *name;
    const char *usage;
    struct work_row row[WORK_ROWS_MAX]; /* those with an operation; the first is what is done unasked */
};
extern const struct work_protocol work_est, work_scep, work_cmp, work_acme;

/* The key type, and how many keys there are: one at least. */
const struct key_type *work_key(const struct load_options *options, const char *default_name);
size_t work_pool(const struct work_order *order, const struct key_type *key);

/* Holds the exchanges of a work beforehand, outside any interval, and judges them: all must be as wanted. */
MUST_USE bool work_hold(const struct work_order *order, const struct load_work *work, struct error *err);

/* --- the commands --- */
int work_run(const struct work_protocol *protocol, int argc, char **argv);
int work_run_mix(int argc, char **argv);

/* A part of a mix. */
struct work_part {
    const struct work_protocol *protocol;
    const struct work_row *row;
    unsigned weight;
};
/* "enroll=70,renew=20,poll" of one protocol, or with `protocol` NULL "est:enroll=70,scep:enroll=10"; a weight
 * left out is 1. */
MUST_USE bool work_mix_parse(const char *text, const struct work_protocol *protocol,
                             struct work_part out[LOAD_WORKS_MAX], size_t *count, struct error *err);

#endif
