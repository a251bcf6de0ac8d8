/* The page. Text from a server (the kinds of failures) is escaped. */
#include <math.h>
#include <stdio.h>

#include "bench/plot.h"
#include "bench/report.h"
#include "lib/base/clock.h"

enum { TICKS = 8, POINTS_A_DECADE = 40 };

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>muster-bench</title>\n<style>\n"
    ":root{--back:#fff;--card:#f6f7f9;--text:#1c2430;--soft:#5b6675;--line:#d8dde4;"
    "--s0:#1f6fd0;--s1:#d03a4b;--s2:#178a61;--s3:#b86500;--s4:#8d44b8;--s5:#0e8fa3;--s6:#7a6a00;--s7:#c2418f}"
    "\n"
    "@media(prefers-color-scheme:dark){:root{--back:#14181f;--card:#1c222b;--text:#e6eaf0;--soft:#9aa6b5;"
    "--line:#343d4a;--s0:#6cabff;--s1:#ff8390;--s2:#50cf9f;--s3:#ffb057;--s4:#cf95ee;--s5:#55cfe0;"
    "--s6:#d9c655;--s7:#ff8fcb}}\n"
    "body{margin:0 auto;padding:24px;max-width:860px;background:var(--back);color:var(--text);"
    "font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:22px;margin:0}h2{font-size:16px;margin:32px 0 8px}p{color:var(--soft);margin:4px 0 16px}\n"
    ".figures{display:flex;flex-wrap:wrap;gap:12px}.figures div{background:var(--card);border-radius:8px;"
    "padding:10px 14px;flex:1 0 112px;box-sizing:border-box}.figures "
    "b{display:block;font-size:19px;white-space:nowrap}"
    ".figures span,.legend{color:var(--soft);font-size:13px}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{text-align:right;padding:4px 8px;border-bottom:1px solid var(--line)}"
    "th{color:var(--soft);font-weight:500;white-space:nowrap}th:first-child,td:first-child{text-align:left}\n"
    ".wide{overflow-x:auto}.legend i{display:inline-block;width:14px;height:3px;margin:0 6px 4px 0}"
    ".legend span{white-space:nowrap;margin-right:14px}\n"
    "svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:11px}"
    "polyline{fill:none;stroke-width:2;stroke-linejoin:round}.grid{stroke:var(--line);fill:none}"
    ".shade{fill:var(--line);opacity:.45}.hint{fill:transparent}.hint:hover{fill:var(--text);opacity:.08}\n"
    "</style></head><body>\n";

static void put_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '<': buffer_append_text(out, "&lt;"); break;
        case '>': buffer_append_text(out, "&gt;"); break;
        case '&': buffer_append_text(out, "&amp;"); break;
        case '"': buffer_append_text(out, "&quot;"); break;
        default: buffer_append_byte(out, *text >= ' ' && *text <= '~' ? (uint8_t)*text : '?');
        }
}

static double quantile_ms(const struct summary_work *work, double q)
{
    return (double)histogram_quantile(work->latency, q) / 1e3;
}

/* --- figures and tables --- */

static void put_title(struct buffer *out, const struct load_plan *plan, const struct summary *s)
{
    static const char *const connections[] = { "kept", "new for each", "new for each, resumed" };
    AUTO_STRUCT(buffer) name = BUFFER(4096);
    char now[CLOCK_TEXT_LEN];

    if (s->work_count > 1)
        buffer_format(&name, "A mix of %zu operations", s->work_count);
    else
        report_name(s, &name);
    buffer_append_byte(&name, 0);
    clock_format(clock_now_s(), now);
    buffer_append_text(out, "<h1>");
    put_escaped(out, (const char *)name.data);
    buffer_format(out, "</h1>\n<p>%s; %u clients, connections %s; ", now, plan->clients,
                  connections[plan->connections]);
    if (plan->rate > 0)
        buffer_format(out, "open loop, %g a second due, the longest wait for a client %.2f ms", plan->rate,
                      s->late_ms);
    else
        buffer_append_text(out, "closed loop");
    if (plan->think_s > 0)
        buffer_format(out, ", %g s between two exchanges", plan->think_s);
    if (s->warm > 0)
        buffer_format(out, "; %g s of warm-up are not counted", plan->warm_up_s);
    buffer_append_text(out, "</p>\n");
}

static void put_figure(struct buffer *out, double value, int digits, const char *unit, const char *what)
{
    buffer_format(out, "<div><b>%.*f%s</b><span>%s</span></div>", digits, value, unit, what);
}

