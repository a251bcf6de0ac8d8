#include "bench/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* --- requests --- */

/* What stands before the port; an IPv6 address is in brackets, which are left out. */
static bool split_host(struct bytes authority, struct bytes *host, struct bytes *port)
{
    size_t end = bytes_find(authority, ']');

    if (bytes_starts_with(authority, "[")) {
        *host = bytes_slice(authority, 1, end - 1);
        *port = bytes_from(authority, end + 1);
        return end < authority.len && (port->len == 0 || bytes_starts_with(*port, ":"));
    }
    *host = bytes_slice(authority, 0, bytes_find(authority, ':'));
    *port = bytes_from(authority, host->len);
    return true;
}

bool link_target_parse(const char *url, struct link_target *out, struct error *err)
{
    struct link_target target = { .tls = strncmp(url, "https://", 8) == 0 };
    struct bytes rest, authority, path, host, port;

    if (!target.tls && strncmp(url, "http://", 7) != 0)
        return error_set(err, ERROR_FORMAT, "%s: neither http:// nor https://", url);
    rest = bytes_text(url + (target.tls ? 8 : 7));
    authority = bytes_slice(rest, 0, bytes_find(rest, '/'));
    path = bytes_from(rest, authority.len);
    if (!split_host(authority, &host, &port) || host.len == 0 || host.len >= sizeof(target.host) ||
        port.len > sizeof(target.port) || path.len >= sizeof(target.path))
        return error_set(err, ERROR_FORMAT, "%.200s: no address", url);
    port = port.len > 0 ? bytes_from(port, 1) : target.tls ? BYTES_LITERAL("443") : BYTES_LITERAL("80");
    memcpy(target.host, host.data, host.len);
    memcpy(target.port, port.data, port.len);
    if (path.len > 0)
        memcpy(target.path, path.data, path.len);
    else
        target.path[0] = '/';
    *out = target;
    return true;
}

void link_request_put(struct buffer *out, const struct link_target *target,
                      const struct link_request *request)
{
    bool brackets = strchr(target->host, ':') != NULL;

    buffer_format(out, "%s %s%s HTTP/1.1\r\nHost: %s%s%s:%s\r\nContent-Length: %zu\r\n%s%s\r\n",
                  request->method, target->path, request->query != NULL ? request->query : "",
                  brackets ? "[" : "", target->host, brackets ? "]" : "", target->port, request->body.len,
                  request->keep_alive ? "" : "Connection: close\r\n",
                  request->more != NULL ? request->more : "");
    buffer_append(out, request->body);
}

/* --- routes --- */

/* A session comes with or after the handshake; the last one is kept. Returning 1 keeps its reference. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct link *link = SSL_get_app_data(ssl);

    SSL_SESSION_free(link->session);
    link->session = session;
    return 1;
}

static bool make_tls(const char *trust_path, bool resumes, SSL_CTX **out, struct error *err)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (tls == NULL || (trust_path != NULL && SSL_CTX_load_verify_file(tls, trust_path) != 1)) {
        SSL_CTX_free(tls);
        return error_openssl(err, trust_path != NULL ? trust_path : "TLS");
    }
    if (trust_path != NULL)
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    if (resumes) {
        (void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(tls, keep_session);
    }
    *out = tls;
    return true;
}

bool link_route_open(struct link_route *out, const struct link_target *target, const char *trust_path,
                     bool resumes, struct error *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct link_route route = { .resumes = resumes };

    if (getaddrinfo(target->host, target->port, &hints, &route.address) != 0)
        return error_set(err, ERROR_NOT_FOUND, "%s:%s has no address", target->host, target->port);
    if (target->tls && !make_tls(trust_path, resumes, &route.tls, err)) {
        freeaddrinfo(route.address);
        return false;
    }
    memcpy(route.host, target->host, sizeof(route.host));
    *out = route;
    return true;
}

void link_route_close(struct link_route *route)
{
    if (route->address != NULL)
        freeaddrinfo(route->address);
    SSL_CTX_free(route->tls);
    *route = (struct link_route){ 0 };
}

/* --- a connection --- */

void link_close(struct link *link)
{
    if (link->ssl != NULL) {
        (void)SSL_shutdown(link->ssl);
        SSL_free(link->ssl);
    }
    if (link->fd >= 0)
        (void)close(link->fd);
    link->ssl = NULL;
    link->fd = -1;
}

void link_free(struct link *link)
{
    link_close(link);
    SSL_SESSION_free(link->session);
    link->session = NULL;
    buffer_free(&link->in);
}

static bool connect_to(struct link *link, const struct addrinfo *to)
{
    const struct timeval patience = { .tv_sec = LINK_PATIENCE_S };
    int one = 1;

    link->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return false;
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(link->fd, to->ai_addr, to->ai_addrlen) == 0)
        return true;
    link_close(link);
    return false;
}

static bool is_name(const char *host)
{
    return host[strspn(host, "0123456789.")] != '\0' && strchr(host, ':') == NULL;
}

