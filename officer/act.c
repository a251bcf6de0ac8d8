/* act.c: opening an act, and what becomes of it in the audit. */
#include "officer/act.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/encode.h"
#include "officer/act_internal.h"
#include "officer/officer_json.h"
#include "registry/state.h"

enum { JTI_LEN = 16 };

static const char *const result_names[] = {
    [ACT_MALFORMED] = "malformed",
    [ACT_UNKNOWN_OFFICER] = "unknown_officer",
    [ACT_BAD_SIGNATURE] = "bad_signature",
    [ACT_WRONG_URL] = "wrong_url",
    [ACT_WRONG_TIME] = "wrong_time",
    [ACT_REPLAYED] = "replayed",
    [ACT_FIELD] = "field",
    [ACT_UNKNOWN_PROCEDURE] = "unknown_procedure",
    [ACT_NO_RIGHT] = "no_right",
    [ACT_SECRET] = "secret",
    [ACT_HELD] = "held",
    [ACT_REVISION] = "revision",
    [ACT_NOT_FOUND] = "not_found",
    [ACT_NOT_IN_STATE] = "not_in_state",
    [ACT_DONE] = "done",
};

const char *act_result_name(enum act_result result)
{
    return result_names[result];
}

bool act_entry(struct bytes jws, json_t *effect, struct arena *arena, struct bytes *out)
{
    AUTO(json_t) *entry = json_object();

    return json_put(entry, "effect", effect) && json_put(entry, "jws", json_read(jws)) &&
           json_write(entry, arena, out);
}

/* What may be said of a refused act: who, which, why. Not its payload: whoever put a secret there by mistake
 * shall not find it in the audit. */
static bool write_refusal(struct acting *a, struct bytes jti, struct bytes *out)
{
    AUTO(json_t) *entry = json_object();
    const struct act_outcome *outcome = a->outcome;
    struct digest256 digest;

    return sha256(a->act->input.jws, &digest) &&
           json_put(entry, "reason", json_string(act_result_name(outcome->result))) &&
           json_put_text(entry, "detail", bytes_text(outcome->detail)) &&
           json_put_hex(entry, "sha256", digest256_bytes(&digest)) &&
           (outcome->officer.len == 0 || json_put_text(entry, "officer", outcome->officer)) &&
           (jti.len == 0 || json_put_text(entry, "jti", jti)) &&
           (outcome->kind == ACT_NONE || json_put(entry, "act", json_string(act_kind_name(outcome->kind)))) &&
           (a->act->input.via.len == 0 || json_put_text(entry, "via", a->act->input.via)) &&
           json_write(entry, a->turn->arena, out);
}

bool act_refuse(struct acting *a, enum act_result result, const char *format, ...)
{
    struct bytes entry;
    va_list list;

    va_start(list, format);
    (void)vsnprintf(a->outcome->detail, sizeof(a->outcome->detail), format, list);
    va_end(list);
    a->outcome->result = result;
    if (!write_refusal(a, a->act->jti, &entry))
        return error_set(a->err, ERROR_MEMORY, "audit entry of a refused act");
    changes_begin(&a->turn->changes, a->turn->arena);
    change_audit_append(&a->turn->changes, AUDIT_ACT_REFUSED, entry);
    if (a->act->jti.len > 0 && result != ACT_REPLAYED) /* set once its signature held: refused for ever */
        change_jti_use(&a->turn->changes, a->act->officer.key_id, a->act->jti);
    return true;
}

bool act_accept(struct acting *a, json_t *effect)
{
    struct changes *changes = &a->turn->changes;
    struct bytes entry;

    if (!act_entry(a->act->input.jws, effect, a->turn->arena, &entry))
        return error_set(a->err, ERROR_MEMORY, "audit entry of an act");
    change_jti_use(changes, a->act->officer.key_id, a->act->jti);
    change_audit_append(changes, AUDIT_ACT, entry);
    a->outcome->result = ACT_DONE;
    return true;
}

const struct procedure *act_procedure(const struct act_service *service, struct bytes name)
{
    for (size_t i = 0; i < service->procedure_count; i++)
        if (bytes_is(name, service->procedure[i]->name))
            return service->procedure[i];
    return NULL;
}

const struct fqdn_pattern_rules PATTERN_RULES_WIDEST = {
    .dns = { .underscore = true, .single_label = true, .trailing_dot = true, .unicode = true },
    .literal_labels_min = 1,
};

struct fqdn_pattern_rules domain_pattern_rules(const struct domain *domain)
{
    return (struct fqdn_pattern_rules){
        .dns = { .underscore = domain->underscore,
                 .single_label = domain->single_label,
                 .trailing_dot = true,
                 .unicode = true },
        .literal_labels_min = domain->literal_labels_min,
    };
}

/* --- opening --- */

static const char *missing_member(const struct jws_header *header)
{
    if (header->kid.len == 0)
        return "kid";
    if (header->url.len == 0)
        return "url";
    if (header->jti.len == 0)
        return "jti";
    return header->has_iat ? NULL : "iat";
}

