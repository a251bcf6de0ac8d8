/* worker.c: a request on its way: from the loop that framed it to a worker, to the writer when it has
 * changes, and back. */
#include "gateway/gateway.h"
#include "lib/base/clock.h"
#include "lib/base/thread.h"

/* One request that needs a turn. Lives in the request's arena. */
struct errand {
    struct queue_item link; /* in the workers' queue */
    struct outcome outcome; /* in the writer's */
    struct gateway *gateway;
    struct net_exchange *exchange;
    struct held_config *held;
    struct answering answering;
    struct parked parked;
    int64_t patience_ms; /* monotonic: until when it may be held back; 0: it was not yet */
};

/* What a response borrows from the configuration or the view becomes the request's own: both may go before
 * the last octet is sent. */
static void own_response(struct arena *arena, struct http_response *response)
{
    response->body = arena_copy(arena, response->body);
    if (response->body.data == NULL) {
        *response = http_respond_text(500, "internal error\n");
        return;
    }
    for (size_t i = 0; i < response->header_count; i++) {
        response->header[i].value = arena_copy(arena, response->header[i].value);
        if (response->header[i].value.data == NULL) {
            *response = http_respond_text(500, "internal error\n");
            return;
        }
    }
}

static void send_answer(struct gateway *gateway, struct net_exchange *exchange, struct answering *a,
                        struct held_config *held)
{
    exchange->response = a->response;
    monitor_answered(gateway->monitor, a, clock_monotonic_ms() - exchange->received_ms);
    net_reply(exchange);
    live_config_release(held);
}

static void finish(struct errand *errand)
{
    send_answer(errand->gateway, errand->exchange, &errand->answering, errand->held);
}

static void finish_later(struct errand *errand)
{
    struct gateway *gateway = errand->gateway;

    if (!queue_put_back(&gateway->queue, &errand->link))
        finish(errand);
}

/* The answer is "pending", and the procedure has patience: the same request is run again when there is news.
 * Whoever parks it does not touch it any more. */
static bool park(struct errand *errand)
{
    const struct turn *turn = &errand->answering.turn;
    const struct procedure *procedure = errand->answering.route.procedure;
    struct gateway *gateway = errand->gateway;
    int64_t now_ms = clock_monotonic_ms();

    if (!turn->waits || turn->not_held_back || gateway->parking == NULL || procedure == NULL ||
        procedure->patience_s == 0)
        return false;
    if (errand->patience_ms == 0)
        errand->patience_ms = now_ms + (int64_t)procedure->patience_s * 1000;
    if (now_ms >= errand->patience_ms)
        return false;
    errand->parked = (struct parked){ .job = turn->waits_for, .until_ms = errand->patience_ms };
    switch (parking_put(gateway->parking, &errand->parked)) {
    case PARKING_HELD: return true;
    case PARKING_NEWS: finish_later(errand); return true;
    case PARKING_REFUSED: break;
    }
    return false;
}

static void finish_or_park(struct errand *errand)
{
    const struct turn *turn = &errand->answering.turn;
    struct runner *runner = turn->waits || changes_put_job(&turn->changes) ? errand->gateway->runner : NULL;

    if (!park(errand))
        finish(errand);
    runner_nudge(runner); /* an order or another job is new, or a time to be watched */
}

void gateway_run_again(struct parked *list)
{
    while (list != NULL) {
        struct errand *errand = queue_owner(list, struct errand, parked);

        list = list->next;
        errand->answering.turns = 0; /* it did not fail */
        finish_later(errand);
    }
}

/* On the writer's thread: what became of the changes. */
static void on_applied(struct outcome *outcome, enum apply_result result, const struct error *err)
{
    struct errand *errand = queue_owner(outcome, struct errand, outcome);

    if (result == APPLY_CONFLICT && queue_put_back(&errand->gateway->queue, &errand->link))
        return; /* runs again on a fresh view */
    if (result != APPLY_DONE) {
        answer_not_durable(&errand->answering, err);
        finish(errand);
    } else {
        finish_or_park(errand);
    }
}

