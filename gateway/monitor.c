#include "gateway/monitor.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Protocol, verdict and reason are static strings of closed sets: the table cannot be grown by strangers. */
enum { SERIES_MAX = 512, DURATION_BUCKETS = 10, EXPIRIES_MAX = 256, EXPIRY_NAME_MAX = 96 };

/* The end of a certificate that the gateway depends on. */
struct expiry {
    char name[EXPIRY_NAME_MAX];
    int64_t not_after_s;
};

/* An upstream CA that tells its chain itself. */
struct chain_figure {
    char name[EXPIRY_NAME_MAX];
    bool known;
};

struct series {
    const char *protocol, *verdict, *reason;
    uint64_t count, summed; /* summed: already in an audit entry */
};

static const unsigned bucket_ms[DURATION_BUCKETS] = { 1, 2, 5, 10, 25, 50, 100, 250, 1000, 5000 };

struct monitor {
    pthread_mutex_t lock;
    struct series series[SERIES_MAX];
    size_t series_count;
    uint64_t bucket[DURATION_BUCKETS + 1], duration_sum_ms, duration_count;
    struct health health;
    bool health_known;
    struct expiry expiry[EXPIRIES_MAX]; /* of the configuration in force */
    size_t expiry_count;
    struct chain_figure chain[EXPIRIES_MAX];
    size_t chain_count;
    struct monitor_sources sources;
};

bool monitor_new(struct monitor **out, struct error *err)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));

    if (monitor == NULL)
        return error_set(err, ERROR_MEMORY, "monitor");
    (void)pthread_mutex_init(&monitor->lock, NULL);
    *out = monitor;
    return true;
}

void monitor_free(struct monitor *monitor)
{
    if (monitor != NULL) {
        (void)pthread_mutex_destroy(&monitor->lock);
        free(monitor);
    }
}

