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

static bool is_over(const struct dns_issue_value *value, int64_t now_s, bool *malformed)
{
    struct bytes until = dns_issue_parameter(value, "persistUntil");
    uint64_t until_s = 0;

    *malformed = until.data != NULL && !bytes_to_u64(until, INT64_MAX, &until_s);
    return until.data != NULL && (*malformed || (int64_t)until_s < now_s);
}

static enum acme_finding judge_record(const struct acme_look *look, struct bytes text,
                                      struct acme_fault *fault)
{
    struct dns_issue_value value;
    struct bytes account, policy;
    bool malformed = false;

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
    if (is_over(&value, look->now_s, &malformed))
        return malformed ? say(fault, ACME_MALFORMED, "persistUntil is no number")
                         : say(fault, ACME_UNAUTHORIZED, "the record's time is over");
    if ((look->authz->identifier.wildcard || look->authz->identifier.subdomains) &&
        !bytes_is_nocase(policy, "wildcard"))
        return say(fault, ACME_UNAUTHORIZED, "the record is for its own name alone");
    return ACME_FINDING_MET;
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

        if (judge_record(look, r->value, fault) != ACME_FINDING_MET)
            continue;
        /* It counts as long as the record does, but long enough for the order that asks. */
        *valid_max_s = r->ttl_s > VALID_MIN_S ? r->ttl_s : VALID_MIN_S;
        return ACME_FINDING_MET;
    }
    return ACME_FINDING_NONE;
}
