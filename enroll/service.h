/* service.h: the gateway's own certificates (TLS, SCEP RA, CMP RA), enrolled and renewed like those of
 * devices: by an order through the connector of a CA, the embedded one or an upstream one. The key stays
 * where it is, so that keys behind names and HSMs work; the certificate that comes back is judged, recorded,
 * written into its file, and taken into use by a reload. The first certificate of a file may be made by
 * `muster init` or the operator; one that is not there is awaited, and asked for in the same way.
 *
 * A standing job looks which certificate is near its end and starts a job for it, which drives the order and
 * lives until the new certificate is in use. Each of its steps is durable before an effect leaves: after a
 * crash it asks again with the same octets, writes the same file again, or finds the new certificate loaded.
 */
#ifndef MUSTER_ENROLL_SERVICE_H
#define MUSTER_ENROLL_SERVICE_H

#include "enroll/enroll.h"
#include "jobs/job.h"

enum { SERVICE_RENEW_BEFORE_S = 30 * 86400, SERVICE_LOOK_S = 60 };

struct service_certificate {
    const char *what; /* "listener tls", "scep ra main": for log and audit */
    const char *path; /* its file, PEM: this certificate first. One file stands here once */
    const char *key_name;
    const char *ca;                 /* it is renewed from; NULL: by nobody */
    uint32_t before_s;              /* this much before its end */
    struct certificate certificate; /* awaited: not encoded and without dates; names, key and usages are what
                                       it is to have */
};

static inline bool service_is_awaited(const struct service_certificate *s)
{
    return s->certificate.encoded.len == 0;
}

/* As configured; read-only, shared. */
struct service_certificates {
    const struct enroll_service *enroll;
    const struct service_certificate *item;
    size_t count;
};

/* When its renewal begins: `before_s` before its end, and not within the first half of its life, so that a CA
 * that gives short-lived certificates is not asked again at once. INT64_MAX: nobody renews it. Of one that is
 * awaited: long ago. */
int64_t service_renewal_s(const struct service_certificate *s);

/* struct job_handler.run of two kinds; their service is the struct service_certificates. The first is
 * standing and also warns, once a day, of what nears its end without renewal. */
#define ENROLL_SERVICE_JOB "service"
bool enroll_service_job_run(struct turn *turn, const void *service, const struct job_record *job,
                            const struct job_event *event, struct job_step *out, struct error *err);
#define ENROLL_SERVICE_RENEWAL_JOB "service-renewal"
bool enroll_service_renewal_job_run(struct turn *turn, const void *service, const struct job_record *job,
                                    const struct job_event *event, struct job_step *out, struct error *err);

#endif
