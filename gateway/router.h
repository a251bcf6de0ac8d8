/* router.h: which service answers a path. A new protocol is one row of the table in router.c. Pure. */
#ifndef MUSTER_GATEWAY_ROUTER_H
#define MUSTER_GATEWAY_ROUTER_H

#include "config/config.h"

struct route;

/* A service as the gateway sees it: how its paths look and how it answers. */
struct service_row {
    const char *name; /* for log and metrics */
    /* Its paths: fills *route. */
    bool (*match)(const struct config *config, struct bytes path, struct route *route);
    /* What it lacks that comes by itself, for the log: it is answered 503 meanwhile. NULL: nothing. The
     * function NULL: it never lacks anything. */
    const char *(*awaits)(const struct config *config, const struct route *route);
    /* What needs no secret and no write, on the loop's thread: true when *response is the answer. NULL:
     * nothing. */
    bool (*serve_public)(const struct config *config, const struct route *route,
                         const struct http_request *request, struct http_response *response);
    /* The handler, on a worker. Always leaves an answer; false: an error of ours, for the log. NULL: all is
     * public. */
    bool (*serve)(struct turn *turn, const struct config *config, const struct route *route,
                  const struct http_request *request, struct http_response *response, struct error *err);
    /* What the log calls the operation asked for: one of a closed set, or NULL. NULL: none is told. */
    const char *(*operation)(const struct route *route, const struct http_request *request);
    /* How it says that it cannot answer now: in place of *response, which says it in plain text. The turn has
     * clock and randomness, or neither. NULL: as plain text. */
    void (*later)(const struct turn *turn, const struct config *config, const struct route *route,
                  const struct http_request *request, const struct http_later *later,
                  struct http_response *response);
    uint32_t roles; /* 1 << listener_role that it is served on */
};

struct route {
    const struct service_row *service; /* NULL: 404 */
    const struct procedure *procedure;
    const struct ca *ca;
    struct bytes operation;
};

struct route route_find(const struct config *config, const struct http_request *request);

#endif
