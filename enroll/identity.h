/* identity.h: who a request says it is: FQDN, IP addresses and serial number, from the sources and in the
 * order of conformance CSR-66 to CSR-80. Pure. */
#ifndef MUSTER_ENROLL_IDENTITY_H
#define MUSTER_ENROLL_IDENTITY_H

#include "model/enrollment.h"
#include "model/refusal.h"

enum { IDENTITY_SERIALS_MAX = 8 };

enum serial_origin {
    SERIAL_NONE = 0,
    SERIAL_OF_SUBJECT,      /* subject serialNumber */
    SERIAL_OF_HARDWARE,     /* HardwareModuleName, RFC 4108 5 */
    SERIAL_OF_PERMANENT_ID, /* permanentIdentifier, RFC 4043 2 */
};

/* One place where a serial number stands. A registered one is compared with each by serial_agrees(). */
struct serial_source {
    enum serial_origin origin;
    bool certified; /* in the certificate shown as credential, or attested to the ACME account: not in the
                       request */
    struct bytes
        plain; /* folded (SUBJECT); octets as folded text or in hexadecimal (HARDWARE); value as it is */
    struct bytes typed; /* "1.2.3:..." with hwType or assigner before it, the octets in hexadecimal; none */
};

struct identity {
    struct dns_name fqdn;
    bool fqdn_implied; /* nobody asked for it: that under the first wildcard, or none beside addresses (ACME)
                        */
    struct dns_name *other; /* further DNS names asked for, in request order, each once */
    size_t other_count;
    struct fqdn_pattern
        *wildcard; /* names with a '*' that were asked for: names here, never patterns (CSR-61) */
    size_t wildcard_count;
    struct ip_address *ip; /* asked for: SAN, and a CN that is an address */
    size_t ip_count;
    struct ip_address *held_ip; /* in the certificate shown */
    size_t held_ip_count;
    struct ip_address unstructured_ip, peer; /* none when absent or not counted */
    struct serial_source serial[IDENTITY_SERIALS_MAX];
    size_t serial_count;
    struct digest256 key; /* SHA-256 over the SPKI asked for */
};

/* `held` is the certificate shown as credential, or NULL: IP and serial number are taken from it too, and
 * with e->renewal the FQDN, which must then be the same in both (CSR-80). Returns false with the refusal:
 * REFUSAL_NAME, REFUSAL_NO_FQDN, REFUSAL_NAME_POLICY (a wildcard and no other name), REFUSAL_SYNTAX,
 * REFUSAL_RENEW_MISMATCH; REFUSAL_INTERNAL: out of memory. */
MUST_USE bool identity_of(const struct enrollment *e, const struct certificate *held, struct arena *arena,
                          struct identity *out, enum refusal *why, const char **detail);

/* The serial number as an officer gave it is that of this source. Without case and outer blanks, inner ones
 * collapsed (CSR-78); a permanentIdentifier by code points (CSR-76). Registered as "oid:hex" (or "oid:value")
 * it names the pair; registered plain, the type is not looked at (CSR-75). */
bool serial_agrees(const struct serial_source *source, struct bytes registered);

#endif
