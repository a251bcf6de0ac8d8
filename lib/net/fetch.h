/* fetch.h: a GET of what a stranger names (http-01, RFC 8555 8.3 and 10.4). Names are resolved by our own
 * resolver, addresses judged and pinned at every hop, and what was connected to is judged again, so that no
 * name can be bound anew in between. Redirects are followed within bounds; certificates on the way are not
 * judged; no cookie, no proxy, no header beside Host, User-Agent and Accept. One thread owns it. */
#ifndef MUSTER_NET_FETCH_H
#define MUSTER_NET_FETCH_H

#include "lib/base/address_rules.h"
#include "lib/net/client.h"
#include "lib/net/fault.h"
#include "lib/net/resolver.h"

enum { NET_FETCH_REDIRECTS_MAX = 10, NET_FETCH_RESPONSE_MAX = 64 * 1024, NET_FETCH_TIMEOUT_MAX_MS = 15000 };

struct net_fetcher;

struct net_fetch_request {
    const char *url;
    const struct address_rules *rules;
    uint16_t port;       /* allowed beside 80 for http and 443 for https; 0: none */
    unsigned timeout_ms; /* for all of it, cut to NET_FETCH_TIMEOUT_MAX_MS */
};

struct net_fetch_result {
    enum net_fault fault; /* NET_OK: a response arrived whole */
    int status;
    struct bytes body;
    struct ip_address address; /* connected to at last; none */
    unsigned redirects;        /* followed */
    const char *failure;       /* when not OK: a text of ours, nothing of the peer's in it */
};

typedef void net_fetch_done(const struct net_fetch_result *result, void *user);

/* Both outlive the fetcher; once it is freed they are too, before the loop runs again. */
MUST_USE bool net_fetcher_new(struct event_base *base, struct net_client *client,
                              struct net_resolver *resolver, struct net_fetcher **out, struct error *err);
void net_fetcher_free(struct net_fetcher *fetcher); /* accepts NULL; before the client's end */

/* Copies what it needs. False only for our own failure; else `done` is called on the loop, never from within.
 */
MUST_USE bool net_fetch(struct net_fetcher *fetcher, const struct net_fetch_request *request,
                        net_fetch_done *done, void *user, struct error *err);

#endif
