/* service.c: the standing job that looks at the gateway's own certificates: which are to be asked for. */
#include "enroll/service_internal.h"
#include "lib/base/record.h"
#include "registry/state.h"

#include <stdio.h>

enum { DAY_S = 86400, WARN_BEFORE_S = 30 * DAY_S, WARN_EACH_S = DAY_S };
enum { RECORD_VERSION = 1, FIELD_WARNED = 1 };

struct look {
    struct turn *turn;
    const struct service_certificates *all;
    struct buffer warning;
};

int64_t service_renewal_s(const struct service_certificate *s)
{
    const struct certificate *c = &s->certificate;
    int64_t begin_s = c->not_after_s - (int64_t)s->before_s;
    int64_t half_s = c->not_before_s + (c->not_after_s - c->not_before_s) / 2;

    if (s->ca == NULL)
        return INT64_MAX;
    return begin_s > half_s ? begin_s : half_s;
}

/* --- renewals --- */
/* What rests after a refusal of another certificate, or by another CA, rests for nothing. */
static bool wake(struct look *l, const struct service_certificate *s, const struct job_id *id,
                 struct job_record *job, struct error *err)
{
    struct service_renewal renewal;
    struct digest256 digest;

    if (!service_renewal_decode(job->state, &renewal) || renewal.stage != SERVICE_STAGE_REST ||
        job->due_s <= l->turn->now_s)
        return true;
    if (!service_digest(s, &digest, err))
        return false;
    if (digest256_equal(&digest, &renewal.follows) && bytes_is(renewal.order.ca, s->ca))
        return true;
    job->id = *id;
    job->due_s = l->turn->now_s;
    change_job_put(&l->turn->changes, job);
    return true;
}

static bool begin(struct look *l, const struct service_certificate *s, const struct ca *ca, struct error *err)
{
    struct job_record job = { .kind = BYTES_LITERAL(ENROLL_SERVICE_RENEWAL_JOB), .due_s = l->turn->now_s };
    struct service_renewal renewal;
    struct job_record present;
    bool found = false;

    /* one renewal of a file at a time */
    if (!job_id_named("service certificate", s->path, &job.id))
        return error_openssl(err, "SHA-256");
    if (!registry_job(l->turn->view, &job.id, l->turn->arena, &found, &present, err))
        return false;
    if (found)
        return wake(l, s, &job.id, &present, err);
    if (!service_renewal_begin(s, ca, l->turn->now_s, l->turn->arena, &renewal, err) ||
        !service_renewal_encode(&renewal, l->turn->arena, &job.state, err))
        return false;
    change_job_put(&l->turn->changes, &job);
    return true;
}

/* --- warnings --- */
/* What of its renewal is not as it should be; NULL: all is well. */
static const char *fault_of(const struct service_certificate *s, const struct ca *ca, int64_t now_s)
{
    int64_t end_s = s->certificate.not_after_s, renewal_s = service_renewal_s(s);

    if (s->ca == NULL)
        return now_s >= end_s - WARN_BEFORE_S ? "nobody renews it" : NULL;
    if (now_s < renewal_s)
        return NULL;
    if (ca == NULL)
        return "its CA is not configured";
    if (ca->chain_awaited)
        return "the chain of its CA is not known yet";
    if (ca->certificate.not_after_s <= end_s)
        return "its CA ends no later";
    return now_s >= renewal_s + (end_s - renewal_s) / 2 ? "its renewal has not come through" : NULL;
}

static const char *fault_of_first(const struct ca *ca)
{
    if (ca == NULL)
        return "its CA is not configured";
    return ca->chain_awaited ? "the chain of its CA is not known yet" : NULL;
}

static void warn_of_first(struct look *l, const struct service_certificate *s, const char *why)
{
    buffer_format(&l->warning, "%scertificate of %s is not there yet: %s", l->warning.len > 0 ? "; " : "",
                  s->what, why);
}

static void warn(struct look *l, const struct service_certificate *s, const char *why)
{
    int64_t left_s = s->certificate.not_after_s - l->turn->now_s;
    long long days = (long long)(left_s >= 0 ? left_s : -left_s) / DAY_S;

    buffer_format(&l->warning, "%scertificate of %s %s %lld days%s: %s", l->warning.len > 0 ? "; " : "",
                  s->what, left_s >= 0 ? "ends in" : "has ended", days, left_s >= 0 ? "" : " ago", why);
}

static bool look_at(struct look *l, const struct service_certificate *s, struct error *err)
{
    const struct ca *ca = s->ca != NULL ? order_ca(l->all->enroll, bytes_text(s->ca)) : NULL;
    int64_t now_s = l->turn->now_s;
    bool first = service_is_awaited(s);
    const char *why = first ? fault_of_first(ca) : fault_of(s, ca, now_s);

    if (why != NULL && first)
        warn_of_first(l, s, why);
    else if (why != NULL)
        warn(l, s, why);
    return ca == NULL || ca->chain_awaited || now_s < service_renewal_s(s) ||
           ca->certificate.not_after_s <= s->certificate.not_after_s || begin(l, s, ca, err);
}

/* --- when it was warned --- */
static bool take_warned(struct record_reader *in, const struct record_field *field, void *into)
{
    if (field->tag == FIELD_WARNED)
        *(int64_t *)into = (int64_t)record_u64(in, field);
    return true;
}

static int64_t warned_s(struct bytes state)
{
    int64_t last_s = 0;

    return record_read(state, RECORD_VERSION, take_warned, &last_s) ? last_s : 0;
}

static bool remember(struct turn *turn, int64_t last_s, struct bytes *out, struct error *err)
{
    AUTO_STRUCT(buffer) state = BUFFER(64);

    record_begin(&state, RECORD_VERSION);
    record_put_u64(&state, FIELD_WARNED, (uint64_t)last_s);
    return record_keep(&state, "service certificates", turn->arena, out, err);
}

bool enroll_service_job_run(struct turn *turn, const void *service, const struct job_record *job,
                            const struct job_event *event, struct job_step *out, struct error *err)
{
    struct look l = { .turn = turn, .all = service, .warning = BUFFER(64 * 1024) };
    int64_t last_s = warned_s(job->state);
    bool looked = true;

    (void)event;
    for (size_t i = 0; i < l.all->count && looked; i++)
        looked = look_at(&l, &l.all->item[i], err);
    if (looked && l.warning.len > 0 && turn->now_s - last_s >= WARN_EACH_S) {
        (void)snprintf(turn->facts.error, sizeof(turn->facts.error), "%.*s",
                       BYTES_FMT(buffer_bytes(&l.warning)));
        last_s = turn->now_s;
    }
    buffer_free(&l.warning);
    out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + SERVICE_LOOK_S };
    return looked && remember(turn, last_s, &out->state, err);
}
