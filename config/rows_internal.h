/* rows_internal.h: the file as it was read, before names are resolved: what the tables of rows_*.c fill.
 * Structs of other rooms are filled in place; what they do not hold (references, paths) stands beside them.
 */
#ifndef MUSTER_CONFIG_ROWS_INTERNAL_H
#define MUSTER_CONFIG_ROWS_INTERNAL_H

#include "config/config.h"
#include "config/reader_internal.h"
#include "proto/cmp/connector.h"

enum { SERVICE_NAMES_MAX = 16 };
struct parsed_renew { /* of a certificate of the gateway itself */
    const char *ca;   /* NULL: nobody renews it */
    uint32_t before_s;
    struct items names; /* of a first one */
    bool awaited;       /* it is not there yet, and asked for: by config_find_namings() */
};

/* One place of the file that names a certificate of the gateway itself. */
struct naming {
    const struct place *at;
    const char *setting, *names_setting; /* "tls.renew", "tls.renew.names" */
    enum service_kind kind;
    const char *noun, *name, *path, *key;
    const char *base_url; /* of a listener; NULL: none */
    struct parsed_renew *renew;
};
struct namings {
    struct naming *item;
    size_t count;
};

struct parsed_listener {
    struct place place, tls_place; /* tls_place.node 0: no TLS */
    struct parsed_renew renew;
    struct net_listener listener;
    enum listener_role role;
    struct items proxy_from;
};

struct parsed_key {
    struct place place;
    const char *name, *uri, *passphrase_file;
};

struct parsed_secrets_key {
    struct place place;
    const char *id, *file;
};

/* How a CA is reached; one row each in make_ca.c. */
enum ca_kind { CA_KIND_LOCAL = 0, CA_KIND_CMP, CA_KIND_COUNT };

/* Settings of kind cmp. */
struct parsed_cmp_upstream {
    const char *url, *trust, *profile, *recipient; /* url NULL: there are none */
    enum cmp_upstream_request request;
    bool implicit_confirm, hmac_sha1;
    const char *reference, *secret_file;
    enum password_mac_kind mac;
    unsigned iterations;
    const char *key, *certificate;
    const char *signer;
    struct items signer_anchors;
};

struct parsed_ca {
    struct place place;
    enum ca_kind kind;
    struct ca ca;
    struct items chain, anchors, crl_url, ca_issuers_url;
    const char *new_with_new, *new_with_old, *old_with_new; /* of the root that follows */
    struct parsed_cmp_upstream cmp;
};

enum { WEAK_LISTS_MAX = 16 }; /* files of one profile */
struct parsed_profile {
    struct place place;
    struct profile profile;
    uint32_t curves;
    struct items extended_key_usage, weak_list;
};

struct parsed_ra { /* of SCEP or of CMP */
    struct place place;
    const char *name, *key, *certificate;
    struct parsed_renew renew;
};

struct parsed_domain {
    struct place place;
    struct domain domain;
};

struct parsed_procedure {
    struct place place;
    struct procedure procedure;
    const char *domain, *profile, *dialect;
    struct dialect switches; /* as the file sets them; which it sets is asked of the reader */
    struct items vendor_anchors, cmp_ra_anchors, cmp_profiles;
    struct items acme_profiles, acme_caa_identities, acme_reach, acme_forbid;
    struct items acme_attestation_anchors[ATTESTATION_FORMAT_COUNT];
};

struct parsed {
    struct place place;
    struct registry_options registry;
    unsigned workers, queue_max, busy_retry_after_s;
    const char *user;
    enum log_format log_format;
    enum log_level log_level;
    struct net_options net;
    uint32_t transaction_keep_s, pending_keep_s;
    unsigned pending_max;
    int64_t scep_skew_s, act_skew_s;
    uint32_t nonce_valid_s, acme_nonce_valid_s;
    struct items dns_servers, listeners, keys, secrets_keys, cas, profiles, scep_ras, cmp_ras, domains,
        procedures;
    const char *default_procedure;
    struct namings namings;
};

