/* keys_internal.h: what a ring holds. Filled by one thread, then read-only. */
#ifndef MUSTER_KEYS_INTERNAL_H
#define MUSTER_KEYS_INTERNAL_H

#include <openssl/evp.h>
#include <stdatomic.h>

#include "lib/keys/keys.h"

enum { SECRETS_KEYS_MAX = 16, SECRETS_KEY_LEN = 32, SECRETS_ID_MAX = 32 };

struct key {
    char name[KEY_NAME_MAX];
    enum key_kind kind;
    unsigned bits;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *signer; /* ready for SHA-256, to be copied: making one costs a tenth of a P-256 signature;
                             NULL: made for each */
    OSSL_LIB_CTX *home; /* the context it was made in: used there, a key is never exported to another provider
                         */
    struct bytes spki;  /* owned */
};

struct secrets_key {
    char id[SECRETS_ID_MAX + 1];
    uint8_t key[SECRETS_KEY_LEN];
};

struct keys {
    atomic_uint references;
    size_t count, secrets_count;
    struct key key[KEYS_MAX];
    struct secrets_key secrets[SECRETS_KEYS_MAX]; /* the first seals */
};

/* NULL when there is none of that name. */
const struct key *keys_find(const struct keys *keys, const char *name);

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX_free)

#endif
