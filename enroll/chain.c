/* chain.c: the jobs that ask an upstream CA for its chain: ask, judge, write, load. */
#include "enroll/chain_internal.h"

#include <stdio.h>

#include "registry/state.h"

enum {
    ASK_KEEP_S = 600,     /* the CA is asked for this long; then there is a pause */
    ASK_APART_S = 60,     /* it is not asked more often, whatever certificates come */
    LOAD_S = 10,          /* a reload takes no longer, mostly */
    FAILURE_PAUSE_S = 10, /* doubled with each */
    FAILURE_PAUSE_MAX_S = 3600,
};

struct run {
    struct turn *turn;
    const struct ca *ca;
    struct chain_asking asking;
    struct job_step *out;
};

static bool is_asked(const struct ca *ca)
{
    return ca->anchor_count > 0 && ca->connector->ask_chain != NULL;
}

/* --- what the step ends in --- */
static bool wait_until(struct run *r, int64_t until_s, struct error *err)
{
    r->out->effect.kind = JOB_EFFECT_WAIT;
    r->out->effect.until_s = until_s;
    return chain_asking_encode(&r->asking, r->turn->arena, &r->out->state, err);
}

static void say(struct run *r, const char *verdict, const char *detail)
{
    struct bytes text = arena_format(r->turn->arena, "CA %s: %s", r->ca->name, detail);

    r->turn->facts.verdict = verdict;
    r->turn->facts.detail = text.data != NULL ? (const char *)text.data : detail;
}

static void complain(struct run *r, const char *what, const char *why)
{
    (void)snprintf(r->turn->facts.error, sizeof(r->turn->facts.error), "chain of CA %s: %s: %s%s",
                   r->ca->name, what, why, r->ca->chain_awaited ? "; it is not known yet" : "");
}

static bool rest(struct run *r, int64_t until_s, struct error *err)
{
    r->asking.stage = CHAIN_STAGE_REST;
    r->asking.pem = BYTES_NONE;
    r->asking.order = (struct order){ .phase = ORDER_PHASE_CHAIN, .ca = bytes_text(r->ca->name) };
    return wait_until(r, until_s, err);
}

static int64_t pause_s(struct run *r)
{
    unsigned times = r->asking.failures++;
    int64_t pause = times >= 9 ? FAILURE_PAUSE_MAX_S : FAILURE_PAUSE_S << times;

    return pause < (int64_t)r->ca->chain_refresh_s ? pause : (int64_t)r->ca->chain_refresh_s;
}

static bool failed(struct run *r, const char *what, const char *why, struct error *err)
{
    complain(r, what, why);
    return rest(r, r->turn->now_s + pause_s(r), err);
}

static bool known(struct run *r, struct error *err)
{
    r->asking.failures = 0;
    r->asking.issuer = BYTES_NONE;
    return rest(r, r->turn->now_s + (int64_t)r->ca->chain_refresh_s, err);
}

/* --- write, load --- */
static bool is_in_use(const struct run *r, bool *is, struct error *err)
{
    struct digest256 digest;

    if (!sha256(r->asking.pem, &digest))
        return error_openssl(err, "SHA-256");
    *is = digest256_equal(&digest, &r->ca->chain_pem);
    return true;
}

static bool write_file(struct run *r, struct error *err)
{
    r->asking.stage = CHAIN_STAGE_WRITE;
    r->out->effect =
        (struct job_effect){ .kind = JOB_EFFECT_FILE, .path = r->ca->chain_path, .content = r->asking.pem };
    return chain_asking_encode(&r->asking, r->turn->arena, &r->out->state, err);
}

static bool load(struct run *r, struct error *err)
{
    r->asking.stage = CHAIN_STAGE_LOAD;
    r->out->effect.reload = true;
    return wait_until(r, r->turn->now_s + LOAD_S, err);
}

static bool go_on_writing(struct run *r, const struct job_event *event, struct error *err)
{
    if (event->kind != JOB_EVENT_FILE) /* the gateway stopped meanwhile */
        return write_file(r, err);
    if (event->file_ok)
        return load(r, err);
    return failed(r, "it cannot be written", event->file_failure != NULL ? event->file_failure : "", err);
}

static bool go_on_loading(struct run *r, struct error *err)
{
    bool in_use = false;

    if (!is_in_use(r, &in_use, err))
        return false;
    if (!in_use)
        return failed(r, "it is in its file, but not in use", "the configuration could not be read anew",
                      err);
    if (r->ca->chain_awaited)
        return failed(r, "it is in its file, but does not hold", r->ca->chain_path, err);
    say(r, "served", "its chain is in use, as it told it");
    return known(r, err);
}

