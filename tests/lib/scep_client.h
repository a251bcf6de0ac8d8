/* scep_client.h: a SCEP client for tests, made on OpenSSL's CMS and X509 APIs: an implementation of its own,
 * so that it does not share our mistakes. Each message has a valid default; a test names what differs.
 * What it makes lives until scep_client_reset(); keys are made once a process. One thread. */
#ifndef MUSTER_TESTS_SCEP_CLIENT_H
#define MUSTER_TESTS_SCEP_CLIENT_H

#include <openssl/cms.h>
#include <openssl/x509v3.h>

#include "lib/base/arena.h"
#include "tests/lib/test.h"

enum { SCEP_CLIENT_CERTIFICATES_MAX = 4 };

/* RSA-2048 key `n` (0 to 3) and a P-256 key. */
EVP_PKEY *scep_client_key(unsigned n);
EVP_PKEY *scep_client_ec_key(void);

X509 *scep_client_certificate(struct bytes der);

/* A certificate over `key`: subject and issuer CN; signed with `issuer_key` by `digest`. */
struct scep_certificate_plan {
    EVP_PKEY *key, *issuer_key; /* issuer_key NULL: self-signed */
    const char *cn;
    X509 *issuer;    /* NULL: itself */
    X509 *same_name; /* issuer and serial are taken from this one: an impostor of it */
};
X509 *scep_client_make_certificate(const struct scep_certificate_plan *plan);

struct scep_csr_plan {
    EVP_PKEY *key;        /* NULL: key 0 */
    const char *cn;       /* NULL: "router5.example.com"; "": empty subject */
    const char *san;      /* OpenSSL's text, "DNS:a.example.com"; NULL: none */
    const char *password; /* NULL: none */
    int password_type;    /* V_ASN1_*; 0: UTF8String */
    const char *digest;   /* NULL: SHA256 */
    bool broken_signature;
};
struct bytes scep_client_csr(struct arena *arena, const struct scep_csr_plan *plan);

struct scep_plan {
    struct scep_csr_plan csr;
    struct bytes content; /* instead of the CSR */
    bool oaep;            /* RSA-OAEP key transport */
    bool ber;             /* indefinite lengths and strings in pieces, outside and inside */
    bool clear;           /* not enveloped */
    bool without_content;
    int content_type;   /* NID of eContentType; 0: data */
    bool no_attributes; /* no signed attributes at all */
    X509 *recipient;    /* the RA; must be given */
    const char *cipher; /* NULL: AES-128-CBC */
    X509 *signer;       /* NULL: self-signed over the CSR's key, with that key */
    EVP_PKEY *signer_key;
    const char *digest;         /* NULL: SHA256 */
    const char *message_type;   /* NULL: "19"; "": left out */
    const char *transaction_id; /* NULL: "0123456789ABCDEF"; "": left out */
    int transaction_id_type;    /* V_ASN1_*; 0: PrintableString */
    int nonce_len;              /* 0: 16 octets; negative: left out */
    const uint8_t *nonce;       /* these octets; NULL: random */
    int64_t signing_time_s;     /* 0: now */
    bool without_certificate, broken_signature, two_signers;
    unsigned more_certificates; /* copies of strangers embedded beside the signer's */
};
/* The pkiMessage, DER. */
struct bytes scep_client_message(struct arena *arena, const struct scep_plan *plan);

/* What a CertRep says. Aborts the test when it is no well-formed CertRep or its signature is not of `ra`. */
struct scep_said {
    int message_type, pki_status, fail_info; /* -1: absent */
    char text[256];                          /* failInfoText */
    char transaction_id[1024];
    uint8_t sender_nonce[64], recipient_nonce[64];
    int sender_nonce_len, recipient_nonce_len; /* -1: absent */
    bool has_content;
    int content_len, digest, cipher;                 /* NIDs */
    X509 *certificate[SCEP_CLIENT_CERTIFICATES_MAX]; /* SUCCESS: in the order of the bag */
    int certificate_count;
};
/* `signer` and `key` decrypt (NULL: the plan's defaults); `password` for a key that cannot. */
struct scep_said scep_client_read(struct bytes reply, X509 *ra, const struct scep_plan *asked);

/* The certificates of a degenerate SignedData, in order. */
int scep_client_bag(struct bytes der, X509 *out[], int max);

struct bytes scep_client_der(struct arena *arena, X509 *certificate);

void scep_client_reset(void);

#endif
