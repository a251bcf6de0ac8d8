/* CAA before a certificate is issued: names that needed no challenge, and what was looked up long ago. */
#include "enroll/order.h"
#include "registry/changes.h"
#include "registry/state.h"
#include "tests/conformance/acme/acme_case.h"
#include "tests/lib/upstream.h"

enum { HOUR = 3600 };

#define DUE                   \
    (struct job_event)        \
    {                         \
        .kind = JOB_EVENT_DUE \
    }

static const struct dns_record of_other = { .value = BYTES_LITERAL("\0\5issueother.example") };
static const struct dns_record ours = { .value = BYTES_LITERAL("\0\5issueca.example.net") };

static struct job_event dns(const struct dns_record *record)
{
    return (struct job_event){
        .kind = JOB_EVENT_DNS,
        .dns = { .status = DNS_STATUS_RECORDS, .record = record, .count = record != NULL }
    };
}

static struct job_event silence(void)
{
    return (struct job_event){ .kind = JOB_EVENT_DNS, .dns = { .status = DNS_STATUS_SERVFAIL } };
}

static void with_caa(struct acme_case *c, enum acme_caa mode)
{
    static const char *const identities[] = { "ca.example.net" };

    c->g->procedure.acme_caa = mode;
    c->g->procedure.acme_caa_identity = identities;
    c->g->procedure.acme_caa_identity_count = 1;
}

static void without_challenges(struct acme_case *c)
{
    struct registration changed = c->registration;

    changed.pre_authorised = true;
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
}

static bool job_of(struct acme_case *c, const char *kind, struct job_record *out)
{
    struct job_record due[16];
    size_t count = 0;
    int64_t next;

    assert_true(
        registry_jobs_due(a_gateway_view(c->g), INT64_MAX - 1, 16, c->arena, due, &count, &next, NULL));
    for (size_t i = 0; i < count; i++) {
        if (bytes_is(due[i].kind, kind)) {
            *out = due[i];
            out->kind = arena_copy(c->arena, due[i].kind);
            out->state = arena_copy(c->arena, due[i].state);
            return true;
        }
    }
    return false;
}

static struct job_effect run(struct acme_case *c, const struct job_handler *row, struct job_event event)
{
    struct job_effect effect = { 0 };
    struct error err = { 0 };
    struct job_record job;
    struct turn turn;

    assert_true(job_of(c, row->kind, &job));
    turn = acme_turn(c);
    if (!job_run(&turn, row, 1, &job, &event, &effect, &err))
        fail_msg("%s", err.text);
    effect.body = arena_copy(c->arena, effect.body);
    acme_apply(c, &turn);
    return effect;
}

static struct job_effect step(struct acme_case *c, struct job_event event)
{
    return run(c, &(struct job_handler){ .kind = ACME_CAA_JOB, .run = acme_caa_run, .service = &c->service },
               event);
}

static struct http_response finalized(struct acme_case *c, const char *order, const char *san)
{
    return acme_finalized(c, order, (struct est_csr_plan){ .cn = "", .san = san });
}

static void assert_finalized_at(struct acme_case *c, const char *order, const char *san, const char *status,
                                int line)
{
    struct http_response r = finalized(c, order, san);

    assert_status_at(c, &r, 200, line);
    if (!bytes_is(json_member(c->json, "status"), status))
        fail_msg("line %d: %.*s, not %s", line, BYTES_FMT(r.body), status);
}
#define assert_finalized(c, order, san, status) assert_finalized_at(c, order, san, status, __LINE__)

static void assert_order(struct acme_case *c, const char *order, const char *status)
{
    (void)acme_get(c, order);
    assert_member(c, "status", status);
}

static void assert_asked(const struct job_effect *effect, const char *name)
{
    assert_int_equal(effect->kind, JOB_EFFECT_DNS);
    assert_int_equal(effect->type, DNS_TYPE_CAA);
    assert_text(dns_name_bytes(&effect->name), name);
}

/* http-01 and CAA, for the authorization of an order. */
static void proved(struct acme_case *c, const char *authz)
{
    struct acme_challenged challenge = acme_challenge_of(c, authz, "http-01");
    struct job_event answer = { .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200 };

    acme_respond_to(c, challenge.path);
    (void)acme_step(c, DUE);
    answer.http_body = bytes_text(acme_key_authorization(c, challenge.token));
    assert_int_equal(acme_step(c, answer).kind, JOB_EFFECT_DNS);
    assert_int_equal(acme_step(c, dns(&ours)).kind, JOB_EFFECT_DONE);
}

static void acme_128_names_without_a_challenge_are_looked_up_before_issuance(void **state)
{
    static const char *const climbed[] = { "a.example.com", "example.com", "com" };
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct job_effect effect;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com,b.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com,DNS:b.example.com", "processing");
    effect = step(c, DUE);
    for (size_t i = 0; i < COUNT_OF(climbed); i++) {
        assert_asked(&effect, climbed[i]);
        effect = step(c, dns(NULL));
    }
    assert_asked(&effect, "b.example.com");
    assert_order(c, o.order, "processing");
    assert_int_equal(step(c, dns(&ours)).kind, JOB_EFFECT_DONE);
    assert_order(c, o.order, "valid");
}

