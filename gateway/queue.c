#include "gateway/queue.h"

void queue_init(struct queue *queue, size_t max)
{
    *queue = (struct queue){ .max = max };
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_cond_init(&queue->filled, NULL);
}

void queue_destroy(struct queue *queue)
{
    (void)pthread_cond_destroy(&queue->filled);
    (void)pthread_mutex_destroy(&queue->lock);
}

static bool put(struct queue *queue, struct queue_item *item, size_t max)
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
        taken = true;
        (void)pthread_cond_signal(&queue->filled);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return taken;
}

bool queue_put(struct queue *queue, struct queue_item *item)
{
    return put(queue, item, queue->max);
}

bool queue_put_back(struct queue *queue, struct queue_item *item)
{
    return put(queue, item, SIZE_MAX);
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

struct queue_item *queue_take_all(struct queue *queue, size_t max, size_t *count)
{
    struct queue_item *first;

    (void)pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed)
        (void)pthread_cond_wait(&queue->filled, &queue->lock);
    first = unlink_first(queue, max, count);
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
    size_t count;

    return queue_take_all(queue, 1, &count);
}

void queue_close(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->filled);
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
