#include "registry_fixture.h"

static void put(struct fixture *f, uint8_t id, int64_t due_s)
{
    struct job_record job = { .id = { { id } },
                              .kind = BYTES_LITERAL("upstream"),
                              .state = BYTES_LITERAL("s"),
                              .due_s = due_s,
                              .attempts = id };

    change_job_put(&f->changes, &job);
    assert_int_equal(apply(f), APPLY_DONE);
}

static void due_jobs_come_oldest_first_and_the_next_time_is_told(void **state)
{
    struct fixture *f = *state;
    struct job_record job[4];
    struct registry_view *view;
    size_t count = 0;
    int64_t next_s = 0;

    put(f, 1, NOW_S + 20);
    put(f, 2, NOW_S + 10);
    put(f, 3, NOW_S + 30);
    put(f, 3, NOW_S + 40); /* put off */
    view = begin_view(f);
    assert_true(registry_jobs_due(view, NOW_S + 30, 4, f->arena, job, &count, &next_s, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(job[0].id.bytes[0], 2);
    assert_int_equal(job[1].attempts, 1);
    assert_int_equal(next_s, NOW_S + 40);
    assert_true(registry_jobs_due(view, NOW_S + 30, 1, f->arena, job, &count, &next_s, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(next_s, NOW_S + 20);
    registry_view_end(view);
}

static void a_deleted_job_is_gone_and_may_be_deleted_again(void **state)
{
    struct fixture *f = *state;
    struct job_id id = { { 1 } };
    struct job_record job;
    struct registry_view *view;
    size_t count = 9;
    int64_t next_s = 0;
    bool found = false;

    put(f, 1, NOW_S);
    view = begin_view(f);
    assert_true(registry_job(view, &id, f->arena, &found, &job, &f->err));
    assert_true(found);
    assert_true(bytes_is(job.kind, "upstream"));
    change_job_delete(&f->changes, &id);
    assert_int_equal(apply(f), APPLY_DONE);
    change_job_delete(&f->changes, &id);
    assert_int_equal(apply(f), APPLY_DONE);
    assert_true(registry_view_renew(view, &f->err));
    assert_true(registry_job(view, &id, f->arena, &found, &job, &f->err));
    assert_false(found);
    assert_true(registry_jobs_due(view, NOW_S, 1, f->arena, &job, &count, &next_s, &f->err));
    assert_int_equal(count, 0);
    assert_true(next_s == INT64_MAX);
    registry_view_end(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(due_jobs_come_oldest_first_and_the_next_time_is_told),
        registry_test(a_deleted_job_is_gone_and_may_be_deleted_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
