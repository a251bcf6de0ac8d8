#include "proto/est/answer.h"
#include "proto/est/body.h"
#include "proto/est/enroll_op_internal.h"
#include "proto/est/nonce.h"

static const unsigned RETRY_AFTER_S = 30; /* where the procedure names none */

/* A challenge goes only to clients that may answer it: a label of certificates alone never sends one
 * (EST-71). */
static bool challenge(struct est_operation *op, bool stale, struct error *err)
{
    const struct procedure *p = op->procedure;
    char nonce[EST_NONCE_LEN + 1] = "";
    struct http_challenges c = {
        .realm = p->est_realm != NULL ? p->est_realm : p->name,
        .basic = p->est_basic,
        .digest = p->est_digest,
        .digest_md5 = p->dialect.est_digest_md5,
        .nonce = nonce,
        .stale = stale,
        .libest = est_client_is_libest(op->request),
    };

    if (c.digest &&
        !est_nonce_make(op->service, bytes_text(c.realm), op->turn->now_s, &op->turn->random, nonce, err))
        return false;
    if (!http_auth_challenge(&c, op->turn->arena, op->response))
        return error_set(err, ERROR_MEMORY, "no memory for a challenge");
    return true;
}

/* That a source has tried a name too often is decided before any registration is looked at, and alike for
 * names that nobody registered: to say so, and for how long, tells nothing but what the asker did (EST-78).
 */
static enum refusal on_wire(const struct est_refusal *r)
{
    return r->why == REFUSAL_LOCKED ? REFUSAL_LOCKED : refusal_on_wire(r->why, r->credential_held);
}

bool est_refuse(struct est_operation *op, const struct est_refusal *r, struct error *err)
{
    struct est_answer answer = est_answer_to(on_wire(r));
    bool http = op->procedure->est_basic || op->procedure->est_digest;
    unsigned wait_s = r->retry_after_s != 0 ? r->retry_after_s : op->procedure->retry_after_s;

    op->turn->facts.verdict = "refused";
    op->turn->facts.reason = refusal_name(r->why);
    if (r->detail != NULL)
        op->turn->facts.detail = r->detail;
    if (r->status != 0)
        answer.status = r->status;
    else if (answer.status == 401 && !http)
        answer.status = 403;
    if (answer.status == 500)
        return error_set(err, ERROR_INTERNAL, "EST: %s", r->detail != NULL ? r->detail : "internal error");
    *op->response = http_respond_text(answer.status, r->text != NULL ? r->text : answer.text);
    if (answer.retry_after)
        http_response_retry_after(op->turn->arena, op->response, wait_s != 0 ? wait_s : RETRY_AFTER_S);
    return answer.status != 401 || challenge(op, r->stale, err);
}
