/* Authorizations (RFC 8555 7.1.4, 7.4.1, 7.5): made, found again, shown, deactivated. */
#include "proto/acme/order_internal.h"

#include <stdio.h>

#include "lib/base/encode.h"
#include "registry/state.h"

enum { TOKEN_OCTETS = 32, REUSE_LEFT_S = 3600 /* a pending one is used again if it has this long to live */ };

uint32_t acme_challenges_for(const struct procedure *procedure, const struct acme_identifier *id)
{
    const uint32_t in_dns = ACME_CHALLENGE_BIT(ACME_DNS_01) | ACME_CHALLENGE_BIT(ACME_DNS_ACCOUNT_01) |
                            ACME_CHALLENGE_BIT(ACME_DNS_PERSIST_01);

    const uint32_t of_devices = ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01);

    if (id->type == ACME_IDENTIFIER_DEVICE)
        return procedure->acme_challenges & of_devices;
    if (id->type == ACME_IDENTIFIER_IP)
        return procedure->acme_challenges & ~in_dns & ~of_devices;
    return procedure->acme_challenges & (id->wildcard || id->subdomains ? in_dns : ~of_devices);
}

struct account_name acme_account_name(const struct acme_identifier *id)
{
    return (struct account_name){
        .wildcard = id->wildcard, .name = id->name, .ip = id->ip, .device = id->device
    };
}

