/* store_internal.h: accounts, orders and authorizations as protocol state. What is read borrows from the
 * view; what is put carries the revision that it was read with, so that of two that change the same one runs
 * again.
 *
 *   acme-account  account's id                      the account
 *   acme-key      SHA-256 of the SPKI               account's id: one account a key
 *   acme-bound    registration's id                 ids of the accounts that are bound to it
 *   acme-open     account's id                      places: its orders that are open, each until it ends
 *   acme-taken-up account's id                      places: its authorizations that are being looked at
 *   acme-failed   SHA-256 of account and identifier places: its validations that failed within the hour
 *   acme-listed   account's id                      places without a bound: its orders, newest first
 *   acme-orders   account's id                      ids of orders, as earlier versions listed them: the next
 *                                                   newOrder takes them over
 *   acme-order    order's id                        the order
 *   acme-unbound  "accounts"                        places: the accounts that are bound to no registration
 *   acme-source   network of the peer               how many of them it made within the hour
 *   acme-authz    authorization's id                the authorization
 *   acme-authzs   account's id                      ids of authorizations that were made without an order
 *   acme-name     SHA-256 of account and identifier id of the authorization that was made last
 *   acme-cert     SHA-256 of issuer and serial      ids of account and order
 *   acme-replaced the same                          id of the order that replaces the certificate */
#ifndef MUSTER_ACME_STORE_INTERNAL_H
#define MUSTER_ACME_STORE_INTERNAL_H

#include "model/certificate_record.h"
#include "proto/acme/identifier.h"
#include "proto/acme/problem.h"
#include "registry/places.h"
#include "registry/turn.h"

enum { ACME_CONTACTS_MAX = 8, ACME_CONTACT_MAX = 254, ACME_DETAIL_MAX = 512 };

enum acme_account_status { ACME_ACCOUNT_NONE = 0, ACME_ACCOUNT_VALID, ACME_ACCOUNT_DEACTIVATED };

struct acme_account {
    struct acme_id id;
    enum acme_account_status status;
    struct bytes spki;
    struct bytes contact[ACME_CONTACTS_MAX];
    size_t contact_count;
    struct bytes terms; /* URL of the terms that were agreed to; none */
    bool bound;
    struct registration_id registration; /* bound: to this one */
    struct bytes binding;                /* bound: the JWS that proved it, to be shown again */
    int64_t created_s;
    int64_t expires_s; /* of the state; 0: never */
    uint64_t revision;
};

/* What went wrong with a challenge or an order. */
struct acme_fault {
    bool is;
    enum acme_problem problem;
    bool rejected; /* the identifier is at fault: a subproblem says so */
    struct bytes detail;
};

enum acme_order_status { /* "ready" is a pending one all of whose authorizations are valid */
                         ACME_ORDER_PENDING = 0,
                         ACME_ORDER_READY,
                         ACME_ORDER_PROCESSING,
                         ACME_ORDER_VALID,
                         ACME_ORDER_INVALID,
                         ACME_ORDER_CANCELED /* STAR alone */
};

/* Auto-renewal (RFC 8739 3.1.1), as it was granted. */
struct acme_star {
    bool is;                /* the order is one of STAR */
    bool get;               /* its certificate may be fetched without a signature */
    int64_t start_s, end_s; /* start 0: as soon as it can be */
    uint32_t lifetime_s, adjust_s;
    uint32_t renewals;      /* certificates that followed the first */
    struct ip_address peer; /* who asked for the first certificate */
    int64_t renew_s;        /* VALID: when the next one is to be made; 0: there is none to come */
};

struct acme_order {
    struct acme_id id, account;
    enum acme_order_status status; /* stored: never READY */
    struct acme_identifier *identifier;
    size_t identifier_count;
    struct acme_id *authz;
    size_t authz_count;
    int64_t created_s, expires_s;
    struct bytes csr;                  /* PROCESSING, VALID: DER */
    struct certificate_id certificate; /* VALID */
    struct acme_fault fault;           /* INVALID */
    struct bytes profile;              /* none: nobody chose */
    struct acme_star star;
    struct bytes replaces; /* certificate id of RFC 9773 4.1 as it came; none */
    int64_t keep_s;        /* until when the state is kept */
    uint64_t revision;
};

enum acme_authz_status {
    ACME_AUTHZ_PENDING = 0,
    ACME_AUTHZ_VALID,
    ACME_AUTHZ_INVALID,
    ACME_AUTHZ_DEACTIVATED
};
enum acme_challenge_status {
    ACME_CHALLENGE_PENDING = 0,
    ACME_CHALLENGE_PROCESSING,
    ACME_CHALLENGE_VALID,
    ACME_CHALLENGE_INVALID
};

enum { ACME_TOKEN_LEN = 43 }; /* 32 random octets */

struct acme_challenge_state {
    bool offered;
    enum acme_challenge_status status;
    char token[ACME_TOKEN_LEN + 1];
    int64_t validated_s;
    struct acme_fault fault; /* the last try's, while PROCESSING too */
};

