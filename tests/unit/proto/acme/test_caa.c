#include "proto/acme/validate_internal.h"

#include "tests/lib/test.h"

static const char *const IDENTITIES[] = { "ca.example.net", "ca2.example.net" };
static const char ACCOUNT[] = "https://ra.example.com/acme/demo/account/x";

static struct dns_record record(struct arena *arena, uint8_t flags, const char *tag, const char *value)
{
    AUTO_STRUCT(buffer) rdata = BUFFER(512);

    buffer_append_byte(&rdata, flags);
    buffer_append_byte(&rdata, (uint8_t)strlen(tag));
    buffer_append_text(&rdata, tag);
    buffer_append_text(&rdata, value);
    return (struct dns_record){ .value = arena_copy(arena, buffer_bytes(&rdata)) };
}

static enum acme_caa_finding judge(bool wildcard, const struct dns_record *records, size_t count)
{
    const struct acme_caa_question q = { .identity = IDENTITIES,
                                         .identity_count = 2,
                                         .wildcard = wildcard,
                                         .account_url = bytes_text(ACCOUNT),
                                         .method = "dns-01" };

    return acme_caa_judge(&q, records, count);
}

struct row {
    uint8_t flags;
    const char *tag, *value;
    enum acme_caa_finding finding, wildcard;
};

static void check(const struct row *rows, size_t count)
{
    AUTO_ARENA *arena = arena_new(1 << 16);

    for (size_t i = 0; i < count; i++) {
        const struct dns_record r = record(arena, rows[i].flags, rows[i].tag, rows[i].value);

        assert_int_equal(judge(false, &r, 1), rows[i].finding);
        assert_int_equal(judge(true, &r, 1), rows[i].wildcard);
    }
}

static void acme_128_no_record_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(judge(false, NULL, 0), ACME_CAA_SILENT);
}

static void acme_129_issue(void **state)
{
    static const struct row rows[] = {
        { 0, "issue", "ca.example.net", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 0, "issue", " CA2.example.net ; ", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 0, "ISSUE", "ca.example.net", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 0, "issue", "other.example", ACME_CAA_FORBIDS, ACME_CAA_FORBIDS },
        { 0, "issue", ";", ACME_CAA_FORBIDS, ACME_CAA_FORBIDS },
        { 0, "issue", "", ACME_CAA_FORBIDS, ACME_CAA_FORBIDS },
        { 0, "issue", "%%%%%", ACME_CAA_FORBIDS, ACME_CAA_FORBIDS },
        { 128, "issue", "ca.example.net", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
    };

    (void)state;
    check(rows, COUNT_OF(rows));
}

static void acme_130_issuewild(void **state)
{
    static const struct row rows[] = {
        { 0, "issuewild", "ca.example.net", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 0, "issuewild", "other.example", ACME_CAA_ALLOWS, ACME_CAA_FORBIDS },
    };
    AUTO_ARENA *arena = arena_new(1 << 16);
    const struct dns_record both[] = { record(arena, 0, "issue", "other.example"),
                                       record(arena, 0, "issuewild", "ca.example.net") };

    (void)state;
    check(rows, COUNT_OF(rows));
    assert_int_equal(judge(false, both, 2), ACME_CAA_FORBIDS);
    assert_int_equal(judge(true, both, 2), ACME_CAA_ALLOWS);
}

static void acme_131_other_tags(void **state)
{
    static const struct row rows[] = {
        { 0, "iodef", "mailto:a@example.com", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 0, "tbs", "unknown", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 128, "tbs", "unknown", ACME_CAA_FORBIDS, ACME_CAA_FORBIDS },
    };
    const struct dns_record malformed = { .value = BYTES_LITERAL("\0") };

    (void)state;
    check(rows, COUNT_OF(rows));
    assert_int_equal(judge(false, &malformed, 1), ACME_CAA_FORBIDS);
}

static void acme_133_account_and_method(void **state)
{
    static const struct row rows[] = {
        { 0, "issue", "ca.example.net; accounturi=https://ra.example.com/acme/demo/account/x",
          ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 0, "issue", "ca.example.net; accounturi=https://ra.example.com/acme/demo/account/y",
          ACME_CAA_FORBIDS, ACME_CAA_FORBIDS },
        { 0, "issue", "ca.example.net; validationmethods=http-01,dns-01", ACME_CAA_ALLOWS, ACME_CAA_ALLOWS },
        { 0, "issue", "ca.example.net; validationmethods=http-01", ACME_CAA_FORBIDS, ACME_CAA_FORBIDS },
        { 0, "issue", "ca.example.net; validationmethods=dns-01; validationmethods=dns-01", ACME_CAA_FORBIDS,
          ACME_CAA_FORBIDS },
    };

    (void)state;
    check(rows, COUNT_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acme_128_no_record_says_nothing),
        cmocka_unit_test(acme_129_issue),
        cmocka_unit_test(acme_130_issuewild),
        cmocka_unit_test(acme_131_other_tags),
        cmocka_unit_test(acme_133_account_and_method),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
