/* order.h: certificates that come from an upstream CA. What admission let pass is recorded as an order before
 * anything leaves the gateway; the device is told "pending". A job drives the CA's connector, one step an
 * event, and ends the order: with a certificate that is what was ordered, or rejected. A certificate that is
 * anything else is handed out to nobody and is given back to the CA. */
#ifndef MUSTER_ENROLL_ORDER_H
#define MUSTER_ENROLL_ORDER_H

#include "enroll/enroll.h"
#include "jobs/job.h"

#define ENROLL_ORDER_JOB "order"

/* struct job_handler.run of kind ENROLL_ORDER_JOB; its service is the struct enroll_service. Its effects have
 * the CA's name as target. */
bool enroll_order_job_run(struct turn *turn, const void *service, const struct job_record *job,
                          const struct job_event *event, struct job_step *out, struct error *err);

/* struct job_handler.run of the standing kind ENROLL_REVOCATIONS_JOB, the same service: whatever is revoked
 * here, by officer, device or RA, is passed on to the upstream CA that issued it, as a job of kind
 * ENROLL_ORDER_JOB each. Nothing for CAs that cannot be asked. */
#define ENROLL_REVOCATIONS_JOB "revocations"
bool enroll_revocations_job_run(struct turn *turn, const void *service, const struct job_record *job,
                                const struct job_event *event, struct job_step *out, struct error *err);

/* Brings the job of an order forward: what it waited for here (the device's confirmation) has come. */
MUST_USE bool enroll_order_wake(struct turn *turn, const struct job_id *order, struct error *err);

#endif
