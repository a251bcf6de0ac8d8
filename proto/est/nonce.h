/* nonce.h: nonces of HTTP Digest (RFC 7616 3.3). A nonce carries its time, randomness and an HMAC that binds
 * both to the realm: nothing is kept for one that was only given out. What is kept, bounded, is which nonce
 * was used with which nc. */
#ifndef MUSTER_EST_NONCE_H
#define MUSTER_EST_NONCE_H

#include "lib/base/random.h"
#include "proto/est/est.h"

/* 5 octets of time, 7 random, 12 of HMAC-SHA-256, in hexadecimal: short enough for libest's 64 characters. */
enum { EST_NONCE_OCTETS = 24, EST_NONCE_LEN = 2 * EST_NONCE_OCTETS };

MUST_USE bool est_nonce_make(const struct est_service *service, struct bytes realm, int64_t now_s,
                             const struct random_source *random, char out[EST_NONCE_LEN + 1],
                             struct error *err);

enum est_nonce_verdict {
    EST_NONCE_FORGED = 0, /* not ours, or another realm's */
    EST_NONCE_STALE, /* ours, but its time is over, or too much was used since to know: try with a fresh one
                      */
    EST_NONCE_REPLAYED, /* used with this nc before (EST-75) */
    EST_NONCE_FRESH,
};

/* Judges, and takes (nonce, nc) for `request` when fresh. The same request may ask again, whatever the clock
 * says: a handler can take several turns (registry/turn.h). */
enum est_nonce_verdict est_nonce_take(const struct est_service *service, struct bytes realm,
                                      struct bytes nonce, struct bytes nc, const struct http_request *request,
                                      int64_t now_s);

#endif
