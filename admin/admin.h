/* admin.h: the REST API of the administration listener (TLS with the officer's certificate): what officers
 * may ask and do. Reading needs an officer known by its TLS certificate with RIGHT_READ; every change is a
 * signed act (officer/act.h). */
#ifndef MUSTER_ADMIN_H
#define MUSTER_ADMIN_H

#include "enroll/enroll.h"
#include "lib/http/message.h"

struct admin_service {
    const struct enroll_service *enroll;
    const struct domain *const *domain;
    size_t domain_count;
    int64_t act_skew_s; /* how far the time in a signed act may be off */
};

/* Any path under /api/v1/. Always answers; an error of ours is 500, and false with its text for the log. */
MUST_USE bool admin_serve(struct turn *turn, const struct admin_service *service,
                          const struct http_request *request, struct http_response *response,
                          struct error *err);

#endif
