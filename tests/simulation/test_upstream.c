/* The gateway in front of an upstream CA that is slow, lies and vanishes: answers late or never, garbage, for
 * another key, for another name, what it gave to somebody else; and the gateway crashes between sending and
 * the answer. Handlers, jobs, admission and registry are the real ones. What must hold at the end of each
 * seed: what a device received is in the registry, over its key and for its name; no more certificates than
 * different requests, one for each one-time registration; nothing is issued while its registration is closed;
 * every order comes to an end, and a registration that its order used is free again when nothing came of it,
 * or when a CMP device does not confirm it; the audit verifies and counts every issuance.
 *
 * MUSTER_SEEDS=N runs N seeds (default 300), MUSTER_SEED=S replays one and tells each step. */
#include <stdio.h>
#include <stdlib.h>

#include "enroll/confirm.h"
#include "enroll/order.h"
#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/registrations.h"
#include "registry/state.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/cmp_ledger.h"
#include "tests/lib/devices.h"
#include "tests/lib/scep_client.h"
#include "tests/lib/upstream.h"

enum {
    DEVICES = DEVICE_PROTOCOLS * DEVICE_KINDS,
    STEPS = 400,
    UNDER_WAY = 8,
    ORDERS_MAX = 512,
    REQUEST_ARENA = 4 << 20
};

/* An order as the CA knows it. */
struct known {
    struct upstream_order order;
    struct bytes certificate; /* its answer; none yet */
};

/* A request of the gateway to the CA. */
struct question {
    bool busy;
    struct job_id job;
    struct bytes body;
};

struct world {
    uint64_t seed;
    bool telling, honest;
    struct a_gateway *gateway;
    struct device device[DEVICES];
    struct registration registration[DEVICES]; /* revision 0: none */
    struct known known[ORDERS_MAX];
    size_t known_count;
    struct question question[UNDER_WAY];
    struct upstream settings;
    unsigned received, pending, wrong, crashes, issued;
};

#define tell(world, ...)         \
    do {                         \
        if ((world)->telling)    \
            printf(__VA_ARGS__); \
    } while (0)

static unsigned choose(struct world *w, unsigned count)
{
    uint32_t value;

    assert_true(random_fill(&w->gateway->random, (uint8_t *)&value, sizeof(value)));
    return value % count;
}

/* --- the cast --- */
static void cast_devices(struct world *w)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        struct device *d = &w->device[i];
        char fqdn[64];
        const char *pattern;

        *d = (struct device){ .kind = (enum device_kind)(i % DEVICE_KINDS),
                              .protocol = device_protocol[i / DEVICE_KINDS],
                              .number = i };
        (void)snprintf(fqdn, sizeof(fqdn),
                       d->kind == DEVICE_WILDCARD ? "unit-%u.fleet.example.com" : "device-%u.example.com", i);
        device_init(d, fqdn, choose(w, DEVICE_KEYS));
        pattern = d->kind == DEVICE_WILDCARD ? "unit-*.fleet.example.com" : fqdn;
        if (d->kind == DEVICE_UNREGISTERED || (d->kind == DEVICE_WILDCARD && i >= DEVICE_KINDS))
            continue;
        w->registration[i] = a_gateway_register(
            w->gateway, pattern, d->kind == DEVICE_WILDCARD ? "fleet-secret" : "right-secret",
            (struct registration){ .one_time = d->kind == DEVICE_ONE_TIME,
                                   .valid_days = d->kind == DEVICE_EXPIRING ? 2 : 0,
                                   .state = d->kind == DEVICE_CLOSED ? REGISTRATION_CLOSED
                                                                     : REGISTRATION_OPEN });
    }
}

static unsigned device_of(const struct world *w, struct bytes fqdn)
{
    for (unsigned i = 0; i < DEVICES; i++)
        if (bytes_is(fqdn, w->device[i].fqdn))
            return i;
    fail_msg("a certificate for %.*s, which no device asked for", BYTES_FMT(fqdn));
    return 0;
}

