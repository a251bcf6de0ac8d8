#include "proto/scep/operation_internal.h"

#include "lib/pki/csr.h"

/* One PKIOperation on its way. */
struct operation {
    struct turn *turn;
    const struct scep_service *service;
    const struct procedure *procedure;
    const struct scep_ra *ra;
    const struct ip_address *peer;
    struct scep_opened opened;
    struct scep_reply reply;
    struct bytes bag[1 + CA_CHAIN_MAX];
};

/* --- what is to be said --- */

static void note_refusal(struct operation *op, const char *reason, const char *detail)
{
    op->turn->facts.verdict = "refused";
    op->turn->facts.reason = reason;
    op->turn->facts.detail = detail;
}

/* Answers that are ours to blame have no CertRep: HTTP 500, so that the client tries again. */
static bool say_failure(struct operation *op, struct scep_answer answer, struct error *err)
{
    if (answer.fail_info == SCEP_FAIL_NONE)
        return error_set(err, ERROR_INTERNAL, "SCEP: %s", answer.text);
    op->reply = (struct scep_reply){ .status = SCEP_FAILURE, .failure = answer };
    return true;
}

static bool say_fault(struct operation *op, enum scep_fault fault, struct error *err)
{
    struct scep_answer answer = scep_answer_to_fault(fault);

    note_refusal(op, scep_fault_name(fault), answer.text);
    return say_failure(op, answer, err);
}

static bool say_refusal(struct operation *op, enum refusal why, const char *detail, struct error *err)
{
    note_refusal(op, refusal_name(why), detail);
    return say_failure(op, scep_answer_to(refusal_on_wire(why, false)), err);
}

/* SCEP-91: the issued certificate is the leaf; some clients want its issuers beside it, others must not get
 * them. */
static void say_success(struct operation *op, struct bytes certificate, struct bytes password)
{
    const struct ca *ca = enroll_ca(op->service->enroll, op->procedure);
    size_t count = 0;

    op->bag[count++] = certificate;
    if (op->procedure->dialect.scep_ca_in_reply && ca != NULL)
        for (size_t i = 0; i < ca->chain_count; i++)
            op->bag[count++] = ca->chain[i];
    op->reply = (struct scep_reply){
        .status = SCEP_SUCCESS,
        .certificate = op->bag,
        .certificate_count = count,
        .password = password,
    };
}

static bool say_result(struct operation *op, const struct enroll_result *result, struct bytes password,
                       struct error *err)
{
    switch (result->kind) {
    case ENROLL_ISSUED: say_success(op, result->certificate, password); return true;
    case ENROLL_PENDING: op->reply = (struct scep_reply){ .status = SCEP_PENDING }; return true;
    case ENROLL_REFUSED: break;
    }
    return say_failure(op, scep_answer_to(refusal_on_wire(result->reason, result->credential_held)), err);
}

/* --- PKCSReq and RenewalReq --- */

static bool is_self_signed(const struct certificate *c)
{
    return name_equal(&c->issuer, &c->subject);
}

/* Who speaks. A self-signed certificate is made anew for every try, so its key stands for it; another counts
 * as it is, so that a renewal with the old key under the old transactionID (certmonger) is no repetition of
 * the enrollment that it follows. */
static bool signer_of(const struct certificate *c, struct digest256 *out, struct error *err)
{
    if (is_self_signed(c) ? public_key_fingerprint(c->key.spki, out) : sha256(c->encoded, out))
        return true;
    return error_set(err, ERROR_CRYPTO, "no fingerprint of the signer");
}

/* Who speaks is found by the certificate that signed, not by the messageType: many clients send 19 for a
 * renewal (SCEP-74). REFUSAL_COUNT: nothing to refuse. */
static bool find_credential(struct operation *op, const struct requested *requested, struct enrollment *e,
                            enum refusal *why, const char **detail, struct error *err)
{
    const struct scep_opened *o = &op->opened;
    bool same_key = bytes_equal(o->signer.key.spki, requested->key.spki);
    struct holder holder = { .detail = "the signer is self-signed" };

    *why = REFUSAL_COUNT;
    if (!is_self_signed(&o->signer) &&
        !enroll_holder(op->turn, op->service->enroll, op->procedure, o->signer.encoded, o->chain,
                       o->chain_count, &holder, err))
        return false;
    if (holder.kind != HOLDER_NONE) {
        e->credential.kind = CREDENTIAL_CERTIFICATE;
        e->credential.certificate.der = o->signer.encoded;
        e->credential.certificate.chain = o->chain;
        e->credential.certificate.chain_count = o->chain_count;
        e->renewal = holder.kind == HOLDER_OURS;
        return true;
    }
    if (o->attributes.type == SCEP_RENEWAL_REQ) { /* SCEP-71, SCEP-72 */
        *why = REFUSAL_RENEW_STATE;
        *detail = holder.detail;
    } else if (!same_key) { /* SCEP-62: the signature is to prove possession of what is certified */
        *why = REFUSAL_POP;
        *detail = "the signer's key is not that of the CSR";
    } else if (requested->challenge_password.len > 0) {
        e->credential.kind = CREDENTIAL_SECRET;
        e->credential.secret.secret = requested->challenge_password;
    }
    return true;
}

