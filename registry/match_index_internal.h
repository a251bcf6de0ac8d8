/* match_index_internal.h: which patterns match a name, in microseconds at any number of patterns.
 *
 * A '*' stays inside its label, so a pattern has a depth (number of labels) and a set of wildcard labels. All
 * other labels are literal and known from the name that is looked up. Of a wildcard label one literal run is
 * the anchor: what stands before its first '*' (prefix), behind its last (suffix, kept reversed), or the
 * beginning of a run between two (inner, cut to a class of lengths). TABLE_WILD holds under
 *     domain | depth | wildcard labels | kind, label, class | literal labels from the right | anchor
 * a bucket of the patterns that share all this. TABLE_PLAN holds the distinct beginnings (up to the class) in
 * use: a probe each. A look-up runs the probes of its depth; a prefix probe walks down the stored prefixes of
 * the label by going to the predecessor and shortening to what they share, so that the number of patterns
 * does not matter. Every pattern of a bucket is then compared for real.
 *
 * Bounded when patterns are added: MATCH_BUCKET_MAX patterns in a bucket (the pattern's other anchors are
 * tried before it is refused) and probes of MATCH_STEPS_MAX steps a depth: 192 ends, or a dozen lengths
 * of runs between stars, which are looked for at every position of a label. Bounded when names are looked up:
 * MATCH_BUDGET comparisons, then ERROR_BUDGET. Exact names are not in here: TABLE_REGISTRATION finds them. */
#ifndef MUSTER_REGISTRY_MATCH_INDEX_INTERNAL_H
#define MUSTER_REGISTRY_MATCH_INDEX_INTERNAL_H

#include "registry/storage_internal.h"

enum { MATCH_BUCKET_MAX = 64, MATCH_STEPS_MAX = 768, MATCH_BUDGET = 256 };

/* Adds a pattern with a '*' that is not there yet. ERROR_LIMIT: its buckets or the probes are full; nothing
 * was written. */
MUST_USE bool match_index_add(struct txn *txn, struct domain_id domain, const struct fqdn_pattern *pattern,
                              struct error *err);

/* Takes it out again; a pattern that is not there is no error. */
MUST_USE bool match_index_remove(struct txn *txn, struct domain_id domain, const struct fqdn_pattern *pattern,
                                 struct error *err);

/* The patterns that match, most specific first; at most MATCH_BUDGET + 1 pointers go to `out` (patterns in
 * the arena). ERROR_BUDGET past MATCH_BUDGET comparisons. */
MUST_USE bool match_index_find(struct txn *txn, struct domain_id domain, const struct dns_name *name,
                               struct arena *arena, struct fqdn_pattern *out[MATCH_BUDGET + 1], size_t *count,
                               struct error *err);

/* Every pattern with a '*' of one depth (number of labels), in the order of the index; `each` returns false
 * to stop. */
typedef bool match_index_each_fn(const struct fqdn_pattern *pattern, void *context);
MUST_USE bool match_index_each(struct txn *txn, struct domain_id domain, unsigned depth,
                               match_index_each_fn *each, void *context, struct error *err);

/* The key of the bucket that is tried first: an order in which bulk additions touch few pages. */
void match_index_key(struct domain_id domain, const struct fqdn_pattern *pattern, struct key *out);

#endif
