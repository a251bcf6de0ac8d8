/* ip, cp and kup: what was decided, told and remembered (RFC 9810 5.3.4). */
#include "lib/pki/certificate.h"
#include "proto/cmp/exchange_internal.h"

enum cmp_body cmp_response_to(enum cmp_body opened_by)
{
    return opened_by == CMP_IR ? CMP_IP : opened_by == CMP_KUR ? CMP_KUP : CMP_CP;
}

/* One CertResponse. */
static enum cmp_fault respond(struct cmp_exchange *x, const struct cmp_status_info *status,
                              struct bytes certificate, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CMP_MESSAGE_MAX);
    struct cmp_cert_rep *rep = arena_alloc(x->turn->arena, sizeof(*rep));
    enum cmp_body body = cmp_response_to(x->transaction.opened_by);
    struct bytes private_key = BYTES_NONE;

    if (rep == NULL)
        return cmp_trouble(err, ERROR_MEMORY, "a response");
    if (certificate.len > 0 && x->device_key.len > 0 && !cmp_wrap_device_key(x, &private_key, err))
        return CMP_FAULT_INTERNAL;
    rep->response_count = 1;
    rep->response[0] = (struct cmp_cert_response){
        .cert_req_id = x->transaction.cert_req_id,
        .status = *status,
        .certificate = certificate,
        .private_key = private_key,
    };
    /* CMP-56: trust anchors for those who authenticate us by a shared secret. */
    if (certificate.len > 0 && body == CMP_IP && x->procedure->cmp_ca_pubs &&
        x->sender.role == CMP_ROLE_SECRET)
        rep->ca_pub[rep->ca_pub_count++] = x->ca->chain[x->ca->chain_count - 1];
    cmp_cert_rep_put(&content, rep);
    return cmp_say(x, body, &content, err);
}

static enum cmp_fault reject_with(struct cmp_exchange *x, struct cmp_answer answer, struct error *err)
{
    const struct cmp_status_info status = { .status = CMP_REJECTION,
                                            .fail_info = answer.fail_info,
                                            .text = bytes_text(answer.text) };

    return respond(x, &status, BYTES_NONE, err);
}

enum cmp_fault cmp_reject(struct cmp_exchange *x, enum cmp_fault fault, const char *detail, struct error *err)
{
    cmp_note(x, "refused", cmp_fault_name(fault), detail);
    return reject_with(x, cmp_answer_to_fault(fault), err);
}

/* --- issued --- */

/* CMP-63: accepted when the certificate says what was asked for. */
static enum cmp_status status_of(const struct cmp_exchange *x, const struct requested *requested,
                                 struct bytes der)
{
    struct certificate c;

    if (requested == NULL || !certificate_decode(der, x->turn->arena, &c))
        return CMP_ACCEPTED;
    if (requested->subject.count > 0 && !name_equal(&requested->subject, &c.subject))
        return CMP_GRANTED_WITH_MODS;
    if (requested->san.count > 0 && !general_names_equal(&requested->san, &c.san))
        return CMP_GRANTED_WITH_MODS;
    return CMP_ACCEPTED;
}

static uint32_t keep_delivered_s(const struct cmp_exchange *x)
{
    uint32_t keep_s = x->service->enroll->transaction_keep_s;

    return keep_s == 0 || x->transaction.implicit_confirm ? keep_s
                                                          : keep_s + x->procedure->cmp_confirm_wait_s;
}

/* What a certificate begins, it begins while it has no successor. */
static bool assume_no_update(struct cmp_exchange *x, struct error *err)
{
    if (x->sender.role != CMP_ROLE_HOLDER || !cmp_body_opens(x->request.body))
        return true;
    return cmp_update_assume(x->turn, &x->sender.holder.record.id, err);
}

/* A key update leaves the old certificate in force until its successor is confirmed (CMP-60). */
static bool note_update(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_transaction *t = &x->transaction;
    int64_t until_s = x->turn->now_s + (int64_t)x->procedure->cmp_confirm_wait_s;

    if (t->old.serial_len == 0)
        return assume_no_update(x, err);
    return t->implicit_confirm ? cmp_update_put(x->turn, &t->old, CMP_UPDATE_DONE, 0, err)
                               : cmp_update_put(x->turn, &t->old, CMP_UPDATE_PENDING, until_s, err);
}

