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
    pthread_cond_t filled, ripe;
    struct queue_item *first, *last;
    size_t count, max, enough; /* enough: how many somebody gathers; 0: nobody does */
    bool closed, hurried;
};

void queue_init(struct queue *queue, size_t max);
void queue_destroy(struct queue *queue);

/* False when it is full or closed: the caller keeps the item. */
MUST_USE bool queue_put(struct queue *queue, struct queue_item *item);

/* As queue_put, but beyond the bound too: for what was admitted before and must not be lost. False when
 * closed. */
MUST_USE bool queue_put_back(struct queue *queue, struct queue_item *item);

/* As queue_put; and whoever gathers takes what is in without waiting for more. */
MUST_USE bool queue_put_last(struct queue *queue, struct queue_item *item);

/* Whoever gathers takes what is in, if there is anything, without waiting for more. */
void queue_hurry(struct queue *queue);

/* Waits for an item; NULL when the queue is closed and empty. */
struct queue_item *queue_take(struct queue *queue);

/* An item that waits, or NULL. */
struct queue_item *queue_try_take(struct queue *queue);

struct gathering {
    size_t enough, max;
    unsigned wait_ms;
};

/* Waits for one item, then for `wait_ms` at most until there are `enough` or somebody hurries; takes what
 * there is, at most `max`, as a list. NULL when closed and empty. */
struct queue_item *queue_gather(struct queue *queue, const struct gathering *gathering, size_t *count);

/* Nothing more goes in; what is in still comes out. */
void queue_close(struct queue *queue);

size_t queue_length(struct queue *queue);

#endif
