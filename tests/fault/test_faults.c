/* Every allocation and every storage call on the way of an enrollment fails in turn: the answer is always
 * clean (a well-formed HTTP response, never a certificate that is not recorded), nothing is half written, and
 * the next request is served. */
#include "tests/lib/test.h"

#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/storage_internal.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/devices.h"

enum { REQUEST_ARENA = 4 << 20, TRIES_MAX = 5000, ALLOCATIONS = 250 };

struct tally {
    uint64_t certificates, issued_entries;
};

static bool count_issued(const struct audit_entry *entry, void *context)
{
    struct tally *tally = context;

    tally->issued_entries += entry->kind == AUDIT_ISSUED;
    return true;
}

/* Certificates and audit tell the same story, and the audit is sound. */
static struct tally check_whole(struct a_gateway *g)
{
    enum { MANY = 4096 };
    AUTO_ARENA *arena = arena_new(64 << 20);
    struct certificate_record *record = arena_array(arena, MANY, sizeof(*record));
    struct tally tally = { 0 };
    struct audit_head head;
    struct error err = { 0 };
    size_t count = 0;

    assert_non_null(record);
    assert_true(registry_certificates_list(a_gateway_view(g), NULL, MANY, arena, record, &count, &err));
    if (!registry_audit_verify(g->view, arena, count_issued, &tally, &head, &err))
        fail_msg("%s", err.text);
    registry_view_reset(g->view);
    tally.certificates = count;
    assert_int_equal(tally.issued_entries, count);
    return tally;
}

/* One request whose n-th allocation fails; true when it was answered with a certificate all the same. */
static bool ask_with_a_failing_allocation(struct a_gateway *g, struct device *d, unsigned n)
{
    AUTO_ARENA *arena = arena_new(REQUEST_ARENA);
    struct http_request request;
    struct answering a;
    struct bytes der;

    device_request(d, g, false, arena, &request);
    arena_fail_after(arena, n);
    if (!answer_at_once(&a, &g->config, &request)) {
        answer_turn(&a, a_gateway_view(g), g->random, g->now_s);
        registry_view_reset(g->view);
        if (a.turn.changes.count > 0)
            a_gateway_apply(g, &a.turn.changes);
    }
    arena_fail_after(arena, 0);
    assert_in_range(a.response.status, 200, 503);
    if (a.response.status == 200 && device_read(d, g, &request, &a.response, arena, &der)) {
        assert_true(a_gateway_has_certificate(g, der));
        return true;
    }
    return false;
}

static void every_allocation_fails(bool scep)
{
    struct a_gateway *g = a_gateway_new(7);
    struct device d = { .kind = DEVICE_PLAIN, .protocol = scep ? PROTOCOL_SCEP : PROTOCOL_EST };
    uint64_t issued = 0;

    device_init(&d, "device-0.example.com", 0);
    (void)a_gateway_register(g, d.fqdn, "right-secret", (struct registration){ 0 });
    for (unsigned n = 1; n <= ALLOCATIONS; n++) {
        g->now_s += 2 * DEVICE_REPEAT_S; /* each is a request of its own */
        issued += ask_with_a_failing_allocation(g, &d, n);
        assert_int_equal(check_whole(g).certificates, issued); /* what failed left nothing behind */
    }
    assert_true(issued > 0);                /* the last ones failed nowhere */
    assert_true(ALLOCATIONS - issued > 30); /* and so many did */
    device_free(&d);
    a_gateway_free(g);
}

static void scep_survives_every_failing_allocation(void **state)
{
    (void)state;
    every_allocation_fails(true);
}

static void est_survives_every_failing_allocation(void **state)
{
    (void)state;
    every_allocation_fails(false);
}

/* The turn goes well, and the n-th storage call of its commit (or of its reading) fails. True: none was left
 * to fail. */
static bool ask_with_a_failing_disk(struct a_gateway *g, struct device *d, unsigned n, bool while_reading)
{
    AUTO_ARENA *arena = arena_new(REQUEST_ARENA);
    struct http_request request;
    struct answering a;
    struct error err = { 0 };
    enum apply_result result = APPLY_NONE;
    const struct changes *changes;
    struct bytes der;
    bool applied = true;

    device_request(d, g, false, arena, &request);
    assert_false(answer_at_once(&a, &g->config, &request));
    (void)a_gateway_view(g);
    storage_fail_after(g->registry, while_reading ? n : 0);
    answer_turn(&a, g->view, g->random, g->now_s);
    registry_view_reset(g->view);
    changes = &a.turn.changes;
    if (!while_reading)
        storage_fail_after(g->registry, n);
    if (changes->count > 0)
        applied = registry_apply(g->registry, &changes, 1, g->now_s, &result, &err);
    storage_fail_after(g->registry, 0);
    if (changes->count > 0 && (!applied || result != APPLY_DONE)) {
        answer_not_durable(&a, &err);
        assert_int_equal(a.response.status, 503);
        return false;
    }
    return a.response.status == 200 && device_read(d, g, &request, &a.response, arena, &der) &&
           a_gateway_has_certificate(g, der);
}

static void every_storage_call_fails(bool scep, bool while_reading)
{
    struct a_gateway *g = a_gateway_new(8);
    struct device d = { .kind = DEVICE_PLAIN, .protocol = scep ? PROTOCOL_SCEP : PROTOCOL_EST };
    unsigned n = 1;

    device_init(&d, "device-0.example.com", 0);
    (void)a_gateway_register(g, d.fqdn, "right-secret", (struct registration){ 0 });
    while (!ask_with_a_failing_disk(g, &d, n, while_reading)) {
        assert_int_equal(check_whole(g).certificates, 0);
        assert_true(++n < TRIES_MAX);
    }
    assert_true(n > 3);
    assert_int_equal(check_whole(g).certificates, 1);
    device_free(&d);
    a_gateway_free(g);
}

static void a_disk_that_fails_in_the_commit_leaves_nothing_half_written(void **state)
{
    (void)state;
    every_storage_call_fails(true, false);
    every_storage_call_fails(false, false);
}

static void a_disk_that_fails_while_reading_admits_nobody(void **state)
{
    (void)state;
    every_storage_call_fails(true, true);
    every_storage_call_fails(false, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scep_survives_every_failing_allocation),
        cmocka_unit_test(est_survives_every_failing_allocation),
        cmocka_unit_test(a_disk_that_fails_in_the_commit_leaves_nothing_half_written),
        cmocka_unit_test(a_disk_that_fails_while_reading_admits_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
