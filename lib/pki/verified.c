/* Signatures of certificates that held lately: one slot a hash, the last one in it wins. Only what was
 * computed goes in, and nothing that changes with time is kept: dates and revocation are the callers'. */
#include <pthread.h>

#include "lib/pki/certificate.h"

enum { VERIFIED_MAX = 1024 };

static struct {
    pthread_mutex_t lock;
    struct digest256 held[VERIFIED_MAX];
} verified = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct digest256 *slot_of(const struct digest256 *hash)
{
    return &verified.held[(hash->bytes[0] << 8 | hash->bytes[1]) % VERIFIED_MAX];
}

static bool recall(const struct digest256 *hash)
{
    bool held;

    (void)pthread_mutex_lock(&verified.lock);
    held = digest256_equal(slot_of(hash), hash);
    (void)pthread_mutex_unlock(&verified.lock);
    return held;
}

static void remember(const struct digest256 *hash)
{
    (void)pthread_mutex_lock(&verified.lock);
    *slot_of(hash) = *hash;
    (void)pthread_mutex_unlock(&verified.lock);
}

enum signature_fault certificate_verify_remembered(const struct certificate *c,
                                                   const struct public_key *issuer)
{
    const struct bytes part[] = { issuer->spki, c->encoded };
    enum signature_fault fault;
    struct digest256 hash;

    if (!sha256_parts(part, COUNT_OF(part), &hash))
        return SIGNATURE_INTERNAL;
    if (recall(&hash))
        return SIGNATURE_OK;
    fault = signature_verify(issuer, c->signature_algorithm, c->tbs, c->signature, false);
    if (fault == SIGNATURE_OK)
        remember(&hash);
    return fault;
}
