#include "lib/net/fetch.h"

#include <curl/urlapi.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/net/lookup_internal.h"

enum { FETCH_ARENA_MAX = 256 * 1024, URL_MAX = 4096, PORT_HTTP = 80, PORT_HTTPS = 443 };

AUTO_POINTER(CURLU, curl_url_cleanup)

/* One request on its way over its hops. All of it lies in its arena. */
struct fetch {
    struct fetch *next, *previous;
    struct net_fetcher *fetcher;
    struct arena *arena;
    struct event start;
    struct address_rules rules;
    uint16_t port;
    int64_t deadline_ms;
    const char *url; /* of this hop */
    struct lookup lookup;
    size_t tried; /* addresses of this hop */
    unsigned redirects;
    net_fetch_done *done;
    void *user;
};

struct net_fetcher {
    struct event_base *base;
    struct net_client *client;
    struct net_resolver *resolver;
    struct fetch *fetches;
};

static void fetch_free(struct fetch *f)
{
    (void)event_del(&f->start);
    if (f->previous != NULL)
        f->previous->next = f->next;
    else
        f->fetcher->fetches = f->next;
    if (f->next != NULL)
        f->next->previous = f->previous;
    arena_free(f->arena);
}

/* The last word of a fetch; *f is gone. */
static void end(struct fetch *f, struct net_fetch_result result)
{
    result.redirects = f->redirects;
    f->done(&result, f->user);
    fetch_free(f);
}

static void fail(struct fetch *f, enum net_fault fault, const char *failure)
{
    end(f, (struct net_fetch_result){ .fault = fault, .failure = failure });
}

/* 0: the time is over. */
static unsigned left_ms(const struct fetch *f)
{
    int64_t left = f->deadline_ms - clock_monotonic_ms();

    return left > 0 ? (unsigned)left : 0;
}

/* --- a URL --- */

static struct bytes url_part(struct fetch *f, CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    struct bytes copy = BYTES_NONE;

    if (curl_url_get(url, part, &text, flags) == CURLUE_OK && text != NULL)
        copy = bytes_text(arena_text(f->arena, bytes_text(text)));
    curl_free(text);
    return copy;
}

static bool port_is_allowed(const struct fetch *f, struct bytes scheme, struct bytes port_text)
{
    uint64_t port;

    if (!bytes_to_u64(port_text, UINT16_MAX, &port) || port == 0)
        return false;
    if (f->port != 0 && port == f->port)
        return true;
    return port == (bytes_is(scheme, "http") ? PORT_HTTP : PORT_HTTPS);
}

/* The host of an http or https URL without user and with a port that is allowed; what goes out is the URL as
 * it was read, so that no two readers of one text can differ. */
static bool read_url(struct fetch *f, const char *text, struct bytes *host)
{
    AUTO(CURLU) *url = curl_url();
    struct bytes scheme, whole;

    if (url == NULL || strlen(text) > URL_MAX || bytes_has_control(bytes_text(text)) ||
        curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK)
        return false;
    scheme = url_part(f, url, CURLUPART_SCHEME, 0);
    *host = url_part(f, url, CURLUPART_HOST, 0);
    whole = url_part(f, url, CURLUPART_URL, 0);
    if (url_part(f, url, CURLUPART_ZONEID, 0).len > 0 || host->len == 0 || whole.len == 0 ||
        (!bytes_is(scheme, "http") && !bytes_is(scheme, "https")) ||
        !port_is_allowed(f, scheme, url_part(f, url, CURLUPART_PORT, CURLU_DEFAULT_PORT)))
        return false;
    if (bytes_starts_with(*host, "[") && bytes_ends_with(*host, "]"))
        *host = bytes_slice(*host, 1, host->len - 2);
    f->url = (const char *)whole.data;
    return true;
}

/* --- a hop --- */

static void send_to_next(struct fetch *f);

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void begin_hop(struct fetch *f, const char *url)
{
    struct bytes host;

    if (!read_url(f, url, &host)) {
        fail(f, NET_FAULT_URL, "a URL that is not followed: scheme, port or form");
        return;
    }
    f->tried = 0;
    lookup_start(&f->lookup, host, left_ms(f));
}

