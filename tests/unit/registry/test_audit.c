#include "registry_fixture.h"

#include "registry/audit_internal.h"

static void append(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "{\"n\":%u}", i);
        change_audit_append(&f->changes, AUDIT_ISSUED, bytes_text(text));
    }
    assert_int_equal(apply(f), APPLY_DONE);
}

static struct audit_head head_of(struct fixture *f)
{
    struct registry_view *view = begin_view(f);
    struct audit_head head;

    assert_true(registry_audit_head(view, &head, &f->err));
    registry_view_end(view);
    return head;
}

/* RFC 6962 2.1 as it is written there: split at the largest power of two below n. */
static struct digest256 tree_hash(const struct digest256 *leaf, size_t n)
{
    struct digest256 out, left, right;
    size_t k = 1;

    if (n == 1)
        return leaf[0];
    while (k * 2 < n)
        k *= 2;
    left = tree_hash(leaf, k);
    right = tree_hash(leaf + k, n - k);
    assert_true(sha256_parts(
        (struct bytes[]){ BYTES_LITERAL("\1"), digest256_bytes(&left), digest256_bytes(&right) }, 3, &out));
    return out;
}

static void an_empty_log_has_the_hash_of_nothing(void **state)
{
    struct fixture *f = *state;
    struct audit_head head = head_of(f);
    struct digest256 nothing;

    assert_true(sha256(BYTES_NONE, &nothing));
    assert_int_equal(head.size, 0);
    assert_true(digest256_equal(&head.root, &nothing));
}

static void the_root_is_that_of_rfc_6962_at_every_size(void **state)
{
    struct fixture *f = *state;
    struct audit_entry entry[40];
    struct digest256 leaf[40], root;

    for (unsigned size = 1; size <= 33; size++) {
        struct registry_view *view;
        struct audit_head head;
        size_t count = 0;

        append(f, 1);
        view = begin_view(f);
        assert_true(registry_audit_read(view, 0, 40, f->arena, entry, &count, &f->err));
        assert_int_equal(count, size);
        for (size_t i = 0; i < count; i++)
            assert_true(audit_leaf(i, entry[i].time_s, entry[i].kind, entry[i].content, &leaf[i]));
        root = tree_hash(leaf, count);
        assert_true(registry_audit_head(view, &head, &f->err));
        assert_int_equal(head.size, size);
        assert_true(digest256_equal(&head.root, &root));
        registry_view_end(view);
    }
}

static void entries_in_one_commit_or_in_many_make_the_same_log(void **state)
{
    struct fixture *f = *state;
    struct audit_head all, again;
    struct audit_tail tail = { 0 };
    struct txn txn = { 0 };

    append(f, 13);
    all = head_of(f);
    reopen(f);
    assert_true(txn_begin_read(f->registry, &txn, &f->err));
    assert_true(audit_tail_load(&txn, &tail, &f->err));
    assert_true(audit_tail_root(&tail, &again.root, &f->err));
    txn_abort(&txn);
    assert_int_equal(tail.size, 13);
    assert_true(digest256_equal(&all.root, &again.root));
}

static bool accept_below_three(const struct audit_entry *entry, void *context)
{
    ++*(size_t *)context;
    return entry->index < 3;
}

static void verification_goes_through_all_and_may_be_stopped(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    struct audit_head head = { 0 };
    size_t seen = 0;

    append(f, 9);
    view = begin_view(f);
    assert_true(registry_audit_verify(view, f->arena, NULL, NULL, &head, &f->err));
    assert_int_equal(head.size, 9);
    assert_false(registry_audit_verify(view, f->arena, accept_below_three, &seen, &head, &f->err));
    assert_int_equal(f->err.code, ERROR_FORMAT);
    assert_int_equal(seen, 4);
    registry_view_end(view);
}

static void assert_found_out(struct fixture *f, const char *words)
{
    struct registry_view *view = begin_view(f);
    struct audit_head head;

    assert_false(registry_audit_verify(view, f->arena, NULL, NULL, &head, &f->err));
    assert_int_equal(f->err.code, ERROR_FORMAT);
    if (strstr(f->err.text, words) == NULL)
        fail_msg("%s", f->err.text);
    registry_view_end(view);
}

