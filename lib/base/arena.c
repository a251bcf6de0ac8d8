#include "lib/base/arena.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_LEN = 16 * 1024, ALIGNMENT = 16 };

struct block {
    struct block *next;
    size_t len, used;
    _Alignas(ALIGNMENT) uint8_t data[];
};

struct arena {
    size_t max, used;
    unsigned fail_after;
    struct block *first;   /* kept over resets */
    struct block *current; /* where small pieces are cut from */
};

static struct block *block_new(size_t len)
{
    struct block *block = malloc(sizeof(*block) + len);

    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->len = len;
    block->used = 0;
    return block;
}

struct arena *arena_new(size_t max)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (arena == NULL)
        return NULL;
    arena->max = max;
    return arena;
}

static void block_free(struct block *block)
{
    OPENSSL_cleanse(block->data, block->used);
    free(block);
}

void arena_reset(struct arena *arena)
{
    if (arena->first != NULL) {
        struct block *block = arena->first->next;

        while (block != NULL) {
            struct block *next = block->next;

            block_free(block);
            block = next;
        }
        OPENSSL_cleanse(arena->first->data, arena->first->used);
        arena->first->used = 0;
        arena->first->next = NULL;
    }
    arena->current = arena->first;
    arena->used = 0;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena_reset(arena);
    free(arena->first);
    free(arena);
}

static bool must_fail(struct arena *arena)
{
    return arena->fail_after != 0 && --arena->fail_after == 0;
}

void *arena_alloc(struct arena *arena, size_t len)
{
    size_t rounded = (len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    void *piece;

    if (rounded < len || rounded > arena->max - arena->used || must_fail(arena))
        return NULL;
    if (rounded == 0)
        rounded = ALIGNMENT;
    if (arena->current == NULL || rounded > arena->current->len - arena->current->used) {
        struct block *block = block_new(rounded > BLOCK_LEN ? rounded : BLOCK_LEN);

        if (block == NULL)
            return NULL;
        if (arena->current == NULL)
            arena->first = block;
        else
            arena->current->next = block;
        arena->current = block;
    }
    piece = arena->current->data + arena->current->used;
    arena->current->used += rounded;
    arena->used += rounded;
    return memset(piece, 0, rounded);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t len;

    if (__builtin_mul_overflow(count, size, &len))
        return NULL;
    return arena_alloc(arena, len);
}

struct bytes arena_copy(struct arena *arena, struct bytes b)
{
    uint8_t *copy = arena_alloc(arena, b.len);

    if (copy == NULL)
        return BYTES_NONE;
    if (b.len > 0)
        memcpy(copy, b.data, b.len);
    return bytes_of(copy, b.len);
}

char *arena_text(struct arena *arena, struct bytes b)
{
    char *text = b.len == SIZE_MAX ? NULL : arena_alloc(arena, b.len + 1);

    if (text != NULL && b.len > 0)
        memcpy(text, b.data, b.len);
    return text;
}

struct bytes arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    int len;
    char *text = NULL;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len >= 0)
        text = arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return text == NULL ? BYTES_NONE : bytes_of(text, (size_t)len);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

void arena_fail_after(struct arena *arena, unsigned n)
{
    arena->fail_after = n;
}
