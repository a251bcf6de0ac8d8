#include "proto/est/nonce.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/encode.h"
#include "lib/base/used.h"

enum {
    TIME_LEN = 5,
    RANDOM_LEN = 7,
    SEED_LEN = TIME_LEN + RANDOM_LEN,
    MAC_LEN = EST_NONCE_OCTETS - SEED_LEN
};

/* --- which were used --- */

struct est_nonces {
    struct used *used;
};

bool est_nonces_new(size_t max, struct est_nonces **out, struct error *err)
{
    struct est_nonces *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for EST nonces");
    if (!used_new(max, &n->used, err)) {
        free(n);
        return false;
    }
    *out = n;
    return true;
}

void est_nonces_free(struct est_nonces *nonces)
{
    if (nonces == NULL)
        return;
    used_free(nonces->used);
    free(nonces);
}

/* SHA-256 over nonce and nc. */
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

/* It may ask again: a handler can take several turns. */
static struct used_owner owner_of(const struct http_request *request)
{
    return (struct used_owner){ .at = request, .number = request != NULL ? request->number : 0 };
}

enum est_nonce_verdict est_nonce_take(const struct est_service *service, struct bytes realm,
                                      struct bytes nonce, struct bytes nc, const struct http_request *request,
                                      int64_t now_s)
{
    struct digest256 key;
    int64_t made_s;
    bool in_time;

    assert(service->nonces != NULL);
    if (!open_nonce(service, realm, nonce, &made_s) || !use_key(nonce, nc, &key))
        return EST_NONCE_FORGED;
    /* a clock that was set back a little makes no nonce of the future wrong, a big step does */
    in_time = now_s - made_s <= (int64_t)service->nonce_valid_s &&
              made_s - now_s <= (int64_t)service->nonce_valid_s;
    switch (used_take(service->nonces->used, &key, made_s, owner_of(request), in_time)) {
    case USED_NOW: return EST_NONCE_FRESH;
    case USED_BEFORE: return EST_NONCE_REPLAYED;
    case USED_STALE: break;
    }
    return EST_NONCE_STALE;
}
