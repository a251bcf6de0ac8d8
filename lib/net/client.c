#include "lib/net/client.h"

#include <assert.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { REDIRECTS_MAX = 5, CONTENT_TYPE_MAX = 256, HEADER_LINE_MAX = 8192, CONNECTIONS_KEPT = 32 };

/* One request on its way. */
struct transfer {
    struct transfer *next, *previous;
    struct net_client *client;
    CURL *easy;
    struct curl_slist *headers;
    struct buffer body;     /* the request's, copied */
    struct buffer response; /* bounded by response_max */
    net_client_done *done;
    void *user;
    /* To a stranger's host: */
    const struct address_rules *rules;
    struct curl_slist *connect_to;
    struct ip_address peer; /* none: not connected */
    bool forbidden;         /* an address was refused */
};

struct net_client {
    struct event_base *base;
    CURLM *multi;
    struct event timer;
    struct transfer *transfers;
    bool finishing; /* inside a callback of done: it may send, but not end us */
};

/* A socket of curl's, watched on the loop. */
struct watch {
    struct event event;
    struct net_client *client;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_state;

static void start_curl(void)
{
    curl_state = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- Transfers --- */

static void transfer_free(struct transfer *t)
{
    if (t->easy != NULL) {
        (void)curl_multi_remove_handle(t->client->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    buffer_free(&t->body);
    buffer_free(&t->response);
    free(t);
}

static void link_in(struct net_client *client, struct transfer *t)
{
    t->next = client->transfers;
    if (t->next != NULL)
        t->next->previous = t;
    client->transfers = t;
}

static void unlink_from(struct net_client *client, struct transfer *t)
{
    if (t->previous != NULL)
        t->previous->next = t->next;
    else
        client->transfers = t->next;
    if (t->next != NULL)
        t->next->previous = t->previous;
}

/* Beyond response_max the transfer fails: taking less than what was given is curl's sign for that. */
static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    size_t len = size * count;

    buffer_append(&t->response, bytes_of(data, len));
    return buffer_failed(&t->response) ? 0 : len;
}

static const char *method_text(enum http_method method)
{
    switch (method) {
    case HTTP_METHOD_GET: return "GET";
    case HTTP_METHOD_HEAD: return "HEAD";
    case HTTP_METHOD_POST: return "POST";
    case HTTP_METHOD_PUT: return "PUT";
    case HTTP_METHOD_DELETE: return "DELETE";
    case HTTP_METHOD_PATCH: return "PATCH";
    case HTTP_METHOD_OPTIONS: return "OPTIONS";
    case HTTP_METHOD_OTHER: return NULL;
    }
    return NULL;
}

static bool append_header(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    if (longer == NULL)
        return false;
    t->headers = longer;
    return true;
}

/* "Name: value"; a name alone with ';' is curl's way to send an empty value. */
static bool add_header(struct transfer *t, const struct http_header *header, struct error *err)
{
    char line[HEADER_LINE_MAX];
    int len = header->value.len == 0 ? snprintf(line, sizeof(line), "%.*s;", BYTES_FMT(header->name))
                                     : snprintf(line, sizeof(line), "%.*s: %.*s", BYTES_FMT(header->name),
                                                BYTES_FMT(header->value));

    if (len <= 0 || (size_t)len >= sizeof(line) || bytes_has_control(header->value) ||
        bytes_has_control(header->name))
        return error_set(err, ERROR_FORMAT, "a header of the request is malformed or too long");
    return append_header(t, line) || error_set(err, ERROR_MEMORY, "out of memory");
}

#define SET(option, value) (curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

static bool set_method(struct transfer *t, const struct net_client_request *request)
{
    const char *method = method_text(request->method);

    if (method == NULL)
        return false;
    if (request->method == HTTP_METHOD_HEAD)
        return SET(CURLOPT_NOBODY, 1L);
    if (request->method == HTTP_METHOD_GET && request->body.len == 0)
        return SET(CURLOPT_HTTPGET, 1L);
    if (request->method == HTTP_METHOD_DELETE && request->body.len == 0)
        return SET(CURLOPT_CUSTOMREQUEST, method);
    /* POSTFIELDS carries the body; a redirect of a POST becomes a GET where the RFC says so */
    return SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len) &&
           SET(CURLOPT_POSTFIELDS, t->body.len == 0 ? "" : (const char *)t->body.data) &&
           (request->method == HTTP_METHOD_POST || SET(CURLOPT_CUSTOMREQUEST, method));
}

static bool set_bounds(struct transfer *t, const struct net_client_request *request)
{
    return SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_FOLLOWLOCATION, request->follow_redirects ? 1L : 0L) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS,
               (long)(request->connect_timeout_ms > 0 ? request->connect_timeout_ms : request->timeout_ms)) &&
           SET(CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX) && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->response_max);
}

