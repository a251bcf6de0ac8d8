/* ir, cr, kur and p10cr: from the message to an enrollment (RFC 9810 5.3.1 to 5.3.5, RFC 9483 4.1). */
#include "enroll/secret.h"
#include "proto/cmp/exchange_internal.h"

enum { CERT_REQ_ID = 0, CERT_REQ_ID_OF_PKCS10 = -1 };

/* One request, in whichever form it came. */
struct certification {
    struct crmf_request crmf;
    struct csr csr;
    const struct requested *requested;
    const struct profile *profile; /* asked for by certProfile; NULL: the procedure's */
};

/* --- reading --- */

static enum cmp_fault refuse(struct cmp_exchange *x, enum refusal why, const char *detail, struct error *err)
{
    if (why == REFUSAL_INTERNAL)
        return cmp_trouble(err, ERROR_MEMORY, "a request could not be read");
    if (why == REFUSAL_SYNTAX)
        return CMP_FAULT_SYNTAX;
    return cmp_deliver(x, &(struct enroll_result){ .reason = why, .credential_held = true, .detail = detail },
                       err);
}

/* RFC 2986 4: version is 0. One that is not is told as what it is (CMP-61), not as garbage. */
static bool is_of_another_version(struct bytes pkcs10)
{
    struct der in = der_of(pkcs10), request = der_enter(&in, DER_SEQUENCE),
               info = der_enter(&request, DER_SEQUENCE);
    uint64_t version = der_uint(&info);

    return !info.failed && version != 0;
}

static enum cmp_fault read_pkcs10(struct cmp_exchange *x, struct certification *c, struct error *err)
{
    const char *detail = NULL;
    enum refusal why;

    x->transaction.cert_req_id = CERT_REQ_ID_OF_PKCS10;
    if (is_of_another_version(x->request.content))
        return cmp_reject(x, CMP_FAULT_TEMPLATE, "version of the PKCS#10", err);
    if (!enroll_csr_decode(x->procedure, c->profile, PROTOCOL_CMP, x->request.content, x->turn->arena,
                           &c->csr, &why, &detail)) {
        cmp_note(x, "refused", refusal_name(why), detail);
        return refuse(x, why, detail, err);
    }
    c->requested = &c->csr.requested;
    return CMP_OK;
}

static enum cmp_fault read_crmf(struct cmp_exchange *x, struct certification *c, struct error *err)
{
    const char *detail = NULL;
    struct bytes message[CMP_ITEMS_MAX];
    enum refusal why;
    size_t count;

    if (!cmp_elements_decode(x->request.content, message, CMP_ITEMS_MAX, &count))
        return CMP_FAULT_SYNTAX;
    if (count != 1) /* CMP-46 */
        return CMP_FAULT_COUNT;
    if (!enroll_crmf_decode(x->procedure, c->profile, message[0], x->turn->arena, &c->crmf, &why, &detail)) {
        cmp_note(x, "refused", refusal_name(why), detail);
        return refuse(x, why, detail, err);
    }
    if (c->crmf.cert_req_id != CERT_REQ_ID)
        return cmp_reject(x, CMP_FAULT_CERT_REQ_ID, NULL, err);
    c->requested = &c->crmf.requested;
    return CMP_OK;
}

/* --- proof of possession (RFC 4211 4, CMP-50 to CMP-55) --- */

static enum cmp_fault judge_sk_input(const struct cmp_exchange *x, const struct crmf_request *r)
{
    const struct password_mac_rules rules = { .iterations_max = x->procedure->cmp_iterations_max,
                                              .allow_hmac_sha1 = x->procedure->dialect.cmp_hmac_sha1 ||
                                                                 x->procedure->dialect.cmp_sha1,
                                              .allow_sha1 = x->procedure->dialect.cmp_sha1 };
    AUTO_STRUCT(secret) sealed = { 0 };
    struct bytes password = BYTES_NONE;
    struct password_mac mac;

    if (!r->has_sk_input)
        return CMP_OK;
    /* RFC 4211 4.1: `sender` is for those whose name is authentic. A secret proves none, and with it the
     * proof that another made would fit any registration: it is publicKeyMAC that binds the key to the
     * secret. */
    if (r->sk_input_sender.len > 0 && x->sender.role == CMP_ROLE_SECRET)
        return CMP_FAULT_POP;
    if (r->sk_input_sender.len > 0)
        return bytes_equal(r->sk_input_sender, x->request.header.sender) ? CMP_OK : CMP_FAULT_POP;
    if (x->sender.role != CMP_ROLE_SECRET ||
        password_mac_decode(r->sk_input_mac_algorithm, &rules, &mac) != PASSWORD_MAC_OK)
        return CMP_FAULT_POP;
    return enroll_registration_password(x->turn->keys, x->sender.registration, &sealed, &password) &&
                   password_mac_holds(&mac, password, r->sk_input_key, r->sk_input_mac)
               ? CMP_OK
               : CMP_FAULT_POP;
}

