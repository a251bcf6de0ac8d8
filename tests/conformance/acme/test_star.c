/* Certificates that follow each other without being asked for (RFC 8739). */
#include <time.h>

#include "enroll/revoke.h"
#include "lib/base/clock.h"
#include "registry/changes.h"
#include "registry/state.h"
#include "tests/conformance/acme/acme_case.h"

enum { DAY = 86400, LIFETIME = 4 * DAY };

static const char *date(struct acme_case *c, int64_t after_s)
{
    char text[CLOCK_TEXT_LEN];

    clock_format(c->g->now_s + after_s, text);
    return acme_text(c->arena, "%s", text);
}

/* An end and a lifetime, and what else is said. */
static const char *terms(struct acme_case *c, int64_t end_after_s, const char *more)
{
    return acme_text(c->arena, "{\"end-date\":\"%s\",\"lifetime\":%d%s}", date(c, end_after_s), LIFETIME,
                     more);
}

static struct http_response order_star(struct acme_case *c, const char *star, const char *more)
{
    return acme_ask(
        c, (struct acme_plan){ .resource = "new-order",
                               .payload = acme_text(c->arena, "{\"identifiers\":%s,\"auto-renewal\":%s%s}",
                                                    acme_identifiers(c, "a.example.com"), star, more) });
}

static const json_t *granted(const struct acme_case *c)
{
    return json_object_get(c->json, "auto-renewal");
}

static void offer(struct acme_case *c)
{
    c->g->procedure.acme_star = true;
    acme_joined(c, ACME_KEY_A);
}

struct star {
    const char *order, *authz, *certificate;
};

static struct star ordered(struct acme_case *c, const char *star)
{
    struct http_response r = order_star(c, star, "");
    struct star s = { 0 };

    assert_status(c, &r, 201);
    s.order = acme_path(c, acme_header(&r, "Location", 0));
    s.authz = acme_path(c, json_bytes(json_array_get(json_object_get(c->json, "authorizations"), 0)));
    (void)acme_get(c, s.authz);
    if (!bytes_is(json_member(c->json, "status"), "valid"))
        acme_proved(c, s.authz);
    return s;
}

static struct http_response finalized(struct acme_case *c, const char *order)
{
    return acme_finalized(c, order, (struct est_csr_plan){ .cn = "a.example.com", .key = est_client_key(0) });
}

static struct star issued(struct acme_case *c, const char *star)
{
    struct star s = ordered(c, star);
    struct http_response r = finalized(c, s.order);

    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
    s.certificate = acme_path(c, json_member(c->json, "star-certificate"));
    return s;
}

/* --- the job --- */
static bool star_job(struct acme_case *c, struct job_record *out)
{
    struct job_record due[16];
    size_t count = 0;
    int64_t next;

    assert_true(registry_jobs_due(a_gateway_view(c->g), c->g->now_s + 1000 * DAY, 16, c->arena, due, &count,
                                  &next, NULL));
    for (size_t i = 0; i < count; i++) {
        if (bytes_is(due[i].kind, ACME_STAR_JOB)) {
            *out = due[i];
            out->kind = arena_copy(c->arena, due[i].kind);
            out->state = arena_copy(c->arena, due[i].state);
            return true;
        }
    }
    return false;
}

static struct job_effect run_job_on(struct acme_case *c, struct turn *turn, struct job_event event)
{
    const struct job_handler row = { .kind = ACME_STAR_JOB, .run = acme_star_run, .service = &c->service };
    struct job_effect effect = { 0 };
    struct job_record job;
    struct error err = { 0 };

    assert_true(star_job(c, &job));
    *turn = acme_turn(c);
    if (!job_run(turn, &row, 1, &job, &event, &effect, &err))
        fail_msg("%s", err.text);
    return effect;
}

static struct job_effect run_job(struct acme_case *c, struct turn *turn)
{
    return run_job_on(c, turn, (struct job_event){ .kind = JOB_EVENT_DUE });
}

static struct job_effect step_on(struct acme_case *c, struct job_event event)
{
    struct turn turn;
    struct job_effect effect = run_job_on(c, &turn, event);

    acme_apply(c, &turn);
    return effect;
}

static struct job_effect step(struct acme_case *c)
{
    return step_on(c, (struct job_event){ .kind = JOB_EVENT_DUE });
}

/* To when the next one is due, and on. */
static struct job_effect renewed(struct acme_case *c)
{
    struct job_record job;

