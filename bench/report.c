#include "bench/report.h"

#include <stdio.h>

#include "lib/base/file.h"

enum { REPORT_MAX = 8 << 20 };

static const struct {
    const char *title, *key;
    double q;
} quantile[] = {
    { "p50", "p50_ms", 0.5 },      { "p90", "p90_ms", 0.9 }, { "p99", "p99_ms", 0.99 },
    { "p99.9", "p999_ms", 0.999 }, { "max", "max_ms", 1 },
};

static double quantile_ms(const struct summary_work *work, double q)
{
    return (double)histogram_quantile(work->latency, q) / 1e3;
}

static const char *connections_text(enum load_connections connections)
{
    switch (connections) {
    case LOAD_KEEP: return "kept connections";
    case LOAD_NEW: return "new connections";
    case LOAD_RESUME: return "new connections, resumed";
    }
    return "";
}

void report_name(const struct summary *summary, struct buffer *out)
{
    if (summary->work_count > 1)
        buffer_append_text(out, "mix of ");
    for (size_t w = 0; w < summary->work_count; w++)
        buffer_format(out, "%s%s", w > 0 ? "; " : "", summary->work[w].name);
}

/* --- for people --- */

static void put_latency(struct buffer *out, const struct summary_work *work)
{
    for (size_t i = 0; i < COUNT_OF(quantile); i++)
        buffer_format(out, "%s%s %.2f", i > 0 ? "  " : "", quantile[i].title,
                      quantile_ms(work, quantile[i].q));
}

static void put_parts(struct buffer *out, const struct summary *s)
{
    for (size_t w = 0; s->work_count > 1 && w < s->work_count; w++) {
        const struct summary_work *work = &s->work[w];

        buffer_format(out, "  %-44s %zu of %zu verified, ms: ", work->name, work->good,
                      work->good + work->bad);
        put_latency(out, work);
        buffer_append_text(out, "\n");
    }
}

static void put_cost(struct buffer *out, const struct summary *s)
{
    if (s->cpu_us >= 0)
        buffer_format(out, "  CPU of the target: %.0f us each", s->cpu_us);
    if (s->all.floor_us > 0)
        buffer_format(out, "%s  cryptography alone: %.0f us", s->cpu_us >= 0 ? "," : "", s->all.floor_us);
    if (s->cpu_us > 0 && s->all.floor_us > 0)
        buffer_format(out, "  floor/CPU: %.2f", s->all.floor_us / s->cpu_us);
    if (s->cpu_us >= 0 || s->all.floor_us > 0)
        buffer_append_text(out, "\n");
}

/* The steps of time as blocks of eight heights, the highest being the best second. */
static void put_course(struct buffer *out, const struct summary *s)
{
    static const char *const block[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    size_t best = 0;

    for (size_t i = 0; i < s->step_count; i++)
        best = s->step[i].good > best ? s->step[i].good : best;
    if (s->step_count < 3 || best == 0)
        return;
    buffer_format(out, "  in steps of %g s, up to %.0f a second: ", s->step_s, (double)best / s->step_s);
    for (size_t i = 0; i < s->step_count; i++)
        buffer_append_text(out, block[(s->step[i].good * 8 + best - 1) / best]);
    buffer_append_text(out, "\n");
}

static void put_table(struct buffer *out, const struct load_plan *plan, const struct summary *s)
{
    report_name(s, out);
    buffer_format(out, ", %u clients, %s: %zu of %zu answers verified in %.2f s: %.0f a second\n",
                  plan->clients, connections_text(plan->connections), s->all.good, s->all.good + s->all.bad,
                  s->seconds, s->per_second);
    if (plan->rate > 0)
        buffer_format(out,
                      "  open loop: %g a second were due, latency counts from then; the longest wait for a "
                      "client %.2f ms\n",
                      plan->rate, s->late_ms);
    if (s->all.good > 0) {
        buffer_append_text(out, "  latency ms: ");
        put_latency(out, &s->all);
        buffer_append_text(out, "\n");
    }
    put_parts(out, s);
    put_course(out, s);
    buffer_format(out, "  requests %zu, connections %zu, resumed %zu; CPU of this program: %.0f us each\n",
                  s->all.requests, s->all.connections, s->all.resumed, s->own_cpu_us);
    put_cost(out, s);
    if (s->warm > 0)
        buffer_format(out, "  warm-up: %zu exchanges are not counted\n", s->warm);
    for (size_t i = 0; i < s->fault_count; i++)
        buffer_format(out, "  failed: %zu  %s\n", s->fault[i].count, s->fault[i].what);
}

/* --- for programs --- */

/* A string, what is no printable ASCII being left out. */
static void put_string(struct buffer *out, const char *text)
{
    buffer_append_byte(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, *text >= ' ' && *text <= '~' ? (uint8_t)*text : '?');
    }
    buffer_append_byte(out, '"');
}

