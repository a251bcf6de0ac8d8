/* est.h: EST (RFC 7030, RFC 8951, RFC 9908), the server: cacerts, csrattrs, simpleenroll, simplereenroll.
 * Parts: body.h (bodies), http_auth.h and nonce.h (HTTP authentication), link.h (channel binding),
 * csrattrs.h, answer.h (reasons to HTTP). Handlers are functions: request in, response and changes out; the
 * one thing that they share is the memory of used Digest nonces. */
#ifndef MUSTER_EST_H
#define MUSTER_EST_H

#include "enroll/enroll.h"
#include "lib/http/message.h"

struct est_nonces; /* which (nonce, nc) were used: bounded, shared by threads */

struct est_service {
    const struct enroll_service *enroll;
    /* Digest nonces are stateless: time and HMAC under this; which were used is kept in `nonces`. */
    uint8_t nonce_key[32];
    struct est_nonces *nonces;
    uint32_t nonce_valid_s;
};

/* Remembers about `max` uses. When more are in flight, the nonces of the oldest count as stale; none is ever
 * taken twice. */
MUST_USE bool est_nonces_new(size_t max, struct est_nonces **out, struct error *err);
void est_nonces_free(struct est_nonces *nonces); /* accepts NULL */

/* The operation of that name (RFC 7030 3.2.2) as static text, NULL when it is none. */
const char *est_operation_name(struct bytes name);

/* A label that may not name a procedure (EST-10): "cacerts", "simpleenroll", ..., those of RFC 8295 and RFC
 * 9148. */
bool est_label_is_reserved(struct bytes label);

/* cacerts, csrattrs, unknown operations, wrong methods and media types, plain HTTP: what needs no secret and
 * no write. True when *response is the answer; false: est_serve must be called, on a worker. `operation` is
 * the last path segment. */
bool est_serve_public(const struct est_service *service, const struct procedure *procedure,
                      struct bytes operation, const struct http_request *request,
                      struct http_response *response);

/* simpleenroll, simplereenroll. Always answers; an error of ours is 500, and false with its text for the log.
 * May be called again for the same request (another turn). */
MUST_USE bool est_serve(struct turn *turn, const struct est_service *service,
                        const struct procedure *procedure, struct bytes operation,
                        const struct http_request *request, struct http_response *response,
                        struct error *err);

#endif
