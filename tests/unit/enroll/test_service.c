/* The gateway's own certificates: the same again over the same key, judged, written, and in use in the end.
 */
#include "enroll/service_internal.h"
#include "tests/unit/enroll/service_world.h"

/* --- the good way --- */
static void nothing_happens_before_its_time(void **state)
{
    struct world *w = *state;

    in_use(w, a_certificate(w, "ra", 31));
    assert_false(look(w));
    w->now_s += DAY_S - 1;
    assert_false(look(w));
    w->now_s += 1;
    assert_true(look(w));
    assert_true(look(w)); /* one is enough */
}

static void one_that_nobody_renews_is_left_alone(void **state)
{
    struct world *w = *state;

    own.ca = NULL;
    assert_false(look(w));
}

static void a_short_life_is_not_renewed_in_its_first_half(void **state)
{
    struct world *w = *state;

    own.before_s = 1000 * DAY_S;
    own.certificate.not_before_s = w->now_s - 49;
    own.certificate.not_after_s = w->now_s + 51;
    assert_false(look(w));
    w->now_s += 1;
    assert_true(look(w));
}

static void the_embedded_ca_certifies_the_same_again(void **state)
{
    struct world *w = *state;
    const struct certificate old = own.certificate;
    struct certificate_record record;
    struct certificate new;
    struct job_record job;

    assert_true(look(w));
    comes_due(w);
    assert_true(certificate_decode(file_content(w), w->arena, &new));
    assert_bytes(new.key.spki, old.key.spki);
    assert_bytes(new.subject.encoded, old.subject.encoded);
    assert_true(general_names_equal(&new.san, &old.san));
    assert_int_equal(new.key_usage, old.key_usage);
    assert_int_equal(new.extended_key_usage_count, 1);
    assert_bytes(new.extended_key_usage[0], eku[0]);
    assert_int_equal(new.not_after_s - new.not_before_s, old.not_after_s - old.not_before_s);
    assert_string_equal(w->turn.facts.verdict, "issued");
    assert_int_equal(recorded(w, &record), 1);
    assert_bytes(record.der, new.encoded);
    assert_int_equal(record.procedure.len, 0);
    assert_false(effect.reload);
    written(w);
    assert_true(effect.reload);
    in_use(w, new.encoded);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_false(the_job(w, &job));
    assert_false(look(w));
}

static void the_audit_says_what_was_issued_to_whom(void **state)
{
    struct world *w = *state;
    struct audit_entry entry;
    size_t count = 0;

    assert_true(look(w));
    comes_due(w);
    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_audit_read(w->view, 0, 1, w->arena, &entry, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(entry.kind, AUDIT_ISSUED);
    assert_true(bytes_starts_with(entry.content, "{\"service\":\"listener tls\",\"file\":\"" PATH
                                                 "\",\"ca\":\"demo\",\"serial\":\""));
}

static void it_is_no_device_s_credential(void **state)
{
    struct world *w = *state;
    struct certificate_record record;
    struct holder holder;

    assert_true(look(w));
    comes_due(w);
    assert_int_equal(recorded(w, &record), 1);
    record.der = arena_copy(w->arena, record.der);
    begin_turn(w);
    assert_true(enroll_holder(&w->turn, &w->service, &w->procedure, record.der, NULL, 0, &holder, NULL));
    assert_false(holder.usable);
    assert_string_equal(holder.detail, "the certificate is of another domain");
}

static void an_upstream_ca_is_asked_step_by_step(void **state)
{
    struct world *w = *state;
    struct bytes answer;
    struct upstream_order order;

    assert_true(look(w));
    comes_due(w);
    assert_string_equal(w->turn.facts.verdict, "pending");
    assert_string_equal(effect.target, "demo");
    assert_int_equal(effect.timeout_ms, 5000);
    assert_true(upstream_read(effect.body, &order));
    assert_bytes(order.spki, own.certificate.key.spki);
    assert_bytes(order.subject, own.certificate.subject.encoded);
    assert_bytes(order.san, own_names(w));
    answer = issues(w, (struct certificate_template){ .path_len = -1 });
    answered(w, BYTES_LITERAL("W3600"));
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'P');
    answered(w, answer);
    assert_bytes(file_content(w), bytes_from(answer, 1));
    written(w);
    assert_true(effect.reload);
}

