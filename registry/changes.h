/* changes.h: what a handler wants written, as a value: typed operations with what they assume. Made in the
 * request's arena, applied by the writer (registry_apply) all together or not at all. Adding never fails
 * visibly at each call: a full arena marks the list (changes_failed), asked once before it is handed over. */
#ifndef MUSTER_REGISTRY_CHANGES_H
#define MUSTER_REGISTRY_CHANGES_H

#include "lib/base/arena.h"
#include "model/certificate_record.h"
#include "model/registration.h"
#include "registry/records.h"

enum change_kind {
    CHANGE_NONE = 0,
    CHANGE_REGISTRATION_PUT, /* revision 0 expected: must be new, its pattern (key id) free in the domain */
    CHANGE_REGISTRATION_ASSUME, /* writes nothing; the registration still has this revision */
    CHANGE_REGISTRATION_USE,   /* marks a one-time registration used (or free again); expects the revision and
                                  that   it was not in that state yet. The revision stays: it counts officers'
                                  acts */
    CHANGE_CERTIFICATE_ADD,    /* issuer and serial must be new */
    CHANGE_CERTIFICATE_REVOKE, /* must be good */
    CHANGE_CERTIFICATE_ASSUME, /* writes nothing; the certificate is still good: what was shown as credential
                                */
    CHANGE_STATE_PUT,          /* expected revision; 0: must be absent */
    CHANGE_STATE_DELETE,       /* expected revision */
    CHANGE_STATE_ASSUME,       /* writes nothing; expected revision; 0: it is still absent */
    CHANGE_PLACE_TAKE,         /* there must be room, unless the member has its place already */
    CHANGE_PLACE_FREE,         /* a place that is not there is no fault */
    CHANGE_JOB_PUT,
    CHANGE_JOB_DELETE,
    CHANGE_OFFICER_PUT,
    CHANGE_JTI_USE, /* must be unseen: a replayed act conflicts for ever */
    CHANGE_AUDIT_APPEND,
};

struct change; /* opaque list element */

struct changes {
    struct arena *arena;
    struct change *first, *last;
    size_t count;
    bool failed;
};

void changes_begin(struct changes *changes, struct arena *arena);

/* Where the list stands now, and back to there: what was added since is forgotten. */
static inline struct changes changes_mark(const struct changes *changes)
{
    return *changes;
}
void changes_rewind(struct changes *changes, struct changes mark);

/* A change since `mark` concerns what one before it concerns, and not both merely assume: they were made from
 * one view, so that the later one does not know of the earlier. Together they would be refused when they are
 * applied, or contradict each other. */
bool changes_clash(const struct changes *changes, struct changes mark);

static inline bool changes_failed(const struct changes *changes)
{
    return changes->failed;
}

/* A job is put: it may be due at once. */
bool changes_put_job(const struct changes *changes);

/* All copy what they are given into the arena. */
void change_registration_put(struct changes *c, const struct registration *r, uint64_t expected_revision);
void change_registration_assume(struct changes *c, const struct registration_id *id, uint64_t revision);
void change_registration_use(struct changes *c, const struct registration_id *id, uint64_t revision,
                             bool used);
void change_certificate_add(struct changes *c, const struct certificate_record *record);
void change_certificate_revoke(struct changes *c, const struct certificate_id *id, int reason,
                               int64_t revoked_s);
void change_certificate_assume(struct changes *c, const struct certificate_id *id);
void change_state_put(struct changes *c, const struct state_key *key, const struct state_value *value,
                      uint64_t expected_revision);
void change_state_delete(struct changes *c, const struct state_key *key, uint64_t expected_revision);
void change_state_assume(struct changes *c, const struct state_key *key, uint64_t expected_revision);
/* `member` has a place in `holder` (registry/places.h) until `expires_s`. Of at most `max` places; 0: there
 * is always room. Takes do not conflict with one another as long as there is room: the writer counts. */
void change_place_take(struct changes *c, const struct state_key *holder, struct bytes member,
                       int64_t expires_s, uint32_t max);
void change_place_free(struct changes *c, const struct state_key *holder, struct bytes member);
void change_job_put(struct changes *c, const struct job_record *job);
void change_job_delete(struct changes *c, const struct job_id *id);
void change_officer_put(struct changes *c, const struct officer_record *officer);
void change_jti_use(struct changes *c, struct bytes officer, struct bytes jti);
void change_audit_append(struct changes *c, enum audit_kind kind, struct bytes content);

#endif
