#include "registry_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void what_was_applied_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;

    put_registration(f, "router5.example.com");
    reopen(f);
    assert_true(is_registered(f, "router5.example.com", NULL));
    assert_false(is_registered(f, "router6.example.com", NULL));
}

static void a_second_daemon_is_kept_out(void **state)
{
    struct fixture *f = *state;
    struct registry *second = NULL;

    assert_false(registry_open(&f->options, &second, &f->err));
    assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
    assert_null(second);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    struct txn txn = { 0 };
    struct key version = { 0 };

    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    key_put_u64(&version, REGISTRY_SCHEMA_VERSION + 1);
    assert_true(txn_put(&txn, TABLE_META, META_SCHEMA, key_bytes(&version), &f->err));
    assert_true(txn_commit(&txn, &f->err));
    registry_close(f->registry);
    f->registry = NULL;
    for (int read_only = 0; read_only <= 1; read_only++) {
        f->options.read_only = read_only == 1;
        assert_false(registry_open(&f->options, &f->registry, &f->err));
        assert_int_equal(f->err.code, ERROR_UNSUPPORTED);
        assert_non_null(strstr(f->err.text, "newer"));
    }
}

static void the_directory_is_for_its_owner_alone(void **state)
{
    struct fixture *f = *state;
    struct registry_options options = f->options;
    char path[512];
    struct registry *made = NULL;
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/new", f->directory);
    options.path = path;
    assert_true(registry_open(&options, &made, &f->err));
    registry_close(made);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    remove_file(path, "data.mdb");
    remove_file(path, "lock.mdb");
    remove_file(path, "daemon.lock");
    assert_int_equal(rmdir(path), 0);
}

static void reading_alone_needs_a_registry_and_takes_no_changes(void **state)
{
    struct fixture *f = *state;
    const struct changes *list[] = { &f->changes };
    enum apply_result result = APPLY_NONE;
    struct registry *none = NULL;
    struct registry_options nowhere = f->options;

    put_registration(f, "router5.example.com");
    f->options.read_only = true;
    reopen(f);
    assert_true(is_registered(f, "router5.example.com", NULL));
    assert_false(registry_apply(f->registry, list, 1, NOW_S, &result, &f->err));
    assert_int_equal(f->err.code, ERROR_DENIED);
    nowhere.read_only = true;
    nowhere.path = "/nonexistent/registry";
    assert_false(registry_open(&nowhere, &none, &f->err));
    assert_int_equal(f->err.code, ERROR_NOT_FOUND);
}

static void a_full_map_refuses_what_is_new_and_takes_what_frees(void **state)
{
    struct fixture *f = *state;
    struct certificate_record c = a_certificate(1, "router5.example.com");
    enum apply_result result = APPLY_DONE;
    unsigned n = 0;

    registry_close(f->registry);
    f->registry = NULL;
    remove_file(f->directory, "data.mdb");
    f->options.map_max = 1 << 20;
    reopen(f);
    change_certificate_add(&f->changes, &c);
    assert_int_equal(apply(f), APPLY_DONE);
    for (; result == APPLY_DONE && n < 10000; n++) {
        struct registration r;
        char name[64];

        (void)snprintf(name, sizeof(name), "r%u.example.com", n);
        r = a_registration(f, name);
        change_registration_put(&f->changes, &r, 0);
        result = apply(f);
    }
    assert_int_equal(result, APPLY_FULL);
    assert_true(n > 50);
    assert_false(apply_result_error(result, &f->err));
    assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
    change_certificate_revoke(&f->changes, &c.id, REVOCATION_KEY_COMPROMISE, NOW_S);
    change_audit_append(&f->changes, AUDIT_REVOKED, BYTES_LITERAL("{}"));
    assert_int_equal(apply(f), APPLY_DONE);
    change_audit_append(&f->changes, AUDIT_REFUSALS, BYTES_LITERAL("{}"));
    assert_int_equal(apply(f), APPLY_FULL);
}

