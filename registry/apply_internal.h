/* apply_internal.h: one outcome against a writing transaction: first all that it assumes, then all that it
 * writes, so that what does not hold leaves no trace. */
#ifndef MUSTER_REGISTRY_APPLY_INTERNAL_H
#define MUSTER_REGISTRY_APPLY_INTERNAL_H

#include "registry/audit_internal.h"
#include "registry/changes_internal.h"

struct applying {
    struct txn txn;
    struct arena *arena; /* for what is decoded on the way */
    int64_t now_s;
    struct audit_tail audit;
    uint64_t audit_first; /* size of the audit when the transaction began */
    bool full;            /* no room: only what frees or revokes */
    bool staged;          /* an assumption failed on a row that an import has not shown yet */
};

MUST_USE bool applying_begin(struct registry *registry, int64_t now_s, struct applying *out,
                             struct error *err);
void applying_end(struct applying *applying); /* aborts when it was not committed; any number of times */
UNUSED static inline void auto_applying(struct applying *applying)
{
    applying_end(applying);
}

/* Every assumption against what is there now (earlier outcomes of the transaction included). Writes nothing.
 */
MUST_USE bool applying_check(struct applying *a, const struct changes *changes, enum apply_result *result,
                             struct error *err);

/* Writes an outcome that was checked. False: the transaction must be given up. ERROR_CONFLICT or ERROR_LIMIT
 * speak of this outcome alone (its changes contradict each other, a bucket of patterns is full); other codes
 * of the storage. */
MUST_USE bool applying_write(struct applying *a, const struct changes *changes, struct error *err);

/* Writes the audit's head and commits. */
MUST_USE bool applying_commit(struct applying *a, struct error *err);

/* Of one change, for applying_check and applying_write. */
MUST_USE bool change_check(struct applying *a, const struct change *change, bool *holds, struct error *err);
MUST_USE bool change_write(struct applying *a, const struct change *change, uint64_t act_index,
                           struct error *err);

/* Of state and places (apply_state.c). */
MUST_USE bool check_state(struct applying *a, const struct change *change, bool *holds, struct error *err);
MUST_USE bool check_place_take(struct applying *a, const struct change *change, bool *holds,
                               struct error *err);
MUST_USE bool write_state_put(struct applying *a, const struct change *change, struct error *err);
MUST_USE bool write_state_delete(struct applying *a, const struct change *change, struct error *err);
MUST_USE bool write_place_take(struct applying *a, const struct change *change, struct error *err);
MUST_USE bool write_place_free(struct applying *a, const struct change *change, struct error *err);

#endif
