#include "bench/summary.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/requests.h"
#include "lib/base/clock.h"

enum { JUDGE_ARENA_MAX = 8 << 20, SERIALS_ARENA_MAX = 1 << 30 };

struct verdict {
    bool good;
    struct bytes serial;
    size_t record;
    uint8_t work;
};

struct judging {
    const struct load_plan *plan;
    const struct load_result *result;
    struct verdict *verdict; /* of each record */
    struct arena *serials;
    struct anchors *issuers; /* that certificates must lead to; NULL: any will do */
    struct summary *out;
};

/* --- verdicts --- */

static void add_fault(struct summary *out, const char *work, const char *what)
{
    char text[sizeof(out->fault[0].what)];
    size_t i = 0;

    (void)snprintf(text, sizeof(text), "%s: %s", work, what);
    while (i < out->fault_count && strcmp(out->fault[i].what, text) != 0)
        i++;
    if (i == SUMMARY_FAULTS_MAX) /* the last one stands for all that have no place */
        (void)snprintf(out->fault[--i].what, sizeof(text), "others");
    else if (i == out->fault_count)
        memcpy(out->fault[out->fault_count++].what, text, sizeof(text));
    out->fault[i].count++;
}

static const char *fault_text(enum link_fault fault)
{
    switch (fault) {
    case LINK_OK: return "no answer was asked for";
    case LINK_CONNECT: return "no connection";
    case LINK_TLS: return "no TLS handshake";
    case LINK_CLOSED: return "the connection was closed before the answer was whole";
    case LINK_TIMEOUT: return "no answer in a minute";
    case LINK_FAULT_COUNT: break;
    }
    return "";
}

/* The chain of a certificate, and its serial number. */
static bool judge_certificate(struct judging *j, struct bytes der, struct arena *arena, struct verdict *out,
                              char why[LOAD_WHY_MAX])
{
    struct certificate certificate;

    if (!certificate_decode(der, arena, &certificate)) {
        (void)snprintf(why, LOAD_WHY_MAX, "a malformed certificate");
        return false;
    }
    if (j->issuers != NULL && anchors_verify(j->issuers, der, NULL, 0, clock_now_s()) != CHAIN_OK) {
        (void)snprintf(why, LOAD_WHY_MAX, "the certificate does not lead to --issuer");
        return false;
    }
    out->serial = arena_copy(j->serials, certificate.serial);
    return true;
}

static void judge_one(struct judging *j, size_t i, struct arena *arena)
{
    const struct load_record *r = &j->result->record[i];
    const struct load_work *work = &j->plan->work[r->work];
    struct verdict *verdict = &j->verdict[i];
    struct bytes certificate = BYTES_NONE;
    char why[LOAD_WHY_MAX] = "";

    arena_reset(arena);
    *verdict = (struct verdict){ .record = i, .work = r->work };
    if (r->fault != LINK_OK || r->requests == 0)
        (void)snprintf(why, sizeof(why), "%s", fault_text(r->fault));
    else
        verdict->good = work->judge(work->context, r->n, &r->answer, arena, &certificate, why) &&
                        (certificate.len == 0 || judge_certificate(j, certificate, arena, verdict, why));
    if (!verdict->good)
        add_fault(j->out, work->name, why);
}

static int by_serial(const void *a, const void *b)
{
    const struct verdict *x = a, *y = b;

    return x->work != y->work ? (x->work < y->work ? -1 : 1) : bytes_compare(x->serial, y->serial);
}

/* A serial number that comes again is a repeated answer, and no enrollment. */
static bool refuse_repeats(struct judging *j, struct error *err)
{
    size_t count = j->result->count, made = 0;
    struct verdict *sorted = calloc(count, sizeof(*sorted));

    if (sorted == NULL)
        return error_set(err, ERROR_MEMORY, "answers");
    for (size_t i = 0; i < count; i++)
        if (j->verdict[i].serial.len > 0)
            sorted[made++] = j->verdict[i];
    qsort(sorted, made, sizeof(*sorted), by_serial);
    for (size_t i = 1; i < made; i++)
        if (by_serial(&sorted[i - 1], &sorted[i]) == 0) {
            j->verdict[sorted[i].record].good = false;
            add_fault(j->out, j->plan->work[sorted[i].work].name,
                      "the serial number of another answer: it was repeated");
        }
    free(sorted);
    return true;
}

