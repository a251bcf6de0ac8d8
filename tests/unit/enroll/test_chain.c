/* The job that asks an upstream CA for its chain, between its effects: what the CA answers, whether the file
 * is written, and what a reload makes of it. */
#include "enroll/chain_internal.h"
#include "tests/lib/upstream.h"
#include "tests/unit/enroll/enroll_world.h"

#define PATH "/var/lib/muster/chain-demo.pem"

static struct upstream settings;
static struct job_effect effect; /* of the last step */

/* --- a connector that can be asked: A; the CA tells its certificates: T --- */
static bool ask_chain(const struct connector_call *call, struct connector_step *out, struct error *err)
{
    (void)err;
    return upstream_say(call, 'A', BYTES_NONE, BYTES_LITERAL("asking"), out);
}

static bool resume(const struct connector_call *call, struct bytes state, const struct connector_event *event,
                   struct connector_step *out, struct error *err)
{
    struct bytes rest = bytes_from(event->body, 1);

    if (event->kind != CONNECTOR_EVENT_ANSWER || event->body.len == 0 || event->body.data[0] != 'T')
        return upstream_resume(call, state, event, out, err);
    *out = (struct connector_step){ .verdict = CONNECTOR_CHAIN };
    while (rest.len > 2 && out->chain_count < CA_TOLD_MAX) { /* each behind its length */
        size_t len = (size_t)rest.data[0] << 8 | rest.data[1];

        out->chain[out->chain_count++] = bytes_slice(rest, 2, len);
        rest = bytes_from(rest, 2 + len);
    }
    return true;
}

static const struct connector connector = { .name = "test", .resume = resume, .ask_chain = ask_chain };

static struct bytes tells(struct world *w, const struct bytes *der, size_t count)
{
    AUTO_STRUCT(buffer) body = BUFFER(UPSTREAM_BODY_MAX);

    buffer_append_byte(&body, 'T');
    for (size_t i = 0; i < count; i++) {
        buffer_append_u16(&body, (uint16_t)der[i].len);
        buffer_append(&body, der[i]);
    }
    return arena_copy(w->arena, buffer_bytes(&body));
}

/* --- certificates of CAs --- */
struct link { /* defaults: key "ra", "CN=One", by the anchor */
    const char *key, *subject, *issuer, *signer;
    bool end_entity, expired;
};

static struct bytes a_link(struct world *w, struct link l)
{
    uint8_t serial[CA_SERIAL_LEN];
    struct certificate_template t = {
        .issuer = a_dn(w->arena, l.issuer != NULL ? l.issuer : "CN=Test CA"),
        .subject = a_dn(w->arena, l.subject != NULL ? l.subject : "CN=One"),
        .not_before_s = w->now_s - DAY_S,
        .not_after_s = l.expired ? w->now_s - 1 : w->now_s + 900 * (int64_t)DAY_S,
        .spki = keys_public(w->keys, l.key != NULL ? l.key : "ra"),
        .is_ca = !l.end_entity,
        .path_len = -1,
        .key_usage = KEY_USAGE_KEY_CERT_SIGN,
    };
    struct bytes der;

    assert_true(ca_serial_make(w->now_s, &w->random, serial));
    t.serial = BYTES_ARRAY(serial);
    assert_true(
        certificate_sign(&t, w->keys, l.signer != NULL ? l.signer : "ca", DIGEST_NONE, w->arena, &der, NULL));
    return der;
}

/* As a load of the configuration does, with this in the file. */
static void loads(struct world *w, struct bytes pem)
{
    struct bytes anchor = w->ca.anchor[0];

    ca_release(&w->ca);
    w->ca = (struct ca){ .name = "demo",
                         .connector = &connector,
                         .connector_service = &settings,
                         .patience = { .timeout_ms = 5000, .concurrency = 2 },
                         .anchor = { anchor },
                         .anchor_count = 1,
                         .chain_path = PATH,
                         .chain_refresh_s = DAY_S };
    assert_true(ca_recall_chain(&w->ca, pem, w->now_s, w->arena, NULL));
    assert_true(ca_prepare(&w->ca, w->keys, NULL));
}

static int chain_world(void **state)
{
    struct world *w;

    if (set_up(state) != 0)
        return -1;
    w = *state;
    settings = (struct upstream){ 0 };
    w->ca.anchor[0] = w->ca.chain[0];
    loads(w, BYTES_NONE);
    return 0;
}

