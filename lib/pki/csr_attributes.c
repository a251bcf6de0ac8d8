#include "lib/pki/csr_internal.h"
#include "lib/pki/names_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

enum { ATTRIBUTES_MAX = 32, PASSWORD_CHARACTERS_MAX = 255 };

/* challengePassword (RFC 2985 5.4.1): any string type, bytes as they are after one trailing NUL (CSR-47). */
static struct csr_finding take_password(unsigned tag, struct bytes element, struct arena *arena,
                                        struct requested *out)
{
    struct der in = der_of(element);
    struct bytes text = BYTES_NONE;
    enum name_fault fault = string_decode_raw(tag, der_value(&in, tag), arena, &text);

    if (fault == NAME_FAULT_MEMORY)
        return csr_found(CSR_FAULT_INTERNAL, "out of memory");
    if (fault != NAME_OK)
        return csr_found(CSR_FAULT_SYNTAX, "challengePassword is no text");
    if (text.len > 0 && text.data[text.len - 1] == '\0')
        text.len--;
    if (text_count(text) > PASSWORD_CHARACTERS_MAX)
        return csr_found(CSR_FAULT_SYNTAX, "challengePassword too long");
    out->challenge_password = text.len > 0 ? text : BYTES_NONE;
    return CSR_SOUND;
}

static struct csr_finding take_text(unsigned tag, struct bytes element, struct arena *arena,
                                    struct bytes *text)
{
    struct der in = der_of(element);
    enum name_fault fault = string_decode(tag, der_value(&in, tag), true, arena, text);

    if (fault == NAME_OK && text_count(*text) > PASSWORD_CHARACTERS_MAX) /* pkcs-9-ub is the same */
        fault = NAME_FAULT_VALUE;
    return csr_name_finding(fault, "unstructuredName or unstructuredAddress");
}

static struct csr_finding take_unstructured_name(unsigned tag, struct bytes element, struct arena *arena,
                                                 struct requested *out)
{
    return take_text(tag, element, arena, &out->unstructured_name);
}

static struct csr_finding take_unstructured_address(unsigned tag, struct bytes element, struct arena *arena,
                                                    struct requested *out)
{
    return take_text(tag, element, arena, &out->unstructured_address);
}

static struct csr_finding take_extensions(unsigned tag, struct bytes element, struct arena *arena,
                                          struct requested *out)
{
    (void)tag;
    return csr_extensions_decode(element, arena, out);
}

enum known { EXTENSION_REQUEST, MICROSOFT_EXTENSIONS, OTHER_KNOWN };

static const struct {
    struct bytes oid;
    enum known known;
    struct csr_finding (*read)(unsigned tag, struct bytes element, struct arena *arena,
                               struct requested *out);
} attributes[] = {
    { OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), EXTENSION_REQUEST, take_extensions },
    { OID("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"), MICROSOFT_EXTENSIONS, take_extensions },
    { OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"), OTHER_KNOWN, take_password },
    { OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02"), OTHER_KNOWN, take_unstructured_name },
    { OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08"), OTHER_KNOWN, take_unstructured_address },
};

static size_t index_of(struct bytes oid)
{
    size_t i = 0;

    while (i < COUNT_OF(attributes) && !bytes_equal(oid, attributes[i].oid))
        i++;
    return i;
}

/* The attributes seen so far. */
struct seen {
    struct bytes oid[ATTRIBUTES_MAX];
    size_t count;
    bool extensions; /* in one of the two places (CSR-41) */
};

static bool is_new(struct seen *seen, struct bytes oid, bool extensions)
{
    for (size_t i = 0; i < seen->count; i++)
        if (bytes_equal(seen->oid[i], oid))
            return false;
    if (extensions && seen->extensions)
        return false;
    seen->extensions = seen->extensions || extensions;
    seen->oid[seen->count++] = oid;
    return true;
}

static struct csr_finding take_unknown(struct bytes oid, struct der *values, struct requested *out)
{
    while (der_more(values))
        (void)der_any(values, NULL);
    if (values->failed || out->unknown_attribute_count == REQUESTED_UNKNOWN_MAX)
        return csr_found(CSR_FAULT_SYNTAX, "attribute malformed, or too many unknown ones");
    out->unknown_attribute[out->unknown_attribute_count++] = oid;
    return CSR_SOUND;
}

static struct csr_finding take_one(struct der *attribute, struct seen *seen, struct arena *arena,
                                   struct requested *out)
{
    struct bytes oid = der_value(attribute, DER_OID), value;
    struct der values = der_enter(attribute, DER_SET);
    size_t i = index_of(oid);
    unsigned tag = 0;

    if (!der_finished(attribute) || oid.len == 0 || !der_more(&values) || seen->count == ATTRIBUTES_MAX)
        return csr_found(CSR_FAULT_SYNTAX, "attribute malformed, without value, or too many");
    if (!is_new(seen, oid, i < COUNT_OF(attributes) && attributes[i].known != OTHER_KNOWN))
        return csr_found(CSR_FAULT_SYNTAX, "attribute stands twice");
    if (i == COUNT_OF(attributes))
        return take_unknown(oid, &values, out);
    value = der_any(&values, &tag);
    if (!der_finished(&values))
        return csr_found(CSR_FAULT_SYNTAX, "attribute with more than one value");
    return attributes[i].read(tag, value, arena, out);
}

struct csr_finding csr_attributes_decode(struct der in, struct arena *arena, struct requested *out)
{
    struct seen seen = { .count = 0 };

    while (der_more(&in)) { /* a SET OF, but in any order: strongSwan does not sort */
        struct der attribute = der_enter(&in, DER_SEQUENCE);
        struct csr_finding finding = take_one(&attribute, &seen, arena, out);

        if (finding.fault != CSR_OK)
            return finding;
    }
    return in.failed ? csr_found(CSR_FAULT_SYNTAX, "attributes malformed") : CSR_SOUND;
}
