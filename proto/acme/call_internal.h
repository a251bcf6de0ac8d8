/* call_internal.h: one request on its way through this room: what is known of it, and how it is answered. A
 * step goes on, ends with an answer (a refusal is one), or with an error of ours. */
#ifndef MUSTER_ACME_CALL_INTERNAL_H
#define MUSTER_ACME_CALL_INTERNAL_H

#include "lib/jose/jws.h"
#include "proto/acme/acme.h"
#include "proto/acme/store_internal.h"

enum acme_progress { ACME_ERROR = 0 /* ours: *err says which */, ACME_ON, ACME_ANSWERED };

struct acme_call {
    struct turn *turn;
    const struct acme_service *service;
    const struct procedure *procedure;
    const struct http_request *request;
    struct acme_resource resource;
    struct http_response *response;
    /* a POST, once it is opened (open.c) */
    struct jws jws;
    bool reads;      /* POST-as-GET: the payload is empty */
    json_t *payload; /* else the object that it is; owned by the call */
    bool by_account; /* signed under `kid`: `account` is valid */
    struct acme_account account;
    struct bytes spki; /* that verified it */
};

struct acme_refusal {
    enum acme_problem problem;
    const char *detail; /* static or in the arena; for the client */
    int status;         /* 0: the problem's */
    const char *reason; /* for the log: refusal_name(); NULL: the problem's name */
    const char *log;    /* for the log, static; NULL: `detail` */
    bool retry_after;
    json_t *extra; /* members beside type, detail and status; owned from now on; NULL: none */
};
enum acme_progress acme_refuse(struct acme_call *c, enum acme_problem problem, const char *detail,
                               struct error *err);
enum acme_progress acme_refuse_with(struct acme_call *c, const struct acme_refusal *refusal,
                                    struct error *err);
/* rateLimited with Retry-After: a quota is used up. */
enum acme_progress acme_refuse_for_now(struct acme_call *c, const char *detail, struct error *err);
/* By the table; `reason` exact. */
enum acme_progress acme_refuse_enrollment(struct acme_call *c, enum refusal reason, bool credential_held,
                                          const char *log, struct error *err);
/* One answer for what is not there and what is another account's (ACME-11). */
enum acme_progress acme_not_found(struct acme_call *c, struct error *err);

/* Another method; `allow` says which. */
enum acme_progress acme_not_allowed(struct acme_call *c, const char *allow, struct error *err);

/* `body` is owned from now on; NULL: memory ran out. */
enum acme_progress acme_respond(struct acme_call *c, int status, json_t *body, struct error *err);

/* A header, the value in the arena: data NULL is an error of ours. */
MUST_USE bool acme_add_header(struct acme_call *c, const char *name, struct bytes value, struct error *err);
MUST_USE bool acme_add_link(struct acme_call *c, const char *rel, struct bytes url, struct error *err);

/* URLs of this directory, in the arena; none: no memory, which acme_respond() and acme_add_header() find. */
struct bytes acme_call_url(const struct acme_call *c, const char *path);
struct bytes acme_call_url_of(const struct acme_call *c, const char *kind, const struct acme_id *id,
                              const char *suffix);
MUST_USE bool acme_put_time(json_t *object, const char *name, int64_t time_s);

/* A POST: JWS, URL, nonce, key, signature, payload. ON: all of them hold. */
enum acme_progress acme_open(struct acme_call *c, struct error *err);
/* Everything that is read must be asked for with an empty payload, what changes with an object (ACME-7). */
enum acme_progress acme_wants_object(struct acme_call *c, struct error *err);

/* What the resources do; each answers. */
enum acme_progress acme_serve_directory(struct acme_call *c, struct error *err);
enum acme_progress acme_new_account(struct acme_call *c, struct error *err);
enum acme_progress acme_account(struct acme_call *c, struct error *err);
enum acme_progress acme_key_change(struct acme_call *c, struct error *err);
enum acme_progress acme_orders(struct acme_call *c, struct error *err);
enum acme_progress acme_new_order(struct acme_call *c, struct error *err);
enum acme_progress acme_order_serve(struct acme_call *c, struct error *err);
enum acme_progress acme_finalize(struct acme_call *c, struct error *err);
enum acme_progress acme_certificate(struct acme_call *c, struct error *err);
enum acme_progress acme_star_certificate(struct acme_call *c, struct error *err); /* POST-as-GET */
enum acme_progress acme_star_get(struct acme_call *c, struct error *err);
enum acme_progress acme_new_authz(struct acme_call *c, struct error *err);
enum acme_progress acme_authz_serve(struct acme_call *c, struct error *err);
enum acme_progress acme_challenge_serve(struct acme_call *c, struct error *err);
enum acme_progress acme_revoke_cert(struct acme_call *c, struct error *err);
enum acme_progress acme_renewal_info(struct acme_call *c, struct error *err);

#endif
