#include "lib/net/server.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/random.h"
#include "lib/net/net_internal.h"

/* --- TLS contexts: one of each listener for each loop, all with the same ticket keys --- */

struct tls_set {
    SSL_CTX *ctx[NET_LOOPS_MAX][NET_LISTENERS_MAX];
};

static void tls_set_free(struct tls_set *set)
{
    for (size_t l = 0; l < NET_LOOPS_MAX; l++)
        for (size_t i = 0; i < NET_LISTENERS_MAX; i++)
            SSL_CTX_free(set->ctx[l][i]);
    free(set);
}

static const struct listener *listener_named(const struct net_server *server, const char *name)
{
    for (size_t i = 0; i < server->listener_count; i++)
        if (strcmp(server->listener[i].settings.name, name) == 0)
            return &server->listener[i];
    return NULL;
}

static bool make_contexts(const struct net_server *server, const struct net_listener *settings,
                          struct keys *keys, const uint8_t ticket_keys[TLS_TICKET_KEYS_LEN],
                          struct tls_set *set, struct error *err)
{
    const struct listener *listener = listener_named(server, settings->name);

    if (!settings->tls.enabled || listener == NULL || !listener->settings.tls.enabled)
        return true;
    for (unsigned l = 0; l < server->loop_count; l++)
        if (!tls_context_new(server->loop[l]->library, settings, keys, ticket_keys,
                             &set->ctx[l][listener->index], err))
            return error_prefix(err, settings->name);
    return true;
}

/* New connections get the new contexts; what is left in *set are the old ones. */
static void exchange_contexts(struct net_server *server, struct tls_set *set)
{
    (void)pthread_mutex_lock(&server->tls_lock);
    for (unsigned l = 0; l < server->loop_count; l++) {
        for (size_t i = 0; i < server->listener_count; i++) {
            SSL_CTX *old = server->loop[l]->listener[i].tls;

            if (set->ctx[l][i] == NULL)
                continue;
            server->loop[l]->listener[i].tls = set->ctx[l][i];
            set->ctx[l][i] = old;
        }
    }
    (void)pthread_mutex_unlock(&server->tls_lock);
}

bool net_server_reload_tls(struct net_server *server, const struct net_listener *listener, size_t count,
                           struct keys *keys, struct error *err)
{
    struct tls_set *set = calloc(1, sizeof(*set));
    uint8_t ticket_keys[TLS_TICKET_KEYS_LEN];
    bool made = true;

    if (set == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!random_fill(&random_system, ticket_keys, sizeof(ticket_keys)))
        made = error_set(err, ERROR_CRYPTO, "no randomness for session tickets");
    for (size_t i = 0; made && i < count; i++)
        made = make_contexts(server, &listener[i], keys, ticket_keys, set, err);
    OPENSSL_cleanse(ticket_keys, sizeof(ticket_keys));
    if (made)
        exchange_contexts(server, set);
    tls_set_free(set);
    return made;
}

/* --- Making and ending --- */

static void free_listener(struct listener *listener)
{
    free((char *)(uintptr_t)listener->settings.name);
    free((char *)(uintptr_t)listener->settings.address);
    free((char *)(uintptr_t)listener->settings.base_url);
}

/* Keeps what connections need; paths and key names are the caller's at each load. */
static bool copy_listener(struct net_server *server, const struct net_listener *from, struct error *err)
{
    struct listener *listener = &server->listener[server->listener_count];

    if (listener_named(server, from->name) != NULL)
        return error_set(err, ERROR_CONFLICT, "two listeners are named %s", from->name);
    *listener =
        (struct listener){ .index = (unsigned)server->listener_count, .settings = *from, .port = from->port };
    listener->settings.name = strdup(from->name);
    listener->settings.address = strdup(from->address);
    listener->settings.base_url = from->base_url == NULL ? NULL : strdup(from->base_url);
    listener->settings.tls.certificate_path = NULL;
    listener->settings.tls.key_name = NULL;
    server->listener_count++;
    if (listener->settings.name == NULL || listener->settings.address == NULL ||
        (from->base_url != NULL && listener->settings.base_url == NULL))
        return error_set(err, ERROR_MEMORY, "out of memory");
    return true;
}

