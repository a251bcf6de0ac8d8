/* scep.h: SCEP (RFC 8894), the server. codec: message.h. Handlers are functions: request in, response and
 * changes out. */
#ifndef MUSTER_SCEP_H
#define MUSTER_SCEP_H

#include "enroll/enroll.h"
#include "lib/http/message.h"

/* A registration authority of its own for SCEP: an RSA key that signs and decrypts (SCEP-33, SCEP-54). */
struct scep_ra {
    const char *name;
    const char *key_name;
    struct certificate certificate; /* not encoded: it is awaited, and nothing is served with it yet */
};

enum { SCEP_RAS_MAX = 16 };

struct scep_service {
    const struct enroll_service *enroll;
    const struct scep_ra *ra;
    size_t ra_count;
    int64_t skew_s; /* allowed for signingTime; 0: not checked (SCEP-49) */
};

/* For the configuration's check: what is wrong with a procedure for SCEP, or NULL: no preregistration, RA
 * missing (procedure->scep_ra is the name of one of service->ra), not RSA >= 2048, its certificate not for
 * its key or without digitalSignature and keyEncipherment. A certificate that is awaited is no fault, nor
 * that its key is not made yet. */
const char *scep_procedure_fault(const struct scep_service *service, const struct procedure *procedure,
                                 const struct keys *keys);

/* The certificate of its RA is not there yet: the procedure is not to be served. */
bool scep_is_awaiting(const struct scep_service *service, const struct procedure *procedure);

/* The operation that is asked for, as RFC 8894 spells it; NULL when it is none that is known. */
const char *scep_operation_name(const struct http_request *request);

/* What needs no secret and no write: GetCACaps, GetCACert and refusals of the HTTP binding (SCEP-7, SCEP-11).
 * True when *response is the answer; false: scep_serve must be called, on a worker. */
bool scep_serve_public(const struct scep_service *service, const struct procedure *procedure,
                       const struct http_request *request, struct http_response *response);

/* PKIOperation (RFC 8894 4.1, 4.3). Always answers; an error of ours is HTTP 500 without CMS, and false with
 * its text for the log. */
MUST_USE bool scep_serve(struct turn *turn, const struct scep_service *service,
                         const struct procedure *procedure, const struct http_request *request,
                         struct http_response *response, struct error *err);

#endif
