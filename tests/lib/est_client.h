/* est_client.h: an EST client for tests, made on OpenSSL's X509 and CMS APIs: an implementation of its own,
 * so that it does not share our mistakes. Each request has a valid default; a test names what differs. What
 * it makes lives in the arena or until scep_client_reset(); keys are made once a process. One thread. */
#ifndef MUSTER_TESTS_EST_CLIENT_H
#define MUSTER_TESTS_EST_CLIENT_H

#include "lib/http/message.h"
#include "tests/lib/scep_client.h"

enum { EST_CLIENT_KEYS = 4, EST_CLIENT_HEADERS_MAX = 8 };

/* P-256 key `n`. */
EVP_PKEY *est_client_key(unsigned n);

struct est_csr_plan {
    EVP_PKEY *key;                 /* NULL: key 0 */
    const char *cn;                /* NULL: "router5.example.com"; "": empty subject */
    const char *o;                 /* organisation; NULL: none */
    const char *san;               /* OpenSSL's text; NULL: none */
    const char *usage;             /* extendedKeyUsage, OpenSSL's text, beside the SAN; NULL: none */
    const char *basic, *key_usage; /* basicConstraints, keyUsage, as well */
    const char *device;            /* permanentIdentifier in the SAN, instead; NULL: none */
    const char *password;          /* challengePassword; NULL: none */
    const char *oid, *text;        /* a further attribute, dotted, UTF8String; NULL: none */
    bool broken_signature;
};
struct bytes est_client_csr(struct arena *arena, const struct est_csr_plan *plan);

/* Base64 in lines of `columns` (0: one line without end). */
struct bytes est_client_base64(struct arena *arena, struct bytes der, unsigned columns);

struct est_plan {
    const char *path;         /* NULL: "/.well-known/est/demo/simpleenroll" */
    const char *query;        /* NULL: none */
    enum http_method method;  /* OTHER: POST */
    const char *content_type; /* NULL: application/pkcs10; "": no header */
    struct est_csr_plan csr;
    struct bytes body;           /* instead of the CSR's base64 */
    const char *user, *password; /* Basic; password NULL: no Authorization */
    struct bytes authorization;  /* a whole Authorization value instead */
    struct http_header more;     /* a further header; name NULL: none */
    const char *user_agent;      /* NULL: none */
    bool plain;                  /* without TLS */
    bool tls_1_2, without_ems;   /* else TLS 1.3 */
    struct bytes certificate;    /* TLS client certificate, DER */
    struct bytes issuer;         /* sent beside it */
    uint8_t connection;          /* channel binding values are made of this octet */
};
/* The request in `arena`, as the gateway would receive it. */
struct http_request *est_client_request(struct arena *arena, const struct est_plan *plan);

/* Base64 of the channel binding of connection `connection`. */
const char *est_client_binding(struct arena *arena, uint8_t connection, bool tls_1_2);

/* HTTP Digest, computed here by RFC 7616 3.4 from a 401. */
struct est_digest_plan {
    const struct http_response *challenge; /* the 401 */
    const char *algorithm;                 /* "SHA-256" or "MD5": that challenge is answered */
    const char *user, *password;
    const char *uri;         /* NULL: "/.well-known/est/demo/simpleenroll" */
    const char *nc, *cnonce; /* NULL: 00000001, "0a4f113b" */
    const char *nonce;       /* NULL: the challenge's */
    bool no_cnonce;          /* left out, though qop is there */
};
struct bytes est_client_digest(struct arena *arena, const struct est_digest_plan *plan);

/* The n-th header of that name; none when there are fewer. */
struct bytes est_client_header(const struct http_response *response, const char *name, size_t n);

/* The certificates of a base64 certs-only body, in order; fails the test when it is something else. */
int est_client_bag(struct arena *arena, const struct http_response *response, X509 *out[], int max);

#endif
