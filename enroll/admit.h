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
    const struct credential *second;           /* must hold too; NULL or kind NONE: none is demanded */
    bool certificate_ours, certificate_vendor; /* judged genuine for this procedure (enroll_holder) */
    const struct certificate_record *record;   /* of ours */
    bool ra_trusted;                           /* the RA may speak for devices (enroll_judge_ra) */
    const struct digest256 *certificate_key; /* SHA-256 over the SPKI of the certificate shown; NULL: none */
    const struct keys *keys;                 /* opens the candidates' secrets */
    struct arena *arena;
};

/* The first candidate (most specific first) whose state, validity, protocol, IP, serial number, key, names
 * and credential all hold; rules: DESIGN 'Matching a registration'. Under MATCH_MOST_SPECIFIC the first alone
 * decides; a Closed one blocks every broader one. When none admits, reason and credential_held are those of
 * the most specific; with CREDENTIAL_REGISTRATION of the one that it names, and of others it learns nothing:
 * REFUSAL_NO_REGISTRATION. When nothing matches, one dummy verification is still done, so that time does not
 * tell. */
struct verdict admit(const struct enrollment *e, const struct identity *identity,
                     const struct candidates *candidates, const struct proof *proof, enum match_rule rule,
                     int64_t now_s);

/* What was shown proves that the requester is the registration's device:
 *   a secret, or a digest under it: the registration's own; an empty one proves nothing. Constant time;
 *   a certificate of ours: it names the FQDN asked for, or was issued on this registration and names may
 * change at renewal; a vendor's certificate: it carries the serial number that is registered, or the key is
 * the registered one; one registration's secret, judged before: that registration; an RA that is trusted:
 * any; nothing at all: only when the registration has no secret and names the key asked for (SCEP-64). */
bool credential_holds(const struct enrollment *e, const struct identity *identity,
                      const struct registration *r, const struct proof *proof);

/* Every name and address asked for is this registration's: pattern, `dns` and `ipaddress` attributes, IP
 * (CSR-61, CSR-70, CSR-71). */
bool registration_allows_names(const struct registration *r, const struct identity *identity);
bool registration_allows_ip(const struct registration *r, const struct identity *identity);

#endif