/* Replaces one row behind the registry's back. */
static void alter(struct fixture *f, enum table table, struct bytes key, struct bytes value)
{
    struct txn txn = { 0 };

    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    if (value.data == NULL)
        assert_true(txn_delete(&txn, table, key, &f->err));
    else
        assert_true(txn_put(&txn, table, key, value, &f->err));
    assert_true(txn_commit(&txn, &f->err));
}

static void an_altered_entry_is_named(void **state)
{
    struct fixture *f = *state;
    AUTO_STRUCT(buffer) record = BUFFER(1000);
    struct audit_entry entry = { .time_s = NOW_S, .kind = AUDIT_ISSUED, .content = BYTES_LITERAL("{lie}") };
    struct key key = { 0 };

    append(f, 6);
    key_put_u64(&key, 4);
    audit_encode(&record, &entry);
    alter(f, TABLE_AUDIT, key_bytes(&key), buffer_bytes(&record));
    assert_found_out(f, "entry 4 was altered");
}

static void an_altered_entry_with_its_leaf_is_found_in_the_tree(void **state)
{
    struct fixture *f = *state;
    AUTO_STRUCT(buffer) record = BUFFER(1000);
    struct audit_entry entry = { .time_s = NOW_S, .kind = AUDIT_ISSUED, .content = BYTES_LITERAL("{lie}") };
    struct key key = { 0 };

    append(f, 6);
    key_put_u64(&key, 2);
    assert_true(audit_leaf(2, entry.time_s, entry.kind, entry.content, &entry.leaf));
    audit_encode(&record, &entry);
    alter(f, TABLE_AUDIT, key_bytes(&key), buffer_bytes(&record));
    assert_found_out(f, "the stored tree differs at node 1 of level 1");
}

static void a_missing_entry_and_a_missing_node_are_found(void **state)
{
    struct fixture *f = *state;
    struct key key = { 0 };

    append(f, 6);
    key_put_u8(&key, 1);
    key_put_u64(&key, 1);
    alter(f, TABLE_AUDIT_NODE, key_bytes(&key), BYTES_NONE);
    assert_found_out(f, "no node 1 of level 1");
    key.len = 0;
    key_put_u64(&key, 5);
    alter(f, TABLE_AUDIT, key_bytes(&key), BYTES_NONE);
    assert_found_out(f, "5 entries, its head says 6");
}

static void an_altered_head_is_found(void **state)
{
    struct fixture *f = *state;
    uint8_t head[48] = { 0, 0, 0, 0, 0, 0, 0, 6 };

    append(f, 6);
    alter(f, TABLE_META, META_AUDIT, BYTES_ARRAY(head));
    assert_found_out(f, "root");
}

static void reading_starts_where_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    struct audit_entry entry[4];
    size_t count = 0;

    append(f, 6);
    view = begin_view(f);
    assert_true(registry_audit_read(view, 3, 2, f->arena, entry, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(entry[0].index, 3);
    assert_int_equal(entry[0].kind, AUDIT_ISSUED);
    assert_true(bytes_is(entry[1].content, "{\"n\":4}"));
    assert_true(registry_audit_read(view, 6, 2, f->arena, entry, &count, &f->err));
    assert_int_equal(count, 0);
    registry_view_end(view);
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = AUDIT_NONE; kind < AUDIT_KIND_COUNT; kind++)
        assert_string_not_equal(audit_kind_name((enum audit_kind)kind), "unknown");
    assert_string_equal(audit_kind_name(AUDIT_KIND_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(an_empty_log_has_the_hash_of_nothing),
        registry_test(the_root_is_that_of_rfc_6962_at_every_size),
        registry_test(entries_in_one_commit_or_in_many_make_the_same_log),
        registry_test(verification_goes_through_all_and_may_be_stopped),
        registry_test(an_altered_entry_is_named),
        registry_test(an_altered_entry_with_its_leaf_is_found_in_the_tree),
        registry_test(a_missing_entry_and_a_missing_node_are_found),
        registry_test(an_altered_head_is_found),
        registry_test(reading_starts_where_it_is_told),
        cmocka_unit_test(every_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
