/* Places: counted by the writer, exact at the bound, and swept like other state. */
#include "registry_fixture.h"

#include "registry/places.h"

static const struct state_key HOLDER = { .procedure = { (const uint8_t *)"p", 1 },
                                         .kind = "open",
                                         .id = { (const uint8_t *)"account-1", 9 } };
static const struct state_key OTHER = { .procedure = { (const uint8_t *)"p", 1 },
                                        .kind = "open",
                                        .id = { (const uint8_t *)"account-2", 9 } };

static struct bytes member(struct fixture *f, unsigned number)
{
    return arena_format(f->arena, "%04u", number);
}

static enum apply_result take_at(struct fixture *f, unsigned number, int64_t expires_s, uint32_t max)
{
    change_place_take(&f->changes, &HOLDER, member(f, number), expires_s, max);
    return apply(f);
}

static enum apply_result free_at(struct fixture *f, unsigned number)
{
    change_place_free(&f->changes, &HOLDER, member(f, number));
    return apply(f);
}

static bool has_room(struct fixture *f, const struct state_key *holder, uint32_t max, int64_t now_s)
{
    struct registry_view *view = begin_view(f);
    bool room = false;

    assert_true(registry_places_room(view, holder, max, now_s, &room, &f->err));
    registry_view_end(view);
    return room;
}

static bool count_one(struct bytes name, int64_t expires_s, void *context)
{
    (void)expires_s;
    assert_int_equal(name.len, 4);
    ++*(size_t *)context;
    return true;
}

static size_t places(struct fixture *f, const struct state_key *holder)
{
    struct registry_view *view = begin_view(f);
    size_t count = 0;

    assert_true(registry_places_each(view, holder, BYTES_NONE, count_one, &count, &f->err));
    registry_view_end(view);
    return count;
}

/* The number says what a walk over the places finds. */
static void assert_counted(struct fixture *f, uint32_t count)
{
    assert_int_equal(places(f, &HOLDER), count);
    assert_true(has_room(f, &HOLDER, count + 1, NOW_S));
    if (count > 0)
        assert_false(has_room(f, &HOLDER, count, NOW_S));
}

static size_t state_rows(struct fixture *f)
{
    struct registry_view *view = begin_view(f);
    uint64_t rows;

    assert_true(txn_count(view_txn(view), TABLE_STATE, &rows, &f->err));
    registry_view_end(view);
    return rows;
}

static void so_many_and_no_more(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, 1, NOW_S + 10, 2), APPLY_DONE);
    assert_int_equal(take_at(f, 2, NOW_S + 10, 2), APPLY_DONE);
    assert_int_equal(take_at(f, 3, NOW_S + 10, 2), APPLY_CONFLICT);
    assert_counted(f, 2);
    assert_int_equal(free_at(f, 1), APPLY_DONE);
    assert_int_equal(free_at(f, 1), APPLY_DONE); /* it is not there any more */
    assert_int_equal(take_at(f, 3, NOW_S + 10, 2), APPLY_DONE);
    assert_counted(f, 2);
}

static void whoever_has_a_place_keeps_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, 1, NOW_S + 10, 1), APPLY_DONE);
    assert_int_equal(take_at(f, 1, NOW_S + 20, 1), APPLY_DONE);
    assert_counted(f, 1);
    assert_false(has_room(f, &HOLDER, 1, NOW_S + 19));
    assert_true(has_room(f, &HOLDER, 1, NOW_S + 20));
}

static void what_need_not_be_counted_is_taken_beyond_the_bound(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, 1, NOW_S + 10, 1), APPLY_DONE);
    assert_int_equal(take_at(f, 2, NOW_S + 10, 0), APPLY_DONE);
    assert_counted(f, 2);
    assert_int_equal(take_at(f, 3, NOW_S + 10, 2), APPLY_CONFLICT);
}

