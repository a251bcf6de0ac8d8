/* What a certificate of ours may do (CSR-100 to CSR-102), and which keys may be certified (CSR-35 to CSR-37).
 */
#include "enroll/enroll_internal.h"

#include "registry/certificates.h"
#include "registry/state.h"

enum { CERTIFICATES_OF_KEY_AT_FIRST = 8, CERTIFICATES_OF_KEY_MAX = 32, OFFICERS_AT_FIRST = 8 };

static bool too_early(const struct procedure *procedure, const struct certificate *c, int64_t now_s)
{
    return procedure->renewal_window_s > 0 && now_s < c->not_after_s - (int64_t)procedure->renewal_window_s;
}

enum progress step_judge_certificate(struct course *c, struct error *err)
{
    const struct procedure *procedure = c->e.procedure;
    bool shown = c->e.credential.kind == CREDENTIAL_CERTIFICATE || c->e.second.kind == CREDENTIAL_CERTIFICATE;

    (void)err;
    if (shown && !c->holder.usable)
        return course_refuse(c, c->holder.fault, c->holder.detail);
    if (c->e.credential.kind == CREDENTIAL_RA && !c->ra.trusted)
        return course_refuse(c, REFUSAL_RENEW_STATE, c->ra.detail);
    if (c->holder.awaits_confirmation)
        return course_refuse(c, REFUSAL_RENEW_STATE, "the certificate or its renewal awaits confirmation");
    if (c->protocol_says_renewal && c->holder.kind == HOLDER_NONE)
        return course_refuse(c, REFUSAL_RENEW_STATE, "no certificate that could be renewed was shown");
    if (c->holder.kind != HOLDER_OURS)
        return PROGRESS_ON;
    if (!procedure->renewal)
        return course_refuse(c, REFUSAL_RENEW_STATE, "renewals are off in this procedure");
    if (too_early(procedure, &c->holder.certificate, c->turn->now_s))
        return course_refuse(c, REFUSAL_RENEW_STATE, "the renewal window has not begun");
    return PROGRESS_ON;
}

/* --- names --- */
/* A key update that names no SAN asks for those of the certificate that it updates. */
enum progress step_complete_update(struct course *c, struct error *err)
{
    struct requested *whole;

    if (c->e.protocol != PROTOCOL_CMP || !c->protocol_says_renewal || c->holder.kind != HOLDER_OURS ||
        c->e.requested->san.count > 0)
        return PROGRESS_ON;
    whole = arena_alloc(c->turn->arena, sizeof(*whole));
    if (whole == NULL) {
        (void)error_set(err, ERROR_MEMORY, "key update");
        return PROGRESS_ERROR;
    }
    *whole = *c->e.requested;
    whole->san = c->holder.certificate.san;
    c->e.requested = whole;
    return PROGRESS_ON;
}

/* EST-52: "identical to the certificate being renewed". */
static bool asks_for_the_same(const struct course *c)
{
    return name_equal(&c->e.requested->subject, &c->holder.certificate.subject) &&
           general_names_equal(&c->e.requested->san, &c->holder.certificate.san);
}

/* The certificate would say the same as the one it renews. */
static bool gets_the_same(const struct course *c, bool *same, struct error *err)
{
    AUTO_STRUCT(buffer) sequence = BUFFER(128 * 1024);
    struct distinguished_name subject;
    struct general_names san = { 0 };
    size_t begun = der_begin(&sequence, DER_SEQUENCE);

    buffer_append(&sequence, c->names.san);
    der_end(&sequence, begun);
    if (buffer_failed(&sequence) || name_decode(c->names.subject, c->turn->arena, &subject) != NAME_OK ||
        (c->names.san.len > 0 &&
         general_names_decode(buffer_bytes(&sequence), c->turn->arena, &san) != NAME_OK))
        return error_set(err, ERROR_INTERNAL, "effective names cannot be read back");
    *same = name_equal(&subject, &c->holder.certificate.subject) &&
            general_names_equal(&san, &c->holder.certificate.san);
    return true;
}

/* Asks for the certificate's subject and names no SAN at all: the request that the device sent at first,
 * whose names the registration completed. */
static bool asks_without_san(const struct course *c)
{
    return c->e.requested->san.count == 0 &&
           name_equal(&c->e.requested->subject, &c->holder.certificate.subject);
}

/* Protocols that ask for one more certificate in other words than for a renewal: then other names are no
 * mistake. */
static bool may_add(const struct course *c)
{
    return (c->e.protocol == PROTOCOL_EST || c->e.protocol == PROTOCOL_CMP) && !c->protocol_says_renewal &&
           c->verdict.registration != NULL;
}

/* EST-59: preregistered like any, approved like any, and a one-time registration gives one certificate. */
static enum progress take_additional(struct course *c)
{
    const struct registration *r = c->verdict.registration;

    c->additional = true;
    return r->one_time && r->used ? course_refuse(c, REFUSAL_USED, "an additional certificate is no renewal")
                                  : PROGRESS_ON;
}

