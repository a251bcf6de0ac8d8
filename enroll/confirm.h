/* confirm.h: certificates that must be confirmed (CMP certConf, RFC 9810 5.3.18). One that was issued with
 * enrollment.confirm_within_s waits in its transaction; when the device rejects it, or says nothing until the
 * deadline, it is revoked and what its issuance used up is free again. */
#ifndef MUSTER_ENROLL_CONFIRM_H
#define MUSTER_ENROLL_CONFIRM_H

#include "enroll/enroll.h"
#include "jobs/job.h"

#define ENROLL_CONFIRM_JOB "confirm"

enum confirm_outcome {
    CONFIRM_UNKNOWN = 0, /* no such transaction, or nothing to confirm */
    CONFIRM_DONE,
    CONFIRM_ALREADY, /* confirmed before */
    CONFIRM_OVER,    /* rejected, or its time is over */
};

/* The device's word on the certificate of its transaction, as changes of the turn. The caller has judged who
 * speaks. A rejection that arrives first is DONE too. */
MUST_USE bool enroll_confirm(struct turn *turn, const struct enroll_service *service,
                             const struct procedure *procedure, enum protocol protocol,
                             struct bytes transaction_id, bool accepted, enum confirm_outcome *out,
                             struct error *err);

/* struct job_handler.run of kind ENROLL_CONFIRM_JOB, due at the deadline; its service is the struct
 * enroll_service. */
bool enroll_confirm_job_run(struct turn *turn, const void *service, const struct job_record *job,
                            const struct job_event *event, struct job_step *out, struct error *err);

#endif
