/* used.h: a bounded memory of what was used once: nonces that are authenticated and carry their time. A
 * set-associative table: a use falls into one bucket and pushes the oldest out of it. The bucket remembers
 * how young the youngest was that it pushed out; what is as old counts as stale, so that forgetting never
 * lets a replay through: it only costs a client one more round. Shared by threads; a lock is held for a few
 * comparisons. */
#ifndef MUSTER_USED_H
#define MUSTER_USED_H

#include "lib/base/digest.h"
#include "lib/base/error.h"

struct used;

/* Remembers about `max` uses. */
MUST_USE bool used_new(size_t max, struct used **out, struct error *err);
void used_free(struct used *used); /* accepts NULL */

enum used_verdict {
    USED_STALE = 0, /* too old, or too much was used since to know */
    USED_BEFORE,
    USED_NOW, /* for the first time, or by the same owner again */
};

/* Who takes; compared only. An address may belong to another later: the number tells them apart. */
struct used_owner {
    const void *at; /* NULL: nobody may come again with it */
    uint64_t number;
};

/* Takes `key`, made at `made_s`, for `owner`. What was taken before is found whatever `in_time` says: its
 * owner may come again, a handler can take several turns. */
enum used_verdict used_take(struct used *used, const struct digest256 *key, int64_t made_s,
                            struct used_owner owner, bool in_time);

#endif
