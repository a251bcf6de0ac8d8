/* Names that somebody registered on their own: a broader registration, or none, does not open them from the
 * side, as one more SAN (DESIGN 'Matching a registration'). */
#include "enroll/enroll_internal.h"

static bool is_same(const struct registration *a, const struct registration *b)
{
    return bytes_equal(registration_id_bytes(&a->id), registration_id_bytes(&b->id));
}

/* The officer wrote down this very name. */
static bool is_listed(const struct registration *r, const struct dns_name *name)
{
    struct bytes listed;

    for (size_t i = 0; (listed = registration_attribute(r, ATTRIBUTE_DNS, i)).len > 0; i++)
        if (bytes_equal_nocase(listed, dns_name_bytes(name)))
            return true;
    return false;
}

/* What admission holds of the FQDN: a Closed one blocks every broader one; under MATCH_MOST_SPECIFIC an Open
 * one too. Without a registration, no name that is registered. */
bool course_name_is_open(struct course *c, const struct dns_name *name, bool *open, struct error *err)
{
    const struct domain *domain = c->e.procedure->domain;
    const struct registration *r = c->verdict.registration;
    struct candidates candidates = { 0 };

    if (!registry_candidates(c->turn->view, domain->id, name, c->turn->arena, &candidates, err))
        return false;
    *open = true;
    for (size_t i = 0; i < candidates.count && *open; i++) { /* most specific first */
        const struct registration *other = &candidates.item[i];

        if (r != NULL && is_same(other, r))
            break;
        *open = r != NULL && registration_is_open(other) && domain->match == MATCH_ANY;
    }
    return true;
}

enum progress step_judge_other_names(struct course *c, struct error *err)
{
    const struct registration *r = c->verdict.registration;

    for (size_t i = 0; i < c->identity.other_count; i++) {
        const struct dns_name *name = &c->identity.other[i];
        bool open = false;

        if (r != NULL && is_listed(r, name))
            continue;
        if (!course_name_is_open(c, name, &open, err))
            return PROGRESS_ERROR;
        if (!open)
            return course_refuse(c, REFUSAL_NAME_POLICY, "another name asked for is registered on its own");
    }
    return PROGRESS_ON;
}
