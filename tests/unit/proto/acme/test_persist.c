#include "proto/acme/validate_internal.h"

#include "tests/lib/test.h"

#define ACCOUNT "https://ra.example.com/acme/demo/account/x"

static const int64_t NOW_S = 1790000000;
static const char *const IDENTITIES[] = { "ca.example.net" };

static enum acme_finding judge_for(struct acme_identifier id, const char *text, uint32_t ttl_s,
                                   uint32_t *valid_s, struct acme_fault *fault)
{
    const struct procedure procedure = { .acme_caa_identity = IDENTITIES, .acme_caa_identity_count = 1 };
    const struct acme_authz authz = { .identifier = id };
    const struct acme_validation v = { .challenge = ACME_DNS_PERSIST_01,
                                       .account_url = BYTES_LITERAL(ACCOUNT) };
    const struct acme_look look = {
        .procedure = &procedure, .validation = &v, .authz = &authz, .now_s = NOW_S
    };
    const struct dns_record records[] = { { .value = BYTES_LITERAL("something else") },
                                          { .value = bytes_text(text), .ttl_s = ttl_s } };
    const struct job_event event = { .kind = JOB_EVENT_DNS,
                                     .dns = { .status = DNS_STATUS_RECORDS, .record = records, .count = 2 } };

    return acme_look_judge(&look, &event, valid_s, fault);
}

static enum acme_finding judge(const char *text, bool wildcard, uint32_t ttl_s, uint32_t *valid_s,
                               struct acme_fault *fault)
{
    return judge_for((struct acme_identifier){ .type = ACME_IDENTIFIER_DNS, .wildcard = wildcard }, text,
                     ttl_s, valid_s, fault);
}

static void acme_91_a_record_that_stays(void **state)
{
    static const char *const good[] = {
        "ca.example.net; accounturi=" ACCOUNT,
        "CA.example.net;accounturi=" ACCOUNT "; persistUntil=1790000000",
        "ca.example.net; accounturi=" ACCOUNT "; policy=wildcard; unknown=1",
    };
    struct acme_fault fault = { 0 };
    uint32_t valid_s = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(judge(good[i], false, 86400, &valid_s, &fault), ACME_FINDING_MET);
    assert_int_equal(valid_s, 86400); /* as long as the record */
}

static void acme_92_records_that_prove_nothing(void **state)
{
    static const struct {
        const char *text;
        enum acme_problem problem;
    } rows[] = {
        { "ca.example.net", ACME_MALFORMED },
        { "ca.example.net; accounturi=", ACME_MALFORMED },
        { "%%%", ACME_MALFORMED },
        { "ca.example.net; accounturi=" ACCOUNT "; accounturi=" ACCOUNT, ACME_MALFORMED },
        { "ca.example.net; accounturi=" ACCOUNT "; persistUntil=soon", ACME_MALFORMED },
        { "other.example; accounturi=" ACCOUNT, ACME_UNAUTHORIZED },
        { "; accounturi=" ACCOUNT, ACME_UNAUTHORIZED },
        { "ca.example.net; accounturi=" ACCOUNT "y", ACME_UNAUTHORIZED },
        { "ca.example.net; accounturi=" ACCOUNT "; persistUntil=1789999999", ACME_UNAUTHORIZED },
    };
    struct acme_fault fault = { 0 };
    uint32_t valid_s = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(judge(rows[i].text, false, 60, &valid_s, &fault), ACME_FINDING_NONE);
        assert_int_equal(fault.problem, rows[i].problem);
    }
}

static void acme_92_wildcards_need_their_policy(void **state)
{
    struct acme_fault fault = { 0 };
    uint32_t valid_s = 0;

    (void)state;
    assert_int_equal(judge("ca.example.net; accounturi=" ACCOUNT, true, 60, &valid_s, &fault),
                     ACME_FINDING_NONE);
    assert_int_equal(
        judge("ca.example.net; accounturi=" ACCOUNT "; policy=wildcard", true, 60, &valid_s, &fault),
        ACME_FINDING_MET);
}

/* An authorization that stands for the names below it says as much as a wildcard. */
static void acme_92_names_below_need_the_policy_too(void **state)
{
    const struct acme_identifier below = { .type = ACME_IDENTIFIER_DNS, .subdomains = true };
    struct acme_fault fault = { 0 };
    uint32_t valid_s = 0;

    (void)state;
    assert_int_equal(judge_for(below, "ca.example.net; accounturi=" ACCOUNT, 60, &valid_s, &fault),
                     ACME_FINDING_NONE);
    assert_int_equal(fault.problem, ACME_UNAUTHORIZED);
    assert_int_equal(
        judge_for(below, "ca.example.net; accounturi=" ACCOUNT "; policy=wildcard", 60, &valid_s, &fault),
        ACME_FINDING_MET);
}

static void acme_92_what_was_proved_ends_with_the_records_time(void **state)
{
    struct acme_fault fault = { 0 };
    uint32_t valid_s = 0;

    (void)state;
    assert_int_equal(judge("ca.example.net; accounturi=" ACCOUNT "; persistUntil=1790007200", false, 86400,
                           &valid_s, &fault),
                     ACME_FINDING_MET);
    assert_int_equal(valid_s, 7200);
    assert_int_equal(judge("ca.example.net; accounturi=" ACCOUNT "; persistUntil=1790000001", false, 86400,
                           &valid_s, &fault),
                     ACME_FINDING_MET);
    assert_int_equal(valid_s, 3600); /* for the order that asks */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acme_91_a_record_that_stays),
        cmocka_unit_test(acme_92_records_that_prove_nothing),
        cmocka_unit_test(acme_92_wildcards_need_their_policy),
        cmocka_unit_test(acme_92_names_below_need_the_policy_too),
        cmocka_unit_test(acme_92_what_was_proved_ends_with_the_records_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