static void acme_129_a_record_of_now_forbids_issuance(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    (void)step(c, DUE);
    assert_int_equal(step(c, dns(&of_other)).kind, JOB_EFFECT_DONE);
    assert_order(c, o.order, "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"), "urn:ietf:params:acme:error:caa");
}

static void acme_130_the_wildcard_of_an_order_is_asked_about_as_one(void **state)
{
    static const struct dns_record wild[] = { { .value = BYTES_LITERAL("\0\5issueca.example.net") },
                                              { .value = BYTES_LITERAL("\0\11issuewild;") } };
    struct job_event both = dns(wild);
    struct acme_case *c = *state;
    struct acme_ordered o;

    both.dns.count = COUNT_OF(wild);
    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "*.example.com");
    assert_finalized(c, o.order, "DNS:*.example.com", "processing");
    (void)step(c, DUE);
    (void)step(c, both);
    assert_order(c, o.order, "invalid");
    o = acme_ordered(c, "example.com");
    assert_finalized(c, o.order, "DNS:example.com", "processing");
    (void)step(c, DUE);
    (void)step(c, both);
    assert_order(c, o.order, "valid");
}

static void acme_128_what_was_looked_up_counts_for_eight_hours(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct job_record job;

    with_caa(c, ACME_CAA_ENFORCE);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    proved(c, o.authz[0]);
    assert_finalized(c, o.order, "DNS:a.example.com", "valid");
    c->g->now_s += 8 * HOUR - 1;
    o = acme_ordered(c, "a.example.com"); /* authorized by what was proved before */
    assert_finalized(c, o.order, "DNS:a.example.com", "valid");
    assert_false(job_of(c, ACME_CAA_JOB, &job));
    c->g->now_s += 1;
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    (void)step(c, DUE);
    (void)step(c, dns(&of_other));
    assert_order(c, o.order, "invalid");
}

static void acme_128_a_look_is_repeated_when_nobody_fetches_in_time(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    (void)step(c, DUE);
    (void)step(c, dns(&ours));
    c->g->now_s += 8 * HOUR;
    assert_order(c, o.order, "processing");
    (void)step(c, DUE);
    (void)step(c, dns(&ours));
    assert_order(c, o.order, "valid");
}

static void acme_61_finalized_twice_while_caa_is_looked_up(void **state)
{
    struct acme_case *c = *state;
    struct acme_plan plan = { 0 };
    struct acme_ordered o;
    struct job_record first, second;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    plan.resource = acme_text(c->arena, "%s/finalize", o.order);
    plan.payload = acme_text(
        c->arena, "{\"csr\":\"%s\"}",
        acme_client_base64url(c->arena,
                              est_client_csr(c->arena, &(struct est_csr_plan){ .cn = "a.example.com" })));
    (void)acme_ask(c, plan);
    assert_member(c, "status", "processing");
    assert_true(job_of(c, ACME_CAA_JOB, &first));
    (void)acme_ask(c, plan);
    assert_member(c, "status", "processing");
    assert_true(job_of(c, ACME_CAA_JOB, &second));
    assert_memory_equal(first.id.bytes, second.id.bytes, sizeof(first.id.bytes));
    (void)step(c, DUE);
    (void)step(c, dns(&ours));
    assert_false(job_of(c, ACME_CAA_JOB, &first));
    (void)acme_ask(c, plan);
    assert_member(c, "status", "valid");
}

static void acme_132_silence_before_issuance_fails_closed(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct job_effect effect;
    int tries = 0;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    (void)step(c, DUE);
    for (effect = step(c, silence()); effect.kind == JOB_EFFECT_WAIT && tries < 20; tries++) {
        effect = step(c, DUE);
        assert_asked(&effect, "a.example.com");
        effect = step(c, silence());
    }
    assert_in_range(tries, 1, 19);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_order(c, o.order, "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"), "urn:ietf:params:acme:error:caa");
}

/* What was only warned of does not count where it is enforced. */
static void acme_129_a_warning_issues_and_is_no_permission(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;

    with_caa(c, ACME_CAA_WARN);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    (void)step(c, DUE);
    (void)step(c, dns(&of_other));
    assert_order(c, o.order, "valid");
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "valid");
    with_caa(c, ACME_CAA_ENFORCE);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
}