/* --- devices ask --- */
static void step_device(struct world *w)
{
    AUTO_ARENA *arena = arena_new(REQUEST_ARENA);
    unsigned i = choose(w, DEVICES);
    struct device *d = &w->device[i];
    struct http_request request;
    struct http_response response;
    struct turn_facts facts;
    struct bytes der;

    assert_non_null(arena);
    device_request(d, w->gateway, choose(w, 4) != 0, arena, &request);
    response = a_gateway_ask(w->gateway, &request, &facts);
    tell(w, "device %u: %s %s (%s)\n", i, facts.verdict, facts.reason != NULL ? facts.reason : "",
         facts.detail != NULL ? facts.detail : "");
    w->pending += strcmp(facts.verdict, "pending") == 0;
    assert_string_not_equal(facts.verdict, "error");
    if (choose(w, 5) == 0)
        return; /* the reply is lost */
    if (device_read(d, w->gateway, &request, &response, arena, &der)) {
        assert_true(a_gateway_has_certificate(w->gateway, der));
        assert_true(d->kind != DEVICE_UNREGISTERED && d->kind != DEVICE_CLOSED &&
                    d->kind != DEVICE_WRONG_SECRET);
        w->received++;
    }
}

static void step_officer(struct world *w)
{
    unsigned i = choose(w, DEVICES);
    struct registration *r = &w->registration[i];
    struct changes changes;
    uint64_t expected = r->revision;

    if (expected == 0 || w->device[i].kind != DEVICE_CLOSING)
        return;
    r->state = r->state == REGISTRATION_OPEN ? REGISTRATION_CLOSED : REGISTRATION_OPEN;
    r->revision++;
    changes_begin(&changes, w->gateway->arena);
    change_registration_put(&changes, r, expected);
    a_gateway_apply(w->gateway, &changes);
    tell(w, "registration of device %u is %s\n", i, r->state == REGISTRATION_OPEN ? "open" : "closed");
}

/* --- the CA --- */
static struct bytes kept(struct world *w, struct bytes b)
{
    struct bytes copy = arena_copy(w->gateway->arena, b);

    assert_non_null(copy.data);
    return copy;
}

static struct known *known_order(struct world *w, struct bytes body)
{
    struct upstream_order order = { .number = bytes_from(body, 1) };

    if (body.data[0] == 'O')
        assert_true(upstream_read(body, &order));
    for (size_t i = 0; i < w->known_count; i++)
        if (bytes_equal(w->known[i].order.number, order.number))
            return &w->known[i];
    assert_true(body.data[0] == 'O' && w->known_count < ORDERS_MAX);
    w->known[w->known_count].order = order;
    return &w->known[w->known_count++];
}

static struct bytes issue(struct world *w, const struct known *k, struct certificate_template twist)
{
    struct a_gateway *g = w->gateway;

    return upstream_issue(&g->ca, g->config.keys, &k->order, twist, "ca", &g->random, g->now_s, g->arena);
}

static struct bytes for_another_name(struct world *w, const struct known *k)
{
    AUTO_STRUCT(buffer) san = BUFFER(256);

    general_name_put(&san, GENERAL_NAME_DNS, BYTES_LITERAL("victim.example.com"), BYTES_NONE);
    return issue(w, k, (struct certificate_template){ .san = buffer_bytes(&san) });
}

/* What it gave, or will give, to somebody else. */
static struct bytes of_another(struct world *w, const struct known *k)
{
    const struct known *other = &w->known[choose(w, (unsigned)w->known_count)];

    return other == k || other->certificate.len == 0 ? BYTES_LITERAL("I") : other->certificate;
}

static struct bytes honest_answer(struct world *w, struct known *k)
{
    if (k->certificate.len == 0)
        k->certificate = issue(w, k, (struct certificate_template){ .path_len = -1 });
    return k->certificate; /* asked twice, it says the same */
}

static struct bytes answer_to(struct world *w, struct bytes body, int *status)
{
    struct a_gateway *g = w->gateway;
    struct known *k;

