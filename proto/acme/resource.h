/* resource.h: what an ACME path names, and the URLs of it. Pure. */
#ifndef MUSTER_ACME_RESOURCE_H
#define MUSTER_ACME_RESOURCE_H

#include "lib/base/arena.h"
#include "model/procedure.h"

enum acme_resource_kind {
    ACME_RESOURCE_NONE = 0,
    ACME_DIRECTORY,
    ACME_NEW_NONCE,
    ACME_NEW_ACCOUNT,
    ACME_NEW_ORDER,
    ACME_NEW_AUTHZ,
    ACME_REVOKE_CERT,
    ACME_KEY_CHANGE,
    ACME_RENEWAL_INFO, /* renewal-info/<certificate id> */
    ACME_ACCOUNT,      /* account/<id> */
    ACME_ORDERS,       /* account/<id>/orders */
    ACME_ORDER,        /* order/<id> */
    ACME_FINALIZE,     /* order/<id>/finalize */
    ACME_AUTHZ,        /* authz/<id> */
    ACME_CHALLENGE,    /* challenge/<authorization's id>/<type> */
    ACME_CERTIFICATE,  /* certificate/<order's id>[/<n>] */
    ACME_STAR,         /* star-certificate/<order's id>[/<n>] */
};

/* Sixteen random octets, in base64url on the wire: nobody guesses one. */
enum { ACME_ID_LEN = 16, ACME_ID_TEXT_LEN = 22 };
struct acme_id {
    uint8_t bytes[ACME_ID_LEN];
};
static inline struct bytes acme_id_bytes(const struct acme_id *id)
{
    return bytes_of(id->bytes, ACME_ID_LEN);
}
static inline bool acme_id_equal(const struct acme_id *a, const struct acme_id *b)
{
    return memcmp(a->bytes, b->bytes, ACME_ID_LEN) == 0;
}
void acme_id_format(const struct acme_id *id, char out[ACME_ID_TEXT_LEN + 1]);
MUST_USE bool acme_id_parse(struct bytes text, struct acme_id *out);

struct acme_resource {
    enum acme_resource_kind kind;
    struct acme_id id;
    enum acme_challenge challenge; /* CHALLENGE */
    unsigned alternate;            /* CERTIFICATE, STAR: which chain; 0 without a number */
    struct bytes text;             /* RENEWAL_INFO: what follows */
};

/* `path` is what follows "/acme/<procedure>/". False when it names nothing. */
MUST_USE bool acme_resource_parse(struct bytes path, struct acme_resource *out);

/* "new-order": for the log. NULL for NONE. */
const char *acme_resource_name(enum acme_resource_kind kind);

/* "http-01", as it stands in "type" and in URLs. */
const char *acme_challenge_name(enum acme_challenge challenge);

/* The URL of `path` within the directory of the procedure; `base_url` is the listener's. None: no memory. */
struct bytes acme_url(struct arena *arena, const char *base_url, const struct procedure *procedure,
                      const char *path);
/* "order" and an id and "/finalize" (or ""). */
struct bytes acme_url_of(struct arena *arena, const char *base_url, const struct procedure *procedure,
                         const char *kind, const struct acme_id *id, const char *suffix);
/* `url` is one of these, of a resource of that kind and nothing else. */
MUST_USE bool acme_url_parse(struct bytes url, const char *base_url, const struct procedure *procedure,
                             struct acme_resource *out);

#endif
