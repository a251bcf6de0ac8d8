#include "enroll/slow_down.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/random.h"

enum { FORGET_AFTER_S = 60 * 60, NONE = UINT32_MAX };

struct entry {
    struct digest256 key;
    int64_t last_s;
    unsigned strikes;
    uint32_t next_in_bucket;
    uint32_t older, newer;
};

/* Entries in buckets, and in the order of their last strike, so that a full table forgets the oldest. */
struct table {
    pthread_mutex_t lock;
    uint64_t seed; /* odd; which keys share a bucket cannot be foreseen */
    uint32_t entries_max, used, free;
    uint32_t bucket_count;
    uint32_t *bucket;
    struct entry *entry;
    uint32_t oldest, newest;
};

struct slow_down {
    struct table *table;
};

static void table_free(struct table *t)
{
    if (t == NULL)
        return;
    free(t->bucket);
    free(t->entry);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct table *table_new(uint32_t entries_max)
{
    struct table *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    t->entries_max = entries_max;
    t->bucket_count = entries_max;
    t->bucket = calloc(t->bucket_count, sizeof(*t->bucket));
    t->entry = calloc(entries_max, sizeof(*t->entry));
    if (t->bucket == NULL || t->entry == NULL ||
        !random_fill(&random_system, (uint8_t *)&t->seed, sizeof(t->seed))) {
        table_free(t);
        return NULL;
    }
    t->seed |= 1;
    t->oldest = t->newest = t->free = NONE;
    for (uint32_t i = 0; i < t->bucket_count; i++)
        t->bucket[i] = NONE;
    return t;
}

bool slow_down_new(size_t entries_max, struct slow_down **out, struct error *err)
{
    struct slow_down *s;

    if (entries_max == 0 || entries_max >= NONE)
        return error_set(err, ERROR_INTERNAL, "slow-down: a table of %zu entries", entries_max);
    s = calloc(1, sizeof(*s));
    if (s != NULL)
        s->table = table_new((uint32_t)entries_max);
    if (s == NULL || s->table == NULL) {
        free(s);
        return error_set(err, ERROR_MEMORY, "slow-down: no memory for %zu entries", entries_max);
    }
    *out = s;
    return true;
}

void slow_down_free(struct slow_down *s)
{
    if (s == NULL)
        return;
    table_free(s->table);
    free(s);
}

bool slow_down_key(const struct ip_address *source, const struct dns_name *fqdn, struct digest256 *out)
{
    enum { PREFIX_4 = 3, PREFIX_6 = 7 }; /* octets: /24, /56 */
    const uint8_t kind[] = { source->len };
    const struct bytes part[] = { BYTES_ARRAY(kind),
                                  bytes_slice(ip_bytes(source), 0, source->len == 4 ? PREFIX_4 : PREFIX_6),
                                  dns_name_bytes(fqdn) };

    return sha256_parts(part, COUNT_OF(part), out);
}

/* --- the table, under its lock --- */
static uint32_t *bucket_of(struct table *t, const struct digest256 *key)
{
    uint64_t head;

    memcpy(&head, key->bytes, sizeof(head));
    return &t->bucket[((head * t->seed) >> 32) % t->bucket_count];
}

static uint32_t find(struct table *t, const struct digest256 *key)
{
    uint32_t at = *bucket_of(t, key);

    while (at != NONE && !digest256_equal(&t->entry[at].key, key))
        at = t->entry[at].next_in_bucket;
    return at;
}

static void unlink_age(struct table *t, uint32_t at)
{
    struct entry *e = &t->entry[at];

    *(e->older != NONE ? &t->entry[e->older].newer : &t->oldest) = e->newer;
    *(e->newer != NONE ? &t->entry[e->newer].older : &t->newest) = e->older;
}

static void link_newest(struct table *t, uint32_t at)
{
    struct entry *e = &t->entry[at];

    e->older = t->newest;
    e->newer = NONE;
    *(t->newest != NONE ? &t->entry[t->newest].newer : &t->oldest) = at;
    t->newest = at;
}

static void forget(struct table *t, uint32_t at)
{
    uint32_t *link = bucket_of(t, &t->entry[at].key);

    while (*link != at)
        link = &t->entry[*link].next_in_bucket;
    *link = t->entry[at].next_in_bucket;
    unlink_age(t, at);
    t->entry[at].next_in_bucket = t->free;
    t->free = at;
}

static uint32_t make(struct table *t, const struct digest256 *key)
{
    uint32_t at, *bucket = bucket_of(t, key);

    if (t->free == NONE && t->used == t->entries_max)
        forget(t, t->oldest);
    if (t->free != NONE) {
        at = t->free;
        t->free = t->entry[at].next_in_bucket;
    } else {
        at = t->used++;
    }
    t->entry[at] = (struct entry){ .key = *key, .next_in_bucket = *bucket };
    *bucket = at;
    link_newest(t, at);
    return at;
}

/* --- what others see --- */
static unsigned pause_s(unsigned strikes, unsigned after, unsigned max_s)
{
    unsigned doublings = strikes - after;

    return doublings >= 31 || (1u << doublings) > max_s ? max_s : 1u << doublings;
}

unsigned slow_down_wait_s(const struct slow_down *s, const struct digest256 *key, unsigned after,
                          unsigned max_s, int64_t now_s)
{
    struct table *t = s->table;
    unsigned wait_s = 0;
    uint32_t at;

    if (after == 0)
        return 0;
    pthread_mutex_lock(&t->lock);
    at = find(t, key);
    if (at != NONE && t->entry[at].strikes >= after) {
        int64_t since_s = now_s - t->entry[at].last_s;
        unsigned pause = pause_s(t->entry[at].strikes, after, max_s);

        if (since_s < 0)
            since_s = 0; /* the clock was set back */
        if (since_s < FORGET_AFTER_S && since_s < pause)
            wait_s = pause - (unsigned)since_s;
    }
    pthread_mutex_unlock(&t->lock);
    return wait_s;
}

void slow_down_strike(struct slow_down *s, const struct digest256 *key, int64_t now_s)
{
    struct table *t = s->table;
    struct entry *e;
    uint32_t at;

    pthread_mutex_lock(&t->lock);
    at = find(t, key);
    if (at == NONE) {
        at = make(t, key);
    } else {
        unlink_age(t, at);
        link_newest(t, at);
    }
    e = &t->entry[at];
    if (e->strikes > 0 && now_s - e->last_s >= FORGET_AFTER_S)
        e->strikes = 0;
    if (e->strikes < UINT32_MAX)
        e->strikes++;
    e->last_s = now_s;
    pthread_mutex_unlock(&t->lock);
}

void slow_down_clear(struct slow_down *s, const struct digest256 *key)
{
    struct table *t = s->table;
    uint32_t at;

    pthread_mutex_lock(&t->lock);
    at = find(t, key);
    if (at != NONE)
        forget(t, at);
    pthread_mutex_unlock(&t->lock);
}
