/* random.h: where randomness comes from is an argument, so that a simulation can choose it by a seed. */
#ifndef MUSTER_RANDOM_H
#define MUSTER_RANDOM_H

#include "lib/base/base.h"

struct random_source {
    bool (*fill)(void *self, uint8_t *out, size_t len);
    void *self;
};

/* The operating system's, through libcrypto's private generator of this thread. */
extern const struct random_source random_system;

/* A seeded, reproducible stream for tests and simulation. *state is the seed and moves on. */
struct random_source random_seeded(uint64_t *state);

MUST_USE static inline bool random_fill(const struct random_source *source, uint8_t *out, size_t len)
{
    return source->fill(source->self, out, len);
}

#endif
