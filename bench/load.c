#include "bench/load.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/figures.h"
#include "bench/progress.h"

enum { REQUEST_MAX = 1 << 20 };

struct run {
    const struct load_plan *plan;
    struct link_route route[LOAD_WORKS_MAX];
    struct load_record *record;
    size_t count;
    struct timespec begun;
    int64_t until_us; /* nothing begins after it; 0: no end but the last exchange */
    atomic_size_t next;
    atomic_uint clients;
    struct progress progress;
};

struct client {
    unsigned number;
    struct link link[LOAD_WORKS_MAX]; /* one for each work */
    struct buffer made;               /* the request */
};

/* An interrupt ends the run early, and what was measured is told; a second one ends the program. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* --- time --- */

static int64_t now_us(const struct run *run)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)(now.tv_sec - run->begun.tv_sec) * 1000000 + (now.tv_nsec - run->begun.tv_nsec) / 1000;
}

static void sleep_until(const struct run *run, int64_t at_us)
{
    int64_t ns = run->begun.tv_nsec + at_us % 1000000 * 1000;
    const struct timespec at = { .tv_sec = run->begun.tv_sec + at_us / 1000000 + ns / 1000000000,
                                 .tv_nsec = ns % 1000000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
        ;
}

/* --- one exchange --- */

static enum link_fault reach(const struct run *run, struct link *link, struct load_record *r)
{
    const struct load_work *work = &run->plan->work[r->work];
    bool resumed;
    enum link_fault fault = link_open(link, &run->route[r->work], work->dress, work->context, r->n, &resumed);

    if (fault == LINK_OK) {
        r->connections++;
        r->resumed = (unsigned short)(r->resumed + resumed);
    }
    return fault;
}

/* Over the connection that there is, or a new one. One that was kept may have been closed meanwhile: whoever
 * gets not an octet over it asks again over a new one. */
static enum link_fault ask(const struct run *run, struct client *c, struct load_record *r)
{
    struct link *link = &c->link[r->work];
    bool kept = link->fd >= 0, closing = true;
    enum link_fault fault = kept ? LINK_OK : reach(run, link, r);

    link_answer_free(&r->answer);
    r->requests++;
    if (fault == LINK_OK)
        fault = link_ask(link, buffer_bytes(&c->made), &r->answer, &closing);
    if (kept && fault == LINK_CLOSED && link->in.len == 0) {
        link_close(link);
        fault = reach(run, link, r);
        if (fault == LINK_OK)
            fault = link_ask(link, buffer_bytes(&c->made), &r->answer, &closing);
    }
    if (closing || fault != LINK_OK)
        link_close(link);
    return fault;
}

static void hold(struct run *run, struct client *c, struct load_record *r)
{
    const struct load_work *work = &run->plan->work[r->work];
    bool first = true;

    do {
        c->made.len = 0;
        if (!work->talk(work->context, c->number, r->n, first ? NULL : &r->answer, &c->made) ||
            buffer_failed(&c->made))
            break;
        r->fault = ask(run, c, r);
        first = false;
    } while (r->fault == LINK_OK);
    if (work->dress != NULL || run->plan->connections != LOAD_KEEP)
        link_close(&c->link[r->work]);
    r->ended_us = now_us(run);
    r->held = true;
    progress_count(&run->progress, r->fault == LINK_OK && r->answer.status < 300);
}

/* --- clients --- */

/* Waits until exchange `i` is due. False: it is not begun, and unless it was missed nothing more is. */
static bool await(const struct run *run, size_t i, struct load_record *r)
{
    if (interrupted)
        return false;
    r->begun_us = r->due_us = now_us(run);
    if (run->plan->rate > 0)
        r->due_us = (int64_t)((double)i * 1e6 / run->plan->rate);
    if (run->until_us > 0 && r->due_us >= run->until_us)
        return false;
    if (r->due_us > r->begun_us) {
        sleep_until(run, r->due_us);
        r->begun_us = now_us(run);
    }
    r->missed = run->plan->late_max_s > 0 && (double)(r->begun_us - r->due_us) > run->plan->late_max_s * 1e6;
    return !r->missed;
}

static void *client(void *context)
{
    struct run *run = context;
    struct client c = { .made = BUFFER(REQUEST_MAX) };
    const int64_t think_us = (int64_t)(run->plan->think_s * 1e6);
    size_t i;

    c.number = atomic_fetch_add(&run->clients, 1);
    for (size_t w = 0; w < run->plan->work_count; w++)
        c.link[w] = LINK_NONE;
    while ((i = atomic_fetch_add(&run->next, 1)) < run->count) {
        struct load_record *r = &run->record[i];

        if (await(run, i, r))
            hold(run, &c, r);
        else if (!r->missed)
            break;
        if (think_us > 0)
            sleep_until(run, r->ended_us + think_us);
    }
    for (size_t w = 0; w < run->plan->work_count; w++)
        link_free(&c.link[w]);
    buffer_free(&c.made);
    progress_leave(&run->progress);
    return NULL;
}

/* --- the run --- */

size_t load_turn(const struct load_work *work, size_t count, long *credit)
{
    size_t next = 0;
    long all = 0;

    for (size_t i = 0; i < count; i++) {
        credit[i] += (long)work[i].weight;
        all += (long)work[i].weight;
        if (credit[i] > credit[next])
            next = i;
    }
    credit[next] -= all;
    return next;
}

static bool make_records(struct run *run, struct error *err)
{
    const struct load_plan *plan = run->plan;
    long credit[LOAD_WORKS_MAX] = { 0 };
    size_t given[LOAD_WORKS_MAX] = { 0 };

    for (size_t w = 0; w < plan->work_count; w++)
        run->count += plan->work[w].count;
    assert(plan->work_count > 0 && run->count > 0);
    run->record = calloc(run->count, sizeof(*run->record));
    if (run->record == NULL)
        return error_set(err, ERROR_MEMORY, "answers");
    for (size_t i = 0; i < run->count; i++) {
        size_t w = load_turn(plan->work, plan->work_count, credit);

        while (given[w] == plan->work[w].count) /* the counts need not be of the weights */
            w = (w + 1) % plan->work_count;
        run->record[i] = (struct load_record){ .work = (uint8_t)w, .n = given[w]++ };
    }
    return true;
}

static bool open_routes(struct run *run, struct error *err)
{
    const struct load_plan *plan = run->plan;

    for (size_t w = 0; w < plan->work_count; w++)
        if (!link_route_open(&run->route[w], &plan->work[w].target, plan->trust_path,
                             plan->connections == LOAD_RESUME, err))
            return false;
    return true;
}

/* Starts the clients, watches the clock while they work, and waits for them all. */
static bool let_work(struct run *run, struct load_result *out, struct error *err)
{
    const struct load_plan *plan = run->plan;
    unsigned clients = plan->clients < LOAD_CLIENTS_MAX ? plan->clients : LOAD_CLIENTS_MAX, started = 0;
    pthread_t thread[LOAD_CLIENTS_MAX];
    double target_s, own_s;

    progress_begin(&run->progress, clients, plan->progress);
    target_s = figures_process_of_s(plan->target_pid);
    own_s = figures_process_s();
    while (started < clients && pthread_create(&thread[started], NULL, client, run) == 0)
        started++;
    for (unsigned i = started; i < clients; i++)
        progress_leave(&run->progress);
    if (plan->warm_up_s > 0) {
        progress_wait(&run->progress, plan->warm_up_s);
        target_s = figures_process_of_s(plan->target_pid);
        own_s = figures_process_s();
        out->from_us = now_us(run);
    }
    progress_wait(&run->progress, -1);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(thread[i], NULL);
    progress_end(&run->progress);
    out->target_cpu_seconds = target_s < 0 ? -1 : figures_process_of_s(plan->target_pid) - target_s;
    out->own_cpu_seconds = figures_process_s() - own_s;
    return started > 0 || error_set(err, ERROR_IO, "no client thread could be started");
}

static int64_t last_end(const struct run *run)
{
    int64_t last = 0;

    for (size_t i = 0; i < run->count; i++)
        if (run->record[i].held && run->record[i].ended_us > last)
            last = run->record[i].ended_us;
    return last;
}

bool load_run(const struct load_plan *plan, struct load_result *out, struct error *err)
{
    const struct sigaction once = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };
    struct run run = { .plan = plan };
    struct load_result result = { 0 };
    bool done;

    (void)sigaction(SIGINT, &once, NULL);
    if (plan->duration_s > 0)
        run.until_us = (int64_t)((plan->warm_up_s + plan->duration_s) * 1e6);
    done = open_routes(&run, err) && make_records(&run, err);
    if (done) {
        (void)clock_gettime(CLOCK_MONOTONIC, &run.begun);
        done = let_work(&run, &result, err);
    }
    for (size_t w = 0; w < plan->work_count; w++)
        link_route_close(&run.route[w]);
    result.record = run.record;
    result.count = run.count;
    result.to_us = last_end(&run);
    if (done)
        *out = result;
    else
        load_free(&result);
    return done;
}

void load_free(struct load_result *result)
{
    for (size_t i = 0; result->record != NULL && i < result->count; i++)
        link_answer_free(&result->record[i].answer);
    free(result->record);
    *result = (struct load_result){ 0 };
}

bool load_once(const struct link_target *target, const char *trust_path, struct bytes request,
               struct link_answer *out, struct error *err)
{
    struct link_route route = { 0 };
    struct link link = LINK_NONE;
    bool resumed, closing, done;

    if (!link_route_open(&route, target, trust_path, false, err))
        return false;
    done = link_open(&link, &route, NULL, NULL, 0, &resumed) == LINK_OK &&
           link_ask(&link, request, out, &closing) == LINK_OK;
    link_free(&link);
    link_route_close(&route);
    return done || error_set(err, ERROR_IO, "%s:%s does not answer", target->host, target->port);
}
