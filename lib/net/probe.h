/* probe.h: a TLS handshake with a stranger's host and nothing after it (tls-alpn-01, RFC 8737 3): TLS 1.2 at
 * least, one protocol offered by ALPN, the peer's certificate taken as it is: chain, dates and names are for
 * the caller to judge. No data is sent. One thread owns it. */
#ifndef MUSTER_NET_PROBE_H
#define MUSTER_NET_PROBE_H

#include "lib/base/address_rules.h"
#include "lib/net/fault.h"
#include "lib/net/resolver.h"

enum { NET_PROBE_CERTIFICATE_MAX = 16 * 1024, NET_PROBE_TIMEOUT_MAX_MS = 15000, NET_PROBE_ALPN_MAX = 32 };

struct net_prober;

struct net_probe_request {
    struct bytes host; /* a name, or an address as text */
    uint16_t port;
    struct dns_name server_name; /* SNI: for an address its reverse name (RFC 8738 6) */
    const char *alpn;            /* "acme-tls/1" */
    const struct address_rules *rules;
    unsigned timeout_ms; /* for all of it, cut to NET_PROBE_TIMEOUT_MAX_MS */
};

struct net_probe_result {
    enum net_fault fault;     /* NET_OK: shook hands, and the protocol was chosen */
    struct bytes certificate; /* DER */
    struct ip_address address;
    const char *failure; /* when not OK: a text of ours */
};

/* Called on the owning loop, never from within net_probe(); the result lives during the call. */
typedef void net_probe_done(const struct net_probe_result *result, void *user);

/* The resolver outlives the prober; once that is freed it is too, before the loop runs again. */
MUST_USE bool net_prober_new(struct event_base *base, struct net_resolver *resolver, struct net_prober **out,
                             struct error *err);
void net_prober_free(struct net_prober *prober); /* accepts NULL; pending ones end without callback */

/* Copies what it needs. False only for our own failure. */
MUST_USE bool net_probe(struct net_prober *prober, const struct net_probe_request *request,
                        net_probe_done *done, void *user, struct error *err);

#endif
