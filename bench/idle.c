/* muster-bench idle: what a connection that does nothing costs the gateway in memory. Opens many TLS
 * connections, looks at the daemon's memory, sends one request over each, looks again; and asks over a fresh
 * connection meanwhile whether others are still served. What the kernel holds for a socket is not counted. */
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/link.h"

enum { PER_ADDRESS = 900, PATIENCE_S = 20, OTHERS = 20, WARM_UP = 64, SPARE_FILES = 64 };

struct idle_options {
    const char *target;
    uint64_t connections, pid, per_address;
    bool json;
};

struct idle_link {
    int fd;
    SSL *ssl;
};

struct idle {
    const struct idle_options *options;
    struct link_target target;
    struct sockaddr_in to;
    SSL_CTX *tls;
    struct buffer request;
    struct idle_link *link;
    size_t count;
    double opened_kib, used_kib, opened_share_kib, used_share_kib; /* each, over what it was before */
    double answer_ms; /* of a fresh connection with a request, in the median, while all the others are open */
};

/* --- connections --- */
static void idle_link_close(struct idle_link *link)
{
    SSL_free(link->ssl);
    if (link->fd >= 0)
        (void)close(link->fd);
    *link = (struct idle_link){ .fd = -1 };
}

/* From 127.0.0.2 on, so many from each address: a gateway takes no more than some from one client. */
static bool connect_from(int fd, const struct idle *idle, size_t n)
{
    struct sockaddr_in from = { .sin_family = AF_INET };
    int one = 1;

    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(n / idle->options->per_address));
    if (ntohl(idle->to.sin_addr.s_addr) >> 24 == 127 &&
        (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) != 0 ||
         bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0))
        return false;
    return connect(fd, (const struct sockaddr *)&idle->to, sizeof(idle->to)) == 0;
}

