#include "proto/cmp/transaction_internal.h"

#include "lib/base/record.h"
#include "registry/state.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 512 * 1024 };

enum field {
    FIELD_PHASE = 1,
    FIELD_OPENED_BY,
    FIELD_CERT_REQ_ID, /* plus one: it may be -1 */
    FIELD_IMPLICIT,
    FIELD_OPENING,
    FIELD_SENDER,
    FIELD_ALGORITHM,
    FIELD_SIGNER,
    FIELD_OUR_NONCE,
    FIELD_SEEN,
    FIELD_REPLY,
    FIELD_WAITING_NONCE,
    FIELD_CERTIFICATE,
    FIELD_OLD_ISSUER,
    FIELD_OLD_SERIAL,
    FIELD_GENERATED,
    FIELD_POLL,
    FIELD_POLL_REPLY,
    FIELD_NONCE_BEFORE,
};

static struct state_key key_for(struct bytes procedure, struct bytes id)
{
    return (struct state_key){ .procedure = procedure, .kind = "cmp", .id = id };
}

static bool take_phase(uint64_t number, struct cmp_transaction *t)
{
    t->phase = number <= CMP_PHASE_CLOSED ? (enum cmp_phase)number : CMP_PHASE_NONE;
    return t->phase != CMP_PHASE_NONE;
}

static bool take_body(uint64_t number, struct cmp_transaction *t)
{
    t->opened_by = number < CMP_BODY_COUNT ? (enum cmp_body)number : CMP_BODY_NONE;
    return t->opened_by != CMP_BODY_NONE;
}

static bool take_field(struct record_reader *in, const struct record_field *f, struct cmp_transaction *t)
{
    switch ((enum field)f->tag) {
    case FIELD_PHASE: return take_phase(record_u64(in, f), t);
    case FIELD_OPENED_BY: return take_body(record_u64(in, f), t);
    case FIELD_CERT_REQ_ID: t->cert_req_id = (int64_t)record_u64(in, f) - 1; return true;
    case FIELD_IMPLICIT: t->implicit_confirm = record_u64(in, f) != 0; return true;
    case FIELD_GENERATED: t->generated = record_u64(in, f) != 0; return true;
    case FIELD_OPENING: return record_digest(f->content, &t->opening);
    case FIELD_SENDER: return record_digest(f->content, &t->sender);
    case FIELD_ALGORITHM: return record_digest(f->content, &t->algorithm);
    case FIELD_SIGNER: t->signer = f->content; return true;
    case FIELD_OUR_NONCE: t->our_nonce = f->content; return true;
    case FIELD_SEEN: t->seen = f->content; return f->content.len % DIGEST256_LEN == 0;
    case FIELD_REPLY: t->reply = f->content; return true;
    case FIELD_POLL: return record_digest(f->content, &t->poll);
    case FIELD_POLL_REPLY: t->poll_reply = f->content; return true;
    case FIELD_NONCE_BEFORE: t->nonce_before = f->content; return true;
    case FIELD_WAITING_NONCE: t->waiting_nonce = f->content; return true;
    case FIELD_CERTIFICATE: t->certificate = f->content; return true;
    case FIELD_OLD_ISSUER: return record_digest(f->content, &t->old.issuer);
    case FIELD_OLD_SERIAL: return certificate_id_take_serial(f->content, &t->old);
    }
    return true; /* of a later version: skipped */
}

static bool decode(struct bytes blob, struct cmp_transaction *out)
{
    struct record_reader in;
    struct record_field field;
    uint8_t version;

    if (!record_open(blob, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &field))
        if (!take_field(&in, &field, out))
            return false;
    return !in.failed && out->phase != CMP_PHASE_NONE && out->opened_by != CMP_BODY_NONE;
}

bool cmp_transaction_read(struct turn *turn, struct bytes procedure, struct bytes id,
                          struct cmp_transaction *out, struct error *err)
{
    const struct state_key key = key_for(procedure, id);
    struct cmp_transaction t = { 0 };
    struct state_value value = { 0 };
    bool found;

