/* runner.c: the one thread that runs jobs and performs their effects: what is due, what waited for its
 * target, what came back. */
#include <event2/event.h>
#include <event2/thread.h>
#include <stdlib.h>

#include "enroll/chain.h"
#include "enroll/confirm.h"
#include "enroll/order.h"
#include "enroll/service.h"
#include "gateway/runner_internal.h"
#include "lib/base/clock.h"
#include "lib/base/thread.h"

enum {
    TICK_S = 1,
    REFUSALS_PERIOD_S = 60,
};

void runner_log_trouble(const char *what, const struct error *err)
{
    log_fields(LOG_ERROR, "job", LOG_CTEXT("what", what), LOG_CTEXT("error", err->text));
}

static void on_health(void *context, const struct health *health)
{
    monitor_health(context, health);
}

/* A new kind of work is one row. */
void runner_jobs(struct runner *runner, const struct config *config, struct job_table *out)
{
    struct job_handler *row = out->row;

    out->crl = (struct crl_service){ .ca = config->ca, .count = config->ca_count };
    out->health = (struct health_service){ .registry = runner->gateway->registry,
                                           .ca = config->ca,
                                           .ca_count = config->ca_count,
                                           .certificate = config->certificate,
                                           .certificate_count = config->certificate_count,
                                           .report = on_health,
                                           .context = runner->gateway->monitor };
    *row++ = (struct job_handler){ .kind = "sweep", .run = job_sweep_run, .standing = true };
    *row++ =
        (struct job_handler){ .kind = "crl", .run = job_crl_run, .service = &out->crl, .standing = true };
    *row++ = (struct job_handler){
        .kind = "health", .run = job_health_run, .service = &out->health, .standing = true
    };
    *row++ = (struct job_handler){ .kind = ENROLL_CONFIRM_JOB,
                                   .run = enroll_confirm_job_run,
                                   .service = &config->enroll };
    *row++ = (struct job_handler){ .kind = ENROLL_ORDER_JOB,
                                   .run = enroll_order_job_run,
                                   .service = &config->enroll };
    *row++ = (struct job_handler){ .kind = ENROLL_REVOCATIONS_JOB,
                                   .run = enroll_revocations_job_run,
                                   .service = &config->enroll,
                                   .standing = true };
    *row++ = (struct job_handler){
        .kind = ENROLL_CHAINS_JOB, .run = enroll_chains_job_run, .service = &config->enroll, .standing = true
    };
    *row++ = (struct job_handler){ .kind = ENROLL_CHAIN_JOB,
                                   .run = enroll_chain_job_run,
                                   .service = &config->enroll };
    *row++ = (struct job_handler){ .kind = ENROLL_SERVICE_JOB,
                                   .run = enroll_service_job_run,
                                   .service = &config->services,
                                   .standing = true };
    *row++ = (struct job_handler){ .kind = ENROLL_SERVICE_RENEWAL_JOB,
                                   .run = enroll_service_renewal_job_run,
                                   .service = &config->services };
    *row++ =
        (struct job_handler){ .kind = ACME_VALIDATE_JOB, .run = acme_validate_run, .service = &config->acme };
    *row++ = (struct job_handler){ .kind = ACME_CAA_JOB, .run = acme_caa_run, .service = &config->acme };
    *row++ = (struct job_handler){ .kind = ACME_STAR_JOB, .run = acme_star_run, .service = &config->acme };
    for (size_t i = 0; i < runner->gateway->more_job_count; i++)
        *row++ = runner->gateway->more_jobs[i];
    out->count = (size_t)(row - out->row);
}

struct turn runner_turn(struct runner *runner, const struct config *config, struct arena *arena)
{
    struct turn turn = { .view = runner->view,
                         .keys = config->keys,
                         .random = random_system,
                         .now_s = clock_now_s(),
                         .arena = arena };

    changes_begin(&turn.changes, arena);
    return turn;
}

/* --- what is to be done now --- */
/* The records become the arena's, before the view is given back: from then on the writer reuses their pages,
 * which it does as soon as the first of these jobs is run. How many fit; the rest stays due. */
static size_t own_records(struct job_record *job, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        job[i].kind = arena_copy(arena, job[i].kind);
        job[i].state = arena_copy(arena, job[i].state);
        if (job[i].kind.data == NULL || job[i].state.data == NULL)
            return i;
    }
    return count;
}

static void run_due_jobs(struct runner *runner)
{
    AUTO_ARENA *arena = arena_new(16 << 20);
    struct job_record *due = arena == NULL ? NULL : arena_array(arena, STEPS_MAX, sizeof(*due));
    struct error err = { 0 };
    size_t count = 0;
    int64_t next_s;
    bool read;

    if (due == NULL)
        return;
    read = registry_view_renew(runner->view, &err) &&
           registry_jobs_due(runner->view, clock_now_s(), STEPS_MAX, arena, due, &count, &next_s, &err);
    count = own_records(due, read ? count : 0, arena);
    registry_view_reset(runner->view);
    if (!read)
        runner_log_trouble("jobs that are due", &err);
    for (size_t i = 0; i < count; i++) /* what else is read lived in the view */
        if (!step_in_flight(runner, &due[i].id))
            step_run_by_id(runner, &due[i].id);
    if (count == STEPS_MAX) /* those behind them are not left to the next tick */
        atomic_store(&runner->nudged, true);
}

