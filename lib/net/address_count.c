#include "lib/net/address_count_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/random.h"

struct entry {
    struct entry *next;
    struct ip_address ip;
    unsigned connections;
};

struct address_count {
    pthread_mutex_t lock;
    unsigned max;
    size_t bucket_count; /* a power of two */
    uint64_t seed;       /* so that nobody can choose addresses of one bucket */
    struct entry *bucket[];
};

struct address_count *address_count_new(unsigned per_address_max, unsigned connections_max)
{
    struct address_count *count;
    size_t buckets = 64;

    while (buckets < connections_max && buckets < 1U << 20)
        buckets *= 2;
    count = calloc(1, sizeof(*count) + buckets * sizeof(count->bucket[0]));
    if (count == NULL)
        return NULL;
    count->max = per_address_max;
    count->bucket_count = buckets;
    if (!random_fill(&random_system, (uint8_t *)&count->seed, sizeof(count->seed)) ||
        pthread_mutex_init(&count->lock, NULL) != 0) {
        free(count);
        return NULL;
    }
    return count;
}

void address_count_free(struct address_count *count)
{
    if (count == NULL)
        return;
    for (size_t i = 0; i < count->bucket_count; i++) {
        while (count->bucket[i] != NULL) {
            struct entry *entry = count->bucket[i];

            count->bucket[i] = entry->next;
            free(entry);
        }
    }
    (void)pthread_mutex_destroy(&count->lock);
    free(count);
}

static struct ip_address counted_as(const struct ip_address *ip)
{
    struct ip_address key = *ip;

    if (key.len == 16)
        memset(key.bytes + 8, 0, 8);
    return key;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The entry of `key`, or where a new one goes. */
static struct entry **find(struct address_count *count, const struct ip_address *key)
{
    struct entry **at;
    uint64_t head = 0;

    memcpy(&head, key->bytes, sizeof(head));
    at = &count->bucket[mix(mix(head ^ count->seed) + key->len) & (count->bucket_count - 1)];
    while (*at != NULL && !ip_equal(&(*at)->ip, key))
        at = &(*at)->next;
    return at;
}

bool address_count_add(struct address_count *count, const struct ip_address *ip)
{
    struct ip_address key = counted_as(ip);
    struct entry **at;
    bool added;

    if (count->max == 0)
        return false;
    (void)pthread_mutex_lock(&count->lock);
    at = find(count, &key);
    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at != NULL)
            (*at)->ip = key;
    }
    added = *at != NULL && (*at)->connections < count->max;
    if (added)
        (*at)->connections++;
    (void)pthread_mutex_unlock(&count->lock);
    return added;
}

void address_count_remove(struct address_count *count, const struct ip_address *ip)
{
    struct ip_address key = counted_as(ip);
    struct entry **at, *entry;

    (void)pthread_mutex_lock(&count->lock);
    at = find(count, &key);
    entry = *at;
    assert(entry != NULL && entry->connections > 0);
    if (--entry->connections == 0) {
        *at = entry->next;
        free(entry);
    }
    (void)pthread_mutex_unlock(&count->lock);
}
