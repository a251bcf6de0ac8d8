/* plot.h: lines over two axes, as SVG that takes its colours from the page's variables: --line, --text, and
 * --s0 to --s7 for what is shown. */
#ifndef MUSTER_BENCH_PLOT_H
#define MUSTER_BENCH_PLOT_H

#include "lib/base/buffer.h"

enum { PLOT_COLOURS = 8, PLOT_LINES = 5 /* across, above the lowest */ };

struct plot {
    double x_max, y_max; /* both axes begin at 0 */
    const char *y_unit;
};

/* The least "round" number that is not below: 1, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 times a power of ten. */
double plot_round_up(double value);
/* The same for the y axis, whose lines shall stand at round numbers. */
double plot_axis(double most);

/* Opens the picture and draws the y axis; plot_end() closes it. */
void plot_begin(struct buffer *out, const struct plot *plot, const char *what);
void plot_end(struct buffer *out);

/* A tick of the x axis, and its label. */
void plot_tick(struct buffer *out, const struct plot *plot, double x, const char *label);

/* From x to x the whole height is shaded, as what does not count. */
void plot_shade(struct buffer *out, const struct plot *plot, double from, double to, const char *what);

/* A line, point by point. */
void plot_line_begin(struct buffer *out, unsigned colour);
void plot_point(struct buffer *out, const struct plot *plot, double x, double y);
void plot_line_end(struct buffer *out);

/* What a reader is told who points at this part of the picture. */
void plot_hint(struct buffer *out, const struct plot *plot, double from, double to, const char *text);

#endif
