/* ca.h: a certificate authority as the gateway knows it, and the connector interface to it. A connector is a
 * pure state machine: given its saved state and what the CA answered last, it says what comes next. The
 * embedded CA says ISSUED at once, inside the worker; an upstream one says SEND and WAIT, and a job performs
 * that (enroll/order.h). Connectors of other rooms are put in by config/: one row in its table of kinds. */
#ifndef MUSTER_CA_H
#define MUSTER_CA_H

#include "lib/base/random.h"
#include "lib/keys/keys.h"
#include "lib/pki/certificate.h"
#include "model/certificate_record.h"
#include "model/procedure.h"

enum {
    CA_CHAIN_MAX = 8,
    CA_URLS_MAX = 4,
    CA_ANCHORS_MAX = CA_CHAIN_MAX,
    CA_OTHERS_MAX = 8,
    CA_TOLD_MAX = 16
};

struct connector;

/* How much of an upstream CA the gateway takes, and how long it waits for it. */
struct ca_patience {
    uint32_t timeout_ms;   /* of one request, where the connector says nothing else */
    unsigned concurrency;  /* requests at a time */
    unsigned orders_max;   /* open orders; beyond: REFUSAL_CA_UNAVAILABLE */
    uint32_t order_keep_s; /* from an order to its end, all tries and waiting together */
};
enum { /* defaults */
       CA_TIMEOUT_MS = 30000,
       CA_CONCURRENCY = 4,
       CA_ORDERS_MAX = 1000,
       CA_ORDER_KEEP_S = 7 * 86400
};

/* Filled from configuration, then ca_prepare(); read-only afterwards, shared by all threads. */
struct ca {
    const char *name;
    const struct connector *connector;
    const void *connector_service;    /* its settings; of the connector's own type */
    struct ca_patience patience;      /* of an upstream one */
    struct bytes chain[CA_CHAIN_MAX]; /* DER, the issuing CA first, its root last */
    size_t chain_count;
    /* an upstream CA that is asked for its chain: what vouches for it. None: the chain is configured */
    struct bytes anchor[CA_ANCHORS_MAX]; /* DER */
    size_t anchor_count;
    const char *chain_path;     /* where what it told is kept, PEM */
    struct digest256 chain_pem; /* SHA-256 over that; zero: nothing is kept */
    uint32_t chain_refresh_s;
    bool chain_awaited;                /* not known yet: an anchor stands for it, and nothing is ordered */
    struct bytes other[CA_OTHERS_MAX]; /* its further CA certificates: it issued from them, or may */
    size_t other_count;
    /* the embedded CA */
    const char *key_name;
    enum digest_algorithm hash; /* DIGEST_NONE: the key's default */
    struct bytes crl_url[CA_URLS_MAX], ca_issuers_url[CA_URLS_MAX];
    size_t crl_url_count, ca_issuers_url_count;
    uint32_t crl_validity_s, crl_refresh_s;
    /* the root that follows the chain's last (RFC 9810 4.4), DER; none. Announced over CMP */
    struct bytes root_new_with_new, root_new_with_old, root_old_with_new;
    /* made by ca_prepare */
    struct certificate certificate; /* chain[0] */
    struct digest256 issuer;        /* SHA-256 over its subject: certificate_id.issuer */
    struct digest256 other_issuer[CA_OTHERS_MAX];
    struct anchors *anchors; /* the whole chain, its others and what vouches for them as anchors: "ours" */
    struct arena *arena;
};

/* Decodes the chain and checks that it fits the key, is a CA and is in order. */
MUST_USE bool ca_prepare(struct ca *ca, const struct keys *keys, struct error *err);
void ca_release(struct ca *ca); /* what ca_prepare made */

/* `issuer` (certificate_id.issuer) is the CA by its certificate, or by one of its others. */
bool ca_is_issuer(const struct ca *ca, const struct digest256 *issuer);

