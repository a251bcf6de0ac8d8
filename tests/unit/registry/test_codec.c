#include "registry_fixture.h"

#include "registry/codec_internal.h"

static void state_comes_back(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(1000);
    struct state_row in = { .procedure = BYTES_LITERAL("p"),
                            .kind = BYTES_LITERAL("txn"),
                            .id = BYTES_LITERAL("1"),
                            .blob = BYTES_LITERAL("blob"),
                            .revision = 4,
                            .expires_s = NOW_S,
                            .changed_s = 2 },
                     out;
    struct error err;

    (void)state;
    state_encode(&record, &in);
    assert_true(state_decode(buffer_bytes(&record), &out, &err));
    assert_true(bytes_equal(in.procedure, out.procedure) && bytes_equal(in.kind, out.kind) &&
                bytes_equal(in.id, out.id) && bytes_equal(in.blob, out.blob));
    assert_true(in.revision == out.revision && in.expires_s == out.expires_s &&
                in.changed_s == out.changed_s);
    record.len = 1; /* a kind there must be */
    assert_false(state_decode(buffer_bytes(&record), &out, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
}

static void a_job_comes_back(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(1000);
    struct job_record in = { .id = { { 1, 2 } },
                             .kind = BYTES_LITERAL("k"),
                             .state = BYTES_LITERAL("s"),
                             .due_s = NOW_S,
                             .attempts = 3 },
                      out;
    struct error err;

    (void)state;
    job_encode(&record, &in);
    assert_true(job_decode(buffer_bytes(&record), &out, &err));
    assert_memory_equal(in.id.bytes, out.id.bytes, ID_LEN);
    assert_true(bytes_equal(in.kind, out.kind) && bytes_equal(in.state, out.state));
    assert_true(in.due_s == out.due_s && in.attempts == out.attempts);
}

static void unknown_fields_are_skipped(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(1000);
    struct job_record in = { .kind = BYTES_LITERAL("k") }, out;
    struct error err;

    (void)state;
    job_encode(&record, &in);
    record_put(&record, 999, BYTES_LITERAL("of a later program"));
    assert_true(job_decode(buffer_bytes(&record), &out, &err));
    assert_true(bytes_is(out.kind, "k"));
}

static void an_audit_entry_of_no_kind_is_refused(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(1000);
    struct audit_entry in = { .time_s = NOW_S, .kind = AUDIT_ACT, .content = BYTES_LITERAL("{}") }, out;
    struct error err;

    (void)state;
    audit_encode(&record, &in);
    assert_true(audit_decode(buffer_bytes(&record), 7, &out, &err));
    assert_int_equal(out.index, 7);
    assert_int_equal(out.kind, AUDIT_ACT);
    record.len = 0;
    in.kind = AUDIT_NONE;
    audit_encode(&record, &in);
    assert_false(audit_decode(buffer_bytes(&record), 7, &out, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
}

static void a_number_of_the_wrong_length_and_an_empty_record_are_refused(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(1000);
    AUTO_ARENA *arena = arena_new(1000);
    struct officer_record out;
    struct error err;

    (void)state;
    assert_false(officer_decode(BYTES_NONE, arena, &out, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    record_begin(&record, RECORD_VERSION);
    for (uint16_t tag = 1; tag < 10; tag++)
        record_put(&record, tag, BYTES_LITERAL("abc"));
    assert_false(officer_decode(buffer_bytes(&record), arena, &out, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_comes_back),
        cmocka_unit_test(a_job_comes_back),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(an_audit_entry_of_no_kind_is_refused),
        cmocka_unit_test(a_number_of_the_wrong_length_and_an_empty_record_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
