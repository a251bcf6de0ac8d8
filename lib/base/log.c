#include "lib/base/log.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"

enum { LINE_MAX_LEN = 16 * 1024, FIELD_MAX_LEN = 2048 };

static struct {
    int fd;
    enum log_format format;
    enum log_level least;
} sink = { .fd = STDERR_FILENO, .format = LOG_FORMAT_TEXT, .least = LOG_INFO };

void log_open(int fd, enum log_format format, enum log_level least)
{
    sink.fd = fd;
    sink.format = format;
    sink.least = least;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG: return "debug";
    case LOG_INFO: return "info";
    case LOG_WARNING: return "warning";
    case LOG_ERROR: return "error";
    }
    return "error";
}

/* U+0080 to U+009F: a terminal takes them for commands as it does the controls of ASCII. */
static bool is_upper_control(struct bytes text, size_t at)
{
    return text.data[at] == 0xc2 && at + 1 < text.len && text.data[at + 1] < 0xa0;
}

/* JSON string escapes serve both formats. Text that is not UTF-8 is shown byte by byte. */
static void append_quoted(struct buffer *line, struct bytes text)
{
    bool raw;

    text = bytes_slice(text, 0, FIELD_MAX_LEN);
    raw = !bytes_is_utf8(text);
    buffer_append_byte(line, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (c == '"' || c == '\\')
            buffer_append_byte(line, '\\');
        if (c < 0x20 || c == 0x7f || (raw && c >= 0x80))
            buffer_format(line, "\\u%04x", c);
        else if (is_upper_control(text, i))
            buffer_format(line, "\\u%04x", text.data[++i]);
        else
            buffer_append_byte(line, c);
    }
    buffer_append_byte(line, '"');
}

static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return text.len > 0 && text.len <= FIELD_MAX_LEN;
}

static void append_field(struct buffer *line, const struct log_field *field)
{
    bool json = sink.format == LOG_FORMAT_JSON;

    buffer_append_text(line, json ? ",\"" : " ");
    buffer_append_text(line, field->name);
    buffer_append_text(line, json ? "\":" : "=");
    if (field->is_number)
        buffer_format(line, "%lld", (long long)field->number);
    else if (!json && is_plain(field->text))
        buffer_append(line, field->text);
    else
        append_quoted(line, field->text);
}

void log_event(enum log_level level, const char *event, const struct log_field *field, size_t count)
{
    AUTO_STRUCT(buffer) line = BUFFER(LINE_MAX_LEN);
    char now[CLOCK_TEXT_LEN];
    ssize_t written;

    if (level < sink.least)
        return;
    clock_format(clock_now_s(), now);
    buffer_format(&line,
                  sink.format == LOG_FORMAT_JSON ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\""
                                                 : "%s %s %s",
                  now, level_name(level), event);
    for (size_t i = 0; i < count; i++)
        if (field[i].is_number || field[i].text.len > 0)
            append_field(&line, &field[i]);
    buffer_append_text(&line, sink.format == LOG_FORMAT_JSON ? "}\n" : "\n");
    written = write(sink.fd, line.data, line.len);
    (void)written; /* nothing sensible can be done about a log that cannot be written */
}
