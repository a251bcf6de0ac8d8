/* rows_acme.c: the settings of a procedure that speaks ACME, and what becomes of them. */
#include "config/rows_internal.h"

enum {
    DAY_S = 86400,
    RANGES_MAX = 64,
    LIST_MAX = 64,
    ORDERS_MAX = 10000,
    ACCOUNTS_MAX = 10000,
    UNBOUND_MAX = 10000000,
    VALIDATIONS_MAX = 32, /* of all accounts together */
    FAILURES_MAX = 500,
    HOUR_S = 3600
};

static const struct choice challenges[] = { { "http-01", ACME_CHALLENGE_BIT(ACME_HTTP_01) },
                                            { "dns-01", ACME_CHALLENGE_BIT(ACME_DNS_01) },
                                            { "tls-alpn-01", ACME_CHALLENGE_BIT(ACME_TLS_ALPN_01) },
                                            { "dns-account-01", ACME_CHALLENGE_BIT(ACME_DNS_ACCOUNT_01) },
                                            { "dns-persist-01", ACME_CHALLENGE_BIT(ACME_DNS_PERSIST_01) },
                                            { "device-attest-01", ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01) },
                                            { 0 } };
static const struct choice caa[] = {
    { "off", ACME_CAA_OFF }, { "warn", ACME_CAA_WARN }, { "enforce", ACME_CAA_ENFORCE }, { 0 }
};

/* clang-format off */
static const struct setting attestation_rows[ATTESTATION_FORMAT_COUNT] = {
    [ATTESTATION_APPLE] = { "apple", SETTING_PATHS, SETTING_AT(struct parsed_procedure, acme_attestation_anchors[ATTESTATION_APPLE]), .max = 16 },
    [ATTESTATION_TPM] = { "tpm", SETTING_PATHS, SETTING_AT(struct parsed_procedure, acme_attestation_anchors[ATTESTATION_TPM]), .max = 16 },
};
static const struct settings settings_attestation = {
    attestation_rows, COUNT_OF(attestation_rows), sizeof(struct parsed_procedure), NULL, NO_PLACE
};

static const struct setting acme_rows[] = {
    { "binding", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.acme_binding) },
    { "challenges", SETTING_SET, SETTING_AT(struct parsed_procedure, procedure.acme_challenges), .choice = challenges },
    { "subdomains", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.acme_subdomains) },
    { "wildcard", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.acme_wildcard) },
    { "ip", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.acme_ip) },
    { "reach", SETTING_TEXTS, SETTING_AT(struct parsed_procedure, acme_reach), .max = RANGES_MAX },
    { "forbid", SETTING_TEXTS, SETTING_AT(struct parsed_procedure, acme_forbid), .max = RANGES_MAX },
    { "http_port", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_http_port) },
    { "tls_port", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_tls_port) },
    { "caa", SETTING_CHOICE, SETTING_AT(struct parsed_procedure, procedure.acme_caa), .choice = caa },
    { "caa_identities", SETTING_TEXTS, SETTING_AT(struct parsed_procedure, acme_caa_identities), .max = LIST_MAX },
    { "identifiers_max", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_identifiers_max), .min = 1, .max = ACME_IDENTIFIERS_MAX },
    { "orders_max", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_orders_max), .min = 1, .max = ORDERS_MAX },
    { "accounts_max", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_accounts_max), .min = 1, .max = ACCOUNTS_MAX },
    { "unbound_accounts_max", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_unbound_max), .min = 1, .max = UNBOUND_MAX },
    { "validations_max", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_validations_max), .min = 1, .max = VALIDATIONS_MAX },
    { "failures_max", SETTING_COUNT, SETTING_AT(struct parsed_procedure, procedure.acme_failures_max), .min = 1, .max = FAILURES_MAX },
    { "order_valid", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.acme_order_s), .min = 60, .max = 90 * DAY_S },
    { "authorization_valid", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.acme_authorization_s), .min = 60, .max = 398 * DAY_S },
    { "profiles", SETTING_TEXTS, SETTING_AT(struct parsed_procedure, acme_profiles), .max = LIST_MAX },
    { "terms", SETTING_URL, SETTING_AT(struct parsed_procedure, procedure.acme_terms_url) },
    { "website", SETTING_URL, SETTING_AT(struct parsed_procedure, procedure.acme_website_url) },
    { "star", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.acme_star) },
    { "star_lifetime_min", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.acme_star_lifetime_s), .min = HOUR_S, .max = 90 * DAY_S },
    { "star_duration_max", SETTING_SECONDS, SETTING_AT(struct parsed_procedure, procedure.acme_star_duration_s), .min = DAY_S, .max = 10 * 365 * DAY_S },
    { "star_get", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.acme_star_get) },
    { "attestation_anchors", SETTING_GROUP, .group = &settings_attestation },
    { "replace_all", SETTING_FLAG, SETTING_AT(struct parsed_procedure, procedure.acme_replace_all) },
};
const struct settings settings_acme = {
    acme_rows, COUNT_OF(acme_rows), sizeof(struct parsed_procedure), NULL, NO_PLACE
};
/* clang-format on */

static bool make_ranges(const struct reader *reader, const struct place *at, const char *setting,
                        const struct items *texts, struct arena *arena, const struct ip_range **out,
                        struct error *err)
{
    const char **text = texts->item;
    struct ip_range *range = arena_array(arena, texts->count > 0 ? texts->count : 1, sizeof(*range));

    if (range == NULL)
        return error_set(err, ERROR_MEMORY, "the configuration is too large");
    for (size_t i = 0; i < texts->count; i++) {
        if (!ip_range_parse(bytes_text(text[i]), &range[i]))
            return reader_fault(reader, at, setting, err,
                                "expected ranges like 10.0.0.0/8 or 2001:db8::/32; got '%.43s'", text[i]);
    }
    *out = range;
    return true;
}

bool config_make_acme(const struct reader *reader, struct parsed_procedure *p, struct arena *arena,
                      struct error *err)
{
    struct procedure *made = &p->procedure;
    const char **identity = p->acme_caa_identities.item;
    struct address_rules *reach = &made->acme_reach;
    struct dns_rules rules = DNS_RULES_TEXT;
    struct dns_name name;

    for (size_t i = 0; i < p->acme_caa_identities.count; i++) {
        if (dns_name_parse(bytes_text(identity[i]), &rules, &name) != DNS_OK)
            return reader_fault(reader, &p->place, "acme.caa_identities", err,
                                "expected names like ca.example.com; got '%.60s'", identity[i]);
    }
    made->acme_caa_identity = identity;
    made->acme_caa_identity_count = p->acme_caa_identities.count;
    reach->allowed_count = p->acme_reach.count;
    reach->forbidden_count = p->acme_forbid.count;
    return make_ranges(reader, &p->place, "acme.reach", &p->acme_reach, arena, &reach->allowed, err) &&
           make_ranges(reader, &p->place, "acme.forbid", &p->acme_forbid, arena, &reach->forbidden, err);
}