extern const struct parsed parsed_defaults;
extern const struct settings settings_file; /* struct parsed */

/* one for each noun, in rows_gateway.c, rows_ca.c and rows_procedure.c */
extern const struct settings settings_registry, settings_log, settings_limits, settings_enrollment,
    settings_listener, settings_key, settings_secrets_key, settings_ca, settings_profile, settings_ra,
    settings_domain, settings_procedure, settings_acme, settings_renew;

/* dialects.c: the built-in dialects, and one with the switches that the file sets. NULL: no such. */
const struct dialect *dialect_named(const char *name);
void dialects_list(char *out, size_t size);
extern const struct settings settings_switches; /* of struct dialect */

/* make.c: struct parsed to struct config: references resolved, keys and certificates loaded. */
MUST_USE bool config_make(const struct reader *reader, struct parsed *parsed, struct config *config,
                          struct error *err);
/* make_ca.c */
MUST_USE bool config_make_keys(const struct reader *reader, const struct parsed *parsed,
                               struct config *config, struct error *err);
MUST_USE bool config_make_cas(const struct reader *reader, const struct parsed *parsed, struct config *config,
                              struct error *err);
/* make_cmp_ca.c */
MUST_USE bool config_make_cmp_upstream(const struct reader *reader, const struct parsed_ca *from,
                                       struct config *config, const void **service, struct error *err);
/* make_ca.c */
MUST_USE bool config_make_ras(const struct reader *reader, const struct parsed *parsed, struct config *config,
                              struct error *err);
/* Certificates of listeners fit their keys; those that health watches. After the RAs. */
MUST_USE bool config_make_certificates(const struct reader *reader, const struct parsed *parsed,
                                       struct config *config, struct error *err);
/* make_first.c: who names the gateway's own certificates, and which are awaited; before all the rest. */
MUST_USE bool config_find_namings(struct parsed *parsed, struct arena *arena, struct error *err);
/* The key's file is missing, and it is to be made: it is of certificates alone that are awaited. */
bool config_key_is_missing(const struct parsed *parsed, const struct parsed_key *key,
                           struct missing_key *out);
/* What the awaited certificate is to be; its key, where that is there. */
MUST_USE bool config_make_first(const struct reader *reader, const struct parsed *parsed,
                                const struct naming *n, struct config *config, struct certificate *out,
                                struct error *err);
MUST_USE bool config_check_renew_names(const struct reader *reader, const struct place *at,
                                       const char *setting, const struct parsed_renew *renew,
                                       struct error *err);
/* make_service.c: the gateway's own certificates, one a file; after the above. */
MUST_USE bool config_make_services(const struct reader *reader, const struct parsed *parsed,
                                   struct config *config, struct error *err);
/* All certificates of the PEM file; `setting` below `at` is blamed. */
MUST_USE bool config_read_pem(const struct reader *reader, const struct place *at, const char *setting,
                              const char *path, struct arena *arena, struct bytes *der, size_t max,
                              size_t *count, struct error *err);
/* make_procedure.c */
/* The keys of the RAs are ones that no device may have certified (CSR-35): those that are there. */
void config_set_ra_keys(struct config *config);
MUST_USE bool config_make_procedures(const struct reader *reader, const struct parsed *parsed,
                                     struct config *config, struct error *err);
/* rows_acme.c */
MUST_USE bool config_make_acme(const struct reader *reader, struct parsed_procedure *p, struct arena *arena,
                               struct error *err);

/* check.c: what must hold between settings. Before anything is loaded, and after. */
MUST_USE bool config_check_names(const struct reader *reader, const struct parsed *parsed, struct error *err);
MUST_USE bool config_check_made(const struct reader *reader, const struct parsed *parsed,
                                const struct config *config, struct error *err);

#endif
