#include "bench/driver.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench/figures.h"

enum { CONNECTIONS_MAX = 1024, INPUT_MAX = 64 * 1024, EVENTS = 64, PATIENCE_S = 20 };

struct driven {
    int fd;
    SSL *ssl;
    size_t len;
    char in[INPUT_MAX];
};

struct driver {
    int epoll;
    unsigned count;
    struct driven connection[];
};

static bool open_one(struct driven *c, uint16_t port, SSL_CTX *tls, struct error *err)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const struct timeval patience = { .tv_sec = PATIENCE_S };
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        return error_errno(err, "a connection");
    if (tls == NULL)
        return true;
    c->ssl = SSL_new(tls);
    return (c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1) ||
           error_openssl(err, "a TLS handshake");
}

bool driver_new(uint16_t port, SSL_CTX *tls, unsigned connections, struct driver **out, struct error *err)
{
    unsigned count = connections < CONNECTIONS_MAX ? connections : CONNECTIONS_MAX;
    struct driver *driver = calloc(1, sizeof(*driver) + count * sizeof(driver->connection[0]));

    if (driver == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    driver->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (; driver->count < count; driver->count++) {
        struct driven *c = &driver->connection[driver->count];
        struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = c } };

        if (!open_one(c, port, tls, err) || epoll_ctl(driver->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
            driver->count++; /* this one is to be closed, too */
            driver_free(driver);
            return false;
        }
    }
    *out = driver;
    return true;
}

void driver_free(struct driver *driver)
{
    if (driver == NULL)
        return;
    for (unsigned i = 0; i < driver->count; i++) {
        SSL_free(driver->connection[i].ssl);
        if (driver->connection[i].fd >= 0)
            (void)close(driver->connection[i].fd);
    }
    if (driver->epoll >= 0)
        (void)close(driver->epoll);
    free(driver);
}

static bool send_one(struct driven *c, struct bytes request, struct error *err)
{
    c->len = 0;
    return (c->ssl != NULL ? SSL_write(c->ssl, request.data, (int)request.len)
                           : write(c->fd, request.data, request.len)) == (ssize_t)request.len ||
           error_set(err, ERROR_IO, "a request cannot be sent");
}

/* True when the answer is whole, and as it must be. */
static bool is_whole(const struct driven *c, size_t answer_len)
{
    const char *end = c->len == 0 ? NULL : memmem(c->in, c->len, "\r\n\r\n", 4);

    return end != NULL && c->len - (size_t)(end - c->in) - 4 == answer_len &&
           strncmp(c->in, "HTTP/1.1 200 ", 13) == 0;
}

/* It has begun to arrive: the rest comes at once. */
static bool receive_one(struct driven *c, size_t answer_len, struct error *err)
{
    while (!is_whole(c, answer_len)) {
        size_t room = sizeof(c->in) - c->len;
        ssize_t got = room == 0        ? 0
                      : c->ssl != NULL ? SSL_read(c->ssl, c->in + c->len, (int)room)
                                       : read(c->fd, c->in + c->len, room);

        if (got <= 0)
            return error_set(err, ERROR_IO, "an answer is not as expected");
        c->len += (size_t)got;
    }
    return true;
}

static bool send_to_all(struct driver *driver, struct bytes request, struct error *err)
{
    for (unsigned i = 0; i < driver->count; i++)
        if (!send_one(&driver->connection[i], request, err))
            return false;
    return true;
}

bool driver_run(struct driver *driver, struct bytes request, size_t answer_len, double seconds,
                uint64_t *answers, struct error *err)
{
    double end = figures_wall_s() + seconds;
    unsigned waiting = driver->count;
    uint64_t done = 0;

    if (!send_to_all(driver, request, err))
        return false;
    while (waiting > 0) {
        struct epoll_event event[EVENTS];
        int ready = epoll_wait(driver->epoll, event, EVENTS, PATIENCE_S * 1000);
        bool over = figures_wall_s() >= end;

        if (ready <= 0)
            return error_set(err, ERROR_IO, "the server does not answer");
        for (int i = 0; i < ready; i++) {
            if (!receive_one(event[i].data.ptr, answer_len, err))
                return false;
            done++;
            waiting -= over;
            if (!over && !send_one(event[i].data.ptr, request, err))
                return false;
        }
    }
    *answers = done;
    return true;
}
