/* A certificate as credential: is it ours, or a vendor's, and may it be used here and now. */
#include "enroll/enroll.h"

#include "enroll/confirm_internal.h"
#include "registry/certificates.h"

enum { NEWEST_AT_FIRST = 8 };

static void unusable(struct holder *holder, const char *detail)
{
    holder->usable = false;
    holder->fault = REFUSAL_RENEW_STATE;
    holder->detail = detail;
}

static const struct ca *issuer_of(const struct enroll_service *service, const struct certificate_id *id)
{
    for (size_t i = 0; i < service->ca_count; i++)
        if (ca_is_issuer(&service->ca[i], &id->issuer))
            return &service->ca[i];
    return NULL;
}

/* --- ours --- */
static const char *chain_problem(enum chain_fault fault)
{
    switch (fault) {
    case CHAIN_UNTRUSTED: return "the certificate does not chain to its CA";
    case CHAIN_NOT_YET_VALID: return "the certificate is not valid yet";
    case CHAIN_EXPIRED: return "the certificate is expired";
    case CHAIN_INTERNAL: return "the chain could not be verified";
    case CHAIN_OK: return NULL;
    }
    return "the chain could not be verified";
}

/* Byte for byte what was recorded, signed by the CA's own key, and both are valid: no search for a chain
 * could find more. One that is not so plain is searched for: an earlier key of the CA, a certificate out of
 * time. */
static bool is_plainly_of(const struct ca *ca, const struct certificate *c, int64_t now_s)
{
    const struct certificate *issuer = &ca->certificate;

    return issuer->not_before_s <= now_s && now_s <= issuer->not_after_s && c->not_before_s <= now_s &&
           now_s <= c->not_after_s && certificate_verify_remembered(c, &issuer->key) == SIGNATURE_OK;
}

static enum chain_fault chain_fault_of(const struct ca *ca, const struct certificate *c,
                                       const struct bytes *chain, size_t chain_count, int64_t now_s)
{
    return is_plainly_of(ca, c, now_s) ? CHAIN_OK
                                       : anchors_verify(ca->anchors, c->encoded, chain, chain_count, now_s);
}

static bool in_grace(const struct procedure *procedure, const struct certificate *c, int64_t now_s)
{
    return procedure->renewal_grace_s > 0 && now_s <= c->not_after_s + (int64_t)procedure->renewal_grace_s;
}

/* An ACME order for `*.example.com` alone is kept under example.com, and says nothing of that name. */
static bool names_its_fqdn(const struct turn *turn, const struct certificate_record *r)
{
    struct certificate c;

    if (r->protocol != PROTOCOL_ACME)
        return true;
    if (!certificate_decode(r->der, turn->arena, &c))
        return false;
    for (size_t i = 0; i < c.san.count; i++)
        if (c.san.item[i].kind == GENERAL_NAME_DNS &&
            bytes_equal_nocase(c.san.item[i].value, dns_name_bytes(&r->fqdn)))
            return true;
    return false;
}

/* It took the place of the earlier ones: it is of this name, and neither awaiting confirmation nor was it
 * given back for want of one (confirm.c). */
static bool supersedes(struct turn *turn, const struct certificate_record *r, bool *does, struct error *err)
{
    bool awaited = false;

    if (!names_its_fqdn(turn, r)) {
        *does = false;
        return true;
    }
    if (r->status != CERTIFICATE_GOOD) {
        *does = r->revocation_reason != REVOCATION_CESSATION;
        return true;
    }
    if (!confirmation_awaited(turn, &r->id, &awaited, err))
        return false;
    *does = !awaited;
    return true;
}

static bool is_latest(struct turn *turn, const struct certificate_record *record, bool *latest,
                      struct error *err)
{
    struct certificate_record *item;
    size_t max = NEWEST_AT_FIRST / 4, count = 0;
    bool newest = false;

    *latest = false;
    do { /* newest first, all of them if need be */
        max *= 4;
        item = arena_array(turn->arena, max, sizeof(*item));
        if (item == NULL)
            return error_set(err, ERROR_MEMORY, "certificates of an FQDN");
        if (!registry_certificates_by_fqdn(turn->view, record->domain, &record->fqdn, max, turn->arena, item,
                                           &count, err))
            return false;
        for (size_t i = 0; i < count && !newest; i++) {
            if (!supersedes(turn, &item[i], &newest, err))
                return false;
            *latest = newest && certificate_id_equal(&item[i].id, &record->id);
        }
    } while (!newest && count == max);
    return true;
}

/* The record says what the certificate alone cannot: revocation, domain, whether a later one took its place.
 */
static bool judge_ours(struct turn *turn, const struct procedure *procedure, const struct ca *ca,
                       const struct bytes *chain, size_t chain_count, struct holder *h, struct error *err)
{
    enum chain_fault fault = chain_fault_of(ca, &h->certificate, chain, chain_count, turn->now_s);
    bool latest = true;

    if (!confirmation_awaited(turn, &h->record.id, &h->awaits_confirmation, err))
        return false;
    h->kind = HOLDER_OURS;
    h->usable = true;
    if (fault == CHAIN_EXPIRED && in_grace(procedure, &h->certificate, turn->now_s))
        fault = CHAIN_OK;
    if (procedure->latest_only && !h->awaits_confirmation && !is_latest(turn, &h->record, &latest, err))
        return false;
    if (h->record.domain.value != procedure->domain->id.value)
        unusable(h, "the certificate is of another domain");
    else if (h->record.status != CERTIFICATE_GOOD)
        unusable(h, "the certificate is revoked");
    else if (fault != CHAIN_OK)
        unusable(h, chain_problem(fault));
    else if (!latest)
        unusable(h, "a later certificate of this FQDN exists");
    return true;
}

/* --- a vendor's --- */
static void judge_vendor(const struct procedure *procedure, const struct bytes *chain, size_t chain_count,
                         int64_t now_s, struct holder *h)
{
    enum chain_fault fault;

    if (procedure->vendor_anchors == NULL) {
        unusable(h, "the certificate is not one of ours");
        return;
    }
    fault = anchors_verify(procedure->vendor_anchors, h->certificate.encoded, chain, chain_count, now_s);
    if (fault != CHAIN_OK) {
        unusable(h, "the certificate is neither ours nor of a vendor that is trusted here");
        return;
    }
    h->kind = HOLDER_VENDOR;
    h->usable = true;
}

bool enroll_holder(struct turn *turn, const struct enroll_service *service, const struct procedure *procedure,
                   struct bytes der, const struct bytes *chain, size_t chain_count, struct holder *out,
                   struct error *err)
{
    struct holder h = { 0 };
    struct certificate_id id;
    const struct ca *ca = NULL;
    bool found = false;

    unusable(&h, "the certificate shown is malformed");
    if (certificate_decode(der, turn->arena, &h.certificate)) {
        if (certificate_id_of(h.certificate.issuer.encoded, h.certificate.serial, &id))
            ca = issuer_of(service, &id);
        if (ca != NULL && !registry_certificate_by_id(turn->view, &id, turn->arena, &found, &h.record, err))
            return false;
        /* Byte-equal to what was issued: a look-alike under a stolen name is somebody else's. */
        if (found && bytes_equal(h.record.der, der)) {
            if (!judge_ours(turn, procedure, ca, chain, chain_count, &h, err))
                return false;
        } else {
            judge_vendor(procedure, chain, chain_count, turn->now_s, &h);
        }
    }
    *out = h;
    return true;
}