static void running_out_of_room_within_a_batch_writes_nothing(void **state)
{
    struct fixture *f = *state;
    static uint8_t large[2 << 20];
    const struct changes *list[] = { &f->changes };
    enum apply_result result = APPLY_NONE;
    struct state_key key = { .kind = "txn", .id = BYTES_LITERAL("1") };
    struct state_value value = { .blob = BYTES_ARRAY(large) };

    registry_close(f->registry);
    f->registry = NULL;
    remove_file(f->directory, "data.mdb");
    f->options.map_max = 1 << 20;
    reopen(f);
    change_state_put(&f->changes, &key, &value, 0);
    assert_false(registry_apply(f->registry, list, 1, NOW_S, &result, &f->err));
    assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
    assert_int_equal(result, APPLY_NONE);
    changes_begin(&f->changes, f->arena);
    put_registration(f, "router5.example.com"); /* it goes on */
}

static void what_a_killed_process_applied_is_durable(void **state)
{
    struct fixture *f = *state;
    struct registration r;
    pid_t child;
    int status;

    registry_close(f->registry);
    f->registry = NULL;
    f->options.no_sync = false;
    child = fork();
    if (child == 0) {
        const struct changes *list[] = { &f->changes };
        enum apply_result result = APPLY_NONE;

        if (!registry_open(&f->options, &f->registry, &f->err))
            _exit(1);
        r = a_registration(f, "*.example.com");
        change_registration_put(&f->changes, &r, 0);
        change_audit_append(&f->changes, AUDIT_ACT, BYTES_LITERAL("{\"a\":1}"));
        if (!registry_apply(f->registry, list, 1, NOW_S, &result, &f->err) || result != APPLY_DONE)
            _exit(2);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    reopen(f);
    assert_true(is_registered(f, "*.example.com", &r));
    assert_int_equal(r.revision, 1);
    struct registry_view *view = begin_view(f);
    struct audit_head head;

    assert_true(registry_audit_verify(view, f->arena, NULL, NULL, &head, &f->err));
    assert_int_equal(head.size, 1);
    registry_view_end(view);
}

static void figures_count_what_is_there(void **state)
{
    struct fixture *f = *state;
    struct registry_figures figures;
    struct registry_view *view;
    struct certificate_record c = a_certificate(1, "router5.example.com");
    struct job_record job = { .id = { { 1 } }, .kind = BYTES_LITERAL("sweep") };

    change_certificate_add(&f->changes, &c);
    change_job_put(&f->changes, &job);
    change_audit_append(&f->changes, AUDIT_ISSUED, BYTES_LITERAL("{}"));
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    put_registration(f, "router5.example.com");
    put_registration(f, "*.example.com");
    assert_true(registry_figures(f->registry, &figures, &f->err));
    assert_int_equal(figures.registrations, 2);
    assert_int_equal(figures.certificates, 1);
    assert_int_equal(figures.audit_entries, 1);
    assert_int_equal(figures.jobs, 1);
    assert_int_equal(figures.oldest_reader_lag, 2);
    assert_int_equal(figures.map_max, f->options.map_max);
    assert_true(figures.map_used > 0 && figures.map_used < figures.map_size);
    registry_view_end(view);
    assert_true(registry_figures(f->registry, &figures, &f->err));
    assert_int_equal(figures.oldest_reader_lag, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(what_was_applied_is_there_after_reopening),
        registry_test(a_second_daemon_is_kept_out),
        registry_test(a_newer_schema_is_refused_and_left_alone),
        registry_test(the_directory_is_for_its_owner_alone),
        registry_test(reading_alone_needs_a_registry_and_takes_no_changes),
        registry_test(a_full_map_refuses_what_is_new_and_takes_what_frees),
        registry_test(running_out_of_room_within_a_batch_writes_nothing),
        registry_test(what_a_killed_process_applied_is_durable),
        registry_test(figures_count_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
