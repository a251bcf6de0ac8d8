/* revoke_internal.h: one revocation as this room writes it. */
#ifndef MUSTER_ENROLL_REVOKE_INTERNAL_H
#define MUSTER_ENROLL_REVOKE_INTERNAL_H

#include "registry/turn.h"

struct revocation {
    const struct certificate_record *record; /* good until now */
    int reason;                              /* RFC 5280 5.3.1; one that is not ours to give: unspecified */
    const char *by;                          /* who asked: "holder", "ra"; the gateway itself: "gateway" */
    const char *why;                         /* in words; NULL: nothing to add */
    struct bytes transaction;                /* of the protocol; none */
};

/* As changes of the turn, with the audit entry; what it says of the certificate stands under the names that
 * an officer's revocation has. */
MUST_USE bool revocation_put(struct turn *turn, const struct revocation *r, struct error *err);

#endif
