#include "lib/base/thread.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct start {
    void *(*run)(void *);
    void *context;
    char name[16];
};

/* --- what a thread gives back when it ends --- */

static _Thread_local void (*at_end[THREAD_AT_END_MAX])(void);
static _Thread_local size_t at_end_count;
static pthread_key_t at_end_key; /* its destructor is what makes threads that others started give back too */
static pthread_once_t at_end_once = PTHREAD_ONCE_INIT;

static void run_at_end(void *unused)
{
    (void)unused;
    while (at_end_count > 0)
        at_end[--at_end_count]();
}

static void make_at_end_key(void)
{
    int failed = pthread_key_create(&at_end_key, run_at_end);

    assert(failed == 0);
    (void)failed;
}

void thread_at_end(void (*release)(void))
{
    for (size_t i = 0; i < at_end_count; i++)
        if (at_end[i] == release)
            return;
    assert(at_end_count < THREAD_AT_END_MAX);
    (void)pthread_once(&at_end_once, make_at_end_key);
    (void)pthread_setspecific(at_end_key, at_end);
    at_end[at_end_count++] = release;
}

/* --- threads --- */

/* Library contexts are left when their threads end: objects made in one (a response's digest, a session) may
 * outlive the thread. They stay in this list, and end with the process. */
struct kept_context {
    OSSL_LIB_CTX *context;
    struct kept_context *next;
};
static _Atomic(struct kept_context *) kept_contexts;

static OSSL_LIB_CTX *context_new(void)
{
    struct kept_context *kept = calloc(1, sizeof(*kept));

    if (kept == NULL || (kept->context = OSSL_LIB_CTX_new()) == NULL) {
        free(kept);
        return NULL;
    }
    kept->next = atomic_load(&kept_contexts);
    while (!atomic_compare_exchange_weak(&kept_contexts, &kept->next, kept))
        ;
    return kept->context;
}

static void *begin(void *context)
{
    struct start start = *(struct start *)context;
    OSSL_LIB_CTX *own = context_new();
    void *result;

    free(context);
    (void)pthread_setname_np(pthread_self(), start.name);
    if (own != NULL) {
        /* The system's configuration decides providers and policy here as in the default context. */
        (void)OSSL_LIB_CTX_load_config(own, NULL);
        (void)OSSL_LIB_CTX_set0_default(own);
    }
    result = start.run(start.context);
    run_at_end(NULL);
    OPENSSL_thread_stop();
    return result;
}

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context, struct error *err)
{
    struct start *start = calloc(1, sizeof(*start));
    sigset_t all, old;
    int failed;

    if (start == NULL)
        return error_set(err, ERROR_MEMORY, "thread %s", name);
    start->run = run;
    start->context = context;
    (void)snprintf(start->name, sizeof(start->name), "%s", name);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    failed = pthread_create(thread, NULL, begin, start);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed != 0) {
        free(start);
        return error_set(err, ERROR_UNAVAILABLE, "thread %s: %s", name, strerror(failed));
    }
    return true;
}
