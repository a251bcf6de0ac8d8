#include "lib/http/parser.h"

#include "lib/http/syntax_internal.h"

static enum http_parse refuse(struct http_parser *parser, int status, const char *reason)
{
    parser->stage = HTTP_STAGE_REFUSED;
    parser->status = status;
    parser->reason = reason;
    return HTTP_PARSE_REFUSED;
}

void http_parser_init(struct http_parser *parser, const struct http_limits *limits)
{
    *parser = (struct http_parser){ .limits = limits };
}

size_t http_input_max(const struct http_limits *limits)
{
    return limits->head_max + 2 * limits->body_max + HTTP_CHUNK_OVERHEAD + 2 * HTTP_CHUNK_LINE_MAX +
           HTTP_TRAILER_MAX;
}

/* --- Lines. Octet by octet, so that where the input was cut cannot change what is found first. --- */

enum line {
    LINE_BAD = 0, /* a control character, a CR or an LF alone */
    LINE_MORE,
    LINE_LONG,
    LINE_WHOLE
};

/* Past the octets from `at` on that say nothing about where a line ends. */
static size_t skip_plain(struct bytes input, size_t at, size_t end)
{
    while (at < end && input.data[at] != '\r' && http_is_field_octet(input.data[at]))
        at++;
    return at;
}

/* Goes on with the line that began at line_start; on WHOLE *line is it without CRLF and the next begins. */
static enum line scan_line(struct http_parser *parser, struct bytes input, size_t max, struct bytes *line)
{
    size_t at = parser->scanned, end = parser->line_start + max;
    enum line result = LINE_MORE;

    for (; at < input.len && result == LINE_MORE; at++) {
        uint8_t c = input.data[at];

        if (at >= end)
            result = LINE_LONG;
        else if (at > parser->line_start && input.data[at - 1] == '\r')
            result = c == '\n' ? LINE_WHOLE : LINE_BAD;
        else if (c != '\r' && !http_is_field_octet(c))
            result = LINE_BAD;
        else if (c != '\r')
            at = skip_plain(input, at + 1, end < input.len ? end : input.len) - 1;
    }
    parser->scanned = at;
    if (result == LINE_WHOLE) {
        *line = bytes_slice(input, parser->line_start, at - 2 - parser->line_start);
        parser->line_start = at;
    }
    return result;
}

/* --- The head --- */

static bool request_line_split(struct bytes line, struct bytes *method, struct bytes *target,
                               struct bytes *version)
{
    size_t first = bytes_find(line, ' ');
    struct bytes rest = bytes_from(line, first + 1);
    size_t second = bytes_find(rest, ' ');

    if (first == line.len || second == rest.len)
        return false;
    *method = bytes_slice(line, 0, first);
    *target = bytes_slice(rest, 0, second);
    *version = bytes_from(rest, second + 1);
    return true;
}

/* Exactly 1.0 and 1.1: what calls itself HTTP/1.9 is no client of ours. */
static bool version_minor(struct bytes version, int *minor)
{
    *minor = bytes_is(version, "HTTP/1.1") ? 1 : 0;
    return *minor == 1 || bytes_is(version, "HTTP/1.0");
}

static bool version_is_well_formed(struct bytes version)
{
    return version.len == 8 && bytes_starts_with(version, "HTTP/") && http_is_digit(version.data[5]) &&
           version.data[6] == '.' && http_is_digit(version.data[7]);
}

static enum http_parse check_request_line(struct http_parser *parser, struct bytes line)
{
    struct bytes method, target, version;
    struct http_target parts;
    int minor;

