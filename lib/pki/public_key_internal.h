/* public_key_internal.h: keys as libcrypto wants them, without its decoder (it costs more than a signature).
 */
#ifndef MUSTER_PKI_PUBLIC_KEY_INTERNAL_H
#define MUSTER_PKI_PUBLIC_KEY_INTERNAL_H

#include <openssl/evp.h>

#include "lib/pki/public_key.h"

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX_free)

/* The key imported into this thread's library context; points are checked to be on their curve. NULL when it
 * is not, or out of memory. */
EVP_PKEY *public_key_evp(const struct public_key *key);

/* A context to verify with under that key, NULL as above. It stays this thread's, and is good until the next
 * one. */
EVP_PKEY_CTX *public_key_verifier(const struct public_key *key);

/* Why a modulus is weak by trial division and by fingerprint (microseconds); NULL when it is not. */
const char *weak_modulus(struct bytes modulus);

/* The expensive checks: false when libcrypto fails, else *weakness as above. */
MUST_USE bool weak_modulus_full(const struct public_key *key, const char **weakness);

/* Parts of a SubjectPublicKeyInfo. */
struct spki_parts {
    struct bytes algorithm;  /* OID content */
    struct bytes parameters; /* element whole; none when absent */
    struct bytes key;        /* BIT STRING content */
};
MUST_USE bool spki_split(struct bytes spki, struct spki_parts *out);

/* An AlgorithmIdentifier element in its parts; parameters are an element whole, none when absent. */
MUST_USE bool algorithm_split(struct bytes element, struct bytes *oid, struct bytes *parameters);
bool parameters_are_null(struct bytes parameters);

/* RSASSA-PSS-params as CSR-16 accepts them: SHA-256/384/512, MGF1 with the same, salt as long as the hash.
 * DIGEST_NONE for all else; *malformed tells a syntax error apart. */
enum digest_algorithm pss_hash(struct bytes parameters, bool *malformed);
void pss_parameters_put(struct buffer *out, enum digest_algorithm hash);

#endif
