#include "registry_fixture.h"

static struct txn writing(struct fixture *f)
{
    struct txn txn = { 0 };

    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    return txn;
}

static void a_row_is_added_once_and_put_always(void **state)
{
    struct fixture *f = *state;
    struct txn txn = writing(f);
    struct bytes value = BYTES_NONE;
    bool found = false;

    assert_true(txn_add(&txn, TABLE_JTI, BYTES_LITERAL("k"), BYTES_LITERAL("1"), &f->err));
    assert_false(txn_add(&txn, TABLE_JTI, BYTES_LITERAL("k"), BYTES_LITERAL("2"), &f->err));
    assert_int_equal(f->err.code, ERROR_CONFLICT);
    assert_true(txn_put(&txn, TABLE_JTI, BYTES_LITERAL("k"), BYTES_LITERAL("3"), &f->err));
    assert_true(txn_get(&txn, TABLE_JTI, BYTES_LITERAL("k"), &found, &value, &f->err));
    assert_true(found && bytes_is(value, "3"));
    assert_true(txn_delete(&txn, TABLE_JTI, BYTES_LITERAL("k"), &f->err));
    assert_true(txn_delete(&txn, TABLE_JTI, BYTES_LITERAL("k"), &f->err));
    assert_true(txn_get(&txn, TABLE_JTI, BYTES_LITERAL("k"), &found, &value, &f->err));
    assert_false(found);
    txn_abort(&txn);
}

static void appending_out_of_order_is_adding(void **state)
{
    struct fixture *f = *state;
    struct txn txn = writing(f);
    uint64_t count = 0;

    assert_true(txn_append(&txn, TABLE_JTI, BYTES_LITERAL("b"), BYTES_LITERAL("1"), &f->err));
    assert_true(txn_append(&txn, TABLE_JTI, BYTES_LITERAL("a"), BYTES_LITERAL("1"), &f->err));
    assert_true(txn_append(&txn, TABLE_JTI, BYTES_LITERAL("c"), BYTES_LITERAL("1"), &f->err));
    assert_false(txn_append(&txn, TABLE_JTI, BYTES_LITERAL("a"), BYTES_LITERAL("2"), &f->err));
    assert_int_equal(f->err.code, ERROR_CONFLICT);
    assert_true(txn_count(&txn, TABLE_JTI, &count, &f->err));
    assert_int_equal(count, 3);
    txn_abort(&txn);
}

static void a_cursor_finds_neighbours(void **state)
{
    struct fixture *f = *state;
    struct txn txn = writing(f);
    struct cursor c = { 0 };

    assert_true(txn_put(&txn, TABLE_JTI, BYTES_LITERAL("b"), BYTES_NONE, &f->err));
    assert_true(txn_put(&txn, TABLE_JTI, BYTES_LITERAL("d"), BYTES_NONE, &f->err));
    assert_true(cursor_open(&txn, TABLE_JTI, &c, &f->err));
    assert_true(cursor_seek(&c, BYTES_LITERAL("c"), &f->err));
    assert_true(c.found && bytes_is(c.key, "d"));
    assert_true(cursor_next(&c, &f->err));
    assert_false(c.found);
    assert_true(cursor_at_or_before(&c, BYTES_LITERAL("z"), &f->err));
    assert_true(c.found && bytes_is(c.key, "d"));
    assert_true(cursor_at_or_before(&c, BYTES_LITERAL("d"), &f->err));
    assert_true(c.found && bytes_is(c.key, "d"));
    assert_true(cursor_before(&c, BYTES_LITERAL("d"), &f->err));
    assert_true(c.found && bytes_is(c.key, "b"));
    assert_true(cursor_at_or_before(&c, BYTES_LITERAL("a"), &f->err));
    assert_false(c.found);
    cursor_close(&c);
    txn_abort(&txn);
}

static void an_empty_table_has_no_neighbours(void **state)
{
    struct fixture *f = *state;
    struct txn txn = { 0 };
    struct cursor c = { 0 };

    assert_true(txn_begin_read(f->registry, &txn, &f->err));
    assert_true(cursor_open(&txn, TABLE_JTI, &c, &f->err));
    assert_true(cursor_seek(&c, BYTES_NONE, &f->err));
    assert_false(c.found);
    assert_true(cursor_at_or_before(&c, BYTES_LITERAL("a"), &f->err));
    assert_false(c.found);
    cursor_close(&c);
    txn_abort(&txn);
}

static void numbers_sort_as_numbers_and_come_back(void **state)
{
    struct key small = { 0 }, large = { 0 };

    (void)state;
    key_put_u64(&small, 255);
    key_put_u64(&large, 0x0123456789abcdef);
    assert_true(bytes_compare(key_bytes(&small), key_bytes(&large)) < 0);
    assert_true(key_u64(key_bytes(&large), 0) == 0x0123456789abcdef);
    assert_int_equal(key_u32(key_bytes(&large), 4), 0x89abcdef);
}

static void text_without_a_bound_fits_a_key_and_stays_itself(void **state)
{
    uint8_t text[1000] = { 0 };
    struct key a = { 0 }, b = { 0 }, c = { 0 };
    struct error err;

    (void)state;
    assert_true(key_put_unbounded(&a, bytes_of(text, KEY_TEXT_MAX), &err));
    assert_int_equal(a.len, KEY_TEXT_MAX);
    assert_true(key_put_unbounded(&b, BYTES_ARRAY(text), &err));
    text[999] = 1;
    assert_true(key_put_unbounded(&c, BYTES_ARRAY(text), &err));
    assert_true(b.len < 200);
    assert_false(bytes_equal(key_bytes(&b), key_bytes(&c)));
}

static void errors_of_room_are_told_from_errors_of_the_disk(void **state)
{
    static const struct {
        int rc;
        enum error_code code;
    } row[] = {
        { MDB_MAP_FULL, ERROR_UNAVAILABLE }, { 28 /* ENOSPC */, ERROR_UNAVAILABLE },
        { MDB_READERS_FULL, ERROR_LIMIT },   { MDB_CORRUPTED, ERROR_STORAGE },
        { MDB_KEYEXIST, ERROR_CONFLICT },    { MDB_VERSION_MISMATCH, ERROR_UNSUPPORTED },
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        assert_false(storage_error(row[i].rc, "x", &err));
        assert_int_equal(err.code, row[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(a_row_is_added_once_and_put_always),
        registry_test(appending_out_of_order_is_adding),
        registry_test(a_cursor_finds_neighbours),
        registry_test(an_empty_table_has_no_neighbours),
        cmocka_unit_test(numbers_sort_as_numbers_and_come_back),
        cmocka_unit_test(text_without_a_bound_fits_a_key_and_stays_itself),
        cmocka_unit_test(errors_of_room_are_told_from_errors_of_the_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
