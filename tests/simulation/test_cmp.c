/* CMP devices, and a SCEP device that wants the same registrations: requests of every kind under a MAC or a
 * signature, confirmation (explicit, implicit, refused, forgotten), polling while an officer thinks, key
 * updates, revocation; lost answers, the same message again, duplicates that race, late copies of old ones,
 * a clock that jumps, crashes. At the end of each seed: what the ledger says of each entry of the audit; what
 * was answered is recorded; nothing was admitted that no registration admits; a certificate that was not
 * confirmed is revoked, and its one-time registration is free again, exactly then; the audit verifies.
 *
 * MUSTER_SEEDS=N runs N seeds (default 150), MUSTER_SEED=S replays one and tells each step. */
#include "enroll/confirm.h"
#include "enroll/pending.h"
#include "registry/certificates.h"
#include "registry/registrations.h"
#include "registry/state.h"
#include "tests/lib/cmp_ledger.h"
#include "tests/simulation/cmp_world.h"

/* --- answers --- */
static void flight_end(struct flight *f)
{
    arena_free(f->arena);
    *f = (struct flight){ 0 };
}

/* The transaction is remembered: it can go on after a crash. */
static bool is_remembered(struct world *w, const struct cmp_deal *deal)
{
    const struct state_key key = { .procedure = BYTES_LITERAL("demo"),
                                   .kind = "cmp",
                                   .id = BYTES_ARRAY(deal->id) };
    struct state_value value;
    bool found = false;

    assert_true(registry_state(a_gateway_view(w->gateway), &key, w->arena, &found, &value, NULL));
    registry_view_reset(w->gateway->view);
    return found;
}

static void deliver_cmp(struct world *w, struct flight *f)
{
    struct cmp_device *d = &w->device[f->device];
    struct cmp_said said;

    assert_int_equal(f->answering.response.status, 200);
    said = cmp_device_hear(d, w->gateway, f->sent, f->answering.response.body, f->arena);
    tell(w, "  %s hears %s, status %d, failInfo 0x%x %.*s\n", d->fqdn, cmp_body_name(said.body),
         (int)said.status - 1, said.fail_info, BYTES_FMT(said.text));
    if (said.certificate != NULL) {
        assert_true(a_gateway_has_certificate(w->gateway, cmp_client_der(f->arena, said.certificate)));
        w->received++;
    }
    if (said.certificate != NULL || said.status == CMP_WAITING || said.body == CMP_POLL_REP ||
        said.body == CMP_PKICONF) {
        assert_false(cast[f->device].is_hopeless);
        assert_true(is_remembered(w, f->deal));
    }
    w->waited += said.status == CMP_WAITING;
    w->refused_old += f->deal->superseded;
    cmp_client_reset();
    scep_client_reset();
}

static void deliver(struct world *w, struct flight *f)
{
    struct bytes der = BYTES_NONE;

    if (!f->is_rival)
        deliver_cmp(w, f);
    else if (device_read(&w->rival[f->device], w->gateway, &f->request, &f->answering.response, f->arena,
                         &der))
        assert_true(a_gateway_has_certificate(w->gateway, der));
}

static void run_turn(struct world *w, struct flight *f)
{
    answer_turn(&f->answering, a_gateway_view(w->gateway), w->gateway->random, w->gateway->now_s);
    registry_view_reset(w->gateway->view);
    assert_string_not_equal(f->answering.turn.facts.verdict, "error");
}

/* --- what a device says --- */
static struct bytes begin(struct world *w, struct cmp_device *d)
{
    static const enum cmp_body firsts[] = { CMP_IR, CMP_P10CR, CMP_CR };
    static const enum cmp_body olds[] = { CMP_KUR, CMP_CR, CMP_RR, CMP_GENM };
    const struct random_source *random = &w->gateway->random;
    bool implicit = choose(w, 3) == 0;
    unsigned what = choose(w, 12);

    if (what < 3 && d->old.key != NULL) {
        enum cmp_body body = olds[choose(w, COUNT_OF(olds))];

        return cmp_device_begin(d, random, body, CMP_DEVICE_BY_OLD,
                                implicit && body != CMP_RR && body != CMP_GENM);
    }
    if (what < 8 && d->own.key != NULL)
        return cmp_device_begin(d, random, CMP_KUR, CMP_DEVICE_BY_OWN, implicit);
    if (what == 8 && d->own.key != NULL)
        return cmp_device_begin(d, random, CMP_RR, CMP_DEVICE_BY_OWN, false);
    if (what == 9 && d->own.key != NULL)
        return cmp_device_begin(d, random, CMP_CR, CMP_DEVICE_BY_OWN, implicit);
    return cmp_device_begin(d, random, firsts[choose(w, d->vendor.key != NULL ? 2 : 3)], CMP_DEVICE_BY_SECRET,
                            implicit);
}

