#include "bench/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec now;

    return clock_gettime(clock, &now) == 0 ? (double)now.tv_sec + (double)now.tv_nsec / 1e9 : -1;
}

double figures_wall_s(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double figures_thread_s(void)
{
    return seconds(CLOCK_THREAD_CPUTIME_ID);
}

double figures_process_s(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double figures_process_of_s(pid_t pid)
{
    clockid_t clock;

    return pid > 0 && clock_getcpuclockid(pid, &clock) == 0 ? seconds(clock) : -1;
}

/* "Rss:   1234 kB" */
static void take_figure(const char *line, const char *name, double *out)
{
    if (strncmp(line, name, strlen(name)) == 0)
        *out = strtod(line + strlen(name), NULL);
}

bool figures_memory_of(pid_t pid, struct figures_memory *out)
{
    struct figures_memory memory = { 0 };
    char path[64], line[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (fgets(line, sizeof(line), file) != NULL) {
        take_figure(line, "Rss:", &memory.resident_kib);
        take_figure(line, "Pss:", &memory.proportional_kib);
    }
    (void)fclose(file);
    *out = memory;
    return memory.resident_kib > 0;
}

void rounds_add(struct rounds *rounds, double value)
{
    if (rounds->count < ROUNDS_MAX)
        rounds->value[rounds->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Between the two that are nearest. */
static double quantile(const struct rounds *sorted, double q)
{
    double at = q * (double)(sorted->count - 1);
    size_t below = (size_t)at, above = below + 1 < sorted->count ? below + 1 : below;

    return sorted->value[below] + (sorted->value[above] - sorted->value[below]) * (at - (double)below);
}

struct spread rounds_spread(const struct rounds *rounds)
{
    struct rounds sorted = *rounds;

    if (sorted.count == 0)
        return (struct spread){ 0 };
    qsort(sorted.value, sorted.count, sizeof(sorted.value[0]), by_value);
    return (struct spread){ .median = quantile(&sorted, 0.5),
                            .low = quantile(&sorted, 0.25),
                            .high = quantile(&sorted, 0.75) };
}

struct spread rounds_ratio(const struct rounds *a, const struct rounds *b)
{
    struct rounds ratio = { 0 };

    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (b->value[i] > 0)
            rounds_add(&ratio, a->value[i] / b->value[i]);
    return rounds_spread(&ratio);
}

void spread_print_json(const char *name, struct spread spread)
{
    printf("\"%s\":{\"median\":%.4f,\"low\":%.4f,\"high\":%.4f}", name, spread.median, spread.low,
           spread.high);
}
