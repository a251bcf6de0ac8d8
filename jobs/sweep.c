/* sweep.c: protocol state whose time is over goes, a piece at a time, so that no turn is long. */
#include "jobs/job.h"

enum { SWEEP_PIECE = 256, SWEEP_PERIOD_S = 60 };

bool job_sweep_run(struct turn *turn, const void *service, const struct job_record *job,
                   const struct job_event *event, struct job_step *out, struct error *err)
{
    struct state_key *key = arena_array(turn->arena, SWEEP_PIECE, sizeof(*key));
    uint64_t *revision = arena_array(turn->arena, SWEEP_PIECE, sizeof(*revision));
    size_t count;

    (void)service;
    (void)job;
    (void)event;
    if (key == NULL || revision == NULL)
        return error_set(err, ERROR_MEMORY, "no memory to sweep");
    if (!registry_state_expired(turn->view, turn->now_s, SWEEP_PIECE, turn->arena, key, revision, &count,
                                err))
        return false;
    for (size_t i = 0; i < count; i++)
        change_state_delete(&turn->changes, &key[i], revision[i]);
    out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT,
                                       .until_s = turn->now_s + (count == SWEEP_PIECE ? 0 : SWEEP_PERIOD_S) };
    return true;
}
