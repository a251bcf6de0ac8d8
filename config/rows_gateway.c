/* rows_gateway.c: the settings of the gateway itself: registry, threads, log, limits, listeners, keys; and
 * the table of the whole file. */
#include "config/rows_internal.h"

static const struct choice log_formats[] = { { "text", LOG_FORMAT_TEXT },
                                             { "json", LOG_FORMAT_JSON },
                                             { 0 } };
static const struct choice log_levels[] = {
    { "debug", LOG_DEBUG }, { "info", LOG_INFO }, { "warning", LOG_WARNING }, { "error", LOG_ERROR }, { 0 }
};
static const struct choice roles[] = { { "devices", LISTENER_DEVICES },
                                       { "administration", LISTENER_ADMINISTRATION },
                                       { "metrics", LISTENER_METRICS },
                                       { 0 } };
static const struct choice client_certificates[] = { { "none", NET_CLIENT_CERTIFICATE_NONE },
                                                     { "optional", NET_CLIENT_CERTIFICATE_OPTIONAL },
                                                     { "required", NET_CLIENT_CERTIFICATE_REQUIRED },
                                                     { 0 } };

/* clang-format off */
enum { HOUR_S = 3600, DAY_S = 86400, HOUR_MS = 3600000 };
#define MIB ((uint64_t)1 << 20)

static const struct setting registry_rows[] = {
    { "path", SETTING_PATH, .required = true, SETTING_AT(struct registry_options, path) },
    { "map_max", SETTING_SIZE, SETTING_AT(struct registry_options, map_max), .min = 16 * MIB, .max = (uint64_t)1 << 46 },
    { "readers_max", SETTING_COUNT, SETTING_AT(struct registry_options, readers_max), .min = 16, .max = 4096 },
};
const struct settings settings_registry = {
    registry_rows, COUNT_OF(registry_rows), sizeof(struct registry_options), NULL, NO_PLACE
};

static const struct setting log_rows[] = {
    { "format", SETTING_CHOICE, SETTING_AT(struct parsed, log_format), .choice = log_formats },
    { "level", SETTING_CHOICE, SETTING_AT(struct parsed, log_level), .choice = log_levels },
};
const struct settings settings_log = { log_rows, COUNT_OF(log_rows), sizeof(struct parsed), NULL, NO_PLACE };

static const struct setting limit_rows[] = {
    { "target", SETTING_SIZE, SETTING_AT(struct net_options, http.target_max), .min = 256, .max = MIB },
    { "head", SETTING_SIZE, SETTING_AT(struct net_options, http.head_max), .min = 1024, .max = 4 * MIB },
    { "body", SETTING_SIZE, SETTING_AT(struct net_options, http.body_max), .min = 4096, .max = 256 * MIB },
    { "headers", SETTING_COUNT, SETTING_AT(struct net_options, http.header_max), .min = 16, .max = HTTP_HEADERS_MAX },
    { "request_memory", SETTING_SIZE, SETTING_AT(struct net_options, arena_max), .min = MIB, .max = 1024 * MIB },
    { "connections", SETTING_COUNT, SETTING_AT(struct net_options, connections_max), .min = 1, .max = 1000000 },
    { "per_address", SETTING_COUNT, SETTING_AT(struct net_options, per_address_max), .min = 1, .max = 1000000 },
    { "handshake", SETTING_MILLISECONDS, SETTING_AT(struct net_options, handshake_ms), .min = 100, .max = HOUR_MS },
    { "head_time", SETTING_MILLISECONDS, SETTING_AT(struct net_options, head_ms), .min = 100, .max = HOUR_MS },
    { "body_time", SETTING_MILLISECONDS, SETTING_AT(struct net_options, body_ms), .min = 100, .max = HOUR_MS },
    { "write_time", SETTING_MILLISECONDS, SETTING_AT(struct net_options, write_ms), .min = 100, .max = HOUR_MS },
    { "idle", SETTING_MILLISECONDS, SETTING_AT(struct net_options, idle_ms), .min = 100, .max = HOUR_MS },
    { "drain", SETTING_MILLISECONDS, SETTING_AT(struct net_options, drain_ms), .min = 0, .max = HOUR_MS },
};
const struct settings settings_limits = {
    limit_rows, COUNT_OF(limit_rows), sizeof(struct net_options), NULL, NO_PLACE
};

