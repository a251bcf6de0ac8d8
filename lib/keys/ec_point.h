/* ec_point.h: public keys of the NIST curves, from their encoded points (SEC 1 2.3.3), each checked to be on
 * its curve. Of each curve a thread keeps the parameters and one context to verify with, whose point alone
 * changes: libcrypto's decoder, or a new context, costs as much as a signature. */
#ifndef MUSTER_KEYS_EC_POINT_H
#define MUSTER_KEYS_EC_POINT_H

#include <openssl/evp.h>

#include "lib/keys/keys.h"

/* The caller frees it. NULL: not P-256, P-384 or P-521, no point of it, or out of memory. */
EVP_PKEY *ec_point_key(enum key_kind kind, struct bytes point);

/* A context to verify with under that key; NULL as above. It stays this thread's, and is good until the next
 * one of the same curve. */
EVP_PKEY_CTX *ec_point_verifier(enum key_kind kind, struct bytes point);

#endif
