/* What is remembered of a transaction, of messages and of key updates. */
#include "proto/cmp/transaction_internal.h"

#include "lib/base/record.h"
#include "tests/unit/registry/registry_fixture.h"

struct memory {
    struct fixture *f;
    struct registry_view *view;
    struct turn turn;
};

static void begin(struct memory *m, struct fixture *f)
{
    *m = (struct memory){ .f = f };
    assert_true(registry_view_begin(f->registry, &m->view, &f->err));
    m->turn = (struct turn){ .view = m->view, .now_s = NOW_S, .arena = f->arena };
    changes_begin(&m->turn.changes, f->arena);
}

/* What the turn wanted is written, and a new turn begins. */
static enum apply_result commit(struct memory *m)
{
    const struct changes *changes = &m->turn.changes;
    enum apply_result result = APPLY_NONE;

    registry_view_reset(m->view);
    assert_true(registry_apply(m->f->registry, &changes, 1, m->turn.now_s, &result, &m->f->err));
    assert_true(registry_view_renew(m->view, &m->f->err));
    changes_begin(&m->turn.changes, m->f->arena);
    return result;
}

#define PROCEDURE BYTES_LITERAL("demo")
#define ID        BYTES_LITERAL("0123456789abcdef")

static struct cmp_transaction a_transaction(void)
{
    return (struct cmp_transaction){ .phase = CMP_PHASE_DELIVERED,
                                     .opened_by = CMP_P10CR,
                                     .cert_req_id = -1,
                                     .generated = true,
                                     .implicit_confirm = true,
                                     .opening = { { 1 } },
                                     .sender = { { 2 } },
                                     .algorithm = { { 3 } },
                                     .signer = BYTES_LITERAL("signer"),
                                     .our_nonce = BYTES_LITERAL("ours"),
                                     .waiting_nonce = BYTES_LITERAL("waiting"),
                                     .reply = BYTES_LITERAL("reply"),
                                     .poll = { { 4 } },
                                     .poll_reply = BYTES_LITERAL("poll reply"),
                                     .certificate = BYTES_LITERAL("certificate"),
                                     .old = { .issuer = { { 5 } }, .serial = { 6 }, .serial_len = 1 } };
}

static void assert_same(const struct cmp_transaction *a, const struct cmp_transaction *b)
{
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->opened_by, b->opened_by);
    assert_int_equal(a->cert_req_id, b->cert_req_id);
    assert_int_equal(a->generated, b->generated);
    assert_int_equal(a->implicit_confirm, b->implicit_confirm);
    assert_true(digest256_equal(&a->opening, &b->opening) && digest256_equal(&a->sender, &b->sender));
    assert_true(digest256_equal(&a->algorithm, &b->algorithm) && digest256_equal(&a->poll, &b->poll));
    assert_true(bytes_equal(a->signer, b->signer) && bytes_equal(a->our_nonce, b->our_nonce));
    assert_true(bytes_equal(a->waiting_nonce, b->waiting_nonce) && bytes_equal(a->seen, b->seen));
    assert_true(bytes_equal(a->reply, b->reply) && bytes_equal(a->poll_reply, b->poll_reply));
    assert_true(bytes_equal(a->certificate, b->certificate) && certificate_id_equal(&a->old, &b->old));
}

static void what_is_put_is_read(void **state)
{
    struct cmp_transaction t = a_transaction(), read;
    struct memory m;

    begin(&m, *state);
    assert_true(cmp_nonce_add(&t, BYTES_LITERAL("theirs"), m.turn.arena));
    assert_true(cmp_transaction_put(&m.turn, PROCEDURE, ID, &t, NOW_S + 60, NULL));
    assert_int_equal(commit(&m), APPLY_DONE);
    assert_true(cmp_transaction_read(&m.turn, PROCEDURE, ID, &read, NULL));
    assert_same(&read, &t);
    assert_int_equal(read.revision, 1);
    assert_int_equal(read.changed_s, NOW_S);
    assert_true(cmp_transaction_read(&m.turn, BYTES_LITERAL("other"), ID, &read, NULL));
    assert_int_equal(read.phase, CMP_PHASE_NONE); /* of another procedure */
    registry_view_end(m.view);
}

static void two_that_begin_at_once_conflict(void **state)
{
    const struct cmp_transaction t = a_transaction();
    struct memory m;

    begin(&m, *state);
    for (int i = 0; i < 2; i++) {
        assert_true(cmp_transaction_put(&m.turn, PROCEDURE, ID, &t, 0, NULL));
        assert_int_equal(commit(&m), i == 0 ? APPLY_DONE : APPLY_CONFLICT);
    }
    registry_view_end(m.view);
}