static const struct setting enrollment_rows[] = {
    { "transaction_keep", SETTING_SECONDS, SETTING_AT(struct parsed, transaction_keep_s), .min = HOUR_S, .max = (uint64_t)3650 * DAY_S },
    { "pending_keep", SETTING_SECONDS, SETTING_AT(struct parsed, pending_keep_s), .min = 60, .max = 365 * DAY_S },
    { "pending_max", SETTING_COUNT, SETTING_AT(struct parsed, pending_max), .min = 1, .max = 1000000 },
    { "scep_clock_skew", SETTING_SECONDS, SETTING_AT(struct parsed, scep_skew_s), .max = 365 * DAY_S },
    { "est_nonce_valid", SETTING_SECONDS, SETTING_AT(struct parsed, nonce_valid_s), .min = 5, .max = HOUR_S },
    { "acme_nonce_valid", SETTING_SECONDS, SETTING_AT(struct parsed, acme_nonce_valid_s), .min = 60, .max = DAY_S },
    { "act_clock_skew", SETTING_SECONDS, SETTING_AT(struct parsed, act_skew_s), .min = 1, .max = DAY_S },
};
const struct settings settings_enrollment = {
    enrollment_rows, COUNT_OF(enrollment_rows), sizeof(struct parsed), NULL, NO_PLACE
};

static const struct setting renew_rows[] = {
    { "ca", SETTING_NAME, .required = true, SETTING_AT(struct parsed_renew, ca) },
    { "before", SETTING_SECONDS, SETTING_AT(struct parsed_renew, before_s), .min = 60, .max = 3650 * (uint64_t)DAY_S },
    { "names", SETTING_TEXTS, SETTING_AT(struct parsed_renew, names), .max = SERVICE_NAMES_MAX },
};
const struct settings settings_renew = {
    renew_rows, COUNT_OF(renew_rows), sizeof(struct parsed_renew), NULL, NO_PLACE
};

static const struct setting tls_rows[] = {
    { "certificate", SETTING_PATH, .required = true, SETTING_AT(struct parsed_listener, listener.tls.certificate_path) },
    { "key", SETTING_NAME, .required = true, SETTING_AT(struct parsed_listener, listener.tls.key_name) },
    { "client_certificate", SETTING_CHOICE, SETTING_AT(struct parsed_listener, listener.tls.client_certificate), .choice = client_certificates },
    { "renew", SETTING_GROUP, SETTING_AT(struct parsed_listener, renew), .group = &settings_renew },
};
static const struct settings settings_tls = {
    tls_rows, COUNT_OF(tls_rows), sizeof(struct parsed_listener), NULL, offsetof(struct parsed_listener, tls_place)
};

static const struct setting listener_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct parsed_listener, listener.name) },
    { "address", SETTING_TEXT, .required = true, SETTING_AT(struct parsed_listener, listener.address) },
    { "port", SETTING_COUNT, .required = true, SETTING_AT(struct parsed_listener, listener.port) },
    { "role", SETTING_CHOICE, .required = true, SETTING_AT(struct parsed_listener, role), .choice = roles },
    { "tls", SETTING_GROUP, .group = &settings_tls },
    { "base_url", SETTING_URL, SETTING_AT(struct parsed_listener, listener.base_url) },
    { "proxy_from", SETTING_TEXTS, SETTING_AT(struct parsed_listener, proxy_from), .max = NET_PROXIES_MAX },
};
const struct settings settings_listener = {
    listener_rows, COUNT_OF(listener_rows), sizeof(struct parsed_listener), NULL, offsetof(struct parsed_listener, place)
};

static const struct setting key_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct parsed_key, name) },
    { "uri", SETTING_STORE, .required = true, SETTING_AT(struct parsed_key, uri) },
    { "passphrase_file", SETTING_PATH, SETTING_AT(struct parsed_key, passphrase_file) },
};
const struct settings settings_key = {
    key_rows, COUNT_OF(key_rows), sizeof(struct parsed_key), NULL, offsetof(struct parsed_key, place)
};

