/* confirm_internal.h: what issuance and the judgement of certificates know of confirmation. While it is
 * awaited, the new certificate and the one that it renews are marked (state of kind "unconfirmed"): neither
 * may be renewed until it is known which of them counts (CMP-60). */
#ifndef MUSTER_ENROLL_CONFIRM_INTERNAL_H
#define MUSTER_ENROLL_CONFIRM_INTERNAL_H

#include "enroll/transaction_internal.h"

/* The certificate that `t` issues must be confirmed: into `t`, which the caller puts to stay until it is
 * settled (expires_s 0), and as changes. `renews`: the one that it is to supersede; NULL: none. */
MUST_USE bool confirmation_begin(struct turn *turn, const struct transaction_key *key, struct transaction *t,
                                 const struct certificate_id *renews, struct error *err);

/* The device has it only now: its time begins anew. Into `t`, as above. */
MUST_USE bool confirmation_restart(struct turn *turn, const struct transaction_key *key,
                                   struct transaction *t, struct error *err);

/* It is not confirmed yet, or its renewal is not. */
MUST_USE bool confirmation_awaited(struct turn *turn, const struct certificate_id *id, bool *awaited,
                                   struct error *err);

/* A one-time registration that the issuance used is free again; but when it was so GIVEN_BACK_MAX times
 * within a day of each other, it stays used until an officer registers it anew. As changes of the turn. */
enum { GIVEN_BACK_MAX = 5 };
MUST_USE bool registration_give_back(struct turn *turn, const struct registration *r, struct error *err);

#endif
