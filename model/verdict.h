/* verdict.h: what admission decided. */
#ifndef MUSTER_MODEL_VERDICT_H
#define MUSTER_MODEL_VERDICT_H

#include "model/enrollment.h"
#include "model/refusal.h"

struct verdict {
    bool admitted;        /* zeroed: refused */
    enum refusal reason;  /* when refused */
    bool credential_held; /* what was shown is genuine, whatever else failed */
    const struct registration
        *registration; /* which admitted, or the most specific one looked at; NULL: none */
};

static inline struct verdict verdict_refused(enum refusal reason)
{
    return (struct verdict){ .reason = reason };
}

#endif
