/* public_key.h: public keys as the bytes they came in, judged before any arithmetic, and signatures under
 * them. OpenSSL's decoder is not used for keys: it costs more than a signature and maps explicit curves
 * silently. */
#ifndef MUSTER_PKI_PUBLIC_KEY_H
#define MUSTER_PKI_PUBLIC_KEY_H

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/keys/keys.h"
#include "lib/pki/der.h"
#include "lib/pki/weak_list.h"

struct public_key {
    enum key_kind kind;
    unsigned bits;
    struct bytes spki;              /* SubjectPublicKeyInfo, DER, as received */
    struct bytes modulus, exponent; /* RSA: magnitudes */
    struct bytes point;             /* EC: encoded point; EdDSA: the key */
};

/* What a procedure accepts. Zeroed: nothing is accepted. */
struct key_rules {
    unsigned rsa_bits_min, rsa_bits_max; /* 0: no RSA */
    bool rsa_pss, p256, p384, p521, ed25519, ed448;
    bool full_checks;             /* primality and close primes too, milliseconds each */
    const struct weak_list *weak; /* RSA keys that are refused one by one; NULL: none. Borrowed */
};
#define KEY_RULES_DEFAULT \
    ((struct key_rules){  \
        .rsa_bits_min = 2048, .rsa_bits_max = 8192, .p256 = true, .p384 = true, .p521 = true })

enum key_fault {
    KEY_FAULT_SYNTAX = 0,
    KEY_FAULT_ALGORITHM /* CSR-34 */,
    KEY_FAULT_WEAK /* size, exponent, factors, curve, point */,
    KEY_FAULT_INTERNAL,
    KEY_OK
};

/* `spki` is the element whole. CSR-22 to CSR-33 and CSR-34, without what needs the registry.
 * *detail is a static text for the log. */
enum key_fault public_key_decode(struct bytes spki, const struct key_rules *rules, struct public_key *out,
                                 const char **detail);

/* The same without rules, for keys of certificates that are already trusted by signature (still well-formed).
 */
MUST_USE bool public_key_parse(struct bytes spki, struct public_key *out);

enum signature_fault {
    SIGNATURE_WRONG = 0,
    SIGNATURE_ALGORITHM /* refused or unknown */,
    SIGNATURE_SYNTAX,
    SIGNATURE_INTERNAL,
    SIGNATURE_OK
};

/* `algorithm` is the AlgorithmIdentifier element whole. Refuses by OID before verifying: MD2, MD4, MD5
 * always, SHA-1 unless allowed (CSR-14, CSR-15); RSASSA-PSS per CSR-16. Mismatch of algorithm and key:
 * SIGNATURE_WRONG. */
enum signature_fault signature_verify(const struct public_key *key, struct bytes algorithm,
                                      struct bytes message, struct bytes signature, bool allow_sha1);

/* Some key could hold a signature by this algorithm against a message: it is one of signature_verify's, SHA-1
 * among them. A MAC is none. */
bool signature_algorithm_is_known(struct bytes algorithm);

/* The hash inside a signature algorithm that names one (ecdsa-with-SHA256, sha256WithRSAEncryption);
 * DIGEST_NONE for rsaEncryption, EdDSA and what is unknown or refused. `algorithm` is the AlgorithmIdentifier
 * element. */
enum digest_algorithm signature_algorithm_hash(struct bytes algorithm);

/* For CMS: digest and signature algorithm are named apart. rsaEncryption or <hash>WithRSAEncryption alike. */
enum signature_fault signature_verify_with(const struct public_key *key, enum digest_algorithm hash,
                                           struct bytes message, struct bytes signature);

/* The AlgorithmIdentifier that a key of this kind signs with, using `hash` (ignored for EdDSA). */
MUST_USE bool signature_algorithm_put(struct buffer *out, enum key_kind kind, enum digest_algorithm hash);

/* SHA-256 with small keys, SHA-384/512 with P-384/P-521; DIGEST_NONE for EdDSA. */
enum digest_algorithm signature_default_hash(enum key_kind kind);

/* From an OID (content octets) of a hash function, and to it. DIGEST_NONE when unknown. */
enum digest_algorithm digest_from_oid(struct bytes oid);
struct bytes digest_oid(enum digest_algorithm hash);

/* SHA-256 over the SPKI: how a key is known in the registry. SHA-1 over the key bits: the subject key
 * identifier. */
MUST_USE bool public_key_fingerprint(struct bytes spki, struct digest256 *out);
MUST_USE bool public_key_identifier(struct bytes spki, uint8_t out[20]);

/* RSA encryption to a public key, for CMS recipients: PKCS#1 v1.5. `out` in arena. */
MUST_USE bool public_key_wrap_rsa(const struct public_key *key, struct bytes plain, struct arena *arena,
                                  struct bytes *out, struct error *err);

#endif