    assert_true(star_job(c, &job));
    c->g->now_s = job.due_s;
    return step(c);
}

static enum apply_result apply(struct acme_case *c, const struct turn *turn)
{
    const struct changes *changes = &turn->changes;
    enum apply_result result = APPLY_DONE;

    registry_view_reset(c->g->view);
    assert_true(registry_apply(c->g->registry, &changes, 1, c->g->now_s, &result, NULL));
    return result;
}

/* --- the certificate --- */
struct shown {
    int64_t not_before_s, not_after_s;
    struct bytes serial;
    struct certificate_id id;
};

static void assert_date(const struct http_response *r, const char *name, int64_t time_s)
{
    time_t at = (time_t)time_s;
    struct tm utc;
    char text[64];

    assert_non_null(gmtime_r(&at, &utc));
    assert_true(strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc) > 0);
    assert_text(acme_header(r, name, 0), text);
}

static struct shown shown(struct acme_case *c, const char *certificate)
{
    struct http_response r = acme_get(c, certificate);
    struct certificate decoded;
    struct shown s;
    X509 *leaf;

    assert_status(c, &r, 200);
    assert_text(acme_header(&r, "Content-Type", 0), "application/pem-certificate-chain");
    leaf = acme_leaf(r.body);
    assert_true(certificate_decode(scep_client_der(c->arena, leaf), c->arena, &decoded));
    X509_free(leaf);
    assert_date(&r, "Cert-Not-Before", decoded.not_before_s);
    assert_date(&r, "Cert-Not-After", decoded.not_after_s);
    s = (struct shown){ .not_before_s = decoded.not_before_s,
                        .not_after_s = decoded.not_after_s,
                        .serial = decoded.serial };
    assert_true(certificate_id_of(decoded.issuer.encoded, decoded.serial, &s.id));
    return s;
}

/* --- ordering --- */
static void acme_124_auto_renewal_is_reflected_where_it_is_offered(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    const json_t *meta = json_object_get(json_object_get(c->json, "meta"), "auto-renewal");
    const char *order;

    assert_null(meta);
    acme_joined(c, ACME_KEY_A);
    r = order_star(c, terms(c, 20 * DAY, ""), "");
    assert_problem(c, &r, "malformed", 400);
    c->g->procedure.acme_star = true;
    (void)acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    meta = json_object_get(json_object_get(c->json, "meta"), "auto-renewal");
    assert_int_equal(json_integer_value(json_object_get(meta, "min-lifetime")), DAY);
    assert_int_equal(json_integer_value(json_object_get(meta, "max-duration")), 90 * DAY);
    assert_null(json_object_get(meta, "allow-certificate-get"));
    r = order_star(c,
                   terms(c, 20 * DAY,
                         acme_text(c->arena,
                                   ",\"start-date\":\"%s\",\"lifetime-adjust\":3600,"
                                   "\"allow-certificate-get\":true",
                                   date(c, DAY))),
                   "");
    assert_status(c, &r, 201);
    order = acme_path(c, acme_header(&r, "Location", 0));
    for (int i = 0; i < 2; i++) {
        assert_text(json_member(granted(c), "start-date"), date(c, DAY));
        assert_text(json_member(granted(c), "end-date"), date(c, 20 * DAY));
        assert_int_equal(json_integer_value(json_object_get(granted(c), "lifetime")), LIFETIME);
        assert_int_equal(json_integer_value(json_object_get(granted(c), "lifetime-adjust")), 3600);
        assert_null(json_object_get(granted(c), "allow-certificate-get")); /* not granted */
        (void)acme_get(c, order);
    }
    c->g->profile.validity_s = 2 * DAY;
    r = order_star(c, terms(c, 20 * DAY, ""), "");
    assert_status(c, &r, 201);
    assert_int_equal(json_integer_value(json_object_get(granted(c), "lifetime")), 2 * DAY);
}

