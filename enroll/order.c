/* order.c: the job that drives an order. What must be known before the next thing leaves is in the step's
 * state and changes; a crash at any point is one of the events that a connector knows. */
#include "enroll/chain.h"
#include "enroll/confirm_internal.h"
#include "enroll/order_internal.h"

#include <stdio.h>

#include "registry/certificates.h"
#include "registry/registrations.h"
#include "registry/state.h"

enum {
    REJECTED_KEEP_S = 3600,   /* a device learns of the rejection when it asks; then it may order again */
    HOLD_KEEP_S = 60 * 86400, /* longer than any device is waited for */
    HOLD_LOOK_S = 3600,       /* it is woken; this is for when that was missed */
    WHY_MAX = 256,
};

struct run {
    struct turn *turn;
    const struct enroll_service *service;
    const struct job_record *job;
    const struct ca *ca;               /* NULL: not configured any more */
    const struct procedure *procedure; /* NULL: the same; REVOKE has none */
    struct order order;
    struct job_step *out;
};

static struct order_drive drive_of(struct run *r)
{
    return (struct order_drive){ .turn = r->turn, .ca = r->ca, .order = &r->order };
}

/* --- what the step ends in --- */
static bool wait_until(struct run *r, int64_t until_s, struct error *err)
{
    r->out->effect.kind = JOB_EFFECT_WAIT;
    r->out->effect.until_s = until_s;
    return order_encode(&r->order, r->turn->arena, &r->out->state, err);
}

static bool over(struct run *r)
{
    r->out->effect.kind = JOB_EFFECT_DONE;
    return true;
}

/* The request goes out once this is durable. */
static bool leave(struct run *r, struct error *err)
{
    const struct order_drive drive = drive_of(r);

    return order_leave(&drive, &r->out->effect, err) &&
           order_encode(&r->order, r->turn->arena, &r->out->state, err);
}

static bool follow_up(struct run *r, enum order_phase phase, struct error *err)
{
    r->order.phase = phase;
    r->order.stage = ORDER_STAGE_BEGIN;
    r->order.deadline_s = r->turn->now_s + ORDER_FOLLOW_UP_KEEP_S;
    r->order.failures = 0;
    return wait_until(r, r->turn->now_s, err);
}

static void say(struct run *r, const char *verdict, const char *reason, const char *detail)
{
    r->turn->facts.verdict = verdict;
    r->turn->facts.reason = reason;
    r->turn->facts.detail = detail;
}

/* --- without a certificate --- */
static struct transaction_key key_of(const struct run *r)
{
    return (struct transaction_key){ r->order.procedure, r->order.protocol, r->order.transaction_id };
}

/* The transaction still waits for this order. */
static bool read_waiting(struct run *r, struct transaction *t, bool *waits, struct error *err)
{
    const struct transaction_key key = key_of(r);

    if (!transaction_read(r->turn, &key, t, err))
        return false;
    *waits = t->status == TRANSACTION_ORDERED && memcmp(&t->order, &r->job->id, sizeof(t->order)) == 0;
    return true;
}

static bool read_registration(struct run *r, struct registration **out, struct error *err)
{
    static const struct registration_id none;
    struct registration *registration = arena_alloc(r->turn->arena, sizeof(*registration));
    bool found = false;

    *out = NULL;
    if (registration == NULL)
        return error_set(err, ERROR_MEMORY, "registration");
    if (bytes_equal(registration_id_bytes(&r->order.registration), registration_id_bytes(&none)))
        return true;
    if (!registry_registration_by_id(r->turn->view, &r->order.registration, r->turn->arena, &found,
                                     registration, err))
        return false;
    if (found)
        *out = registration;
    return true;
}

/* The one-time registration that this order used may be used again, unless an officer has changed it since.
 */
static bool free_registration(struct run *r, struct error *err)
{
    struct registration *registration;

    if (!r->order.registration_used)
        return true;
    if (!read_registration(r, &registration, err))
        return false;
    if (registration != NULL && registration->one_time && registration->used &&
        registration->revision == r->order.registration_revision)
        change_registration_use(&r->turn->changes, &registration->id, registration->revision, false);
    return true;
}

static bool reject(struct run *r, const char *why, struct error *err)
{
    const struct transaction_key key = key_of(r);
    struct transaction t;
    bool waits;

    say(r, "refused", refusal_name(REFUSAL_CA_REJECTED), why);
    if (!read_waiting(r, &t, &waits, err))
        return false;
    if (waits) {
        t.status = TRANSACTION_REJECTED;
        t.order = (struct job_id){ 0 };
        t.why = bytes_slice(bytes_text(why), 0, WHY_MAX);
        if (!transaction_put(r->turn, &key, &t, r->turn->now_s + REJECTED_KEEP_S, err) ||
            !free_registration(r, err))
            return false;
    }
    r->out->effect.news = true;
    return order_unlist(r->turn, r->order.procedure, &r->job->id, err);
}

static bool give_up(struct run *r, struct error *err)
{
    if (r->order.phase != ORDER_PHASE_FETCH) {
        say(r, "error", NULL, "the CA could not be told in time");
        return over(r);
    }
    return reject(r, "the CA gave no certificate in time", err) && over(r);
}

