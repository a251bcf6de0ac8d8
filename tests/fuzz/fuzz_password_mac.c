/* AlgorithmIdentifier of a MAC under a password. What decodes is within its bounds, writes to what decodes to
 * the same, computes a value that holds for its secret and message and for no other; what strict rules take,
 * lax ones take with the same result. */
#include <assert.h>
#include <stdlib.h>

#include "lib/pki/password_mac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct password_mac_rules strict = { .iterations_max = 500 };
static const struct password_mac_rules lax = { .iterations_max = 1000,
                                               .allow_hmac_sha1 = true,
                                               .allow_sha1 = true };

static bool same(const struct password_mac *a, const struct password_mac *b)
{
    return a->kind == b->kind && bytes_equal(a->salt, b->salt) && a->iterations == b->iterations &&
           a->hash == b->hash && a->mac == b->mac && a->key_len == b->key_len;
}

static void check_bounds(const struct password_mac *m)
{
    assert(m->kind == PASSWORD_MAC_PBM || m->kind == PASSWORD_MAC_PBMAC1);
    assert(m->salt.len > 0 && m->salt.len <= PASSWORD_MAC_SALT_MAX);
    assert(m->iterations >= PASSWORD_MAC_ITERATIONS_MIN && m->iterations <= lax.iterations_max);
    assert(m->hash >= DIGEST_SHA1 && m->mac >= DIGEST_SHA1);
    assert(m->kind == PASSWORD_MAC_PBM ||
           (m->key_len >= PASSWORD_MAC_KEY_LEN_MIN && m->key_len <= PASSWORD_MAC_KEY_LEN_MAX));
}

static void check_value(const struct password_mac *m, struct bytes message)
{
    struct bytes secret = BYTES_LITERAL("s3cret");
    uint8_t value[DIGEST_MAX];
    size_t len = 0;
    bool computed = password_mac_compute(m, secret, message, value, &len);

    assert(computed && len == digest_len(m->mac));
    assert(password_mac_holds(m, secret, message, bytes_of(value, len)));
    assert(!password_mac_holds(m, BYTES_LITERAL("s3creT"), message, bytes_of(value, len)));
    assert(!password_mac_holds(m, secret, message, bytes_of(value, len - 1)));
    assert(!password_mac_holds(m, BYTES_NONE, message, bytes_of(value, len)));
    value[len / 2] ^= 1;
    assert(!password_mac_holds(m, secret, message, bytes_of(value, len)));
}

static void check_writing(const struct password_mac *m)
{
    struct buffer out = BUFFER(1024);
    struct password_mac again;
    enum password_mac_fault fault;

    password_mac_put(&out, m);
    assert(!buffer_failed(&out) && password_mac_is(buffer_bytes(&out)));
    fault = password_mac_decode(buffer_bytes(&out), &lax, &again);
    assert(fault == PASSWORD_MAC_OK && same(m, &again));
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *longer = calloc(1, size + 1);
    struct bytes in = bytes_of(data, size);
    struct password_mac m, other;
    bool good;

    assert(longer != NULL);
    if (size > 0)
        memcpy(longer, data, size);
    good = password_mac_decode(in, &lax, &m) == PASSWORD_MAC_OK;
    if (good) {
        assert(password_mac_is(in));
        check_bounds(&m);
        check_writing(&m);
        check_value(&m, in);
        assert(password_mac_decode(bytes_of(longer, size + 1), &lax, &other) == PASSWORD_MAC_SYNTAX);
    }
    if (password_mac_decode(in, &strict, &other) == PASSWORD_MAC_OK)
        assert(good && same(&m, &other));
    free(longer);
    return 0;
}
