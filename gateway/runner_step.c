/* runner_step.c: one step of one job: run the handler on a view, have the writer make its changes durable
 * (its new state and due time among them), then perform the effect. Until then nothing leaves. */
#include <event2/event.h>

#include "gateway/runner_internal.h"
#include "lib/base/clock.h"

enum {
    RUNS_MAX = 8,       /* of one event, when changes conflict */
    TARGET_WAIT_S = 60, /* a job that waits for its target is due again after this */
};

/* --- slots --- */
static struct step **free_slot(struct runner *runner)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (runner->step[i] == NULL)
            return &runner->step[i];
    return NULL;
}

bool step_has_slot(const struct runner *runner)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (runner->step[i] == NULL)
            return true;
    return false;
}

bool step_in_flight(const struct runner *runner, const struct job_id *id)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (runner->step[i] != NULL && memcmp(&runner->step[i]->job.id, id, sizeof(*id)) == 0)
            return true;
    return false;
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

void step_end(struct step *step)
{
    for (size_t i = 0; i < STEPS_MAX; i++)
        if (step->runner->step[i] == step)
            step->runner->step[i] = NULL;
    arena_free(step->arena); /* the step lives in it */
}

/* --- targets --- */
static struct target_place place_of(const struct job_effect *effect)
{
    return (struct target_place){ effect->target, effect->target_max, effect->target_share,
                                  effect->target_share_max };
}

static void leave_target(struct step *step, enum target_outcome outcome)
{
    const struct target_place place = place_of(&step->effect);
    bool changed;

    if (!step->holds_target)
        return;
    step->holds_target = false;
    target_done(step->runner->targets, &place, outcome, clock_monotonic_ms(), &changed);
    if (changed)
        log_fields(
            outcome == TARGET_FAILED ? LOG_ERROR : LOG_INFO, "target", LOG_CTEXT("name", step->effect.target),
            LOG_CTEXT("note", outcome == TARGET_FAILED ? "does not answer: its jobs wait" : "answers again"));
}

/* Nothing of the step is done: it is run once more when its target has room for it. */
static void wait_for_target(struct step *step)
{
    struct job_record later = step->job;

    later.due_s = clock_now_s() + TARGET_WAIT_S;
    step->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = later.due_s };
    changes_begin(&step->turn.changes, step->arena);
    change_job_put(&step->turn.changes, &later);
}

static void ask_target(struct step *step)
{
    const struct job_effect *effect = &step->effect;
    const struct target_place place = place_of(effect);
    struct targets *targets = step->runner->targets;

    if (!job_effect_leaves(effect) || effect->target == NULL)
        return;
    if (step->event.kind != JOB_EVENT_DUE)
        target_take_next(targets, &place);
    else if (!target_take(targets, &place, &step->job.id, clock_monotonic_ms())) {
        wait_for_target(step);
        return;
    }
    step->holds_target = true;
}

/* --- the handler --- */
/* On the writer's thread. */
static void on_durable(struct outcome *outcome, enum apply_result result, const struct error *err)
{
    struct step *step = queue_owner(outcome, struct step, outcome);
    struct runner *runner = step->runner; /* once it is in the inbox, the step may end at any time */

    step->result = result;
    if (result != APPLY_DONE && result != APPLY_CONFLICT)
        runner_log_trouble("changes of a job", err);
    if (queue_put_back(&runner->inbox, &step->link))
        event_active(runner->wake, EV_READ, 0);
}

static bool own_facts(struct step *step, struct error *err)
{
    struct turn_facts *facts = &step->turn.facts;

    if (facts->procedure != NULL)
        facts->procedure = arena_text(step->arena, bytes_text(facts->procedure));
    return effect_own(step, err);
}

