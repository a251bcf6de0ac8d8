/* Every allocation and every storage call on the way of a CMP enrollment fails in turn: ir and certConf under
 * a MAC, kur and certConf under a signature, rr. Each time the answer is clean (an error, or HTTP 500 or 503,
 * and then nothing was written; or all was), and the same message again is served: nothing is half done. */
#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/state.h"
#include "registry/storage_internal.h"
#include "tests/lib/cmp_device.h"

enum { REQUEST_ARENA = 4 << 20, TRIES_MAX = 3000, QUIET = 16 /* rounds in which nothing failed: the end */ };

enum fault { FAULT_NONE, FAULT_ALLOCATION, FAULT_READING, FAULT_COMMIT };

struct world {
    struct a_gateway *g;
    struct cmp_device device;
    enum fault fault;
    unsigned n; /* which one fails */
    unsigned failed;
};

/* --- what there is --- */
static const char *const KINDS[] = { "cmp", "cmp-opening", "cmp-update", "txn", "unconfirmed" };

struct inventory {
    uint64_t entries;
    size_t states[COUNT_OF(KINDS)];
    int64_t job_s;
};

static bool count_one(const struct state_key *key, const struct state_value *value, void *context)
{
    size_t *count = context;

    (void)key;
    (void)value;
    (*count)++;
    return true;
}

static struct inventory inventory_of(struct world *w)
{
    AUTO_ARENA *arena = arena_new(REQUEST_ARENA);
    struct registry_view *view = a_gateway_view(w->g);
    struct inventory out = { 0 };
    struct audit_head head;
    struct job_record job;
    size_t count;

    assert_true(registry_audit_head(view, &head, NULL));
    out.entries = head.size;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        assert_true(registry_state_each(view, BYTES_NONE, KINDS[i], count_one, &out.states[i], NULL));
    assert_true(registry_jobs_due(view, w->g->now_s, 1, arena, &job, &count, &out.job_s, NULL));
    registry_view_reset(view);
    return out;
}

static bool count_issued(const struct audit_entry *entry, void *context)
{
    size_t *count = context;

    *count += entry->kind == AUDIT_ISSUED;
    return true;
}

/* Certificates and audit tell the same story, and the audit is sound. */
static void check_whole(struct world *w)
{
    AUTO_ARENA *arena = arena_new(64 << 20);
    struct certificate_record *record = arena_array(arena, TRIES_MAX, sizeof(*record));
    struct audit_head head;
    struct error err = { 0 };
    size_t count = 0, issued = 0;

    assert_non_null(record);
    assert_true(
        registry_certificates_list(a_gateway_view(w->g), NULL, TRIES_MAX, arena, record, &count, &err));
    if (!registry_audit_verify(w->g->view, arena, count_issued, &issued, &head, &err))
        fail_msg("%s", err.text);
    registry_view_reset(w->g->view);
    assert_int_equal(issued, count);
}

/* --- one message --- */
static bool is_served(const struct cmp_said *said)
{
    return said->certificate != NULL || said->body == CMP_PKICONF ||
           (said->body == CMP_RP && said->status == CMP_ACCEPTED);
}

/* False: it could not be made durable, and says so. */
static bool commit(struct world *w, struct answering *a, enum fault fault)
{
    const struct changes *changes = &a->turn.changes;
    enum apply_result result = APPLY_NONE;
    struct error err = { 0 };
    bool applied;

    storage_fail_after(w->g->registry, fault == FAULT_COMMIT ? w->n : 0);
    applied = changes->count == 0 || registry_apply(w->g->registry, &changes, 1, w->g->now_s, &result, &err);
    storage_fail_after(w->g->registry, 0);
    if (applied) {
        assert_true(changes->count == 0 || result == APPLY_DONE);
        return true;
    }
    answer_not_durable(a, &err);
    assert_int_equal(a->response.status, 503);
    return false;
}

