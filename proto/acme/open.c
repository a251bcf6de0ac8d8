/* A POST is opened (RFC 8555 6.2 to 6.5): the form, the URL that it was signed for, its nonce, whose key it
 * is, the signature, the payload. Cheap things first. */
#include "proto/acme/call_internal.h"
#include "proto/acme/nonce.h"

static json_t *algorithms(void)
{
    AUTO(json_t) *extra = json_object();
    AUTO(json_t) *list = json_array();

    for (enum jws_algorithm a = JWS_ES256; a <= JWS_HS512; a++)
        if ((JWS_RULES_ACME.algorithms & JWS_SET(a)) != 0 &&
            !json_push(list, json_string(jws_algorithm_name(a))))
            return NULL;
    return json_put(extra, "algorithms", take(list)) ? take(extra) : NULL;
}

static enum acme_progress refuse_algorithm(struct acme_call *c, struct error *err)
{
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = ACME_BAD_SIGNATURE_ALGORITHM,
                                                    .detail = "signature algorithm not accepted",
                                                    .extra = algorithms() },
                            err);
}

static enum acme_progress parse(struct acme_call *c, struct error *err)
{
    switch (jws_parse(c->request->body, &JWS_RULES_ACME, c->turn->arena, &c->jws)) {
    case JWS_OK: return ACME_ON;
    case JWS_ALGORITHM: return refuse_algorithm(c, err);
    case JWS_KEY: return acme_refuse(c, ACME_BAD_PUBLIC_KEY, "the key in jwk is not accepted", err);
    case JWS_CRITICAL:
        return acme_refuse(c, ACME_MALFORMED, "the protected header has a critical member", err);
    case JWS_MEMORY: (void)error_set(err, ERROR_MEMORY, "no memory for a JWS"); return ACME_ERROR;
    case JWS_SIGNATURE:
    case JWS_MALFORMED: break;
    }
    return acme_refuse(c, ACME_MALFORMED,
                       "the body is no flattened JWS with alg, nonce, url and either jwk or kid", err);
}

/* What the client signed for is what it sent it to; our own base URL says what that is (ACME-25). */
static bool url_is_ours(const struct acme_call *c)
{
    struct bytes url = c->jws.header.url;

    if (!bytes_starts_with(url, c->request->base_url))
        return false;
    url = bytes_from(url, strlen(c->request->base_url));
    if (!bytes_equal(bytes_slice(url, 0, c->request->path.len), c->request->path))
        return false;
    url = bytes_from(url, c->request->path.len);
    if (c->request->query.data == NULL)
        return url.len == 0;
    return bytes_starts_with(url, "?") && bytes_equal(bytes_from(url, 1), c->request->query);
}

static enum acme_progress check_nonce(struct acme_call *c, struct error *err)
{
    if (acme_nonce_take(c->service, c->procedure, c->jws.header.nonce, c->request, c->turn->now_s) ==
        ACME_NONCE_GOOD)
        return ACME_ON;
    return acme_refuse(c, ACME_BAD_NONCE,
                       "the nonce is not good any more: try again with the one in this answer", err);
}

/* newAccount is signed by the new key, all else by an account's; a revocation by either (ACME-22). */
static bool may_show_key(enum acme_resource_kind kind)
{
    return kind == ACME_NEW_ACCOUNT || kind == ACME_REVOKE_CERT;
}

static enum acme_progress find_account(struct acme_call *c, struct error *err)
{
    struct acme_resource named;
    bool found = false;

    if (c->resource.kind == ACME_NEW_ACCOUNT)
        return acme_refuse(c, ACME_MALFORMED, "newAccount is signed with jwk", err);
    if (!acme_url_parse(c->jws.header.kid, c->request->base_url, c->procedure, &named) ||
        named.kind != ACME_ACCOUNT)
        return acme_refuse(c, ACME_ACCOUNT_DOES_NOT_EXIST, "kid is no account of this directory", err);
    if (!acme_account_read(c->turn, c->procedure, &named.id, &found, &c->account, err))
        return ACME_ERROR;
    if (!found)
        return acme_refuse(c, ACME_ACCOUNT_DOES_NOT_EXIST, "kid is no account of this directory", err);
    c->spki = c->account.spki;
    c->by_account = true;
    return ACME_ON;
}

static enum acme_progress find_key(struct acme_call *c, struct error *err)
{
    if (c->jws.header.jwk.len == 0)
        return find_account(c, err);
    if (!may_show_key(c->resource.kind))
        return acme_refuse(c, ACME_MALFORMED, "this resource is signed with kid", err);
    c->spki = c->jws.header.jwk;
    return ACME_ON;
}

static enum acme_progress verify(struct acme_call *c, struct error *err)
{
    switch (jws_verify(&c->jws, c->spki)) {
    case JWS_OK: break;
    case JWS_ALGORITHM: return refuse_algorithm(c, err);
    case JWS_MEMORY: (void)error_set(err, ERROR_MEMORY, "no memory for a signature"); return ACME_ERROR;
    case JWS_KEY:
    case JWS_CRITICAL:
    case JWS_MALFORMED:
    case JWS_SIGNATURE: return acme_refuse(c, ACME_MALFORMED, "the signature does not verify", err);
    }
    if (c->by_account && c->account.status != ACME_ACCOUNT_VALID)
        return acme_refuse_with(c,
                                &(struct acme_refusal){ .problem = ACME_UNAUTHORIZED,
                                                        .status = 401,
                                                        .detail = "the account is deactivated" },
                                err);
    return ACME_ON;
}

static enum acme_progress read_payload(struct acme_call *c, struct error *err)
{
    c->reads = c->jws.payload.len == 0;
    if (c->reads)
        return ACME_ON;
    c->payload = json_read(c->jws.payload);
    return c->payload != NULL ? ACME_ON
                              : acme_refuse(c, ACME_MALFORMED, "the payload is no JSON object", err);
}

enum acme_progress acme_open(struct acme_call *c, struct error *err)
{
    enum acme_progress progress = parse(c, err);

    if (progress == ACME_ON && !url_is_ours(c))
        progress = acme_refuse(c, ACME_UNAUTHORIZED, "url is not where the request was sent to", err);
    if (progress == ACME_ON)
        progress = check_nonce(c, err);
    if (progress == ACME_ON)
        progress = find_key(c, err);
    if (progress == ACME_ON)
        progress = verify(c, err);
    if (progress == ACME_ON)
        progress = read_payload(c, err);
    return progress;
}