static void put_figures(struct buffer *out, const struct summary *s)
{
    buffer_append_text(out, "<div class=\"figures\">");
    put_figure(out, s->per_second, 0, "", "verified a second");
    put_figure(out, quantile_ms(&s->all, 0.5), 2, " ms", "median latency");
    put_figure(out, quantile_ms(&s->all, 0.99), 2, " ms", "99th percentile");
    put_figure(out, (double)s->all.bad, 0, "", "failed");
    if (s->cpu_us >= 0)
        put_figure(out, s->cpu_us, 0, " &micro;s", "CPU of the target each");
    if (s->cpu_us > 0 && s->all.floor_us > 0)
        put_figure(out, s->all.floor_us / s->cpu_us, 2, "", "cryptography alone / CPU");
    buffer_append_text(out, "</div>\n");
}

static void put_row(struct buffer *out, const struct summary_work *work)
{
    static const double q[] = { 0.5, 0.9, 0.99, 0.999, 1 };

    buffer_append_text(out, "<tr><td>");
    put_escaped(out, work->name);
    buffer_format(out, "</td><td>%zu</td><td>%zu</td>", work->good, work->bad);
    for (size_t i = 0; i < COUNT_OF(q); i++)
        buffer_format(out, "<td>%.2f</td>", quantile_ms(work, q[i]));
    buffer_format(out, "<td>%zu</td><td>%zu</td></tr>\n", work->connections, work->resumed);
}

static void put_tables(struct buffer *out, const struct summary *s)
{
    buffer_append_text(out, "<h2>Operations</h2><div class=\"wide\"><table><tr><th></th><th>verified</th>"
                            "<th>failed</th><th>p50 ms</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th>"
                            "<th>connections</th><th>resumed</th></tr>\n");
    for (size_t w = 0; w < s->work_count; w++)
        put_row(out, &s->work[w]);
    if (s->work_count > 1)
        put_row(out, &s->all);
    buffer_append_text(out, "</table></div>\n");
    if (s->fault_count == 0)
        return;
    buffer_append_text(out, "<h2>What failed</h2><table><tr><th></th><th>times</th></tr>\n");
    for (size_t i = 0; i < s->fault_count; i++) {
        buffer_append_text(out, "<tr><td>");
        put_escaped(out, s->fault[i].what);
        buffer_format(out, "</td><td>%zu</td></tr>\n", s->fault[i].count);
    }
    buffer_append_text(out, "</table>\n");
}

/* --- plots --- */

static void put_legend(struct buffer *out, unsigned colour, const char *what)
{
    buffer_format(out, "<span><i style=\"background:var(--s%u)\"></i>", colour % PLOT_COLOURS);
    put_escaped(out, what);
    buffer_append_text(out, "</span> ");
}

static void put_seconds(struct buffer *out, const struct plot *plot)
{
    double step = plot_step(plot->x_max / TICKS);
    char label[32];

    for (unsigned i = 0; i * step <= plot->x_max * 1.0001; i++) {
        (void)snprintf(label, sizeof(label), "%g s", i * step);
        plot_tick(out, plot, i * step, label);
    }
}

static void put_warm_up(struct buffer *out, const struct load_plan *plan, const struct summary *s,
                        const struct plot *plot)
{
    if (s->warm > 0 && plan->warm_up_s < plot->x_max)
        plot_shade(out, plot, 0, plan->warm_up_s, "warm-up");
}

static void put_throughput(struct buffer *out, const struct load_plan *plan, const struct summary *s)
{
    struct plot plot = { .x_max = (double)s->step_count * s->step_s, .y_unit = "a second" };
    double most = plan->rate;
    char text[128];

    for (size_t i = 0; i < s->step_count; i++)
        most = fmax(most, (double)(s->step[i].good + s->step[i].bad) / s->step_s);
    plot.y_max = plot_axis(most);
    buffer_append_text(out, "<h2>Throughput over time</h2><div class=\"legend\">");
    put_legend(out, 0, "verified");
    if (s->all.bad > 0)
        put_legend(out, 1, "failed");
    buffer_append_text(out, "</div>\n");
    plot_begin(out, &plot, "throughput over time");
    put_warm_up(out, plan, s, &plot);
    put_seconds(out, &plot);
    for (unsigned bad = 0; bad < (s->all.bad > 0 ? 2 : 1); bad++) {
        plot_line_begin(out, bad);
        for (size_t i = 0; i < s->step_count; i++)
            plot_point(out, &plot, ((double)i + 0.5) * s->step_s,
                       (double)(bad > 0 ? s->step[i].bad : s->step[i].good) / s->step_s);
        plot_line_end(out);
    }
    for (size_t i = 0; i < s->step_count; i++) {
        (void)snprintf(text, sizeof(text), "%.1f s: %.0f verified a second, %.0f failed",
                       (double)i * s->step_s, (double)s->step[i].good / s->step_s,
                       (double)s->step[i].bad / s->step_s);
        plot_hint(out, &plot, (double)i * s->step_s, (double)(i + 1) * s->step_s, text);
    }
    plot_end(out);
}