static void acme_124_what_is_malformed(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    offer(c);
    {
        const char *const rows[] = {
            "[]",
            "{}",
            acme_text(c->arena, "{\"end-date\":\"%s\"}", date(c, 9 * DAY)),
            "{\"end-date\":\"tomorrow\",\"lifetime\":345600}",
            acme_text(c->arena, "{\"end-date\":\"%s\",\"lifetime\":\"345600\"}", date(c, 9 * DAY)),
            acme_text(c->arena, "{\"end-date\":\"%s\",\"lifetime\":-1}", date(c, 9 * DAY)),
            acme_text(c->arena, "{\"end-date\":\"%s\",\"lifetime\":86399}", date(c, 9 * DAY)),
            terms(c, -1, ""),
            terms(c, 90 * DAY + 1, ""),
            terms(c, 9 * DAY, ",\"start-date\":7"),
            terms(c, 9 * DAY, acme_text(c->arena, ",\"start-date\":\"%s\"", date(c, 9 * DAY))),
            terms(c, 100 * DAY, acme_text(c->arena, ",\"start-date\":\"%s\"", date(c, 91 * DAY))),
            terms(c, 9 * DAY, ",\"lifetime-adjust\":345601"),
            terms(c, 9 * DAY, ",\"allow-certificate-get\":1"),
        };

        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            r = order_star(c, rows[i], "");
            assert_problem(c, &r, "malformed", 400);
        }
    }
    r = order_star(c, terms(c, 9 * DAY, ""), acme_text(c->arena, ",\"notBefore\":\"%s\"", date(c, 0)));
    assert_problem(c, &r, "malformed", 400);
    r = order_star(c, terms(c, 9 * DAY, ""), acme_text(c->arena, ",\"notAfter\":\"%s\"", date(c, DAY)));
    assert_problem(c, &r, "malformed", 400);
    r = order_star(c, terms(c, 90 * DAY, ""), "");
    assert_status(c, &r, 201);
}

/* --- the certificates --- */
static void acme_125_the_next_certificate_is_there_by_half_of_the_lifetime(void **state)
{
    struct acme_case *c = *state;
    struct job_effect effect;
    struct shown first, next;
    struct http_response r;
    struct star s;
    int64_t start_s;

    offer(c);
    start_s = c->g->now_s;
    s = issued(c, terms(c, 20 * DAY, ""));
    assert_null(json_object_get(c->json, "certificate"));
    r = acme_get(c, acme_text(c->arena, "certificate%s", s.certificate + strlen("star-certificate")));
    assert_problem(c, &r, "malformed", 404);
    first = shown(c, s.certificate);
    assert_int_equal(first.not_before_s, start_s - 300); /* the profile's backdate */
    assert_int_equal(first.not_after_s, start_s + LIFETIME);
    effect = step(c); /* the gateway was started anew */
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_in_range(effect.until_s - start_s, LIFETIME / 3, LIFETIME / 2);
    assert_bytes(shown(c, s.certificate).serial, first.serial);
    a_gateway_restart(c->g);
    c->g->now_s = effect.until_s;
    effect = step(c);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    next = shown(c, s.certificate);
    assert_false(bytes_equal(next.serial, first.serial));
    assert_int_equal(next.not_after_s, c->g->now_s + LIFETIME);
    (void)step(c); /* not due again */
    assert_bytes(shown(c, s.certificate).serial, next.serial);
}

static void acme_125_none_is_valid_beyond_the_end(void **state)
{
    struct acme_case *c = *state;
    struct job_effect effect = { 0 };
    struct job_record job;
    struct star s;
    int64_t end_s;
    int count = 0;

    offer(c);
    c->g->procedure.acme_star_duration_s = 200 * DAY; /* longer than what was proved is kept by itself */
    end_s = c->g->now_s + 150 * DAY;
    s = issued(c, terms(c, 150 * DAY, ""));
    do {
        effect = renewed(c);
        count++;
        assert_true(shown(c, s.certificate).not_after_s <= end_s);
    } while (effect.kind == JOB_EFFECT_WAIT && count < 200);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_int_equal(shown(c, s.certificate).not_after_s, end_s);
    assert_in_range(count, 150 * DAY / (LIFETIME / 2) - 2, 150 * DAY / (LIFETIME / 3));
    assert_false(star_job(c, &job));
}

static void acme_125_start_and_left_pad(void **state)
{
    struct acme_case *c = *state;
    struct shown first, next;
    struct star s;
    int64_t start_s;

    offer(c);
    start_s = c->g->now_s + DAY;
    s = issued(c,
               terms(c, 30 * DAY,
                     acme_text(c->arena, ",\"start-date\":\"%s\",\"lifetime-adjust\":86400", date(c, DAY))));
    first = shown(c, s.certificate);
    assert_int_equal(first.not_before_s, start_s);
    assert_int_equal(first.not_after_s, start_s + LIFETIME);
    (void)renewed(c);
    assert_in_range(c->g->now_s, start_s + LIFETIME / 3, start_s + LIFETIME / 2);
    next = shown(c, s.certificate);
    assert_int_equal(next.not_before_s, c->g->now_s - DAY);
    assert_int_equal(next.not_after_s, c->g->now_s + LIFETIME);
}

