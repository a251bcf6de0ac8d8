/* order_internal.h: orders and authorizations, as the resources that deal with them share them. */
#ifndef MUSTER_ACME_ORDER_INTERNAL_H
#define MUSTER_ACME_ORDER_INTERNAL_H

#include "proto/acme/account_internal.h"

/* --- authorizations (authz.c) --- */
/* How this identifier may be proved in this procedure, as ACME_CHALLENGE_BITs: a wildcard in the DNS alone,
 * an address never there, a device by what it attests alone (ACME-56, ACME-97, ACME-103). */
uint32_t acme_challenges_for(const struct procedure *procedure, const struct acme_identifier *id);

struct account_name acme_account_name(const struct acme_identifier *id);

/* An authorization of the account for this identifier: a usable one that there is, or a new one, as changes
 * of the turn. `pre_authorised`: valid at once. */
MUST_USE bool acme_authz_for(struct acme_call *c, const struct acme_identifier *id, bool pre_authorised,
                             struct acme_authz *out, bool *made, struct error *err);

/* The one that was made last for this identifier. */
MUST_USE bool acme_authz_of_name(struct acme_call *c, const struct acme_identifier *id, bool *found,
                                 struct acme_authz *out, struct error *err);

static inline bool acme_authz_is_valid(const struct acme_authz *authz, int64_t now_s)
{
    return authz->status == ACME_AUTHZ_VALID && authz->expires_s > now_s;
}

/* Valid, by a challenge, and for long enough to serve another order. */
bool acme_authz_is_reusable(const struct acme_authz *authz, int64_t now_s);

/* It was offered with this authorization, and the procedure takes it still. */
bool acme_challenge_is_taken(const struct procedure *procedure, const struct acme_authz *authz,
                             enum acme_challenge which);

/* The challenge as an object; NULL: memory ran out. */
MUST_USE json_t *acme_challenge_json(const struct acme_call *c, const struct acme_authz *authz,
                                     enum acme_challenge which);
/* The fault of a challenge for `id`, or of an order (NULL). */
MUST_USE json_t *acme_fault_json(const struct acme_fault *fault, const struct acme_identifier *id);

/* --- device-attest-01 (attest.c): judged at once, by what the request carries --- */
enum acme_progress acme_attest(struct acme_call *c, struct acme_authz *authz, struct error *err);
/* *same: each device of the order has attested the key of this SubjectPublicKeyInfo, or it names none. */
MUST_USE bool acme_attested_key_is(struct acme_call *c, const struct acme_order *order, struct bytes spki,
                                   bool *same, struct error *err);

/* --- jobs (acme.c) --- */
/* NULL: the configuration has it no more. */
const struct procedure *acme_procedure_named(const struct acme_service *service, struct bytes name);

/* --- challenges (challenge.c) --- */
enum acme_progress acme_respond_challenge(struct acme_call *c, const struct acme_authz *authz,
                                          struct error *err);

/* --- what may be ordered (policy.c) --- */
/* ON: *pre_authorised says whether no challenge is needed for it. Else one answer names all that are refused
 * (ACME-14). */
enum acme_progress acme_judge_names(struct acme_call *c, const struct acme_identifier *id, size_t count,
                                    bool *pre_authorised, struct error *err);

/* "identifiers" of an order, each once; *ancestor: from where down each may be authorized, of length 0 when
 * nothing was said. */
enum acme_progress acme_read_identifiers(struct acme_call *c, struct acme_identifier **out,
                                         struct dns_name **ancestor, size_t *count, struct error *err);

/* --- authorizations that stand for the names below (subdomain.c, RFC 9444) --- */
bool acme_covers(const struct acme_identifier *authorized, const struct acme_identifier *id);
/* subdomainAuthAllowed of a new authorization: granted where it can be, else the name stands for itself. */
void acme_take_subdomains(const struct acme_call *c, const json_t *object, bool pre_authorised,
                          struct acme_identifier *id);
/* "ancestorDomain" of an identifier; false: it is no ancestor. */
MUST_USE bool acme_read_ancestor(const struct acme_call *c, const json_t *object,
                                 const struct acme_identifier *id, struct dns_name *out);
/* Under which identifier `id` is to be authorized: one of an ancestor that is valid already, the ancestor
 * that was asked for when the account may have it, else `id` itself. */
MUST_USE bool acme_choose_authorized(struct acme_call *c, const struct acme_identifier *id,
                                     const struct dns_name *ancestor, struct acme_identifier *out,
                                     struct error *err);

/* --- orders (order.c) --- */
/* The order that the resource names. ON: it is there and the account's own. */
enum acme_progress acme_own_order(struct acme_call *c, struct acme_order *out, struct error *err);
/* What it is now: a pending one is ready when all authorizations are valid, and invalid when one cannot
 * become so any more or its time is over. */
