/* state_rows_internal.h: keys of protocol state, jobs, officers and used ids. */
#ifndef MUSTER_REGISTRY_STATE_ROWS_INTERNAL_H
#define MUSTER_REGISTRY_STATE_ROWS_INTERNAL_H

#include "registry/codec_internal.h"

enum { STATE_ID_MAX = 64 /* longer ids are hashed */ };

/* Kind and its length, hash of the procedure's name, id (hashed when long): the state of one kind stands
 * together. False (ERROR_INTERNAL) for a kind that is empty or too long. */
MUST_USE bool state_key_of(const struct state_key *key, struct key *out, struct error *err);

/* Time, then the key of what is due: of state that expires, of a job. */
void due_key(int64_t time_s, struct bytes what, struct key *out);
enum { DUE_WHAT_AT = 8 };

MUST_USE bool officer_key_of(struct bytes key_id, struct key *out, struct error *err);

/* SHA-256 over both; a replayed act is found by it. */
MUST_USE bool jti_key_of(struct bytes officer, struct bytes jti, struct key *out, struct error *err);

#endif