static int by_count(const void *a, const void *b)
{
    size_t x = ((const struct summary_fault *)a)->count, y = ((const struct summary_fault *)b)->count;

    return x > y ? -1 : x < y;
}

static bool judge_all(struct judging *j, struct error *err)
{
    AUTO_ARENA *arena = arena_new(JUDGE_ARENA_MAX);
    bool done;

    j->verdict = calloc(j->result->count, sizeof(*j->verdict));
    if (arena == NULL || j->verdict == NULL)
        return error_set(err, ERROR_MEMORY, "answers");
    for (size_t i = 0; i < j->result->count; i++) {
        const struct load_record *r = &j->result->record[i];

        if (r->held)
            judge_one(j, i, arena);
        else if (r->missed)
            add_fault(j->out, j->plan->work[r->work].name, "no client was free for it");
        else
            j->out->left++;
    }
    done = refuse_repeats(j, err);
    qsort(j->out->fault, j->out->fault_count, sizeof(j->out->fault[0]), by_count);
    return done;
}

/* --- figures --- */

static bool begin_work(struct summary_work *work, const char *name, struct error *err)
{
    work->name = name;
    work->latency = histogram_new();
    return work->latency != NULL || error_set(err, ERROR_MEMORY, "histogram");
}

static void count_record(struct summary_work *work, const struct load_record *r, bool good)
{
    work->good += good;
    work->bad += !good;
    work->connections += r->connections;
    work->resumed += r->resumed;
    work->requests += r->requests;
    if (good)
        histogram_record(work->latency, (uint64_t)(r->ended_us - r->due_us));
}

static bool count_works(const struct judging *j, struct error *err)
{
    struct summary *out = j->out;

    if (!begin_work(&out->all, "all", err))
        return false;
    for (; out->work_count < j->plan->work_count; out->work_count++)
        if (!begin_work(&out->work[out->work_count], j->plan->work[out->work_count].name, err))
            return false;
    for (size_t i = 0; i < j->result->count; i++) {
        const struct load_record *r = &j->result->record[i];

        if (!load_is_measured(j->result, r)) {
            out->warm += r->held;
            out->work[r->work].bad += r->missed;
            continue;
        }
        count_record(&out->work[r->work], r, j->verdict[i].good);
        if ((double)(r->begun_us - r->due_us) / 1e3 > out->late_ms)
            out->late_ms = (double)(r->begun_us - r->due_us) / 1e3;
    }
    for (size_t w = 0; w < out->work_count; w++) {
        out->all.good += out->work[w].good;
        out->all.bad += out->work[w].bad;
        out->all.connections += out->work[w].connections;
        out->all.resumed += out->work[w].resumed;
        out->all.requests += out->work[w].requests;
        histogram_merge(out->all.latency, out->work[w].latency);
    }
    return true;
}

/* A tenth of a second, or whatever round step makes no more than there is room for. */
static double step_for(double seconds)
{
    static const double step[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600 };
    const double steps_max = SUMMARY_STEPS_MAX * 0.5;
    size_t i = 0;

    while (i + 1 < COUNT_OF(step) && seconds / step[i] > steps_max)
        i++;
    return step[i];
}

static size_t step_of(const struct summary *out, const struct load_record *r)
{
    size_t step = (size_t)((double)r->ended_us / 1e6 / out->step_s);

    return step < SUMMARY_STEPS_MAX ? step : SUMMARY_STEPS_MAX - 1;
}

