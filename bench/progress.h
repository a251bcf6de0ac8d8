/* progress.h: how far the clients are: counted by them, waited for and shown by the thread that started them.
 */
#ifndef MUSTER_BENCH_PROGRESS_H
#define MUSTER_BENCH_PROGRESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/base.h"

struct progress {
    atomic_ulong done, failed; /* exchanges; failed: without an answer, or with a status that says so */
    unsigned long shown;       /* done when the line was last written */
    unsigned working;          /* clients */
    bool visible;
    double begun_s, shown_s;
    pthread_mutex_t lock;
    pthread_cond_t left;
};

/* `visible`: a line on standard error, twice a second. */
void progress_begin(struct progress *progress, unsigned clients, bool visible);
void progress_end(struct progress *progress);

void progress_count(struct progress *progress, bool well); /* an exchange is over */
void progress_leave(struct progress *progress);            /* a client is done with all */

/* Until every client has left, or for so many seconds (below 0: however long it takes). */
void progress_wait(struct progress *progress, double seconds);

#endif
