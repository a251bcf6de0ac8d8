/* What a client hears. Cheap checks come first: what belongs to no message of ours costs no cryptography. */
#include "proto/cmp/client_internal.h"

enum { WAIT_UNTOLD_S = 10 }; /* said "waiting" to a pollReq, and not for how long */

static void found(struct cmp_result *out, enum cmp_outcome outcome, const char *what)
{
    out->outcome = outcome;
    out->what = what;
}

/* --- is it the answer? --- */

/* Waiting is over: the answer comes to the pollReq, or to what was asked in the first place (RFC 9483 4.4).
 */
static bool answers_nonce(const struct cmp_dialog *d, const struct cmp_header *h)
{
    if (!h->has_recip_nonce)
        return false;
    return bytes_equal(h->recip_nonce, BYTES_ARRAY(d->sender_nonce)) ||
           (d->stage == CMP_DIALOG_POLLED && bytes_equal(h->recip_nonce, BYTES_ARRAY(d->asked_nonce)));
}

static const char *disbelieve(const struct cmp_client *client, const struct cmp_call *call,
                              const struct cmp_dialog *d, struct bytes der, struct cmp_message *answer)
{
    if (d->stage != CMP_DIALOG_ASKED && d->stage != CMP_DIALOG_POLLED)
        return "nothing was asked";
    if (cmp_message_decode(der, answer) != CMP_DECODED_ALL)
        return "it is no PKIMessage";
    if (answer->header.pvno < 2 || answer->header.pvno > 3)
        return "its version is unknown";
    if (!answer->header.has_transaction_id ||
        !bytes_equal(answer->header.transaction_id, BYTES_ARRAY(d->transaction_id)))
        return "it belongs to another transaction";
    if (!answers_nonce(d, &answer->header))
        return "its recipNonce is another";
    return cmp_client_distrusts(client, call, answer);
}

/* --- what it says --- */

static void wait_for(struct cmp_dialog *d, int64_t poll_id, struct cmp_result *out)
{
    bool again = d->stage == CMP_DIALOG_POLLED;

    out->outcome = CMP_OUTCOME_WAITING;
    out->check_after_told = again;
    out->check_after_s = again ? WAIT_UNTOLD_S : 1;
    d->stage = CMP_DIALOG_WAITING;
    d->poll_id = poll_id;
    if (d->waiting_nonce.len == 0)
        d->waiting_nonce = d->peer_nonce;
}

static void reject(struct cmp_dialog *d, const struct cmp_status_info *status, struct cmp_result *out)
{
    out->status = *status;
    if (d->stage == CMP_DIALOG_POLLED && !d->nonce_mended && d->waiting_nonce.len > 0 &&
        (status->fail_info & (CMP_BAD_SENDER_NONCE | CMP_BAD_RECIPIENT_NONCE)) != 0) {
        out->outcome = CMP_OUTCOME_NONCES;
        return;
    }
    out->outcome = CMP_OUTCOME_REJECTED;
}

static void read_error(const struct cmp_message *answer, struct cmp_dialog *d, struct cmp_result *out)
{
    struct cmp_status_info status;

    if (!cmp_error_decode(answer->content, &status)) {
        found(out, CMP_OUTCOME_VIOLATION, "error is malformed");
    } else if (status.status == CMP_WAITING) {
        wait_for(d, -1, out); /* the response is delayed whole (RFC 9483 4.4) */
    } else {
        reject(d, &status, out);
    }
}

static void read_poll_rep(const struct cmp_message *answer, struct cmp_dialog *d, struct cmp_result *out)
{
    struct cmp_poll_rep rep[1];
    size_t count;

    if (d->stage != CMP_DIALOG_POLLED)
        found(out, CMP_OUTCOME_VIOLATION, "pollRep comes to no pollReq");
    else if (!cmp_poll_rep_decode(answer->content, rep, COUNT_OF(rep), &count) || count != 1)
        found(out, CMP_OUTCOME_VIOLATION, "pollRep is malformed");
    else if (rep[0].cert_req_id != d->poll_id)
        found(out, CMP_OUTCOME_VIOLATION, "pollRep has another certReqId");
    else {
        out->outcome = CMP_OUTCOME_WAITING;
        out->check_after_told = true;
        out->check_after_s = rep[0].check_after_s > CMP_CHECK_AFTER_MAX_S ? CMP_CHECK_AFTER_MAX_S
                             : rep[0].check_after_s == 0                  ? 1
                                                                          : (int64_t)rep[0].check_after_s;
        d->stage = CMP_DIALOG_WAITING;
        d->nonce_mended = false;
    }
}

