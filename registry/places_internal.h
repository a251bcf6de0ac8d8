/* places_internal.h: places as rows of TABLE_STATE, for the writer and for views alike. */
#ifndef MUSTER_REGISTRY_PLACES_INTERNAL_H
#define MUSTER_REGISTRY_PLACES_INTERNAL_H

#include "registry/places.h"
#include "registry/state_rows_internal.h"

/* The key of a member's place; it begins with the holder's. Too long together: ERROR_INTERNAL. */
MUST_USE bool place_key_of(const struct state_key *holder, struct bytes member, struct key *out,
                           struct error *err);

/* The holder's key, out of that of a place. */
struct bytes place_holder_key(struct bytes place_key, const struct state_row *place);

/* How many places there are, over or not: the content of the holder's row. */
uint64_t places_count(const struct state_row *holder);

/* Of the places behind `from`, the holder's key or that of a place: the first whose time is over. */
MUST_USE bool places_next_over(struct txn *txn, const struct key *holder, const struct key *from,
                               int64_t now_s, bool *found, struct key *out, struct error *err);

/* No room, though all that are over give way. */
MUST_USE bool places_are_full(struct txn *txn, const struct key *holder, uint32_t max, int64_t now_s,
                              bool *full, struct error *err);

#endif
