#include "registry/codec_internal.h"

#include <assert.h>

void field_put(struct buffer *out, uint16_t tag, struct bytes content)
{
    if (content.len > 0)
        record_put(out, tag, content);
}

void field_put_u64(struct buffer *out, uint16_t tag, uint64_t value)
{
    if (value != 0)
        record_put_u64(out, tag, value);
}

void list_put(struct bytes *list, size_t *count, struct bytes item)
{
    assert(list != NULL); /* room was made for as many as the record has */
    list[(*count)++] = item;
}

void field_fixed(struct record_reader *in, const struct record_field *field, uint8_t *out, size_t len)
{
    if (field->content.len == len)
        memcpy(out, field->content.data, len);
    else
        in->failed = true;
}

bool codec_open(struct bytes record, struct record_reader *out, struct error *err)
{
    uint8_t version;

    if (!record_open(record, out, &version))
        return error_set(err, ERROR_FORMAT, "registry: an empty record");
    if (version > RECORD_VERSION)
        return error_set(err, ERROR_UNSUPPORTED, "registry: a record of version %u, this program knows %d",
                         version, RECORD_VERSION);
    return true;
}

bool codec_finish(const struct record_reader *in, const char *what, struct error *err)
{
    return !in->failed || error_set(err, ERROR_FORMAT, "registry: a %s record is malformed", what);
}

/* --- state --- */
enum {
    STATE_PROCEDURE = 1,
    STATE_KIND,
    STATE_ID,
    STATE_BLOB,
    STATE_REVISION,
    STATE_EXPIRES,
    STATE_CHANGED,
    STATE_HOLDER
};

void state_encode(struct buffer *out, const struct state_row *s)
{
    record_begin(out, RECORD_VERSION);
    field_put(out, STATE_PROCEDURE, s->procedure);
    field_put(out, STATE_KIND, s->kind);
    field_put(out, STATE_ID, s->id);
    field_put(out, STATE_BLOB, s->blob);
    field_put_u64(out, STATE_REVISION, s->revision);
    field_put_u64(out, STATE_EXPIRES, (uint64_t)s->expires_s);
    field_put_u64(out, STATE_CHANGED, (uint64_t)s->changed_s);
    field_put_u64(out, STATE_HOLDER, s->holder_len);
}

bool state_decode(struct bytes record, struct state_row *out, struct error *err)
{
    struct state_row s = { 0 };
    struct record_reader in;
    struct record_field field;

    if (!codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field)) {
        switch (field.tag) {
        case STATE_PROCEDURE: s.procedure = field.content; break;
        case STATE_KIND: s.kind = field.content; break;
        case STATE_ID: s.id = field.content; break;
        case STATE_BLOB: s.blob = field.content; break;
        case STATE_REVISION: s.revision = record_u64(&in, &field); break;
        case STATE_EXPIRES: s.expires_s = (int64_t)record_u64(&in, &field); break;
        case STATE_CHANGED: s.changed_s = (int64_t)record_u64(&in, &field); break;
        case STATE_HOLDER: s.holder_len = record_u64(&in, &field); break;
        default: break;
        }
    }
    if (s.kind.len == 0 || s.kind.len > STATE_KIND_MAX || s.holder_len > s.id.len)
        in.failed = true;
    if (!codec_finish(&in, "state", err))
        return false;
    *out = s;
    return true;
}

/* --- jobs --- */
enum { JOB_ID = 1, JOB_KIND, JOB_STATE, JOB_DUE, JOB_ATTEMPTS };

void job_encode(struct buffer *out, const struct job_record *job)
{
    record_begin(out, RECORD_VERSION);
    field_put(out, JOB_ID, BYTES_ARRAY(job->id.bytes));
    field_put(out, JOB_KIND, job->kind);
    field_put(out, JOB_STATE, job->state);
    field_put_u64(out, JOB_DUE, (uint64_t)job->due_s);
    field_put_u64(out, JOB_ATTEMPTS, job->attempts);
}

bool job_decode(struct bytes record, struct job_record *out, struct error *err)
{
    struct job_record job = { 0 };
    struct record_reader in;
    struct record_field field;

    if (!codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field)) {
        switch (field.tag) {
        case JOB_ID: field_fixed(&in, &field, job.id.bytes, ID_LEN); break;
        case JOB_KIND: job.kind = field.content; break;
        case JOB_STATE: job.state = field.content; break;
        case JOB_DUE: job.due_s = (int64_t)record_u64(&in, &field); break;
        case JOB_ATTEMPTS: job.attempts = (uint32_t)record_u64(&in, &field); break;
        default: break;
        }
    }
    if (!codec_finish(&in, "job", err))
        return false;
    *out = job;
    return true;
}

