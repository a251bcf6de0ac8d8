/* sorter_internal.h: an external sort: pairs of bytes go in in any order and come out by key, the first that
 * came in first when keys are equal. Memory is bounded; sorted runs lie in one file that has no name, so
 * nothing is left behind. */
#ifndef MUSTER_REGISTRY_SORTER_INTERNAL_H
#define MUSTER_REGISTRY_SORTER_INTERNAL_H

#include "lib/base/bytes.h"
#include "lib/base/error.h"

struct sorter;

/* `directory`: where the file is; `memory`: bytes of one run. */
MUST_USE bool sorter_new(const char *directory, size_t memory, struct sorter **out, struct error *err);
void sorter_free(struct sorter *sorter); /* accepts NULL */

/* Copies. A pair may not be longer than the memory of a run. */
MUST_USE bool sorter_add(struct sorter *sorter, struct bytes key, struct bytes value, struct error *err);

/* The next pair; *found false at the end. The first call ends adding. Lives until the next call. */
MUST_USE bool sorter_next(struct sorter *sorter, bool *found, struct bytes *key, struct bytes *value,
                          struct error *err);

#endif