/* With several loops the port is shared, and somebody else's server could share it unnoticed: try it alone
 * first. */
static bool port_is_ours(const struct net_server *server, const struct listener *listener, struct error *err)
{
    int fd;

    if (server->options.loops < 2 || listener->port == 0)
        return true;
    if (!listen_socket(&listener->settings, listener->port, false, &fd, err))
        return false;
    (void)close(fd);
    return true;
}

static bool make_parts(struct net_server *server, const struct net_listener *listener, size_t count,
                       struct error *err)
{
    if (server->options.loops == 0 || server->options.loops > NET_LOOPS_MAX || count > NET_LISTENERS_MAX ||
        server->options.http.header_max > HTTP_HEADERS_MAX)
        return error_set(err, ERROR_LIMIT, "too many or no event loops, listeners or headers");
    server->addresses = address_count_new(server->options.per_address_max, server->options.connections_max);
    if (server->addresses == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (!copy_listener(server, &listener[i], err) || !port_is_ours(server, &server->listener[i], err))
            return false;
    while (server->loop_count < server->options.loops) {
        if (!loop_new(server, &server->loop[server->loop_count], err))
            return false;
        server->loop_count++;
    }
    return true;
}

bool net_server_new(const struct net_options *options, const struct net_listener *listener, size_t count,
                    struct keys *keys, net_on_request *on_request, void *context, struct net_server **out,
                    struct error *err)
{
    struct net_server *server = calloc(1, sizeof(*server));

    if (server == NULL || pthread_mutex_init(&server->tls_lock, NULL) != 0) {
        free(server);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    server->options = *options;
    server->on_request = on_request;
    server->context = context;
    if (!make_parts(server, listener, count, err) ||
        !net_server_reload_tls(server, listener, count, keys, err)) {
        net_server_free(server);
        return false;
    }
    *out = server;
    return true;
}

void net_server_on_refused(struct net_server *server, net_on_refused *on_refused)
{
    server->on_refused = on_refused;
}

bool net_server_start(struct net_server *server, struct error *err)
{
    for (unsigned l = 0; l < server->loop_count; l++) {
        if (!loop_start(server->loop[l], err)) {
            net_server_stop(server);
            return false;
        }
    }
    return true;
}

void net_server_stop(struct net_server *server)
{
    atomic_store(&server->stopping, true);
    for (unsigned l = 0; l < server->loop_count; l++)
        mailbox_wake(server->loop[l]->mailbox);
    for (unsigned l = 0; l < server->loop_count; l++)
        loop_join(server->loop[l]);
}

void net_server_free(struct net_server *server)
{
    if (server == NULL)
        return;
    net_server_stop(server);
    for (unsigned l = 0; l < server->loop_count; l++)
        loop_free(server->loop[l]);
    for (size_t i = 0; i < server->listener_count; i++)
        free_listener(&server->listener[i]);
    address_count_free(server->addresses);
    (void)pthread_mutex_destroy(&server->tls_lock);
    free(server);
}

uint16_t net_server_port(const struct net_server *server, size_t index)
{
    assert(index < server->listener_count);
    return server->listener[index].port;
}

static uint64_t counter(const atomic_uint_fast64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void net_server_counters(const struct net_server *server, struct net_counters *out)
{
    struct net_counters sum = { .open = atomic_load(&server->open) };

    for (unsigned l = 0; l < server->loop_count; l++) {
        const struct loop_counters *c = &server->loop[l]->counters;

        sum.accepted += counter(&c->accepted);
        sum.requests += counter(&c->requests);
        sum.refused_http += counter(&c->refused_http);
        sum.refused_limit += counter(&c->refused_limit);
        sum.timeouts += counter(&c->timeouts);
        sum.handshakes += counter(&c->handshakes);
        sum.handshake_failures += counter(&c->handshake_failures);
    }
    *out = sum;
}
