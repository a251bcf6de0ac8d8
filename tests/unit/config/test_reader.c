/* The reader: what stands in a file lands in the struct by its row, and every mistake is named with file,
 * line and setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/reader_internal.h"
#include "lib/base/file.h"

struct wheel {
    struct place place;
    const char *name, *path;
    unsigned size_mm;
};
struct car {
    struct place place;
    const char *name, *store, *url, *colour;
    bool open;
    uint16_t doors;
    uint64_t tank;
    int64_t service_s;
    unsigned gear_ms;
    unsigned fuel;
    uint32_t extras;
    struct items notes, wheels, manuals;
    struct {
        unsigned top, low;
    } speed;
};

static const struct choice fuels[] = { { "petrol", 1 }, { "sun", 2 }, { 0 } };
static const struct choice extras[] = { { "radio", 1 }, { "roof", 2 }, { "hook", 4 }, { 0 } };
static const struct setting wheel_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct wheel, name) },
    { "path", SETTING_PATH, SETTING_AT(struct wheel, path) },
    { "size", SETTING_COUNT, SETTING_AT(struct wheel, size_mm), .min = 10, .max = 99 },
};
static const struct wheel wheel_initial = { .size_mm = 17 };
static const struct settings wheel = { wheel_rows, COUNT_OF(wheel_rows), sizeof(struct wheel), &wheel_initial,
                                       offsetof(struct wheel, place) };
static const struct setting speed_rows[] = {
    { "top", SETTING_COUNT, SETTING_AT(struct car, speed.top) },
    { "low", SETTING_COUNT, SETTING_AT(struct car, speed.low) },
};
static const struct settings speed = { speed_rows, COUNT_OF(speed_rows), sizeof(struct car), NULL, NO_PLACE };
static const struct setting car_rows[] = {
    { "name", SETTING_NAME, .required = true, SETTING_AT(struct car, name) },
    { "store", SETTING_STORE, SETTING_AT(struct car, store) },
    { "url", SETTING_URL, SETTING_AT(struct car, url) },
    { "colour", SETTING_TEXT, SETTING_AT(struct car, colour) },
    { "open", SETTING_FLAG, SETTING_AT(struct car, open) },
    { "doors", SETTING_COUNT, SETTING_AT(struct car, doors), .min = 1 },
    { "tank", SETTING_SIZE, SETTING_AT(struct car, tank), .min = 1024, .max = 1 << 30 },
    { "service", SETTING_SECONDS, SETTING_AT(struct car, service_s), .max = 86400 * 90 },
    { "gear", SETTING_MILLISECONDS, SETTING_AT(struct car, gear_ms), .min = 100, .max = 60000 },
    { "fuel", SETTING_CHOICE, SETTING_AT(struct car, fuel), .choice = fuels },
    { "extras", SETTING_SET, SETTING_AT(struct car, extras), .choice = extras },
    { "notes", SETTING_TEXTS, SETTING_AT(struct car, notes), .max = 3 },
    { "manuals", SETTING_PATHS, SETTING_AT(struct car, manuals) },
    { "wheels", SETTING_ITEMS, SETTING_AT(struct car, wheels), .max = 4, .group = &wheel },
    { "speed", SETTING_GROUP, .group = &speed },
};
static const struct settings car = { car_rows, COUNT_OF(car_rows), sizeof(struct car), NULL,
                                     offsetof(struct car, place) };

struct world {
    struct arena *arena;
    struct reader *reader;
    char folder[32], path[48], expected[512];
    struct error err;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/muster-reader-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->path, sizeof(w->path), "%s/car.yaml", w->folder);
    w->arena = arena_new(1 << 20);
    assert_non_null(w->arena);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    reader_close(w->reader);
    (void)unlink(w->path);
    (void)rmdir(w->folder);
    arena_free(w->arena);
    free(w);
    return 0;
}

static bool read_text(struct world *w, const char *text, struct car *out)
{
    reader_close(w->reader);
    w->reader = NULL;
    w->err = (struct error){ 0 };
    assert_true(file_write(w->path, bytes_text(text), 0600, &w->err));
    return reader_open(w->path, w->arena, &w->reader, &w->err) && reader_read(w->reader, &car, out, &w->err);
}

static void assert_fault(struct world *w, const char *text, const char *fault)
{
    struct car out = { 0 };

    assert_false(read_text(w, text, &out));
    (void)snprintf(w->expected, sizeof(w->expected), "%s:%s", w->path, fault);
    assert_string_equal(w->err.text, w->expected);
}

static void every_kind_lands_in_its_field(void **state)
{
    struct world *w = *state;
    struct car out = { .doors = 7 };
    char path[128];

    assert_true(read_text(w,
                          "name: vw-1.2_x\nstore: keys/a.pem\nurl: http://a.example/x\ncolour: deep blue\n"
                          "open: true\ndoors: 4\ntank: 64KiB\nservice: 90d\ngear: 500ms\nfuel: sun\n"
                          "extras: [radio, hook]\nnotes: [a, 'b c']\nmanuals: /abs.pdf\n"
                          "wheels:\n  - name: fl\n    path: w/fl\n  - { name: fr, size: 19 }\n"
                          "speed: { top: 200 }\n",
                          &out));
    assert_string_equal(out.name, "vw-1.2_x");
    (void)snprintf(path, sizeof(path), "%s/keys/a.pem", w->folder);
    assert_string_equal(out.store, path);
    assert_string_equal(out.url, "http://a.example/x");
    assert_string_equal(out.colour, "deep blue");
    assert_true(out.open);
    assert_int_equal(out.doors, 4);
    assert_int_equal(out.tank, 65536);
    assert_int_equal(out.service_s, 90 * 86400);
    assert_int_equal(out.gear_ms, 500);
    assert_int_equal(out.fuel, 2);
    assert_int_equal(out.extras, 5);
    assert_int_equal(out.notes.count, 2);
    assert_string_equal(((const char **)out.notes.item)[1], "b c");
    assert_string_equal(((const char **)out.manuals.item)[0], "/abs.pdf");
    assert_int_equal(out.wheels.count, 2);
    const struct wheel *wheels = out.wheels.item;
    (void)snprintf(path, sizeof(path), "%s/w/fl", w->folder);
    assert_string_equal(wheels[0].path, path);
    assert_int_equal(wheels[0].size_mm, 17); /* the default */
    assert_int_equal(wheels[1].size_mm, 19);
    assert_string_equal(wheels[1].place.path, "wheels[1]");
    assert_int_equal(out.speed.top, 200);
}

