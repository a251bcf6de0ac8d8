/* Certificates from an upstream CA: intent first, one step an event, nothing believed that was not held
 * against what was ordered. */
#include "enroll/confirm.h"
#include "enroll/order.h"
#include "enroll/transaction_internal.h"
#include "tests/lib/upstream.h"
#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };
static const struct job_handler table[] = { { .kind = ENROLL_ORDER_JOB, .run = enroll_order_job_run } };
static struct upstream settings;

/* What the job did last. */
static struct job_effect effect;

static int upstream_world(void **state)
{
    struct world *w;

    if (set_up(state) != 0)
        return -1;
    w = *state;
    settings = (struct upstream){ 0 };
    w->ca.connector = &upstream_connector;
    w->ca.connector_service = &settings;
    w->ca.patience =
        (struct ca_patience){ .timeout_ms = 5000, .concurrency = 2, .orders_max = 2, .order_keep_s = DAY_S };
    w->procedure.same_key_renewal = true;
    return 0;
}

#define order_test(name) cmocka_unit_test_setup_teardown(name, upstream_world, tear_down)

/* The one job there is; *found false: none. */
static bool the_job(struct world *w, struct job_record *job)
{
    struct job_record due[4];
    int64_t next_s;
    size_t count = 0, orders = 0;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(
        registry_jobs_due(w->view, INT64_MAX - 1, COUNT_OF(due), w->arena, due, &count, &next_s, NULL));
    for (size_t i = 0; i < count; i++)
        if (bytes_is(due[i].kind, ENROLL_ORDER_JOB) && orders++ == 0)
            *job = due[i];
    assert_true(orders <= 1);
    return orders == 1;
}

static void run_job(struct world *w, const struct job_event *event)
{
    struct job_handler rows[] = { table[0] };
    struct job_record job;
    struct error err = { 0 };

    assert_true(the_job(w, &job));
    job.state = arena_copy(w->arena, job.state);
    job.kind = arena_copy(w->arena, job.kind);
    begin_turn(w);
    rows[0].service = &w->service;
    if (!job_run(&w->turn, rows, 1, &job, event, &effect, &err))
        fail_msg("%s", err.text);
    effect.body = arena_copy(w->arena, effect.body);
    assert_int_equal(apply(w), APPLY_DONE);
}

static void comes_due(struct world *w)
{
    struct job_record job;

    assert_true(the_job(w, &job));
    if (w->now_s < job.due_s)
        w->now_s = job.due_s;
    run_job(w, &(struct job_event){ .kind = JOB_EVENT_DUE });
}

static void answered(struct world *w, struct bytes body)
{
    run_job(w, &(struct job_event){
                   .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200, .http_body = body });
}

static void unanswered(struct world *w)
{
    run_job(w, &(struct job_event){ .kind = JOB_EVENT_HTTP, .http_failure = "connection refused" });
}

static struct upstream_order sent_order(void)
{
    struct upstream_order order;

    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
    assert_true(upstream_read(effect.body, &order));
    return order;
}

static struct bytes a_certificate(struct world *w, struct certificate_template twist)
{
    struct upstream_order order = sent_order();

    return upstream_issue(&w->ca, w->keys, &order, twist, "ca", &w->random, w->now_s, w->arena);
}

static const struct certificate_template as_ordered = { .serial = { 0 } };

/* Registered, asked for, and on its way to the CA. */
static void ordered(struct world *w)
{
    registered(w, "router5.example.com", "s3cret", plain);
    assert_int_equal(asks(w, .password = NULL).kind, ENROLL_PENDING);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
}

static size_t certificates(struct world *w)
{
    struct certificate_record record[8];
    size_t count = 0;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_certificates_list(w->view, NULL, COUNT_OF(record), w->arena, record, &count, NULL));
    return count;
}

static void assert_rejected(struct world *w, const char *why)
{
    struct enroll_result result = asks(w, .password = NULL);

    assert_int_equal(result.kind, ENROLL_REFUSED);
    assert_string_equal(refusal_name(result.reason), refusal_name(REFUSAL_CA_REJECTED));
    assert_string_equal(result.detail, why);
    assert_int_equal(certificates(w), 0);
}

