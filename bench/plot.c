#include "bench/plot.h"

#include <math.h>

enum { WIDTH = 760, HEIGHT = 260, LEFT = 62, RIGHT = 28, TOP = 12, BOTTOM = 30, LINES = PLOT_LINES };

static double at_x(const struct plot *plot, double x)
{
    return LEFT + x / plot->x_max * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct plot *plot, double y)
{
    return HEIGHT - BOTTOM - y / plot->y_max * (HEIGHT - TOP - BOTTOM);
}

/* The least product of one of these and a power of ten that is not below. */
static double round_up(double value, const double *step, size_t count)
{
    double power = value > 0 ? pow(10, floor(log10(value))) : 1;

    for (size_t i = 0; i < count; i++)
        if (step[i] * power >= value)
            return step[i] * power;
    return 10 * power;
}

double plot_step(double least)
{
    static const double step[] = { 1, 2, 5 };

    return round_up(least, step, COUNT_OF(step));
}

double plot_axis(double most)
{
    static const double step[] = { 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 };

    return round_up(most / LINES, step, COUNT_OF(step)) * LINES;
}

void plot_begin(struct buffer *out, const struct plot *plot, const char *what)
{
    buffer_format(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT, what);
    for (int i = 0; i <= LINES; i++) {
        double y = plot->y_max * i / LINES;

        buffer_format(out,
                      "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
                      "text-anchor=\"end\">%g</text>\n",
                      LEFT, at_y(plot, y), WIDTH - RIGHT, LEFT - 6, at_y(plot, y) + 4, y);
    }
    buffer_format(out, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT + 4, TOP + 12, plot->y_unit);
}

void plot_end(struct buffer *out)
{
    buffer_append_text(out, "</svg>\n");
}

void plot_tick(struct buffer *out, const struct plot *plot, double x, const char *label)
{
    buffer_format(out,
                  "<path class=\"grid\" d=\"M%.1f %dv5\"/><text x=\"%.1f\" y=\"%d\" "
                  "text-anchor=\"middle\">%s</text>\n",
                  at_x(plot, x), HEIGHT - BOTTOM, at_x(plot, x), HEIGHT - BOTTOM + 18, label);
}

void plot_shade(struct buffer *out, const struct plot *plot, double from, double to, const char *what)
{
    buffer_format(out,
                  "<rect class=\"shade\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>"
                  "<text x=\"%.1f\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
                  at_x(plot, from), TOP, at_x(plot, to) - at_x(plot, from), HEIGHT - TOP - BOTTOM,
                  at_x(plot, to) - 4, TOP + 28, what);
}

void plot_line_begin(struct buffer *out, unsigned colour)
{
    buffer_format(out, "<polyline style=\"stroke:var(--s%u)\" points=\"", colour % PLOT_COLOURS);
}

void plot_point(struct buffer *out, const struct plot *plot, double x, double y)
{
    buffer_format(out, "%.1f,%.1f ", at_x(plot, x), at_y(plot, y < plot->y_max ? y : plot->y_max));
}

void plot_line_end(struct buffer *out)
{
    buffer_append_text(out, "\"/>\n");
}

void plot_hint(struct buffer *out, const struct plot *plot, double from, double to, const char *text)
{
    buffer_format(
        out,
        "<rect class=\"hint\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s</title></rect>\n",
        at_x(plot, from), TOP, at_x(plot, to) - at_x(plot, from), HEIGHT - TOP - BOTTOM, text);
}