/* The first answer is kept whole, and that to the last pollReq: both may be repeated. */
static bool remember_reply(struct cmp_exchange *x, uint32_t keep_s, struct error *err)
{
    struct cmp_transaction *t = &x->transaction;

    if (!cmp_reply_encode(x, err))
        return false;
    if (cmp_body_opens(x->request.body))
        t->reply = x->out;
    if (cmp_body_opens(x->request.body) && !x->repeats && !cmp_opening_put(x->turn, &x->request, err))
        return false;
    if (x->request.body == CMP_POLL_REQ) {
        if (!sha256(x->request.encoded, &t->poll))
            return error_set(err, ERROR_CRYPTO, "SHA-256 of a CMP message");
        t->poll_reply = x->out;
    }
    return cmp_remember(x, keep_s, err);
}

static enum cmp_fault deliver_certificate(struct cmp_exchange *x, const struct enroll_result *result,
                                          struct error *err)
{
    struct cmp_transaction *t = &x->transaction;
    const struct cmp_status_info status = { .status = status_of(x, x->requested, result->certificate) };
    enum cmp_fault fault = respond(x, &status, result->certificate, err);

    if (fault != CMP_OK)
        return fault;
    t->phase = t->implicit_confirm ? CMP_PHASE_CONFIRMED : CMP_PHASE_DELIVERED;
    t->certificate = result->certificate;
    x->reply.has_chain = true;
    x->reply.implicit_confirm = t->implicit_confirm;
    if (!t->implicit_confirm)
        x->reply.confirm_until_s = x->turn->now_s + (int64_t)x->procedure->cmp_confirm_wait_s;
    return note_update(x, err) && remember_reply(x, keep_delivered_s(x), err) ? CMP_OK : CMP_FAULT_INTERNAL;
}

/* --- waiting --- */

static enum cmp_fault deliver_waiting(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_status_info status = { .status = CMP_WAITING };
    enum cmp_fault fault = respond(x, &status, BYTES_NONE, err);

    if (fault != CMP_OK)
        return fault;
    x->transaction.phase = CMP_PHASE_WAITING;
    x->transaction.waiting_nonce = x->nonce;
    return assume_no_update(x, err) && remember_reply(x, x->service->enroll->pending_keep_s, err)
               ? CMP_OK
               : CMP_FAULT_INTERNAL;
}

static enum cmp_fault deliver_poll_rep(struct cmp_exchange *x, unsigned after_s, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(1024);
    const struct cmp_poll_rep rep = { .cert_req_id = x->transaction.cert_req_id, .check_after_s = after_s };
    enum cmp_fault fault;

    cmp_poll_rep_put(&content, &rep);
    fault = cmp_say(x, CMP_POLL_REP, &content, err);
    if (fault != CMP_OK)
        return fault;
    return remember_reply(x, x->service->enroll->pending_keep_s, err) ? CMP_OK : CMP_FAULT_INTERNAL;
}

static enum cmp_fault still_waiting(struct cmp_exchange *x, unsigned after_s, struct error *err)
{
    return x->repeats ? cmp_say_again(x) : deliver_poll_rep(x, after_s > 0 ? after_s : 60, err);
}

/* --- refused --- */

/* Only a transaction that was open is remembered as closed: strangers leave nothing behind. */
static enum cmp_fault deliver_refusal(struct cmp_exchange *x, const struct enroll_result *result,
                                      struct error *err)
{
    enum cmp_fault fault = reject_with(
        x, cmp_answer_to(refusal_on_wire(result->reason, result->credential_held)), err);

    if (fault != CMP_OK || x->transaction.phase == CMP_PHASE_NONE)
        return fault;
    x->transaction.phase = CMP_PHASE_CLOSED;
    return cmp_remember(x, x->service->enroll->transaction_keep_s, err) ? CMP_OK : CMP_FAULT_INTERNAL;
}

enum cmp_fault cmp_deliver(struct cmp_exchange *x, const struct enroll_result *result, struct error *err)
{
    switch (result->kind) {
    case ENROLL_ISSUED: return deliver_certificate(x, result, err);
    case ENROLL_PENDING:
        return x->repeats || x->request.body == CMP_POLL_REQ ? still_waiting(x, result->retry_after_s, err)
                                                             : deliver_waiting(x, err);
    case ENROLL_REFUSED:
        /* No refusal of what waits: that it has to wait longer. */
        if (result->reason == REFUSAL_CA_UNAVAILABLE && x->transaction.phase == CMP_PHASE_WAITING)
            return still_waiting(x, x->procedure->retry_after_s, err);
        break;
    }
    return deliver_refusal(x, result, err);
}