    if (!request_line_split(line, &method, &target, &version) || !http_is_token(method))
        return refuse(parser, 400, "malformed request line");
    if (method.len > HTTP_METHOD_MAX)
        return refuse(parser, 501, "method too long");
    if (target.len > parser->limits->target_max)
        return refuse(parser, 414, "request target too long");
    if (!version_is_well_formed(version))
        return refuse(parser, 400, "malformed HTTP version");
    if (!version_minor(version, &minor))
        return refuse(parser, 505, "HTTP version not supported");
    if (!http_target_split(target, &parts))
        return refuse(parser, 400, "malformed request target");
    parser->stage = HTTP_STAGE_HEADERS;
    return HTTP_PARSE_MORE;
}

/* field-line = field-name ":" OWS field-value OWS; a line that begins with a blank is obs-fold. */
static bool header_split(struct bytes line, struct http_header *out)
{
    size_t colon = bytes_find(line, ':');

    if (colon == line.len)
        return false;
    out->name = bytes_slice(line, 0, colon);
    out->value = bytes_trim(bytes_from(line, colon + 1));
    return http_is_token(out->name);
}

static enum http_parse check_header_line(struct http_parser *parser, struct bytes line)
{
    struct http_header header;

    if (!header_split(line, &header))
        return refuse(parser, 400, "malformed header line");
    if (++parser->header_count > parser->limits->header_max || parser->header_count > HTTP_HEADERS_MAX)
        return refuse(parser, 431, "too many headers");
    return HTTP_PARSE_MORE;
}

static enum http_method method_of(struct bytes text)
{
    static const struct {
        const char *text;
        enum http_method method;
    } known[] = {
        { "GET", HTTP_METHOD_GET },         { "HEAD", HTTP_METHOD_HEAD },     { "POST", HTTP_METHOD_POST },
        { "PUT", HTTP_METHOD_PUT },         { "DELETE", HTTP_METHOD_DELETE }, { "PATCH", HTTP_METHOD_PATCH },
        { "OPTIONS", HTTP_METHOD_OPTIONS },
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (bytes_is(text, known[i].text))
            return known[i].method;
    return HTTP_METHOD_OTHER;
}

/* Lines that were checked one by one become the request; pointers go into the arena's copy. */
static bool build_head(struct http_parser *parser, struct bytes head, struct arena *arena,
                       struct http_request *request, struct http_target *target)
{
    struct http_header *header = arena_array(arena, parser->header_count, sizeof(*header));
    struct bytes rest = arena_copy(arena, head), method, raw_target, version, line;
    size_t end;

    if (header == NULL || rest.data == NULL)
        return false;
    end = bytes_find(rest, '\r');
    if (!request_line_split(bytes_slice(rest, 0, end), &method, &raw_target, &version) ||
        !http_target_split(raw_target, target))
        return false;
    *request = (struct http_request){ .method = method_of(method),
                                      .method_text = method,
                                      .path = target->path,
                                      .query = target->query,
                                      .header = header,
                                      .header_count = parser->header_count,
                                      .arena = arena };
    (void)version_minor(version, &request->minor_version);
    for (size_t i = 0; i < parser->header_count; i++) {
        rest = bytes_from(rest, end + 2);
        end = bytes_find(rest, '\r');
        line = bytes_slice(rest, 0, end);
        if (!header_split(line, &header[i]))
            return false;
    }
    return true;
}

/* RFC 9112 3.2: one Host, and in the absolute form the same authority in both places. */
static bool host_is_sound(const struct http_request *request, const struct http_target *target)
{
    size_t count = http_header_count(request, "Host");
    struct bytes host = http_header_find(request, "Host");

    if (count > 1 || (count == 0 && request->minor_version == 1))
        return false;
    if (count == 1 && host.len > 0 && !http_is_authority(host))
        return false;
    return target->authority.len == 0 || count == 0 || bytes_equal_nocase(target->authority, host);
}

static bool is_digits(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!http_is_digit(value.data[i]))
            return false;
    return value.len > 0;
}

static bool method_needs_a_length(enum http_method method)
{
    return method == HTTP_METHOD_POST || method == HTTP_METHOD_PUT || method == HTTP_METHOD_PATCH;
}