/* --- the one of a name --- */
static bool name_key(const struct acme_call *c, const struct acme_identifier *id, struct digest256 *digest,
                     struct state_key *out, struct error *err)
{
    if (!acme_name_digest(&c->account.id, id, digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a name");
    *out = (struct state_key){ .procedure = bytes_text(c->procedure->name),
                               .kind = "acme-name",
                               .id = digest256_bytes(digest) };
    return true;
}

bool acme_authz_of_name(struct acme_call *c, const struct acme_identifier *id, bool *found,
                        struct acme_authz *out, struct error *err)
{
    struct state_value value;
    struct digest256 digest;
    struct state_key key;
    struct acme_id authz;
    bool known = false;

    *found = false;
    if (!name_key(c, id, &digest, &key, err) ||
        !registry_state(c->turn->view, &key, c->turn->arena, &known, &value, err))
        return false;
    if (!known || value.blob.len != ACME_ID_LEN)
        return true;
    memcpy(authz.bytes, value.blob.data, ACME_ID_LEN);
    return acme_authz_read(c->turn, bytes_text(c->procedure->name), &authz, found, out, err);
}

static bool name_put(struct acme_call *c, const struct acme_authz *authz, struct error *err)
{
    struct state_value value = { .blob = acme_id_bytes(&authz->id), .expires_s = authz->expires_s }, old;
    struct digest256 digest;
    struct state_key key;
    bool found = false;

    if (!name_key(c, &authz->identifier, &digest, &key, err) ||
        !registry_state(c->turn->view, &key, c->turn->arena, &found, &old, err))
        return false;
    change_state_put(&c->turn->changes, &key, &value, found ? old.revision : 0);
    return true;
}

/* --- a new one --- */
static bool make_token(struct acme_call *c, struct acme_challenge_state *challenge, struct error *err)
{
    AUTO_STRUCT(buffer) text = BUFFER(64);
    uint8_t octets[TOKEN_OCTETS];

    if (!random_fill(&c->turn->random, octets, sizeof(octets)))
        return error_set(err, ERROR_CRYPTO, "no randomness for a token");
    base64url_encode(&text, BYTES_ARRAY(octets));
    if (text.len != ACME_TOKEN_LEN)
        return error_set(err, ERROR_MEMORY, "token");
    memcpy(challenge->token, text.data, ACME_TOKEN_LEN);
    challenge->offered = true;
    return true;
}

static bool make_authz(struct acme_call *c, const struct acme_identifier *id, bool pre_authorised,
                       struct acme_authz *out, struct error *err)
{
    const struct procedure *p = c->procedure;
    uint32_t open_s = p->acme_order_s > 0 ? p->acme_order_s : ACME_ORDER_DEFAULT_S;
    uint32_t valid_s = p->acme_authorization_s > 0 ? p->acme_authorization_s : open_s;
    uint32_t challenges = pre_authorised ? 0 : acme_challenges_for(p, id);
    char text[ACME_IDENTIFIER_TEXT_MAX];

    *out = (struct acme_authz){
        .account = c->account.id,
        .status = pre_authorised ? ACME_AUTHZ_VALID : ACME_AUTHZ_PENDING,
        .identifier = *id,
        .pre_authorised = pre_authorised,
        .expires_s = c->turn->now_s + (int64_t)(pre_authorised ? valid_s : open_s),
    };
    if (!acme_id_make(c->turn, &out->id, err))
        return false;
    for (unsigned i = 0; i < ACME_CHALLENGE_COUNT; i++)
        if ((challenges & ACME_CHALLENGE_BIT(i)) != 0 && !make_token(c, &out->challenge[i], err))
            return false;
    acme_identifier_format(id, text);
    return acme_authz_put(c->turn, bytes_text(p->name), out, err) && name_put(c, out, err) &&
           (!pre_authorised || acme_audit_account(c, &c->account, "pre_authorised", bytes_text(text), err));
}

static bool lives_on(const struct acme_authz *authz, int64_t now_s)
{
    return authz->expires_s > now_s + REUSE_LEFT_S;
}

bool acme_authz_is_reusable(const struct acme_authz *authz, int64_t now_s)
{
    return authz->status == ACME_AUTHZ_VALID && !authz->pre_authorised && lives_on(authz, now_s);
}

bool acme_challenge_is_taken(const struct procedure *procedure, const struct acme_authz *authz,
                             enum acme_challenge which)
{
    return authz->challenge[which].offered &&
           (acme_challenges_for(procedure, &authz->identifier) & ACME_CHALLENGE_BIT(which)) != 0;
}

/* It offers what a new one would. */
static bool is_up_to_date(const struct procedure *procedure, const struct acme_authz *authz)
{
    uint32_t offered = 0;

    for (unsigned i = 0; i < ACME_CHALLENGE_COUNT; i++)
        offered |= authz->challenge[i].offered ? ACME_CHALLENGE_BIT(i) : 0;
    return offered == acme_challenges_for(procedure, &authz->identifier);
}

/* What was spared a challenge counts only as long as that is so. A device attests each key anew. */
static bool is_usable(const struct acme_call *c, const struct acme_authz *authz, bool pre_authorised)
{
    if (!lives_on(authz, c->turn->now_s) ||
        (authz->status == ACME_AUTHZ_VALID && authz->identifier.type == ACME_IDENTIFIER_DEVICE))
        return false;
    if (authz->status == ACME_AUTHZ_VALID)
        return authz->pre_authorised == pre_authorised;
    return authz->status == ACME_AUTHZ_PENDING && !pre_authorised && is_up_to_date(c->procedure, authz);
}

bool acme_authz_for(struct acme_call *c, const struct acme_identifier *id, bool pre_authorised,
                    struct acme_authz *out, bool *made, struct error *err)
{
    bool found = false;

    /* Nobody but the device itself can say which key it holds. */
    pre_authorised = pre_authorised && id->type != ACME_IDENTIFIER_DEVICE;
    *made = false;
    if (!acme_authz_of_name(c, id, &found, out, err))
        return false;
    if (found && is_usable(c, out, pre_authorised))
        return true;
    *made = true;
    return make_authz(c, id, pre_authorised, out, err);
}

/* --- the object --- */
json_t *acme_fault_json(const struct acme_fault *fault, const struct acme_identifier *id)
{
    AUTO(json_t) *object = acme_problem_json(fault->problem, fault->detail,
                                             acme_problem_status(fault->problem));
    AUTO(json_t) *one = NULL;
    AUTO(json_t) *list = NULL;

    if (object == NULL || !fault->rejected)
        return take(object);
    one = acme_problem_json(ACME_REJECTED_IDENTIFIER, fault->detail, 0);
    list = json_array();
    if (one == NULL || (id != NULL && !json_put(one, "identifier", acme_identifier_json(id, false))) ||
        !json_push(list, take(one)) || !json_put(object, "subproblems", take(list)))
        return NULL;
    return take(object);
}

/* What the client is to put where: a token, or with dns-persist-01 who may be named in the record. */
static bool put_task(const struct acme_call *c, const struct acme_challenge_state *state,
                     enum acme_challenge which, json_t *object)
{
    AUTO(json_t) *issuers = json_array();

    if (which != ACME_DNS_PERSIST_01)
        return json_put(object, "token", json_string(state->token));
    for (size_t i = 0; i < c->procedure->acme_caa_identity_count && i < ACME_ISSUERS_MAX; i++)
        if (!json_push(issuers, json_string(c->procedure->acme_caa_identity[i])))
            return false;
    return json_put(object, "issuer-domain-names", take(issuers));
}

json_t *acme_challenge_json(const struct acme_call *c, const struct acme_authz *authz,
                            enum acme_challenge which)
{
    static const char *const statuses[] = { [ACME_CHALLENGE_PENDING] = "pending",
                                            [ACME_CHALLENGE_PROCESSING] = "processing",
                                            [ACME_CHALLENGE_VALID] = "valid",
                                            [ACME_CHALLENGE_INVALID] = "invalid" };
    const struct acme_challenge_state *state = &authz->challenge[which];
    AUTO(json_t) *object = json_object();
    char suffix[64];

    (void)snprintf(suffix, sizeof(suffix), "/%s", acme_challenge_name(which));
    if (!json_put(object, "type", json_string(acme_challenge_name(which))) ||
        !json_put_text(object, "url", acme_call_url_of(c, "challenge", &authz->id, suffix)) ||
        !json_put(object, "status", json_string(statuses[state->status])) ||
        !put_task(c, state, which, object) ||
        (state->validated_s != 0 && !acme_put_time(object, "validated", state->validated_s)) ||
        (state->fault.is && state->status != ACME_CHALLENGE_VALID &&
         !json_put(object, "error", acme_fault_json(&state->fault, &authz->identifier))))
        return NULL;
    return take(object);
}

static const char *status_of(const struct acme_authz *authz, int64_t now_s)
{
    bool over = authz->expires_s <= now_s;

    switch (authz->status) {
    case ACME_AUTHZ_PENDING: return over ? "invalid" : "pending";
    case ACME_AUTHZ_VALID: return over ? "expired" : "valid";
    case ACME_AUTHZ_DEACTIVATED: return "deactivated";
    case ACME_AUTHZ_INVALID: break;
    }
    return "invalid";
}

/* After it was decided, the challenges that decided it alone (ACME-71). */
static bool is_shown(const struct acme_authz *authz, const struct acme_challenge_state *challenge)
{
    if (!challenge->offered)
        return false;
    switch (authz->status) {
    case ACME_AUTHZ_VALID: return challenge->status == ACME_CHALLENGE_VALID;
    case ACME_AUTHZ_INVALID: return challenge->status == ACME_CHALLENGE_INVALID;
    case ACME_AUTHZ_PENDING:
    case ACME_AUTHZ_DEACTIVATED: break;
    }
    return true;
}

static enum acme_progress respond_authz(struct acme_call *c, int status, const struct acme_authz *authz,
                                        struct error *err)
{
    AUTO(json_t) *object = json_object();
    AUTO(json_t) *list = json_array();
    bool good = json_put(object, "identifier", acme_identifier_json(&authz->identifier, false)) &&
                json_put(object, "status", json_string(status_of(authz, c->turn->now_s))) &&
                acme_put_time(object, "expires", authz->expires_s) &&
                (!authz->identifier.wildcard || json_put(object, "wildcard", json_true())) &&
                (!authz->identifier.subdomains || json_put(object, "subdomainAuthAllowed", json_true()));

    for (unsigned i = 0; i < ACME_CHALLENGE_COUNT && good; i++) {
        if (is_shown(authz, &authz->challenge[i]))
            good = json_push(list, acme_challenge_json(c, authz, (enum acme_challenge)i));
        if (authz->challenge[i].status == ACME_CHALLENGE_PROCESSING && authz->status == ACME_AUTHZ_PENDING)
            http_response_add(c->response, "Retry-After", BYTES_LITERAL("3"));
    }
    if (!good || !json_put(object, "challenges", take(list))) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an authorization");
        return ACME_ERROR;
    }
    return acme_respond(c, status, take(object), err);
}

/* --- its URL --- */
static enum acme_progress deactivate(struct acme_call *c, struct acme_authz *authz, struct error *err)
{
    if (!bytes_is(json_member(c->payload, "status"), "deactivated"))
        return acme_refuse(c, ACME_MALFORMED, "an authorization can be deactivated, nothing else", err);
    if (authz->status == ACME_AUTHZ_PENDING || authz->status == ACME_AUTHZ_VALID) {
        authz->status = ACME_AUTHZ_DEACTIVATED;
        if (!acme_authz_put(c->turn, bytes_text(c->procedure->name), authz, err))
            return ACME_ERROR;
    }
    return respond_authz(c, 200, authz, err);
}

enum acme_progress acme_authz_serve(struct acme_call *c, struct error *err)
{
    struct acme_authz authz;
    bool found = false;

