/* est.h: EST (RFC 7030, RFC 8951), the server. */
#ifndef MUSTER_EST_H
#define MUSTER_EST_H

#include "enroll/enroll.h"
#include "lib/http/message.h"

struct est_service {
    const struct enroll_service *enroll;
    /* Digest nonces are stateless: time and HMAC under this; nc replay is kept in `nonces`. */
    uint8_t nonce_key[32];
    struct est_nonces *nonces;
    uint32_t nonce_valid_s;
};

struct est_nonces; /* which (nonce, nc) were seen: bounded, shared by threads */
MUST_USE bool est_nonces_new(size_t max, struct est_nonces **out, struct error *err);
void est_nonces_free(struct est_nonces *nonces);

/* A label that may not name a procedure (EST-10): "cacerts", "simpleenroll", ... */
bool est_label_is_reserved(struct bytes label);

/* cacerts, csrattrs, unknown operations, wrong methods, plain HTTP: what needs no secret and no write. True
 * when *response is the answer. `operation` is the last path segment. */
bool est_serve_public(const struct est_service *service, const struct procedure *procedure,
                      struct bytes operation, const struct http_request *request,
                      struct http_response *response);

/* simpleenroll, simplereenroll. Always answers; an error of ours is 500, and false with its text for the log.
 */
MUST_USE bool est_serve(struct turn *turn, const struct est_service *service,
                        const struct procedure *procedure, struct bytes operation,
                        const struct http_request *request, struct http_response *response,
                        struct error *err);

#endif
