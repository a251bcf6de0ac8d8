#include "registry_fixture.h"

static struct state_key a_key(const char *procedure, const char *kind, const char *id)
{
    return (struct state_key){ .procedure = bytes_text(procedure), .kind = kind, .id = bytes_text(id) };
}

static void put(struct fixture *f, struct state_key key, const char *blob, int64_t expires_s,
                uint64_t revision)
{
    struct state_value value = { .blob = bytes_text(blob), .expires_s = expires_s };

    change_state_put(&f->changes, &key, &value, revision);
    assert_int_equal(apply(f), APPLY_DONE);
}

static void state_is_what_was_put_last(void **state)
{
    struct fixture *f = *state;
    struct state_key key = a_key("p", "txn", "1"), other = a_key("q", "txn", "1");
    struct state_value value;
    struct registry_view *view;
    bool found = false;

    put(f, key, "one", 0, 0);
    put(f, key, "two", NOW_S + 5, 1);
    view = begin_view(f);
    assert_true(registry_state(view, &key, f->arena, &found, &value, &f->err));
    assert_true(found);
    assert_true(bytes_is(value.blob, "two"));
    assert_int_equal(value.revision, 2);
    assert_int_equal(value.expires_s, NOW_S + 5);
    assert_int_equal(value.changed_s, NOW_S);
    assert_true(registry_state(view, &other, f->arena, &found, &value, &f->err));
    assert_false(found);
    registry_view_end(view);
}

static void ids_of_any_length_are_told_apart(void **state)
{
    struct fixture *f = *state;
    char id[400];
    struct registry_view *view;
    struct state_value value;
    struct state_key key;
    bool found = false;

    memset(id, 'x', sizeof(id));
    id[sizeof(id) - 1] = '\0';
    put(f, a_key("p", "txn", id), "long", 0, 0);
    id[398] = 'y';
    key = a_key("p", "txn", id);
    view = begin_view(f);
    assert_true(registry_state(view, &key, f->arena, &found, &value, &f->err));
    assert_false(found);
    registry_view_end(view);
    put(f, key, "other", 0, 0);
}

static bool count_all(const struct state_key *key, const struct state_value *value, void *context)
{
    size_t *n = context;

    assert_true(key->id.len > 0 && value->revision > 0);
    ++*n;
    return true;
}

static void a_kind_is_listed_for_one_procedure_or_for_all(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    size_t n = 0;

    put(f, a_key("p", "txn", "1"), "a", 0, 0);
    put(f, a_key("p", "txn", "2"), "b", 0, 0);
    put(f, a_key("q", "txn", "1"), "c", 0, 0);
    put(f, a_key("p", "txn2", "1"), "d", 0, 0);
    put(f, a_key("", "crl", "1"), "e", 0, 0);
    view = begin_view(f);
    assert_true(registry_state_each(view, BYTES_LITERAL("p"), "txn", count_all, &n, &f->err));
    assert_int_equal(n, 2);
    n = 0;
    assert_true(registry_state_each(view, BYTES_NONE, "txn", count_all, &n, &f->err));
    assert_int_equal(n, 3);
    assert_false(registry_state_each(view, BYTES_NONE, "", count_all, &n, &f->err));
    assert_int_equal(f->err.code, ERROR_INTERNAL);
    registry_view_end(view);
}

static void what_expired_is_listed_oldest_first(void **state)
{
    struct fixture *f = *state;
    struct state_key key[4];
    uint64_t revision[4];
    struct registry_view *view;
    size_t count = 0;

    put(f, a_key("p", "txn", "late"), "", NOW_S + 20, 0);
    put(f, a_key("p", "txn", "early"), "", NOW_S + 10, 0);
    put(f, a_key("p", "txn", "never"), "", 0, 0);
    put(f, a_key("p", "txn", "moved"), "", NOW_S + 5, 0);
    put(f, a_key("p", "txn", "moved"), "", NOW_S + 500, 1);
    view = begin_view(f);
    assert_true(registry_state_expired(view, NOW_S + 9, 4, f->arena, key, revision, &count, &f->err));
    assert_int_equal(count, 0);
    assert_true(registry_state_expired(view, NOW_S + 20, 4, f->arena, key, revision, &count, &f->err));
    assert_int_equal(count, 2);
    assert_true(bytes_is(key[0].id, "early"));
    assert_true(bytes_is(key[1].id, "late"));
    assert_true(registry_state_expired(view, NOW_S + 500, 1, f->arena, key, revision, &count, &f->err));
    assert_int_equal(count, 1);
    change_state_delete(&f->changes, &key[0], revision[0]); /* the sweeper */
    assert_int_equal(apply(f), APPLY_DONE);
    assert_true(registry_view_renew(view, &f->err));
    assert_true(registry_state_expired(view, NOW_S + 500, 4, f->arena, key, revision, &count, &f->err));
    assert_int_equal(count, 2);
    assert_true(bytes_is(key[1].id, "moved"));
    assert_int_equal(revision[1], 2);
    registry_view_end(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(state_is_what_was_put_last),
        registry_test(ids_of_any_length_are_told_apart),
        registry_test(a_kind_is_listed_for_one_procedure_or_for_all),
        registry_test(what_expired_is_listed_oldest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
