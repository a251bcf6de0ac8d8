/* cmp.h: CMP (RFC 9810, Lightweight profile RFC 9483), the server. Codec: message.h, protection: protect.h,
 * what a device is told: answer.h. Handlers are functions: request in, response and changes out. Between the
 * messages of a transaction nothing is kept but its state in the registry, so that certConf or pollReq may
 * come after a restart. */
#ifndef MUSTER_CMP_H
#define MUSTER_CMP_H

#include "enroll/enroll.h"
#include "lib/http/message.h"

/* A registration authority of its own for CMP: signs what no shared secret protects. Its certificate has
 * digitalSignature and the extended key usage cmcRA, cmKGA too where keys are generated. */
struct cmp_ra {
    const char *name;
    const char *key_name;
    struct certificate certificate; /* not encoded: it is awaited, and nothing is served with it yet */
};

enum { CMP_RAS_MAX = 16 };

struct cmp_service {
    const struct enroll_service *enroll;
    const struct cmp_ra *ra;
    size_t ra_count;
};

/* For the configuration's check: what is wrong with a procedure for CMP, or NULL: no preregistration, RA
 * missing, its certificate not for its key, without digitalSignature or cmcRA, not issued by the procedure's
 * CA (CMP-42). A certificate that is awaited is no fault. */
const char *cmp_procedure_fault(const struct cmp_service *service, const struct procedure *procedure,
                                const struct keys *keys);

/* The certificate of its RA is not there yet: the procedure is not to be served. */
bool cmp_is_awaiting(const struct cmp_service *service, const struct procedure *procedure);

/* The operation label (RFC 9483 6.1) as static text, NULL when it is none that is known. */
const char *cmp_operation_name(struct bytes label);

/* The refusals of the HTTP binding (CMP-8): method, media type. True when *response is the answer; false:
 * cmp_serve must be called, on a worker. `label` is none for the bare path. */
bool cmp_serve_public(const struct cmp_service *service, const struct procedure *procedure,
                      struct bytes label, const struct http_request *request, struct http_response *response);

/* One PKIMessage and its answer. Always answers; an error of ours is HTTP 500, and false with its text for
 * the log. */
MUST_USE bool cmp_serve(struct turn *turn, const struct cmp_service *service,
                        const struct procedure *procedure, struct bytes label,
                        const struct http_request *request, struct http_response *response,
                        struct error *err);

#endif
