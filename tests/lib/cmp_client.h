/* cmp_client.h: a CMP client for tests that also speaks what `openssl cmp` does not: PBMAC1, EdDSA and
 * RSASSA-PSS, pvno 3, nested messages, polling, and everything that is wrong. Keys, certificates, signatures
 * and MACs are OpenSSL's, bodies are written here; of the server's own codec the frame of header and message
 * alone is used. Every reply is held against OpenSSL's reader and verified by it too. Each message has a
 * valid default; a test names what differs. What it makes lives until cmp_client_reset(), keys live as long
 * as the process. */
#ifndef MUSTER_TESTS_CMP_CLIENT_H
#define MUSTER_TESTS_CMP_CLIENT_H

#include <openssl/cmp.h>
#include <openssl/x509v3.h>

#include "proto/cmp/message.h"
#include "tests/lib/scep_client.h"

enum { CMP_CLIENT_LIST_MAX = 8 };

/* Key `n` of a kind: "P-256", "P-384", "P-521", "ED25519", "ED448", "RSA" (2048 bits), "RSA-PSS", "RSA-1024".
 */
EVP_PKEY *cmp_client_key(const char *kind, unsigned n);

/* Who can sign: a key and its certificate. */
struct cmp_person {
    EVP_PKEY *key;
    X509 *certificate;
};

struct cmp_certificate_plan {
    EVP_PKEY *key;                   /* NULL: P-256 key 7 */
    const struct cmp_person *issuer; /* NULL: self-signed, a CA */
    bool is_ca;                      /* with an issuer */
    const char *cn;                  /* NULL: "device" */
    const char *serial_number;       /* attribute of the subject; NULL: none */
    const char *key_usage;           /* OpenSSL's text; NULL: "digitalSignature"; "": no extension */
    const char *extended_key_usage;  /* NULL: no extension */
    bool no_key_id;                  /* no subjectKeyIdentifier */
    int64_t not_after_s;             /* 0: in twenty years */
    const char *digest;              /* NULL: SHA256 */
};
/* Valid from long before a_gateway's clock on. */
struct cmp_person cmp_client_person(const struct cmp_certificate_plan *plan);

X509 *cmp_client_certificate(struct bytes der);
struct bytes cmp_client_der(struct arena *arena, const X509 *certificate);

/* --- what is said --- */

enum cmp_protection_choice { CMP_BY_PBM = 0, CMP_BY_PBMAC1, CMP_BY_SIGNATURE, CMP_BY_NOTHING };

struct cmp_protection_plan {
    enum cmp_protection_choice by;
    const char *secret; /* NULL: "s3cret" */
    int owf, mac;       /* NIDs. 0: SHA-256 (PBMAC1: hmacWithSHA256, of PBKDF2) and hmacWithSHA256 */
    long iterations;    /* 0: 500 */
    int key_len;        /* PBMAC1: keyLength; 0: 32, below: left out */
    const char *digest; /* of the signature; NULL: SHA256; EdDSA takes none */
    bool pss;
    struct bytes algorithm; /* AlgorithmIdentifier to be said instead of the one that was used */
    bool broken;            /* its last bit is wrong */
    bool no_bits, no_algorithm;
};

enum cmp_pop_plan {
    CMP_POP_SIGNATURE = 0,
    CMP_POP_NONE,
    CMP_POP_RA_VERIFIED,
    CMP_POP_ENCIPHER,
    CMP_POP_AGREE
};
enum cmp_sk_plan { CMP_SK_NONE = 0, CMP_SK_SENDER, CMP_SK_MAC };

struct cmp_request_plan { /* ir, cr, kur: one CertReqMsg */
    EVP_PKEY *key;        /* NULL: P-256 key 0 */
    const char *cn;       /* NULL: "router5.example.com"; "": NULL-DN */
    bool no_subject, no_key, empty_key;
    const char *san;            /* OpenSSL's text; NULL: none */
    const char *version;        /* DER content of [0], as "\2"; NULL: absent */
    struct bytes before_issuer; /* further fields of the template: [1], [2] */
    struct bytes issuer;        /* Name */
    struct bytes after_key;     /* further fields: [7], [8] */
    struct bytes extensions;    /* Extension elements, beside the SAN */
    int64_t cert_req_id;
    unsigned more; /* copies of the CertReqMsg after the first */
    enum cmp_pop_plan pop;
    EVP_PKEY *pop_key;      /* signs instead of `key` */
    const char *pop_digest; /* NULL: SHA256 */
    bool broken_pop;
    enum cmp_sk_plan sk_input;
    struct bytes sk_sender; /* GeneralName; none: the message's sender */
    const char *sk_secret;  /* NULL: "s3cret" */
    EVP_PKEY *sk_key;       /* stands in poposkInput; NULL: `key` */
    const X509 *old;        /* oldCertID; NULL: with kur the signer's, else none */
    bool no_old, other_old_serial;
};

struct cmp_confirm_plan {    /* certConf: one CertStatus */
    const X509 *certificate; /* what certHash is made of; NULL: nothing */
    const char *digest;      /* NULL: SHA256; "SHAKE256": 64 octets of it */
    struct bytes hash_alg;   /* AlgorithmIdentifier; none: absent */
    int64_t cert_req_id;
    enum cmp_status status; /* NONE: no statusInfo */
    uint32_t fail_info;
    bool empty; /* no CertStatus at all */
    bool twice;
};

