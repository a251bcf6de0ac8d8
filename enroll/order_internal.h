/* order_internal.h: an order as its job keeps it. */
#ifndef MUSTER_ENROLL_ORDER_INTERNAL_H
#define MUSTER_ENROLL_ORDER_INTERNAL_H

#include "enroll/enroll_internal.h"
#include "enroll/order.h"

/* For telling the CA that a certificate was taken, or is to be revoked. */
enum { ORDER_FOLLOW_UP_KEEP_S = 86400 };

enum order_phase {
    ORDER_PHASE_NONE = 0,
    ORDER_PHASE_FETCH,   /* for a certificate; the device waits */
    ORDER_PHASE_CONFIRM, /* the CA is told that it was taken, or not */
    ORDER_PHASE_REVOKE,  /* the CA is told to revoke it */
    ORDER_PHASE_CHAIN,   /* for the CA's own certificates (chain.c) */
    ORDER_PHASE_COUNT,
};

enum order_stage {
    ORDER_STAGE_BEGIN = 0, /* the phase's first call of the connector is due */
    ORDER_STAGE_SEND,      /* `request` is to be sent */
    ORDER_STAGE_SENT,      /* it may have left: what becomes of it is not known yet */
    ORDER_STAGE_WAIT,      /* the connector wants to be asked at next_s */
    ORDER_STAGE_HOLD,      /* CONFIRM: the device has not said its word yet */
    ORDER_STAGE_COUNT,
};

struct order {
    enum order_phase phase;
    enum order_stage stage;
    struct bytes ca, procedure;
    enum protocol protocol;
    struct bytes transaction_id;
    int64_t deadline_s; /* of this phase */
    int64_t next_s;     /* not before; 0: at once */
    unsigned failures;  /* of the request, one after the other */
    /* what was admitted */
    struct dns_name fqdn;
    struct bytes subject, san, spki;
    struct registration_id registration; /* zero: none was required */
    uint64_t registration_revision;
    bool registration_used; /* by this order */
    uint32_t repeat_s;
    struct certificate_id renews; /* serial_len 0: a first certificate */
    struct bytes ra_name;         /* that spoke for the device; none */
    struct certificate_id ra;
    struct bytes unknown[REQUESTED_UNKNOWN_MAX];
    size_t unknown_count;
    /* the connector's */
    struct bytes state, url, content_type, body, trust_path;
    unsigned timeout_ms;
    /* CONFIRM, REVOKE */
    struct bytes certificate;
    bool accepted;
    int reason;
};

/* What it points to lives as long as `record`. False: malformed. */
MUST_USE bool order_decode(struct bytes record, struct order *out);
MUST_USE bool order_encode(const struct order *order, struct arena *arena, struct bytes *out,
                           struct error *err);

/* SEND or WAIT of a connector as what the order goes on with. False: more than is kept. */
MUST_USE bool order_take_step(struct order *order, const struct connector_step *step, int64_t now_s,
                              struct error *err);

/* --- in its job (order_drive.c) --- */
struct order_drive {
    struct turn *turn;
    const struct ca *ca;
    struct order *order;
};
/* The request is to leave, once the order is saved: it is SENT then. */
MUST_USE bool order_leave(const struct order_drive *d, struct job_effect *effect, struct error *err);
/* The same octets once more, at next_s; `why` goes to the log. */
MUST_USE bool order_again(const struct order_drive *d, const char *why, struct error *err);
/* The connector's next word: to what the event says became of the request, or to begin another phase than
 * FETCH. */
MUST_USE bool order_ask(const struct order_drive *d, const struct job_event *event,
                        struct connector_step *step, struct error *err);

/* NULL: not configured any more. */
const struct ca *order_ca(const struct enroll_service *service, struct bytes name);

/* --- in the turn of the device (order_place.c) --- */
/* Another order may be placed with this CA. */
enum progress order_room(struct course *c, const struct ca *ca, struct error *err);
/* Intent is recorded: transaction, job, use of the registration. Answers "pending". */
enum progress order_place(struct course *c, const struct ca *ca, const struct connector_step *step,
                          struct error *err);
/* "Pending", with the time at which it makes sense to ask again. */
enum progress order_pending(struct course *c, struct error *err);
/* The CA's refusal, with what it said. */
enum progress order_rejected(struct course *c, struct error *err);
/* Takes the order off the list of open ones. */
MUST_USE bool order_unlist(struct turn *turn, struct bytes procedure, const struct job_id *id,
                           struct error *err);

/* --- what came back (certified.c) --- */
/* NULL when the certificate is what was ordered: key, names, issuer, chain, dates, and new. Else what is
 * wrong with it. `decoded` is filled when it is well-formed. False: an error of ours. */
MUST_USE bool certified_judge(struct turn *turn, const struct ca *ca, const struct order *order,
                              const struct connector_step *step, struct certificate *decoded,
                              const char **fault, struct error *err);
/* The same for one of the gateway itself that is to follow `old`: same key, same names, no others, good for
 * all that the old one is, and ends later. Of a first one `old` says what it is to be: it has never begun. */
MUST_USE bool certified_judge_service(struct turn *turn, const struct ca *ca, const struct certificate *old,
                                      const struct connector_step *step, struct certificate *decoded,
                                      const char **fault, struct error *err);

#endif
