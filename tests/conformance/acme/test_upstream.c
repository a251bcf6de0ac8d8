/* Orders whose certificate an upstream CA issues: processing until it has come (ACME-66). */
#include "enroll/order.h"
#include "tests/conformance/acme/acme_case.h"
#include "tests/lib/upstream.h"

static struct upstream settings;

static int set_up(void **state)
{
    struct acme_case *c;

    (void)acme_case_setup(state);
    c = *state;
    settings = (struct upstream){ 0 };
    c->g->ca.connector = &upstream_connector;
    c->g->ca.connector_service = &settings;
    c->g->ca.patience =
        (struct ca_patience){ .timeout_ms = 5000, .concurrency = 2, .orders_max = 2, .order_keep_s = 86400 };
    acme_joined(c, ACME_KEY_A);
    return 0;
}

#define UPSTREAM_ROW(test) cmocka_unit_test_setup_teardown(test, set_up, acme_case_teardown)

static struct job_effect step(struct acme_case *c, struct job_event event)
{
    const struct job_handler row = { .kind = ENROLL_ORDER_JOB,
                                     .run = enroll_order_job_run,
                                     .service = &c->g->config.enroll };
    struct job_record due[4], job = { 0 };
    struct job_effect effect = { 0 };
    struct error err = { 0 };
    struct turn turn = acme_turn(c);
    size_t count = 0;
    int64_t next;

    assert_true(registry_jobs_due(turn.view, INT64_MAX - 1, 4, c->arena, due, &count, &next, NULL));
    for (size_t i = 0; i < count; i++)
        if (bytes_is(due[i].kind, ENROLL_ORDER_JOB))
            job = due[i];
    assert_true(job.kind.len > 0);
    if (!job_run(&turn, &row, 1, &job, &event, &effect, &err))
        fail_msg("%s", err.text);
    effect.body = arena_copy(c->arena, effect.body);
    acme_apply(c, &turn);
    return effect;
}

static struct job_event answer(struct bytes body)
{
    return (
        struct job_event){ .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200, .http_body = body };
}

static const char *processing(struct acme_case *c, const char *names, const char *san)
{
    struct acme_ordered o = acme_ready(c, names);
    struct http_response r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "", .san = san });

    assert_status(c, &r, 200);
    assert_member(c, "status", "processing");
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
    return o.order;
}

static struct bytes certificate_for(struct acme_case *c, const struct job_effect *sent)
{
    struct upstream_order order;

    assert_int_equal(sent->kind, JOB_EFFECT_HTTP);
    assert_true(upstream_read(sent->body, &order));
    return upstream_issue(&c->g->ca, c->g->config.keys, &order,
                          (struct certificate_template){ .is_ca = false }, "ca", &c->g->random, c->g->now_s,
                          c->arena);
}

static void acme_66_a_certificate_comes_later(void **state)
{
    struct acme_case *c = *state;
    const char *order = processing(c, "a.example.com", "DNS:a.example.com");
    struct job_effect sent = step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    struct http_response r;

    (void)acme_get(c, order);
    assert_member(c, "status", "processing");
    (void)step(c, answer(certificate_for(c, &sent)));
    r = acme_get(c, order);
    assert_member(c, "status", "valid");
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    assert_status(c, &r, 200);
    X509_free(acme_leaf(r.body));
}

/* What was proved when the order was finalized counts, however long the CA takes. */
static void acme_66_the_ca_may_take_longer_than_an_authorization(void **state)
{
    struct acme_case *c = *state;
    const char *order;
    struct job_effect sent;

    c->g->procedure.acme_authorization_s = 3700;
    order = processing(c, "a.example.com", "DNS:a.example.com");
    sent = step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    c->g->now_s += 7200;
    (void)step(c, answer(certificate_for(c, &sent)));
    (void)acme_get(c, order);
    assert_member(c, "status", "valid");
}

static void acme_66_the_ca_rejects(void **state)
{
    struct acme_case *c = *state;
    const char *order = processing(c, "a.example.com", "DNS:a.example.com");

    (void)step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    (void)step(c, answer(BYTES_LITERAL("Rno such luck")));
    (void)acme_get(c, order);
    assert_member(c, "status", "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"),
                "urn:ietf:params:acme:error:serverInternal");
}

static void wildcards_alone_come_from_upstream_too(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct job_effect sent;
    const char *order;

    changed.pre_authorised = true;
    acme_change(c, changed);
    order = processing(c, "*.example.com", "DNS:*.example.com");
    sent = step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    (void)step(c, answer(certificate_for(c, &sent)));
    (void)acme_get(c, order);
    assert_member(c, "status", "valid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UPSTREAM_ROW(acme_66_a_certificate_comes_later),
        UPSTREAM_ROW(acme_66_the_ca_may_take_longer_than_an_authorization),
        UPSTREAM_ROW(acme_66_the_ca_rejects),
        UPSTREAM_ROW(wildcards_alone_come_from_upstream_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
