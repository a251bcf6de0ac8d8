#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/net/net_internal.h"
#include "lib/net/proxy_protocol_internal.h"

/* From the accepted socket to the first request: limits, the load balancer's header, the handshake. */

/* --- The beginning: PROXY header, handshake --- */

static void expect_first_request(struct connection *c)
{
    connection_enter_for(c, PHASE_HEAD, c->loop->server->options.head_ms);
}

/* A client over its limit. On plain connections it is told. */
static bool count_client(struct connection *c)
{
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";

    c->counted = address_count_add(c->loop->server->addresses, &c->peer.address);
    if (c->counted)
        return true;
    COUNT(c->loop, refused_limit);
    if (!c->listener->listener->settings.tls.enabled)
        (void)send(c->transport.fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
    connection_close(c);
    return false;
}

void connection_handshake(struct connection *c)
{
    switch (transport_handshake(&c->transport)) {
    case IO_WANT_READ: (void)event_del(&c->writable); return;
    case IO_WANT_WRITE:
        if (event_add(&c->writable, NULL) != 0)
            connection_close(c);
        return;
    case IO_END:
    case IO_FAILED:
        COUNT(c->loop, handshake_failures);
        connection_tell(c, 0,
                        SSL_get_certificate(c->transport.ssl) != NULL
                            ? "the TLS handshake failed"
                            : "the listener has no certificate yet");
        connection_close(c);
        return;
    case IO_OK: break;
    }
    COUNT(c->loop, handshakes);
    (void)event_del(&c->writable);
    if (!transport_describe_peer(&c->transport, &c->peer, &c->identity)) {
        connection_close(c);
        return;
    }
    expect_first_request(c);
    connection_read(c); /* a request may have come with the last flight */
}

static SSL *new_tls(struct connection *c)
{
    struct net_server *server = c->loop->server;
    SSL *ssl;

    (void)pthread_mutex_lock(&server->tls_lock); /* against a reload */
    ssl = SSL_new(c->listener->tls);
    (void)pthread_mutex_unlock(&server->tls_lock);
    if (ssl != NULL && SSL_set_fd(ssl, c->transport.fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

/* The client's address is known; the deadline for the handshake has been running since the accept. */
static void begin(struct connection *c)
{
    if (!count_client(c))
        return;
    if (!c->listener->listener->settings.tls.enabled) {
        expect_first_request(c);
        return;
    }
    c->transport.ssl = new_tls(c);
    if (c->transport.ssl == NULL)
        connection_close(c);
    else
        c->phase = PHASE_HANDSHAKE;
}

/* Looks ahead and takes off the socket only what belongs to the header: the rest is the client's TLS. */
void connection_read_proxy_header(struct connection *c)
{
    uint8_t *scratch = c->loop->scratch;
    size_t kept = c->in.len, consumed = 0;
    struct proxy_header header;
    enum proxy_parse result;
    ssize_t peeked;

    if (kept > 0)
        memcpy(scratch, c->in.data, kept);
    peeked = recv(c->transport.fd, scratch + kept, PROXY_HEADER_MAX, MSG_PEEK);
    if (peeked < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    result = peeked <= 0 ? PROXY_REFUSED
                         : proxy_parse(bytes_of(scratch, kept + (size_t)peeked), &header, &consumed);
    if (result == PROXY_REFUSED) {
        COUNT(c->loop, refused_http);
        if (peeked > 0) /* a load balancer's probe connects and goes */
            connection_tell(c, 0, "the load balancer's header is missing or malformed");
        connection_close(c);
        return;
    }
    if (result == PROXY_MORE)
        consumed = kept + (size_t)peeked;
    buffer_append(&c->in, bytes_of(scratch + kept, consumed - kept));
    if (buffer_failed(&c->in) || recv(c->transport.fd, scratch, consumed - kept, 0) < 0) {
        connection_close(c);
        return;
    }
    if (result == PROXY_MORE)
        return;
    buffer_free(&c->in);
    if (header.client.len != 0) {
        c->peer.address = header.client;
        c->peer.port = header.port;
    }
    begin(c);
}

/* --- Opening --- */

static void peer_from(const struct sockaddr_storage *from, struct http_peer *peer)
{
    bool known;

    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;

        known = ip_from_bytes(bytes_of(&in->sin_addr, 4), &peer->address);
        peer->port = ntohs(in->sin_port);
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

        known = ip_from_bytes(bytes_of(&in6->sin6_addr, 16), &peer->address);
        peer->port = ntohs(in6->sin6_port);
    }
    assert(known);
}

static bool comes_from_proxy(const struct net_listener *settings, const struct ip_address *ip)
{
    for (size_t i = 0; i < settings->proxy_count; i++)
        if (ip_in_range(ip, &settings->proxy[i]))
            return true;
    return false;
}

static bool take_place(struct net_server *server)
{
    if (atomic_fetch_add(&server->open, 1) < server->options.connections_max)
        return true;
    (void)atomic_fetch_sub(&server->open, 1);
    return false;
}

static void link_in(struct net_loop *loop, struct connection *c)
{
    c->next = loop->connections;
    if (c->next != NULL)
        c->next->previous = c;
    loop->connections = c;
}

void connection_open(struct net_loop *loop, const struct loop_listener *listener, int fd,
                     const struct sockaddr_storage *from)
{
    struct connection *c;
    int one = 1;

    COUNT(loop, accepted);
    if (!take_place(loop->server)) {
        COUNT(loop, refused_limit);
        (void)close(fd);
        return;
    }
    c = calloc(1, sizeof(*c));
    if (c == NULL) {
        (void)atomic_fetch_sub(&loop->server->open, 1);
        (void)close(fd);
        return;
    }
    c->loop = loop;
    c->listener = listener;
    c->transport.fd = fd;
    c->timer_ms = INT64_MAX;
    c->in = BUFFER(http_input_max(&loop->server->options.http) + PIPELINE_MAX + 2 * SCRATCH_LEN);
    c->out = BUFFER(RESPONSE_MAX);
    peer_from(from, &c->peer);
    link_in(loop, c);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (!connection_watch(c)) {
        connection_close(c);
        return;
    }
    connection_enter_for(c, PHASE_PROXY, loop->server->options.handshake_ms);
    if (!comes_from_proxy(&listener->listener->settings, &c->peer.address))
        begin(c);
}
