/* attributes_json.c: the attributes that shape the certificate, each checked for its kind. */
#include <stdio.h>

#include "lib/pki/names.h"
#include "officer/reading_internal.h"

enum shape {
    SHAPE_NONE = 0,
    SHAPE_TEXT,
    SHAPE_COUNTRY,
    SHAPE_TOKEN,
    SHAPE_EMAIL,
    SHAPE_IP,
    SHAPE_DNS,
    SHAPE_DIRECTORY,
    SHAPE_URI,
    SHAPE_OID
};

enum { POSTAL_LINES_MAX = 6, POSTAL_LINE_MAX = 64, OID_OCTETS_MAX = 64 };

/* Upper bounds of RFC 5280 appendix A and X.520 where they have one. */
static const struct {
    enum shape shape;
    size_t max;
} shapes[ATTRIBUTE_COUNT] = {
    [ATTRIBUTE_COUNTRY] = { SHAPE_COUNTRY, 2 },
    [ATTRIBUTE_COMMON_NAME] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_EMAIL_ADDRESS] = { SHAPE_EMAIL, 254 },
    [ATTRIBUTE_DMD] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_GIVEN_NAME] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_INITIALS] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_KEY_PROCEDURE_ID] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_LOCALITY] = { SHAPE_TEXT, 128 },
    [ATTRIBUTE_ORGANISATION] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_ORGANIZATION_IDENTIFIER] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_PSEUDONYM] = { SHAPE_TEXT, 128 },
    [ATTRIBUTE_TITLE] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_UNIQUE_IDENTIFIER] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_SURNAME] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_TELEPHONE_NUMBER] = { SHAPE_TEXT, 32 },
    [ATTRIBUTE_STREET] = { SHAPE_TEXT, 128 },
    [ATTRIBUTE_STATE_OR_PROVINCE] = { SHAPE_TEXT, 128 },
    [ATTRIBUTE_POSTAL_CODE] = { SHAPE_TEXT, 40 },
    [ATTRIBUTE_ENCODING] = { SHAPE_TOKEN, 32 },
    [ATTRIBUTE_OTHER_NAME_OID] = { SHAPE_OID, 128 },
    [ATTRIBUTE_OTHER_NAME_ENCODING] = { SHAPE_TOKEN, 32 },
    [ATTRIBUTE_OTHER_NAME_VALUE] = { SHAPE_TEXT, 255 },
    [ATTRIBUTE_ORGANISATION_UNIT] = { SHAPE_TEXT, 64 },
    [ATTRIBUTE_POSTAL_ADDRESS] = { SHAPE_TEXT, POSTAL_LINE_MAX },
    [ATTRIBUTE_SAN_EMAIL_ADDRESS] = { SHAPE_EMAIL, 254 },
    [ATTRIBUTE_IP_ADDRESS] = { SHAPE_IP, 64 },
    [ATTRIBUTE_DNS] = { SHAPE_DNS, 1024 },
    [ATTRIBUTE_DIRECTORY] = { SHAPE_DIRECTORY, 1024 },
    [ATTRIBUTE_URI] = { SHAPE_URI, 1024 },
    [ATTRIBUTE_REGISTERED_ID] = { SHAPE_OID, 128 },
};

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_graphic_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= 0x20 || text.data[i] > 0x7e)
            return false;
    return text.len > 0;
}

static bool is_token(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_letter(text.data[i]) && !(text.data[i] >= '0' && text.data[i] <= '9') && text.data[i] != '-')
            return false;
    return text.len > 0;
}

/* A mailbox as rfc822Name wants it (RFC 5280 4.2.1.6): Local-part@Domain, ASCII. */
static bool is_mailbox(struct bytes text)
{
    size_t at = bytes_find(text, '@');

    return is_graphic_ascii(text) && at > 0 && at + 1 < text.len &&
           bytes_find(bytes_from(text, at + 1), '@') == text.len - at - 1;
}

/* Absolute: a scheme, a colon, and something behind it (RFC 3986 4.3). */
static bool is_uri(struct bytes text)
{
    size_t colon = bytes_find(text, ':');

    if (!is_graphic_ascii(text) || colon == 0 || colon + 1 >= text.len || !is_letter(text.data[0]))
        return false;
    for (size_t i = 1; i < colon; i++)
        if (!is_token(bytes_slice(text, i, 1)) && text.data[i] != '+' && text.data[i] != '.')
            return false;
    return true;
}

static bool is_oid(struct bytes text)
{
    uint8_t oid[OID_OCTETS_MAX];
    size_t len;

    return oid_parse(text, oid, sizeof(oid), &len);
}

static bool is_directory_name(struct bytes text)
{
    AUTO_STRUCT(buffer) der = BUFFER(4096);

    return name_parse(text, &der);
}

static bool keep(struct reading *in, struct bytes canonical, struct bytes *value)
{
    *value = arena_copy(in->arena, canonical);
    return value->data != NULL || out_of_memory(in);
}