static void acme_125_get_where_it_is_allowed_alone(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    struct star s;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ",\"allow-certificate-get\":true"));
    r = acme_send(c, acme_request(c, HTTP_METHOD_GET, s.certificate));
    assert_problem(c, &r, "malformed", 405);
    assert_text(acme_header(&r, "Allow", 0), "POST");
    c->g->procedure.acme_star_get = true;
    r = acme_send(c, acme_request(c, HTTP_METHOD_GET, s.certificate)); /* it was not granted */
    assert_problem(c, &r, "malformed", 405);
    (void)acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    assert_true(json_is_true(json_object_get(
        json_object_get(json_object_get(c->json, "meta"), "auto-renewal"), "allow-certificate-get")));
    s = issued(c, terms(c, 20 * DAY, ",\"allow-certificate-get\":true"));
    assert_true(json_is_true(json_object_get(granted(c), "allow-certificate-get")));
    r = acme_send(c, acme_request(c, HTTP_METHOD_GET, s.certificate));
    assert_status(c, &r, 200);
    assert_true(bytes_starts_with(r.body, "-----BEGIN CERTIFICATE-----"));
    assert_true(acme_header(&r, "Cert-Not-After", 0).len > 0);
    (void)shown(c, s.certificate);
    acme_joined(c, ACME_KEY_B);
    r = acme_ask(c, (struct acme_plan){ .resource = s.certificate, .key = ACME_KEY_B });
    assert_problem(c, &r, "malformed", 404);
}

/* The same by which a first certificate is judged, each time. */
static void assert_stopped(struct acme_case *c, struct star s)
{
    struct http_response r;
    struct job_record job;

    assert_int_equal(renewed(c).kind, JOB_EFFECT_DONE);
    assert_false(star_job(c, &job));
    r = acme_get(c, s.order);
    assert_status(c, &r, 200);
    assert_member(c, "status", "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"),
                "urn:ietf:params:acme:error:unauthorized");
    r = acme_get(c, s.certificate);
    assert_problem(c, &r, "unauthorized", 403);
}

static void acme_125_a_closed_registration_ends_it(void **state)
{
    struct acme_case *c = *state;
    struct registration closed = c->registration;
    struct star s;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ""));
    assert_int_equal(renewed(c).kind, JOB_EFFECT_WAIT);
    closed.state = REGISTRATION_CLOSED;
    acme_change(c, closed);
    assert_stopped(c, s);
}

static void acme_125_a_revoked_certificate_has_no_successor(void **state)
{
    struct acme_case *c = *state;
    enum revoke_outcome outcome = REVOKE_UNKNOWN;
    struct certificate_id id;
    struct turn turn;
    struct star s;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ""));
    id = shown(c, s.certificate).id;
    turn = acme_turn(c);
    assert_true(
        enroll_revoke(&turn, &c->g->procedure, &id, REVOCATION_SUPERSEDED, "officer", &outcome, NULL));
    assert_int_equal(outcome, REVOKE_DONE);
    acme_apply(c, &turn);
    assert_stopped(c, s);
}

static void acme_125_it_ends_where_it_is_offered_no_more(void **state)
{
    struct acme_case *c = *state;
    struct star s;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ""));
    c->g->procedure.acme_star = false;
    assert_stopped(c, s);
}

/* As long as the order lasts. */
static void acme_125_a_procedure_that_is_away_does_not_end_it(void **state)
{
    struct acme_case *c = *state;
    struct job_effect effect;
    struct job_record job;
    struct bytes serial;
    struct star s;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ""));
    serial = shown(c, s.certificate).serial;
    assert_true(star_job(c, &job));
    c->g->now_s = job.due_s;
    c->g->procedure.name = "another"; /* while the configuration lacks the procedure */
    effect = step(c);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_true(effect.until_s > c->g->now_s);
    c->g->procedure.name = "demo";
    assert_int_equal(renewed(c).kind, JOB_EFFECT_WAIT);
    assert_false(bytes_equal(shown(c, s.certificate).serial, serial));
}

