/* Names as text (RFC 4514). */
#include "lib/base/encode.h"
#include "lib/pki/names_internal.h"

enum { OID_MAX = 32, OID_TEXT_MAX = 128, TEXT_MAX = 16 * 1024 };

static const struct {
    const char *keyword;
    const struct bytes *oid;
} keywords[] = {
    { "CN", &OID_COMMON_NAME },
    { "C", &OID_COUNTRY },
    { "L", &OID_LOCALITY },
    { "ST", &OID_STATE },
    { "STREET", &OID_STREET },
    { "O", &OID_ORGANIZATION },
    { "OU", &OID_ORGANIZATIONAL_UNIT },
    { "serialNumber", &OID_SERIAL_NUMBER },
    { "DC", &OID_DOMAIN_COMPONENT },
    { "emailAddress", &OID_EMAIL_ADDRESS },
    { "title", &OID_TITLE },
};

static void put_type(struct buffer *out, struct bytes oid)
{
    char dotted[OID_TEXT_MAX];

    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (bytes_equal(oid, *keywords[i].oid)) {
            buffer_append_text(out, keywords[i].keyword);
            return;
        }
    }
    buffer_append_text(out, oid_format(oid, dotted, sizeof(dotted)) ? dotted : "?");
}

static void put_value(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool edge = (i == 0 && (c == ' ' || c == '#')) || (i + 1 == text.len && c == ' ');

        if (c < 0x20 || c == 0x7f) {
            buffer_format(out, "\\%02X", c);
            continue;
        }
        if (edge || strchr("\"+,;<>\\", c) != NULL)
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, c);
    }
}

struct bytes name_format(const struct distinguished_name *name, struct arena *arena)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024 * 1024);
    size_t end = name->count;

    while (end > 0) { /* last RDN first, attributes of one in their order */
        size_t first = end - 1;

        while (first > 0 && name->attribute[first - 1].rdn == name->attribute[end - 1].rdn)
            first--;
        for (size_t i = first; i < end; i++) {
            if (out.len > 0)
                buffer_append_byte(&out, i == first ? ',' : '+');
            put_type(&out, name->attribute[i].oid);
            buffer_append_byte(&out, '=');
            put_value(&out, name->attribute[i].text);
        }
        end = first;
    }
    return buffer_failed(&out) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&out));
}

/* --- parsing --- */

/* What is being read: attributes in written order, their texts one after the other in `text`. */
struct parsing {
    struct bytes rest;
    struct name_attribute attribute[NAME_ATTRIBUTES_MAX];
    size_t text_at[NAME_ATTRIBUTES_MAX];
    uint8_t oid[NAME_ATTRIBUTES_MAX][OID_MAX];
    size_t count;
    struct buffer text;
};

static bool take_type(struct parsing *p, struct bytes type)
{
    struct name_attribute *a = &p->attribute[p->count];
    size_t len;

    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (bytes_is_nocase(type, keywords[i].keyword)) {
            a->oid = *keywords[i].oid;
            return true;
        }
    }
    if (!oid_parse(type, p->oid[p->count], OID_MAX, &len))
        return false;
    a->oid = bytes_of(p->oid[p->count], len);
    return true;
}

/* Backslash and one character that needs it, or two hexadecimal digits. */
static bool take_escape(struct parsing *p)
{
    uint8_t octet;

    if (p->rest.len >= 2 && strchr(" #=\"+,;<>\\", p->rest.data[1]) != NULL && p->rest.data[1] != 0) {
        buffer_append_byte(&p->text, p->rest.data[1]);
        p->rest = bytes_from(p->rest, 2);
        return true;
    }
    if (p->rest.len < 3 || !hex_decode(bytes_slice(p->rest, 1, 2), &octet))
        return false;
    buffer_append_byte(&p->text, octet);
    p->rest = bytes_from(p->rest, 3);
    return true;
}

/* Up to the next bare ',' or '+'. Blanks at both ends are no part of it unless escaped. */
static bool take_value(struct parsing *p)
{
    size_t start = p->text.len, solid = start; /* end of what may not be trimmed */

    while (p->rest.len > 0 && p->rest.data[0] == ' ')
        p->rest = bytes_from(p->rest, 1);
    while (p->rest.len > 0 && p->rest.data[0] != ',' && p->rest.data[0] != '+') {
        uint8_t c = p->rest.data[0];

        if (c == '\\') {
            if (!take_escape(p))
                return false;
            solid = p->text.len;
            continue;
        }
        if (strchr("\"<>;", c) != NULL)
            return false;
        buffer_append_byte(&p->text, c);
        p->rest = bytes_from(p->rest, 1);
        if (c != ' ')
            solid = p->text.len;
    }
    if (buffer_failed(&p->text))
        return false;
    p->text.len = solid;
    p->text_at[p->count] = start;
    p->attribute[p->count].text.len = solid - start;
    return solid > start;
}

static bool take_attributes(struct parsing *p)
{
    uint8_t rdn = 0;

    for (;;) {
        size_t equals = bytes_find(p->rest, '=');
        uint8_t separator;

        if (p->count == NAME_ATTRIBUTES_MAX || equals == p->rest.len ||
            !take_type(p, bytes_trim(bytes_slice(p->rest, 0, equals))))
            return false;
        p->rest = bytes_from(p->rest, equals + 1);
        p->attribute[p->count].rdn = rdn;
        if (!take_value(p))
            return false;
        p->count++;
        if (p->rest.len == 0)
            return true;
        separator = p->rest.data[0];
        p->rest = bytes_from(p->rest, 1);
        rdn = (uint8_t)(rdn + (separator == ','));
    }
}

bool name_parse(struct bytes text, struct buffer *out)
{
    AUTO_STRUCT(buffer) texts = BUFFER(TEXT_MAX);
    struct parsing p = { .rest = text, .text = texts };
    struct name_attribute reversed[NAME_ATTRIBUTES_MAX];
    bool parsed = take_attributes(&p);

    texts = p.text; /* freed with it */
    if (!parsed)
        return false;
    for (size_t i = 0; i < p.count; i++) {
        struct name_attribute *to = &reversed[p.count - 1 - i];

        *to = p.attribute[i];
        to->text.data = texts.data + p.text_at[i];
        to->rdn = (uint8_t)(p.attribute[p.count - 1].rdn - p.attribute[i].rdn);
    }
    return name_encode(reversed, p.count, out);
}
