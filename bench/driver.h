/* driver.h: one thread that keeps many connections busy: on each the next request goes out as soon as the
 * answer to the one before is whole. For comparing servers: it does the same to each. */
#ifndef MUSTER_BENCH_DRIVER_H
#define MUSTER_BENCH_DRIVER_H

#include <openssl/types.h>

#include "lib/base/bytes.h"
#include "lib/base/error.h"

struct driver;

/* Opens the connections to 127.0.0.1; `tls` NULL: plain. */
MUST_USE bool driver_new(uint16_t port, SSL_CTX *tls, unsigned connections, struct driver **out,
                         struct error *err);
void driver_free(struct driver *driver); /* accepts NULL */

/* For about `seconds`; ends when every request has its answer. Every answer must have status 200 and a body
 * of `answer_len` octets: anything else is an error. */
MUST_USE bool driver_run(struct driver *driver, struct bytes request, size_t answer_len, double seconds,
                         uint64_t *answers, struct error *err);

#endif