static bool open_request(struct acting *a, struct act *act, struct bytes payload, bool *opened)
{
    struct json_fault fault;

    switch (act_request_parse(payload, a->turn->arena, &act->request, &fault)) {
    case REGISTRATION_JSON_MEMORY: return error_set(a->err, ERROR_MEMORY, "act");
    case REGISTRATION_JSON_FAULT:
        return act_refuse(a, ACT_FIELD, "%s%s%s", fault.field, fault.field[0] == '\0' ? "" : ": ",
                          fault.text);
    case REGISTRATION_JSON_OK: break;
    }
    a->outcome->kind = act->request.kind;
    *opened = true;
    return true;
}

/* The signature held: from here on the jti is spent, whatever comes of it. */
static bool open_signed(struct acting *a, struct act *act, const struct jws *jws, bool *opened)
{
    int64_t off_s = a->turn->now_s - jws->header.iat_s;
    bool seen;

    a->outcome->officer = act->officer.key_id;
    if (!registry_jti_seen(a->turn->view, act->officer.key_id, jws->header.jti, &seen, a->err))
        return false;
    act->jti = jws->header.jti;
    if (seen)
        return act_refuse(a, ACT_REPLAYED, "this act was seen before");
    if (!bytes_equal(jws->header.url, act->input.url))
        return act_refuse(a, ACT_WRONG_URL, "url: made for another place");
    if (off_s > a->service->skew_s || off_s < -a->service->skew_s)
        return act_refuse(a, ACT_WRONG_TIME, "iat: %lld s from the time here", (long long)llabs(off_s));
    return open_request(a, act, jws->payload, opened);
}

bool officer_act_open(struct turn *turn, const struct act_service *service, const struct act_input *input,
                      bool *opened, struct act *out, struct act_outcome *outcome, struct error *err)
{
    struct acting a = { turn, service, out, outcome, err };
    struct jws jws;
    enum jws_fault fault;
    const char *missing;
    bool found;

    *opened = false;
    *outcome = (struct act_outcome){ 0 };
    *out = (struct act){ .input = *input };
    fault = jws_parse(input->jws, &JWS_RULES_OFFICER, turn->arena, &jws);
    if (fault == JWS_MEMORY)
        return error_set(err, ERROR_MEMORY, "JWS");
    if (fault != JWS_OK)
        return act_refuse(&a, ACT_MALFORMED, "%s",
                          fault == JWS_ALGORITHM  ? "jws: algorithm"
                          : fault == JWS_CRITICAL ? "jws: crit"
                                                  : "jws: not a flattened JWS");
    missing = missing_member(&jws.header);
    if (missing != NULL)
        return act_refuse(&a, ACT_MALFORMED, "jws: the protected header has no %s", missing);
    if (!registry_officer(turn->view, jws.header.kid, turn->arena, &found, &out->officer, err))
        return false;
    if (!found || out->officer.disabled)
        return act_refuse(&a, ACT_UNKNOWN_OFFICER, "kid: no officer of this key");
    if (jws_verify(&jws, out->officer.spki) != JWS_OK)
        return act_refuse(&a, ACT_BAD_SIGNATURE, "jws: the signature does not verify");
    return open_signed(&a, out, &jws, opened);
}

bool officer_act_apply(struct turn *turn, const struct act_service *service, const struct act *act,
                       const struct act_subject *subject, struct act_outcome *outcome, struct error *err)
{
    struct acting a = { turn, service, act, outcome, err };

    switch (act->request.kind) {
    case ACT_NONE: break;
    case ACT_REGISTER: return act_register(&a);
    case ACT_CLOSE: return act_close(&a);
    case ACT_REVOKE: return act_revoke(&a);
    case ACT_APPROVE:
    case ACT_DENY: return act_decide(&a, subject);
    case ACT_OFFICER: return act_appoint(&a);
    }
    return error_set(err, ERROR_INTERNAL, "an act that was not opened");
}

/* --- making --- */

bool officer_commitment(struct bytes salt, struct bytes secret, struct digest256 *out)
{
    return sha256_parts((const struct bytes[]){ salt, secret }, 2, out);
}

bool officer_act_sign(const struct keys *keys, const char *key_name, struct bytes payload, struct bytes url,
                      int64_t now_s, const struct random_source *random, struct arena *arena,
                      struct bytes *jws, struct error *err)
{
    char thumbprint[JWK_THUMBPRINT_LEN + 1], jti[2 * JTI_LEN + 1];
    uint8_t unique[JTI_LEN];

    if (!jwk_thumbprint(keys_public(keys, key_name), thumbprint))
        return error_set(err, ERROR_UNSUPPORTED, "an officer's key is EC P-256, RSA or Ed25519");
    if (!random_fill(random, unique, sizeof(unique)))
        return error_set(err, ERROR_CRYPTO, "no randomness");
    hex_encode(BYTES_ARRAY(unique), jti);
    return jws_sign(&JWS_RULES_OFFICER,
                    &(struct jws_header){ .kid = bytes_text(thumbprint),
                                          .url = url,
                                          .jti = bytes_text(jti),
                                          .has_iat = true,
                                          .iat_s = now_s },
                    payload, keys, key_name, arena, jws, err);
}
