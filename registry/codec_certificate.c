#include "model/certificate_record.h"
#include "registry/codec_internal.h"

enum {
    FIELD_ISSUER = 1,
    FIELD_SERIAL,
    FIELD_STATUS,
    FIELD_PROTOCOL,
    FIELD_CA,
    FIELD_PROCEDURE,
    FIELD_PROFILE,
    FIELD_DOMAIN,
    FIELD_FQDN,
    FIELD_REGISTRATION,
    FIELD_KEY,
    FIELD_DER,
    FIELD_ISSUED,
    FIELD_NOT_BEFORE,
    FIELD_NOT_AFTER,
    FIELD_REVOKED,
    FIELD_REASON,
};

/* The numbers of these enums are stored: an entry is added at the end, none moves. */
_Static_assert(PROTOCOL_ACME == 4 && PROTOCOL_COUNT == 5, "protocol numbers are stored");
_Static_assert(CERTIFICATE_GOOD == 1 && CERTIFICATE_REVOKED == 2, "status numbers are stored");

void certificate_record_encode(struct buffer *out, const struct certificate_record *c)
{
    record_begin(out, RECORD_VERSION);
    field_put(out, FIELD_ISSUER, digest256_bytes(&c->id.issuer));
    field_put(out, FIELD_SERIAL, bytes_of(c->id.serial, c->id.serial_len));
    field_put_u64(out, FIELD_STATUS, c->status);
    field_put_u64(out, FIELD_PROTOCOL, c->protocol);
    field_put(out, FIELD_CA, c->ca);
    field_put(out, FIELD_PROCEDURE, c->procedure);
    field_put(out, FIELD_PROFILE, c->profile);
    field_put_u64(out, FIELD_DOMAIN, c->domain.value);
    field_put(out, FIELD_FQDN, dns_name_bytes(&c->fqdn));
    field_put(out, FIELD_REGISTRATION, registration_id_bytes(&c->registration));
    field_put(out, FIELD_KEY, digest256_bytes(&c->key));
    field_put(out, FIELD_DER, c->der);
    field_put_u64(out, FIELD_ISSUED, (uint64_t)c->issued_s);
    field_put_u64(out, FIELD_NOT_BEFORE, (uint64_t)c->not_before_s);
    field_put_u64(out, FIELD_NOT_AFTER, (uint64_t)c->not_after_s);
    field_put_u64(out, FIELD_REVOKED, (uint64_t)c->revoked_s);
    field_put_u64(out, FIELD_REASON, (uint64_t)(int64_t)c->revocation_reason);
}

static void take_serial(struct record_reader *in, const struct record_field *field, struct certificate_id *id)
{
    if (field->content.len > SERIAL_MAX) {
        in->failed = true;
        return;
    }
    id->serial_len = (uint8_t)field->content.len;
    memcpy(id->serial, field->content.data, field->content.len);
}

static void take_name(struct record_reader *in, const struct record_field *field, struct dns_name *name)
{
    if (field->content.len > DNS_NAME_MAX) {
        in->failed = true;
        return;
    }
    name->len = (uint8_t)field->content.len;
    memcpy(name->text, field->content.data, field->content.len);
    name->text[name->len] = '\0';
}

/* A number below `limit`; an unknown one makes the record malformed rather than mean something else. */
static uint64_t take_choice(struct record_reader *in, const struct record_field *field, uint64_t limit)
{
    uint64_t value = record_u64(in, field);

    if (value < limit)
        return value;
    in->failed = true;
    return 0;
}

static void take_field(struct record_reader *in, const struct record_field *f, struct certificate_record *c)
{
    switch (f->tag) {
    case FIELD_ISSUER: field_fixed(in, f, c->id.issuer.bytes, DIGEST256_LEN); break;
    case FIELD_SERIAL: take_serial(in, f, &c->id); break;
    case FIELD_STATUS:
        c->status = (enum certificate_status)take_choice(in, f, CERTIFICATE_REVOKED + 1);
        break;
    case FIELD_PROTOCOL: c->protocol = (enum protocol)take_choice(in, f, PROTOCOL_COUNT); break;
    case FIELD_CA: c->ca = f->content; break;
    case FIELD_PROCEDURE: c->procedure = f->content; break;
    case FIELD_PROFILE: c->profile = f->content; break;
    case FIELD_DOMAIN: c->domain.value = record_u64(in, f); break;
    case FIELD_FQDN: take_name(in, f, &c->fqdn); break;
    case FIELD_REGISTRATION: field_fixed(in, f, c->registration.bytes, ID_LEN); break;
    case FIELD_KEY: field_fixed(in, f, c->key.bytes, DIGEST256_LEN); break;
    case FIELD_DER: c->der = f->content; break;
    case FIELD_ISSUED: c->issued_s = (int64_t)record_u64(in, f); break;
    case FIELD_NOT_BEFORE: c->not_before_s = (int64_t)record_u64(in, f); break;
    case FIELD_NOT_AFTER: c->not_after_s = (int64_t)record_u64(in, f); break;
    case FIELD_REVOKED: c->revoked_s = (int64_t)record_u64(in, f); break;
    case FIELD_REASON: c->revocation_reason = (int)record_u64(in, f); break;
    default: break;
    }
}

bool certificate_record_decode(struct bytes record, struct certificate_record *out, struct error *err)
{
    struct certificate_record c = { 0 };
    struct record_reader in;
    struct record_field field;

    if (!codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field))
        take_field(&in, &field, &c);
    if (!codec_finish(&in, "certificate", err))
        return false;
    *out = c;
    return true;
}
