/* Repetition: the same request by the same signer gets the same answer (CSR-103, CSR-104). */
#include "enroll/order_internal.h"

#include "enroll/account_internal.h"
#include "registry/certificates.h"

static bool shows_certificate_alone(const struct enrollment *e)
{
    return e->credential.kind == CREDENTIAL_CERTIFICATE && e->second.kind == CREDENTIAL_NONE;
}

static bool has_registration(const struct transaction *t)
{
    static const struct registration_id none;

    return !bytes_equal(registration_id_bytes(&t->registration), registration_id_bytes(&none));
}

/* What was shown then is shown again. A certificate was judged then; now its key's possession is enough, for
 * the renewal that is asked for again has made it the older one. A secret must still be the registration's,
 * and a registration that was closed or has expired since proves nothing any more (CSR-102). */
static bool proves_again(struct course *c, bool *proves, struct error *err)
{
    bool certificate = shows_certificate_alone(&c->e) && c->holder.kind != HOLDER_NONE, found = false, held;
    struct registration *r;

    *proves = certificate ||
              (c->e.credential.kind == CREDENTIAL_ACCOUNT && !c->e.procedure->preregistration &&
               account_has_proved(&c->e.credential, &c->identity));
    if (!has_registration(&c->transaction))
        return true;
    r = arena_alloc(c->turn->arena, sizeof(*r));
    if (r == NULL)
        return error_set(err, ERROR_MEMORY, "registration");
    if (!registry_registration_by_id(c->turn->view, &c->transaction.registration, c->turn->arena, &found, r,
                                     err))
        return false;
    held = found && !certificate && credential_holds(&c->e, &c->identity, r, &c->proof);
    *proves = (certificate || held) && found && registration_is_open(r) &&
              !registration_is_expired(r, c->turn->now_s);
    if (*proves && held) {
        c->verdict.registration = r;
        c->verdict.credential_held = true;
    }
    return true;
}

static bool is_over(const struct course *c)
{
    return c->e.repeat_s > 0 && !c->transaction.unfetched &&
           c->turn->now_s - c->transaction.changed_s > (int64_t)c->e.repeat_s;
}

/* A certificate that was revoked since is not handed out again: then the request is a new one. But where it
 * was to be confirmed, the transaction is over with it. */
static enum progress answer_issued(struct course *c, struct error *err)
{
    struct certificate_record record;
    bool found = false;

    if (is_over(c))
        return PROGRESS_ON;
    if (!registry_certificate_by_id(c->turn->view, &c->transaction.certificate, c->turn->arena, &found,
                                    &record, err))
        return PROGRESS_ERROR;
    if (found && record.status == CERTIFICATE_GOOD)
        return course_fetched(c, err) ? course_issued(c, record.der, &record.id, true, err) : PROGRESS_ERROR;
    return c->transaction.confirmation == CONFIRMATION_NONE
               ? PROGRESS_ON
               : course_refuse(c, REFUSAL_CONFLICT, "its certificate was revoked");
}

static enum progress answer_again(struct course *c, struct error *err)
{
    switch (c->transaction.status) {
    case TRANSACTION_ISSUED: return answer_issued(c, err);
    case TRANSACTION_PENDING: return course_pending(c, true);
    case TRANSACTION_DENIED: return course_refuse(c, REFUSAL_DENIED, "an officer denied it");
    case TRANSACTION_ORDERED: return order_pending(c, err);
    case TRANSACTION_REJECTED: return order_rejected(c, err);
    case TRANSACTION_APPROVED:
    case TRANSACTION_STATUS_COUNT:
    case TRANSACTION_NONE: return PROGRESS_ON;
    }
    return PROGRESS_ON;
}

enum progress step_recall(struct course *c, struct error *err)
{
    const struct transaction_key key = { bytes_text(c->e.procedure->name), c->e.protocol,
                                         c->e.transaction_id };
    const struct verdict before = c->verdict;
    enum progress progress;
    bool proves = false;

    if (!transaction_read(c->turn, &key, &c->transaction, err))
        return PROGRESS_ERROR;
    c->repeats = course_repeats(c);
    if (!c->repeats)
        return PROGRESS_ON;
    if (!proves_again(c, &proves, err))
        return PROGRESS_ERROR;
    progress = proves ? answer_again(c, err) : PROGRESS_ON;
    if (progress == PROGRESS_ON)
        c->verdict = before; /* admission decides anew */
    return progress;
}

/* After admission: strangers do not learn which transaction ids are in use. */
enum progress step_check_transaction(struct course *c, struct error *err)
{
    const struct transaction *t = &c->transaction;

    (void)err;
    if (t->status == TRANSACTION_NONE || c->repeats)
        return PROGRESS_ON;
    /* A renewal may come under the transaction id of the certificate that it renews. */
    if (t->status == TRANSACTION_ISSUED && c->holder.kind == HOLDER_OURS &&
        certificate_id_equal(&t->certificate, &c->holder.record.id))
        return PROGRESS_ON;
    return course_refuse(c, REFUSAL_CONFLICT, "the transaction id is another request's");
}