static void one_whose_time_is_over_is_none_and_may_be_written_over(void **state)
{
    struct cmp_transaction t = a_transaction(), read;
    struct memory m;

    begin(&m, *state);
    assert_true(cmp_transaction_put(&m.turn, PROCEDURE, ID, &t, NOW_S + 60, NULL));
    assert_int_equal(commit(&m), APPLY_DONE);
    m.turn.now_s += 60;
    assert_true(cmp_transaction_read(&m.turn, PROCEDURE, ID, &read, NULL));
    assert_int_equal(read.phase, CMP_PHASE_NONE);
    t.revision = read.revision;
    assert_true(cmp_transaction_put(&m.turn, PROCEDURE, ID, &t, 0, NULL));
    assert_int_equal(commit(&m), APPLY_DONE);
    registry_view_end(m.view);
}

/* --- what is not as it was written --- */
static bool reads(struct memory *m, struct bytes blob)
{
    static uint64_t revision;
    const struct state_key key = { .procedure = PROCEDURE, .kind = "cmp", .id = ID };
    const struct state_value value = { .blob = blob };
    struct cmp_transaction t;
    struct error err = { 0 };
    bool found;
    struct state_value old;

    assert_true(registry_state(m->view, &key, m->turn.arena, &found, &old, NULL));
    revision = found ? old.revision : 0;
    change_state_put(&m->turn.changes, &key, &value, revision);
    assert_int_equal(commit(m), APPLY_DONE);
    if (cmp_transaction_read(&m->turn, PROCEDURE, ID, &t, &err))
        return true;
    assert_int_equal(err.code, ERROR_FORMAT);
    return false;
}

/* Phase and opening body, and one field more. */
static struct bytes with_field(struct arena *arena, uint64_t phase, uint64_t body, uint16_t tag,
                               struct bytes content)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024);

    record_begin(&out, 1);
    record_put_u64(&out, 1, phase);
    record_put_u64(&out, 2, body);
    record_put(&out, tag, content);
    return arena_copy(arena, buffer_bytes(&out));
}

static void a_record_that_is_malformed_is_an_error(void **state)
{
    static const uint8_t long_serial[SERIAL_MAX + 1];
    struct memory m;
    struct arena *arena;

    begin(&m, *state);
    arena = m.turn.arena;
    assert_true(reads(&m, with_field(arena, CMP_PHASE_WAITING, CMP_IR, 999, BYTES_LITERAL("of later"))));
    assert_false(reads(&m, BYTES_LITERAL("\x09")));
    assert_false(reads(&m, BYTES_LITERAL("\x01\x00")));
    assert_false(reads(&m, with_field(arena, 0, CMP_IR, 999, BYTES_LITERAL("x"))));
    assert_false(reads(&m, with_field(arena, CMP_PHASE_CLOSED + 1, CMP_IR, 999, BYTES_LITERAL("x"))));
    assert_false(reads(&m, with_field(arena, CMP_PHASE_WAITING, 0, 999, BYTES_LITERAL("x"))));
    assert_false(reads(&m, with_field(arena, CMP_PHASE_WAITING, CMP_BODY_COUNT, 999, BYTES_LITERAL("x"))));
    assert_false(reads(&m, with_field(arena, CMP_PHASE_WAITING, CMP_IR, 5, BYTES_LITERAL("short"))));
    assert_false(reads(&m, with_field(arena, CMP_PHASE_WAITING, CMP_IR, 10, BYTES_LITERAL("odd"))));
    assert_false(reads(&m, with_field(arena, CMP_PHASE_WAITING, CMP_IR, 15, BYTES_ARRAY(long_serial))));
    registry_view_end(m.view);
}

/* --- nonces --- */
static void the_newest_nonces_are_remembered(void **state)
{
    struct fixture *f = *state;
    struct cmp_transaction t = { 0 };
    uint8_t nonce[16] = { 0 };
    bool seen;

    for (uint8_t i = 0; i < CMP_NONCES_MAX + 2; i++) {
        nonce[0] = i;
        assert_true(cmp_nonce_seen(&t, BYTES_ARRAY(nonce), &seen) && !seen);
        assert_true(cmp_nonce_add(&t, BYTES_ARRAY(nonce), f->arena));
        assert_true(cmp_nonce_seen(&t, BYTES_ARRAY(nonce), &seen) && seen);
    }
    assert_int_equal(t.seen.len, CMP_NONCES_MAX * DIGEST256_LEN);
    nonce[0] = 1;
    assert_true(cmp_nonce_seen(&t, BYTES_ARRAY(nonce), &seen) && !seen); /* the oldest went */
    nonce[0] = 2;
    assert_true(cmp_nonce_seen(&t, BYTES_ARRAY(nonce), &seen) && seen);
}