/* --- the good way --- */
static void intent_is_recorded_before_anything_leaves(void **state)
{
    struct world *w = *state;
    struct enroll_result result;
    struct job_record job;

    registered(w, "router5.example.com", "s3cret", plain);
    result = asks(w, .password = NULL);
    assert_int_equal(result.kind, ENROLL_PENDING);
    assert_false(result.repeated);
    assert_int_equal(result.retry_after_s, 30);
    assert_true(w->turn.waits);
    assert_true(the_job(w, &job));
    assert_memory_equal(&job.id, &w->turn.waits_for, sizeof(job.id));
    assert_int_equal(job.due_s, w->now_s);
    assert_int_equal(certificates(w), 0);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
    assert_int_equal(effect.timeout_ms, 5000);
    assert_string_equal(effect.target, "demo");
    assert_int_equal(effect.target_max, 2);
    assert_text(effect.url, UPSTREAM_URL);
}

static void a_pkcs10_is_handed_on(void **state)
{
    struct world *w = *state;

    ordered(w);
    assert_true(sent_order().pkcs10.len > 0);
}

static void a_request_of_cmp_is_not_handed_on_as_pkcs10(void **state)
{
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret", plain);
    assert_int_equal(asks(w, .crmf = true).kind, ENROLL_PENDING);
    comes_due(w);
    assert_int_equal(sent_order().pkcs10.len, 0);
}

static void what_was_ordered_is_issued_to_who_asks_again(void **state)
{
    struct world *w = *state;
    struct enroll_result result;
    struct job_record job;
    struct bytes answer;

    ordered(w);
    result = asks(w, .password = NULL);
    assert_int_equal(result.kind, ENROLL_PENDING);
    assert_true(result.repeated);
    answer = a_certificate(w, as_ordered);
    answered(w, answer);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_true(effect.news);
    assert_string_equal(w->turn.facts.verdict, "issued");
    assert_false(the_job(w, &job));
    assert_bytes(issued(w, &(struct asking){ 0 }), bytes_from(answer, 1));
    assert_bytes(issued(w, &(struct asking){ 0 }), bytes_from(answer, 1));
    assert_int_equal(certificates(w), 1);
}

static void a_poll_finds_it_too(void **state)
{
    struct world *w = *state;
    struct enroll_result result = { 0 };
    struct digest256 signer;
    bool found = false;

    ordered(w);
    assert_true(sha256(BYTES_LITERAL("self"), &signer));
    begin_turn(w);
    assert_true(enroll_poll(&w->turn, &w->service, &w->procedure, PROTOCOL_SCEP, BYTES_LITERAL("t1"), &signer,
                            &found, &result, NULL));
    assert_int_equal(result.kind, ENROLL_PENDING);
    assert_true(w->turn.waits);
    answered(w, a_certificate(w, as_ordered));
    begin_turn(w);
    assert_true(enroll_poll(&w->turn, &w->service, &w->procedure, PROTOCOL_SCEP, BYTES_LITERAL("t1"), &signer,
                            &found, &result, NULL));
    assert_int_equal(result.kind, ENROLL_ISSUED);
}

static void the_ca_says_when_to_ask_again_and_so_is_the_device_told(void **state)
{
    struct world *w = *state;

    ordered(w);
    answered(w, BYTES_LITERAL("W600"));
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(effect.until_s, w->now_s + 600);
    assert_int_equal(asks(w, .password = NULL).retry_after_s, 601);
    w->now_s += 100;
    assert_int_equal(asks(w, .password = NULL).retry_after_s, 501);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
    assert_int_equal(effect.body.data[0], 'P');
}

static void with_est_repetition_counts_from_when_it_is_fetched(void **state)
{
    struct world *w = *state;
    const struct asking a = { .protocol = PROTOCOL_EST, .repeat_s = 600 };
    struct bytes der;

    registered(w, "router5.example.com", "s3cret", plain);
    assert_int_equal(ask(w, &a).kind, ENROLL_PENDING);
    comes_due(w);
    answered(w, a_certificate(w, as_ordered));
    w->now_s += 3 * 3600;
    der = issued(w, &a);
    w->now_s += 500;
    assert_bytes(issued(w, &a), der);
    w->now_s += 200;
    assert_int_equal(ask(w, &a).kind, ENROLL_PENDING); /* a new one */
}

