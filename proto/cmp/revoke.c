/* rr (RFC 9810 5.3.9, RFC 9483 4.2): a certificate is revoked by whoever holds it, or by an RA. */
#include "enroll/revoke.h"
#include "lib/pki/names.h"
#include "proto/cmp/exchange_internal.h"
#include "registry/certificates.h"

static const uint8_t OID_REASON_CODE[] = { 0x55, 0x1d, 0x15 };

enum { REASON_REMOVE_FROM_CRL = 8, REASON_UNUSED = 7, REASON_AA_COMPROMISE = 10 };

struct revocation {
    struct cmp_rev_details details;
    struct certificate_record record;
    int reason;
};

static enum cmp_fault say(struct cmp_exchange *x, const struct cmp_status_info *status, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(4096);

    cmp_rev_rep_put(&content, status);
    return cmp_say(x, CMP_RP, &content, err);
}

static enum cmp_fault reject(struct cmp_exchange *x, enum cmp_fault fault, struct error *err)
{
    const struct cmp_answer answer = cmp_answer_to_fault(fault);
    const struct cmp_status_info status = { .status = CMP_REJECTION,
                                            .fail_info = answer.fail_info,
                                            .text = bytes_text(answer.text) };

    cmp_note(x, "refused", cmp_fault_name(fault), NULL);
    return say(x, &status, err);
}

/* --- reason --- */

static enum cmp_fault reason_value(struct bytes octets, int *reason)
{
    struct der in = der_of(octets);
    struct bytes value = der_value(&in, DER_ENUMERATED);

    if (value.len != 1 || !der_finished(&in) || value.data[0] > REASON_AA_COMPROMISE ||
        value.data[0] == REASON_UNUSED)
        return CMP_FAULT_REVOKE_REASON;
    *reason = value.data[0];
    return CMP_OK;
}

/* reasonCode among crlEntryDetails, once at most; without any, unspecified (CMP-92, CMP-96). */
static enum cmp_fault read_reason(struct bytes extensions, int *reason)
{
    struct der in = der_of(extensions), all = der_enter(&in, DER_SEQUENCE);
    enum cmp_fault fault = CMP_OK;
    bool found = false;

    *reason = REVOCATION_UNSPECIFIED;
    if (extensions.len == 0)
        return CMP_OK;
    while (fault == CMP_OK && der_more(&all)) {
        struct der extension = der_enter(&all, DER_SEQUENCE);
        struct bytes oid = der_value(&extension, DER_OID);

        if (der_next_is(&extension, DER_BOOLEAN))
            (void)der_boolean(&extension);
        if (!bytes_equal(oid, BYTES_ARRAY(OID_REASON_CODE)))
            continue;
        if (found)
            return CMP_FAULT_COUNT;
        found = true;
        fault = reason_value(der_value(&extension, DER_OCTET_STRING), reason);
    }
    return all.failed ? CMP_FAULT_SYNTAX : fault;
}

/* --- which certificate --- */

static bool same_name(struct bytes a, const struct distinguished_name *b, struct arena *arena)
{
    struct distinguished_name name;

    return name_decode_lenient(a, arena, &name) == NAME_OK && name_equal(&name, b);
}

/* What else the template says must be true of the certificate (CMP-94). */
static bool describes(const struct crmf_template *t, const struct certificate_record *record,
                      struct arena *arena)
{
    struct certificate c;

    if (!certificate_decode(record->der, arena, &c))
        return false;
    return (!t->has_subject || same_name(t->subject, &c.subject, arena)) &&
           (!t->has_key || bytes_equal(t->spki, c.key.spki)) && !t->has_extensions;
}

/* The issuer as the registry keeps it: names compare by value, its key is a hash of one encoding. */
static bool issuer_of(const struct cmp_exchange *x, const struct crmf_template *t, struct bytes *issuer)
{
    const struct enroll_service *service = x->service->enroll;

    for (size_t i = 0; i < service->ca_count; i++)
        if (same_name(t->issuer, &service->ca[i].certificate.subject, x->turn->arena)) {
            *issuer = service->ca[i].certificate.subject.encoded;
            return true;
        }
    return false;
}

