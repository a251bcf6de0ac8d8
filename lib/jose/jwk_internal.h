/* jwk_internal.h: keys as libcrypto wants them. */
#ifndef MUSTER_JOSE_JWK_INTERNAL_H
#define MUSTER_JOSE_JWK_INTERNAL_H

#include <openssl/evp.h>

#include "lib/jose/jwk.h"

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

/* The key and its kind; NULL for a key that is none of JWK_ANY and for malformed bytes. */
EVP_PKEY *jwk_evp(struct bytes spki, enum key_kind *kind);

/* A context to verify with under this key of the NIST curve `kind`, as ec_point_verifier(). NULL: it is no
 * such key. */
EVP_PKEY_CTX *jwk_ec_verifier(struct bytes spki, enum key_kind kind);

#endif
