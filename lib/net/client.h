/* client.h: the outbound HTTP client as effects want it: many requests on one thread, none waits for another.
 * libcurl's multi interface inside. One thread owns it (the runner). */
#ifndef MUSTER_NET_CLIENT_H
#define MUSTER_NET_CLIENT_H

#include "lib/base/address_rules.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/http/message.h"
#include "lib/net/fault.h"

struct event_base;
struct net_client;

struct net_client_request {
    enum http_method method;
    const char *url; /* http or https only */
    const struct http_header *header;
    size_t header_count;
    struct bytes body;
    unsigned timeout_ms;    /* for all of it */
    size_t response_max;    /* bytes of body; beyond: failure */
    const char *trust_path; /* PEM of the anchors for https; NULL: the system's */
    bool follow_redirects;  /* at most 5, http and https only */
    /* To a stranger's host: certificates are not judged, a fresh connection goes to `address` alone, and what
     * was connected to is judged by the rules once more. NULL: no such request. */
    const struct address_rules *rules; /* lives until `done` */
    struct ip_address address;
    unsigned connect_timeout_ms; /* 0: as timeout_ms */
};

struct net_client_result {
    bool ok; /* an HTTP response arrived whole */
    int status;
    struct bytes content_type, body;
    const char *failure; /* when not ok, for the log */
    enum net_fault fault;
    const char *redirect; /* where the response points, absolute; NULL: nowhere */
    struct ip_address peer;
};

/* Called on the owning loop; the result lives during the call. */
typedef void net_client_done(const struct net_client_result *result, void *user);

/* At most `per_host_max` requests to one host at a time; others wait in order. */
MUST_USE bool net_client_new(struct event_base *base, unsigned per_host_max, struct net_client **out,
                             struct error *err);
void net_client_free(struct net_client *client); /* pending requests end without their callback */

/* Copies what it needs. False only for our own failure; everything else arrives through `done`. */
MUST_USE bool net_client_send(struct net_client *client, const struct net_client_request *request,
                              net_client_done *done, void *user, struct error *err);

#endif
