/* identity.h: who a request says it is: FQDN, IP addresses and serial number, from the sources and in the
 * order of conformance CSR-66 to CSR-80. Pure. */
#ifndef MUSTER_ENROLL_IDENTITY_H
#define MUSTER_ENROLL_IDENTITY_H

#include "model/enrollment.h"
#include "model/refusal.h"

enum { IDENTITY_NAMES_MAX = GENERAL_NAMES_MAX + 1, IDENTITY_SERIALS_MAX = 4 };

struct identity {
    struct dns_name fqdn;
    struct dns_name *other; /* further DNS names asked for */
    size_t other_count;
    struct ip_address *ip; /* asked for (SAN) */
    size_t ip_count;
    struct ip_address unstructured_ip, peer;   /* none when absent or not counted */
    struct bytes serial[IDENTITY_SERIALS_MAX]; /* folded forms of every source present */
    size_t serial_count;
};

/* `held` is the certificate shown as credential, or NULL. Returns false with the refusal: REFUSAL_NAME,
 * REFUSAL_NO_FQDN, REFUSAL_NAME_POLICY, REFUSAL_SYNTAX, REFUSAL_SERIAL (sources disagree),
 * REFUSAL_RENEW_MISMATCH; REFUSAL_INTERNAL: out of memory. */
MUST_USE bool identity_of(const struct enrollment *e, const struct certificate *held, struct arena *arena,
                          struct identity *out, enum refusal *why, const char **detail);

#endif