    *status = 200;
    if (body.data[0] != 'O' && body.data[0] != 'P')
        return w->honest || choose(w, 3) != 0 ? BYTES_LITERAL("D") : BYTES_LITERAL("?");
    k = known_order(w, body);
    switch (w->honest ? 99 : choose(w, 16)) {
    case 0: return BYTES_LITERAL("gibberish");
    case 1: *status = 500; return BYTES_LITERAL("I am ill");
    case 2: return arena_format(g->arena, "W%u", choose(w, 7200));
    case 3: return BYTES_LITERAL("Rnot today");
    case 4: return issue(w, k, (struct certificate_template){ .spki = keys_public(g->config.keys, "ca") });
    case 5: return for_another_name(w, k);
    case 6: return of_another(w, k);
    case 7: return issue(w, k, (struct certificate_template){ .is_ca = true });
    case 8: return issue(w, k, (struct certificate_template){ .not_after_s = g->now_s - 1 });
    default: return honest_answer(w, k);
    }
}

/* --- jobs --- */
static struct question *question_of(struct world *w, const struct job_id *id)
{
    for (unsigned i = 0; i < UNDER_WAY; i++)
        if (w->question[i].busy && memcmp(&w->question[i].job, id, sizeof(*id)) == 0)
            return &w->question[i];
    return NULL;
}

static struct question *free_place(struct world *w)
{
    for (unsigned i = 0; i < UNDER_WAY; i++)
        if (!w->question[i].busy)
            return &w->question[i];
    return NULL;
}

static void check_issued(struct world *w, const struct turn *turn)
{
    unsigned d;

    if (turn->facts.verdict == NULL || strcmp(turn->facts.verdict, "issued") != 0) {
        w->wrong += strstr(turn->facts.error, "wrong certificate") != NULL;
        return;
    }
    d = device_of(w, turn->facts.fqdn);
    w->issued++;
    if (w->device[d].kind == DEVICE_CLOSING)
        assert_int_equal(w->registration[d].state, REGISTRATION_OPEN);
}

/* One step of one job, as the runner does it: changes first, then the effect. */
static void run_job(struct world *w, const struct job_record *job, const struct job_event *event)
{
    struct a_gateway *g = w->gateway;
    const struct job_handler table[] = {
        { .kind = ENROLL_ORDER_JOB, .run = enroll_order_job_run, .service = &g->config.enroll },
        { .kind = ENROLL_CONFIRM_JOB, .run = enroll_confirm_job_run, .service = &g->config.enroll },
    };
    AUTO_ARENA *arena = arena_new(REQUEST_ARENA);
    struct turn turn = { .view = a_gateway_view(g),
                         .keys = g->config.keys,
                         .random = g->random,
                         .now_s = g->now_s,
                         .arena = arena };
    struct job_effect effect = { 0 };
    struct error err = { 0 };

    assert_non_null(arena);
    changes_begin(&turn.changes, arena);
    if (!job_run(&turn, table, COUNT_OF(table), job, event, &effect, &err))
        fail_msg("seed %llu: %s", (unsigned long long)w->seed, err.text);
    tell(w, "job for %.*s: effect %d %s %s\n", BYTES_FMT(turn.facts.fqdn), (int)effect.kind,
         turn.facts.detail != NULL ? turn.facts.detail : "", turn.facts.error);
    turn.facts.fqdn = arena_copy(arena, turn.facts.fqdn);
    a_gateway_apply(g, &turn.changes);
    check_issued(w, &turn);
    if (effect.kind == JOB_EFFECT_HTTP) {
        struct question *q = free_place(w);

        assert_non_null(q); /* step_job() has looked */
        *q = (struct question){ .busy = true, .job = job->id, .body = kept(w, effect.body) };
    }
}