/* --- faults on the way --- */
static void what_was_not_answered_is_sent_again_octet_for_octet(void **state)
{
    struct world *w = *state;
    struct bytes first;
    int64_t began_s;

    ordered(w);
    first = effect.body;
    began_s = w->now_s;
    unanswered(w);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(effect.until_s, began_s + 1);
    comes_due(w);
    assert_bytes(effect.body, first);
    unanswered(w);
    assert_int_equal(effect.until_s, w->now_s + 2); /* with growing pauses */
    comes_due(w);
    answered(w, BYTES_LITERAL("garbage"));
    assert_int_equal(effect.until_s, w->now_s + 4);
    comes_due(w);
    assert_bytes(effect.body, first);
    answered(w, a_certificate(w, as_ordered));
    assert_issued(w, .password = NULL);
}

static void a_crash_after_sending_is_a_failure_that_the_connector_knows(void **state)
{
    struct world *w = *state;
    struct bytes first;

    ordered(w);
    first = effect.body;
    w->now_s += 5 + 60;
    comes_due(w); /* the answer never came to this job */
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    comes_due(w);
    assert_bytes(effect.body, first);
}

static void it_is_given_up_in_the_end(void **state)
{
    struct world *w = *state;
    struct job_record job;

    ordered(w);
    unanswered(w);
    w->now_s += DAY_S;
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_false(the_job(w, &job));
    assert_rejected(w, "the CA gave no certificate in time");
}

static void a_rejection_is_told_and_then_it_may_order_again(void **state)
{
    struct world *w = *state;

    ordered(w);
    answered(w, BYTES_LITERAL("Rnot on a Sunday"));
    assert_true(effect.news);
    assert_rejected(w, "not on a Sunday");
    w->now_s += 3600;
    assert_int_equal(asks(w, .password = NULL).kind, ENROLL_PENDING);
}

static void a_one_time_registration_is_used_by_the_order_and_free_when_it_is_rejected(void **state)
{
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret", (struct registration){ .one_time = true });
    assert_int_equal(asks(w, .password = NULL).kind, ENROLL_PENDING);
    assert_refused(w, REFUSAL_USED, .transaction = "t2", .key = "device-2");
    comes_due(w);
    answered(w, BYTES_LITERAL("Rno"));
    assert_int_equal(asks(w, .transaction = "t2", .key = "device-2").kind, ENROLL_PENDING);
    comes_due(w);
    answered(w, a_certificate(w, as_ordered));
    assert_issued(w, .transaction = "t2", .key = "device-2");
    assert_refused(w, REFUSAL_USED, .transaction = "t3");
}

static void open_orders_are_bounded(void **state)
{
    struct world *w = *state;
    struct asking a = { .transaction = "t1" };

    registered(w, "*.example.com", "s3cret", plain);
    assert_int_equal(ask(w, &a).kind, ENROLL_PENDING);
    assert_int_equal(asks(w, .transaction = "t2").kind, ENROLL_PENDING);
    assert_refused(w, REFUSAL_CA_UNAVAILABLE, .transaction = "t3");
    assert_int_equal(ask(w, &a).kind, ENROLL_PENDING); /* has its own already */
}

/* Who is registered for one name does not take the room of all. */
static void open_orders_of_one_name_are_fewer(void **state)
{
    struct world *w = *state;
    char transaction[16];

    w->ca.patience.orders_max = 100;
    registered(w, "*.example.com", "s3cret", plain);
    for (unsigned i = 0; i < OPEN_OF_ONE_MAX; i++) {
        (void)snprintf(transaction, sizeof(transaction), "t%u", i);
        assert_int_equal(asks(w, .transaction = transaction).kind, ENROLL_PENDING);
    }
    assert_refused(w, REFUSAL_CA_UNAVAILABLE, .transaction = "one more");
    assert_int_equal(asks(w, .transaction = "another", .subject = "CN=router6.example.com").kind,
                     ENROLL_PENDING);
}

/* --- a CA that lies --- */
static void assert_wrong(struct world *w, struct bytes answer, const char *why)
{
    answered(w, answer);
    assert_true(effect.news);
    assert_non_null(strstr(w->turn.facts.error, why));
    assert_rejected(w, why);
}

static void a_certificate_over_another_key_reaches_nobody(void **state)
{
    struct world *w = *state;

    ordered(w);
    assert_wrong(w,
                 a_certificate(w, (struct certificate_template){ .spki = keys_public(w->keys, "device-2") }),
                 "it certifies another key");
    assert_int_equal(effect.kind, JOB_EFFECT_DONE); /* it may be another's: not revoked */
}