static enum cmp_fault find_certificate(struct cmp_exchange *x, struct revocation *r, struct error *err)
{
    const struct crmf_template *t = &r->details.details;
    struct certificate_id id;
    struct bytes issuer;
    bool found = false;

    if (t->has_version && t->version != 2)
        return CMP_FAULT_COUNT; /* CMP-96: badRequest */
    if (!t->has_issuer || !t->has_serial)
        return CMP_FAULT_REVOKE_INCOMPLETE;
    if (!issuer_of(x, t, &issuer) || !certificate_id_of(issuer, t->serial, &id))
        return CMP_FAULT_REVOKE_UNKNOWN;
    if (!registry_certificate_by_id(x->turn->view, &id, x->turn->arena, &found, &r->record, err))
        return CMP_FAULT_INTERNAL;
    if (!found || r->record.domain.value != x->procedure->domain->id.value ||
        !describes(t, &r->record, x->turn->arena))
        return CMP_FAULT_REVOKE_UNKNOWN;
    return CMP_OK;
}

/* --- who may --- */

static enum cmp_fault judge(const struct cmp_exchange *x, const struct revocation *r)
{
    /* Trusted by the procedure, and so for what its CA issues: the domain may have others. */
    if (x->sender.role == CMP_ROLE_RA && ca_is_issuer(x->ca, &r->record.id.issuer))
        return CMP_OK;
    if (x->sender.role == CMP_ROLE_HOLDER && certificate_id_equal(&x->sender.holder.record.id, &r->record.id))
        return CMP_OK;
    return CMP_FAULT_NOT_AUTHORIZED;
}

static enum cmp_fault revoke(struct cmp_exchange *x, const struct revocation *r, struct error *err)
{
    const struct cmp_status_info accepted = { .status = CMP_ACCEPTED };
    enum revoke_outcome outcome = REVOKE_UNKNOWN;

    if (x->sender.role == CMP_ROLE_HOLDER && !cmp_update_assume(x->turn, &r->record.id, err))
        return CMP_FAULT_INTERNAL;
    if (!enroll_revoke(x->turn, x->procedure, &r->record.id, r->reason,
                       x->sender.role == CMP_ROLE_RA ? "ra" : "holder", &outcome, err))
        return CMP_FAULT_INTERNAL;
    if (outcome != REVOKE_DONE)
        return reject(x, outcome == REVOKE_ALREADY ? CMP_FAULT_REVOKED_ALREADY : CMP_FAULT_REVOKE_UNKNOWN,
                      err);
    x->turn->facts.fqdn = arena_copy(x->turn->arena, dns_name_bytes(&r->record.fqdn));
    cmp_note(x, "revoked", NULL, NULL);
    return say(x, &accepted, err);
}

static enum cmp_fault read(struct cmp_exchange *x, struct revocation *r)
{
    struct cmp_rev_details details[2];
    size_t count;

    if (!cmp_rev_req_decode(x->request.content, x->turn->arena, details, COUNT_OF(details), &count))
        return CMP_FAULT_SYNTAX;
    if (count != 1)
        return CMP_FAULT_COUNT;
    r->details = details[0];
    return read_reason(r->details.crl_entry_details, &r->reason);
}

enum cmp_fault cmp_serve_revoke(struct cmp_exchange *x, struct error *err)
{
    struct revocation r = { 0 };
    enum cmp_fault fault = read(x, &r);

    if (fault != CMP_OK)
        return fault == CMP_FAULT_SYNTAX ? fault : reject(x, fault, err);
    if (r.reason == REASON_REMOVE_FROM_CRL) /* CMP-97 */
        return reject(x, CMP_FAULT_REVIVE, err);
    fault = find_certificate(x, &r, err);
    if (fault == CMP_OK)
        fault = judge(x, &r);
    if (fault == CMP_FAULT_INTERNAL)
        return fault;
    return fault == CMP_OK ? revoke(x, &r, err) : reject(x, fault, err);
}
