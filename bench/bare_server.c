#include "bench/bare_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, BACKLOG = 128, INPUT_MAX = 16 * 1024 };

struct bare_connection {
    int fd;
    SSL *ssl; /* NULL: plain */
    bool shaken;
    size_t len;
    uint8_t in[INPUT_MAX];
};

static bool watch(int epoll, int fd, void *what)
{
    struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = what } };

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool listen_on(int *out, uint16_t *port, struct error *err)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return error_errno(err, "a listening socket"); /* the process ends with it */
    *out = fd;
    *port = ntohs(address.sin_port);
    return true;
}

bool bare_server_open(struct bare_server *server, SSL_CTX *tls, struct bytes answer, uint16_t *plain_port,
                      uint16_t *secure_port, struct error *err)
{
    struct bare_server made = { .epoll = epoll_create1(EPOLL_CLOEXEC), .tls = tls, .answer = answer };

    if (made.epoll < 0)
        return error_errno(err, "epoll");
    if (!listen_on(&made.plain, plain_port, err) || !listen_on(&made.secure, secure_port, err))
        return false;
    *server = made;
    return (watch(server->epoll, server->plain, &server->plain) &&
            watch(server->epoll, server->secure, &server->secure)) ||
           error_errno(err, "epoll");
}

static void drop(struct bare_connection *c)
{
    SSL_free(c->ssl);
    (void)close(c->fd);
    free(c);
}

static void take_connection(struct bare_server *server, int listening)
{
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    struct bare_connection *c = fd < 0 ? NULL : calloc(1, sizeof(*c));

    if (c == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    c->fd = fd;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (listening == server->secure) {
        c->ssl = SSL_new(server->tls);
        if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1) {
            drop(c);
            return;
        }
        SSL_set_accept_state(c->ssl);
    }
    if (!watch(server->epoll, fd, c))
        drop(c);
    /* epoll has it now. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
}

/* Length of the request at the front; 0: it is not whole. */
static size_t request_len(const struct bare_connection *c)
{
    const uint8_t *end = c->len == 0 ? NULL : memmem(c->in, c->len, "\r\n\r\n", 4), *length;
    size_t head, body;

    if (end == NULL)
        return 0;
    head = (size_t)(end - c->in) + 4;
    length = memmem(c->in, head, "\r\nContent-Length: ", 18);
    body = length == NULL ? 0 : strtoul((const char *)length + 18, NULL, 10);
    return c->len - head >= body ? head + body : 0;
}

/* What does not fit the socket's buffer is given up: an answer is short, and its reader waits for it. */
static bool answer(const struct bare_server *server, struct bare_connection *c)
{
    const struct bytes a = server->answer;

    return (c->ssl != NULL ? SSL_write(c->ssl, a.data, (int)a.len) : write(c->fd, a.data, a.len)) ==
           (ssize_t)a.len;
}

/* 0: nothing now; negative: the connection is over. */
static ssize_t receive(struct bare_connection *c)
{
    ssize_t got;

    if (c->ssl == NULL) {
        got = read(c->fd, c->in + c->len, sizeof(c->in) - c->len);
        return got > 0 ? got : got < 0 && errno == EAGAIN ? 0 : -1;
    }
    got = SSL_read(c->ssl, c->in + c->len, (int)(sizeof(c->in) - c->len));
    return got > 0 ? got : SSL_get_error(c->ssl, (int)got) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static bool serve(const struct bare_server *server, struct bare_connection *c)
{
    do {
        ssize_t got = receive(c);
        size_t used;

        if (got <= 0)
            return got == 0;
        c->len += (size_t)got;
        while ((used = request_len(c)) > 0) {
            if (!answer(server, c))
                return false;
            c->len -= used;
            memmove(c->in, c->in + used, c->len);
        }
    } while (c->ssl != NULL && SSL_has_pending(c->ssl) == 1);
    return c->len < sizeof(c->in);
}

/* The first request may have come with the last flight. */
static bool shake(const struct bare_server *server, struct bare_connection *c)
{
    int result = SSL_do_handshake(c->ssl);

    c->shaken = result == 1;
    return c->shaken ? serve(server, c) : SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_READ;
}

void bare_server_run(struct bare_server *server)
{
    struct epoll_event event[EVENTS];
    int ready;

    while ((ready = epoll_wait(server->epoll, event, EVENTS, -1)) >= 0 || errno == EINTR)
        for (int i = 0; i < ready; i++) {
            struct bare_connection *c = event[i].data.ptr;

            if (event[i].data.ptr == &server->plain || event[i].data.ptr == &server->secure)
                take_connection(server, *(int *)event[i].data.ptr);
            else if (!(c->ssl != NULL && !c->shaken ? shake(server, c) : serve(server, c)))
                drop(c);
        }
}
