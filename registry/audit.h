/* audit.h: the append-only Merkle log (RFC 6962 2.1 hashing), from its first entry on. */
#ifndef MUSTER_REGISTRY_AUDIT_H
#define MUSTER_REGISTRY_AUDIT_H

#include "registry/registry.h"

MUST_USE bool registry_audit_head(struct registry_view *view, struct audit_head *out, struct error *err);

/* Entries from `index` on, at most `max`; contents in `arena`. */
MUST_USE bool registry_audit_read(struct registry_view *view, uint64_t index, size_t max, struct arena *arena,
                                  struct audit_entry *out, size_t *count, struct error *err);

/* Reads every entry, recomputes every leaf and the root, and compares with the stored head and stored tree.
 * `each` (may be NULL) sees each entry on the way and returns false to stop with ERROR_FORMAT. ERROR_FORMAT:
 * something was altered; the text names the first index. */
typedef bool audit_each(const struct audit_entry *entry, void *context);
MUST_USE bool registry_audit_verify(struct registry_view *view, struct arena *arena, audit_each *each,
                                    void *context, struct audit_head *out, struct error *err);

/* The leaf hash of an entry's encoding, for verifiers. */
MUST_USE bool audit_leaf(uint64_t index, int64_t time_s, enum audit_kind kind, struct bytes content,
                         struct digest256 *out);

#endif
