#include "gateway/targets.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOOKED_AT_MAX = 8 };

struct waiting {
    struct job_id job;
    uint64_t share;
    unsigned share_max;
};

struct share {
    uint64_t id;
    unsigned under_way; /* one at least */
};

struct target {
    char name[64];
    unsigned max, under_way;
    unsigned failures; /* one after the other */
    int64_t peace_until_ms, peace_ms;
    struct waiting *waiting; /* in the order that they came in */
    size_t count;
    struct share share[TARGET_SHARES_MAX];
    size_t share_count;
    uint64_t sent, failed;
};

struct targets {
    pthread_mutex_t lock;
    struct target target[TARGETS_MAX];
    size_t count;
};

bool targets_new(struct targets **out, struct error *err)
{
    struct targets *targets = calloc(1, sizeof(*targets));

    if (targets == NULL)
        return error_set(err, ERROR_MEMORY, "targets");
    (void)pthread_mutex_init(&targets->lock, NULL);
    *out = targets;
    return true;
}

void targets_free(struct targets *targets)
{
    if (targets == NULL)
        return;
    for (size_t i = 0; i < targets->count; i++)
        free(targets->target[i].waiting);
    (void)pthread_mutex_destroy(&targets->lock);
    free(targets);
}

/* NULL: there are too many (or no memory); then nothing is bounded. */
static struct target *target_named(struct targets *targets, const char *name)
{
    struct target *t;

    for (size_t i = 0; i < targets->count; i++)
        if (strcmp(targets->target[i].name, name) == 0)
            return &targets->target[i];
    if (targets->count == TARGETS_MAX || strlen(name) >= sizeof(t->name))
        return NULL;
    t = &targets->target[targets->count];
    t->waiting = calloc(TARGET_WAITING_MAX, sizeof(*t->waiting));
    if (t->waiting == NULL)
        return NULL;
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    targets->count++;
    return t;
}

static bool is_in_peace(const struct target *t)
{
    return t->failures >= TARGET_FAILURES_MAX;
}

static bool is_free(const struct target *t, int64_t now_ms)
{
    if (is_in_peace(t))
        return now_ms >= t->peace_until_ms && t->under_way == 0; /* one alone tries */
    return t->under_way < t->max;
}

/* --- shares --- */
static struct share *share_of(struct target *t, uint64_t id)
{
    for (size_t i = 0; i < t->share_count; i++)
        if (t->share[i].id == id)
            return &t->share[i];
    return NULL;
}

static unsigned share_under_way(struct target *t, uint64_t id)
{
    const struct share *share = share_of(t, id);

    return share != NULL ? share->under_way : 0;
}

static bool share_is_full(struct target *t, uint64_t id, unsigned max)
{
    return max > 0 && share_under_way(t, id) >= max;
}

static void enter(struct target *t, uint64_t id)
{
    struct share *share = share_of(t, id);

    t->under_way++;
    if (share == NULL && t->share_count < TARGET_SHARES_MAX) {
        share = &t->share[t->share_count++];
        *share = (struct share){ .id = id };
    }
    if (share != NULL)
        share->under_way++;
}

static void leave(struct target *t, uint64_t id)
{
    struct share *share = share_of(t, id);

    if (t->under_way > 0)
        t->under_way--;
    if (share != NULL && --share->under_way == 0)
        *share = t->share[--t->share_count];
}

/* --- who waits --- */
static void drop(struct target *t, size_t index)
{
    memmove(&t->waiting[index], &t->waiting[index + 1], (t->count - index - 1) * sizeof(*t->waiting));
    t->count--;
}

static size_t waiting_of_share(const struct target *t, uint64_t share)
{
    size_t count = 0;

    for (size_t i = 0; i < t->count; i++)
        count += t->waiting[i].share == share;
    return count;
}

/* A share that has none waiting takes the last place of one that has several; that job is due again anyway.
 */
static bool give_way(struct target *t)
{
    for (size_t back = 1; back <= LOOKED_AT_MAX && back <= t->count; back++) {
        if (waiting_of_share(t, t->waiting[t->count - back].share) > 1) {
            drop(t, t->count - back);
            return true;
        }
    }
    return false;
}

static void remember(struct target *t, const struct target_place *place, const struct job_id *job)
{
    size_t of_share = waiting_of_share(t, place->share);

    for (size_t i = 0; i < t->count; i++)
        if (memcmp(&t->waiting[i].job, job, sizeof(*job)) == 0)
            return;
    if (place->share_max > 0 && of_share >= TARGET_WAITING_SHARE_MAX)
        return;
    if (t->count < TARGET_WAITING_MAX || (of_share == 0 && give_way(t)))
        t->waiting[t->count++] = (struct waiting){ *job, place->share, place->share_max };
}

static void forget(struct target *t, const struct job_id *job)
{
    for (size_t i = 0; i < t->count; i++) {
        if (memcmp(&t->waiting[i].job, job, sizeof(*job)) != 0)
            continue;
        drop(t, i);
        return;
    }
}

