/* The whole gateway on one thread: devices of SCEP, EST and CMP, officers, a writer that commits when the
 * seed says so, lost replies, retries that race, a clock that jumps, crashes. Handlers, router, admission,
 * registry and writer logic are the real ones. At the end of each seed: what a device received is in the
 * registry; nothing was admitted that no registration admits; one certificate for each transaction and one
 * for each one-time registration; the audit verifies and counts every issuance.
 *
 * MUSTER_SEEDS=N runs N seeds (default 300), MUSTER_SEED=S replays one and tells each step. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/registrations.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/devices.h"

enum { DEVICES = DEVICE_PROTOCOLS * DEVICE_KINDS, STEPS = 260, IN_FLIGHT = 8, REQUEST_ARENA = 4 << 20 };

/* A request between its turn and its commit. */
struct flight {
    bool busy;
    unsigned device;
    struct arena *arena;
    struct http_request request;
    struct answering answering;
};

struct world {
    uint64_t seed;
    bool telling;
    struct a_gateway *gateway;
    struct device device[DEVICES];
    struct flight flight[IN_FLIGHT];
    struct registration registration[DEVICES]; /* of each device; revision 0: none */
    unsigned received, commits, conflicts, crashes;
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

/* Each kind of device is there in every seed; which keys they have is the seed's choice. */
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

/* --- steps --- */

static void flight_end(struct flight *f)
{
    arena_free(f->arena);
    *f = (struct flight){ 0 };
}

/* The device sees the answer, and holds it against what it may expect. */
static void deliver(struct world *w, struct flight *f)
{
    struct device *d = &w->device[f->device];
    struct bytes der = BYTES_NONE;

    if (device_read(d, w->gateway, &f->request, &f->answering.response, f->arena, &der)) {
        tell(w, "  device %u has a certificate\n", f->device);
        assert_true(a_gateway_has_certificate(w->gateway, der));
        assert_true(d->kind != DEVICE_UNREGISTERED && d->kind != DEVICE_CLOSED &&
                    d->kind != DEVICE_WRONG_SECRET);
        w->received++;
    }
}

static void run_turn(struct world *w, struct flight *f)
{
    answer_turn(&f->answering, a_gateway_view(w->gateway), w->gateway->random, w->gateway->now_s);
    registry_view_reset(w->gateway->view);
}

/* A device sends (or sends again what it sent before); a turn runs on what was committed until now. */
static void step_send(struct world *w)
{
    struct flight *f = NULL;

    for (unsigned i = 0; i < IN_FLIGHT; i++)
        if (!w->flight[i].busy)
            f = &w->flight[i];
    if (f == NULL)
        return;
    f->device = choose(w, DEVICES);
    f->arena = arena_new(REQUEST_ARENA);
    assert_non_null(f->arena);
    f->busy = true;
    device_request(&w->device[f->device], w->gateway, choose(w, 3) == 0, f->arena, &f->request);
    if (answer_at_once(&f->answering, &w->gateway->config, &f->request)) {
        flight_end(f);
        return;
    }
    run_turn(w, f);
    tell(w, "device %u sends: %s %s, %zu changes\n", f->device, f->answering.turn.facts.verdict,
         f->answering.turn.facts.reason != NULL ? f->answering.turn.facts.reason : "",
         f->answering.turn.changes.count);
    if (f->answering.turn.changes.count == 0) {
        deliver(w, f);
        flight_end(f);
    }
}

/* The writer commits some of what waits, in the order it waits; replies go out, or get lost. */
static void step_commit(struct world *w)
{
    const struct changes *changes[IN_FLIGHT];
    enum apply_result result[IN_FLIGHT];
    struct flight *batch[IN_FLIGHT];
    struct error err = { 0 };
    size_t count = 0;

    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (w->flight[i].busy && choose(w, 4) != 0) {
            batch[count] = &w->flight[i];
            changes[count++] = &w->flight[i].answering.turn.changes;
        }
    }
    if (count == 0)
        return;
    if (!registry_apply(w->gateway->registry, changes, count, w->gateway->now_s, result, &err))
        fail_msg("seed %llu: %s", (unsigned long long)w->seed, err.text);
    w->commits++;
    for (size_t i = 0; i < count; i++) {
        tell(w, "commit for device %u: %s\n", batch[i]->device,
             result[i] == APPLY_DONE ? "done" : "conflict");
        if (result[i] == APPLY_CONFLICT) {
            w->conflicts++;
            device_runs_again(&w->device[batch[i]->device], w->gateway->now_s);
            run_turn(w, batch[i]);
            if (batch[i]->answering.turn.changes.count > 0)
                continue; /* waits again */
        } else if (w->device[batch[i]->device].kind == DEVICE_CLOSING &&
                   strcmp(batch[i]->answering.turn.facts.verdict, "issued") ==
                       0) /* noticed; a certConf is taken */
            assert_int_equal(w->registration[batch[i]->device].state, REGISTRATION_OPEN);
        if (choose(w, 5) != 0)
            deliver(w, batch[i]);
        else
            tell(w, "  the reply is lost\n");
        flight_end(batch[i]);
    }
}