/* Subject and SAN stay as they are unless the procedure lets them change. EST says that the request must be
 * identical (EST-53); but clients of SCEP, and of EST with a plain `openssl req`, send the request that they
 * sent at first: there, and in CMP (CMP-58), it is enough that the new certificate says what the old one
 * said. */
enum progress step_check_renewed_names(struct course *c, struct error *err)
{
    bool same = false;

    if (c->holder.kind != HOLDER_OURS || c->e.procedure->renewal_rename || asks_for_the_same(c))
        return PROGRESS_ON;
    if (c->e.protocol == PROTOCOL_EST && c->protocol_says_renewal && !asks_without_san(c))
        return course_refuse(c, REFUSAL_RENEW_MISMATCH, "subject or SAN is not the certificate's");
    if (!gets_the_same(c, &same, err))
        return PROGRESS_ERROR;
    if (same)
        return PROGRESS_ON;
    if (may_add(c))
        return take_additional(c);
    return course_refuse(c, REFUSAL_RENEW_MISMATCH, "subject or SAN would not be the certificate's");
}

/* --- keys --- */
static bool is_own_key(const struct course *c, struct bytes spki)
{
    const struct enroll_service *service = c->service;

    for (size_t i = 0; i < service->ca_count; i++)
        if (bytes_equal(service->ca[i].certificate.key.spki, spki))
            return true;
    for (size_t i = 0; i < service->procedure_count; i++)
        if (bytes_equal(service->procedure[i]->scep_ra_key, spki) ||
            bytes_equal(service->procedure[i]->cmp_ra_key, spki))
            return true;
    return false;
}

static bool is_officer_key(struct course *c, struct bytes spki, bool *is, struct error *err)
{
    struct officer_record *officer;
    size_t max = OFFICERS_AT_FIRST / 4, count = 0;

    do { /* all of them, however many */
        max *= 4;
        officer = arena_array(c->turn->arena, max, sizeof(*officer));
        if (officer == NULL)
            return error_set(err, ERROR_MEMORY, "officers");
        if (!registry_officers_list(c->turn->view, max, c->turn->arena, officer, &count, err))
            return false;
    } while (count == max);
    *is = false;
    for (size_t i = 0; i < count; i++)
        *is |= bytes_equal(officer[i].spki, spki);
    return true;
}

/* What earlier certificates over this key say against another one; REFUSAL_COUNT: nothing. */
static enum refusal judge_reuse(const struct course *c, const struct certificate_record *record, size_t count,
                                const char **detail)
{
    const struct procedure *procedure = c->e.procedure;

    for (size_t i = 0; i < count; i++) {
        const struct certificate_record *r = &record[i];

        if (r->status == CERTIFICATE_REVOKED && r->revocation_reason == REVOCATION_KEY_COMPROMISE) {
            *detail = "the key was revoked as compromised";
            return REFUSAL_KEY;
        }
        if (r->domain.value != procedure->domain->id.value)
            continue;
        if (!dns_name_equal(&r->fqdn, &c->identity.fqdn) &&
            !(c->holder.kind == HOLDER_OURS && procedure->renewal_rename)) {
            *detail = "the key is certified for another name";
            return REFUSAL_KEY_REUSE;
        }
        if (!procedure->same_key_renewal) {
            *detail = "the key is certified already, and this procedure wants a new one";
            return REFUSAL_KEY_REUSE;
        }
    }
    return REFUSAL_COUNT;
}

/* The newest certificates over the key that is asked for. */
static bool certificates_of_key(struct course *c, struct certificate_record **out, size_t *count,
                                struct error *err)
{
    size_t max = CERTIFICATES_OF_KEY_AT_FIRST / 4;

    do { /* most keys have none */
        max *= 4;
        *out = arena_array(c->turn->arena, max, sizeof(**out));
        if (*out == NULL)
            return error_set(err, ERROR_MEMORY, "certificates over a key");
        if (!registry_certificates_by_key(c->turn->view, &c->identity.key, max, c->turn->arena, *out, count,
                                          err))
            return false;
    } while (*count == max && max < CERTIFICATES_OF_KEY_MAX);
    return true;
}

enum progress step_check_key(struct course *c, struct error *err)
{
    struct certificate_record *record;
    struct bytes spki = c->e.requested->key.spki;
    const char *detail = NULL;
    enum refusal why;
    size_t count = 0;
    bool officer = false;

    if (is_own_key(c, spki))
        return course_refuse(c, REFUSAL_KEY_REUSE, "the key is one of the gateway's");
    if (!is_officer_key(c, spki, &officer, err) || !certificates_of_key(c, &record, &count, err))
        return PROGRESS_ERROR;
    if (officer)
        return course_refuse(c, REFUSAL_KEY_REUSE, "the key is an officer's");
    why = judge_reuse(c, record, count, &detail);
    return why == REFUSAL_COUNT ? PROGRESS_ON : course_refuse(c, why, detail);
}
