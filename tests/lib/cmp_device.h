/* cmp_device.h: a CMP device as the simulation has it: it begins a transaction, goes on with it as it was
 * told, says again what it said, octet for octet, and reads what it is answered with OpenSSL. What it must
 * never be given fails the test at once: a second certificate in one transaction, another answer to the same
 * request, anything for a certificate that has a successor. Times and chance are the test's. */
#ifndef MUSTER_TESTS_CMP_DEVICE_H
#define MUSTER_TESTS_CMP_DEVICE_H

#include "tests/lib/a_gateway.h"
#include "tests/lib/cmp_client.h"

enum { CMP_DEVICE_ID_LEN = 16 };

/* A certificate and its key, apart from what cmp_client_reset() frees. */
struct cmp_device_identity {
    struct bytes certificate; /* DER; none: it has none */
    EVP_PKEY *key;
};

/* One transaction, as its device remembers it. */
struct cmp_deal {
    struct cmp_deal *next; /* the one before */
    uint8_t id[CMP_DEVICE_ID_LEN];
    enum cmp_body body; /* that opened it */
    bool implicit;      /* implicit confirmation was asked for */
    bool superseded;    /* signed with a certificate that has a successor */
    EVP_PKEY *key;      /* that it asks for */
    struct cmp_device_identity signer;
    struct bytes opening, reply; /* its request, and the answer to it that had a certificate */
    struct bytes certificate;    /* DER; none yet */
    bool implied;                /* it came with implicit confirmation */
    bool accepts, rejects;       /* what the device said of it; giving up rejects what may come */
    bool settled;                /* and was answered with pkiConf */
};

enum cmp_device_phase {
    CMP_DEVICE_IDLE = 0, /* no transaction is under way */
    CMP_DEVICE_ASKS,     /* its request is not answered yet */
    CMP_DEVICE_WAITS,    /* it polls */
    CMP_DEVICE_HOLDS,    /* it has a certificate that is to be confirmed */
    CMP_DEVICE_TOLD,     /* it has said what it thinks of it */
};

struct cmp_device {
    const char *fqdn, *secret;
    EVP_PKEY *key[2];                  /* taken in turn */
    struct cmp_device_identity vendor; /* signs its first requests; none: its secret does */
    struct arena *arena;               /* lives as long as the device */
    unsigned transactions;
    enum cmp_device_phase phase;
    struct cmp_deal *deal; /* the newest, which is under way */
    struct bytes message;  /* what it said last; none */
    struct bytes recip_nonce;
    int64_t cert_req_id;
    struct cmp_device_identity own, old; /* what it goes by now, and what had a successor */
};

enum cmp_device_by {
    CMP_DEVICE_BY_SECRET = 0 /* or the vendor's certificate */,
    CMP_DEVICE_BY_OWN,
    CMP_DEVICE_BY_OLD
};

void cmp_device_init(struct cmp_device *d, const char *fqdn, const char *secret);
void cmp_device_free(struct cmp_device *d);

/* Each gives the message; it is what the device said last. The device must be in the phase for it. */
struct bytes cmp_device_begin(struct cmp_device *d, const struct random_source *random, enum cmp_body body,
                              enum cmp_device_by by, bool implicit); /* ir, cr, p10cr, kur, rr, genm */
struct bytes cmp_device_poll(struct cmp_device *d, const struct random_source *random);
/* certConf, or pkiConf in its place; `body` CMP_ERROR: it gives up. */
struct bytes cmp_device_settle(struct cmp_device *d, const struct random_source *random, enum cmp_body body,
                               bool accept);

/* What a device does that only wants its certificate: it goes on with what is under way, or begins anew. */
struct bytes cmp_device_go_on(struct cmp_device *d, const struct random_source *random, bool implicit);

/* POSTs `message` to the procedure "demo". */
void cmp_device_request(const struct cmp_device *d, struct bytes message, struct arena *arena,
                        struct http_request *out);

/* The answer to `sent`, of whichever of its transactions. */
struct cmp_said cmp_device_hear(struct cmp_device *d, const struct a_gateway *g, struct bytes sent,
                                struct bytes reply, struct arena *arena);

#endif