    if (!registry_state(turn->view, &key, turn->arena, &found, &value, err))
        return false;
    if (found && (value.expires_s == 0 || value.expires_s > turn->now_s) && !decode(value.blob, &t))
        return error_set(err, ERROR_FORMAT, "a stored CMP transaction is malformed");
    t.revision = found ? value.revision : 0;
    t.changed_s = found ? value.changed_s : 0;
    *out = t;
    return true;
}

bool cmp_transaction_put(struct turn *turn, struct bytes procedure, struct bytes id,
                         const struct cmp_transaction *t, int64_t expires_s, struct error *err)
{
    const struct state_key key = key_for(procedure, id);
    AUTO_STRUCT(buffer) blob = BUFFER(RECORD_MAX);
    struct state_value value = { .expires_s = expires_s };

    record_begin(&blob, RECORD_VERSION);
    record_put_u64(&blob, FIELD_PHASE, t->phase);
    record_put_u64(&blob, FIELD_OPENED_BY, t->opened_by);
    record_put_u64(&blob, FIELD_CERT_REQ_ID, (uint64_t)(t->cert_req_id + 1));
    record_put_u64(&blob, FIELD_IMPLICIT, t->implicit_confirm);
    record_put_u64(&blob, FIELD_GENERATED, t->generated);
    record_put(&blob, FIELD_OPENING, digest256_bytes(&t->opening));
    record_put(&blob, FIELD_SENDER, digest256_bytes(&t->sender));
    record_put(&blob, FIELD_ALGORITHM, digest256_bytes(&t->algorithm));
    record_put(&blob, FIELD_SIGNER, t->signer);
    record_put(&blob, FIELD_OUR_NONCE, t->our_nonce);
    record_put(&blob, FIELD_SEEN, t->seen);
    record_put(&blob, FIELD_REPLY, t->reply);
    record_put(&blob, FIELD_POLL, digest256_bytes(&t->poll));
    record_put(&blob, FIELD_POLL_REPLY, t->poll_reply);
    record_put(&blob, FIELD_NONCE_BEFORE, t->nonce_before);
    record_put(&blob, FIELD_WAITING_NONCE, t->waiting_nonce);
    record_put(&blob, FIELD_CERTIFICATE, t->certificate);
    record_put(&blob, FIELD_OLD_ISSUER, digest256_bytes(&t->old.issuer));
    record_put(&blob, FIELD_OLD_SERIAL, bytes_of(t->old.serial, t->old.serial_len));
    if (buffer_failed(&blob))
        return error_set(err, ERROR_MEMORY, "CMP transaction");
    value.blob = buffer_bytes(&blob);
    change_state_put(&turn->changes, &key, &value, t->revision);
    return true;
}

/* --- nonces --- */

bool cmp_nonce_seen(const struct cmp_transaction *t, struct bytes nonce, bool *seen)
{
    struct digest256 hash;

    if (!sha256(nonce, &hash))
        return false;
    *seen = false;
    for (size_t at = 0; at + DIGEST256_LEN <= t->seen.len; at += DIGEST256_LEN)
        *seen |= memcmp(t->seen.data + at, hash.bytes, DIGEST256_LEN) == 0;
    return true;
}

bool cmp_nonce_add(struct cmp_transaction *t, struct bytes nonce, struct arena *arena)
{
    const size_t max = (size_t)CMP_NONCES_MAX * DIGEST256_LEN;
    struct bytes kept = t->seen.len >= max ? bytes_from(t->seen, t->seen.len - max + DIGEST256_LEN) : t->seen;
    uint8_t *all = arena_alloc(arena, kept.len + DIGEST256_LEN);
    struct digest256 hash;

    if (all == NULL || !sha256(nonce, &hash))
        return false;
    if (kept.len > 0)
        memcpy(all, kept.data, kept.len);
    memcpy(all + kept.len, hash.bytes, DIGEST256_LEN);
    t->seen = bytes_of(all, kept.len + DIGEST256_LEN);
    return true;
}

