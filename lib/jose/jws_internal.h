/* jws_internal.h: what reading, verifying and signing share. */
#ifndef MUSTER_JOSE_JWS_INTERNAL_H
#define MUSTER_JOSE_JWS_INTERNAL_H

#include "lib/jose/jws.h"

struct jws_kind {
    enum jws_algorithm algorithm;
    const char *name;
    enum key_kind key; /* KEY_NONE: a MAC */
    enum digest_algorithm hash;
    size_t raw_len; /* of r || s; 0: no such form */
    bool pss;
};

enum { JWS_KINDS = 9 };
extern const struct jws_kind jws_kinds[JWS_KINDS];

/* NULL for JWS_ALGORITHM_NONE. */
const struct jws_kind *jws_kind_of(enum jws_algorithm algorithm);

#endif