static void acme_133_a_name_without_a_challenge_has_a_method_of_its_own(void **state)
{
    static const struct {
        struct dns_record record;
        const char *status;
    } rows[] = {
        { { .value = BYTES_LITERAL("\0\5issueca.example.net; validationmethods=dns-01") }, "invalid" },
        { { .value = BYTES_LITERAL("\0\5issueca.example.net; validationmethods=ca-preregistration") },
          "valid" },
        { { .value = BYTES_LITERAL("\0\5issueca.example.net; accounturi=https://ra.example.com/other") },
          "invalid" },
    };
    struct acme_case *c = *state;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *name = acme_text(c->arena, "h%zu.example.com", i);
        struct acme_ordered o = acme_ordered(c, name);

        assert_finalized(c, o.order, acme_text(c->arena, "DNS:%s", name), "processing");
        (void)step(c, DUE);
        (void)step(c, dns(&rows[i].record));
        assert_order(c, o.order, rows[i].status);
    }
}

static void acme_133_the_account_is_the_one_of_the_order(void **state)
{
    struct acme_case *c = *state;
    struct dns_record record = { 0 };
    struct acme_ordered o;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    (void)step(c, DUE);
    record.value = arena_format(c->arena, "%c\5issueca.example.net; accounturi=%s", 0, c->kid[ACME_KEY_A]);
    (void)step(c, dns(&record));
    assert_order(c, o.order, "valid");
}

static void acme_128_without_caa_nothing_is_looked_up(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct job_record job;

    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "valid");
    assert_false(job_of(c, ACME_CAA_JOB, &job));
}

static void acme_97_addresses_have_no_caa(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;

    c->registration.ip = (struct ip_address){ .len = 4, .bytes = { 192, 0, 2, 7 } };
    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "192.0.2.7");
    assert_finalized(c, o.order, "IP:192.0.2.7", "valid");
}

static void acme_128_caa_that_is_turned_off_meanwhile(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;

    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    with_caa(c, ACME_CAA_OFF);
    assert_int_equal(step(c, DUE).kind, JOB_EFFECT_DONE);
    assert_order(c, o.order, "valid");
}

/* An upstream CA that has the order is not held up by a second look. */
static void acme_66_what_the_ca_has_is_not_looked_up_again(void **state)
{
    static struct upstream settings;
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct job_record job;
    struct job_effect sent;
    struct upstream_order order;
    const struct job_handler row = { .kind = ENROLL_ORDER_JOB,
                                     .run = enroll_order_job_run,
                                     .service = &c->g->config.enroll };

    settings = (struct upstream){ 0 };
    c->g->ca.connector = &upstream_connector;
    c->g->ca.connector_service = &settings;
    c->g->ca.patience =
        (struct ca_patience){ .timeout_ms = 5000, .concurrency = 2, .orders_max = 2, .order_keep_s = 86400 };
    with_caa(c, ACME_CAA_ENFORCE);
    without_challenges(c);
    o = acme_ordered(c, "a.example.com");
    assert_finalized(c, o.order, "DNS:a.example.com", "processing");
    assert_false(job_of(c, ENROLL_ORDER_JOB, &job));
    (void)step(c, DUE);
    (void)step(c, dns(&ours));
    assert_order(c, o.order, "processing"); /* the CA is asked now */
    sent = run(c, &row, DUE);
    assert_int_equal(sent.kind, JOB_EFFECT_HTTP);
    assert_true(upstream_read(sent.body, &order));
    c->g->now_s += 9 * HOUR;
    assert_order(c, o.order, "processing");
    assert_false(job_of(c, ACME_CAA_JOB, &job));
    (void)run(c, &row,
              (struct job_event){ .kind = JOB_EVENT_HTTP,
                                  .http_ok = true,
                                  .http_status = 200,
                                  .http_body = upstream_issue(&c->g->ca, c->g->config.keys, &order,
                                                              (struct certificate_template){ .is_ca = false },
                                                              "ca", &c->g->random, c->g->now_s, c->arena) });
    assert_order(c, o.order, "valid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_128_names_without_a_challenge_are_looked_up_before_issuance),
        ACME_ROW(acme_129_a_record_of_now_forbids_issuance),
        ACME_ROW(acme_130_the_wildcard_of_an_order_is_asked_about_as_one),
        ACME_ROW(acme_128_what_was_looked_up_counts_for_eight_hours),
        ACME_ROW(acme_128_a_look_is_repeated_when_nobody_fetches_in_time),
        ACME_ROW(acme_61_finalized_twice_while_caa_is_looked_up),
        ACME_ROW(acme_132_silence_before_issuance_fails_closed),
        ACME_ROW(acme_129_a_warning_issues_and_is_no_permission),
        ACME_ROW(acme_133_a_name_without_a_challenge_has_a_method_of_its_own),
        ACME_ROW(acme_133_the_account_is_the_one_of_the_order),
        ACME_ROW(acme_128_without_caa_nothing_is_looked_up),
        ACME_ROW(acme_97_addresses_have_no_caa),
        ACME_ROW(acme_128_caa_that_is_turned_off_meanwhile),
        ACME_ROW(acme_66_what_the_ca_has_is_not_looked_up_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
