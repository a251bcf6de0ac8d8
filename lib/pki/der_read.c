#include "lib/base/clock.h"
#include "lib/pki/der.h"

static struct bytes fail(struct der *in)
{
    in->rest = BYTES_NONE;
    in->failed = true;
    return BYTES_NONE;
}

bool der_finished(const struct der *in)
{
    return !in->failed && in->rest.len == 0;
}

bool der_more(const struct der *in)
{
    return in->rest.len > 0;
}

bool der_next_is(const struct der *in, unsigned tag)
{
    return in->rest.len > 0 && in->rest.data[0] == tag;
}

/* Length of the header and of the content of the first element. Definite, minimal, within `b`. */
static bool header(struct bytes b, size_t *head, size_t *len)
{
    size_t octets, value = 0;

    if (b.len < 2 || (b.data[0] & 0x1f) == 0x1f || b.data[0] == 0)
        return false;
    if (b.data[1] < 0x80) {
        *head = 2;
        *len = b.data[1];
        return *len <= b.len - 2;
    }
    octets = b.data[1] & 0x7fu;
    if (octets == 0 || octets > 4 || octets > b.len - 2 || b.data[2] == 0)
        return false;
    for (size_t i = 0; i < octets; i++)
        value = value << 8 | b.data[2 + i];
    *head = 2 + octets;
    *len = value;
    return value >= 0x80 && value <= b.len - *head;
}

/* The next element in its parts; the reader moves behind it. */
static bool next(struct der *in, struct bytes *element, struct bytes *content)
{
    size_t head, len;

    if (in->failed || !header(in->rest, &head, &len)) {
        (void)fail(in);
        return false;
    }
    *element = bytes_slice(in->rest, 0, head + len);
    *content = bytes_from(*element, head);
    in->rest = bytes_from(in->rest, head + len);
    return true;
}

struct bytes der_any(struct der *in, unsigned *tag)
{
    struct bytes element, content;

    if (!next(in, &element, &content))
        return BYTES_NONE;
    if (tag != NULL)
        *tag = element.data[0];
    return element;
}

struct bytes der_value(struct der *in, unsigned tag)
{
    struct bytes element, content;

    if (!der_next_is(in, tag) || !next(in, &element, &content))
        return fail(in);
    return content;
}

struct bytes der_element(struct der *in, unsigned tag)
{
    return der_next_is(in, tag) ? der_any(in, NULL) : fail(in);
}

struct bytes der_optional(struct der *in, unsigned tag, bool *present)
{
    bool there = der_next_is(in, tag);
    struct bytes content = there ? der_value(in, tag) : BYTES_NONE;

    if (present != NULL)
        *present = there && !in->failed;
    return content;
}

struct der der_enter(struct der *in, unsigned tag)
{
    struct bytes content = der_value(in, tag);

    return (struct der){ .rest = content, .failed = in->failed };
}

struct bytes der_integer(struct der *in)
{
    struct bytes content = der_value(in, DER_INTEGER);

    if (in->failed)
        return BYTES_NONE;
    if (content.len == 0 || (content.len > 1 && ((content.data[0] == 0x00 && content.data[1] < 0x80) ||
                                                 (content.data[0] == 0xff && content.data[1] >= 0x80))))
        return fail(in);
    return content;
}

uint64_t der_uint(struct der *in)
{
    struct bytes content = der_integer(in);
    uint64_t value = 0;

    if (content.len == 0)
        return 0;
    if (content.data[0] >= 0x80 || content.len > 9 || (content.len == 9 && content.data[0] != 0)) {
        (void)fail(in);
        return 0;
    }
    for (size_t i = 0; i < content.len; i++)
        value = value << 8 | content.data[i];
    return value;
}

int64_t der_int(struct der *in)
{
    struct bytes content = der_integer(in);
    uint64_t value;
    int64_t out;

    if (content.len == 0)
        return 0;
    if (content.len > sizeof(value)) {
        (void)fail(in);
        return 0;
    }
    value = content.data[0] >= 0x80 ? UINT64_MAX : 0; /* the sign's bits go on to the left */
    for (size_t i = 0; i < content.len; i++)
        value = value << 8 | content.data[i];
    memcpy(&out, &value, sizeof(out));
    return out;
}

bool der_boolean(struct der *in)
{
    struct bytes content = der_value(in, DER_BOOLEAN);

    if (in->failed)
        return false;
    if (content.len != 1 || (content.data[0] != 0x00 && content.data[0] != 0xff)) {
        (void)fail(in);
        return false;
    }
    return content.data[0] == 0xff;
}

struct bytes der_bits(struct der *in)
{
    struct bytes content = der_value(in, DER_BIT_STRING);

    if (in->failed)
        return BYTES_NONE;
    return content.len == 0 || content.data[0] != 0 ? fail(in) : bytes_from(content, 1);
}

uint32_t der_named_bits(struct der *in)
{
    struct bytes content = der_value(in, DER_BIT_STRING);
    uint32_t mask = 0;
    unsigned unused;

    if (in->failed)
        return 0;
    unused = content.len == 0 ? 8 : content.data[0];
    if (unused > 7 || content.len > 5 || (content.len == 1 && unused != 0) ||
        (content.len > 1 && (content.data[content.len - 1] & ((1u << unused) - 1)) != 0)) {
        (void)fail(in);
        return 0;
    }
    for (size_t i = 1; i < content.len; i++)
        for (unsigned bit = 0; bit < 8; bit++)
            if ((content.data[i] & (0x80u >> bit)) != 0)
                mask |= 1u << (8 * (i - 1) + bit);
    return mask;
}

/* Two digits at `at`, or -1. */
static int pair(struct bytes b, size_t at)
{
    uint8_t tens = b.data[at], ones = b.data[at + 1];

    return tens < '0' || tens > '9' || ones < '0' || ones > '9' ? -1 : (tens - '0') * 10 + (ones - '0');
}

static bool time_value(struct bytes text, bool has_century, int64_t *out)
{
    int field[7]; /* century, year, month, day, hour, minute, second */
    size_t first = has_century ? 0 : 1;
    struct calendar c;

    if (text.len != 2 * (COUNT_OF(field) - first) + 1 || text.data[text.len - 1] != 'Z')
        return false;
    for (size_t i = first; i < COUNT_OF(field); i++)
        if ((field[i] = pair(text, 2 * (i - first))) < 0)
            return false;
    if (!has_century)
        field[0] = field[1] < 50 ? 20 : 19;
    c = (struct calendar){ field[0] * 100 + field[1], field[2], field[3], field[4], field[5], field[6] };
    return calendar_to_time(&c, out);
}

int64_t der_time(struct der *in)
{
    bool generalized = der_next_is(in, DER_GENERALIZED_TIME);
    struct bytes text = der_value(in, generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME);
    int64_t time_s = 0;

    if (!in->failed && !time_value(text, generalized, &time_s))
        (void)fail(in);
    return time_s;
}