/* True: the device has what it asked for. */
static bool send(struct world *w, struct bytes message, enum fault fault)
{
    AUTO_ARENA *arena = arena_new(REQUEST_ARENA), *reading = arena_new(REQUEST_ARENA);
    struct cmp_device before = w->device;
    struct http_request request;
    struct answering a;
    struct cmp_said said;

    cmp_device_request(&w->device, message, arena, &request);
    if (fault == FAULT_ALLOCATION)
        arena_fail_after(arena, w->n);
    assert_false(answer_at_once(&a, &w->g->config, &request));
    (void)a_gateway_view(w->g);
    storage_fail_after(w->g->registry, fault == FAULT_READING ? w->n : 0);
    answer_turn(&a, w->g->view, w->g->random, w->g->now_s);
    storage_fail_after(w->g->registry, 0);
    arena_fail_after(arena, 0);
    registry_view_reset(w->g->view);
    if (!commit(w, &a, fault))
        return false;
    assert_true(a.response.status == 200 || a.response.status == 500 || a.response.status == 503);
    if (a.response.status != 200)
        return false;
    said = cmp_device_hear(&w->device, w->g, message, a.response.body, reading);
    if (said.certificate != NULL)
        assert_true(a_gateway_has_certificate(w->g, cmp_client_der(reading, said.certificate)));
    if (!is_served(&said))
        w->device = before; /* it will say it again */
    cmp_client_reset();
    return is_served(&said);
}

/* What fails leaves nothing behind, and the same message is served when nothing fails. */
static void survive(struct world *w, struct bytes message)
{
    const struct inventory before = inventory_of(w);
    struct inventory after;

    scep_client_reset();
    if (send(w, message, w->fault))
        return;
    w->failed++;
    after = inventory_of(w);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_true(send(w, message, FAULT_NONE));
}

/* --- the life of a certificate --- */
static void live(struct world *w)
{
    struct cmp_device *d = &w->device;
    const struct random_source *random = &w->g->random;

    survive(w, cmp_device_begin(d, random, CMP_IR, CMP_DEVICE_BY_SECRET, false));
    survive(w, cmp_device_settle(d, random, CMP_CERT_CONF, true));
    survive(w, cmp_device_begin(d, random, CMP_KUR, CMP_DEVICE_BY_OWN, false));
    survive(w, cmp_device_settle(d, random, CMP_CERT_CONF, true));
    survive(w, cmp_device_begin(d, random, CMP_RR, CMP_DEVICE_BY_OWN, false));
    assert_null(d->own.key); /* it is revoked */
}

static void whatever_fails(enum fault fault, unsigned at_least)
{
    struct world w = { .g = a_gateway_new(9), .fault = fault };
    unsigned quiet = 0, failed = 0;

    (void)a_gateway_register(w.g, "router5.example.com", "right-secret",
                             (struct registration){ .one_time = false });
    for (w.n = 1; quiet < QUIET; w.n++) {
        assert_true(w.n < TRIES_MAX / 2);
        cmp_device_init(&w.device, "router5.example.com", "right-secret");
        w.device.key[0] = cmp_client_key("P-256", 0);
        w.device.key[1] = cmp_client_key("P-256", 1);
        failed = w.failed;
        live(&w);
        quiet = w.failed == failed ? quiet + 1 : 0;
        cmp_device_free(&w.device);
    }
    check_whole(&w);
    print_message("%u of %u failed\n", w.failed, w.n);
    assert_true(w.failed > at_least);
    a_gateway_free(w.g);
    cmp_client_reset();
    scep_client_reset();
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    whatever_fails(FAULT_ALLOCATION, 200);
}

static void every_storage_call_of_the_turn_may_fail(void **state)
{
    (void)state;
    whatever_fails(FAULT_READING, 20);
}

static void every_storage_call_of_the_commit_may_fail(void **state)
{
    (void)state;
    whatever_fails(FAULT_COMMIT, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_storage_call_of_the_turn_may_fail),
        cmocka_unit_test(every_storage_call_of_the_commit_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
