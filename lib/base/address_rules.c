#include "lib/base/address_rules.h"

/* IANA's registries of special-purpose addresses (RFC 6890 and after), and where clouds serve metadata and
 * keys to whoever runs in them. */
static const struct {
    struct ip_range range;
    bool open;
} built_in[] = {
    { { { 4, { 0 } }, 0 }, true },
    { { { 4, { 0 } }, 8 }, false },                   /* this network */
    { { { 4, { 10 } }, 8 }, false },                  /* private */
    { { { 4, { 100, 64 } }, 10 }, false },            /* shared by carriers */
    { { { 4, { 100, 100, 100, 200 } }, 32 }, false }, /* metadata (Alibaba) */
    { { { 4, { 127 } }, 8 }, false },                 /* loopback */
    { { { 4, { 168, 63, 129, 16 } }, 32 }, false },   /* metadata (Azure): a public address */
    { { { 4, { 169, 254 } }, 16 }, false },           /* link-local */
    { { { 4, { 169, 254, 169, 254 } }, 32 }, false }, /* metadata */
    { { { 4, { 169, 254, 170, 2 } }, 32 }, false },   /* credentials of containers (Amazon) */
    { { { 4, { 172, 16 } }, 12 }, false },            /* private */
    { { { 4, { 192, 0, 0 } }, 24 }, false },          /* protocol assignments */
    { { { 4, { 192, 0, 0, 192 } }, 32 }, false },     /* metadata (Oracle) */
    { { { 4, { 192, 0, 2 } }, 24 }, false },          /* documentation */
    { { { 4, { 192, 88, 99 } }, 24 }, false },        /* 6to4 relays */
    { { { 4, { 192, 168 } }, 16 }, false },           /* private */
    { { { 4, { 198, 18 } }, 15 }, false },            /* benchmarks */
    { { { 4, { 198, 51, 100 } }, 24 }, false },       /* documentation */
    { { { 4, { 203, 0, 113 } }, 24 }, false },        /* documentation */
    { { { 4, { 224 } }, 4 }, false },                 /* multicast */
    { { { 4, { 240 } }, 4 }, false },                 /* reserved */
    { { { 4, { 255, 255, 255, 255 } }, 32 }, false }, /* broadcast */

    { { { 16, { 0 } }, 0 }, false },                             /* not assigned */
    { { { 16, { 0 } }, 96 }, false },                            /* IPv4-compatible */
    { { { 16, { 0 } }, 128 }, false },                           /* unspecified */
    { { { 16, { [15] = 1 } }, 128 }, false },                    /* loopback */
    { { { 16, { 0x00, 0x64, 0xff, 0x9b, 0, 1 } }, 48 }, false }, /* NAT64 of this network's own */
    { { { 16, { 0x20 } }, 3 }, true },                           /* global unicast */
    { { { 16, { 0x20, 0x01 } }, 23 }, false },                   /* protocol assignments, Teredo */
    { { { 16, { 0x20, 0x01, 0x0d, 0xb8 } }, 32 }, false },       /* documentation */
    { { { 16, { 0x20, 0x02 } }, 16 }, false },                   /* 6to4 */
    { { { 16, { 0x3f, 0xff } }, 20 }, false },                   /* documentation */
    { { { 16, { 0xfc } }, 7 }, false },                          /* private */
    { { { 16, { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 } }, 128 }, false }, /* metadata (Amazon) */
    { { { 16, { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54 } }, 128 }, false }, /* metadata (Google) */
    { { { 16, { 0xfe, 0x80 } }, 10 }, false },                                 /* link-local */
    { { { 16, { 0xfe, 0xc0 } }, 10 }, false },                                 /* site-local */
    { { { 16, { 0xff } }, 8 }, false },                                        /* multicast */
};

static const struct ip_range nat64 = { { 16, { 0x00, 0x64, 0xff, 0x9b } }, 96 }; /* RFC 6052 2.1 */

/* The IPv4 address that is meant, where an IPv6 address carries one. */
static struct ip_address meant(const struct ip_address *ip)
{
    struct ip_address inner = *ip;

    if (!ip_from_bytes(ip_in_range(ip, &nat64) ? bytes_from(ip_bytes(ip), 12) : ip_bytes(ip), &inner))
        inner.len = 0;
    return inner;
}

/* The longest of these that the address is in; -1: none. */
static int longest(const struct ip_range *range, size_t count, const struct ip_address *ip)
{
    int best = -1;

    for (size_t i = 0; i < count; i++)
        if (range[i].prefix > best && ip_in_range(ip, &range[i]))
            best = range[i].prefix;
    return best;
}

bool address_allowed(const struct address_rules *rules, const struct ip_address *ip)
{
    struct ip_address inner = meant(ip);
    int allowed = longest(rules->allowed, rules->allowed_count, &inner);
    int forbidden = longest(rules->forbidden, rules->forbidden_count, &inner);
    int best = -1;
    bool open = false;

    for (size_t i = 0; i < COUNT_OF(built_in); i++) {
        if (built_in[i].range.prefix > best && ip_in_range(&inner, &built_in[i].range)) {
            best = built_in[i].range.prefix;
            open = built_in[i].open;
        }
    }
    if (best < 0 || (forbidden >= 0 && forbidden >= allowed))
        return false;
    return allowed >= best || open;
}

static bool copy_ranges(const struct ip_range *in, size_t count, struct arena *arena,
                        const struct ip_range **out)
{
    struct ip_range *copy = arena_array(arena, count, sizeof(*in));

    if (copy == NULL)
        return count == 0;
    if (count > 0)
        memcpy(copy, in, count * sizeof(*in));
    *out = copy;
    return true;
}

bool address_rules_copy(const struct address_rules *rules, struct arena *arena, struct address_rules *out)
{
    struct address_rules copy = { .allowed_count = rules->allowed_count,
                                  .forbidden_count = rules->forbidden_count };

    if (!copy_ranges(rules->allowed, rules->allowed_count, arena, &copy.allowed) ||
        !copy_ranges(rules->forbidden, rules->forbidden_count, arena, &copy.forbidden))
        return false;
    *out = copy;
    return true;
}
