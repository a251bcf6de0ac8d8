/* message.h: an HTTP request and a response as values. They know no socket, no event loop and no TLS library.
 * All bytes of a request live in its arena, which lives until the response has been written; a response is
 * made in the same arena. One thread at a time. */
#ifndef MUSTER_HTTP_MESSAGE_H
#define MUSTER_HTTP_MESSAGE_H

#include "lib/base/arena.h"
#include "lib/base/ip.h"

enum http_method { /* HTTP_METHOD_OTHER: a token that we do not know; 405 or 501 */
                   HTTP_METHOD_OTHER = 0,
                   HTTP_METHOD_GET,
                   HTTP_METHOD_HEAD,
                   HTTP_METHOD_POST,
                   HTTP_METHOD_PUT,
                   HTTP_METHOD_DELETE,
                   HTTP_METHOD_PATCH,
                   HTTP_METHOD_OPTIONS,
};

struct http_header {
    struct bytes name, value; /* value without surrounding blanks; both checked against RFC 9110 5.1, 5.5 */
};

enum { HTTP_HEADERS_MAX = 100, HTTP_PEER_CHAIN_MAX = 8, HTTP_RESPONSE_HEADERS_MAX = 16 };

/* Who stands at the other end. All that TLS proved, and nothing that a header claims. */
struct http_peer {
    struct ip_address address; /* the client's, from PROXY protocol when the sender was a listed peer */
    uint16_t port;
    bool tls;
    unsigned tls_version; /* 0x0303 or 0x0304; 0 on plain connections */
    bool tls_resumed;
    bool tls_extended_master_secret; /* TLS 1.2: RFC 7627; true in 1.3 */
    struct bytes certificate; /* DER of the client's certificate; possession of its key is proved, nothing
                                 else: chain, dates and revocation are for the procedure to judge */
    struct bytes chain[HTTP_PEER_CHAIN_MAX]; /* what it sent beside it, DER */
    size_t chain_count;
    uint8_t tls_unique[64]; /* RFC 5929, TLS 1.2 only */
    size_t tls_unique_len;
    uint8_t tls_exporter[32]; /* RFC 9266: label EXPORTER-Channel-Binding, empty context; TLS 1.3 only */
    bool has_tls_exporter;
};

struct http_request {
    enum http_method method;
    struct bytes method_text;
    struct bytes path;  /* as sent, percent-escapes intact, begins with '/' */
    struct bytes query; /* without '?', escapes intact; none when absent */
    int minor_version;  /* of HTTP/1.x */
    const struct http_header *header;
    size_t header_count;
    struct bytes body; /* chunked coding removed */
    struct http_peer peer;
    const char
        *base_url; /* of the listener, "https://ra.example.com"; links are made from this, never from Host */
    uint64_t number;   /* no other request of this process has it; 0: it has none */
    unsigned listener; /* which one took it: index into the configuration's list */
    struct arena *arena;
};

struct http_response {
    int status; /* 0: none yet */
    struct http_header
        header[HTTP_RESPONSE_HEADERS_MAX]; /* names exactly as clients of the field expect them */
    size_t header_count;
    struct bytes body; /* Content-Length is written from this; never chunked */
    bool close;        /* close the connection after it */
};

/* First header of that name (any case); none when absent. */
struct bytes http_header_find(const struct http_request *request, const char *name);

/* How often that header stands in the request. */
size_t http_header_count(const struct http_request *request, const char *name);

/* Value of the first query parameter of that name, percent-decoded ('+' stays '+'). False when absent or when
 * an escape is malformed. */
MUST_USE bool http_query_find(const struct http_request *request, const char *name, struct bytes *out);

/* The same as it was sent, escapes intact. */
MUST_USE bool http_query_find_raw(const struct http_request *request, const char *name, struct bytes *out);

/* Undoes %XX. False for a malformed escape, or out of memory. */
MUST_USE bool http_percent_decode(struct arena *arena, struct bytes in, struct bytes *out);

/* The media type alone, without parameters, compared without case: "application/pkcs10". */
bool http_media_type_is(struct bytes content_type, const char *media_type);

/* A response with that Content-Type. Bodies and header values are borrowed: arena or static. */
struct http_response http_respond(int status, const char *content_type, struct bytes body);

/* text/plain; charset=utf-8. `text` is ours and static, never a client's; it goes out as it is. */
struct http_response http_respond_text(int status, const char *text);

/* Adds a header. Beyond HTTP_RESPONSE_HEADERS_MAX it is a defect (assert). The value has no CR, LF or NUL. */
void http_response_add(struct http_response *response, const char *name, struct bytes value);

/* "Retry-After: seconds" in the arena. */
void http_response_retry_after(struct arena *arena, struct http_response *response, unsigned seconds);

/* Why a request cannot be answered now, and when to come again. */
struct http_later {
    bool busy;        /* there is too much to do; else what is needed is not there */
    const char *text; /* for people; static */
    unsigned after_s;
};
/* 503 in plain text, with Retry-After. */
struct http_response http_respond_later(struct arena *arena, const struct http_later *later);

/* The reason phrase of RFC 9110; "Unknown" for others. */
const char *http_status_text(int status);

#endif
