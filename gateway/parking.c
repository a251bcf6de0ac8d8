#include "gateway/parking.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RECENT_MAX = 256 };

struct parking {
    pthread_mutex_t lock;
    struct parked *first;
    size_t count, max;
    bool closed;
    /* Jobs that had news lately: who looked before and parks after would miss it. */
    struct job_id recent[RECENT_MAX];
    size_t recent_at;
};

bool parking_new(size_t max, struct parking **out, struct error *err)
{
    struct parking *parking = calloc(1, sizeof(*parking));

    if (parking == NULL)
        return error_set(err, ERROR_MEMORY, "parking");
    (void)pthread_mutex_init(&parking->lock, NULL);
    parking->max = max;
    *out = parking;
    return true;
}

void parking_free(struct parking *parking)
{
    if (parking == NULL)
        return;
    (void)pthread_mutex_destroy(&parking->lock);
    free(parking);
}

static bool same_job(const struct job_id *a, const struct job_id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static bool had_news(const struct parking *parking, const struct job_id *job)
{
    for (size_t i = 0; i < RECENT_MAX; i++)
        if (same_job(&parking->recent[i], job))
            return true;
    return false;
}

enum parking_place parking_put(struct parking *parking, struct parked *parked)
{
    enum parking_place place = PARKING_HELD;

    (void)pthread_mutex_lock(&parking->lock);
    if (parking->closed || parking->count == parking->max) {
        place = PARKING_REFUSED;
    } else if (had_news(parking, &parked->job)) {
        place = PARKING_NEWS;
    } else {
        parked->next = parking->first;
        parking->first = parked;
        parking->count++;
    }
    (void)pthread_mutex_unlock(&parking->lock);
    return place;
}

/* Takes out those of `job`, or (NULL) those whose time is over at `now_ms`. */
static struct parked *take_out(struct parking *parking, const struct job_id *job, int64_t now_ms)
{
    struct parked **at = &parking->first, *out = NULL;

    while (*at != NULL) {
        struct parked *p = *at;

        if (job != NULL ? same_job(&p->job, job) : p->until_ms <= now_ms) {
            *at = p->next;
            p->next = out;
            out = p;
            parking->count--;
        } else {
            at = &p->next;
        }
    }
    return out;
}

struct parked *parking_news(struct parking *parking, const struct job_id *job)
{
    struct parked *out;

    (void)pthread_mutex_lock(&parking->lock);
    parking->recent[parking->recent_at++ % RECENT_MAX] = *job;
    out = take_out(parking, job, 0);
    (void)pthread_mutex_unlock(&parking->lock);
    return out;
}

struct parked *parking_expired(struct parking *parking, int64_t now_ms)
{
    struct parked *out;

    (void)pthread_mutex_lock(&parking->lock);
    out = take_out(parking, NULL, now_ms);
    (void)pthread_mutex_unlock(&parking->lock);
    return out;
}

struct parked *parking_close(struct parking *parking)
{
    struct parked *out;

    (void)pthread_mutex_lock(&parking->lock);
    parking->closed = true;
    out = take_out(parking, NULL, INT64_MAX);
    (void)pthread_mutex_unlock(&parking->lock);
    return out;
}

int64_t parking_next_ms(struct parking *parking)
{
    int64_t next_ms = INT64_MAX;

    (void)pthread_mutex_lock(&parking->lock);
    for (const struct parked *p = parking->first; p != NULL; p = p->next)
        if (p->until_ms < next_ms)
            next_ms = p->until_ms;
    (void)pthread_mutex_unlock(&parking->lock);
    return next_ms;
}

size_t parking_count(struct parking *parking)
{
    size_t count;

    (void)pthread_mutex_lock(&parking->lock);
    count = parking->count;
    (void)pthread_mutex_unlock(&parking->lock);
    return count;
}
