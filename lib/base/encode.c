#include "lib/base/encode.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* One more than the 6 bits of a letter or digit; 0 for all else. */
static const uint8_t letters[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62,
};

/* The 6 bits of a character, or 64. */
static unsigned value_of(uint8_t c, char c62, char c63)
{
    if (letters[c] != 0)
        return letters[c] - 1u;
    if (c == (uint8_t)c62)
        return 62;
    return c == (uint8_t)c63 ? 63 : 64;
}

/* Writes the 2 to 4 characters of 1 to 3 bytes; returns how many. */
static size_t encode_group(const uint8_t *in, size_t len, const char *alphabet, char out[4])
{
    uint32_t bits = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0) | (len > 2 ? in[2] : 0u);

    for (size_t i = 0; i < len + 1; i++)
        out[i] = alphabet[bits >> (18 - 6 * i) & 63];
    return len + 1;
}

static void encode_line(struct buffer *out, struct bytes in)
{
    uint8_t *end = in.len == 0 ? NULL : buffer_extend(out, (in.len + 2) / 3 * 4);
    size_t len = 0;

    for (size_t at = 0; end != NULL && at < in.len; at += 3)
        len += encode_group(in.data + at, in.len - at < 3 ? in.len - at : 3, standard, (char *)end + len);
    for (; len % 4 != 0; len++)
        end[len] = '=';
}

void base64_encode(struct buffer *out, struct bytes in, unsigned columns)
{
    size_t line = columns > 0 ? columns / 4 * 3 : in.len;

    for (size_t at = 0; at < in.len; at += line) {
        encode_line(out, bytes_slice(in, at, line));
        if (columns > 0)
            buffer_append_byte(out, '\n');
    }
}

void base64url_encode(struct buffer *out, struct bytes in)
{
    for (size_t at = 0; at < in.len; at += 3) {
        char group[4];
        size_t len = encode_group(in.data + at, in.len - at < 3 ? in.len - at : 3, url_safe, group);

        buffer_append(out, bytes_of(group, len));
    }
}

/* Decodes what was fed so far. Tracks the pending bits, so that both decoders share it. */
struct decoder {
    uint32_t bits;
    unsigned count; /* pending bits */
    uint8_t *out;
    size_t len, characters;
};

static void decoder_feed(struct decoder *d, unsigned value)
{
    d->bits = d->bits << 6 | value;
    d->count += 6;
    d->characters++;
    if (d->count >= 8) {
        d->count -= 8;
        d->out[d->len++] = (uint8_t)(d->bits >> d->count);
        d->bits &= (1u << d->count) - 1;
    }
}

bool base64_decode(struct bytes in, uint8_t *out, size_t *len)
{
    struct decoder d = { .out = out };
    size_t padding = 0;

    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        unsigned value;

        if (c == '\r' || c == '\n' || c == ' ' || c == '\t')
            continue;
        if (c == '=') {
            padding++;
            continue;
        }
        value = value_of(c, '+', '/');
        if (value == 64 || padding > 0)
            return false;
        decoder_feed(&d, value);
    }
    if (d.characters % 4 == 1 || padding > 2 || (padding > 0 && (d.characters + padding) % 4 != 0))
        return false;
    *len = d.len;
    return true;
}

bool base64url_decode(struct bytes in, uint8_t *out, size_t *len)
{
    struct decoder d = { .out = out };

    if (in.len % 4 == 1)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        unsigned value = value_of(in.data[i], '-', '_');

        if (value == 64)
            return false;
        decoder_feed(&d, value);
    }
    if (d.bits != 0)
        return false;
    *len = d.len;
    return true;
}

void hex_encode(struct bytes in, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < in.len; i++) {
        *out++ = digits[in.data[i] >> 4];
        *out++ = digits[in.data[i] & 15];
    }
    *out = '\0';
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(struct bytes in, uint8_t *out)
{
    if (in.len % 2 != 0)
        return false;
    for (size_t i = 0; i < in.len; i++)
        if (hex_value(in.data[i]) < 0)
            return false;
    for (size_t i = 0; i < in.len; i += 2)
        out[i / 2] = (uint8_t)(hex_value(in.data[i]) << 4 | hex_value(in.data[i + 1]));
    return true;
}
