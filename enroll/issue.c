/* Approval and issuance: the end of the way, and all that must be durable before an answer leaves. */
#include "enroll/audit_internal.h"
#include "enroll/confirm_internal.h"
#include "enroll/order_internal.h"

enum { CONFIRM_UNFETCHED_S = 7 * 86400 };

static int64_t expiry(const struct course *c)
{
    bool repeats_soon = c->e.repeat_s > 0 && c->transaction.status != TRANSACTION_ORDERED;
    uint32_t keep_s = repeats_soon ? c->e.repeat_s : c->service->transaction_keep_s;

    return keep_s > 0 ? c->turn->now_s + (int64_t)keep_s : 0;
}

struct transaction_key course_key(const struct course *c)
{
    return (struct transaction_key){ bytes_text(c->e.procedure->name), c->e.protocol, c->e.transaction_id };
}

/* --- approval --- */
static bool needs_officer(const struct course *c)
{
    return c->e.procedure->manual_approval && !course_renews(c) &&
           !(c->repeats && c->transaction.status == TRANSACTION_APPROVED);
}

static bool enter_pending(struct course *c, struct error *err)
{
    static const struct registration_id none;
    const struct registration *r = c->verdict.registration;
    const int64_t expires_s = c->turn->now_s + (int64_t)c->service->pending_keep_s;
    const struct transaction_key key = course_key(c);
    struct transaction t = course_transaction(c, TRANSACTION_PENDING);
    struct distinguished_name subject;
    struct bytes text;

    if (name_decode(c->names.subject, c->turn->arena, &subject) != NAME_OK)
        return error_set(err, ERROR_INTERNAL, "the effective subject cannot be read back");
    text = name_format(&subject, c->turn->arena);
    t.request = c->e.request;
    if (r != NULL)
        change_registration_assume(&c->turn->changes, &r->id, r->revision);
    return transaction_put(c->turn, &key, &t, expires_s, err) &&
           pending_put(c->turn, &key, &c->identity.fqdn, r != NULL ? &r->id : &none, text, expires_s, err);
}

enum progress step_wait_for_officer(struct course *c, struct error *err)
{
    const char *full = NULL;

    if (!needs_officer(c))
        return PROGRESS_ON;
    if (!pending_room(c->turn, bytes_text(c->e.procedure->name), &c->identity.fqdn, c->service->pending_max,
                      &full, err))
        return PROGRESS_ERROR;
    if (full != NULL)
        return course_refuse(c, REFUSAL_CA_UNAVAILABLE, full);
    return enter_pending(c, err) ? course_pending(c, false) : PROGRESS_ERROR;
}

/* --- issuance --- */
static bool record_of(const struct course *c, const struct ca *ca, struct bytes der,
                      struct certificate_record *out, struct error *err)
{
    const struct procedure *procedure = c->e.procedure;
    struct certificate certificate;

    if (!certificate_decode(der, c->turn->arena, &certificate))
        return error_set(err, ERROR_FORMAT, "CA %s gave a malformed certificate", ca->name);
    *out = (struct certificate_record){
        .status = CERTIFICATE_GOOD,
        .protocol = c->e.protocol,
        .ca = bytes_text(ca->name),
        .procedure = bytes_text(procedure->name),
        .profile = bytes_text(enrollment_profile(&c->e)->name),
        .domain = procedure->domain->id,
        .fqdn = c->identity.fqdn,
        .key = c->identity.key,
        .der = der,
        .issued_s = c->turn->now_s,
        .not_before_s = certificate.not_before_s,
        .not_after_s = certificate.not_after_s,
    };
    if (c->verdict.registration != NULL)
        out->registration = c->verdict.registration->id;
    /* What a CA gives for another key is nothing that this device could use. */
    if (!bytes_equal(certificate.key.spki, c->e.requested->key.spki))
        return error_set(err, ERROR_FORMAT, "CA %s certified another key", ca->name);
    return certificate_id_of(certificate.issuer.encoded, certificate.serial, &out->id) ||
           error_set(err, ERROR_FORMAT, "CA %s gave a serial number that is too long", ca->name);
}

static void audit_unknown_attributes(struct buffer *entry, const struct requested *requested)
{
    AUTO_STRUCT(buffer) all = BUFFER(4096);
    char text[128];

    for (size_t i = 0; i < requested->unknown_attribute_count; i++) {
        if (!oid_format(requested->unknown_attribute[i], text, sizeof(text)))
            continue;
        if (all.len > 0)
            buffer_append_byte(&all, ' ');
        buffer_append_text(&all, text);
    }
    audit_text(entry, "unknown_attributes", buffer_bytes(&all)); /* CSR-8 */
}

