/* service_renewal.c: the job that renews one certificate of the gateway, or enrolls its first: order, write,
 * tell the CA, load. */
#include "enroll/chain.h"
#include "enroll/service_internal.h"
#include "lib/base/encode.h"

#include <stdio.h>

enum {
    REST_S = 6 * 3600,    /* after a refusal */
    REST_FIRST_S = 600,   /* of a first one: nothing is served meanwhile */
    LOAD_S = 10,          /* a reload takes no longer, mostly */
    FAILURE_PAUSE_S = 10, /* of the file or the reload; doubled with each */
    FAILURE_PAUSE_MAX_S = 3600,
};

struct run {
    struct turn *turn;
    const struct service_certificates *all;
    const struct service_certificate *certificate; /* as configured now; NULL: it is not any more */
    const struct ca *ca;                           /* NULL: the same */
    bool first;                                    /* there is none yet */
    bool follows, made;                            /* the one in use is the old one, or the new one */
    struct service_renewal renewal;
    struct job_step *out;
};

/* --- what the step ends in --- */
static bool wait_until(struct run *r, int64_t until_s, struct error *err)
{
    r->out->effect.kind = JOB_EFFECT_WAIT;
    r->out->effect.until_s = until_s;
    return service_renewal_encode(&r->renewal, r->turn->arena, &r->out->state, err);
}

static bool over(struct run *r)
{
    r->out->effect.kind = JOB_EFFECT_DONE;
    return true;
}

static void say(struct run *r, const char *verdict, const char *detail)
{
    struct bytes text = arena_format(r->turn->arena, "%s: %s",
                                     r->certificate != NULL ? r->certificate->what : "service certificate",
                                     detail);

    r->turn->facts.verdict = verdict;
    r->turn->facts.detail = text.data != NULL ? (const char *)text.data : detail;
}

static void complain(struct run *r, const char *what, const char *why)
{
    (void)snprintf(r->turn->facts.error, sizeof(r->turn->facts.error), "certificate of %s: %s: %s",
                   r->certificate != NULL ? r->certificate->what : "the gateway", what, why);
}

static bool rest(struct run *r, struct error *err)
{
    r->renewal.stage = SERVICE_STAGE_REST;
    return wait_until(r, r->turn->now_s + (r->first ? REST_FIRST_S : REST_S), err);
}

static bool load(struct run *r, struct error *err)
{
    r->renewal.stage = SERVICE_STAGE_LOAD;
    r->out->effect.reload = !r->made;
    r->renewal.failures = 0;
    return wait_until(r, r->turn->now_s + LOAD_S, err);
}

/* The CA heard, or does not want to. */
static bool told(struct run *r, struct error *err)
{
    return r->renewal.pem.len > 0 ? load(r, err) : rest(r, err);
}

static bool tell(struct run *r, enum order_phase phase, bool accepted, struct error *err)
{
    r->renewal.stage = SERVICE_STAGE_TELL;
    r->renewal.order.phase = phase;
    r->renewal.order.stage = ORDER_STAGE_BEGIN;
    r->renewal.order.accepted = accepted;
    r->renewal.order.deadline_s = r->turn->now_s + ORDER_FOLLOW_UP_KEEP_S;
    r->renewal.order.failures = 0;
    return wait_until(r, r->turn->now_s, err);
}

static int64_t pause_s(struct run *r)
{
    unsigned times = r->renewal.failures++;

    return times >= 9 ? FAILURE_PAUSE_MAX_S : FAILURE_PAUSE_S << times;
}

/* --- the file --- */
static bool write_file(struct run *r, struct error *err)
{
    r->renewal.stage = SERVICE_STAGE_WRITE;
    r->out->effect = (struct job_effect){ .kind = JOB_EFFECT_FILE,
                                          .path = r->certificate->path,
                                          .content = r->renewal.pem };
    return service_renewal_encode(&r->renewal, r->turn->arena, &r->out->state, err);
}

/* Confirmed first, then used: the certificate may be what the gateway shows to this very CA, and a
 * transaction goes on under the one that began it. */
static bool written(struct run *r, struct error *err)
{
    return r->renewal.confirms ? tell(r, ORDER_PHASE_CONFIRM, true, err) : load(r, err);
}

static bool not_written(struct run *r, const char *failure, struct error *err)
{
    complain(r, "issued, but the user that the gateway runs as cannot write it", failure);
    return wait_until(r, r->turn->now_s + pause_s(r), err);
}

