#include "lib/dns/dns_message.h"

enum {
    HEADER_LEN = 12,
    CLASS_IN = 1,
    WIRE_NAME_MAX = 255,
    RCODE_NONE = 0,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    RCODE_NOTIMP = 4,
    RCODE_REFUSED = 5,
};

/* Labels with their lengths before them, in lower case, the root's included: no byte in a label can be taken
 * for a dot. */
struct wire_name {
    size_t len;
    uint8_t bytes[WIRE_NAME_MAX];
};

struct resource {
    struct wire_name owner;
    unsigned type, class;
    uint32_t ttl_s;
    size_t at, len; /* of RDATA within the message */
};

const char *dns_status_text(enum dns_status status)
{
    switch (status) {
    case DNS_STATUS_OURS: return "the question could not be asked";
    case DNS_STATUS_TIMEOUT: return "no answer in time";
    case DNS_STATUS_SERVFAIL: return "server failure";
    case DNS_STATUS_REFUSED: return "refused by the server";
    case DNS_STATUS_MALFORMED: return "malformed answer";
    case DNS_STATUS_NXDOMAIN: return "no such name";
    case DNS_STATUS_RECORDS: return "records";
    }
    return "unknown";
}

static unsigned u16_at(struct bytes message, size_t at)
{
    return (unsigned)message.data[at] << 8 | message.data[at + 1];
}

static uint8_t to_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool add_label(struct bytes label, struct wire_name *out)
{
    if (out->len + 1 + label.len > WIRE_NAME_MAX)
        return false;
    out->bytes[out->len++] = (uint8_t)label.len;
    for (size_t i = 0; i < label.len; i++)
        out->bytes[out->len++] = to_lower(label.data[i]);
    return true;
}

/* The name at *at, which moves behind it. A pointer goes back, each further than the one before: no loop. */
static bool read_name(struct bytes message, size_t *at, struct wire_name *out)
{
    size_t here = *at, floor = *at;
    bool jumped = false;

    out->len = 0;
    while (here < message.len) {
        unsigned first = message.data[here];

        if (first >= 0xc0) {
            if (message.len - here < 2)
                return false;
            if (!jumped)
                *at = here + 2;
            jumped = true;
            here = u16_at(message, here) & 0x3fff;
            if (here >= floor)
                return false;
            floor = here;
        } else if (first > DNS_LABEL_MAX || message.len - here <= first ||
                   !add_label(bytes_slice(message, here + 1, first), out)) {
            return false;
        } else {
            here += 1 + first;
            if (first > 0)
                continue;
            if (!jumped)
                *at = here;
            return true;
        }
    }
    return false;
}

