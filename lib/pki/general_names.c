#include "lib/pki/names_internal.h"

/* rfc822Name, dNSName, URI: IA5String, not empty, no control characters. */
static enum name_fault text_decode(struct bytes content, struct general_name *out)
{
    if (content.len == 0 || !text_is_ascii(content) || text_has_control(content))
        return NAME_FAULT_VALUE;
    out->value = content;
    return NAME_OK;
}

static enum name_fault other_decode(struct bytes content, struct general_name *out)
{
    struct der in = der_of(content), value;
    struct bytes oid = der_value(&in, DER_OID), inner;

    value = der_enter(&in, DER_CONTEXT(0));
    inner = der_any(&value, NULL);
    if (!der_finished(&value) || !der_finished(&in) || oid.len == 0)
        return NAME_FAULT_SYNTAX;
    out->oid = oid;
    out->value = inner;
    return NAME_OK;
}

static enum name_fault directory_decode(struct bytes content, struct arena *arena, struct general_name *out)
{
    struct distinguished_name name;
    struct der in = der_of(content);
    struct bytes element = der_element(&in, DER_SEQUENCE);
    enum name_fault fault = der_finished(&in) ? name_decode(element, arena, &name) : NAME_FAULT_SYNTAX;

    if (fault == NAME_OK)
        out->value = element;
    return fault;
}

static enum name_fault oid_decode(struct bytes content, struct general_name *out)
{
    char dotted[128];

    if (!oid_format(content, dotted, sizeof(dotted)))
        return NAME_FAULT_SYNTAX;
    out->value = content;
    return NAME_OK;
}

static enum name_fault one_decode(unsigned tag, struct bytes element, struct arena *arena,
                                  struct general_name *out)
{
    struct der in = der_of(element);
    struct bytes content = der_value(&in, tag);

    out->encoded = element;
    out->kind = (enum general_name_kind)(tag & 0x1f);
    switch (tag) {
    case DER_CONTEXT(GENERAL_NAME_OTHER): return other_decode(content, out);
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_EMAIL):
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_DNS):
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_URI): return text_decode(content, out);
    case DER_CONTEXT(GENERAL_NAME_DIRECTORY): return directory_decode(content, arena, out);
    case DER_CONTEXT(GENERAL_NAME_X400):
    case DER_CONTEXT(GENERAL_NAME_EDI): out->value = content; return NAME_OK;
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_IP):
        out->value = content;
        return content.len == 4 || content.len == 16 ? NAME_OK : NAME_FAULT_VALUE;
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_REGISTERED_ID): return oid_decode(content, out);
    default: return NAME_FAULT_SYNTAX;
    }
}

enum name_fault general_names_decode(struct bytes encoded, struct arena *arena, struct general_names *out)
{
    struct der in = der_of(encoded), names = der_enter(&in, DER_SEQUENCE), counting = names;
    struct general_name *item;
    size_t count = 0;

    while (der_more(&counting) && count <= GENERAL_NAMES_MAX) {
        (void)der_any(&counting, NULL);
        count++;
    }
    if (!der_finished(&in) || counting.failed || count > GENERAL_NAMES_MAX)
        return NAME_FAULT_SYNTAX;
    if (count == 0)
        return NAME_FAULT_VALUE;
    item = arena_array(arena, count, sizeof(*item));
    if (item == NULL)
        return NAME_FAULT_MEMORY;
    for (size_t i = 0; i < count; i++) {
        unsigned tag = 0;
        struct bytes element = der_any(&names, &tag);
        enum name_fault fault = one_decode(tag, element, arena, &item[i]);

        if (fault != NAME_OK)
            return fault;
    }
    *out = (struct general_names){ .item = item, .count = count };
    return NAME_OK;
}

static bool contains(const struct general_names *names, const struct general_name *one)
{
    for (size_t i = 0; i < names->count; i++)
        if (bytes_equal(names->item[i].encoded, one->encoded))
            return true;
    return false;
}

bool general_names_equal(const struct general_names *a, const struct general_names *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!contains(b, &a->item[i]))
            return false;
    for (size_t i = 0; i < b->count; i++)
        if (!contains(a, &b->item[i]))
            return false;
    return true;
}

void general_name_put(struct buffer *out, enum general_name_kind kind, struct bytes value, struct bytes oid)
{
    size_t outer, inner;

    switch (kind) {
    case GENERAL_NAME_OTHER:
        outer = der_begin(out, DER_CONTEXT(GENERAL_NAME_OTHER));
        der_put_oid(out, oid);
        inner = der_begin(out, DER_CONTEXT(0));
        buffer_append(out, value);
        der_end(out, inner);
        der_end(out, outer);
        return;
    case GENERAL_NAME_X400:
    case GENERAL_NAME_DIRECTORY:
    case GENERAL_NAME_EDI: der_put(out, DER_CONTEXT((unsigned)kind), value); return;
    case GENERAL_NAME_EMAIL:
    case GENERAL_NAME_DNS:
    case GENERAL_NAME_URI:
    case GENERAL_NAME_IP:
    case GENERAL_NAME_REGISTERED_ID: der_put(out, DER_CONTEXT_PRIMITIVE((unsigned)kind), value); return;
    }
}

bool hardware_module_name_decode(struct bytes der, struct hardware_module_name *out)
{
    struct der in = der_of(der), seq = der_enter(&in, DER_SEQUENCE);
    struct bytes type = der_value(&seq, DER_OID);
    struct bytes serial = der_value(&seq, DER_OCTET_STRING);

    if (!der_finished(&seq) || !der_finished(&in) || type.len == 0 || serial.len == 0)
        return false;
    *out = (struct hardware_module_name){ .type = type, .serial = serial };
    return true;
}

bool permanent_identifier_decode(struct bytes der, struct permanent_identifier *out)
{
    struct permanent_identifier found = { 0 };
    struct der in = der_of(der), seq = der_enter(&in, DER_SEQUENCE);

    found.value = der_optional(&seq, DER_UTF8_STRING, &found.has_value);
    found.assigner = der_optional(&seq, DER_OID, &found.has_assigner);
    if (!der_finished(&seq) || !der_finished(&in) || !bytes_is_utf8(found.value) ||
        text_has_control(found.value) || (found.has_value && found.value.len == 0) ||
        (found.has_assigner && found.assigner.len == 0))
        return false;
    *out = found;
    return true;
}
