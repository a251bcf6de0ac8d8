/* link.h: one client's connection to the server under load, and HTTP over it: a whole request goes out, a
 * whole answer comes back. Blocking; a link belongs to one thread. */
#ifndef MUSTER_BENCH_LINK_H
#define MUSTER_BENCH_LINK_H

#include <netdb.h>
#include <openssl/ssl.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct link_target {
    char host[256];
    char port[8];
    bool tls;
    char path[512];
};

/* "http://host[:port]/path" or "https://...". */
MUST_USE bool link_target_parse(const char *url, struct link_target *out, struct error *err);

/* Appends "METHOD path+query HTTP/1.1", the usual headers, `more` (lines with CRLF, or NULL) and the body. */
struct link_request {
    const char *method, *query, *more;
    bool keep_alive;
    struct bytes body;
};
void link_request_put(struct buffer *out, const struct link_target *target,
                      const struct link_request *request);

/* --- where connections go, made once for all clients --- */
struct link_route {
    struct addrinfo *address;
    SSL_CTX *tls; /* NULL: plain */
    char host[256];
    bool resumes; /* TLS sessions are kept for the next connection */
};
/* `trust_path` is PEM of the server's anchors; NULL: the server is not verified. */
MUST_USE bool link_route_open(struct link_route *out, const struct link_target *target,
                              const char *trust_path, bool resumes, struct error *err);
void link_route_close(struct link_route *route);

/* --- a connection --- */

/* What a handshake needs that is one device's own, as its certificate; false: it cannot be. */
typedef bool link_dress(void *context, size_t n, SSL *ssl);

struct link {
    int fd; /* -1: none open */
    SSL *ssl;
    SSL_SESSION *session; /* of an earlier connection */
    struct buffer in;
};
#define LINK_NONE ((struct link){ .fd = -1, .in = BUFFER(1 << 20) })

enum link_fault {
    LINK_OK = 0,
    LINK_CONNECT, /* no connection */
    LINK_TLS,     /* no handshake, or none that can be believed */
    LINK_CLOSED,  /* it was closed before the answer was whole */
    LINK_TIMEOUT, /* no answer in LINK_PATIENCE_S */
    LINK_FAULT_COUNT
};
enum { LINK_PATIENCE_S = 60 };

/* With its session, when there is one: *resumed says whether the server took it. `dress` may be NULL. */
enum link_fault link_open(struct link *link, const struct link_route *route, link_dress *dress, void *context,
                          size_t n, bool *resumed);
void link_close(struct link *link);
void link_free(struct link *link); /* closes, and forgets the session */

struct link_answer {
    int status;        /* 0: there is none */
    struct bytes body; /* owned */
    struct bytes head; /* status line and headers, as they came; lives as long as the body */
};
void link_answer_free(struct link_answer *answer); /* leaves none */

/* The value of a header that comes alone; none when it is not there. */
struct bytes link_header(const struct link_answer *answer, const char *name);

/* A request and its answer on an open connection; *closing when the server will close it. */
enum link_fault link_ask(struct link *link, struct bytes request, struct link_answer *out, bool *closing);

#endif
