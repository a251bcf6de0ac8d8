/* pending.h: enrollments that wait for an officer. */
#ifndef MUSTER_ENROLL_PENDING_H
#define MUSTER_ENROLL_PENDING_H

#include "registry/turn.h"

struct pending {
    struct bytes id; /* what approve and deny name; hexadecimal */
    struct bytes procedure;
    enum protocol protocol;
    struct dns_name fqdn;
    struct registration_id registration;
    struct bytes subject; /* text of the effective subject */
    int64_t asked_s;
};

/* Those of a procedure (none: of all), oldest first, at most `max`. */
MUST_USE bool pending_list(struct turn *turn, struct bytes procedure, size_t max, struct pending *out,
                           size_t *count, struct error *err);

/* One by id; *found false when there is none. */
MUST_USE bool pending_find(struct turn *turn, struct bytes id, bool *found, struct pending *out,
                           struct error *err);

/* The officer's decision as changes of the turn. *found false: no such, or decided already. */
MUST_USE bool pending_decide(struct turn *turn, struct bytes id, bool approve, struct bytes officer,
                             bool *found, struct error *err);

#endif
