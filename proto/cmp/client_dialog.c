/* A dialog as it is stored between two messages. */
#include "lib/base/record.h"
#include "proto/cmp/client.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 4096 };

enum field {
    FIELD_STAGE = 1,
    FIELD_ASKED,
    FIELD_IMPLICIT,
    FIELD_MENDED,
    FIELD_POLL_ID,
    FIELD_CERT_REQ_ID,
    FIELD_TRANSACTION_ID,
    FIELD_SALT,
    FIELD_SENDER_NONCE,
    FIELD_ASKED_NONCE,
    FIELD_PEER_NONCE,
    FIELD_WAITING_NONCE,
    FIELD_CERT_HASH,
    FIELD_COUNT
};

static bool take_octets(struct bytes content, uint8_t *out, size_t len)
{
    if (content.len != len)
        return false;
    memcpy(out, content.data, len);
    return true;
}

static bool take_hash(struct bytes content, struct cmp_dialog *d)
{
    if (content.len > sizeof(d->cert_hash))
        return false;
    d->cert_hash_len = content.len;
    if (content.len > 0)
        memcpy(d->cert_hash, content.data, content.len);
    return true;
}

static bool take_stage(uint64_t number, struct cmp_dialog *d)
{
    d->stage = number < CMP_DIALOG_STAGE_COUNT ? (enum cmp_dialog_stage)number : CMP_DIALOG_NONE;
    return d->stage != CMP_DIALOG_NONE;
}

static bool take_body(uint64_t number, struct cmp_dialog *d)
{
    d->asked = number < CMP_BODY_COUNT ? (enum cmp_body)number : CMP_BODY_NONE;
    return d->asked != CMP_BODY_NONE;
}

static bool take_field(struct record_reader *in, const struct record_field *f, struct cmp_dialog *d)
{
    switch ((enum field)f->tag) {
    case FIELD_STAGE: return take_stage(record_u64(in, f), d);
    case FIELD_ASKED: return take_body(record_u64(in, f), d);
    case FIELD_IMPLICIT: d->implicit_confirm = record_u64(in, f) != 0; return true;
    case FIELD_MENDED: d->nonce_mended = record_u64(in, f) != 0; return true;
    case FIELD_POLL_ID: d->poll_id = (int64_t)record_u64(in, f); return true;
    case FIELD_CERT_REQ_ID: d->cert_req_id = (int64_t)record_u64(in, f); return true;
    case FIELD_TRANSACTION_ID: return take_octets(f->content, d->transaction_id, sizeof(d->transaction_id));
    case FIELD_SALT: return take_octets(f->content, d->salt, sizeof(d->salt));
    case FIELD_SENDER_NONCE: return take_octets(f->content, d->sender_nonce, sizeof(d->sender_nonce));
    case FIELD_ASKED_NONCE: return take_octets(f->content, d->asked_nonce, sizeof(d->asked_nonce));
    case FIELD_PEER_NONCE: d->peer_nonce = f->content; return f->content.len <= CMP_ID_MAX;
    case FIELD_WAITING_NONCE: d->waiting_nonce = f->content; return f->content.len <= CMP_ID_MAX;
    case FIELD_CERT_HASH: return take_hash(f->content, d);
    case FIELD_COUNT: break;
    }
    return true; /* of a later version: skipped */
}

bool cmp_dialog_decode(struct bytes record, struct cmp_dialog *out)
{
    struct cmp_dialog d = { .stage = CMP_DIALOG_NONE };
    struct record_reader in;
    struct record_field field;
    uint32_t seen = 0;
    uint8_t version;

    if (!record_open(record, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &field)) {
        if (!take_field(&in, &field, &d))
            return false;
        seen |= field.tag < FIELD_COUNT ? 1U << field.tag : 0;
    }
    if (in.failed || seen != (1U << FIELD_COUNT) - 2) /* a nonce that is not there would be one of zeros */
        return false;
    *out = d;
    return true;
}

bool cmp_dialog_encode(const struct cmp_dialog *d, struct arena *arena, struct bytes *out, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct bytes copy;

    record_begin(&record, RECORD_VERSION);
    record_put_u64(&record, FIELD_STAGE, d->stage);
    record_put_u64(&record, FIELD_ASKED, d->asked);
    record_put_u64(&record, FIELD_IMPLICIT, d->implicit_confirm);
    record_put_u64(&record, FIELD_MENDED, d->nonce_mended);
    record_put_u64(&record, FIELD_POLL_ID, (uint64_t)d->poll_id);
    record_put_u64(&record, FIELD_CERT_REQ_ID, (uint64_t)d->cert_req_id);
    record_put(&record, FIELD_TRANSACTION_ID, BYTES_ARRAY(d->transaction_id));
    record_put(&record, FIELD_SALT, BYTES_ARRAY(d->salt));
    record_put(&record, FIELD_SENDER_NONCE, BYTES_ARRAY(d->sender_nonce));
    record_put(&record, FIELD_ASKED_NONCE, BYTES_ARRAY(d->asked_nonce));
    record_put(&record, FIELD_PEER_NONCE, d->peer_nonce);
    record_put(&record, FIELD_WAITING_NONCE, d->waiting_nonce);
    record_put(&record, FIELD_CERT_HASH, bytes_of(d->cert_hash, d->cert_hash_len));
    copy = buffer_failed(&record) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&record));
    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "CMP dialog");
    *out = copy;
    return true;
}
