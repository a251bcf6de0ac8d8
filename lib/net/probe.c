#include "lib/net/probe.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/lookup_internal.h"
#include "lib/net/transport_internal.h"

enum { PROBE_ARENA_MAX = 128 * 1024, CHAIN_BYTES_MAX = 32 * 1024 };

AUTO_POINTER(X509, X509_free)

/* One probe on its way. All of it but socket and TLS lies in its arena. */
struct probe {
    struct probe *next, *previous;
    struct net_prober *prober;
    struct arena *arena;
    struct event event; /* the start, then the socket */
    int fd;             /* -1: none */
    SSL *ssl;           /* NULL: not connected yet */
    struct bytes host;
    uint16_t port;
    const char *server_name;
    struct bytes alpn; /* as it is offered: its length before it */
    struct address_rules rules;
    int64_t deadline_ms;
    struct lookup lookup;
    size_t tried;
    net_probe_done *done;
    void *user;
};

struct net_prober {
    struct event_base *base;
    struct net_resolver *resolver;
    SSL_CTX *ctx; /* made at the first probe, on the thread of the loop */
    struct probe *probes;
};

/* --- the end of a probe or of a try --- */

/* The connection ends without a word. */
static void hang_up(struct probe *p)
{
    (void)event_del(&p->event);
    SSL_free(p->ssl);
    p->ssl = NULL;
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
}

static void probe_free(struct probe *p)
{
    hang_up(p);
    if (p->previous != NULL)
        p->previous->next = p->next;
    else
        p->prober->probes = p->next;
    if (p->next != NULL)
        p->next->previous = p->previous;
    arena_free(p->arena);
}

/* *p is gone. */
static void end(struct probe *p, struct net_probe_result result)
{
    if (p->tried > 0)
        result.address = p->lookup.address[p->tried - 1];
    p->done(&result, p->user);
    probe_free(p);
}

static void fail(struct probe *p, enum net_fault fault, const char *failure)
{
    end(p, (struct net_probe_result){ .fault = fault, .failure = failure });
}

static int64_t left_ms(const struct probe *p)
{
    int64_t left = p->deadline_ms - clock_monotonic_ms();

    return left > 0 ? left : 0;
}

/* --- the handshake --- */

static void on_handshake(evutil_socket_t fd, short what, void *user);

static bool wait_for(struct probe *p, short events, int64_t ms, event_callback_fn callback)
{
    struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    (void)event_del(&p->event);
    return event_assign(&p->event, p->prober->base, p->fd, events, callback, p) == 0 &&
           event_add(&p->event, &limit) == 0;
}

static bool chose_what_was_offered(const struct probe *p)
{
    const unsigned char *chosen = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(p->ssl, &chosen, &len);
    return bytes_equal(bytes_of(chosen, len), bytes_from(p->alpn, 1));
}

static void shook_hands(struct probe *p)
{
    AUTO(X509) *certificate = SSL_get1_peer_certificate(p->ssl);
    struct net_probe_result result = { .fault = NET_OK };
    unsigned char *der = NULL;
    int len = certificate == NULL ? 0 : i2d_X509(certificate, &der);

    if (len <= 0 || len > NET_PROBE_CERTIFICATE_MAX) {
        OPENSSL_free(der);
        fail(p, NET_FAULT_TLS, "no certificate, or one that is too large");
        return;
    }
    result.certificate = arena_copy(p->arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    if (result.certificate.data == NULL)
        fail(p, NET_FAULT_OURS, "out of memory");
    else if (!chose_what_was_offered(p))
        fail(p, NET_FAULT_ALPN, "the protocol was not chosen");
    else
        end(p, result);
}

static void handshake_failed(struct probe *p)
{
    bool no_protocol = ERR_GET_REASON(ERR_peek_error()) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL;

    ERR_clear_error();
    if (no_protocol)
        fail(p, NET_FAULT_ALPN, "the protocol was refused");
    else
        fail(p, NET_FAULT_TLS, "the TLS handshake failed");
}

static void shake_hands(struct probe *p)
{
    short events = EV_READ;
    int result;

    ERR_clear_error();
    result = SSL_connect(p->ssl);
    switch (SSL_get_error(p->ssl, result)) {
    case SSL_ERROR_NONE: shook_hands(p); return;
    case SSL_ERROR_WANT_READ: break;
    case SSL_ERROR_WANT_WRITE: events = EV_WRITE; break;
    default: handshake_failed(p); return;
    }
    if (!wait_for(p, events, left_ms(p), on_handshake))
        fail(p, NET_FAULT_OURS, "out of memory");
}

static void on_handshake(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    if ((what & EV_TIMEOUT) != 0)
        fail(user, NET_FAULT_TIMEOUT, "the TLS handshake takes too long");
    else
        shake_hands(user);
}

/* --- TLS --- */

/* Who it is, the caller says; what its key costs us to verify is bounded. */
static int accept_certificate(X509_STORE_CTX *store, void *unused)
{
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);
    bool affordable = leaf != NULL && tls_key_is_affordable(leaf);

    (void)unused;
    X509_STORE_CTX_set_error(store, affordable ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return affordable;
}

static SSL_CTX *context_of(struct net_prober *prober)
{
    AUTO(SSL_CTX) *ctx = NULL;

    if (prober->ctx != NULL)
        return prober->ctx;
    ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
        return NULL;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_certificate, NULL);
    SSL_CTX_set_max_cert_list(ctx, CHAIN_BYTES_MAX);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    prober->ctx = take(ctx);
    return prober->ctx;
}