MUST_USE bool acme_order_judge(struct acme_call *c, struct acme_order *order, struct error *err);
enum acme_progress acme_respond_order(struct acme_call *c, int status, const struct acme_order *order,
                                      struct error *err);

/* The profile that was chosen, as it is offered now; NULL: none was, or it is not offered any more. */
static inline const struct profile *acme_order_profile(const struct acme_call *c,
                                                       const struct acme_order *order)
{
    return order->profile.len > 0 ? enroll_profile(c->procedure, order->profile) : NULL;
}

/* --- an account's orders (order_list.c) --- */
/* ON: the account may have one more open. */
enum acme_progress acme_order_room(struct acme_call *c, struct error *err);

/* --- issuance (finalize.c) --- */
/* An order that is processing: has its certificate come? Answers with the order. */
enum acme_progress acme_go_on(struct acme_call *c, struct acme_order *order, struct error *err);

/* Dates, transaction and outcome of one more certificate for a STAR order that is valid, with the CSR of
 * then, judged by the rules of now. */
MUST_USE bool acme_ask_again(struct acme_call *c, const struct acme_order *order, struct enroll_result *out,
                             struct error *err);
/* The order has this certificate now, and keeps it in mind whose it is. */
MUST_USE bool acme_take_certificate(struct acme_call *c, struct acme_order *order, struct bytes der,
                                    struct error *err);
/* What is told of a refusal, as the order's fault: it is invalid from now on. */
void acme_fail_order(struct acme_order *order, const struct enroll_result *result);

/* --- certificates (certificate.c) --- */
enum acme_progress acme_respond_certificate(struct acme_call *c, const struct acme_order *order,
                                            struct certificate_record *record, struct error *err);

/* --- auto-renewal (star.c, star_job.c, RFC 8739) --- */
static inline uint32_t acme_star_lifetime_min(const struct procedure *p)
{
    return p->acme_star_lifetime_s > 0 ? p->acme_star_lifetime_s : (uint32_t)ACME_STAR_LIFETIME_S;
}
static inline uint32_t acme_star_duration_max(const struct procedure *p)
{
    return p->acme_star_duration_s > 0 ? p->acme_star_duration_s : (uint32_t)ACME_STAR_DURATION_S;
}
/* There are certificates to come. */
static inline bool acme_star_runs(const struct acme_order *order, int64_t now_s)
{
    return order->star.is && order->status == ACME_ORDER_VALID && order->star.renew_s != 0 &&
           order->star.end_s > now_s;
}
/* The procedure wants it, and its CA is one that takes dates. */
bool acme_star_offered(const struct acme_call *c);
/* "auto-renewal" of a new order; none: ON. After its profile is chosen. */
enum acme_progress acme_star_read(struct acme_call *c, struct acme_order *order, struct error *err);
/* The same as it was granted. */
MUST_USE bool acme_put_star(const struct acme_star *star, json_t *object);
/* {"status":"canceled"} */
enum acme_progress acme_star_cancel(struct acme_call *c, struct acme_order *order, struct error *err);
/* From when to when the next certificate is valid (3.5). False: the order's end has come. */
MUST_USE bool acme_star_dates(const struct acme_call *c, const struct acme_order *order,
                              int64_t *not_before_s, int64_t *not_after_s);
/* When the next one is to be made, now that this one is there. */
void acme_star_plan(struct acme_star *star, const struct certificate *certificate, int64_t now_s);
/* The first certificate is there: the job that makes the others, and what was proved is kept in mind as long.
 */
MUST_USE bool acme_star_begin(struct acme_call *c, const struct acme_order *order, struct error *err);

/* --- renewal (renewal.c) --- */
/* The certificate of RFC 9773 4.1 ("AKI.serial") in this procedure's domain. *found false: none, or
 * malformed.
 */
MUST_USE bool acme_certificate_named(struct acme_call *c, struct bytes text, bool *found,
                                     struct certificate_record *out, struct error *err);
/* `replaces` of an order (5): whose it is, that it is not replaced yet, that a name is common. */
enum acme_progress acme_judge_replaces(struct acme_call *c, struct bytes text,
                                       const struct acme_identifier *id, size_t count, struct error *err);
/* The certificate is replaced by this order from now on. */
MUST_USE bool acme_mark_replaced(struct acme_call *c, struct bytes text, const struct acme_id *order,
                                 struct error *err);

/* --- whose a certificate is (revoke.c) --- */
MUST_USE bool acme_certificate_account(struct acme_call *c, const struct certificate_id *id, bool *found,
                                       struct acme_id *account, struct error *err);

#endif