static size_t due_jobs(struct world *w, int64_t now_s, struct job_record *job, size_t max, int64_t *next_s)
{
    struct error err = { 0 };
    size_t count = 0;

    if (!registry_jobs_due(a_gateway_view(w->gateway), now_s, max, w->gateway->arena, job, &count, next_s,
                           &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++) {
        job[i].kind = kept(w, job[i].kind);
        job[i].state = kept(w, job[i].state);
    }
    registry_view_reset(w->gateway->view);
    return count;
}

static void step_job(struct world *w)
{
    struct job_record job[16];
    int64_t next_s;
    size_t count = due_jobs(w, w->gateway->now_s, job, COUNT_OF(job), &next_s);
    const struct job_record *chosen;

    if (count == 0 || free_place(w) == NULL)
        return;
    chosen = &job[choose(w, (unsigned)count)];
    if (question_of(w, &chosen->id) == NULL)
        run_job(w, chosen, &(struct job_event){ .kind = JOB_EVENT_DUE });
}

/* The CA answers, or the connection breaks before or after it has heard. */
static void step_answer(struct world *w)
{
    struct question *q = &w->question[choose(w, UNDER_WAY)];
    struct job_event event = { .kind = JOB_EVENT_HTTP, .http_failure = "timed out" };
    struct job_record job;
    struct bytes body;
    bool found = false;
    int status;

    if (!q->busy)
        return;
    q->busy = false;
    if (w->honest || choose(w, 6) != 0) {
        body = answer_to(w, q->body, &status);
        if (w->honest || choose(w, 6) != 0)
            event = (struct job_event){
                .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = status, .http_body = body
            };
    }
    assert_true(registry_job(a_gateway_view(w->gateway), &q->job, w->gateway->arena, &found, &job, NULL));
    assert_true(found);
    job.kind = kept(w, job.kind);
    job.state = kept(w, job.state);
    run_job(w, &job, &event);
}

static void step_crash(struct world *w)
{
    tell(w, "crash\n");
    memset(w->question, 0, sizeof(w->question));
    a_gateway_restart(w->gateway);
    w->crashes++;
}

static void step(struct world *w)
{
    switch (choose(w, 24)) {
    case 0: step_officer(w); break;
    case 1: w->gateway->now_s += choose(w, 6 * 3600); break;
    case 2:
        if (choose(w, 4) == 0)
            step_crash(w);
        break;
    case 3:
    case 4:
    case 5:
    case 6: step_device(w); break;
    case 7:
    case 8:
    case 9: w->gateway->now_s += choose(w, 30); break;
    case 10:
    case 11:
    case 12:
    case 13:
    case 14:
    case 15: step_answer(w); break;
    default: step_job(w); break;
    }
}

/* --- what must hold --- */
/* From now on the CA is good: every order comes to its end. */
static void drain(struct world *w)
{
    struct job_record job[16];
    int64_t next_s;

    w->honest = true;
    for (unsigned i = 0; i < 20000; i++) {
        bool waits = false;

        for (unsigned j = 0; j < UNDER_WAY; j++)
            waits |= w->question[j].busy;
        if (waits) {
            step_answer(w);
        } else if (due_jobs(w, w->gateway->now_s, job, 1, &next_s) > 0) {
            step_job(w);
        } else if (next_s != INT64_MAX) {
            w->gateway->now_s = next_s;
        } else {
            return;
        }
    }
    fail_msg("seed %llu: orders do not end", (unsigned long long)w->seed);
}

struct tally {
    uint64_t issued_entries, open_orders;
};

static bool count_issued(const struct audit_entry *entry, void *context)
{
    struct tally *tally = context;

    tally->issued_entries += entry->kind == AUDIT_ISSUED;
    return true;
}

static bool count_open(const struct state_key *key, const struct state_value *value, void *context)
{
    struct tally *tally = context;

    (void)key;
    (void)value;
    tally->open_orders++;
    return true;
}

/* What there is of a device: in all, and not given back. */
struct sum {
    unsigned issued, good;
};

static void check_certificate(struct world *w, const struct certificate_record *record, struct sum *sum)
{
    unsigned d = device_of(w, dns_name_bytes(&record->fqdn));
    enum device_kind kind = w->device[d].kind;
    X509 *certificate = scep_client_certificate(record->der);

    assert_true(kind != DEVICE_UNREGISTERED && kind != DEVICE_CLOSED && kind != DEVICE_WRONG_SECRET);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), device_key(&w->device[d])), 1);
    assert_int_equal(X509_check_host(certificate, w->device[d].fqdn, 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(certificate, "victim.example.com", 0, 0, NULL), 0);
    scep_client_reset();
    sum[d].issued++;
    sum[d].good += record->status == CERTIFICATE_GOOD;
}

