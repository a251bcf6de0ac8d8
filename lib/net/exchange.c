#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/net/net_internal.h"

struct mailbox {
    atomic_uint refs;
    pthread_mutex_t lock;
    struct exchange *first, **last;
    bool closed;
    int wake_fd;
};

struct mailbox *mailbox_new(struct error *err)
{
    struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

    if (mailbox == NULL) {
        (void)error_set(err, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    mailbox->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->wake_fd < 0 || pthread_mutex_init(&mailbox->lock, NULL) != 0) {
        (void)error_errno(err, "eventfd");
        if (mailbox->wake_fd >= 0)
            (void)close(mailbox->wake_fd);
        free(mailbox);
        return NULL;
    }
    mailbox->last = &mailbox->first;
    atomic_init(&mailbox->refs, 1);
    return mailbox;
}

struct mailbox *mailbox_ref(struct mailbox *mailbox)
{
    (void)atomic_fetch_add(&mailbox->refs, 1);
    return mailbox;
}

void mailbox_unref(struct mailbox *mailbox)
{
    if (mailbox == NULL || atomic_fetch_sub(&mailbox->refs, 1) != 1)
        return;
    (void)pthread_mutex_destroy(&mailbox->lock);
    (void)close(mailbox->wake_fd);
    free(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->wake_fd;
}

void mailbox_wake(struct mailbox *mailbox)
{
    uint64_t one = 1;

    while (write(mailbox->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

struct exchange *mailbox_take(struct mailbox *mailbox)
{
    struct exchange *taken;
    uint64_t wakes;

    while (read(mailbox->wake_fd, &wakes, sizeof(wakes)) < 0 && errno == EINTR)
        ;
    (void)pthread_mutex_lock(&mailbox->lock);
    taken = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    (void)pthread_mutex_unlock(&mailbox->lock);
    return taken;
}

void mailbox_close(struct mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    (void)pthread_mutex_unlock(&mailbox->lock);
}

/* False when closed. The first one in wakes the loop; the others ride along. */
static bool mailbox_put(struct mailbox *mailbox, struct exchange *exchange)
{
    bool open, first;

    (void)pthread_mutex_lock(&mailbox->lock);
    open = !mailbox->closed;
    first = mailbox->first == NULL;
    if (open) {
        exchange->next = NULL;
        *mailbox->last = exchange;
        mailbox->last = &exchange->next;
        if (first) /* under the lock: the loop may free the exchange and itself right after */
            mailbox_wake(mailbox);
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return open;
}

struct exchange *exchange_new(struct mailbox *mailbox, size_t arena_max)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL)
        return NULL;
    exchange->arena = arena_new(arena_max);
    if (exchange->arena == NULL) {
        free(exchange);
        return NULL;
    }
    exchange->mailbox = mailbox_ref(mailbox);
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    peer_identity_unref(exchange->identity);
    mailbox_unref(exchange->mailbox);
    arena_free(exchange->arena);
    free(exchange);
}

void exchange_reset(struct exchange *exchange)
{
    peer_identity_unref(exchange->identity);
    arena_reset(exchange->arena);
    *exchange = (struct exchange){ .arena = exchange->arena, .mailbox = exchange->mailbox };
}

/* Within its own loop: at once, or, inside on_request, as soon as that has returned. */
static void reply_here(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;

    if (connection == NULL)
        exchange_free(exchange);
    else if (connection->dispatching)
        connection->answered = true;
    else
        connection_answer(connection);
}

void net_reply(struct net_exchange *open)
{
    struct exchange *exchange = (struct exchange *)open;
    struct mailbox *mailbox;

    if (loop_is_current(exchange->mailbox)) {
        reply_here(exchange);
        return;
    }
    mailbox = mailbox_ref(exchange->mailbox);
    if (!mailbox_put(mailbox, exchange))
        exchange_free(exchange);
    /* This count is our own, taken above. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    mailbox_unref(mailbox);
}
