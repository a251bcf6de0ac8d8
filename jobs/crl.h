/* crl.h: the certificate list of each embedded CA: signed anew when it grows old and soon after a revocation,
 * kept in the registry, served from there. */
#ifndef MUSTER_JOBS_CRL_H
#define MUSTER_JOBS_CRL_H

#include "ca/ca.h"
#include "jobs/job.h"

enum {
    CRL_POLL_S = 10,         /* a revocation is on the list after at most this long */
    CRL_BYTES_MAX = 64 << 20 /* of one list; beyond: ERROR_MEMORY, and the old list stays */
};

struct crl_service {
    const struct ca *ca; /* those of other kinds than the embedded one are passed over */
    size_t count;
};

/* What the registry keeps of a CA's list: state "crl" of no procedure, id the CA's name. */
struct crl_state {
    uint64_t number;
    int64_t this_update_s, next_update_s;
    uint64_t entries;
    uint64_t mark;       /* of the entries: another mark, another content */
    uint64_t audit_size; /* the audit's when the list was made: without growth there is nothing new */
    uint64_t revision;
    struct bytes der; /* in the arena */
};

/* The handler: a standing job, "crl". One CA that cannot sign does not hold up the others: its error goes
 * into turn->facts.error and it is tried again; false only when all of them failed. */
bool job_crl_run(struct turn *turn, const void *service, const struct job_record *job,
                 const struct job_event *event, struct job_step *out, struct error *err);

/* The list in force for the HTTP handler; *found false: none was made yet. `der` lives in the arena. */
MUST_USE bool crl_current(struct registry_view *view, struct bytes ca_name, struct arena *arena, bool *found,
                          struct bytes *der, struct error *err);
MUST_USE bool crl_state_read(struct registry_view *view, struct bytes ca_name, struct arena *arena,
                             bool *found, struct crl_state *out, struct error *err);

#endif
