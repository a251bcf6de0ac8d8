/* certificate_rows_internal.h: keys of certificates and of their indexes. */
#ifndef MUSTER_REGISTRY_CERTIFICATE_ROWS_INTERNAL_H
#define MUSTER_REGISTRY_CERTIFICATE_ROWS_INTERNAL_H

#include "model/certificate_record.h"
#include "registry/codec_internal.h"

enum { CERTIFICATE_SEQUENCE_LEN = 8, REVOKED_SERIAL_AT = DIGEST256_LEN + 8 };

/* Issuer, length of the serial, serial: numbers of one issuer in their order. */
void certificate_key(const struct certificate_id *id, struct key *out);
/* What the rows of one FQDN, of one key begin with; the sequence number of the certificate follows, so that
 * the last is the newest. */
MUST_USE bool certificate_fqdn_prefix(struct domain_id domain, const struct dns_name *fqdn, struct key *out,
                                      struct error *err);
void certificate_key_prefix(const struct digest256 *spki, struct key *out);
/* Issuer, end of validity, serial. */
void certificate_revoked_key(const struct digest256 *issuer, int64_t not_after_s, struct bytes serial,
                             struct key *out);
/* Value of TABLE_REVOKED: time and reason. */
void certificate_revoked_value(int64_t revoked_s, int reason, struct key *out);

#endif