static void check_registration(struct world *w, unsigned d, struct sum sum)
{
    struct registration r;
    bool found = false;

    assert_true(sum.issued <= w->device[d].different_requests);
    if (w->device[d].protocol != PROTOCOL_CMP)
        assert_int_equal(sum.good, sum.issued);
    if (w->device[d].kind != DEVICE_ONE_TIME)
        return;
    assert_true(registry_registration_by_id(w->gateway->view, &w->registration[d].id, w->gateway->arena,
                                            &found, &r, NULL));
    assert_true(found && sum.good <= 1);
    if (sum.issued - sum.good <= LEDGER_GIVEN_BACK_MAX) /* else it may stay used */
        assert_int_equal(r.used, sum.good == 1);
}

static void check(struct world *w)
{
    AUTO_ARENA *arena = arena_new(64 << 20);
    enum { CERTIFICATES_MAX = 1024 };
    struct certificate_record *record = arena_array(arena, CERTIFICATES_MAX, sizeof(*record));
    struct registry_view *view = a_gateway_view(w->gateway);
    struct sum sum[DEVICES] = { 0 };
    struct tally tally = { 0 };
    struct audit_head head;
    struct error err = { 0 };
    size_t count = 0;

    assert_non_null(record);
    assert_true(registry_certificates_list(view, NULL, CERTIFICATES_MAX, arena, record, &count, &err));
    for (size_t i = 0; i < count; i++)
        check_certificate(w, &record[i], sum);
    for (unsigned d = 0; d < DEVICES; d++)
        check_registration(w, d, sum[d]);
    if (!registry_audit_verify(view, arena, count_issued, &tally, &head, &err))
        fail_msg("seed %llu: %s", (unsigned long long)w->seed, err.text);
    assert_int_equal(tally.issued_entries, count);
    assert_int_equal(w->issued, count);
    assert_true(registry_state_each(view, BYTES_NONE, "order", count_open, &tally, &err));
    assert_int_equal(tally.open_orders, 0);
    registry_view_reset(view);
}

static void run_seed(uint64_t seed, bool telling, struct world *sum)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->seed = seed;
    w->telling = telling;
    w->gateway = a_gateway_new(seed);
    w->settings.confirms = choose(w, 2) == 0;
    w->gateway->ca.connector = &upstream_connector;
    w->gateway->ca.connector_service = &w->settings;
    w->gateway->ca.patience = (struct ca_patience){
        .timeout_ms = 5000, .concurrency = 4, .orders_max = 6 + choose(w, 20), .order_keep_s = 2 * 86400
    };
    cast_devices(w);
    for (unsigned i = 0; i < STEPS; i++)
        step(w);
    drain(w);
    check(w);
    for (unsigned i = 0; i < DEVICES; i++)
        device_free(&w->device[i]);
    a_gateway_free(w->gateway);
    sum->received += w->received;
    sum->pending += w->pending;
    sum->wrong += w->wrong;
    sum->crashes += w->crashes;
    sum->issued += w->issued;
    free(w);
}

static uint64_t current_seed; /* 0: none is running */

static int name_the_seed(void **state)
{
    (void)state;
    if (current_seed != 0)
        fprintf(stderr, "\nseed %llu failed; replay it with MUSTER_SEED=%llu %s\n",
                (unsigned long long)current_seed, (unsigned long long)current_seed,
                "build/tests/simulation-test_upstream");
    return 0;
}

static void what_must_hold_holds_whatever_the_ca_does(void **state)
{
    const char *one = getenv("MUSTER_SEED"), *many = getenv("MUSTER_SEEDS");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    uint64_t count = one != NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : 300;
    static struct world sum;

    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        current_seed = seed;
        run_seed(seed, one != NULL, &sum);
        current_seed = 0;
    }
    printf("%llu seeds: %u certificates issued, %u received, %u pending, %u wrong ones, %u crashes\n",
           (unsigned long long)count, sum.issued, sum.received, sum.pending, sum.wrong, sum.crashes);
    assert_true(one != NULL || (sum.received > 0 && sum.wrong > 0 && sum.crashes > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_must_hold_holds_whatever_the_ca_does, name_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