static bool wants_generation(const struct crmf_request *r)
{
    return !r->template.has_key || r->template.key_is_empty;
}

static enum cmp_fault judge_pop(const struct cmp_exchange *x, const struct crmf_request *r)
{
    if (wants_generation(r))
        return cmp_judge_generation(x, r);
    switch (r->pop) {
    case CRMF_POP_SIGNATURE: return judge_sk_input(x, r);
    case CRMF_POP_RA_VERIFIED:
        if (x->sender.role != CMP_ROLE_RA)
            return CMP_FAULT_NOT_AUTHORIZED;
        return x->request.body == CMP_KUR ? CMP_FAULT_POP : CMP_OK;
    case CRMF_POP_ABSENT:
    case CRMF_POP_OTHER: break;
    }
    return CMP_FAULT_POP;
}

/* --- may this sender ask for this? --- */

static enum cmp_fault judge_role(const struct cmp_exchange *x)
{
    enum cmp_body body = x->request.body;

    switch (x->sender.role) {
    case CMP_ROLE_SECRET: /* a MAC on a kur was refused before (CMP-35) */
    case CMP_ROLE_HOLDER: return CMP_OK;
    case CMP_ROLE_VENDOR: /* CMP-57: another PKI's certificate begins, and no more */
        return body == CMP_IR || body == CMP_P10CR ? CMP_OK : CMP_FAULT_NOT_AUTHORIZED;
    case CMP_ROLE_RA: return body == CMP_KUR ? CMP_FAULT_NOT_AUTHORIZED : CMP_OK;
    case CMP_ROLE_FOREIGN:
    case CMP_ROLE_NONE: break;
    }
    return CMP_FAULT_NOT_AUTHORIZED;
}

/* RFC 4211 6.5, CMP-58. */
static enum cmp_fault judge_old_certificate(const struct cmp_exchange *x, const struct crmf_request *r)
{
    const struct certificate *held = &x->sender.holder.certificate;
    struct certificate_id old;

    if (x->request.body != CMP_KUR || !r->has_old_cert_id)
        return CMP_OK;
    if (r->old_issuer.len == 0 || !bytes_equal(r->old_issuer, held->issuer.encoded) ||
        !certificate_id_of(r->old_issuer, r->old_serial, &old) ||
        !certificate_id_equal(&old, &x->sender.holder.record.id))
        return CMP_FAULT_OLD_CERT_ID;
    return CMP_OK;
}

/* A device with its vendor's certificate names the vendor's CA (OpenSSL's client does, unasked): no wish. */
static enum cmp_fault judge_issuer(const struct cmp_exchange *x, const struct crmf_request *r)
{
    struct distinguished_name name;

    if (!r->template.has_issuer)
        return CMP_OK;
    if (name_decode_lenient(r->template.issuer, x->turn->arena, &name) != NAME_OK)
        return CMP_FAULT_WRONG_AUTHORITY;
    if (x->sender.role == CMP_ROLE_VENDOR && name_equal(&name, &x->sender.holder.certificate.issuer))
        return CMP_OK;
    return name_equal(&name, &x->ca->certificate.subject) ? CMP_OK : CMP_FAULT_WRONG_AUTHORITY;
}

static enum cmp_fault judge(const struct cmp_exchange *x, const struct certification *c)
{
    bool pkcs10 = x->request.body == CMP_P10CR; /* its signature is its proof of possession (CMP-61) */
    enum cmp_fault fault = judge_role(x);

    if (fault == CMP_OK && !pkcs10)
        fault = judge_pop(x, &c->crmf);
    if (fault == CMP_OK && !pkcs10)
        fault = judge_issuer(x, &c->crmf);
    if (fault == CMP_OK && !pkcs10)
        fault = judge_old_certificate(x, &c->crmf);
    return fault;
}

/* --- enrollment --- */

static void set_credential(const struct cmp_exchange *x, struct credential *out)
{
    const struct cmp_sender *sender = &x->sender;

    if (sender->role == CMP_ROLE_SECRET) {
        out->kind = CREDENTIAL_REGISTRATION;
        out->registration = sender->registration->id;
        return;
    }
    out->kind = sender->role == CMP_ROLE_RA ? CREDENTIAL_RA : CREDENTIAL_CERTIFICATE;
    out->certificate.der = sender->holder.certificate.encoded;
    out->certificate.chain = sender->chain;
    out->certificate.chain_count = sender->chain_count;
}

static bool asks_implicit_confirm(const struct cmp_header *h)
{
    return cmp_info_find(h->info, h->info_count, CMP_IT_IMPLICIT_CONFIRM) != NULL;
}

