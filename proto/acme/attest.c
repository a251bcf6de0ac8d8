/* device-attest-01: the answer to the challenge is a statement of the device's maker, which is judged at
 * once. It names the device and the key that it holds; a certificate is issued over that key alone. */
#include "lib/base/encode.h"
#include "lib/jose/jwk.h"
#include "proto/acme/attestation.h"
#include "proto/acme/order_internal.h"

static enum acme_progress read_object(struct acme_call *c, struct bytes *object, struct error *err)
{
    struct bytes text = json_member(c->payload, "attObj");
    uint8_t *octets = arena_alloc(c->turn->arena, BASE64_DECODED_MAX(text.len));
    size_t len = 0;

    if (octets == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an attestation");
        return ACME_ERROR;
    }
    if (text.len == 0 || !base64url_decode(text, octets, &len))
        return acme_refuse(c, ACME_MALFORMED, "attObj is not base64url of an attestation object", err);
    *object = bytes_of(octets, len);
    return ACME_ON;
}

static bool make_claim(struct acme_call *c, const struct acme_authz *authz, struct attestation_claim *claim)
{
    const char *token = authz->challenge[ACME_DEVICE_ATTEST_01].token;
    char thumbprint[JWK_THUMBPRINT_LEN + 1];

    if (!jwk_thumbprint(c->account.spki, thumbprint))
        return false;
    claim->token = bytes_text(token);
    claim->key_authorization = arena_format(c->turn->arena, "%s.%s", token, thumbprint);
    claim->device = device_id_bytes(&authz->identifier.device);
    claim->anchors = (const struct anchors *const *)c->procedure->acme_attestation_anchors;
    claim->now_s = c->turn->now_s;
    return claim->key_authorization.data != NULL;
}

static enum acme_progress put(struct acme_call *c, const struct acme_authz *authz, struct error *err)
{
    return acme_authz_put(c->turn, bytes_text(c->procedure->name), authz, err)
               ? acme_respond_challenge(c, authz, err)
               : ACME_ERROR;
}

/* As long as an order may be open: it serves no later one. */
static enum acme_progress succeed(struct acme_call *c, struct acme_authz *authz, struct error *err)
{
    struct acme_challenge_state *challenge = &authz->challenge[ACME_DEVICE_ATTEST_01];

    challenge->status = ACME_CHALLENGE_VALID;
    challenge->validated_s = c->turn->now_s;
    challenge->fault.is = false;
    authz->status = ACME_AUTHZ_VALID;
    authz->attested = true;
    c->turn->facts.verdict = "served";
    return acme_audit_account(c, &c->account, "attested", device_id_bytes(&authz->identifier.device), err)
               ? put(c, authz, err)
               : ACME_ERROR;
}

static enum acme_progress fail(struct acme_call *c, struct acme_authz *authz, bool rejected,
                               const char *detail, struct error *err)
{
    struct acme_challenge_state *challenge = &authz->challenge[ACME_DEVICE_ATTEST_01];

    challenge->status = ACME_CHALLENGE_INVALID;
    challenge->fault = (struct acme_fault){ .is = true,
                                            .problem = ACME_BAD_ATTESTATION_STATEMENT,
                                            .rejected = rejected,
                                            .detail = bytes_text(detail) };
    authz->status = ACME_AUTHZ_INVALID;
    c->turn->facts.verdict = "refused";
    c->turn->facts.reason = acme_problem_name(challenge->fault.problem);
    c->turn->facts.detail = detail;
    return put(c, authz, err);
}

enum acme_progress acme_attest(struct acme_call *c, struct acme_authz *authz, struct error *err)
{
    struct attestation_claim claim = { 0 };
    enum acme_progress progress = read_object(c, &claim.object, err);
    const char *detail = NULL;

    if (progress != ACME_ON)
        return progress;
    if (!make_claim(c, authz, &claim)) {
        (void)error_set(err, ERROR_MEMORY, "key authorization");
        return ACME_ERROR;
    }
    switch (attestation_judge(&claim, c->turn->arena, &authz->attested_key, &detail)) {
    case ATTESTATION_HOLDS: return succeed(c, authz, err);
    case ATTESTATION_BAD: return fail(c, authz, false, detail, err);
    case ATTESTATION_OTHER: return fail(c, authz, true, detail, err);
    case ATTESTATION_MALFORMED: return acme_refuse(c, ACME_MALFORMED, detail, err);
    case ATTESTATION_INTERNAL: break;
    }
    (void)error_set(err, ERROR_INTERNAL, "an attestation could not be judged");
    return ACME_ERROR;
}

bool acme_attested_key_is(struct acme_call *c, const struct acme_order *order, struct bytes spki, bool *same,
                          struct error *err)
{
    struct digest256 key;

    *same = false;
    if (!public_key_fingerprint(spki, &key))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a key");
    for (size_t i = 0; i < order->authz_count; i++) {
        struct acme_authz authz;
        bool found = false;

        if (!acme_authz_read(c->turn, bytes_text(c->procedure->name), &order->authz[i], &found, &authz, err))
            return false;
        if (found && authz.identifier.type != ACME_IDENTIFIER_DEVICE)
            continue;
        if (!found || !authz.attested || !digest256_equal(&authz.attested_key, &key))
            return true;
    }
    *same = true;
    return true;
}
