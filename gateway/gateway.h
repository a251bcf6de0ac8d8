/* gateway.h: the daemon's parts and how they hang together.
 *
 *   loops (lib/net) -> on_request -> [queue] -> workers -> [writer] -> net_reply
 *                                                 runner -> [writer] -> effects
 */
#ifndef MUSTER_GATEWAY_H
#define MUSTER_GATEWAY_H

#include "gateway/live_config.h"
#include "gateway/monitor.h"
#include "gateway/parking.h"
#include "gateway/queue.h"
#include "gateway/targets.h"
#include "gateway/writer.h"

enum { WORKERS_MAX = 64, RUNNER_MORE_JOBS_MAX = 8 };

struct runner;

/* What was bound at the start, and what may be asked there: no reload changes it. */
struct bound_listener {
    char address[64];
    uint16_t port;
    enum listener_role role;
};

struct gateway {
    const char *config_path;
    struct live_config live;
    struct monitor *monitor;
    struct registry *registry;
    struct slow_down *slow_down;
    struct est_nonces *nonces;
    struct acme_nonces *acme_nonces;
    uint8_t nonce_key[32];
    struct writer *writer;
    struct parking *parking; /* NULL: nobody is held back */
    struct queue queue;      /* of errands */
    pthread_t worker[WORKERS_MAX];
    unsigned workers;
    struct runner *runner;
    const struct job_handler *more_jobs; /* beside the gateway's own; NULL: none */
    size_t more_job_count;               /* at most RUNNER_MORE_JOBS_MAX */
    void (*ask_reload)(void); /* has the daemon read its configuration anew, soon; NULL: nobody does */
    struct net_server *server;
    struct bound_listener bound[NET_LISTENERS_MAX];
    size_t bound_count;
};

/* Reads the configuration and starts every subsystem in order; on failure what was started is stopped. */
MUST_USE bool gateway_start(struct gateway *gateway, const char *config_path, struct error *err);

/* Stops in reverse: no new connections, what is in flight is finished, then the registry is closed. */
void gateway_stop(struct gateway *gateway);

/* Reads the configuration anew. What is wrong leaves the old in force. Listeners, threads and the registry's
 * place stay as they were at the start: a change of those needs a restart and is said in *note (a static
 * text, or NULL). */
MUST_USE bool gateway_reload(struct gateway *gateway, const char **note, struct error *err);

/* The configuration gets what outlives a reload; so that a socket never changes what it serves, the roles of
 * the listeners too, once they are bound. */
void gateway_lend(const struct gateway *gateway, struct config *config);

/* --- the gateway's own entries in the audit (audit_note.c) --- */
/* Appends one; what cannot be written is logged. After the writer has started. */
void gateway_audit(struct gateway *gateway, enum audit_kind kind, struct bytes content);
/* The configuration's file as it is now: its name and SHA-256. */
void gateway_audit_configuration(struct gateway *gateway);

/* --- workers (worker.c) --- */
MUST_USE bool workers_start(struct gateway *gateway, struct error *err);
void workers_stop(struct gateway *gateway);
/* Requests that were parked go back to the workers; without workers they get the answer they had. */
void gateway_run_again(struct parked *list);
/* Where lib/net hands over a whole request; `context` is the gateway. */
void gateway_on_request(struct net_exchange *exchange, void *context);
/* Where it tells of what it refused itself: nothing goes unlogged. */
void gateway_on_refused(const struct net_refused *refused, void *context);

/* --- the runner (runner.c) --- */
MUST_USE bool runner_start(struct gateway *gateway, struct runner **out, struct error *err);
void runner_stop(struct runner *runner); /* accepts NULL */
/* Something may be due at once, or is parked. Any thread; accepts NULL. */
void runner_nudge(struct runner *runner);
struct targets *runner_targets(struct runner *runner);

#endif
