#include "bench/load.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 1 << 20, REQUEST_MAX = 1 << 20, CLIENTS_MAX = 1024, PATIENCE_S = 60 };

/* --- requests --- */

bool load_target_parse(const char *url, struct load_target *out, struct error *err)
{
    struct load_target target = { .tls = strncmp(url, "https://", 8) == 0 };
    const char *host = url + (target.tls ? 8 : 7), *slash, *colon, *end;

    if (!target.tls && strncmp(url, "http://", 7) != 0)
        return error_set(err, ERROR_FORMAT, "%s: neither http:// nor https://", url);
    slash = strchr(host, '/');
    end = slash != NULL ? slash : host + strlen(host);
    colon = memchr(host, ':', (size_t)(end - host));
    (void)snprintf(target.host, sizeof(target.host), "%.*s", (int)((colon != NULL ? colon : end) - host),
                   host);
    (void)snprintf(target.port, sizeof(target.port), "%.*s", colon != NULL ? (int)(end - colon - 1) : 3,
                   colon != NULL ? colon + 1
                   : target.tls  ? "443"
                                 : "80");
    (void)snprintf(target.path, sizeof(target.path), "%s", slash != NULL ? slash : "/");
    *out = target;
    return true;
}

void load_request(struct buffer *out, const struct load_target *target, const char *method, const char *query,
                  bool keep_alive, const char *more, struct bytes body)
{
    buffer_format(out, "%s %s%s HTTP/1.1\r\nHost: %s:%s\r\nContent-Length: %zu\r\n%s%s\r\n", method,
                  target->path, query, target->host, target->port, body.len,
                  keep_alive ? "" : "Connection: close\r\n", more != NULL ? more : "");
    buffer_append(out, body);
}

/* --- one connection --- */

struct link {
    int fd;
    SSL *ssl;
};

static void link_close(struct link *link)
{
    if (link->ssl != NULL) {
        (void)SSL_shutdown(link->ssl);
        SSL_free(link->ssl);
    }
    if (link->fd >= 0)
        (void)close(link->fd);
    *link = (struct link){ .fd = -1 };
}

static bool link_open(struct link *link, const struct load_target *target, SSL_CTX *tls)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    const struct timeval patience = { .tv_sec = PATIENCE_S };
    int one = 1;

    if (getaddrinfo(target->host, target->port, &hints, &found) != 0)
        return false;
    link->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd >= 0 && connect(link->fd, found->ai_addr, found->ai_addrlen) != 0) {
        (void)close(link->fd);
        link->fd = -1;
    }
    freeaddrinfo(found);
    if (link->fd < 0)
        return false;
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (tls == NULL)
        return true;
    link->ssl = SSL_new(tls);
    if (link->ssl != NULL && SSL_set_fd(link->ssl, link->fd) == 1 && SSL_connect(link->ssl) == 1)
        return true;
    link_close(link);
    return false;
}

static ssize_t link_read(struct link *link, void *out, size_t len)
{
    return link->ssl != NULL ? SSL_read(link->ssl, out, (int)len) : read(link->fd, out, len);
}

static bool link_write(struct link *link, struct bytes b)
{
    while (b.len > 0) {
        ssize_t done = link->ssl != NULL ? SSL_write(link->ssl, b.data, (int)b.len)
                                         : write(link->fd, b.data, b.len);

        if (done <= 0)
            return false;
        b = bytes_from(b, (size_t)done);
    }
    return true;
}

/* What is known of an answer that is being read. */
struct framing {
    size_t head, body; /* lengths; head 0: not whole yet */
    bool chunked;
};

