/* thread.h: starting threads that use libcrypto. */
#ifndef MUSTER_THREAD_H
#define MUSTER_THREAD_H

#include <pthread.h>

#include "lib/base/error.h"

/* A thread of its own name (at most 15 characters) with all signals blocked and an OpenSSL library context of
 * its own as default: implicit fetches and decoders then share no lock and no reference count with other
 * threads. */
MUST_USE bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context,
                           struct error *err);

/* `release` runs on the calling thread when that ends: frees what the thread had made for itself alone, to
 * use it again. Named twice, it runs once. The main thread's are left to the process. At most
 * THREAD_AT_END_MAX different ones a thread. */
enum { THREAD_AT_END_MAX = 16 };
void thread_at_end(void (*release)(void));

#endif