static bool idle_link_open(struct idle *idle, size_t n, struct idle_link *out, struct error *err)
{
    const struct timeval patience = { .tv_sec = PATIENCE_S };
    struct idle_link link = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

    if (link.fd < 0 || setsockopt(link.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        !connect_from(link.fd, idle, n)) {
        (void)error_errno(err, "a connection");
        idle_link_close(&link);
        return false;
    }
    link.ssl = SSL_new(idle->tls);
    if (link.ssl == NULL || SSL_set_fd(link.ssl, link.fd) != 1 || SSL_connect(link.ssl) != 1) {
        (void)error_openssl(err, "a TLS handshake");
        idle_link_close(&link);
        return false;
    }
    *out = link;
    return true;
}

/* One request, and an answer that came whole with any status below 500: asked is whether it is served. */
static bool idle_link_ask(struct idle *idle, const struct idle_link *link, struct error *err)
{
    char in[16 * 1024];
    size_t len = 0, whole = 0;

    if (SSL_write(link->ssl, idle->request.data, (int)idle->request.len) != (int)idle->request.len)
        return error_set(err, ERROR_IO, "a request cannot be sent: the connection was closed");
    while (whole == 0 || len < whole) {
        int got = len + 1 < sizeof(in) ? SSL_read(link->ssl, in + len, (int)(sizeof(in) - 1 - len)) : 0;
        const char *end, *length;

        if (got <= 0)
            return error_set(err, ERROR_IO, "a request has no answer");
        len += (size_t)got;
        in[len] = '\0';
        end = strstr(in, "\r\n\r\n");
        length = strstr(in, "Content-Length: ");
        if (end != NULL)
            whole = (size_t)(end - in) + 4 +
                    (length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0);
    }
    return strtol(in + 9, NULL, 10) < 500 || error_set(err, ERROR_IO, "an answer is '%.12s'", in);
}

/* --- the steps --- */
static bool ask_once(struct idle *idle, size_t n, struct error *err)
{
    struct idle_link link = { .fd = -1 };
    bool done = idle_link_open(idle, n, &link, err) && idle_link_ask(idle, &link, err);

    idle_link_close(&link);
    return done;
}

/* What the daemon makes once, it has made after this. */
static bool warm_up(struct idle *idle, struct error *err)
{
    for (size_t i = 0; i < WARM_UP; i++)
        if (!ask_once(idle, i, err))
            return false;
    return true;
}

static bool open_all(struct idle *idle, struct error *err)
{
    size_t wanted = idle->options->connections;

    idle->link = calloc(wanted, sizeof(*idle->link));
    if (idle->link == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (; idle->count < wanted; idle->count++)
        if (!idle_link_open(idle, idle->count, &idle->link[idle->count], err))
            return error_prefix(err, "while connections are opened");
    return true;
}

static bool use_all(struct idle *idle, struct error *err)
{
    for (size_t i = 0; i < idle->count; i++)
        if (!idle_link_ask(idle, &idle->link[i], err))
            return error_prefix(err, "over a connection that had been idle");
    return true;
}

static bool serve_others(struct idle *idle, struct error *err)
{
    struct rounds took = { 0 };

    for (size_t i = 0; i < OTHERS; i++) {
        double begun = figures_wall_s();

        if (!ask_once(idle, idle->count + i, err))
            return error_prefix(err, "another client");
        rounds_add(&took, (figures_wall_s() - begun) * 1e3);
    }
    idle->answer_ms = rounds_spread(&took).median;
    return true;
}

static bool look(const struct idle *idle, struct figures_memory *out, struct error *err)
{
    return figures_memory_of((pid_t)idle->options->pid, out) ||
           error_set(err, ERROR_NOT_FOUND, "the memory of process %llu cannot be seen",
                     (unsigned long long)idle->options->pid);
}

static bool measure(struct idle *idle, struct error *err)
{
    struct figures_memory before, opened, used;

    if (!warm_up(idle, err) || !look(idle, &before, err) || !open_all(idle, err) ||
        !look(idle, &opened, err) || !use_all(idle, err) || !look(idle, &used, err) ||
        !serve_others(idle, err))
        return false;
    idle->opened_kib = (opened.resident_kib - before.resident_kib) / (double)idle->count;
    idle->used_kib = (used.resident_kib - before.resident_kib) / (double)idle->count;
    idle->opened_share_kib = (opened.proportional_kib - before.proportional_kib) / (double)idle->count;
    idle->used_share_kib = (used.proportional_kib - before.proportional_kib) / (double)idle->count;
    return true;
}

/* --- before and after --- */
static bool raise_file_limit(uint64_t needed, struct error *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return error_errno(err, "limit of open files");
    if (limit.rlim_cur >= needed)
        return true;
    limit.rlim_cur = needed;
    if (limit.rlim_max < needed)
        limit.rlim_max = needed; /* root alone may */
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 || error_errno(err, "limit of open files");
}

static bool find_target(struct idle *idle, struct error *err)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found = NULL;

    if (!link_target_parse(idle->options->target, &idle->target, err))
        return false;
    if (!idle->target.tls)
        return error_set(err, ERROR_UNSUPPORTED, "%s: an https:// address is wanted", idle->options->target);
    if (getaddrinfo(idle->target.host, idle->target.port, &hints, &found) != 0)
        return error_set(err, ERROR_NOT_FOUND, "%s is not found", idle->target.host);
    memcpy(&idle->to, found->ai_addr, sizeof(idle->to));
    freeaddrinfo(found);
    link_request_put(&idle->request, &idle->target,
                     &(struct link_request){ .method = "GET", .keep_alive = true });
    return !buffer_failed(&idle->request) || error_set(err, ERROR_MEMORY, "out of memory");
}

static void report(const struct idle *idle)
{
    if (idle->options->json) {
        printf("{\"name\":\"idle\",\"connections\":%zu,\"opened_kib\":%.2f,\"used_kib\":%.2f,"
               "\"opened_share_kib\":%.2f,\"used_share_kib\":%.2f,\"answer_ms\":%.2f}\n",
               idle->count, idle->opened_kib, idle->used_kib, idle->opened_share_kib, idle->used_share_kib,
               idle->answer_ms);
    } else {
        printf("%zu idle TLS connections: %.1f KiB resident each (%.1f of its own), %.1f (%.1f) after a "
               "request\n  others meanwhile: connection, handshake and answer in %.2f ms\n",
               idle->count, idle->opened_kib, idle->opened_share_kib, idle->used_kib, idle->used_share_kib,
               idle->answer_ms);
    }
}

static const char usage[] =
    "usage: muster-bench idle --target URL --pid N [--connections N] [--per-address N] [--json]\n"
    "\n"
    "  --target URL      https://host:port/path, fetched by GET over each connection once all are open\n"
    "  --pid N           the daemon's process\n"
    "  --connections N   default 10000; the daemon must take as many, and wait for the first request of "
    "each\n"
    "  --per-address N   connections from each of 127.0.0.2, 127.0.0.3 ... (default 900)\n"
    "  --json            one line of JSON\n";

int bench_idle(int argc, char **argv)
{
    struct idle_options options = { .connections = 10000, .per_address = PER_ADDRESS };
    const struct argument table[] = { { "target", ARGUMENT_TEXT, { .text = &options.target } },
                                      { "pid", ARGUMENT_NUMBER, { .number = &options.pid } },
                                      { "connections", ARGUMENT_NUMBER, { .number = &options.connections } },
                                      { "per-address", ARGUMENT_NUMBER, { .number = &options.per_address } },
                                      { "json", ARGUMENT_FLAG, { .flag = &options.json } } };
    struct idle idle = { .options = &options, .request = BUFFER(4096) };
    struct error err = { 0 };
    bool done;

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table)))
        return 2;
    if (options.target == NULL || options.pid == 0) {
        fputs(usage, stderr);
        return 2;
    }
    idle.tls = SSL_CTX_new(TLS_client_method());
    if (idle.tls != NULL)
        (void)SSL_CTX_set_mode(idle.tls, SSL_MODE_RELEASE_BUFFERS);
    done = (idle.tls != NULL || error_openssl(&err, "TLS")) && find_target(&idle, &err) &&
           raise_file_limit(options.connections + SPARE_FILES, &err) && measure(&idle, &err);
    if (done)
        report(&idle);
    else
        (void)fprintf(stderr, "muster-bench: %s (%zu connections were open)\n", err.text, idle.count);
    for (size_t i = 0; i < idle.count; i++)
        idle_link_close(&idle.link[i]);
    free(idle.link);
    buffer_free(&idle.request);
    SSL_CTX_free(idle.tls);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