/* What follow-ups must agree with. */
static bool open_transaction(struct cmp_exchange *x, struct error *err)
{
    struct cmp_transaction *t = &x->transaction;

    t->implicit_confirm = x->procedure->cmp_implicit_confirm && asks_implicit_confirm(&x->request.header);
    t->sender = x->sender.identity;
    t->algorithm = x->sender.algorithm;
    if (x->sender.role != CMP_ROLE_SECRET)
        t->signer = x->sender.holder.certificate.encoded;
    if (x->request.body == CMP_KUR)
        t->old = x->sender.holder.record.id;
    return sha256(x->request.encoded, &t->opening) ||
           error_set(err, ERROR_CRYPTO, "SHA-256 of a CMP message");
}

static struct enrollment enrollment_of(const struct cmp_exchange *x, const struct certification *c)
{
    bool pkcs10 = x->request.body == CMP_P10CR;
    struct enrollment e = {
        .protocol = PROTOCOL_CMP,
        .procedure = x->procedure,
        .transaction_id = x->transaction_id,
        .signer = x->sender.identity,
        .requested = c->requested,
        .form = pkcs10 ? REQUEST_PKCS10 : REQUEST_CRMF,
        .request = pkcs10 ? x->request.content : c->crmf.encoded,
        .profile = c->profile,
        .renewal = x->request.body == CMP_KUR,
        .peer = *x->peer,
    };

    set_credential(x, &e.credential);
    return e;
}

/* A key is dear: it is made for those alone who are admitted. */
static enum cmp_fault make_key(struct cmp_exchange *x, struct certification *c, struct error *err)
{
    const struct profile *profile = c->profile != NULL ? c->profile : x->procedure->profile;
    const struct enrollment e = enrollment_of(x, c);
    struct enroll_result refusal = { 0 };
    bool admitted = false;

    if (x->request.body == CMP_P10CR || !wants_generation(&c->crmf))
        return CMP_OK;
    if (!enroll_would_admit(x->turn, x->service->enroll, &e, &admitted, &refusal, err))
        return CMP_FAULT_INTERNAL;
    if (!admitted)
        return cmp_deliver(x, &refusal, err);
    x->transaction.generated = true;
    return cmp_generate(x, &c->crmf.template, profile, &c->crmf.requested.key, err);
}

static enum cmp_fault enroll_it(struct cmp_exchange *x, const struct certification *c, struct error *err)
{
    struct enrollment e = enrollment_of(x, c);
    struct enroll_result result = { 0 };

    if (!open_transaction(x, err))
        return CMP_FAULT_INTERNAL;
    e.confirm_within_s = x->transaction.implicit_confirm ? 0 : x->procedure->cmp_confirm_wait_s;
    if (!enroll_held(x->turn, x->service->enroll, &e, &x->sender.holder, &result, err))
        return CMP_FAULT_INTERNAL;
    x->requested = c->requested;
    return cmp_deliver(x, &result, err);
}

/* --- origPKIMessage (RFC 9810 5.1.1.3, CMP-115): what an RA changed must have been good. From others it
 * would be a second message to try a secret with. --- */

static enum cmp_fault check_original(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_header *h = &x->request.header;
    const struct cmp_info *info = cmp_info_find(h->info, h->info_count, CMP_IT_ORIG_PKI_MESSAGE);
    struct cmp_message *original;
    struct bytes element;
    enum cmp_fault fault;
    size_t count;

    if (info == NULL)
        return CMP_OK;
    if (x->sender.role != CMP_ROLE_RA)
        return CMP_FAULT_NOT_AUTHORIZED;
    if (!cmp_elements_decode(info->value, &element, 1, &count))
        return CMP_FAULT_COUNT;
    original = arena_alloc(x->turn->arena, sizeof(*original));
    if (original == NULL)
        return cmp_trouble(err, ERROR_MEMORY, "original message");
    if (cmp_message_decode(element, original) != CMP_DECODED_ALL)
        return CMP_FAULT_ORIGINAL;
    fault = cmp_authenticate_original(x, original, err);
    return fault == CMP_OK || fault == CMP_FAULT_INTERNAL ? fault : CMP_FAULT_ORIGINAL;
}

enum cmp_fault cmp_serve_request(struct cmp_exchange *x, struct error *err)
{
    struct certification *c = arena_alloc(x->turn->arena, sizeof(*c));
    enum cmp_fault fault;

    if (c == NULL)
        return cmp_trouble(err, ERROR_MEMORY, "a request");
    x->transaction.opened_by = x->request.body;
    fault = check_original(x, err);
    if (fault == CMP_OK)
        fault = cmp_profile_asked(x, &c->profile);
    if (fault == CMP_OK)
        fault = x->request.body == CMP_P10CR ? read_pkcs10(x, c, err) : read_crmf(x, c, err);
    if (fault != CMP_OK || x->reply.body != CMP_BODY_NONE)
        return fault;
    fault = judge(x, c);
    if (fault == CMP_OK)
        fault = make_key(x, c, err);
    if (fault == CMP_FAULT_INTERNAL || x->reply.body != CMP_BODY_NONE)
        return fault;
    return fault == CMP_OK ? enroll_it(x, c, err) : cmp_reject(x, fault, NULL, err);
}
