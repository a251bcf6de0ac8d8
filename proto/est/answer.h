/* answer.h: what a device is told, by reason: the EST column of the refusal table (csr.md), as HTTP status
 * and plain text (RFC 7030 4.2.3, RFC 8951 5). A table that the compiler checks for completeness. */
#ifndef MUSTER_EST_ANSWER_H
#define MUSTER_EST_ANSWER_H

#include "model/refusal.h"

struct est_answer {
    int status; /* 401 becomes 403 with the same text where HTTP authentication is off (EST-41, EST-71) */
    bool retry_after; /* goes with Retry-After */
    const char *text; /* static; names no registration */
};

/* `why` has gone through refusal_on_wire(). */
struct est_answer est_answer_to(enum refusal why);

#endif
