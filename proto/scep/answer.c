#include "proto/scep/answer.h"

/* One text for whatever is wrong inside the envelope: a sender must not learn how far a decryption came
 * (SCEP-50). A CSR that does not parse is the same thing seen from behind. */
#define TEXT_UNREADABLE "the content cannot be decrypted, is malformed or not accepted"
/* One text for all that would tell one registration from another, or from none (CSR-111). */
#define TEXT_NOT_REGISTERED "not registered, or the challengePassword is wrong"

static struct scep_answer fail(enum scep_fail_info fail_info, const char *text)
{
    return (struct scep_answer){ .fail_info = fail_info, .text = text };
}

const char *scep_fault_name(enum scep_fault fault)
{
    switch (fault) {
    case SCEP_FAULT_STRUCTURE: return "scep_structure";
    case SCEP_FAULT_TYPE: return "scep_message_type";
    case SCEP_FAULT_NONCE: return "scep_nonce";
    case SCEP_FAULT_TRANSACTION_ID: return "scep_transaction_id";
    case SCEP_FAULT_ALGORITHM: return "scep_algorithm";
    case SCEP_FAULT_SIGNER: return "scep_signer";
    case SCEP_FAULT_SIGNATURE: return "scep_signature";
    case SCEP_FAULT_TIME: return "scep_time";
    case SCEP_FAULT_ENVELOPE: return "scep_envelope";
    case SCEP_FAULT_CLEAR: return "scep_clear";
    case SCEP_FAULT_RECIPIENT: return "scep_recipient";
    case SCEP_FAULT_SERVICE: return "scep_service";
    case SCEP_FAULT_UNKNOWN_TRANSACTION: return "scep_unknown_transaction";
    case SCEP_FAULT_FOREIGN_TRANSACTION: return "scep_foreign_transaction";
    case SCEP_FAULT_INTERNAL: return "internal";
    case SCEP_OK: return "ok";
    }
    return "internal";
}

struct scep_answer scep_answer_to_fault(enum scep_fault fault)
{
    switch (fault) {
    case SCEP_FAULT_STRUCTURE: return fail(SCEP_BAD_REQUEST, "not a pkiMessage of SCEP");
    case SCEP_FAULT_TYPE: return fail(SCEP_BAD_REQUEST, "messageType not supported");
    case SCEP_FAULT_NONCE: return fail(SCEP_BAD_REQUEST, "senderNonce must have 16 octets");
    case SCEP_FAULT_TRANSACTION_ID: return fail(SCEP_BAD_REQUEST, "transactionID not acceptable");
    case SCEP_FAULT_ALGORITHM: return fail(SCEP_BAD_ALG, "algorithm not accepted");
    case SCEP_FAULT_SIGNER: return fail(SCEP_BAD_MESSAGE_CHECK, "the signer's certificate is missing");
    case SCEP_FAULT_SIGNATURE: return fail(SCEP_BAD_MESSAGE_CHECK, "the signature of the message is wrong");
    case SCEP_FAULT_TIME: return fail(SCEP_BAD_TIME, "signingTime too far from the present");
    case SCEP_FAULT_ENVELOPE: return fail(SCEP_BAD_REQUEST, TEXT_UNREADABLE);
    case SCEP_FAULT_CLEAR: return fail(SCEP_BAD_REQUEST, "the content is not encrypted");
    case SCEP_FAULT_RECIPIENT: return fail(SCEP_BAD_REQUEST, "the response cannot be encrypted to this key");
    case SCEP_FAULT_SERVICE: return fail(SCEP_BAD_REQUEST, "GetCert and GetCRL are not offered here");
    case SCEP_FAULT_UNKNOWN_TRANSACTION: return fail(SCEP_BAD_CERT_ID, "transaction not known");
    case SCEP_FAULT_FOREIGN_TRANSACTION:
        return fail(SCEP_BAD_MESSAGE_CHECK, "the transaction was begun by another key");
    case SCEP_FAULT_INTERNAL:
    case SCEP_OK: break;
    }
    return fail(SCEP_FAIL_NONE, "internal error");
}

struct scep_answer scep_answer_to(enum refusal why)
{
    switch (why) {
    /* One text for all that bits flipped in a captured envelope could lead to before the request's own
     * signature is checked: different ones would tell its password character by character (SCEP-50). The log
     * says which it was. */
    case REFUSAL_SYNTAX:
    case REFUSAL_POP:
    case REFUSAL_KEY:
    case REFUSAL_NAME:
    case REFUSAL_PROFILE: return fail(SCEP_BAD_REQUEST, TEXT_UNREADABLE);
    case REFUSAL_ALGORITHM: return fail(SCEP_BAD_ALG, "algorithm of the certificate request not accepted");
    case REFUSAL_KEY_REUSE: return fail(SCEP_BAD_REQUEST, "public key is in use already");
    case REFUSAL_NO_FQDN: return fail(SCEP_BAD_REQUEST, "no FQDN in the request");
    case REFUSAL_NO_CREDENTIAL: return fail(SCEP_BAD_REQUEST, "challengePassword missing");
    case REFUSAL_NAME_POLICY:
    case REFUSAL_NO_REGISTRATION:
    case REFUSAL_SECRET:
    case REFUSAL_CLOSED:
    case REFUSAL_USED:
    case REFUSAL_EXPIRED:
    case REFUSAL_PROTOCOL:
    case REFUSAL_IP:
    case REFUSAL_SERIAL:
    case REFUSAL_KEY_FINGERPRINT:
    case REFUSAL_LOCKED: return fail(SCEP_BAD_REQUEST, TEXT_NOT_REGISTERED);
    case REFUSAL_RENEW_MISMATCH: return fail(SCEP_BAD_REQUEST, "names differ from those of the certificate");
    case REFUSAL_RENEW_STATE:
        return fail(SCEP_BAD_REQUEST, "the signer's certificate does not entitle to renewal: chain, "
                                      "expiry, revocation or renewal window");
    case REFUSAL_CONFLICT: return fail(SCEP_BAD_REQUEST, "transactionID is in use for something else");
    case REFUSAL_DENIED: return fail(SCEP_BAD_REQUEST, "denied");
    case REFUSAL_CAA: return fail(SCEP_BAD_REQUEST, "forbidden by a CAA record");
    case REFUSAL_CA_UNAVAILABLE: return fail(SCEP_BAD_REQUEST, "the CA cannot serve now: try later");
    case REFUSAL_CA_REJECTED: return fail(SCEP_BAD_REQUEST, "rejected by the CA");
    case REFUSAL_INTERNAL:
    case REFUSAL_COUNT: break;
    }
    return fail(SCEP_FAIL_NONE, "internal error");
}
