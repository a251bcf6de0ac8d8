/* rows_ca.c: the settings of CAs, certificate profiles and RAs. */
#include "config/rows_internal.h"
#include "enroll/chain.h"

enum { DAY_S = 86400, CENTURY_DAYS = 36500 };

static const struct choice ca_kinds[] = { { "local", CA_KIND_LOCAL }, { "cmp", CA_KIND_CMP }, { 0 } };
static const struct choice cmp_requests[] = {
    { "ir", CMP_UPSTREAM_IR }, { "cr", CMP_UPSTREAM_CR }, { "p10cr", CMP_UPSTREAM_P10CR }, { 0 }
};
static const struct choice password_macs[] = { { "pbm", PASSWORD_MAC_PBM },
                                               { "pbmac1", PASSWORD_MAC_PBMAC1 },
                                               { 0 } };
static const struct choice hashes[] = {
    { "sha256", DIGEST_SHA256 }, { "sha384", DIGEST_SHA384 }, { "sha512", DIGEST_SHA512 }, { 0 }
};
static const struct choice key_usages[] = { { "digital_signature", KEY_USAGE_DIGITAL_SIGNATURE },
                                            { "content_commitment", KEY_USAGE_CONTENT_COMMITMENT },
                                            { "key_encipherment", KEY_USAGE_KEY_ENCIPHERMENT },
                                            { "data_encipherment", KEY_USAGE_DATA_ENCIPHERMENT },
                                            { "key_agreement", KEY_USAGE_KEY_AGREEMENT },
                                            { 0 } };
static const struct choice subject_rules[] = { { "registration", SUBJECT_FROM_REGISTRATION },
                                               { "request", SUBJECT_FROM_REQUEST },
                                               { 0 } };
static const struct choice san_rules[] = { { "request", SAN_FQDN_AND_REQUEST },
                                           { "registration", SAN_FQDN_AND_REGISTRATION },
                                           { 0 } };
static const struct choice san_kinds[] = { { "other_name", 1 << GENERAL_NAME_OTHER },
                                           { "email", 1 << GENERAL_NAME_EMAIL },
                                           { "directory_name", 1 << GENERAL_NAME_DIRECTORY },
                                           { "uri", 1 << GENERAL_NAME_URI },
                                           { "registered_id", 1 << GENERAL_NAME_REGISTERED_ID },
                                           { 0 } };
/* values: 1 << key_kind */
static const struct choice curves[] = { { "p256", 1 << KEY_EC_P256 }, { "p384", 1 << KEY_EC_P384 },
                                        { "p521", 1 << KEY_EC_P521 }, { "ed25519", 1 << KEY_ED25519 },
                                        { "ed448", 1 << KEY_ED448 },  { 0 } };

/* clang-format off */
static const struct setting crl_rows[] = {
    { "url", SETTING_URLS, SETTING_AT(struct parsed_ca, crl_url), .max = CA_URLS_MAX },
    { "validity", SETTING_SECONDS, SETTING_AT(struct parsed_ca, ca.crl_validity_s), .min = 600, .max = (uint64_t)3650 * DAY_S },
    { "refresh", SETTING_SECONDS, SETTING_AT(struct parsed_ca, ca.crl_refresh_s), .min = 60, .max = (uint64_t)3650 * DAY_S },
};
static const struct settings settings_crl = {
    crl_rows, COUNT_OF(crl_rows), sizeof(struct parsed_ca), NULL, NO_PLACE
};

static const struct setting root_update_rows[] = {
    { "new_with_new", SETTING_PATH, .required = true, SETTING_AT(struct parsed_ca, new_with_new) },
    { "new_with_old", SETTING_PATH, .required = true, SETTING_AT(struct parsed_ca, new_with_old) },
    { "old_with_new", SETTING_PATH, SETTING_AT(struct parsed_ca, old_with_new) },
};
static const struct settings settings_root_update = {
    root_update_rows, COUNT_OF(root_update_rows), sizeof(struct parsed_ca), NULL, NO_PLACE
};

#define CMP_AT(field) SETTING_AT(struct parsed_ca, cmp.field)
static const struct setting cmp_rows[] = {
    { "url", SETTING_URL, .required = true, CMP_AT(url) },
    { "trust", SETTING_PATH, CMP_AT(trust) },
    { "request", SETTING_CHOICE, CMP_AT(request), .choice = cmp_requests },
    { "implicit_confirm", SETTING_FLAG, CMP_AT(implicit_confirm) },
    { "profile", SETTING_TEXT, CMP_AT(profile) },
    { "recipient", SETTING_TEXT, CMP_AT(recipient) },
    { "reference", SETTING_TEXT, CMP_AT(reference) },
    { "secret_file", SETTING_PATH, CMP_AT(secret_file) },
    { "mac", SETTING_CHOICE, CMP_AT(mac), .choice = password_macs },
    { "iterations", SETTING_COUNT, CMP_AT(iterations), .min = PASSWORD_MAC_ITERATIONS_MIN, .max = 1000000 },
    { "hmac_sha1", SETTING_FLAG, CMP_AT(hmac_sha1) },
    { "key", SETTING_NAME, CMP_AT(key) },
    { "certificate", SETTING_PATH, CMP_AT(certificate) },
    { "signer", SETTING_PATH, CMP_AT(signer) },
    { "signer_anchors", SETTING_PATHS, CMP_AT(signer_anchors), .max = CA_CHAIN_MAX },
};
static const struct settings settings_cmp_upstream = {
    cmp_rows, COUNT_OF(cmp_rows), sizeof(struct parsed_ca), NULL, NO_PLACE
};

