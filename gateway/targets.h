/* targets.h: what the runner's requests go to, by name (an upstream CA). Each gets so many requests at a
 * time; what is over that waits in order. Where requests are made for several (the accounts of ACME), each of
 * them has a share: so many at a time at most, and whose requests are the fewest under way comes next,
 * however many another one has waiting. One that fails again and again is left in peace for a while, then
 * tried by one request alone: the rest waits until that one was answered. The runner's thread; figures: any.
 */
#ifndef MUSTER_GATEWAY_TARGETS_H
#define MUSTER_GATEWAY_TARGETS_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "registry/records.h"

enum {
    TARGETS_MAX = 64,
    TARGET_WAITING_MAX = 4096,      /* jobs; who finds no place is due again later */
    TARGET_WAITING_SHARE_MAX = 256, /* of one share that is bounded */
    TARGET_SHARES_MAX = 256,        /* with requests under way; what is over that is not bounded */
    TARGET_FAILURES_MAX = 5,        /* one after the other; then it is left in peace */
    TARGET_PEACE_MIN_MS = 1000,
    TARGET_PEACE_MAX_MS = 60000,
};

struct targets;

MUST_USE bool targets_new(struct targets **out, struct error *err);
void targets_free(struct targets *targets); /* accepts NULL */

/* Where a request goes, and for whom. */
struct target_place {
    const char *name;
    unsigned max;       /* at a time; 0: one */
    uint64_t share;     /* for whom; who names none has one share with all that name none */
    unsigned share_max; /* of it at a time; 0: as many as there is room for */
};

/* The request of `job` may leave now, and counts as under way until target_done(). False: it has to wait; the
 * job comes out of targets_next() when its turn has come. */
MUST_USE bool target_take(struct targets *targets, const struct target_place *place, const struct job_id *job,
                          int64_t now_ms);
/* The same for one that follows from an answer of the target: its way is free. */
void target_take_next(struct targets *targets, const struct target_place *place);

enum target_outcome { TARGET_NOT_SENT = 0, TARGET_FAILED, TARGET_ANSWERED };
/* *changed: it begins or ends to be left in peace. */
void target_done(struct targets *targets, const struct target_place *place, enum target_outcome outcome,
                 int64_t now_ms, bool *changed);

/* A job that waited and may be run now. False: none. */
bool targets_next(struct targets *targets, int64_t now_ms, struct job_id *out);

/* Prometheus text. */
void targets_metrics(struct targets *targets, struct buffer *out);

#endif
