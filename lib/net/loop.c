#include <errno.h>
#include <fcntl.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/net_internal.h"

static _Thread_local const struct mailbox *current_mailbox;

bool loop_is_current(const struct mailbox *mailbox)
{
    return current_mailbox == mailbox;
}

void loop_tick(struct net_loop *loop)
{
    loop->now_ms = clock_monotonic_ms();
}

static void connection_free(struct connection *c)
{
    peer_identity_unref(c->identity);
    buffer_free(&c->in);
    buffer_free(&c->out);
    free(c);
}

void loop_reap(struct net_loop *loop)
{
    while (loop->dead != NULL) {
        struct connection *c = loop->dead;

        loop->dead = c->next;
        connection_free(c);
    }
    if (loop->stopping && loop->connections == NULL)
        (void)event_base_loopbreak(loop->base);
}

/* --- Exchanges, kept for the next request: their first block of memory is paid for once --- */

struct exchange *loop_exchange(struct net_loop *loop)
{
    struct exchange *exchange = loop->spare;

    if (exchange == NULL)
        return exchange_new(loop->mailbox, loop->server->options.arena_max);
    loop->spare = exchange->next;
    loop->spare_count--;
    exchange->next = NULL;
    return exchange;
}

void loop_exchange_done(struct net_loop *loop, struct exchange *exchange)
{
    if (loop->spare_count >= SPARE_EXCHANGES_MAX) {
        exchange_free(exchange);
        return;
    }
    exchange_reset(exchange);
    exchange->next = loop->spare;
    loop->spare = exchange;
    loop->spare_count++;
}

/* --- Accepting --- */

