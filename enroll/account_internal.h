/* account_internal.h: what admission knows of ACME accounts. */
#ifndef MUSTER_ENROLL_ACCOUNT_INTERNAL_H
#define MUSTER_ENROLL_ACCOUNT_INTERNAL_H

#include "enroll/account.h"
#include "enroll/admit.h"

/* Each name of the identity is among those that the account has proved. */
bool account_has_proved(const struct credential *account, const struct identity *identity);

/* The account is the registration's, and has proved the names unless the registration spares it that. */
bool account_holds(const struct credential *account, const struct identity *identity,
                   const struct registration *r);

/* It was made before accounts had to be bound here. */
bool account_lacks_binding(const struct procedure *procedure, const struct credential *account);

/* By the allowed domains of an ACME registration: a name itself and names below it, at a label boundary; a
 * pattern with '*' as it matches. A '*' that is ordered counts as a name below, or is the officer's own text.
 * An empty list allows every name. A device must be the one whose serial number is registered. An address
 * must be the registered one, or one of its attributes; any, when the list is empty. */
bool registration_allows_account_name(const struct registration *r, const struct account_name *name);

MUST_USE bool account_name_of_wildcard(const struct fqdn_pattern *wildcard, struct account_name *out);

/* The registration of that id as the only candidate; none when it is gone or of another domain. */
MUST_USE bool account_registration(struct turn *turn, const struct procedure *procedure,
                                   const struct registration_id *id, struct candidates *out,
                                   struct error *err);

#endif
