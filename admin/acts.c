/* acts.c: POST /acts: {"jws":{flattened JWS}, "secret":{"value":"...", "salt":"32 bytes, base64url"}}.
 * A secret that is no text, as the HMAC key of an ACME account is none, stands as "base64url" instead. */
#include "admin/call_internal.h"
#include "enroll/pending.h"
#include "lib/base/encode.h"
#include "officer/act.h"

static const struct {
    enum act_result result;
    int status;
} statuses[] = {
    { ACT_MALFORMED, 400 },     { ACT_UNKNOWN_OFFICER, 403 },
    { ACT_BAD_SIGNATURE, 403 }, { ACT_WRONG_URL, 400 },
    { ACT_WRONG_TIME, 400 },    { ACT_REPLAYED, 409 },
    { ACT_FIELD, 400 },         { ACT_UNKNOWN_PROCEDURE, 404 },
    { ACT_NO_RIGHT, 403 },      { ACT_SECRET, 400 },
    { ACT_HELD, 409 },          { ACT_REVISION, 409 },
    { ACT_NOT_FOUND, 404 },     { ACT_NOT_IN_STATE, 409 },
    { ACT_DONE, 200 },
};

static int status_of(const struct act_outcome *outcome)
{
    if (outcome->result == ACT_DONE && outcome->kind == ACT_REGISTER && !outcome->reopened)
        return 201;
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (statuses[i].result == outcome->result)
            return statuses[i].status;
    return 500;
}

static bool put_overlaps(json_t *answer, const struct act_outcome *outcome)
{
    AUTO(json_t) *list = json_array();

    for (size_t i = 0; i < outcome->overlap_count; i++)
        if (!json_push(list, json_of_bytes(fqdn_pattern_bytes(&outcome->overlap[i]))))
            return false;
    return json_put(answer, "overlaps", take(list)) &&
           (!outcome->more_overlaps || json_put(answer, "moreOverlaps", json_true()));
}

static bool put_registration(json_t *answer, const struct act_outcome *outcome)
{
    static const struct registration_id none;

    return memcmp(&outcome->registration, &none, sizeof(none)) == 0 ||
           json_put_hex(answer, "registration", registration_id_bytes(&outcome->registration));
}

static bool reply_outcome(struct call *call, const struct act_outcome *outcome)
{
    AUTO(json_t) *answer = json_object();
    bool done = outcome->result == ACT_DONE;
    const char *name = act_result_name(outcome->result);

    if (!(done ? json_put(answer, "result", json_string(name))
               : json_put(answer, "error", json_string(name)) &&
                     json_put(answer, "detail", json_string(outcome->detail))) ||
        (outcome->kind != ACT_NONE && !json_put(answer, "act", json_string(act_kind_name(outcome->kind)))) ||
        !put_registration(answer, outcome) ||
        (outcome->revision != 0 &&
         !json_put(answer, "revision", json_integer((json_int_t)outcome->revision))) ||
        (outcome->reopened && done && !json_put(answer, "reopened", json_true())) ||
        (done && outcome->kind == ACT_REGISTER && !put_overlaps(answer, outcome)))
        return reply_memory(call);
    call->turn->facts.verdict = done ? "served" : "refused";
    call->turn->facts.reason = done ? NULL : name;
    return reply_json(call, status_of(outcome), take(answer));
}

/* The decision first, so that its finding nothing is a refusal like any other: a refusal drops all changes.
 */
static bool find_subject(struct call *call, const struct act *act, struct act_subject *subject)
{
    struct pending pending;
    bool approve = act->request.kind == ACT_APPROVE;

    *subject = (struct act_subject){ 0 };
    if (act->request.kind != ACT_APPROVE && act->request.kind != ACT_DENY)
        return true;
    if (!pending_find(call->turn, act->request.pending, &subject->found, &pending, call->err))
        return false;
    if (!subject->found)
        return true;
    subject->procedure = arena_copy(call->turn->arena, pending.procedure);
    subject->fqdn = arena_copy(call->turn->arena, dns_name_bytes(&pending.fqdn));
    if (subject->procedure.data == NULL || subject->fqdn.data == NULL)
        return reply_memory(call);
    return pending_decide(call->turn, act->request.pending, approve, act->officer.key_id, &subject->found,
                          call->err);
}

static bool perform(struct call *call, const struct act_input *input)
{
    const struct enroll_service *enroll = call->service->enroll;
    const struct act_service service = { .procedure = enroll->procedure,
                                         .procedure_count = enroll->procedure_count,
                                         .skew_s = call->service->act_skew_s };
    struct act_subject subject;
    struct act_outcome outcome;
    struct act act;
    bool opened;

    if (!officer_act_open(call->turn, &service, input, &opened, &act, &outcome, call->err))
        return false;
    if (opened && (!find_subject(call, &act, &subject) ||
                   !officer_act_apply(call->turn, &service, &act, &subject, &outcome, call->err)))
        return false;
    return reply_outcome(call, &outcome);
}

/* The secret's octets: text, or base64url. False: neither, or out of memory. */
static bool secret_octets(const json_t *secret, struct arena *arena, struct bytes *out)
{
    struct bytes text = json_member(secret, "base64url");
    uint8_t *decoded;
    size_t len;

    if (json_is_string(json_object_get(secret, "value"))) {
        *out = json_member(secret, "value");
        return true;
    }
    decoded = arena_alloc(arena, BASE64_DECODED_MAX(text.len));
    if (decoded == NULL || text.len == 0 || !base64url_decode(text, decoded, &len))
        return false;
    *out = bytes_of(decoded, len);
    return true;
}

/* *taken false: answered. */
static bool take_secret(struct call *call, const json_t *secret, struct act_input *input, bool *taken)
{
    struct bytes salt = json_member(secret, "salt");
    uint8_t *decoded = arena_alloc(call->turn->arena, BASE64_DECODED_MAX(ACT_SALT_LEN * 2));
    size_t len;

    *taken = secret == NULL;
    if (secret == NULL)
        return true;
    if (decoded == NULL)
        return reply_memory(call);
    if (json_object_size(secret) != 2 || !secret_octets(secret, call->turn->arena, &input->secret) ||
        salt.len > ACT_SALT_LEN * 2 || !base64url_decode(salt, decoded, &len))
        return reply_error(
            call, 400, "secret",
            "{\"value\":text, \"salt\":base64url} expected, or \"base64url\" in place of \"value\"");
    input->has_secret = true;
    input->salt = bytes_of(decoded, len);
    *taken = true;
    return true;
}

bool serve_acts(struct call *call)
{
    AUTO(json_t) *body = json_read(call->request->body);
    const json_t *jws = json_object_get(body, "jws"), *secret = json_object_get(body, "secret");
    struct act_input input = { .via = call->officer.key_id };
    bool taken;

    if (!json_is_object(jws) || json_object_size(body) != 1u + (secret != NULL))
        return reply_error(call, 400, "malformed", "{\"jws\":{...}, \"secret\":{...}} expected");
    if (call->request->base_url == NULL || call->request->base_url[0] == '\0')
        return reply_error(call, 503, "no_base_url",
                           "the administration listener has no base_url, which an act must name");
    input.url = arena_format(call->turn->arena, "%s/api/v1/acts", call->request->base_url);
    if (input.url.data == NULL || !json_write(jws, call->turn->arena, &input.jws))
        return reply_memory(call);
    if (!take_secret(call, secret, &input, &taken))
        return false;
    return !taken || perform(call, &input);
}