/* --- the chain of an upstream CA as it tells it (chain.c) --- */
struct ca_told {
    const struct bytes *der; /* CA_TOLD_MAX at most, in any order; what does not hold counts for nothing */
    size_t count, kept;      /* the last `kept` of them were told before */
    struct bytes issuer; /* Name of whom it issues by; none, or none of that name: by the first that is told
                            now and issued no other of those */
};
struct ca_chain {
    struct bytes chain[CA_CHAIN_MAX], other[CA_OTHERS_MAX];
    size_t chain_count, other_count;
};
/* `now`, at most CA_TOLD_MAX, and behind them what is known of the CA: what was issued from that is in use.
 * Into `der`; of no issuer. */
void ca_told_beside_known(const struct ca *ca, const struct bytes *now, size_t count,
                          struct bytes der[CA_TOLD_MAX], struct ca_told *out);
/* What of it holds: CA certificates with keyCertSign, valid now, with a path to one of ca->anchor (RFC 5280
 * 6). *fault: NULL, or why there is no chain in it. */
MUST_USE bool ca_chain_choose(const struct ca *ca, const struct ca_told *told, int64_t now_s,
                              struct arena *arena, struct ca_chain *out, const char **fault,
                              struct error *err);
/* Before ca_prepare(): the chain is what of `pem` holds, whose first certificate is that of the issuing CA.
 * Where nothing does, or there is none, it is awaited. */
MUST_USE bool ca_recall_chain(struct ca *ca, struct bytes pem, int64_t now_s, struct arena *arena,
                              struct error *err);
/* What is kept of it. */
MUST_USE bool ca_chain_pem(const struct ca_chain *chain, struct arena *arena, struct bytes *pem,
                           struct error *err);

/* What is announced of the root that follows holds together: the new root is self-signed; each root has
 * signed the other's key, where that is there. Nothing announced: true. */
MUST_USE bool ca_check_root_update(const struct ca *ca, struct arena *arena, struct error *err);

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
    struct bytes request; /* what the device signed with that key: PKCS#10, DER; none: not at hand */
    struct bytes renews;  /* the certificate that it renews, DER; none: a first one */
    const char *key_name; /* that key, where it is the gateway's own: possession is proven with it, and the
                             key usages of the profile are asked for. NULL: a device's */
    int64_t now_s;
    int64_t not_before_s, not_after_s; /* exact dates, no longer from now or from not_before_s on than the
                                          profile says: else rejected; both 0: the profile's. An upstream CA
                                          does not see them */
};

struct ca_revocation {
    struct bytes certificate; /* DER */
    int reason;               /* enum revocation_reason */
    int64_t now_s;
};

enum { CONNECTOR_STATE_MAX = 32 * 1024, CONNECTOR_BODY_MAX = 64 * 1024 };

enum connector_verdict {
    CONNECTOR_UNSET = 0,
    CONNECTOR_SEND,     /* send `request`; resume() gets what became of it */
    CONNECTOR_AGAIN,    /* from resume() alone: send the last request once more, octet for octet, after a
                           pause that grows with each failure */
    CONNECTOR_WAIT,     /* resume() when wait_until_s has come */
    CONNECTOR_ISSUED,   /* to an order: here is the certificate */
    CONNECTOR_REJECTED, /* the CA will not */
    CONNECTOR_DONE,     /* to confirm() and revoke(): nothing follows */
    CONNECTOR_CHAIN,    /* to ask_chain(): `chain` is what the CA told */
};

struct connector_request { /* a POST */
    struct bytes url, content_type, body;
    unsigned timeout_ms;    /* 0: that of the CA */
    const char *trust_path; /* PEM of the anchors for https; NULL: the system's. Lives with the settings */
};

/* In the arena, or living as long as the configuration. */
struct connector_step {
    enum connector_verdict verdict;
    struct bytes state; /* SEND, WAIT, ISSUED that is to be confirmed: durable before anything leaves, and
                           given to the next call; AGAIN: the old one stays */
    struct connector_request request;
    int64_t wait_until_s;
    struct bytes certificate;        /* ISSUED: DER */
    struct bytes chain[CA_TOLD_MAX]; /* ISSUED: what came with it; CHAIN. DER, in any order */
    size_t chain_count;
    bool confirms;   /* ISSUED: confirm() must follow */
    const char *why; /* REJECTED, AGAIN: for the log */
};