static void count_secrets(struct slow_down *slow_down, const struct turn *turn)
{
    if (turn->strike)
        slow_down_strike(slow_down, &turn->strike_key, turn->now_s);
    else if (turn->credential_held)
        slow_down_clear(slow_down, &turn->strike_key);
    for (const struct struck *s = turn->struck; s != NULL; s = s->next) /* after a clearing of the same key */
        slow_down_strike(slow_down, &s->key, turn->now_s);
}

static void run_errand(struct errand *errand, struct registry_view *view)
{
    struct gateway *gateway = errand->gateway;
    struct turn *turn = &errand->answering.turn;
    struct error err = { 0 };
    bool more;

    answer_turn(&errand->answering, view, random_system, clock_now_s());
    own_response(errand->exchange->request.arena, &errand->answering.response);
    registry_view_reset(view);
    count_secrets(gateway->slow_down, turn);
    more = queue_length(&gateway->queue) > 0;
    if (turn->changes.count == 0) {
        finish_or_park(errand);
        if (!more)
            writer_hurry(gateway->writer);
        return;
    }
    errand->outcome = (struct outcome){ .changes = &turn->changes, .more_follow = more, .done = on_applied };
    if (!writer_submit(gateway->writer, &errand->outcome)) {
        (void)error_set(&err, ERROR_UNAVAILABLE, "stopping");
        answer_not_durable(&errand->answering, &err);
        finish(errand);
    }
}

static void *work(void *context)
{
    struct gateway *gateway = context;
    struct registry_view *view = NULL;
    struct queue_item *item;
    struct error err = { 0 };

    while ((item = queue_take(&gateway->queue)) != NULL) {
        struct errand *errand = queue_owner(item, struct errand, link);

        if (view == NULL ? registry_view_begin(gateway->registry, &view, &err)
                         : registry_view_renew(view, &err)) {
            run_errand(errand, view);
        } else {
            answer_not_durable(&errand->answering, &err);
            finish(errand);
        }
    }
    registry_view_end(view);
    return NULL;
}

bool workers_start(struct gateway *gateway, struct error *err)
{
    struct held_config *held = live_config_hold(&gateway->live);
    unsigned workers = held->config->workers < WORKERS_MAX ? held->config->workers : WORKERS_MAX;
    bool started = true;

    queue_init(&gateway->queue, held->config->queue_max);
    live_config_release(held);
    while (started && gateway->workers < workers) {
        started = thread_start(&gateway->worker[gateway->workers], "worker", work, gateway, err);
        gateway->workers += started;
    }
    if (!started)
        workers_stop(gateway);
    return started;
}

void workers_stop(struct gateway *gateway)
{
    queue_close(&gateway->queue);
    while (gateway->workers > 0)
        (void)pthread_join(gateway->worker[--gateway->workers], NULL);
    writer_drain(gateway->writer); /* no errand is with the writer any more */
}

/* Health and metrics are the gateway's own, on every listener but those of devices. */
static bool serve_monitor(struct gateway *gateway, const struct config *config, struct net_exchange *exchange)
{
    unsigned listener = exchange->request.listener;

    return listener < config->listener_count && config->listener_role[listener] != LISTENER_DEVICES &&
           monitor_serve(gateway->monitor, &exchange->request, &exchange->response);
}

void gateway_on_refused(const struct net_refused *refused, void *context)
{
    (void)context;
    monitor_refused(refused);
}

void gateway_on_request(struct net_exchange *exchange, void *context)
{
    struct gateway *gateway = context;
    struct held_config *held = live_config_hold(&gateway->live);
    struct errand *errand = arena_alloc(exchange->request.arena, sizeof(*errand));

    if (errand == NULL || serve_monitor(gateway, held->config, exchange)) {
        if (errand == NULL)
            exchange->response = http_respond_text(503, "out of memory\n");
        live_config_release(held);
        net_reply(exchange);
        return;
    }
    errand->gateway = gateway;
    errand->exchange = exchange;
    errand->held = held;
    if (answer_at_once(&errand->answering, held->config, &exchange->request)) {
        own_response(exchange->request.arena, &errand->answering.response);
        finish(errand);
    } else if (!queue_put(&gateway->queue, &errand->link)) {
        answer_busy(&errand->answering, random_system, clock_now_s());
        finish(errand);
    }
}
