/* runner_effect.c: what leaves for the world, and what comes back from it, as values. */
#include <event2/event.h>

#include "gateway/runner_internal.h"
#include "lib/base/file.h"

enum {
    PER_HOST_MAX = 32, /* connections; each CA says how many requests */
    HTTP_RESPONSE_MAX = 1 << 20,
    CERTIFICATE_MODE = 0644,
    STATUS_GATEWAY = 502, /* a proxy's word: to 504, what is behind it did not answer */
    STATUS_GATEWAY_TIMEOUT = 504,
};

/* --- values --- */

static bool own_text(struct arena *arena, const char **text)
{
    if (*text == NULL)
        return true;
    *text = arena_text(arena, bytes_text(*text));
    return *text != NULL;
}

static bool own_bytes(struct arena *arena, struct bytes *b)
{
    *b = arena_copy(arena, *b);
    return b->data != NULL;
}

static bool own_rules(struct arena *arena, const struct address_rules **rules)
{
    struct address_rules *copy;

    if (*rules == NULL)
        return true;
    copy = arena_alloc(arena, sizeof(*copy));
    if (copy == NULL || !address_rules_copy(*rules, arena, copy))
        return false;
    *rules = copy;
    return true;
}

bool effect_own(struct step *step, struct error *err)
{
    struct job_effect *e = &step->effect;

    if (!job_effect_leaves(e))
        return true;
    return (own_bytes(step->arena, &e->url) && own_bytes(step->arena, &e->content_type) &&
            own_bytes(step->arena, &e->body) && own_bytes(step->arena, &e->host) &&
            own_bytes(step->arena, &e->content) && own_text(step->arena, &e->path) &&
            own_text(step->arena, &e->trust_path) && own_text(step->arena, &e->target) &&
            own_text(step->arena, &e->alpn) && own_rules(step->arena, &e->rules)) ||
           error_set(err, ERROR_MEMORY, "effect of a job");
}

static bool copy_answer(const struct dns_answer *answer, struct arena *arena, struct dns_answer *out)
{
    struct dns_record *record = arena_array(arena, answer->count, sizeof(*record));

    if (record == NULL)
        return answer->count == 0;
    for (size_t i = 0; i < answer->count; i++) {
        record[i] = answer->record[i];
        if (!own_bytes(arena, &record[i].value))
            return false;
    }
    out->record = record;
    return true;
}

bool event_copy(const struct job_event *event, struct arena *arena, struct job_event *out)
{
    struct job_event copy = *event;

    if (!own_bytes(arena, &copy.http_body) || !own_bytes(arena, &copy.probe_certificate) ||
        !own_text(arena, &copy.http_failure) || !own_text(arena, &copy.probe_failure) ||
        !own_text(arena, &copy.file_failure) || !copy_answer(&event->dns, arena, &copy.dns))
        return false;
    *out = copy;
    return true;
}

/* --- HTTP to who is configured --- */

static bool answered(const struct net_client_result *result)
{
    return result->ok && (result->status < STATUS_GATEWAY || result->status > STATUS_GATEWAY_TIMEOUT);
}

static void on_response(const struct net_client_result *result, void *user)
{
    struct job_event event = { .kind = JOB_EVENT_HTTP,
                               .http_ok = result->ok,
                               .http_status = result->status,
                               .http_body = result->body,
                               .http_failure = result->failure,
                               .fault = result->fault };

    step_answered(user, &event, answered(result) ? TARGET_ANSWERED : TARGET_FAILED);
}

static bool send_http(struct step *step, const char *url, struct error *err)
{
    struct http_header header = { BYTES_LITERAL("Content-Type"), step->effect.content_type };
    struct net_client_request request = {
        .method = step->effect.method,
        .url = url,
        .header = &header,
        .header_count = step->effect.content_type.len > 0,
        .body = step->effect.body,
        .timeout_ms = step->effect.timeout_ms,
        .response_max = HTTP_RESPONSE_MAX,
        .trust_path = step->effect.trust_path,
    };

    return net_client_send(step->runner->client, &request, on_response, step, err);
}

/* --- names and strangers' hosts, whose silence is no fault of the target --- */

static void on_fetched(const struct net_fetch_result *result, void *user)
{
    struct job_event event = { .kind = JOB_EVENT_HTTP,
                               .http_ok = result->fault == NET_OK,
                               .http_status = result->status,
                               .http_body = result->body,
                               .http_failure = result->failure,
                               .fault = result->fault,
                               .address = result->address };

    step_answered(user, &event, TARGET_ANSWERED);
}

