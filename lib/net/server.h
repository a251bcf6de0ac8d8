/* server.h: event-loop threads that take connections, speak TLS and frame HTTP, and hand whole requests to
 * the gateway. N loops, each with its own SO_REUSEPORT sockets. Absolute deadlines per phase; a drip of bytes
 * extends nothing. Limits are answered here (400, 408, 411, 413, 414, 417, 431, 501, 503, 505) and counted.
 */
#ifndef MUSTER_NET_SERVER_H
#define MUSTER_NET_SERVER_H

#include "lib/base/error.h"
#include "lib/base/ip.h"
#include "lib/http/message.h"
#include "lib/http/parser.h"
#include "lib/keys/keys.h"

enum { NET_LISTENERS_MAX = 16, NET_PROXIES_MAX = 32, NET_LOOPS_MAX = 64 };

enum net_client_certificate {
    NET_CLIENT_CERTIFICATE_NONE = 0, /* not asked for */
    NET_CLIENT_CERTIFICATE_OPTIONAL, /* asked for; the handshake proves possession of the key and nothing more
                                      */
    NET_CLIENT_CERTIFICATE_REQUIRED, /* no handshake without one (administration); still not judged here */
};

struct net_tls {
    bool enabled;
    const char *certificate_path; /* PEM, leaf first, then what the peer needs to reach its anchor */
    const char *key_name;         /* in the key ring */
    enum net_client_certificate client_certificate;
    bool awaited; /* there is no certificate yet, and a reload will bring it: handshakes are refused by an
                     alert */
};

struct net_listener {
    const char *name;    /* for the log */
    const char *address; /* "127.0.0.1", "::" */
    uint16_t port;       /* 0: any free one, see net_server_port */
    struct net_tls tls;
    const char *base_url;
    struct ip_range
        proxy[NET_PROXIES_MAX]; /* peers whose PROXY protocol v1/v2 header is required and believed */
    size_t proxy_count;
};

struct net_options {
    unsigned loops;
    struct http_limits http;
    size_t arena_max;                                           /* of one request with its answer, bytes */
    unsigned handshake_ms, head_ms, body_ms, write_ms, idle_ms; /* absolute, from the start of the phase */
    unsigned connections_max;                                   /* in all; beyond: accept and close */
    unsigned per_address_max; /* of one client address (IPv6: of its /64); beyond: 503 on plain, close on
                                 TLS */
    unsigned drain_ms;        /* on stop: how long what is in flight may take */
};
#define NET_OPTIONS_DEFAULT                                                                        \
    ((struct net_options){                                                                         \
        .loops = 1,                                                                                \
        .http = { .target_max = 16384, .head_max = 32768, .body_max = 1 << 20, .header_max = 64 }, \
        .arena_max = 8 << 20,                                                                      \
        .handshake_ms = 10000,                                                                     \
        .head_ms = 10000,                                                                          \
        .body_ms = 20000,                                                                          \
        .write_ms = 20000,                                                                         \
        .idle_ms = 60000,                                                                          \
        .connections_max = 20000,                                                                  \
        .per_address_max = 1000,                                                                   \
        .drain_ms = 10000 })

/* One request in flight: its arena and the way back to its connection. Owned by the server; the handler has
 * it from on_request until net_reply, after which it must not be touched. */
struct net_exchange {
    struct http_request request;
    struct http_response response;
    int64_t received_ms; /* monotonic, when its head was complete */
    void *user;          /* the handler's own, NULL at first */
};

/* Called on a loop thread for each whole request; must not block. Answers with net_reply, now or later, from
 * any thread, exactly once. */
typedef void net_on_request(struct net_exchange *exchange, void *context);

/* What was refused here, before there was a whole request: for the log. `request` holds what had been read:
 * the peer always, method and path when the head was sound. */
struct net_refused {
    const struct http_request *request;
    int status; /* that was answered; 0: none, the connection ended within a request or before the first */
    const char *reason; /* static */
};
typedef void net_on_refused(const struct net_refused *refused, void *context);

/* What the loops count, for /metrics. Any thread; monotonic unless said. */
struct net_counters {
    uint64_t accepted, open /* now */, requests, refused_http, refused_limit, timeouts, handshakes,
        handshake_failures;
};

struct net_server;

/* Binds and listens; nothing is accepted yet. Errors name the listener. Keys are taken from `keys`. */
MUST_USE bool net_server_new(const struct net_options *options, const struct net_listener *listener,
                             size_t count, struct keys *keys, net_on_request *on_request, void *context,
                             struct net_server **out, struct error *err);

/* On a loop thread for each such refusal; must not block. Set before the start; without it they are only
 * counted. `context` is on_request's. */
void net_server_on_refused(struct net_server *server, net_on_refused *on_refused);

MUST_USE bool net_server_start(struct net_server *server, struct error *err);

/* TLS 1.2 and 1.3, groups X25519 and P-256, AEAD suites with forward secrecy, no renegotiation, no early
 * data. Sessions resume on every loop by tickets, for two hours or until a reload; whoever showed
 * intermediates is not resumed, since a resumed session keeps the leaf alone.
 *
 * Reads certificates and keys anew for TLS listeners of the same names; connections stay. On error the old
 * stay. */
MUST_USE bool net_server_reload_tls(struct net_server *server, const struct net_listener *listener,
                                    size_t count, struct keys *keys, struct error *err);

/* Sends exchange->response; status 0 becomes a 500. Any thread: on the exchange's own loop at once, from
 * others through a queue that wakes it. If the peer has gone, or the server has stopped or even been freed,
 * the answer is dropped. */
void net_reply(struct net_exchange *exchange);

/* Stops accepting, lets what is in flight finish (at most drain_ms), joins the loops. on_request is still
 * called for requests whose head had arrived. */
void net_server_stop(struct net_server *server);
void net_server_free(struct net_server *server);

/* The port that listener `index` got. */
uint16_t net_server_port(const struct net_server *server, size_t index);
void net_server_counters(const struct net_server *server, struct net_counters *out);

#endif
