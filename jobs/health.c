#include "jobs/health.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "jobs/crl.h"

enum { DAY_S = 86400, MAP_FULL_PERCENT = 90 };

/* The first failure stays. */
static void found_bad(struct health *h, const char *format, ...) PRINTF(2, 3);
static void found_bad(struct health *h, const char *format, ...)
{
    va_list arguments;

    if (!h->ok)
        return;
    h->ok = false;
    va_start(arguments, format);
    (void)vsnprintf(h->what, sizeof(h->what), format, arguments);
    va_end(arguments);
}

static void probe_registry(const struct health_service *service, struct health *h)
{
    struct registry_figures figures;
    struct error err = { 0 };

    if (!registry_figures(service->registry, &figures, &err))
        found_bad(h, "registry: %.100s", err.text);
    else if (figures.map_used / MAP_FULL_PERCENT >= figures.map_max / 100)
        found_bad(h, "registry: more than %d%% of its ceiling used", MAP_FULL_PERCENT);
}

/* A signature is the whole way to the key, an HSM's too. */
static void probe_key(struct turn *turn, const struct ca *ca, struct health *h)
{
    enum key_kind kind = keys_kind(turn->keys, ca->key_name, NULL);
    enum digest_algorithm hash = ca->hash != DIGEST_NONE ? ca->hash : signature_default_hash(kind);
    struct bytes signature;
    struct error err = { 0 };

    if (!keys_sign(turn->keys, ca->key_name, hash, BYTES_LITERAL("muster: health"), turn->arena, &signature,
                   &err))
        found_bad(h, "key of ca %.40s: %.60s", ca->name, err.text);
}

static void probe_list(struct turn *turn, const struct ca *ca, struct health *h)
{
    struct crl_state state;
    struct error err = { 0 };
    bool found;

    if (!crl_state_read(turn->view, bytes_text(ca->name), turn->arena, &found, &state, &err))
        found_bad(h, "certificate list of ca %.40s: %.50s", ca->name, err.text);
    else if (found && turn->now_s >= state.next_update_s)
        found_bad(h, "certificate list of ca %.40s is out of date", ca->name);
}

static void probe_certificate(const struct turn *turn, const char *kind, const char *name,
                              int64_t not_after_s, struct health *h)
{
    int64_t left_s = not_after_s - turn->now_s;
    int64_t days = left_s >= 0 ? left_s / DAY_S : (left_s - DAY_S + 1) / DAY_S;

    if (h->ends_first[0] == '\0' || days < h->days_left) {
        h->days_left = days;
        (void)snprintf(h->ends_first, sizeof(h->ends_first), "%s%.50s", kind, name);
    }
    if (left_s <= 0)
        found_bad(h, "certificate of %s%.60s has expired", kind, name);
}

void health_probe(struct turn *turn, const struct health_service *service, struct health *out)
{
    struct health h = { .ok = true };

    probe_registry(service, &h);
    for (size_t i = 0; i < service->ca_count; i++) {
        const struct ca *ca = &service->ca[i];

        if (ca->chain_awaited)
            found_bad(&h, "chain of ca %.40s: not known yet", ca->name);
        probe_certificate(turn, "ca ", ca->name, ca->certificate.not_after_s, &h);
        if (ca_is_local(ca)) {
            probe_key(turn, ca, &h);
            probe_list(turn, ca, &h);
        }
    }
    for (size_t i = 0; i < service->certificate_count; i++) {
        const struct health_certificate *c = &service->certificate[i];

        if (c->awaited)
            found_bad(&h, "certificate of %.60s: not there yet", c->what);
        else
            probe_certificate(turn, "", c->what, c->not_after_s, &h);
    }
    *out = h;
}

bool job_health_run(struct turn *turn, const void *service, const struct job_record *job,
                    const struct job_event *event, struct job_step *out, struct error *err)
{
    const struct health_service *s = service;
    struct health health;

    (void)job;
    (void)event;
    (void)err;
    health_probe(turn, s, &health);
    if (s->report != NULL)
        s->report(s->context, &health);
    out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + HEALTH_PERIOD_S };
    return true;
}
