/* resolver.h: DNS questions on an event loop (c-ares inside). Each has sockets of its own, so that ports and
 * ids cannot be guessed from an earlier one; nothing is cached. One thread owns it (the runner). */
#ifndef MUSTER_NET_RESOLVER_H
#define MUSTER_NET_RESOLVER_H

#include "lib/base/error.h"
#include "lib/dns/dns_message.h"

struct event_base;
struct net_resolver;

struct net_question {
    struct dns_name name;
    enum dns_type type;
    unsigned timeout_ms; /* for all tries at all servers */
};

/* Called on the owning loop, never from within net_resolver_ask(); the answer lives during the call. */
typedef void net_resolver_done(const struct dns_answer *answer, void *user);

/* "192.0.2.1, [2001:db8::1]:5353": recursive resolvers, in the order in which they are asked. */
enum { NET_RESOLVER_SERVERS_MAX = 8 };
MUST_USE bool net_resolver_servers_valid(struct bytes servers);

/* `servers`: NULL or empty: those of the system. */
MUST_USE bool net_resolver_new(struct event_base *base, const char *servers, struct net_resolver **out,
                               struct error *err);
/* Others from the next question on. */
MUST_USE bool net_resolver_set_servers(struct net_resolver *resolver, const char *servers, struct error *err);
void net_resolver_free(
    struct net_resolver *resolver); /* accepts NULL; what is pending ends without callback */

/* False only for our own failure; everything else arrives through `done`. */
MUST_USE bool net_resolver_ask(struct net_resolver *resolver, const struct net_question *question,
                               net_resolver_done *done, void *user, struct error *err);

#endif
