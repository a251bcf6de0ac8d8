/* explain.c: POST /explain {"procedure", "fqdn", "ip", "serial", "protocol", "keyId"}: which registrations
 * match, most specific first, and what would become of each, short of the credential, which is not asked for.
 * With "keyId" the one registration that ACME accounts are bound to by it, and whether they may order "fqdn",
 * where it is given. */
#include "admin/call_internal.h"
#include "enroll/account.h"
#include "model/refusal.h"
#include "registry/registrations.h"

struct question {
    const struct procedure *procedure;
    struct dns_name fqdn;
    struct ip_address ip;
    struct bytes serial;    /* folded */
    enum protocol protocol; /* NONE: not said, not judged */
    struct bytes key_id;    /* none: found by the FQDN */
};

/* *read false: answered. */
static bool read_question(struct call *call, const json_t *body, struct question *out, bool *read)
{
    static const char *const members[] = { "procedure", "fqdn", "ip", "serial", "protocol", "keyId" };
    struct dns_rules rules = DNS_RULES_TEXT;
    struct bytes text[COUNT_OF(members)];
    size_t known = 0;

    *read = false;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        text[i] = json_member(body, members[i]);
        known += json_is_string(json_object_get(body, members[i]));
    }
    if (body == NULL || known != json_object_size(body))
        return reply_error(call, 400, "field",
                           "procedure, fqdn, ip, serial, protocol, keyId (texts) expected");
    out->procedure = call_procedure(call, text[0]);
    if (out->procedure == NULL)
        return reply_error(call, 404, "unknown_procedure", "procedure: there is none of this name");
    rules.underscore = out->procedure->domain->underscore;
    rules.single_label = out->procedure->domain->single_label;
    out->key_id = text[5];
    if ((text[1].len > 0 || out->key_id.len == 0) && dns_name_parse(text[1], &rules, &out->fqdn) != DNS_OK)
        return reply_error(call, 400, "field", "fqdn: not a DNS name");
    if (text[2].len > 0 && !ip_parse(text[2], &out->ip))
        return reply_error(call, 400, "field", "ip: not an IP address");
    if (text[3].len > 0 && !serial_number_fold(text[3], call->turn->arena, &out->serial))
        return reply_memory(call);
    out->protocol = protocol_from_name(text[4]);
    if (text[4].len > 0 && out->protocol == PROTOCOL_NONE)
        return reply_error(call, 400, "field", "protocol: scep, est, cmp or acme expected");
    if (out->key_id.len > 0)
        out->protocol = PROTOCOL_ACME;
    *read = true;
    return true;
}

/* REFUSAL_COUNT: nothing stands against it. */
static enum refusal judge(struct call *call, const struct question *q, const struct registration *r)
{
    struct bytes serial;

    if (!registration_is_open(r))
        return REFUSAL_CLOSED;
    if (registration_is_expired(r, call->turn->now_s))
        return REFUSAL_EXPIRED;
    if (r->one_time && r->used && q->key_id.len == 0) /* an account that is bound goes on with it */
        return REFUSAL_USED;
    if (q->protocol != PROTOCOL_NONE && (r->protocols & PROTOCOL_BIT(q->protocol)) == 0)
        return REFUSAL_PROTOCOL;
    if (r->ip.len != 0 && !ip_equal(&r->ip, &q->ip))
        return REFUSAL_IP;
    if (r->serial_number.len == 0)
        return REFUSAL_COUNT;
    if (!serial_number_fold(r->serial_number, call->turn->arena, &serial))
        return REFUSAL_INTERNAL;
    return bytes_equal(serial, q->serial) ? REFUSAL_COUNT : REFUSAL_SERIAL;
}

/* What an order of this name by an account that is bound to it would meet. */
static bool judge_account_name(struct call *call, const struct question *q, const struct registration *r,
                               enum refusal *why)
{
    const struct credential account = { .kind = CREDENTIAL_ACCOUNT,
                                        .account = { .bound = true, .registration = r->id } };
    const struct account_name name = { .name = q->fqdn };
    struct account_verdict verdict;

