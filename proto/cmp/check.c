/* The header of a message, before its protection is looked at. */
#include "proto/cmp/exchange_internal.h"

enum { PVNO_MIN = 2, PVNO_MAX = 3 };

bool cmp_body_opens(enum cmp_body body)
{
    return body == CMP_IR || body == CMP_CR || body == CMP_KUR || body == CMP_P10CR;
}

bool cmp_body_follows(enum cmp_body body)
{
    return body == CMP_CERT_CONF || body == CMP_POLL_REQ || body == CMP_PKICONF || body == CMP_ERROR;
}

enum cmp_fault cmp_check_version(const struct cmp_message *request)
{
    return request->header.pvno < PVNO_MIN || request->header.pvno > PVNO_MAX ? CMP_FAULT_VERSION : CMP_OK;
}

/* --- the operation in the URL --- */

static const struct {
    const char *name;
    enum cmp_body body; /* genm: which question is left to the message */
} labels[] = {
    { "initialization", CMP_IR },  { "certification", CMP_CR },        { "keyupdate", CMP_KUR },
    { "pkcs10", CMP_P10CR },       { "revocation", CMP_RR },           { "getcacerts", CMP_GENM },
    { "getrootupdate", CMP_GENM }, { "getcertreqtemplate", CMP_GENM }, { "getcrls", CMP_GENM },
    { "nested", CMP_NESTED },
};

const char *cmp_operation_name(struct bytes label)
{
    for (size_t i = 0; i < COUNT_OF(labels); i++)
        if (bytes_is(label, labels[i].name))
            return labels[i].name;
    return NULL;
}

enum cmp_fault cmp_check_label(struct bytes label, const struct cmp_message *request)
{
    if (label.len == 0 || cmp_body_follows(request->body))
        return CMP_OK;
    for (size_t i = 0; i < COUNT_OF(labels); i++)
        if (bytes_is(label, labels[i].name))
            return labels[i].body == request->body ? CMP_OK : CMP_FAULT_LABEL;
    return CMP_FAULT_LABEL;
}

/* --- generalInfo --- */

static bool is_null(struct bytes element)
{
    struct der in = der_of(element);
    struct bytes content = der_value(&in, DER_NULL);

    return content.len == 0 && der_finished(&in);
}

static bool is_generalized_time(struct bytes element)
{
    struct der in = der_of(element);

    if (!der_next_is(&in, DER_GENERALIZED_TIME))
        return false;
    (void)der_time(&in);
    return der_finished(&in);
}

static enum cmp_fault check_profile_place(const struct cmp_message *request)
{
    const struct cmp_header *h = &request->header;

    return cmp_body_opens(request->body) || request->body == CMP_GENM ||
                   cmp_info_find(h->info, h->info_count, CMP_IT_CERT_PROFILE) == NULL
               ? CMP_OK
               : CMP_FAULT_PROFILE;
}

static enum cmp_fault check_confirm_info(const struct cmp_message *request)
{
    const struct cmp_header *h = &request->header;
    const struct cmp_info *implicit = cmp_info_find(h->info, h->info_count, CMP_IT_IMPLICIT_CONFIRM);
    const struct cmp_info *wait = cmp_info_find(h->info, h->info_count, CMP_IT_CONFIRM_WAIT_TIME);

    if (implicit != NULL &&
        (!cmp_body_opens(request->body) || (implicit->value.len > 0 && !is_null(implicit->value))))
        return CMP_FAULT_IMPLICIT_CONFIRM;
    if (wait != NULL && !is_generalized_time(wait->value))
        return CMP_FAULT_CONFIRM_WAIT_SYNTAX;
    if (wait != NULL && implicit != NULL)
        return CMP_FAULT_CONFIRM_WAIT;
    return CMP_OK;
}

/* --- nonces, time, sender --- */

static enum cmp_fault check_nonces(const struct cmp_message *request)
{
    const struct cmp_header *h = &request->header;

    if (!h->has_sender_nonce || h->sender_nonce.len < CMP_NONCE_LEN)
        return CMP_FAULT_SENDER_NONCE;
    if (h->has_recip_nonce && !cmp_body_follows(request->body))
        return CMP_FAULT_RECIPIENT_NONCE;
    return CMP_OK;
}

static enum cmp_fault check_time(const struct cmp_header *h, const struct procedure *procedure, int64_t now_s)
{
    const int64_t skew_s = procedure->cmp_skew_s;

    if (!h->has_message_time)
        return procedure->dialect.cmp_strict ? CMP_FAULT_TIME : CMP_OK;
    if (skew_s > 0 && (h->message_time_s < now_s - skew_s || h->message_time_s > now_s + skew_s))
        return CMP_FAULT_TIME;
    return CMP_OK;
}

static enum cmp_fault check_transaction_id(const struct cmp_message *request, const struct dialect *dialect)
{
    if (request->header.has_transaction_id && request->header.transaction_id.len > 0)
        return CMP_OK;
    if (cmp_body_follows(request->body)) /* CMP-78 */
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    return dialect->cmp_strict || request->header.has_transaction_id ? CMP_FAULT_TRANSACTION_ID : CMP_OK;
}

enum cmp_fault cmp_check_header(const struct cmp_message *request, const struct procedure *procedure,
                                int64_t now_s)
{
    enum cmp_fault fault = check_transaction_id(request, &procedure->dialect);

    if (fault == CMP_OK)
        fault = check_nonces(request);
    if (fault == CMP_OK)
        fault = check_time(&request->header, procedure, now_s);
    if (fault == CMP_OK)
        fault = check_confirm_info(request);
    if (fault == CMP_OK)
        fault = check_profile_place(request);
    return fault;
}

/* --- certProfile (RFC 9810 5.1.1.4, CMP-27) --- */

enum cmp_fault cmp_profile_asked(const struct cmp_exchange *x, const struct profile **profile)
{
    const struct cmp_header *h = &x->request.header;
    const struct cmp_info *info = cmp_info_find(h->info, h->info_count, CMP_IT_CERT_PROFILE);
    struct der in, names;
    struct bytes name;

    *profile = NULL;
    if (info == NULL)
        return CMP_OK;
    in = der_of(info->value);
    names = der_enter(&in, DER_SEQUENCE);
    name = der_value(&names, DER_UTF8_STRING);
    if (!der_finished(&names) || !der_finished(&in)) /* one, for the one request */
        return CMP_FAULT_PROFILE;
    *profile = enroll_profile(x->procedure, name);
    return *profile != NULL ? CMP_OK : CMP_FAULT_PROFILE;
}
