/* validate_internal.h: a validation on its way: the state of its job, and the judgement of what came back. */
#ifndef MUSTER_ACME_VALIDATE_INTERNAL_H
#define MUSTER_ACME_VALIDATE_INTERNAL_H

#include "jobs/job.h"
#include "lib/jose/jwk.h"
#include "proto/acme/store_internal.h"

/* How many looks are under way at a time, all procedures together; the others wait in order. */
#define ACME_TARGET "acme-validation"
enum { ACME_TARGET_MAX = 32 };
/* Of one account so many as its procedure says. */
void acme_share_target(struct job_effect *effect, const struct procedure *procedure,
                       const struct acme_id *account);

enum acme_validation_stage {
    ACME_VALIDATION_ASK = 0, /* the challenge is to be looked at */
    ACME_VALIDATION_CAA,     /* it is met; whether CAA allows issuance */
};

struct acme_validation {
    struct bytes procedure;
    struct acme_id authz;
    enum acme_challenge challenge;
    char thumbprint[JWK_THUMBPRINT_LEN + 1]; /* of the account's key when the client answered */
    struct bytes account_url;
    enum acme_validation_stage stage;
    struct dns_name climbed; /* CAA: the name that is asked about now */
    unsigned tries;
    uint32_t valid_max_s; /* once it is met: how long at most that counts; 0: as the procedure says */
};
MUST_USE bool acme_validation_encode(const struct acme_validation *v, struct arena *arena, struct bytes *out,
                                     struct error *err);
MUST_USE bool acme_validation_decode(struct bytes state, struct acme_validation *out);

/* One look at a challenge. */
struct acme_look {
    const struct procedure *procedure;
    const struct acme_validation *validation;
    const struct acme_authz *authz;
    struct arena *arena;
    int64_t now_s;
};

/* What to ask for; false: memory. */
MUST_USE bool acme_look_effect(const struct acme_look *look, struct job_effect *out);

enum acme_finding {
    ACME_FINDING_NONE = 0, /* not met; try again later */
    ACME_FINDING_FINAL,    /* not met, and trying again is of no use */
    ACME_FINDING_OURS,     /* nothing can be said */
    ACME_FINDING_MET,
};
/* What came of it; a fault says why it is not met, without a word of what the peer said (ACME-85).
 * *valid_max_s as in struct acme_validation; untouched when nothing is to be said. */
enum acme_finding acme_look_judge(const struct acme_look *look, const struct job_event *event,
                                  uint32_t *valid_max_s, struct acme_fault *fault);

/* --- dns-persist-01 (persist.c) --- */
enum acme_finding acme_persist_judge(const struct acme_look *look, const struct job_event *event,
                                     uint32_t *valid_max_s, struct acme_fault *fault);

/* --- CAA (caa.c), RFC 8659, RFC 8657 --- */
#define ACME_CAA_TEXT_SILENCE "CAA records could not be looked up"
#define ACME_CAA_TEXT_FORBIDS "a CAA record forbids issuance"

struct job_effect acme_caa_effect(const struct dns_name *name, const struct procedure *procedure,
                                  const struct acme_id *account);

enum acme_caa_finding {
    ACME_CAA_FORBIDS = 0,
    ACME_CAA_ALLOWS,
    ACME_CAA_SILENT, /* no record here: the parent is asked */
};
struct acme_caa_question {
    const char *const *identity; /* who we are */
    size_t identity_count;
    bool wildcard;
    struct bytes account_url;
    const char *method; /* "dns-01" */
};
/* Records as dns_answer has them. Pure. */
enum acme_caa_finding acme_caa_judge(const struct acme_caa_question *q, const struct dns_record *record,
                                     size_t count);

#endif
