/* CAA before a finalized order is asked for: the order is processing, a job looks, and whoever looks at the
 * order next asks enroll(). State "acme-caa" under the order's id names the job, until enroll() is at it. */
#include "proto/acme/recheck_internal.h"
#include "proto/acme/validate_internal.h"

#include "registry/state.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 2048, TRIES_MAX = 6, RETRY_MAX_S = 60, RETRY_AFTER_S = 2 };

/* --- the job's state --- */
enum field { FIELD_PROCEDURE = 1, FIELD_ORDER };

struct looking {
    struct bytes procedure;
    struct acme_id order;
    struct acme_recheck walk;
};

static bool encode(const struct looking *l, struct arena *arena, struct bytes *out, struct error *err)
{
    AUTO_STRUCT(buffer) blob = BUFFER(RECORD_MAX);
    struct bytes copy;

    record_begin(&blob, RECORD_VERSION);
    record_put(&blob, FIELD_PROCEDURE, l->procedure);
    record_put(&blob, FIELD_ORDER, acme_id_bytes(&l->order));
    acme_recheck_put(&l->walk, &blob);
    copy = buffer_failed(&blob) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&blob));
    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "state of a look at CAA");
    *out = copy;
    return true;
}

static bool take_field(struct record_reader *in, const struct record_field *f, struct looking *out)
{
    switch (f->tag) {
    case FIELD_PROCEDURE: out->procedure = f->content; return true;
    case FIELD_ORDER: return record_octets(f->content, out->order.bytes, ACME_ID_LEN);
    default: return acme_recheck_take(in, f, &out->walk);
    }
}

static bool decode(struct bytes state, struct looking *out)
{
    struct record_reader in;
    struct record_field f;
    uint8_t version;

    *out = (struct looking){ 0 };
    if (!record_open(state, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &f))
        if (!take_field(&in, &f, out))
            return false;
    return !in.failed && out->procedure.len > 0;
}

/* --- before an order is asked for --- */
static struct state_key key_of(const struct acme_call *c, const struct acme_order *order)
{
    return (struct state_key){ .procedure = bytes_text(c->procedure->name),
                               .kind = "acme-caa",
                               .id = acme_id_bytes(&order->id) };
}

static bool all_fresh(struct acme_call *c, const struct acme_order *order, bool *fresh, struct error *err)
{
    *fresh = true;
    for (size_t i = 0; i < order->authz_count && *fresh; i++) {
        struct acme_authz authz;
        bool found = false;

        if (!acme_authz_read(c->turn, bytes_text(c->procedure->name), &order->authz[i], &found, &authz, err))
            return false;
        *fresh = !found || acme_caa_is_fresh(c->procedure, &authz, c->turn->now_s);
    }
    return true;
}

/* Held back where the procedure has patience. */
static enum acme_progress wait_for(struct acme_call *c, const struct acme_order *order,
                                   const struct job_id *job, struct error *err)
{
    c->turn->waits = true;
    c->turn->waits_for = *job;
    http_response_retry_after(c->turn->arena, c->response, RETRY_AFTER_S);
    return acme_respond_order(c, 200, order, err);
}

static enum acme_progress begin(struct acme_call *c, struct acme_order *order, uint64_t revision,
                                struct error *err)
{
    const struct looking l = { .procedure = bytes_text(c->procedure->name),
                               .order = order->id,
                               .walk.account_url = acme_call_url_of(c, "account", &c->account.id, "") };
    struct job_record job = { .kind = BYTES_LITERAL(ACME_CAA_JOB), .due_s = c->turn->now_s };
    struct state_value value = { .blob = bytes_of(job.id.bytes, sizeof(job.id.bytes)),
                                 .expires_s = order->keep_s };
    const struct state_key key = key_of(c, order);

    if (l.walk.account_url.data == NULL || !encode(&l, c->turn->arena, &job.state, err))
        return ACME_ERROR;
    if (!random_fill(&c->turn->random, job.id.bytes, sizeof(job.id.bytes))) {
        (void)error_set(err, ERROR_CRYPTO, "no randomness for a look at CAA");
        return ACME_ERROR;
    }
    order->status = ACME_ORDER_PROCESSING;
    change_state_put(&c->turn->changes, &key, &value, revision);
    change_job_put(&c->turn->changes, &job);
    return acme_order_put(c->turn, c->procedure, order, err) ? wait_for(c, order, &job.id, err) : ACME_ERROR;
}