/* RFC 9112 6: exactly one way to know where the body ends. */
static enum http_parse check_framing(struct http_parser *parser, const struct http_request *request)
{
    size_t lengths = http_header_count(request, "Content-Length");
    size_t codings = http_header_count(request, "Transfer-Encoding");
    struct bytes length = http_header_find(request, "Content-Length");

    if (lengths + codings > 1)
        return refuse(parser, 400, "more than one body framing");
    if (codings == 1 && request->minor_version == 0)
        return refuse(parser, 400, "Transfer-Encoding in HTTP/1.0");
    if (codings == 1 && !bytes_is_nocase(http_header_find(request, "Transfer-Encoding"), "chunked"))
        return refuse(parser, 501, "transfer coding not supported");
    if (lengths == 1 && !is_digits(length))
        return refuse(parser, 400, "malformed Content-Length");
    if (lengths == 1 && !bytes_to_u64(length, parser->limits->body_max, &parser->body_left))
        return refuse(parser, 413, "body too large");
    if (lengths + codings == 0 && method_needs_a_length(request->method))
        return refuse(parser, 411, "no Content-Length");
    parser->chunked = codings == 1;
    return HTTP_PARSE_HEAD;
}

static bool connection_has(const struct http_request *request, const char *option)
{
    for (size_t i = 0; i < request->header_count; i++) {
        struct bytes rest = request->header[i].value, part;

        if (!bytes_is_nocase(request->header[i].name, "Connection"))
            continue;
        while (bytes_split(&rest, ',', &part))
            if (bytes_is_nocase(bytes_trim(part), option))
                return true;
    }
    return false;
}

/* RFC 9110 10.1.1: from HTTP/1.0 an expectation is ignored. */
static bool expectation_is_met(struct http_parser *parser, const struct http_request *request)
{
    size_t count = http_header_count(request, "Expect");

    if (count == 0 || request->minor_version == 0)
        return true;
    if (count > 1 || !bytes_is_nocase(http_header_find(request, "Expect"), "100-continue"))
        return false;
    parser->expects_continue = parser->chunked || parser->body_left > 0;
    return true;
}

static enum http_parse finish_head(struct http_parser *parser, struct bytes input, struct arena *arena,
                                   struct http_request *request)
{
    struct bytes head = bytes_slice(input, parser->head_start, parser->scanned - parser->head_start);
    struct http_target target;

    if (!build_head(parser, head, arena, request, &target))
        return refuse(parser, 503, "no memory for the head");
    if (!host_is_sound(request, &target))
        return refuse(parser, 400, "no sound Host");
    if (check_framing(parser, request) == HTTP_PARSE_REFUSED)
        return HTTP_PARSE_REFUSED;
    if (!expectation_is_met(parser, request))
        return refuse(parser, 417, "unknown expectation");
    parser->keep_alive = !connection_has(request, "close") &&
                         (request->minor_version == 1 || connection_has(request, "keep-alive"));
    parser->body_start = parser->line_start = parser->scanned;
    parser->stage = parser->chunked ? HTTP_STAGE_CHUNK_LINE : HTTP_STAGE_BODY;
    return HTTP_PARSE_HEAD;
}

static enum http_parse parse_head(struct http_parser *parser, struct bytes input, struct arena *arena,
                                  struct http_request *request)
{
    bool in_request_line = parser->stage < HTTP_STAGE_HEADERS;
    size_t used = parser->line_start - parser->head_start;
    size_t left = parser->limits->head_max - used;
    size_t line_max = HTTP_METHOD_MAX + parser->limits->target_max + sizeof("  HTTP/1.1\r");
    struct bytes line;

