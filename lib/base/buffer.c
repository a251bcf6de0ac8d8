#include "lib/base/buffer.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_free(struct buffer *buffer)
{
    if (buffer->data != NULL) {
        OPENSSL_cleanse(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    *buffer = BUFFER(buffer->max);
}

/* Doubles into fresh memory and wipes the old: a plain realloc could leave secrets behind. */
static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity < 128 ? 128 : buffer->capacity * 2;
    uint8_t *data;

    if (capacity < needed)
        capacity = needed;
    if (capacity > buffer->max)
        capacity = buffer->max;
    data = malloc(capacity);
    if (data == NULL)
        return false;
    if (buffer->len > 0)
        memcpy(data, buffer->data, buffer->len);
    if (buffer->data != NULL) {
        OPENSSL_cleanse(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t len)
{
    uint8_t *end;

    if (buffer->failed || len > buffer->max - buffer->len ||
        (len > buffer->capacity - buffer->len && !grow(buffer, buffer->len + len))) {
        buffer->failed = true;
        return NULL;
    }
    end = buffer->data == NULL ? NULL : buffer->data + buffer->len;
    buffer->len += len;
    return end;
}

void buffer_append(struct buffer *buffer, struct bytes b)
{
    uint8_t *end = b.len == 0 ? NULL : buffer_extend(buffer, b.len);

    if (end != NULL)
        memcpy(end, b.data, b.len);
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, bytes_text(text));
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    buffer_append(buffer, bytes_of(&byte, 1));
}

void buffer_append_u16(struct buffer *buffer, uint16_t value)
{
    uint8_t raw[2] = { (uint8_t)(value >> 8), (uint8_t)value };

    buffer_append(buffer, BYTES_ARRAY(raw));
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
    buffer_append_u16(buffer, (uint16_t)(value >> 16));
    buffer_append_u16(buffer, (uint16_t)value);
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    buffer_append_u32(buffer, (uint32_t)(value >> 32));
    buffer_append_u32(buffer, (uint32_t)value);
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len < 0) {
        buffer->failed = true;
    } else {
        uint8_t *end = buffer_extend(buffer, (size_t)len + 1); /* vsnprintf writes a NUL too */

        if (end != NULL) {
            (void)vsnprintf((char *)end, (size_t)len + 1, format, again);
            buffer->len--;
        }
    }
    va_end(again);
    va_end(args);
}

void buffer_consume(struct buffer *buffer, size_t len)
{
    if (len > buffer->len)
        len = buffer->len;
    if (len > 0)
        memmove(buffer->data, buffer->data + len, buffer->len - len);
    buffer->len -= len;
}
