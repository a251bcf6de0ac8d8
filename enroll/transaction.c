#include "enroll/transaction_internal.h"

#include "lib/base/record.h"
#include "registry/state.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 128 * 1024 };

enum field {
    FIELD_STATUS = 1,
    FIELD_KEY,
    FIELD_SIGNER,
    FIELD_NAMES,
    FIELD_REGISTRATION,
    FIELD_CERTIFICATE_ISSUER,
    FIELD_CERTIFICATE_SERIAL,
    FIELD_REQUEST,
    FIELD_FQDN,
    FIELD_ORDER,
    FIELD_WHY,
};

enum later_field {
    FIELD_FORM = 32,
    FIELD_PROFILE,
    FIELD_CONFIRM_WITHIN,
    FIELD_CONFIRMATION,
    FIELD_CONFIRM_UNTIL,
    FIELD_RENEWS_ISSUER,
    FIELD_RENEWS_SERIAL,
    FIELD_USED_REVISION,
    FIELD_UNFETCHED,
};

/* Protocols do not share transaction ids. */
static bool state_key_for(struct turn *turn, const struct transaction_key *key, struct state_key *out,
                          struct error *err)
{
    const uint8_t protocol = (uint8_t)key->protocol;
    AUTO_STRUCT(buffer) id = BUFFER(1024);

    buffer_append_byte(&id, protocol);
    buffer_append(&id, key->id);
    *out = (struct state_key){ .procedure = key->procedure, .kind = "txn" };
    if (!buffer_failed(&id))
        out->id = arena_copy(turn->arena, buffer_bytes(&id));
    return out->id.data != NULL || error_set(err, ERROR_MEMORY, "transaction id");
}

/* How it is to be read and confirmed: what records of earlier versions lack. */
static bool take_later_field(struct record_reader *in, const struct record_field *f, struct transaction *t)
{
    uint64_t number = 0;

    switch ((enum later_field)f->tag) {
    case FIELD_PROFILE: t->profile = f->content; return true;
    case FIELD_RENEWS_ISSUER: return record_digest(f->content, &t->renews.issuer);
    case FIELD_RENEWS_SERIAL: return certificate_id_take_serial(f->content, &t->renews);
    case FIELD_FORM:
        number = record_u64(in, f);
        t->form = (enum request_form)number;
        return number <= REQUEST_CRMF;
    case FIELD_CONFIRM_WITHIN:
        number = record_u64(in, f);
        t->confirm_within_s = (uint32_t)number;
        return number <= UINT32_MAX;
    case FIELD_CONFIRMATION:
        number = record_u64(in, f);
        t->confirmation = (enum confirmation)number;
        return number <= CONFIRMATION_LATE;
    case FIELD_CONFIRM_UNTIL: t->confirm_until_s = (int64_t)record_u64(in, f); return true;
    case FIELD_USED_REVISION: t->used_revision = record_u64(in, f); return true;
    case FIELD_UNFETCHED: t->unfetched = record_u64(in, f) != 0; return true;
    }
    return true; /* of a later version: skipped */
}

static bool take_field(struct record_reader *in, const struct record_field *f, struct transaction *t)
{
    uint64_t status;

    switch ((enum field)f->tag) {
    case FIELD_STATUS:
        status = record_u64(in, f);
        t->status = status < TRANSACTION_STATUS_COUNT ? (enum transaction_status)status : TRANSACTION_NONE;
        return t->status != TRANSACTION_NONE;
    case FIELD_KEY: return record_digest(f->content, &t->key);
    case FIELD_SIGNER: return record_digest(f->content, &t->signer);
    case FIELD_NAMES: return record_digest(f->content, &t->names);
    case FIELD_REGISTRATION: return record_octets(f->content, t->registration.bytes, ID_LEN);
    case FIELD_CERTIFICATE_ISSUER: return record_digest(f->content, &t->certificate.issuer);
    case FIELD_CERTIFICATE_SERIAL: return certificate_id_take_serial(f->content, &t->certificate);
    case FIELD_REQUEST: t->request = f->content; return true;
    case FIELD_FQDN: t->fqdn = f->content; return true;
    case FIELD_ORDER: return record_octets(f->content, t->order.bytes, ID_LEN);
    case FIELD_WHY: t->why = f->content; return true;
    }
    return take_later_field(in, f, t);
}

