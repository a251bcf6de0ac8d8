/* acme_client.h: an ACME client for tests, made on OpenSSL's EVP: JWS, JWK and thumbprints of its own, so
 * that it does not share our mistakes. What it makes lives in the arena; keys are made once a process. One
 * thread. */
#ifndef MUSTER_TESTS_ACME_CLIENT_H
#define MUSTER_TESTS_ACME_CLIENT_H

#include <openssl/evp.h>

#include "lib/http/message.h"

enum acme_client_key {                 /* account keys */
                       ACME_KEY_A = 0, /* P-256, as the next two */
                       ACME_KEY_B,
                       ACME_KEY_C,
                       ACME_KEY_RSA,
                       ACME_KEY_ED25519,
                       ACME_KEY_P384,
                       ACME_KEY_RSA_1024,
                       ACME_CLIENT_KEYS
};

EVP_PKEY *acme_client_key(enum acme_client_key key);
const char *acme_client_alg(enum acme_client_key key);

/* The JWK as text, required members in the order of RFC 7638; and its thumbprint, base64url. */
const char *acme_client_jwk(struct arena *arena, enum acme_client_key key);
const char *acme_client_thumbprint(struct arena *arena, enum acme_client_key key);

const char *acme_client_base64url(struct arena *arena, struct bytes in);

/* {"protected":...,"payload":...,"signature":...}; `header` is JSON. */
struct bytes acme_client_jws(struct arena *arena, enum acme_client_key key, const char *header,
                             const char *payload);
/* The same with HMAC-SHA-256. */
const char *acme_client_mac(struct arena *arena, const char *secret, const char *header, const char *payload);

/* Formatted text. */
const char *acme_text(struct arena *arena, const char *format, ...) PRINTF(2, 3);

#endif
