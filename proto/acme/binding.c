/* External account binding (RFC 8555 7.3.4): the registration's holder binds the account to it. Whatever is
 * wrong with key id, state or MAC, the client gets one answer (ACME-43). */
#include "proto/acme/account_internal.h"

enum { BINDING_MAX = 8 * 1024 };

static enum acme_progress malformed(struct acme_call *c, const char *detail, struct error *err)
{
    return acme_refuse(c, ACME_MALFORMED, detail, err);
}

/* The payload is the key that signs newAccount, whatever the order of its members. */
static bool payload_is_key(const struct acme_call *c, struct bytes payload)
{
    AUTO(json_t) *jwk = json_read(payload);
    struct bytes spki = BYTES_NONE;

    return jwk != NULL && jwk_read(jwk, JWK_ANY, c->turn->arena, &spki) == JWK_OK &&
           bytes_equal(spki, c->spki);
}

static enum acme_progress read_binding(struct acme_call *c, const json_t *binding, struct bytes *text,
                                       struct jws *jws, struct error *err)
{
    if (!json_is_object(binding))
        return malformed(c, "externalAccountBinding is no JWS", err);
    if (!json_write(binding, c->turn->arena, text)) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an account binding");
        return ACME_ERROR;
    }
    if (text->len > BINDING_MAX)
        return malformed(c, "externalAccountBinding is too large", err);
    switch (jws_parse(*text, &JWS_RULES_ACME_BINDING, c->turn->arena, jws)) {
    case JWS_OK: break;
    case JWS_MEMORY:
        (void)error_set(err, ERROR_MEMORY, "no memory for an account binding");
        return ACME_ERROR;
    case JWS_ALGORITHM: return malformed(c, "externalAccountBinding is no MAC that is accepted", err);
    case JWS_MALFORMED:
    case JWS_CRITICAL:
    case JWS_KEY:
    case JWS_SIGNATURE:
        return malformed(c, "externalAccountBinding is a JWS with a MAC, kid and url, and no nonce", err);
    }
    if (!bytes_equal(jws->header.url, c->jws.header.url))
        return malformed(c, "url of externalAccountBinding is not that of the request", err);
    if (!payload_is_key(c, jws->payload))
        return malformed(c, "the payload of externalAccountBinding is not the account's key", err);
    return ACME_ON;
}

static enum acme_progress refuse_binding(struct acme_call *c, const struct account_binding *b,
                                         struct error *err)
{
    enum refusal why = b->good ? REFUSAL_SECRET : b->reason;

    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = ACME_UNAUTHORIZED,
                                                    .detail = "the account binding does not hold",
                                                    .reason = refusal_name(why) },
                            err);
}

/* One account more is bound to it: counted, and with a one-time registration the only one (ACME-44). Both
 * conflict with another binding at the same time, which then runs again. */
static enum acme_progress take_place(struct acme_call *c, const struct registration *r,
                                     const struct acme_account *account, struct error *err)
{
    unsigned max = c->procedure->acme_accounts_max > 0 ? c->procedure->acme_accounts_max
                                                       : ACME_ACCOUNTS_DEFAULT;
    struct acme_list *list = arena_alloc(c->turn->arena, sizeof(*list));

    if (list == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an account binding");
        return ACME_ERROR;
    }
    if (!acme_list_read(c->turn, c->procedure, "acme-bound", registration_id_bytes(&r->id), list, err))
        return ACME_ERROR;
    if (list->count >= max || list->count == ACME_LIST_MAX)
        return acme_refuse_for_now(c, "too many accounts are bound to this key id", err);
    acme_list_push(list, &account->id);
    if (r->one_time)
        change_registration_use(&c->turn->changes, &r->id, r->revision, true);
    else
        change_registration_assume(&c->turn->changes, &r->id, r->revision);
    return acme_list_put(c->turn, c->procedure, "acme-bound", registration_id_bytes(&r->id), list, 0, err)
               ? ACME_ON
               : ACME_ERROR;
}

static enum acme_progress bind_to(struct acme_call *c, const struct registration *r, struct bytes text,
                                  struct acme_account *account, struct error *err)
{
    enum acme_progress progress = take_place(c, r, account, err);

    if (progress != ACME_ON)
        return progress;
    account->bound = true;
    account->registration = r->id;
    account->binding = text;
    return acme_audit_account(c, account, "bound", r->key_id, err) ? ACME_ON : ACME_ERROR;
}

enum acme_progress acme_bind(struct acme_call *c, const json_t *binding, struct acme_account *account,
                             struct error *err)
{
    AUTO_STRUCT(account_binding) b = { 0 };
    struct bytes text = BYTES_NONE;
    struct jws jws = { 0 };
    enum acme_progress progress = read_binding(c, binding, &text, &jws, err);
    bool held;

    if (progress != ACME_ON)
        return progress;
    if (!enroll_account_binding(c->turn, c->service->enroll, c->procedure, jws.header.kid,
                                &c->request->peer.address, &b, err))
        return ACME_ERROR;
    if (b.wait_s > 0) {
        http_response_retry_after(c->turn->arena, c->response, b.wait_s);
        return acme_refuse_with(c,
                                &(struct acme_refusal){ .problem = ACME_RATE_LIMITED,
                                                        .detail = "too many tries",
                                                        .reason = refusal_name(REFUSAL_LOCKED) },
                                err);
    }
    held = jws_verify_mac(&jws, b.key) == JWS_OK && b.registration != NULL;
    c->turn->strike = !held;
    c->turn->credential_held = held && b.good;
    if (!held || !b.good)
        return refuse_binding(c, &b, err);
    return bind_to(c, b.registration, text, account, err);
}