static void a_ca_that_wants_to_know_is_told_once_it_is_written(void **state)
{
    struct world *w = *state;
    struct bytes answer;

    settings.confirms = true;
    assert_true(look(w));
    comes_due(w);
    answer = issues(w, (struct certificate_template){ .path_len = -1 });
    answered(w, answer);
    (void)file_content(w);
    written(w);
    assert_false(effect.reload); /* the transaction ends under the certificate that began it */
    comes_due(w);
    assert_int_equal(effect.body.data[0], 'C');
    answered(w, BYTES_LITERAL("D"));
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_true(effect.reload);
    in_use(w, bytes_from(answer, 1));
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
}

/* --- what goes wrong --- */
static void silence_is_met_with_the_same_octets_and_given_up_in_the_end(void **state)
{
    struct world *w = *state;
    struct bytes first;
    struct job_record job;

    assert_true(look(w));
    comes_due(w);
    first = effect.body;
    run(w, &(struct job_event){ .kind = JOB_EVENT_HTTP, .http_failure = "connection refused" });
    assert_complains(w, "CA demo: connection refused");
    comes_due(w);
    assert_bytes(effect.body, first);
    comes_due(w); /* as after a crash: no answer came */
    assert_complains(w, "the gateway stopped before the answer came");
    comes_due(w);
    assert_bytes(effect.body, first);
    w->now_s += DAY_S;
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_false(the_job(w, &job));
    assert_true(look(w)); /* and anew */
}

static void a_rejection_is_told_and_not_asked_again_at_once(void **state)
{
    struct world *w = *state;
    struct job_record job;

    assert_true(look(w));
    comes_due(w);
    answered(w, BYTES_LITERAL("Rnot you"));
    assert_complains(w, "certificate of listener tls: the CA rejected its renewal: not you");
    assert_true(the_job(w, &job));
    assert_int_equal(job.due_s, w->now_s + 6 * 3600);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_true(look(w));
}

static void assert_wrong(struct world *w, struct certificate_template twist, const char *fault, char then)
{
    struct certificate_record record;

    twist.path_len = -1;
    if (!look(w))
        fail_msg("no renewal for: %s", fault);
    comes_due(w);
    answered(w, issues(w, twist));
    assert_complains(w, fault);
    assert_int_equal(recorded(w, &record), 0);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    comes_due(w);
    if (then != '\0') {
        assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
        assert_int_equal(effect.body.data[0], then);
        answered(w, BYTES_LITERAL("D"));
        comes_due(w); /* it has rested */
    }
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_int_equal(recorded(w, &record), 0);
}

static void a_wrong_certificate_is_never_written_and_is_given_back(void **state)
{
    struct world *w = *state;
    AUTO_STRUCT(buffer) more = BUFFER(256);

    buffer_append(&more, own_names(w));
    general_name_put(&more, GENERAL_NAME_DNS, BYTES_LITERAL("other.example.com"), BYTES_NONE);
    assert_wrong(w, (struct certificate_template){ .spki = keys_public(w->keys, "device") },
                 "it certifies another key", '\0');
    assert_wrong(w, (struct certificate_template){ .subject = a_dn(w->arena, "CN=other.example.com") },
                 "its subject is another", 'V');
    assert_wrong(w, (struct certificate_template){ .subject = a_dn(w->arena, "O=Example") },
                 "its subject is another", 'V');
    assert_wrong(w, (struct certificate_template){ .san = buffer_bytes(&more) }, "its SAN has other names",
                 'V');
    assert_wrong(w, (struct certificate_template){ .san = bytes_slice(own_names(w), 0, 16) },
                 "its SAN has other names", 'V');
    assert_wrong(w, (struct certificate_template){ .key_usage = KEY_USAGE_KEY_AGREEMENT },
                 "it lacks a key usage", 'V');
    assert_wrong(
        w, (struct certificate_template){ .extended_key_usage = &eku[1], .extended_key_usage_count = 1 },
        "it lacks an extended key usage", 'V');
    assert_wrong(w, (struct certificate_template){ .not_after_s = own.certificate.not_after_s },
                 "it ends no later than the one that it follows", 'V');
    assert_wrong(w, (struct certificate_template){ .not_before_s = w->now_s + 10 * DAY_S },
                 "it is not valid yet", 'V');
    assert_wrong(w, (struct certificate_template){ .is_ca = true }, "it is a CA's", 'V');
    assert_wrong(w, (struct certificate_template){ .issuer = a_dn(w->arena, "CN=Other CA") },
                 "another CA issued it", 'V');
    settings.confirms = true;
    assert_wrong(w, (struct certificate_template){ .san = buffer_bytes(&more) }, "its SAN has other names",
                 'N');
}

