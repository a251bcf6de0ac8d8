/* jws.h: JSON Web Signatures in the flattened JSON form alone (RFC 7515 7.2.2), with ES256, RS256 and EdDSA
 * (Ed25519). Strict: exactly the members protected, payload and signature; no unprotected header; no
 * duplicate member; no `crit` (nothing critical is understood, RFC 7515 4.1.11); base64url with one text for
 * one value; at most JWS_MAX bytes. What is parsed points into the arena. Pure; any thread. */
#ifndef MUSTER_JOSE_JWS_H
#define MUSTER_JOSE_JWS_H

#include "lib/jose/jwk.h"

enum { JWS_MAX = 64 * 1024, JWS_KID_MAX = 256, JWS_URL_MAX = 2048, JWS_JTI_MAX = 128 };

enum jws_algorithm { JWS_ALGORITHM_NONE = 0, JWS_ES256, JWS_RS256, JWS_EDDSA };

/* The protected header's members that muster knows; what else stands there is ignored, as RFC 7515 4 says. */
struct jws_header {
    enum jws_algorithm algorithm;      /* signing: chosen by the key */
    struct bytes kid, url, jti, nonce; /* none when absent */
    bool has_iat;
    int64_t iat_s;
};

struct jws {
    struct jws_header header;
    struct bytes payload;     /* decoded */
    struct bytes signed_text; /* protected "." payload, as they came */
    struct bytes signature;   /* decoded */
};

enum jws_fault {
    JWS_MALFORMED = 0, /* not this form, or too large */
    JWS_ALGORITHM,     /* another algorithm, or one that does not fit the key */
    JWS_CRITICAL,      /* a `crit` member */
    JWS_SIGNATURE,     /* does not verify */
    JWS_MEMORY,
    JWS_OK,
};

/* Does not verify anything. `out` is written on JWS_OK alone. */
enum jws_fault jws_parse(struct bytes text, struct arena *arena, struct jws *out);

/* The signature under this key, whose kind must be the algorithm's. */
enum jws_fault jws_verify(const struct jws *jws, struct bytes spki);

/* Signs with key `name` of the ring (EC P-256, RSA or Ed25519; others: ERROR_UNSUPPORTED). `text` is the
 * flattened form in arena. */
MUST_USE bool jws_sign(const struct jws_header *header, struct bytes payload, const struct keys *keys,
                       const char *name, struct arena *arena, struct bytes *text, struct error *err);

#endif