static void read_head(struct bytes in, struct framing *f)
{
    const char *text = (const char *)in.data, *end = in.len == 0 ? NULL : memmem(text, in.len, "\r\n\r\n", 4);
    const char *length;

    if (end == NULL)
        return;
    f->head = (size_t)(end - text) + 4;
    length = memmem(text, f->head, "\r\nContent-Length: ", 18);
    f->body = length == NULL ? 0 : (size_t)strtoul(length + 18, NULL, 10);
    f->chunked = memmem(text, f->head, "\r\nTransfer-Encoding: chunked\r\n", 30) != NULL;
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
static bool keep(struct buffer *in, struct framing f, struct load_answer *out)
{
    uint8_t *copy = malloc(f.body + f.head + 1);

    if (copy == NULL)
        return false;
    if (f.chunked)
        (void)join_chunks(bytes_from(buffer_bytes(in), f.head), copy, &f.body);
    else
        memcpy(copy, in->data + f.head, f.body);
    memcpy(copy + f.body, in->data, f.head);
    out->body = bytes_of(copy, f.body);
    out->head = bytes_of(copy + f.body, f.head);
    return true;
}

struct bytes load_header(const struct load_answer *answer, const char *name)
{
    struct bytes rest = answer->head, line;

    while (bytes_split(&rest, '\n', &line))
        if (bytes_starts_with(line, name) && bytes_slice(line, strlen(name), 1).len == 1 &&
            line.data[strlen(name)] == ':')
            return bytes_trim(bytes_from(line, strlen(name) + 1));
    return BYTES_NONE;
}

/* A request and its answer on an open connection; *closing when the server will close it. */
static bool ask(struct link *link, struct bytes request, struct buffer *in, struct load_answer *out,
                bool *closing)
{
    struct framing f = { 0 };

    in->len = 0;
    if (!link_write(link, request))
        return false;
    while (!is_whole(in, &f)) {
        uint8_t chunk[16 * 1024];
        ssize_t got = link_read(link, chunk, sizeof(chunk));

        if (got <= 0)
            return false;
        buffer_append(in, bytes_of(chunk, (size_t)got));
        if (buffer_failed(in))
            return false;
    }
    out->status = (int)strtol((const char *)in->data + 9, NULL, 10);
    *closing = memmem(in->data, f.head, "Connection: close", 17) != NULL;
    return keep(in, f, out);
}

/* --- the loop --- */

static int64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct run {
    const struct load_plan *plan;
    SSL_CTX *tls;
    struct load_answer *answer, *second;
    atomic_size_t next;
    atomic_uint clients;
};

struct client {
    unsigned number;
    struct link link;
    struct buffer in, made; /* what is read; the second request of an exchange */
};

/* Opens the connection when there is none. The answer's status stays 0 when there is no answer. */
static void ask_timed(struct client *c, const struct run *run, struct bytes request, struct load_answer *out)
{
    int64_t start = now_us();
    bool closing = true;

    if ((c->link.fd < 0 && !link_open(&c->link, &run->plan->target, run->tls)) ||
        !ask(&c->link, request, &c->in, out, &closing))
        out->status = 0;
    out->took_us = now_us() - start;
    if (closing || out->status == 0)
        link_close(&c->link);
}

static void hold_exchange(struct client *c, const struct run *run, size_t n)
{
    const struct load_plan *plan = run->plan;

    ask_timed(c, run, plan->request[n], &run->answer[n]);
    c->made.len = 0;
    if (plan->follow != NULL && run->answer[n].status != 0 &&
        plan->follow(plan->context, n, &run->answer[n], &c->made) && !buffer_failed(&c->made))
        ask_timed(c, run, buffer_bytes(&c->made), &run->second[n]);
}

static void forget(struct load_answer *answer)
{
    free((void *)(uintptr_t)answer->body.data);
    *answer = (struct load_answer){ 0 };
}

static void hold_talk(struct client *c, const struct run *run, size_t n)
{
    const struct load_plan *plan = run->plan;
    struct load_answer *last = &run->answer[n];
    int64_t took_us = 0;
    bool first = true;

    do {
        c->made.len = 0;
        if (!plan->talk(plan->context, c->number, n, first ? NULL : last, &c->made) ||
            buffer_failed(&c->made))
            break;
        forget(last);
        ask_timed(c, run, buffer_bytes(&c->made), last);
        took_us += last->took_us;
        first = false;
    } while (last->status != 0);
    last->took_us = took_us;
}

static void *client(void *context)
{
    struct run *run = context;
    struct client c = { .link = { .fd = -1 }, .in = BUFFER(ANSWER_MAX), .made = BUFFER(REQUEST_MAX) };
    size_t n;

    c.number = atomic_fetch_add(&run->clients, 1);
    while ((n = atomic_fetch_add(&run->next, 1)) < run->plan->count)
        (run->plan->talk != NULL ? hold_talk : hold_exchange)(&c, run, n);
    link_close(&c.link);
    buffer_free(&c.in);
    buffer_free(&c.made);
    return NULL;
}

/* Field `n` of what follows the command's name in /proc/PID/stat, the state being field 0. */
static double stat_field(const char *text, unsigned n)
{
    for (; n > 0 && (text = strchr(text, ' ')) != NULL; n--)
        text++;
    return text == NULL ? 0 : (double)strtoul(text, NULL, 10);
}

/* User and system time of a process so far; negative when it cannot be read. */
static double process_cpu(int pid)
{
    enum { USER_TIME = 11, SYSTEM_TIME = 12 };
    char path[64], text[1024];
    FILE *file;
    const char *after;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = pid > 0 ? fopen(path, "r") : NULL;
    if (file == NULL)
        return -1;
    after = fgets(text, sizeof(text), file) != NULL ? strrchr(text, ')') : NULL;
    (void)fclose(file);
    if (after == NULL)
        return -1;
    return (stat_field(after + 2, USER_TIME) + stat_field(after + 2, SYSTEM_TIME)) /
           (double)sysconf(_SC_CLK_TCK);
}

static bool make_tls(const struct load_plan *plan, SSL_CTX **out, struct error *err)
{
    SSL_CTX *tls = plan->target.tls ? SSL_CTX_new(TLS_client_method()) : NULL;

    if (plan->target.tls &&
        (tls == NULL || (plan->trust_path != NULL && SSL_CTX_load_verify_file(tls, plan->trust_path) != 1))) {
        SSL_CTX_free(tls);
        return error_openssl(err, plan->trust_path != NULL ? plan->trust_path : "TLS");
    }
    if (tls != NULL && plan->trust_path != NULL)
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    *out = tls;
    return true;
}

static bool make_answers(struct run *run, struct error *err)
{
    run->answer = calloc(run->plan->count, sizeof(*run->answer));
    run->second = run->plan->follow != NULL ? calloc(run->plan->count, sizeof(*run->second)) : NULL;
    if (run->answer != NULL && (run->second != NULL || run->plan->follow == NULL))
        return true;
    free(run->answer);
    free(run->second);
    return error_set(err, ERROR_MEMORY, "answers");
}

bool load_run(const struct load_plan *plan, struct load_result *out, struct error *err)
{
    pthread_t thread[CLIENTS_MAX];
    struct run run = { .plan = plan };
    unsigned clients = plan->clients < CLIENTS_MAX ? plan->clients : CLIENTS_MAX, started = 0;
    double cpu;
    int64_t start;

    if (!make_tls(plan, &run.tls, err))
        return false;
    if (!make_answers(&run, err)) {
        SSL_CTX_free(run.tls);
        return false;
    }
    cpu = process_cpu(plan->target_pid);
    start = now_us();
    while (started < clients && pthread_create(&thread[started], NULL, client, &run) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(thread[i], NULL);
    *out = (struct load_result){ .answer = run.answer,
                                 .second = run.second,
                                 .count = plan->count,
                                 .seconds = (double)(now_us() - start) / 1e6,
                                 .target_cpu_seconds = -1 };
    if (cpu >= 0)
        out->target_cpu_seconds = process_cpu(plan->target_pid) - cpu;
    SSL_CTX_free(run.tls);
    return started > 0 || error_set(err, ERROR_IO, "no client thread could be started");
}

static void free_answers(struct load_answer *answer, size_t count)
{
    for (size_t i = 0; answer != NULL && i < count; i++)
        forget(&answer[i]);
    free(answer);
}

void load_free(struct load_result *result)
{
    free_answers(result->answer, result->count);
    free_answers(result->second, result->count);
    *result = (struct load_result){ 0 };
}

bool load_once(const struct load_plan *plan, struct bytes request, struct load_answer *out, struct error *err)
{
    struct load_plan one = *plan;
    struct load_result result;

    one.request = &request;
    one.count = one.clients = 1;
    one.follow = NULL;
    one.talk = NULL;
    if (!load_run(&one, &result, err))
        return false;
    *out = result.answer[0];
    free(result.answer);
    return out->status != 0 ||
           error_set(err, ERROR_IO, "%s:%s does not answer", plan->target.host, plan->target.port);
}

/* --- the report --- */

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double at(const int64_t *sorted, size_t count, double quantile)
{
    return (double)sorted[(size_t)((double)(count - 1) * quantile)] / 1000.0;
}

void load_report(const char *name, const struct load_plan *plan, const struct load_result *result,
                 size_t good, double floor_us, bool json)
{
    int64_t *sorted = calloc(result->count, sizeof(*sorted));
    double cpu_us = good > 0 ? result->target_cpu_seconds * 1e6 / (double)good : -1;

    if (sorted == NULL || result->count == 0) {
        free(sorted);
        return;
    }
    for (size_t i = 0; i < result->count; i++)
        sorted[i] = result->answer[i].took_us + (result->second != NULL ? result->second[i].took_us : 0);
    qsort(sorted, result->count, sizeof(*sorted), by_time);
    if (json)
        printf("{\"name\":\"%s\",\"clients\":%u,\"keep_alive\":%s,\"exchanges\":%zu,\"verified\":%zu,"
               "\"seconds\":%.3f,"
               "\"per_second\":%.1f,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"p999_ms\":%.2f,\"max_"
               "ms\":%.2f,"
               "\"cpu_us\":%.1f,\"floor_us\":%.1f}\n",
               name, plan->clients, plan->keep_alive ? "true" : "false", result->count, good, result->seconds,
               (double)good / result->seconds, at(sorted, result->count, 0.5), at(sorted, result->count, 0.9),
               at(sorted, result->count, 0.99), at(sorted, result->count, 0.999),
               at(sorted, result->count, 1.0), cpu_us, floor_us);
    else {
        printf("%s, %u clients, %s: %zu of %zu answers verified in %.2f s: %.0f a second\n", name,
               plan->clients, plan->keep_alive ? "keep-alive" : "new connections", good, result->count,
               result->seconds, (double)good / result->seconds);
        printf("  latency ms: p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f\n",
               at(sorted, result->count, 0.5), at(sorted, result->count, 0.9),
               at(sorted, result->count, 0.99), at(sorted, result->count, 0.999),
               at(sorted, result->count, 1.0));
        if (cpu_us >= 0)
            printf("  CPU of the target: %.0f us each", cpu_us);
        if (floor_us > 0)
            printf("%s  cryptography alone: %.0f us", cpu_us >= 0 ? "," : "", floor_us);
        if (cpu_us > 0 && floor_us > 0)
            printf("  floor/CPU: %.2f", floor_us / cpu_us);
        printf("\n");
    }
    free(sorted);
}