/* --- steps --- */
static bool the_job(struct world *w, struct job_record *job)
{
    struct job_record due[4];
    int64_t next_s;
    size_t count = 0;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(
        registry_jobs_due(w->view, INT64_MAX - 1, COUNT_OF(due), w->arena, due, &count, &next_s, NULL));
    assert_true(count <= 1);
    if (count == 1) {
        *job = due[0];
        job->state = arena_copy(w->arena, job->state);
        job->kind = arena_copy(w->arena, job->kind);
    }
    return count == 1;
}

static struct chain_asking kept(struct world *w)
{
    struct chain_asking asking = { 0 };
    struct job_record job;

    assert_true(the_job(w, &job));
    assert_true(chain_asking_decode(job.state, &asking));
    return asking;
}

/* The standing job looks. */
static void look(struct world *w)
{
    const struct job_record job = { .kind = BYTES_LITERAL(ENROLL_CHAINS_JOB) };
    struct job_step step = { 0 };

    begin_turn(w);
    assert_true(enroll_chains_job_run(&w->turn, &w->service, &job,
                                      &(struct job_event){ .kind = JOB_EVENT_DUE }, &step, NULL));
    assert_int_equal(step.effect.until_s, w->now_s + CHAIN_LOOK_S);
    assert_int_equal(apply(w), APPLY_DONE);
}

static void run(struct world *w, const struct job_event *event)
{
    const struct job_handler row = { .kind = ENROLL_CHAIN_JOB,
                                     .run = enroll_chain_job_run,
                                     .service = &w->service };
    struct job_record job;
    struct error err = { 0 };

    assert_true(the_job(w, &job));
    begin_turn(w);
    if (!job_run(&w->turn, &row, 1, &job, event, &effect, &err))
        fail_msg("%s", err.text);
    effect.body = arena_copy(w->arena, effect.body);
    effect.content = arena_copy(w->arena, effect.content);
    assert_int_equal(apply(w), APPLY_DONE);
}

static void comes_due(struct world *w)
{
    struct job_record job;

    assert_true(the_job(w, &job));
    if (w->now_s < job.due_s)
        w->now_s = job.due_s;
    run(w, &(struct job_event){ .kind = JOB_EVENT_DUE });
}

static void answered(struct world *w, struct bytes body)
{
    run(w, &(struct job_event){
               .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200, .http_body = body });
}

static void written(struct world *w)
{
    run(w, &(struct job_event){ .kind = JOB_EVENT_FILE, .file_ok = true });
}

static void is_asked(struct world *w)
{
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
    assert_int_equal(effect.body.data[0], 'A');
    assert_string_equal(effect.target, "demo");
}