static void one_for_another_name_reaches_nobody_and_is_revoked(void **state)
{
    struct world *w = *state;
    AUTO_STRUCT(buffer) san = BUFFER(256);
    struct job_record job;

    general_name_put(&san, GENERAL_NAME_DNS, BYTES_LITERAL("router6.example.com"), BYTES_NONE);
    ordered(w);
    assert_wrong(w, a_certificate(w, (struct certificate_template){ .san = buffer_bytes(&san) }),
                 "its SAN names what was not ordered");
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'V');
    answered(w, BYTES_LITERAL("D"));
    assert_false(the_job(w, &job));
}

static void one_with_another_common_name_reaches_nobody(void **state)
{
    struct world *w = *state;

    ordered(w);
    assert_wrong(
        w, a_certificate(w, (struct certificate_template){ .subject = a_dn(w->arena, "CN=root,O=Example") }),
        "its subject names what was not ordered");
}

static void what_the_ca_adds_about_itself_is_taken(void **state)
{
    struct world *w = *state;

    ordered(w);
    answered(w, a_certificate(w, (struct certificate_template){
                                     .subject = a_dn(w->arena, "CN=router5.example.com,OU=Issued,O=CA") }));
    assert_issued(w, .password = NULL);
}

static void expired_early_foreign_and_malformed_ones_reach_nobody(void **state)
{
    struct world *w = *state;
    struct upstream_order order;

    ordered(w);
    assert_wrong(w,
                 a_certificate(w, (struct certificate_template){ .not_before_s = w->now_s - DAY_S,
                                                                 .not_after_s = w->now_s - 1 }),
                 "it has expired");
    comes_due(w);
    answered(w, BYTES_LITERAL("D"));
    w->now_s += 3600;
    assert_int_equal(asks(w, .password = NULL).kind, ENROLL_PENDING);
    comes_due(w);
    assert_wrong(w, a_certificate(w, (struct certificate_template){ .not_before_s = w->now_s + 3600 }),
                 "it is not valid yet");
    comes_due(w);
    answered(w, BYTES_LITERAL("D"));
    w->now_s += 3600;
    assert_int_equal(asks(w, .password = NULL).kind, ENROLL_PENDING);
    comes_due(w);
    order = sent_order();
    assert_wrong(
        w, upstream_issue(&w->ca, w->keys, &order, as_ordered, "other-ca", &w->random, w->now_s, w->arena),
        "it does not chain to the CA");
    comes_due(w);
    answered(w, BYTES_LITERAL("D"));
    w->now_s += 3600;
    assert_int_equal(asks(w, .password = NULL).kind, ENROLL_PENDING);
    comes_due(w);
    assert_wrong(w, BYTES_LITERAL("Inot a certificate"), "it is malformed");
}

static void a_ca_certificate_reaches_nobody(void **state)
{
    struct world *w = *state;

    ordered(w);
    assert_wrong(w, a_certificate(w, (struct certificate_template){ .is_ca = true }), "it is a CA's");
}

static void the_same_serial_number_twice_reaches_nobody(void **state)
{
    struct world *w = *state;
    static const uint8_t serial[] = { 7, 7, 7 };

    registered(w, "*.example.com", "s3cret", plain);
    asks(w, .password = NULL);
    comes_due(w);
    answered(w, a_certificate(w, (struct certificate_template){ .serial = BYTES_ARRAY(serial) }));
    assert_issued(w, .password = NULL);
    asks(w, .transaction = "t2", .key = "device-2");
    comes_due(w);
    answered(w, a_certificate(w, (struct certificate_template){ .serial = BYTES_ARRAY(serial) }));
    assert_refused(w, REFUSAL_CA_REJECTED, .transaction = "t2", .key = "device-2");
    assert_int_equal(certificates(w), 1);
}

static void a_registration_closed_meanwhile_gets_none(void **state)
{
    struct world *w = *state;
    struct registration r = registered(w, "router5.example.com", "s3cret", plain);

    asks(w, .password = NULL);
    comes_due(w);
    set_state(w, r, REGISTRATION_CLOSED);
    answered(w, a_certificate(w, as_ordered));
    assert_int_equal(certificates(w), 0);
    assert_string_equal(w->turn.facts.detail, "its registration was closed meanwhile");
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'V');
    assert_refused(w, REFUSAL_CLOSED, .password = NULL);
}

