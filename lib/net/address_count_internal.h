/* address_count_internal.h: how many connections each client address has. Shared by all loops, locked
 * inside. An IPv6 client counts by its /64, which is what one of them is commonly given. */
#ifndef MUSTER_NET_ADDRESS_COUNT_INTERNAL_H
#define MUSTER_NET_ADDRESS_COUNT_INTERNAL_H

#include "lib/base/ip.h"

struct address_count;

struct address_count *address_count_new(unsigned per_address_max, unsigned connections_max);
void address_count_free(struct address_count *count); /* accepts NULL */

/* Counts one more. False when the address has its maximum, or out of memory; nothing is counted then. */
MUST_USE bool address_count_add(struct address_count *count, const struct ip_address *ip);
void address_count_remove(struct address_count *count, const struct ip_address *ip);

#endif
