/* dns-persist-01 (draft-ietf-acme-dns-persist): a TXT record that stays. It has the form of a CAA issue
 * value: who may issue, for which account, whether also for what is below, and until when. */
#include "proto/acme/validate_internal.h"

#include "lib/dns/dns_caa.h"

enum {
    VALID_MIN_S = 3600 /* for the order that asks; what is no longer valid than this is used by no other */
};

static enum acme_finding say(struct acme_fault *fault, enum acme_problem problem, const char *detail)
{
    *fault = (struct acme_fault){ .is = true, .problem = problem, .detail = bytes_text(detail) };
    return ACME_FINDING_NONE;
}

static bool is_us(const struct procedure *p, const struct dns_name *issuer)
{
    for (size_t i = 0; i < p->acme_caa_identity_count; i++)
        if (issuer->len > 0 && bytes_is_nocase(dns_name_bytes(issuer), p->acme_caa_identity[i]))
            return true;
    return false;
}

/* Until when the record says that it counts: INT64_MAX where it says nothing. */
static bool read_until(const struct dns_issue_value *value, int64_t *until_s)
{
    struct bytes text = dns_issue_parameter(value, "persistUntil");
    uint64_t number = INT64_MAX;

    if (text.data != NULL && !bytes_to_u64(text, INT64_MAX, &number))
        return false;
    *until_s = (int64_t)number;
    return true;
}

static enum acme_finding judge_record(const struct acme_look *look, struct bytes text, int64_t *until_s,
                                      struct acme_fault *fault)
{
    struct dns_issue_value value;
    struct bytes account, policy;

    if (!dns_issue_value_parse(text, &value) || value.duplicate)
        return say(fault, ACME_MALFORMED, "the record is malformed");
    account = dns_issue_parameter(&value, "accounturi");
    policy = dns_issue_parameter(&value, "policy");
    if (account.len == 0)
        return say(fault, ACME_MALFORMED, "the record names no accounturi");
    if (!is_us(look->procedure, &value.issuer))
        return say(fault, ACME_UNAUTHORIZED, "the record names another issuer");
    if (!bytes_equal(account, look->validation->account_url))
        return say(fault, ACME_UNAUTHORIZED, "the record names another account");
    if (!read_until(&value, until_s))
        return say(fault, ACME_MALFORMED, "persistUntil is no number");
    if (*until_s < look->now_s)
        return say(fault, ACME_UNAUTHORIZED, "the record's time is over");
    if ((look->authz->identifier.wildcard || look->authz->identifier.subdomains) &&
        !bytes_is_nocase(policy, "wildcard"))
        return say(fault, ACME_UNAUTHORIZED, "the record is for its own name alone");
    return ACME_FINDING_MET;
}

/* It counts as long as the record does, but long enough for the order that asks. */
static uint32_t counts_for_s(const struct acme_look *look, uint32_t ttl_s, int64_t until_s)
{
    int64_t left_s = until_s - look->now_s;
    uint32_t valid_s = left_s < ttl_s ? (uint32_t)left_s : ttl_s;

    return valid_s > VALID_MIN_S ? valid_s : VALID_MIN_S;
}

enum acme_finding acme_persist_judge(const struct acme_look *look, const struct job_event *event,
                                     uint32_t *valid_max_s, struct acme_fault *fault)
{
    if (event->kind != JOB_EVENT_DNS || event->dns.status == DNS_STATUS_OURS)
        return ACME_FINDING_OURS;
    if (event->dns.status != DNS_STATUS_RECORDS)
        return say(fault, ACME_DNS, dns_status_text(event->dns.status));
    (void)say(fault, ACME_UNAUTHORIZED, "there is no such record");
    for (size_t i = 0; i < event->dns.count; i++) {
        const struct dns_record *r = &event->dns.record[i];
        int64_t until_s = 0;

        if (judge_record(look, r->value, &until_s, fault) != ACME_FINDING_MET)
            continue;
        *valid_max_s = counts_for_s(look, r->ttl_s, until_s);
        return ACME_FINDING_MET;
    }
    return ACME_FINDING_NONE;
}