struct cmp_revoke_plan { /* rr: one RevDetails */
    const X509 *certificate;
    bool no_issuer, no_serial;
    const char *version; /* as above; NULL: absent */
    const char *cn;      /* subject; NULL: absent */
    EVP_PKEY *key;       /* NULL: absent */
    int reason;          /* 0: no crlEntryDetails; else this plus one */
    bool second_reason, twice;
};

struct cmp_plan {
    enum cmp_body body;      /* NONE: ir */
    uint64_t pvno;           /* 0: 2 */
    struct bytes sender;     /* GeneralName element; none: CN=router5.example.com, or the signer's subject */
    struct bytes sender_kid; /* none: "router5.example.com", or the signer's key identifier */
    bool no_sender_kid;
    struct bytes transaction_id; /* none: 16 random octets */
    bool no_transaction_id;
    struct bytes nonce; /* none: random */
    int nonce_len;      /* 0: 16 octets; below: left out */
    struct bytes recip_nonce;
    int64_t time_s; /* 0: left out */
    struct cmp_info info[4];
    size_t info_count;
    bool implicit_confirm; /* as a further info */
    bool free_text;
    struct cmp_protection_plan protection;
    const struct cmp_person *signer; /* gives protection by signature where `by` is left at zero */
    const X509 *extra[CMP_CLIENT_LIST_MAX];
    size_t extra_count; /* beside the signer's own */
    bool no_signer_certificate;
    struct bytes content; /* the element inside the body's tag; none: what follows */
    struct cmp_request_plan request;
    struct scep_csr_plan csr; /* p10cr */
    struct cmp_confirm_plan confirm;
    int64_t poll_id;
    struct cmp_revoke_plan revoke;
    struct cmp_info ask[3]; /* genm */
    size_t ask_count;       /* 0: caCerts */
    struct bytes nested[CMP_CLIENT_LIST_MAX];
    size_t nested_count;
};
/* The PKIMessage, DER. */
struct bytes cmp_client_message(struct arena *arena, const struct cmp_plan *plan);

/* The element that stands in the body. */
struct bytes cmp_client_content(struct arena *arena, const struct cmp_plan *plan);

/* GeneralName of the directory name CN=cn ("": NULL-DN). */
struct bytes cmp_client_sender(struct arena *arena, const char *cn);
/* AlgorithmIdentifier without parameters. */
struct bytes cmp_client_algorithm(struct arena *arena, int nid);
struct bytes cmp_client_name(struct arena *arena, const X509_NAME *name);
struct bytes cmp_client_spki(struct arena *arena, EVP_PKEY *key);

struct bytes cmp_client_mac(struct arena *arena, const struct cmp_protection_plan *plan,
                            struct bytes message);
struct bytes cmp_client_mac_algorithm(struct arena *arena, const struct cmp_protection_plan *plan);
struct bytes cmp_client_sign(struct arena *arena, EVP_PKEY *key, const char *digest, bool pss,
                             struct bytes message, struct bytes *algorithm);

/* --- what is answered --- */

struct cmp_trust {
    const char *secret; /* NULL: "s3cret" */
    X509 *ca, *ra;
    int64_t now_s;
};

struct cmp_said {
    struct cmp_message message;
    enum cmp_body body;
    bool by_mac;
    enum cmp_status status; /* ip, cp, kup, rp, error */
    uint32_t fail_info;
    struct bytes text;
    int64_t cert_req_id;
    X509 *certificate;
    struct bytes private_key; /* EnvelopedData of a key that was made for us; none */
    X509 *ca_pub[CMP_CLIENT_LIST_MAX], *extra[CMP_CLIENT_LIST_MAX];
    size_t ca_pub_count, extra_count;
    uint64_t check_after_s;
    struct cmp_info info; /* genp */
    bool implicit_confirm;
    struct bytes confirm_wait_time; /* element; none */
    struct bytes nested[CMP_CLIENT_LIST_MAX];
    size_t nested_count;
};
/* Fails the test when the reply is no PKIMessage to OpenSSL (which reads none with an EnvelopedData) and to
 * us alike, its protection does not hold, its pvno, transaction id or recipNonce is not that of the message
 * `sent`, or its own nonce is short. A pvno that is not spoken is not expected back. */
struct cmp_said cmp_client_read(struct arena *arena, struct bytes reply, struct bytes sent,
                                const struct cmp_trust *trust);

/* The private key inside, decrypted by the owner of `device` (key and certificate), or under `secret` when
 * that is NULL; it must have been signed by the RA as key generation authority. */
EVP_PKEY *cmp_client_unwrap(const struct cmp_said *said, const struct cmp_person *device, const char *secret,
                            const struct cmp_trust *trust);

/* `plan` goes on with the transaction of `said`, as `body`. */
struct cmp_plan cmp_client_next(struct cmp_plan plan, const struct cmp_said *said, enum cmp_body body);

void cmp_client_reset(void);

#endif
