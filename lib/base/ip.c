#include "lib/base/ip.h"

#include <arpa/inet.h>

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool ip_from_bytes(struct bytes b, struct ip_address *out)
{
    if (b.len == 16 && memcmp(b.data, mapped_prefix, sizeof(mapped_prefix)) == 0)
        b = bytes_from(b, 12);
    if (b.len != 4 && b.len != 16)
        return false;
    *out = (struct ip_address){ .len = (uint8_t)b.len };
    memcpy(out->bytes, b.data, b.len);
    return true;
}

bool ip_parse(struct bytes text, struct ip_address *out)
{
    char copy[IP_TEXT_LEN];
    uint8_t raw[16];

    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, 0, text.len) != NULL)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, raw) == 1)
        return ip_from_bytes(bytes_of(raw, 4), out);
    return inet_pton(AF_INET6, copy, raw) == 1 && ip_from_bytes(bytes_of(raw, 16), out);
}

void ip_format(const struct ip_address *ip, char out[IP_TEXT_LEN])
{
    out[0] = '\0';
    if (ip->len != 0)
        (void)inet_ntop(ip->len == 4 ? AF_INET : AF_INET6, ip->bytes, out, IP_TEXT_LEN);
}

bool ip_equal(const struct ip_address *a, const struct ip_address *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* The first `prefix` bits of both are equal. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
    unsigned whole = prefix / 8, bits = prefix % 8;

    return memcmp(a, b, whole) == 0 && (bits == 0 || (a[whole] ^ b[whole]) >> (8 - bits) == 0);
}

bool ip_range_parse(struct bytes text, struct ip_range *out)
{
    size_t slash = bytes_find(text, '/');
    struct ip_range range;
    struct ip_address zero = { 0 };
    uint64_t prefix;

    if (!ip_parse(bytes_slice(text, 0, slash), &range.base))
        return false;
    prefix = range.base.len * 8u;
    if (slash < text.len && !bytes_to_u64(bytes_from(text, slash + 1), prefix, &prefix))
        return false;
    range.prefix = (uint8_t)prefix;
    for (unsigned bit = range.prefix; bit < range.base.len * 8u; bit++)
        if ((range.base.bytes[bit / 8] & 0x80 >> bit % 8) != zero.bytes[0])
            return false;
    *out = range;
    return true;
}

bool ip_in_range(const struct ip_address *ip, const struct ip_range *range)
{
    return ip->len == range->base.len && ip->len != 0 &&
           same_prefix(ip->bytes, range->base.bytes, range->prefix);
}