static bool set_trust(struct transfer *t, const struct net_client_request *request)
{
    return SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (request->trust_path == NULL ||
            (SET(CURLOPT_CAINFO, request->trust_path) && SET(CURLOPT_CAPATH, NULL)));
}

/* --- a stranger's host --- */

static struct ip_address address_of(const struct sockaddr *from)
{
    struct ip_address ip = { 0 };
    bool known = false;

    if (from->sa_family == AF_INET)
        known = ip_from_bytes(bytes_of(&((const struct sockaddr_in *)(const void *)from)->sin_addr, 4), &ip);
    if (from->sa_family == AF_INET6)
        known = ip_from_bytes(bytes_of(&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16),
                              &ip);
    return known ? ip : (struct ip_address){ 0 };
}

/* The last word on where a connection goes, whatever has named the address. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *t = user;
    struct ip_address ip = address_of(&to->addr);

    (void)purpose;
    if (!address_allowed(t->rules, &ip)) {
        t->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    t->peer = ip;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Whatever host and port the URL has, the connection goes to this address, and is used by this request alone.
 */
static bool pin(struct transfer *t, const struct net_client_request *request)
{
    char address[IP_TEXT_LEN], line[IP_TEXT_LEN + 8];

    t->rules = request->rules;
    ip_format(&request->address, address);
    (void)snprintf(line, sizeof(line), request->address.len == 16 ? "::[%s]:" : "::%s:", address);
    t->connect_to = curl_slist_append(NULL, line);
    return t->connect_to != NULL && request->address.len > 0 && SET(CURLOPT_CONNECT_TO, t->connect_to) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) && SET(CURLOPT_OPENSOCKETDATA, t) &&
           SET(CURLOPT_FRESH_CONNECT, 1L) && SET(CURLOPT_FORBID_REUSE, 1L) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(CURLOPT_SSL_VERIFYPEER, 0L) && SET(CURLOPT_SSL_VERIFYHOST, 0L);
}

/* No proxy from the environment, no .netrc, no "Expect": what goes out is what was asked for. */
static bool set_up(struct transfer *t, const struct net_client_request *request, struct error *err)
{
    t->easy = curl_easy_init();
    if (t->easy == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < request->header_count; i++)
        if (!add_header(t, &request->header[i], err))
            return false;
    if (!append_header(t, "Expect:") || !SET(CURLOPT_URL, request->url) || !SET(CURLOPT_PROXY, "") ||
        !SET(CURLOPT_PRIVATE, t) || !SET(CURLOPT_HTTPHEADER, t->headers) ||
        !SET(CURLOPT_WRITEFUNCTION, on_body) || !SET(CURLOPT_WRITEDATA, t) || !set_method(t, request) ||
        !set_bounds(t, request) || !set_trust(t, request) || (request->rules != NULL && !pin(t, request)))
        return error_set(err, ERROR_INTERNAL, "the HTTP client refuses the request's settings");
    return true;
}

static enum net_fault fault_of(struct transfer *t, CURLcode code)
{
    curl_off_t connected_us = 0;

    if (t->forbidden)
        return NET_FAULT_ADDRESS;
    if (buffer_failed(&t->response))
        return NET_FAULT_ANSWER;
    (void)curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    switch (code) {
    case CURLE_OK: return NET_OK;
    case CURLE_URL_MALFORMAT: return NET_FAULT_URL;
    case CURLE_UNSUPPORTED_PROTOCOL: /* the URL's, or what answers is HTTP/0.9 */
        return connected_us > 0 ? NET_FAULT_ANSWER : NET_FAULT_URL;
    case CURLE_COULDNT_RESOLVE_HOST: return NET_FAULT_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE: return NET_FAULT_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return connected_us > 0 ? NET_FAULT_TIMEOUT : NET_FAULT_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION: return NET_FAULT_TLS;
    case CURLE_TOO_MANY_REDIRECTS: return NET_FAULT_REDIRECT;
    case CURLE_OUT_OF_MEMORY: return NET_FAULT_OURS;
    default: return NET_FAULT_ANSWER;
    }
}