static void acme_125_what_was_proved_can_be_taken_back(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    struct star s;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ""));
    r = acme_ask(c, (struct acme_plan){ .resource = s.authz, .payload = "{\"status\":\"deactivated\"}" });
    assert_status(c, &r, 200);
    assert_stopped(c, s);
}

static void acme_125_a_deactivated_account_ends_it(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    struct job_record job;
    struct turn renewal;
    struct star s;

    offer(c);
    c->g->procedure.acme_star_get = true;
    s = issued(c, terms(c, 20 * DAY, ",\"allow-certificate-get\":true"));
    assert_true(star_job(c, &job));
    c->g->now_s = job.due_s;
    assert_int_equal(run_job(c, &renewal).kind, JOB_EFFECT_WAIT); /* it is under way */
    r = acme_ask(c, (struct acme_plan){ .resource = acme_path(c, bytes_text(c->kid[ACME_KEY_A])),
                                        .payload = "{\"status\":\"deactivated\"}" });
    assert_status(c, &r, 200);
    assert_int_equal(apply(c, &renewal), APPLY_CONFLICT);
    assert_int_equal(step(c).kind, JOB_EFFECT_DONE);
    r = acme_send(c, acme_request(c, HTTP_METHOD_GET, s.certificate));
    assert_problem(c, &r, "unauthorized", 403);
}

/* --- its end --- */
static struct http_response cancel(struct acme_case *c, const char *order)
{
    return acme_ask(c, (struct acme_plan){ .resource = order, .payload = "{\"status\":\"canceled\"}" });
}

static void acme_126_an_order_is_canceled(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    struct job_record job;
    struct turn renewal;
    struct star s;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ""));
    assert_true(star_job(c, &job));
    c->g->now_s = job.due_s;
    assert_int_equal(run_job(c, &renewal).kind, JOB_EFFECT_WAIT); /* it is under way */
    r = cancel(c, s.order);
    assert_status(c, &r, 200);
    assert_member(c, "status", "canceled");
    assert_null(json_object_get(c->json, "star-certificate"));
    assert_int_equal(apply(c, &renewal), APPLY_CONFLICT);
    r = acme_get(c, s.certificate);
    assert_problem(c, &r, "autoRenewalCanceled", 403);
    assert_int_equal(step(c).kind, JOB_EFFECT_DONE);
    r = cancel(c, s.order);
    assert_problem(c, &r, "autoRenewalCancellationInvalid", 400);
    r = finalized(c, s.order);
    assert_problem(c, &r, "orderNotReady", 403);
}

static void acme_126_what_cannot_be_canceled(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered plain;
    struct http_response r;
    struct star s;

    offer(c);
    s = ordered(c, terms(c, 20 * DAY, ""));
    r = cancel(c, s.order);
    assert_problem(c, &r, "autoRenewalCancellationInvalid", 400);
    r = acme_ask(c, (struct acme_plan){ .resource = s.order, .payload = "{\"status\":\"valid\"}" });
    assert_problem(c, &r, "malformed", 400);
    plain = acme_ordered(c, "b.example.com");
    r = cancel(c, plain.order);
    assert_problem(c, &r, "malformed", 400);
}

static void acme_126_after_its_end_there_is_none(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    struct star s, late;

    offer(c);
    late = ordered(c, terms(c, 5 * DAY, ""));
    s = issued(c, terms(c, 5 * DAY, ""));
    c->g->now_s += 5 * DAY;
    r = acme_get(c, s.certificate);
    assert_problem(c, &r, "autoRenewalExpired", 403);
    r = cancel(c, s.order);
    assert_problem(c, &r, "autoRenewalCancellationInvalid", 400);
    assert_int_equal(step(c).kind, JOB_EFFECT_DONE);
    r = finalized(c, late.order);
    assert_problem(c, &r, "autoRenewalExpired", 403);
}

static void acme_126_it_is_not_revoked(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    struct star s;
    X509 *leaf;

    offer(c);
    s = issued(c, terms(c, 20 * DAY, ""));
    for (int i = 0; i < 2; i++) {
        r = acme_get(c, s.certificate);
        leaf = acme_leaf(r.body);
        r = acme_ask(
            c, (struct acme_plan){
                   .resource = "revoke-cert",
                   .payload = acme_text(c->arena, "{\"certificate\":\"%s\"}",
                                        acme_client_base64url(c->arena, scep_client_der(c->arena, leaf))) });
        assert_problem(c, &r, "autoRenewalRevocationNotSupported", 403);
        X509_free(leaf);
        (void)renewed(c);
    }
}

