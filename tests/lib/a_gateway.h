/* a_gateway.h: a whole gateway in one process, without threads, sockets and YAML: a configuration made in C,
 * a registry in a temporary folder, a clock and randomness that the test holds. Requests go the way of the
 * daemon: answer_at_once(), else answer_turn() and registry_apply(). */
#ifndef MUSTER_TESTS_A_GATEWAY_H
#define MUSTER_TESTS_A_GATEWAY_H

#include "gateway/answer.h"
#include "tests/lib/test.h"

struct a_gateway {
    struct config config;
    struct ca ca;
    struct domain domain;
    struct profile profile;
    struct procedure procedure; /* "demo": SCEP, EST and CMP, preregistration required */
    const struct procedure *procedures[1];
    const struct domain *domains[1];
    struct scep_ra ra;
    struct cmp_ra cmp_ra;
    struct registry *registry;
    struct registry_view *view;
    struct arena *arena; /* lives as long as the gateway */
    char path[256];
    int64_t now_s;
    uint64_t seed;
    struct random_source random;
};

/* Everything valid and empty: no registration yet. Aborts the test when it cannot be made. */
struct a_gateway *a_gateway_new(uint64_t seed);
void a_gateway_free(struct a_gateway *g);

/* What a crash leaves: the registry is closed and opened again; nothing else survives. */
void a_gateway_restart(struct a_gateway *g);

/* A registration with its password ("" for none), Open, for every protocol of the procedure, made as an
 * officer's act would leave it. Fields that are unset get valid values (id, domain, procedure, state,
 * revision, accepted_s, protocols). One of ACME has `fqdn` as its key id and `password` as its HMAC key.
 */
struct registration a_gateway_register(struct a_gateway *g, const char *fqdn, const char *password,
                                       struct registration fields);

/* Applies changes as the writer does; fails the test on a conflict. */
void a_gateway_apply(struct a_gateway *g, const struct changes *changes);

/* A fresh view (renewed). */
struct registry_view *a_gateway_view(struct a_gateway *g);

/* One request from start to answer; the response lives in request->arena. */
struct http_response a_gateway_ask(struct a_gateway *g, struct http_request *request,
                                   struct turn_facts *facts);

/* The certificate record of that DER; false when the registry has none. */
bool a_gateway_has_certificate(struct a_gateway *g, struct bytes der);

#endif