static void assert_complains(struct world *w, const char *text)
{
    if (strstr(w->turn.facts.error, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, w->turn.facts.error);
}

static struct bytes file_content(void)
{
    assert_int_equal(effect.kind, JOB_EFFECT_FILE);
    assert_string_equal(effect.path, PATH);
    return effect.content;
}

/* From nothing to a chain in use: one and the anchor. */
static struct bytes becomes_known(struct world *w)
{
    const struct bytes one = a_link(w, (struct link){ 0 });
    struct bytes pem;

    look(w);
    is_asked(w);
    answered(w, tells(w, &one, 1));
    pem = file_content();
    written(w);
    loads(w, pem);
    assert_false(w->ca.chain_awaited);
    comes_due(w);
    return one;
}

/* --- the good way --- */
static void what_it_tells_is_judged_written_and_loaded(void **state)
{
    struct world *w = *state;
    const struct bytes one = a_link(w, (struct link){ 0 });
    const struct bytes told[] = { w->ca.anchor[0], one };
    struct bytes pem, der[CA_TOLD_MAX];
    struct job_record job;
    size_t count = 0;

    assert_true(w->ca.chain_awaited);
    look(w);
    look(w); /* one job is enough */
    is_asked(w);
    answered(w, tells(w, told, COUNT_OF(told)));
    pem = file_content();
    assert_true(certificates_from_pem(pem, w->arena, der, COUNT_OF(der), &count, NULL));
    assert_int_equal(count, 2);
    assert_bytes(der[0], one); /* the issuing one first */
    assert_bytes(der[1], w->ca.anchor[0]);
    assert_false(effect.reload);
    written(w);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_true(effect.reload);
    loads(w, pem);
    assert_false(w->ca.chain_awaited);
    comes_due(w);
    assert_string_equal(w->turn.facts.verdict, "served");
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(effect.until_s, w->now_s + DAY_S);
    assert_true(the_job(w, &job));
    assert_int_equal(kept(w).pem.len, 0);
    is_asked(w); /* again, a day later; what it tells is in use already */
    answered(w, tells(w, told, COUNT_OF(told)));
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(effect.until_s, w->now_s + DAY_S);
}

static void another_issuer_makes_it_ask_soon(void **state)
{
    struct world *w = *state;
    const struct bytes one = becomes_known(w);
    const struct bytes two = a_link(w, (struct link){ .key = "device", .subject = "CN=Two" });
    struct certificate issued = { .encoded = BYTES_LITERAL("x") }, decoded;
    struct job_record job;

    assert_true(certificate_decode(two, w->arena, &decoded));
    issued.issuer.encoded = decoded.subject.encoded;
    w->now_s += 61;
    begin_turn(w);
    assert_true(enroll_chain_look(&w->turn, &w->ca, &issued, NULL));
    assert_int_equal(apply(w), APPLY_DONE);
    assert_true(the_job(w, &job));
    assert_int_equal(job.due_s, w->now_s);
    is_asked(w);
    answered(w, tells(w, (const struct bytes[]){ one, two }, 2));
    assert_int_equal(effect.kind, JOB_EFFECT_FILE);
    loads(w, file_content());
    assert_bytes(w->ca.chain[0], two); /* by whom the certificate came */
    assert_int_equal(w->ca.other_count, 1);
    assert_bytes(w->ca.other[0], one);
}

/* --- what goes wrong --- */
static void assert_nothing_comes_of(struct world *w, struct bytes body, const char *complaint)
{
    struct chain_asking asking;

    is_asked(w);
    answered(w, body);
    assert_complains(w, complaint);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_false(effect.reload);
    asking = kept(w);
    assert_int_equal(asking.stage, CHAIN_STAGE_REST);
    assert_int_equal(asking.pem.len, 0);
}

static void what_the_anchor_does_not_vouch_for_is_never_written(void **state)
{
    struct world *w = *state;
    const struct bytes wrong[] = {
        a_root(w, "other-ca", "CN=Test CA"),              /* the same name, another key */
        a_link(w, (struct link){ .signer = "other-ca" }), /* not signed by it */
        a_link(w, (struct link){ .issuer = "CN=Other", .signer = "device" }),
        a_link(w, (struct link){ .end_entity = true }),
        a_link(w, (struct link){ .expired = true }),
        BYTES_LITERAL("no certificate at all"),
    };
    const char *none = "what the CA tells does not count: none of its certificates chains to what is pinned";

    look(w);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_nothing_comes_of(w, tells(w, &wrong[i], 1), none);
    assert_nothing_comes_of(w, tells(w, wrong, COUNT_OF(wrong)), none);
    assert_nothing_comes_of(w, tells(w, NULL, 0), none);
    assert_complains(w, "; it is not known yet");
    assert_true(w->ca.chain_awaited);
}

static void a_wrong_answer_leaves_the_chain_in_use_as_it_is(void **state)
{
    struct world *w = *state;
    const struct bytes stranger = a_root(w, "other-ca", "CN=Stranger"), one = becomes_known(w);

    is_asked(w);
    answered(w, tells(w, &stranger, 1)); /* what is known counts beside it */
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_bytes(w->ca.chain[0], one);
    assert_int_equal(kept(w).stage, CHAIN_STAGE_REST);
}

static void garbage_is_met_with_the_same_octets(void **state)
{
    struct world *w = *state;
    struct bytes first;

    look(w);
    is_asked(w);
    first = effect.body;
    answered(w, BYTES_LITERAL("?"));
    comes_due(w);
    assert_bytes(effect.body, first);
    run(w, &(struct job_event){ .kind = JOB_EVENT_HTTP, .http_failure = "connection refused" });
    assert_complains(w, "CA demo: connection refused");
    comes_due(w);
    assert_bytes(effect.body, first);
    comes_due(w); /* the gateway stopped meanwhile */
    assert_complains(w, "the gateway stopped before the answer came");
    w->now_s += 600;
    comes_due(w);
    assert_complains(w, "chain of CA demo: the CA is silent: it is asked again later");
    assert_int_equal(kept(w).stage, CHAIN_STAGE_REST);
    is_asked(w);
}

static void a_ca_that_does_not_tell_is_asked_ever_later(void **state)
{
    struct world *w = *state;
    int64_t pause_s = 0;

    look(w);
    for (int i = 0; i < 12; i++) {
        assert_nothing_comes_of(w, BYTES_LITERAL("Rno"), "the CA does not tell it: no");
        assert_true(effect.until_s - w->now_s >= pause_s);
        pause_s = effect.until_s - w->now_s;
    }
    assert_int_equal(pause_s, 3600);
}

/* The connector's verdicts for orders are none for a chain. */
static void a_certificate_is_no_answer(void **state)
{
    struct world *w = *state;
    const struct job_handler row = { .kind = ENROLL_CHAIN_JOB,
                                     .run = enroll_chain_job_run,
                                     .service = &w->service };
    const struct bytes answers[] = { BYTES_LITERAL("Ix"), BYTES_LITERAL("D") };
    struct job_record job;
    struct error err = { 0 };

    look(w);
    is_asked(w);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_true(the_job(w, &job));
        begin_turn(w);
        assert_false(job_run(
            &w->turn, &row, 1, &job,
            &(struct job_event){
                .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200, .http_body = answers[i] },
            &effect, &err));
        assert_non_null(strstr(err.text, "gave no verdict that fits"));
    }
}

