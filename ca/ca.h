/* ca.h: a certificate authority as the gateway knows it, and the connector interface to it. A connector is a
 * pure state machine: given its saved state and what the CA answered last, it says what comes next. The
 * embedded CA says ISSUED at once, inside the worker; an upstream one says SEND and WAIT, and a job performs
 * that. One line in connectors[] (ca.c) for each kind. */
#ifndef MUSTER_CA_H
#define MUSTER_CA_H

#include "lib/base/random.h"
#include "lib/keys/keys.h"
#include "lib/pki/certificate.h"
#include "model/certificate_record.h"
#include "model/procedure.h"

enum connector_kind { CONNECTOR_NONE = 0, CONNECTOR_LOCAL, CONNECTOR_KIND_COUNT };
enum { CA_CHAIN_MAX = 8, CA_URLS_MAX = 4 };

/* Filled from configuration, then ca_prepare(); read-only afterwards, shared by all threads. */
struct ca {
    const char *name;
    enum connector_kind kind;
    struct bytes chain[CA_CHAIN_MAX]; /* DER, the issuing CA first, its root last */
    size_t chain_count;
    /* the embedded CA */
    const char *key_name;
    enum digest_algorithm hash; /* DIGEST_NONE: the key's default */
    struct bytes crl_url[CA_URLS_MAX], ca_issuers_url[CA_URLS_MAX];
    size_t crl_url_count, ca_issuers_url_count;
    uint32_t crl_validity_s, crl_refresh_s;
    /* the root that follows this one (RFC 9810 4.4), DER; none */
    struct bytes root_new_with_new, root_new_with_old, root_old_with_new;
    /* made by ca_prepare */
    struct certificate certificate; /* chain[0] */
    struct digest256 issuer;        /* SHA-256 over its subject: certificate_id.issuer */
    struct anchors *anchors;        /* the whole chain as anchors: "ours" */
    struct arena *arena;
};

/* Decodes the chain and checks that it fits the key, is a CA and is in order. */
MUST_USE bool ca_prepare(struct ca *ca, const struct keys *keys, struct error *err);
void ca_release(struct ca *ca); /* what ca_prepare made */

/* What operators load into clients beforehand (RFC 8894 2.2): the hash of the CA's certificate in DER, in
 * hexadecimal, into `out` of CA_FINGERPRINT_LEN. False only when libcrypto fails. */
enum { CA_FINGERPRINT_LEN = 2 * DIGEST_MAX + 1 };
MUST_USE bool ca_fingerprint(const struct ca *ca, enum digest_algorithm hash, char *out);

/* What admission decided to have certified. */
struct ca_order {
    const struct profile *profile;
    struct bytes subject; /* Name element, DER */
    struct bytes san;     /* content of GeneralNames; none: no extension */
    const struct public_key *key;
    int64_t now_s;
};

enum connector_verdict {
    CONNECTOR_UNSET = 0,
    CONNECTOR_SEND,
    CONNECTOR_WAIT,
    CONNECTOR_ISSUED,
    CONNECTOR_REJECTED
};

struct connector_step {
    enum connector_verdict verdict;
    struct bytes state;                   /* SEND, WAIT: to be saved, and shown again with the answer */
    struct bytes certificate;             /* ISSUED: DER */
    int64_t wait_until_s;                 /* WAIT */
    struct bytes url, content_type, body; /* SEND: POST this */
    const char *why;                      /* REJECTED: for the log */
};

struct connector {
    /* The first step for an order. */
    bool (*start)(const struct ca *ca, const struct ca_order *order, const struct keys *keys,
                  const struct random_source *random, struct arena *arena, struct connector_step *out,
                  struct error *err);
    /* The next, given saved state and the CA's answer (none after a WAIT). NULL when start always ends it. */
    bool (*resume)(const struct ca *ca, struct bytes state, struct bytes answer, int64_t now_s,
                   const struct keys *keys, const struct random_source *random, struct arena *arena,
                   struct connector_step *out, struct error *err);
};

/* NULL for a kind that is not built in. */
const struct connector *connector_of(enum connector_kind kind);

/* A serial number: 4 bytes of time (seconds, top bit clear) before 12 random bytes, so that records of one
 * time stand together on disk and 96 bits stay unpredictable. 16 octets, positive, never zero. */
enum { CA_SERIAL_LEN = 16 };
MUST_USE bool ca_serial_make(int64_t now_s, const struct random_source *random, uint8_t out[CA_SERIAL_LEN]);

/* The embedded CA's certificate list over `entry`, signed now. */
MUST_USE bool ca_crl(const struct ca *ca, const struct keys *keys, uint64_t number,
                     const struct revoked_entry *entry, size_t count, int64_t now_s, struct buffer *out,
                     struct arena *arena, struct error *err);

/* --- making a CA and the gateway's own certificates: `muster init` --- */
struct ca_make {
    struct bytes subject; /* Name element */
    uint32_t validity_s;
    int64_t now_s;
};
/* A self-signed root for key `key_name`. */
MUST_USE bool ca_make_root(const struct ca_make *make, const struct keys *keys, const char *key_name,
                           const struct random_source *random, struct arena *arena, struct bytes *der,
                           struct error *err);

enum service_kind {
    SERVICE_NONE = 0,
    SERVICE_TLS /* serverAuth */,
    SERVICE_SCEP_RA /* RSA: signs and decrypts */,
    SERVICE_CMP_RA /* cmcRA and cmKGA: signs answers and keys that were made here */,
    SERVICE_OFFICER /* clientAuth */
};
/* A certificate of the gateway itself, signed by the CA: key usages by kind, SAN as given (content of
 * GeneralNames). */
MUST_USE bool ca_make_service(const struct ca *ca, enum service_kind kind, const struct ca_make *make,
                              struct bytes san, const struct keys *keys, const char *key_name,
                              const struct random_source *random, struct arena *arena, struct bytes *der,
                              struct error *err);

#endif
