/* http_auth.h: HTTP authentication as EST uses it: Basic (RFC 7617) and Digest (RFC 7616), read strictly, and
 * the challenges for them. Pure: what a secret is compared with is enroll's business, nonces are nonce.h's.
 */
#ifndef MUSTER_EST_HTTP_AUTH_H
#define MUSTER_EST_HTTP_AUTH_H

#include "lib/http/message.h"
#include "model/enrollment.h"

enum http_auth_kind {
    HTTP_AUTH_NONE = 0,  /* no Authorization header */
    HTTP_AUTH_MALFORMED, /* several, broken syntax, or a part that must be there is missing */
    HTTP_AUTH_OTHER,     /* a scheme, or a kind of Digest, that we do not speak */
    HTTP_AUTH_BASIC,
    HTTP_AUTH_DIGEST,
};

struct http_auth { /* parts point into the request or its arena */
    enum http_auth_kind kind;
    struct bytes user_name, password; /* Basic; the user name may be empty (EST-72) */
    struct http_digest digest;        /* Digest: qop=auth always, method filled in */
    struct bytes opaque;              /* none when it was left out */
};

/* Reads the Authorization header. Basic: padding may be missing, UTF-8 without control characters. Digest: no
 * parameter twice; user name, realm, nonce, uri, response, qop=auth, nc (8 hexadecimal digits) and cnonce
 * must be there (EST-75); algorithm MD5 when not named; "-sess", userhash and qop=auth-int are OTHER;
 * response lower-case hexadecimal of the right length. Out of arena: MALFORMED. */
struct http_auth http_auth_read(const struct http_request *request);

/* The uri of a Digest is the target of this request, as sent; or, as libest writes it for a request to
 * "/.well-known/est/LABEL/simpleenroll", the same without the label. */
bool http_auth_uri_fits(struct bytes uri, const struct http_request *request, struct bytes operation);

/* What our challenges carry and a Digest may repeat. */
extern const char HTTP_AUTH_OPAQUE[];

struct http_challenges {
    const char *realm;
    bool basic, digest, digest_md5; /* digest_md5: MD5 beside SHA-256 */
    const char *nonce;              /* of Digest */
    bool stale;
    bool libest; /* takes the first challenge and no other, and of Digest MD5 alone */
};

/* Adds the WWW-Authenticate headers, strongest first: Digest SHA-256, Digest MD5, Basic (EST-70, EST-73); for
 * libest what it can speak comes first. False: out of memory, and then none was added. */
MUST_USE bool http_auth_challenge(const struct http_challenges *c, struct arena *arena,
                                  struct http_response *response);

#endif
