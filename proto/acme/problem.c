#include "proto/acme/problem.h"

#include <stdio.h>

static const struct row {
    const char *name;
    int status;
} rows[] = {
    [ACME_SERVER_INTERNAL] = { "serverInternal", 500 },
    [ACME_ACCOUNT_DOES_NOT_EXIST] = { "accountDoesNotExist", 400 },
    [ACME_ALREADY_REPLACED] = { "alreadyReplaced", 409 },
    [ACME_ALREADY_REVOKED] = { "alreadyRevoked", 400 },
    [ACME_BAD_CSR] = { "badCSR", 400 },
    [ACME_BAD_NONCE] = { "badNonce", 400 },
    [ACME_BAD_PUBLIC_KEY] = { "badPublicKey", 400 },
    [ACME_BAD_REVOCATION_REASON] = { "badRevocationReason", 400 },
    [ACME_BAD_SIGNATURE_ALGORITHM] = { "badSignatureAlgorithm", 400 },
    [ACME_CAA] = { "caa", 403 },
    [ACME_CONNECTION] = { "connection", 400 },
    [ACME_DNS] = { "dns", 400 },
    [ACME_EXTERNAL_ACCOUNT_REQUIRED] = { "externalAccountRequired", 403 },
    [ACME_INCORRECT_RESPONSE] = { "incorrectResponse", 403 },
    [ACME_INVALID_CONTACT] = { "invalidContact", 400 },
    [ACME_INVALID_PROFILE] = { "invalidProfile", 400 },
    [ACME_MALFORMED] = { "malformed", 400 },
    [ACME_ORDER_NOT_READY] = { "orderNotReady", 403 },
    [ACME_RATE_LIMITED] = { "rateLimited", 429 },
    [ACME_REJECTED_IDENTIFIER] = { "rejectedIdentifier", 400 },
    [ACME_TLS] = { "tls", 400 },
    [ACME_UNAUTHORIZED] = { "unauthorized", 403 },
    [ACME_UNSUPPORTED_CONTACT] = { "unsupportedContact", 400 },
    [ACME_UNSUPPORTED_IDENTIFIER] = { "unsupportedIdentifier", 400 },
    [ACME_USER_ACTION_REQUIRED] = { "userActionRequired", 403 },
    [ACME_AUTO_RENEWAL_CANCELED] = { "autoRenewalCanceled", 403 },
    [ACME_AUTO_RENEWAL_EXPIRED] = { "autoRenewalExpired", 403 },
    [ACME_AUTO_RENEWAL_CANCELLATION_INVALID] = { "autoRenewalCancellationInvalid", 400 },
    [ACME_AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED] = { "autoRenewalRevocationNotSupported", 403 },
    [ACME_BAD_ATTESTATION_STATEMENT] = { "badAttestationStatement", 400 },
};
_Static_assert(COUNT_OF(rows) == ACME_PROBLEM_COUNT, "each problem has a row");

static const struct row *row_of(enum acme_problem problem)
{
    return &rows[(unsigned)problem < ACME_PROBLEM_COUNT ? problem : ACME_SERVER_INTERNAL];
}

const char *acme_problem_name(enum acme_problem problem)
{
    return row_of(problem)->name;
}

int acme_problem_status(enum acme_problem problem)
{
    return row_of(problem)->status;
}

static struct acme_answer say(enum acme_problem problem, const char *detail)
{
    return (struct acme_answer){ .problem = problem, .detail = detail };
}

/* One text for all that would tell one registration from another. */
#define TEXT_NOT_AUTHORIZED "the account may not have this certificate"

struct acme_answer acme_answer_to(enum refusal why)
{
    switch (why) {
    case REFUSAL_SYNTAX: return say(ACME_BAD_CSR, "the certificate request is malformed");
    case REFUSAL_ALGORITHM:
        return say(ACME_BAD_CSR, "signature algorithm of the certificate request not accepted");
    case REFUSAL_POP: return say(ACME_BAD_CSR, "the signature of the certificate request is wrong");
    case REFUSAL_KEY: return say(ACME_BAD_PUBLIC_KEY, "public key not accepted");
    case REFUSAL_KEY_REUSE: return say(ACME_BAD_CSR, "public key is in use already");
    case REFUSAL_NAME: return say(ACME_BAD_CSR, "a name in the certificate request is malformed");
    case REFUSAL_PROFILE:
        return say(ACME_BAD_CSR, "an extension or attribute of the certificate request is not allowed");
    case REFUSAL_NO_FQDN: return say(ACME_BAD_CSR, "the certificate request names nothing");
    case REFUSAL_NO_CREDENTIAL:
    case REFUSAL_SECRET:
    case REFUSAL_NAME_POLICY:
    case REFUSAL_NO_REGISTRATION:
    case REFUSAL_CLOSED:
    case REFUSAL_USED:
    case REFUSAL_EXPIRED:
    case REFUSAL_PROTOCOL:
    case REFUSAL_IP:
    case REFUSAL_SERIAL:
    case REFUSAL_KEY_FINGERPRINT:
    case REFUSAL_RENEW_MISMATCH:
    case REFUSAL_RENEW_STATE: return say(ACME_UNAUTHORIZED, TEXT_NOT_AUTHORIZED);
    case REFUSAL_LOCKED:
        return (struct acme_answer){ .problem = ACME_RATE_LIMITED,
                                     .retry_after = true,
                                     .detail = "too many tries" };
    case REFUSAL_CONFLICT: return say(ACME_MALFORMED, "in conflict with another request");
    case REFUSAL_DENIED: return say(ACME_UNAUTHORIZED, "denied");
    case REFUSAL_CAA: return say(ACME_CAA, "forbidden by a CAA record");
    case REFUSAL_CA_UNAVAILABLE:
        return (struct acme_answer){ .problem = ACME_SERVER_INTERNAL,
                                     .retry_after = true,
                                     .status = 503,
                                     .detail = "the CA cannot serve now: try later" };
    case REFUSAL_CA_REJECTED: return say(ACME_SERVER_INTERNAL, "rejected by the CA");
    case REFUSAL_INTERNAL:
    case REFUSAL_COUNT: break;
    }
    return say(ACME_SERVER_INTERNAL, "internal error");
}

json_t *acme_problem_json(enum acme_problem problem, struct bytes detail, int status)
{
    AUTO(json_t) *object = json_object();
    char type[128];

    (void)snprintf(type, sizeof(type), "urn:ietf:params:acme:error:%s", acme_problem_name(problem));
    if (!json_put(object, "type", json_string(type)) || !json_put_text(object, "detail", detail) ||
        (status != 0 && !json_put(object, "status", json_integer(status))))
        return NULL;
    return take(object);
}
