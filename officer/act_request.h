/* act_request.h: what an officer asks for, as the payload of a signed act:
 *
 *   {"act":"register", "registration":{...}, "revision":N}   N: of the one that it re-opens; 0 or absent: new
 *   {"act":"close",    "procedure":"...", "fqdn":"..." | "keyId":"...", "revision":N (optional)}
 *   {"act":"revoke",   "issuer":"SHA-256 of the issuer's Name, hex", "serial":"hex",
 * "reason":"keyCompromise"}
 *   {"act":"approve" | "deny", "pending":"id"}
 *   {"act":"officer",  "officer":{...}, "revision":N}
 *
 * Unknown members are refused by name. Pure. */
#ifndef MUSTER_OFFICER_ACT_REQUEST_H
#define MUSTER_OFFICER_ACT_REQUEST_H

#include "model/certificate_record.h"
#include "officer/registration_json.h"

enum act_kind { ACT_NONE = 0, ACT_REGISTER, ACT_CLOSE, ACT_REVOKE, ACT_APPROVE, ACT_DENY, ACT_OFFICER };

/* "register"; NULL for ACT_NONE. */
const char *act_kind_name(enum act_kind kind);

struct act_request {
    enum act_kind kind;
    bool has_revision;
    uint64_t revision;
    struct bytes object;                  /* REGISTER, OFFICER: the inner object, JSON */
    struct bytes procedure, fqdn, key_id; /* CLOSE */
    struct certificate_id certificate;    /* REVOKE */
    int reason;
    struct bytes pending; /* APPROVE, DENY */
};

/* What it holds is in the arena. */
enum registration_json act_request_parse(struct bytes payload, struct arena *arena, struct act_request *out,
                                         struct json_fault *fault);

#endif
