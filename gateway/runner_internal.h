/* runner_internal.h: the runner's thread and its steps. */
#ifndef MUSTER_GATEWAY_RUNNER_INTERNAL_H
#define MUSTER_GATEWAY_RUNNER_INTERNAL_H

#include "gateway/gateway.h"
#include "jobs/crl.h"
#include "jobs/health.h"
#include "lib/net/fetch.h"
#include "lib/net/probe.h"

enum {
    STEPS_MAX = 64,
    STEP_ARENA_MAX = 192 << 20,
    JOB_KINDS = 13, /* of the gateway itself */
};

/* One job between its handler and the end of its effect. */
struct step {
    struct queue_item link; /* in the inbox, once it is durable */
    struct outcome outcome;
    struct runner *runner;
    struct job_record job;
    struct job_event event; /* what it runs on; in the arena */
    struct job_effect effect;
    struct turn turn;
    enum apply_result result;
    unsigned runs;     /* on this event: its changes may conflict */
    bool holds_target; /* of the effect */
    struct arena *arena;
};

struct runner {
    struct gateway *gateway;
    pthread_t thread;
    struct event_base *base;
    struct event *tick, *wake, *patience;
    struct net_client *client;
    struct net_resolver *resolver;
    struct net_fetcher *fetcher;
    struct net_prober *prober;
    struct registry_view *view;
    struct targets *targets;
    struct queue inbox;           /* steps that the writer is done with */
    struct step *step[STEPS_MAX]; /* in flight: a job runs once at a time */
    int64_t refusals_due_s;
    atomic_bool stopping, nudged;
};

void runner_log_trouble(const char *what, const struct error *err);

/* The jobs of this gateway, for the configuration in force. */
struct job_table {
    struct crl_service crl;
    struct health_service health;
    struct job_handler row[JOB_KINDS + RUNNER_MORE_JOBS_MAX];
    size_t count;
};
void runner_jobs(struct runner *runner, const struct config *config, struct job_table *out);
struct turn runner_turn(struct runner *runner, const struct config *config, struct arena *arena);

/* --- steps (runner_step.c) --- */
bool step_has_slot(const struct runner *runner);
bool step_in_flight(const struct runner *runner, const struct job_id *id);
/* Runs a job whose time has come, or whose target has room, as it is saved now; without a free slot it stays
 * due. */
void step_run_by_id(struct runner *runner, const struct job_id *id);
/* What the step wanted done, now that the writer is done with it. */
void step_perform(struct step *step);
void step_end(struct step *step);
/* What came back to an effect, as an event whose bytes live during the call: the job goes on, the step that
 * asked is over. */
void step_answered(struct step *asked, const struct job_event *event, enum target_outcome outcome);

/* --- effects (runner_effect.c) --- */
MUST_USE bool effects_start(struct runner *runner, struct error *err);
void effects_end(struct runner *runner); /* accepts what effects_start() has left half done */
/* What an effect borrows from the configuration or the view becomes the step's own. */
MUST_USE bool effect_own(struct step *step, struct error *err);
/* A copy in `arena`; false when memory ran out. */
MUST_USE bool event_copy(const struct job_event *event, struct arena *arena, struct job_event *out);
/* The effect leaves; step_answered() follows. */
MUST_USE bool effect_perform(struct step *step, struct error *err);

#endif