static bool same_name(const struct wire_name *a, const struct wire_name *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool wire_of(const struct dns_name *name, struct wire_name *out)
{
    struct bytes rest = dns_name_bytes(name), label;

    out->len = 0;
    if (name->len == 0)
        return false;
    while (bytes_split(&rest, '.', &label))
        if (!add_label(label, out))
            return false;
    return add_label(BYTES_NONE, out);
}

static bool read_resource(struct bytes message, size_t *at, struct resource *out)
{
    if (!read_name(message, at, &out->owner) || message.len - *at < 10)
        return false;
    out->type = u16_at(message, *at);
    out->class = u16_at(message, *at + 2);
    out->ttl_s = (uint32_t)u16_at(message, *at + 4) << 16 | u16_at(message, *at + 6);
    out->len = u16_at(message, *at + 8);
    out->at = *at + 10;
    if (message.len - out->at < out->len)
        return false;
    *at = out->at + out->len;
    return true;
}

/* --- the value of a record --- */

static bool join_strings(struct bytes rdata, struct arena *arena, struct bytes *out)
{
    uint8_t *text = arena_alloc(arena, rdata.len + 1);
    size_t len = 0;

    if (text == NULL || rdata.len == 0)
        return false;
    while (rdata.len > 0) {
        size_t part = rdata.data[0];

        if (rdata.len - 1 < part)
            return false;
        memcpy(text + len, rdata.data + 1, part);
        len += part;
        rdata = bytes_from(rdata, 1 + part);
    }
    *out = bytes_of(text, len);
    return true;
}

static bool value_of(enum dns_type type, struct bytes rdata, struct arena *arena, struct bytes *out)
{
    switch (type) {
    case DNS_TYPE_A:
        if (rdata.len != 4)
            return false;
        break;
    case DNS_TYPE_AAAA:
        if (rdata.len != 16)
            return false;
        break;
    case DNS_TYPE_TXT: return join_strings(rdata, arena, out);
    case DNS_TYPE_CNAME:
    case DNS_TYPE_CAA: break;
    }
    *out = arena_copy(arena, rdata);
    return out->data != NULL;
}

/* --- answers --- */

struct reading {
    struct bytes message;
    size_t answers_at;
    unsigned answers;
    enum dns_type type;
    struct arena *arena;
    struct dns_record *record;
    size_t count;
};

/* Takes the records of `owner`. False: malformed. */
static bool collect(struct reading *r, const struct wire_name *owner)
{
    size_t at = r->answers_at;
    struct resource one;

    for (unsigned i = 0; i < r->answers; i++) {
        if (!read_resource(r->message, &at, &one))
            return false;
        if (one.type != r->type || one.class != CLASS_IN || !same_name(&one.owner, owner))
            continue;
        if (r->count == DNS_RECORDS_MAX || !value_of(r->type, bytes_slice(r->message, one.at, one.len),
                                                     r->arena, &r->record[r->count].value))
            return false;
        r->record[r->count++].ttl_s = one.ttl_s;
    }
    return true;
}

enum alias { ALIAS_MALFORMED = 0, ALIAS_NONE, ALIAS_FOUND };

/* Where the alias of that name points. */
static enum alias follow(const struct reading *r, struct wire_name *name)
{
    size_t at = r->answers_at;
    struct resource one;

    for (unsigned i = 0; i < r->answers; i++) {
        struct wire_name target;
        size_t target_at;

        if (!read_resource(r->message, &at, &one))
            return ALIAS_MALFORMED;
        if (one.type != DNS_TYPE_CNAME || one.class != CLASS_IN || !same_name(&one.owner, name))
            continue;
        target_at = one.at;
        if (!read_name(r->message, &target_at, &target) || target_at != one.at + one.len)
            return ALIAS_MALFORMED;
        *name = target;
        return ALIAS_FOUND;
    }
    return ALIAS_NONE;
}

static enum dns_status read_answers(struct reading *r, struct wire_name *name)
{
    for (unsigned hop = 0; hop <= DNS_CNAMES_MAX; hop++) {
        if (!collect(r, name))
            return DNS_STATUS_MALFORMED;
        if (r->count > 0)
            return DNS_STATUS_RECORDS;
        switch (follow(r, name)) {
        case ALIAS_MALFORMED: return DNS_STATUS_MALFORMED;
        case ALIAS_NONE: return DNS_STATUS_RECORDS;
        case ALIAS_FOUND: break;
        }
    }
    return DNS_STATUS_MALFORMED;
}

/* RFC 1035 4.1.1; a response that is cut off was to be asked for again by TCP. */
static enum dns_status read_head(struct bytes message, const struct wire_name *name, enum dns_type type,
                                 size_t *at)
{
    struct wire_name asked;
    unsigned flags;

    if (message.len < HEADER_LEN || message.len > DNS_MESSAGE_MAX || u16_at(message, 4) != 1)
        return DNS_STATUS_MALFORMED;
    flags = u16_at(message, 2);
    *at = HEADER_LEN;
    if ((flags & 0xfa00) != 0x8000 || !read_name(message, at, &asked) || message.len - *at < 4 ||
        !same_name(&asked, name) || u16_at(message, *at) != type || u16_at(message, *at + 2) != CLASS_IN)
        return DNS_STATUS_MALFORMED;
    *at += 4;
    switch (flags & 0xf) {
    case RCODE_NONE: return DNS_STATUS_RECORDS;
    case RCODE_SERVFAIL: return DNS_STATUS_SERVFAIL;
    case RCODE_NXDOMAIN: return DNS_STATUS_NXDOMAIN;
    case RCODE_NOTIMP:
    case RCODE_REFUSED: return DNS_STATUS_REFUSED;
    default: return DNS_STATUS_MALFORMED;
    }
}

struct dns_answer dns_message_read(struct bytes message, const struct dns_name *name, enum dns_type type,
                                   struct arena *arena)
{
    struct reading r = { .message = message, .type = type, .arena = arena };
    struct dns_answer answer = { .status = DNS_STATUS_OURS };
    struct wire_name wire;

    r.record = arena_array(arena, DNS_RECORDS_MAX, sizeof(*r.record));
    if (r.record == NULL || !wire_of(name, &wire))
        return answer;
    answer.status = read_head(message, &wire, type, &r.answers_at);
    if (answer.status != DNS_STATUS_RECORDS)
        return answer;
    r.answers = u16_at(message, 6);
    answer.status = read_answers(&r, &wire);
    if (answer.status == DNS_STATUS_RECORDS) {
        answer.record = r.record;
        answer.count = r.count;
    }
    return answer;
}