static bool begin_tls(struct probe *p)
{
    SSL_CTX *ctx = context_of(p->prober);

    p->ssl = ctx == NULL ? NULL : SSL_new(ctx);
    if (p->ssl == NULL || SSL_set_fd(p->ssl, p->fd) != 1 ||
        SSL_set_tlsext_host_name(p->ssl, p->server_name) != 1 ||
        SSL_set_alpn_protos(p->ssl, p->alpn.data, (unsigned)p->alpn.len) != 0)
        return false;
    SSL_set_quiet_shutdown(p->ssl, 1);
    return true;
}

/* --- the connection --- */

static void connect_to_next(struct probe *p);

static void on_connect(evutil_socket_t fd, short what, void *user)
{
    struct probe *p = user;
    socklen_t len = sizeof(int);
    int fault = 0;

    if ((what & EV_TIMEOUT) != 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &len) != 0 || fault != 0) {
        hang_up(p);
        connect_to_next(p);
    } else if (!begin_tls(p)) {
        ERR_clear_error();
        fail(p, NET_FAULT_OURS, "TLS cannot be set up");
    } else {
        shake_hands(p);
    }
}

static socklen_t socket_address(const struct ip_address *ip, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

    memset(out, 0, sizeof(*out));
    if (ip->len == 4) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, ip->bytes, 4);
        return sizeof(*v4);
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, ip->bytes, 16);
    return sizeof(*v6);
}

static bool begin_connect(struct probe *p, const struct ip_address *ip, int64_t ms)
{
    struct sockaddr_storage to;
    socklen_t len = socket_address(ip, p->port, &to);

    p->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd >= 0 && (connect(p->fd, (const struct sockaddr *)&to, len) == 0 || errno == EINPROGRESS) &&
        wait_for(p, EV_WRITE, ms, on_connect))
        return true;
    hang_up(p);
    return false;
}

/* Each address that is left gets its share of the time to connect. */
static void connect_to_next(struct probe *p)
{
    while (p->tried < p->lookup.count && left_ms(p) > 0) {
        int64_t share = left_ms(p) / (int64_t)(p->lookup.count - p->tried) + 1;

        p->tried++;
        if (begin_connect(p, &p->lookup.address[p->tried - 1], share))
            return;
    }
    fail(p, NET_FAULT_CONNECT, "no connection");
}

static void on_lookup(struct lookup *lookup, void *user)
{
    struct probe *p = user;

    if (lookup->fault != NET_OK)
        fail(p, lookup->fault, lookup->failure);
    else
        connect_to_next(p);
}

static void on_start(evutil_socket_t fd, short what, void *user)
{
    struct probe *p = user;

    (void)fd;
    (void)what;
    lookup_start(&p->lookup, p->host, (unsigned)left_ms(p));
}

/* --- start and end --- */

static struct probe *probe_new(const struct net_probe_request *request)
{
    struct bytes alpn = bytes_text(request->alpn);
    struct arena *arena = arena_new(PROBE_ARENA_MAX);
    struct probe *p = arena == NULL ? NULL : arena_alloc(arena, sizeof(*p));

    if (p != NULL && alpn.len > 0 && alpn.len <= NET_PROBE_ALPN_MAX) {
        p->arena = arena;
        p->host = arena_copy(arena, request->host);
        p->server_name = arena_text(arena, dns_name_bytes(&request->server_name));
        p->alpn = arena_format(arena, "%c%s", (int)alpn.len, request->alpn);
        if (p->host.data != NULL && p->server_name != NULL && p->alpn.data != NULL &&
            address_rules_copy(request->rules, arena, &p->rules))
            return p;
    }
    arena_free(arena);
    return NULL;
}

bool net_probe(struct net_prober *prober, const struct net_probe_request *request, net_probe_done *done,
               void *user, struct error *err)
{
    struct probe *p = probe_new(request);
    unsigned timeout_ms = request->timeout_ms;

    if (p == NULL)
        return error_set(err, ERROR_MEMORY, "a TLS probe cannot be prepared");
    if (timeout_ms > NET_PROBE_TIMEOUT_MAX_MS)
        timeout_ms = NET_PROBE_TIMEOUT_MAX_MS;
    p->prober = prober;
    p->fd = -1;
    p->port = request->port;
    p->deadline_ms = clock_monotonic_ms() + timeout_ms;
    p->lookup =
        (struct lookup){ .resolver = prober->resolver, .rules = &p->rules, .done = on_lookup, .user = p };
    p->done = done;
    p->user = user;
    (void)event_assign(&p->event, prober->base, -1, 0, on_start, p);
    p->next = prober->probes;
    if (p->next != NULL)
        p->next->previous = p;
    prober->probes = p;
    event_active(&p->event, EV_TIMEOUT, 0);
    return true;
}

bool net_prober_new(struct event_base *base, struct net_resolver *resolver, struct net_prober **out,
                    struct error *err)
{
    struct net_prober *prober = calloc(1, sizeof(*prober));

    if (prober == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    prober->base = base;
    prober->resolver = resolver;
    *out = prober;
    return true;
}

void net_prober_free(struct net_prober *prober)
{
    if (prober == NULL)
        return;
    while (prober->probes != NULL)
        probe_free(prober->probes);
    SSL_CTX_free(prober->ctx);
    free(prober);
}
