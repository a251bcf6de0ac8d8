/* monitor.h: what operators watch: one log line a request, counters, health. Any thread. */
#ifndef MUSTER_GATEWAY_MONITOR_H
#define MUSTER_GATEWAY_MONITOR_H

#include "gateway/answer.h"
#include "gateway/parking.h"
#include "gateway/targets.h"
#include "gateway/writer.h"
#include "jobs/health.h"

struct monitor;

MUST_USE bool monitor_new(struct monitor **out, struct error *err);
void monitor_free(struct monitor *monitor);

/* Counts the answer and writes its log line. `took_ms` from the request's arrival. */
void monitor_answered(struct monitor *monitor, const struct answering *a, int64_t took_ms);

/* The fingerprints of each CA (SCEP-38) and warnings about what a configuration allows (SCEP-46), at start
 * and after a reload. */
void monitor_configuration(struct monitor *monitor, const struct config *config);

/* The log line of what was refused before it was a request; lib/net counts those. */
void monitor_refused(const struct net_refused *refused);

/* The health job's last finding. */
void monitor_health(struct monitor *monitor, const struct health *health);

/* What the figures of /metrics are read from; set before the first request, any of them may be NULL. */
struct monitor_sources {
    struct net_server *server;
    struct writer *writer;
    struct registry *registry;
    struct queue *queue;
    struct targets *targets;
    struct parking *parking;
};
void monitor_sources(struct monitor *monitor, const struct monitor_sources *sources);

/* GET /healthz (200 "ok", or 503 with the first failure) and /metrics (Prometheus text). False: another path.
 */
bool monitor_serve(struct monitor *monitor, const struct http_request *request,
                   struct http_response *response);

/* Refusals of devices since the last call as JSON {"est/secret": 3, ...}, for the audit's one summed entry a
 * minute. Empty when there were none. */
void monitor_refusals(struct monitor *monitor, struct buffer *out);

#endif
