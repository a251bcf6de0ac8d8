/* address_rules.h: where a connection may go whose host a stranger has named. Everything that is not an
 * address of the public internet is forbidden: loopback, link-local, private, shared, multicast, reserved,
 * the addresses under which clouds serve metadata, and the IPv6 forms that hide an IPv4 address (mapped,
 * NAT64) of these. Listed ranges open what a closed network needs. Zero rules forbid most. Pure; any thread.
 *
 * Of all ranges that an address is in, the longest decides, a listed one before a built-in one of the same
 * length: 10.0.0.0/8 listed opens all of it, 0.0.0.0/0 nothing, 169.254.0.0/16 not the metadata in it. What
 * is listed as forbidden is opened by a longer listed range alone, never by a built-in one: ::/0 is all of
 * IPv6. */
#ifndef MUSTER_ADDRESS_RULES_H
#define MUSTER_ADDRESS_RULES_H

#include "lib/base/arena.h"
#include "lib/base/ip.h"

struct address_rules {
    const struct ip_range *allowed, *forbidden; /* beside what is built in; forbidden ones go first */
    size_t allowed_count, forbidden_count;
};

/* A connection to this address may be made. None is never allowed. */
bool address_allowed(const struct address_rules *rules, const struct ip_address *ip);

/* A copy that lives in `arena`; false when memory ran out. */
MUST_USE bool address_rules_copy(const struct address_rules *rules, struct arena *arena,
                                 struct address_rules *out);

#endif
