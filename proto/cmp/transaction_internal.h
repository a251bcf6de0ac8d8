/* transaction_internal.h: what is remembered of a CMP transaction between its messages: state of kind "cmp",
 * in the registry, so that certConf and pollReq may come after a restart. And what is remembered of a
 * certificate that a key update replaces: state of kind "cmp-update". */
#ifndef MUSTER_CMP_TRANSACTION_INTERNAL_H
#define MUSTER_CMP_TRANSACTION_INTERNAL_H

#include "proto/cmp/message.h"
#include "registry/turn.h"

enum cmp_phase {
    CMP_PHASE_NONE = 0,  /* nothing is remembered, or its time is over */
    CMP_PHASE_WAITING,   /* an officer or a CA has it */
    CMP_PHASE_DELIVERED, /* the certificate went out and must be confirmed */
    CMP_PHASE_CONFIRMED, /* by certConf, or implicitly */
    CMP_PHASE_CLOSED,    /* rejected by the device, denied, or ended by an error */
};

enum { CMP_NONCES_MAX = 32 };

struct cmp_transaction {
    enum cmp_phase phase;
    enum cmp_body opened_by; /* ir, cr, kur, p10cr */
    int64_t cert_req_id;
    bool generated;             /* the key was made here, and is not kept (CMP-90) */
    bool implicit_confirm;      /* was asked for and will be granted */
    struct digest256 opening;   /* SHA-256 of the message that opened it */
    struct digest256 sender;    /* who protects it (cmp_sender.identity) */
    struct digest256 algorithm; /* how (cmp_sender.algorithm) */
    struct bytes signer;        /* the certificate that signed, DER; none with a MAC */
    struct bytes our_nonce;     /* senderNonce of our last answer */
    struct bytes nonce_before;  /* that of an earlier one, from which alone the device may go on: what came
                                   since may be somebody's repetition */
    struct bytes waiting_nonce; /* of the answer that said "waiting" (CMP-19) */
    struct bytes seen;          /* senderNonces of the other side: SHA-256 of each, the newest last */
    struct bytes reply;         /* our answer to the message that opened it */
    struct digest256 poll;      /* SHA-256 of the last pollReq */
    struct bytes poll_reply;    /* our answer to it; none: there was none */
    struct bytes certificate;   /* DER, DELIVERED and CONFIRMED */
    struct certificate_id old;  /* the certificate that a kur replaces; serial_len 0: none */
    int64_t changed_s;
    uint64_t revision; /* to be expected when it is written; 0: must be absent */
};

MUST_USE bool cmp_transaction_read(struct turn *turn, struct bytes procedure, struct bytes id,
                                   struct cmp_transaction *out, struct error *err);
/* As a change of the turn. */
MUST_USE bool cmp_transaction_put(struct turn *turn, struct bytes procedure, struct bytes id,
                                  const struct cmp_transaction *t, int64_t expires_s, struct error *err);

/* This nonce came before in the transaction. False on either: *seen says which. */
MUST_USE bool cmp_nonce_seen(const struct cmp_transaction *t, struct bytes nonce, bool *seen);
/* `t->seen` with this one appended, the oldest left out when there are too many. */
MUST_USE bool cmp_nonce_add(struct cmp_transaction *t, struct bytes nonce, struct arena *arena);

/* --- messages that were served (state of kind "cmp-opening") --- */
/* A message that opened a transaction opens no other, under any procedure, when that one is long forgotten:
 * who has heard it must not make a certificate of it. Kept for good, like certificates. */
MUST_USE bool cmp_opening_seen(struct turn *turn, const struct cmp_message *m, bool *seen, struct error *err);
MUST_USE bool cmp_opening_put(struct turn *turn, const struct cmp_message *m, struct error *err);

/* --- key updates (CMP-38, CMP-60) --- */
enum cmp_update {
    CMP_UPDATE_NONE = 0,
    CMP_UPDATE_PENDING, /* its successor is not confirmed yet */
    CMP_UPDATE_DONE,    /* it has a successor: it protects nothing any more */
};
MUST_USE bool cmp_update_read(struct turn *turn, const struct certificate_id *old, enum cmp_update *out,
                              struct error *err);
/* `until_s`: PENDING ends by itself then; 0: kept for good. */
MUST_USE bool cmp_update_put(struct turn *turn, const struct certificate_id *old, enum cmp_update update,
                             int64_t until_s, struct error *err);
/* What the turn does is right only while that stays as it is: an update that is written meanwhile makes it
 * run again. */
MUST_USE bool cmp_update_assume(struct turn *turn, const struct certificate_id *old, struct error *err);

#endif
