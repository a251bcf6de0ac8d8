/* refusal.h: why a device does not get what it asked for. The logged reason is exact; what goes on the wire
 * is refusal_on_wire() of it, mapped by one table per protocol. Rows: conformance, refusal table of csr.md.
 * Adding a reason: a row here, a row in refusal.c, and a case in the table of every protocol, or it does not
 * build. */
#ifndef MUSTER_MODEL_REFUSAL_H
#define MUSTER_MODEL_REFUSAL_H

#include "lib/base/base.h"

enum refusal {
    REFUSAL_INTERNAL = 0, /* unset: an error of ours; never admits */
    REFUSAL_SYNTAX,
    REFUSAL_ALGORITHM,
    REFUSAL_POP,
    REFUSAL_KEY,
    REFUSAL_KEY_REUSE,
    REFUSAL_NAME,
    REFUSAL_NAME_POLICY, /* covered: see refusal_is_covered */
    REFUSAL_PROFILE,
    REFUSAL_NO_FQDN,
    REFUSAL_NO_CREDENTIAL,   /* nothing was shown that could prove anything */
    REFUSAL_NO_REGISTRATION, /* covered */
    REFUSAL_SECRET,          /* covered */
    REFUSAL_CLOSED,          /* covered */
    REFUSAL_USED,            /* covered */
    REFUSAL_EXPIRED,         /* covered; the registration's validity */
    REFUSAL_PROTOCOL,        /* covered; the registration is not good for this protocol */
    REFUSAL_IP,              /* covered */
    REFUSAL_SERIAL,          /* covered */
    REFUSAL_KEY_FINGERPRINT, /* covered */
    REFUSAL_LOCKED,          /* covered; slowed down after wrong secrets */
    REFUSAL_RENEW_MISMATCH,
    REFUSAL_RENEW_STATE, /* the certificate shown is revoked, expired, foreign, untrusted or superseded */
    REFUSAL_CONFLICT,    /* transaction id in use for something else */
    REFUSAL_DENIED,      /* an officer denied it */
    REFUSAL_CAA,
    REFUSAL_CA_UNAVAILABLE,
    REFUSAL_CA_REJECTED,
    REFUSAL_COUNT,
};

/* "no_registration": for log, metrics, audit and explain. */
const char *refusal_name(enum refusal reason);

/* What an operator can do about it, one line. */
const char *refusal_advice(enum refusal reason);

/* Marked with a dagger in the table: a device without a held credential cannot tell these apart. */
bool refusal_is_covered(enum refusal reason);

/* The reason that may be told: a covered one is REFUSAL_SECRET until a credential has held (CSR-111). */
enum refusal refusal_on_wire(enum refusal reason, bool credential_held);

#endif
