#include "proto/est/nonce.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/encode.h"

enum {
    TIME_LEN = 5,
    RANDOM_LEN = 7,
    SEED_LEN = TIME_LEN + RANDOM_LEN,
    MAC_LEN = EST_NONCE_OCTETS - SEED_LEN
};

/* --- which were used --- */

/* A set-associative table: a use falls into one bucket and pushes the oldest nonce out of it. The bucket
 * remembers how young the youngest was that it pushed out; nonces up to there count as stale, so that
 * forgetting never lets a replay through: it only costs a client one more round. */
enum { WAYS = 8 };

struct use {
    struct digest256 key; /* SHA-256 over nonce and nc */
    int64_t made_s;
    const void *owner; /* the request that took it, compared only; NULL: nobody may come again with it */
    bool taken;
};

struct bucket {
    struct use use[WAYS];
    int64_t forgotten_s;
};

struct est_nonces {
    pthread_mutex_t lock; /* held for a few comparisons */
    size_t bucket_count;
    struct bucket *bucket;
};

bool est_nonces_new(size_t max, struct est_nonces **out, struct error *err)
{
    struct est_nonces *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for EST nonces");
    n->bucket_count = max / WAYS > 0 ? max / WAYS : 1;
    n->bucket = calloc(n->bucket_count, sizeof(*n->bucket));
    if (n->bucket == NULL || pthread_mutex_init(&n->lock, NULL) != 0) {
        free(n->bucket);
        free(n);
        return error_set(err, ERROR_MEMORY, "no memory for EST nonces");
    }
    for (size_t i = 0; i < n->bucket_count; i++)
        n->bucket[i].forgotten_s = -1;
    *out = n;
    return true;
}

void est_nonces_free(struct est_nonces *nonces)
{
    if (nonces == NULL)
        return;
    (void)pthread_mutex_destroy(&nonces->lock);
    free(nonces->bucket);
    free(nonces);
}

static struct bucket *bucket_of(struct est_nonces *n, const struct digest256 *key)
{
    uint64_t index = 0;

    for (size_t i = 0; i < 8; i++)
        index = index << 8 | key->bytes[i];
    return &n->bucket[index % n->bucket_count];
}

static struct use *find_use(struct bucket *b, const struct digest256 *key)
{
    for (size_t i = 0; i < WAYS; i++)
        if (b->use[i].taken && digest256_equal(&b->use[i].key, key))
            return &b->use[i];
    return NULL;
}

static struct use *make_room(struct bucket *b)
{
    struct use *oldest = &b->use[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (!b->use[i].taken)
            return &b->use[i];
        if (b->use[i].made_s < oldest->made_s)
            oldest = &b->use[i];
    }
    if (oldest->made_s > b->forgotten_s)
        b->forgotten_s = oldest->made_s;
    return oldest;
}

static enum est_nonce_verdict take_use(struct bucket *b, const struct use *wanted, bool in_time)
{
    struct use *seen = find_use(b, &wanted->key);

    if (seen != NULL)
        return seen->owner != NULL && seen->owner == wanted->owner ? EST_NONCE_FRESH : EST_NONCE_REPLAYED;
    if (!in_time || wanted->made_s <= b->forgotten_s)
        return EST_NONCE_STALE;
    *make_room(b) = *wanted;
    return EST_NONCE_FRESH;
}

static bool use_key(struct bytes nonce, struct bytes nc, struct digest256 *out)
{
    return sha256_parts((struct bytes[]){ nonce, BYTES_LITERAL(":"), nc }, 3, out);
}

/* --- nonces --- */

static bool make_mac(const struct est_service *service, const uint8_t *seed, struct bytes realm,
                     struct digest256 *out)
{
    struct digest256 content;

    return sha256_parts((struct bytes[]){ BYTES_LITERAL("est-nonce:"), bytes_of(seed, SEED_LEN), realm }, 3,
                        &content) &&
           hmac_sha256(BYTES_ARRAY(service->nonce_key), digest256_bytes(&content), out);
}

bool est_nonce_make(const struct est_service *service, struct bytes realm, int64_t now_s,
                    const struct random_source *random, char out[EST_NONCE_LEN + 1], struct error *err)
{
    uint8_t octets[EST_NONCE_OCTETS];
    struct digest256 mac;

    for (size_t i = 0; i < TIME_LEN; i++)
        octets[i] = (uint8_t)((uint64_t)now_s >> (8 * (TIME_LEN - 1 - i)));
    if (!random_fill(random, octets + TIME_LEN, RANDOM_LEN) || !make_mac(service, octets, realm, &mac))
        return error_set(err, ERROR_CRYPTO, "no nonce could be made");
    memcpy(octets + SEED_LEN, mac.bytes, MAC_LEN);
    hex_encode(BYTES_ARRAY(octets), out);
    return true;
}

static bool open_nonce(const struct est_service *service, struct bytes realm, struct bytes nonce,
                       int64_t *made_s)
{
    uint8_t octets[EST_NONCE_OCTETS];
    char text[EST_NONCE_LEN + 1];
    struct digest256 mac;
    uint64_t time = 0;

    if (nonce.len != EST_NONCE_LEN || !hex_decode(nonce, octets))
        return false;
    hex_encode(BYTES_ARRAY(octets), text);
    if (!bytes_is(nonce, text) /* one text for one nonce */ || !make_mac(service, octets, realm, &mac) ||
        !bytes_equal_constant_time(bytes_of(octets + SEED_LEN, MAC_LEN), bytes_of(mac.bytes, MAC_LEN)))
        return false;
    for (size_t i = 0; i < TIME_LEN; i++)
        time = time << 8 | octets[i];
    *made_s = (int64_t)time;
    return true;
}

enum est_nonce_verdict est_nonce_take(const struct est_service *service, struct bytes realm,
                                      struct bytes nonce, struct bytes nc, const struct http_request *request,
                                      int64_t now_s)
{
    struct use wanted = { .owner = request, .taken = true };
    enum est_nonce_verdict verdict;
    bool in_time;

    assert(service->nonces != NULL);
    if (!open_nonce(service, realm, nonce, &wanted.made_s) || !use_key(nonce, nc, &wanted.key))
        return EST_NONCE_FORGED;
    /* a clock that was set back a little makes no nonce of the future wrong, a big step does */
    in_time = now_s - wanted.made_s <= (int64_t)service->nonce_valid_s &&
              wanted.made_s - now_s <= (int64_t)service->nonce_valid_s;
    (void)pthread_mutex_lock(&service->nonces->lock);
    verdict = take_use(bucket_of(service->nonces, &wanted.key), &wanted, in_time);
    (void)pthread_mutex_unlock(&service->nonces->lock);
    return verdict;
}

void est_nonce_arrived(const struct est_service *service, struct bytes nonce, struct bytes nc)
{
    struct digest256 key;
    struct use *seen;

    if (service->nonces == NULL || !use_key(nonce, nc, &key))
        return;
    (void)pthread_mutex_lock(&service->nonces->lock);
    seen = find_use(bucket_of(service->nonces, &key), &key);
    if (seen != NULL)
        seen->owner = NULL;
    (void)pthread_mutex_unlock(&service->nonces->lock);
}