void monitor_sources(struct monitor *monitor, const struct monitor_sources *sources)
{
    monitor->sources = *sources;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void count(struct monitor *monitor, const char *protocol, const char *verdict, const char *reason)
{
    struct series *s;

    for (size_t i = 0; i < monitor->series_count; i++) {
        s = &monitor->series[i];
        if (same(s->protocol, protocol) && same(s->verdict, verdict) && same(s->reason, reason)) {
            s->count++;
            return;
        }
    }
    if (monitor->series_count < SERIES_MAX)
        monitor->series[monitor->series_count++] =
            (struct series){ .protocol = protocol, .verdict = verdict, .reason = reason, .count = 1 };
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

static void log_answer(const struct answering *a, int64_t took_ms)
{
    const struct turn_facts *facts = &a->turn.facts;
    char peer[IP_TEXT_LEN];
    enum log_level level = same(or_else(facts->verdict, ""), "error") ? LOG_ERROR
                           : facts->weak != NULL                      ? LOG_WARNING
                                                                      : LOG_INFO;

    ip_format(&a->request->peer.address, peer);
    log_fields(level, "request", LOG_CTEXT("protocol", facts->protocol),
               LOG_CTEXT("procedure", facts->procedure), LOG_CTEXT("operation", facts->operation),
               LOG_TEXT("transaction", facts->transaction), LOG_TEXT("fqdn", facts->fqdn),
               LOG_CTEXT("verdict", facts->verdict), LOG_CTEXT("reason", facts->reason),
               LOG_CTEXT("detail", facts->detail), LOG_CTEXT("weak", facts->weak),
               LOG_TEXT("serial", facts->serial), LOG_TEXT("officer", facts->officer),
               LOG_CTEXT("error", facts->error), LOG_CTEXT("peer", peer),
               LOG_TEXT("method", a->request->method_text), LOG_TEXT("path", a->request->path),
               LOG_NUMBER("status", a->response.status), LOG_NUMBER("ms", took_ms));
}

void monitor_answered(struct monitor *monitor, const struct answering *a, int64_t took_ms)
{
    const struct turn_facts *facts = &a->turn.facts;
    size_t bucket = 0;

    while (bucket < DURATION_BUCKETS && took_ms > (int64_t)bucket_ms[bucket])
        bucket++;
    (void)pthread_mutex_lock(&monitor->lock);
    count(monitor, or_else(facts->protocol, "http"), or_else(facts->verdict, "none"),
          or_else(facts->reason, ""));
    monitor->bucket[bucket]++;
    monitor->duration_sum_ms += (uint64_t)took_ms;
    monitor->duration_count++;
    (void)pthread_mutex_unlock(&monitor->lock);
    log_answer(a, took_ms);
}

/* What operators compare, or load into clients beforehand (SCEP-38). */
static void log_ca(const struct ca *ca)
{
    char sha256[CA_FINGERPRINT_LEN] = "", sha1[CA_FINGERPRINT_LEN] = "";

    if (ca->chain_awaited)
        log_fields(LOG_WARNING, "ca", LOG_CTEXT("name", ca->name),
                   LOG_CTEXT("note", "its chain is not known yet: nothing is served for it meanwhile"));
    else if (ca_fingerprint(ca, DIGEST_SHA256, sha256) && ca_fingerprint(ca, DIGEST_SHA1, sha1))
        log_fields(LOG_INFO, "ca", LOG_CTEXT("name", ca->name), LOG_CTEXT("sha256", sha256),
                   LOG_CTEXT("sha1", sha1));
}

static void log_awaited(const struct service_certificate *s)
{
    if (service_is_awaited(s))
        log_fields(LOG_WARNING, "certificate", LOG_CTEXT("of", s->what), LOG_CTEXT("file", s->path),
                   LOG_CTEXT("note", "it is not there yet: it is asked of the CA"), LOG_CTEXT("ca", s->ca));
}

static void note_expiry(struct monitor *monitor, const char *kind, const char *name, int64_t not_after_s)
{
    struct expiry *e = &monitor->expiry[monitor->expiry_count];

    if (monitor->expiry_count == EXPIRIES_MAX)
        return;
    (void)snprintf(e->name, sizeof(e->name), "%s%s", kind, name);
    e->not_after_s = not_after_s;
    monitor->expiry_count++;
}

static void note_expiries(struct monitor *monitor, const struct config *config)
{
    (void)pthread_mutex_lock(&monitor->lock);
    monitor->expiry_count = 0;
    for (size_t i = 0; i < config->certificate_count; i++)
        if (!config->certificate[i].awaited)
            note_expiry(monitor, "", config->certificate[i].what, config->certificate[i].not_after_s);
    for (size_t i = 0; i < config->ca_count; i++)
        if (!config->ca[i].chain_awaited)
            note_expiry(monitor, "ca ", config->ca[i].name, config->ca[i].certificate.not_after_s);
    (void)pthread_mutex_unlock(&monitor->lock);
}

static void note_chains(struct monitor *monitor, const struct config *config)
{
    (void)pthread_mutex_lock(&monitor->lock);
    monitor->chain_count = 0;
    for (size_t i = 0; i < config->ca_count && monitor->chain_count < EXPIRIES_MAX; i++) {
        struct chain_figure *f = &monitor->chain[monitor->chain_count];

        if (config->ca[i].anchor_count == 0)
            continue;
        (void)snprintf(f->name, sizeof(f->name), "%s", config->ca[i].name);
        f->known = !config->ca[i].chain_awaited;
        monitor->chain_count++;
    }
    (void)pthread_mutex_unlock(&monitor->lock);
}

void monitor_configuration(struct monitor *monitor, const struct config *config)
{
    note_expiries(monitor, config);
    note_chains(monitor, config);
    for (size_t i = 0; i < config->ca_count; i++)
        log_ca(&config->ca[i]);
    for (size_t i = 0; i < config->services.count; i++)
        log_awaited(&config->services.item[i]);
    for (size_t i = 0; i < config->procedure_count; i++)
        if (config->procedure[i]->dialect.scep_des)
            log_fields(LOG_WARNING, "configuration", LOG_CTEXT("procedure", config->procedure[i]->name),
                       LOG_CTEXT("weak", "single DES"));
}

void monitor_refused(const struct net_refused *refused)
{
    char peer[IP_TEXT_LEN];

    ip_format(&refused->request->peer.address, peer);
    log_fields(LOG_INFO, "request", LOG_CTEXT("protocol", "http"), LOG_CTEXT("verdict", "refused"),
               LOG_CTEXT("reason", "http"), LOG_CTEXT("detail", refused->reason), LOG_CTEXT("peer", peer),
               LOG_TEXT("method", refused->request->method_text), LOG_TEXT("path", refused->request->path),
               LOG_NUMBER("status", refused->status));
}

void monitor_health(struct monitor *monitor, const struct health *health)
{
    (void)pthread_mutex_lock(&monitor->lock);
    monitor->health = *health;
    monitor->health_known = true;
    (void)pthread_mutex_unlock(&monitor->lock);
}

static void serve_health(struct monitor *monitor, struct arena *arena, struct http_response *response)
{
    struct health health;
    bool known;
    struct bytes text;

    (void)pthread_mutex_lock(&monitor->lock);
    health = monitor->health;
    known = monitor->health_known;
    (void)pthread_mutex_unlock(&monitor->lock);
    if (known && health.ok) {
        *response = http_respond_text(200, "ok\n");
        return;
    }
    text = arena_format(arena, "%s\n", known ? health.what : "not probed yet");
    *response = http_respond(503, "text/plain; charset=utf-8", text);
}

static void metric(struct buffer *out, const char *name, const char *type, uint64_t value)
{
    buffer_format(out, "# TYPE %s %s\n%s %" PRIu64 "\n", name, type, name, value);
}

static void put_requests(struct monitor *monitor, struct buffer *out)
{
    uint64_t below = 0;

    buffer_append_text(out, "# TYPE muster_requests_total counter\n");
    for (size_t i = 0; i < monitor->series_count; i++)
        buffer_format(out,
                      "muster_requests_total{protocol=\"%s\",verdict=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
                      monitor->series[i].protocol, monitor->series[i].verdict, monitor->series[i].reason,
                      monitor->series[i].count);
    buffer_append_text(out, "# TYPE muster_request_duration_seconds histogram\n");
    for (size_t i = 0; i < DURATION_BUCKETS; i++)
        buffer_format(out, "muster_request_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                      bucket_ms[i] / 1000.0, below += monitor->bucket[i]);
    buffer_format(
        out,
        "muster_request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64
        "\nmuster_request_duration_seconds_sum %g\nmuster_request_duration_seconds_count %" PRIu64 "\n",
        monitor->duration_count, (double)monitor->duration_sum_ms / 1000.0, monitor->duration_count);
}

static void put_connections(const struct net_server *server, struct buffer *out)
{
    struct net_counters c;

    net_server_counters(server, &c);
    metric(out, "muster_connections_accepted_total", "counter", c.accepted);
    metric(out, "muster_connections_open", "gauge", c.open);
    metric(out, "muster_http_requests_total", "counter", c.requests);
    metric(out, "muster_http_refused_total", "counter", c.refused_http);
    metric(out, "muster_connections_refused_total", "counter", c.refused_limit);
    metric(out, "muster_connection_timeouts_total", "counter", c.timeouts);
    metric(out, "muster_tls_handshakes_total", "counter", c.handshakes);
    metric(out, "muster_tls_handshake_failures_total", "counter", c.handshake_failures);
}

static void put_registry(struct registry *registry, struct buffer *out)
{
    struct registry_figures f;

    if (!registry_figures(registry, &f, NULL))
        return;
    metric(out, "muster_registrations", "gauge", f.registrations);
    metric(out, "muster_certificates", "gauge", f.certificates);
    metric(out, "muster_audit_entries", "gauge", f.audit_entries);
    metric(out, "muster_jobs", "gauge", f.jobs);
    metric(out, "muster_registry_used_bytes", "gauge", f.map_used);
    metric(out, "muster_registry_max_bytes", "gauge", f.map_max);
    metric(out, "muster_registry_oldest_view_lag", "gauge", f.oldest_reader_lag);
}

static void put_writer(struct writer *writer, struct buffer *out)
{
    struct writer_counters c;

    writer_counters(writer, &c);
    metric(out, "muster_commits_total", "counter", c.commits);
    metric(out, "muster_outcomes_total", "counter", c.outcomes);
    metric(out, "muster_conflicts_total", "counter", c.conflicts);
    metric(out, "muster_commit_failures_total", "counter", c.failures);
}

static void put_expiries(const struct monitor *monitor, struct buffer *out)
{
    if (monitor->expiry_count > 0)
        buffer_append_text(out, "# TYPE muster_certificate_expiry_seconds gauge\n");
    for (size_t i = 0; i < monitor->expiry_count; i++)
        buffer_format(out, "muster_certificate_expiry_seconds{certificate=\"%s\"} %" PRId64 "\n",
                      monitor->expiry[i].name, monitor->expiry[i].not_after_s);
}

static void put_chains(const struct monitor *monitor, struct buffer *out)
{
    if (monitor->chain_count > 0)
        buffer_append_text(out, "# TYPE muster_ca_chain_known gauge\n");
    for (size_t i = 0; i < monitor->chain_count; i++)
        buffer_format(out, "muster_ca_chain_known{ca=\"%s\"} %d\n", monitor->chain[i].name,
                      monitor->chain[i].known);
}

static void serve_metrics(struct monitor *monitor, struct arena *arena, struct http_response *response)
{
    AUTO_STRUCT(buffer) out = BUFFER(256 * 1024);

    (void)pthread_mutex_lock(&monitor->lock);
    put_requests(monitor, &out);
    metric(&out, "muster_healthy", "gauge", monitor->health_known && monitor->health.ok);
    if (monitor->health_known)
        metric(&out, "muster_service_certificate_days_left", "gauge",
               monitor->health.days_left > 0 ? (uint64_t)monitor->health.days_left : 0);
    put_expiries(monitor, &out);
    put_chains(monitor, &out);
    (void)pthread_mutex_unlock(&monitor->lock);
    if (monitor->sources.server != NULL)
        put_connections(monitor->sources.server, &out);
    if (monitor->sources.writer != NULL)
        put_writer(monitor->sources.writer, &out);
    if (monitor->sources.registry != NULL)
        put_registry(monitor->sources.registry, &out);
    if (monitor->sources.queue != NULL)
        metric(&out, "muster_queue_length", "gauge", queue_length(monitor->sources.queue));
    if (monitor->sources.parking != NULL)
        metric(&out, "muster_requests_parked", "gauge", parking_count(monitor->sources.parking));
    if (monitor->sources.targets != NULL)
        targets_metrics(monitor->sources.targets, &out);
    *response = buffer_failed(&out) ? http_respond_text(500, "too many series\n")
                                    : http_respond(200, "text/plain; version=0.0.4; charset=utf-8",
                                                   arena_copy(arena, buffer_bytes(&out)));
}

bool monitor_serve(struct monitor *monitor, const struct http_request *request,
                   struct http_response *response)
{
    bool health = bytes_is(request->path, "/healthz");

    if (!health && !bytes_is(request->path, "/metrics"))
        return false;
    if (request->method != HTTP_METHOD_GET && request->method != HTTP_METHOD_HEAD) {
        *response = http_respond_text(405, "method not allowed\n");
        http_response_add(response, "Allow", BYTES_LITERAL("GET, HEAD"));
    } else if (health) {
        serve_health(monitor, request->arena, response);
    } else {
        serve_metrics(monitor, request->arena, response);
    }
    return true;
}

void monitor_refusals(struct monitor *monitor, struct buffer *out)
{
    bool first = true;

    (void)pthread_mutex_lock(&monitor->lock);
    for (size_t i = 0; i < monitor->series_count; i++) {
        struct series *s = &monitor->series[i];

        if (same(s->verdict, "refused") && s->count > s->summed) {
            buffer_format(out, "%s\"%s/%s\":%" PRIu64, first ? "{" : ",", s->protocol, s->reason,
                          s->count - s->summed);
            s->summed = s->count;
            first = false;
        }
    }
    (void)pthread_mutex_unlock(&monitor->lock);
    if (!first)
        buffer_append_text(out, "}");
}
