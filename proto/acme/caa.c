/* CAA as it speaks to us (RFC 8659 4, RFC 8657). What is malformed or not understood forbids. */
#include "proto/acme/validate_internal.h"

#include "lib/dns/dns_caa.h"

enum { TIMEOUT_DNS_MS = 10000 };

struct job_effect acme_caa_effect(const struct dns_name *name, const struct procedure *procedure,
                                  const struct acme_id *account)
{
    struct job_effect effect = {
        .kind = JOB_EFFECT_DNS, .name = *name, .type = DNS_TYPE_CAA, .timeout_ms = TIMEOUT_DNS_MS
    };

    acme_share_target(&effect, procedure, account);
    return effect;
}

static bool is_us(const struct acme_caa_question *q, const struct dns_name *issuer)
{
    for (size_t i = 0; i < q->identity_count; i++)
        if (bytes_is_nocase(dns_name_bytes(issuer), q->identity[i]))
            return true;
    return false;
}

/* "dns-01,http-01" */
static bool lists(struct bytes methods, const char *method)
{
    struct bytes part;

    while (bytes_split(&methods, ',', &part))
        if (bytes_is(bytes_trim(part), method))
            return true;
    return false;
}

static bool value_allows(const struct acme_caa_question *q, struct bytes text)
{
    struct dns_issue_value value;
    struct bytes account, methods;

    if (!dns_issue_value_parse(text, &value) || value.duplicate || value.issuer.len == 0 ||
        !is_us(q, &value.issuer))
        return false;
    account = dns_issue_parameter(&value, "accounturi");
    methods = dns_issue_parameter(&value, "validationmethods");
    return (account.data == NULL || bytes_equal(account, q->account_url)) &&
           (methods.data == NULL || lists(methods, q->method));
}

enum acme_caa_finding acme_caa_judge(const struct acme_caa_question *q, const struct dns_record *record,
                                     size_t count)
{
    bool restricted[DNS_CAA_IODEF + 1] = { false }, allowed[DNS_CAA_IODEF + 1] = { false };
    enum dns_caa_tag counts;

    if (count == 0)
        return ACME_CAA_SILENT;
    for (size_t i = 0; i < count; i++) {
        struct dns_caa caa;

        if (!dns_caa_parse(record[i].value, &caa) || (caa.tag == DNS_CAA_OTHER && caa.critical))
            return ACME_CAA_FORBIDS;
        restricted[caa.tag] = true;
        if ((caa.tag == DNS_CAA_ISSUE || caa.tag == DNS_CAA_ISSUEWILD) && value_allows(q, caa.value))
            allowed[caa.tag] = true;
    }
    counts = q->wildcard && restricted[DNS_CAA_ISSUEWILD] ? DNS_CAA_ISSUEWILD : DNS_CAA_ISSUE;
    return !restricted[counts] || allowed[counts] ? ACME_CAA_ALLOWS : ACME_CAA_FORBIDS;
}
