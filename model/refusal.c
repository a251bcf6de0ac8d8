#include "model/refusal.h"

struct row {
    const char *name;
    bool covered;
    const char *advice;
};

/* Rows in the order of the enum. */
static const struct row rows[] = {
    [REFUSAL_INTERNAL] = { "internal", false, "an error of the gateway; its log line says which" },
    [REFUSAL_SYNTAX] = { "syntax", false, "the request is malformed; look at what the client sends" },
    [REFUSAL_ALGORITHM] = { "algorithm", false,
                            "let the client sign with SHA-256 or better and an RSA or EC key" },
    [REFUSAL_POP] = { "pop", false, "the request is not signed by the key that it asks to certify" },
    [REFUSAL_KEY] = { "key", false, "let the client make a key that the procedure's profile accepts" },
    [REFUSAL_KEY_REUSE] = { "key_reuse", false, "let the client make a new key" },
    [REFUSAL_NAME] = { "name", false, "a name in the request is malformed" },
    [REFUSAL_NAME_POLICY] = { "name_policy", true,
                              "a name asked for is neither the pattern's nor an attribute of the "
                              "registration" },
    [REFUSAL_PROFILE] = { "profile", false, "the request asks for what the certificate profile forbids" },
    [REFUSAL_NO_FQDN] = { "no_fqdn", false, "put the FQDN into subject CN or a SAN dNSName" },
    [REFUSAL_NO_CREDENTIAL] = { "no_credential", false,
                                "the request carried no password, digest or certificate" },
    [REFUSAL_NO_REGISTRATION] = { "no_registration", true, "register this FQDN in the procedure's domain" },
    [REFUSAL_SECRET] = { "secret", true, "the credential shown does not fit the registration" },
    [REFUSAL_CLOSED] = { "closed", true, "the registration is closed; register again to open it" },
    [REFUSAL_USED] = { "used", true, "the one-time registration was used; register again" },
    [REFUSAL_EXPIRED] = { "expired", true, "the registration's validity is over; register again" },
    [REFUSAL_PROTOCOL] = { "protocol", true, "the registration is not good for this protocol" },
    [REFUSAL_IP] = { "ip", true, "the address in the request is not the registration's" },
    [REFUSAL_SERIAL] = { "serial", true, "the serial number in the request is not the registration's" },
    [REFUSAL_KEY_FINGERPRINT] = { "key_fingerprint", true, "the key is not the one that was registered" },
    [REFUSAL_LOCKED] = { "locked", true, "too many wrong secrets; the device must wait" },
    [REFUSAL_RENEW_MISMATCH] = { "renew_mismatch", false,
                                 "the renewal's names differ from the certificate's" },
    [REFUSAL_RENEW_STATE] = { "renew_state", false,
                              "the certificate shown is revoked, expired, foreign, or outside its renewal "
                              "window" },
    [REFUSAL_CONFLICT] = { "conflict", false, "the transaction id is in use for another request" },
    [REFUSAL_DENIED] = { "denied", false, "an officer denied this enrollment" },
    [REFUSAL_CAA] = { "caa", false, "a CAA record forbids issuance" },
    [REFUSAL_CA_UNAVAILABLE] = { "ca_unavailable", false, "the CA cannot serve now; try later" },
    [REFUSAL_CA_REJECTED] = { "ca_rejected", false, "the CA rejected the request; its log says why" },
};
_Static_assert(COUNT_OF(rows) == REFUSAL_COUNT, "each refusal has a row");

static const struct row *row_of(enum refusal reason)
{
    return &rows[(unsigned)reason < REFUSAL_COUNT ? reason : REFUSAL_INTERNAL];
}

const char *refusal_name(enum refusal reason)
{
    return row_of(reason)->name;
}

const char *refusal_advice(enum refusal reason)
{
    return row_of(reason)->advice;
}

bool refusal_is_covered(enum refusal reason)
{
    return row_of(reason)->covered;
}

enum refusal refusal_on_wire(enum refusal reason, bool credential_held)
{
    return refusal_is_covered(reason) && !credential_held ? REFUSAL_SECRET : reason;
}
