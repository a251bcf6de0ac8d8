/* arena.h: one bounded pool for one request; everything made while answering it is freed at once.
 * Not for secrets that must be wiped early (secret.h); the arena is wiped as a whole on reset and free.
 * One thread at a time. */
#ifndef MUSTER_ARENA_H
#define MUSTER_ARENA_H

#include "lib/base/bytes.h"

struct arena;

/* An arena that hands out at most `max` bytes in all. NULL when out of memory. */
struct arena *arena_new(size_t max);
void arena_free(struct arena *arena); /* accepts NULL */
UNUSED static inline void auto_arena(struct arena **arena)
{
    arena_free(*arena);
}
#define AUTO_ARENA __attribute__((cleanup(auto_arena))) struct arena

/* Zeroed, aligned for any type. NULL past the bound or out of memory: the caller answers ERROR_MEMORY. */
MUST_USE void *arena_alloc(struct arena *arena, size_t len);

/* `count` zeroed items of `size`; NULL also when the product overflows. */
MUST_USE void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy; of no bytes it is a non-NULL pointer of length 0. data is NULL on failure. */
MUST_USE struct bytes arena_copy(struct arena *arena, struct bytes b);

/* A NUL-terminated copy; NULL on failure. An embedded NUL is copied too: check text before. */
MUST_USE char *arena_text(struct arena *arena, struct bytes b);

/* Formatted text; data is NULL on failure. A NUL follows the bytes and is not counted. */
MUST_USE struct bytes arena_format(struct arena *arena, const char *format, ...) PRINTF(2, 3);

/* Forgets and wipes all that was handed out; keeps the first block for the next request. */
void arena_reset(struct arena *arena);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

/* For tests: the n-th allocation from now fails (0: never). */
void arena_fail_after(struct arena *arena, unsigned n);

#endif
