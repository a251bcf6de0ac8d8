/* fixtures.h: what the tests of this room share: an arena, a ring with keys, and bytes from hexadecimal. */
#ifndef MUSTER_TEST_PKI_FIXTURES_H
#define MUSTER_TEST_PKI_FIXTURES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/encode.h"
#include "lib/keys/keys.h"
#include "lib/pki/der.h"

static struct arena *arena;
static struct keys *ring;
static struct error err;

UNUSED static int open_arena(void **state)
{
    (void)state;
    arena = arena_new(16 * 1024 * 1024);
    return arena != NULL ? 0 : -1;
}

UNUSED static int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* Once a program: RSA keys are slow to make. */
UNUSED static int open_ring(void **state)
{
    (void)state;
    return keys_new(&ring, &err) && keys_generate(ring, "rsa", KEY_RSA, 2048, &err) &&
                   keys_generate(ring, "rsa2", KEY_RSA, 2048, &err) &&
                   keys_generate(ring, "pss", KEY_RSA_PSS, 2048, &err) &&
                   keys_generate(ring, "p256", KEY_EC_P256, 0, &err) &&
                   keys_generate(ring, "other", KEY_EC_P256, 0, &err) &&
                   keys_generate(ring, "p384", KEY_EC_P384, 0, &err) &&
                   keys_generate(ring, "p521", KEY_EC_P521, 0, &err) &&
                   keys_generate(ring, "ed25519", KEY_ED25519, 0, &err) &&
                   keys_generate(ring, "ed448", KEY_ED448, 0, &err)
               ? 0
               : -1;
}

UNUSED static int close_ring(void **state)
{
    (void)state;
    keys_unref(ring);
    return 0;
}

/* "30 03 020101" to bytes in the arena. */
UNUSED static struct bytes hex(const char *text)
{
    char *packed = arena_alloc(arena, strlen(text) + 1);
    uint8_t *out = arena_alloc(arena, strlen(text) / 2 + 1);
    size_t len = 0;

    assert_non_null(packed);
    assert_non_null(out);
    for (; *text != '\0'; text++)
        if (*text != ' ')
            packed[len++] = *text;
    assert_true(hex_decode(bytes_of(packed, len), out));
    return bytes_of(out, len / 2);
}

/* What was written, kept in the arena; the buffer is emptied. */
UNUSED static struct bytes kept(struct buffer *out)
{
    struct bytes copy;

    assert_false(buffer_failed(out));
    copy = arena_copy(arena, buffer_bytes(out));
    buffer_free(out);
    return copy;
}

/* One element around content. */
UNUSED static struct bytes wrap(unsigned tag, struct bytes content)
{
    struct buffer out = BUFFER(1024 * 1024);

    der_put(&out, tag, content);
    return kept(&out);
}

UNUSED static struct bytes join(struct bytes a, struct bytes b)
{
    struct buffer out = BUFFER(1024 * 1024);

    buffer_append(&out, a);
    buffer_append(&out, b);
    return kept(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

#endif
