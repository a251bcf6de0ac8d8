/* places.h: who has one of so many places, each until its time is over: the open orders of an account, say.
 * What holds them is named like protocol state, and each place is state of its own under that name (the
 * holder's id, then the member's), which is swept like the rest; a number beside them says how many there
 * are. Whoever takes or frees a place (changes.h) tells the writer, who counts: below the bound nobody
 * conflicts with anybody, at the bound the count is exact, and a crash leaves places and number as they were
 * committed.
 *
 * All holders of one kind have ids of one length; holder's and member's together are 64 octets at most. */
#ifndef MUSTER_REGISTRY_PLACES_H
#define MUSTER_REGISTRY_PLACES_H

#include "registry/registry.h"

/* Up to so many places, one that is over gives way at once; beyond, when it is swept. */
enum { PLACES_EXACT_MAX = 512 };

/* *room: there are less than `max`. Reads one record, and all places only when the number has reached `max`.
 */
MUST_USE bool registry_places_room(struct registry_view *view, const struct state_key *holder, uint32_t max,
                                   int64_t now_s, bool *room, struct error *err);

/* The members of all places behind `after` (none: from the first), in the order of their octets, those that
 * are over and not swept yet among them. `each` returns false to stop. */
typedef bool place_each(struct bytes member, int64_t expires_s, void *context);
MUST_USE bool registry_places_each(struct registry_view *view, const struct state_key *holder,
                                   struct bytes after, place_each *each, void *context, struct error *err);

#endif
