/* The tables and the file that goes out with the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/rows_internal.h"
#include "lib/base/file.h"

static struct bytes documentation(struct buffer *out)
{
    struct error err;

    assert_true(file_read("docs/configuration.md", out, &err));
    buffer_append_byte(out, 0);
    return buffer_bytes(out);
}

/* `name`, or as the last part of `group.name` or `list[].name`. */
static bool is_documented(const char *text, const char *name)
{
    char alone[80], last[80];

    (void)snprintf(alone, sizeof(alone), "`%s`", name);
    (void)snprintf(last, sizeof(last), ".%s`", name);
    return strstr(text, alone) != NULL || strstr(text, last) != NULL;
}

static void check_documented(const struct settings *settings, const char *text, unsigned *rows)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *row = &settings->row[i];

        if (row->group != NULL)
            check_documented(row->group, text, rows);
        else if (!is_documented(text, row->name))
            fail_msg("docs/configuration.md does not name `%s`", row->name);
        for (const struct choice *c = row->choice; c != NULL && c->name != NULL; c++) {
            if (!is_documented(text, c->name))
                fail_msg("docs/configuration.md does not name `%s` of `%s`", c->name, row->name);
        }
        ++*rows;
    }
}

static void every_setting_and_choice_is_documented(void **state)
{
    AUTO_STRUCT(buffer) text = BUFFER(1 << 20);
    unsigned rows = 0;

    (void)state;
    check_documented(&settings_file, (const char *)documentation(&text).data, &rows);
    assert_true(rows > 90);
}

static void every_dialect_is_documented(void **state)
{
    AUTO_STRUCT(buffer) text = BUFFER(1 << 20);
    char list[512];
    struct bytes rest, name;

    (void)state;
    const char *doc = (const char *)documentation(&text).data;
    dialects_list(list, sizeof(list));
    rest = bytes_text(list);
    while (bytes_split(&rest, ',', &name)) {
        char one[64];
        struct bytes trimmed = bytes_trim(name);

        (void)snprintf(one, sizeof(one), "%.*s", BYTES_FMT(trimmed));
        assert_non_null(dialect_named(one));
        assert_true(is_documented(doc, one));
    }
}

static void check_table(const struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *row = &settings->row[i];

        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(row->name, settings->row[j].name);
        assert_true(row->offset + row->size <= settings->size);
        assert_true((row->kind == SETTING_CHOICE || row->kind == SETTING_SET) == (row->choice != NULL));
        assert_true((row->kind == SETTING_GROUP || row->kind == SETTING_ITEMS) == (row->group != NULL));
        assert_true(row->max == 0 || row->min <= row->max);
        if (row->kind == SETTING_GROUP)
            assert_true(row->offset + row->group->size <= settings->size);
        if (row->kind == SETTING_ITEMS || row->kind == SETTING_TEXTS || row->kind == SETTING_PATHS ||
            row->kind == SETTING_URLS)
            assert_int_equal(row->size, sizeof(struct items));
        if (row->kind == SETTING_FLAG)
            assert_int_equal(row->size, sizeof(bool));
        if (row->kind == SETTING_SET)
            assert_int_equal(row->size, sizeof(uint32_t));
        if (row->group != NULL)
            check_table(row->group);
    }
}

static void every_row_fits_its_struct(void **state)
{
    (void)state;
    check_table(&settings_file);
}

static void the_sample_configuration_reads_and_holds_together(void **state)
{
    AUTO_ARENA *arena = arena_new(16 << 20);
    struct parsed parsed = parsed_defaults;
    struct reader *reader;
    struct error err = { 0 };

    (void)state;
    parsed.workers = 4;
    if (!reader_open("conf/muster.yaml", arena, &reader, &err) ||
        !reader_read(reader, &settings_file, &parsed, &err) || !config_check_names(reader, &parsed, &err))
        fail_msg("%s", err.text);
    assert_int_equal(parsed.listeners.count, 3);
    assert_int_equal(parsed.procedures.count, 1);
    reader_close(reader);
}

/* What the sample shows in comments is a setting too: uncommented it reads. */
static void the_commented_defaults_of_the_sample_read_as_well(void **state)
{
    AUTO_STRUCT(buffer) text = BUFFER(1 << 20);
    AUTO_STRUCT(buffer) out = BUFFER(1 << 20);
    AUTO_ARENA *arena = arena_new(16 << 20);
    struct parsed parsed = parsed_defaults;
    struct reader *reader;
    struct error err = { 0 };
    struct bytes rest, line;
    unsigned taken = 0;

    (void)state;
    assert_true(file_read("conf/muster.yaml", &text, &err));
    rest = buffer_bytes(&text);
    while (bytes_split(&rest, '\n', &line)) {
        size_t hash = bytes_find(line, '#');
        bool setting = hash + 2 < line.len && (line.data[hash + 1] != ' ' || line.data[hash + 2] == ' ') &&
                       bytes_trim(bytes_slice(line, 0, hash)).len == 0;

        taken += setting;
        buffer_append(&out, bytes_slice(line, 0, hash));
        buffer_append(&out, bytes_from(line, setting ? hash + 1 : hash));
        buffer_append_byte(&out, '\n');
    }
    assert_true(taken > 15);
    if (!reader_open_text("sample", buffer_bytes(&out), arena, &reader, &err) ||
        !reader_read(reader, &settings_file, &parsed, &err) || !config_check_names(reader, &parsed, &err))
        fail_msg("%s", err.text);
    assert_int_equal(parsed.registry.map_max, parsed_defaults.registry.map_max);
    assert_int_equal(parsed.queue_max, parsed_defaults.queue_max);
    assert_int_equal(parsed.net.http.target_max, NET_OPTIONS_DEFAULT.http.target_max);
    assert_int_equal(parsed.net.idle_ms, NET_OPTIONS_DEFAULT.idle_ms);
    reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_and_choice_is_documented),
        cmocka_unit_test(every_dialect_is_documented),
        cmocka_unit_test(every_row_fits_its_struct),
        cmocka_unit_test(the_sample_configuration_reads_and_holds_together),
        cmocka_unit_test(the_commented_defaults_of_the_sample_read_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
