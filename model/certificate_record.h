/* certificate_record.h: what is kept about an issued certificate, for good. */
#ifndef MUSTER_MODEL_CERTIFICATE_RECORD_H
#define MUSTER_MODEL_CERTIFICATE_RECORD_H

#include "model/registration.h"

enum certificate_status { CERTIFICATE_STATUS_NONE = 0, CERTIFICATE_GOOD, CERTIFICATE_REVOKED };

enum revocation_reason { /* RFC 5280 5.3.1 */
                         REVOCATION_UNSPECIFIED = 0,
                         REVOCATION_KEY_COMPROMISE = 1,
                         REVOCATION_CA_COMPROMISE = 2,
                         REVOCATION_AFFILIATION_CHANGED = 3,
                         REVOCATION_SUPERSEDED = 4,
                         REVOCATION_CESSATION = 5,
                         REVOCATION_HOLD = 6,
                         REVOCATION_PRIVILEGE_WITHDRAWN = 9,
};
/* -1 when unknown. Names as in RFC 5280, "keyCompromise". */
int revocation_reason_from_name(struct bytes name);
const char *revocation_reason_name(int reason);

enum { SERIAL_MAX = 33 };

/* A certificate's key in the registry: who issued it (SHA-256 of the issuer's Name element) and its serial
 * magnitude. */
struct certificate_id {
    struct digest256 issuer;
    uint8_t serial_len;
    uint8_t serial[SERIAL_MAX];
};
/* `serial` is INTEGER content octets or a magnitude: leading zeros do not count. False when too long. */
MUST_USE bool certificate_id_of(struct bytes issuer_name, struct bytes serial, struct certificate_id *out);

/* The serial's octets as they were stored; false when there are too many. */
MUST_USE bool certificate_id_take_serial(struct bytes serial, struct certificate_id *out);

static inline bool certificate_id_equal(const struct certificate_id *a, const struct certificate_id *b)
{
    return digest256_equal(&a->issuer, &b->issuer) &&
           bytes_equal(bytes_of(a->serial, a->serial_len), bytes_of(b->serial, b->serial_len));
}

struct certificate_record {
    struct certificate_id id;
    enum certificate_status status;
    enum protocol protocol;
    struct bytes ca, procedure, profile;
    struct domain_id domain;
    struct dns_name fqdn;
    struct registration_id registration; /* zero: none was required */
    struct digest256 key;                /* SHA-256 over SPKI */
    struct bytes der;
    int64_t issued_s, not_before_s, not_after_s;
    int64_t revoked_s;
    int revocation_reason;
};

#endif