static const struct setting secrets_key_rows[] = {
    { "id", SETTING_NAME, .required = true, SETTING_AT(struct parsed_secrets_key, id) },
    { "file", SETTING_PATH, .required = true, SETTING_AT(struct parsed_secrets_key, file) },
};
const struct settings settings_secrets_key = {
    secrets_key_rows, COUNT_OF(secrets_key_rows), sizeof(struct parsed_secrets_key), NULL, offsetof(struct parsed_secrets_key, place)
};

static const struct setting file_rows[] = {
    { "registry", SETTING_GROUP, .required = true, SETTING_AT(struct parsed, registry), .group = &settings_registry },
    { "workers", SETTING_COUNT, SETTING_AT(struct parsed, workers), .min = 1, .max = CONFIG_WORKERS_MAX },
    { "loops", SETTING_COUNT, SETTING_AT(struct parsed, net.loops), .min = 1, .max = NET_LOOPS_MAX },
    { "queue", SETTING_COUNT, SETTING_AT(struct parsed, queue_max), .min = 1, .max = 1000000 },
    { "busy_retry_after", SETTING_SECONDS, SETTING_AT(struct parsed, busy_retry_after_s), .min = 1, .max = HOUR_S },
    { "user", SETTING_NAME, SETTING_AT(struct parsed, user) },
    { "dns_servers", SETTING_TEXTS, SETTING_AT(struct parsed, dns_servers), .max = NET_RESOLVER_SERVERS_MAX },
    { "log", SETTING_GROUP, .group = &settings_log },
    { "limits", SETTING_GROUP, SETTING_AT(struct parsed, net), .group = &settings_limits },
    { "enrollment", SETTING_GROUP, .group = &settings_enrollment },
    { "listeners", SETTING_ITEMS, .required = true, SETTING_AT(struct parsed, listeners), .min = 1, .max = NET_LISTENERS_MAX, .group = &settings_listener },
    { "keys", SETTING_ITEMS, .required = true, SETTING_AT(struct parsed, keys), .min = 1, .max = KEYS_MAX, .group = &settings_key },
    { "secrets_keys", SETTING_ITEMS, .required = true, SETTING_AT(struct parsed, secrets_keys), .min = 1, .max = 16, .group = &settings_secrets_key },
    { "cas", SETTING_ITEMS, .required = true, SETTING_AT(struct parsed, cas), .min = 1, .max = 64, .group = &settings_ca },
    { "profiles", SETTING_ITEMS, .required = true, SETTING_AT(struct parsed, profiles), .min = 1, .max = 1024, .group = &settings_profile },
    { "scep_ras", SETTING_ITEMS, SETTING_AT(struct parsed, scep_ras), .max = SCEP_RAS_MAX, .group = &settings_ra },
    { "cmp_ras", SETTING_ITEMS, SETTING_AT(struct parsed, cmp_ras), .max = CMP_RAS_MAX, .group = &settings_ra },
    { "domains", SETTING_ITEMS, .required = true, SETTING_AT(struct parsed, domains), .min = 1, .max = 1024, .group = &settings_domain },
    { "procedures", SETTING_ITEMS, .required = true, SETTING_AT(struct parsed, procedures), .min = 1, .max = 1024, .group = &settings_procedure },
    { "default_procedure", SETTING_NAME, SETTING_AT(struct parsed, default_procedure) },
};
const struct settings settings_file = {
    file_rows, COUNT_OF(file_rows), sizeof(struct parsed), NULL, offsetof(struct parsed, place)
};
/* clang-format on */

const struct parsed parsed_defaults = {
    .registry = { .map_max = (uint64_t)64 << 30, .readers_max = 126 },
    .workers = 0, /* one a processor */
    .queue_max = 1024,
    .busy_retry_after_s = 5,
    .log_format = LOG_FORMAT_TEXT,
    .log_level = LOG_INFO,
    .net = { .loops = 1 }, /* the rest: NET_OPTIONS_DEFAULT, in config_load */
    .transaction_keep_s = 30 * DAY_S,
    .pending_keep_s = 7 * DAY_S,
    .pending_max = 1000,
    .act_skew_s = 300,
    .nonce_valid_s = 300,
    .acme_nonce_valid_s = ACME_NONCE_VALID_S,
};