/* --- messages that were served --- */

/* What the protection covers: anyone may change the rest. */
static bool opening_key(struct turn *turn, const struct cmp_message *m, struct state_key *out,
                        struct error *err)
{
    const struct bytes part[] = { m->header_encoded, m->body_encoded };
    struct digest256 digest;

    if (!sha256_parts(part, COUNT_OF(part), &digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a message");
    *out = (struct state_key){ .kind = "cmp-opening",
                               .id = arena_copy(turn->arena, digest256_bytes(&digest)) };
    return out->id.data != NULL || error_set(err, ERROR_MEMORY, "a message that was served");
}

bool cmp_opening_seen(struct turn *turn, const struct cmp_message *m, bool *seen, struct error *err)
{
    struct state_value value;
    struct state_key key;

    return opening_key(turn, m, &key, err) &&
           registry_state(turn->view, &key, turn->arena, seen, &value, err);
}

bool cmp_opening_put(struct turn *turn, const struct cmp_message *m, struct error *err)
{
    static const uint8_t record[] = { RECORD_VERSION };
    const struct state_value value = { .blob = BYTES_ARRAY(record) };
    struct state_key key;

    if (!opening_key(turn, m, &key, err))
        return false;
    change_state_put(&turn->changes, &key, &value, 0);
    return true;
}

/* --- key updates --- */

static bool update_key(struct turn *turn, const struct certificate_id *old, struct state_key *out,
                       struct error *err)
{
    AUTO_STRUCT(buffer) id = BUFFER(DIGEST256_LEN + SERIAL_MAX);

    buffer_append(&id, digest256_bytes(&old->issuer));
    buffer_append(&id, bytes_of(old->serial, old->serial_len));
    *out = (struct state_key){ .kind = "cmp-update", .id = arena_copy(turn->arena, buffer_bytes(&id)) };
    return out->id.data != NULL || error_set(err, ERROR_MEMORY, "key update");
}

static bool update_find(struct turn *turn, const struct certificate_id *old, struct state_key *key,
                        struct state_value *value, bool *found, struct error *err)
{
    return update_key(turn, old, key, err) && registry_state(turn->view, key, turn->arena, found, value, err);
}

bool cmp_update_read(struct turn *turn, const struct certificate_id *old, enum cmp_update *out,
                     struct error *err)
{
    struct state_value value;
    struct state_key key;
    bool found;

    if (!update_find(turn, old, &key, &value, &found, err))
        return false;
    *out = CMP_UPDATE_NONE;
    if (!found || (value.expires_s != 0 && value.expires_s <= turn->now_s))
        return true;
    if (value.blob.len != 1 || value.blob.data[0] > CMP_UPDATE_DONE)
        return error_set(err, ERROR_FORMAT, "a stored key update is malformed");
    *out = (enum cmp_update)value.blob.data[0];
    return true;
}

bool cmp_update_put(struct turn *turn, const struct certificate_id *old, enum cmp_update update,
                    int64_t until_s, struct error *err)
{
    const uint8_t octet = (uint8_t)update;
    struct state_value value = { 0 }, put = { .blob = bytes_of(&octet, 1), .expires_s = until_s };
    struct state_key key;
    bool found;

    if (!update_find(turn, old, &key, &value, &found, err))
        return false;
    if (update != CMP_UPDATE_NONE)
        change_state_put(&turn->changes, &key, &put, found ? value.revision : 0);
    else if (found)
        change_state_delete(&turn->changes, &key, value.revision);
    return true;
}

bool cmp_update_assume(struct turn *turn, const struct certificate_id *old, struct error *err)
{
    struct state_value value = { 0 };
    struct state_key key;
    bool found;

    if (!update_find(turn, old, &key, &value, &found, err))
        return false;
    change_state_assume(&turn->changes, &key, found ? value.revision : 0);
    return true;
}
