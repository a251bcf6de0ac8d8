/* runner.c: the one thread that runs jobs and performs their effects. A step is: run the handler on a view,
 * have the writer make its changes durable (its new state and due time among them), then perform the effect.
 * Until then nothing leaves. */
#include <event2/event.h>
#include <event2/thread.h>
#include <stdlib.h>

#include "enroll/confirm.h"
#include "gateway/gateway.h"
#include "jobs/crl.h"
#include "jobs/health.h"
#include "lib/base/clock.h"
#include "lib/base/thread.h"
#include "lib/net/client.h"

enum {
    STEPS_MAX = 64,
    STEP_ARENA_MAX = 192 << 20,
    TICK_S = 1,
    REFUSALS_PERIOD_S = 60,
    PER_HOST_MAX = 8,
    HTTP_RESPONSE_MAX = 1 << 20,
    JOB_KINDS = 4, /* of the gateway itself */
};

/* One job between its handler and the end of its effect. */
struct step {
    struct queue_item link; /* in the inbox, once it is durable */
    struct outcome outcome;
    struct runner *runner;
    struct job_record job;
    struct job_effect effect;
    struct turn turn;
    enum apply_result result;
    struct arena *arena;
};

struct runner {
    struct gateway *gateway;
    pthread_t thread;
    struct event_base *base;
    struct event *tick, *wake;
    struct net_client *client;
    struct registry_view *view;
    struct queue inbox;           /* steps that the writer is done with */
    struct step *step[STEPS_MAX]; /* in flight: a job runs once at a time */
    int64_t refusals_due_s;
    atomic_bool stopping;
};

static void log_trouble(const char *what, const struct error *err)
{
    log_fields(LOG_ERROR, "job", LOG_CTEXT("what", what), LOG_CTEXT("error", err->text));
}

/* --- steps --- */

static struct step **free_slot(struct runner *runner)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (runner->step[i] == NULL)
            return &runner->step[i];
    return NULL;
}

static bool in_flight(const struct runner *runner, const struct job_id *id)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (runner->step[i] != NULL && memcmp(&runner->step[i]->job.id, id, sizeof(*id)) == 0)
            return true;
    return false;
}

static void step_end(struct step *step)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (step->runner->step[i] == step)
            step->runner->step[i] = NULL;
    arena_free(step->arena); /* the step lives in it */
}

/* On the writer's thread. */
static void on_durable(struct outcome *outcome, enum apply_result result, const struct error *err)
{
    struct step *step = queue_owner(outcome, struct step, outcome);

    step->result = result;
    if (result != APPLY_DONE && result != APPLY_CONFLICT)
        log_trouble("changes of a job", err);
    if (queue_put_back(&step->runner->inbox, &step->link))
        event_active(step->runner->wake, EV_READ, 0);
}

static void on_health(void *context, const struct health *health)
{
    monitor_health(context, health);
}

/* The jobs of this gateway, for the configuration in force: a new kind of work is one row. */
static size_t job_table(struct runner *runner, const struct config *config, struct crl_service *crl,
                        struct health_service *health, struct job_handler *table)
{
    *crl = (struct crl_service){ .ca = config->ca, .count = config->ca_count };
    *health = (struct health_service){ .registry = runner->gateway->registry,
                                       .ca = config->ca,
                                       .ca_count = config->ca_count,
                                       .certificate = config->certificate,
                                       .certificate_count = config->certificate_count,
                                       .report = on_health,
                                       .context = runner->gateway->monitor };
    table[0] = (struct job_handler){ .kind = "sweep", .run = job_sweep_run, .standing = true };
    table[1] = (struct job_handler){ .kind = "crl", .run = job_crl_run, .service = crl, .standing = true };
    table[2] =
        (struct job_handler){ .kind = "health", .run = job_health_run, .service = health, .standing = true };
    table[3] = (struct job_handler){ .kind = ENROLL_CONFIRM_JOB,
                                     .run = enroll_confirm_job_run,
                                     .service = &config->enroll };
    for (size_t i = 0; i < runner->gateway->more_job_count; i++)
        table[JOB_KINDS + i] = runner->gateway->more_jobs[i];
    return JOB_KINDS + runner->gateway->more_job_count;
}

static struct turn runner_turn(struct runner *runner, const struct config *config, struct arena *arena)
{
    struct turn turn = { .view = runner->view,
                         .keys = config->keys,
                         .random = random_system,
                         .now_s = clock_now_s(),
                         .arena = arena };

    changes_begin(&turn.changes, arena);
    return turn;
}

