#include "lib/base/bytes.h"

#include <openssl/crypto.h>

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool bytes_equal_constant_time(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

bool bytes_is_nocase(struct bytes a, const char *text)
{
    return bytes_equal_nocase(a, bytes_text(text));
}

bool bytes_starts_with(struct bytes b, const char *prefix)
{
    return bytes_equal(bytes_slice(b, 0, strlen(prefix)), bytes_text(prefix));
}

bool bytes_ends_with(struct bytes b, const char *suffix)
{
    size_t len = strlen(suffix);

    return b.len >= len && bytes_equal(bytes_from(b, b.len - len), bytes_text(suffix));
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes bytes_trim(struct bytes b)
{
    while (b.len > 0 && is_blank(b.data[0]))
        b = bytes_from(b, 1);
    while (b.len > 0 && is_blank(b.data[b.len - 1]))
        b.len--;
    return b;
}

size_t bytes_find(struct bytes b, uint8_t byte)
{
    const uint8_t *at = b.len == 0 ? NULL : memchr(b.data, byte, b.len);

    return at == NULL ? b.len : (size_t)(at - b.data);
}

bool bytes_split(struct bytes *rest, uint8_t separator, struct bytes *part)
{
    size_t at;

    if (rest->data == NULL)
        return false;
    at = bytes_find(*rest, separator);
    *part = bytes_slice(*rest, 0, at);
    *rest = at == rest->len ? BYTES_NONE : bytes_from(*rest, at + 1);
    return true;
}

bool bytes_to_u64(struct bytes b, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (b.len == 0 || b.len > 20)
        return false;
    for (size_t i = 0; i < b.len; i++) {
        uint64_t digit = (uint64_t)b.data[i] - '0';

        if (b.data[i] < '0' || b.data[i] > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

/* Length of the well-formed sequence at the start, or 0 (Unicode, table 3-7). */
static size_t utf8_sequence(struct bytes b)
{
    uint8_t c = b.data[0];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

    if (len == 0 || len > b.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((b.data[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && b.data[1] < 0xa0) || (c == 0xed && b.data[1] > 0x9f) ||
        (c == 0xf0 && b.data[1] < 0x90) || (c == 0xf4 && b.data[1] > 0x8f))
        return 0;
    return len;
}

bool bytes_is_utf8(struct bytes b)
{
    while (b.len > 0) {
        size_t len = utf8_sequence(b);

        if (len == 0)
            return false;
        b = bytes_from(b, len);
    }
    return true;
}

bool bytes_has_control(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] < 0x20 || b.data[i] == 0x7f)
            return true;
    return false;
}