static void log_step(const struct step *step)
{
    const struct turn_facts *facts = &step->turn.facts;

    if (facts->error[0] != '\0')
        log_fields(LOG_WARNING, "job", LOG_TEXT("kind", step->job.kind), LOG_CTEXT("error", facts->error));
    if (facts->verdict != NULL)
        log_fields(LOG_INFO, "job", LOG_TEXT("kind", step->job.kind), LOG_CTEXT("protocol", facts->protocol),
                   LOG_CTEXT("procedure", facts->procedure), LOG_TEXT("transaction", facts->transaction),
                   LOG_TEXT("fqdn", facts->fqdn), LOG_CTEXT("verdict", facts->verdict),
                   LOG_CTEXT("reason", facts->reason), LOG_CTEXT("detail", facts->detail),
                   LOG_TEXT("serial", facts->serial));
}

static bool handle(struct step *step, struct error *err)
{
    struct runner *runner = step->runner;
    struct held_config *held = live_config_hold(&runner->gateway->live);
    struct job_table table;
    bool ran;

    runner_jobs(runner, held->config, &table);
    step->turn = runner_turn(runner, held->config, step->arena);
    ran = registry_view_renew(runner->view, err) &&
          job_run(&step->turn, table.row, table.count, &step->job, &step->event, &step->effect, err) &&
          own_facts(step, err);
    registry_view_reset(runner->view);
    live_config_release(held);
    if (ran && changes_failed(&step->turn.changes))
        return error_set(err, ERROR_MEMORY, "changes of a job do not fit its arena");
    return ran;
}

static void run_step(struct step *step)
{
    struct error err = { 0 };

    step->runs++;
    step->effect = (struct job_effect){ 0 };
    if (handle(step, &err)) {
        ask_target(step);
    } else {
        runner_log_trouble("handler", &err);
        step->effect = (struct job_effect){ 0 };
        changes_begin(&step->turn.changes, step->arena);
        job_failed(&step->turn.changes, &step->job, clock_now_s());
    }
    step->outcome = (struct outcome){ .changes = &step->turn.changes, .done = on_durable };
    if (!writer_submit(step->runner->gateway->writer, &step->outcome))
        step_end(step);
}

/* The job goes on from the state that was saved before the request left. */
static bool read_saved(struct step *step, const struct job_id *id)
{
    struct runner *runner = step->runner;
    struct error err = { 0 };
    struct job_record job;
    bool found = false;
    bool read = registry_view_renew(runner->view, &err) &&
                registry_job(runner->view, id, step->arena, &found, &job, &err);

    if (read && found) {
        step->job = job;
        step->job.kind = arena_copy(step->arena, job.kind);
        step->job.state = arena_copy(step->arena, job.state);
    }
    registry_view_reset(runner->view);
    if (!read)
        runner_log_trouble("job as it was saved", &err);
    return read && found;
}

void step_run_by_id(struct runner *runner, const struct job_id *id)
{
    struct step *step = step_new(runner);

    if (step == NULL)
        return;
    if (read_saved(step, id))
        run_step(step);
    else
        step_end(step);
}

/* --- effects --- */
void step_answered(struct step *asked, const struct job_event *event, enum target_outcome outcome)
{
    struct runner *runner = asked->runner;
    struct job_id id = asked->job.id;
    struct step *step;

    leave_target(asked, outcome);
    step_end(asked);
    step = step_new(runner);
    if (step == NULL)
        return; /* due again later, as saved */
    if (event_copy(event, step->arena, &step->event) && read_saved(step, &id))
        run_step(step);
    else
        step_end(step);
}

void step_perform(struct step *step)
{
    struct gateway *gateway = step->runner->gateway;
    struct error err = { 0 };

    if (step->result == APPLY_DONE)
        log_step(step);
    if (step->result == APPLY_DONE && step->effect.news && gateway->parking != NULL)
        gateway_run_again(parking_news(gateway->parking, &step->job.id));
    if (step->result == APPLY_DONE && step->effect.reload && gateway->ask_reload != NULL)
        gateway->ask_reload();
    if (step->result == APPLY_DONE && job_effect_leaves(&step->effect)) {
        if (effect_perform(step, &err))
            return; /* the step ends in step_answered() */
        runner_log_trouble("effect", &err);
    }
    leave_target(step, TARGET_NOT_SENT);
    if (step->result == APPLY_CONFLICT && step->runs < RUNS_MAX)
        run_step(step); /* on what is there now */
    else
        step_end(step); /* waiting and being done are in the registry; else it stays due */
}
