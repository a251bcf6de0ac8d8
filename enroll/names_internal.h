/* names_internal.h: the two halves of effective_names(). */
#ifndef MUSTER_ENROLL_NAMES_INTERNAL_H
#define MUSTER_ENROLL_NAMES_INTERNAL_H

#include "enroll/names.h"

enum { EFFECTIVE_NAMES_MAX = 64 * 1024 };

/* What both halves work on, and why one ended. */
struct naming {
    const struct enrollment *e;
    const struct identity *identity;
    const struct registration *registration; /* may be NULL */
    struct arena *arena;
    enum refusal why;
    const char *detail;
};

static inline bool naming_refuse(struct naming *n, enum refusal why, const char *detail)
{
    n->why = why;
    n->detail = detail;
    return false;
}

/* First, second, ... value of that attribute; none without a registration. */
static inline struct bytes naming_attribute(const struct naming *n, enum attribute_kind kind, size_t index)
{
    return n->registration == NULL ? BYTES_NONE : registration_attribute(n->registration, kind, index);
}

/* The profile lets requests ask for names of this kind. */
static inline bool naming_profile_takes(const struct naming *n, enum general_name_kind kind)
{
    return (enrollment_profile(n->e)->san_kinds & (1u << kind)) != 0;
}

MUST_USE bool make_subject(struct naming *n, struct bytes *out);
MUST_USE bool make_san(struct naming *n, struct bytes *out);

#endif
