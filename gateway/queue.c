#include "gateway/queue.h"

#include <errno.h>
#include <time.h>

void queue_init(struct queue *queue, size_t max)
{
    pthread_condattr_t steady;

    *queue = (struct queue){ .max = max };
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_cond_init(&queue->filled, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&queue->ripe, &steady);
    (void)pthread_condattr_destroy(&steady);
}

void queue_destroy(struct queue *queue)
{
    (void)pthread_cond_destroy(&queue->ripe);
    (void)pthread_cond_destroy(&queue->filled);
    (void)pthread_mutex_destroy(&queue->lock);
}

/* With the lock held: is what somebody gathers together? */
static bool is_ripe(const struct queue *queue)
{
    return queue->count >= queue->enough || queue->hurried || queue->closed;
}

static bool put(struct queue *queue, struct queue_item *item, size_t max, bool hurry)
{
    bool taken = false;

    (void)pthread_mutex_lock(&queue->lock);
    if (!queue->closed && queue->count < max) {
        item->next = NULL;
        if (queue->last == NULL)
            queue->first = item;
        else
            queue->last->next = item;
        queue->last = item;
        queue->count++;
        queue->hurried |= hurry;
        taken = true;
        if (queue->enough == 0)
            (void)pthread_cond_signal(&queue->filled);
        else if (is_ripe(queue))
            (void)pthread_cond_signal(&queue->ripe);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return taken;
}

bool queue_put(struct queue *queue, struct queue_item *item)
{
    return put(queue, item, queue->max, false);
}

bool queue_put_last(struct queue *queue, struct queue_item *item)
{
    return put(queue, item, queue->max, true);
}

bool queue_put_back(struct queue *queue, struct queue_item *item)
{
    return put(queue, item, SIZE_MAX, false);
}

void queue_hurry(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    if (queue->count > 0) {
        queue->hurried = true;
        (void)pthread_cond_signal(&queue->ripe);
    }
    (void)pthread_mutex_unlock(&queue->lock);
}

/* Unlinks at most `max` items as a list. With the lock held. */
static struct queue_item *unlink_first(struct queue *queue, size_t max, size_t *count)
{
    struct queue_item *first = queue->first, *last = first;

    *count = first == NULL ? 0 : 1;
    while (last != NULL && *count < max && last->next != NULL) {
        last = last->next;
        ++*count;
    }
    if (last != NULL) {
        queue->first = last->next;
        last->next = NULL;
    }
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count -= *count;
    return first;
}

static void wait_for_one(struct queue *queue)
{
    while (queue->count == 0 && !queue->closed)
        (void)pthread_cond_wait(&queue->filled, &queue->lock);
}

static void wait_for_more(struct queue *queue, const struct gathering *gathering)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)gathering->wait_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    queue->enough = gathering->enough;
    while (!is_ripe(queue) && pthread_cond_timedwait(&queue->ripe, &queue->lock, &until) != ETIMEDOUT)
        ;
    queue->enough = 0;
}

struct queue_item *queue_gather(struct queue *queue, const struct gathering *gathering, size_t *count)
{
    struct queue_item *first;

    (void)pthread_mutex_lock(&queue->lock);
    wait_for_one(queue);
    if (queue->count < gathering->enough && !queue->hurried && !queue->closed)
        wait_for_more(queue, gathering);
    queue->hurried = false;
    first = unlink_first(queue, gathering->max, count);
    (void)pthread_mutex_unlock(&queue->lock);
    return first;
}

struct queue_item *queue_try_take(struct queue *queue)
{
    struct queue_item *first;
    size_t count;

    (void)pthread_mutex_lock(&queue->lock);
    first = unlink_first(queue, 1, &count);
    (void)pthread_mutex_unlock(&queue->lock);
    return first;
}

struct queue_item *queue_take(struct queue *queue)
{
    struct queue_item *first;
    size_t count;

    (void)pthread_mutex_lock(&queue->lock);
    wait_for_one(queue);
    first = unlink_first(queue, 1, &count);
    (void)pthread_mutex_unlock(&queue->lock);
    return first;
}

void queue_close(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->filled);
    (void)pthread_cond_broadcast(&queue->ripe);
    (void)pthread_mutex_unlock(&queue->lock);
}

size_t queue_length(struct queue *queue)
{
    size_t count;

    (void)pthread_mutex_lock(&queue->lock);
    count = queue->count;
    (void)pthread_mutex_unlock(&queue->lock);
    return count;
}
