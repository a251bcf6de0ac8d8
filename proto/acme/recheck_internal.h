/* recheck_internal.h: CAA records are looked at before a certificate is issued, not only when a challenge was
 * met (RFC 8659 3): what was found for a name counts for eight hours, as it does with public CAs; then, and
 * for names that needed no challenge, they are looked up again. One walk over an order's authorizations, for
 * the job of an order that is being finalized (recheck.c) and the one of auto-renewal (star_job.c). Where CAA
 * is off, nothing here reads anything. */
#ifndef MUSTER_ACME_RECHECK_INTERNAL_H
#define MUSTER_ACME_RECHECK_INTERNAL_H

#include "lib/base/record.h"
#include "proto/acme/order_internal.h"

enum { ACME_CAA_COUNTS_S = 8 * 3600 };

/* RFC 8657's name of what let a pre-authorised name in. */
#define ACME_METHOD_PREREGISTERED "ca-preregistration"

/* Where the walk is; stored with the job. */
struct acme_recheck {
    struct bytes account_url;
    size_t place;            /* among the order's authorizations */
    struct dns_name climbed; /* asked about now; of length 0: nothing is */
    unsigned tries;          /* without an answer, of this name */
};

/* Its fields take the tags from here on in the record of a job. */
enum { ACME_RECHECK_TAG = 32 };
void acme_recheck_put(const struct acme_recheck *walk, struct buffer *out);
/* A field of another tag is skipped. */
MUST_USE bool acme_recheck_take(struct record_reader *in, const struct record_field *f,
                                struct acme_recheck *out);

/* What was found of CAA allows a certificate now. */
bool acme_caa_is_fresh(const struct procedure *procedure, const struct acme_authz *authz, int64_t now_s);
/* The look of this moment: allowed, or forbidden where that is only warned of. */
void acme_caa_looked(struct acme_authz *authz, bool allowed, int64_t now_s);

enum acme_recheck_step {
    ACME_RECHECK_ERROR = 0,
    ACME_RECHECK_ASKS,       /* *effect is to leave, `walk` to be saved */
    ACME_RECHECK_UNANSWERED, /* to be tried again later; `walk` to be saved */
    ACME_RECHECK_FORBIDDEN,
    ACME_RECHECK_DONE /* nothing stands against it now */
};
/* One step; `event` is what the job woke by. What was found is written with the authorizations. */
enum acme_recheck_step acme_recheck_run(struct turn *turn, const struct procedure *procedure,
                                        const struct acme_order *order, struct acme_recheck *walk,
                                        const struct job_event *event, struct job_effect *effect,
                                        struct error *err);

/* Before an order is asked for: ON when nothing is to be looked up. *asked: enroll() was asked for it before.
 * Else the order is processing until its job has looked, and shown. */
enum acme_progress acme_await_caa(struct acme_call *c, struct acme_order *order, bool *asked,
                                  struct error *err);
/* enroll() is at it: nothing is to be looked up for this order any more. */
MUST_USE bool acme_caa_is_over(struct acme_call *c, const struct acme_order *order, struct error *err);

#endif
