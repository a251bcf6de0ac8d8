#include "proto/acme/nonce.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/encode.h"
#include "lib/base/used.h"

enum {
    TIME_LEN = 5,
    RANDOM_LEN = 7,
    EPOCH_LEN = 4,
    SEED_LEN = TIME_LEN + RANDOM_LEN + EPOCH_LEN,
    MAC_LEN = ACME_NONCE_OCTETS - SEED_LEN
};

struct acme_nonces {
    uint8_t key[32];
    uint8_t epoch[EPOCH_LEN];
    struct used *used;
};

bool acme_nonces_new(size_t max, const struct random_source *random, struct acme_nonces **out,
                     struct error *err)
{
    struct acme_nonces *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for ACME nonces");
    if (!random_fill(random, n->key, sizeof(n->key)) || !random_fill(random, n->epoch, sizeof(n->epoch))) {
        acme_nonces_free(n);
        return error_set(err, ERROR_CRYPTO, "no randomness for the key of ACME nonces");
    }
    if (!used_new(max, &n->used, err)) {
        acme_nonces_free(n);
        return false;
    }
    *out = n;
    return true;
}

void acme_nonces_free(struct acme_nonces *nonces)
{
    if (nonces == NULL)
        return;
    used_free(nonces->used);
    OPENSSL_cleanse(nonces->key, sizeof(nonces->key));
    free(nonces);
}

static bool make_mac(const struct acme_nonces *nonces, const uint8_t *seed, const struct procedure *procedure,
                     struct digest256 *out)
{
    struct digest256 content;

    return sha256_parts((struct bytes[]){ BYTES_LITERAL("acme-nonce:"), bytes_of(seed, SEED_LEN),
                                          bytes_text(procedure->name) },
                        3, &content) &&
           hmac_sha256(BYTES_ARRAY(nonces->key), digest256_bytes(&content), out);
}

bool acme_nonce_make(const struct acme_service *service, const struct procedure *procedure, int64_t now_s,
                     const struct random_source *random, struct arena *arena, struct bytes *out,
                     struct error *err)
{
    AUTO_STRUCT(buffer) text = BUFFER(2 * ACME_NONCE_LEN);
    uint8_t octets[ACME_NONCE_OCTETS];
    struct digest256 mac;
    struct bytes copy;

    for (size_t i = 0; i < TIME_LEN; i++)
        octets[i] = (uint8_t)((uint64_t)now_s >> (8 * (TIME_LEN - 1 - i)));
    memcpy(octets + TIME_LEN + RANDOM_LEN, service->nonces->epoch, EPOCH_LEN);
    if (!random_fill(random, octets + TIME_LEN, RANDOM_LEN) ||
        !make_mac(service->nonces, octets, procedure, &mac))
        return error_set(err, ERROR_CRYPTO, "no nonce could be made");
    memcpy(octets + SEED_LEN, mac.bytes, MAC_LEN);
    base64url_encode(&text, BYTES_ARRAY(octets));
    copy = buffer_failed(&text) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&text));
    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a nonce");
    *out = copy;
    return true;
}

static bool open_nonce(const struct acme_service *service, const struct procedure *procedure,
                       struct bytes nonce, int64_t *made_s)
{
    uint8_t octets[BASE64_DECODED_MAX(ACME_NONCE_LEN)];
    struct digest256 mac;
    uint64_t time = 0;
    size_t len;

    if (nonce.len != ACME_NONCE_LEN || !base64url_decode(nonce, octets, &len) || len != ACME_NONCE_OCTETS ||
        memcmp(octets + TIME_LEN + RANDOM_LEN, service->nonces->epoch, EPOCH_LEN) != 0 ||
        !make_mac(service->nonces, octets, procedure, &mac) ||
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

enum acme_nonce_verdict acme_nonce_take(const struct acme_service *service, const struct procedure *procedure,
                                        struct bytes nonce, const struct http_request *request, int64_t now_s)
{
    struct digest256 key;
    int64_t made_s;
    bool in_time;

    assert(service->nonces != NULL);
    if (!open_nonce(service, procedure, nonce, &made_s) || !sha256(nonce, &key))
        return ACME_NONCE_BAD;
    /* a clock that was set back a little makes no nonce of the future wrong, a big step does */
    in_time = now_s - made_s <= (int64_t)service->nonce_valid_s &&
              made_s - now_s <= (int64_t)service->nonce_valid_s;
    return used_take(service->nonces->used, &key, made_s, owner_of(request), in_time) == USED_NOW
               ? ACME_NONCE_GOOD
               : ACME_NONCE_BAD;
}