static void on_response(const struct net_client_result *result, void *user)
{
    struct fetch *f = user;

    if (result->fault == NET_FAULT_CONNECT && result->peer.len > 0 && f->tried < f->lookup.count &&
        left_ms(f) > 0) {
        send_to_next(f);
    } else if (!result->ok) {
        end(f, (struct net_fetch_result){
                   .fault = result->fault, .address = result->peer, .failure = result->failure });
    } else if (!is_redirect(result->status) || result->redirect == NULL) {
        end(f,
            (struct net_fetch_result){
                .fault = NET_OK, .status = result->status, .body = result->body, .address = result->peer });
    } else if (f->redirects == NET_FETCH_REDIRECTS_MAX) {
        fail(f, NET_FAULT_REDIRECT, "too many redirects");
    } else if (left_ms(f) == 0) {
        fail(f, NET_FAULT_TIMEOUT, "no time is left");
    } else {
        f->redirects++;
        begin_hop(f, result->redirect);
    }
}

/* Each address that is left gets its share of the time to connect. */
static void send_to_next(struct fetch *f)
{
    static const struct http_header header[] = {
        { BYTES_LITERAL("User-Agent"), BYTES_LITERAL("muster/" MUSTER_VERSION) },
    };
    unsigned left = left_ms(f);
    struct net_client_request request = {
        .method = HTTP_METHOD_GET,
        .url = f->url,
        .header = header,
        .header_count = COUNT_OF(header),
        .timeout_ms = left,
        .connect_timeout_ms = left / (unsigned)(f->lookup.count - f->tried) + 1,
        .response_max = NET_FETCH_RESPONSE_MAX,
        .rules = &f->rules,
        .address = f->lookup.address[f->tried],
    };

    f->tried++;
    if (left == 0)
        fail(f, NET_FAULT_CONNECT, "no time is left");
    else if (!net_client_send(f->fetcher->client, &request, on_response, f, NULL))
        fail(f, NET_FAULT_OURS, "the request cannot be made");
}

static void on_lookup(struct lookup *lookup, void *user)
{
    struct fetch *f = user;

    if (lookup->fault != NET_OK)
        fail(f, lookup->fault, lookup->failure);
    else
        send_to_next(f);
}

static void on_start(evutil_socket_t fd, short what, void *user)
{
    struct fetch *f = user;

    (void)fd;
    (void)what;
    begin_hop(f, f->url);
}

/* --- start and end --- */

static struct fetch *fetch_new(const struct net_fetch_request *request)
{
    struct arena *arena = arena_new(FETCH_ARENA_MAX);
    struct fetch *f = arena == NULL ? NULL : arena_alloc(arena, sizeof(*f));

    if (f != NULL) {
        f->arena = arena;
        f->url = arena_text(arena, bytes_text(request->url));
    }
    if (f == NULL || f->url == NULL || !address_rules_copy(request->rules, arena, &f->rules)) {
        arena_free(arena);
        return NULL;
    }
    return f;
}

bool net_fetch(struct net_fetcher *fetcher, const struct net_fetch_request *request, net_fetch_done *done,
               void *user, struct error *err)
{
    struct fetch *f = fetch_new(request);
    unsigned timeout_ms = request->timeout_ms;

    if (f == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (timeout_ms > NET_FETCH_TIMEOUT_MAX_MS)
        timeout_ms = NET_FETCH_TIMEOUT_MAX_MS;
    f->fetcher = fetcher;
    f->port = request->port;
    f->deadline_ms = clock_monotonic_ms() + timeout_ms;
    f->lookup =
        (struct lookup){ .resolver = fetcher->resolver, .rules = &f->rules, .done = on_lookup, .user = f };
    f->done = done;
    f->user = user;
    (void)event_assign(&f->start, fetcher->base, -1, 0, on_start, f);
    f->next = fetcher->fetches;
    if (f->next != NULL)
        f->next->previous = f;
    fetcher->fetches = f;
    event_active(&f->start, EV_TIMEOUT, 0);
    return true;
}

bool net_fetcher_new(struct event_base *base, struct net_client *client, struct net_resolver *resolver,
                     struct net_fetcher **out, struct error *err)
{
    struct net_fetcher *fetcher = calloc(1, sizeof(*fetcher));

    if (fetcher == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    fetcher->base = base;
    fetcher->client = client;
    fetcher->resolver = resolver;
    *out = fetcher;
    return true;
}

void net_fetcher_free(struct net_fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    while (fetcher->fetches != NULL)
        fetch_free(fetcher->fetches);
    free(fetcher);
}
