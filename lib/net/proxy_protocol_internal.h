/* proxy_protocol_internal.h: the header that a load balancer sends before the client's first octet (PROXY
 * protocol, versions 1 and 2 as HAProxy specifies them). Pure; read only from peers that are listed. */
#ifndef MUSTER_NET_PROXY_PROTOCOL_INTERNAL_H
#define MUSTER_NET_PROXY_PROTOCOL_INTERNAL_H

#include "lib/base/ip.h"

/* Longest header we take: version 2 may carry extensions, which are skipped. */
enum { PROXY_HEADER_MAX = 2048 };

enum proxy_parse { PROXY_REFUSED = 0, PROXY_MORE, PROXY_DONE };

struct proxy_header {
    struct ip_address client; /* none: the proxy speaks for itself (LOCAL, UNKNOWN); keep the socket's */
    uint16_t port;
};

/* `input` is what has arrived. DONE: `*consumed` octets were the header. Until then all of `input` belongs to
 * it. */
enum proxy_parse proxy_parse(struct bytes input, struct proxy_header *out, size_t *consumed);

#endif
