/* registry_rows.h: what the measurements of the registry share: a registry to throw away, registrations and
 * records of certificates to fill it with. */
#ifndef MUSTER_BENCH_REGISTRY_ROWS_H
#define MUSTER_BENCH_REGISTRY_ROWS_H

#include "registry/registrations.h"

enum { ROWS_ARENA_MAX = 16 << 20 };

/* A registry in a new folder beneath `directory`; scratch_close() removes both. */
struct scratch {
    struct registry *registry;
    char path[4096];
};
MUST_USE bool scratch_open(const char *directory, struct scratch *out, struct error *err);
void scratch_close(struct scratch *scratch);

/* TMPDIR, or /tmp. */
const char *scratch_directory(void);

/* The n-th pattern of a kind. */
typedef void rows_pattern(uint64_t n, struct fqdn_pattern *out);
/* Sets a pattern or a name; what does not fit is cut. */
void rows_text(struct fqdn_pattern *out, const char *format, ...) PRINTF(2, 3);
void rows_name(struct dns_name *out, const char *format, ...) PRINTF(2, 3);

/* One in ROWS_WILD_EVERY is a pattern, the others are names; and a name that the n-th alone matches. */
enum { ROWS_WILD_EVERY = 10 };
void rows_mixed(uint64_t n, struct fqdn_pattern *out);
void rows_mixed_name(uint64_t n, struct dns_name *out);

/* `count` registrations whose patterns `pattern` makes of 0, 1, 2 ..., in an order that jumps about, through
 * the bulk import. Patterns that the registry will not take (ERROR_LIMIT) make all of it fail. */
MUST_USE bool rows_import(struct registry *registry, struct domain_id domain, rows_pattern *pattern,
                          uint64_t count, struct error *err);

/* The record of an issued certificate, of a size as they are, and its audit entry. */
void rows_issuance(uint64_t serial, struct changes *changes);

#endif
