/* lookup_internal.h: the addresses of a host that a stranger has named, judged by the rules. */
#ifndef MUSTER_NET_LOOKUP_INTERNAL_H
#define MUSTER_NET_LOOKUP_INTERNAL_H

#include "lib/base/address_rules.h"
#include "lib/net/fault.h"
#include "lib/net/resolver.h"

enum { LOOKUP_MAX = 16 };

struct lookup;
typedef void lookup_done(struct lookup *lookup, void *user);

/* Lives as long as its questions are on their way. */
struct lookup {
    struct net_resolver *resolver;
    const struct address_rules *rules;
    lookup_done *done;
    void *user;
    unsigned waiting;
    bool forbidden; /* some address was */
    enum dns_status status;
    struct ip_address address[LOOKUP_MAX]; /* allowed ones, IPv4 first */
    size_t count;
    enum net_fault fault; /* NET_OK: there is one at least */
    const char *failure;
};

/* `host`: a name, or an address without brackets. Resolver, rules, done and user are set; done may be called
 * from within. */
void lookup_start(struct lookup *lookup, struct bytes host, unsigned timeout_ms);

#endif
