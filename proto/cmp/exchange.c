/* The way of a message: version, header, protection, transaction, body, answer. */
#include "proto/cmp/exchange_internal.h"

#include <assert.h>

#include "lib/base/encode.h"

void cmp_note(struct cmp_exchange *x, const char *verdict, const char *reason, const char *detail)
{
    x->turn->facts.verdict = verdict;
    x->turn->facts.reason = reason;
    x->turn->facts.detail = detail;
}

/* --- the header --- */

static bool make_nonce(struct cmp_exchange *x, struct bytes *out)
{
    uint8_t *nonce = arena_alloc(x->turn->arena, CMP_NONCE_LEN);

    if (nonce == NULL || !random_fill(&x->turn->random, nonce, CMP_NONCE_LEN))
        return false;
    *out = bytes_of(nonce, CMP_NONCE_LEN);
    return true;
}

/* Octets, not text: the log has them in hexadecimal. */
static bool note_transaction(struct cmp_exchange *x)
{
    char hex[2 * CMP_ID_MAX + 1];

    hex_encode(x->transaction_id, hex);
    x->turn->facts.operation = cmp_body_name(x->request.body);
    x->turn->facts.transaction = arena_copy(x->turn->arena, bytes_text(hex));
    return x->turn->facts.transaction.data != NULL;
}

static enum cmp_fault step_begin(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_header *h = &x->request.header;

    if (!make_nonce(x, &x->nonce))
        return cmp_trouble(err, ERROR_CRYPTO, "no randomness for a nonce");
    x->transaction_id = h->transaction_id;
    if (h->transaction_id.len == 0 && !make_nonce(x, &x->transaction_id)) /* CMP-14 */
        return cmp_trouble(err, ERROR_CRYPTO, "no randomness for a transaction id");
    if (!note_transaction(x))
        return cmp_trouble(err, ERROR_MEMORY, "transaction id for the log");
    return cmp_check_version(&x->request);
}

static enum cmp_fault step_header(struct cmp_exchange *x, struct error *err)
{
    enum cmp_fault fault = x->nested ? CMP_OK : cmp_check_label(x->label, &x->request);

    (void)err;
    return fault == CMP_OK ? cmp_check_header(&x->request, x->procedure, x->turn->now_s) : fault;
}

/* --- the transaction --- */

/* Its transactionID must be free: also that of a message which is answered at once. */
static bool begins(enum cmp_body body)
{
    return cmp_body_opens(body) || body == CMP_RR || body == CMP_GENM;
}

/* What goes on with a transaction must find it, before anything is paid for its protection. */
static enum cmp_fault step_find(struct cmp_exchange *x, struct error *err)
{
    const struct bytes procedure = bytes_text(x->procedure->name);

    if (!begins(x->request.body) && !cmp_body_follows(x->request.body))
        return CMP_OK;
    if (!cmp_transaction_read(x->turn, procedure, x->transaction_id, &x->transaction, err))
        return CMP_FAULT_INTERNAL;
    if (cmp_body_follows(x->request.body) && x->transaction.phase == CMP_PHASE_NONE)
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    return CMP_OK;
}

/* The message that opened the transaction, or the last pollReq, octet for octet. */
static bool is_repeated(const struct cmp_exchange *x, bool *repeated)
{
    const struct cmp_transaction *t = &x->transaction;
    bool polls = x->request.body == CMP_POLL_REQ;
    struct digest256 message;

    *repeated = false;
    if ((!polls && !cmp_body_opens(x->request.body)) || t->phase == CMP_PHASE_NONE ||
        (polls ? t->poll_reply : t->reply).len == 0)
        return true;
    if (!sha256(x->request.encoded, &message))
        return false;
    *repeated = digest256_equal(&message, polls ? &t->poll : &t->opening);
    return true;
}

/* CMP-15: it gets the answer that it got. One that waits is looked at once more: its answer may have been
 * held back until now, and never sent. */
static enum cmp_fault step_repeat(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_transaction *t = &x->transaction;
    bool repeated;

    if (!is_repeated(x, &repeated))
        return cmp_trouble(err, ERROR_CRYPTO, "SHA-256 of a message");
    x->repeats = repeated && t->phase == CMP_PHASE_WAITING && !t->generated;
    return repeated && !x->repeats ? cmp_say_again(x) : CMP_OK;
}

static bool continues_nonce(const struct cmp_exchange *x)
{
    const struct cmp_header *h = &x->request.header;
    const struct cmp_transaction *t = &x->transaction;

    if (!h->has_recip_nonce || h->recip_nonce.len == 0)
        return false;
    return bytes_equal(h->recip_nonce, t->our_nonce) ||
           bytes_equal(h->recip_nonce, t->nonce_before) || /* recip_nonce is not empty */
           bytes_equal(h->recip_nonce, t->waiting_nonce);
}

static enum cmp_fault judge_follow_up(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_transaction *t = &x->transaction;
    bool by_mac = x->sender.role == CMP_ROLE_SECRET, seen;

    if (by_mac != (t->signer.len == 0))
        return CMP_FAULT_INTEGRITY;
    if (!digest256_equal(&t->sender, &x->sender.identity) ||
        !digest256_equal(&t->algorithm, &x->sender.algorithm))
        return CMP_FAULT_OTHER_SENDER;
    if (t->phase == CMP_PHASE_CONFIRMED && x->request.body == CMP_CERT_CONF)
        return t->implicit_confirm ? CMP_FAULT_TRANSACTION_UNKNOWN : CMP_FAULT_CONFIRMED;
    if (t->phase == CMP_PHASE_CONFIRMED || t->phase == CMP_PHASE_CLOSED)
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    if (x->repeats) /* its nonces were good */
        return CMP_OK;
    if (!continues_nonce(x))
        return CMP_FAULT_RECIPIENT_NONCE;
    if (!cmp_nonce_seen(t, x->request.header.sender_nonce, &seen))
        return cmp_trouble(err, ERROR_CRYPTO, "SHA-256 of a nonce");
    return seen ? CMP_FAULT_SENDER_NONCE : CMP_OK;
}