static void more_usages_than_before_do_no_harm(void **state)
{
    struct world *w = *state;

    assert_true(look(w));
    comes_due(w);
    answered(w, issues(w, (struct certificate_template){ .path_len = -1,
                                                         .key_usage = KEY_USAGE_DIGITAL_SIGNATURE |
                                                                      KEY_USAGE_KEY_AGREEMENT,
                                                         .extended_key_usage = eku,
                                                         .extended_key_usage_count = 2 }));
    (void)file_content(w);
}

static void a_file_that_cannot_be_written_is_told_and_tried_again(void **state)
{
    struct world *w = *state;
    struct bytes first;
    struct job_record job;

    assert_true(look(w));
    comes_due(w);
    first = file_content(w);
    run(w, &(struct job_event){ .kind = JOB_EVENT_FILE, .file_failure = PATH ".new: Permission denied" });
    assert_complains(w, "the user that the gateway runs as cannot write it: " PATH ".new: Permission denied");
    assert_true(the_job(w, &job));
    assert_int_equal(job.due_s, w->now_s + 10);
    comes_due(w);
    assert_bytes(file_content(w), first); /* nothing is issued twice */
    run(w, &(struct job_event){ .kind = JOB_EVENT_FILE, .file_failure = "full" });
    assert_true(the_job(w, &job));
    assert_int_equal(job.due_s, w->now_s + 20);
}

static void after_a_crash_the_file_is_written_again_or_found_written(void **state)
{
    struct world *w = *state;
    struct bytes made;

    assert_true(look(w));
    comes_due(w);
    made = file_content(w);
    comes_due(w); /* nobody knows whether it was written */
    assert_bytes(file_content(w), made);
    in_use(w, made); /* it was: the start has read it */
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_false(effect.reload);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
}

static void a_reload_that_fails_is_told_and_asked_for_again(void **state)
{
    struct world *w = *state;
    struct bytes made;

    assert_true(look(w));
    comes_due(w);
    made = file_content(w);
    written(w);
    assert_true(effect.reload);
    comes_due(w);
    assert_complains(w, "the new one is in its file, but not in use");
    assert_true(effect.reload);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(effect.until_s, w->now_s + 10);
    in_use(w, made);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
}

static void what_an_operator_puts_in_its_place_stays(void **state)
{
    struct world *w = *state;

    assert_true(look(w));
    comes_due(w);
    (void)file_content(w);
    in_use(w, a_certificate(w, "ra", 300));
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_non_null(strstr(w->turn.facts.detail, "another certificate took its place"));
}

static void what_is_not_configured_any_more_is_not_renewed(void **state)
{
    struct world *w = *state;

    assert_true(look(w));
    own.ca = NULL;
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    own.ca = "demo";
    assert_true(look(w));
    all.count = 0;
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
}

/* A record that lacks what its stage goes on with is none. */
static void a_stored_renewal_is_whole_for_its_stage(void **state)
{
    struct world *w = *state;
    const struct service_renewal whole[] = {
        { .stage = SERVICE_STAGE_ORDER, .order = { .phase = ORDER_PHASE_FETCH } },
        { .stage = SERVICE_STAGE_WRITE,
          .pem = BYTES_LITERAL("pem"),
          .order = { .phase = ORDER_PHASE_FETCH } },
        { .stage = SERVICE_STAGE_TELL, .order = { .phase = ORDER_PHASE_CONFIRM } },
        { .stage = SERVICE_STAGE_TELL, .order = { .phase = ORDER_PHASE_REVOKE } },
        { .stage = SERVICE_STAGE_LOAD, .order = { .phase = ORDER_PHASE_FETCH } },
        { .stage = SERVICE_STAGE_REST, .order = { .phase = ORDER_PHASE_FETCH } },
    };
    const struct service_renewal lacking[] = {
        { .stage = SERVICE_STAGE_NONE, .order = { .phase = ORDER_PHASE_FETCH } },
        { .stage = SERVICE_STAGE_ORDER, .order = { .phase = ORDER_PHASE_CONFIRM } },
        { .stage = SERVICE_STAGE_WRITE, .order = { .phase = ORDER_PHASE_FETCH } },
        { .stage = SERVICE_STAGE_WRITE, .pem = BYTES_LITERAL("pem") },
        { .stage = SERVICE_STAGE_TELL, .order = { .phase = ORDER_PHASE_FETCH } },
        { .stage = SERVICE_STAGE_TELL, .order = { .phase = ORDER_PHASE_CHAIN } },
        { .stage = SERVICE_STAGE_LOAD },
    };
    struct service_renewal renewal, read;
    struct bytes record = BYTES_NONE;

    for (size_t i = 0; i < COUNT_OF(whole) + COUNT_OF(lacking); i++) {
        bool is_whole = i < COUNT_OF(whole);

        renewal = is_whole ? whole[i] : lacking[i - COUNT_OF(whole)];
        renewal.path = bytes_text(PATH);
        assert_true(service_renewal_encode(&renewal, w->arena, &record, NULL));
        assert_int_equal(service_renewal_decode(record, &read), is_whole);
    }
    renewal = whole[0];
    assert_true(service_renewal_encode(&renewal, w->arena, &record, NULL));
    assert_false(service_renewal_decode(record, &read)); /* of no file */
}

