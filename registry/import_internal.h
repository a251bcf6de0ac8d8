/* import_internal.h: what the rest of the room knows of an import: that an unfinished one must go. */
#ifndef MUSTER_REGISTRY_IMPORT_INTERNAL_H
#define MUSTER_REGISTRY_IMPORT_INTERNAL_H

#include "registry/storage_internal.h"

/* Removes the rows of an import that was neither finished nor aborted, in small transactions. */
MUST_USE bool import_purge(struct registry *registry, struct error *err);

#endif
