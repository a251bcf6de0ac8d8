/* The certificates of a STAR order that follow the first (RFC 8739 3.3). One job for each order: it waits
 * until the next is due, judges account and registration anew, and has enroll() issue. The order's revision
 * decides between it and whoever cancels the order meanwhile. */
#include "proto/acme/recheck_internal.h"

#include "registry/certificates.h"

enum {
    RECORD_VERSION = 1,
    RECORD_MAX = 1024,
    RETRY_S = 60,            /* when the CA cannot serve now, or CAA could not be looked up */
    PROCEDURE_GONE_S = 3600, /* until the configuration has it again */
    RENEW_MIN_S = 300,       /* between two, when the CA's own end cuts them short */
};

/* --- state --- */
enum field { FIELD_PROCEDURE = 1, FIELD_ORDER, FIELD_END };

struct renewal {
    struct bytes procedure;
    struct acme_id order;
    int64_t end_s;
    struct acme_recheck walk; /* of CAA, before the next one is issued */
};

static bool encode(const struct renewal *r, struct arena *arena, struct bytes *out)
{
    AUTO_STRUCT(buffer) blob = BUFFER(RECORD_MAX);

    record_begin(&blob, RECORD_VERSION);
    record_put(&blob, FIELD_PROCEDURE, r->procedure);
    record_put(&blob, FIELD_ORDER, acme_id_bytes(&r->order));
    record_put_u64(&blob, FIELD_END, (uint64_t)r->end_s);
    acme_recheck_put(&r->walk, &blob);
    *out = buffer_failed(&blob) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&blob));
    return out->data != NULL;
}

static bool take_field(struct record_reader *in, const struct record_field *f, struct renewal *out)
{
    switch (f->tag) {
    case FIELD_PROCEDURE: out->procedure = f->content; return true;
    case FIELD_ORDER: return record_octets(f->content, out->order.bytes, ACME_ID_LEN);
    case FIELD_END: out->end_s = (int64_t)record_u64(in, f); return true;
    default: return acme_recheck_take(in, f, &out->walk);
    }
}

static bool decode(struct bytes state, struct renewal *out)
{
    struct record_reader in;
    struct record_field f;
    uint8_t version;

    *out = (struct renewal){ 0 };
    if (!record_open(state, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &f))
        if (!take_field(&in, &f, out))
            return false;
    return !in.failed && out->procedure.len > 0;
}

/* --- beginning --- */
void acme_star_plan(struct acme_star *star, const struct certificate *certificate, int64_t now_s)
{
    int64_t from_s = star->start_s > now_s ? star->start_s : now_s;
    int64_t wait_s = (certificate->not_after_s - from_s) / 20 * 9; /* some way before the half */

    wait_s = wait_s > RENEW_MIN_S ? wait_s : RENEW_MIN_S;
    star->renew_s = certificate->not_after_s < star->end_s ? from_s + wait_s : 0;
}

static bool is_among(const struct acme_id *list, size_t count, const struct acme_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (acme_id_equal(&list[i], id))
            return true;
    return false;
}

static bool keep_proofs(struct acme_call *c, const struct acme_order *order, struct error *err)
{
    const struct bytes procedure = bytes_text(c->procedure->name);

    for (size_t i = 0; i < order->authz_count; i++) {
        struct acme_authz authz;
        bool found = false;

        if (is_among(order->authz, i, &order->authz[i]))
            continue;
        if (!acme_authz_read(c->turn, procedure, &order->authz[i], &found, &authz, err))
            return false;
        if (!found || authz.keep_s >= order->keep_s)
            continue;
        authz.keep_s = order->keep_s;
        if (!acme_authz_put(c->turn, procedure, &authz, err))
            return false;
    }
    return true;
}

bool acme_star_begin(struct acme_call *c, const struct acme_order *order, struct error *err)
{
    const struct renewal r = { .procedure = bytes_text(c->procedure->name),
                               .order = order->id,
                               .end_s = order->star.end_s,
                               .walk.account_url = acme_call_url_of(c, "account", &c->account.id, "") };
    struct job_record job = { .kind = BYTES_LITERAL(ACME_STAR_JOB), .due_s = order->star.renew_s };

    if (order->star.renew_s == 0)
        return true;
    if (r.walk.account_url.data == NULL || !encode(&r, c->turn->arena, &job.state))
        return error_set(err, ERROR_MEMORY, "state of an auto-renewal");
    if (!random_fill(&c->turn->random, job.id.bytes, sizeof(job.id.bytes)))
        return error_set(err, ERROR_CRYPTO, "no randomness for an auto-renewal");
    change_job_put(&c->turn->changes, &job);
    return keep_proofs(c, order, err);
}

/* --- going on --- */
struct run {
    struct acme_call *call;
    struct acme_order *order;
    struct renewal *renewal;
    const struct job_event *event;
    struct job_step *out;
};

static bool over(struct run *r)
{
    r->out->effect = (struct job_effect){ .kind = JOB_EFFECT_DONE };
    return true;
}

static bool save(struct run *r, struct error *err)
{
    return encode(r->renewal, r->call->turn->arena, &r->out->state) ||
           error_set(err, ERROR_MEMORY, "state of an auto-renewal");
}

