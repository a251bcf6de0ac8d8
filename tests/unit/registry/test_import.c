#include "registry_fixture.h"

static struct registry_import *begin(struct fixture *f)
{
    struct registry_import *import = NULL;

    if (!registry_import_begin(f->registry, &import, &f->err))
        fail_msg("%s", f->err.text);
    return import;
}

static void add(struct fixture *f, struct registry_import *import, const char *fqdn)
{
    struct registration r = a_registration(f, fqdn);

    if (!registry_import_add(import, &r, &f->err))
        fail_msg("%s", f->err.text);
}

static void finish(struct fixture *f, struct registry_import *import)
{
    change_audit_append(&f->changes, AUDIT_ACT, BYTES_LITERAL("{import}"));
    if (!registry_import_finish(import, &f->changes, NOW_S, &f->err))
        fail_msg("%s", f->err.text);
    changes_begin(&f->changes, f->arena);
}

static void merge_all(struct fixture *f, struct registry_import *import)
{
    bool done = false;

    while (!done)
        if (!registry_import_step(import, &done, &f->err))
            fail_msg("%s", f->err.text);
}

static size_t candidates(struct fixture *f, const char *fqdn)
{
    struct registry_view *view = begin_view(f);
    struct dns_name name = a_name(fqdn);
    struct candidates c = { 0 };

    assert_true(registry_candidates(view, the_domain(), &name, f->arena, &c, &f->err));
    registry_view_end(view);
    return c.count;
}

static size_t rows_in(struct fixture *f, enum table table)
{
    struct txn txn = { 0 };
    uint64_t count = 0;

    assert_true(txn_begin_read(f->registry, &txn, &f->err));
    assert_true(txn_count(&txn, table, &count, &f->err));
    txn_abort(&txn);
    return count;
}

static void one_commit_shows_all(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import;
    struct registry_figures figures;
    struct registration r, list[8];
    struct registration_id id;
    struct registry_view *view;
    size_t count = 9;
    bool found = true;

    put_registration(f, "z.example.com");
    import = begin(f);
    add(f, import, "router5.example.com");
    add(f, import, "*.example.com");
    id = an_id(f->next_id);
    add(f, import, "*");
    merge_all(f, import);
    assert_int_equal(rows_in(f, TABLE_REGISTRATION), 4); /* they are there, but nobody sees them */
    assert_false(is_registered(f, "router5.example.com", NULL));
    assert_int_equal(candidates(f, "router5.example.com"), 0);
    view = begin_view(f);
    assert_true(registry_registration_by_id(view, &id, f->arena, &found, &r, &f->err));
    assert_false(found);
    assert_true(
        registry_registrations_list(view, the_domain(), BYTES_NONE, 8, f->arena, list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_true(registry_figures(f->registry, &figures, &f->err));
    assert_int_equal(figures.registrations, 1);
    change_audit_append(&f->changes, AUDIT_CONFIGURATION, BYTES_LITERAL("{}"));
    assert_int_equal(apply(f), APPLY_DONE); /* others go on meanwhile */
    finish(f, import);
    assert_int_equal(candidates(f, "router5.example.com"), 3);
    assert_true(registry_figures(f->registry, &figures, &f->err));
    assert_int_equal(figures.registrations, 4);
    assert_true(is_registered(f, "router5.example.com", &r));
    assert_int_equal(r.revision, 1);
    assert_int_equal(r.audit_index, 1); /* the act that covers the import */
    assert_true(registry_view_renew(view, &f->err));
    assert_true(registry_registration_by_id(view, &id, f->arena, &found, &r, &f->err));
    assert_true(found);
    registry_view_end(view);
}

static void what_came_by_import_can_be_changed(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import = begin(f);
    struct registration r;

    add(f, import, "router5.example.com");
    finish(f, import);
    assert_true(is_registered(f, "router5.example.com", &r));
    r.state = REGISTRATION_CLOSED;
    change_registration_put(&f->changes, &r, 1);
    change_audit_append(&f->changes, AUDIT_ACT, BYTES_LITERAL("{close}"));
    assert_int_equal(apply(f), APPLY_DONE);
    assert_true(is_registered(f, "router5.example.com", &r));
    assert_int_equal(r.state, REGISTRATION_CLOSED);
    assert_int_equal(r.audit_index, 1);
}

static void a_name_that_is_held_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import;
    struct registration r;

    put_registration(f, "router5.example.com");
    import = begin(f);
    r = a_registration(f, "router5.example.com");
    assert_false(registry_import_add(import, &r, &f->err));
    assert_int_equal(f->err.code, ERROR_CONFLICT);
    r = a_registration(f, "router6.example.com");
    r.id = an_id(1);
    assert_false(registry_import_add(import, &r, &f->err)); /* so is an id */
    assert_int_equal(f->err.code, ERROR_CONFLICT);
    add(f, import, "router7.example.com");
    finish(f, import);
    assert_true(is_registered(f, "router7.example.com", NULL));
}

static void assert_only_z_is_left(struct fixture *f)
{
    assert_int_equal(rows_in(f, TABLE_REGISTRATION), 1);
    assert_int_equal(rows_in(f, TABLE_REGISTRATION_ID), 1);
    assert_int_equal(rows_in(f, TABLE_WILD), 0);
    assert_int_equal(rows_in(f, TABLE_PLAN), 0);
    assert_true(is_registered(f, "z.example.com", NULL));
}

static void a_name_twice_in_one_import_stops_it_and_is_told(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import;
    bool done = false, stepped = true;

    put_registration(f, "z.example.com");
    import = begin(f);
    add(f, import, "*.example.com");
    add(f, import, "router5.example.com");
    add(f, import, "router5.example.com");
    while (stepped && !done)
        stepped = registry_import_step(import, &done, &f->err);
    assert_false(stepped);
    assert_int_equal(f->err.code, ERROR_CONFLICT);
    assert_non_null(strstr(f->err.text, "router5.example.com"));
    assert_false(registry_import_step(import, &done, &f->err));
    registry_import_abort(import);
    assert_only_z_is_left(f);
}

static void an_aborted_import_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import;

    put_registration(f, "z.example.com");
    import = begin(f);
    add(f, import, "*.example.com");
    registry_import_abort(import); /* before the merge */
    import = begin(f);
    add(f, import, "*.example.com");
    add(f, import, "*");
    merge_all(f, import);
    registry_import_abort(import); /* behind it */
    registry_import_abort(NULL);
    assert_only_z_is_left(f);
    put_registration(f, "*.example.com");
    assert_int_equal(candidates(f, "z.example.com"), 2);
}

