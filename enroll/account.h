/* account.h: ACME accounts as this room sees them: the registration that an account is bound to by an
 * external account binding (RFC 8555 7.3.4), and what an account may order. enroll() judges all of it again
 * when the certificate is asked for (CREDENTIAL_ACCOUNT). Reads the view; writes nothing. */
#ifndef MUSTER_ENROLL_ACCOUNT_H
#define MUSTER_ENROLL_ACCOUNT_H

#include "enroll/enroll.h"

/* What a key id names. There is always a key to verify with, so that time does not tell which ids exist. */
struct account_binding {
    bool good;           /* zeroed: not. The registration is open, in time, good for ACME, and free */
    enum refusal reason; /* when not: for the log */
    unsigned wait_s;     /* LOCKED: too many wrong ones; nothing is to be verified */
    const struct registration *registration; /* NULL: `key` is nobody's, and a MAC under it does not hold */
    struct secret sealed;
    struct bytes key; /* within `sealed` */
};
void account_binding_free(struct account_binding *binding);
UNUSED static inline void auto_account_binding(struct account_binding *binding)
{
    account_binding_free(binding);
}

/* Slowed down like every secret (slow_down.h): sets turn->strike_key; the caller says with turn->strike and
 * turn->credential_held what the MAC came to. The HMAC key is the registration's secret, octet for octet. */
MUST_USE bool enroll_account_binding(struct turn *turn, const struct enroll_service *service,
                                     const struct procedure *procedure, struct bytes key_id,
                                     const struct ip_address *peer, struct account_binding *out,
                                     struct error *err);

struct account_verdict {
    bool may;                                /* zeroed: not */
    enum refusal reason;                     /* when not */
    bool pre_authorised;                     /* the registration says that no challenge is needed */
    const struct registration *registration; /* NULL: none is needed */
};

/* May this account (CREDENTIAL_ACCOUNT; `proved` is not looked at) order this name. */
MUST_USE bool enroll_account_may(struct turn *turn, const struct procedure *procedure,
                                 const struct credential *account, const struct account_name *name,
                                 struct account_verdict *out, struct error *err);

#endif
