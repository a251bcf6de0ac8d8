#include "enroll/audit_internal.h"

#include "lib/base/encode.h"

void audit_begin(struct buffer *out)
{
    buffer_append_byte(out, '{');
}

static void name_of(struct buffer *out, const char *name)
{
    if (out->len > 1)
        buffer_append_byte(out, ',');
    buffer_append_byte(out, '"');
    buffer_append_text(out, name);
    buffer_append_text(out, "\":");
}

void audit_text(struct buffer *out, const char *name, struct bytes text)
{
    if (text.len == 0)
        return;
    if (!bytes_is_utf8(text)) {
        audit_hex(out, name, text);
        return;
    }
    name_of(out, name);
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (c == '"' || c == '\\')
            buffer_append_byte(out, '\\');
        if (c < 0x20 || c == 0x7f)
            buffer_format(out, "\\u%04x", (unsigned)c);
        else
            buffer_append_byte(out, c);
    }
    buffer_append_byte(out, '"');
}

void audit_hex(struct buffer *out, const char *name, struct bytes octets)
{
    uint8_t *digits;

    if (octets.len == 0)
        return;
    name_of(out, name);
    buffer_append_byte(out, '"');
    digits = buffer_extend(out, 2 * octets.len + 1);
    if (digits == NULL)
        return;
    hex_encode(octets, (char *)digits);
    digits[2 * octets.len] = '"'; /* for the NUL */
}

void audit_number(struct buffer *out, const char *name, int64_t number)
{
    name_of(out, name);
    buffer_format(out, "%lld", (long long)number);
}

void audit_end(struct buffer *out)
{
    buffer_append_byte(out, '}');
}