/* --- ask --- */
static bool is_told(const struct connector_step *step, struct bytes der)
{
    for (size_t i = 0; i < step->chain_count; i++)
        if (bytes_equal(step->chain[i], der))
            return true;
    return false;
}

/* By whom a certificate came last; else by whom it issued until now, while it says so. */
static bool choose(struct run *r, const struct connector_step *step, struct ca_chain *chain,
                   const char **fault, struct error *err)
{
    struct bytes der[CA_TOLD_MAX];
    struct ca_told told;
    struct certificate first;

    ca_told_beside_known(r->ca, step->chain, step->chain_count, der, &told);
    told.issuer = r->asking.issuer;
    if (told.issuer.len > 0) {
        if (!ca_chain_choose(r->ca, &told, r->turn->now_s, r->turn->arena, chain, fault, err))
            return false;
        if (*fault == NULL && certificate_decode(chain->chain[0], r->turn->arena, &first) &&
            bytes_equal(first.subject.encoded, told.issuer))
            return true;
    }
    told.issuer = !r->ca->chain_awaited && is_told(step, r->ca->chain[0]) ? r->ca->certificate.subject.encoded
                                                                          : BYTES_NONE;
    return ca_chain_choose(r->ca, &told, r->turn->now_s, r->turn->arena, chain, fault, err);
}

static bool judge(struct run *r, const struct connector_step *step, struct error *err)
{
    struct ca_chain chain;
    const char *fault;
    bool in_use = false;

    if (!choose(r, step, &chain, &fault, err))
        return false;
    if (fault != NULL)
        return failed(r, "what the CA tells does not count", fault, err);
    if (!ca_chain_pem(&chain, r->turn->arena, &r->asking.pem, err) || !is_in_use(r, &in_use, err))
        return false;
    if (in_use && !r->ca->chain_awaited)
        return known(r, err);
    say(r, "pending", "it told a chain that what is pinned vouches for");
    return write_file(r, err);
}

static bool take_step(struct run *r, const struct connector_step *step, struct error *err)
{
    struct order *order = &r->asking.order;
    const struct order_drive drive = { .turn = r->turn, .ca = r->ca, .order = order };

    switch (step->verdict) {
    case CONNECTOR_SEND:
        return order_take_step(order, step, r->turn->now_s, err) &&
               order_leave(&drive, &r->out->effect, err) &&
               chain_asking_encode(&r->asking, r->turn->arena, &r->out->state, err);
    case CONNECTOR_WAIT:
        return order_take_step(order, step, r->turn->now_s, err) && wait_until(r, order->next_s, err);
    case CONNECTOR_AGAIN: return order_again(&drive, step->why, err) && wait_until(r, order->next_s, err);
    case CONNECTOR_CHAIN: return judge(r, step, err);
    case CONNECTOR_REJECTED:
        return failed(r, "the CA does not tell it", step->why != NULL ? step->why : "without a word", err);
    case CONNECTOR_ISSUED:
    case CONNECTOR_DONE:
    case CONNECTOR_UNSET: break;
    }
    return error_set(err, ERROR_INTERNAL, "the connector of CA %s gave no verdict that fits", r->ca->name);
}

static bool go_on_asking(struct run *r, const struct job_event *event, struct error *err)
{
    struct order *order = &r->asking.order;
    const struct order_drive drive = { .turn = r->turn, .ca = r->ca, .order = order };
    struct connector_step step = { 0 };

    if (event->kind == JOB_EVENT_DUE && r->turn->now_s >= order->deadline_s)
        return failed(r, "the CA is silent", "it is asked again later", err);
    if (event->kind == JOB_EVENT_DUE && order->stage == ORDER_STAGE_SEND)
        return order_leave(&drive, &r->out->effect, err) &&
               chain_asking_encode(&r->asking, r->turn->arena, &r->out->state, err);
    return order_ask(&drive, event, &step, err) && take_step(r, &step, err);
}

static bool begin(struct run *r, struct error *err)
{
    const struct job_event due = { .kind = JOB_EVENT_DUE };

    r->asking.stage = CHAIN_STAGE_ASK;
    r->asking.asked_s = r->turn->now_s;
    r->asking.order = (struct order){ .phase = ORDER_PHASE_CHAIN,
                                      .ca = bytes_text(r->ca->name),
                                      .deadline_s = r->turn->now_s + ASK_KEEP_S };
    return go_on_asking(r, &due, err);
}