/* --- with a certificate --- */
/* Back to the CA: by its own transaction where it asks for confirmation. Else it is revoked, but only over
 * the key that was ordered: one over another key may be what somebody else waits for. */
static bool give_back(struct run *r, const struct connector_step *step, const struct certificate *certificate,
                      struct error *err)
{
    const struct connector *connector = r->ca->connector;
    bool ours = bytes_equal(certificate->key.spki, r->order.spki);

    r->order.accepted = false;
    r->order.certificate = step->certificate;
    r->order.state = step->state;
    r->order.reason = REVOCATION_CESSATION;
    if (step->confirms && connector->confirm != NULL)
        return follow_up(r, ORDER_PHASE_CONFIRM, err);
    if (connector->revoke != NULL && ours)
        return follow_up(r, ORDER_PHASE_REVOKE, err);
    return over(r);
}

static bool course_of(struct run *r, const struct transaction *t, struct course *c, struct error *err)
{
    struct requested *requested = arena_alloc(r->turn->arena, sizeof(*requested));

    if (requested == NULL)
        return error_set(err, ERROR_MEMORY, "order");
    if (!public_key_parse(r->order.spki, &requested->key))
        return error_set(err, ERROR_FORMAT, "the key that was ordered cannot be read back");
    memcpy(requested->unknown_attribute, r->order.unknown, sizeof(r->order.unknown));
    requested->unknown_attribute_count = r->order.unknown_count;
    c->e.protocol = r->order.protocol;
    c->e.procedure = r->procedure;
    c->e.transaction_id = r->order.transaction_id;
    c->e.signer = t->signer;
    c->e.requested = requested;
    c->e.repeat_s = r->order.repeat_s;
    c->e.form = t->form;
    c->e.profile = t->profile.len > 0 ? enroll_profile(r->procedure, t->profile) : NULL;
    c->e.confirm_within_s = t->confirm_within_s;
    c->ra.name = r->order.ra_name;
    c->ra.id = r->order.ra;
    c->identity.fqdn = r->order.fqdn;
    c->identity.key = t->key;
    c->names_asked = t->names;
    c->transaction = *t;
    c->verdict.admitted = true;
    c->verdict.credential_held = true;
    return true;
}

/* What admitted it then has not been withdrawn since: NULL, or what has. */
static bool judge_admission(struct run *r, struct course *c, const char **fault, struct error *err)
{
    static const struct registration_id none;
    bool registered = !bytes_equal(registration_id_bytes(&r->order.registration),
                                   registration_id_bytes(&none));
    struct registration *registration;
    bool found = false, awaited = false;

    *fault = NULL;
    if (!read_registration(r, &registration, err))
        return false;
    c->verdict.registration = registration;
    if (registered && (registration == NULL || !registration_is_open(registration)))
        *fault = "its registration was closed meanwhile";
    if (r->order.renews.serial_len == 0)
        return true;
    if (!registry_certificate_by_id(r->turn->view, &r->order.renews, r->turn->arena, &found,
                                    &c->holder.record, err))
        return false;
    c->holder.kind = HOLDER_OURS;
    if (!found || c->holder.record.status != CERTIFICATE_GOOD)
        *fault = "the certificate that it renews was revoked meanwhile";
    if (!confirmation_awaited(r->turn, &r->order.renews, &awaited, err))
        return false;
    if (*fault == NULL && awaited) /* two renewals of one certificate: the first counts */
        *fault = "another renewal of its certificate awaits confirmation";
    return true;
}

/* The CA is told what the device says, after it has said it: enroll_order_wake(), or time. */
static bool hold(struct run *r, struct error *err)
{
    r->order.phase = ORDER_PHASE_CONFIRM;
    r->order.stage = ORDER_STAGE_HOLD;
    r->order.deadline_s = r->turn->now_s + HOLD_KEEP_S;
    return wait_until(r, r->turn->now_s + HOLD_LOOK_S, err);
}

static bool look_at_confirmation(struct run *r, struct error *err)
{
    const struct transaction_key key = key_of(r);
    struct transaction t;

    if (!transaction_read(r->turn, &key, &t, err))
        return false;
    if (memcmp(&t.order, &r->job->id, sizeof(t.order)) == 0 && t.confirmation == CONFIRMATION_AWAITED)
        return wait_until(r, r->turn->now_s + HOLD_LOOK_S, err);
    r->order.accepted = t.confirmation == CONFIRMATION_DONE;
    return follow_up(r, ORDER_PHASE_CONFIRM, err);
}

static bool hand_out(struct run *r, const struct connector_step *step, struct course *c, struct error *err)
{
    if (course_record_issued(c, r->ca, step->certificate, err) != PROGRESS_ANSWERED ||
        !order_unlist(r->turn, r->order.procedure, &r->job->id, err))
        return false;
    r->turn->facts.detail = "ordered from the CA";
    r->out->effect.news = true;
    if (!step->confirms || r->ca->connector->confirm == NULL)
        return over(r);
    r->order.accepted = true;
    r->order.state = step->state;
    return c->e.confirm_within_s > 0 ? hold(r, err) : follow_up(r, ORDER_PHASE_CONFIRM, err);
}

