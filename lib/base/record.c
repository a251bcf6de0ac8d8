#include "lib/base/record.h"

void record_begin(struct buffer *out, uint8_t version)
{
    buffer_append_byte(out, version);
}

void record_put(struct buffer *out, uint16_t tag, struct bytes content)
{
    if (content.len > UINT32_MAX) {
        out->failed = true;
        return;
    }
    buffer_append_u16(out, tag);
    buffer_append_u32(out, (uint32_t)content.len);
    buffer_append(out, content);
}

void record_put_u64(struct buffer *out, uint16_t tag, uint64_t value)
{
    buffer_append_u16(out, tag);
    buffer_append_u32(out, sizeof(value));
    buffer_append_u64(out, value);
}

static uint64_t big_endian(const uint8_t *data, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | data[i];
    return value;
}

bool record_open(struct bytes record, struct record_reader *out, uint8_t *version)
{
    if (record.len == 0)
        return false;
    *version = record.data[0];
    *out = (struct record_reader){ .rest = bytes_from(record, 1) };
    return true;
}

bool record_next(struct record_reader *reader, struct record_field *out)
{
    size_t len;

    if (reader->failed || reader->rest.len == 0)
        return false;
    if (reader->rest.len < 6) {
        reader->failed = true;
        return false;
    }
    len = (size_t)big_endian(reader->rest.data + 2, 4);
    if (len > reader->rest.len - 6) {
        reader->failed = true;
        return false;
    }
    out->tag = (uint16_t)big_endian(reader->rest.data, 2);
    out->content = bytes_slice(reader->rest, 6, len);
    reader->rest = bytes_from(reader->rest, 6 + len);
    return true;
}

uint64_t record_u64(struct record_reader *reader, const struct record_field *field)
{
    if (field->content.len != 8) {
        reader->failed = true;
        return 0;
    }
    return big_endian(field->content.data, 8);
}

unsigned record_choice(struct record_reader *reader, const struct record_field *field, unsigned count)
{
    uint64_t number = record_u64(reader, field);

    return number < count ? (unsigned)number : 0;
}

bool record_octets(struct bytes content, uint8_t *out, size_t len)
{
    if (content.len != len)
        return false;
    memcpy(out, content.data, len);
    return true;
}

bool record_read(struct bytes record, uint8_t version, record_take *take_field, void *into)
{
    struct record_reader in;
    struct record_field field;
    uint8_t found;

    if (!record_open(record, &in, &found) || found != version)
        return false;
    while (record_next(&in, &field))
        if (!take_field(&in, &field, into))
            return false;
    return !in.failed;
}

bool record_keep(const struct buffer *record, const char *what, struct arena *arena, struct bytes *out,
                 struct error *err)
{
    struct bytes kept = buffer_failed(record) ? BYTES_NONE : arena_copy(arena, buffer_bytes(record));

    if (kept.data == NULL)
        return error_set(err, ERROR_MEMORY, "%s", what);
    *out = kept;
    return true;
}
