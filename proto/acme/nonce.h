/* nonce.h: anti-replay nonces (RFC 8555 6.5). A nonce carries its time, randomness, the epoch of this start
 * and an HMAC that binds them to the directory: nothing is kept for one that was only given out. What is
 * kept, bounded, is which were used. */
#ifndef MUSTER_ACME_NONCE_H
#define MUSTER_ACME_NONCE_H

#include "lib/base/random.h"
#include "proto/acme/acme.h"

/* 5 octets of time, 7 random, 4 of the epoch, 16 of HMAC-SHA-256, in base64url. */
enum { ACME_NONCE_OCTETS = 32, ACME_NONCE_LEN = 43 };

/* In `arena`. */
MUST_USE bool acme_nonce_make(const struct acme_service *service, const struct procedure *procedure,
                              int64_t now_s, const struct random_source *random, struct arena *arena,
                              struct bytes *out, struct error *err);

enum acme_nonce_verdict {
    ACME_NONCE_BAD = 0, /* not ours, another start's or directory's, its time is over, or used before */
    ACME_NONCE_GOOD,
};

/* Judges, and takes it for `request` when good. The same request may ask again, whatever the clock says: a
 * handler can take several turns (registry/turn.h). */
enum acme_nonce_verdict acme_nonce_take(const struct acme_service *service, const struct procedure *procedure,
                                        struct bytes nonce, const struct http_request *request,
                                        int64_t now_s);

#endif
