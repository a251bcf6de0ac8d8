/* admit.h: the decision. Pure: candidates in, verdict out. */
#ifndef MUSTER_ENROLL_ADMIT_H
#define MUSTER_ENROLL_ADMIT_H

#include "enroll/identity.h"
#include "lib/keys/keys.h"
#include "model/verdict.h"
#include "registry/registrations.h"

/* What the credential is worth, found once before the candidates are walked. */
struct proof {
    const struct credential *credential;
    const struct credential *second;
    bool certificate_ours, certificate_vendor; /* judged genuine for this procedure (enroll_holder) */
    const struct keys *keys;                   /* opens the candidates' secrets */
};

/* The first candidate (most specific first) whose state, validity, protocol, IP, serial number, names and
 * credential all hold; rules: DESIGN 'Matching a registration'. Under MATCH_MOST_SPECIFIC the first alone
 * decides; a Closed one blocks every broader one. When none admits, the reason is that of the most specific.
 * When nothing matches, one dummy verification is still done, so that time does not tell. */
struct verdict admit(const struct enrollment *e, const struct identity *identity,
                     const struct candidates *candidates, const struct proof *proof, enum match_rule rule,
                     int64_t now_s);

/* One credential against one registration. An empty secret proves nothing. Constant time in the secret. */
bool credential_holds(const struct credential *credential, const struct registration *r,
                      const struct proof *proof);

#endif
