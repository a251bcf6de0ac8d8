/* requests.h: what the load is made of, built before the interval: keys, CSRs and whole protocol messages;
 * and the check of what came back. */
#ifndef MUSTER_BENCH_REQUESTS_H
#define MUSTER_BENCH_REQUESTS_H

#include <openssl/types.h>

#include "bench/key_type.h"
#include "lib/pki/certificate.h"

enum { BENCH_CN_MAX = 128 };

struct bench_key {
    EVP_PKEY *pkey;
    char cn[BENCH_CN_MAX];
};

/* The pattern with `n` for its first star. */
void bench_fqdn(const char *pattern, size_t n, char out[BENCH_CN_MAX]);
/* The Name element of that common name alone, DER in `arena`. */
MUST_USE bool bench_name(const char *cn, struct arena *arena, struct bytes *der);

/* A key of that kind, and its name. */
MUST_USE bool bench_key_make(const struct key_type *type, const char *pattern, size_t n,
                             struct bench_key *out, struct error *err);
void bench_keys_free(struct bench_key *key, size_t count); /* accepts NULL */

/* What a CSR says beside the key: CN, and the same as dNSName. */
struct bench_csr_order {
    const char *cn;
    const char *password; /* challengePassword; NULL: none */
    size_t repeated;      /* above 0: told in friendlyName, so that CSRs over one key differ */
};
/* DER in `arena`. */
MUST_USE bool bench_csr(const struct bench_key *key, const struct bench_csr_order *order, struct arena *arena,
                        struct bytes *der, struct error *err);

/* The certificate is over that key and names `cn`. */
bool bench_certificate_fits(struct bytes der, const struct bench_key *key, const char *cn);

/* The same of one that is decoded: over that SubjectPublicKeyInfo, and naming `cn`: as its only dNSName, or
 * where it has no subjectAltName as its common name. */
bool bench_certificate_is(const struct certificate *certificate, struct bytes spki, const char *cn);

/* All certificates of a PEM file as anchors. */
MUST_USE bool bench_anchors_read(const char *path, struct anchors **out, struct error *err);

#endif