    if (q->key_id.len == 0 || q->fqdn.len == 0)
        return true;
    if (!enroll_account_may(call->turn, q->procedure, &account, &name, &verdict, call->err))
        return false;
    *why = verdict.may ? REFUSAL_COUNT : verdict.reason;
    return true;
}

static const char *verdict_text(enum refusal why)
{
    return why == REFUSAL_COUNT ? "admits with its credential" : "refuses";
}

static json_t *candidate_view(struct call *call, const struct registration *r, enum refusal why, bool reached)
{
    AUTO(json_t) *view = registration_view(call, r);

    if (view == NULL ||
        !json_put(view, "verdict", json_string(reached ? verdict_text(why) : "not looked at")))
        return NULL;
    if (reached && why != REFUSAL_COUNT &&
        (!json_put(view, "reason", json_string(refusal_name(why))) ||
         !json_put(view, "advice", json_string(refusal_advice(why)))))
        return NULL;
    return take(view);
}

static bool reply_explanation(struct call *call, const struct question *q, const struct candidates *c)
{
    AUTO(json_t) *answer = json_object();
    AUTO(json_t) *list = json_array();
    enum refusal first = REFUSAL_NO_REGISTRATION;
    bool reached = true, admits = false;

    for (size_t i = 0; i < c->count; i++) {
        enum refusal why = judge(call, q, &c->item[i]);

        if (why == REFUSAL_COUNT && !judge_account_name(call, q, &c->item[i], &why))
            return false;
        if (!json_push(list, candidate_view(call, &c->item[i], why, reached)))
            return reply_memory(call);
        if (i == 0)
            first = why;
        admits = admits || (reached && why == REFUSAL_COUNT);
        if (!registration_is_open(&c->item[i]) || q->procedure->domain->match == MATCH_MOST_SPECIFIC)
            reached = false; /* a Closed one blocks every broader one */
    }
    if (!json_put_text(answer, "fqdn", dns_name_bytes(&q->fqdn)) ||
        (q->key_id.len > 0 && !json_put_text(answer, "keyId", q->key_id)) ||
        !json_put(answer, "procedure", json_string(q->procedure->name)) ||
        !json_put(answer, "domain", json_string(q->procedure->domain->name)) ||
        !json_put(answer, "match",
                  json_string(q->procedure->domain->match == MATCH_ANY ? "any" : "most-specific")) ||
        !json_put(answer, "admits", json_boolean(admits)) ||
        (!admits && (!json_put(answer, "reason", json_string(refusal_name(first))) ||
                     !json_put(answer, "advice", json_string(refusal_advice(first))))) ||
        (q->protocol != PROTOCOL_NONE &&
         !json_put(answer, "procedureOpen",
                   json_boolean((q->procedure->protocols & PROTOCOL_BIT(q->protocol)) != 0))) ||
        !json_put(answer, "registrations", take(list)))
        return reply_memory(call);
    return reply_json(call, 200, take(answer));
}

static bool find_by_key_id(struct call *call, const struct question *q, struct candidates *out)
{
    struct registration *r = arena_alloc(call->turn->arena, sizeof(*r));
    bool found = false;

    if (r == NULL)
        return error_set(call->err, ERROR_MEMORY, "registration");
    if (!registry_registration_by_key_id(call->turn->view, q->procedure->domain->id, q->key_id,
                                         call->turn->arena, &found, r, call->err))
        return false;
    *out = (struct candidates){ .item = r, .count = found };
    return true;
}

bool serve_explain(struct call *call)
{
    AUTO(json_t) *body = json_read(call->request->body);
    struct question q = { 0 };
    struct candidates candidates;
    bool read;

    if (!read_question(call, body, &q, &read))
        return false;
    if (!read)
        return true;
    if (!(q.key_id.len > 0 ? find_by_key_id(call, &q, &candidates)
                           : registry_candidates(call->turn->view, q.procedure->domain->id, &q.fqdn,
                                                 call->turn->arena, &candidates, call->err)))
        return false;
    return reply_explanation(call, &q, &candidates);
}
