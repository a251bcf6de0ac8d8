/* load.h: a closed loop of clients over blocking connections: each sends the next of the requests that were
 * built beforehand, waits for its answer, keeps it, and goes on. Where a protocol takes two messages, the
 * second is made from the answer to the first and goes over the same connection; or each of many from the
 * answer before. What the answers say is verified after the interval. */
#ifndef MUSTER_BENCH_LOAD_H
#define MUSTER_BENCH_LOAD_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct load_target {
    char host[256];
    char port[8];
    bool tls;
    char path[512];
};

/* "http://host[:port]/path" or "https://...". */
MUST_USE bool load_target_parse(const char *url, struct load_target *out, struct error *err);

struct load_answer {
    int status;        /* 0: the connection failed */
    struct bytes body; /* owned by the run */
    struct bytes head; /* status line and headers, as they came; lives as long as the body */
    int64_t took_us;
};

/* The value of a header that comes alone; none when it is not there. */
struct bytes load_header(const struct load_answer *answer, const char *name);

/* The second request of exchange `n`, whole, made from the answer to its first; called on a client's thread,
 * for each n once. False: there is none to make, and the exchange ends. */
typedef bool load_follow(void *context, size_t n, const struct load_answer *first, struct buffer *request);

/* The next request of exchange `n`, made by client number `client` from the answer before (NULL: there was
 * none yet), over the same connection; called on the client's thread, which holds one exchange at a time.
 * False: the exchange is over. */
typedef bool load_talk(void *context, unsigned client, size_t n, const struct load_answer *before,
                       struct buffer *request);

struct load_plan {
    struct load_target target;
    const char *trust_path; /* PEM; TLS only */
    unsigned clients;
    bool keep_alive;
    const struct bytes *request; /* whole HTTP requests, head and body: each begins an exchange */
    size_t count;
    load_follow *follow; /* NULL: one request each */
    load_talk *talk;     /* instead of `request` and `follow`, when an exchange takes any number of them */
    void *context;
    int target_pid; /* 0: not on this machine, or not told */
};

struct load_result {
    struct load_answer *answer; /* of the first requests, in their order; of a talk: the last ones, with the
                                   time of all */
    struct load_answer *second; /* of the second ones; NULL when none follow */
    size_t count;               /* exchanges */
    double seconds;
    double target_cpu_seconds; /* user and system of target_pid; negative: not known */
};

MUST_USE bool load_run(const struct load_plan *plan, struct load_result *out, struct error *err);
void load_free(struct load_result *result);

/* One request alone, outside any interval. */
MUST_USE bool load_once(const struct load_plan *plan, struct bytes request, struct load_answer *out,
                        struct error *err);

/* Appends "METHOD target HTTP/1.1", the usual headers, `more` (lines with CRLF, or NULL) and the body. */
void load_request(struct buffer *out, const struct load_target *target, const char *method, const char *query,
                  bool keep_alive, const char *more, struct bytes body);

/* Table, or JSON, by exchange: rate, latencies (p50, p90, p99, p99.9, max; of both answers together), CPU,
 * and the ratio to `floor_us`, what its cryptography alone costs (0: not measured). `good` is how many were
 * verified. */
void load_report(const char *name, const struct load_plan *plan, const struct load_result *result,
                 size_t good, double floor_us, bool json);

#endif