/* --- ip, cp, kup --- */

/* certHash (RFC 9810 5.3.18): by the hash of the certificate's own signature, Ed25519 SHA-512, Ed448 SHAKE256
 * (RFC 9481 2.3). With one that is unknown the CA cannot expect anything but the usual. */
static bool hash_certificate(const struct certificate *c, struct cmp_dialog *d)
{
    static const uint8_t ed25519[] = { 0x06, 0x03, 0x2b, 0x65, 0x70 };
    static const uint8_t ed448[] = { 0x06, 0x03, 0x2b, 0x65, 0x71 };
    enum digest_algorithm hash = signature_algorithm_hash(c->signature_algorithm);
    struct der in = der_of(c->signature_algorithm), algorithm = der_enter(&in, DER_SEQUENCE);
    struct bytes oid = der_element(&algorithm, DER_OID);

    if (bytes_equal(oid, BYTES_ARRAY(ed448))) {
        d->cert_hash_len = SHAKE256_LEN;
        return shake256(c->encoded, d->cert_hash);
    }
    if (bytes_equal(oid, BYTES_ARRAY(ed25519)))
        hash = DIGEST_SHA512;
    return digest(hash == DIGEST_NONE ? DIGEST_SHA256 : hash, c->encoded, d->cert_hash, &d->cert_hash_len);
}

/* A PKCS#10 has no certReqId: -1 stands for it, and 0 did in older versions (CMP-61). */
static bool is_our_id(const struct cmp_dialog *d, int64_t cert_req_id)
{
    return cert_req_id == 0 || (d->asked == CMP_P10CR && cert_req_id == -1);
}

static bool is_implicit(const struct cmp_message *answer, const struct cmp_dialog *d)
{
    const struct cmp_header *h = &answer->header;

    return d->implicit_confirm && cmp_info_find(h->info, h->info_count, CMP_IT_IMPLICIT_CONFIRM) != NULL;
}

static void take_certificate(const struct cmp_message *answer, const struct cmp_cert_rep *rep,
                             const struct cmp_call *call, struct cmp_dialog *d, struct cmp_result *out)
{
    const struct cmp_cert_response *response = &rep->response[0];
    struct certificate c;

    if (response->certificate.len == 0)
        found(out, CMP_OUTCOME_VIOLATION,
              response->encrypted_cert.len > 0 ? "the certificate is encrypted"
                                               : "accepted, and no certificate");
    else if (!certificate_decode(response->certificate, call->arena, &c))
        found(out, CMP_OUTCOME_VIOLATION, "the certificate is malformed");
    else if (!hash_certificate(&c, d))
        found(out, CMP_OUTCOME_UNBELIEVED, "its certificate could not be hashed");
    else {
        out->outcome = CMP_OUTCOME_CERTIFICATE;
        out->status = response->status;
        out->certificate = response->certificate;
        out->private_key = response->private_key;
        out->confirm = !is_implicit(answer, d);
        memcpy(out->ca_pub, rep->ca_pub, sizeof(out->ca_pub));
        out->ca_pub_count = rep->ca_pub_count;
    }
}

