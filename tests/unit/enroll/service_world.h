/* service_world.h: the jobs of the gateway's own certificates between their effects, which a test answers. */
#ifndef MUSTER_TESTS_SERVICE_WORLD_H
#define MUSTER_TESTS_SERVICE_WORLD_H

#include "enroll/order.h"
#include "enroll/service.h"
#include "tests/lib/upstream.h"
#include "tests/unit/enroll/enroll_world.h"

#define PATH "/etc/muster/tls.pem"

static struct upstream settings;
static struct service_certificate own;
static struct service_certificates all;
static struct job_effect effect; /* of the last step */
static struct bytes kept;        /* what the standing job keeps */

static const uint8_t SERVER_AUTH[] = { 0x2b, 6, 1, 5, 5, 7, 3, 1 },
                     CLIENT_AUTH[] = { 0x2b, 6, 1, 5, 5, 7, 3, 2 };
static const struct bytes eku[] = { BYTES_ARRAY(SERVER_AUTH), BYTES_ARRAY(CLIENT_AUTH) };

UNUSED static struct bytes own_names(struct world *w)
{
    AUTO_STRUCT(buffer) san = BUFFER(256);

    general_name_put(&san, GENERAL_NAME_DNS, BYTES_LITERAL("gw.example.com"), BYTES_NONE);
    general_name_put(&san, GENERAL_NAME_IP, BYTES_LITERAL("\x7f\0\0\1"), BYTES_NONE);
    return arena_copy(w->arena, buffer_bytes(&san));
}

/* A certificate for `key` that ends in `days`. */
UNUSED static struct bytes a_certificate(struct world *w, const char *key, int days)
{
    uint8_t serial[CA_SERIAL_LEN];
    struct certificate_template t = {
        .issuer = w->ca.certificate.subject.encoded,
        .subject = a_dn(w->arena, "CN=gw.example.com,O=Example"),
        .not_before_s = w->now_s - 70 * DAY_S,
        .not_after_s = w->now_s + days * (int64_t)DAY_S,
        .spki = keys_public(w->keys, key),
        .san = own_names(w),
        .path_len = -1,
        .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
        .extended_key_usage = eku,
        .extended_key_usage_count = 1,
        .authority_key_id = w->ca.certificate.subject_key_id,
    };
    struct bytes der;

    assert_true(ca_serial_make(w->now_s, &w->random, serial));
    t.serial = BYTES_ARRAY(serial);
    assert_true(certificate_sign(&t, w->keys, "ca", DIGEST_NONE, w->arena, &der, NULL));
    return der;
}

UNUSED static void in_use(struct world *w, struct bytes der)
{
    assert_true(certificate_decode(der, w->arena, &own.certificate));
}

UNUSED static int local_world(void **state)
{
    struct world *w;

    if (set_up(state) != 0)
        return -1;
    w = *state;
    settings = (struct upstream){ 0 };
    kept = BYTES_NONE;
    own = (struct service_certificate){
        .what = "listener tls", .path = PATH, .key_name = "ra", .ca = "demo", .before_s = 30 * DAY_S
    };
    in_use(w, a_certificate(w, "ra", 20));
    all = (struct service_certificates){ .enroll = &w->service, .item = &own, .count = 1 };
    return 0;
}

UNUSED static int upstream_world(void **state)
{
    struct world *w;

    if (local_world(state) != 0)
        return -1;
    w = *state;
    w->ca.connector = &upstream_connector;
    w->ca.connector_service = &settings;
    w->ca.patience =
        (struct ca_patience){ .timeout_ms = 5000, .concurrency = 2, .orders_max = 2, .order_keep_s = DAY_S };
    return 0;
}

/* --- steps --- */
UNUSED static bool the_job(struct world *w, struct job_record *job)
{
    struct job_record due[4];
    int64_t next_s;
    size_t count = 0;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(
        registry_jobs_due(w->view, INT64_MAX - 1, COUNT_OF(due), w->arena, due, &count, &next_s, NULL));
    assert_true(count <= 1);
    if (count == 1)
        *job = due[0];
    return count == 1;
}

/* The standing job looks. True: a renewal is under way afterwards. */
UNUSED static bool look(struct world *w)
{
    const struct job_record job = { .kind = BYTES_LITERAL(ENROLL_SERVICE_JOB), .state = kept };
    struct job_step step = { 0 };
    struct job_record any;
    struct error err = { 0 };

    begin_turn(w);
    if (!enroll_service_job_run(&w->turn, &all, &job, &(struct job_event){ .kind = JOB_EVENT_DUE }, &step,
                                &err))
        fail_msg("%s", err.text);
    assert_int_equal(step.effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(step.effect.until_s, w->now_s + SERVICE_LOOK_S);
    kept = step.state;
    assert_int_equal(apply(w), APPLY_DONE);
    return the_job(w, &any);
}

UNUSED static void run(struct world *w, const struct job_event *event)
{
    const struct job_handler row = { .kind = ENROLL_SERVICE_RENEWAL_JOB,
                                     .run = enroll_service_renewal_job_run,
                                     .service = &all };
    struct job_record job;
    struct error err = { 0 };

    assert_true(the_job(w, &job));
    job.state = arena_copy(w->arena, job.state);
    job.kind = arena_copy(w->arena, job.kind);
    begin_turn(w);
    if (!job_run(&w->turn, &row, 1, &job, event, &effect, &err))
        fail_msg("%s", err.text);
    effect.body = arena_copy(w->arena, effect.body);
    effect.content = arena_copy(w->arena, effect.content);
    assert_int_equal(apply(w), APPLY_DONE);
}

UNUSED static void comes_due(struct world *w)
{
    struct job_record job;

    assert_true(the_job(w, &job));
    if (w->now_s < job.due_s)
        w->now_s = job.due_s;
    run(w, &(struct job_event){ .kind = JOB_EVENT_DUE });
}

UNUSED static void answered(struct world *w, struct bytes body)
{
    run(w, &(struct job_event){
               .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200, .http_body = body });
}

UNUSED static void written(struct world *w)
{
    run(w, &(struct job_event){ .kind = JOB_EVENT_FILE, .file_ok = true });
}

UNUSED static struct bytes file_content(struct world *w)
{
    struct bytes der = BYTES_NONE;
    size_t count = 0;

    assert_int_equal(effect.kind, JOB_EFFECT_FILE);
    assert_string_equal(effect.path, PATH);
    assert_true(certificates_from_pem(effect.content, w->arena, &der, 1, &count, NULL));
    assert_int_equal(count, 1);
    return der;
}

UNUSED static struct bytes issues(struct world *w, struct certificate_template twist)
{
    struct upstream_order order;

    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
    assert_true(upstream_read(effect.body, &order));
    if (twist.extended_key_usage_count == 0) {
        twist.extended_key_usage = eku;
        twist.extended_key_usage_count = 1;
    }
    return upstream_issue(&w->ca, w->keys, &order, twist, "ca", &w->random, w->now_s, w->arena);
}

UNUSED static size_t recorded(struct world *w, struct certificate_record *record)
{
    size_t count = 0;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_certificates_list(w->view, NULL, 1, w->arena, record, &count, NULL));
    return count;
}

UNUSED static void assert_complains(struct world *w, const char *text)
{
    if (strstr(w->turn.facts.error, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, w->turn.facts.error);
}

#endif
