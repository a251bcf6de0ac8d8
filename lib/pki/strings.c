#include "lib/pki/names_internal.h"

bool text_is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return false;
    return true;
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_is_printable_string(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alphanumeric(text.data[i]) &&
            (text.data[i] == 0 || strchr(" '()+,-./:=?", text.data[i]) == NULL))
            return false;
    return true;
}

static bool is_numeric_string(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != ' ' && (text.data[i] < '0' || text.data[i] > '9'))
            return false;
    return true;
}

bool text_has_control(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f ||
            (text.data[i] == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0))
            return true;
    return false;
}

size_t text_count(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

/* At most 3 bytes for what is up to U+FFFF, else 4. False: a surrogate or beyond Unicode. */
static bool put_character(uint8_t *out, size_t *at, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    if (c < 0x80) {
        out[(*at)++] = (uint8_t)c;
    } else if (c < 0x800) {
        out[(*at)++] = (uint8_t)(0xc0 | c >> 6);
        out[(*at)++] = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        out[(*at)++] = (uint8_t)(0xe0 | c >> 12);
        out[(*at)++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[(*at)++] = (uint8_t)(0x80 | (c & 0x3f));
    } else {
        out[(*at)++] = (uint8_t)(0xf0 | c >> 18);
        out[(*at)++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        out[(*at)++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[(*at)++] = (uint8_t)(0x80 | (c & 0x3f));
    }
    return true;
}

/* Characters of 1 (Latin-1, how TeletexString is used), 2 (BMP) or 4 (Universal) octets. */
static enum name_fault widen(struct bytes content, size_t width, struct arena *arena, struct bytes *text)
{
    uint8_t *out;
    size_t at = 0;

    if (content.len % width != 0)
        return NAME_FAULT_VALUE;
    out = content.len > SIZE_MAX / 2 ? NULL : arena_alloc(arena, content.len * 2);
    if (out == NULL)
        return NAME_FAULT_MEMORY;
    for (size_t i = 0; i < content.len; i += width) {
        uint32_t c = 0;

        for (size_t k = 0; k < width; k++)
            c = c << 8 | content.data[i + k];
        if (!put_character(out, &at, c))
            return NAME_FAULT_VALUE;
    }
    *text = bytes_of(out, at);
    return NAME_OK;
}

static enum name_fault decode(unsigned tag, struct bytes content, bool strict, struct arena *arena,
                              struct bytes *text)
{
    bool fits;

    switch (tag) {
    case DER_UTF8_STRING: fits = bytes_is_utf8(content); break;
    case DER_PRINTABLE_STRING:
        fits = strict ? text_is_printable_string(content) : bytes_is_utf8(content);
        break;
    case DER_NUMERIC_STRING: fits = is_numeric_string(content); break;
    case DER_IA5_STRING:
    case DER_VISIBLE_STRING: fits = strict ? text_is_ascii(content) : bytes_is_utf8(content); break;
    case DER_TELETEX_STRING: return widen(content, 1, arena, text);
    case DER_BMP_STRING: return widen(content, 2, arena, text);
    case DER_UNIVERSAL_STRING: return widen(content, 4, arena, text);
    default: return NAME_FAULT_SYNTAX;
    }
    if (fits)
        *text = content;
    return fits ? NAME_OK : NAME_FAULT_VALUE;
}

enum name_fault string_decode_raw(unsigned tag, struct bytes content, struct arena *arena, struct bytes *text)
{
    return decode(tag, content, false, arena, text);
}

enum name_fault string_decode(unsigned tag, struct bytes content, bool strict, struct arena *arena,
                              struct bytes *text)
{
    struct bytes value = BYTES_NONE;
    enum name_fault fault = decode(tag, content, strict, arena, &value);

    if (fault != NAME_OK)
        return fault;
    if (text_has_control(value) || (strict && value.len == 0))
        return NAME_FAULT_VALUE;
    *text = value;
    return NAME_OK;
}
