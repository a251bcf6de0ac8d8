#include "gateway/writer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/thread.h"

struct writer {
    struct registry *registry;
    struct queue queue;
    pthread_t thread;
    _Atomic uint64_t commits, outcomes, conflicts, failures;
};

/* One commit for `count` outcomes; each learns its own result. Items are unlinked first: a done outcome may
 * be gone. */
static void write_batch(struct writer *writer, struct queue_item *first, size_t count)
{
    struct outcome *outcome[WRITER_BATCH_MAX];
    const struct changes *changes[WRITER_BATCH_MAX];
    enum apply_result result[WRITER_BATCH_MAX] = { APPLY_NONE };
    struct error err = { 0 };
    struct queue_item *item = first;
    bool applied;

    for (size_t i = 0; i < count; i++, item = item->next) {
        outcome[i] = queue_owner(item, struct outcome, link);
        changes[i] = outcome[i]->changes;
    }
    applied = registry_apply(writer->registry, changes, count, clock_now_s(), result, &err);
    atomic_fetch_add(applied ? &writer->commits : &writer->failures, 1);
    atomic_fetch_add(&writer->outcomes, count);
    for (size_t i = 0; i < count; i++) {
        if (applied && result[i] == APPLY_CONFLICT)
            atomic_fetch_add(&writer->conflicts, 1);
        if (applied)
            (void)apply_result_error(result[i], &err);
        outcome[i]->done(outcome[i], applied ? result[i] : APPLY_NONE, &err);
    }
}

static void *write_on(void *context)
{
    static const struct gathering gathering = { .enough = WRITER_BATCH_ENOUGH,
                                                .max = WRITER_BATCH_MAX,
                                                .wait_ms = WRITER_GATHER_MS };
    struct writer *writer = context;
    struct queue_item *first;
    size_t count;

    while ((first = queue_gather(&writer->queue, &gathering, &count)) != NULL)
        write_batch(writer, first, count);
    return NULL;
}

bool writer_start(struct registry *registry, struct writer **out, struct error *err)
{
    struct writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return error_set(err, ERROR_MEMORY, "writer");
    writer->registry = registry;
    queue_init(&writer->queue, SIZE_MAX);
    if (!thread_start(&writer->thread, "writer", write_on, writer, err)) {
        queue_destroy(&writer->queue);
        free(writer);
        return false;
    }
    *out = writer;
    return true;
}

bool writer_submit(struct writer *writer, struct outcome *outcome)
{
    return (outcome->more_follow ? queue_put : queue_put_last)(&writer->queue, &outcome->link);
}

void writer_hurry(struct writer *writer)
{
    queue_hurry(&writer->queue);
}

struct barrier {
    struct outcome outcome;
    struct changes none;
    pthread_mutex_t lock;
    pthread_cond_t passed;
    bool done;
};

static void on_barrier(struct outcome *outcome, enum apply_result result, const struct error *err)
{
    struct barrier *barrier = queue_owner(outcome, struct barrier, outcome);

    (void)result;
    (void)err;
    (void)pthread_mutex_lock(&barrier->lock);
    barrier->done = true;
    (void)pthread_cond_signal(&barrier->passed);
    (void)pthread_mutex_unlock(&barrier->lock);
}

void writer_drain(struct writer *writer)
{
    struct barrier barrier = { .lock = PTHREAD_MUTEX_INITIALIZER, .passed = PTHREAD_COND_INITIALIZER };

    barrier.outcome = (struct outcome){ .changes = &barrier.none, .done = on_barrier };
    if (!writer_submit(writer, &barrier.outcome))
        return;
    (void)pthread_mutex_lock(&barrier.lock);
    while (!barrier.done)
        (void)pthread_cond_wait(&barrier.passed, &barrier.lock);
    (void)pthread_mutex_unlock(&barrier.lock);
}

void writer_counters(struct writer *writer, struct writer_counters *out)
{
    *out = (struct writer_counters){ .commits = atomic_load(&writer->commits),
                                     .outcomes = atomic_load(&writer->outcomes),
                                     .conflicts = atomic_load(&writer->conflicts),
                                     .failures = atomic_load(&writer->failures) };
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL)
        return;
    queue_close(&writer->queue);
    (void)pthread_join(writer->thread, NULL);
    queue_destroy(&writer->queue);
    free(writer);
}
