/* dns_server.h: a name server on a free port of loopback, by UDP and TCP, that says what its rows say. */
#ifndef MUSTER_TEST_DNS_SERVER_H
#define MUSTER_TEST_DNS_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/dns/dns_message.h"

enum { DNS_SERVER_RDATA = 4 };

struct dns_server_row {
    const char *name;
    enum dns_type type;
    int rcode;
    bool silent;       /* never answers */
    bool truncated;    /* by UDP: cut off, to be asked for by TCP */
    bool garbage;      /* an answer that cannot be read */
    const char *alias; /* the records are that name's */
    struct bytes rdata[DNS_SERVER_RDATA];
};

struct dns_server {
    const struct dns_server_row *row;
    size_t count;
    int udp, tcp, stop[2];
    pthread_t thread;
    char address[32]; /* "127.0.0.1:12345" */
    atomic_uint asked;
};

UNUSED static size_t dns_server_put_name(const char *name, uint8_t *out)
{
    struct bytes rest = bytes_text(name), label;
    size_t len = 0;

    while (bytes_split(&rest, '.', &label)) {
        out[len++] = (uint8_t)label.len;
        memcpy(out + len, label.data, label.len);
        len += label.len;
    }
    out[len++] = 0;
    return len;
}

UNUSED static size_t dns_server_put_record(const uint8_t *owner, size_t owner_len, unsigned type,
                                           struct bytes rdata, uint8_t *out)
{
    const uint8_t fixed[10] = { (uint8_t)(type >> 8),      (uint8_t)type,     0, 1, 0, 0, 0, 60,
                                (uint8_t)(rdata.len >> 8), (uint8_t)rdata.len };

    memcpy(out, owner, owner_len);
    memcpy(out + owner_len, fixed, sizeof(fixed));
    memcpy(out + owner_len + sizeof(fixed), rdata.data, rdata.len);
    return owner_len + sizeof(fixed) + rdata.len;
}

/* The name in the question as text, in lower case, and where the question ends. */
UNUSED static size_t dns_server_read_question(const uint8_t *query, size_t len, char *name, unsigned *type)
{
    size_t at = 12, out = 0;

    while (at < len && query[at] != 0) {
        for (unsigned i = 0; i < query[at]; i++)
            name[out++] = (char)(query[at + 1 + i] >= 'A' && query[at + 1 + i] <= 'Z' ? query[at + 1 + i] + 32
                                                                                      : query[at + 1 + i]);
        name[out++] = '.';
        at += query[at] + 1u;
    }
    name[out > 0 ? out - 1 : 0] = '\0';
    *type = (unsigned)query[at + 1] << 8 | query[at + 2];
    return at + 5;
}

UNUSED static const struct dns_server_row *dns_server_find(const struct dns_server *s, const char *name,
                                                           unsigned type, bool *known)
{
    *known = false;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->row[i].name, name) != 0)
            continue;
        *known = true;
        if ((unsigned)s->row[i].type == type)
            return &s->row[i];
    }
    return NULL;
}

/* 0: no answer. */
UNUSED static size_t dns_server_answer(struct dns_server *s, const uint8_t *query, size_t len, bool udp,
                                       uint8_t *out)
{
    uint8_t owner[300] = { 0xc0, 12 };
    size_t owner_len = 2, at;
    const struct dns_server_row *row;
    char name[300];
    unsigned type;
    bool known;

    atomic_fetch_add(&s->asked, 1);
    if (len < 17)
        return 0;
    at = dns_server_read_question(query, len, name, &type);
    row = dns_server_find(s, name, type, &known);
    memcpy(out, query, at);
    out[2] = 0x81;
    out[3] = (uint8_t)(0x80 | (row != NULL ? row->rcode : known ? 0 : 3));
    memset(out + 6, 0, 6);
    if (row == NULL)
        return at;
    if (row->silent)
        return 0;
    if (row->truncated && udp) {
        out[2] |= 2;
        return at;
    }
    if (row->alias != NULL) {
        uint8_t target[300];
        size_t target_len = dns_server_put_name(row->alias, target);

        at += dns_server_put_record(owner, 2, DNS_TYPE_CNAME, bytes_of(target, target_len), out + at);
        memcpy(owner, target, target_len);
        owner_len = target_len;
        out[7]++;
    }
    for (size_t i = 0; i < DNS_SERVER_RDATA && row->rdata[i].data != NULL; i++, out[7]++)
        at += dns_server_put_record(owner, owner_len, type, row->rdata[i], out + at);
    if (row->garbage)
        out[7]++;
    return at;
}

UNUSED static void dns_server_serve_tcp(struct dns_server *s, uint8_t *in, uint8_t *out)
{
    int fd = accept(s->tcp, NULL, NULL);
    ssize_t len = fd < 0 ? -1 : recv(fd, in, 4096, 0); /* a question comes in one piece */
    size_t answer = len < 2 ? 0 : dns_server_answer(s, in + 2, (size_t)len - 2, false, out + 2);

    out[0] = (uint8_t)(answer >> 8);
    out[1] = (uint8_t)answer;
    if (answer > 0)
        (void)send(fd, out, answer + 2, MSG_NOSIGNAL);
    if (fd >= 0)
        (void)close(fd);
}

UNUSED static void *dns_server_run(void *context)
{
    struct dns_server *s = context;
    struct pollfd poll_fd[] = { { .fd = s->udp, .events = POLLIN },
                                { .fd = s->tcp, .events = POLLIN },
                                { .fd = s->stop[0], .events = POLLIN } };
    uint8_t in[4096], *out = malloc(1 << 18);

    while (out != NULL && poll(poll_fd, 3, -1) > 0 && poll_fd[2].revents == 0) {
        struct sockaddr_in from;
        socklen_t from_len = sizeof(from);
        ssize_t len;

        if (poll_fd[1].revents != 0)
            dns_server_serve_tcp(s, in, out);
        if (poll_fd[0].revents == 0)
            continue;
        len = recvfrom(s->udp, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
        if (len > 0) {
            size_t answer = dns_server_answer(s, in, (size_t)len, true, out);

            if (answer > 0)
                (void)sendto(s->udp, out, answer, 0, (const struct sockaddr *)&from, from_len);
        }
    }
    free(out);
    return NULL;
}

/* UDP and TCP on the same port; taken by another for one of them, another port is tried. */
UNUSED static bool dns_server_bind(struct dns_server *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);

    s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->tcp, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(s->tcp, 8) != 0 ||
        getsockname(s->tcp, (struct sockaddr *)&at, &len) != 0 ||
        bind(s->udp, (const struct sockaddr *)&at, sizeof(at)) != 0) {
        (void)close(s->udp);
        (void)close(s->tcp);
        return false;
    }
    (void)snprintf(s->address, sizeof(s->address), "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    return true;
}

UNUSED static void dns_server_start(struct dns_server *s, const struct dns_server_row *row, size_t count)
{
    s->row = row;
    s->count = count;
    atomic_init(&s->asked, 0);
    while (!dns_server_bind(s))
        continue;
    if (pipe(s->stop) != 0 || pthread_create(&s->thread, NULL, dns_server_run, s) != 0)
        abort();
}

UNUSED static void dns_server_stop(struct dns_server *s)
{
    if (write(s->stop[1], "x", 1) != 1)
        abort();
    (void)pthread_join(s->thread, NULL);
    (void)close(s->udp);
    (void)close(s->tcp);
    (void)close(s->stop[0]);
    (void)close(s->stop[1]);
}

#endif
