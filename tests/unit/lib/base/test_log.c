#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/log.h"

/* The line that is logged of this text, without its time. */
static const char *logged(enum log_format format, struct bytes text)
{
    static char line[8192];
    FILE *file = tmpfile();
    size_t len;
    char *event;

    assert_non_null(file);
    log_open(fileno(file), format, LOG_INFO);
    log_fields(LOG_INFO, "request", LOG_TEXT("fqdn", text));
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_INFO);
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    len = fread(line, 1, sizeof(line) - 1, file);
    assert_int_equal(fclose(file), 0);
    line[len] = '\0';
    event = strstr(line, "request");
    assert_non_null(event);
    return event;
}

static void what_devices_say_cannot_write_lines_of_its_own(void **state)
{
    static const struct {
        const char *text, *shown;
    } row[] = {
        { "a.example.com", "a.example.com" },
        { "a\nerror admin ok", "\"a\\u000aerror admin ok\"" },
        { "a verdict=issued", "\"a verdict=issued\"" },
        { "a=b", "\"a=b\"" },
        { "\"\\", "\"\\\"\\\\\"" },
        { "\x1b[2J\x7f", "\"\\u001b[2J\\u007f\"" },
        { "b\xc3\xbc", "\"b\xc3\xbc\"" },
        { "\xc2\x9b\x32J", "\"\\u009b2J\"" }, /* CSI as one character */
        { "\xc2\xa0", "\"\xc2\xa0\"" },
        { "\xc2", "\"\\u00c2\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char expected[128];

        (void)snprintf(expected, sizeof(expected), "request fqdn=%s\n", row[i].shown);
        assert_string_equal(logged(LOG_FORMAT_TEXT, bytes_text(row[i].text)), expected);
    }
}

static void json_stays_json(void **state)
{
    (void)state;
    assert_string_equal(logged(LOG_FORMAT_JSON, bytes_text("a\",\"verdict\":\"issued\n")),
                        "request\",\"fqdn\":\"a\\\",\\\"verdict\\\":\\\"issued\\u000a\"}\n");
    assert_string_equal(logged(LOG_FORMAT_JSON, bytes_text("\xc2\x85")), "request\",\"fqdn\":\"\\u0085\"}\n");
}

static void a_field_is_bounded(void **state)
{
    static char text[4096];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_true(strlen(logged(LOG_FORMAT_TEXT, bytes_of(text, sizeof(text)))) < 2100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_devices_say_cannot_write_lines_of_its_own),
        cmocka_unit_test(json_stays_json),
        cmocka_unit_test(a_field_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
