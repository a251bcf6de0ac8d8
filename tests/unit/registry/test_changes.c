#include "registry_fixture.h"

#include "registry/changes_internal.h"

static void add_one_of_each(struct fixture *f, struct changes *c)
{
    struct registration r = a_registration(f, "a.example.com");
    struct certificate_record certificate = a_certificate(1, "a.example.com");
    struct state_key key = { .procedure = BYTES_LITERAL("p"), .kind = "txn", .id = BYTES_LITERAL("1") };
    struct state_value value = { .blob = BYTES_LITERAL("b") };
    struct job_record job = { .id = { { 1 } }, .kind = BYTES_LITERAL("k"), .state = BYTES_LITERAL("s") };
    struct bytes list[] = { BYTES_LITERAL("x"), BYTES_LITERAL("y") };
    struct officer_record officer = { .key_id = BYTES_LITERAL("kid"), .suffix = list, .suffix_count = 2 };

    change_registration_put(c, &r, 0);
    change_registration_assume(c, &r.id, 1);
    change_registration_use(c, &r.id, 1, true);
    change_certificate_add(c, &certificate);
    change_certificate_revoke(c, &certificate.id, REVOCATION_UNSPECIFIED, NOW_S);
    change_certificate_assume(c, &certificate.id);
    change_state_put(c, &key, &value, 0);
    change_state_delete(c, &key, 1);
    change_state_assume(c, &key, 1);
    change_place_take(c, &key, BYTES_LITERAL("m"), NOW_S, 1);
    change_place_free(c, &key, BYTES_LITERAL("m"));
    change_job_put(c, &job);
    change_job_delete(c, &job.id);
    change_officer_put(c, &officer);
    change_jti_use(c, BYTES_LITERAL("o"), BYTES_LITERAL("j"));
    change_audit_append(c, AUDIT_ACT, BYTES_LITERAL("{}"));
}

static void changes_stand_in_the_order_they_came_in(void **state)
{
    struct fixture *f = *state;
    enum change_kind expected = CHANGE_REGISTRATION_PUT;

    add_one_of_each(f, &f->changes);
    assert_false(changes_failed(&f->changes));
    assert_int_equal(f->changes.count, CHANGE_AUDIT_APPEND);
    for (const struct change *change = f->changes.first; change != NULL; change = change->next)
        assert_int_equal(change->kind, expected++);
}

static void what_is_added_is_copied(void **state)
{
    struct fixture *f = *state;
    char blob[] = "blob", id[] = "id", kind[] = "txn";
    struct state_key key = { .kind = kind, .id = bytes_text(id) };
    struct state_value value = { .blob = bytes_text(blob) };

    change_state_put(&f->changes, &key, &value, 0);
    memset(blob, 'x', 4);
    memset(id, 'x', 2);
    memset(kind, 'x', 3);
    assert_true(bytes_is(f->changes.first->state.value.blob, "blob"));
    assert_true(bytes_is(f->changes.first->state.key.id, "id"));
    assert_string_equal(f->changes.first->state.key.kind, "txn");
}

static void every_allocation_that_fails_marks_the_list(void **state)
{
    struct fixture *f = *state;
    unsigned n = 0;

    do {
        changes_begin(&f->changes, f->arena);
        arena_fail_after(f->arena, ++n);
        add_one_of_each(f, &f->changes);
        arena_fail_after(f->arena, 0);
    } while (changes_failed(&f->changes) && n < 1000);
    assert_true(n > 25 && n < 1000);
    assert_int_equal(f->changes.count, CHANGE_AUDIT_APPEND);
}

/* --- what cannot stand together --- */

/* A change of that kind, of object `n`. */
static void add_of(struct changes *c, enum change_kind kind, uint8_t n)
{
    const struct registration_id id = { { n } };
    struct registration r = { .id = id };
    struct certificate_record certificate = a_certificate(n, "a.example.com");
    struct state_key key = { .kind = "txn", .id = BYTES_ARRAY(id.bytes) };
    struct state_value value = { .blob = BYTES_LITERAL("b") };
    struct job_record job = { .id = { { n } }, .kind = BYTES_LITERAL("k") };
    struct officer_record officer = { .key_id = BYTES_ARRAY(id.bytes) };

    certificate.key.bytes[0] = n;
    switch (kind) {
    case CHANGE_NONE: break;
    case CHANGE_REGISTRATION_PUT: change_registration_put(c, &r, 0); break;
    case CHANGE_REGISTRATION_ASSUME: change_registration_assume(c, &id, 1); break;
    case CHANGE_REGISTRATION_USE: change_registration_use(c, &id, 1, true); break;
    case CHANGE_CERTIFICATE_ADD: change_certificate_add(c, &certificate); break;
    case CHANGE_CERTIFICATE_REVOKE: change_certificate_revoke(c, &certificate.id, 0, NOW_S); break;
    case CHANGE_CERTIFICATE_ASSUME: change_certificate_assume(c, &certificate.id); break;
    case CHANGE_STATE_PUT: change_state_put(c, &key, &value, 0); break;
    case CHANGE_STATE_DELETE: change_state_delete(c, &key, 1); break;
    case CHANGE_STATE_ASSUME: change_state_assume(c, &key, 1); break;
    case CHANGE_PLACE_TAKE: change_place_take(c, &key, BYTES_LITERAL("m"), NOW_S, 1); break;
    case CHANGE_PLACE_FREE: change_place_free(c, &key, BYTES_LITERAL("m")); break;
    case CHANGE_JOB_PUT: change_job_put(c, &job); break;
    case CHANGE_JOB_DELETE: change_job_delete(c, &job.id); break;
    case CHANGE_OFFICER_PUT: change_officer_put(c, &officer); break;
    case CHANGE_JTI_USE: change_jti_use(c, BYTES_LITERAL("o"), BYTES_ARRAY(id.bytes)); break;
    case CHANGE_AUDIT_APPEND: change_audit_append(c, AUDIT_ACT, BYTES_LITERAL("{}")); break;
    }
}