static bool take_certificate(struct run *r, const struct connector_step *step, struct error *err)
{
    struct enroll_result result = { 0 };
    struct course c = { .turn = r->turn, .service = r->service, .out = &result };
    struct certificate certificate;
    struct transaction t;
    const char *fault, *withdrawn = NULL;
    bool waits;

    if (!certified_judge(r->turn, r->ca, &r->order, step, &certificate, &fault, err) ||
        !enroll_chain_look(r->turn, r->ca, &certificate, err) || !read_waiting(r, &t, &waits, err))
        return false;
    if (fault == NULL && !waits)
        fault = "nobody waits for it any more";
    if (fault == NULL && (!course_of(r, &t, &c, err) || !judge_admission(r, &c, &withdrawn, err)))
        return false;
    if (fault == NULL && withdrawn == NULL)
        return hand_out(r, step, &c, err);
    if (!reject(r, fault != NULL ? fault : withdrawn, err))
        return false;
    if (fault != NULL)
        (void)snprintf(r->turn->facts.error, sizeof(r->turn->facts.error),
                       "CA %s gave a wrong certificate: %s", r->ca->name, fault);
    return give_back(r, step, &certificate, err);
}

/* --- one step --- */
static bool send_again(struct run *r, const char *why, struct error *err)
{
    const struct order_drive drive = drive_of(r);

    return order_again(&drive, why, err) && wait_until(r, r->order.next_s, err);
}

static bool take_step(struct run *r, const struct connector_step *step, struct error *err)
{
    bool fetching = r->order.phase == ORDER_PHASE_FETCH;

    switch (step->verdict) {
    case CONNECTOR_SEND: return order_take_step(&r->order, step, r->turn->now_s, err) && leave(r, err);
    case CONNECTOR_WAIT:
        return order_take_step(&r->order, step, r->turn->now_s, err) && wait_until(r, r->order.next_s, err);
    case CONNECTOR_AGAIN: return send_again(r, step->why, err);
    case CONNECTOR_ISSUED:
        if (fetching)
            return take_certificate(r, step, err);
        break;
    case CONNECTOR_REJECTED:
        if (fetching)
            return reject(r, step->why != NULL ? step->why : "the CA rejected it", err) && over(r);
        say(r, "refused", refusal_name(REFUSAL_CA_REJECTED), step->why);
        return over(r);
    case CONNECTOR_DONE:
        if (!fetching)
            return over(r);
        break;
    case CONNECTOR_CHAIN:
    case CONNECTOR_UNSET: break;
    }
    return error_set(err, ERROR_INTERNAL, "the connector of CA %s gave no verdict that fits", r->ca->name);
}

static const struct procedure *procedure_of(const struct enroll_service *service, struct bytes name)
{
    for (size_t i = 0; i < service->procedure_count; i++)
        if (bytes_is(name, service->procedure[i]->name))
            return service->procedure[i];
    return NULL;
}

const struct ca *order_ca(const struct enroll_service *service, struct bytes name)
{
    for (size_t i = 0; i < service->ca_count; i++)
        if (bytes_is(name, service->ca[i].name))
            return &service->ca[i];
    return NULL;
}

static void begin_facts(const struct run *r)
{
    r->turn->facts.protocol = protocol_name(r->order.protocol);
    r->turn->facts.procedure = r->procedure != NULL ? r->procedure->name : NULL;
    r->turn->facts.transaction = r->order.transaction_id;
    r->turn->facts.fqdn = dns_name_bytes(&r->order.fqdn);
}

bool enroll_order_job_run(struct turn *turn, const void *service, const struct job_record *job,
                          const struct job_event *event, struct job_step *out, struct error *err)
{
    struct run *r = arena_alloc(turn->arena, sizeof(*r)); /* the facts point into it */
    struct connector_step step = { 0 };
    struct order_drive drive;

    if (r == NULL)
        return error_set(err, ERROR_MEMORY, "order");
    *r = (struct run){ .turn = turn, .service = service, .job = job, .out = out };
    if (!order_decode(job->state, &r->order))
        return error_set(err, ERROR_FORMAT, "a stored order is malformed");
    r->ca = order_ca(service, r->order.ca);
    r->procedure = procedure_of(service, r->order.procedure);
    begin_facts(r);
    if (event->kind == JOB_EVENT_DUE && turn->now_s >= r->order.deadline_s)
        return give_up(r, err);
    if (r->ca == NULL || (r->procedure == NULL && r->order.phase == ORDER_PHASE_FETCH))
        return error_set(err, ERROR_NOT_FOUND, "order: CA %.*s or procedure %.*s is not configured any more",
                         BYTES_FMT(r->order.ca), BYTES_FMT(r->order.procedure));
    if (event->kind == JOB_EVENT_DUE && r->order.stage == ORDER_STAGE_SEND)
        return leave(r, err);
    if (r->order.stage == ORDER_STAGE_HOLD)
        return look_at_confirmation(r, err);
    drive = drive_of(r);
    return order_ask(&drive, event, &step, err) && take_step(r, &step, err);
}
