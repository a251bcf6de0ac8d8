/* parser.h: a strict HTTP/1.1 request parser (RFC 9112) over a flat buffer. Pure: fed bytes, gives a request,
 * wants more, or refuses with a status. Rejects, never repairs: bare LF, folded lines, control characters, a
 * name with a blank, two Host or Content-Length headers, any transfer coding but exactly "chunked", both
 * framings at once, HTTP/1.1 without Host. Any split of the input gives the same result as the whole. */
#ifndef MUSTER_HTTP_PARSER_H
#define MUSTER_HTTP_PARSER_H

#include "lib/http/message.h"

struct http_limits {
    size_t target_max;   /* octets of the request target; beyond: 414 */
    size_t head_max;     /* request line and header section; beyond: 431 */
    size_t body_max;     /* decoded body; beyond: 413 */
    unsigned header_max; /* count, at most HTTP_HEADERS_MAX; beyond: 431 */
};

enum http_parse {
    HTTP_PARSE_REFUSED = 0, /* answer parser->status, then close */
    HTTP_PARSE_MORE,        /* feed more */
    HTTP_PARSE_HEAD,        /* head complete, body not yet: send "100 Continue" if parser->expects_continue */
    HTTP_PARSE_DONE,        /* parser->consumed octets made *request */
};

enum {
    HTTP_METHOD_MAX = 32,           /* octets of a method's name */
    HTTP_CHUNK_LINE_MAX = 256,      /* one chunk's size and extensions; beyond: 400 */
    HTTP_TRAILER_MAX = 8192,        /* all trailer lines together; beyond: 431 */
    HTTP_CHUNK_OVERHEAD = 64 * 1024 /* chunked framing may cost this and once more what it carries */
};

enum http_parser_stage {
    HTTP_STAGE_START = 0, /* one empty line before the request is allowed (RFC 9112 2.2) */
    HTTP_STAGE_REQUEST_LINE,
    HTTP_STAGE_HEADERS,
    HTTP_STAGE_BODY,
    HTTP_STAGE_CHUNK_LINE,
    HTTP_STAGE_CHUNK_DATA,
    HTTP_STAGE_CHUNK_END,
    HTTP_STAGE_TRAILERS,
    HTTP_STAGE_DONE,
    HTTP_STAGE_REFUSED,
};

struct http_parser {
    const struct http_limits *limits;
    int status;         /* with REFUSED: 400, 411, 413, 414, 417, 431, 501, 503 (no memory), 505 */
    const char *reason; /* with REFUSED: for the log */
    size_t consumed;    /* with DONE: octets of input that belong to this request */
    bool expects_continue;
    bool keep_alive; /* what the request asks for (RFC 9112 9.3) */
    /* private: where in the input we are, as offsets, since the input may move between calls */
    enum http_parser_stage stage;
    size_t scanned;    /* all before it has been looked at */
    size_t line_start; /* of the line being scanned */
    size_t head_start, body_start, trailers_len;
    uint64_t body_left; /* of the body, or of the chunk */
    size_t body_len;    /* decoded, so far */
    unsigned header_count;
    bool chunked;
};

void http_parser_init(struct http_parser *parser, const struct http_limits *limits);

/* Looks at all that has arrived since the request began (`input` grows from call to call, same content at the
 * start, though it may move). `arena` and `request` are the same in all calls. From HEAD on, all of *request
 * is set but body, peer, base_url and listener; with DONE the body too. Everything is copied into `arena`.
 * Cost over all calls is linear. */
enum http_parse http_parse_request(struct http_parser *parser, struct bytes input, struct arena *arena,
                                   struct http_request *request);

/* No request within `limits` is longer than this in octets on the wire. */
size_t http_input_max(const struct http_limits *limits);

#endif