static void a_file_that_cannot_be_written_is_told(void **state)
{
    struct world *w = *state;
    const struct bytes one = a_link(w, (struct link){ 0 });

    look(w);
    is_asked(w);
    answered(w, tells(w, &one, 1));
    (void)file_content();
    run(w, &(struct job_event){ .kind = JOB_EVENT_FILE, .file_failure = "disk full" });
    assert_complains(w, "it cannot be written: disk full");
    is_asked(w); /* from the beginning */
}

static void after_a_crash_the_same_file_is_written_again(void **state)
{
    struct world *w = *state;
    const struct bytes one = a_link(w, (struct link){ 0 });
    struct bytes pem;

    look(w);
    is_asked(w);
    answered(w, tells(w, &one, 1));
    pem = file_content();
    comes_due(w);
    assert_bytes(file_content(), pem);
}

static void a_file_that_is_not_in_use_is_told(void **state)
{
    struct world *w = *state;
    const struct bytes one = a_link(w, (struct link){ 0 });

    look(w);
    is_asked(w);
    answered(w, tells(w, &one, 1));
    written(w);
    comes_due(w); /* and no reload came */
    assert_complains(w, "it is in its file, but not in use");
    is_asked(w);
    answered(w, tells(w, &one, 1));
    loads(w, effect.content);
    w->ca.chain_awaited = true; /* it was spoilt on disk */
    written(w);
    comes_due(w);
    assert_complains(w, "it is in its file, but does not hold");
}

static void what_is_not_asked_any_more_ends(void **state)
{
    struct world *w = *state;
    struct job_record job;

    look(w);
    w->ca.anchor_count = 0;
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_false(the_job(w, &job));
    look(w);
    assert_false(the_job(w, &job));
}

/* A record that lacks what its stage goes on with is none. */
static void a_stored_asking_is_whole_for_its_stage(void **state)
{
    struct world *w = *state;
    const struct order order = { .phase = ORDER_PHASE_CHAIN, .ca = BYTES_LITERAL("demo") };
    struct chain_asking asking = { .stage = CHAIN_STAGE_WRITE, .order = order }, read;
    struct bytes record = BYTES_NONE;

    assert_true(chain_asking_encode(&asking, w->arena, &record, NULL));
    assert_false(chain_asking_decode(record, &read));
    asking.pem = BYTES_LITERAL("pem");
    assert_true(chain_asking_encode(&asking, w->arena, &record, NULL));
    assert_true(chain_asking_decode(record, &read));
    assert_bytes(read.pem, asking.pem);
    asking.order.phase = ORDER_PHASE_FETCH;
    assert_true(chain_asking_encode(&asking, w->arena, &record, NULL));
    assert_false(chain_asking_decode(record, &read));
    asking = (struct chain_asking){ .order = order };
    assert_true(chain_asking_encode(&asking, w->arena, &record, NULL));
    assert_false(chain_asking_decode(record, &read));
}

#define chain_test(name) cmocka_unit_test_setup_teardown(name, chain_world, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        chain_test(what_it_tells_is_judged_written_and_loaded),
        chain_test(another_issuer_makes_it_ask_soon),
        chain_test(what_the_anchor_does_not_vouch_for_is_never_written),
        chain_test(a_wrong_answer_leaves_the_chain_in_use_as_it_is),
        chain_test(garbage_is_met_with_the_same_octets),
        chain_test(a_ca_that_does_not_tell_is_asked_ever_later),
        chain_test(a_certificate_is_no_answer),
        chain_test(a_file_that_cannot_be_written_is_told),
        chain_test(after_a_crash_the_same_file_is_written_again),
        chain_test(a_file_that_is_not_in_use_is_told),
        chain_test(what_is_not_asked_any_more_ends),
        chain_test(a_stored_asking_is_whole_for_its_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
