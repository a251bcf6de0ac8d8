/* load.h: clients who hold exchanges with a server. An exchange is one operation of one device, from its
 * first request to its last answer; what it needs was made beforehand, and what came back is judged after the
 * interval. Each client is a thread with a connection of its own.
 *
 * Closed loop: a client begins its next exchange when the one before is over (and it has thought). Open loop:
 * exchanges are due at a fixed rate, whoever is free begins the next, and its time counts from when it was
 * due: a server that stalls is charged with everyone who had to wait. */
#ifndef MUSTER_BENCH_LOAD_H
#define MUSTER_BENCH_LOAD_H

#include "bench/floor.h"
#include "bench/link.h"
#include "lib/base/arena.h"

enum { LOAD_WORKS_MAX = 16, LOAD_CLIENTS_MAX = 1024, LOAD_WHY_MAX = 96 };

struct load_work;

/* The next request of exchange `n`, made by client number `client` from the answer before (NULL: there was
 * none yet), over the same connection; called on the client's thread, which holds one exchange at a time.
 * False: the exchange is over. */
typedef bool load_talk(void *context, unsigned client, size_t n, const struct link_answer *before,
                       struct buffer *request);

/* Whether the exchange that ended with `last` is what was wanted: *certificate, DER, when it gave one (for
 * the right key and names; the chain is not looked at), else `why` not, in words that are the same for all of
 * that kind. On one thread, after the interval; `arena` is for this call and what is done with its result. */
typedef bool load_judge(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                        struct bytes *certificate, char why[LOAD_WHY_MAX]);

/* Adds what the cryptography of one exchange is at the server, all connections being there; and to
 * `handshake`, which has what every server does, what this one does for a device's certificate. After the
 * last exchange was judged. */
typedef void load_bill(const void *context, struct floor *exchange, struct floor *handshake);

/* A kind of work: `count` exchanges that differ in their device alone. */
struct load_work {
    char name[64];
    struct link_target target;
    size_t count;
    unsigned weight;
    load_talk *talk;
    load_judge *judge;
    load_bill *bill;
    void (*end)(void *context);
    link_dress *dress; /* NULL, or: each exchange has a connection of its own, dressed by this */
    void *context;
};

enum load_connections { LOAD_KEEP = 0, LOAD_NEW, LOAD_RESUME }; /* of an exchange: kept, its own, resumed */

struct load_plan {
    const struct load_work *work;
    size_t work_count;
    const char *trust_path; /* PEM; TLS only */
    unsigned clients;
    enum load_connections connections;
    double rate;       /* exchanges a second; 0: closed loop */
    double warm_up_s;  /* what ends in it is not measured */
    double duration_s; /* of the interval; 0: until all exchanges are over */
    double late_max_s; /* open loop: what is due for longer than this when a client is free is not begun */
    double think_s;    /* closed loop: between two exchanges of a client */
    int target_pid;    /* 0: not on this machine, or not told */
    bool progress;     /* a line on standard error */
};

struct load_record { /* of an exchange; times since the run began */
    size_t n;
    uint8_t work;
    bool held;   /* else it was not begun, */
    bool missed; /* and should have been: plan.late_max_s */
    enum link_fault fault;
    unsigned short connections, resumed, requests; /* that it took */
    int64_t due_us, begun_us, ended_us;            /* closed loop: due when begun */
    struct link_answer answer;                     /* the last one */
};

struct load_result {
    struct load_record *record;
    size_t count;
    int64_t from_us, to_us;    /* the interval: end of the warm-up, and of the last exchange */
    double target_cpu_seconds; /* in it, user and system; negative: not known */
    double own_cpu_seconds;    /* of this process */
};

/* Which work is next, by weight, evenly spread: `credit` has a zeroed number for each. */
size_t load_turn(const struct load_work *work, size_t count, long *credit);

MUST_USE bool load_run(const struct load_plan *plan, struct load_result *out, struct error *err);
void load_free(struct load_result *result);

/* What is measured: it ended in the interval. */
static inline bool load_is_measured(const struct load_result *result, const struct load_record *record)
{
    return record->held && record->ended_us >= result->from_us;
}

/* One request alone, on a connection of its own. The answer is the caller's. */
MUST_USE bool load_once(const struct link_target *target, const char *trust_path, struct bytes request,
                        struct link_answer *out, struct error *err);

#endif