static void read_response(const struct cmp_message *answer, const struct cmp_cert_rep *rep,
                          const struct cmp_call *call, struct cmp_dialog *d, struct cmp_result *out)
{
    const struct cmp_cert_response *response = &rep->response[0];

    if (rep->response_count != 1 || !is_our_id(d, response->cert_req_id)) {
        found(out, CMP_OUTCOME_VIOLATION, "it is not for the one request");
        return;
    }
    d->cert_req_id = response->cert_req_id;
    switch (response->status.status) {
    case CMP_ACCEPTED:
    case CMP_GRANTED_WITH_MODS: take_certificate(answer, rep, call, d, out); return;
    case CMP_WAITING: wait_for(d, response->cert_req_id, out); return;
    case CMP_REJECTION: reject(d, &response->status, out); return;
    case CMP_STATUS_NONE:
    case CMP_REVOCATION_WARNING:
    case CMP_REVOCATION_NOTIFICATION:
    case CMP_KEY_UPDATE_WARNING: break;
    }
    found(out, CMP_OUTCOME_VIOLATION, "its status is none of a request");
}

static void read_cert_rep(const struct cmp_message *answer, const struct cmp_call *call, struct cmp_dialog *d,
                          struct cmp_result *out)
{
    struct cmp_cert_rep *rep = arena_alloc(call->arena, sizeof(*rep));

    if (rep == NULL)
        found(out, CMP_OUTCOME_UNBELIEVED, "there is no memory for it");
    else if (!cmp_cert_rep_decode(answer->content, call->arena, rep))
        found(out, CMP_OUTCOME_VIOLATION, "the response is malformed");
    else
        read_response(answer, rep, call, d, out);
}

/* --- rp --- */

static void read_rev_rep(const struct cmp_message *answer, struct cmp_dialog *d, struct cmp_result *out)
{
    struct cmp_status_info status[1];
    size_t count;

    if (!cmp_rev_rep_decode(answer->content, status, COUNT_OF(status), &count) || count != 1) {
        found(out, CMP_OUTCOME_VIOLATION, "rp is malformed");
        return;
    }
    switch (status[0].status) {
    case CMP_ACCEPTED:
    case CMP_GRANTED_WITH_MODS:
    case CMP_REVOCATION_WARNING:
    case CMP_REVOCATION_NOTIFICATION: out->outcome = CMP_OUTCOME_DONE; return;
    case CMP_WAITING: wait_for(d, -1, out); return;
    case CMP_REJECTION: reject(d, &status[0], out); return;
    case CMP_STATUS_NONE:
    case CMP_KEY_UPDATE_WARNING: break;
    }
    found(out, CMP_OUTCOME_VIOLATION, "its status is none of a revocation");
}

static void read_general(const struct cmp_message *answer, struct cmp_result *out)
{
    if (cmp_general_decode(answer->content, out->info, COUNT_OF(out->info), &out->info_count))
        out->outcome = CMP_OUTCOME_GENERAL;
    else
        found(out, CMP_OUTCOME_VIOLATION, "genp is malformed");
}

/* --- the body --- */

/* The body that answers; error and pollRep apart. */
static enum cmp_body answer_to(enum cmp_body asked)
{
    switch (asked) {
    case CMP_IR: return CMP_IP;
    case CMP_CR:
    case CMP_P10CR: return CMP_CP;
    case CMP_KUR: return CMP_KUP;
    case CMP_RR: return CMP_RP;
    case CMP_GENM: return CMP_GENP;
    case CMP_CERT_CONF:
    case CMP_ERROR: return CMP_PKICONF;
    default: return CMP_BODY_NONE;
    }
}

static void read_body(const struct cmp_message *answer, const struct cmp_call *call, struct cmp_dialog *d,
                      struct cmp_result *out)
{
    if (answer->body == CMP_ERROR)
        read_error(answer, d, out);
    else if (answer->body == CMP_POLL_REP)
        read_poll_rep(answer, d, out);
    else if (answer->body == CMP_BODY_NONE || answer->body != answer_to(d->asked))
        found(out, CMP_OUTCOME_VIOLATION, "its body answers something else");
    else if (answer->body == CMP_RP)
        read_rev_rep(answer, d, out);
    else if (answer->body == CMP_GENP)
        read_general(answer, out);
    else if (answer->body == CMP_PKICONF)
        out->outcome = CMP_OUTCOME_DONE;
    else
        read_cert_rep(answer, call, d, out);
}

