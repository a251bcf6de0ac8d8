/* Names that somebody registered on their own: a broader registration, or none, does not open them from the
 * side, as one more SAN (DESIGN 'Matching a registration'). */
#include "enroll/account_internal.h"
#include "enroll/enroll_internal.h"

static bool is_same(const struct registration *a, const struct registration *b)
{
    return bytes_equal(registration_id_bytes(&a->id), registration_id_bytes(&b->id));
}

/* The officer wrote down this very name, or this very wildcard. */
static bool is_listed(const struct registration *r, struct bytes name)
{
    struct bytes listed;

    for (size_t i = 0; (listed = registration_attribute(r, ATTRIBUTE_DNS, i)).len > 0; i++)
        if (bytes_equal_nocase(listed, name))
            return true;
    for (size_t i = 0; i < r->allowed_domain_count; i++)
        if (bytes_equal(r->allowed_domain[i], name))
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

static enum progress judge_name(struct course *c, const struct dns_name *name, struct error *err)
{
    const struct registration *r = c->verdict.registration;
    bool open = false;

    if (r != NULL && is_listed(r, dns_name_bytes(name)))
        return PROGRESS_ON;
    if (!course_name_is_open(c, name, &open, err))
        return PROGRESS_ERROR;
    return open ? PROGRESS_ON
                : course_refuse(c, REFUSAL_NAME_POLICY, "another name asked for is registered on its own");
}

/* The registrations under a wildcard, as seen by the one that was admitted. */
struct covered {
    const struct registration *admitted; /* NULL: none */
    enum match_rule match;
    bool is_open;
};

/* Every other registration counts, a broader one too: who was not given the wildcard by name has no rank
 * among those that have a name under it. */
static bool judge_covered(const struct registration *other, void *context)
{
    struct covered *covered = context;
    const struct registration *r = covered->admitted;

    if (r == NULL)
        covered->is_open = false;
    else if (!is_same(other, r))
        covered->is_open = registration_is_open(other) && covered->match == MATCH_ANY;
    return covered->is_open;
}

/* A wildcard opens each name under it: none may be one that its own registration closes. */
static enum progress judge_names_under(struct course *c, const struct fqdn_pattern *wildcard,
                                       struct error *err)
{
    const struct domain *domain = c->e.procedure->domain;
    struct covered covered = { .admitted = c->verdict.registration, .match = domain->match, .is_open = true };
    bool whole = false;

    if (!registry_overlaps_each(c->turn->view, domain->id, wildcard, judge_covered, &covered, &whole, err))
        return PROGRESS_ERROR;
    if (!covered.is_open)
        return course_refuse(c, REFUSAL_NAME_POLICY, "a name under the wildcard is registered on its own");
    return whole
               ? PROGRESS_ON
               : course_refuse(c, REFUSAL_NAME_POLICY,
                               "too many registrations to look through for the wildcard: list it in its own");
}

/* Without a registration nobody wrote the wildcard down: its name must be as free as the FQDN was. */
static enum progress judge_wildcard(struct course *c, const struct fqdn_pattern *wildcard, struct error *err)
{
    const struct registration *r = c->verdict.registration;
    enum progress progress = PROGRESS_ON;
    struct account_name name;

    if (r != NULL && is_listed(r, fqdn_pattern_bytes(wildcard)))
        return PROGRESS_ON;
    if (r == NULL && !account_name_of_wildcard(wildcard, &name))
        return course_refuse(c, REFUSAL_NAME, "a '*' before what is no name");
    if (r == NULL)
        progress = judge_name(c, &name.name, err);
    return progress == PROGRESS_ON ? judge_names_under(c, wildcard, err) : progress;
}

enum progress step_judge_other_names(struct course *c, struct error *err)
{
    const struct registration *r = c->verdict.registration;
    enum progress progress = PROGRESS_ON;

    /* An ACME registration was not found by the FQDN: that is one more name to it. */
    if (r != NULL && r->order == ORDER_ACME && !c->identity.fqdn_implied)
        progress = judge_name(c, &c->identity.fqdn, err);
    for (size_t i = 0; i < c->identity.other_count && progress == PROGRESS_ON; i++)
        progress = judge_name(c, &c->identity.other[i], err);
    for (size_t i = 0; i < c->identity.wildcard_count && progress == PROGRESS_ON; i++)
        progress = judge_wildcard(c, &c->identity.wildcard[i], err);
    return progress;
}