static struct bytes settle(struct world *w, struct cmp_device *d)
{
    const struct random_source *random = &w->gateway->random;

    switch (choose(w, 12)) {
    case 0: return begin(w, d); /* not a word on it */
    case 1: return cmp_device_settle(d, random, CMP_ERROR, false);
    case 2:
    case 3: return cmp_device_settle(d, random, CMP_CERT_CONF, false);
    case 4: return cmp_device_settle(d, random, CMP_PKICONF, true);
    default: return cmp_device_settle(d, random, CMP_CERT_CONF, true);
    }
}

static struct bytes go_on(struct world *w, struct cmp_device *d)
{
    switch (d->phase) {
    case CMP_DEVICE_IDLE: return begin(w, d);
    case CMP_DEVICE_HOLDS: return settle(w, d);
    case CMP_DEVICE_WAITS:
        if (choose(w, 10) == 0)
            return cmp_device_settle(d, &w->gateway->random, CMP_ERROR, false);
        return choose(w, 10) == 0 ? begin(w, d) : cmp_device_poll(d, &w->gateway->random);
    case CMP_DEVICE_ASKS:
    case CMP_DEVICE_TOLD: break;
    }
    return choose(w, 5) == 0 ? begin(w, d) : d->message;
}

/* What goes on, the same once more, or a late copy of a request from long ago. */
static void pick_message(struct world *w, struct flight *f)
{
    struct cmp_device *d = &w->device[f->device];
    unsigned back = choose(w, 4);

    f->deal = d->deal;
    if (d->deal != NULL && choose(w, 8) == 0) {
        while (back-- > 0 && f->deal->next != NULL)
            f->deal = f->deal->next;
        f->sent = f->deal->opening;
        return;
    }
    f->sent = d->message.len > 0 && choose(w, 3) == 0 ? d->message : go_on(w, d);
    f->deal = d->deal;
    cmp_client_reset();
    scep_client_reset();
}

/* --- steps --- */
static struct flight *free_flight(struct world *w)
{
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        if (!w->flight[i].busy)
            return &w->flight[i];
    return NULL;
}

static void step_send(struct world *w)
{
    struct flight *f = free_flight(w);

    if (f == NULL)
        return;
    *f = (struct flight){ .busy = true, .device = choose(w, CAST_COUNT), .arena = arena_new(REQUEST_ARENA) };
    assert_non_null(f->arena);
    f->is_rival = cast[f->device].is_rivalled && choose(w, 8) == 0;
    if (f->is_rival) {
        device_request(&w->rival[f->device], w->gateway, choose(w, 2) == 0, f->arena, &f->request);
    } else {
        pick_message(w, f);
        cmp_device_request(&w->device[f->device], f->sent, f->arena, &f->request);
    }
    assert_false(answer_at_once(&f->answering, &w->gateway->config, &f->request));
    run_turn(w, f);
    tell(w, "%s %s: %s %s %s, %zu changes\n", cast[f->device].fqdn,
         f->is_rival ? "over SCEP" : f->answering.turn.facts.operation, f->answering.turn.facts.verdict,
         f->answering.turn.facts.reason != NULL ? f->answering.turn.facts.reason : "",
         f->answering.turn.facts.detail != NULL ? f->answering.turn.facts.detail : "",
         f->answering.turn.changes.count);
    if (f->answering.turn.changes.count == 0) {
        if (choose(w, 5) != 0)
            deliver(w, f);
        flight_end(f);
    }
}

/* Durable: the answer goes out, or gets lost. Not: it runs again, and may have to wait again. */
static void land(struct world *w, struct flight *f, enum apply_result result)
{
    tell(w, "commit for %s: %s\n", cast[f->device].fqdn, result == APPLY_DONE ? "done" : "conflict");
    if (result == APPLY_CONFLICT) {
        w->conflicts++;
        run_turn(w, f);
        if (f->answering.turn.changes.count > 0)
            return;
    }
    if (choose(w, 5) != 0)
        deliver(w, f);
    else
        tell(w, "  the answer is lost\n");
    flight_end(f);
}

