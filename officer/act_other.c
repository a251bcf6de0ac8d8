/* act_other.c: revoking, approving and denying, appointing officers. */
#include "lib/base/encode.h"
#include "officer/act_internal.h"
#include "officer/officer_json.h"
#include "officer/rights.h"
#include "registry/certificates.h"
#include "registry/state.h"

/* --- revoking --- */

static json_t *revocation_effect(const struct certificate_record *record, int reason)
{
    AUTO(json_t) *effect = json_object();

    if (!json_put_hex(effect, "issuer", digest256_bytes(&record->id.issuer)) ||
        !json_put_hex(effect, "serial", bytes_of(record->id.serial, record->id.serial_len)) ||
        !json_put_text(effect, "fqdn", dns_name_bytes(&record->fqdn)) ||
        !json_put(effect, "reason", json_string(revocation_reason_name(reason))))
        return NULL;
    return take(effect);
}

bool act_revoke(struct acting *a)
{
    const struct act_request *request = &a->act->request;
    struct turn *turn = a->turn;
    struct certificate_record record;
    json_t *effect;
    const char *why;
    bool found;

    if (!registry_certificate_by_id(turn->view, &request->certificate, turn->arena, &found, &record, a->err))
        return false;
    if (!found)
        return act_refuse(a, ACT_NOT_FOUND, "no certificate of this issuer and serial number");
    if (!officer_may(&a->act->officer, RIGHT_REVOKE, record.procedure, &why) ||
        !officer_may_name(&a->act->officer, dns_name_bytes(&record.fqdn), &why))
        return act_refuse(a, ACT_NO_RIGHT, "%s", why);
    if (record.status != CERTIFICATE_GOOD)
        return act_refuse(a, ACT_NOT_IN_STATE, "revoked already");
    effect = revocation_effect(&record, request->reason);
    if (effect == NULL)
        return error_set(a->err, ERROR_MEMORY, "audit entry of an act");
    change_certificate_revoke(&turn->changes, &record.id, request->reason, turn->now_s);
    return act_accept(a, effect);
}

/* --- approving and denying --- */

bool act_decide(struct acting *a, const struct act_subject *subject)
{
    AUTO(json_t) *effect = json_object();
    const char *why;

    if (subject == NULL || !subject->found)
        return act_refuse(a, ACT_NOT_FOUND, "no enrollment of this id waits");
    if (!officer_may(&a->act->officer, RIGHT_APPROVE, subject->procedure, &why) ||
        !officer_may_name(&a->act->officer, subject->fqdn, &why))
        return act_refuse(a, ACT_NO_RIGHT, "%s", why);
    if (!json_put_text(effect, "pending", a->act->request.pending) ||
        !json_put_text(effect, "procedure", subject->procedure) ||
        !json_put_text(effect, "fqdn", subject->fqdn))
        return error_set(a->err, ERROR_MEMORY, "audit entry of an act");
    return act_accept(a, take(effect));
}

/* --- officers --- */

static json_t *appointment_effect(const struct officer_record *officer, uint64_t revision)
{
    AUTO(json_t) *effect = json_object();

    if (!json_put_text(effect, "officer", officer->key_id) ||
        !json_put(effect, "revision", json_integer((json_int_t)revision)))
        return NULL;
    return take(effect);
}

static bool write_officer(struct acting *a, struct officer_record *officer)
{
    json_t *effect = appointment_effect(officer, officer->revision + 1);

    if (effect == NULL)
        return error_set(a->err, ERROR_MEMORY, "audit entry of an act");
    a->outcome->revision = officer->revision + 1;
    change_officer_put(&a->turn->changes, officer);
    return act_accept(a, effect);
}

bool act_appoint(struct acting *a)
{
    const struct act_request *request = &a->act->request;
    AUTO(json_t) *object = json_read(request->object);
    struct turn *turn = a->turn;
    struct officer_record officer, before;
    struct json_fault fault;
    enum registration_json read = officer_from_json(object, turn->arena, &officer, &fault);
    const char *why;
    bool found;

    if (read == REGISTRATION_JSON_MEMORY)
        return error_set(a->err, ERROR_MEMORY, "officer");
    if (read != REGISTRATION_JSON_OK)
        return act_refuse(a, ACT_FIELD, "%s: %s", fault.field, fault.text);
    if (!registry_officer(turn->view, officer.key_id, turn->arena, &found, &before, a->err))
        return false;
    if (!officer_may_appoint(&a->act->officer, found ? &before : NULL, &officer, &why))
        return act_refuse(a, ACT_NO_RIGHT, "%s", why);
    officer.revision = found ? before.revision : 0;
    if ((request->has_revision ? request->revision : 0) != officer.revision) {
        a->outcome->revision = officer.revision;
        return act_refuse(a, ACT_REVISION, "the officer has revision %llu",
                          (unsigned long long)officer.revision);
    }
    return write_officer(a, &officer);
}

/* --- the first one --- */

static bool refuse_first(struct act_outcome *outcome, enum act_result result, const char *detail)
{
    *outcome = (struct act_outcome){ .result = result };
    memcpy(outcome->detail, detail, strlen(detail) + 1);
    return true;
}

bool officer_act_first(struct changes *changes, struct bytes jws, struct act_outcome *outcome,
                       struct error *err)
{
    struct jws opened;
    struct act_request request;
    struct officer_record officer;
    struct json_fault fault;
    struct bytes entry;
    json_t *effect;

    if (jws_parse(jws, &JWS_RULES_OFFICER, changes->arena, &opened) != JWS_OK || opened.header.jti.len == 0)
        return refuse_first(outcome, ACT_MALFORMED, "not a flattened JWS with a jti");
    if (act_request_parse(opened.payload, changes->arena, &request, &fault) != REGISTRATION_JSON_OK ||
        request.kind != ACT_OFFICER)
        return refuse_first(outcome, ACT_FIELD, "not the appointment of an officer");
    {
        AUTO(json_t) *object = json_read(request.object);

        if (officer_from_json(object, changes->arena, &officer, &fault) != REGISTRATION_JSON_OK)
            return refuse_first(outcome, ACT_FIELD, "not an officer");
    }
    if (!bytes_equal(officer.key_id, opened.header.kid) || jws_verify(&opened, officer.spki) != JWS_OK)
        return refuse_first(outcome, ACT_BAD_SIGNATURE, "not signed by the officer's own key");
    effect = appointment_effect(&officer, 1);
    if (effect == NULL || !act_entry(jws, effect, changes->arena, &entry))
        return error_set(err, ERROR_MEMORY, "audit entry of an act");
    change_officer_put(changes, &officer);
    change_jti_use(changes, officer.key_id, opened.header.jti);
    change_audit_append(changes, AUDIT_OFFICER, entry);
    *outcome = (struct act_outcome){
        .result = ACT_DONE, .kind = ACT_OFFICER, .revision = 1, .officer = officer.key_id
    };
    return true;
}