void cmp_client_hear(const struct cmp_client *client, const struct cmp_call *call, struct bytes der,
                     struct cmp_dialog *dialog, struct cmp_result *out)
{
    struct cmp_dialog next = *dialog;
    struct cmp_message *answer = arena_alloc(call->arena, sizeof(*answer));

    *out = (struct cmp_result){ .what = "there is no memory for it" };
    if (answer == NULL)
        return;
    out->what = disbelieve(client, call, dialog, der, answer);
    if (out->what != NULL)
        return;
    next.peer_nonce = answer->header.has_sender_nonce ? answer->header.sender_nonce : BYTES_NONE;
    read_body(answer, call, &next, out);
    if (out->outcome == CMP_OUTCOME_UNBELIEVED)
        return;
    memcpy(out->extra_cert, answer->extra_cert, sizeof(out->extra_cert));
    out->extra_cert_count = answer->extra_cert_count;
    if (out->outcome != CMP_OUTCOME_WAITING && out->outcome != CMP_OUTCOME_NONCES)
        next.stage = CMP_DIALOG_ANSWERED;
    *dialog = next;
}

/* --- for people --- */

static const struct {
    uint32_t bit;
    const char *name;
} fail_infos[] = {
    { CMP_BAD_ALG, "badAlg" },
    { CMP_BAD_MESSAGE_CHECK, "badMessageCheck" },
    { CMP_BAD_REQUEST, "badRequest" },
    { CMP_BAD_TIME, "badTime" },
    { CMP_BAD_CERT_ID, "badCertId" },
    { CMP_BAD_DATA_FORMAT, "badDataFormat" },
    { CMP_WRONG_AUTHORITY, "wrongAuthority" },
    { CMP_BAD_POP, "badPOP" },
    { CMP_CERT_REVOKED, "certRevoked" },
    { CMP_CERT_CONFIRMED, "certConfirmed" },
    { CMP_WRONG_INTEGRITY, "wrongIntegrity" },
    { CMP_BAD_RECIPIENT_NONCE, "badRecipientNonce" },
    { CMP_ADD_INFO_NOT_AVAILABLE, "addInfoNotAvailable" },
    { CMP_BAD_SENDER_NONCE, "badSenderNonce" },
    { CMP_BAD_CERT_TEMPLATE, "badCertTemplate" },
    { CMP_SIGNER_NOT_TRUSTED, "signerNotTrusted" },
    { CMP_TRANSACTION_ID_IN_USE, "transactionIdInUse" },
    { CMP_UNSUPPORTED_VERSION, "unsupportedVersion" },
    { CMP_NOT_AUTHORIZED, "notAuthorized" },
    { CMP_SYSTEM_UNAVAIL, "systemUnavail" },
    { CMP_SYSTEM_FAILURE, "systemFailure" },
    { CMP_DUPLICATE_CERT_REQ, "duplicateCertReq" },
};

enum { STATUS_TEXT_MAX = 1024, STATUS_WORDS_MAX = 160 };

const char *cmp_status_text(const struct cmp_status_info *status, struct arena *arena)
{
    AUTO_STRUCT(buffer) text = BUFFER(STATUS_TEXT_MAX);
    bool fit = status->text.len > 0 && status->text.len <= STATUS_WORDS_MAX && bytes_is_utf8(status->text) &&
               !bytes_has_control(status->text);

    for (size_t i = 0; i < COUNT_OF(fail_infos); i++)
        if ((status->fail_info & fail_infos[i].bit) != 0)
            buffer_format(&text, "%s%s", text.len > 0 ? ", " : "", fail_infos[i].name);
    if (text.len == 0)
        buffer_append_text(&text, "rejection");
    if (fit)
        buffer_format(&text, ": %.*s", BYTES_FMT(status->text));
    return buffer_failed(&text) ? NULL : arena_text(arena, buffer_bytes(&text));
}

bool cmp_ca_certs(const struct cmp_result *result, struct bytes *der, size_t max, size_t *count)
{
    const struct cmp_info *info = cmp_info_find(result->info, result->info_count, CMP_IT_CA_CERTS);

    return info != NULL && info->value.len > 0 && cmp_elements_decode(info->value, der, max, count);
}
