/* rows_procedure.c: the settings of domains and procedures. */
#include "config/rows_internal.h"

enum { DAY_S = 86400, CMP_ITERATIONS_MIN = 100, CMP_ITERATIONS_MAX = 100000 /* CMP-34 */ };

static const struct choice match_rules[] = { { "any", MATCH_ANY },
                                             { "most-specific", MATCH_MOST_SPECIFIC },
                                             { 0 } };
static const struct choice approvals[] = { { "none", false }, { "manual", true }, { 0 } };
static const struct choice protocols[] = { { "scep", PROTOCOL_BIT(PROTOCOL_SCEP) },
                                           { "est", PROTOCOL_BIT(PROTOCOL_EST) },
                                           { "cmp", PROTOCOL_BIT(PROTOCOL_CMP) },
                                           { "acme", PROTOCOL_BIT(PROTOCOL_ACME) },
                                           { 0 } };

/* clang-format off */
static const struct setting domain_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct parsed_domain, domain.name) },
    { "match", SETTING_CHOICE, SETTING_AT(struct parsed_domain, domain.match), .choice = match_rules },
    { "literal_labels_min", SETTING_COUNT, SETTING_AT(struct parsed_domain, domain.literal_labels_min), .min = 1, .max = 8 },
    { "underscore", SETTING_FLAG, SETTING_AT(struct parsed_domain, domain.underscore) },
    { "single_label", SETTING_FLAG, SETTING_AT(struct parsed_domain, domain.single_label) },
};
const struct settings settings_domain = {
    domain_rows, COUNT_OF(domain_rows), sizeof(struct parsed_domain), NULL, offsetof(struct parsed_domain, place)
};

static const struct setting est_rows[] = {
    { "basic", SETTING_FLAG, SETTING_AT(struct procedure, est_basic) },
    { "digest", SETTING_FLAG, SETTING_AT(struct procedure, est_digest) },
    { "client_certificate", SETTING_FLAG, SETTING_AT(struct procedure, est_client_certificate) },
    { "certificate_and_http", SETTING_FLAG, SETTING_AT(struct procedure, est_certificate_and_http) },
    { "link_required", SETTING_FLAG, SETTING_AT(struct procedure, est_link_required) },
    { "realm", SETTING_TEXT, SETTING_AT(struct procedure, est_realm) },
    { "csrattrs", SETTING_PATH, SETTING_AT(struct procedure, csrattrs_path) },
};
static const struct settings settings_est = {
    est_rows, COUNT_OF(est_rows), sizeof(struct procedure), NULL, NO_PLACE
};

static const struct setting scep_rows[] = {
    { "ra", SETTING_NAME, SETTING_AT(struct procedure, scep_ra) },
};
static const struct settings settings_scep = {
    scep_rows, COUNT_OF(scep_rows), sizeof(struct procedure), NULL, NO_PLACE
};

static const struct setting cmp_rows[] = {
    { "ra", SETTING_NAME, SETTING_AT(struct parsed_procedure, procedure.cmp_ra) },
    { "implicit_confirm", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.cmp_implicit_confirm) },
    { "confirm_wait", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.cmp_confirm_wait_s), .min = 10, .max = 30 * DAY_S },
    { "ca_pubs", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.cmp_ca_pubs) },
    { "key_generation", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.cmp_key_generation) },
    { "iterations_max", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.cmp_iterations_max), .min = CMP_ITERATIONS_MIN, .max = CMP_ITERATIONS_MAX },
    { "clock_skew", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.cmp_skew_s), .max = 365 * DAY_S },
    { "ra_anchors", SETTING_PATHS, SETTING_AT(struct parsed_procedure, cmp_ra_anchors), .max = 16 },
    { "profiles", SETTING_TEXTS, SETTING_AT(struct parsed_procedure, cmp_profiles), .max = 64 },
};
static const struct settings settings_cmp = {
    cmp_rows, COUNT_OF(cmp_rows), sizeof(struct parsed_procedure), NULL, NO_PLACE
};

static const struct setting renewal_rows[] = {
    { "enabled", SETTING_FLAG, SETTING_AT(struct procedure, renewal) },
    { "window", SETTING_SECONDS, SETTING_AT(struct procedure, renewal_window_s), .max = (uint64_t)36500 * DAY_S },
    { "grace", SETTING_SECONDS, SETTING_AT(struct procedure, renewal_grace_s), .max = 365 * DAY_S },
    { "latest_only", SETTING_FLAG, SETTING_AT(struct procedure, latest_only) },
    { "same_key", SETTING_FLAG, SETTING_AT(struct procedure, same_key_renewal) },
    { "rename", SETTING_FLAG, SETTING_AT(struct procedure, renewal_rename) },
};
static const struct settings settings_renewal = {
    renewal_rows, COUNT_OF(renewal_rows), sizeof(struct procedure), NULL, NO_PLACE
};