static bool handle(struct runner *runner, struct step *step, const struct job_event *event, struct error *err)
{
    struct held_config *held = live_config_hold(&runner->gateway->live);
    struct job_handler table[JOB_KINDS + RUNNER_MORE_JOBS_MAX];
    struct crl_service crl;
    struct health_service health;
    size_t count = job_table(runner, held->config, &crl, &health, table);
    bool ran;

    step->turn = runner_turn(runner, held->config, step->arena);
    ran = registry_view_renew(runner->view, err) &&
          job_run(&step->turn, table, count, &step->job, event, &step->effect, err);
    registry_view_reset(runner->view);
    live_config_release(held);
    if (ran && changes_failed(&step->turn.changes))
        return error_set(err, ERROR_MEMORY, "changes of a job do not fit its arena");
    return ran;
}

/* A step for this job in a free slot; NULL when all are taken or memory is out: the job stays due. */
static struct step *step_new(struct runner *runner)
{
    struct step **slot = free_slot(runner);
    struct arena *arena = slot == NULL ? NULL : arena_new(STEP_ARENA_MAX);
    struct step *step = arena == NULL ? NULL : arena_alloc(arena, sizeof(*step));

    if (step == NULL) {
        arena_free(arena);
        return NULL;
    }
    step->runner = runner;
    step->arena = arena;
    *slot = step;
    return step;
}

static void run_step(struct step *step, const struct job_event *event)
{
    struct runner *runner = step->runner;
    struct error err = { 0 };

    if (!handle(runner, step, event, &err)) {
        log_trouble("handler", &err);
        step->effect = (struct job_effect){ 0 };
        changes_begin(&step->turn.changes, step->arena);
        job_failed(&step->turn.changes, &step->job, clock_now_s());
    } else if (step->turn.facts.error[0] != '\0') {
        log_fields(LOG_WARNING, "job", LOG_TEXT("kind", step->job.kind),
                   LOG_CTEXT("error", step->turn.facts.error));
    }
    step->outcome = (struct outcome){ .changes = &step->turn.changes, .done = on_durable };
    if (!writer_submit(runner->gateway->writer, &step->outcome))
        step_end(step);
}

static void run_due(struct runner *runner, const struct job_record *job)
{
    struct step *step = step_new(runner);

    if (step == NULL)
        return;
    step->job = *job;
    step->job.kind = arena_copy(step->arena, job->kind);
    step->job.state = arena_copy(step->arena, job->state);
    run_step(step, &(struct job_event){ .kind = JOB_EVENT_DUE });
}

/* --- effects --- */

/* The job goes on from the state that was saved before the request left. */
static bool read_saved(struct runner *runner, struct step *step, const struct job_id *id)
{
    struct error err = { 0 };
    bool found = false;
    bool read = registry_view_renew(runner->view, &err) &&
                registry_job(runner->view, id, step->arena, &found, &step->job, &err);

    registry_view_reset(runner->view);
    if (!read)
        log_trouble("job after its answer", &err);
    return read && found;
}

static void on_http_done(const struct net_client_result *result, void *user)
{
    struct step *asked = user, *step;
    struct runner *runner = asked->runner;
    struct job_id id = asked->job.id;
    struct job_event event = { .kind = JOB_EVENT_HTTP,
                               .http_ok = result->ok,
                               .http_status = result->status,
                               .http_body = result->body,
                               .http_failure = result->failure };

    step_end(asked);
    step = step_new(runner);
    if (step == NULL)
        return;
    if (read_saved(runner, step, &id))
        run_step(step, &event);
    else
        step_end(step);
}

static bool send_http(struct runner *runner, struct step *step, struct error *err)
{
    struct http_header header = { BYTES_LITERAL("Content-Type"), step->effect.content_type };
    struct net_client_request request = {
        .method = step->effect.method,
        .url = arena_text(step->arena, step->effect.url),
        .header = &header,
        .header_count = step->effect.content_type.len > 0,
        .body = step->effect.body,
        .timeout_ms = step->effect.timeout_ms,
        .response_max = HTTP_RESPONSE_MAX,
        .trust_path = step->effect.trust_path,
    };

    return request.url != NULL ? net_client_send(runner->client, &request, on_http_done, step, err)
                               : error_set(err, ERROR_MEMORY, "url of an effect");
}

/* What the step's handler wanted done, now that its state is durable. */
static void perform(struct runner *runner, struct step *step)
{
    struct error err = { 0 };

    if (step->result == APPLY_DONE && step->effect.kind == JOB_EFFECT_HTTP) {
        if (send_http(runner, step, &err))
            return; /* the step ends in on_http_done */
        log_trouble("http effect", &err);
    }
    step_end(step); /* waiting and being done are in the registry; a conflict leaves it due */
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct runner *runner = context;
    struct queue_item *item;

    (void)fd;
    (void)what;
    while ((item = queue_try_take(&runner->inbox)) != NULL)
        perform(runner, queue_owner(item, struct step, link));
    if (atomic_load(&runner->stopping))
        (void)event_base_loopbreak(runner->base);
}