static void an_import_that_a_crash_cut_off_is_removed(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import;

    put_registration(f, "z.example.com");
    import = begin(f);
    add(f, import, "*.example.com");
    add(f, import, "a*.example.com");
    add(f, import, "router5.example.com");
    merge_all(f, import);
    storage_fail_after(f->registry, 1); /* the abort cannot remove it */
    registry_import_abort(import);
    storage_fail_after(f->registry, 0);
    assert_int_equal(rows_in(f, TABLE_REGISTRATION), 4);
    assert_int_equal(candidates(f, "router5.example.com"), 0);
    reopen(f);
    assert_only_z_is_left(f);
}

static void a_name_that_an_import_brings_is_busy(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import = begin(f);
    struct registration r = a_registration(f, "router5.example.com");

    add(f, import, "router5.example.com");
    merge_all(f, import);
    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_BUSY);
    finish(f, import);
    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_CONFLICT);
}

static void changes_that_do_not_hold_show_nothing(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import;

    change_jti_use(&f->changes, BYTES_LITERAL("o"), BYTES_LITERAL("j"));
    assert_int_equal(apply(f), APPLY_DONE);
    import = begin(f);
    add(f, import, "router5.example.com");
    change_jti_use(&f->changes, BYTES_LITERAL("o"), BYTES_LITERAL("j"));
    assert_false(registry_import_finish(import, &f->changes, NOW_S, &f->err));
    assert_int_equal(f->err.code, ERROR_CONFLICT);
    assert_false(is_registered(f, "router5.example.com", NULL));
    changes_begin(&f->changes, f->arena);
    finish(f, import); /* with others it goes on */
    assert_true(is_registered(f, "router5.example.com", NULL));
}

static void one_import_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct registry_import *import = begin(f), *second = NULL;

    assert_false(registry_import_begin(f->registry, &second, &f->err));
    assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
    registry_import_abort(import);
    registry_import_abort(begin(f));
}

static void tens_of_thousands_in_any_order_are_found(void **state)
{
    enum { ROWS = 30000 };
    struct fixture *f = *state;
    struct registry_import *import = begin(f);
    char text[64];

    put_registration(f, "n15000.example.com.zz"); /* between them */
    for (unsigned i = 0; i < ROWS; i++) {
        (void)snprintf(text, sizeof(text), i % 10 == 0 ? "n%u-*.example.com" : "n%u.example.com",
                       (i * 7919) % ROWS);
        add(f, import, text);
    }
    finish(f, import);
    for (unsigned i = 0; i < ROWS; i += 997) {
        (void)snprintf(text, sizeof(text), i % 10 == 0 ? "n%u-x.example.com" : "n%u.example.com",
                       (i * 7919) % ROWS);
        assert_int_equal(candidates(f, text), 1);
    }
    assert_int_equal(rows_in(f, TABLE_REGISTRATION_ID), ROWS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(one_commit_shows_all),
        registry_test(what_came_by_import_can_be_changed),
        registry_test(a_name_that_is_held_is_left_out),
        registry_test(a_name_twice_in_one_import_stops_it_and_is_told),
        registry_test(an_aborted_import_leaves_nothing),
        registry_test(an_import_that_a_crash_cut_off_is_removed),
        registry_test(a_name_that_an_import_brings_is_busy),
        registry_test(changes_that_do_not_hold_show_nothing),
        registry_test(one_import_at_a_time),
        registry_test(tens_of_thousands_in_any_order_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