static bool append_audit(struct course *c, const struct certificate_record *record, struct error *err)
{
    AUTO_STRUCT(buffer) entry = BUFFER(AUDIT_ENTRY_MAX);
    struct digest256 certificate;

    if (!sha256(record->der, &certificate))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a certificate");
    audit_begin(&entry);
    audit_text(&entry, "protocol", bytes_text(protocol_name(record->protocol)));
    audit_text(&entry, "procedure", record->procedure);
    audit_text(&entry, "ca", record->ca);
    audit_text(&entry, "fqdn", dns_name_bytes(&record->fqdn));
    audit_hex(&entry, "serial", bytes_of(record->id.serial, record->id.serial_len));
    audit_hex(&entry, "issuer", digest256_bytes(&record->id.issuer));
    audit_hex(&entry, "certificate", digest256_bytes(&certificate));
    audit_hex(&entry, "key", digest256_bytes(&record->key));
    audit_number(&entry, "not_after", record->not_after_s);
    if (c->verdict.registration != NULL)
        audit_hex(&entry, "registration", registration_id_bytes(&record->registration));
    if (course_renews(c))
        audit_hex(&entry, "renews", bytes_of(c->holder.record.id.serial, c->holder.record.id.serial_len));
    audit_text(&entry, "ra", c->ra.name);
    audit_hex(&entry, "ra_serial", bytes_of(c->ra.id.serial, c->ra.id.serial_len));
    audit_hex(&entry, "transaction", c->e.transaction_id);
    if (c->e.credential.kind == CREDENTIAL_ACCOUNT) {
        audit_hex(&entry, "account", c->e.credential.account.id);
        if (c->verdict.registration != NULL && c->verdict.registration->pre_authorised)
            audit_text(&entry, "names", BYTES_LITERAL("pre-authorised"));
    }
    audit_unknown_attributes(&entry, c->e.requested);
    audit_end(&entry);
    if (buffer_failed(&entry))
        return error_set(err, ERROR_MEMORY, "audit entry");
    change_audit_append(&c->turn->changes, AUDIT_ISSUED, buffer_bytes(&entry));
    return true;
}

/* The order that it comes from has done so already. */
static bool uses_registration_up(const struct course *c)
{
    const struct registration *r = c->verdict.registration;

    return r != NULL && r->one_time && !r->used && !course_renews(c);
}

void course_bind_what_admitted(struct course *c)
{
    const struct registration *r = c->verdict.registration;

    if (c->holder.kind == HOLDER_OURS)
        change_certificate_assume(&c->turn->changes, &c->holder.record.id);
    if (c->ra.ours)
        change_certificate_assume(&c->turn->changes, &c->ra.id);
    if (r == NULL)
        return;
    if (uses_registration_up(c))
        change_registration_use(&c->turn->changes, &r->id, r->revision, true);
    else
        change_registration_assume(&c->turn->changes, &r->id, r->revision);
}

/* Confirmation counts from when the device has the certificate; one that was ordered may wait long for it. */
static bool await_confirmation(const struct course *c, const struct transaction_key *key,
                               struct transaction *t, struct error *err)
{
    if (t->confirm_within_s == 0)
        return true;
    if (uses_registration_up(c))
        t->used_revision = c->verdict.registration->revision;
    if (!confirmation_begin(c->turn, key, t, course_renews(c) ? &c->holder.record.id : NULL, err))
        return false;
    if (t->unfetched)
        t->confirm_until_s = c->turn->now_s + CONFIRM_UNFETCHED_S;
    return true;
}

enum progress course_record_issued(struct course *c, const struct ca *ca, struct bytes der, struct error *err)
{
    const struct transaction_key key = course_key(c);
    struct transaction t = course_transaction(c, TRANSACTION_ISSUED);
    struct certificate_record record = { 0 };

    if (!record_of(c, ca, der, &record, err))
        return PROGRESS_ERROR;
    t.certificate = record.id;
    if (c->transaction.status == TRANSACTION_ORDERED) {
        t.order = c->transaction.order;
        t.unfetched = true;
        t.used_revision = c->transaction.used_revision;
    }
    course_bind_what_admitted(c);
    change_certificate_add(&c->turn->changes, &record);
    if (!await_confirmation(c, &key, &t, err) ||
        !transaction_put(c->turn, &key, &t, t.confirmation == CONFIRMATION_AWAITED ? 0 : expiry(c), err) ||
        !append_audit(c, &record, err))
        return PROGRESS_ERROR;
    return course_issued(c, der, &record.id, false, err);
}

enum progress step_issue(struct course *c, struct error *err)
{
    const struct ca *ca = enroll_ca(c->service, c->e.procedure);
    const struct ca_order order = {
        .profile = enrollment_profile(&c->e),
        .subject = c->names.subject,
        .san = c->names.san,
        .key = &c->e.requested->key,
        .request = c->e.form == REQUEST_PKCS10 ? c->e.request : BYTES_NONE,
        .renews = course_renews(c) ? c->holder.record.der : BYTES_NONE,
        .now_s = c->turn->now_s,
        .not_before_s = c->e.not_before_s,
        .not_after_s = c->e.not_after_s,
    };
    struct connector_step step = { 0 };
    enum progress room;

    const struct connector_call call = {
        .ca = ca,
        .keys = c->turn->keys,
        .random = &c->turn->random,
        .now_s = c->turn->now_s,
        .arena = c->turn->arena,
    };

    if (ca == NULL) {
        (void)error_set(err, ERROR_NOT_FOUND, "procedure %s: there is no CA %s", c->e.procedure->name,
                        c->e.procedure->ca);
        return PROGRESS_ERROR;
    }
    if (ca->chain_awaited)
        return course_refuse(c, REFUSAL_CA_UNAVAILABLE, "the chain of the CA is not known yet");
    room = order_room(c, ca, err);
    if (room != PROGRESS_ON)
        return room;
    if (!ca->connector->start(&call, &order, &step, err))
        return PROGRESS_ERROR;
    switch (step.verdict) {
    case CONNECTOR_ISSUED: return course_record_issued(c, ca, step.certificate, err);
    case CONNECTOR_REJECTED: return course_refuse(c, REFUSAL_CA_REJECTED, step.why);
    case CONNECTOR_SEND:
    case CONNECTOR_WAIT: return order_place(c, ca, &step, err);
    case CONNECTOR_AGAIN:
    case CONNECTOR_DONE:
    case CONNECTOR_CHAIN:
    case CONNECTOR_UNSET: break;
    }
    (void)error_set(err, ERROR_INTERNAL, "CA %s gave no verdict", ca->name);
    return PROGRESS_ERROR;
}
