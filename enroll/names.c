#include "enroll/names_internal.h"

bool effective_names(const struct enrollment *e, const struct identity *identity,
                     const struct registration *registration, struct arena *arena,
                     struct effective_names *out, enum refusal *why, const char **detail)
{
    struct naming n = { .e = e, .identity = identity, .registration = registration, .arena = arena };
    struct effective_names names;

    if (!make_subject(&n, &names.subject) || !make_san(&n, &names.san)) {
        *why = n.why;
        *detail = n.detail;
        return false;
    }
    *out = names;
    return true;
}