/* Targets that have room again get those that waited for it. */
static void run_waiting_jobs(struct runner *runner)
{
    struct job_id id;

    while (step_has_slot(runner) && targets_next(runner->targets, clock_monotonic_ms(), &id))
        if (!step_in_flight(runner, &id))
            step_run_by_id(runner, &id);
}

/* Whose patience ends is run again; the timer goes to the next one. */
static void attend_parked(struct runner *runner)
{
    struct parking *parking = runner->gateway->parking;
    int64_t now_ms = clock_monotonic_ms(), next_ms;
    struct timeval until;

    if (parking == NULL)
        return;
    gateway_run_again(parking_expired(parking, now_ms));
    next_ms = parking_next_ms(parking);
    if (next_ms == INT64_MAX)
        return;
    next_ms = next_ms > now_ms ? next_ms - now_ms : 0;
    until = (struct timeval){ .tv_sec = next_ms / 1000, .tv_usec = (next_ms % 1000) * 1000 };
    (void)event_add(runner->patience, &until);
}

static void on_patience(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    attend_parked(context);
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct runner *runner = context;
    struct queue_item *item;

    (void)fd;
    (void)what;
    while ((item = queue_try_take(&runner->inbox)) != NULL)
        step_perform(queue_owner(item, struct step, link));
    run_waiting_jobs(runner);
    if (atomic_exchange(&runner->nudged, false)) {
        run_due_jobs(runner);
        attend_parked(runner);
    }
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

    (void)fd;
    (void)what;
    sum_refusals(runner, clock_now_s());
    run_waiting_jobs(runner);
    run_due_jobs(runner);
}

void runner_nudge(struct runner *runner)
{
    if (runner == NULL)
        return;
    atomic_store(&runner->nudged, true);
    event_active(runner->wake, EV_READ, 0);
}

struct targets *runner_targets(struct runner *runner)
{
    return runner->targets;
}

/* --- start and stop --- */

/* The standing jobs exist from the first start on. Before other threads write. */
static bool make_standing(struct runner *runner, struct error *err)
{
    const struct config *config = runner->gateway->live.current->config;
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct job_table table;
    const struct changes *changes;
    enum apply_result result;
    struct turn turn;
    bool made;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "jobs");
    runner_jobs(runner, config, &table);
    turn = runner_turn(runner, config, arena);
    changes = &turn.changes;
    made = jobs_standing(&turn, table.row, table.count, err);
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
    effects_end(runner);
    registry_view_end(runner->view);
    if (runner->tick != NULL)
        event_free(runner->tick);
    if (runner->wake != NULL)
        event_free(runner->wake);
    if (runner->patience != NULL)
        event_free(runner->patience);
    if (runner->base != NULL)
        event_base_free(runner->base);
    queue_destroy(&runner->inbox);
    targets_free(runner->targets);
    free(runner);
}

static bool make_loop(struct runner *runner, struct error *err)
{
    const struct timeval period = { .tv_sec = TICK_S };

    if (evthread_use_pthreads() != 0 || (runner->base = event_base_new()) == NULL)
        return error_set(err, ERROR_MEMORY, "runner's loop");
    runner->tick = event_new(runner->base, -1, EV_PERSIST, on_tick, runner);
    runner->wake = event_new(runner->base, -1, EV_READ | EV_PERSIST, on_wake, runner);
    runner->patience = event_new(runner->base, -1, 0, on_patience, runner);
    if (runner->tick == NULL || runner->wake == NULL || runner->patience == NULL ||
        event_add(runner->tick, &period) != 0)
        return error_set(err, ERROR_MEMORY, "runner's timers");
    event_active(runner->tick, EV_TIMEOUT, 0); /* what is due at the start goes on at once */
    return effects_start(runner, err);
}

bool runner_start(struct gateway *gateway, struct runner **out, struct error *err)
{
    struct runner *runner = calloc(1, sizeof(*runner));

    if (runner == NULL)
        return error_set(err, ERROR_MEMORY, "runner");
    runner->gateway = gateway;
    runner->refusals_due_s = clock_now_s() + REFUSALS_PERIOD_S;
    queue_init(&runner->inbox, SIZE_MAX);
    if (!targets_new(&runner->targets, err) || !registry_view_begin(gateway->registry, &runner->view, err) ||
        !make_standing(runner, err) || !make_loop(runner, err) ||
        !thread_start(&runner->thread, "runner", run_on, runner, err)) {
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
