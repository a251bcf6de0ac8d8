/* job.h: durable work that goes on after the answer or waits for someone else. A job is a function of (state,
 * event, view, clock) that gives the next effect and changes; it touches nothing itself. Its state is durable
 * before an effect leaves, so after a crash every job goes on from its state. A new kind of work: one handler
 * and one row in the table given to the runner. */
#ifndef MUSTER_JOB_H
#define MUSTER_JOB_H

#include "lib/base/address_rules.h"
#include "lib/dns/dns_message.h"
#include "lib/http/message.h"
#include "lib/net/fault.h"
#include "registry/state.h"
#include "registry/turn.h"

enum job_event_kind {
    JOB_EVENT_DUE = 0, /* its time has come, or the gateway started */
    JOB_EVENT_HTTP,    /* the answer to its HTTP effect */
    JOB_EVENT_DNS,     /* the answer to its question */
    JOB_EVENT_PROBE,   /* what its probe met */
    JOB_EVENT_FILE,    /* its FILE effect was performed, or failed */
};
struct job_event {
    enum job_event_kind kind;
    bool http_ok;
    int http_status;
    struct bytes http_body;
    const char *http_failure;
    struct dns_answer dns;
    /* PROBE, and HTTP to a stranger's host: NET_OK, or why it failed. */
    enum net_fault fault;
    struct ip_address address;      /* that was connected to; none */
    struct bytes probe_certificate; /* DER */
    const char *probe_failure;
    bool file_ok;
    const char *file_failure;
};

enum job_effect_kind {
    JOB_EFFECT_NONE = 0, /* unset: an error; the job is tried again later */
    JOB_EFFECT_DONE,     /* the job is over and deleted */
    JOB_EFFECT_WAIT,     /* run again at until_s */
    JOB_EFFECT_HTTP,     /* send this request, then JOB_EVENT_HTTP */
    JOB_EFFECT_DNS,      /* ask this question, then JOB_EVENT_DNS */
    JOB_EFFECT_PROBE,    /* shake hands with this host, then JOB_EVENT_PROBE */
    JOB_EFFECT_FILE,     /* have this content in the file, the old one or the new at any time, and on disk;
                            then JOB_EVENT_FILE. After a crash it may have been performed or not: writing it
                            once more does no harm */
};
struct job_effect {
    enum job_effect_kind kind;
    int64_t until_s;
    struct bytes url, content_type, body;
    enum http_method method;
    unsigned timeout_ms; /* of what leaves; to a stranger's host it is cut to 15 s */
    const char *trust_path;
    /* HTTP, DNS, PROBE: of one target at most `target_max` are under way; others wait. What follows from an
     * answer leaves at once: a job names one target in all its effects. When a target does not answer again
     * and again, all of its jobs wait; the silence of a name or of a stranger's host does not count. What is
     * under way takes a place of the runner: bounds leave room for others. NULL: not bounded. */
    const char *target;
    unsigned target_max;
    /* For whom: of one share at most `target_share_max` are under way (0: not bounded), and who has the
     * fewest comes next. All effects of a job are of one share. */
    uint64_t target_share;
    unsigned target_share_max;
    /* HTTP: the URL is a stranger's: GET alone, redirects are followed, certificates not judged, addresses
     * are (lib/net/fetch.h). NULL: a request to a host that the configuration names. PROBE: always. */
    const struct address_rules *rules;
    uint16_t port;        /* HTTP with rules: allowed beside 80 and 443 (0: none). PROBE: connected to */
    struct dns_name name; /* DNS: asked for. PROBE: the server's name in the handshake */
    enum dns_type type;   /* DNS */
    struct bytes host;    /* PROBE: a name or an address */
    const char *alpn;     /* PROBE */
    /* FILE */
    const char *path;
    struct bytes content;
    bool reload; /* the configuration is to be read anew, once this step is durable; whether that works is not
                    told: the next turn has the new one or the old */
    bool news;   /* what others wait for this job to do is done, once this step is durable */
};

/* It goes out, and an event comes back. */
bool job_effect_leaves(const struct job_effect *effect);

struct job_step {
    struct bytes
        state; /* saved with the changes of the turn, before the effect leaves; what it was is lost */
    struct job_effect effect;
};

struct job_handler {
    const char *kind;
    /* False: an error of ours; the runner tries again with growing pauses (1 s to 5 min). */
    bool (*run)(struct turn *turn, const void *service, const struct job_record *job,
                const struct job_event *event, struct job_step *out, struct error *err);
    const void *service;
    bool standing; /* exists from the first start on, once: created by jobs_standing() when missing */
};

/* Job records for the standing rows that the registry lacks. */
MUST_USE bool jobs_standing(struct turn *turn, const struct job_handler *table, size_t count,
                            struct error *err);

/* One step of one job: finds its row, runs it, and adds to turn->changes what the step means (saved state
 * with its new due time, or deletion). A job that waits for an answer is due again a minute after that
 * answer's time-out, should the gateway stop meanwhile; one that waits for a file, after a minute. Unknown
 * kind: false, ERROR_UNSUPPORTED. */
MUST_USE bool job_run(struct turn *turn, const struct job_handler *table, size_t count,
                      const struct job_record *job, const struct job_event *event, struct job_effect *effect,
                      struct error *err);

/* What a failed step means, into a fresh list of changes: one try more, due after its pause. */
void job_failed(struct changes *changes, const struct job_record *job, int64_t now_s);

/* The pause before try number `attempts` + 1. */
int64_t job_backoff_s(uint32_t attempts);

/* The id of a standing job is made from its kind, so that it exists once. */
MUST_USE bool job_id_of_kind(const char *kind, struct job_id *out);
/* That of the one job there is of `what` for `name`. Both false only when SHA-256 fails. */
MUST_USE bool job_id_named(const char *what, const char *name, struct job_id *out);

/* --- jobs that need nothing but the registry --- */
/* Deletes expired protocol state, a bounded piece at a time. */
bool job_sweep_run(struct turn *turn, const void *service, const struct job_record *job,
                   const struct job_event *event, struct job_step *out, struct error *err);

#endif