static const struct setting ca_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct parsed_ca, ca.name) },
    { "kind", SETTING_CHOICE, .required = true, SETTING_AT(struct parsed_ca, kind), .choice = ca_kinds },
    { "chain", SETTING_PATHS, SETTING_AT(struct parsed_ca, chain), .min = 1, .max = CA_CHAIN_MAX },
    { "anchors", SETTING_PATHS, SETTING_AT(struct parsed_ca, anchors), .min = 1, .max = CA_ANCHORS_MAX },
    { "chain_refresh", SETTING_SECONDS, SETTING_AT(struct parsed_ca, ca.chain_refresh_s), .min = 10, .max = 365 * DAY_S },
    { "key", SETTING_NAME, SETTING_AT(struct parsed_ca, ca.key_name) },
    { "hash", SETTING_CHOICE, SETTING_AT(struct parsed_ca, ca.hash), .choice = hashes },
    { "crl", SETTING_GROUP, .group = &settings_crl },
    { "ca_issuers_url", SETTING_URLS, SETTING_AT(struct parsed_ca, ca_issuers_url), .max = CA_URLS_MAX },
    { "root_update", SETTING_GROUP, .group = &settings_root_update },
    { "cmp", SETTING_GROUP, .group = &settings_cmp_upstream },
    { "timeout", SETTING_MILLISECONDS, SETTING_AT(struct parsed_ca, ca.patience.timeout_ms), .min = 100, .max = 600000 },
    { "concurrency", SETTING_COUNT, SETTING_AT(struct parsed_ca, ca.patience.concurrency), .min = 1, .max = 32 },
    { "orders_max", SETTING_COUNT, SETTING_AT(struct parsed_ca, ca.patience.orders_max), .min = 1, .max = 100000 },
    { "order_keep", SETTING_SECONDS, SETTING_AT(struct parsed_ca, ca.patience.order_keep_s), .min = 60, .max = 90 * DAY_S },
};
static const struct parsed_ca ca_initial = {
    .ca = { .crl_validity_s = 7 * DAY_S,
            .crl_refresh_s = DAY_S,
            .chain_refresh_s = CA_CHAIN_REFRESH_S,
            .patience = { CA_TIMEOUT_MS, CA_CONCURRENCY, CA_ORDERS_MAX, CA_ORDER_KEEP_S } },
    .cmp = { .mac = PASSWORD_MAC_PBM, .iterations = CMP_ITERATIONS },
};
const struct settings settings_ca = {
    ca_rows, COUNT_OF(ca_rows), sizeof(struct parsed_ca), &ca_initial, offsetof(struct parsed_ca, place)
};

static const struct setting key_rule_rows[] = {
    { "rsa_min", SETTING_COUNT, SETTING_AT(struct parsed_profile, profile.keys.rsa_bits_min), .max = 16384 },
    { "rsa_max", SETTING_COUNT, SETTING_AT(struct parsed_profile, profile.keys.rsa_bits_max), .max = 16384 },
    { "rsa_pss", SETTING_FLAG, SETTING_AT(struct parsed_profile, profile.keys.rsa_pss) },
    { "curves", SETTING_SET, SETTING_AT(struct parsed_profile, curves), .choice = curves },
    { "full_checks", SETTING_FLAG, SETTING_AT(struct parsed_profile, profile.keys.full_checks) },
    { "weak_list", SETTING_PATHS, SETTING_AT(struct parsed_profile, weak_list), .max = WEAK_LISTS_MAX },
};
static const struct settings settings_key_rules = {
    key_rule_rows, COUNT_OF(key_rule_rows), sizeof(struct parsed_profile), NULL, NO_PLACE
};

static const struct setting profile_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct parsed_profile, profile.name) },
    { "validity", SETTING_SECONDS, .required = true, SETTING_AT(struct parsed_profile, profile.validity_s), .min = 60, .max = (uint64_t)CENTURY_DAYS * DAY_S },
    { "backdate", SETTING_SECONDS, SETTING_AT(struct parsed_profile, profile.backdate_s), .max = 30 * DAY_S },
    { "key_usage", SETTING_SET, .required = true, SETTING_AT(struct parsed_profile, profile.key_usage), .choice = key_usages },
    { "extended_key_usage", SETTING_TEXTS, SETTING_AT(struct parsed_profile, extended_key_usage), .max = 16 },
    { "subject", SETTING_CHOICE, SETTING_AT(struct parsed_profile, profile.subject), .choice = subject_rules },
    { "san", SETTING_CHOICE, SETTING_AT(struct parsed_profile, profile.san), .choice = san_rules },
    { "san_kinds", SETTING_SET, SETTING_AT(struct parsed_profile, profile.san_kinds), .choice = san_kinds },
    { "keys", SETTING_GROUP, .group = &settings_key_rules },
};
static const struct parsed_profile profile_initial = {
    .profile = { .backdate_s = 300, .keys = { .rsa_bits_min = 2048, .rsa_bits_max = 8192 } },
    .curves = 1 << KEY_EC_P256 | 1 << KEY_EC_P384 | 1 << KEY_EC_P521,
};
const struct settings settings_profile = {
    profile_rows, COUNT_OF(profile_rows), sizeof(struct parsed_profile), &profile_initial, offsetof(struct parsed_profile, place)
};

static const struct setting ra_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct parsed_ra, name) },
    { "key", SETTING_NAME, .required = true, SETTING_AT(struct parsed_ra, key) },
    { "certificate", SETTING_PATH, .required = true, SETTING_AT(struct parsed_ra, certificate) },
    { "renew", SETTING_GROUP, SETTING_AT(struct parsed_ra, renew), .group = &settings_renew },
};
const struct settings settings_ra = {
    ra_rows, COUNT_OF(ra_rows), sizeof(struct parsed_ra), NULL, offsetof(struct parsed_ra, place)
};
/* clang-format on */
