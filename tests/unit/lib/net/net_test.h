/* net_test.h: a server on a free port of loopback, with a handler that the path steers, and a blocking
 * client. */
#ifndef MUSTER_NET_TEST_H
#define MUSTER_NET_TEST_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/net/server.h"

struct fixture {
    struct net_server *server;
    struct keys *keys;
    struct net_exchange *parked; /* of /park; the test answers it */
    sem_t arrived;               /* posted at each /park */
};

/* What a server with one loop told of what it refused: the loop's thread writes, the test's reads after it
 * has waited (assert_told). */
struct told {
    sem_t at_all; /* posted when the rest is written */
    int status, count;
    const char *reason;
    char path[64], peer[IP_TEXT_LEN];
};
static struct told told;

UNUSED static void on_refused(const struct net_refused *refused, void *context)
{
    (void)context;
    told.count++;
    told.status = refused->status;
    told.reason = refused->reason;
    (void)snprintf(told.path, sizeof(told.path), "%.*s", BYTES_FMT(refused->request->path));
    ip_format(&refused->request->peer.address, told.peer);
    (void)sem_post(&told.at_all);
}

/* The next refusal is the `count`th in all; each comes from 127.0.0.1. */
UNUSED static void assert_told(int count, int status, const char *reason, const char *path)
{
    assert_int_equal(sem_wait(&told.at_all), 0);
    assert_int_equal(told.count, count);
    assert_int_equal(told.status, status);
    assert_string_equal(told.reason, reason);
    assert_string_equal(told.path, path);
    assert_string_equal(told.peer, "127.0.0.1");
}

UNUSED static struct bytes text_of_peer(const struct http_peer *peer, struct arena *arena)
{
    char address[IP_TEXT_LEN], unique[2 * sizeof(peer->tls_unique) + 1], exporter[65] = "-";

    ip_format(&peer->address, address);
    hex_encode(bytes_of(peer->tls_unique, peer->tls_unique_len), unique);
    if (peer->has_tls_exporter)
        hex_encode(BYTES_ARRAY(peer->tls_exporter), exporter);
    return arena_format(arena,
                        "address=%s port=%u tls=%04x resumed=%d ems=%d certificate=%zu chain=%zu unique=%s "
                        "exporter=%s;",
                        address, peer->port, peer->tls_version, peer->tls_resumed,
                        peer->tls_extended_master_secret, peer->certificate.len, peer->chain_count, unique,
                        exporter);
}

UNUSED static void *reply_thread(void *exchange)
{
    net_reply(exchange);
    return NULL;
}

UNUSED static void on_request(struct net_exchange *exchange, void *context)
{
    struct fixture *f = context;
    const struct http_request *request = &exchange->request;
    pthread_t thread;

    if (bytes_is(request->path, "/park")) {
        exchange->response = http_respond(200, "text/plain", BYTES_LITERAL("parked"));
        f->parked = exchange;
        (void)sem_post(&f->arrived);
        return;
    }
    if (bytes_is(request->path, "/echo"))
        exchange->response = http_respond(200, "text/plain", request->body);
    else if (bytes_is(request->path, "/peer"))
        exchange->response = http_respond(200, "text/plain", text_of_peer(&request->peer, request->arena));
    else if (bytes_is(request->path, "/number"))
        exchange->response = http_respond(
            200, "text/plain",
            arena_format(request->arena, "number=%llu;", (unsigned long long)request->number));
    else if (bytes_is(request->path, "/big"))
        exchange->response = http_respond(200, "text/plain",
                                          bytes_of(arena_alloc(request->arena, 4 << 20), 4 << 20));
    else if (bytes_is(request->path, "/nothing"))
        exchange->response = (struct http_response){ .status = 0 };
    else
        exchange->response = http_respond(200, "text/plain", request->path);
    if (bytes_is(request->query, "thread")) {
        if (pthread_create(&thread, NULL, reply_thread, exchange) != 0)
            abort();
        (void)pthread_detach(thread);
        return;
    }
    net_reply(exchange);
}

UNUSED static struct net_options quick_options(void)
{
    struct net_options options = NET_OPTIONS_DEFAULT;

    options.http.body_max = 100000;
    options.drain_ms = 2000;
    return options;
}

UNUSED static struct net_listener plain_listener(void)
{
    return (
        struct net_listener){ .name = "plain", .address = "127.0.0.1", .base_url = "http://ra.example.com" };
}

UNUSED static struct fixture *start(struct fixture *f, const struct net_options *options,
                                    const struct net_listener *listener)
{
    struct error err = { ERROR_NONE, "" };

    assert_int_equal(sem_init(&f->arrived, 0, 0), 0);
    if (!net_server_new(options, listener, 1, f->keys, on_request, f, &f->server, &err))
        fail_msg("%s", err.text);
    told = (struct told){ 0 };
    assert_int_equal(sem_init(&told.at_all, 0, 0), 0);
    if (options->loops == 1)
        net_server_on_refused(f->server, on_refused);
    if (!net_server_start(f->server, &err))
        fail_msg("%s", err.text);
    return f;
}

UNUSED static void finish(struct fixture *f)
{
    net_server_free(f->server);
    keys_unref(f->keys);
    (void)sem_destroy(&f->arrived);
    (void)sem_destroy(&told.at_all);
}

UNUSED static struct net_counters counters(const struct fixture *f)
{
    struct net_counters c;

    net_server_counters(f->server, &c);
    return c;
}

/* Waits for what another thread is about to do, at most twenty seconds. */
#define EVENTUALLY(condition)                               \
    do {                                                    \
        int64_t give_up_ms = clock_monotonic_ms() + 20000;  \
        while (!(condition)) {                              \
            assert_true(clock_monotonic_ms() < give_up_ms); \
            (void)sched_yield();                            \
        }                                                   \
    } while (0)

/* --- A blocking client --- */

UNUSED static int connect_to(const struct fixture *f)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(net_server_port(f->server, 0)) };
    struct timeval tv = { .tv_sec = 5 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

UNUSED static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads to the end of the connection; a reset counts as the end. */
UNUSED static const char *read_all(int fd, char *out, size_t capacity)
{
    size_t len = 0;
    ssize_t n;

    while (len + 1 < capacity && (n = recv(fd, out + len, capacity - 1 - len, 0)) > 0)
        len += (size_t)n;
    out[len] = '\0';
    return out;
}

/* Reads until `end` has come; fails when the connection ends before. */
UNUSED static const char *read_until(int fd, const char *end, char *out, size_t capacity)
{
    size_t len = 0;

    out[0] = '\0';
    while (strstr(out, end) == NULL) {
        ssize_t n = recv(fd, out + len, capacity - 1 - len, 0);

        if (n <= 0)
            fail_msg("connection ended after: %s", out);
        len += (size_t)n;
        out[len] = '\0';
    }
    return out;
}

UNUSED static bool is_at_end(int fd)
{
    char c;

    return recv(fd, &c, 1, 0) <= 0;
}

#define HOST      "Host: ra.example.com\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

#endif
