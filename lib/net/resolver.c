#include "lib/net/resolver.h"

#define CARES_NO_DEPRECATED /* the calls that 1.18 has */
#include <ares.h>
#include <assert.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/buffer.h"

enum {
    DNS_PORT = 53,
    TRIES = 3,
    TRY_MIN_MS = 250,
    TRY_MAX_MS = 3000,
    EDNS_SIZE = 1232,                                /* what crosses every path unfragmented */
    WATCHES_MAX = 2 * NET_RESOLVER_SERVERS_MAX + 16, /* UDP and TCP of each server, and those of the system */
    ANSWER_ARENA_MAX = 1 << 20,
};

struct server {
    struct ip_address ip;
    uint16_t port;
};

struct servers {
    struct server item[NET_RESOLVER_SERVERS_MAX];
    size_t count;
};

/* A socket of c-ares, watched on the loop. */
struct watch {
    struct event event;
    struct asking *asking;
    bool used;
    ares_socket_t fd;
};

/* One question, with a channel of its own. */
struct asking {
    struct asking *next, *previous;
    struct net_resolver *resolver;
    ares_channel channel;
    struct event retry, deadline;
    struct watch watch[WATCHES_MAX];
    struct net_question question;
    net_resolver_done *done;
    void *user;
    bool answered;
    enum dns_status status; /* unless there is a message */
    /* Some server answered that it cannot or does not want to: the others are asked, who pass such answers
     * over; when they bring nothing, this is the answer. */
    bool again;
    enum dns_status first_status;
    struct buffer message;
};

struct net_resolver {
    struct event_base *base;
    struct servers servers; /* none: the system's */
    struct asking *asking;
};

static pthread_once_t ares_once = PTHREAD_ONCE_INIT;
static int ares_state;

static void start_ares(void)
{
    ares_state = ares_library_init(ARES_LIB_INIT_ALL);
}

/* --- servers --- */

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353". */
static bool parse_server(struct bytes text, struct server *out)
{
    size_t colon = bytes_find(text, ':');
    struct bytes host = text, port = BYTES_NONE;
    uint64_t number = DNS_PORT;

    if (bytes_starts_with(text, "[")) {
        size_t end = bytes_find(text, ']');

        host = bytes_slice(text, 1, end - 1);
        port = bytes_from(text, end + 1);
        if (end == text.len || (port.len > 0 && port.data[0] != ':'))
            return false;
        port = bytes_from(port, 1);
        if (port.len == 0 && bytes_ends_with(text, ":"))
            return false;
    } else if (colon < text.len && bytes_find(bytes_from(text, colon + 1), ':') == text.len - colon - 1) {
        host = bytes_slice(text, 0, colon);
        port = bytes_from(text, colon + 1);
        if (port.len == 0)
            return false;
    }
    if (!ip_parse(host, &out->ip) || (port.len > 0 && !bytes_to_u64(port, UINT16_MAX, &number)))
        return false;
    out->port = (uint16_t)number;
    return number > 0;
}

static bool parse_servers(struct bytes text, struct servers *out)
{
    struct bytes part;

    *out = (struct servers){ .count = 0 };
    if (bytes_trim(text).len == 0)
        return true;
    while (bytes_split(&text, ',', &part)) {
        if (out->count == NET_RESOLVER_SERVERS_MAX || !parse_server(bytes_trim(part), &out->item[out->count]))
            return false;
        out->count++;
    }
    return true;
}

bool net_resolver_servers_valid(struct bytes servers)
{
    struct servers parsed;

    return parse_servers(servers, &parsed);
}

static bool set_servers(ares_channel channel, const struct servers *servers)
{
    struct ares_addr_port_node node[NET_RESOLVER_SERVERS_MAX] = { 0 };

    for (size_t i = 0; i < servers->count; i++) {
        const struct server *server = &servers->item[i];

        node[i].next = i + 1 < servers->count ? &node[i + 1] : NULL;
        node[i].family = server->ip.len == 4 ? AF_INET : AF_INET6;
        memcpy(&node[i].addr, server->ip.bytes, server->ip.len);
        node[i].udp_port = node[i].tcp_port = server->port;
    }
    return servers->count == 0 || ares_set_servers_ports(channel, node) == ARES_SUCCESS;
}

