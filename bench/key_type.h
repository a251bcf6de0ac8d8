/* key_type.h: the kinds of device keys that a load can be made of, one row each. */
#ifndef MUSTER_BENCH_KEY_TYPE_H
#define MUSTER_BENCH_KEY_TYPE_H

#include "bench/floor.h"
#include "lib/keys/keys.h"

struct key_type {
    const char *name; /* as --key has it */
    const char *title;
    enum key_kind kind;
    unsigned bits;         /* RSA */
    const char *algorithm; /* of EVP_PKEY_Q_keygen(), with its curve; NULL: none */
    const char *curve;
    enum primitive verify, wrap; /* what a server does with it; wrap PRIMITIVE_NONE: cannot be encrypted to */
};

/* NULL: there is none of that name. */
const struct key_type *key_type_find(const char *name);

#endif
