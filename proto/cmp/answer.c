#include "proto/cmp/answer.h"

/* One text for all that would tell one registration from another (CSR-111). */
#define TEXT_NOT_REGISTERED "not registered for this, or not as it was asked"

static struct cmp_answer fail(uint32_t fail_info, const char *text)
{
    return (struct cmp_answer){ .fail_info = fail_info, .text = text };
}

struct fault_row {
    const char *name;
    uint32_t fail_info;
    const char *text;
};

static const struct fault_row rows[] = {
    [CMP_FAULT_INTERNAL] = { "internal", CMP_SYSTEM_FAILURE, "internal error" },
    [CMP_FAULT_VERSION] = { "cmp_version", CMP_UNSUPPORTED_VERSION, "pvno 2 and 3 are spoken here" },
    [CMP_FAULT_SYNTAX] = { "cmp_syntax", CMP_BAD_DATA_FORMAT, "the message cannot be decoded" },
    [CMP_FAULT_BODY] = { "cmp_body", CMP_BAD_REQUEST, "this body is not served here" },
    [CMP_FAULT_LABEL] = { "cmp_label", CMP_BAD_REQUEST, "the body is not that of the operation in the URL" },
    [CMP_FAULT_TRANSACTION_ID] = { "cmp_transaction_id", CMP_BAD_DATA_FORMAT, "transactionID is missing" },
    [CMP_FAULT_TRANSACTION_IN_USE] = { "cmp_transaction_in_use", CMP_TRANSACTION_ID_IN_USE,
                                       "transactionID is in use for another request" },
    [CMP_FAULT_TRANSACTION_UNKNOWN] = { "cmp_transaction_unknown", CMP_BAD_REQUEST,
                                        "no such transaction is open" },
    [CMP_FAULT_SENDER_NONCE] = { "cmp_sender_nonce", CMP_BAD_SENDER_NONCE,
                                 "senderNonce is missing, too short or repeated" },
    [CMP_FAULT_RECIPIENT_NONCE] = { "cmp_recipient_nonce", CMP_BAD_RECIPIENT_NONCE,
                                    "recipNonce is not what it must be" },
    [CMP_FAULT_TIME] = { "cmp_time", CMP_BAD_TIME, "messageTime is missing or too far from the present" },
    [CMP_FAULT_SENDER] = { "cmp_sender", CMP_BAD_MESSAGE_CHECK, "sender does not fit the protection" },
    [CMP_FAULT_KEY_ID] = { "cmp_key_id", CMP_BAD_MESSAGE_CHECK, "senderKID does not fit the protection" },
    [CMP_FAULT_IMPLICIT_CONFIRM] = { "cmp_implicit_confirm", CMP_BAD_REQUEST,
                                     "implicitConfirm has a value, or stands where it means nothing" },
    [CMP_FAULT_CONFIRM_WAIT_SYNTAX] = { "cmp_confirm_wait", CMP_BAD_DATA_FORMAT,
                                        "confirmWaitTime is no GeneralizedTime" },
    [CMP_FAULT_CONFIRM_WAIT] = { "cmp_confirm_wait", CMP_BAD_REQUEST,
                                 "confirmWaitTime beside implicitConfirm" },
    [CMP_FAULT_PROFILE] = { "cmp_profile", CMP_BAD_REQUEST,
                            "certProfile is unknown, or there are too many or in the wrong place" },
    [CMP_FAULT_UNPROTECTED] = { "cmp_unprotected", CMP_BAD_MESSAGE_CHECK, "the message is not protected" },
    [CMP_FAULT_PROTECTION] = { "cmp_protection", CMP_BAD_MESSAGE_CHECK, "the protection does not hold" },
    [CMP_FAULT_ALGORITHM] = { "cmp_algorithm", CMP_BAD_ALG, "algorithm or its parameters not accepted" },
    [CMP_FAULT_INTEGRITY] = { "cmp_integrity", CMP_WRONG_INTEGRITY,
                              "the other kind of protection is needed here" },
    [CMP_FAULT_SIGNER] = { "cmp_signer", CMP_BAD_MESSAGE_CHECK,
                           "the signer's certificate does not stand in extraCerts" },
    [CMP_FAULT_SIGNER_NOT_TRUSTED] = { "cmp_signer_not_trusted", CMP_SIGNER_NOT_TRUSTED,
                                       "the signer's certificate is not trusted here" },
    [CMP_FAULT_SIGNER_REVOKED] = { "cmp_signer_revoked", CMP_CERT_REVOKED,
                                   "the signer's certificate is revoked or was updated" },
    [CMP_FAULT_OTHER_SENDER] = { "cmp_other_sender", CMP_BAD_MESSAGE_CHECK,
                                 "the transaction was begun with another protection" },
    [CMP_FAULT_NOT_AUTHORIZED] = { "cmp_not_authorized", CMP_NOT_AUTHORIZED, "not authorized for this" },
    [CMP_FAULT_COUNT] = { "cmp_count", CMP_BAD_REQUEST, "one item was expected" },
    [CMP_FAULT_CERT_REQ_ID] = { "cmp_cert_req_id", CMP_BAD_REQUEST, "certReqId is not what it must be" },
    [CMP_FAULT_TEMPLATE] = { "cmp_template", CMP_BAD_CERT_TEMPLATE, "the certTemplate is not accepted" },
    [CMP_FAULT_POP] = { "cmp_pop", CMP_BAD_POP, "the proof of possession is missing, wrong or not accepted" },
    [CMP_FAULT_WRONG_AUTHORITY] = { "cmp_wrong_authority", CMP_WRONG_AUTHORITY,
                                    "the template names another CA as issuer" },
    [CMP_FAULT_OLD_CERT_ID] = { "cmp_old_cert_id", CMP_BAD_CERT_ID,
                                "oldCertID is not the certificate that signed" },
    [CMP_FAULT_UPDATE_PENDING] = { "cmp_update_pending", CMP_BAD_REQUEST,
                                   "an update of this certificate waits for its confirmation" },
    [CMP_FAULT_NEEDS_VERSION_3] = { "cmp_needs_version_3", CMP_BAD_REQUEST, "this needs pvno 3" },
    [CMP_FAULT_CERT_HASH] = { "cmp_cert_hash", CMP_BAD_CERT_ID, "certHash is not that of the certificate" },
    [CMP_FAULT_HASH_ALGORITHM] = { "cmp_hash_algorithm", CMP_BAD_ALG, "hashAlg not accepted" },
    [CMP_FAULT_CERT_STATUS] = { "cmp_cert_status", CMP_BAD_REQUEST, "accepted, and yet with a failInfo" },
    [CMP_FAULT_CONFIRMED] = { "cmp_confirmed", CMP_CERT_CONFIRMED, "the certificate is confirmed already" },
    [CMP_FAULT_REVOKE_INCOMPLETE] = { "cmp_revoke_incomplete", CMP_ADD_INFO_NOT_AVAILABLE,
                                      "issuer and serial number are needed" },
    [CMP_FAULT_REVOKE_UNKNOWN] = { "cmp_revoke_unknown", CMP_BAD_CERT_ID, "no such certificate" },
    [CMP_FAULT_REVOKED_ALREADY] = { "cmp_revoked_already", CMP_CERT_REVOKED,
                                    "the certificate is revoked already" },
    [CMP_FAULT_REVOKE_REASON] = { "cmp_revoke_reason", CMP_BAD_DATA_FORMAT, "reasonCode is none of X.509" },
    [CMP_FAULT_REVIVE] = { "cmp_revive", CMP_BAD_REQUEST, "certificates are not revived here" },
    [CMP_FAULT_INFO_VALUE] = { "cmp_info_value", CMP_BAD_REQUEST,
                               "the value is missing, or there is one where none may be" },
    [CMP_FAULT_LANGUAGE] = { "cmp_language", CMP_BAD_REQUEST, "none of these languages is spoken here" },
    [CMP_FAULT_ORIGINAL] = { "cmp_original", CMP_BAD_MESSAGE_CHECK,
                             "the protection of the original message does not hold" },
    [CMP_FAULT_REPLAYED] = { "cmp_replayed", CMP_BAD_SENDER_NONCE, "this message was answered before" },
    [CMP_FAULT_BUSY] = { "cmp_busy", CMP_SYSTEM_UNAVAIL, "try again later" },
    [CMP_OK] = { "ok", 0, "" },
};
_Static_assert(COUNT_OF(rows) == CMP_OK + 1, "each fault has a row");

