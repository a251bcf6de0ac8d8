#include "lib/base/encode.h"
#include "lib/pki/names_internal.h"

/* Upper bounds in characters (RFC 5280 App. A; RFC 2985 App. B for the PKCS#9 ones); all else GENERAL_MAX. */
enum { GENERAL_MAX = 32768 };

static const struct {
    const struct bytes *oid;
    size_t max;
} bounds[] = {
    { &OID_COMMON_NAME, 64 },
    { &OID_SERIAL_NUMBER, 64 },
    { &OID_COUNTRY, 2 },
    { &OID_LOCALITY, 128 },
    { &OID_STATE, 128 },
    { &OID_STREET, 128 },
    { &OID_ORGANIZATION, 64 },
    { &OID_ORGANIZATIONAL_UNIT, 64 },
    { &OID_TITLE, 64 },
    { &OID_POSTAL_CODE, 40 },
    { &OID_TELEPHONE_NUMBER, 32 },
    { &OID_PSEUDONYM, 128 },
    { &OID_EMAIL_ADDRESS, 255 },
    { &OID_UNSTRUCTURED_NAME, 255 },
    { &OID_UNSTRUCTURED_ADDRESS, 255 },
    { &OID_UNIQUE_IDENTIFIER, 256 },
};

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool within_bounds(struct bytes oid, struct bytes text)
{
    size_t max = GENERAL_MAX;

    if (bytes_equal(oid, OID_COUNTRY))
        return text.len == 2 && is_letter(text.data[0]) && is_letter(text.data[1]);
    for (size_t i = 0; i < COUNT_OF(bounds); i++)
        if (bytes_equal(oid, *bounds[i].oid))
            max = bounds[i].max;
    return text_count(text) <= max;
}

/* PostalAddress ::= SEQUENCE SIZE(1..6) OF DirectoryString: the lines with '$' between them. */
static enum name_fault address_decode(struct bytes content, bool strict, struct arena *arena,
                                      struct bytes *text)
{
    struct der in = der_of(content);
    size_t len = 0, lines = 0;
    uint8_t *joined = content.len > SIZE_MAX / 2 ? NULL : arena_alloc(arena, content.len * 2);

    if (joined == NULL)
        return NAME_FAULT_MEMORY;
    for (; der_more(&in); lines++) {
        unsigned tag = 0;
        struct bytes element = der_any(&in, &tag), line = BYTES_NONE;
        struct der inner = der_of(element);
        enum name_fault fault;

        if (in.failed || lines == 6)
            return NAME_FAULT_SYNTAX;
        fault = string_decode(tag, der_value(&inner, tag), strict, arena, &line);
        if (fault != NAME_OK)
            return fault;
        if (lines > 0)
            joined[len++] = '$';
        if (line.len > 0)
            memcpy(joined + len, line.data, line.len);
        len += line.len;
    }
    *text = bytes_of(joined, len);
    return der_finished(&in) && lines > 0 ? NAME_OK : NAME_FAULT_SYNTAX;
}

/* "#" and the element in hexadecimal (RFC 4514 2.4). */
static enum name_fault hex_text(struct bytes element, struct arena *arena, struct bytes *text)
{
    char *out = element.len > SIZE_MAX / 4 ? NULL : arena_alloc(arena, 2 * element.len + 2);

    if (out == NULL)
        return NAME_FAULT_MEMORY;
    out[0] = '#';
    hex_encode(element, out + 1);
    *text = bytes_of(out, 2 * element.len + 1);
    return NAME_OK;
}

static enum name_fault value_decode(struct bytes element, unsigned tag, bool strict, struct arena *arena,
                                    struct name_attribute *out)
{
    struct der in = der_of(element);
    struct bytes content = der_value(&in, tag);
    enum name_fault fault;

    out->string_tag = (uint8_t)tag;
    if (tag == DER_SEQUENCE && bytes_equal(out->oid, OID_POSTAL_ADDRESS))
        return address_decode(content, strict, arena, &out->text);
    fault = string_decode(tag, content, strict, arena, &out->text);
    if (fault == NAME_FAULT_SYNTAX)
        return strict ? NAME_FAULT_VALUE : hex_text(element, arena, &out->text);
    if (fault == NAME_OK && strict && !within_bounds(out->oid, out->text))
        return NAME_FAULT_VALUE;
    return fault;
}

static enum name_fault attribute_decode(struct der *set, bool strict, struct arena *arena,
                                        struct name_attribute *out)
{
    struct der pair = der_enter(set, DER_SEQUENCE);
    unsigned tag = 0;
    struct bytes value;

    out->oid = der_value(&pair, DER_OID);
    value = der_any(&pair, &tag);
    if (!der_finished(&pair) || out->oid.len == 0)
        return NAME_FAULT_SYNTAX;
    return value_decode(value, tag, strict, arena, out);
}

static enum name_fault rdns_decode(struct der *rdns, bool strict, struct arena *arena,
                                   struct name_attribute item[NAME_ATTRIBUTES_MAX], size_t *count)
{
    for (uint8_t rdn = 0; der_more(rdns); rdn++) {
        struct der set = der_enter(rdns, DER_SET);

        if (!der_more(&set))
            return NAME_FAULT_SYNTAX;
        while (der_more(&set)) {
            enum name_fault fault;

            if (*count == NAME_ATTRIBUTES_MAX)
                return NAME_FAULT_SYNTAX;
            item[*count].rdn = rdn;
            fault = attribute_decode(&set, strict, arena, &item[*count]);
            if (fault != NAME_OK)
                return fault;
            (*count)++;
        }
        if (!der_finished(&set))
            return NAME_FAULT_SYNTAX;
    }
    return der_finished(rdns) ? NAME_OK : NAME_FAULT_SYNTAX;
}