/* A name, or "*." before a name: then a requester may ask for exactly that (CSR-61). */
static bool canonical_dns(struct reading *in, struct bytes *value)
{
    bool wild = bytes_starts_with(*value, "*.");
    struct dns_rules rules = { .underscore = in->rules->dns.underscore,
                               .single_label = in->rules->dns.single_label && !wild,
                               .trailing_dot = true,
                               .unicode = true };
    char text[DNS_NAME_MAX + 3];
    struct dns_name name;

    if (dns_name_parse(wild ? bytes_from(*value, 2) : *value, &rules, &name) != DNS_OK ||
        name.len + (wild ? 2u : 0u) > DNS_NAME_MAX)
        return fault_say(in, "not a DNS name");
    (void)snprintf(text, sizeof(text), "%s%.*s", wild ? "*." : "", BYTES_FMT(dns_name_bytes(&name)));
    return keep(in, bytes_text(text), value);
}

static bool canonical_ip(struct reading *in, struct bytes *value)
{
    struct ip_address ip;
    char text[IP_TEXT_LEN];

    if (!ip_parse(*value, &ip))
        return fault_say(in, "not an IP address");
    ip_format(&ip, text);
    return keep(in, bytes_text(text), value);
}

static bool expect(struct reading *in, bool holds, const char *expected)
{
    return holds || fault_say(in, "%s expected", expected);
}

static bool check_value(struct reading *in, enum attribute_kind kind, struct bytes *value)
{
    if (value->len > shapes[kind].max)
        return fault_say(in, "longer than %zu bytes", shapes[kind].max);
    switch (shapes[kind].shape) {
    case SHAPE_NONE: break;
    case SHAPE_TEXT: return true;
    case SHAPE_COUNTRY:
        return expect(in, value->len == 2 && is_letter(value->data[0]) && is_letter(value->data[1]),
                      "two letters");
    case SHAPE_TOKEN: return expect(in, is_token(*value), "letters, digits and '-'");
    case SHAPE_EMAIL: return expect(in, is_mailbox(*value), "mailbox@domain");
    case SHAPE_IP: return canonical_ip(in, value);
    case SHAPE_DNS: return canonical_dns(in, value);
    case SHAPE_DIRECTORY: return expect(in, is_directory_name(*value), "a name like CN=a,O=b");
    case SHAPE_URI: return expect(in, is_uri(*value), "an absolute URI");
    case SHAPE_OID: return expect(in, is_oid(*value), "a dotted object identifier");
    }
    return fault_say(in, "not an attribute");
}

static bool add_attribute(struct reading *in, enum attribute_kind kind, struct bytes value)
{
    struct registration *r = in->r;

    if (!check_value(in, kind, &value))
        return false;
    if (r->attribute_count == REGISTRATION_ATTRIBUTES_MAX)
        return fault_say(in, "more than %d attributes", REGISTRATION_ATTRIBUTES_MAX);
    r->attribute[r->attribute_count++] = (struct attribute){ kind, value };
    return true;
}

static bool read_values(struct reading *in, enum attribute_kind kind, const json_t *value)
{
    struct bytes list[LIST_MAX];
    size_t count = 1;

    if (!(attribute_is_multiple(kind) ? read_list(in, value, list, &count)
                                      : read_text(in, value, LIST_TEXT_MAX, &list[0])))
        return false;
    if (kind == ATTRIBUTE_POSTAL_ADDRESS && count > POSTAL_LINES_MAX)
        return fault_say(in, "more than %d lines", POSTAL_LINES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!add_attribute(in, kind, list[i]))
            return false;
    return true;
}

bool read_attributes(struct reading *in, const json_t *value)
{
    bool seen[ATTRIBUTE_COUNT] = { false };
    json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterator takes no const */
    const char *name;
    json_t *member;

    if (!json_is_object(value))
        return fault_say(in, "object expected");
    in->r->attribute = arena_array(in->arena, REGISTRATION_ATTRIBUTES_MAX, sizeof(*in->r->attribute));
    if (in->r->attribute == NULL)
        return out_of_memory(in);
    json_object_foreach(object, name, member)
    {
        enum attribute_kind kind = attribute_from_name(bytes_text(name));

        fault_name(in->fault, "attributes.", name);
        if (kind == ATTRIBUTE_NONE)
            return fault_say(in, "unknown attribute");
        if (seen[kind])
            return fault_say(in, "given twice");
        seen[kind] = true;
        if (!read_values(in, kind, member))
            return false;
    }
    return true;
}

static bool write_values(json_t *object, const struct registration *r, enum attribute_kind kind)
{
    struct bytes value = registration_attribute(r, kind, 0);
    json_t *list;

    if (value.data == NULL)
        return true;
    if (!attribute_is_multiple(kind))
        return json_put_text(object, attribute_name(kind), value);
    list = json_array();
    for (size_t i = 0; (value = registration_attribute(r, kind, i)).data != NULL; i++)
        if (!json_push(list, json_of_bytes(value))) {
            json_decref(list);
            return false;
        }
    return json_put(object, attribute_name(kind), list);
}

bool write_attributes(json_t *object, const struct registration *r)
{
    AUTO(json_t) *attributes = json_object();

    if (r->attribute_count == 0)
        return true;
    for (enum attribute_kind kind = ATTRIBUTE_NONE + 1; kind < ATTRIBUTE_COUNT; kind++)
        if (!write_values(attributes, r, kind))
            return false;
    return json_put(object, "attributes", take(attributes));
}