static void what_is_over_gives_way_at_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, 1, NOW_S - 1, 3), APPLY_DONE); /* as if time had gone on since */
    assert_int_equal(take_at(f, 2, NOW_S + 10, 3), APPLY_DONE);
    assert_int_equal(take_at(f, 3, NOW_S, 3), APPLY_DONE);
    assert_int_equal(places(f, &HOLDER), 3);
    assert_true(has_room(f, &HOLDER, 3, NOW_S));
    assert_true(has_room(f, &HOLDER, 2, NOW_S));
    assert_false(has_room(f, &HOLDER, 1, NOW_S));
    assert_int_equal(take_at(f, 4, NOW_S + 10, 3), APPLY_DONE);
    assert_counted(f, 2);
    assert_int_equal(take_at(f, 5, NOW_S + 10, 3), APPLY_DONE);
    assert_int_equal(take_at(f, 6, NOW_S + 10, 3), APPLY_CONFLICT);
}

/* In one commit each outcome sees what the ones before it took. */
static void of_many_at_once_as_many_as_there_is_room_for(void **state)
{
    struct fixture *f = *state;
    struct changes list[8];
    const struct changes *each[8];
    enum apply_result result[8];

    for (unsigned i = 0; i < 8; i++) {
        changes_begin(&list[i], f->arena);
        change_place_take(&list[i], &HOLDER, member(f, i), NOW_S + 10, 5);
        each[i] = &list[i];
    }
    assert_true(registry_apply(f->registry, each, 8, NOW_S, result, &f->err));
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(result[i], i < 5 ? APPLY_DONE : APPLY_CONFLICT);
    assert_counted(f, 5);
}

/* Of one list of changes nobody may take more than there is room for, whatever it saw. */
static void two_of_one_list_do_not_share_the_last_room(void **state)
{
    struct fixture *f = *state;

    change_place_take(&f->changes, &HOLDER, member(f, 1), NOW_S + 10, 1);
    change_place_take(&f->changes, &HOLDER, member(f, 2), NOW_S + 10, 1);
    assert_int_equal(apply(f), APPLY_INVALID);
    assert_int_equal(state_rows(f), 0);
}

static void holders_are_apart(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, 1, NOW_S + 10, 1), APPLY_DONE);
    assert_true(has_room(f, &OTHER, 1, NOW_S));
    assert_int_equal(places(f, &OTHER), 0);
}

/* The last place takes the number along: nothing is left behind. */
static void nothing_is_left_when_all_are_freed(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, 1, NOW_S + 10, 2), APPLY_DONE);
    assert_int_equal(take_at(f, 2, NOW_S + 10, 2), APPLY_DONE);
    assert_int_equal(state_rows(f), 3);
    assert_int_equal(free_at(f, 1), APPLY_DONE);
    assert_int_equal(free_at(f, 2), APPLY_DONE);
    assert_int_equal(state_rows(f), 0);
}

/* As the sweeper does it: what is over is deleted like any state, and counts no more. */
/* Procedures and officers may have the same name. */
static void to_free_one_is_nobody_elses_concern(void **state)
{
    struct fixture *f = *state;
    const struct officer_record officer = { .key_id = HOLDER.procedure, .certificate = { { 1 } } };

    change_officer_put(&f->changes, &officer);
    assert_int_equal(apply(f), APPLY_DONE);
    assert_int_equal(take_at(f, 1, NOW_S + 10, 2), APPLY_DONE);
    assert_int_equal(free_at(f, 1), APPLY_DONE);
    assert_int_equal(free_at(f, 1), APPLY_DONE);
    assert_counted(f, 0);
}

static void what_is_swept_counts_no_more(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    struct state_key key[4];
    uint64_t revision[4];
    size_t count = 0;

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(take_at(f, i, NOW_S + 10 * (int64_t)i, 3), APPLY_DONE);
    view = begin_view(f);
    assert_true(registry_state_expired(view, NOW_S + 10, 4, f->arena, key, revision, &count, &f->err));
    for (size_t i = 0; i < count; i++)
        change_state_delete(&f->changes, &key[i], revision[i]);
    registry_view_end(view);
    assert_int_equal(count, 2);
    assert_int_equal(apply(f), APPLY_DONE);
    assert_counted(f, 1);
}

static void after_a_restart_as_before(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, 1, NOW_S + 10, 2), APPLY_DONE);
    assert_int_equal(take_at(f, 2, NOW_S + 10, 2), APPLY_DONE);
    reopen(f);
    assert_counted(f, 2);
    assert_int_equal(take_at(f, 3, NOW_S + 10, 2), APPLY_CONFLICT);
}

