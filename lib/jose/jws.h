/* jws.h: JSON Web Signatures in the flattened JSON form alone (RFC 7515 7.2.2), under the rules of who asks.
 * Strict: exactly the members protected, payload and signature; no unprotected header; no duplicate member;
 * no `crit` (nothing critical is understood, RFC 7515 4.1.11) and no `b64` (RFC 7797); base64url with one
 * text for one value; at most JWS_MAX bytes. What is parsed points into the arena. Pure; any thread. */
#ifndef MUSTER_JOSE_JWS_H
#define MUSTER_JOSE_JWS_H

#include "lib/jose/jwk.h"

enum { JWS_MAX = 64 * 1024, JWS_KID_MAX = 256, JWS_URL_MAX = 2048, JWS_JTI_MAX = 128 };

/* RFC 7518 3.1, RFC 8037 3.1. EdDSA is Ed25519. */
enum jws_algorithm {
    JWS_ALGORITHM_NONE = 0,
    JWS_ES256,
    JWS_ES384,
    JWS_ES512,
    JWS_RS256,
    JWS_PS256,
    JWS_EDDSA,
    JWS_HS256,
    JWS_HS384,
    JWS_HS512
};

/* "ES256"; NULL for JWS_ALGORITHM_NONE. */
const char *jws_algorithm_name(enum jws_algorithm algorithm);

enum jws_member { JWS_MEMBER_KID = 1, JWS_MEMBER_JWK = 2, JWS_MEMBER_URL = 4, JWS_MEMBER_NONCE = 8 };

/* What is accepted. Algorithms and members are sets. */
struct jws_rules {
    unsigned algorithms;       /* JWS_SET() */
    unsigned wanted, unwanted; /* of enum jws_member; missing or present: malformed */
    bool acme; /* RFC 8555 6.2, 6.5: `jwk` is read, it or `kid` stands there, never both; base64url nonce */
    size_t kid_max; /* bytes */
};
#define JWS_SET(algorithm) (1u << (algorithm))

/* What officers sign. A `jwk` is one of the members that mean nothing. */
extern const struct jws_rules JWS_RULES_OFFICER;
/* A request (RFC 8555 6.2). Its nonce may be missing: the answer to that brings a fresh one (6.5). */
extern const struct jws_rules JWS_RULES_ACME;
/* The external account binding (7.3.4): a MAC, `kid` and `url`, no nonce. */
extern const struct jws_rules JWS_RULES_ACME_BINDING;
/* The inner one of a key change (7.3.5): `jwk` and `url`, no nonce. */
extern const struct jws_rules JWS_RULES_ACME_KEY_CHANGE;

/* The protected header's members that muster knows; what else stands there is ignored, as RFC 7515 4 says. */
struct jws_header {
    enum jws_algorithm algorithm;      /* signing: chosen by the key */
    struct bytes kid, url, jti, nonce; /* none when absent */
    struct bytes jwk;                  /* SubjectPublicKeyInfo; none when absent */
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
    JWS_MALFORMED = 0, /* not this form, too large, or members that the rules do not allow or miss */
    JWS_ALGORITHM,     /* another algorithm, or one that does not fit the key */
    JWS_CRITICAL,      /* a `crit` or `b64` member */
    JWS_KEY,           /* `jwk` is no public key that is accepted */
    JWS_SIGNATURE,     /* does not verify */
    JWS_MEMORY,
    JWS_OK,
};

/* Does not verify anything. `out` is written on JWS_OK alone. */
enum jws_fault jws_parse(struct bytes text, const struct jws_rules *rules, struct arena *arena,
                         struct jws *out);

/* The signature under this key, whose kind must be the algorithm's. */
enum jws_fault jws_verify(const struct jws *jws, struct bytes spki);

/* The MAC under this key; an empty one proves nothing. JWS_ALGORITHM when it is a signature. */
enum jws_fault jws_verify_mac(const struct jws *jws, struct bytes key);

/* Signs with key `name` of the ring by the first of the rules' algorithms that its kind fits (PS256 is not
 * written); none: ERROR_UNSUPPORTED. `text` is the flattened form in arena. */
MUST_USE bool jws_sign(const struct jws_rules *rules, const struct jws_header *header, struct bytes payload,
                       const struct keys *keys, const char *name, struct arena *arena, struct bytes *text,
                       struct error *err);

/* The same with header->algorithm, a MAC, under `key`. */
MUST_USE bool jws_sign_mac(const struct jws_header *header, struct bytes payload, struct bytes key,
                           struct arena *arena, struct bytes *text, struct error *err);

#endif