/* An officer closes a registration, or opens it again. */
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
    switch (choose(w, 20)) {
    case 0: step_officer(w); break;
    case 1: w->gateway->now_s += choose(w, 12 * 3600); break;
    case 2:
        if (choose(w, 4) == 0)
            step_crash(w);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9: step_commit(w); break;
    default: step_send(w); break;
    }
}

/* --- what must hold --- */

struct tally {
    struct world *world;
    uint64_t issued_entries;
};

static bool count_issued(const struct audit_entry *entry, void *context)
{
    struct tally *tally = context;

    tally->issued_entries += entry->kind == AUDIT_ISSUED;
    return true;
}

static unsigned device_of(const struct world *w, const struct dns_name *fqdn)
{
    for (unsigned i = 0; i < DEVICES; i++)
        if (bytes_is(dns_name_bytes(fqdn), w->device[i].fqdn))
            return i;
    fail_msg("a certificate for %s, which no device asked for", fqdn->text);
    return 0;
}

static void check(struct world *w)
{
    AUTO_ARENA *arena = arena_new(64 << 20);
    enum { CERTIFICATES_MAX = 4096 };
    struct certificate_record *record = arena_array(arena, CERTIFICATES_MAX, sizeof(*record));
    struct registry_view *view = a_gateway_view(w->gateway);
    unsigned issued[DEVICES] = { 0 };
    struct tally tally = { .world = w };
    struct audit_head head;
    struct error err = { 0 };
    size_t count = 0;

    assert_non_null(record);
    assert_true(registry_certificates_list(view, NULL, CERTIFICATES_MAX, arena, record, &count, &err));
    for (size_t i = 0; i < count; i++) {
        unsigned d = device_of(w, &record[i].fqdn);
        enum device_kind kind = w->device[d].kind;

        assert_true(kind != DEVICE_UNREGISTERED && kind != DEVICE_CLOSED && kind != DEVICE_WRONG_SECRET);
        if (kind == DEVICE_EXPIRING)
            assert_true(record[i].issued_s < w->registration[d].accepted_s + 2 * 86400);
        issued[d]++;
    }
    for (unsigned d = 0; d < DEVICES; d++) {
        if (w->device[d].kind == DEVICE_ONE_TIME)
            assert_true(issued[d] <= 1);
        /* A repeated request gives the same certificate: no more of them than different requests. */
        assert_true(issued[d] <= w->device[d].different_requests);
    }
    if (!registry_audit_verify(view, arena, count_issued, &tally, &head, &err))
        fail_msg("seed %llu: %s", (unsigned long long)w->seed, err.text);
    assert_int_equal(tally.issued_entries, count);
    registry_view_reset(view);
}

static void run_seed(uint64_t seed, bool telling, struct world *sum)
{
    struct world w = { .seed = seed, .telling = telling };

    if (telling)
        printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    w.gateway = a_gateway_new(seed);
    cast_devices(&w);
    for (unsigned i = 0; i < STEPS; i++)
        step(&w);
    step_commit(&w);
    check(&w);
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        if (w.flight[i].busy)
            flight_end(&w.flight[i]);
    for (unsigned i = 0; i < DEVICES; i++)
        device_free(&w.device[i]);
    a_gateway_free(w.gateway);
    sum->received += w.received;
    sum->commits += w.commits;
    sum->conflicts += w.conflicts;
    sum->crashes += w.crashes;
}

static uint64_t current_seed; /* 0: none is running */

/* An assertion that fails ends the test in the middle of a seed: this tells which. */
static int name_the_seed(void **state)
{
    (void)state;
    if (current_seed != 0)
        fprintf(stderr, "\nseed %llu failed; replay it with MUSTER_SEED=%llu %s\n",
                (unsigned long long)current_seed, (unsigned long long)current_seed,
                "build/tests/simulation-test_simulation");
    return 0;
}

static void what_must_hold_holds_whatever_happens(void **state)
{
    const char *one = getenv("MUSTER_SEED"), *many = getenv("MUSTER_SEEDS");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    uint64_t count = one != NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : 300;
    struct world sum = { 0 };

    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\rseed %llu ", (unsigned long long)seed);
        current_seed = seed;
        run_seed(seed, one != NULL, &sum);
        current_seed = 0;
    }
    printf("%llu seeds: %u certificates received, %u commits, %u conflicts, %u crashes\n",
           (unsigned long long)count, sum.received, sum.commits, sum.conflicts, sum.crashes);
    assert_true(one != NULL || (sum.received > 0 && sum.conflicts > 0 && sum.crashes > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_must_hold_holds_whatever_happens, name_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
