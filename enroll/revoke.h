/* revoke.h: revocation that a device asks for its own certificate, or an RA for a device's (CMP rr). */
#ifndef MUSTER_ENROLL_REVOKE_H
#define MUSTER_ENROLL_REVOKE_H

#include "model/procedure.h"
#include "registry/turn.h"

enum revoke_outcome {
    REVOKE_UNKNOWN = 0, /* none such in this procedure's domain */
    REVOKE_DONE,
    REVOKE_ALREADY,
};

/* Revokes as changes of the turn, with the audit entry. `by`: who asked, "holder" or "ra"; the caller has
 * judged that he may. `reason`: RFC 5280 5.3.1. Two at once: the second conflicts, runs again and finds it
 * ALREADY. */
MUST_USE bool enroll_revoke(struct turn *turn, const struct procedure *procedure,
                            const struct certificate_id *id, int reason, const char *by,
                            enum revoke_outcome *out, struct error *err);

#endif