static bool go_on_writing(struct run *r, const struct job_event *event, struct error *err)
{
    if (event->kind == JOB_EVENT_FILE)
        return event->file_ok ? written(r, err)
                              : not_written(r, event->file_failure != NULL ? event->file_failure : "", err);
    if (r->made) /* the gateway stopped after it was written */
        return written(r, err);
    if (r->follows)
        return write_file(r, err);
    say(r, "refused", "another certificate took its place meanwhile");
    return over(r);
}

static bool go_on_loading(struct run *r, struct error *err)
{
    if (r->made) {
        say(r, "served", "the new certificate is in use");
        return over(r);
    }
    if (!r->follows) {
        say(r, "refused", "another certificate took its place meanwhile");
        return over(r);
    }
    complain(r, "the new one is in its file, but not in use", "the configuration could not be read anew");
    r->out->effect.reload = true;
    return wait_until(r, r->turn->now_s + pause_s(r), err);
}

/* --- the order --- */
static bool take_certificate(struct run *r, const struct certificate *c, const struct connector_step *step,
                             struct error *err)
{
    char *serial = arena_alloc(r->turn->arena, 2 * c->serial.len + 1);

    if (serial == NULL)
        return error_set(err, ERROR_MEMORY, "serial number");
    hex_encode(c->serial, serial);
    if (!service_record_issued(r->turn, r->certificate, r->ca, c, err) ||
        !service_pem(r->turn, r->ca, c, step, &r->renewal.pem, err))
        return false;
    if (!sha256(c->encoded, &r->renewal.made))
        return error_openssl(err, "SHA-256");
    r->renewal.confirms = step->confirms && r->ca->connector->confirm != NULL;
    r->renewal.order.state = step->state;
    r->renewal.failures = 0;
    r->turn->facts.serial = bytes_text(serial);
    say(r, "issued", r->first ? "its first one" : "renewed");
    return write_file(r, err);
}

/* It goes back: by the CA's own confirmation, else it is revoked where it is over our key. */
static bool give_back(struct run *r, const struct certificate *c, const struct connector_step *step,
                      struct error *err)
{
    const struct connector *connector = r->ca->connector;

    r->renewal.order.certificate = step->certificate;
    r->renewal.order.state = step->state;
    r->renewal.order.reason = REVOCATION_CESSATION;
    if (step->confirms && connector->confirm != NULL)
        return tell(r, ORDER_PHASE_CONFIRM, false, err);
    if (connector->revoke != NULL && bytes_equal(c->key.spki, r->renewal.order.spki))
        return tell(r, ORDER_PHASE_REVOKE, false, err);
    return rest(r, err);
}

static bool judge(struct run *r, const struct connector_step *step, struct error *err)
{
    struct certificate c;
    const char *fault;

    if (!certified_judge_service(r->turn, r->ca, &r->certificate->certificate, step, &c, &fault, err) ||
        !enroll_chain_look(r->turn, r->ca, &c, err))
        return false;
    if (fault == NULL)
        return take_certificate(r, &c, step, err);
    complain(r, "the CA gave a wrong one", fault);
    say(r, "refused", fault);
    return give_back(r, &c, step, err);
}

static bool rejected(struct run *r, const char *why, struct error *err)
{
    complain(r, r->first ? "the CA rejected its first one" : "the CA rejected its renewal",
             why != NULL ? why : "without a word");
    return rest(r, err);
}

static bool take_step(struct run *r, const struct connector_step *step, struct error *err)
{
    const struct order_drive drive = { .turn = r->turn, .ca = r->ca, .order = &r->renewal.order };
    bool fetching = r->renewal.stage == SERVICE_STAGE_ORDER;

    switch (step->verdict) {
    case CONNECTOR_SEND:
        return order_take_step(&r->renewal.order, step, r->turn->now_s, err) &&
               order_leave(&drive, &r->out->effect, err) &&
               service_renewal_encode(&r->renewal, r->turn->arena, &r->out->state, err);
    case CONNECTOR_WAIT:
        return order_take_step(&r->renewal.order, step, r->turn->now_s, err) &&
               wait_until(r, r->renewal.order.next_s, err);
    case CONNECTOR_AGAIN:
        return order_again(&drive, step->why, err) && wait_until(r, r->renewal.order.next_s, err);
    case CONNECTOR_ISSUED:
        if (fetching)
            return judge(r, step, err);
        break;
    case CONNECTOR_REJECTED:
        say(r, "refused", step->why != NULL ? step->why : "the CA rejected it");
        return fetching ? rejected(r, step->why, err) : told(r, err);
    case CONNECTOR_DONE:
        if (!fetching)
            return told(r, err);
        break;
    case CONNECTOR_CHAIN:
    case CONNECTOR_UNSET: break;
    }
    return error_set(err, ERROR_INTERNAL, "the connector of CA %s gave no verdict that fits", r->ca->name);
}

