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

static void changes_that_write_the_same_contradict_each_other(void **state)
{
    struct fixture *f = *state;
    struct changes *c = &f->changes, mark = changes_mark(c);
    const struct registration_id registration = { { 1 } }, another = { { 2 } };
    const struct certificate_id certificate = { .serial_len = 1, .serial = { 5 } };
    const struct state_key key = { .kind = "txn", .id = BYTES_LITERAL("a") },
                           other = { .kind = "txn", .id = BYTES_LITERAL("b") },
                           another_key = { .kind = "txn", .id = BYTES_LITERAL("c") };
    const struct state_value value = { .blob = BYTES_LITERAL("blob") };

    change_registration_use(c, &registration, 1, true);
    change_certificate_revoke(c, &certificate, 0, 1);
    change_state_put(c, &key, &value, 0);
    assert_false(changes_contradict(c, mark)); /* nothing stood before */
    mark = changes_mark(c);
    change_registration_use(c, &another, 1, true);
    change_registration_assume(c, &registration, 1);
    change_certificate_assume(c, &certificate);
    change_state_put(c, &other, &value, 0);
    assert_false(changes_contradict(c, mark));
    change_registration_use(c, &registration, 1, true);
    assert_true(changes_contradict(c, mark));
    changes_rewind(c, mark);
    change_certificate_revoke(c, &certificate, 0, 1);
    assert_true(changes_contradict(c, mark));
    changes_rewind(c, mark);
    change_state_delete(c, &key, 1);
    assert_true(changes_contradict(c, mark));
    changes_rewind(c, mark);
    change_state_assume(c, &key, 0);
    assert_true(changes_contradict(c, mark));
    changes_rewind(c, mark);
    change_state_assume(c, &another_key, 0);
    mark = changes_mark(c);
    change_state_assume(c, &another_key, 0);
    assert_false(changes_contradict(c, mark));
    change_state_put(c, &another_key, &value, 0);
    assert_true(changes_contradict(c, mark));
    changes_rewind(c, mark);
    assert_false(changes_contradict(c, mark));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(changes_stand_in_the_order_they_came_in),
        registry_test(what_is_added_is_copied),
        registry_test(changes_that_write_the_same_contradict_each_other),
        registry_test(every_allocation_that_fails_marks_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
