#include "lib/base/used.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 8 };

struct use {
    struct digest256 key;
    int64_t made_s;
    struct used_owner owner;
    bool taken;
};

struct bucket {
    struct use use[WAYS];
    int64_t forgotten_s;
};

struct used {
    pthread_mutex_t lock;
    size_t bucket_count;
    struct bucket *bucket;
};

bool used_new(size_t max, struct used **out, struct error *err)
{
    struct used *u = calloc(1, sizeof(*u));

    if (u == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for used nonces");
    u->bucket_count = max / WAYS > 0 ? max / WAYS : 1;
    u->bucket = calloc(u->bucket_count, sizeof(*u->bucket));
    if (u->bucket == NULL || pthread_mutex_init(&u->lock, NULL) != 0) {
        free(u->bucket);
        free(u);
        return error_set(err, ERROR_MEMORY, "no memory for used nonces");
    }
    for (size_t i = 0; i < u->bucket_count; i++)
        u->bucket[i].forgotten_s = -1;
    *out = u;
    return true;
}

void used_free(struct used *used)
{
    if (used == NULL)
        return;
    (void)pthread_mutex_destroy(&used->lock);
    free(used->bucket);
    free(used);
}

static struct bucket *bucket_of(struct used *u, const struct digest256 *key)
{
    uint64_t index = 0;

    for (size_t i = 0; i < 8; i++)
        index = index << 8 | key->bytes[i];
    return &u->bucket[index % u->bucket_count];
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

static bool same_owner(struct used_owner a, struct used_owner b)
{
    return a.at != NULL && a.at == b.at && a.number == b.number;
}

static enum used_verdict take_use(struct bucket *b, const struct use *wanted, bool in_time)
{
    struct use *seen = find_use(b, &wanted->key);

    if (seen != NULL)
        return same_owner(seen->owner, wanted->owner) ? USED_NOW : USED_BEFORE;
    if (!in_time || wanted->made_s <= b->forgotten_s)
        return USED_STALE;
    *make_room(b) = *wanted;
    return USED_NOW;
}

enum used_verdict used_take(struct used *used, const struct digest256 *key, int64_t made_s,
                            struct used_owner owner, bool in_time)
{
    const struct use wanted = { .key = *key, .made_s = made_s, .owner = owner, .taken = true };
    enum used_verdict verdict;

    (void)pthread_mutex_lock(&used->lock);
    verdict = take_use(bucket_of(used, key), &wanted, in_time);
    (void)pthread_mutex_unlock(&used->lock);
    return verdict;
}
