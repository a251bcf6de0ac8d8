/* names.h: the subject and the names that a certificate will carry: the registration's attributes, the
 * profile's rules and what of the request they allow (CSR-58 to CSR-63, CSR-70, CSR-71). The result, not the
 * CSR, is recorded and signed. Pure. */
#ifndef MUSTER_ENROLL_NAMES_H
#define MUSTER_ENROLL_NAMES_H

#include "enroll/identity.h"
#include "model/verdict.h"

struct effective_names {
    struct bytes subject; /* Name element */
    struct bytes san;     /* content of GeneralNames */
};

/* `registration` NULL: the procedure requires none; then what the profile allows of the request. */
MUST_USE bool effective_names(const struct enrollment *e, const struct identity *identity,
                              const struct registration *registration, struct arena *arena,
                              struct effective_names *out, enum refusal *why, const char **detail);

#endif
