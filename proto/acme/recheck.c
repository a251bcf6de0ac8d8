/* CAA once more: the walk over an order's authorizations, and up the tree for each. */
#include "proto/acme/recheck_internal.h"

#include "lib/dns/dns_caa.h"
#include "proto/acme/validate_internal.h"

/* --- where the walk is --- */
enum field { FIELD_ACCOUNT_URL = ACME_RECHECK_TAG, FIELD_PLACE, FIELD_CLIMBED, FIELD_TRIES };

void acme_recheck_put(const struct acme_recheck *walk, struct buffer *out)
{
    record_put(out, FIELD_ACCOUNT_URL, walk->account_url);
    record_put_u64(out, FIELD_PLACE, walk->place);
    record_put(out, FIELD_CLIMBED, dns_name_bytes(&walk->climbed));
    record_put_u64(out, FIELD_TRIES, walk->tries);
}

bool acme_recheck_take(struct record_reader *in, const struct record_field *f, struct acme_recheck *out)
{
    switch (f->tag) {
    case FIELD_ACCOUNT_URL: out->account_url = f->content; return true;
    case FIELD_PLACE: out->place = (size_t)record_u64(in, f); return true;
    case FIELD_CLIMBED:
        if (f->content.len >= sizeof(out->climbed.text))
            return false;
        out->climbed = (struct dns_name){ .len = (uint8_t)f->content.len };
        if (f->content.len > 0)
            memcpy(out->climbed.text, f->content.data, f->content.len);
        return true;
    case FIELD_TRIES: out->tries = (unsigned)record_u64(in, f); return true;
    default: return true;
    }
}

/* --- what was found --- */
bool acme_caa_is_fresh(const struct procedure *procedure, const struct acme_authz *authz, int64_t now_s)
{
    if (procedure->acme_caa == ACME_CAA_OFF || authz->identifier.type != ACME_IDENTIFIER_DNS)
        return true;
    if (authz->caa_s == 0 || authz->caa_s + ACME_CAA_COUNTS_S <= now_s)
        return false;
    return !authz->caa_warned || procedure->acme_caa == ACME_CAA_WARN;
}

void acme_caa_looked(struct acme_authz *authz, bool allowed, int64_t now_s)
{
    authz->caa_s = now_s;
    authz->caa_warned = !allowed;
}

/* --- the walk --- */
struct walking {
    struct turn *turn;
    const struct procedure *procedure;
    const struct acme_order *order;
    struct acme_recheck *walk;
    struct job_effect *effect;
    struct acme_authz authz; /* at the walk's place */
};

static const char *method_of(const struct acme_authz *authz)
{
    for (unsigned i = 0; i < ACME_CHALLENGE_COUNT; i++)
        if (authz->challenge[i].offered && authz->challenge[i].status == ACME_CHALLENGE_VALID)
            return acme_challenge_name((enum acme_challenge)i);
    return ACME_METHOD_PREREGISTERED;
}

/* From the walk's place on, the first authorization whose name is to be looked up; false in *found: none. One
 * that is gone is enroll()'s to judge. */
static bool find_stale(struct walking *w, bool *found, struct error *err)
{
    const struct bytes procedure = bytes_text(w->procedure->name);

    *found = false;
    for (; w->walk->place < w->order->authz_count; w->walk->place++) {
        bool is = false;

        if (!acme_authz_read(w->turn, procedure, &w->order->authz[w->walk->place], &is, &w->authz, err))
            return false;
        *found = is && !acme_caa_is_fresh(w->procedure, &w->authz, w->turn->now_s);
        if (*found)
            return true;
        w->walk->climbed.len = 0;
        w->walk->tries = 0;
    }
    return true;
}

static enum acme_recheck_step ask(struct walking *w)
{
    if (w->walk->climbed.len == 0)
        w->walk->climbed = w->authz.identifier.name;
    *w->effect = acme_caa_effect(&w->walk->climbed, w->procedure, &w->order->account);
    return ACME_RECHECK_ASKS;
}

static enum acme_recheck_step go_on(struct walking *w, struct error *err)
{
    bool found = false;

    if (!find_stale(w, &found, err))
        return ACME_RECHECK_ERROR;
    return found ? ask(w) : ACME_RECHECK_DONE;
}

static enum acme_recheck_step decided(struct walking *w, bool allowed, struct error *err)
{
    acme_caa_looked(&w->authz, allowed, w->turn->now_s);
    if (!acme_authz_put(w->turn, bytes_text(w->procedure->name), &w->authz, err))
        return ACME_RECHECK_ERROR;
    w->walk->place++;
    w->walk->climbed.len = 0;
    w->walk->tries = 0;
    return go_on(w, err);
}

/* Where CAA is only warned of, the log says what would have been. */
static enum acme_recheck_step stands_against(struct walking *w, enum acme_recheck_step what,
                                             const char *detail, struct error *err)
{
    w->turn->facts.detail = detail;
    if (w->procedure->acme_caa == ACME_CAA_WARN)
        return decided(w, false, err);
    w->walk->tries++;
    return what;
}

static enum acme_recheck_step judge(struct walking *w, const struct dns_answer *answer, struct error *err)
{
    const struct acme_caa_question question = {
        .identity = w->procedure->acme_caa_identity,
        .identity_count = w->procedure->acme_caa_identity_count,
        .wildcard = w->authz.identifier.wildcard,
        .account_url = w->walk->account_url,
        .method = method_of(&w->authz),
    };

    if (answer->status != DNS_STATUS_RECORDS && answer->status != DNS_STATUS_NXDOMAIN)
        return stands_against(w, ACME_RECHECK_UNANSWERED, ACME_CAA_TEXT_SILENCE, err);
    switch (
        acme_caa_judge(&question, answer->record, answer->status == DNS_STATUS_RECORDS ? answer->count : 0)) {
    case ACME_CAA_ALLOWS: return decided(w, true, err);
    case ACME_CAA_SILENT:
        if (!dns_name_parent(&w->walk->climbed, &w->walk->climbed))
            return decided(w, true, err);
        w->walk->tries = 0;
        return ask(w);
    case ACME_CAA_FORBIDS: break;
    }
    return stands_against(w, ACME_RECHECK_FORBIDDEN, ACME_CAA_TEXT_FORBIDS, err);
}

enum acme_recheck_step acme_recheck_run(struct turn *turn, const struct procedure *procedure,
                                        const struct acme_order *order, struct acme_recheck *walk,
                                        const struct job_event *event, struct job_effect *effect,
                                        struct error *err)
{
    struct walking w = {
        .turn = turn, .procedure = procedure, .order = order, .walk = walk, .effect = effect
    };
    size_t place = walk->place;
    bool found = false;

    if (procedure->acme_caa == ACME_CAA_OFF)
        return ACME_RECHECK_DONE;
    if (!find_stale(&w, &found, err))
        return ACME_RECHECK_ERROR;
    if (!found)
        return ACME_RECHECK_DONE;
    turn->facts.fqdn = arena_copy(turn->arena, dns_name_bytes(&w.authz.identifier.name));
    if (event->kind == JOB_EVENT_DNS && walk->place == place && walk->climbed.len > 0)
        return judge(&w, &event->dns, err);
    return ask(&w);
}