static enum name_fault decode(struct bytes encoded, bool strict, struct arena *arena,
                              struct distinguished_name *out)
{
    struct name_attribute item[NAME_ATTRIBUTES_MAX] = { 0 };
    struct der in = der_of(encoded), rdns = der_enter(&in, DER_SEQUENCE);
    struct name_attribute *kept;
    size_t count = 0;
    enum name_fault fault = rdns_decode(&rdns, strict, arena, item, &count);

    if (fault != NAME_OK)
        return fault;
    if (!der_finished(&in))
        return NAME_FAULT_SYNTAX;
    kept = arena_array(arena, count, sizeof(*kept));
    if (kept == NULL)
        return NAME_FAULT_MEMORY;
    memcpy(kept, item, count * sizeof(*kept));
    *out = (struct distinguished_name){ .encoded = encoded, .attribute = kept, .count = count };
    return NAME_OK;
}

enum name_fault name_decode(struct bytes encoded, struct arena *arena, struct distinguished_name *out)
{
    return decode(encoded, true, arena, out);
}

enum name_fault name_decode_lenient(struct bytes encoded, struct arena *arena, struct distinguished_name *out)
{
    return decode(encoded, false, arena, out);
}

static bool put_string(struct buffer *out, struct bytes oid, struct bytes text)
{
    if (bytes_equal(oid, OID_COUNTRY) || bytes_equal(oid, OID_SERIAL_NUMBER)) {
        bool printable = text_is_printable_string(text);

        der_put(out, printable ? DER_PRINTABLE_STRING : DER_UTF8_STRING, text);
        return printable || bytes_equal(oid, OID_SERIAL_NUMBER);
    }
    if (bytes_equal(oid, OID_EMAIL_ADDRESS) || bytes_equal(oid, OID_DOMAIN_COMPONENT)) {
        der_put(out, DER_IA5_STRING, text);
        return text_is_ascii(text);
    }
    der_put(out, DER_UTF8_STRING, text);
    return true;
}

static bool put_address(struct buffer *out, struct bytes text)
{
    size_t lines = der_begin(out, DER_SEQUENCE), count = 0;
    struct bytes line;

    while (bytes_split(&text, '$', &line)) {
        der_put(out, DER_UTF8_STRING, line);
        count++;
    }
    der_end(out, lines);
    return count > 0 && count <= 6;
}

static bool put_attribute(struct buffer *out, const struct name_attribute *a)
{
    size_t pair = der_begin(out, DER_SEQUENCE);
    bool fits = bytes_is_utf8(a->text) && !text_has_control(a->text);

    der_put_oid(out, a->oid);
    if (bytes_equal(a->oid, OID_POSTAL_ADDRESS))
        fits = put_address(out, a->text) && fits;
    else
        fits = put_string(out, a->oid, a->text) && fits;
    der_end(out, pair);
    return fits;
}

bool name_encode(const struct name_attribute *attribute, size_t count, struct buffer *out)
{
    size_t name = der_begin(out, DER_SEQUENCE);
    bool fits = count <= NAME_ATTRIBUTES_MAX;

    for (size_t i = 0; fits && i < count;) {
        size_t first = i, set = der_begin(out, DER_SET);

        for (; i < count && attribute[i].rdn == attribute[first].rdn; i++)
            fits = put_attribute(out, &attribute[i]) && fits;
        der_sort_set(out, set);
        der_end(out, set);
    }
    der_end(out, name);
    return fits && !buffer_failed(out);
}

struct bytes name_find(const struct distinguished_name *name, struct bytes oid, size_t *count)
{
    struct bytes first = BYTES_NONE;
    size_t found = 0;

    for (size_t i = 0; i < name->count; i++)
        if (bytes_equal(name->attribute[i].oid, oid) && found++ == 0)
            first = name->attribute[i].text;
    if (count != NULL)
        *count = found;
    return first;
}

/* The next character of a trimmed value as it is compared: ASCII in lower case, a run of blanks as one. -1 at
 * the end. */
static int folded(struct bytes text, size_t *at)
{
    uint8_t c;

    if (*at == text.len)
        return -1;
    c = text.data[(*at)++];
    while (c == ' ' && text.data[*at] == ' ') /* trimmed: a blank is never the last */
        (*at)++;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool text_matches(struct bytes a, struct bytes b)
{
    size_t at_a = 0, at_b = 0;
    int c;

    a = bytes_trim(a);
    b = bytes_trim(b);
    do {
        c = folded(a, &at_a);
        if (c != folded(b, &at_b))
            return false;
    } while (c >= 0);
    return true;
}

/* How often an attribute like `like` stands in its RDN of `name`. */
static size_t occurrences(const struct distinguished_name *name, const struct name_attribute *like)
{
    size_t count = 0;

    for (size_t i = 0; i < name->count; i++) {
        const struct name_attribute *a = &name->attribute[i];

        if (a->rdn == like->rdn && bytes_equal(a->oid, like->oid) && text_matches(a->text, like->text))
            count++;
    }
    return count;
}

bool name_equal(const struct distinguished_name *a, const struct distinguished_name *b)
{
    if (bytes_equal(a->encoded, b->encoded) && a->encoded.len > 0)
        return true;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) /* RDNs are sets: their attributes may stand in any order */
        if (occurrences(a, &a->attribute[i]) != occurrences(b, &a->attribute[i]))
            return false;
    return true;
}
