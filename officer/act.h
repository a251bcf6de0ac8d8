/* act.h: a signed act of an officer: a flattened JWS whose protected header holds alg, kid (the officer's key
 * id), url (where it is sent), iat (seconds) and jti (unique), and whose payload is an act_request. It is
 * verified, checked against the officer's rights, appended to the audit whole, and only then takes effect;
 * one that was seen before is refused for ever.
 *
 * A secret is never in it: the registration carries SHA-256 over 32 random bytes and the secret; both travel
 * beside the act and rest sealed, bound to the registration's id.
 *
 * Functions of the turn: what must be written is left in turn->changes, the refusal's audit entry too. A
 * refusal is a value; false is an error of ours. Everything returned is in the turn's arena. */
#ifndef MUSTER_OFFICER_ACT_H
#define MUSTER_OFFICER_ACT_H

#include "lib/jose/jws.h"
#include "model/procedure.h"
#include "officer/act_request.h"
#include "registry/turn.h"

enum { ACT_SALT_LEN = 32, ACT_OVERLAPS_MAX = 16, ACT_DETAIL_MAX = 240 };

enum act_result {
    ACT_MALFORMED = 0,   /* no JWS of this form, or a header member is missing */
    ACT_UNKNOWN_OFFICER, /* or a disabled one */
    ACT_BAD_SIGNATURE,
    ACT_WRONG_URL,
    ACT_WRONG_TIME, /* iat is further from now than the allowed skew */
    ACT_REPLAYED,
    ACT_FIELD,             /* the request or a field of it; detail names it */
    ACT_UNKNOWN_PROCEDURE, /* or a domain that is not */
    ACT_NO_RIGHT,
    ACT_SECRET,       /* secret and commitment do not fit */
    ACT_HELD,         /* the name is held: 409, detail names the holder */
    ACT_REVISION,     /* another revision than the expected one */
    ACT_NOT_FOUND,    /* nothing there to close, revoke, approve */
    ACT_NOT_IN_STATE, /* closed or revoked already */
    ACT_DONE,
};
const char *act_result_name(enum act_result result); /* "no_right" */

struct act_input {
    struct bytes jws; /* text */
    struct bytes url; /* that the act must name */
    bool has_secret;
    struct bytes secret, salt;
    struct bytes via; /* key id of the officer whose TLS certificate brought it; none: offline */
};

struct act_service {
    const struct procedure *const *procedure;
    size_t procedure_count;
    int64_t skew_s;
};

/* Opened: signed by this officer, here, now, and never seen before. Not yet allowed. */
struct act {
    struct act_request request;
    struct officer_record officer;
    struct bytes jti;
    struct act_input input;
};

/* What an approval or a denial is about: admin/ finds it, since enrollments that wait are not known here. */
struct act_subject {
    bool found;
    struct bytes procedure, fqdn;
};

struct act_outcome {
    enum act_result result;
    char detail[ACT_DETAIL_MAX]; /* of a refusal, for the officer; no secret */
    enum act_kind kind;
    struct registration_id registration; /* REGISTER, CLOSE; also the holder with ACT_HELD and ACT_REVISION */
    uint64_t revision;                   /* now; of the holder with ACT_HELD and ACT_REVISION */
    bool reopened;
    struct fqdn_pattern *overlap; /* REGISTER: patterns of the domain that share a name with it: a warning */
    size_t overlap_count;
    bool more_overlaps;
    struct bytes officer; /* key id of who signed; none when unknown */
};

/* *opened: go on with officer_act_apply(); else the outcome says why not. */
MUST_USE bool officer_act_open(struct turn *turn, const struct act_service *service,
                               const struct act_input *input, bool *opened, struct act *out,
                               struct act_outcome *outcome, struct error *err);

/* Checks rights and state and leaves the changes. APPROVE and DENY are only authorised and audited: the
 * caller adds the decision to the same turn. `subject` may be NULL for the others. */
MUST_USE bool officer_act_apply(struct turn *turn, const struct act_service *service, const struct act *act,
                                const struct act_subject *subject, struct act_outcome *outcome,
                                struct error *err);

/* The first officer of a new registry signs its own appointment: the audit's first officer entry. The changes
 * get officer, jti and entry. Refusals as above (ACT_FIELD, ACT_BAD_SIGNATURE, ...). */
MUST_USE bool officer_act_first(struct changes *changes, struct bytes jws, struct act_outcome *outcome,
                                struct error *err);

/* --- the other side: making acts --- */
/* {"act":...} signed with key `key_name`, whose thumbprint becomes the kid; jti is random. */
MUST_USE bool officer_act_sign(const struct keys *keys, const char *key_name, struct bytes payload,
                               struct bytes url, int64_t now_s, const struct random_source *random,
                               struct arena *arena, struct bytes *jws, struct error *err);

/* SHA-256 over salt and secret. False only when libcrypto fails. */
MUST_USE bool officer_commitment(struct bytes salt, struct bytes secret, struct digest256 *out);

#endif
