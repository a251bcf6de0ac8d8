/* attestation_maker.h: makers of devices for tests: a root, an intermediate, and what their devices say of
 * themselves as WebAuthn attestation objects. Certificates are made on OpenSSL's X509, the structures of a
 * TPM by hand, CBOR with libcbor's encoder, so that our own mistakes are not shared. Each statement has a
 * valid default; a test names what differs. One thread. */
#ifndef MUSTER_TESTS_ATTESTATION_MAKER_H
#define MUSTER_TESTS_ATTESTATION_MAKER_H

#include <openssl/evp.h>

#include "lib/base/arena.h"

enum attestation_flaw {
    FLAW_NONE = 0,
    FLAW_NO_X5C,
    FLAW_EMPTY_X5C,
    FLAW_FOREIGN_ROOT,
    FLAW_EXPIRED,
    FLAW_CA,             /* the leaf is a CA's */
    FLAW_EMPTY_PURPOSES, /* an extended key usage that lists none */
    FLAW_NO_PURPOSES,
    FLAW_EMPTY_SAN,
    FLAW_NO_FRESHNESS, /* apple */
    FLAW_VERSION,      /* tpm, as the rest */
    FLAW_ALGORITHM,    /* one that is not that of the signature */
    FLAW_SHA1_NAME,    /* a key whose name is made with SHA-1 */
    FLAW_NAME,         /* certInfo names another key */
    FLAW_MAGIC,
    FLAW_TYPE,      /* a quote */
    FLAW_SIGNATURE, /* by another key */
    FLAW_EXPORTABLE,
    FLAW_LONG_CERT_INFO, /* an octet too many */
    FLAW_SHORT_PUB_AREA, /* one too few */
};

struct attestation_plan {
    const char *format;        /* NULL: apple */
    EVP_PKEY *key;             /* attested, P-256 or RSA */
    const char *serial;        /* NULL: "C02XK1"; "": none. tpm: of permanentIdentifier */
    const char *udid;          /* apple; NULL: none */
    const char *hardware;      /* tpm: of HardwareModuleName, in place of `serial`; NULL: none */
    const char *token;         /* apple */
    const char *authorization; /* tpm: the key authorization */
    bool rsa;                  /* tpm: an RSA attestation key signs */
    bool auth_data;            /* authData is there */
    enum attestation_flaw flaw;
    int64_t now_s;
};
struct bytes attestation_make(struct arena *arena, const struct attestation_plan *plan);

/* The root that makers are known by, DER. */
struct bytes attestation_root(struct arena *arena, int64_t now_s);

/* A P-256 key, and an RSA one of 2048 bits: of devices. */
EVP_PKEY *attestation_device_key(bool rsa);

#endif