struct acme_authz {
    struct acme_id id, account;
    enum acme_authz_status status;
    struct acme_identifier identifier;
    bool pre_authorised; /* valid because the registration says so, not by a challenge */
    struct acme_challenge_state challenge[ACME_CHALLENGE_COUNT];
    bool attested;                 /* of a device: it has said which key it holds */
    struct digest256 attested_key; /* SHA-256 over its SubjectPublicKeyInfo */
    int64_t caa_s;                 /* when CAA was looked at last; 0: never */
    bool caa_warned;               /* it did not allow a certificate then, which was only warned of */
    int64_t expires_s;
    int64_t keep_s; /* until when the state is kept at least */
    uint64_t revision;
};

MUST_USE bool acme_account_read(struct turn *turn, const struct procedure *procedure,
                                const struct acme_id *id, bool *found, struct acme_account *out,
                                struct error *err);
MUST_USE bool acme_account_put(struct turn *turn, const struct procedure *procedure,
                               const struct acme_account *account, struct error *err);

/* What the turn writes holds only as long as the account, or the authorization, is as it was read. */
void acme_account_assume(struct turn *turn, const struct procedure *procedure,
                         const struct acme_account *account);
void acme_authz_assume(struct turn *turn, struct bytes procedure, const struct acme_authz *authz);

/* Expired and not swept yet counts as not found. With `lists` false, identifiers and authorizations are left
 * out: for looking at many. */
MUST_USE bool acme_order_read(struct turn *turn, const struct procedure *procedure, const struct acme_id *id,
                              bool lists, bool *found, struct acme_order *out, struct error *err);
/* An order that is open has a place among its account's, whose number is bounded when it is new; one that is
 * open no more gives it up. All are listed as long as they are kept. */
MUST_USE bool acme_order_put(struct turn *turn, const struct procedure *procedure,
                             const struct acme_order *order, struct error *err);
/* The writing of this turn holds only as long as the order is as it was read. */
void acme_order_assume(struct turn *turn, const struct procedure *procedure, const struct acme_order *order);
/* Until when it is open; 0: it is not. */
int64_t acme_order_open_s(const struct acme_order *order);
/* Has and keeps its place, and stands in the list: what acme_order_put() does beside writing it. `max` 0:
 * whatever there is room for. */
void acme_order_enlist(struct turn *turn, const struct procedure *procedure, const struct acme_order *order,
                       unsigned max);

/* How many an account may have open. */
static inline unsigned acme_orders_max(const struct procedure *procedure)
{
    return procedure->acme_orders_max > 0 ? procedure->acme_orders_max : ACME_ORDERS_DEFAULT;
}
/* Whose places are the account's open orders, and those of its list. */
struct state_key acme_open_key(const struct procedure *procedure, const struct acme_id *account);
/* Those of its authorizations that are being looked at, so many at a time. */
enum { ACME_TAKEN_UP_MAX = 256 };
struct state_key acme_taken_up_key(struct bytes procedure, const struct acme_id *account);
/* Those of one account and identifier that failed. `digest` is what the key borrows. */
enum { ACME_FAILED_S = 3600 };
MUST_USE bool acme_failed_key(struct bytes procedure, const struct acme_authz *authz,
                              struct digest256 *digest, struct state_key *out, struct error *err);
struct state_key acme_listed_key(const struct procedure *procedure, const struct acme_id *account);
/* In the list: since when, counted backwards, then the order's id. */
enum { ACME_LISTED_LEN = 8 + ACME_ID_LEN };

MUST_USE bool acme_authz_read(struct turn *turn, struct bytes procedure, const struct acme_id *id,
                              bool *found, struct acme_authz *out, struct error *err);
MUST_USE bool acme_authz_put(struct turn *turn, struct bytes procedure, const struct acme_authz *authz,
                             struct error *err);

/* An index: `kind` and `key` to a list of ids, at most `max` of them. */
enum { ACME_LIST_MAX = 500 };
struct acme_list {
    struct acme_id id[ACME_LIST_MAX];
    size_t count;
    uint64_t revision; /* 0: nothing is there; of one that is over and not swept yet it is set all the same */
};
MUST_USE bool acme_list_read(struct turn *turn, const struct procedure *procedure, const char *kind,
                             struct bytes key, struct acme_list *out, struct error *err);
MUST_USE bool acme_list_put(struct turn *turn, const struct procedure *procedure, const char *kind,
                            struct bytes key, const struct acme_list *list, int64_t expires_s,
                            struct error *err);
/* In front; the last one falls off when there is no room. */
void acme_list_push(struct acme_list *list, const struct acme_id *id);

MUST_USE bool acme_key_digest(struct bytes spki, struct digest256 *out);
MUST_USE bool acme_name_digest(const struct acme_id *account, const struct acme_identifier *id,
                               struct digest256 *out);
MUST_USE bool acme_certificate_digest(const struct certificate_id *id, struct digest256 *out);

MUST_USE bool acme_id_make(struct turn *turn, struct acme_id *out, struct error *err);

#endif
