/* writer.h: the one thread that writes. It takes what waits, applies it in one durable transaction (group
 * commit), and tells each outcome what became of it. A commit costs more than what is in it: while those who
 * submit say that more follow, it waits a moment for them; an outcome that comes alone is written at once. */
#ifndef MUSTER_GATEWAY_WRITER_H
#define MUSTER_GATEWAY_WRITER_H

#include "gateway/queue.h"
#include "registry/registry.h"

enum { WRITER_BATCH_MAX = 256, WRITER_BATCH_ENOUGH = 64, WRITER_GATHER_MS = 4 };

/* What someone wants written, and whom to tell. Owned by the submitter until `done` is called, on the
 * writer's thread. */
struct outcome {
    struct queue_item link;
    const struct changes *changes;
    bool more_follow; /* whoever submits has others in hand, and says so when nothing came of them */
    /* `err` says why, for every result but APPLY_DONE. APPLY_NONE: storage failed. */
    void (*done)(struct outcome *outcome, enum apply_result result, const struct error *err);
};

struct writer_counters {
    uint64_t commits, outcomes, conflicts, failures;
};

struct writer;

MUST_USE bool writer_start(struct registry *registry, struct writer **out, struct error *err);

/* Any thread. False: the writer is stopping; done will not be called. */
MUST_USE bool writer_submit(struct writer *writer, struct outcome *outcome);

/* Any thread. What was to follow does not: what waits for it is written now. */
void writer_hurry(struct writer *writer);

/* Waits until everything submitted before has been told its result. Not from the writer's thread. */
void writer_drain(struct writer *writer);

void writer_counters(struct writer *writer, struct writer_counters *out);

/* Applies what is in, then stops and frees. Accepts NULL. */
void writer_stop(struct writer *writer);

#endif