/* Whose share has the fewest under way; of several the one that has waited longest. count: none may. */
static size_t first_in_turn(struct target *t)
{
    size_t first = t->count;
    unsigned fewest = UINT_MAX;

    for (size_t i = 0; i < t->count && fewest > 0; i++) {
        const struct waiting *w = &t->waiting[i];
        unsigned under_way = share_under_way(t, w->share);

        if (under_way >= fewest || share_is_full(t, w->share, w->share_max))
            continue;
        fewest = under_way;
        first = i;
    }
    return first;
}

/* --- what the runner does --- */
static struct target *target_at(struct targets *targets, const struct target_place *place)
{
    struct target *t = target_named(targets, place->name);

    if (t != NULL)
        t->max = place->max > 0 ? place->max : 1; /* of the configuration in force */
    return t;
}

bool target_take(struct targets *targets, const struct target_place *place, const struct job_id *job,
                 int64_t now_ms)
{
    struct target *t;
    bool taken = true;

    (void)pthread_mutex_lock(&targets->lock);
    t = target_at(targets, place);
    if (t != NULL) {
        taken = is_free(t, now_ms) && !share_is_full(t, place->share, place->share_max);
        if (taken) {
            enter(t, place->share);
            forget(t, job); /* it came by itself, because its time had come */
        } else {
            remember(t, place, job);
        }
    }
    (void)pthread_mutex_unlock(&targets->lock);
    return taken;
}

void target_take_next(struct targets *targets, const struct target_place *place)
{
    struct target *t;

    (void)pthread_mutex_lock(&targets->lock);
    t = target_at(targets, place);
    if (t != NULL)
        enter(t, place->share);
    (void)pthread_mutex_unlock(&targets->lock);
}

static void note_failure(struct target *t, int64_t now_ms)
{
    t->failed++;
    t->failures++;
    if (!is_in_peace(t))
        return;
    t->peace_ms = t->peace_ms == 0 ? TARGET_PEACE_MIN_MS : t->peace_ms * 2;
    if (t->peace_ms > TARGET_PEACE_MAX_MS)
        t->peace_ms = TARGET_PEACE_MAX_MS;
    t->peace_until_ms = now_ms + t->peace_ms;
}

void target_done(struct targets *targets, const struct target_place *place, enum target_outcome outcome,
                 int64_t now_ms, bool *changed)
{
    struct target *t;

    *changed = false;
    (void)pthread_mutex_lock(&targets->lock);
    t = target_named(targets, place->name);
    if (t != NULL) {
        bool before = is_in_peace(t);

        leave(t, place->share);
        t->sent += outcome != TARGET_NOT_SENT;
        if (outcome == TARGET_FAILED) {
            note_failure(t, now_ms);
        } else if (outcome == TARGET_ANSWERED) {
            t->failures = 0;
            t->peace_ms = 0;
        }
        *changed = before != is_in_peace(t);
    }
    (void)pthread_mutex_unlock(&targets->lock);
}

bool targets_next(struct targets *targets, int64_t now_ms, struct job_id *out)
{
    bool found = false;

    (void)pthread_mutex_lock(&targets->lock);
    for (size_t i = 0; i < targets->count && !found; i++) {
        struct target *t = &targets->target[i];
        size_t first = t->count > 0 && is_free(t, now_ms) ? first_in_turn(t) : t->count;

        found = first < t->count;
        if (found) {
            *out = t->waiting[first].job;
            forget(t, out);
        }
    }
    (void)pthread_mutex_unlock(&targets->lock);
    return found;
}

static void put_each(const struct targets *targets, struct buffer *out, const char *name, const char *type,
                     uint64_t (*value)(const struct target *t))
{
    if (targets->count == 0)
        return;
    buffer_format(out, "# TYPE %s %s\n", name, type);
    for (size_t i = 0; i < targets->count; i++)
        buffer_format(out, "%s{target=\"%s\"} %llu\n", name, targets->target[i].name,
                      (unsigned long long)value(&targets->target[i]));
}

static uint64_t sent_of(const struct target *t)
{
    return t->sent;
}

static uint64_t failed_of(const struct target *t)
{
    return t->failed;
}

static uint64_t under_way_of(const struct target *t)
{
    return t->under_way;
}

static uint64_t waiting_of(const struct target *t)
{
    return t->count;
}

static uint64_t answers_of(const struct target *t)
{
    return !is_in_peace(t);
}

void targets_metrics(struct targets *targets, struct buffer *out)
{
    (void)pthread_mutex_lock(&targets->lock);
    put_each(targets, out, "muster_target_requests_total", "counter", sent_of);
    put_each(targets, out, "muster_target_failures_total", "counter", failed_of);
    put_each(targets, out, "muster_target_requests_under_way", "gauge", under_way_of);
    put_each(targets, out, "muster_target_jobs_waiting", "gauge", waiting_of);
    put_each(targets, out, "muster_target_answers", "gauge", answers_of);
    (void)pthread_mutex_unlock(&targets->lock);
}
