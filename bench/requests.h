/* requests.h: what the load is made of, built before the interval: keys, CSRs and whole protocol messages;
 * and the check of what came back. */
#ifndef MUSTER_BENCH_REQUESTS_H
#define MUSTER_BENCH_REQUESTS_H

#include <openssl/types.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"

enum { BENCH_CN_MAX = 128 };

struct bench_key {
    EVP_PKEY *pkey;
    char cn[BENCH_CN_MAX];
};

/* The pattern with `n` for its first star. */
void bench_fqdn(const char *pattern, size_t n, char out[BENCH_CN_MAX]);
/* The Name element of that common name alone, DER in `arena`. */
MUST_USE bool bench_name(const char *cn, struct arena *arena, struct bytes *der);

/* A key and its name. RSA when bits > 0, else P-256. */
MUST_USE bool bench_key_make(unsigned bits, const char *pattern, size_t n, struct bench_key *out,
                             struct error *err);

/* A CSR over it with the CN as dNSName too, DER in `arena`; `password` NULL: none. */
MUST_USE bool bench_csr(const struct bench_key *key, const char *password, struct arena *arena,
                        struct bytes *der, struct error *err);

/* The certificate is over that key and names its CN; *serial (hexadecimal, in arena). */
MUST_USE bool bench_certificate_fits(struct bytes der, const struct bench_key *key, struct arena *arena,
                                     struct bytes *serial);

/* How many different texts there are. Sorts them. */
size_t bench_distinct(struct bytes *text, size_t count);

/* Microseconds of CPU of the public-key operations that one enrollment cannot do without, on this thread,
 * now. */
double bench_floor_est_us(void);  /* verify P-256 (CSR), sign P-256 (certificate) */
double bench_floor_tls_us(void);  /* what a full TLS 1.3 handshake adds: X25519 key, derive, sign P-256 */
double bench_floor_scep_us(void); /* RSA-2048 decrypt and sign, three RSA verifies or wraps, sign P-256 */

/* The JWS of so many messages and the CSR verified, the certificate signed (P-256). */
double bench_floor_acme_us(double messages);

/* Proof of possession verified and the certificate signed (P-256). For each of one or (`confirmed`) two
 * messages, under a password: the key is derived, once for the message and its answer, which has the same
 * salt; with signatures: one is verified and one made; and once the chain of the sender's certificate. */
enum { BENCH_PBM_ITERATIONS = 500 };
struct bench_cmp_shape {
    bool with_signatures, confirmed;
};
double bench_floor_cmp_us(struct bench_cmp_shape shape);

#endif