/* --- CAA --- */
static struct job_event caa(enum dns_status status, const struct dns_record *record)
{
    return (struct job_event){ .kind = JOB_EVENT_DNS,
                               .dns = { .status = status, .record = record, .count = record != NULL } };
}

static struct star issued_then_caa(struct acme_case *c)
{
    static const char *const identities[] = { "ca.example.net" };
    struct star s;

    offer(c);
    s = issued(c, terms(c, 30 * DAY, ""));
    c->g->procedure.acme_caa = ACME_CAA_ENFORCE;
    c->g->procedure.acme_caa_identity = identities;
    c->g->procedure.acme_caa_identity_count = 1;
    return s;
}

static void acme_125_128_caa_is_looked_up_before_each_certificate(void **state)
{
    static const struct dns_record ours = { .value = BYTES_LITERAL("\0\5issueca.example.net") };
    struct acme_case *c = *state;
    struct star s = issued_then_caa(c);
    struct job_effect effect;

    for (int i = 0; i < 2; i++) {
        effect = renewed(c);
        assert_int_equal(effect.kind, JOB_EFFECT_DNS);
        assert_int_equal(effect.type, DNS_TYPE_CAA);
        assert_text(dns_name_bytes(&effect.name), "a.example.com");
        effect = step_on(c, caa(DNS_STATUS_SERVFAIL, NULL));
        assert_int_equal(effect.kind, JOB_EFFECT_WAIT); /* and asked again */
        assert_int_equal(renewed(c).kind, JOB_EFFECT_DNS);
        assert_int_equal(step_on(c, caa(DNS_STATUS_NXDOMAIN, NULL)).kind, JOB_EFFECT_DNS);
        effect = step_on(c, caa(DNS_STATUS_RECORDS, &ours)); /* at example.com */
        assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
        assert_int_equal(effect.until_s, c->g->now_s);
        effect = step(c);
        assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
        assert_true(effect.until_s > c->g->now_s + DAY);
    }
    (void)acme_get(c, s.order);
    assert_member(c, "status", "valid");
}

static void acme_125_129_auto_renewal_stops_when_caa_forbids(void **state)
{
    static const struct dns_record other = { .value = BYTES_LITERAL("\0\5issueother.example") };
    struct acme_case *c = *state;
    struct star s = issued_then_caa(c);
    struct http_response r;

    assert_int_equal(renewed(c).kind, JOB_EFFECT_DNS);
    assert_int_equal(step_on(c, caa(DNS_STATUS_RECORDS, &other)).kind, JOB_EFFECT_DONE);
    r = acme_get(c, s.certificate);
    assert_problem(c, &r, "caa", 403);
    (void)acme_get(c, s.order);
    assert_member(c, "status", "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"), "urn:ietf:params:acme:error:caa");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_124_auto_renewal_is_reflected_where_it_is_offered),
        ACME_ROW(acme_124_what_is_malformed),
        ACME_ROW(acme_125_the_next_certificate_is_there_by_half_of_the_lifetime),
        ACME_ROW(acme_125_none_is_valid_beyond_the_end),
        ACME_ROW(acme_125_start_and_left_pad),
        ACME_ROW(acme_125_get_where_it_is_allowed_alone),
        ACME_ROW(acme_125_a_closed_registration_ends_it),
        ACME_ROW(acme_125_a_revoked_certificate_has_no_successor),
        ACME_ROW(acme_125_it_ends_where_it_is_offered_no_more),
        ACME_ROW(acme_125_a_procedure_that_is_away_does_not_end_it),
        ACME_ROW(acme_125_what_was_proved_can_be_taken_back),
        ACME_ROW(acme_125_a_deactivated_account_ends_it),
        ACME_ROW(acme_126_an_order_is_canceled),
        ACME_ROW(acme_126_what_cannot_be_canceled),
        ACME_ROW(acme_126_after_its_end_there_is_none),
        ACME_ROW(acme_126_it_is_not_revoked),
        ACME_ROW(acme_125_128_caa_is_looked_up_before_each_certificate),
        ACME_ROW(acme_125_129_auto_renewal_stops_when_caa_forbids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