/* CAA is looked at from the start then. */
static bool wait_until(struct run *r, int64_t until_s, struct error *err)
{
    r->renewal->walk = (struct acme_recheck){ .account_url = r->renewal->walk.account_url };
    r->out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = until_s };
    return save(r, err);
}

/* No certificate follows any more; the order says why. */
static bool stop(struct run *r, const struct enroll_result *result, struct error *err)
{
    struct turn_facts *facts = &r->call->turn->facts;

    facts->verdict = "refused";
    facts->reason = refusal_name(result->reason);
    facts->detail = result->detail;
    acme_fail_order(r->order, result);
    r->order->star.renew_s = 0;
    return acme_order_put(r->call->turn, r->call->procedure, r->order, err) && over(r);
}

static bool follow(struct run *r, struct bytes der, struct error *err)
{
    struct acme_order *order = r->order;

    order->star.renewals++;
    acme_account_assume(r->call->turn, r->call->procedure, &r->call->account);
    if (!acme_take_certificate(r->call, order, der, err) || !acme_account_touch(r->call, err))
        return false;
    return order->star.renew_s == 0 ? over(r) : wait_until(r, order->star.renew_s, err);
}

/* The account goes on as it is, and so does the certificate that is to be followed. */
static bool may_go_on(struct run *r, bool *may, const char **detail, struct error *err)
{
    struct acme_call *c = r->call;
    struct certificate_record record;
    bool found = false;

    *may = false;
    *detail = "the account is gone or deactivated";
    if (!acme_account_read(c->turn, c->procedure, &r->order->account, &found, &c->account, err))
        return false;
    if (!found || c->account.status != ACME_ACCOUNT_VALID)
        return true;
    *detail = "the certificate was revoked";
    if (!registry_certificate_by_id(c->turn->view, &r->order->certificate, c->turn->arena, &found, &record,
                                    err))
        return false;
    *may = !found || record.status == CERTIFICATE_GOOD;
    return true;
}

static bool issue(struct run *r, struct error *err)
{
    struct enroll_result result = { 0 };
    int64_t now_s = r->call->turn->now_s;

    if (!acme_ask_again(r->call, r->order, &result, err))
        return false;
    switch (result.kind) {
    case ENROLL_ISSUED: return follow(r, result.certificate, err);
    case ENROLL_PENDING: return wait_until(r, now_s + (int64_t)result.retry_after_s, err);
    case ENROLL_REFUSED: break;
    }
    return result.reason == REFUSAL_CA_UNAVAILABLE ? wait_until(r, now_s + RETRY_S, err)
                                                   : stop(r, &result, err);
}

/* What was looked up is durable before anything is issued by it: in a turn of its own. */
static bool look_first(struct run *r, struct error *err)
{
    const struct enroll_result forbidden = { .reason = REFUSAL_CAA,
                                             .credential_held = true,
                                             .detail = "a CAA record forbids issuance now" };
    struct acme_call *c = r->call;

    switch (acme_recheck_run(c->turn, c->procedure, r->order, &r->renewal->walk, r->event, &r->out->effect,
                             err)) {
    case ACME_RECHECK_ASKS: return save(r, err);
    case ACME_RECHECK_UNANSWERED: return wait_until(r, c->turn->now_s + RETRY_S, err);
    case ACME_RECHECK_FORBIDDEN: return stop(r, &forbidden, err);
    case ACME_RECHECK_DONE:
        return r->event->kind == JOB_EVENT_DUE ? issue(r, err) : wait_until(r, c->turn->now_s, err);
    case ACME_RECHECK_ERROR: break;
    }
    return false;
}

static bool renew(struct run *r, struct error *err)
{
    struct enroll_result result = { .reason = REFUSAL_CLOSED, .credential_held = true };
    bool may = false;

    if (!may_go_on(r, &may, &result.detail, err))
        return false;
    return may ? look_first(r, err) : stop(r, &result, err);
}

bool acme_star_run(struct turn *turn, const void *service, const struct job_record *job,
                   const struct job_event *event, struct job_step *out, struct error *err)
{
    const struct http_request nobody = { .arena = turn->arena };
    struct acme_call call = { .turn = turn, .service = service, .request = &nobody };
    struct acme_order order = { 0 };
    struct renewal renewal;
    struct run r = { .call = &call, .order = &order, .renewal = &renewal, .event = event, .out = out };
    bool found = false;

    if (!decode(job->state, &renewal))
        return error_set(err, ERROR_FORMAT, "the state of an auto-renewal cannot be read");
    turn->facts.protocol = "acme";
    turn->facts.operation = "star";
    if (renewal.end_s <= turn->now_s)
        return over(&r);
    call.procedure = acme_procedure_named(service, renewal.procedure);
    if (call.procedure == NULL)
        return wait_until(&r, turn->now_s + PROCEDURE_GONE_S, err);
    turn->facts.procedure = call.procedure->name;
    if (!acme_order_read(turn, call.procedure, &renewal.order, true, &found, &order, err))
        return false;
    if (!found || !acme_star_runs(&order, turn->now_s))
        return over(&r);
    return order.star.renew_s > turn->now_s ? wait_until(&r, order.star.renew_s, err) : renew(&r, err);
}
