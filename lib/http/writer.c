#include "lib/http/writer.h"

#include <stdio.h>

#include "lib/base/clock.h"

/* IMF-fixdate (RFC 9110 5.6.7). 1970-01-01 was a Thursday. */
static void write_date(struct buffer *out, int64_t now_s)
{
    static const char day_name[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char month_name[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct calendar c;

    if (now_s < 0)
        return;
    calendar_of(now_s, &c);
    buffer_format(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", day_name[now_s / 86400 % 7], c.day,
                  month_name[c.month - 1], c.year, c.hour, c.minute, c.second);
}

static bool has_no_content(int status)
{
    return status == 204 || status == 304;
}

void http_write_response(struct buffer *out, const struct http_response *response, int64_t now_s,
                         bool head_only, bool close)
{
    buffer_format(out, "HTTP/1.1 %03d %s\r\n", response->status, http_status_text(response->status));
    write_date(out, now_s);
    for (size_t i = 0; i < response->header_count; i++) {
        buffer_append(out, response->header[i].name);
        buffer_append_text(out, ": ");
        buffer_append(out, response->header[i].value);
        buffer_append_text(out, "\r\n");
    }
    if (!has_no_content(response->status))
        buffer_format(out, "Content-Length: %zu\r\n", response->body.len);
    buffer_append_text(out, close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
    if (!head_only && !has_no_content(response->status))
        buffer_append(out, response->body);
}
