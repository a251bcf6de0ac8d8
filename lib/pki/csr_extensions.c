#include "lib/pki/certificate.h"
#include "lib/pki/csr_internal.h"
#include "lib/pki/names_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }
#define ID_CE(last) OID("\x55\x1d" last)

enum { EXTENSIONS_MAX = 64 };

static const struct bytes any_extended_key_usage = OID("\x55\x1d\x25\x00");
static const struct bytes ocsp_signing = OID("\x2b\x06\x01\x05\x05\x07\x03\x09");

static struct csr_finding take_san(struct bytes value, struct arena *arena, struct requested *out)
{
    return csr_name_finding(general_names_decode(value, arena, &out->san), "subjectAltName");
}

static struct csr_finding take_key_usage(struct bytes value, struct arena *arena, struct requested *out)
{
    struct der in = der_of(value);
    uint32_t mask = der_named_bits(&in);

    (void)arena;
    if (!der_finished(&in))
        return csr_found(CSR_FAULT_SYNTAX, "keyUsage malformed");
    if ((mask & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0)
        return csr_found(CSR_FAULT_PROFILE, "key usage of a CA asked for");
    out->key_usage = mask;
    out->has_key_usage = true;
    return CSR_SOUND;
}

static struct csr_finding take_extended_key_usage(struct bytes value, struct arena *arena,
                                                  struct requested *out)
{
    struct der in = der_of(value), list = der_enter(&in, DER_SEQUENCE);

    (void)arena;
    while (der_more(&list)) {
        struct bytes oid = der_value(&list, DER_OID);

        if (oid.len == 0 || out->extended_key_usage_count == EXTENDED_KEY_USAGES_MAX)
            return csr_found(CSR_FAULT_SYNTAX, "extKeyUsage malformed or too long");
        if (bytes_equal(oid, any_extended_key_usage) || bytes_equal(oid, ocsp_signing))
            return csr_found(CSR_FAULT_PROFILE, "extended key usage any or OCSP signing asked for");
        out->extended_key_usage[out->extended_key_usage_count++] = oid;
    }
    return der_finished(&list) && der_finished(&in) && out->extended_key_usage_count > 0
               ? CSR_SOUND
               : csr_found(CSR_FAULT_SYNTAX, "extKeyUsage malformed");
}

static struct csr_finding take_basic_constraints(struct bytes value, struct arena *arena,
                                                 struct requested *out)
{
    struct der in = der_of(value), seq = der_enter(&in, DER_SEQUENCE);
    bool is_ca = der_next_is(&seq, DER_BOOLEAN) && der_boolean(&seq);

    (void)arena;
    (void)out;
    if (der_next_is(&seq, DER_INTEGER))
        (void)der_uint(&seq);
    if (!der_finished(&seq) || !der_finished(&in))
        return csr_found(CSR_FAULT_SYNTAX, "basicConstraints malformed");
    return is_ca ? csr_found(CSR_FAULT_PROFILE, "certificate of a CA asked for") : CSR_SOUND;
}

static struct csr_finding take_key_identifier(struct bytes value, struct arena *arena, struct requested *out)
{
    struct der in = der_of(value);

    (void)der_value(&in, DER_OCTET_STRING); /* the certificate's is computed from the key */
    (void)arena;
    (void)out;
    return der_finished(&in) ? CSR_SOUND : csr_found(CSR_FAULT_SYNTAX, "subjectKeyIdentifier malformed");
}

static struct csr_finding take_policies(struct bytes value, struct arena *arena, struct requested *out)
{
    struct der in = der_of(value), list = der_enter(&in, DER_SEQUENCE);

