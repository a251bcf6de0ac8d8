/* crmf.h: the Certificate Request Message Format (RFC 4211), one CertReqMsg at a time: what CMP's ir, cr and
 * kur carry. It ends in the same struct requested as a PKCS#10, judged by the same rules, so that nothing
 * after it knows which one came. Pure but for the arithmetic of one verification. */
#ifndef MUSTER_PKI_CRMF_H
#define MUSTER_PKI_CRMF_H

#include "lib/pki/csr.h"

enum { CRMF_LEN_MAX = 64 * 1024 };

/* ProofOfPossession (RFC 4211 4). */
enum crmf_pop {
    CRMF_POP_ABSENT = 0,
    CRMF_POP_RA_VERIFIED,
    CRMF_POP_SIGNATURE, /* verified when the decode says OK */
    CRMF_POP_OTHER,     /* keyEncipherment, keyAgreement: known, not offered (CMP-55) */
};

/* CertTemplate (RFC 4211 5), as it stands: for requests, and for the certDetails of a revocation. */
struct crmf_template {
    bool has_version, has_serial, has_signing_algorithm, has_issuer, has_validity, has_subject, has_key,
        has_issuer_uid, has_subject_uid, has_extensions;
    uint64_t version;
    struct bytes serial;          /* INTEGER content octets */
    struct bytes issuer, subject; /* Name elements */
    struct bytes spki;       /* SubjectPublicKeyInfo as an element of its own; with a key of no bits (central
                                key generation) the algorithm alone is meaningful */
    bool key_is_empty;       /* subjectPublicKey has no bits (CMP-120) */
    struct bytes extensions; /* Extensions as an element of its own */
};

struct crmf_rules {
    struct key_rules key;
    bool allow_sha1;
    bool ignore_pop; /* judged before: a request that is read again from storage */
};

struct crmf_request {
    struct bytes encoded;      /* CertReqMsg, DER */
    struct bytes cert_request; /* CertRequest element: what the proof of possession signs */
    int64_t cert_req_id;       /* may be -1 */
    struct crmf_template template;
    struct requested requested; /* key.spki none without a key */
    enum crmf_pop pop;
    /* poposkInput (RFC 4211 4.1): who is authenticated over the key */
    bool has_sk_input;
    struct bytes sk_input_sender; /* authInfo sender: GeneralName element; none when publicKeyMAC */
    struct bytes sk_input_mac_algorithm, sk_input_mac; /* publicKeyMAC: AlgorithmIdentifier element, bits */
    struct bytes sk_input_key; /* its SubjectPublicKeyInfo element: equals the template's */
    /* controls (RFC 4211 6) */
    bool has_old_cert_id;
    struct bytes old_issuer,
        old_serial; /* Name element (none when it is no directoryName), INTEGER content */
};

/* CertTemplate, content of the SEQUENCE in `in`, which is read to its end. False: malformed, or out of
 * memory. Times and extensions are not kept or judged; names are not looked into. */
MUST_USE bool crmf_template_decode(struct der *in, struct arena *arena, struct crmf_template *out);

/* Decodes one CertReqMsg and verifies its proof of possession where it is a signature. CSR_FAULT_PROFILE: the
 * template names what a requester may not (version other than 2, serial number, signing algorithm, unique
 * identifiers: CMP-48), or lacks a subject without poposkInput naming the requester instead (CMP-49).
 * CSR_FAULT_POP: a signature that is wrong or has no key to it, poposkInput that does not fit the template
 * (CMP-50, CMP-51), another key inside it; a key that cannot sign (CSR-17), whatever its proof. Absent,
 * raVerified and other proofs are left to the caller, who knows the sender; so are sk_input_sender and
 * sk_input_mac, and a missing key. What is judged of keys, names and extensions: as csr_decode.
 *
 * On a fault *out is untouched where the structure could not be read, and else as it stands, for the answer,
 * but with nothing in `requested`. *detail is a static text for the log. */
enum csr_fault crmf_decode(struct bytes der, const struct crmf_rules *rules, struct arena *arena,
                           struct crmf_request *out, const char **detail);

/* --- writing: for clients (connector, load generator, tests) --- */
struct crmf_order {
    int64_t cert_req_id;
    struct bytes subject;                /* Name element; none: left out */
    struct bytes spki;                   /* none: left out */
    struct bytes san;                    /* content of GeneralNames; none: no extension */
    struct bytes extensions;             /* further Extension elements, one after the other; none */
    struct bytes old_issuer, old_serial; /* oldCertID; none */
    enum crmf_pop pop;                   /* ABSENT, RA_VERIFIED or SIGNATURE */
    struct bytes sk_input_sender;        /* GeneralName element: with SIGNATURE, poposkInput; none */
    const struct keys *keys;             /* SIGNATURE */
    const char *key_name;
};
/* One CertReqMsg element, appended to `out`; nothing is on a failure that is ERROR_FORMAT (spki is no
 * SEQUENCE), ERROR_UNSUPPORTED, ERROR_MEMORY (over CRMF_LEN_MAX) or one of keys_sign(). */
MUST_USE bool crmf_put(struct buffer *out, const struct crmf_order *order, struct arena *arena,
                       struct error *err);

#endif
