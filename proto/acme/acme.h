/* acme.h: ACME (RFC 8555; RFC 8737, 8738, 8739, 9444, 9773), the server: accounts that are bound to
 * registrations, orders, authorizations, challenges, issuance through enroll(), revocation, renewal
 * information. Parts: nonce.h (anti-replay), problem.h (reasons to problem documents), resource.h (URLs),
 * identifier.h, validate.h (the job that looks whether a challenge is met). Handlers are functions: request
 * in, response and changes out; the one thing that they share is the memory of used nonces.
 *
 * Paths are "/acme/<procedure>/<resource>", links are made from the listener's base URL alone (ACME-5). */
#ifndef MUSTER_ACME_H
#define MUSTER_ACME_H

#include "enroll/enroll.h"
#include "jobs/job.h"
#include "lib/http/message.h"

struct acme_nonces; /* the key of this start and which nonces were used: bounded, shared by threads */

struct acme_service {
    const struct enroll_service *enroll;
    struct acme_nonces *nonces;
    uint32_t nonce_valid_s;
};

enum { ACME_NONCE_VALID_S = 3600, ACME_NONCES_MAX = 64 * 1024 }; /* defaults */

/* Remembers about `max` uses. When more are in flight, the nonces of the oldest count as stale; none is ever
 * taken twice. Made once at start, with the key that authenticates nonces: those of an earlier start are bad
 * (ACME-30); a reload goes on with the same. */
MUST_USE bool acme_nonces_new(size_t max, const struct random_source *random, struct acme_nonces **out,
                              struct error *err);
void acme_nonces_free(struct acme_nonces *nonces); /* accepts NULL */

/* What the log calls the operation that `resource` asks for, as static text; NULL when it is none. */
const char *acme_operation_name(struct bytes resource);

/* `resource` is what follows "/acme/<procedure>/": "directory", "new-order", "order/<id>/finalize". The
 * directory, plain HTTP, wrong methods and unknown resources: what needs no secret and no write. True when
 * *response is the answer; false: acme_serve must be called, on a worker. */
bool acme_serve_public(const struct acme_service *service, const struct procedure *procedure,
                       struct bytes resource, const struct http_request *request,
                       struct http_response *response);

/* All else. Always answers; an error of ours is serverInternal, and false with its text for the log. May be
 * called again for the same request (another turn). */
MUST_USE bool acme_serve(struct turn *turn, const struct acme_service *service,
                         const struct procedure *procedure, struct bytes resource,
                         const struct http_request *request, struct http_response *response,
                         struct error *err);

/* What is answered instead when neither can answer now: a problem document, and a fresh nonce where `turn`
 * has clock and randomness. Leaves *response as it is when memory runs out. */
void acme_serve_later(const struct turn *turn, const struct acme_service *service,
                      const struct procedure *procedure, struct bytes resource,
                      const struct http_request *request, const struct http_later *later,
                      struct http_response *response);

/* struct job_handler.run of kind ACME_VALIDATE_JOB: one for each challenge that a client says is met. Its
 * service is the struct acme_service. */
#define ACME_VALIDATE_JOB "acme-validate"
bool acme_validate_run(struct turn *turn, const void *service, const struct job_record *job,
                       const struct job_event *event, struct job_step *out, struct error *err);

/* The same of kind ACME_STAR_JOB: one for each order of STAR that has its first certificate. It makes the
 * ones that follow, each by half of the lifetime of the one before, and judges the account anew each time. */
#define ACME_STAR_JOB "acme-star"
bool acme_star_run(struct turn *turn, const void *service, const struct job_record *job,
                   const struct job_event *event, struct job_step *out, struct error *err);

/* The same of kind ACME_CAA_JOB: one for each order whose names are to be looked up in CAA before its
 * certificate is issued. */
#define ACME_CAA_JOB "acme-caa"
bool acme_caa_run(struct turn *turn, const void *service, const struct job_record *job,
                  const struct job_event *event, struct job_step *out, struct error *err);

#endif
