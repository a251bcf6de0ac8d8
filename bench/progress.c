#include "bench/progress.h"

#include <stdio.h>
#include <time.h>

#include "bench/figures.h"

static const double every_s = 0.5;

void progress_begin(struct progress *progress, unsigned clients, bool visible)
{
    pthread_condattr_t monotonic;

    *progress = (struct progress){ .working = clients, .visible = visible, .begun_s = figures_wall_s() };
    progress->shown_s = progress->begun_s;
    (void)pthread_mutex_init(&progress->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&progress->left, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void progress_end(struct progress *progress)
{
    (void)pthread_cond_destroy(&progress->left);
    (void)pthread_mutex_destroy(&progress->lock);
    if (progress->visible)
        (void)fprintf(stderr, "\r\033[K");
}

void progress_count(struct progress *progress, bool well)
{
    atomic_fetch_add_explicit(&progress->done, 1, memory_order_relaxed);
    if (!well)
        atomic_fetch_add_explicit(&progress->failed, 1, memory_order_relaxed);
}

void progress_leave(struct progress *progress)
{
    (void)pthread_mutex_lock(&progress->lock);
    if (--progress->working == 0)
        (void)pthread_cond_signal(&progress->left);
    (void)pthread_mutex_unlock(&progress->lock);
}

static void show(struct progress *progress, double now_s)
{
    unsigned long done = atomic_load(&progress->done);

    (void)fprintf(stderr, "\r\033[K%.1f s: %lu exchanges, %.0f a second now, %lu without success",
                  now_s - progress->begun_s, done,
                  (double)(done - progress->shown) / (now_s - progress->shown_s),
                  (unsigned long)atomic_load(&progress->failed));
    (void)fflush(stderr);
    progress->shown = done;
    progress->shown_s = now_s;
}

void progress_wait(struct progress *progress, double seconds)
{
    const double end_s = figures_wall_s() + seconds;
    double now_s;

    (void)pthread_mutex_lock(&progress->lock);
    while (progress->working > 0 && ((now_s = figures_wall_s()) < end_s || seconds < 0)) {
        double next_s = progress->shown_s + every_s;
        struct timespec at;

        if (now_s >= next_s) {
            if (progress->visible)
                show(progress, now_s);
            progress->shown_s = now_s;
            next_s = now_s + every_s;
        }
        if (seconds >= 0 && end_s < next_s)
            next_s = end_s;
        at.tv_sec = (time_t)next_s;
        at.tv_nsec = (long)((next_s - (double)at.tv_sec) * 1e9);
        (void)pthread_cond_timedwait(&progress->left, &progress->lock, &at);
    }
    (void)pthread_mutex_unlock(&progress->lock);
}
