/* secret.h: bytes that must not outlive their use. Owned, wiped on release, compared in constant time, never
 * formatted: there is on purpose no way to print one. */
#ifndef MUSTER_SECRET_H
#define MUSTER_SECRET_H

#include "lib/base/bytes.h"

struct secret {
    uint8_t *data;
    size_t len;
};

/* A copy of `b`. False when out of memory. */
MUST_USE bool secret_copy(struct bytes b, struct secret *out);

/* Room for `len` bytes, zeroed. */
MUST_USE bool secret_alloc(size_t len, struct secret *out);

void secret_free(struct secret *secret); /* wipes; empty afterwards */
UNUSED static inline void auto_secret(struct secret *secret)
{
    secret_free(secret);
}

/* Borrowed, for the call that needs it. */
static inline struct bytes secret_bytes(const struct secret *secret)
{
    return bytes_of(secret->data, secret->len);
}

/* True when both are not empty and equal. An empty secret proves nothing, ever. Takes the same time whatever
 * `shown` is: both are hashed first. */
bool secret_proves(struct bytes shown, struct bytes expected);

#endif
