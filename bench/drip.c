/* muster-bench drip: how long a connection lives that is fed one octet at a time, in the TLS handshake, in a
 * request's head, in its body, against the deadline that is configured for that phase. */
#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/link.h"

enum { DRIPS_MAX = 256, DRIPS_A_DEADLINE = 40, GIVE_UP = 4, BODY_LEN = 100000 };

struct drip_options {
    const char *target, *phase;
    uint64_t deadline_ms, connections;
    bool json;
};

struct drip {
    struct drip_options options;
    struct link_target target;
    struct buffer first; /* sent at once: the head, when the body is dripped */
    struct buffer slow;  /* octet by octet, then on and on */
};

struct fed {
    int fd; /* negative: over */
    size_t sent;
    double since_s, lived_s;
};

/* --- what is fed --- */
static bool put_client_hello(struct buffer *out, struct error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx == NULL ? NULL : SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *made = BIO_new(BIO_s_mem());
    char *octets = NULL;
    long len = 0;

    if (ssl != NULL && in != NULL && made != NULL) {
        SSL_set_bio(ssl, in, made);
        (void)SSL_connect(ssl); /* goes no further than its first flight */
        len = BIO_get_mem_data(made, &octets);
    }
    if (len > 0)
        buffer_append(out, bytes_of(octets, (size_t)len));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return len > 0 || error_openssl(err, "a ClientHello");
}

static bool prepare(struct drip *drip, struct error *err)
{
    const char *phase = drip->options.phase;

    if (!link_target_parse(drip->options.target, &drip->target, err))
        return false;
    if (strcmp(phase, "handshake") == 0)
        return put_client_hello(&drip->slow, err);
    if (drip->target.tls)
        return error_set(err, ERROR_UNSUPPORTED, "heads and bodies are dripped over http://");
    if (strcmp(phase, "body") == 0) {
        buffer_format(&drip->first, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n",
                      drip->target.path, drip->target.host, BODY_LEN);
        return true;
    }
    if (strcmp(phase, "head") != 0)
        return error_set(err, ERROR_FORMAT, "no phase is called %s", phase);
    buffer_format(&drip->slow, "POST %s HTTP/1.1\r\nHost: %s\r\nX-Slow: ", drip->target.path,
                  drip->target.host);
    return true;
}

/* The next octet; what follows what was made never ends a phase. */
static uint8_t octet_at(const struct drip *drip, size_t n)
{
    return n < drip->slow.len ? drip->slow.data[n] : (uint8_t)'a';
}

/* --- feeding --- */
static bool open_one(const struct drip *drip, struct fed *out, struct error *err)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found = NULL;
    int fd;

    if (getaddrinfo(drip->target.host, drip->target.port, &hints, &found) != 0)
        return error_set(err, ERROR_NOT_FOUND, "%s is not found", drip->target.host);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        freeaddrinfo(found);
        if (fd >= 0)
            (void)close(fd);
        return error_errno(err, "a connection");
    }
    freeaddrinfo(found);
    *out = (struct fed){ .fd = fd, .since_s = figures_wall_s() };
    return drip->first.len == 0 || write(fd, drip->first.data, drip->first.len) == (ssize_t)drip->first.len ||
           error_errno(err, "a head");
}

static void end_one(struct fed *f, double now_s)
{
    f->lived_s = now_s - f->since_s;
    (void)close(f->fd);
    f->fd = -1;
}

static void feed_one(const struct drip *drip, struct fed *f)
{
    uint8_t octet = octet_at(drip, f->sent++);

    if (f->fd >= 0 && send(f->fd, &octet, 1, MSG_NOSIGNAL) != 1)
        end_one(f, figures_wall_s());
}