static void put_latency_over_time(struct buffer *out, const struct load_plan *plan, const struct summary *s)
{
    struct plot plot = { .x_max = (double)s->step_count * s->step_s, .y_unit = "ms" };
    double most = 0;
    char text[128];

    for (size_t i = 0; i < s->step_count; i++)
        most = fmax(most, s->step[i].p99_ms);
    plot.y_max = plot_axis(most);
    buffer_append_text(out, "<h2>Latency over time</h2><div class=\"legend\">");
    put_legend(out, 0, "median");
    put_legend(out, 3, "99th percentile");
    buffer_append_text(out, "</div>\n");
    plot_begin(out, &plot, "latency over time");
    put_warm_up(out, plan, s, &plot);
    put_seconds(out, &plot);
    for (unsigned p99 = 0; p99 < 2; p99++) {
        plot_line_begin(out, p99 * 3);
        for (size_t i = 0; i < s->step_count; i++)
            if (s->step[i].good > 0)
                plot_point(out, &plot, ((double)i + 0.5) * s->step_s,
                           p99 > 0 ? s->step[i].p99_ms : s->step[i].p50_ms);
        plot_line_end(out);
    }
    for (size_t i = 0; i < s->step_count; i++) {
        (void)snprintf(text, sizeof(text), "%.1f s: median %.2f ms, 99th percentile %.2f ms",
                       (double)i * s->step_s, s->step[i].p50_ms, s->step[i].p99_ms);
        plot_hint(out, &plot, (double)i * s->step_s, (double)(i + 1) * s->step_s, text);
    }
    plot_end(out);
}

/* The line of one operation, as far as there is one answer beyond. */
static void put_tail(struct buffer *out, const struct plot *plot, const struct summary_work *work,
                     unsigned colour)
{
    double last = fmin(plot->x_max, log10(fmax((double)work->good, 1)));

    plot_line_begin(out, colour);
    for (unsigned i = 0; i < last * POINTS_A_DECADE; i++) {
        double x = (double)i / POINTS_A_DECADE;

        plot_point(out, plot, x, quantile_ms(work, 1 - pow(10, -x)));
    }
    plot_point(out, plot, last, quantile_ms(work, 1));
    plot_line_end(out);
}

/* The x axis is that of the tail: every decade is a nine more. */
static void put_distribution(struct buffer *out, const struct summary *s)
{
    static const char *const nines[] = { "0%", "90%", "99%", "99.9%", "99.99%", "99.999%", "99.9999%" };
    const size_t nines_max = COUNT_OF(nines) - 1;
    struct plot plot = { .y_max = plot_axis(quantile_ms(&s->all, 1)), .y_unit = "ms" };

    plot.x_max = fmin(log10((double)s->all.good), (double)nines_max);
    if (plot.x_max < 1)
        return;
    buffer_append_text(out, "<h2>Latency by percentile</h2><div class=\"legend\">");
    for (size_t w = 0; w < s->work_count; w++)
        put_legend(out, (unsigned)(w == 0 ? 0 : w + 1), s->work[w].name);
    buffer_append_text(out, "</div>\n");
    plot_begin(out, &plot, "latency by percentile");
    for (size_t i = 0; i <= (size_t)plot.x_max; i++)
        plot_tick(out, &plot, (double)i, nines[i]);
    for (size_t w = 0; w < s->work_count; w++)
        put_tail(out, &plot, &s->work[w], (unsigned)(w == 0 ? 0 : w + 1));
    plot_end(out);
}

void report_html(const struct load_plan *plan, const struct summary *summary, struct buffer *out)
{
    buffer_append_text(out, head);
    put_title(out, plan, summary);
    put_figures(out, summary);
    if (summary->all.good > 0) {
        put_throughput(out, plan, summary);
        put_distribution(out, summary);
        put_latency_over_time(out, plan, summary);
    }
    put_tables(out, summary);
    buffer_append_text(out, "<p>Latency is that of verified answers");
    if (plan->rate > 0)
        buffer_append_text(out, ", from when each was due to begin");
    buffer_append_text(out, ".</p>\n</body></html>\n");
}