/* Out of descriptors: without this, the waiting connection would wake us for ever. */
static void turn_one_away(struct net_loop *loop, int listen_fd)
{
    int fd;

    COUNT(loop, refused_limit);
    if (loop->reserve_fd >= 0)
        (void)close(loop->reserve_fd);
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    loop->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_acceptable(evutil_socket_t listen_fd, short what, void *arg)
{
    struct loop_listener *listener = arg;
    struct net_loop *loop = listener->loop;

    (void)what;
    loop_tick(loop);
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
        socklen_t len = sizeof(from);
        int fd = accept4(listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            connection_open(loop, listener, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE) {
            turn_one_away(loop, listen_fd);
            break;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    loop_reap(loop);
}

/* --- Stopping --- */

static void close_listener(struct loop_listener *listener)
{
    if (listener->fd < 0)
        return;
    (void)event_del(&listener->acceptable);
    (void)close(listener->fd);
    listener->fd = -1;
}

static void close_listeners(struct net_loop *loop)
{
    for (size_t i = 0; i < loop->server->listener_count; i++)
        close_listener(&loop->listener[i]);
}

static void for_each_connection(struct net_loop *loop, void (*act)(struct connection *))
{
    for (struct connection *c = loop->connections, *next; c != NULL; c = next) {
        next = c->next; /* closing moves it to another list */
        act(c);
    }
}

static void on_drain_over(evutil_socket_t fd, short what, void *arg)
{
    struct net_loop *loop = arg;

    (void)fd;
    (void)what;
    for_each_connection(loop, connection_close);
    loop_reap(loop);
}

static void begin_to_stop(struct net_loop *loop)
{
    unsigned ms = loop->server->options.drain_ms;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    loop->stopping = true;
    close_listeners(loop);
    for_each_connection(loop, connection_drain);
    (void)event_add(&loop->drain, &tv);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
    struct net_loop *loop = arg;
    struct exchange *exchange = mailbox_take(loop->mailbox), *next;

    (void)fd;
    (void)what;
    loop_tick(loop);
    for (; exchange != NULL; exchange = next) {
        next = exchange->next;
        if (exchange->connection != NULL)
            connection_answer(exchange->connection);
        else
            loop_exchange_done(loop, exchange);
    }
    if (atomic_load(&loop->server->stopping) && !loop->stopping)
        begin_to_stop(loop);
    loop_reap(loop);
}

/* --- The thread --- */

static void *run(void *arg)
{
    struct net_loop *loop = arg;
    sigset_t all;

    (void)sigfillset(&all); /* signals are for the main thread; a broken pipe is an error code here */
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    (void)OSSL_LIB_CTX_set0_default(loop->library);
    current_mailbox = loop->mailbox;
    (void)event_base_dispatch(loop->base);
    for_each_connection(loop, connection_close);
    loop_reap(loop);
    mailbox_close(loop->mailbox);
    for (struct exchange *e = mailbox_take(loop->mailbox), *next; e != NULL; e = next) {
        next = e->next;
        exchange_free(e);
    }
    current_mailbox = NULL;
    OPENSSL_thread_stop_ex(loop->library);
    return NULL;
}

bool loop_start(struct net_loop *loop, struct error *err)
{
    int code = pthread_create(&loop->thread, NULL, run, loop);

    errno = code;
    if (code != 0)
        return error_errno(err, "event loop thread");
    loop->started = true;
    return true;
}

void loop_join(struct net_loop *loop)
{
    if (!loop->started)
        return;
    (void)pthread_join(loop->thread, NULL);
    loop->started = false;
}

/* --- Making one --- */

/* Without locks: the base is this thread's, and the mailbox wakes it. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    return base;
}

static bool load_system_configuration(OSSL_LIB_CTX *library)
{
    char *path = CONF_get1_default_config_file();
    bool loaded = path == NULL || access(path, R_OK) != 0 || OSSL_LIB_CTX_load_config(library, path) == 1;

    OPENSSL_free(path);
    return loaded;
}

static bool make_library(struct net_loop *loop, struct error *err)
{
    loop->library = OSSL_LIB_CTX_new();
    if (loop->library == NULL || !load_system_configuration(loop->library))
        return error_openssl(err, "library context of an event loop");
    return true;
}

static bool make_events(struct net_loop *loop, struct error *err)
{
    loop->base = new_base();
    if (loop->base == NULL)
        return error_set(err, ERROR_IO, "cannot make an event loop");
    (void)event_assign(&loop->mail, loop->base, mailbox_fd(loop->mailbox), EV_READ | EV_PERSIST, on_mail,
                       loop);
    (void)event_assign(&loop->drain, loop->base, -1, 0, on_drain_over, loop);
    if (event_add(&loop->mail, NULL) != 0)
        return error_set(err, ERROR_IO, "cannot watch an event loop's mailbox");
    return true;
}

/* The first loop's socket decides the port; the others share it. */
static bool make_listener(struct net_loop *loop, size_t i, struct error *err)
{
    struct net_server *server = loop->server;
    struct listener *listener = &server->listener[i];
    struct loop_listener *mine = &loop->listener[i];

    mine->loop = loop;
    mine->listener = listener;
    if (!listen_socket(&listener->settings, listener->port, server->options.loops > 1, &mine->fd, err))
        return false;
    if (listener->port == 0)
        listener->port = listen_port(mine->fd);
    (void)event_assign(&mine->acceptable, loop->base, mine->fd, EV_READ | EV_PERSIST, on_acceptable, mine);
    if (event_add(&mine->acceptable, NULL) != 0)
        return error_set(err, ERROR_IO, "listener %s: cannot be watched", listener->settings.name);
    return true;
}

bool loop_new(struct net_server *server, struct net_loop **out, struct error *err)
{
    struct net_loop *loop = calloc(1, sizeof(*loop));
    bool made;

    if (loop == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    loop->server = server;
    loop->out = BUFFER(RESPONSE_MAX);
    for (size_t i = 0; i < NET_LISTENERS_MAX; i++)
        loop->listener[i].fd = -1;
    loop->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    loop->scratch = malloc(SCRATCH_LEN);
    loop->mailbox = mailbox_new(err);
    made = loop->mailbox != NULL && make_library(loop, err) && make_events(loop, err);
    if (loop->scratch == NULL)
        made = error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; made && i < server->listener_count; i++)
        made = make_listener(loop, i, err);
    if (!made) {
        loop_free(loop);
        return false;
    }
    *out = loop;
    return true;
}

void loop_free(struct net_loop *loop)
{
    if (loop == NULL)
        return;
    close_listeners(loop);
    while (loop->spare != NULL) {
        struct exchange *exchange = loop->spare;

        loop->spare = exchange->next;
        exchange_free(exchange);
    }
    if (loop->base != NULL)
        event_base_free(loop->base);
    for (size_t i = 0; i < NET_LISTENERS_MAX; i++)
        SSL_CTX_free(loop->listener[i].tls);
    mailbox_unref(loop->mailbox);
    if (loop->reserve_fd >= 0)
        (void)close(loop->reserve_fd);
    buffer_free(&loop->out);
    free(loop->scratch);
    OSSL_LIB_CTX_free(loop->library);
    free(loop);
}