/* Its marks would contradict those of the first for as long as that one is not confirmed. */
static void of_two_renewals_the_second_gets_none(void **state)
{
    struct world *w = *state;
    const struct connector *upstream = w->ca.connector;
    struct bytes old;
    struct registration r;

    open_cmp(w);
    r = registered(w, "router5.example.com", "s3cret", plain);
    w->ca.connector = &ca_local_connector;
    old = arena_copy(w->arena, asks(w, .protocol = PROTOCOL_CMP, .mac_of = &r).certificate);
    w->ca.connector = upstream;
    assert_int_equal(asks(w, .protocol = PROTOCOL_CMP, .certificate = &old, .renewal = true,
                          .transaction = "t2", .confirm_within_s = 300)
                         .kind,
                     ENROLL_PENDING);
    w->ca.connector = &ca_local_connector;
    assert_issued(w, .protocol = PROTOCOL_CMP, .certificate = &old, .renewal = true, .transaction = "t3",
                  .confirm_within_s = 300);
    w->ca.connector = upstream;
    comes_due(w);
    answered(w, a_certificate(w, as_ordered));
    assert_int_equal(certificates(w), 2);
    assert_string_equal(w->turn.facts.detail, "another renewal of its certificate awaits confirmation");
}

/* --- what follows --- */
static void a_ca_that_wants_to_know_is_told_that_it_was_taken(void **state)
{
    struct world *w = *state;
    struct job_record job;

    settings.confirms = true;
    ordered(w);
    answered(w, a_certificate(w, as_ordered));
    assert_issued(w, .password = NULL);
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'C');
    unanswered(w);
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'C');
    answered(w, BYTES_LITERAL("D"));
    assert_false(the_job(w, &job));
}

static void a_ca_that_wants_to_know_is_told_that_it_was_wrong(void **state)
{
    struct world *w = *state;

    settings.confirms = true;
    ordered(w);
    assert_wrong(w,
                 a_certificate(w, (struct certificate_template){ .spki = keys_public(w->keys, "device-2") }),
                 "it certifies another key");
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'N');
}

/* Looks for what was revoked here; the number of jobs that came of it. */
static size_t look_for_revocations(struct world *w, struct bytes *kept)
{
    const struct job_record job = { .kind = BYTES_LITERAL(ENROLL_REVOCATIONS_JOB), .state = *kept };
    struct job_step step = { 0 };
    struct job_record any;
    struct error err = { 0 };

    begin_turn(w);
    if (!enroll_revocations_job_run(&w->turn, &w->service, &job, &(struct job_event){ .kind = JOB_EVENT_DUE },
                                    &step, &err))
        fail_msg("%s", err.text);
    *kept = step.state;
    assert_int_equal(apply(w), APPLY_DONE);
    return the_job(w, &any);
}

/* The one certificate, which is revoked. */
static struct bytes revoke_it(struct world *w)
{
    struct certificate_record record;
    size_t count;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_certificates_list(w->view, NULL, 1, w->arena, &record, &count, NULL));
    record.der = arena_copy(w->arena, record.der);
    begin_turn(w);
    change_certificate_revoke(&w->turn.changes, &record.id, REVOCATION_SUPERSEDED, w->now_s);
    change_audit_append(&w->turn.changes, AUDIT_REVOKED, BYTES_LITERAL("{}"));
    assert_int_equal(apply(w), APPLY_DONE);
    return record.der;
}

static void several_ways_may_lead_to_one_issuer(void **state)
{
    struct world *w = *state;
    struct ca ways[3];
    struct bytes kept = BYTES_NONE, der;

    for (size_t i = 0; i < COUNT_OF(ways); i++)
        ways[i] = w->ca;
    ways[0].name = "by another protocol";
    ways[2].name = "with another profile";
    w->service.ca = ways;
    w->service.ca_count = COUNT_OF(ways);
    ordered(w);
    answered(w, a_certificate(w, as_ordered));
    der = revoke_it(w);
    assert_int_equal(look_for_revocations(w, &kept), 1);
    comes_due(w);
    assert_bytes(bytes_from(effect.body, 1), der);
    answered(w, BYTES_LITERAL("D"));
    assert_int_equal(look_for_revocations(w, &kept), 0);
}

