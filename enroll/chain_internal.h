/* chain_internal.h: the asking for one CA's chain, as its job keeps it. */
#ifndef MUSTER_ENROLL_CHAIN_INTERNAL_H
#define MUSTER_ENROLL_CHAIN_INTERNAL_H

#include "enroll/chain.h"
#include "enroll/order_internal.h"

enum chain_stage {
    CHAIN_STAGE_NONE = 0,
    CHAIN_STAGE_REST,  /* nothing is under way */
    CHAIN_STAGE_ASK,   /* the CA is asked */
    CHAIN_STAGE_WRITE, /* what it told is to be in its file */
    CHAIN_STAGE_LOAD,  /* in its file, and not in use yet */
    CHAIN_STAGE_COUNT,
};

struct chain_asking {
    enum chain_stage stage;
    int64_t asked_s;     /* last; 0: never */
    struct bytes issuer; /* Name of whom a certificate came from; none */
    struct bytes pem;    /* WRITE, LOAD: the file's new content */
    unsigned failures;   /* one after the other */
    struct order order;  /* of the CA; what is said to it */
};

/* What it points to lives as long as `record`. False: malformed. */
MUST_USE bool chain_asking_decode(struct bytes record, struct chain_asking *out);
MUST_USE bool chain_asking_encode(const struct chain_asking *asking, struct arena *arena, struct bytes *out,
                                  struct error *err);

#endif