    if (!acme_authz_read(c->turn, bytes_text(c->procedure->name), &c->resource.id, &found, &authz, err))
        return ACME_ERROR;
    if (!found || !acme_id_equal(&authz.account, &c->account.id))
        return acme_not_found(c, err);
    return c->reads ? respond_authz(c, 200, &authz, err) : deactivate(c, &authz, err);
}

/* --- newAuthz --- */
static enum acme_progress read_identifier(struct acme_call *c, struct acme_identifier *id, struct error *err)
{
    switch (acme_identifier_read(json_object_get(c->payload, "identifier"), c->procedure, id)) {
    case ACME_IDENTIFIER_OK: break;
    case ACME_IDENTIFIER_UNSUPPORTED:
        return acme_refuse(c, ACME_UNSUPPORTED_IDENTIFIER, "identifiers of this type are not taken", err);
    case ACME_IDENTIFIER_REJECTED:
    case ACME_IDENTIFIER_MALFORMED: return acme_refuse(c, ACME_MALFORMED, "the identifier is malformed", err);
    }
    return id->wildcard ? acme_refuse(c, ACME_MALFORMED, "a wildcard is authorized with its order", err)
                        : ACME_ON;
}

/* Those that were made without an order, until their time is over: one that failed or was given up keeps its
 * place, or there would be no end of them. */
static enum acme_progress find_room(struct acme_call *c, struct acme_list *list, struct error *err)
{
    size_t kept = 0;

