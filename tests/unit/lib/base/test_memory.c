/* Arena, buffer, secret, record: what owns memory. */
#include "tests/lib/test.h"

#include "lib/base/arena.h"
#include "lib/base/record.h"
#include "lib/base/secret.h"

static void an_arena_never_gives_more_than_its_bound(void **state)
{
    AUTO_ARENA *arena = arena_new(100000);
    size_t given = 0;
    uint8_t *piece;

    (void)state;
    while ((piece = arena_alloc(arena, 1000)) != NULL) {
        for (size_t i = 0; i < 1000; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xff, 1000);
        given += 1000;
    }
    assert_true(given > 90000 && given <= 100000);
    assert_null(arena_array(arena, SIZE_MAX / 2, 16));
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    piece = arena_alloc(arena, 1000);
    assert_non_null(piece);
    assert_int_equal(piece[0], 0);
}

static void every_allocation_can_be_made_to_fail(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 20);

    (void)state;
    arena_fail_after(arena, 2);
    assert_non_null(arena_alloc(arena, 1));
    assert_null(arena_copy(arena, bytes_text("x")).data);
    assert_text(arena_format(arena, "%d-%s", 5, "five"), "5-five");
}

static void a_buffer_keeps_its_maximum_and_remembers_a_failure(void **state)
{
    AUTO_STRUCT(buffer) buffer = BUFFER(300);

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        buffer_format(&buffer, "%02u ", i % 100);
    assert_int_equal(buffer.len, 300 - 300 % 3 - 3);
    assert_true(buffer_failed(&buffer));
    buffer_append_byte(&buffer, 'x');
    assert_int_equal(buffer.data[buffer.len - 1], ' ');
    buffer_consume(&buffer, 3);
    assert_memory_equal(buffer.data, "01 ", 3);
}

static void an_empty_secret_proves_nothing(void **state)
{
    AUTO_STRUCT(secret) secret = { 0 };

    (void)state;
    assert_true(secret_copy(bytes_text("s3cret"), &secret));
    assert_true(secret_proves(bytes_text("s3cret"), secret_bytes(&secret)));
    assert_false(secret_proves(bytes_text("s3cre"), secret_bytes(&secret)));
    assert_false(secret_proves(bytes_text("s3crex"), secret_bytes(&secret)));
    assert_false(secret_proves(BYTES_NONE, BYTES_NONE));
    assert_false(secret_proves(bytes_text("x"), BYTES_NONE));
}

static void a_record_reads_back_as_it_was_written(void **state)
{
    AUTO_STRUCT(buffer) out = BUFFER(1000);
    struct record_reader reader;
    struct record_field field;
    uint8_t version;

    (void)state;
    record_begin(&out, 3);
    record_put(&out, 1, bytes_text("one"));
    record_put(&out, 2, BYTES_NONE);
    record_put_u64(&out, 3, UINT64_MAX - 1);
    assert_true(record_open(buffer_bytes(&out), &reader, &version));
    assert_int_equal(version, 3);
    assert_true(record_next(&reader, &field));
    assert_text(field.content, "one");
    assert_true(record_next(&reader, &field));
    assert_int_equal(field.content.len, 0);
    assert_true(record_next(&reader, &field));
    assert_true(record_u64(&reader, &field) == UINT64_MAX - 1);
    assert_false(record_next(&reader, &field));
    assert_false(reader.failed);

    for (size_t len = 1; len < out.len; len++) { /* cut anywhere: fields that are whole, or a failure */
        assert_true(record_open(bytes_of(out.data, len), &reader, &version));
        while (record_next(&reader, &field))
            assert_true(field.tag >= 1 && field.tag <= 3);
        assert_true(reader.failed || len == 1 || len == 1 + 9 || len == 1 + 9 + 6);
    }
    assert_false(record_open(BYTES_NONE, &reader, &version));
}

static bool take_number(struct record_reader *in, const struct record_field *field, void *into)
{
    if (field->tag == 1)
        *(uint64_t *)into = record_u64(in, field);
    return field->tag != 9;
}

static void a_record_is_read_whole_or_not_at_all(void **state)
{
    AUTO_ARENA *arena = arena_new(4096);
    AUTO_STRUCT(buffer) out = BUFFER(100);
    struct error err = { 0 };
    struct bytes kept = BYTES_NONE;
    uint64_t number = 0;

    (void)state;
    record_begin(&out, 3);
    record_put_u64(&out, 1, 7);
    record_put(&out, 2, bytes_text("of a later version"));
    assert_true(record_keep(&out, "a record", arena, &kept, &err));
    assert_true(record_read(kept, 3, take_number, &number));
    assert_int_equal(number, 7);
    assert_false(record_read(kept, 4, take_number, &number));
    assert_false(record_read(bytes_slice(kept, 0, kept.len - 1), 3, take_number, &number));
    assert_false(record_read(BYTES_NONE, 3, take_number, &number));
    record_put(&out, 1, bytes_text("no number"));
    assert_false(record_read(buffer_bytes(&out), 3, take_number, &number));
    record_put(&out, 9, bytes_text("over its maximum, which is 100 octets in all"));
    assert_false(record_keep(&out, "a record", arena, &kept, &err));
    assert_string_equal(err.text, "a record");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_never_gives_more_than_its_bound),
        cmocka_unit_test(every_allocation_can_be_made_to_fail),
        cmocka_unit_test(a_buffer_keeps_its_maximum_and_remembers_a_failure),
        cmocka_unit_test(an_empty_secret_proves_nothing),
        cmocka_unit_test(a_record_reads_back_as_it_was_written),
        cmocka_unit_test(a_record_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
