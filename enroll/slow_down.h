/* slow_down.h: after repeated wrong secrets the next tries wait. Keyed by source prefix (/24, /56) and
 * requested FQDN, unknown names too, so that a stranger can never lock a fleet out and time does not tell
 * which names exist. Never against certificates. In memory, bounded (oldest forgotten first), shared by all
 * threads. */
#ifndef MUSTER_ENROLL_SLOW_DOWN_H
#define MUSTER_ENROLL_SLOW_DOWN_H

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/ip.h"
#include "lib/dns/dns_name.h"

struct slow_down;

MUST_USE bool slow_down_new(size_t entries_max, struct slow_down **out, struct error *err);
void slow_down_free(struct slow_down *s);

/* The key of one source and name. */
MUST_USE bool slow_down_key(const struct ip_address *source, const struct dns_name *fqdn,
                            struct digest256 *out);

/* Seconds that this key still has to wait; 0: may try. After `after` strikes the pause is 1, 2, 4, ... at
 * most `max_s`. */
unsigned slow_down_wait_s(const struct slow_down *s, const struct digest256 *key, unsigned after,
                          unsigned max_s, int64_t now_s);

/* Counts a wrong secret. A strike is forgotten after an hour without another. */
void slow_down_strike(struct slow_down *s, const struct digest256 *key, int64_t now_s);

/* A credential held: its key starts anew. */
void slow_down_clear(struct slow_down *s, const struct digest256 *key);

#endif
