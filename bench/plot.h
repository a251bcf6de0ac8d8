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

/* How far ticks are apart, at least so much: 1, 2 or 5 times a power of ten. */
double plot_step(double least);
/* Where the y axis ends: not below `most`, and its lines stand at round numbers. */
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
