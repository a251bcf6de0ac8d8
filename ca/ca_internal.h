/* ca_internal.h: what the files of this room share. */
#ifndef MUSTER_CA_INTERNAL_H
#define MUSTER_CA_INTERNAL_H

#include "ca/ca.h"

/* A template that names `ca` as issuer and points to its lists; serial, dates, subject and key are for the
 * caller. `key_id` has room for the issuer's key identifier when its certificate carries none. */
MUST_USE bool ca_template(const struct ca *ca, uint8_t key_id[20], struct certificate_template *out,
                          struct error *err);

/* An end-entity certificate as its own CA would make every device an issuer. */
bool ca_may_issue(const struct certificate *c);

/* `wanted` without what a key of this kind cannot do (RFC 3279 2.3.1, RFC 8410 5, RFC 4055 1.2). */
uint32_t ca_usable_key_usage(uint32_t wanted, enum key_kind kind);

#endif
