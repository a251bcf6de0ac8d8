/* report.h: a summary for people, for programs, and with plots. */
#ifndef MUSTER_BENCH_REPORT_H
#define MUSTER_BENCH_REPORT_H

#include "bench/summary.h"

/* "est enroll", or the works of a mix. */
void report_name(const struct summary *summary, struct buffer *out);

/* What was asked for: a table or a line of JSON on standard output, and a file. */
MUST_USE bool report(const struct load_plan *plan, const struct load_options *options,
                     const struct summary *summary, struct error *err);

/* A page that needs no other file: tables, and throughput and latency as SVG. */
void report_html(const struct load_plan *plan, const struct summary *summary, struct buffer *out);

#endif
