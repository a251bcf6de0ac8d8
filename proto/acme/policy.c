/* What an order may name: the form of its identifiers, and whether the account may have them. A refusal names
 * each identifier at fault, never which registration it fell through. */
#include "proto/acme/order_internal.h"

/* One answer about several identifiers as it grows. */
struct complaint {
    json_t *list; /* subproblems */
    enum acme_problem problem;
    const char *detail, *reason;
};

static bool complain(struct complaint *about, enum acme_problem problem, const char *detail,
                     json_t *identifier)
{
    AUTO(json_t) *owned = identifier;
    AUTO(json_t) *one = acme_problem_json(problem, bytes_text(detail), 0);

    if (about->list == NULL)
        about->list = json_array();
    about->problem = problem;
    about->detail = detail;
    return owned != NULL && one != NULL && json_put(one, "identifier", take(owned)) &&
           json_push(about->list, take(one));
}

static enum acme_progress answer(struct acme_call *c, struct complaint *about, struct error *err)
{
    AUTO(json_t) *list = take(about->list);
    AUTO(json_t) *extra = json_object();

    if (list == NULL)
        return ACME_ON;
    if (!json_put(extra, "subproblems", take(list))) {
        (void)error_set(err, ERROR_MEMORY, "no memory for subproblems");
        return ACME_ERROR;
    }
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = about->problem,
                                                    .detail = about->detail,
                                                    .reason = about->reason,
                                                    .extra = take(extra) },
                            err);
}

static enum acme_progress no_memory(struct complaint *about, struct error *err)
{
    json_decref(take(about->list));
    (void)error_set(err, ERROR_MEMORY, "no memory for identifiers");
    return ACME_ERROR;
}

/* --- form --- */
/* True when it is a new one: it stands at *count - 1 then. */
static bool add(struct acme_identifier *list, size_t *count, const struct acme_identifier *id)
{
    for (size_t i = 0; i < *count; i++)
        if (acme_identifier_equal(&list[i], id))
            return false;
    list[(*count)++] = *id;
    return true;
}

static bool complain_of_form(struct complaint *about, enum acme_identifier_fault fault, json_t *object)
{
    switch (fault) {
    case ACME_IDENTIFIER_OK: return true;
    case ACME_IDENTIFIER_UNSUPPORTED:
        return complain(about, ACME_UNSUPPORTED_IDENTIFIER, "identifiers of this type are not taken",
                        json_incref(object));
    case ACME_IDENTIFIER_REJECTED:
        return complain(about, ACME_REJECTED_IDENTIFIER, "wildcards are not taken", json_incref(object));
    case ACME_IDENTIFIER_MALFORMED: break;
    }
    return complain(about, ACME_MALFORMED, "an identifier is malformed", json_incref(object));
}

enum acme_progress acme_read_identifiers(struct acme_call *c, struct acme_identifier **out,
                                         struct dns_name **ancestor, size_t *count, struct error *err)
{
    const json_t *asked = json_object_get(c->payload, "identifiers");
    size_t max = c->procedure->acme_identifiers_max > 0 ? c->procedure->acme_identifiers_max
                                                        : ACME_IDENTIFIERS_DEFAULT;
    size_t n = json_array_size(asked);
    struct complaint about = { 0 };

    if (!json_is_array(asked) || n == 0 || n > max)
        return acme_refuse(c, ACME_MALFORMED, "identifiers must be a list, not empty and not too long", err);
    *count = 0;
    *out = arena_array(c->turn->arena, n, sizeof(**out));
    *ancestor = arena_array(c->turn->arena, n, sizeof(**ancestor));
    if (*out == NULL || *ancestor == NULL)
        return no_memory(&about, err);
    for (size_t i = 0; i < n; i++) {
        json_t *object = json_array_get(asked, i);
        struct acme_identifier id;
        enum acme_identifier_fault fault = acme_identifier_read(object, c->procedure, &id);
        struct dns_name above = { 0 };

        if (fault == ACME_IDENTIFIER_OK && !acme_read_ancestor(c, object, &id, &above))
            fault = ACME_IDENTIFIER_MALFORMED;
        if (fault == ACME_IDENTIFIER_OK && add(*out, count, &id))
            (*ancestor)[*count - 1] = above;
        if (!complain_of_form(&about, fault, object))
            return no_memory(&about, err);
    }
    return answer(c, &about, err);
}

/* --- rights --- */
/* The registration is at fault, not the name: nothing that this account could order. */
static bool is_about_account(enum refusal reason, bool bound)
{
    return bound && reason != REFUSAL_NAME_POLICY;
}

static enum acme_progress refuse_account(struct acme_call *c, struct complaint *about, enum refusal reason,
                                         struct error *err)
{
    json_decref(take(about->list));
    return acme_refuse_enrollment(c, reason, true, "the account's registration", err);
}

static bool names_device(const struct acme_identifier *id, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (id[i].type == ACME_IDENTIFIER_DEVICE)
            return true;
    return false;
}

enum acme_progress acme_judge_names(struct acme_call *c, const struct acme_identifier *id, size_t count,
                                    bool *pre_authorised, struct error *err)
{
    const struct credential account = acme_credential(&c->account);
    struct complaint about = { 0 };

    *pre_authorised = false;
    if (c->procedure->acme_binding && !c->account.bound)
        return acme_refuse(c, ACME_EXTERNAL_ACCOUNT_REQUIRED,
                           "the account is bound to no registration: a new one must be", err);
    if (!c->account.bound && names_device(id, count))
        return acme_refuse(c, ACME_EXTERNAL_ACCOUNT_REQUIRED,
                           "the account must be bound to order certificates for devices", err);
    for (size_t i = 0; i < count; i++) {
        const struct account_name name = acme_account_name(&id[i]);
        struct account_verdict verdict;

        if (!enroll_account_may(c->turn, c->procedure, &account, &name, &verdict, err)) {
            json_decref(take(about.list));
            return ACME_ERROR;
        }
        if (!verdict.may && is_about_account(verdict.reason, c->account.bound))
            return refuse_account(c, &about, verdict.reason, err);
        about.reason = verdict.may ? about.reason : refusal_name(verdict.reason);
        if (!verdict.may && !complain(&about, ACME_REJECTED_IDENTIFIER, "the account may not have this name",
                                      acme_identifier_json(&id[i], true)))
            return no_memory(&about, err);
        if (verdict.may && !verdict.pre_authorised && acme_challenges_for(c->procedure, &id[i]) == 0 &&
            !complain(&about, ACME_REJECTED_IDENTIFIER, "there is no challenge to prove this name",
                      acme_identifier_json(&id[i], true)))
            return no_memory(&about, err);
        *pre_authorised = verdict.pre_authorised;
    }
    return answer(c, &about, err);
}
