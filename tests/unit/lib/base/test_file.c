/* Whole files: written beside and renamed; created once, for their owner alone. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

static char folder[40], path[64], beside[64], made_beside[64]; /* in file_write(), in file_create() */
static struct error err;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/muster-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/a", folder);
    (void)snprintf(beside, sizeof(beside), "%s/a.new", folder);
    (void)snprintf(made_beside, sizeof(made_beside), "%s/a.muster-new", folder);
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static void assert_content(const char *text)
{
    AUTO_STRUCT(buffer) content = BUFFER(100);

    assert_true(file_read(path, &content, &err));
    assert_text(buffer_bytes(&content), text);
}

static void what_is_written_replaces_what_was_there(void **state)
{
    (void)state;
    assert_true(file_write(path, BYTES_LITERAL("one"), 0644, &err));
    assert_true(file_write(path, BYTES_LITERAL("two"), 0644, &err));
    assert_content("two");
    assert_true(file_is_missing(beside));
}

static void what_is_created_replaces_nothing(void **state)
{
    (void)state;
    assert_true(file_create(path, BYTES_LITERAL("one"), 0600, NULL, &err));
    assert_false(file_create(path, BYTES_LITERAL("two"), 0600, NULL, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_content("one");
    assert_true(file_is_missing(made_beside));
}

/* What a crash left beside it has whatever mode, and may be a link to elsewhere. */
static void what_is_left_beside_it_counts_for_nothing(void **state)
{
    struct stat file;
    char elsewhere[64];

    (void)state;
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", folder);
    assert_true(file_write(made_beside, BYTES_LITERAL("left"), 0644, &err));
    assert_true(file_create(path, BYTES_LITERAL("one"), 0600, NULL, &err));
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(elsewhere, made_beside), 0);
    assert_true(file_create(path, BYTES_LITERAL("two"), 0600, NULL, &err));
    assert_true(file_is_missing(elsewhere));
    assert_content("two");
}

/* An operator's own key.new beside the key is none of ours. */
static void what_an_operator_laid_beside_it_stays(void **state)
{
    (void)state;
    assert_true(file_write(beside, BYTES_LITERAL("theirs"), 0600, &err));
    assert_true(file_create(path, BYTES_LITERAL("one"), 0600, NULL, &err));
    assert_false(file_is_missing(beside));
}

static void it_belongs_to_whom_it_is_made_for(void **state)
{
    const struct file_owner nobody = { 65534, 65534 };
    struct stat file;

    (void)state;
    if (geteuid() != 0) {
        assert_false(file_create(path, BYTES_LITERAL("one"), 0600, &nobody, &err));
        assert_true(file_is_missing(path));
        return;
    }
    assert_true(file_create(path, BYTES_LITERAL("one"), 0600, &nobody, &err));
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_uid, 65534);
    assert_int_equal(file.st_gid, 65534);
}

static void what_cannot_be_looked_at_is_not_missing(void **state)
{
    char below[80];

    (void)state;
    assert_true(file_is_missing(path));
    assert_true(file_create(path, BYTES_LITERAL("one"), 0600, NULL, &err));
    assert_false(file_is_missing(path));
    (void)snprintf(below, sizeof(below), "%s/x", path); /* ENOTDIR */
    assert_false(file_is_missing(below));
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(what_is_written_replaces_what_was_there),   file_test(what_is_created_replaces_nothing),
        file_test(what_is_left_beside_it_counts_for_nothing), file_test(it_belongs_to_whom_it_is_made_for),
        file_test(what_an_operator_laid_beside_it_stays),     file_test(it_belongs_to_whom_it_is_made_for),
        file_test(what_cannot_be_looked_at_is_not_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
