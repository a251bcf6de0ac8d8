/* officer_json.h: an officer as JSON, the form that is signed when one is added or changed:
 *   {"name":"Registrar", "key":{JWK}, "certificate":"SHA-256 of the TLS certificate, hex" (optional),
 *    "rights":["register", ...], "procedures":[...] (none: all), "suffixes":[...] (none: all),
 *    "disabled":true (optional)}
 * The key id is not said but computed: the thumbprint of the key. Pure. */
#ifndef MUSTER_OFFICER_OFFICER_JSON_H
#define MUSTER_OFFICER_OFFICER_JSON_H

#include "officer/registration_json.h"
#include "registry/records.h"

/* revision is left 0. What it holds is in the arena. */
enum registration_json officer_from_json(const json_t *object, struct arena *arena,
                                         struct officer_record *out, struct json_fault *fault);
/* NULL when memory ran out. */
MUST_USE json_t *officer_to_json(const struct officer_record *officer);

/* "register", "wildcard", ...: one bit of RIGHTS_ALL; NULL for another number. 0 for an unknown name. */
const char *right_name(uint32_t right);
uint32_t right_from_name(struct bytes name);

#endif
