#include "lib/net/proxy_protocol_internal.h"

enum { V1_MAX = 107, V2_FIXED = 16 };

static const uint8_t v2_signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                          0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

static bool begins_like(struct bytes input, struct bytes what)
{
    size_t common = input.len < what.len ? input.len : what.len;

    return bytes_equal(bytes_slice(input, 0, common), bytes_slice(what, 0, common));
}

/* "TCP4 192.0.2.1 192.0.2.2 51000 443" */
static bool v1_fields(struct bytes line, struct proxy_header *out)
{
    struct ip_address client, local;
    struct bytes field[5];
    uint64_t port, local_port;
    size_t count = 0;
    bool four;

    while (count < COUNT_OF(field) && bytes_split(&line, ' ', &field[count]))
        count++;
    if (count != COUNT_OF(field) || line.data != NULL)
        return false;
    four = bytes_is(field[0], "TCP4");
    if ((!four && !bytes_is(field[0], "TCP6")) || !ip_parse(field[1], &client) ||
        !ip_parse(field[2], &local) || !bytes_to_u64(field[3], UINT16_MAX, &port) ||
        !bytes_to_u64(field[4], UINT16_MAX, &local_port) || (four && client.len != 4))
        return false;
    *out = (struct proxy_header){ .client = client, .port = (uint16_t)port };
    return true;
}

static enum proxy_parse parse_v1(struct bytes input, struct proxy_header *out, size_t *consumed)
{
    size_t end = bytes_find(bytes_slice(input, 0, V1_MAX), '\n');
    struct proxy_header header = { .port = 0 };
    struct bytes line;

    if (end == (input.len < V1_MAX ? input.len : (size_t)V1_MAX))
        return input.len >= V1_MAX ? PROXY_REFUSED : PROXY_MORE;
    if (end < 6 || input.data[end - 1] != '\r')
        return PROXY_REFUSED;
    line = bytes_slice(input, 6, end - 1 - 6);
    if (!bytes_is(line, "UNKNOWN") && !bytes_starts_with(line, "UNKNOWN ") && !v1_fields(line, &header))
        return PROXY_REFUSED;
    *out = header;
    *consumed = end + 1;
    return PROXY_DONE;
}

static uint16_t u16_at(struct bytes b, size_t at)
{
    return (uint16_t)(b.data[at] << 8 | b.data[at + 1]);
}

/* Families: 1 is IPv4, 2 is IPv6; other transports than TCP say nothing that we believe. */
static bool v2_addresses(uint8_t family, struct bytes block, struct proxy_header *out)
{
    size_t len = family == 0x11 ? 4 : family == 0x21 ? 16 : 0;

    if (len == 0)
        return true;
    if (block.len < 2 * len + 4)
        return false;
    out->port = u16_at(block, 2 * len);
    return ip_from_bytes(bytes_slice(block, 0, len), &out->client);
}

static enum proxy_parse parse_v2(struct bytes input, struct proxy_header *out, size_t *consumed)
{
    struct proxy_header header = { .port = 0 };
    uint8_t command;
    size_t len;

    if (input.len < V2_FIXED)
        return PROXY_MORE;
    command = input.data[12];
    len = u16_at(input, 14);
    if ((command != 0x20 && command != 0x21) || V2_FIXED + len > PROXY_HEADER_MAX)
        return PROXY_REFUSED;
    if (input.len < V2_FIXED + len)
        return PROXY_MORE;
    if (command == 0x21 && !v2_addresses(input.data[13], bytes_slice(input, V2_FIXED, len), &header))
        return PROXY_REFUSED;
    *out = header;
    *consumed = V2_FIXED + len;
    return PROXY_DONE;
}

enum proxy_parse proxy_parse(struct bytes input, struct proxy_header *out, size_t *consumed)
{
    if (input.len == 0)
        return PROXY_MORE;
    if (begins_like(input, BYTES_ARRAY(v2_signature)))
        return parse_v2(input, out, consumed);
    return begins_like(input, BYTES_LITERAL("PROXY ")) ? parse_v1(input, out, consumed) : PROXY_REFUSED;
}