enum link_fault link_open(struct link *link, const struct link_route *route, link_dress *dress, void *context,
                          size_t n, bool *resumed)
{
    *resumed = false;
    if (!connect_to(link, route->address))
        return LINK_CONNECT;
    if (route->tls == NULL)
        return LINK_OK;
    link->ssl = SSL_new(route->tls);
    if (link->ssl == NULL || SSL_set_fd(link->ssl, link->fd) != 1 || SSL_set_app_data(link->ssl, link) != 1 ||
        (is_name(route->host) && SSL_set_tlsext_host_name(link->ssl, route->host) != 1) ||
        (route->resumes && link->session != NULL && SSL_set_session(link->ssl, link->session) != 1) ||
        (dress != NULL && !dress(context, n, link->ssl)) || SSL_connect(link->ssl) != 1) {
        link_close(link);
        return LINK_TLS;
    }
    *resumed = SSL_session_reused(link->ssl) == 1;
    return LINK_OK;
}

static ssize_t receive(struct link *link, void *out, size_t len)
{
    return link->ssl != NULL ? SSL_read(link->ssl, out, (int)len) : read(link->fd, out, len);
}

static bool send_all(struct link *link, struct bytes b)
{
    while (b.len > 0) {
        ssize_t done = link->ssl != NULL ? SSL_write(link->ssl, b.data, (int)b.len)
                                         : send(link->fd, b.data, b.len, MSG_NOSIGNAL);

        if (done <= 0)
            return false;
        b = bytes_from(b, (size_t)done);
    }
    return true;
}

/* --- answers --- */

void link_answer_free(struct link_answer *answer)
{
    free((void *)(uintptr_t)answer->body.data);
    *answer = (struct link_answer){ 0 };
}

/* Names compare without case; `head` ends with an empty line. */
static struct bytes header_of(struct bytes head, const char *name)
{
    struct bytes line;
    size_t len = strlen(name);

    while (bytes_split(&head, '\n', &line))
        if (line.len > len && line.data[len] == ':' && bytes_is_nocase(bytes_slice(line, 0, len), name))
            return bytes_trim(bytes_from(line, len + 1));
    return BYTES_NONE;
}

struct bytes link_header(const struct link_answer *answer, const char *name)
{
    return header_of(answer->head, name);
}

/* What is known of an answer that is being read. */
struct framing {
    size_t head, body; /* lengths; head 0: not whole yet */
    bool chunked;
};

static void read_head(struct bytes in, struct framing *f)
{
    const char *text = (const char *)in.data, *end = in.len == 0 ? NULL : memmem(text, in.len, "\r\n\r\n", 4);
    struct bytes head;
    uint64_t length = 0;

    if (end == NULL)
        return;
    f->head = (size_t)(end - text) + 4;
    head = bytes_slice(in, 0, f->head);
    if (bytes_to_u64(header_of(head, "Content-Length"), SIZE_MAX / 2, &length))
        f->body = (size_t)length;
    f->chunked = bytes_is_nocase(header_of(head, "Transfer-Encoding"), "chunked");
}

/* Takes the frames off the chunks at `body`, in place; false while the last one is not there. Read from the
 * front with every piece that comes: what is asked for is short. */
static bool join_chunks(struct bytes in, uint8_t *out, size_t *out_len)
{
    size_t len, made = 0;

    do {
        const uint8_t *line = in.len == 0 ? NULL : memmem(in.data, in.len, "\r\n", 2);

        if (line == NULL)
            return false;
        len = (size_t)strtoul((const char *)in.data, NULL, 16);
        in = bytes_from(in, (size_t)(line - in.data) + 2);
        if (len > in.len || in.len - len < 2)
            return false;
        if (out != NULL)
            memmove(out + made, in.data, len);
        made += len;
        in = bytes_from(in, len + 2);
    } while (len > 0);
    *out_len = made;
    return true;
}

static bool is_whole(const struct buffer *in, struct framing *f)
{
    struct bytes body;

    if (f->head == 0)
        read_head(buffer_bytes(in), f);
    if (f->head == 0)
        return false;
    body = bytes_from(buffer_bytes(in), f->head);
    return f->chunked ? join_chunks(body, NULL, &f->body) : body.len >= f->body;
}

/* Body and head, in one piece of memory. */
static bool keep(struct buffer *in, struct framing f, struct link_answer *out)
{
    static const size_t status_line = sizeof("HTTP/1.1 200\r\n\r\n") - 1;
    uint8_t *copy = f.head < status_line ? NULL : malloc(f.body + f.head);

    if (copy == NULL)
        return false;
    if (f.chunked)
        (void)join_chunks(bytes_from(buffer_bytes(in), f.head), copy, &f.body);
    else
        memcpy(copy, in->data + f.head, f.body);
    memcpy(copy + f.body, in->data, f.head);
    out->body = bytes_of(copy, f.body);
    out->head = bytes_of(copy + f.body, f.head);
    out->status = (int)strtol((const char *)in->data + 9, NULL, 10); /* after "HTTP/1.1 " */
    return true;
}

enum link_fault link_ask(struct link *link, struct bytes request, struct link_answer *out, bool *closing)
{
    struct framing f = { 0 };

    link->in.len = 0;
    if (!send_all(link, request))
        return LINK_CLOSED;
    while (!is_whole(&link->in, &f)) {
        uint8_t chunk[16 * 1024];
        ssize_t got;

        errno = 0;
        got = receive(link, chunk, sizeof(chunk));
        if (got <= 0)
            return errno == EAGAIN ? LINK_TIMEOUT : LINK_CLOSED;
        buffer_append(&link->in, bytes_of(chunk, (size_t)got));
        if (buffer_failed(&link->in))
            return LINK_CLOSED;
    }
    if (!keep(&link->in, f, out))
        return LINK_CLOSED;
    *closing = bytes_is_nocase(link_header(out, "Connection"), "close");
    return LINK_OK;
}
