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

enum { FIRST_CAPACITY = 512 };

/* Doubles into fresh memory and wipes the old: a plain realloc could leave secrets behind. */
static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buffer->capacity * 2;
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

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, bytes_text(text));
}

static void append_number(struct buffer *buffer, uint64_t value, size_t len)
{
    uint8_t *end = buffer_extend(buffer, len);

    for (; end != NULL && len > 0; value >>= 8)
        end[--len] = (uint8_t)value;
}

void buffer_append_u16(struct buffer *buffer, uint16_t value)
{
    append_number(buffer, value, sizeof(value));
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
    append_number(buffer, value, sizeof(value));
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    append_number(buffer, value, sizeof(value));
}

/* Tried where it will mostly fit; again when it was longer. */
void buffer_format(struct buffer *buffer, const char *format, ...)
{
    size_t room = buffer->failed ? 0 : buffer->capacity - buffer->len;
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(room > 0 ? (char *)buffer->data + buffer->len : NULL, room, format, args);
    if (len < 0) {
        buffer->failed = true;
    } else if ((size_t)len < room) {
        buffer->len += (size_t)len;
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
