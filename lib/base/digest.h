/* digest.h: SHA-256, other hashes by name, HMAC and PBKDF2 over bytes. Algorithms are fetched once per
 * thread's library context. Not for signatures (lib/keys, lib/pki). */
#ifndef MUSTER_DIGEST_H
#define MUSTER_DIGEST_H

#include "lib/base/bytes.h"

enum { DIGEST256_LEN = 32, DIGEST_MAX = 64 };

struct digest256 {
    uint8_t bytes[DIGEST256_LEN];
};

static inline struct bytes digest256_bytes(const struct digest256 *d)
{
    return bytes_of(d->bytes, sizeof(d->bytes));
}

static inline bool digest256_equal(const struct digest256 *a, const struct digest256 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* False only when libcrypto fails: a caller that decides something on it must deny. */
MUST_USE bool sha256(struct bytes in, struct digest256 *out);

/* SHA-256 over the parts one after the other. */
MUST_USE bool sha256_parts(const struct bytes *part, size_t count, struct digest256 *out);

enum digest_algorithm {
    DIGEST_NONE = 0,
    DIGEST_MD5,
    DIGEST_SHA1,
    DIGEST_SHA224,
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512
};

/* OpenSSL's name ("SHA2-256"); NULL for DIGEST_NONE. */
const char *digest_name(enum digest_algorithm algorithm);
size_t digest_len(enum digest_algorithm algorithm);

/* `out` holds DIGEST_MAX; *len is what was written. False: DIGEST_NONE, or libcrypto fails. */
MUST_USE bool digest(enum digest_algorithm algorithm, struct bytes in, uint8_t *out, size_t *len);
MUST_USE bool digest_parts(enum digest_algorithm algorithm, const struct bytes *part, size_t count,
                           uint8_t *out, size_t *len);

/* The hash of `value`, which is as long as the hash, in its place; and that again, so many times. */
MUST_USE bool digest_repeat(enum digest_algorithm algorithm, uint8_t *value, uint32_t times);

/* SHAKE256 with 512 bits of output: the hash that goes with Ed448 (RFC 9481 2.3). */
enum { SHAKE256_LEN = 64 };
MUST_USE bool shake256(struct bytes in, uint8_t out[SHAKE256_LEN]);

/* HMAC (RFC 2104); `out` and *len as above. A key of any length, none included. */
MUST_USE bool hmac(enum digest_algorithm algorithm, struct bytes key, struct bytes in, uint8_t *out,
                   size_t *len);
MUST_USE bool hmac_sha256(struct bytes key, struct bytes in, struct digest256 *out);

/* PBKDF2 (RFC 8018 5.2) with HMAC: `len` octets of key, no bound is put on salt and iterations but that there
 * is one iteration at least. */
MUST_USE bool pbkdf2(enum digest_algorithm algorithm, struct bytes password, struct bytes salt,
                     uint32_t iterations, uint8_t *out, size_t len);

#endif