/* --- the clock's tick --- */

static void sum_refusals(struct runner *runner, int64_t now_s)
{
    AUTO_STRUCT(buffer) text = BUFFER(64 * 1024);

    if (now_s < runner->refusals_due_s)
        return;
    runner->refusals_due_s = now_s + REFUSALS_PERIOD_S;
    monitor_refusals(runner->gateway->monitor, &text);
    if (text.len > 0 && !buffer_failed(&text))
        gateway_audit(runner->gateway, AUDIT_REFUSALS, buffer_bytes(&text));
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct runner *runner = context;
    AUTO_ARENA *arena = arena_new(16 << 20);
    struct job_record *due = arena == NULL ? NULL : arena_array(arena, STEPS_MAX, sizeof(*due));
    struct error err = { 0 };
    size_t count = 0;
    int64_t next_s;
    bool read;

    (void)fd;
    (void)what;
    sum_refusals(runner, clock_now_s());
    if (due == NULL)
        return;
    read = registry_view_renew(runner->view, &err) &&
           registry_jobs_due(runner->view, clock_now_s(), STEPS_MAX, arena, due, &count, &next_s, &err);
    registry_view_reset(runner->view);
    if (!read)
        log_trouble("jobs that are due", &err);
    for (size_t i = 0; i < count; i++)
        if (!in_flight(runner, &due[i].id))
            run_due(runner, &due[i]);
}

/* --- start and stop --- */

/* The standing jobs exist from the first start on. Before other threads write. */
static bool make_standing(struct runner *runner, struct error *err)
{
    const struct config *config = runner->gateway->live.current->config;
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct job_handler table[JOB_KINDS + RUNNER_MORE_JOBS_MAX];
    struct crl_service crl;
    struct health_service health;
    size_t count = job_table(runner, config, &crl, &health, table);
    const struct changes *changes;
    enum apply_result result;
    struct turn turn;
    bool made;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "jobs");
    turn = runner_turn(runner, config, arena);
    changes = &turn.changes;
    made = jobs_standing(&turn, table, count, err);
    registry_view_reset(runner->view);
    return made && (changes->count == 0 ||
                    registry_apply(runner->gateway->registry, &changes, 1, turn.now_s, &result, err));
}

static void *run_on(void *context)
{
    struct runner *runner = context;

    (void)event_base_loop(runner->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static void runner_free(struct runner *runner)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (runner->step[i] != NULL)
            step_end(runner->step[i]);
    net_client_free(runner->client);
    registry_view_end(runner->view);
    if (runner->tick != NULL)
        event_free(runner->tick);
    if (runner->wake != NULL)
        event_free(runner->wake);
    if (runner->base != NULL)
        event_base_free(runner->base);
    queue_destroy(&runner->inbox);
    free(runner);
}

static bool make_loop(struct runner *runner, struct error *err)
{
    const struct timeval period = { .tv_sec = TICK_S };

    if (evthread_use_pthreads() != 0 || (runner->base = event_base_new()) == NULL)
        return error_set(err, ERROR_MEMORY, "runner's loop");
    runner->tick = event_new(runner->base, -1, EV_PERSIST, on_tick, runner);
    runner->wake = event_new(runner->base, -1, EV_READ | EV_PERSIST, on_wake, runner);
    if (runner->tick == NULL || runner->wake == NULL || event_add(runner->tick, &period) != 0)
        return error_set(err, ERROR_MEMORY, "runner's timers");
    event_active(runner->tick, EV_TIMEOUT, 0); /* what is due at the start goes on at once */
    return net_client_new(runner->base, PER_HOST_MAX, &runner->client, err);
}

bool runner_start(struct gateway *gateway, struct runner **out, struct error *err)
{
    struct runner *runner = calloc(1, sizeof(*runner));

    if (runner == NULL)
        return error_set(err, ERROR_MEMORY, "runner");
    runner->gateway = gateway;
    runner->refusals_due_s = clock_now_s() + REFUSALS_PERIOD_S;
    queue_init(&runner->inbox, SIZE_MAX);
    if (!registry_view_begin(gateway->registry, &runner->view, err) || !make_standing(runner, err) ||
        !make_loop(runner, err) || !thread_start(&runner->thread, "runner", run_on, runner, err)) {
        runner_free(runner);
        return false;
    }
    *out = runner;
    return true;
}

void runner_stop(struct runner *runner)
{
    if (runner == NULL)
        return;
    atomic_store(&runner->stopping, true);
    event_active(runner->wake, EV_READ, 0);
    (void)pthread_join(runner->thread, NULL);
    writer_drain(runner->gateway->writer); /* no step of ours is with the writer any more */
    runner_free(runner);
}
