/* What an effect and an event borrow becomes the step's own: copied whole, or not at all. */
#include "tests/lib/test.h"

#include "gateway/runner_internal.h"

static void an_event_is_copied_whole_or_not_at_all(void **state)
{
    const struct dns_record record[] = { { BYTES_LITERAL("one"), 60 }, { BYTES_LITERAL("two"), 61 } };
    const struct job_event event = { .kind = JOB_EVENT_DNS,
                                     .http_body = BYTES_LITERAL("body"),
                                     .http_failure = "failure",
                                     .dns = { DNS_STATUS_RECORDS, record, COUNT_OF(record) },
                                     .fault = NET_FAULT_TLS,
                                     .probe_certificate = BYTES_LITERAL("certificate"),
                                     .probe_failure = "why" };
    unsigned failed = 0;

    (void)state;
    for (unsigned nth = 1;; nth++) {
        AUTO_ARENA *arena = arena_new(1 << 16);
        struct job_event copy = { .kind = JOB_EVENT_DUE };

        assert_non_null(arena);
        arena_fail_after(arena, nth);
        if (!event_copy(&event, arena, &copy)) {
            assert_int_equal(copy.kind, JOB_EVENT_DUE); /* untouched */
            failed++;
            continue;
        }
        assert_int_equal(copy.fault, NET_FAULT_TLS);
        assert_int_equal(copy.dns.count, 2);
        assert_ptr_not_equal(copy.dns.record, record);
        assert_true(bytes_is(copy.dns.record[1].value, "two"));
        assert_ptr_not_equal(copy.dns.record[1].value.data, record[1].value.data);
        assert_int_equal(copy.dns.record[1].ttl_s, 61);
        assert_true(bytes_is(copy.http_body, "body"));
        assert_ptr_not_equal(copy.probe_certificate.data, event.probe_certificate.data);
        assert_string_equal(copy.probe_failure, "why");
        break;
    }
    assert_true(failed >= 7); /* each allocation in turn */
}

static void an_effect_is_owned_whole_or_it_is_an_error(void **state)
{
    const struct ip_range range = { { 4, { 10 } }, 8 };
    const struct address_rules rules = { .allowed = &range, .allowed_count = 1 };
    const struct job_effect effect = { .kind = JOB_EFFECT_PROBE,
                                       .host = BYTES_LITERAL("a.example"),
                                       .alpn = "acme-tls/1",
                                       .target = "strangers",
                                       .rules = &rules };
    unsigned failed = 0;

    (void)state;
    for (unsigned nth = 1;; nth++) {
        AUTO_ARENA *arena = arena_new(1 << 16);
        struct step step = { .effect = effect, .arena = arena };
        struct error err = { 0 };

        assert_non_null(arena);
        arena_fail_after(arena, nth);
        if (!effect_own(&step, &err)) {
            assert_int_equal(err.code, ERROR_MEMORY);
            failed++;
            continue;
        }
        assert_ptr_not_equal(step.effect.rules, &rules);
        assert_ptr_not_equal(step.effect.rules->allowed, &range);
        assert_true(address_allowed(step.effect.rules, &range.base));
        assert_ptr_not_equal(step.effect.host.data, effect.host.data);
        assert_string_equal(step.effect.alpn, "acme-tls/1");
        break;
    }
    assert_true(failed >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_copied_whole_or_not_at_all),
        cmocka_unit_test(an_effect_is_owned_whole_or_it_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