static void step_commit(struct world *w, bool all)
{
    const struct changes *changes[IN_FLIGHT];
    enum apply_result result[IN_FLIGHT];
    struct flight *batch[IN_FLIGHT];
    struct error err = { 0 };
    size_t count = 0;

    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (w->flight[i].busy && (all || choose(w, 4) != 0)) {
            batch[count] = &w->flight[i];
            changes[count++] = &w->flight[i].answering.turn.changes;
        }
    }
    if (count == 0)
        return;
    if (!registry_apply(w->gateway->registry, changes, count, w->gateway->now_s, result, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++)
        land(w, batch[i], result[i]);
}

static struct turn a_turn(struct world *w)
{
    struct turn turn = { .view = a_gateway_view(w->gateway),
                         .keys = w->gateway->config.keys,
                         .random = w->gateway->random,
                         .now_s = w->gateway->now_s,
                         .arena = w->arena };

    changes_begin(&turn.changes, w->arena);
    return turn;
}

/* An officer closes a registration, or opens it again. */
static void step_officer(struct world *w)
{
    struct registration *r = &w->registration[CAST_CLOSING];
    struct changes changes;
    uint64_t expected = r->revision;
    struct audit_head head;

    assert_true(registry_audit_head(a_gateway_view(w->gateway), &head, NULL));
    w->turned[w->turned_count++] = head.size;
    r->state = r->state == REGISTRATION_OPEN ? REGISTRATION_CLOSED : REGISTRATION_OPEN;
    r->revision++;
    changes_begin(&changes, w->arena);
    change_registration_put(&changes, r, expected);
    a_gateway_apply(w->gateway, &changes);
    tell(w, "the registration is %s\n", r->state == REGISTRATION_OPEN ? "open" : "closed");
}

/* An officer decides on what waits. */
static void step_decide(struct world *w)
{
    struct turn turn = a_turn(w);
    struct pending *waiting = arena_array(w->arena, WAITING_MAX, sizeof(*waiting));
    struct error err = { 0 };
    bool found = false, approve = choose(w, 4) != 0;
    size_t count = 0;

    assert_non_null(waiting);
    assert_true(pending_list(&turn, BYTES_LITERAL("demo"), WAITING_MAX, waiting, &count, &err));
    if (count == 0)
        return;
    assert_true(pending_decide(&turn, waiting[choose(w, (unsigned)count)].id, approve,
                               BYTES_LITERAL("test-officer"), &found, &err));
    assert_true(found);
    a_gateway_apply(w->gateway, &turn.changes);
    tell(w, "an officer %s one\n", approve ? "approves" : "denies");
}

/* One job that is due: the time to confirm is over. False: there is none. */
static bool step_job(struct world *w, int64_t *next_s)
{
    static const struct job_event due = { .kind = JOB_EVENT_DUE };
    const struct job_handler row = { .kind = ENROLL_CONFIRM_JOB,
                                     .run = enroll_confirm_job_run,
                                     .service = &w->gateway->config.enroll };
    struct turn turn = a_turn(w);
    struct job_effect effect = { 0 };
    struct error err = { 0 };
    struct job_record job;
    size_t count = 0;

    assert_true(registry_jobs_due(turn.view, w->gateway->now_s, 1, w->arena, &job, &count, next_s, &err));
    if (count == 0)
        return false;
    if (!job_run(&turn, &row, 1, &job, &due, &effect, &err))
        fail_msg("%s", err.text);
    a_gateway_apply(w->gateway, &turn.changes);
    tell(w, "a time to confirm is over\n");
    return true;
}

static void step_crash(struct world *w)
{
    tell(w, "crash\n");
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        if (w->flight[i].busy)
            flight_end(&w->flight[i]);
    a_gateway_restart(w->gateway);
    w->crashes++;
}

static void step(struct world *w)
{
    int64_t next_s;

    switch (choose(w, 26)) {
    case 0: step_officer(w); break;
    case 1:
        if (choose(w, 2) == 0)
            w->gateway->now_s += choose(w, 8 * 3600);
        break;
    case 2:
        if (choose(w, 3) == 0)
            step_crash(w);
        break;
    case 3: w->gateway->now_s += choose(w, 200); break;
    case 4: (void)step_job(w, &next_s); break;
    case 5: step_decide(w); break;
    case 6: w->gateway->procedure.manual_approval = choose(w, 3) == 0; break;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13: step_commit(w, false); break;
    default: step_send(w); break;
    }
}

