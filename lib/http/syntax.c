#include "lib/http/syntax_internal.h"

int http_hex_value(uint8_t c)
{
    if (http_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_alnum(uint8_t c)
{
    return http_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

bool http_is_token(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.data[i]) && !is_one_of(text.data[i], "!#$%&'*+-.^_`|~"))
            return false;
    return text.len > 0;
}

/* unreserved, sub-delims and what `more` adds (RFC 3986 2.2, 2.3). */
static bool all_of(struct bytes text, const char *more)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.data[i]) && !is_one_of(text.data[i], "-._~!$&'()*+,;=") &&
            !is_one_of(text.data[i], more))
            return false;
    return true;
}

static bool is_port(struct bytes text)
{
    uint64_t port;

    return text.len == 0 || bytes_to_u64(text, UINT16_MAX, &port);
}

bool http_is_authority(struct bytes text)
{
    size_t host_len;

    if (bytes_starts_with(text, "[")) {
        host_len = bytes_find(text, ']') + 1;
        if (host_len > text.len || host_len < 4 || !all_of(bytes_slice(text, 1, host_len - 2), ":"))
            return false;
    } else {
        host_len = bytes_find(text, ':');
        if (host_len == 0 || !all_of(bytes_slice(text, 0, host_len), "%"))
            return false;
    }
    return host_len == text.len || (text.data[host_len] == ':' && is_port(bytes_from(text, host_len + 1)));
}

/* "http://" or "https://" and where it ends; 0 when there is none. */
static size_t scheme_len(struct bytes target)
{
    if (bytes_is_nocase(bytes_slice(target, 0, 7), "http://"))
        return 7;
    return bytes_is_nocase(bytes_slice(target, 0, 8), "https://") ? 8 : 0;
}

bool http_target_split(struct bytes target, struct http_target *out)
{
    struct http_target parts = { .authority = BYTES_NONE };
    size_t at = scheme_len(target), mark;

    if (at > 0) {
        struct bytes rest = bytes_from(target, at);
        size_t slash = bytes_find(rest, '/');

        mark = bytes_find(rest, '?');
        parts.authority = bytes_slice(rest, 0, slash < mark ? slash : mark);
        if (!http_is_authority(parts.authority))
            return false;
        target = bytes_from(rest, parts.authority.len);
    }
    mark = bytes_find(target, '?');
    parts.path = bytes_slice(target, 0, mark);
    if (at > 0 && parts.path.len == 0)
        parts.path = BYTES_LITERAL("/");
    if (mark < target.len)
        parts.query = bytes_from(target, mark + 1);
    if (!bytes_starts_with(parts.path, "/") || !all_of(parts.path, "%/:@") || !all_of(parts.query, "%/:@?[]"))
        return false;
    *out = parts;
    return true;
}
