#include "proto/est/enroll_op_internal.h"

#include "lib/base/encode.h"
#include "lib/pki/cms.h"
#include "lib/pki/csr.h"
#include "proto/est/body.h"
#include "proto/est/link.h"

enum { REPEAT_S = 600 }; /* EST-50 */

static const unsigned PENDING_RETRY_S = 30;
static const char CERTS_ONLY[] = "application/pkcs7-mime; smime-type=certs-only";

static bool refuse(struct est_operation *op, enum refusal why, const char *detail, const char *text,
                   struct error *err)
{
    return est_refuse(op, &(struct est_refusal){ .why = why, .detail = detail, .text = text }, err);
}

/* --- the CSR --- */

/* EST-24: taken, and said so. */
static const char *form_detail(enum est_body form)
{
    switch (form) {
    case EST_BODY_DER: return "body was raw DER";
    case EST_BODY_PEM: return "body was PEM";
    case EST_BODY_BASE64:
    case EST_BODY_MALFORMED:
    case EST_BODY_MEMORY: break;
    }
    return NULL;
}

/* *found NONE: the answer is there. */
static bool read_csr(struct est_operation *op, struct csr *csr, enum est_body *form, enum est_found *found,
                     struct error *err)
{
    const struct procedure *p = op->procedure;
    struct bytes der = BYTES_NONE;
    const char *detail = NULL;
    enum est_body kind = est_body_decode(op->request->body, p->dialect.est_strict_base64, op->turn->arena,
                                         &der);
    enum refusal why;

    *found = EST_FOUND_NONE;
    if (kind == EST_BODY_MEMORY)
        return error_set(err, ERROR_MEMORY, "no memory for a request's body");
    if (kind == EST_BODY_MALFORMED)
        return refuse(op, REFUSAL_SYNTAX, "the body is not base64",
                      "the body is not base64 of a certificate request\n", err);
    if (!enroll_csr_decode(p, NULL, PROTOCOL_EST, der, op->turn->arena, csr, &why, &detail))
        return refuse(op, why, detail, NULL, err);
    *form = kind;
    *found = EST_FOUND;
    return true;
}

/* --- linking --- */

/* NULL: the CSR may pass. */
static const char *link_fault(enum est_link link, bool required)
{
    switch (link) {
    case EST_LINK_HOLDS: return NULL;
    case EST_LINK_ABSENT:
        return required ? "linking of identity and proof of possession is required: challengePassword\n"
                        : NULL;
    case EST_LINK_UNSAFE:
        return required ? "linking needs TLS 1.3, or TLS 1.2 with extended master secret\n" : NULL;
    case EST_LINK_UNSUPPORTED: return "an attribute of the certificate request is not supported\n";
    case EST_LINK_WRONG: break;
    }
    return "linking of identity and proof of possession failed\n";
}

static bool check_link(struct est_operation *op, const struct csr *csr, enum est_found *found,
                       struct error *err)
{
    enum est_link link = est_link_verify(csr, &op->request->peer, op->turn->arena);
    const char *fault = link_fault(link, op->procedure->est_link_required);

    *found = fault == NULL ? EST_FOUND : EST_FOUND_NONE;
    if (fault == NULL)
        return true;
    return refuse(op, link == EST_LINK_UNSUPPORTED ? REFUSAL_PROFILE : REFUSAL_POP,
                  link == EST_LINK_WRONG ? "channel binding does not fit"
                                         : "channel binding missing or not usable",
                  fault, err);
}

/* --- the enrollment --- */

/* EST has no transactions: the same client asking for the same thing is one (EST-48 to EST-50). The linking
 * value and the signature, which differ from one TLS session to the next, are left out. */
static bool name_transaction(const struct est_operation *op, const struct est_client *client,
                             const struct csr *csr, struct bytes *out, struct error *err)
{
    struct digest256 content, all;
    char *text = arena_alloc(op->turn->arena, 2 * DIGEST256_LEN + 1);

    if (text == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a transaction id");
    if (!est_link_content(csr, op->turn->arena, &content) ||
        !sha256_parts((struct bytes[]){ op->reenroll ? BYTES_LITERAL("re:") : BYTES_LITERAL("en:"),
                                        digest256_bytes(&client->identity), digest256_bytes(&content) },
                      3, &all))
        return error_set(err, ERROR_CRYPTO, "no digest of a certificate request");
    hex_encode(digest256_bytes(&all), text);
    *out = bytes_of(text, 2 * DIGEST256_LEN);
    return true;
}

static bool issued(struct est_operation *op, struct bytes certificate, struct error *err)
{
    struct bytes bag;

    if (!cms_bag(&certificate, 1, NULL, 0, op->turn->arena, &bag, err))
        return false;
    if (!est_respond(bag, CERTS_ONLY, op->request, op->response))
        return error_set(err, ERROR_MEMORY, "no memory for a certificate's body");
    return true;
}

static bool answer(struct est_operation *op, const struct enroll_result *result, struct error *err)
{
    switch (result->kind) {
    case ENROLL_ISSUED: return issued(op, result->certificate, err);
    case ENROLL_PENDING:
        *op->response = http_respond_text(202, "accepted, not decided yet: come back later\n");
        http_response_retry_after(op->turn->arena, op->response,
                                  result->retry_after_s != 0 ? result->retry_after_s : PENDING_RETRY_S);
        return true;
    case ENROLL_REFUSED: break;
    }
    return est_refuse(op,
                      &(struct est_refusal){ .why = result->reason,
                                             .credential_held = result->credential_held,
                                             .detail = result->detail,
                                             .retry_after_s = result->retry_after_s },
                      err);
}

bool est_enroll(struct est_operation *op, struct error *err)
{
    struct enrollment e = { .protocol = PROTOCOL_EST,
                            .procedure = op->procedure,
                            .peer = op->request->peer.address,
                            .repeat_s = REPEAT_S };
    struct enroll_result result = { 0 };
    struct est_client client;
    enum est_found found;
    struct csr csr = { 0 };
    enum est_body form = EST_BODY_MALFORMED;

    if (!est_client_find(op, &client, &found, err))
        return false;
    if (found == EST_FOUND && !read_csr(op, &csr, &form, &found, err))
        return false;
    if (found == EST_FOUND && !check_link(op, &csr, &found, err))
        return false;
    if (found == EST_FOUND_NONE)
        return true;
    if (!name_transaction(op, &client, &csr, &e.transaction_id, err))
        return false;
    op->turn->facts.transaction = e.transaction_id;
    e.signer = client.identity;
    e.requested = &csr.requested;
    e.request = csr.encoded;
    e.credential = client.credential;
    e.second = client.second;
    e.renewal = op->reenroll;
    if (!enroll(op->turn, op->service->enroll, &e, &result, err))
        return false;
    if (op->turn->facts.detail == NULL)
        op->turn->facts.detail = form_detail(form);
    return answer(op, &result, err);
}
