/* order_drive.c: an order and the connector of its CA: what is sent, what came of it, what is sent again. */
#include "enroll/order_internal.h"

#include <stdio.h>

bool order_leave(const struct order_drive *d, struct job_effect *effect, struct error *err)
{
    struct order *o = d->order;

    o->stage = ORDER_STAGE_SENT;
    *effect = (struct job_effect){
        .kind = JOB_EFFECT_HTTP,
        .method = HTTP_METHOD_POST,
        .url = o->url,
        .content_type = o->content_type,
        .body = o->body,
        .timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : d->ca->patience.timeout_ms,
        .target = d->ca->name,
        .target_max = d->ca->patience.concurrency,
    };
    if (o->trust_path.len > 0 && (effect->trust_path = arena_text(d->turn->arena, o->trust_path)) == NULL)
        return error_set(err, ERROR_MEMORY, "order");
    return true;
}

bool order_again(const struct order_drive *d, const char *why, struct error *err)
{
    struct order *o = d->order;

    if (why != NULL && d->turn->facts.error[0] == '\0')
        (void)snprintf(d->turn->facts.error, sizeof(d->turn->facts.error), "CA %s: %s", d->ca->name, why);
    if (o->url.len == 0)
        return error_set(err, ERROR_INTERNAL, "CA %s: nothing was sent before", d->ca->name);
    o->stage = ORDER_STAGE_SEND;
    o->next_s = d->turn->now_s + job_backoff_s(o->failures);
    o->failures++;
    return true;
}

static bool begin_phase(const struct order_drive *d, const struct connector_call *call,
                        struct connector_step *step, struct error *err)
{
    const struct connector *connector = d->ca->connector;
    const struct ca_revocation what = { .certificate = d->order->certificate,
                                        .reason = d->order->reason,
                                        .now_s = call->now_s };

    if (d->order->phase == ORDER_PHASE_CONFIRM && connector->confirm != NULL)
        return connector->confirm(call, d->order->state, d->order->accepted, step, err);
    if (d->order->phase == ORDER_PHASE_REVOKE && connector->revoke != NULL)
        return connector->revoke(call, &what, step, err);
    if (d->order->phase == ORDER_PHASE_CHAIN && connector->ask_chain != NULL)
        return connector->ask_chain(call, step, err);
    return error_set(err, ERROR_INTERNAL, "CA %s cannot do what its order asks for", d->ca->name);
}

static struct connector_event event_of(const struct order_drive *d, const struct job_event *event)
{
    struct connector_event e = { .kind = CONNECTOR_EVENT_DUE };

    if (event->kind == JOB_EVENT_HTTP && event->http_ok)
        e = (struct connector_event){ .kind = CONNECTOR_EVENT_ANSWER,
                                      .status = event->http_status,
                                      .body = event->http_body };
    else if (event->kind == JOB_EVENT_HTTP)
        e = (struct connector_event){ .kind = CONNECTOR_EVENT_FAILURE, .failure = event->http_failure };
    else if (d->order->stage == ORDER_STAGE_SENT)
        e = (struct connector_event){ .kind = CONNECTOR_EVENT_FAILURE,
                                      .failure = "the gateway stopped before the answer came" };
    if (e.kind == CONNECTOR_EVENT_FAILURE)
        (void)snprintf(d->turn->facts.error, sizeof(d->turn->facts.error), "CA %s: %s", d->ca->name,
                       e.failure != NULL ? e.failure : "no answer");
    return e;
}

bool order_ask(const struct order_drive *d, const struct job_event *event, struct connector_step *step,
               struct error *err)
{
    const struct connector_call call = {
        .ca = d->ca,
        .keys = d->turn->keys,
        .random = &d->turn->random,
        .now_s = d->turn->now_s,
        .arena = d->turn->arena,
    };
    struct connector_event e;

    if (d->order->stage == ORDER_STAGE_BEGIN)
        return begin_phase(d, &call, step, err);
    if (d->ca->connector->resume == NULL)
        return error_set(err, ERROR_INTERNAL, "CA %s has no orders any more", d->ca->name);
    e = event_of(d, event);
    return d->ca->connector->resume(&call, d->order->state, &e, step, err);
}
