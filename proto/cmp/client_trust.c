/* Whether an answer is authentic (RFC 9810 5.1.3, RFC 9483 3.5). */
#include "proto/cmp/client_internal.h"

enum { SIGNER_BITS_MAX = 8192 };

/* --- MAC --- */

static const char *check_mac(const struct cmp_client *client, const struct cmp_call *call,
                             const struct cmp_message *answer)
{
    const struct password_mac_rules rules = { .iterations_max = CMP_ANSWER_ITERATIONS_MAX,
                                              .allow_hmac_sha1 = client->allow_hmac_sha1 };
    struct password_mac mac;
    struct bytes part;

    if (client->kind != CMP_PROTECTION_MAC)
        return "its protection is a MAC, and there is no shared secret";
    if (password_mac_decode(answer->header.protection_alg, &rules, &mac) != PASSWORD_MAC_OK)
        return "the algorithm of its MAC is not accepted";
    if (!cmp_protected_part(answer, call->arena, &part) ||
        !password_mac_holds(&mac, client->secret, part, answer->protection))
        return "its MAC is wrong";
    return NULL;
}

/* --- signature --- */

static bool has_extended_usage(const struct certificate *c, struct bytes oid)
{
    for (size_t i = 0; i < c->extended_key_usage_count; i++)
        if (bytes_equal(c->extended_key_usage[i], oid))
            return true;
    return false;
}

static bool is_the_ca(const struct cmp_client *client, const struct certificate *signer)
{
    if (client->any_ca && signer->is_ca && (signer->key_usage & KEY_USAGE_KEY_CERT_SIGN) != 0)
        return true;
    return client->ca.len > 0 && bytes_equal(signer->encoded, client->ca);
}

/* Every device has a certificate of the CA: to sign in its name takes more. */
static const char *check_standing(const struct cmp_client *client, const struct cmp_call *call,
                                  const struct cmp_message *answer, const struct certificate *signer)
{
    if (client->anchors == NULL)
        return "it is signed, and no signer is trusted";
    if (!is_the_ca(client, signer) && !has_extended_usage(signer, CMP_KP_CMC_CA) &&
        !has_extended_usage(signer, CMP_KP_CMC_RA))
        return "its signer is neither the CA nor one with cmcCA or cmcRA";
    switch (anchors_verify(client->anchors, signer->encoded, answer->extra_cert, answer->extra_cert_count,
                           call->now_s)) {
    case CHAIN_OK: return NULL;
    case CHAIN_EXPIRED: return "its signer's certificate has expired";
    case CHAIN_NOT_YET_VALID: return "its signer's certificate is not valid yet";
    case CHAIN_UNTRUSTED:
    case CHAIN_INTERNAL: break;
    }
    return "its signer's certificate does not chain to an anchor";
}

/* One that is pinned need not be sent along, and no other will do. */
static bool find_signer(const struct cmp_client *client, const struct cmp_call *call,
                        const struct cmp_message *answer, struct certificate *out)
{
    if (client->signer.len > 0)
        return certificate_decode(client->signer, call->arena, out);
    return cmp_signer_certificate(answer, call->arena, out);
}

static const char *check_signature(const struct cmp_client *client, const struct cmp_call *call,
                                   const struct cmp_message *answer)
{
    struct certificate signer;
    const char *fault = NULL;

    if (client->signer.len == 0 && client->anchors == NULL)
        return "it is signed, and no signer is trusted";
    if (!find_signer(client, call, answer, &signer))
        return "its signer's certificate is missing";
    if (signer.has_key_usage && (signer.key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
        return "its signer's certificate lacks digitalSignature";
    if (signer.key.bits > SIGNER_BITS_MAX)
        return "its signer's key is too large";
    if (client->signer.len == 0)
        fault = check_standing(client, call, answer, &signer);
    else if (call->now_s > signer.not_after_s)
        fault = "its signer's certificate has expired";
    if (fault != NULL)
        return fault;
    return cmp_verify_signature(answer, &signer.key, call->arena) == SIGNATURE_OK ? NULL
                                                                                  : "its signature is wrong";
}

const char *cmp_client_distrusts(const struct cmp_client *client, const struct cmp_call *call,
                                 const struct cmp_message *answer)
{
    if (!answer->has_protection || answer->header.protection_alg.len == 0)
        return "it is not protected";
    switch (cmp_protection_of(answer)) {
    case CMP_PROTECTION_MAC: return check_mac(client, call, answer);
    case CMP_PROTECTION_SIGNATURE: return check_signature(client, call, answer);
    case CMP_PROTECTION_NONE: break;
    }
    return "it is not protected";
}
