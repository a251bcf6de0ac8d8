/* enroll_op_internal.h: one simpleenroll or simplereenroll. */
#ifndef MUSTER_EST_ENROLL_OP_INTERNAL_H
#define MUSTER_EST_ENROLL_OP_INTERNAL_H

#include "proto/est/est.h"
#include "proto/est/http_auth.h"

/* One request on its way. */
struct est_operation {
    struct turn *turn;
    const struct est_service *service;
    const struct procedure *procedure;
    const struct http_request *request;
    struct bytes name; /* last path segment */
    bool reenroll;     /* simplereenroll */
    struct http_response *response;
};

/* Who asks. */
struct est_client {
    struct credential credential, second;
    struct digest256 identity; /* the same for the same client: its certificate, or its user name (EST-49) */
};

enum est_found { EST_FOUND_NONE = 0 /* op->response is the answer */, EST_FOUND };

/* Finds the credentials that this request shows for what the procedure takes (RFC 7030 3.3.2, 3.2.3). What
 * they are worth is for enroll() to say. */
MUST_USE bool est_client_find(struct est_operation *op, struct est_client *out, enum est_found *found,
                              struct error *err);

/* Answers and logs a refusal. `why` is exact for the log; covered ones look alike on the wire until a
 * credential has held. */
struct est_refusal {
    enum refusal why;
    bool credential_held, stale;
    const char *detail;     /* for the log, static; may be NULL */
    int status;             /* 0: as the table says */
    const char *text;       /* NULL: as the table says */
    unsigned retry_after_s; /* 0: the procedure's */
};
MUST_USE bool est_refuse(struct est_operation *op, const struct est_refusal *refusal, struct error *err);

/* The operation from here to its answer. */
MUST_USE bool est_enroll(struct est_operation *op, struct error *err);

#endif
