#include "lib/http/writer.h"

#include <assert.h>

#include "lib/base/clock.h"

/* Every answer passes here: printf would cost as much as all the rest of its head. */
enum { DECIMAL_MAX = 20 };

static void put_decimal(struct buffer *out, uint64_t value, unsigned width)
{
    char text[DECIMAL_MAX];
    unsigned at = DECIMAL_MAX;

    assert(width <= DECIMAL_MAX);
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || DECIMAL_MAX - at < width);
    buffer_append(out, bytes_of(text + at, DECIMAL_MAX - at));
}

static void put_two(struct buffer *out, int value, const char *after)
{
    put_decimal(out, (uint64_t)value, 2);
    buffer_append_text(out, after);
}

/* IMF-fixdate (RFC 9110 5.6.7). 1970-01-01 was a Thursday. */
static void write_date(struct buffer *out, int64_t now_s)
{
    static const char day_name[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char month_name[12][6] = { " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
                                            " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec " };
    struct calendar c;

    if (now_s < 0)
        return;
    calendar_of(now_s, &c);
    buffer_append_text(out, "Date: ");
    buffer_append_text(out, day_name[now_s / 86400 % 7]);
    buffer_append_text(out, ", ");
    put_two(out, c.day, month_name[c.month - 1]);
    put_decimal(out, (uint64_t)c.year, 4);
    buffer_append_text(out, " ");
    put_two(out, c.hour, ":");
    put_two(out, c.minute, ":");
    put_two(out, c.second, " GMT\r\n");
}

static bool has_no_content(int status)
{
    return status == 204 || status == 304;
}

void http_write_response(struct buffer *out, const struct http_response *response, int64_t now_s,
                         bool head_only, bool close)
{
    buffer_append_text(out, "HTTP/1.1 ");
    put_decimal(out, (uint64_t)response->status, 3);
    buffer_append_text(out, " ");
    buffer_append_text(out, http_status_text(response->status));
    buffer_append_text(out, "\r\n");
    write_date(out, now_s);
    for (size_t i = 0; i < response->header_count; i++) {
        buffer_append(out, response->header[i].name);
        buffer_append_text(out, ": ");
        buffer_append(out, response->header[i].value);
        buffer_append_text(out, "\r\n");
    }
    if (!has_no_content(response->status)) {
        buffer_append_text(out, "Content-Length: ");
        put_decimal(out, response->body.len, 1);
        buffer_append_text(out, "\r\n");
    }
    buffer_append_text(out, close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
    if (!head_only && !has_no_content(response->status))
        buffer_append(out, response->body);
}