static void report(struct transfer *t, CURLcode code)
{
    struct net_client_result result = { .ok = code == CURLE_OK, .fault = fault_of(t, code), .peer = t->peer };
    char *type = NULL, *redirect = NULL;
    long status = 0;

    if (result.ok) {
        (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
        (void)curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
        result.redirect = redirect;
        result.status = (int)status;
        result.content_type = bytes_text(type);
        result.body = buffer_bytes(&t->response);
    } else if (buffer_failed(&t->response) || code == CURLE_FILESIZE_EXCEEDED) {
        result.failure = "the answer is larger than allowed";
    } else if (t->forbidden) {
        result.failure = "the address is forbidden";
    } else {
        result.failure = curl_easy_strerror(code);
    }
    t->done(&result, t->user);
}

/* Each is taken off before its callback runs, which may well send the next. */
static void finish_transfers(struct net_client *client)
{
    CURLMsg *message;
    int left;

    if (client->finishing)
        return;
    client->finishing = true;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct transfer *t = NULL;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK || t == NULL)
            continue;
        (void)curl_multi_remove_handle(client->multi, t->easy);
        unlink_from(client, t);
        report(t, code);
        transfer_free(t);
    }
    client->finishing = false;
}

/* --- curl on the loop --- */

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;
    struct net_client *client = watch->client; /* the watch may go while curl acts */
    int running;
    int action = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                 ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

    (void)curl_multi_socket_action(client->multi, fd, action, &running);
    finish_transfers(client);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct net_client *client = arg;
    int running;

    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_transfers(client);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *attached)
{
    struct net_client *client = user;
    struct watch *watch = attached;
    short events = (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                           ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST);

    (void)easy;
    if (watch != NULL)
        (void)event_del(&watch->event);
    if (what == CURL_POLL_REMOVE) {
        (void)curl_multi_assign(client->multi, fd, NULL);
        free(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = calloc(1, sizeof(*watch));
        if (watch == NULL)
            return -1;
        watch->client = client;
        (void)curl_multi_assign(client->multi, fd, watch);
    }
    if (event_assign(&watch->event, client->base, fd, events, on_socket_event, watch) != 0)
        return -1;
    return event_add(&watch->event, NULL) == 0 ? 0 : -1;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct net_client *client = user;
    struct timeval tv = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };

    (void)multi;
    if (timeout_ms < 0)
        return event_del(&client->timer);
    return event_add(&client->timer, &tv);
}

#define SET_MULTI(option, value) (curl_multi_setopt(client->multi, (option), (value)) == CURLM_OK)

static bool set_up_multi(struct net_client *client, unsigned per_host_max)
{
    client->multi = curl_multi_init();
    return client->multi != NULL && SET_MULTI(CURLMOPT_SOCKETFUNCTION, on_curl_socket) &&
           SET_MULTI(CURLMOPT_SOCKETDATA, client) && SET_MULTI(CURLMOPT_TIMERFUNCTION, on_curl_timer) &&
           SET_MULTI(CURLMOPT_TIMERDATA, client) && SET_MULTI(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) &&
           SET_MULTI(CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host_max) &&
           SET_MULTI(CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
}

bool net_client_new(struct event_base *base, unsigned per_host_max, struct net_client **out,
                    struct error *err)
{
    struct net_client *client;

    if (pthread_once(&curl_once, start_curl) != 0 || curl_state != CURLE_OK)
        return error_set(err, ERROR_INTERNAL, "libcurl does not start");
    client = calloc(1, sizeof(*client));
    if (client == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    client->base = base;
    (void)event_assign(&client->timer, base, -1, 0, on_timer, client);
    if (!set_up_multi(client, per_host_max)) {
        net_client_free(client);
        return error_set(err, ERROR_INTERNAL, "libcurl refuses its settings");
    }
    *out = client;
    return true;
}

void net_client_free(struct net_client *client)
{
    if (client == NULL)
        return;
    assert(!client->finishing);
    while (client->transfers != NULL) {
        struct transfer *t = client->transfers;

        /* The list is shorter by the one that was freed. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        unlink_from(client, t);
        transfer_free(t);
    }
    if (client->multi != NULL)
        (void)curl_multi_cleanup(client->multi);
    (void)event_del(&client->timer);
    free(client);
}

bool net_client_send(struct net_client *client, const struct net_client_request *request,
                     net_client_done *done, void *user, struct error *err)
{
    struct transfer *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    t->client = client;
    t->done = done;
    t->user = user;
    t->body = BUFFER(request->body.len);
    t->response = BUFFER(request->response_max);
    buffer_append(&t->body, request->body);
    if (buffer_failed(&t->body)) {
        transfer_free(t);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    if (!set_up(t, request, err)) {
        transfer_free(t);
        return false;
    }
    if (curl_multi_add_handle(client->multi, t->easy) != CURLM_OK) {
        transfer_free(t);
        return error_set(err, ERROR_MEMORY, "the HTTP client takes no more");
    }
    link_in(client, t);
    return true;
}