static bool transaction_decode(struct bytes blob, struct transaction *out)
{
    struct record_reader in;
    struct record_field field;
    uint8_t version;

    if (!record_open(blob, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &field))
        if (!take_field(&in, &field, out))
            return false;
    return !in.failed && out->status != TRANSACTION_NONE;
}

bool transaction_read(struct turn *turn, const struct transaction_key *key, struct transaction *out,
                      struct error *err)
{
    struct transaction t = { 0 };
    struct state_key state_key;
    struct state_value value = { 0 };
    bool found;

    if (!state_key_for(turn, key, &state_key, err) ||
        !registry_state(turn->view, &state_key, turn->arena, &found, &value, err))
        return false;
    if (found && (value.expires_s == 0 || value.expires_s > turn->now_s) &&
        !transaction_decode(value.blob, &t))
        return error_set(err, ERROR_FORMAT, "a stored transaction is malformed");
    t.revision = found ? value.revision : 0;
    t.changed_s = found ? value.changed_s : 0;
    *out = t;
    return true;
}

static bool has_later_fields(const struct transaction *t)
{
    return t->form != REQUEST_PKCS10 || t->profile.len > 0 || t->confirm_within_s > 0 ||
           t->confirmation != CONFIRMATION_NONE;
}

static void put_later_fields(struct buffer *out, const struct transaction *t)
{
    record_put_u64(out, FIELD_FORM, t->form);
    record_put(out, FIELD_PROFILE, t->profile);
    record_put_u64(out, FIELD_CONFIRM_WITHIN, t->confirm_within_s);
    record_put_u64(out, FIELD_CONFIRMATION, t->confirmation);
    record_put_u64(out, FIELD_CONFIRM_UNTIL, (uint64_t)t->confirm_until_s);
    record_put(out, FIELD_RENEWS_ISSUER, digest256_bytes(&t->renews.issuer));
    record_put(out, FIELD_RENEWS_SERIAL, bytes_of(t->renews.serial, t->renews.serial_len));
    record_put_u64(out, FIELD_USED_REVISION, t->used_revision);
}

bool transaction_put(struct turn *turn, const struct transaction_key *key, const struct transaction *t,
                     int64_t expires_s, struct error *err)
{
    AUTO_STRUCT(buffer) blob = BUFFER(RECORD_MAX);
    struct state_key state_key;
    struct state_value value = { .expires_s = expires_s };

    if (!state_key_for(turn, key, &state_key, err))
        return false;
    record_begin(&blob, RECORD_VERSION);
    record_put_u64(&blob, FIELD_STATUS, t->status);
    record_put(&blob, FIELD_KEY, digest256_bytes(&t->key));
    record_put(&blob, FIELD_SIGNER, digest256_bytes(&t->signer));
    record_put(&blob, FIELD_NAMES, digest256_bytes(&t->names));
    record_put(&blob, FIELD_REGISTRATION, registration_id_bytes(&t->registration));
    record_put(&blob, FIELD_CERTIFICATE_ISSUER, digest256_bytes(&t->certificate.issuer));
    record_put(&blob, FIELD_CERTIFICATE_SERIAL, bytes_of(t->certificate.serial, t->certificate.serial_len));
    record_put(&blob, FIELD_REQUEST, t->request);
    record_put(&blob, FIELD_FQDN, t->fqdn);
    record_put(&blob, FIELD_ORDER, BYTES_ARRAY(t->order.bytes));
    record_put(&blob, FIELD_WHY, t->why);
    record_put_u64(&blob, FIELD_UNFETCHED, t->unfetched);
    if (has_later_fields(t))
        put_later_fields(&blob, t);
    if (buffer_failed(&blob))
        return error_set(err, ERROR_MEMORY, "transaction");
    value.blob = buffer_bytes(&blob);
    change_state_put(&turn->changes, &state_key, &value, t->revision);
    return true;
}

bool transaction_digest(const struct transaction_key *key, const char *purpose, struct digest256 *out)
{
    const uint8_t protocol[] = { (uint8_t)key->protocol };
    struct digest256 procedure;

    return sha256(key->procedure, &procedure) &&
           sha256_parts((struct bytes[]){ bytes_text(purpose), digest256_bytes(&procedure),
                                          BYTES_ARRAY(protocol), key->id },
                        4, out);
}