enum acme_progress acme_await_caa(struct acme_call *c, struct acme_order *order, bool *asked,
                                  struct error *err)
{
    const struct state_key key = key_of(c, order);
    struct state_value value = { 0 };
    struct job_record job;
    struct job_id id;
    bool found = false, runs = false, fresh = false;

    *asked = order->status == ACME_ORDER_PROCESSING;
    if (c->procedure->acme_caa == ACME_CAA_OFF)
        return ACME_ON;
    if (!registry_state(c->turn->view, &key, c->turn->arena, &found, &value, err))
        return ACME_ERROR;
    if (*asked && !found)
        return ACME_ON;
    if (found && record_octets(value.blob, id.bytes, sizeof(id.bytes)) &&
        !registry_job(c->turn->view, &id, c->turn->arena, &runs, &job, err))
        return ACME_ERROR;
    if (runs)
        return wait_for(c, order, &id, err);
    *asked = false;
    if (!all_fresh(c, order, &fresh, err))
        return ACME_ERROR;
    return fresh ? ACME_ON : begin(c, order, found ? value.revision : 0, err);
}

bool acme_caa_is_over(struct acme_call *c, const struct acme_order *order, struct error *err)
{
    const struct state_key key = key_of(c, order);
    struct state_value value;
    bool found = false;

    if (c->procedure->acme_caa == ACME_CAA_OFF)
        return true;
    if (!registry_state(c->turn->view, &key, c->turn->arena, &found, &value, err))
        return false;
    if (found)
        change_state_delete(&c->turn->changes, &key, value.revision);
    return true;
}

/* --- the job --- */
struct run {
    struct turn *turn;
    const struct procedure *procedure;
    struct acme_order order;
    struct looking looking;
    struct job_step *out;
};

static bool over(struct run *r)
{
    r->out->effect = (struct job_effect){ .kind = JOB_EFFECT_DONE, .news = true };
    return true;
}

static bool fail(struct run *r, const char *detail, struct error *err)
{
    r->order.status = ACME_ORDER_INVALID;
    r->order.fault = (struct acme_fault){ .is = true, .problem = ACME_CAA, .detail = bytes_text(detail) };
    r->turn->facts.verdict = "refused";
    r->turn->facts.reason = refusal_name(REFUSAL_CAA);
    return acme_order_put(r->turn, r->procedure, &r->order, err) && over(r);
}

static bool try_later(struct run *r, struct error *err)
{
    int64_t pause_s = (int64_t)1 << r->looking.walk.tries;

    if (r->looking.walk.tries >= TRIES_MAX)
        return fail(r, ACME_CAA_TEXT_SILENCE, err);
    r->out->effect = (struct job_effect){
        .kind = JOB_EFFECT_WAIT, .until_s = r->turn->now_s + (pause_s < RETRY_MAX_S ? pause_s : RETRY_MAX_S)
    };
    return encode(&r->looking, r->turn->arena, &r->out->state, err);
}

bool acme_caa_run(struct turn *turn, const void *service, const struct job_record *job,
                  const struct job_event *event, struct job_step *out, struct error *err)
{
    struct run r = { .turn = turn, .out = out };
    bool found = false;

    if (!decode(job->state, &r.looking))
        return error_set(err, ERROR_FORMAT, "the state of a look at CAA cannot be read");
    turn->facts.protocol = "acme";
    turn->facts.operation = "caa";
    r.procedure = acme_procedure_named(service, r.looking.procedure);
    if (r.procedure == NULL)
        return over(&r);
    turn->facts.procedure = r.procedure->name;
    if (!acme_order_read(turn, r.procedure, &r.looking.order, true, &found, &r.order, err))
        return false;
    if (!found || r.order.status != ACME_ORDER_PROCESSING)
        return over(&r);
    switch (acme_recheck_run(turn, r.procedure, &r.order, &r.looking.walk, event, &out->effect, err)) {
    case ACME_RECHECK_ASKS: return encode(&r.looking, turn->arena, &out->state, err);
    case ACME_RECHECK_UNANSWERED: return try_later(&r, err);
    case ACME_RECHECK_FORBIDDEN: return fail(&r, ACME_CAA_TEXT_FORBIDS, err);
    case ACME_RECHECK_DONE: turn->facts.verdict = "served"; return over(&r);
    case ACME_RECHECK_ERROR: break;
    }
    return false;
}