    if (!in_request_line || line_max > left)
        line_max = left;
    switch (scan_line(parser, input, line_max, &line)) {
    case LINE_BAD: return refuse(parser, 400, "control character or bare CR or LF in the head");
    case LINE_LONG:
        return in_request_line ? refuse(parser, 414, "request line too long")
                               : refuse(parser, 431, "head too large");
    case LINE_MORE: return HTTP_PARSE_MORE;
    case LINE_WHOLE: break;
    }
    if (parser->stage == HTTP_STAGE_START) {
        parser->stage = HTTP_STAGE_REQUEST_LINE;
        if (line.len == 0) {
            parser->head_start = parser->line_start;
            return HTTP_PARSE_MORE;
        }
    }
    if (in_request_line)
        return check_request_line(parser, line);
    return line.len == 0 ? finish_head(parser, input, arena, request) : check_header_line(parser, line);
}

/* --- The body --- */

/* Takes what is there of body_left; true when nothing is left to come. */
static bool take_body(struct http_parser *parser, struct bytes input)
{
    size_t there = input.len - parser->scanned;
    size_t taken = there < parser->body_left ? there : (size_t)parser->body_left;

    parser->scanned += taken;
    parser->body_len += taken;
    parser->body_left -= taken;
    return parser->body_left == 0;
}

/* chunk = chunk-size [ chunk-ext ] CRLF (RFC 9112 7.1). Digits alone: no sign, blank, or 0x. Extensions are
 * dropped. */
