#include "lib/base/random.h"

#include <limits.h>
#include <openssl/rand.h>

static bool fill_system(void *self, uint8_t *out, size_t len)
{
    (void)self;
    return len <= INT_MAX && RAND_priv_bytes(out, (int)len) == 1;
}

const struct random_source random_system = { .fill = fill_system };

/* splitmix64: every seed gives a good stream, and the state is one word. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool fill_seeded(void *self, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint64_t word = next(self);

        for (unsigned k = 0; k < 8 && i < len; k++)
            out[i++] = (uint8_t)(word >> 8 * k);
    }
    return true;
}

struct random_source random_seeded(uint64_t *state)
{
    return (struct random_source){ .fill = fill_seeded, .self = state };
}
