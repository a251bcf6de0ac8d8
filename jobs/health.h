/* health.h: can the gateway do its work: registry, CA keys, lists and certificates. Probed by a job, cached
 * by the gateway, told at /healthz. */
#ifndef MUSTER_JOBS_HEALTH_H
#define MUSTER_JOBS_HEALTH_H

#include "ca/ca.h"
#include "jobs/job.h"

enum { HEALTH_PERIOD_S = 30, HEALTH_TEXT_MAX = 128 };

/* A certificate that the gateway itself depends on. */
struct health_certificate {
    const char *what; /* "listener administration" */
    int64_t not_after_s;
    bool awaited; /* it is not there yet: not healthy */
};

struct health {
    bool ok;                    /* zeroed: not healthy */
    char what[HEALTH_TEXT_MAX]; /* the first failure; "" when all is well */
    int64_t days_left;          /* of the certificate that ends first, CAs included; negative: ended */
    char ends_first[64];        /* which one that is */
};

struct health_service {
    struct registry *registry;
    const struct ca *ca;
    size_t ca_count;
    const struct health_certificate *certificate;
    size_t certificate_count;
    /* Gets each finding of the job, on the runner's thread. */
    void (*report)(void *context, const struct health *health);
    void *context;
};

/* Never fails: what cannot be asked is a finding. Writes nothing. */
void health_probe(struct turn *turn, const struct health_service *service, struct health *out);

/* The handler: a standing job, "health". */
bool job_health_run(struct turn *turn, const void *service, const struct job_record *job,
                    const struct job_event *event, struct job_step *out, struct error *err);

#endif