static const struct fault_row *row_of(enum cmp_fault fault)
{
    return &rows[(unsigned)fault <= CMP_OK && rows[fault].name != NULL ? fault : CMP_FAULT_INTERNAL];
}

const char *cmp_fault_name(enum cmp_fault fault)
{
    return row_of(fault)->name;
}

struct cmp_answer cmp_answer_to_fault(enum cmp_fault fault)
{
    const struct fault_row *row = row_of(fault);

    return fail(row->fail_info, row->text);
}

struct cmp_answer cmp_answer_to(enum refusal why)
{
    switch (why) {
    case REFUSAL_SYNTAX: return fail(CMP_BAD_DATA_FORMAT, "the request is malformed");
    case REFUSAL_ALGORITHM: return fail(CMP_BAD_ALG, "algorithm of the request not accepted");
    case REFUSAL_POP: return cmp_answer_to_fault(CMP_FAULT_POP);
    case REFUSAL_KEY: return fail(CMP_BAD_CERT_TEMPLATE, "public key not accepted");
    case REFUSAL_KEY_REUSE: return fail(CMP_BAD_CERT_TEMPLATE, "public key is in use already");
    case REFUSAL_NAME: return fail(CMP_BAD_CERT_TEMPLATE, "a name in the request is malformed");
    case REFUSAL_PROFILE: return cmp_answer_to_fault(CMP_FAULT_TEMPLATE);
    case REFUSAL_NO_FQDN: return fail(CMP_BAD_CERT_TEMPLATE, "no FQDN in the request");
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
    case REFUSAL_LOCKED: return fail(CMP_NOT_AUTHORIZED, TEXT_NOT_REGISTERED);
    case REFUSAL_RENEW_MISMATCH:
        return fail(CMP_BAD_CERT_TEMPLATE, "names differ from those of the certificate");
    case REFUSAL_RENEW_STATE:
        return fail(CMP_NOT_AUTHORIZED, "the certificate does not entitle to this: expiry or renewal window");
    case REFUSAL_CONFLICT: return cmp_answer_to_fault(CMP_FAULT_TRANSACTION_IN_USE);
    case REFUSAL_DENIED: return fail(CMP_NOT_AUTHORIZED, "denied");
    case REFUSAL_CAA: return fail(CMP_NOT_AUTHORIZED, "forbidden by a CAA record");
    case REFUSAL_CA_UNAVAILABLE: return fail(CMP_SYSTEM_UNAVAIL, "the CA cannot serve now: try later");
    case REFUSAL_CA_REJECTED: return fail(CMP_BAD_REQUEST, "rejected by the CA");
    case REFUSAL_INTERNAL:
    case REFUSAL_COUNT: break;
    }
    return cmp_answer_to_fault(CMP_FAULT_INTERNAL);
}
