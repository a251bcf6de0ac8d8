/* certificates.h: reading issued certificates. */
#ifndef MUSTER_REGISTRY_CERTIFICATES_H
#define MUSTER_REGISTRY_CERTIFICATES_H

#include "registry/registry.h"

MUST_USE bool registry_certificate_by_id(struct registry_view *view, const struct certificate_id *id,
                                         struct arena *arena, bool *found, struct certificate_record *out,
                                         struct error *err);

/* Certificates of a domain for this FQDN, newest first, at most `max`. */
MUST_USE bool registry_certificates_by_fqdn(struct registry_view *view, struct domain_id domain,
                                            const struct dns_name *fqdn, size_t max, struct arena *arena,
                                            struct certificate_record *out, size_t *count, struct error *err);

/* Certificates over this key (SHA-256 of the SPKI), any domain, newest first. */
MUST_USE bool registry_certificates_by_key(struct registry_view *view, const struct digest256 *key,
                                           size_t max, struct arena *arena, struct certificate_record *out,
                                           size_t *count, struct error *err);

/* One page over all, in order of issuer and serial (serials begin with a time), after `after` (NULL: from the
 * start). */
MUST_USE bool registry_certificates_list(struct registry_view *view, const struct certificate_id *after,
                                         size_t max, struct arena *arena, struct certificate_record *out,
                                         size_t *count, struct error *err);

/* Revoked certificates of one issuer that are not over yet at `now_s` (a revoked one stays listed until it
 * expires), without their DER. `each` returns false to stop. */
struct revoked_certificate {
    struct bytes serial;
    int64_t revoked_s, not_after_s;
    int reason;
};
typedef bool revoked_each(const struct revoked_certificate *r, void *context);
MUST_USE bool registry_revoked_each(struct registry_view *view, const struct digest256 *issuer, int64_t now_s,
                                    revoked_each *each, void *context, struct error *err);

#endif