/* --- what must hold --- */
static const struct cmp_deal *deal_of(void *world, struct bytes transaction)
{
    const struct world *w = world;
    char hex[2 * CMP_DEVICE_ID_LEN + 1];

    for (unsigned i = 0; i < CAST_COUNT; i++)
        for (const struct cmp_deal *deal = w->device[i].deal; deal != NULL; deal = deal->next) {
            hex_encode(BYTES_ARRAY(deal->id), hex);
            if (bytes_is(transaction, hex))
                return deal;
        }
    return NULL;
}

/* Nobody speaks any more, and every time to confirm runs out. */
static void drain(struct world *w)
{
    int64_t next_s = 0;
    bool busy = true;

    while (busy) {
        step_commit(w, true);
        busy = false;
        for (unsigned i = 0; i < IN_FLIGHT; i++)
            busy |= w->flight[i].busy;
    }
    while (step_job(w, &next_s) || next_s != INT64_MAX)
        if (next_s != INT64_MAX && next_s > w->gateway->now_s)
            w->gateway->now_s = next_s;
}

static unsigned device_of(struct bytes fqdn)
{
    for (unsigned i = 0; i < CAST_COUNT; i++)
        if (bytes_is(fqdn, cast[i].fqdn))
            return i;
    fail_msg("a certificate for %.*s, which no device asked for", BYTES_FMT(fqdn));
    return 0;
}

/* An entry of the audit that was written while CAST_CLOSING was closed. */
static bool was_closed(const struct world *w, uint64_t index)
{
    size_t turns = 0;

    while (turns < w->turned_count && w->turned[turns] <= index)
        turns++;
    return turns % 2 == 1;
}

static void check_record(struct world *w, struct ledger *l, const struct certificate_record *record)
{
    unsigned d = device_of(dns_name_bytes(&record->fqdn));
    char hex[2 * SERIAL_MAX + 1];
    const struct ledger_row *row;

    assert_false(cast[d].is_hopeless);
    if (d == CAST_EXPIRING)
        assert_true(record->issued_s < w->registration[d].accepted_s + 2 * 86400);
    hex_encode(bytes_of(record->id.serial, record->id.serial_len), hex);
    row = ledger_find(l, bytes_text(hex));
    assert_non_null(row);
    assert_false(d == CAST_CLOSING && was_closed(w, row->index));
    assert_int_equal(record->status == CERTIFICATE_REVOKED, row->revoked);
    w->confirmed += row->confirmed;
    w->given_back += row->given_back;
    w->updated += row->has_successor;
    w->revoked += row->revoked && !row->given_back;
}

static void check_one_time(struct world *w, const struct ledger *l, unsigned d)
{
    struct registration r;
    bool found = false;

    assert_true(
        registry_registration_by_id(w->gateway->view, &w->registration[d].id, w->arena, &found, &r, NULL));
    assert_true(found);
    for (size_t i = 0; i < l->one_time_count; i++)
        if (strcmp(l->one_time[i].fqdn, cast[d].fqdn) == 0 &&
            l->one_time[i].given_back <= LEDGER_GIVEN_BACK_MAX)
            assert_int_equal(r.used, l->one_time[i].used_by != NULL);
}

static struct ledger *check(struct world *w)
{
    struct ledger *l = arena_alloc(w->arena, sizeof(*l));
    struct certificate_record *record = arena_array(w->arena, LEDGER_MAX, sizeof(*record));
    struct registry_view *view = a_gateway_view(w->gateway);
    struct audit_head head;
    struct error err = { 0 };
    size_t count = 0;

    assert_true(l != NULL && record != NULL);
    *l = (struct ledger){ .arena = w->arena,
                          .implicit_confirm = w->gateway->procedure.cmp_implicit_confirm,
                          .deal_of = deal_of,
                          .world = w };
    for (unsigned i = 0; i < CAST_COUNT; i++)
        if (cast[i].registration.one_time)
            l->one_time[l->one_time_count++].fqdn = cast[i].fqdn;
    if (!registry_audit_verify(view, w->arena, ledger_entry, l, &head, &err))
        fail_msg("%s", err.text);
    ledger_settled(l);
    w->confirmed = w->given_back = w->updated = w->revoked = 0;
    assert_true(registry_certificates_list(view, NULL, LEDGER_MAX, w->arena, record, &count, &err));
    assert_int_equal(count, l->count);
    for (size_t i = 0; i < count; i++)
        check_record(w, l, &record[i]);
    check_one_time(w, l, CAST_ONE_TIME);
    check_one_time(w, l, CAST_ONE_TIME_TOO);
    registry_view_reset(view);
    return l;
}