/* A message that was served, and whose transaction is forgotten. */
static enum cmp_fault judge_opening(struct cmp_exchange *x, struct error *err)
{
    bool seen = false;

    if (!cmp_opening_seen(x->turn, &x->request, &seen, err))
        return CMP_FAULT_INTERNAL;
    return seen ? CMP_FAULT_REPLAYED : CMP_OK;
}

static enum cmp_fault step_transaction(struct cmp_exchange *x, struct error *err)
{
    if (cmp_body_follows(x->request.body))
        return judge_follow_up(x, err);
    if (!begins(x->request.body) || x->repeats)
        return CMP_OK;
    if (x->transaction.phase != CMP_PHASE_NONE)
        return CMP_FAULT_TRANSACTION_IN_USE;
    return cmp_body_opens(x->request.body) ? judge_opening(x, err) : CMP_OK;
}

/* --- the body --- */

/* Every body has its case, and one that is not served is refused: nothing falls through to issuance. */
static enum cmp_fault step_serve(struct cmp_exchange *x, struct error *err)
{
    switch (x->request.body) {
    case CMP_IR:
    case CMP_CR:
    case CMP_KUR:
    case CMP_P10CR: return cmp_serve_request(x, err);
    case CMP_RR: return cmp_serve_revoke(x, err);
    case CMP_GENM: return cmp_serve_general(x, err);
    case CMP_NESTED: return cmp_serve_nested(x, err);
    case CMP_CERT_CONF: return cmp_serve_confirm(x, err);
    case CMP_POLL_REQ: return cmp_serve_poll(x, err);
    case CMP_PKICONF:
    case CMP_ERROR: return cmp_serve_pki_conf(x, err);
    case CMP_BODY_NONE:
    case CMP_IP:
    case CMP_CP:
    case CMP_POPDECC:
    case CMP_POPDECR:
    case CMP_KUP:
    case CMP_KRR:
    case CMP_KRP:
    case CMP_RP:
    case CMP_CCR:
    case CMP_CCP:
    case CMP_CKUANN:
    case CMP_CANN:
    case CMP_RANN:
    case CMP_CRLANN:
    case CMP_GENP:
    case CMP_POLL_REP:
    case CMP_BODY_COUNT: break;
    }
    return CMP_FAULT_BODY;
}

static bool is_announcement(enum cmp_body body)
{
    return body == CMP_CKUANN || body == CMP_CANN || body == CMP_RANN || body == CMP_CRLANN;
}

static bool is_answered(const struct cmp_exchange *x)
{
    return x->out.len > 0 || x->reply.body != CMP_BODY_NONE;
}

static enum cmp_fault walk(struct cmp_exchange *x, struct error *err)
{
    static cmp_step *const steps[] = { step_header,      step_find,        step_repeat,
                                       cmp_authenticate, step_transaction, step_serve };
    enum cmp_fault fault = CMP_OK;

    for (size_t i = 0; i < COUNT_OF(steps) && fault == CMP_OK && !is_answered(x); i++)
        fault = steps[i](x, err);
    return fault;
}

/* A fault becomes the body `error`; what the way had wanted written goes. */
static bool answer_fault(struct cmp_exchange *x, enum cmp_fault fault, struct changes before,
                         struct error *err)
{
    changes_rewind(&x->turn->changes, before);
    x->fault = fault;
    cmp_note(x, "refused", cmp_fault_name(fault), x->turn->facts.detail);
    return cmp_say_error(x, cmp_answer_to_fault(fault), err) == CMP_OK;
}

bool cmp_exchange_run(struct cmp_exchange *x, struct bytes der, int *http_status, struct error *err)
{
    enum cmp_decoded decoded = cmp_message_decode(der, &x->request);
    const struct changes before = changes_mark(&x->turn->changes);
    enum cmp_fault fault;

    *http_status = 200;
    x->fault = CMP_OK;
    if (decoded == CMP_DECODED_NOTHING || (decoded == CMP_DECODED_ALL && is_announcement(x->request.body))) {
        *http_status = decoded == CMP_DECODED_NOTHING ? 400 : 403;
        cmp_note(x, "refused", decoded == CMP_DECODED_NOTHING ? "cmp_syntax" : "cmp_body", NULL);
        return true;
    }
    fault = step_begin(x, err);
    if (fault == CMP_OK && decoded == CMP_DECODED_HEADER)
        fault = CMP_FAULT_SYNTAX;
    if (fault == CMP_OK)
        fault = walk(x, err);
    if (fault == CMP_FAULT_INTERNAL || (fault != CMP_OK && !answer_fault(x, fault, before, err)))
        return false;
    assert(is_answered(x));
    return x->out.len > 0 || cmp_reply_encode(x, err);
}

bool cmp_exchange_refuse(struct cmp_exchange *x, enum cmp_fault fault, struct changes before,
                         struct error *err)
{
    return answer_fault(x, fault, before, err) && cmp_reply_encode(x, err);
}

void cmp_exchange_end(struct cmp_exchange *x)
{
    password_mac_key_wipe(&x->sender.mac_key);
    secret_free(&x->device_key);
}
