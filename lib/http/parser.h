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

struct http_parser {
    const struct http_limits *limits;
    int status;         /* with REFUSED: 400, 408 is the caller's, 411, 413, 414, 417, 431, 501, 505 */
    const char *reason; /* with REFUSED: for the log */
    size_t consumed;    /* with DONE: octets of input that belong to this request */
    bool expects_continue;
    bool keep_alive; /* what the request asks for (RFC 9112 9.3) */
    /* private */
    size_t scanned, head_len;
    bool head_done, chunked, has_length;
    uint64_t content_length;
};

void http_parser_init(struct http_parser *parser, const struct http_limits *limits);

/* Looks at all that has arrived since the request began (`input` grows from call to call, same start). On
 * DONE all of *request but peer, base_url and listener is set and copied into `arena`. Cost over all calls is
 * linear. */
enum http_parse http_parse_request(struct http_parser *parser, struct bytes input, struct arena *arena,
                                   struct http_request *request);

#endif
