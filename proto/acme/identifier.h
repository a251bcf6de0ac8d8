/* identifier.h: what an order is for (RFC 8555 9.7.7, RFC 8738): DNS names, wildcards among them, addresses,
 * and devices (permanent-identifier), each with one text for one value. Pure. */
#ifndef MUSTER_ACME_IDENTIFIER_H
#define MUSTER_ACME_IDENTIFIER_H

#include "lib/jose/json.h"
#include "model/enrollment.h"
#include "proto/acme/resource.h"

enum acme_identifier_type { /* stored */
                            ACME_IDENTIFIER_NONE = 0,
                            ACME_IDENTIFIER_DNS,
                            ACME_IDENTIFIER_IP,
                            ACME_IDENTIFIER_DEVICE
};

struct acme_identifier {
    enum acme_identifier_type type;
    bool wildcard;   /* DNS: "*." stands before the name */
    bool subdomains; /* of an authorization: it stands for the names below too (RFC 9444) */
    struct dns_name name;
    struct ip_address ip;
    struct device_id device;
};

enum acme_identifier_fault {
    ACME_IDENTIFIER_MALFORMED = 0,
    ACME_IDENTIFIER_UNSUPPORTED, /* of a type that the procedure does not take */
    ACME_IDENTIFIER_REJECTED,    /* a wildcard where none is taken */
    ACME_IDENTIFIER_OK,
};

/* {"type": ..., "value": ...} by the rules of the procedure (ACME-53 to ACME-56, ACME-96). */
enum acme_identifier_fault acme_identifier_read(const json_t *object, const struct procedure *procedure,
                                                struct acme_identifier *out);

/* The PermanentIdentifier of a SAN (DER of the otherName's value) as an identifier: a value, and no assigner,
 * for nobody has attested one. False: it is none. */
MUST_USE bool acme_identifier_of_permanent(struct bytes der, struct acme_identifier *out);

bool acme_identifier_equal(const struct acme_identifier *a, const struct acme_identifier *b);

/* "*.example.com", "192.0.2.1"; a NUL follows. */
enum { ACME_IDENTIFIER_TEXT_MAX = DNS_NAME_MAX + 3 };
void acme_identifier_format(const struct acme_identifier *id, char out[ACME_IDENTIFIER_TEXT_MAX]);

/* The object again, in an order with "*." before the name, in an authorization without. NULL: no memory. */
MUST_USE json_t *acme_identifier_json(const struct acme_identifier *id, bool in_order);

/* How it rests in state, and back. */
void acme_identifier_put(struct buffer *out, const struct acme_identifier *id);
MUST_USE bool acme_identifier_take(struct bytes stored, struct acme_identifier *out);

#endif