static bool fetch(struct step *step, const char *url, struct error *err)
{
    struct net_fetch_request request = { .url = url,
                                         .rules = step->effect.rules,
                                         .port = step->effect.port,
                                         .timeout_ms = step->effect.timeout_ms };

    if (step->effect.method != HTTP_METHOD_GET)
        return error_set(err, ERROR_INTERNAL, "a stranger's host is asked by GET alone");
    return net_fetch(step->runner->fetcher, &request, on_fetched, step, err);
}

static void on_dns(const struct dns_answer *answer, void *user)
{
    struct job_event event = { .kind = JOB_EVENT_DNS, .dns = *answer };

    step_answered(user, &event, TARGET_ANSWERED);
}

static bool ask(struct step *step, struct error *err)
{
    struct net_question question = { .name = step->effect.name,
                                     .type = step->effect.type,
                                     .timeout_ms = step->effect.timeout_ms };

    if (question.name.len == 0)
        return error_set(err, ERROR_INTERNAL, "a DNS question without a name");
    return net_resolver_ask(step->runner->resolver, &question, on_dns, step, err);
}

static void on_probed(const struct net_probe_result *result, void *user)
{
    struct job_event event = { .kind = JOB_EVENT_PROBE,
                               .fault = result->fault,
                               .address = result->address,
                               .probe_certificate = result->certificate,
                               .probe_failure = result->failure };

    step_answered(user, &event, TARGET_ANSWERED);
}

static bool probe(struct step *step, struct error *err)
{
    struct net_probe_request request = { .host = step->effect.host,
                                         .port = step->effect.port,
                                         .server_name = step->effect.name,
                                         .alpn = step->effect.alpn,
                                         .rules = step->effect.rules,
                                         .timeout_ms = step->effect.timeout_ms };

    if (request.rules == NULL || request.alpn == NULL || request.server_name.len == 0)
        return error_set(err, ERROR_INTERNAL, "a TLS probe without rules, protocol or name");
    return net_probe(step->runner->prober, &request, on_probed, step, err);
}

/* --- files --- */

static bool write_file(struct step *step)
{
    struct error err = { 0 };
    bool ok = file_write(step->effect.path, step->effect.content, CERTIFICATE_MODE, &err);
    struct job_event event = { .kind = JOB_EVENT_FILE, .file_ok = ok, .file_failure = ok ? NULL : err.text };

    step_answered(step, &event, TARGET_ANSWERED);
    return true;
}

/* --- --- */

/* The servers of the configuration in force. */
static bool refresh_servers(struct runner *runner, struct error *err)
{
    struct held_config *held = live_config_hold(&runner->gateway->live);
    bool set = net_resolver_set_servers(runner->resolver, held->config->dns_servers, err);

    live_config_release(held);
    return set;
}

bool effect_perform(struct step *step, struct error *err)
{
    const char *url = arena_text(step->arena, step->effect.url);

    if (url == NULL)
        return error_set(err, ERROR_MEMORY, "url of an effect");
    switch (step->effect.kind) {
    case JOB_EFFECT_NONE:
    case JOB_EFFECT_DONE:
    case JOB_EFFECT_WAIT: break;
    case JOB_EFFECT_HTTP:
        if (step->effect.rules == NULL)
            return send_http(step, url, err);
        return refresh_servers(step->runner, err) && fetch(step, url, err);
    case JOB_EFFECT_DNS: return refresh_servers(step->runner, err) && ask(step, err);
    case JOB_EFFECT_PROBE: return refresh_servers(step->runner, err) && probe(step, err);
    case JOB_EFFECT_FILE: return write_file(step);
    }
    return error_set(err, ERROR_INTERNAL, "an effect that does not leave");
}

bool effects_start(struct runner *runner, struct error *err)
{
    return net_client_new(runner->base, PER_HOST_MAX, &runner->client, err) &&
           net_resolver_new(runner->base, NULL, &runner->resolver, err) &&
           net_fetcher_new(runner->base, runner->client, runner->resolver, &runner->fetcher, err) &&
           net_prober_new(runner->base, runner->resolver, &runner->prober, err);
}

/* In this order: nothing of what is freed runs in between. */
void effects_end(struct runner *runner)
{
    net_prober_free(runner->prober);
    net_fetcher_free(runner->fetcher);
    net_client_free(runner->client);
    net_resolver_free(runner->resolver);
}
