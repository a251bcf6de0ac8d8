/* registration_json.h: a registration as JSON, the form that officers sign: all four order types with every
 * field of the preregistration. Member names count without case; what is not known is refused by name;
 * secrets are never in it (they travel beside the act). Lists are arrays, or one text with commas and "\,"
 * for a comma in a value. Pure; any thread.
 *
 *   all    order (scep|cmp|est|acme), procedure, state (Open|Closed), validity ("always" or days), ipAddress,
 *          serialNumber, protocols, oneTime, keyFingerprint (SHA-256 over the SPKI, hexadecimal), email,
 *          commitment (base64url), attributes {...}
 *   not ACME   fqdn
 *   SCEP   enrollReg, cpmState (1000 register, 1001 de-register)
 *   EST    userName, realm
 *   ACME   keyId, allowedDomains, preAuthorised
 * Also understood: certTemplate and certificateTemplate (procedure), commonName (fqdn), emailAddress (email).
 */
#ifndef MUSTER_OFFICER_REGISTRATION_JSON_H
#define MUSTER_OFFICER_REGISTRATION_JSON_H

#include "lib/jose/json.h"
#include "model/registration.h"

enum { JSON_FAULT_FIELD_MAX = 64, JSON_FAULT_TEXT_MAX = 160, VALID_DAYS_MAX = 36500 };

/* What is wrong with it, for whoever wrote it: "attributes.dns" and "not a DNS name". */
struct json_fault {
    char field[JSON_FAULT_FIELD_MAX];
    char text[JSON_FAULT_TEXT_MAX];
};

enum registration_json {
    REGISTRATION_JSON_FAULT = 0, /* see the fault */
    REGISTRATION_JSON_MEMORY,
    REGISTRATION_JSON_OK,
};

/* Reads what stands in the signed request. `rules` are those of the procedure's domain. Not set in *out: id,
 * revision, domain, accepted_s, used, sealed_secret, officer, audit_index; protocols is 0 when none are
 * named; the commitment is zero when there is none. */
enum registration_json registration_from_json(const json_t *object, const struct fqdn_pattern_rules *rules,
                                              struct arena *arena, struct registration *out,
                                              struct json_fault *fault);

/* The same members back (state as Open or Closed, lists as arrays). NULL when memory ran out. */
MUST_USE json_t *registration_to_json(const struct registration *r);

/* "acme"; NULL for ORDER_NONE. And back, any case. */
const char *order_name(enum order_type order);
enum order_type order_from_name(struct bytes name);

#endif
