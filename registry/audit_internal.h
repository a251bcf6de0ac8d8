/* audit_internal.h: appending to the audit. Complete subtrees of level 1 and up are stored; a leaf's hash is
 * in its entry. */
#ifndef MUSTER_REGISTRY_AUDIT_INTERNAL_H
#define MUSTER_REGISTRY_AUDIT_INTERNAL_H

#include "registry/codec_internal.h"

enum { AUDIT_LEVELS = 64 };

/* The right edge of the tree: peak[l] is the complete subtree of 2^l leaves that bit l of `size` stands for.
 */
struct audit_tail {
    uint64_t size;
    struct digest256 peak[AUDIT_LEVELS];
};

MUST_USE bool audit_tail_load(struct txn *txn, struct audit_tail *out, struct error *err);

/* Adds an entry; the head is written by audit_tail_store, once for many. */
MUST_USE bool audit_tail_append(struct txn *txn, struct audit_tail *tail, int64_t time_s,
                                enum audit_kind kind, struct bytes content, struct error *err);

MUST_USE bool audit_tail_store(struct txn *txn, const struct audit_tail *tail, int64_t time_s,
                               struct error *err);

/* RFC 6962 2.1: the Merkle tree hash of what the peaks cover. */
MUST_USE bool audit_tail_root(const struct audit_tail *tail, struct digest256 *out, struct error *err);

#endif
