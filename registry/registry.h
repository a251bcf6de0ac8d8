/* registry.h: what the gateway knows for good, on LMDB. One struct registry serves all threads of one process
 * (a lock file keeps a second daemon out). Reading is by views, writing by changes that one writer applies;
 * no type of LMDB is seen outside this room. A view belongs to one thread; what it returns lives until it is
 * renewed or ended, unless it was copied into an arena. "None" is an answer, not an error.
 *
 * Schema: docs/architecture.md. A registry of a newer schema version is refused (ERROR_UNSUPPORTED). */
#ifndef MUSTER_REGISTRY_H
#define MUSTER_REGISTRY_H

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "registry/changes.h"

enum { REGISTRY_SCHEMA_VERSION = 1, REGISTRY_CANDIDATES_MAX = 16 };

struct registry_options {
    const char *path;     /* a directory, made when missing (mode 0700) */
    uint64_t map_max;     /* ceiling of the map, bytes: address space; the file grows as it is used */
    unsigned readers_max; /* views that may exist at once */
    bool read_only;       /* offline tools: no lock file, no changes */
    bool no_sync;         /* bulk loads and simulation alone: commits do not wait for the disk */
};
#define REGISTRY_OPTIONS_DEFAULT \
    ((struct registry_options){ .map_max = (uint64_t)64 << 30, .readers_max = 126 })

struct registry;
struct registry_view;

/* Opens or creates. ERROR_UNAVAILABLE: another daemon has it. */
MUST_USE bool registry_open(const struct registry_options *options, struct registry **out, struct error *err);
void registry_close(struct registry *registry); /* all views ended before; accepts NULL */

/* --- views --- */
/* A snapshot of what was committed last. Costs a microsecond when renewed; a view that is held long makes the
 * file grow, so a thread keeps one and renews it for each request. */
MUST_USE bool registry_view_begin(struct registry *registry, struct registry_view **out, struct error *err);
MUST_USE bool registry_view_renew(struct registry_view *view, struct error *err);
void registry_view_reset(struct registry_view *view); /* lets the snapshot go, keeps the slot */
void registry_view_end(struct registry_view *view);   /* accepts NULL */
/* How many rows were looked for through the view since it began: what a handler costs, without a clock. */
uint64_t registry_view_reads(const struct registry_view *view);

/* --- the writer --- */
enum apply_result {
    APPLY_NONE = 0,
    APPLY_DONE,     /* durable */
    APPLY_CONFLICT, /* an assumption no longer held: nothing of this outcome was written; run the handler
                       again */
    /* Nothing of this outcome was written, and running it again does not help: */
    APPLY_FULL,  /* 90 % of the disk (or its last 2 GiB) or of the map's ceiling are used: only outcomes that
                    revoke, delete, close or go on with a job are taken */
    APPLY_BUSY,  /* an import that is under way brings a registration of this name */
    APPLY_LIMIT, /* too many patterns look like this one (match_index_internal.h) */
    APPLY_INVALID, /* a defect of ours: incomplete (changes_failed), or two changes contradict each other */
};

/* Says why as an error: CONFLICT, UNAVAILABLE (FULL, BUSY), LIMIT, INTERNAL. True for APPLY_DONE. */
bool apply_result_error(enum apply_result result, struct error *err);

/* Applies the outcomes in order in one durable transaction (group commit): each as a whole or not at all; a
 * later one sees the earlier. result[i] speaks of changes[i]. A registration that is put takes as its
 * audit_index the place of the first AUDIT_ACT among the same changes. One thread at a time. false (all of
 * them): the storage failed (ERROR_STORAGE; ERROR_UNAVAILABLE: it ran out of room), nothing was written. */
MUST_USE bool registry_apply(struct registry *registry, const struct changes *const *changes, size_t count,
                             int64_t now_s, enum apply_result *result, struct error *err);

/* --- bulk import ---
 * Registrations are collected and sorted beside the registry, then merged in small transactions under a
 * number that no view shows, until one commit shows them all. The writer's thread alone, one import at a
 * time; it may apply other changes in between. An import that was not finished is removed when the registry
 * opens next. Cost: the sorted copy on disk while it lasts, and of each row 4 bytes for good. */
struct registry_import;
MUST_USE bool registry_import_begin(struct registry *registry, struct registry_import **out,
                                    struct error *err);

/* ERROR_CONFLICT: the name (or id) is held already in the domain; the import can go on without it. A name
 * that comes twice in one import is found by registry_import_step. The revision becomes 1; audit_index will
 * be the place of the act that finishes the import. */
MUST_USE bool registry_import_add(struct registry_import *import, const struct registration *r,
                                  struct error *err);

/* Merges some ten thousand rows; *done when none is left. Nothing can be added once this began.
 * ERROR_CONFLICT, ERROR_LIMIT: a row cannot be taken, the text names it; the import must be aborted. */
MUST_USE bool registry_import_step(struct registry_import *import, bool *done, struct error *err);

/* Merges what is left, applies `changes` (the signed act that covers the import) and shows all rows in the
 * same commit. On success the import is over and freed. ERROR_CONFLICT: the changes did not hold; finish
 * again with others, or abort. */
MUST_USE bool registry_import_finish(struct registry_import *import, const struct changes *changes,
                                     int64_t now_s, struct error *err);
void registry_import_abort(struct registry_import *import); /* accepts NULL */

/* --- figures, for /metrics and health --- */
struct registry_figures {
    uint64_t registrations, certificates, audit_entries, map_used, map_size, map_max, jobs;
    uint64_t oldest_reader_lag; /* transactions that the oldest view lags behind */
};
MUST_USE bool registry_figures(struct registry *registry, struct registry_figures *out, struct error *err);

#endif