/* Until `until_s`; a connection is over when the server ends it. What it says before is read over. */
static size_t watch(struct fed *fed, size_t count, double until_s)
{
    struct pollfd polled[DRIPS_MAX];
    double now_s;
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        polled[i] = (struct pollfd){ .fd = fed[i].fd, .events = POLLIN };
        left += fed[i].fd >= 0;
    }
    while (left > 0 && (now_s = figures_wall_s()) < until_s) {
        if (poll(polled, count, (int)((until_s - now_s) * 1e3) + 1) <= 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            char said[512];

            if (polled[i].fd < 0 || polled[i].revents == 0 || recv(polled[i].fd, said, sizeof(said), 0) > 0)
                continue;
            end_one(&fed[i], figures_wall_s());
            polled[i].fd = -1;
            left--;
        }
    }
    return left;
}

static bool measure(const struct drip *drip, struct fed *fed, size_t count, struct error *err)
{
    double deadline_s = (double)drip->options.deadline_ms / 1e3, step_s = deadline_s / DRIPS_A_DEADLINE;
    double end_s, next_s;
    size_t left = count;

    for (size_t i = 0; i < count; i++)
        fed[i].fd = -1;
    for (size_t i = 0; i < count; i++)
        if (!open_one(drip, &fed[i], err))
            return false;
    next_s = figures_wall_s();
    end_s = next_s + GIVE_UP * deadline_s;
    while (left > 0 && next_s < end_s) {
        for (size_t i = 0; i < count; i++)
            feed_one(drip, &fed[i]);
        next_s += step_s;
        left = watch(fed, count, next_s);
    }
    return left == 0 ||
           error_set(err, ERROR_IO, "%zu of %zu connections outlive %d deadlines", left, count, GIVE_UP);
}

static void report(const struct drip *drip, const struct fed *fed, size_t count)
{
    struct rounds lived = { 0 };
    struct spread ratio;
    double longest = 0;

    for (size_t i = 0; i < count; i++) {
        double times = fed[i].lived_s * 1e3 / (double)drip->options.deadline_ms;

        rounds_add(&lived, times);
        longest = times > longest ? times : longest;
    }
    ratio = rounds_spread(&lived);
    if (drip->options.json) {
        printf("{\"name\":\"drip %s\",", drip->options.phase);
        spread_print_json("ratio", ratio);
        printf(",\"longest\":%.4f,\"connections\":%zu}\n", longest, count);
    } else {
        printf("%zu connections dripping in the %s: closed after %.3f deadlines of %llu ms (at most %.3f)\n",
               count, drip->options.phase, ratio.median, (unsigned long long)drip->options.deadline_ms,
               longest);
    }
}

static const char usage[] =
    "usage: muster-bench drip --target URL --deadline-ms N [--phase handshake|head|body] [--connections N] "
    "[--json]\n"
    "\n"
    "  --target URL      http://host:port/path for head and body, https:// for the handshake\n"
    "  --deadline-ms N   what is configured for that phase\n"
    "  --phase NAME      default head\n"
    "  --connections N   default 16, all at once\n"
    "  --json            one line of JSON\n";

int bench_drip(int argc, char **argv)
{
    struct drip drip = { .options = { .phase = "head", .connections = 16 },
                         .first = BUFFER(4096),
                         .slow = BUFFER(64 * 1024) };
    struct drip_options *o = &drip.options;
    const struct argument table[] = { { "target", ARGUMENT_TEXT, { .text = &o->target } },
                                      { "phase", ARGUMENT_TEXT, { .text = &o->phase } },
                                      { "deadline-ms", ARGUMENT_NUMBER, { .number = &o->deadline_ms } },
                                      { "connections", ARGUMENT_NUMBER, { .number = &o->connections } },
                                      { "json", ARGUMENT_FLAG, { .flag = &o->json } } };
    struct fed fed[DRIPS_MAX] = { 0 };
    struct error err = { 0 };
    size_t count;
    bool done;

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table)))
        return 2;
    if (o->target == NULL || o->deadline_ms == 0) {
        fputs(usage, stderr);
        return 2;
    }
    count = o->connections < DRIPS_MAX ? o->connections : DRIPS_MAX;
    done = prepare(&drip, &err) && measure(&drip, fed, count, &err);
    if (done)
        report(&drip, fed, count);
    else
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
    buffer_free(&drip.first);
    buffer_free(&drip.slow);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