    (void)arena;
    (void)out;
    if (!der_more(&list))
        return csr_found(CSR_FAULT_SYNTAX, "certificatePolicies empty");
    while (der_more(&list)) {
        struct der policy = der_enter(&list, DER_SEQUENCE);

        (void)der_value(&policy, DER_OID);
        if (der_next_is(&policy, DER_SEQUENCE))
            (void)der_element(&policy, DER_SEQUENCE);
        if (!der_finished(&policy))
            return csr_found(CSR_FAULT_SYNTAX, "certificatePolicies malformed");
    }
    return der_finished(&list) && der_finished(&in)
               ? CSR_SOUND
               : csr_found(CSR_FAULT_SYNTAX, "certificatePolicies malformed");
}

static struct csr_finding refuse(struct bytes value, struct arena *arena, struct requested *out)
{
    (void)value;
    (void)arena;
    (void)out;
    return csr_found(CSR_FAULT_PROFILE, "extension of a CA asked for");
}

/* Microsoft's certificate template name: any string type. */
static struct csr_finding take_template_name(struct bytes value, struct arena *arena, struct requested *out)
{
    struct der in = der_of(value), inner;
    unsigned tag = 0;
    struct bytes element = der_any(&in, &tag);

    if (!der_finished(&in))
        return csr_found(CSR_FAULT_SYNTAX, "certificate template name malformed");
    inner = der_of(element);
    return csr_name_finding(string_decode(tag, der_value(&inner, tag), true, arena, &out->template_name),
                            "certificate template name");
}

/* What is known. All else is a wish that nobody grants: skipped, but not when it is critical. */
static const struct {
    struct bytes oid;
    struct csr_finding (*read)(struct bytes value, struct arena *arena, struct requested *out);
} known[] = {
    { ID_CE("\x11"), take_san },
    { ID_CE("\x0f"), take_key_usage },
    { ID_CE("\x25"), take_extended_key_usage },
    { ID_CE("\x13"), take_basic_constraints },
    { ID_CE("\x0e"), take_key_identifier },
    { ID_CE("\x20"), take_policies },
    { ID_CE("\x1e"), refuse }, /* nameConstraints */
    { ID_CE("\x21"), refuse }, /* policyMappings */
    { ID_CE("\x24"), refuse }, /* policyConstraints */
    { ID_CE("\x36"), refuse }, /* inhibitAnyPolicy */
    { OID("\x2b\x06\x01\x04\x01\x82\x37\x14\x02"), take_template_name },
};

static struct csr_finding take_one(struct bytes oid, bool critical, struct bytes value, struct arena *arena,
                                   struct requested *out)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (bytes_equal(oid, known[i].oid))
            return known[i].read(value, arena, out);
    return critical ? csr_found(CSR_FAULT_PROFILE, "unknown critical extension asked for") : CSR_SOUND;
}

struct csr_finding csr_extensions_decode(struct bytes element, struct arena *arena, struct requested *out)
{
    struct der in = der_of(element), list = der_enter(&in, DER_SEQUENCE);
    struct bytes seen[EXTENSIONS_MAX];
    size_t count = 0;

    if (!der_more(&list) || !der_finished(&in))
        return csr_found(CSR_FAULT_SYNTAX, "extensions malformed or empty");
    while (der_more(&list)) {
        struct der extension = der_enter(&list, DER_SEQUENCE);
        struct bytes oid = der_value(&extension, DER_OID);
        bool critical = der_next_is(&extension, DER_BOOLEAN) && der_boolean(&extension);
        struct bytes value = der_value(&extension, DER_OCTET_STRING);
        struct csr_finding finding;

        if (!der_finished(&extension) || oid.len == 0 || count == EXTENSIONS_MAX)
            return csr_found(CSR_FAULT_SYNTAX, "extension malformed or too many");
        for (size_t i = 0; i < count; i++)
            if (bytes_equal(seen[i], oid))
                return csr_found(CSR_FAULT_SYNTAX, "extension stands twice");
        seen[count++] = oid;
        finding = take_one(oid, critical, value, arena, out);
        if (finding.fault != CSR_OK)
            return finding;
    }
    return list.failed ? csr_found(CSR_FAULT_SYNTAX, "extensions malformed") : CSR_SOUND;
}