/* Many places are not walked through where their number alone says that there is room. */
static void the_number_is_one_record(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    uint64_t before;
    bool room = false;

    for (unsigned i = 0; i < PLACES_EXACT_MAX + 10; i++)
        change_place_take(&f->changes, &HOLDER, member(f, i), NOW_S - 1, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    before = registry_view_reads(view);
    assert_true(registry_places_room(view, &HOLDER, PLACES_EXACT_MAX + 11, NOW_S, &room, &f->err));
    assert_true(room);
    assert_true(registry_places_room(view, &HOLDER, 3, NOW_S, &room, &f->err));
    assert_false(room); /* too many to be walked through: until they are swept */
    assert_int_equal(registry_view_reads(view) - before, 2);
    registry_view_end(view);
}

struct walk {
    char names[64];
    size_t left;
};

static bool note_one(struct bytes name, int64_t expires_s, void *context)
{
    struct walk *walk = context;

    assert_int_equal(expires_s, NOW_S + 10);
    (void)snprintf(walk->names + strlen(walk->names), sizeof(walk->names) - strlen(walk->names), "%.*s ",
                   BYTES_FMT(name));
    return --walk->left > 0;
}

static void they_are_walked_through_page_by_page(void **state)
{
    struct fixture *f = *state;
    struct walk one = { .left = 2 }, two = { .left = 9 };
    struct registry_view *view;

    for (unsigned i = 5; i > 0; i--)
        assert_int_equal(take_at(f, i, NOW_S + 10, 9), APPLY_DONE);
    view = begin_view(f);
    assert_true(registry_places_each(view, &HOLDER, BYTES_NONE, note_one, &one, &f->err));
    assert_true(registry_places_each(view, &HOLDER, BYTES_LITERAL("0002"), note_one, &two, &f->err));
    registry_view_end(view);
    assert_string_equal(one.names, "0001 0002 ");
    assert_string_equal(two.names, "0003 0004 0005 ");
}

static void names_that_do_not_fit_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct state_key nobody = { .kind = "open" };
    static const uint8_t wide[64];

    change_place_take(&f->changes, &HOLDER, BYTES_ARRAY(wide), NOW_S + 10, 1);
    assert_int_equal(apply(f), APPLY_INVALID);
    change_place_take(&f->changes, &nobody, BYTES_LITERAL("m"), NOW_S + 10, 1);
    assert_int_equal(apply(f), APPLY_INVALID);
    change_place_take(&f->changes, &HOLDER, BYTES_NONE, NOW_S + 10, 1);
    assert_int_equal(apply(f), APPLY_INVALID);
}

/* Each read and write fails in turn: what was committed stands, and the number with it. */
static void a_failure_of_the_storage_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    bool done = false;

    assert_int_equal(take_at(f, 1, NOW_S - 1, 2), APPLY_DONE);
    assert_int_equal(take_at(f, 2, NOW_S + 10, 2), APPLY_DONE);
    for (unsigned n = 1; !done && n < 200; n++) {
        const struct changes *list[] = { &f->changes };
        enum apply_result result = APPLY_NONE;

        change_place_take(&f->changes, &HOLDER, member(f, 3), NOW_S + 10, 2);
        storage_fail_after(f->registry, n);
        done = registry_apply(f->registry, list, 1, NOW_S, &result, &f->err);
        storage_fail_after(f->registry, 0);
        changes_begin(&f->changes, f->arena);
        assert_int_equal(state_rows(f), 3);
    }
    assert_true(done);
    assert_counted(f, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(so_many_and_no_more),
        registry_test(whoever_has_a_place_keeps_it),
        registry_test(what_need_not_be_counted_is_taken_beyond_the_bound),
        registry_test(what_is_over_gives_way_at_once),
        registry_test(of_many_at_once_as_many_as_there_is_room_for),
        registry_test(two_of_one_list_do_not_share_the_last_room),
        registry_test(holders_are_apart),
        registry_test(nothing_is_left_when_all_are_freed),
        registry_test(to_free_one_is_nobody_elses_concern),
        registry_test(what_is_swept_counts_no_more),
        registry_test(after_a_restart_as_before),
        registry_test(the_number_is_one_record),
        registry_test(they_are_walked_through_page_by_page),
        registry_test(names_that_do_not_fit_are_refused),
        registry_test(a_failure_of_the_storage_leaves_all_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
