/* keyChange (RFC 8555 7.3.5): the account's key says yes outside, the new one inside. */
#include "proto/acme/account_internal.h"

#include "registry/state.h"

static enum acme_progress read_inner(struct acme_call *c, struct jws *inner, struct error *err)
{
    switch (jws_parse(c->jws.payload, &JWS_RULES_ACME_KEY_CHANGE, c->turn->arena, inner)) {
    case JWS_OK: break;
    case JWS_MEMORY: (void)error_set(err, ERROR_MEMORY, "no memory for a key change"); return ACME_ERROR;
    case JWS_KEY: return acme_refuse(c, ACME_BAD_PUBLIC_KEY, "the new key is not accepted", err);
    case JWS_ALGORITHM:
        return acme_refuse(c, ACME_MALFORMED, "the inner signature algorithm is not accepted", err);
    case JWS_MALFORMED:
    case JWS_CRITICAL:
    case JWS_SIGNATURE:
        return acme_refuse(c, ACME_MALFORMED, "the payload is a JWS with jwk and url, and no nonce", err);
    }
    if (!bytes_equal(inner->header.url, c->jws.header.url))
        return acme_refuse(c, ACME_MALFORMED, "the inner url is not that of the request", err);
    if (jws_verify(inner, inner->header.jwk) != JWS_OK)
        return acme_refuse(c, ACME_MALFORMED, "the inner signature does not verify", err);
    return ACME_ON;
}

static enum acme_progress check_content(struct acme_call *c, const struct jws *inner, struct error *err)
{
    AUTO(json_t) *content = json_read(inner->payload);
    struct bytes old = BYTES_NONE;

    if (content == NULL || !bytes_equal(json_member(content, "account"), c->jws.header.kid))
        return acme_refuse(c, ACME_MALFORMED, "account is not the one that signs", err);
    if (jwk_read(json_object_get(content, "oldKey"), JWK_ANY, c->turn->arena, &old) != JWK_OK ||
        !bytes_equal(old, c->account.spki))
        return acme_refuse(c, ACME_MALFORMED, "oldKey is not the account's key", err);
    return ACME_ON;
}

static enum acme_progress refuse_taken(struct acme_call *c, const struct acme_account *other,
                                       struct error *err)
{
    if (!acme_add_header(c, "Location", acme_call_url_of(c, "account", &other->id, ""), err))
        return ACME_ERROR;
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = ACME_MALFORMED,
                                                    .status = 409,
                                                    .detail = "an account has this key" },
                            err);
}

/* The old key's place is freed, so that one key is one account's. */
static bool drop_old_key(struct acme_call *c, struct error *err)
{
    struct digest256 digest;
    struct state_value value;
    struct state_key key;
    bool found = false;

    if (!acme_key_digest(c->account.spki, &digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of an account's key");
    key = (struct state_key){ .procedure = bytes_text(c->procedure->name),
                              .kind = "acme-key",
                              .id = digest256_bytes(&digest) };
    if (!registry_state(c->turn->view, &key, c->turn->arena, &found, &value, err))
        return false;
    if (found)
        change_state_delete(&c->turn->changes, &key, value.revision);
    return true;
}

enum acme_progress acme_key_change(struct acme_call *c, struct error *err)
{
    struct acme_account other;
    struct jws inner = { 0 };
    enum acme_progress progress = read_inner(c, &inner, err);
    bool found = false;

    if (progress == ACME_ON)
        progress = check_content(c, &inner, err);
    if (progress != ACME_ON)
        return progress;
    if (!acme_account_of_key(c, inner.header.jwk, &found, &other, err))
        return ACME_ERROR;
    if (found)
        return refuse_taken(c, &other, err);
    if (!drop_old_key(c, err))
        return ACME_ERROR;
    c->account.spki = inner.header.jwk;
    if (!acme_account_put(c->turn, c->procedure, &c->account, err) || !acme_key_put(c, &c->account, err) ||
        !acme_audit_account(c, &c->account, "key_changed", BYTES_NONE, err))
        return ACME_ERROR;
    c->resource.id = c->account.id;
    c->reads = true;
    return acme_account(c, err);
}