/* --- key updates --- */
static void assert_update(struct memory *m, const struct certificate_id *id, enum cmp_update expected)
{
    enum cmp_update update;

    assert_true(cmp_update_read(&m->turn, id, &update, NULL));
    assert_int_equal(update, expected);
}

static void a_pending_update_ends_by_itself(void **state)
{
    const struct certificate_id id = { .issuer = { { 1 } }, .serial = { 7 }, .serial_len = 1 },
                                other = { .issuer = { { 1 } }, .serial = { 8 }, .serial_len = 1 };
    struct memory m;

    begin(&m, *state);
    assert_update(&m, &id, CMP_UPDATE_NONE);
    assert_true(cmp_update_put(&m.turn, &id, CMP_UPDATE_NONE, 0, NULL)); /* nothing to take back */
    assert_int_equal(m.turn.changes.count, 0);
    assert_true(cmp_update_put(&m.turn, &id, CMP_UPDATE_PENDING, NOW_S + 60, NULL));
    assert_int_equal(commit(&m), APPLY_DONE);
    assert_update(&m, &id, CMP_UPDATE_PENDING);
    assert_update(&m, &other, CMP_UPDATE_NONE);
    m.turn.now_s += 60;
    assert_update(&m, &id, CMP_UPDATE_NONE);
    assert_true(cmp_update_put(&m.turn, &id, CMP_UPDATE_DONE, 0, NULL));
    assert_int_equal(commit(&m), APPLY_DONE);
    m.turn.now_s += 86400;
    assert_update(&m, &id, CMP_UPDATE_DONE);
    assert_true(cmp_update_put(&m.turn, &id, CMP_UPDATE_NONE, 0, NULL));
    assert_int_equal(commit(&m), APPLY_DONE);
    assert_update(&m, &id, CMP_UPDATE_NONE);
    registry_view_end(m.view);
}

static void what_was_assumed_of_an_update_and_is_not_so_conflicts(void **state)
{
    const struct certificate_id id = { .issuer = { { 1 } }, .serial = { 7 }, .serial_len = 1 };
    struct changes put;
    struct memory m;

    begin(&m, *state);
    assert_true(cmp_update_assume(&m.turn, &id, NULL));
    assert_int_equal(commit(&m), APPLY_DONE);
    for (int i = 0; i < 2; i++) { /* absent at first, then at a revision */
        assert_true(cmp_update_put(&m.turn, &id, CMP_UPDATE_PENDING, NOW_S + 60, NULL));
        put = m.turn.changes;
        changes_begin(&m.turn.changes, m.turn.arena);
        assert_true(cmp_update_assume(&m.turn, &id, NULL));
        {
            const struct changes *both[] = { &put, &m.turn.changes };
            enum apply_result result[2];

            registry_view_reset(m.view);
            assert_true(registry_apply(m.f->registry, both, 2, NOW_S, result, NULL));
            assert_int_equal(result[0], APPLY_DONE);
            assert_int_equal(result[1], APPLY_CONFLICT);
        }
        assert_true(registry_view_renew(m.view, NULL));
        changes_begin(&m.turn.changes, m.turn.arena);
    }
    registry_view_end(m.view);
}

static void a_malformed_update_is_an_error(void **state)
{
    const struct certificate_id id = { .issuer = { { 1 } }, .serial = { 7 }, .serial_len = 1 };
    AUTO_STRUCT(buffer) key_id = BUFFER(64);
    struct state_key key = { .kind = "cmp-update" };
    const struct state_value value = { .blob = BYTES_LITERAL("\x09") };
    enum cmp_update update;
    struct error err = { 0 };
    struct memory m;

    begin(&m, *state);
    buffer_append(&key_id, digest256_bytes(&id.issuer));
    buffer_append_byte(&key_id, 7);
    key.id = buffer_bytes(&key_id);
    change_state_put(&m.turn.changes, &key, &value, 0);
    assert_int_equal(commit(&m), APPLY_DONE);
    assert_false(cmp_update_read(&m.turn, &id, &update, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    registry_view_end(m.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(what_is_put_is_read),
        registry_test(two_that_begin_at_once_conflict),
        registry_test(one_whose_time_is_over_is_none_and_may_be_written_over),
        registry_test(a_record_that_is_malformed_is_an_error),
        registry_test(the_newest_nonces_are_remembered),
        registry_test(a_pending_update_ends_by_itself),
        registry_test(what_was_assumed_of_an_update_and_is_not_so_conflicts),
        registry_test(a_malformed_update_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