static void what_is_revoked_here_is_revoked_there_once(void **state)
{
    struct world *w = *state;
    struct bytes kept = BYTES_NONE, der;

    ordered(w);
    answered(w, a_certificate(w, as_ordered));
    assert_int_equal(look_for_revocations(w, &kept), 0);
    der = revoke_it(w);
    assert_int_equal(look_for_revocations(w, &kept), 1);
    comes_due(w);
    assert_bytes(bytes_from(effect.body, 1), der);
    unanswered(w);
    w->now_s += DAY_S;
    comes_due(w); /* told for a day, not for ever */
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    kept = BYTES_NONE;
    assert_int_equal(look_for_revocations(w, &kept), 0);
}

/* --- a device that confirms --- */
/* The one job of this kind. */
static bool a_job(struct world *w, const char *kind, struct job_record *out)
{
    struct job_record due[8];
    int64_t next_s;
    size_t count = 0;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(
        registry_jobs_due(w->view, INT64_MAX - 1, COUNT_OF(due), w->arena, due, &count, &next_s, NULL));
    for (size_t i = 0; i < count; i++)
        if (bytes_is(due[i].kind, kind)) {
            *out = due[i];
            return true;
        }
    return false;
}

static void the_ca_hears_of_the_certificate_after_the_device_has_said_its_word(void **state)
{
    struct world *w = *state;
    struct enrollment e = an_enrollment(w, &(struct asking){ .password = NULL });
    enum confirm_outcome outcome = CONFIRM_UNKNOWN;
    struct enroll_result result = { 0 };
    struct job_record job;

    settings.confirms = true;
    e.confirm_within_s = 300;
    registered(w, "router5.example.com", "s3cret", plain);
    begin_turn(w);
    assert_true(enroll(&w->turn, &w->service, &e, &result, NULL));
    assert_int_equal(apply(w), APPLY_DONE);
    comes_due(w);
    answered(w, a_certificate(w, as_ordered));
    w->now_s += 2 * DAY_S; /* nobody asked: that is no silence of the device yet */
    begin_turn(w);
    assert_true(enroll(&w->turn, &w->service, &e, &result, NULL));
    assert_int_equal(result.kind, ENROLL_ISSUED);
    assert_true(result.unconfirmed);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_true(a_job(w, ENROLL_CONFIRM_JOB, &job));
    assert_int_equal(job.due_s, w->now_s + 300);
    begin_turn(w);
    assert_true(enroll_confirm(&w->turn, &w->service, &w->procedure, PROTOCOL_SCEP, BYTES_LITERAL("t1"), true,
                               &outcome, NULL));
    assert_int_equal(outcome, CONFIRM_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_true(a_job(w, ENROLL_ORDER_JOB, &job));
    assert_int_equal(job.due_s, w->now_s); /* woken */
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'C');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        order_test(intent_is_recorded_before_anything_leaves),
        order_test(a_pkcs10_is_handed_on),
        order_test(a_request_of_cmp_is_not_handed_on_as_pkcs10),
        order_test(what_was_ordered_is_issued_to_who_asks_again),
        order_test(a_poll_finds_it_too),
        order_test(the_ca_says_when_to_ask_again_and_so_is_the_device_told),
        order_test(with_est_repetition_counts_from_when_it_is_fetched),
        order_test(what_was_not_answered_is_sent_again_octet_for_octet),
        order_test(a_crash_after_sending_is_a_failure_that_the_connector_knows),
        order_test(it_is_given_up_in_the_end),
        order_test(a_rejection_is_told_and_then_it_may_order_again),
        order_test(a_one_time_registration_is_used_by_the_order_and_free_when_it_is_rejected),
        order_test(open_orders_are_bounded),
        order_test(open_orders_of_one_name_are_fewer),
        order_test(a_certificate_over_another_key_reaches_nobody),
        order_test(one_for_another_name_reaches_nobody_and_is_revoked),
        order_test(one_with_another_common_name_reaches_nobody),
        order_test(what_the_ca_adds_about_itself_is_taken),
        order_test(expired_early_foreign_and_malformed_ones_reach_nobody),
        order_test(a_ca_certificate_reaches_nobody),
        order_test(the_same_serial_number_twice_reaches_nobody),
        order_test(a_registration_closed_meanwhile_gets_none),
        order_test(of_two_renewals_the_second_gets_none),
        order_test(a_ca_that_wants_to_know_is_told_that_it_was_taken),
        order_test(a_ca_that_wants_to_know_is_told_that_it_was_wrong),
        order_test(what_is_revoked_here_is_revoked_there_once),
        order_test(several_ways_may_lead_to_one_issuer),
        order_test(the_ca_hears_of_the_certificate_after_the_device_has_said_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