/* The second since, the first before. */
static bool do_clash(struct fixture *f, enum change_kind first, uint8_t n, enum change_kind second, uint8_t m)
{
    struct changes mark;

    changes_begin(&f->changes, f->arena);
    add_of(&f->changes, CHANGE_AUDIT_APPEND, 0);
    add_of(&f->changes, first, n);
    mark = changes_mark(&f->changes);
    assert_false(changes_clash(&f->changes, mark));
    add_of(&f->changes, second, m);
    return changes_clash(&f->changes, mark);
}

static void changes_of_the_same_clash_unless_they_only_assume(void **state)
{
    static const struct {
        enum change_kind first, second;
        bool clash;
    } rows[] = {
        { CHANGE_REGISTRATION_USE, CHANGE_REGISTRATION_USE, true },
        { CHANGE_REGISTRATION_PUT, CHANGE_REGISTRATION_USE, true },
        { CHANGE_REGISTRATION_USE, CHANGE_REGISTRATION_ASSUME, true },
        { CHANGE_REGISTRATION_ASSUME, CHANGE_REGISTRATION_ASSUME, false },
        { CHANGE_CERTIFICATE_ADD, CHANGE_CERTIFICATE_ADD, true },
        { CHANGE_CERTIFICATE_REVOKE, CHANGE_CERTIFICATE_REVOKE, true },
        { CHANGE_CERTIFICATE_ASSUME, CHANGE_CERTIFICATE_REVOKE, true },
        { CHANGE_CERTIFICATE_ASSUME, CHANGE_CERTIFICATE_ASSUME, false },
        { CHANGE_STATE_PUT, CHANGE_STATE_DELETE, true },
        { CHANGE_STATE_ASSUME, CHANGE_STATE_PUT, true },
        { CHANGE_STATE_ASSUME, CHANGE_STATE_ASSUME, false },
        { CHANGE_PLACE_TAKE, CHANGE_PLACE_TAKE, true },
        { CHANGE_PLACE_TAKE, CHANGE_PLACE_FREE, true },
        { CHANGE_PLACE_TAKE, CHANGE_STATE_PUT, false },
        { CHANGE_JOB_PUT, CHANGE_JOB_DELETE, true },
        { CHANGE_OFFICER_PUT, CHANGE_OFFICER_PUT, true },
        { CHANGE_JTI_USE, CHANGE_JTI_USE, true },
        { CHANGE_AUDIT_APPEND, CHANGE_AUDIT_APPEND, false },
        { CHANGE_STATE_PUT, CHANGE_JOB_PUT, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(do_clash(f, rows[i].first, 1, rows[i].second, 1), rows[i].clash);
        assert_false(do_clash(f, rows[i].first, 1, rows[i].second, 2));
    }
}

static void two_certificates_over_one_key_clash(void **state)
{
    struct fixture *f = *state;
    struct certificate_record one = a_certificate(1, "a.example.com"),
                              two = a_certificate(2, "b.example.com");
    struct changes mark;

    change_certificate_add(&f->changes, &one);
    mark = changes_mark(&f->changes);
    change_certificate_add(&f->changes, &two);
    assert_true(changes_clash(&f->changes, mark));
}

static bool do_places_clash(struct fixture *f, uint32_t first_max, uint32_t second_max)
{
    const struct state_key key = { .kind = "open", .id = BYTES_LITERAL("1") };
    struct changes mark;

    changes_begin(&f->changes, f->arena);
    change_place_take(&f->changes, &key, BYTES_LITERAL("a"), NOW_S, first_max);
    mark = changes_mark(&f->changes);
    change_place_take(&f->changes, &key, BYTES_LITERAL("b"), NOW_S, second_max);
    return changes_clash(&f->changes, mark);
}

/* Both may have seen the last room; without a bound there is always some. */
static void two_places_of_one_holder_clash_where_they_are_counted(void **state)
{
    assert_true(do_places_clash(*state, 5, 5));
    assert_false(do_places_clash(*state, 5, 0));
    assert_false(do_places_clash(*state, 0, 0));
}

static void the_first_changes_of_a_turn_clash_with_nothing(void **state)
{
    struct fixture *f = *state;
    const struct changes mark = changes_mark(&f->changes);

    add_one_of_each(f, &f->changes);
    assert_false(changes_clash(&f->changes, mark));
}

static void a_job_that_is_put_is_told(void **state)
{
    struct fixture *f = *state;

    add_of(&f->changes, CHANGE_AUDIT_APPEND, 0);
    add_of(&f->changes, CHANGE_JOB_DELETE, 1);
    assert_false(changes_put_job(&f->changes));
    add_of(&f->changes, CHANGE_JOB_PUT, 1);
    add_of(&f->changes, CHANGE_AUDIT_APPEND, 0);
    assert_true(changes_put_job(&f->changes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(changes_stand_in_the_order_they_came_in),
        registry_test(what_is_added_is_copied),
        registry_test(every_allocation_that_fails_marks_the_list),
        registry_test(changes_of_the_same_clash_unless_they_only_assume),
        registry_test(two_certificates_over_one_key_clash),
        registry_test(two_places_of_one_holder_clash_where_they_are_counted),
        registry_test(the_first_changes_of_a_turn_clash_with_nothing),
        registry_test(a_job_that_is_put_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