/* --- warnings --- */
static void what_nears_its_end_without_renewal_is_told_once_a_day(void **state)
{
    struct world *w = *state;

    own.ca = NULL;
    in_use(w, a_certificate(w, "ra", 31));
    assert_false(look(w));
    assert_string_equal(w->turn.facts.error, "");
    w->now_s += DAY_S;
    assert_false(look(w));
    assert_complains(w, "certificate of listener tls ends in 30 days: nobody renews it");
    w->now_s += 3600;
    assert_false(look(w));
    assert_string_equal(w->turn.facts.error, "");
    w->now_s += DAY_S;
    assert_false(look(w));
    assert_complains(w, "ends in 28 days");
    w->now_s += 31 * DAY_S;
    assert_false(look(w));
    assert_complains(w, "has ended 2 days ago");
}

static void a_renewal_that_does_not_come_through_is_told(void **state)
{
    struct world *w = *state;

    in_use(w, a_certificate(w, "ra", 30));
    assert_true(look(w));
    assert_string_equal(w->turn.facts.error, "");
    w->now_s += 15 * DAY_S;
    assert_true(look(w));
    assert_complains(w, "ends in 15 days: its renewal has not come through");
}

static void a_ca_that_ends_no_later_is_not_asked(void **state)
{
    struct world *w = *state;

    own.certificate.not_after_s = w->ca.certificate.not_after_s;
    w->now_s = own.certificate.not_after_s - DAY_S;
    assert_false(look(w));
    assert_complains(w, "its CA ends no later");
    own.ca = "gone";
    w->now_s += DAY_S;
    assert_false(look(w));
    assert_complains(w, "its CA is not configured");
}

#define local_test(name)    cmocka_unit_test_setup_teardown(name, local_world, tear_down)
#define upstream_test(name) cmocka_unit_test_setup_teardown(name, upstream_world, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        local_test(nothing_happens_before_its_time),
        local_test(one_that_nobody_renews_is_left_alone),
        local_test(a_short_life_is_not_renewed_in_its_first_half),
        local_test(the_embedded_ca_certifies_the_same_again),
        local_test(the_audit_says_what_was_issued_to_whom),
        local_test(it_is_no_device_s_credential),
        upstream_test(an_upstream_ca_is_asked_step_by_step),
        upstream_test(a_ca_that_wants_to_know_is_told_once_it_is_written),
        upstream_test(silence_is_met_with_the_same_octets_and_given_up_in_the_end),
        upstream_test(a_rejection_is_told_and_not_asked_again_at_once),
        upstream_test(a_wrong_certificate_is_never_written_and_is_given_back),
        upstream_test(more_usages_than_before_do_no_harm),
        local_test(a_file_that_cannot_be_written_is_told_and_tried_again),
        local_test(after_a_crash_the_file_is_written_again_or_found_written),
        local_test(a_reload_that_fails_is_told_and_asked_for_again),
        local_test(what_an_operator_puts_in_its_place_stays),
        local_test(what_is_not_configured_any_more_is_not_renewed),
        local_test(a_stored_renewal_is_whole_for_its_stage),
        local_test(what_nears_its_end_without_renewal_is_told_once_a_day),
        local_test(a_renewal_that_does_not_come_through_is_told),
        local_test(a_ca_that_ends_no_later_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
