/* queue.h: a bounded queue between threads. Items are linked through a member of their own, so that putting
 * one in allocates nothing. */
#ifndef MUSTER_GATEWAY_QUEUE_H
#define MUSTER_GATEWAY_QUEUE_H

#include <pthread.h>

#include "lib/base/base.h"

struct queue_item {
    struct queue_item *next;
};

/* The struct that an item is a member of. */
#define queue_owner(item, type, member) ((type *)(void *)((char *)(item)-offsetof(type, member)))

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct queue_item *first, *last;
    size_t count, max;
    bool closed;
};

void queue_init(struct queue *queue, size_t max);
void queue_destroy(struct queue *queue);

/* False when it is full or closed: the caller keeps the item. */
MUST_USE bool queue_put(struct queue *queue, struct queue_item *item);

/* As queue_put, but beyond the bound too: for what was admitted before and must not be lost. False when
 * closed. */
MUST_USE bool queue_put_back(struct queue *queue, struct queue_item *item);

/* Waits for an item; NULL when the queue is closed and empty. */
struct queue_item *queue_take(struct queue *queue);

/* An item that waits, or NULL. */
struct queue_item *queue_try_take(struct queue *queue);

/* Waits for at least one and takes all that waits, at most `max`, as a list; NULL when closed and empty. */
struct queue_item *queue_take_all(struct queue *queue, size_t max, size_t *count);

/* Nothing more goes in; what is in still comes out. */
void queue_close(struct queue *queue);

size_t queue_length(struct queue *queue);

#endif
