/* Authorizations that stand for the names below (RFC 9444). They are proved in the DNS alone: who runs a host
 * of a name does not run the hosts below it. */
#include "proto/acme/order_internal.h"

#include "lib/dns/dns_caa.h"

static bool is_at_or_below(const struct dns_name *name, const struct dns_name *top)
{
    struct dns_name at = *name;

    do {
        if (dns_name_equal(&at, top))
            return true;
    } while (dns_name_parent(&at, &at));
    return false;
}

bool acme_covers(const struct acme_identifier *authorized, const struct acme_identifier *id)
{
    return authorized->subdomains && authorized->type == ACME_IDENTIFIER_DNS &&
           id->type == ACME_IDENTIFIER_DNS && !id->wildcard && is_at_or_below(&id->name, &authorized->name);
}

static struct acme_identifier ancestor_of(const struct dns_name *name)
{
    return (struct acme_identifier){ .type = ACME_IDENTIFIER_DNS, .subdomains = true, .name = *name };
}

static bool is_offered(const struct procedure *p, const struct acme_identifier *id)
{
    return p->acme_subdomains && acme_challenges_for(p, id) != 0;
}

void acme_take_subdomains(const struct acme_call *c, const json_t *object, bool pre_authorised,
                          struct acme_identifier *id)
{
    struct acme_identifier wanted = ancestor_of(&id->name);

    if (!pre_authorised && id->type == ACME_IDENTIFIER_DNS && !id->wildcard &&
        json_is_true(json_object_get(object, "subdomainAuthAllowed")) && is_offered(c->procedure, &wanted))
        *id = wanted;
}

bool acme_read_ancestor(const struct acme_call *c, const json_t *object, const struct acme_identifier *id,
                        struct dns_name *out)
{
    const json_t *asked = json_object_get(object, "ancestorDomain");
    const struct dns_rules rules = DNS_RULES_DNS_NAME; /* no single label: that is a public suffix */

    if (asked == NULL || !c->procedure->acme_subdomains)
        return true;
    return id->type == ACME_IDENTIFIER_DNS && dns_name_parse(json_bytes(asked), &rules, out) == DNS_OK &&
           !dns_name_equal(out, &id->name) && is_at_or_below(&id->name, out);
}

/* A valid one of the name or of one above it, nearest first. */
static bool find_valid(struct acme_call *c, const struct acme_identifier *id, bool *found,
                       struct acme_identifier *out, struct error *err)
{
    struct dns_name at = id->name;

    *found = false;
    do {
        const struct acme_identifier above = ancestor_of(&at);
        struct acme_authz authz;
        bool is = false;

        if (!acme_authz_of_name(c, &above, &is, &authz, err))
            return false;
        if (is && acme_authz_is_reusable(&authz, c->turn->now_s)) {
            *found = true;
            *out = above;
            return true;
        }
    } while (dns_name_parent(&at, &at));
    return true;
}

static bool may_have(struct acme_call *c, const struct acme_identifier *id, bool *may, struct error *err)
{
    const struct credential account = acme_credential(&c->account);
    const struct account_name name = acme_account_name(id);
    struct account_verdict verdict;

    if (!enroll_account_may(c->turn, c->procedure, &account, &name, &verdict, err))
        return false;
    *may = verdict.may;
    return true;
}

bool acme_choose_authorized(struct acme_call *c, const struct acme_identifier *id,
                            const struct dns_name *ancestor, struct acme_identifier *out, struct error *err)
{
    struct acme_identifier above = ancestor_of(ancestor);
    bool found = false, may = false;

    *out = *id;
    if (!c->procedure->acme_subdomains || id->type != ACME_IDENTIFIER_DNS || id->wildcard)
        return true;
    if (!find_valid(c, id, &found, out, err))
        return false;
    if (found || ancestor->len == 0 || !is_offered(c->procedure, &above))
        return true;
    if (!may_have(c, &above, &may, err))
        return false;
    if (may)
        *out = above;
    return true;
}