static void put_work(struct buffer *out, const struct summary_work *work)
{
    buffer_format(out, "\"exchanges\":%zu,\"verified\":%zu", work->good + work->bad, work->good);
    for (size_t i = 0; i < COUNT_OF(quantile); i++)
        buffer_format(out, ",\"%s\":%.3f", quantile[i].key, quantile_ms(work, quantile[i].q));
    buffer_format(out, ",\"mean_ms\":%.3f,\"connections\":%zu,\"resumed\":%zu,\"requests\":%zu",
                  histogram_mean(work->latency) / 1e3, work->connections, work->resumed, work->requests);
    if (work->floor_us > 0)
        buffer_format(out, ",\"floor_us\":%.1f", work->floor_us);
}

static void put_steps(struct buffer *out, const struct summary *s)
{
    buffer_format(out, ",\"over_time\":{\"step_s\":%g,\"verified\":[", s->step_s);
    for (size_t i = 0; i < s->step_count; i++)
        buffer_format(out, "%s%zu", i > 0 ? "," : "", s->step[i].good);
    buffer_append_text(out, "],\"failed\":[");
    for (size_t i = 0; i < s->step_count; i++)
        buffer_format(out, "%s%zu", i > 0 ? "," : "", s->step[i].bad);
    buffer_append_text(out, "],\"p99_ms\":[");
    for (size_t i = 0; i < s->step_count; i++)
        buffer_format(out, "%s%.3f", i > 0 ? "," : "", s->step[i].p99_ms);
    buffer_append_text(out, "]}");
}

static void put_json(struct buffer *out, const struct load_plan *plan, const struct summary *s)
{
    AUTO_STRUCT(buffer) name = BUFFER(4096);

    report_name(s, &name);
    buffer_append_byte(&name, 0);
    buffer_append_text(out, "{\"name\":");
    put_string(out, (const char *)name.data);
    buffer_format(out, ",\"clients\":%u,\"keep_alive\":%s,\"seconds\":%.3f,\"per_second\":%.1f,",
                  plan->clients, plan->connections == LOAD_KEEP ? "true" : "false", s->seconds,
                  s->per_second);
    put_work(out, &s->all);
    if (plan->rate > 0)
        buffer_format(out, ",\"rate\":%g,\"late_ms\":%.3f", plan->rate, s->late_ms);
    if (s->cpu_us >= 0)
        buffer_format(out, ",\"cpu_us\":%.1f", s->cpu_us);
    if (s->cpu_us > 0 && s->all.floor_us > 0)
        buffer_format(out, ",\"floor_ratio\":%.4f", s->all.floor_us / s->cpu_us);
    buffer_format(out, ",\"own_cpu_us\":%.1f,\"warm_up\":%zu,\"errors\":{", s->own_cpu_us, s->warm);
    for (size_t i = 0; i < s->fault_count; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        put_string(out, s->fault[i].what);
        buffer_format(out, ":%zu", s->fault[i].count);
    }
    buffer_append_text(out, "},\"work\":[");
    for (size_t w = 0; w < s->work_count; w++) {
        buffer_append_text(out, w > 0 ? ",{\"name\":" : "{\"name\":");
        put_string(out, s->work[w].name);
        buffer_append_byte(out, ',');
        put_work(out, &s->work[w]);
        buffer_append_byte(out, '}');
    }
    buffer_append_byte(out, ']');
    put_steps(out, s);
    buffer_append_text(out, "}\n");
}

bool report(const struct load_plan *plan, const struct load_options *options, const struct summary *summary,
            struct error *err)
{
    AUTO_STRUCT(buffer) out = BUFFER(REPORT_MAX);
    AUTO_STRUCT(buffer) page = BUFFER(REPORT_MAX);

    if (options->json)
        put_json(&out, plan, summary);
    else
        put_table(&out, plan, summary);
    if (buffer_failed(&out))
        return error_set(err, ERROR_MEMORY, "report");
    (void)fwrite(out.data, 1, out.len, stdout);
    if (options->json && summary->fault_count > 0)
        (void)fprintf(stderr, "muster-bench: %zu of all failed: %s\n", summary->fault[0].count,
                      summary->fault[0].what);
    if (options->pid > 0 && summary->cpu_us < 0 && summary->all.good > 0)
        (void)fprintf(stderr, "muster-bench: the CPU time of process %llu cannot be read\n",
                      (unsigned long long)options->pid);
    if (summary->all.good + summary->all.bad == 0)
        (void)fprintf(stderr, "muster-bench: nothing ended in the interval: the warm-up took all\n");
    else if (plan->duration_s > 0 && plan->rate <= 0 && summary->left == 0)
        (void)fprintf(stderr, "muster-bench: the exchanges ran out before the time: --count more\n");
    if (options->html == NULL)
        return true;
    report_html(plan, summary, &page);
    if (buffer_failed(&page))
        return error_set(err, ERROR_MEMORY, "report");
    return file_write(options->html, buffer_bytes(&page), 0644, err);
}
