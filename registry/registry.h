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
    uint64_t map_max;     /* ceiling of the map, bytes; the writer grows the map up to it */
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

/* --- the writer --- */
enum apply_result {
    APPLY_NONE = 0,
    APPLY_DONE,     /* durable */
    APPLY_CONFLICT, /* an assumption no longer held: nothing of this outcome was written; run the handler
                       again */
};

/* Applies the outcomes in order in one durable transaction (group commit): each as a whole or not at all.
 * result[i] speaks of changes[i]. One thread at a time. false (all of them): storage failed, nothing was
 * written; ERROR_UNAVAILABLE when disk or map are at 90%: then only changes that free or revoke are taken. */
MUST_USE bool registry_apply(struct registry *registry, const struct changes *const *changes, size_t count,
                             int64_t now_s, enum apply_result *result, struct error *err);

/* --- bulk import ---
 * Registrations are staged in small transactions, invisible to views, until one commit shows them all. The
 * writer's thread alone. The signed act that covers them is in `changes` of registry_import_finish. */
struct registry_import;
MUST_USE bool registry_import_begin(struct registry *registry, struct registry_import **out,
                                    struct error *err);
/* ERROR_CONFLICT: the FQDN is held already in the domain; the import can go on without it. */
MUST_USE bool registry_import_add(struct registry_import *import, const struct registration *r,
                                  struct error *err);
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