/* --- a question's end --- */

static void asking_free(struct asking *a)
{
    a->answered = true; /* what c-ares has to say while it ends means nothing */
    if (a->channel != NULL)
        ares_destroy(a->channel);
    (void)event_del(&a->retry);
    (void)event_del(&a->deadline);
    if (a->previous != NULL)
        a->previous->next = a->next;
    else if (a->resolver->asking == a)
        a->resolver->asking = a->next;
    if (a->next != NULL)
        a->next->previous = a->previous;
    buffer_free(&a->message);
    free(a);
}

/* The question is gone before its callback runs, which may well ask the next. */
static void finish(struct asking *a)
{
    AUTO_ARENA *arena = arena_new(ANSWER_ARENA_MAX);
    struct dns_answer answer = { .status = arena == NULL ? DNS_STATUS_OURS : a->status };
    net_resolver_done *done = a->done;
    void *user = a->user;

    if (a->again && answer.status == DNS_STATUS_TIMEOUT)
        answer.status = a->first_status;
    if (arena != NULL && a->message.len > 0)
        answer = dns_message_read(buffer_bytes(&a->message), &a->question.name, a->question.type, arena);
    asking_free(a);
    done(&answer, user);
}

static enum dns_status status_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
    case ARES_ENODATA: return DNS_STATUS_RECORDS;
    case ARES_ENOTFOUND: return DNS_STATUS_NXDOMAIN;
    case ARES_ESERVFAIL: return DNS_STATUS_SERVFAIL;
    case ARES_EFORMERR:
    case ARES_ENOTIMP:
    case ARES_EREFUSED: return DNS_STATUS_REFUSED;
    case ARES_EBADRESP: return DNS_STATUS_MALFORMED;
    case ARES_ECONNREFUSED:
    case ARES_ETIMEOUT: return DNS_STATUS_TIMEOUT;
    default: return DNS_STATUS_OURS;
    }
}

/* Within c-ares: the channel must not go here. */
static void on_answer(void *arg, int status, int timeouts, unsigned char *message, int len)
{
    struct asking *a = arg;

    (void)timeouts;
    if (a->answered)
        return;
    a->answered = true;
    a->status = status_of(status);
    if (a->status != DNS_STATUS_RECORDS && a->status != DNS_STATUS_NXDOMAIN)
        return;
    if (message != NULL && len > 0)
        buffer_append(&a->message, bytes_of(message, (size_t)len));
    else if (status == ARES_SUCCESS)
        a->status = DNS_STATUS_MALFORMED;
    if (buffer_failed(&a->message))
        a->status = DNS_STATUS_OURS;
}

/* --- c-ares on the loop --- */

/* After each turn of c-ares: the question ends, or is looked at again when its next try is due. */
static void go_on(struct asking *a)
{
    struct timeval most = { .tv_sec = 1 }, until = { 0 };
    const struct timeval *next = a->answered ? &until : ares_timeout(a->channel, &most, &until);

    (void)event_add(&a->retry, next);
}

static bool put_question(struct asking *a);

static bool asks_others(struct asking *a)
{
    if (!a->answered || a->again || a->resolver->servers.count == 1 ||
        (a->status != DNS_STATUS_SERVFAIL && a->status != DNS_STATUS_REFUSED))
        return false;
    a->again = true;
    a->first_status = a->status;
    ares_destroy(a->channel);
    a->channel = NULL;
    a->answered = false;
    if (put_question(a))
        return true;
    a->answered = true;
    return false;
}

