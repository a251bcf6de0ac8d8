#include "enroll/revoke.h"

#include "enroll/audit_internal.h"
#include "enroll/revoke_internal.h"
#include "registry/certificates.h"

bool revocation_put(struct turn *turn, const struct revocation *r, struct error *err)
{
    const struct certificate_record *record = r->record;
    const char *name = revocation_reason_name(r->reason);
    AUTO_STRUCT(buffer) entry = BUFFER(AUDIT_ENTRY_MAX);

    audit_begin(&entry);
    audit_hex(&entry, "issuer", digest256_bytes(&record->id.issuer));
    audit_hex(&entry, "serial", bytes_of(record->id.serial, record->id.serial_len));
    audit_text(&entry, "fqdn", dns_name_bytes(&record->fqdn));
    audit_text(&entry, "reason", bytes_text(name));
    audit_text(&entry, "procedure", record->procedure);
    audit_text(&entry, "by", bytes_text(r->by));
    audit_text(&entry, "why", bytes_text(r->why));
    audit_hex(&entry, "transaction", r->transaction);
    audit_end(&entry);
    if (buffer_failed(&entry))
        return error_set(err, ERROR_MEMORY, "audit entry");
    change_certificate_revoke(&turn->changes, &record->id, revocation_reason_from_name(bytes_text(name)),
                              turn->now_s);
    change_audit_append(&turn->changes, AUDIT_REVOKED, buffer_bytes(&entry));
    return true;
}

bool enroll_revoke(struct turn *turn, const struct procedure *procedure, const struct certificate_id *id,
                   int reason, const char *by, enum revoke_outcome *out, struct error *err)
{
    struct certificate_record record;
    const struct revocation revocation = { .record = &record, .reason = reason, .by = by };
    bool found;

    if (!registry_certificate_by_id(turn->view, id, turn->arena, &found, &record, err))
        return false;
    if (!found || record.domain.value != procedure->domain->id.value) {
        *out = REVOKE_UNKNOWN;
        return true;
    }
    if (record.status != CERTIFICATE_GOOD) {
        *out = REVOKE_ALREADY;
        return true;
    }
    if (!revocation_put(turn, &revocation, err))
        return false;
    *out = REVOKE_DONE;
    return true;
}
