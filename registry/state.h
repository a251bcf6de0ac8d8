/* state.h: reading protocol state, jobs, officers and used ids. */
#ifndef MUSTER_REGISTRY_STATE_H
#define MUSTER_REGISTRY_STATE_H

#include "registry/registry.h"

/* The state under `key`; *found false when there is none. Expired state that was not swept yet is still
 * found. */
MUST_USE bool registry_state(struct registry_view *view, const struct state_key *key, struct arena *arena,
                             bool *found, struct state_value *out, struct error *err);

/* All state of one kind (of one procedure, or of all when `procedure` is none), for lists that officers see
 * and for the sweeper. `each` returns false to stop. */
typedef bool state_each(const struct state_key *key, const struct state_value *value, void *context);
MUST_USE bool registry_state_each(struct registry_view *view, struct bytes procedure, const char *kind,
                                  state_each *each, void *context, struct error *err);

/* State whose time is over, oldest first, at most `max`: what the sweeper deletes. */
MUST_USE bool registry_state_expired(struct registry_view *view, int64_t now_s, size_t max,
                                     struct arena *arena, struct state_key *key, uint64_t *revision,
                                     size_t *count, struct error *err);

/* Jobs that are due at `now_s`, oldest first; and when the next one will be (INT64_MAX: none). */
MUST_USE bool registry_jobs_due(struct registry_view *view, int64_t now_s, size_t max, struct arena *arena,
                                struct job_record *out, size_t *count, int64_t *next_s, struct error *err);
MUST_USE bool registry_job(struct registry_view *view, const struct job_id *id, struct arena *arena,
                           bool *found, struct job_record *out, struct error *err);

MUST_USE bool registry_officer(struct registry_view *view, struct bytes key_id, struct arena *arena,
                               bool *found, struct officer_record *out, struct error *err);
MUST_USE bool registry_officer_by_certificate(struct registry_view *view, const struct digest256 *certificate,
                                              struct arena *arena, bool *found, struct officer_record *out,
                                              struct error *err);
MUST_USE bool registry_officers_list(struct registry_view *view, size_t max, struct arena *arena,
                                     struct officer_record *out, size_t *count, struct error *err);

/* This act was seen before. */
MUST_USE bool registry_jti_seen(struct registry_view *view, struct bytes officer, struct bytes jti,
                                bool *seen, struct error *err);

#endif
