/* secret_internal.h: what the ways of judging a secret share. */
#ifndef MUSTER_ENROLL_SECRET_INTERNAL_H
#define MUSTER_ENROLL_SECRET_INTERNAL_H

#include "enroll/secret.h"

/* A registration that nobody made, whose password costs to open what every other's costs. False: none could
 * be made. */
MUST_USE bool dummy_registration(const struct keys *keys, struct arena *arena, struct registration *out);

/* Whoever shows a secret for this name from there must still wait so long; 0: may try. Sets turn->strike_key;
 * a strike that the turn has had already is kept as one of turn->struck, and waits for its turn to be over.
 * Asked before any registration is looked at. */
MUST_USE bool secret_wait_s(struct turn *turn, const struct enroll_service *service,
                            const struct procedure *procedure, const struct ip_address *peer,
                            const struct dns_name *name, unsigned *out, struct error *err);

#endif
