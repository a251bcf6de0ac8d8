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

#endif