/* --- one step --- */
static bool go_on(struct run *r, const struct job_event *event, struct error *err)
{
    switch (r->asking.stage) {
    case CHAIN_STAGE_REST: return begin(r, err);
    case CHAIN_STAGE_ASK: return go_on_asking(r, event, err);
    case CHAIN_STAGE_WRITE: return go_on_writing(r, event, err);
    case CHAIN_STAGE_LOAD: return go_on_loading(r, err);
    case CHAIN_STAGE_NONE:
    case CHAIN_STAGE_COUNT: break;
    }
    return error_set(err, ERROR_INTERNAL, "no such stage");
}

bool enroll_chain_job_run(struct turn *turn, const void *service, const struct job_record *job,
                          const struct job_event *event, struct job_step *out, struct error *err)
{
    struct run r = { .turn = turn, .out = out };

    if (!chain_asking_decode(job->state, &r.asking))
        return error_set(err, ERROR_FORMAT, "a stored asking for the chain of a CA is malformed");
    r.ca = order_ca(service, r.asking.order.ca);
    if (r.ca != NULL && is_asked(r.ca))
        return go_on(&r, event, err);
    out->effect.kind = JOB_EFFECT_DONE; /* it is not configured any more, or not so */
    return true;
}

/* --- when --- */
static bool read_asking(struct turn *turn, const struct ca *ca, bool *found, struct job_record *job,
                        struct chain_asking *asking, struct error *err)
{
    struct job_id id;

    if (!job_id_named("chain of CA", ca->name, &id))
        return error_openssl(err, "SHA-256");
    if (!registry_job(turn->view, &id, turn->arena, found, job, err))
        return false;
    if (*found && !chain_asking_decode(job->state, asking))
        return error_set(err, ERROR_FORMAT, "a stored asking for the chain of a CA is malformed");
    job->id = id;
    return true;
}

static bool put_asking(struct turn *turn, struct job_record *job, const struct chain_asking *asking,
                       int64_t due_s, struct error *err)
{
    job->kind = BYTES_LITERAL(ENROLL_CHAIN_JOB);
    job->due_s = due_s;
    if (!chain_asking_encode(asking, turn->arena, &job->state, err))
        return false;
    change_job_put(&turn->changes, job);
    return true;
}

static int64_t soon_s(const struct turn *turn, const struct chain_asking *asking)
{
    int64_t soon = asking->asked_s + ASK_APART_S;

    return soon > turn->now_s ? soon : turn->now_s;
}

bool enroll_chain_look(struct turn *turn, const struct ca *ca, const struct certificate *issued,
                       struct error *err)
{
    struct job_record job = { 0 };
    struct chain_asking asking;
    bool found = false;

    if (!is_asked(ca) || issued->encoded.len == 0 ||
        bytes_equal(issued->issuer.encoded, ca->certificate.subject.encoded))
        return true;
    if (!read_asking(turn, ca, &found, &job, &asking, err))
        return false;
    if (!found || asking.stage != CHAIN_STAGE_REST) /* it is asked these days */
        return true;
    asking.issuer = issued->issuer.encoded;
    return put_asking(turn, &job, &asking, soon_s(turn, &asking), err);
}

/* One that is awaited is not left until tomorrow: its file may have been lost. */
static bool attend(struct turn *turn, const struct ca *ca, struct error *err)
{
    struct job_record job = { 0 };
    struct chain_asking asking = { .stage = CHAIN_STAGE_REST,
                                   .order = { .phase = ORDER_PHASE_CHAIN, .ca = bytes_text(ca->name) } };
    bool found = false;

    if (!is_asked(ca))
        return true;
    if (!read_asking(turn, ca, &found, &job, &asking, err))
        return false;
    if (found && (!ca->chain_awaited || asking.stage != CHAIN_STAGE_REST || asking.failures > 0 ||
                  job.due_s <= soon_s(turn, &asking)))
        return true;
    return put_asking(turn, &job, &asking, soon_s(turn, &asking), err);
}

bool enroll_chains_job_run(struct turn *turn, const void *service, const struct job_record *job,
                           const struct job_event *event, struct job_step *out, struct error *err)
{
    const struct enroll_service *s = service;

    (void)job;
    (void)event;
    for (size_t i = 0; i < s->ca_count; i++)
        if (!attend(turn, &s->ca[i], err))
            return false;
    out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + CHAIN_LOOK_S };
    return true;
}