    if (list == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a list of authorizations");
        return ACME_ERROR;
    }
    if (!acme_list_read(c->turn, c->procedure, "acme-authzs", acme_id_bytes(&c->account.id), list, err))
        return ACME_ERROR;
    for (size_t i = 0; i < list->count; i++) {
        struct acme_authz authz;
        bool found = false;

        if (!acme_authz_read(c->turn, bytes_text(c->procedure->name), &list->id[i], &found, &authz, err))
            return ACME_ERROR;
        if (found && authz.status != ACME_AUTHZ_VALID && authz.expires_s > c->turn->now_s)
            list->id[kept++] = list->id[i];
    }
    list->count = kept;
    if (kept < acme_orders_max(c->procedure) && kept < ACME_LIST_MAX)
        return ACME_ON;
    return acme_refuse_for_now(c, "too many authorizations were asked for", err);
}

static bool take_room(struct acme_call *c, struct acme_list *list, const struct acme_authz *authz,
                      struct error *err)
{
    acme_list_push(list, &authz->id);
    return acme_list_put(c->turn, c->procedure, "acme-authzs", acme_id_bytes(&c->account.id), list,
                         authz->expires_s, err);
}

enum acme_progress acme_new_authz(struct acme_call *c, struct error *err)
{
    struct acme_identifier id;
    struct acme_authz authz;
    struct acme_list *list = arena_alloc(c->turn->arena, sizeof(*list));
    bool pre_authorised = false, made = false;
    enum acme_progress progress = ACME_ON;

    if (!acme_terms_agreed(c, c->account.terms))
        return acme_refuse_terms(c, err);
    progress = read_identifier(c, &id, err);
    if (progress == ACME_ON)
        progress = acme_judge_names(c, &id, 1, &pre_authorised, err);
    if (progress == ACME_ON)
        acme_take_subdomains(c, json_object_get(c->payload, "identifier"), pre_authorised, &id);
    if (progress == ACME_ON)
        progress = find_room(c, list, err);
    if (progress != ACME_ON)
        return progress;
    if (!acme_authz_for(c, &id, pre_authorised, &authz, &made, err) ||
        (made && !take_room(c, list, &authz, err)) ||
        !acme_add_header(c, "Location", acme_call_url_of(c, "authz", &authz.id, ""), err))
        return ACME_ERROR;
    return respond_authz(c, made ? 201 : 200, &authz, err);
}