static void what_is_left_out_keeps_its_default(void **state)
{
    struct car out = { .doors = 5, .fuel = 1 };

    assert_true(read_text(*state, "name: a\n", &out));
    assert_int_equal(out.doors, 5);
    assert_int_equal(out.fuel, 1);
}

static void a_uri_is_kept_and_a_path_is_resolved(void **state)
{
    struct car out = { 0 };

    assert_true(read_text(*state, "name: a\nstore: 'pkcs11:token=t;object=o'\n", &out));
    assert_string_equal(out.store, "pkcs11:token=t;object=o");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/muster", 1), 0);
    assert_true(read_text(*state, "name: a\nstore: credential:ca.pem\n", &out));
    assert_string_equal(out.store, "/run/credentials/muster/ca.pem");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void an_unknown_setting_is_named_with_the_near_one(void **state)
{
    assert_fault(*state, "name: a\n\nclour: red\n", "3: unknown setting 'clour'; did you mean 'colour'?");
    assert_fault(*state, "name: a\nspeed:\n  topp: 3\n",
                 "3: speed: unknown setting 'topp'; did you mean 'top'?");
    assert_fault(*state, "name: a\nspeed:\n  maximum: 3\n",
                 "3: speed: unknown setting 'maximum'; expected one of top, low");
}

static void a_setting_that_stands_twice_is_named_with_both_lines(void **state)
{
    assert_fault(*state, "name: a\ndoors: 2\ndoors: 3\n", "3: doors: set twice; it is on line 2 already");
}

static void a_missing_setting_is_named_with_the_line_of_its_group(void **state)
{
    assert_fault(*state, "doors: 2\n",
                 "1: name: missing; expected a name of letters, digits, '.', '_' and '-', at most 64");
    assert_fault(
        *state, "name: a\nwheels:\n  - name: b\n  - size: 20\n",
        "4: wheels[1].name: missing; expected a name of letters, digits, '.', '_' and '-', at most 64");
}

static void a_wrong_kind_is_named(void **state)
{
    assert_fault(*state, "name: a\nopen: yes\n", "2: open: expected true or false; got 'yes'");
    assert_fault(*state, "name: a\ndoors: many\n", "2: doors: expected a number; got 'many'");
    assert_fault(*state, "name: a\ndoors: -1\n", "2: doors: expected a number; got '-1'");
    assert_fault(*state, "name: a\ndoors:\n", "2: doors: expected a number; got nothing");
    assert_fault(*state, "name: a\ndoors: [1]\n", "2: doors: expected a number; got a list");
    assert_fault(*state, "name: [a]\n",
                 "1: name: expected a name of letters, digits, '.', '_' and '-', at most 64; got a list");
    assert_fault(*state, "name: a/b\n",
                 "1: name: expected a name of letters, digits, '.', '_' and '-', at most 64; got 'a/b'");
    assert_fault(*state, "name: a\nspeed: 3\n", "2: speed: expected settings (name: value); got '3'");
    assert_fault(*state, "name: a\nwheels: {name: b}\n",
                 "2: wheels: expected a list of settings (- name: value); got settings (name: value)");
    assert_fault(*state, "name: a\nwheels: [x]\n", "2: wheels[0]: expected settings (name: value); got 'x'");
    assert_fault(*state, "name: a\nurl: ftp://x\n",
                 "2: url: expected a URL that begins with http:// or https://; got 'ftp://x'");
    assert_fault(*state, "name: a\ncolour: ''\n", "2: colour: expected a text; got ''");
    assert_fault(*state, "name: a\ncolour: \"a\\nb\"\n", "2: colour: expected a text; got 'a?b'");
}

static void a_number_out_of_bounds_is_named_with_the_bounds(void **state)
{
    assert_fault(*state, "name: a\ndoors: 0\n", "2: doors: expected a number from 1 to 65535; got '0'");
    assert_fault(*state, "name: a\ndoors: 65536\n",
                 "2: doors: expected a number from 1 to 65535; got '65536'");
    assert_fault(*state, "name: a\nservice: 91d\n",
                 "2: service: expected a duration like 10s, 5m, 12h or 90d from 0 to 90d; got '91d'");
    assert_fault(*state, "name: a\ntank: 10B\n",
                 "2: tank: expected a size like 64KiB or 1MiB from 1KiB to 1GiB; got '10B'");
    assert_fault(*state, "name: a\ntank: 99999999999999999999\n",
                 "2: tank: expected a size like 64KiB or 1MiB; got '99999999999999999999'");
    assert_fault(*state, "name: a\ntank: 18446744073709551615TiB\n",
                 "2: tank: expected a size like 64KiB or 1MiB; got '18446744073709551615TiB'");
}

static void a_duration_needs_its_unit(void **state)
{
    struct car out = { .service_s = 9 };

    assert_fault(*state, "name: a\nservice: 10\n",
                 "2: service: expected a duration like 10s, 5m, 12h or 90d; got '10'");
    assert_fault(*state, "name: a\nservice: 10ms\n",
                 "2: service: expected a duration like 10s, 5m, 12h or 90d; got '10ms'");
    assert_true(read_text(*state, "name: a\nservice: 0\n", &out));
    assert_int_equal(out.service_s, 0);
}

static void a_choice_names_what_there_is(void **state)
{
    assert_fault(*state, "name: a\nfuel: coal\n", "2: fuel: expected one of petrol, sun; got 'coal'");
    assert_fault(*state, "name: a\nextras:\n  - radio\n  - wings\n",
                 "4: extras: expected one of radio, roof, hook; got 'wings'");
}

static void a_list_too_long_is_named(void **state)
{
    assert_fault(*state, "name: a\nnotes: [a, b, c, d]\n", "2: notes: expected 0 to 3 entries; got 4");
    assert_fault(*state, "name: a\nnotes: [a, {}]\n",
                 "2: notes[1]: expected a text; got settings (name: value)");
}

static void a_uri_is_never_shown(void **state)
{
    struct world *w = *state;
    struct car out = { 0 };

    assert_false(read_text(w, "name: a\nstore: \"pkcs11:pin-value=hush\\x07\"\n", &out));
    assert_null(strstr(w->err.text, "hush"));
    assert_non_null(strstr(w->err.text, ":2: store: expected a path or a URI"));
}

static void broken_yaml_is_named_with_its_line(void **state)
{
    struct world *w = *state;
    struct car out = { 0 };

    assert_false(read_text(w, "name: a\ncolour: [x\n", &out));
    assert_non_null(strstr(w->err.text, "car.yaml:3: not YAML: "));
    assert_fault(w, "", "1: there is nothing in it");
    assert_fault(w, "# all is a comment\n", "1: there is nothing in it");
    assert_fault(w, "name: a\n---\nname: b\n", "2: a second document (---)");
    assert_fault(w, "- a\n", "1: expected settings (name: value); got a list");
}

static void an_alias_is_refused(void **state)
{
    assert_fault(*state, "name: &n a\ncolour: *n\n", "2: aliases (*name) are not supported");
}

static void deep_nesting_and_noise_are_refused(void **state)
{
    static char deep[4096];
    struct car out = { 0 };

    memset(deep, '[', sizeof(deep) - 1);
    assert_false(read_text(*state, deep, &out));
    assert_false(read_text(*state, "\x01\x02\xff", &out));
    assert_false(read_text(*state, "? [a]\n: b\n", &out));
}

static void a_missing_file_is_an_error_with_its_name(void **state)
{
    struct world *w = *state;

    assert_false(reader_open("/nowhere/car.yaml", w->arena, &w->reader, &w->err));
    assert_int_equal(w->err.code, ERROR_IO);
    assert_non_null(strstr(w->err.text, "/nowhere/car.yaml"));
}

static void a_fault_found_later_names_the_deepest_line_that_is_there(void **state)
{
    struct world *w = *state;
    struct car out = { 0 };

    assert_true(read_text(w, "name: a\nwheels:\n  - name: b\n    size: 20\nspeed:\n  top: 1\n", &out));
    const struct wheel *wheels = out.wheels.item;
    assert_false(reader_fault(w->reader, &wheels[0].place, "size", &w->err, "expected %d", 21));
    (void)snprintf(w->expected, sizeof(w->expected), "%s:4: wheels[0].size: expected 21", w->path);
    assert_string_equal(w->err.text, w->expected);
    assert_false(reader_fault(w->reader, &wheels[0].place, "path", &w->err, "missing"));
    (void)snprintf(w->expected, sizeof(w->expected), "%s:3: wheels[0].path: missing", w->path);
    assert_string_equal(w->err.text, w->expected);
    assert_false(reader_fault(w->reader, &out.place, "speed.top", &w->err, "too fast"));
    (void)snprintf(w->expected, sizeof(w->expected), "%s:6: speed.top: too fast", w->path);
    assert_string_equal(w->err.text, w->expected);
    assert_true(reader_has(w->reader, &out.place, "speed.top"));
    assert_false(reader_has(w->reader, &out.place, "speed.low"));
    assert_true(reader_has(w->reader, &wheels[0].place, "size"));
}

static void every_allocation_that_fails_is_an_error(void **state)
{
    struct world *w = *state;
    static const char text[] = "name: a\ncolour: b\nnotes: [a, b]\nwheels: [{name: x}]\nstore: q\n";
    struct car out = { 0 };
    unsigned n = 1;
    bool ok = false;

    assert_true(file_write(w->path, bytes_text(text), 0600, &w->err));
    for (; !ok && n < 100; n++) {
        AUTO_ARENA *arena = arena_new(1 << 20);
        struct reader *reader = NULL;

        arena_fail_after(arena, n);
        ok = reader_open(w->path, arena, &reader, &w->err) && reader_read(reader, &car, &out, &w->err);
        if (!ok)
            assert_int_equal(w->err.code, ERROR_MEMORY);
        reader_close(reader);
    }
    assert_true(ok);
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_lands_in_its_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_out_keeps_its_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_uri_is_kept_and_a_path_is_resolved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_setting_is_named_with_the_near_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_setting_that_stands_twice_is_named_with_both_lines, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_missing_setting_is_named_with_the_line_of_its_group, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_kind_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_number_out_of_bounds_is_named_with_the_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_duration_needs_its_unit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_choice_names_what_there_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_too_long_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_uri_is_never_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_yaml_is_named_with_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_alias_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deep_nesting_and_noise_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_an_error_with_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fault_found_later_names_the_deepest_line_that_is_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_allocation_that_fails_is_an_error, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