static void process(struct asking *a, ares_socket_t read_fd, ares_socket_t write_fd)
{
    ares_process_fd(a->channel, read_fd, write_fd);
    if (a->answered && !asks_others(a))
        finish(a);
    else
        go_on(a);
}

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    const struct watch *watch = arg;

    process(watch->asking, (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
            (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    process(arg, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct asking *a = arg;

    (void)fd;
    (void)what;
    if (!a->answered)
        a->status = DNS_STATUS_TIMEOUT;
    finish(a);
}

static struct watch *watch_of(struct asking *a, ares_socket_t fd)
{
    struct watch *unused = NULL;

    for (size_t i = 0; i < WATCHES_MAX; i++) {
        if (a->watch[i].used && a->watch[i].fd == fd)
            return &a->watch[i];
        if (!a->watch[i].used)
            unused = &a->watch[i];
    }
    return unused;
}

static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct asking *a = arg;
    struct watch *watch = watch_of(a, fd);
    short events = (short)((readable != 0 ? EV_READ : 0) | (writable != 0 ? EV_WRITE : 0) | EV_PERSIST);

    if (watch == NULL)
        return; /* the question runs into its deadline */
    if (watch->used)
        (void)event_del(&watch->event);
    watch->used = false;
    if (readable == 0 && writable == 0)
        return;
    watch->fd = fd;
    watch->asking = a;
    watch->used = event_assign(&watch->event, a->resolver->base, fd, events, on_socket_event, watch) == 0 &&
                  event_add(&watch->event, NULL) == 0;
}

/* --- asking --- */

static bool open_channel(struct asking *a)
{
    unsigned try_ms = a->question.timeout_ms / (2 * TRIES);
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS |
                 (a->again ? 0 : ARES_FLAG_NOCHECKRESP),
        .timeout = (int)(try_ms < TRY_MIN_MS   ? TRY_MIN_MS
                         : try_ms > TRY_MAX_MS ? TRY_MAX_MS
                                               : try_ms),
        .tries = TRIES,
        .ednspsz = EDNS_SIZE,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = a,
    };

    return ares_init_options(&a->channel, &options,
                             ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                                 ARES_OPT_SOCK_STATE_CB) == ARES_SUCCESS &&
           set_servers(a->channel, &a->resolver->servers);
}

static bool put_question(struct asking *a)
{
    if (!open_channel(a))
        return false;
    ares_query(a->channel, a->question.name.text, 1 /* IN */, (int)a->question.type, on_answer, a);
    return true;
}

bool net_resolver_ask(struct net_resolver *resolver, const struct net_question *question,
                      net_resolver_done *done, void *user, struct error *err)
{
    struct timeval limit = { .tv_sec = question->timeout_ms / 1000,
                             .tv_usec = (suseconds_t)(question->timeout_ms % 1000) * 1000 };
    struct asking *a = calloc(1, sizeof(*a));

    assert(question->name.len > 0);
    if (a == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    a->resolver = resolver;
    a->question = *question;
    a->done = done;
    a->user = user;
    a->message = BUFFER(DNS_MESSAGE_MAX);
    (void)event_assign(&a->retry, resolver->base, -1, 0, on_retry, a);
    (void)event_assign(&a->deadline, resolver->base, -1, 0, on_deadline, a);
    if (event_add(&a->deadline, &limit) != 0 || !put_question(a)) {
        asking_free(a);
        return error_set(err, ERROR_INTERNAL, "a DNS question cannot be prepared");
    }
    a->next = resolver->asking;
    if (a->next != NULL)
        a->next->previous = a;
    resolver->asking = a;
    go_on(a);
    return true;
}

/* --- start and end --- */

bool net_resolver_set_servers(struct net_resolver *resolver, const char *servers, struct error *err)
{
    struct servers parsed;

    if (!parse_servers(bytes_text(servers), &parsed))
        return error_set(err, ERROR_FORMAT, "DNS servers: addresses with or without a port, by commas");
    resolver->servers = parsed;
    return true;
}

bool net_resolver_new(struct event_base *base, const char *servers, struct net_resolver **out,
                      struct error *err)
{
    struct net_resolver *resolver;

    if (pthread_once(&ares_once, start_ares) != 0 || ares_state != ARES_SUCCESS)
        return error_set(err, ERROR_INTERNAL, "c-ares does not start");
    resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    resolver->base = base;
    if (!net_resolver_set_servers(resolver, servers, err)) {
        free(resolver);
        return false;
    }
    *out = resolver;
    return true;
}

void net_resolver_free(struct net_resolver *resolver)
{
    if (resolver == NULL)
        return;
    while (resolver->asking != NULL) {
        struct asking *a = resolver->asking;

        /* The list is shorter by the one that was freed. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        asking_free(a);
    }
    free(resolver);
}
