#include "jobs/job.h"

enum { BACKOFF_MAX_S = 300, EFFECT_GRACE_S = 60, ATTEMPTS_MAX = 1000 };

bool job_effect_leaves(const struct job_effect *effect)
{
    switch (effect->kind) {
    case JOB_EFFECT_NONE:
    case JOB_EFFECT_DONE:
    case JOB_EFFECT_WAIT: return false;
    case JOB_EFFECT_HTTP:
    case JOB_EFFECT_DNS:
    case JOB_EFFECT_PROBE:
    case JOB_EFFECT_FILE: return true;
    }
    return false;
}

int64_t job_backoff_s(uint32_t attempts)
{
    return attempts >= 9 ? BACKOFF_MAX_S : (int64_t)1 << attempts;
}

bool job_id_named(const char *what, const char *name, struct job_id *out)
{
    const struct bytes part[] = { bytes_text(what), BYTES_LITERAL(": "), bytes_text(name) };
    struct digest256 digest;

    if (!sha256_parts(part, COUNT_OF(part), &digest))
        return false;
    memcpy(out->bytes, digest.bytes, sizeof(out->bytes));
    return true;
}

bool job_id_of_kind(const char *kind, struct job_id *out)
{
    return job_id_named("standing job", kind, out);
}

static bool add_when_missing(struct turn *turn, const struct job_handler *row, struct error *err)
{
    struct job_record job = { .kind = bytes_text(row->kind), .due_s = turn->now_s }, present;
    bool found;

    if (!job_id_of_kind(row->kind, &job.id))
        return error_openssl(err, "SHA-256");
    if (!registry_job(turn->view, &job.id, turn->arena, &found, &present, err))
        return false;
    if (!found)
        change_job_put(&turn->changes, &job);
    return true;
}

bool jobs_standing(struct turn *turn, const struct job_handler *table, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].standing && !add_when_missing(turn, &table[i], err))
            return false;
    }
    return !changes_failed(&turn->changes) || error_set(err, ERROR_MEMORY, "too many standing jobs");
}

static const struct job_handler *row_of(const struct job_handler *table, size_t count, struct bytes kind)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_is(kind, table[i].kind))
            return &table[i];
    }
    return NULL;
}

/* Saved before the effect leaves: after a crash the job is due again, and its state says what was under way.
 */
static void save(struct turn *turn, const struct job_record *job, struct bytes state, int64_t due_s,
                 uint32_t attempts)
{
    struct job_record next = *job;

    next.state = state;
    next.due_s = due_s;
    next.attempts = attempts;
    change_job_put(&turn->changes, &next);
}

static bool apply_step(struct turn *turn, const struct job_handler *row, const struct job_record *job,
                       const struct job_step *step, struct error *err)
{
    int64_t until_s = step->effect.until_s;

    switch (step->effect.kind) {
    case JOB_EFFECT_NONE:
        return error_set(err, ERROR_INTERNAL, "job %s said nothing about what comes next", row->kind);
    case JOB_EFFECT_DONE:
        if (row->standing)
            return error_set(err, ERROR_INTERNAL, "job %s stands, it cannot be over", row->kind);
        change_job_delete(&turn->changes, &job->id);
        break;
    case JOB_EFFECT_WAIT:
        save(turn, job, step->state, until_s > turn->now_s ? until_s : turn->now_s, 0);
        break;
    case JOB_EFFECT_HTTP:
    case JOB_EFFECT_DNS:
    case JOB_EFFECT_PROBE:
    case JOB_EFFECT_FILE:
        save(turn, job, step->state, turn->now_s + (int64_t)(step->effect.timeout_ms / 1000) + EFFECT_GRACE_S,
             job->attempts < ATTEMPTS_MAX ? job->attempts + 1 : ATTEMPTS_MAX);
        break;
    }
    return !changes_failed(&turn->changes) ||
           error_set(err, ERROR_MEMORY, "job %s changes too much at once", row->kind);
}

bool job_run(struct turn *turn, const struct job_handler *table, size_t count, const struct job_record *job,
             const struct job_event *event, struct job_effect *effect, struct error *err)
{
    const struct job_handler *row = row_of(table, count, job->kind);
    struct job_step step = { 0 };

    if (row == NULL)
        return error_set(err, ERROR_UNSUPPORTED, "no job of this kind is built in");
    if (!row->run(turn, row->service, job, event, &step, err) || !apply_step(turn, row, job, &step, err))
        return false;
    *effect = step.effect;
    return true;
}

void job_failed(struct changes *changes, const struct job_record *job, int64_t now_s)
{
    struct job_record next = *job;

    next.due_s = now_s + job_backoff_s(job->attempts);
    next.attempts = job->attempts < ATTEMPTS_MAX ? job->attempts + 1 : ATTEMPTS_MAX;
    change_job_put(changes, &next);
}
