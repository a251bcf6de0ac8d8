/* net_internal.h: the parts of the server. A loop owns its connections; all of a loop and of a connection is
 * touched by the loop's thread alone, but for what is marked. An exchange travels: the loop makes it, the
 * handler has it until net_reply, and its mailbox brings it home. It outlives its connection safely. */
#ifndef MUSTER_NET_INTERNAL_H
#define MUSTER_NET_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "lib/base/buffer.h"
#include "lib/net/address_count_internal.h"
#include "lib/net/server.h"
#include "lib/net/transport_internal.h"

enum {
    SCRATCH_LEN = 64 * 1024,          /* what one read takes at most */
    PIPELINE_MAX = 64 * 1024,         /* of further requests that wait behind one in flight */
    RESPONSE_MAX = 512 * 1024 * 1024, /* a head and a body as octets */
    OUT_KEPT_MAX = 256 * 1024,        /* a loop keeps its writing buffer up to this size */
    SPARE_EXCHANGES_MAX = 64,         /* a loop keeps that many for the next request */
    LINGER_MS = 1000,                 /* after a refusal: so long may the peer go on sending */
    ACCEPT_BATCH = 64,
    READ_ROUNDS = 8,
};

/* --- Exchanges --- */

struct mailbox;
struct connection;

struct exchange {
    struct net_exchange open; /* first: what the handler sees */
    struct http_parser parser;
    struct arena *arena;
    struct connection *connection; /* NULL once it has gone; of the loop's thread */
    struct peer_identity *identity;
    struct mailbox *mailbox;
    struct exchange *next; /* in the mailbox, or among the spare ones */
};

/* Answered exchanges on their way home, from any thread. Counted references: one of the loop, one of each
 * exchange, so that a reply after the loop has ended still finds it (closed). */
struct mailbox *mailbox_new(struct error *err);
struct mailbox *mailbox_ref(struct mailbox *mailbox);
void mailbox_unref(struct mailbox *mailbox); /* accepts NULL */
int mailbox_fd(const struct mailbox *mailbox);
void mailbox_wake(struct mailbox *mailbox);

/* Clears the wake-up and takes all that has been answered, oldest first. */
struct exchange *mailbox_take(struct mailbox *mailbox);

/* From now on answered exchanges are dropped where they are answered. */
void mailbox_close(struct mailbox *mailbox);

struct exchange *exchange_new(struct mailbox *mailbox, size_t arena_max); /* NULL: out of memory */
void exchange_free(struct exchange *exchange);
void exchange_reset(struct exchange *exchange); /* for the next request */

/* --- Loops --- */

struct listener {
    unsigned index;
    struct net_listener settings; /* its texts are copies */
    uint16_t port;
};

struct loop_counters {
    atomic_uint_fast64_t accepted, requests, refused_http, refused_limit, timeouts, handshakes,
        handshake_failures;
};

struct loop_listener { /* a listener as one loop has it */
    struct net_loop *loop;
    const struct listener *listener;
    int fd;
    struct event acceptable;
    SSL_CTX *tls; /* under server->tls_lock */
};

struct net_loop {
    struct net_server *server;
    struct event_base *base;
    struct mailbox *mailbox;
    OSSL_LIB_CTX *library; /* the thread's default: no contention with other threads (one per loop) */
    pthread_t thread;
    bool started;
    struct loop_listener listener[NET_LISTENERS_MAX];
    struct event mail, drain;
    bool stopping;
    int reserve_fd; /* given up when descriptors run out, so that a connection can be turned away */
    int64_t now_ms;
    struct connection *connections, *dead;
    struct exchange *spare;
    unsigned spare_count;
    struct buffer out;
    uint8_t *scratch;
    struct loop_counters counters;
};

struct net_server {
    struct net_options options;
    net_on_request *on_request;
    net_on_refused *on_refused; /* NULL: nobody asks */
    void *context;
    struct listener listener[NET_LISTENERS_MAX];
    size_t listener_count;
    struct address_count *addresses;
    atomic_uint open;
    atomic_bool stopping;
    pthread_mutex_t tls_lock;
    struct net_loop *loop[NET_LOOPS_MAX];
    unsigned loop_count;
};

#define COUNT(loop, what) (void)atomic_fetch_add_explicit(&(loop)->counters.what, 1, memory_order_relaxed)

MUST_USE bool loop_new(struct net_server *server, struct net_loop **out, struct error *err);
void loop_free(struct net_loop *loop); /* accepts NULL */
MUST_USE bool loop_start(struct net_loop *loop, struct error *err);
void loop_join(struct net_loop *loop);
void loop_tick(struct net_loop *loop); /* at the start of each callback */
void loop_reap(struct net_loop *loop); /* at the end: frees the connections that closed meanwhile */
struct exchange *loop_exchange(struct net_loop *loop);
void loop_exchange_done(struct net_loop *loop, struct exchange *exchange);
bool loop_is_current(const struct mailbox *mailbox); /* the calling thread is its loop */

/* Binds and listens. With `shared` several sockets may have the port. */
MUST_USE bool listen_socket(const struct net_listener *listener, uint16_t port, bool shared, int *out,
                            struct error *err);
uint16_t listen_port(int fd);

/* --- Connections --- */

enum phase {
    PHASE_PROXY = 0, /* waiting for the load balancer's header */
    PHASE_HANDSHAKE,
    PHASE_IDLE,
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_HANDLING, /* the handler has it; no deadline */
    PHASE_WRITE,
    PHASE_LINGER, /* refused: let the peer read why before the connection breaks */
    PHASE_CLOSED
};

struct connection {
    struct connection *next, *previous;
    struct net_loop *loop;
    const struct loop_listener *listener;
    struct transport transport;
    struct event readable, writable, timer;
    enum phase phase;
    int64_t deadline_ms, timer_ms; /* the timer may stand earlier than the deadline, never later */
    struct buffer in, out;
    size_t sent; /* of out */
    struct exchange *exchange;
    struct http_peer peer;
    struct peer_identity *identity;
    bool counted;     /* in the server's address count */
    bool dispatching; /* inside on_request */
    bool answered;    /* net_reply was called inside on_request */
    bool ended;       /* the peer sends no more */
    bool paused;      /* not reading: enough is waiting */
    bool refused, close_after;
};

/* Takes the accepted socket in every case. */
void connection_open(struct net_loop *loop, const struct loop_listener *listener, int fd,
                     const struct sockaddr_storage *from);

/* Its phases before the first request (connection_open.c). */
void connection_read_proxy_header(struct connection *connection);
void connection_handshake(struct connection *connection);

/* Puts its events on the loop. */
MUST_USE bool connection_watch(struct connection *connection);
/* Tells the gateway of a request that never reaches its handler (net_server_on_refused). `status` 0: it gets
 * no answer. */
void connection_tell(struct connection *connection, int status, const char *reason);
void connection_enter_for(struct connection *connection, enum phase phase, unsigned ms);
void connection_read(struct connection *connection);
void connection_answer(struct connection *connection);
void connection_close(struct connection *connection);

/* On stop: closes it unless a request is under way. */
void connection_drain(struct connection *connection);

#endif
