#include <assert.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/pki/der.h"

size_t der_begin(struct buffer *out, unsigned tag)
{
    assert(tag > 0 && tag <= 0xff);
    buffer_append_byte(out, (uint8_t)tag);
    buffer_append_byte(out, 0); /* the length, made longer by der_end when it must be */
    return out->len;
}

void der_end(struct buffer *out, size_t begun)
{
    size_t len, octets = 0;

    if (buffer_failed(out))
        return;
    assert(begun >= 2 && begun <= out->len);
    len = out->len - begun;
    if (len < 0x80) {
        out->data[begun - 1] = (uint8_t)len;
        return;
    }
    for (size_t rest = len; rest > 0; rest >>= 8)
        octets++;
    if (buffer_extend(out, octets) == NULL)
        return;
    memmove(out->data + begun + octets, out->data + begun, len);
    out->data[begun - 1] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++)
        out->data[begun + i] = (uint8_t)(len >> 8 * (octets - 1 - i));
}

void der_put(struct buffer *out, unsigned tag, struct bytes content)
{
    size_t begun = der_begin(out, tag);

    buffer_append(out, content);
    der_end(out, begun);
}

void der_put_oid(struct buffer *out, struct bytes oid)
{
    der_put(out, DER_OID, oid);
}

void der_put_integer(struct buffer *out, struct bytes magnitude)
{
    size_t begun = der_begin(out, DER_INTEGER);

    while (magnitude.len > 0 && magnitude.data[0] == 0)
        magnitude = bytes_from(magnitude, 1);
    if (magnitude.len == 0 || magnitude.data[0] >= 0x80)
        buffer_append_byte(out, 0);
    buffer_append(out, magnitude);
    der_end(out, begun);
}

void der_put_uint(struct buffer *out, uint64_t value)
{
    uint8_t raw[8];

    for (unsigned i = 0; i < 8; i++)
        raw[i] = (uint8_t)(value >> (56 - 8 * i));
    der_put_integer(out, BYTES_ARRAY(raw));
}

void der_put_int(struct buffer *out, int64_t value)
{
    uint8_t raw[8];
    size_t from = 0;

    for (unsigned i = 0; i < 8; i++)
        raw[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    while (from < 7 && raw[from] == (value < 0 ? 0xff : 0x00) && (raw[from + 1] >= 0x80) == (value < 0))
        from++;
    der_put(out, DER_INTEGER, bytes_from(BYTES_ARRAY(raw), from));
}

void der_put_bits(struct buffer *out, struct bytes bits)
{
    size_t begun = der_begin(out, DER_BIT_STRING);

    buffer_append_byte(out, 0);
    buffer_append(out, bits);
    der_end(out, begun);
}

void der_put_named_bits(struct buffer *out, uint32_t mask)
{
    size_t begun = der_begin(out, DER_BIT_STRING);
    uint8_t octet[4] = { 0 };
    size_t len = 0;
    unsigned unused = 0;

    for (unsigned bit = 0; bit < 32; bit++) {
        if ((mask >> bit & 1) == 0)
            continue;
        octet[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
        len = bit / 8 + 1;
        unused = 7 - bit % 8;
    }
    buffer_append_byte(out, (uint8_t)unused);
    buffer_append(out, bytes_of(octet, len));
    der_end(out, begun);
}

void der_put_boolean(struct buffer *out, bool value)
{
    uint8_t content = value ? 0xff : 0x00;

    der_put(out, DER_BOOLEAN, bytes_of(&content, 1));
}

void der_put_null(struct buffer *out)
{
    der_put(out, DER_NULL, BYTES_NONE);
}

void der_put_time(struct buffer *out, int64_t time_s)
{
    struct calendar c;
    bool utc;
    size_t begun;

    calendar_of(time_s, &c);
    if (c.year < 0 || c.year > 9999) {
        out->failed = true;
        return;
    }
    utc = c.year >= 1950 && c.year < 2050; /* RFC 5280 4.1.2.5 */
    begun = der_begin(out, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME);
    if (!utc)
        buffer_format(out, "%02d", c.year / 100);
    buffer_format(out, "%02d%02d%02d%02d%02d%02dZ", c.year % 100, c.month, c.day, c.hour, c.minute, c.second);
    der_end(out, begun);
}

static void reverse(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len / 2; i++) {
        uint8_t kept = data[i];

        data[i] = data[len - 1 - i];
        data[len - 1 - i] = kept;
    }
}

/* Insertion sort in place: the last `len` bytes at `at` go before the first element that is greater. */
static void insert(uint8_t *set, size_t at, size_t len)
{
    struct der in = der_of(bytes_of(set, at));
    size_t to = 0;

    while (der_more(&in)) {
        struct bytes element = der_any(&in, NULL);

        if (element.data == NULL || bytes_compare(element, bytes_of(set + at, len)) > 0)
            break;
        to += element.len;
    }
    reverse(set + to, at - to); /* a rotation is three reversals */
    reverse(set + at, len);
    reverse(set + to, at - to + len);
}

void der_sort_set(struct buffer *out, size_t begun)
{
    struct der in;
    size_t at = 0;

    if (buffer_failed(out) || out->len == begun)
        return;
    for (;;) {
        struct bytes element;

        in = der_of(bytes_of(out->data + begun + at, out->len - begun - at));
        if (!der_more(&in))
            return;
        element = der_any(&in, NULL);
        assert(!in.failed); /* we wrote it */
        insert(out->data + begun, at, element.len);
        at += element.len;
    }
}
