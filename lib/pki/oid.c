#include <stdio.h>

#include "lib/pki/der.h"

/* One arc, base 128, minimal. */
static bool take_arc(struct bytes *rest, uint64_t *arc)
{
    uint64_t value = 0;

    if (rest->len == 0 || rest->data[0] == 0x80)
        return false;
    for (size_t i = 0; i < rest->len; i++) {
        if (value > UINT64_MAX >> 7)
            return false;
        value = value << 7 | (rest->data[i] & 0x7fu);
        if (rest->data[i] < 0x80) {
            *rest = bytes_from(*rest, i + 1);
            *arc = value;
            return true;
        }
    }
    return false;
}

static bool put_text(char *out, size_t size, size_t *at, const char *before, uint64_t value)
{
    int len = snprintf(out + *at, size - *at, "%s%llu", before, (unsigned long long)value);

    if (len < 0 || (size_t)len >= size - *at)
        return false;
    *at += (size_t)len;
    return true;
}

bool oid_format(struct bytes oid, char *out, size_t size)
{
    uint64_t arc, root;
    size_t at = 0;

    if (size == 0 || !take_arc(&oid, &arc))
        return false;
    root = arc < 80 ? arc / 40 : 2;
    if (!put_text(out, size, &at, "", root) || !put_text(out, size, &at, ".", arc - 40 * root))
        return false;
    while (oid.len > 0)
        if (!take_arc(&oid, &arc) || !put_text(out, size, &at, ".", arc))
            return false;
    return true;
}

static bool put_arc(uint8_t *out, size_t size, size_t *at, uint64_t arc)
{
    size_t octets = 1;

    for (uint64_t rest = arc >> 7; rest > 0; rest >>= 7)
        octets++;
    if (octets > size - *at)
        return false;
    for (size_t i = 0; i < octets; i++)
        out[*at + i] = (uint8_t)((arc >> 7 * (octets - 1 - i) & 0x7f) | (i + 1 < octets ? 0x80u : 0u));
    *at += octets;
    return true;
}

bool oid_parse(struct bytes text, uint8_t *out, size_t size, size_t *len)
{
    struct bytes part;
    uint64_t root, arc;
    size_t at = 0;

    if (!bytes_split(&text, '.', &part) || !bytes_to_u64(part, 2, &root) || !bytes_split(&text, '.', &part) ||
        !bytes_to_u64(part, root < 2 ? 39 : UINT64_MAX - 80, &arc) ||
        !put_arc(out, size, &at, root * 40 + arc))
        return false;
    while (bytes_split(&text, '.', &part))
        if (!bytes_to_u64(part, UINT64_MAX, &arc) || !put_arc(out, size, &at, arc))
            return false;
    *len = at;
    return true;
}