static bool send_again(struct run *r, struct error *err)
{
    const struct order_drive drive = { .turn = r->turn, .ca = r->ca, .order = &r->renewal.order };

    return order_leave(&drive, &r->out->effect, err) &&
           service_renewal_encode(&r->renewal, r->turn->arena, &r->out->state, err);
}

static bool go_on_asking(struct run *r, const struct job_event *event, struct error *err)
{
    const struct order *order = &r->renewal.order;
    const struct order_drive drive = { .turn = r->turn, .ca = r->ca, .order = &r->renewal.order };
    bool due = event->kind == JOB_EVENT_DUE;
    struct connector_step step = { 0 };
    bool spoke;

    if (due && r->turn->now_s >= order->deadline_s) {
        complain(r, "CA silent", "it was asked for as long as orders are kept");
        return r->renewal.pem.len > 0 ? load(r, err) : over(r); /* and is ordered anew */
    }
    if (due && order->stage == ORDER_STAGE_SEND)
        return send_again(r, err);
    if (order->stage == ORDER_STAGE_BEGIN && order->phase == ORDER_PHASE_FETCH)
        spoke = service_order_start(r->turn, r->certificate, r->ca, &step, err);
    else
        spoke = order_ask(&drive, event, &step, err);
    if (spoke && order->stage == ORDER_STAGE_BEGIN && step.verdict == CONNECTOR_SEND)
        say(r, "pending",
            r->renewal.stage != SERVICE_STAGE_ORDER ? "the CA is told what became of it"
            : r->first                              ? "its first one is ordered"
                                                    : "its renewal is ordered");
    return spoke && take_step(r, &step, err);
}

/* --- one step --- */
static bool find(struct run *r, struct error *err)
{
    struct digest256 digest;

    for (size_t i = 0; i < r->all->count; i++)
        if (bytes_is(r->renewal.path, r->all->item[i].path))
            r->certificate = &r->all->item[i];
    r->ca = order_ca(r->all->enroll, r->renewal.order.ca);
    if (r->certificate == NULL)
        return true;
    if (!service_digest(r->certificate, &digest, err))
        return false;
    r->first = service_is_awaited(r->certificate);
    r->follows = digest256_equal(&digest, &r->renewal.follows);
    r->made = digest256_equal(&digest, &r->renewal.made);
    return true;
}

static bool is_still_wanted(const struct run *r)
{
    return r->ca != NULL && r->certificate->ca != NULL && bytes_is(r->renewal.order.ca, r->certificate->ca);
}

static bool go_on(struct run *r, const struct job_event *event, struct error *err)
{
    switch (r->renewal.stage) {
    case SERVICE_STAGE_ORDER:
        if (r->follows && is_still_wanted(r))
            return go_on_asking(r, event, err);
        say(r, "refused",
            !r->follows ? "it was replaced meanwhile, or another is wanted"
                        : "it is not asked of that CA any more");
        return over(r);
    case SERVICE_STAGE_WRITE:
        if (r->certificate != NULL)
            return go_on_writing(r, event, err);
        say(r, "refused", "it is not configured any more");
        return over(r);
    case SERVICE_STAGE_TELL: return r->ca != NULL ? go_on_asking(r, event, err) : told(r, err);
    case SERVICE_STAGE_LOAD: return go_on_loading(r, err);
    case SERVICE_STAGE_REST: return over(r);
    case SERVICE_STAGE_NONE:
    case SERVICE_STAGE_COUNT: break;
    }
    return error_set(err, ERROR_INTERNAL, "no such stage");
}

bool enroll_service_renewal_job_run(struct turn *turn, const void *service, const struct job_record *job,
                                    const struct job_event *event, struct job_step *out, struct error *err)
{
    struct run r = { .turn = turn, .all = service, .out = out };

    if (!service_renewal_decode(job->state, &r.renewal))
        return error_set(err, ERROR_FORMAT, "a stored renewal of a service certificate is malformed");
    return find(&r, err) && go_on(&r, event, err);
}
