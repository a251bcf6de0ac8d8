#include "lib/http/message.h"

#include <assert.h>

#include "lib/http/syntax_internal.h"

struct bytes http_header_find(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (bytes_is_nocase(request->header[i].name, name))
            return request->header[i].value;
    return BYTES_NONE;
}

size_t http_header_count(const struct http_request *request, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++)
        count += bytes_is_nocase(request->header[i].name, name);
    return count;
}

bool http_query_find_raw(const struct http_request *request, const char *name, struct bytes *out)
{
    struct bytes rest = request->query, pair;

    while (rest.data != NULL && bytes_split(&rest, '&', &pair)) {
        size_t equals = bytes_find(pair, '=');

        if (bytes_is(bytes_slice(pair, 0, equals), name)) {
            *out = bytes_from(pair, equals + 1);
            return true;
        }
    }
    return false;
}

bool http_query_find(const struct http_request *request, const char *name, struct bytes *out)
{
    struct bytes raw;

    return http_query_find_raw(request, name, &raw) && http_percent_decode(request->arena, raw, out);
}

bool http_percent_decode(struct arena *arena, struct bytes in, struct bytes *out)
{
    uint8_t *text = arena_alloc(arena, in.len);
    size_t len = 0;

    if (text == NULL)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        int high, low;

        if (in.data[i] != '%') {
            text[len++] = in.data[i];
            continue;
        }
        high = i + 2 < in.len ? http_hex_value(in.data[i + 1]) : -1;
        low = i + 2 < in.len ? http_hex_value(in.data[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        text[len++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *out = bytes_of(text, len);
    return true;
}

bool http_media_type_is(struct bytes content_type, const char *media_type)
{
    return bytes_is_nocase(bytes_trim(bytes_slice(content_type, 0, bytes_find(content_type, ';'))),
                           media_type);
}

struct http_response http_respond(int status, const char *content_type, struct bytes body)
{
    struct http_response response = { .status = status, .body = body };

    if (content_type != NULL)
        http_response_add(&response, "Content-Type", bytes_text(content_type));
    return response;
}

struct http_response http_respond_text(int status, const char *text)
{
    return http_respond(status, "text/plain; charset=utf-8", bytes_text(text));
}

void http_response_add(struct http_response *response, const char *name, struct bytes value)
{
    assert(response->header_count < HTTP_RESPONSE_HEADERS_MAX);
    assert(!bytes_has_control(value));
    response->header[response->header_count++] = (struct http_header){ bytes_text(name), value };
}

void http_response_retry_after(struct arena *arena, struct http_response *response, unsigned seconds)
{
    struct bytes value = arena_format(arena, "%u", seconds);

    http_response_add(response, "Retry-After", value.data != NULL ? value : BYTES_LITERAL("60"));
}

struct http_response http_respond_later(struct arena *arena, const struct http_later *later)
{
    struct bytes text = arena_format(arena, "%s\n", later->text);
    struct http_response response = http_respond_text(503, "try again later\n");

    if (text.data != NULL)
        response.body = text;
    http_response_retry_after(arena, &response, later->after_s);
    return response;
}

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        { 100, "Continue" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 426, "Upgrade Required" },
        { 428, "Precondition Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (known[i].status == status)
            return known[i].text;
    return "Unknown";
}