static int by_step(const void *a, const void *b)
{
    const size_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Latencies of one step after the other; records are not in the order of their ends. */
static bool count_steps(const struct judging *j, struct error *err)
{
    struct summary *out = j->out;
    AUTO_HISTOGRAM *h = histogram_new();
    struct at {
        size_t step, record;
    } *at = calloc(j->result->count, sizeof(*at));
    size_t made = 0;

    out->step_s = step_for((double)j->result->to_us / 1e6);
    for (size_t i = 0; h != NULL && at != NULL && i < j->result->count; i++)
        if (j->result->record[i].held)
            at[made++] = (struct at){ step_of(out, &j->result->record[i]), i };
    if (made > 0)
        qsort(at, made, sizeof(*at), by_step);
    for (size_t i = 0; i < made; i++) {
        const struct load_record *r = &j->result->record[at[i].record];
        struct summary_step *step = &out->step[at[i].step];
        bool good = j->verdict[at[i].record].good;

        out->step_count = at[i].step + 1;
        step->good += good;
        step->bad += !good;
        if (good)
            histogram_record(h, (uint64_t)(r->ended_us - r->due_us));
        if (i + 1 == made || at[i + 1].step != at[i].step) {
            step->p50_ms = (double)histogram_quantile(h, 0.5) / 1e3;
            step->p99_ms = (double)histogram_quantile(h, 0.99) / 1e3;
            histogram_reset(h);
        }
    }
    free(at);
    return (h != NULL && at != NULL) || error_set(err, ERROR_MEMORY, "course of time");
}

/* Of an exchange of each work, with the handshakes that it took in this run; of all by their numbers. */
static void measure_floor(const struct load_plan *plan, struct summary *out)
{
    double sum = 0;
    size_t exchanges = 0;

    for (size_t w = 0; w < out->work_count; w++) {
        struct summary_work *work = &out->work[w];
        struct floor floor = { 0 }, handshake = { 0 };
        size_t count = work->good + work->bad;

        if (count == 0)
            continue;
        handshake.times[EXCHANGE_X25519] = handshake.times[SIGN_P256] = 1;
        plan->work[w].bill(plan->work[w].context, &floor, &handshake);
        if (plan->work[w].target.tls) {
            floor_add(&floor, &handshake, (double)(work->connections - work->resumed) / (double)count);
            floor.times[EXCHANGE_X25519] += (double)work->resumed / (double)count;
        }
        work->floor_us = floor_us(&floor, plan->target_pid);
        sum += work->floor_us * (double)count;
        exchanges += count;
    }
    out->all.floor_us = exchanges > 0 ? sum / (double)exchanges : 0;
}

static bool make_figures(const struct judging *j, const struct load_options *options, struct error *err)
{
    struct summary *out = j->out;

    if (!count_works(j, err) || !count_steps(j, err))
        return false;
    out->seconds = (double)(j->result->to_us - j->result->from_us) / 1e6;
    out->per_second = out->seconds > 0 ? (double)out->all.good / out->seconds : 0;
    out->cpu_us = j->result->target_cpu_seconds < 0 || out->all.good == 0
                      ? -1
                      : j->result->target_cpu_seconds * 1e6 / (double)out->all.good;
    out->own_cpu_us = out->all.good == 0 ? 0 : j->result->own_cpu_seconds * 1e6 / (double)out->all.good;
    if (options != NULL && options->floor)
        measure_floor(j->plan, out);
    return true;
}

bool summary_make(const struct load_plan *plan, const struct load_result *result,
                  const struct load_options *options, struct summary *out, struct error *err)
{
    struct judging j = {
        .plan = plan, .result = result, .serials = arena_new(SERIALS_ARENA_MAX), .out = out
    };
    bool done = j.serials != NULL || error_set(err, ERROR_MEMORY, "serial numbers");

    *out = (struct summary){ 0 };
    if (done && options != NULL && options->issuer != NULL)
        done = bench_anchors_read(options->issuer, &j.issuers, err);
    done = done && judge_all(&j, err) && make_figures(&j, options, err);
    free(j.verdict);
    anchors_free(j.issuers);
    arena_free(j.serials);
    if (!done)
        summary_free(out);
    return done;
}

void summary_free(struct summary *summary)
{
    histogram_free(summary->all.latency);
    for (size_t w = 0; w < summary->work_count; w++)
        histogram_free(summary->work[w].latency);
    *summary = (struct summary){ 0 };
}
