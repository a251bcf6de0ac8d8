/* jwk_internal.h: keys as libcrypto wants them. */
#ifndef MUSTER_JOSE_JWK_INTERNAL_H
#define MUSTER_JOSE_JWK_INTERNAL_H

#include <openssl/evp.h>

#include "lib/jose/jwk.h"

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

/* The key and its kind; NULL for a key that is none of JWK_ANY and for malformed bytes. */
EVP_PKEY *jwk_evp(struct bytes spki, enum key_kind *kind);

/* An EC key from its encoded point, which is checked to be on the curve; by a template that is made once a
 * thread: libcrypto's decoder costs more than a signature. */
EVP_PKEY *jwk_ec_key(enum key_kind kind, struct bytes point);

#endif
