/* enroll_internal.h: one enrollment on its way through this room. */
#ifndef MUSTER_ENROLL_INTERNAL_H
#define MUSTER_ENROLL_INTERNAL_H

#include "enroll/admit.h"
#include "enroll/enroll.h"
#include "enroll/names.h"
#include "enroll/transaction_internal.h"

enum { RETRY_AFTER_DEFAULT_S = 60 };

struct ra_judgement {
    bool trusted;
    const char *detail; /* when not trusted: static text for the log */
    bool ours;          /* we issued its certificate, as `id` */
    struct certificate_id id;
    struct bytes name; /* its subject as text, for the audit */
};
/* As enroll_judge_ra(), with what else is to be known of it. */
MUST_USE bool ra_judge(struct turn *turn, const struct procedure *procedure, struct bytes der,
                       const struct bytes *chain, size_t chain_count, struct ra_judgement *out,
                       struct error *err);

struct course {
    struct turn *turn;
    const struct enroll_service *service;
    struct enrollment e; /* a copy: `renewal` is also set by a certificate of ours */
    bool protocol_says_renewal;
    const struct holder *held; /* judged before the course began; NULL */
    struct holder holder;      /* kind NONE without a certificate */
    struct digest256 holder_key;
    struct ra_judgement ra; /* zeroed without an RA */
    struct identity identity;
    struct proof proof;
    struct digest256 names_asked;   /* over subject and SAN of the request */
    struct transaction transaction; /* what is remembered under this id */
    bool repeats;                   /* it is the same request by the same signer */
    struct verdict verdict;
    struct effective_names names;
    bool additional; /* with a certificate of ours, but for other names than it has: no renewal (EST-59) */
    struct enroll_result *out;
};

/* What a step of the way ends in. */
enum progress { PROGRESS_ERROR = 0 /* ours: *err says which */, PROGRESS_ON, PROGRESS_ANSWERED };

enum progress course_refuse(struct course *c, enum refusal reason, const char *detail);
enum progress course_pending(struct course *c, bool repeated);
/* The same while an upstream CA is at work: nobody knows for how long, if wait_s is 0. */
enum progress course_ordered(struct course *c, const struct job_id *order, unsigned wait_s, bool repeated);
/* `der` lives long enough; `id` is of that certificate. */
enum progress course_issued(struct course *c, struct bytes der, const struct certificate_id *id,
                            bool repeated, struct error *err);

/* The signer began the transaction, the key and the names are those of then. */
bool course_repeats(const struct course *c);
MUST_USE bool names_digest(const struct requested *requested, struct digest256 *out);

/* No registration but the one that admits keeps `name` for itself (other_names.c). */
MUST_USE bool course_name_is_open(struct course *c, const struct dns_name *name, bool *open,
                                  struct error *err);

/* It renews the certificate shown: neither a first nor an additional one. */
static inline bool course_renews(const struct course *c)
{
    return c->holder.kind == HOLDER_OURS && !c->additional;
}

/* Steps, in their order (enroll.c). */
enum progress step_read_again(struct course *c, struct error *err);
enum progress step_complete_update(struct course *c, struct error *err);
enum progress step_recall(struct course *c, struct error *err);
enum progress step_judge_certificate(struct course *c, struct error *err);
enum progress step_judge_other_names(struct course *c, struct error *err);
enum progress step_check_transaction(struct course *c, struct error *err);
enum progress step_make_names(struct course *c, struct error *err);
enum progress step_check_renewed_names(struct course *c, struct error *err);
enum progress step_check_key(struct course *c, struct error *err);
enum progress step_wait_for_officer(struct course *c, struct error *err);
enum progress step_issue(struct course *c, struct error *err);

/* The certificate's record, the transaction, the use of a one-time registration and the audit entry. */
enum progress course_record_issued(struct course *c, const struct ca *ca, struct bytes der,
                                   struct error *err);
/* What admitted is still as it was: the certificate that was shown is good, the registration unchanged; a
 * one-time one is used now, by this one alone (CSR-105). */
void course_bind_what_admitted(struct course *c);
struct transaction_key course_key(const struct course *c);
/* Its certificate goes out: what was ordered counts from now on as any that was issued. */
MUST_USE bool course_fetched(struct course *c, struct error *err);

/* What is remembered of this enrollment from now on. */
struct transaction course_transaction(const struct course *c, enum transaction_status status);

#endif
