/* csr.h: PKCS#10 (RFC 2986), one decoder for all protocols. Pure but for the arithmetic of one verification.
 */
#ifndef MUSTER_PKI_CSR_H
#define MUSTER_PKI_CSR_H

#include "lib/pki/requested.h"

enum { CSR_LEN_MAX = 64 * 1024 };

/* Rows of conformance CSR-1 to CSR-63 by the reason that they lead to. CSR_OK is not zero. */
enum csr_fault {
    CSR_FAULT_SYNTAX = 0,
    CSR_FAULT_ALGORITHM,
    CSR_FAULT_POP,
    CSR_FAULT_KEY,
    CSR_FAULT_NAME,
    CSR_FAULT_PROFILE,
    CSR_FAULT_INTERNAL,
    CSR_OK
};

struct csr_rules {
    struct key_rules key;
    bool allow_sha1; /* CSR-15, legacy switch of the procedure */
    bool accept_ber; /* CSR-3: re-checks the signature over the bytes as received */
    bool ignore_key; /* EST serverkeygen: key and signature are not looked at (CSR-18) */
};

struct csr {
    struct bytes encoded; /* the CertificationRequest, DER */
    struct bytes info;    /* CertificationRequestInfo as received: what the signature covers */
    struct requested requested;
};

/* Decodes and verifies the self-signature (proof of possession). *detail is a static text for the log. */
enum csr_fault csr_decode(struct bytes der, const struct csr_rules *rules, struct arena *arena,
                          struct csr *out, const char **detail);

/* One PEM block of "CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST" to DER (CSR-4). False when it is not
 * one. */
MUST_USE bool csr_from_pem(struct bytes pem, struct arena *arena, struct bytes *der);

/* --- writing: for the gateway's own certificates, and tests --- */
struct csr_order {
    struct bytes subject;    /* Name element */
    struct bytes spki;       /* of that key */
    struct bytes san;        /* content of GeneralNames; none: no extension */
    struct bytes extensions; /* further Extension elements, one after the other; none */
    const char *key_name;    /* signs */
};
/* The CertificationRequest, DER in the arena. ERROR_UNSUPPORTED for a key that cannot sign, ERROR_MEMORY, or
 * one of keys_sign(). */
MUST_USE bool csr_sign(const struct csr_order *order, const struct keys *keys, struct arena *arena,
                       struct bytes *der, struct error *err);

#endif