static bool chunk_line_size(struct bytes line, uint64_t *size)
{
    size_t digits = 0, at;
    uint64_t value = 0;

    while (digits < line.len && http_hex_value(line.data[digits]) >= 0) {
        value = value << 4 | (uint64_t)http_hex_value(line.data[digits]);
        if (++digits > 15)
            return false;
    }
    for (at = digits; at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'); at++)
        ;
    if (digits == 0 || (at == line.len && at != digits) || (at < line.len && line.data[at] != ';'))
        return false;
    *size = value;
    return true;
}

/* What is not data may not outgrow what is: the flood of tiny chunks and long extensions. */
static bool overhead_is_sound(const struct http_parser *parser)
{
    size_t overhead = parser->scanned - parser->body_start - parser->body_len;

    return overhead <= HTTP_CHUNK_OVERHEAD + parser->body_len;
}

static enum http_parse parse_chunk_line(struct http_parser *parser, struct bytes input)
{
    struct bytes line;
    uint64_t size;

    switch (scan_line(parser, input, HTTP_CHUNK_LINE_MAX, &line)) {
    case LINE_BAD: return refuse(parser, 400, "control character or bare CR or LF in a chunk line");
    case LINE_LONG: return refuse(parser, 400, "chunk line too long");
    case LINE_MORE: return HTTP_PARSE_HEAD;
    case LINE_WHOLE: break;
    }
    if (!chunk_line_size(line, &size))
        return refuse(parser, 400, "malformed chunk size");
    if (size > parser->limits->body_max - parser->body_len)
        return refuse(parser, 413, "body too large");
    if (!overhead_is_sound(parser))
        return refuse(parser, 400, "too much chunk framing");
    parser->body_left = size;
    parser->stage = size == 0 ? HTTP_STAGE_TRAILERS : HTTP_STAGE_CHUNK_DATA;
    return HTTP_PARSE_HEAD;
}

static enum http_parse parse_chunk_end(struct http_parser *parser, struct bytes input)
{
    struct bytes line;

    switch (scan_line(parser, input, 2, &line)) {
    case LINE_BAD:
    case LINE_LONG: return refuse(parser, 400, "chunk longer than its size");
    case LINE_MORE: return HTTP_PARSE_HEAD;
    case LINE_WHOLE: break;
    }
    parser->stage = HTTP_STAGE_CHUNK_LINE;
    return HTTP_PARSE_HEAD;
}

/* Trailers are checked like headers and dropped (RFC 9110 6.5.1). */
static enum http_parse parse_trailer(struct http_parser *parser, struct bytes input)
{
    struct http_header dropped;
    struct bytes line;

    switch (scan_line(parser, input, HTTP_TRAILER_MAX - parser->trailers_len, &line)) {
    case LINE_BAD: return refuse(parser, 400, "control character or bare CR or LF in a trailer");
    case LINE_LONG: return refuse(parser, 431, "trailers too large");
    case LINE_MORE: return HTTP_PARSE_HEAD;
    case LINE_WHOLE: break;
    }
    parser->trailers_len += line.len + 2;
    if (line.len == 0)
        parser->stage = HTTP_STAGE_DONE;
    else if (!header_split(line, &dropped))
        return refuse(parser, 400, "malformed trailer");
    else if (++parser->header_count > parser->limits->header_max)
        return refuse(parser, 431, "too many trailers");
    return HTTP_PARSE_HEAD;
}

/* The second walk over chunks that the first found sound: their data in a row. */
static void copy_chunks(const struct http_parser *parser, struct bytes input, uint8_t *out)
{
    struct bytes rest = bytes_slice(input, parser->body_start, parser->scanned - parser->body_start);
    uint64_t size;

    for (;;) {
        size_t line_len = bytes_find(rest, '\n');

        if (!chunk_line_size(bytes_slice(rest, 0, line_len - 1), &size) || size == 0)
            return;
        rest = bytes_from(rest, line_len + 1);
        memcpy(out, rest.data, (size_t)size);
        out += size;
        rest = bytes_from(rest, (size_t)size + 2);
    }
}

static enum http_parse finish(struct http_parser *parser, struct bytes input, struct arena *arena,
                              struct http_request *request)
{
    uint8_t *body = arena_alloc(arena, parser->body_len);

    if (body == NULL)
        return refuse(parser, 503, "no memory for the body");
    if (parser->chunked)
        copy_chunks(parser, input, body);
    else if (parser->body_len > 0)
        memcpy(body, input.data + parser->body_start, parser->body_len);
    request->body = bytes_of(body, parser->body_len);
    parser->consumed = parser->scanned;
    return HTTP_PARSE_DONE;
}

/* One step; the stage or `scanned` has moved after it, or it answers what the caller gets. */
static enum http_parse step(struct http_parser *parser, struct bytes input, struct arena *arena,
                            struct http_request *request)
{
    switch (parser->stage) {
    case HTTP_STAGE_START:
    case HTTP_STAGE_REQUEST_LINE:
    case HTTP_STAGE_HEADERS: return parse_head(parser, input, arena, request);
    case HTTP_STAGE_BODY:
        if (take_body(parser, input))
            parser->stage = HTTP_STAGE_DONE;
        return HTTP_PARSE_HEAD;
    case HTTP_STAGE_CHUNK_LINE: return parse_chunk_line(parser, input);
    case HTTP_STAGE_CHUNK_DATA:
        if (take_body(parser, input)) {
            parser->line_start = parser->scanned;
            parser->stage = HTTP_STAGE_CHUNK_END;
        }
        return HTTP_PARSE_HEAD;
    case HTTP_STAGE_CHUNK_END: return parse_chunk_end(parser, input);
    case HTTP_STAGE_TRAILERS: return parse_trailer(parser, input);
    case HTTP_STAGE_DONE: return finish(parser, input, arena, request);
    case HTTP_STAGE_REFUSED: return HTTP_PARSE_REFUSED;
    }
    return HTTP_PARSE_REFUSED;
}

enum http_parse http_parse_request(struct http_parser *parser, struct bytes input, struct arena *arena,
                                   struct http_request *request)
{
    for (;;) {
        size_t scanned = parser->scanned;
        enum http_parser_stage stage = parser->stage;
        enum http_parse result = step(parser, input, arena, request);

        if (result == HTTP_PARSE_REFUSED || result == HTTP_PARSE_DONE)
            return result;
        if (parser->scanned == scanned && parser->stage == stage)
            return result;
    }
}
