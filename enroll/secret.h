/* secret.h: whose secret protects a message. A CMP message is protected as a whole and says whose it is
 * before anything in it is believed: the MAC finds the registration, and enroll() then admits by it
 * (CREDENTIAL_REGISTRATION). Slowed down like every secret (slow_down.h). Reads the view; writes nothing. */
#ifndef MUSTER_ENROLL_SECRET_H
#define MUSTER_ENROLL_SECRET_H

#include "enroll/enroll.h"
#include "lib/pki/password_mac.h"

enum { SECRETS_TRIED_MAX = 4, MAC_CLAIM_NAMES = 2 };

struct mac_claim {
    struct password_mac mac;            /* judged already: hashes, rounds */
    struct bytes message, value;        /* the MAC `value` over `message` */
    struct bytes key_id;                /* senderKID: an FQDN, a pattern, or the id of a registration in
                                           hexadecimal; none */
    struct bytes name[MAC_CLAIM_NAMES]; /* texts that may be the FQDN: sender's CN, the template's; none */
    struct ip_address peer;
};

struct mac_verdict {
    bool held;           /* zeroed: not */
    enum refusal reason; /* when it did not: REFUSAL_SECRET, REFUSAL_LOCKED, REFUSAL_NO_REGISTRATION, for the
                            log */
    const struct registration *registration; /* whose secret it is, in any state; NULL: none */
    struct password_mac_key key; /* held: under which; for a reply with the same parameters. To be wiped */
    unsigned wait_s;             /* LOCKED */
};
UNUSED static inline void auto_mac_verdict(struct mac_verdict *verdict)
{
    password_mac_key_wipe(&verdict->key);
}

/* Finds the registration of the procedure's domain under whose password the MAC holds. Tried is the one that
 * key_id names by id or exactly by pattern or FQDN, and then no other; else those that match key_id as an
 * FQDN. A key_id that has the form of neither leaves it to the first name that is an FQDN: to one alone, or
 * another name before it would begin the slow-down anew. At most SECRETS_TRIED_MAX secrets in all (CMP-34).
 * When none holds, as many are computed for a name as there may be to try, and one for an id or a pattern:
 * time tells neither whether nor how often the name is registered.
 *
 * Sets turn->strike, strike_key and credential_held as enroll() does for a secret; an enroll() after it, with
 * CREDENTIAL_REGISTRATION, leaves them. False: an error of ours. */
MUST_USE bool enroll_judge_mac(struct turn *turn, const struct enroll_service *service,
                               const struct procedure *procedure, const struct mac_claim *claim,
                               struct mac_verdict *out, struct error *err);

/* The password of a registration; borrowed from *sealed. False: it has none that opens. */
MUST_USE bool enroll_registration_password(const struct keys *keys, const struct registration *r,
                                           struct secret *sealed, struct bytes *password);

#endif
