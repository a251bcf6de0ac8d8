/* config.h: the YAML configuration as the options structs that the rooms declare. A configuration is made
 * whole or not at all and read-only afterwards: a reload makes a new one, requests in flight keep the old
 * (who holds it counts). Every mistake names file, line, setting and what was expected. */
#ifndef MUSTER_CONFIG_H
#define MUSTER_CONFIG_H

#include "admin/admin.h"
#include "ca/ca.h"
#include "enroll/service.h"
#include "jobs/health.h"
#include "lib/base/log.h"
#include "lib/net/resolver.h"
#include "lib/net/server.h"
#include "proto/acme/acme.h"
#include "proto/cmp/cmp.h"
#include "proto/cmp/connector.h"
#include "proto/est/est.h"
#include "proto/scep/scep.h"
#include "registry/registry.h"

enum { CONFIG_WORKERS_MAX = 64 };
enum listener_role { LISTENER_DEVICES = 0, LISTENER_ADMINISTRATION, LISTENER_METRICS };

/* The key of a certificate that is to be enrolled, where neither of them is there. */
struct missing_key {
    const char *name, *path;
    enum key_kind kind;
    unsigned bits;
};

struct config {
    struct net_options net;
    struct net_listener listener[NET_LISTENERS_MAX];
    enum listener_role listener_role[NET_LISTENERS_MAX];
    size_t listener_count;
    struct registry_options registry;
    unsigned workers, queue_max, busy_retry_after_s;
    enum log_format log_format;
    enum log_level log_level;
    const char *dns_servers; /* by commas; NULL: those of the system */
    const char *user;        /* switched to after the sockets are bound, when started as root; NULL: stay */

    struct keys *keys; /* loaded */
    struct ca *ca;
    size_t ca_count;
    struct cmp_upstream **cmp_upstream; /* of the CAs that are reached by CMP */
    size_t cmp_upstream_count;
    struct weak_list **weak_list; /* of the profiles */
    size_t weak_list_count;
    const struct domain *const *domain;
    size_t domain_count;
    const struct procedure *const *procedure;
    struct procedure **procedure_row; /* those, while nobody else has the configuration */
    size_t procedure_count;
    const struct procedure *default_procedure; /* for paths without a name; may be NULL */

    struct enroll_service enroll; /* slow_down is set by the gateway: it outlives a reload */
    struct scep_service scep;
    struct cmp_service cmp;
    struct acme_service acme; /* nonces are set by the gateway */
    struct est_service est;   /* nonces and nonce_key are set by the gateway */
    struct admin_service admin;

    const struct health_certificate *certificate; /* of listeners and RAs, for the health job */
    size_t certificate_count;
    struct service_certificates services;    /* the same files, each once, and who renews them */
    struct service_certificate *service_row; /* those, while nobody else has the configuration */
    struct missing_key *missing_key;         /* not in `keys` yet */
    size_t missing_key_count;

    struct arena *arena; /* holds all of it */
};

/* Reads, checks and loads the keys and certificates that it names (relative paths: from the file's folder).
 * Nothing is written. A certificate that is not there, and that a CA is asked for, is awaited. */
MUST_USE bool config_load(const char *path, struct config **out, struct error *err);
/* For the daemon, before anyone else has the configuration: makes the missing keys and writes each where the
 * configuration says, with mode 0600 and belonging to `owner` (NULL: to whoever runs). A file that has come
 * meanwhile is not overwritten: ERROR_CONFLICT. */
MUST_USE bool config_make_missing_keys(struct config *config, const struct file_owner *owner,
                                       struct error *err);
void config_free(struct config *config); /* accepts NULL */

const struct procedure *config_procedure(const struct config *config, struct bytes name);

#endif