static bool serve_request(struct operation *op, struct error *err)
{
    const struct scep_opened *o = &op->opened;
    struct csr csr = { 0 };
    struct enroll_result result = { 0 };
    struct bytes password;
    enum refusal why;
    const char *detail = NULL;
    struct enrollment e = {
        .protocol = PROTOCOL_SCEP,
        .procedure = op->procedure,
        .transaction_id = o->attributes.transaction_id,
        .requested = &csr.requested,
        .request = o->content,
        .peer = *op->peer,
    };

    if (!enroll_csr_decode(op->procedure, NULL, PROTOCOL_SCEP, o->content, op->turn->arena, &csr, &why,
                           &detail))
        return say_refusal(op, why, detail, err);
    password = csr.requested.challenge_password;
    if (!scep_reply_reaches(o, password)) /* before anything is issued that could not be handed over */
        return say_fault(op, SCEP_FAULT_RECIPIENT, err);
    if (!find_credential(op, &csr.requested, &e, &why, &detail, err))
        return false;
    if (why != REFUSAL_COUNT)
        return say_refusal(op, why, detail, err);
    if (!signer_of(&o->signer, &e.signer, err) || !enroll(op->turn, op->service->enroll, &e, &result, err))
        return false;
    return say_result(op, &result, password, err);
}

/* --- CertPoll --- */

static bool serve_poll(struct operation *op, struct error *err)
{
    const struct scep_opened *o = &op->opened;
    struct scep_issuer_and_subject names; /* well-formed; the transactionID decides (SCEP-102) */
    struct enroll_result result = { 0 };
    struct digest256 signer;
    bool found = false;

    if (!scep_issuer_and_subject_decode(o->content, &names))
        return say_fault(op, SCEP_FAULT_ENVELOPE, err);
    if (!scep_reply_reaches(o, BYTES_NONE))
        return say_fault(op, SCEP_FAULT_RECIPIENT, err);
    if (!signer_of(&o->signer, &signer, err) ||
        !enroll_poll(op->turn, op->service->enroll, op->procedure, PROTOCOL_SCEP,
                     o->attributes.transaction_id, &signer, &found, &result, err))
        return false;
    if (!found)
        return say_fault(op, SCEP_FAULT_UNKNOWN_TRANSACTION, err);
    if (result.kind == ENROLL_REFUSED && result.reason == REFUSAL_CONFLICT)
        return say_fault(op, SCEP_FAULT_FOREIGN_TRANSACTION, err);
    return say_result(op, &result, BYTES_NONE, err);
}

/* --- by messageType --- */

/* Every type has its case, and one that is not served is refused: nothing falls through to issuance. */
static bool decide(struct operation *op, struct error *err)
{
    enum scep_fault fault = scep_open_check(op->service, &op->procedure->dialect, op->turn, &op->opened);

    if (fault == SCEP_OK)
        fault = scep_open_envelope(op->ra, &op->procedure->dialect, op->turn, &op->opened);
    if (fault != SCEP_OK)
        return say_fault(op, fault, err);
    if (op->opened.cipher == CMS_DES_CBC) /* SCEP-46 */
        op->turn->facts.weak = "single DES";
    switch (op->opened.attributes.type) {
    case SCEP_PKCS_REQ:
    case SCEP_RENEWAL_REQ: return serve_request(op, err);
    case SCEP_CERT_POLL: return serve_poll(op, err);
    case SCEP_GET_CERT:
    case SCEP_GET_CRL: return say_fault(op, SCEP_FAULT_SERVICE, err);
    case SCEP_MESSAGE_NONE:
    case SCEP_CERT_REP: break;
    }
    return say_fault(op, SCEP_FAULT_TYPE, err);
}

const struct scep_ra *scep_ra_of(const struct scep_service *service, const struct procedure *procedure)
{
    for (size_t i = 0; i < service->ra_count && procedure->scep_ra != NULL; i++)
        if (strcmp(service->ra[i].name, procedure->scep_ra) == 0)
            return &service->ra[i];
    return NULL;
}

bool scep_operation(struct turn *turn, const struct scep_service *service, const struct procedure *procedure,
                    const struct ip_address *peer, struct bytes message, bool *correlated,
                    struct bytes *reply, struct error *err)
{
    struct operation op = {
        .turn = turn,
        .service = service,
        .procedure = procedure,
        .ra = scep_ra_of(service, procedure),
        .peer = peer,
    };
    struct bytes der;

    if (op.ra == NULL)
        return error_set(err, ERROR_NOT_FOUND, "procedure '%s' has no SCEP RA", procedure->name);
    if (!scep_open_outer(message, turn->arena, &op.opened)) {
        *correlated = false;
        return true;
    }
    turn->facts.operation = scep_message_type_name(op.opened.attributes.type);
    turn->facts.transaction = op.opened.attributes.transaction_id;
    if (!decide(&op, err) || !scep_reply_encode(&op.reply, &op.opened, op.ra, turn, &der, err))
        return false;
    *correlated = true;
    *reply = der;
    return true;
}