/* What resume() goes on from. */
enum connector_event_kind {
    CONNECTOR_EVENT_DUE = 0, /* the time of a WAIT has come */
    CONNECTOR_EVENT_ANSWER,  /* an HTTP response arrived whole */
    CONNECTOR_EVENT_FAILURE, /* none did: no connection, time-out, or the gateway stopped meanwhile; whether
                                the CA saw the request is not known */
};
struct connector_event {
    enum connector_event_kind kind;
    int status;          /* ANSWER */
    struct bytes body;   /* ANSWER */
    const char *failure; /* FAILURE: for the log */
};

/* What every call is given. `call->ca->connector_service` has the settings. */
struct connector_call {
    const struct ca *ca;
    const struct keys *keys;
    const struct random_source *random;
    int64_t now_s;
    struct arena *arena;
};

/* Pure: a function of what it is given. False: an error of ours, nothing is known of the order; it is tried
 * again from the same state. What the CA answers wrongly (garbage, another's nonce, a bad protection) is no
 * error of ours: AGAIN, WAIT or REJECTED. The certificate is not to be believed by anyone yet: key, names,
 * chain and dates are judged by who drives the connector. */
struct connector {
    const char *name; /* "local", "cmp" */
    /* The first step for an order. */
    bool (*start)(const struct connector_call *call, const struct ca_order *order, struct connector_step *out,
                  struct error *err);
    /* The next, of an order, a confirmation or a revocation. NULL when start always ends it. */
    bool (*resume)(const struct connector_call *call, struct bytes state, const struct connector_event *event,
                   struct connector_step *out, struct error *err);
    /* After ISSUED with `confirms`: the certificate was recorded and taken (by the device, where it tells),
     * or was not. SEND, then resume() to DONE. */
    bool (*confirm)(const struct connector_call *call, struct bytes state, bool accepted,
                    struct connector_step *out, struct error *err);
    /* The first step of a revocation; ends in DONE or REJECTED. NULL: the CA cannot be asked. */
    bool (*revoke)(const struct connector_call *call, const struct ca_revocation *what,
                   struct connector_step *out, struct error *err);
    /* The first step of asking for the CA's certificates; ends in CHAIN or REJECTED. NULL: it cannot be
     * asked. */
    bool (*ask_chain)(const struct connector_call *call, struct connector_step *out, struct error *err);
};

/* The embedded CA. */
extern const struct connector ca_local_connector;
static inline bool ca_is_local(const struct ca *ca)
{
    return ca->connector == &ca_local_connector;
}

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
/* What its certificate is good for, over a key of that kind. No key usage: no certificate is made of it. */
struct service_usages {
    uint32_t key_usage;
    struct bytes extended_key_usage[2];
    size_t extended_key_usage_count;
};
struct service_usages ca_service_usages(enum service_kind kind, enum key_kind key);
/* The kind of key that is made for it where there is none; `bits` is 0 where the kind says it all. */
enum key_kind ca_service_key(enum service_kind kind, unsigned *bits);
/* Its CN alone. False: the buffer failed, or it is no text. */
MUST_USE bool ca_service_subject_put(struct buffer *subject, struct bytes common_name);
/* A name or an address as a GeneralName. False: it is neither. */
MUST_USE bool ca_service_host_put(struct buffer *san, struct bytes host);

/* A certificate of the gateway itself, signed by the CA: key usages by kind, SAN as given (content of
 * GeneralNames). */
MUST_USE bool ca_make_service(const struct ca *ca, enum service_kind kind, const struct ca_make *make,
                              struct bytes san, const struct keys *keys, const char *key_name,
                              const struct random_source *random, struct arena *arena, struct bytes *der,
                              struct error *err);

#endif