static const struct setting slow_down_rows[] = {
    { "after", SETTING_COUNT, SETTING_AT(struct procedure, slow_after), .min = 1, .max = 1000 },
    { "max", SETTING_SECONDS, SETTING_AT(struct procedure, slow_max_s), .max = DAY_S },
};
static const struct settings settings_slow_down = {
    slow_down_rows, COUNT_OF(slow_down_rows), sizeof(struct procedure), NULL, NO_PLACE
};

static const struct setting procedure_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct parsed_procedure, procedure.name) },
    { "domain", SETTING_NAME, .required = true, SETTING_AT(struct parsed_procedure, domain) },
    { "ca", SETTING_NAME, .required = true, SETTING_AT(struct parsed_procedure, procedure.ca) },
    { "profile", SETTING_NAME, .required = true, SETTING_AT(struct parsed_procedure, profile) },
    { "protocols", SETTING_SET, .required = true, SETTING_AT(struct parsed_procedure, procedure.protocols), .choice = protocols },
    { "preregistration", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.preregistration) },
    { "approval", SETTING_CHOICE, SETTING_AT(struct parsed_procedure, procedure.manual_approval), .choice = approvals },
    { "dialect", SETTING_NAME, SETTING_AT(struct parsed_procedure, dialect) },
    { "switches", SETTING_GROUP, SETTING_AT(struct parsed_procedure, switches), .group = &settings_switches },
    { "est", SETTING_GROUP, SETTING_AT(struct parsed_procedure, procedure), .group = &settings_est },
    { "scep", SETTING_GROUP, SETTING_AT(struct parsed_procedure, procedure), .group = &settings_scep },
    { "cmp", SETTING_GROUP, .group = &settings_cmp },
    { "acme", SETTING_GROUP, .group = &settings_acme },
    { "renewal", SETTING_GROUP, SETTING_AT(struct parsed_procedure, procedure), .group = &settings_renewal },
    { "slow_down", SETTING_GROUP, SETTING_AT(struct parsed_procedure, procedure), .group = &settings_slow_down },
    { "vendor_anchors", SETTING_PATHS, SETTING_AT(struct parsed_procedure, vendor_anchors), .max = 16 },
    { "peer_address", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.peer_address) },
    { "unstructured", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.unstructured) },
    { "sha1_csr", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.allow_sha1_csr) },
    { "retry_after", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.retry_after_s), .min = 1, .max = 7 * DAY_S },
    { "patience", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.patience_s), .max = 60 },
};
static const struct parsed_procedure procedure_initial = {
    .procedure = { .preregistration = true,
                   .renewal = true,
                   .same_key_renewal = true,
                   .est_basic = true,
                   .est_client_certificate = true,
                   .cmp_implicit_confirm = true,
                   .cmp_confirm_wait_s = 300,
                   .cmp_iterations_max = 10000,
                   .acme_binding = true,
                   .acme_challenges = ACME_CHALLENGE_BIT(ACME_HTTP_01) | ACME_CHALLENGE_BIT(ACME_DNS_01) | ACME_CHALLENGE_BIT(ACME_TLS_ALPN_01),
                   .acme_identifiers_max = ACME_IDENTIFIERS_DEFAULT,
                   .acme_orders_max = ACME_ORDERS_DEFAULT,
                   .acme_accounts_max = ACME_ACCOUNTS_DEFAULT,
                   .acme_unbound_max = ACME_UNBOUND_DEFAULT,
                   .acme_validations_max = ACME_VALIDATIONS_DEFAULT,
                   .acme_failures_max = ACME_FAILURES_DEFAULT,
                   .acme_order_s = ACME_ORDER_DEFAULT_S,
                   .acme_authorization_s = ACME_ORDER_DEFAULT_S,
                   .acme_star_lifetime_s = ACME_STAR_LIFETIME_S,
                   .acme_star_duration_s = ACME_STAR_DURATION_S,
                   .retry_after_s = 60,
                   .patience_s = 2,
                   .slow_after = 5,
                   .slow_max_s = 300 },
    .dialect = "default",
};
const struct settings settings_procedure = {
    procedure_rows, COUNT_OF(procedure_rows), sizeof(struct parsed_procedure), &procedure_initial, offsetof(struct parsed_procedure, place)
};
/* clang-format on */
