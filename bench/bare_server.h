/* bare_server.h: the least that a server over epoll can do, to hold lib/net against: no deadlines, no limits,
 * a request found by its blank line and its Content-Length, the same octets as every answer. One thread. For
 * peers that can be trusted alone. */
#ifndef MUSTER_BENCH_BARE_SERVER_H
#define MUSTER_BENCH_BARE_SERVER_H

#include <openssl/types.h>

#include "lib/base/bytes.h"
#include "lib/base/error.h"

struct bare_server {
    int epoll, plain, secure; /* the latter two listen */
    SSL_CTX *tls;
    struct bytes answer; /* head and body */
};

/* Listens on free ports of 127.0.0.1, told in *plain_port and *secure_port. `tls` stays the caller's. */
MUST_USE bool bare_server_open(struct bare_server *server, SSL_CTX *tls, struct bytes answer,
                               uint16_t *plain_port, uint16_t *secure_port, struct error *err);

/* Serves for as long as the process lives; returns when the loop itself fails. */
void bare_server_run(struct bare_server *server);

#endif
