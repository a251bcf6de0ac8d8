/* buffer.h: bytes that grow to a named maximum. A failed append changes nothing and marks the buffer; writers
 * append without looking and ask once at the end (buffer_failed). */
#ifndef MUSTER_BUFFER_H
#define MUSTER_BUFFER_H

#include "lib/base/bytes.h"

struct buffer {
    uint8_t *data;
    size_t len, capacity, max;
    bool failed; /* an append went past max, or memory ran out */
};

#define BUFFER(maximum) ((struct buffer){ .max = (maximum) })

void buffer_free(struct buffer *buffer); /* wipes; the buffer may be used again, with the same maximum */
UNUSED static inline void auto_buffer(struct buffer *buffer)
{
    buffer_free(buffer);
}

void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_u16(struct buffer *buffer, uint16_t value); /* big-endian, as the next two */
void buffer_append_u32(struct buffer *buffer, uint32_t value);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
void buffer_format(struct buffer *buffer, const char *format, ...) PRINTF(2, 3);

/* Room for `len` more bytes at the end, uninitialised, counted as content; NULL and failed when there is
 * none. */
MUST_USE uint8_t *buffer_extend(struct buffer *buffer, size_t len);

static inline void buffer_append(struct buffer *buffer, struct bytes b)
{
    uint8_t *end = b.len == 0 ? NULL : buffer_extend(buffer, b.len);

    if (end != NULL)
        memcpy(end, b.data, b.len);
}

/* Most messages are written in small pieces: what there is room for takes no call. */
static inline void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    if (buffer->len < buffer->capacity && !buffer->failed)
        buffer->data[buffer->len++] = byte;
    else
        buffer_append(buffer, bytes_of(&byte, 1));
}

/* Takes `len` bytes off the front (all, when there are fewer). */
void buffer_consume(struct buffer *buffer, size_t len);

static inline bool buffer_failed(const struct buffer *buffer)
{
    return buffer->failed;
}

/* What is in it; valid until the next change. */
static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->len);
}

#endif
