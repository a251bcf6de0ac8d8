/* account_internal.h: accounts as resources, and what other resources ask of them. */
#ifndef MUSTER_ACME_ACCOUNT_INTERNAL_H
#define MUSTER_ACME_ACCOUNT_INTERNAL_H

#include "enroll/account.h"
#include "proto/acme/call_internal.h"

/* An external account binding of the payload (RFC 8555 7.3.4). ON: *account is bound by it; the changes that
 * go with it are made. */
enum acme_progress acme_bind(struct acme_call *c, const json_t *binding, struct acme_account *account,
                             struct error *err);

/* The account that has this key. */
MUST_USE bool acme_account_of_key(struct acme_call *c, struct bytes spki, bool *found,
                                  struct acme_account *out, struct error *err);
/* Its key is taken from now on, as long as the account is kept. */
MUST_USE bool acme_key_put(struct acme_call *c, const struct acme_account *account, struct error *err);

/* ON: the resource names the account that asks. */
enum acme_progress acme_is_own_account(struct acme_call *c, struct error *err);

/* One that is used is not forgotten. */
MUST_USE bool acme_account_touch(struct acme_call *c, struct error *err);

/* As enroll() sees it; what it has proved is the caller's to add. */
struct credential acme_credential(const struct acme_account *account);

/* The terms are those that the account agreed to, or none are. */
bool acme_terms_agreed(const struct acme_call *c, struct bytes agreed);
enum acme_progress acme_refuse_terms(struct acme_call *c, struct error *err);

/* An entry of the audit: what became of the account. `text` may be none. */
MUST_USE bool acme_audit_account(struct acme_call *c, const struct acme_account *account, const char *act,
                                 struct bytes text, struct error *err);

#endif
