/* transaction_internal.h: what is remembered of an enrollment under its protocol's transaction id: state of
 * kind "txn". And, while an officer thinks about it, an entry of kind "pending" that points to it. */
#ifndef MUSTER_ENROLL_TRANSACTION_INTERNAL_H
#define MUSTER_ENROLL_TRANSACTION_INTERNAL_H

#include "model/enrollment.h"
#include "registry/turn.h"

enum transaction_status {
    TRANSACTION_NONE = 0, /* nothing is remembered, or its time is over */
    TRANSACTION_ISSUED,
    TRANSACTION_PENDING,
    TRANSACTION_APPROVED,
    TRANSACTION_DENIED,
    TRANSACTION_ORDERED,  /* from an upstream CA: `order` goes on with it */
    TRANSACTION_REJECTED, /* by it; `why` */
    TRANSACTION_STATUS_COUNT,
};

/* What became of a certificate that must be confirmed (confirm.c). */
enum confirmation {
    CONFIRMATION_NONE = 0, /* nothing to confirm */
    CONFIRMATION_AWAITED,
    CONFIRMATION_DONE,
    CONFIRMATION_REJECTED,
    CONFIRMATION_LATE,
};

struct transaction {
    enum transaction_status status;
    struct digest256 key, signer, names;
    struct registration_id registration; /* zero: none was required */
    struct certificate_id certificate;   /* ISSUED */
    struct bytes request;                /* PENDING and after: as it came, in the form `form` */
    enum request_form form;
    struct bytes profile;      /* the one asked for by name; none: the procedure's */
    uint32_t confirm_within_s; /* of what will be issued; 0: not to be confirmed */
    enum confirmation confirmation;
    int64_t confirm_until_s;      /* AWAITED */
    struct certificate_id renews; /* AWAITED: the certificate that is to be superseded; none */
    uint64_t used_revision;       /* of the one-time registration that the issuance used up; 0: none */
    struct bytes fqdn;            /* for the log */
    struct job_id order;          /* ORDERED, and ISSUED after that; else zero */
    bool unfetched;               /* it was ordered, and nobody has fetched its certificate yet */
    struct bytes why;             /* REJECTED: for the log */
    int64_t changed_s;
    uint64_t revision; /* to be expected when it is written; 0: must be absent */
};

struct transaction_key {
    struct bytes procedure;
    enum protocol protocol;
    struct bytes id;
};

/* What stands under `key`; status NONE when nothing does. Borrowed from the view. */
MUST_USE bool transaction_read(struct turn *turn, const struct transaction_key *key, struct transaction *out,
                               struct error *err);

/* As changes of the turn. `expires_s` 0: kept for good. */
MUST_USE bool transaction_put(struct turn *turn, const struct transaction_key *key,
                              const struct transaction *t, int64_t expires_s, struct error *err);

/* Made from the transaction, nothing of the device's choosing: the id of what goes with it, by `purpose`. */
MUST_USE bool transaction_digest(const struct transaction_key *key, const char *purpose,
                                 struct digest256 *out);

/* Enters the transaction among those that wait for an officer. */
MUST_USE bool pending_put(struct turn *turn, const struct transaction_key *key, const struct dns_name *fqdn,
                          const struct registration_id *registration, struct bytes subject, int64_t expires_s,
                          struct error *err);

static inline bool transaction_has_order(const struct transaction *t)
{
    static const struct job_id none;

    return memcmp(&t->order, &none, sizeof(none)) != 0;
}

/* Of what waits for somebody else, so many may be of one name: who is registered for one must not take the
 * room of all. */
enum { OPEN_OF_ONE_MAX = 8 };

/* Whether one more may wait among those of a procedure. *full: NULL, or why not. */
MUST_USE bool pending_room(struct turn *turn, struct bytes procedure, const struct dns_name *fqdn, size_t max,
                           const char **full, struct error *err);

#endif
