/* ip.h: an IPv4 or IPv6 address as a value, and ranges of them. ::ffff:a.b.c.d becomes its 4 bytes at the
 * door (CSR-73), so that equal addresses are equal bytes. */
#ifndef MUSTER_IP_H
#define MUSTER_IP_H

#include "lib/base/bytes.h"

struct ip_address {
    uint8_t len; /* 0 (none), 4 or 16 */
    uint8_t bytes[16];
};

enum { IP_TEXT_LEN = 46 };

/* From 4 or 16 network-order bytes. False for any other length. */
MUST_USE bool ip_from_bytes(struct bytes b, struct ip_address *out);

/* Dotted or RFC 4291 text, no zone, no port. */
MUST_USE bool ip_parse(struct bytes text, struct ip_address *out);

/* RFC 5952; "" for none. */
void ip_format(const struct ip_address *ip, char out[IP_TEXT_LEN]);

bool ip_equal(const struct ip_address *a, const struct ip_address *b);

static inline struct bytes ip_bytes(const struct ip_address *ip)
{
    return bytes_of(ip->bytes, ip->len);
}

struct ip_range {
    struct ip_address base;
    uint8_t prefix; /* bits */
};

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits beyond the prefix must be zero. */
MUST_USE bool ip_range_parse(struct bytes text, struct ip_range *out);
bool ip_in_range(const struct ip_address *ip, const struct ip_range *range);

#endif