/* --- officers --- */
enum {
    OFFICER_KEY_ID = 1,
    OFFICER_NAME,
    OFFICER_SPKI,
    OFFICER_CERTIFICATE,
    OFFICER_RIGHTS,
    OFFICER_PROCEDURE,
    OFFICER_SUFFIX,
    OFFICER_DISABLED,
    OFFICER_REVISION,
};

void officer_encode(struct buffer *out, const struct officer_record *officer)
{
    record_begin(out, RECORD_VERSION);
    field_put(out, OFFICER_KEY_ID, officer->key_id);
    field_put(out, OFFICER_NAME, officer->name);
    field_put(out, OFFICER_SPKI, officer->spki);
    field_put(out, OFFICER_CERTIFICATE, digest256_bytes(&officer->certificate));
    field_put_u64(out, OFFICER_RIGHTS, officer->rights);
    for (size_t i = 0; i < officer->procedure_count; i++)
        record_put(out, OFFICER_PROCEDURE, officer->procedure[i]);
    for (size_t i = 0; i < officer->suffix_count; i++)
        record_put(out, OFFICER_SUFFIX, officer->suffix[i]);
    field_put_u64(out, OFFICER_DISABLED, officer->disabled);
    field_put_u64(out, OFFICER_REVISION, officer->revision);
}

static bool officer_lists(struct bytes record, struct arena *arena, struct officer_record *out,
                          struct error *err)
{
    size_t procedures = 0, suffixes = 0;
    struct record_reader in;
    struct record_field field;

    if (!codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field)) {
        procedures += field.tag == OFFICER_PROCEDURE;
        suffixes += field.tag == OFFICER_SUFFIX;
    }
    if (procedures > 0)
        out->procedure = arena_array(arena, procedures, sizeof(*out->procedure));
    if (suffixes > 0)
        out->suffix = arena_array(arena, suffixes, sizeof(*out->suffix));
    if ((procedures > 0 && out->procedure == NULL) || (suffixes > 0 && out->suffix == NULL))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return true;
}

bool officer_decode(struct bytes record, struct arena *arena, struct officer_record *out, struct error *err)
{
    struct officer_record o = { 0 };
    struct record_reader in;
    struct record_field field;

    if (!officer_lists(record, arena, &o, err) || !codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field)) {
        switch (field.tag) {
        case OFFICER_KEY_ID: o.key_id = field.content; break;
        case OFFICER_NAME: o.name = field.content; break;
        case OFFICER_SPKI: o.spki = field.content; break;
        case OFFICER_CERTIFICATE: field_fixed(&in, &field, o.certificate.bytes, DIGEST256_LEN); break;
        case OFFICER_RIGHTS: o.rights = (uint32_t)record_u64(&in, &field); break;
        case OFFICER_PROCEDURE: list_put(o.procedure, &o.procedure_count, field.content); break;
        case OFFICER_SUFFIX: list_put(o.suffix, &o.suffix_count, field.content); break;
        case OFFICER_DISABLED: o.disabled = record_u64(&in, &field) != 0; break;
        case OFFICER_REVISION: o.revision = record_u64(&in, &field); break;
        default: break;
        }
    }
    if (!codec_finish(&in, "officer", err))
        return false;
    *out = o;
    return true;
}

/* --- audit --- */
enum { AUDIT_TIME = 1, AUDIT_KIND, AUDIT_CONTENT, AUDIT_LEAF };

void audit_encode(struct buffer *out, const struct audit_entry *entry)
{
    record_begin(out, RECORD_VERSION);
    field_put_u64(out, AUDIT_TIME, (uint64_t)entry->time_s);
    field_put_u64(out, AUDIT_KIND, entry->kind);
    field_put(out, AUDIT_CONTENT, entry->content);
    field_put(out, AUDIT_LEAF, digest256_bytes(&entry->leaf));
}

bool audit_decode(struct bytes record, uint64_t index, struct audit_entry *out, struct error *err)
{
    struct audit_entry entry = { .index = index };
    struct record_reader in;
    struct record_field field;
    uint64_t kind = 0;

    if (!codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field)) {
        switch (field.tag) {
        case AUDIT_TIME: entry.time_s = (int64_t)record_u64(&in, &field); break;
        case AUDIT_KIND: kind = record_u64(&in, &field); break;
        case AUDIT_CONTENT: entry.content = field.content; break;
        case AUDIT_LEAF: field_fixed(&in, &field, entry.leaf.bytes, DIGEST256_LEN); break;
        default: break;
        }
    }
    if (kind == AUDIT_NONE || kind >= AUDIT_KIND_COUNT)
        in.failed = true;
    if (!codec_finish(&in, "audit", err))
        return false;
    entry.kind = (enum audit_kind)kind;
    *out = entry;
    return true;
}