/* One more, of a device that only wants its certificate: whether it has got it. */
static bool gets_one(struct world *w, unsigned i)
{
    struct cmp_device *d = &w->device[i];
    struct bytes sent = cmp_device_begin(d, &w->gateway->random, CMP_IR, CMP_DEVICE_BY_SECRET, false);

    for (unsigned round = 0; round < 2; round++) {
        AUTO_ARENA *arena = arena_new(REQUEST_ARENA);
        struct http_request request;
        struct http_response response;

        cmp_device_request(d, sent, arena, &request);
        response = a_gateway_ask(w->gateway, &request, NULL);
        (void)cmp_device_hear(d, w->gateway, sent, response.body, arena);
        if (d->phase != CMP_DEVICE_HOLDS)
            break;
        sent = cmp_device_settle(d, &w->gateway->random, CMP_CERT_CONF, true);
    }
    cmp_client_reset();
    scep_client_reset();
    return d->deal->settled;
}

/* Whoever may have a certificate gets one, a one-time registration that is free included. */
static void check_service(struct world *w)
{
    const struct ledger *l = check(w);

    w->gateway->procedure.manual_approval = false;
    assert_true(gets_one(w, CAST_PLAIN));
    assert_true(gets_one(w, CAST_WILDCARD));
    assert_true(gets_one(w, CAST_VENDOR));
    assert_false(gets_one(w, CAST_CLOSED));
    assert_int_equal(gets_one(w, CAST_CLOSING), w->registration[CAST_CLOSING].state == REGISTRATION_OPEN);
    for (unsigned i = 0; i < l->one_time_count; i++) {
        bool got = gets_one(w, i == 0 ? CAST_ONE_TIME : CAST_ONE_TIME_TOO),
             is_free = l->one_time[i].used_by == NULL;

        assert_true(got == is_free || (is_free && l->one_time[i].given_back > LEDGER_GIVEN_BACK_MAX));
    }
    (void)check(w);
}

static void add(struct world *sum, const struct world *w)
{
    sum->received += w->received;
    sum->confirmed += w->confirmed;
    sum->given_back += w->given_back;
    sum->updated += w->updated;
    sum->revoked += w->revoked;
    sum->waited += w->waited;
    sum->refused_old += w->refused_old;
    sum->conflicts += w->conflicts;
    sum->crashes += w->crashes;
}

static void run_seed(uint64_t seed, bool telling, struct world *sum)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->seed = seed;
    w->telling = telling;
    w->gateway = a_gateway_new(seed);
    w->arena = arena_new(WORLD_ARENA);
    assert_non_null(w->arena);
    w->gateway->procedure.cmp_implicit_confirm = choose(w, 3) != 0;
    cast_devices(w);
    for (unsigned i = 0; i < STEPS; i++)
        step(w);
    drain(w);
    check_service(w);
    add(sum, w);
    for (unsigned i = 0; i < CAST_COUNT; i++) {
        cmp_device_free(&w->device[i]);
        device_free(&w->rival[i]);
    }
    anchors_free(w->gateway->procedure.vendor_anchors);
    a_gateway_free(w->gateway);
    arena_free(w->arena);
    free(w);
}

static uint64_t current_seed; /* 0: none is running */

static int name_the_seed(void **state)
{
    (void)state;
    if (current_seed != 0)
        fprintf(stderr, "\nseed %llu failed; replay it with MUSTER_SEED=%llu %s\n",
                (unsigned long long)current_seed, (unsigned long long)current_seed,
                "build/tests/simulation-test_cmp");
    return 0;
}

static void what_must_hold_holds_whatever_happens(void **state)
{
    const char *one = getenv("MUSTER_SEED"), *many = getenv("MUSTER_SEEDS");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    uint64_t count = one != NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : 150;
    static struct world sum;

    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        current_seed = seed;
        run_seed(seed, one != NULL, &sum);
        current_seed = 0;
    }
    printf("%llu seeds: %u certificates received, %u confirmed, %u given back, %u updated, %u revoked, "
           "%u waited, %u refused to an old certificate, %u conflicts, %u crashes\n",
           (unsigned long long)count, sum.received, sum.confirmed, sum.given_back, sum.updated, sum.revoked,
           sum.waited, sum.refused_old, sum.conflicts, sum.crashes);
    assert_true(one != NULL ||
                (sum.confirmed > 0 && sum.given_back > 0 && sum.updated > 0 && sum.revoked > 0 &&
                 sum.waited > 0 && sum.refused_old > 0 && sum.conflicts > 0 && sum.crashes > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_must_hold_holds_whatever_happens, name_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
