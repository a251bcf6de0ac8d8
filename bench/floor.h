/* floor.h: what the public-key operations and key derivations that an exchange cannot do without cost on this
 * machine, now. */
#ifndef MUSTER_BENCH_FLOOR_H
#define MUSTER_BENCH_FLOOR_H

#include <sys/types.h>

#include "lib/base/base.h"

enum primitive {
    PRIMITIVE_NONE = 0,
    SIGN_P256,
    VERIFY_P256,
    VERIFY_P384,
    VERIFY_ED25519,
    SIGN_RSA2048,
    VERIFY_RSA2048,
    VERIFY_RSA3072,
    WRAP_RSA2048, /* a content key encrypted to it */
    WRAP_RSA3072,
    UNWRAP_RSA2048,
    EXCHANGE_X25519, /* a key made, and a secret derived */
    PBM_500,         /* PasswordBasedMac's key: FLOOR_PBM_ITERATIONS hashes */
    PRIMITIVE_COUNT
};
enum { FLOOR_PBM_ITERATIONS = 500 };

/* How often an exchange needs each. */
struct floor {
    double times[PRIMITIVE_COUNT];
};

void floor_add(struct floor *floor, const struct floor *more, double times);

/* Microseconds of CPU; each primitive is timed the first time that it is needed. When `pid` is a process of
 * this machine, on the cores that it may use. */
double floor_us(const struct floor *floor, pid_t pid);

#endif
