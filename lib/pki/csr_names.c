#include "lib/base/ip.h"
#include "lib/pki/csr_internal.h"

struct csr_finding csr_name_finding(enum name_fault fault, const char *detail)
{
    switch (fault) {
    case NAME_FAULT_SYNTAX: return csr_found(CSR_FAULT_SYNTAX, detail);
    case NAME_FAULT_VALUE: return csr_found(CSR_FAULT_NAME, detail);
    case NAME_FAULT_MEMORY: return csr_found(CSR_FAULT_INTERNAL, "out of memory");
    case NAME_OK: return CSR_SOUND;
    }
    return csr_found(CSR_FAULT_INTERNAL, detail);
}

static struct csr_finding judge_dns(struct bytes name)
{
    struct ip_address ip;

    if (bytes_is(name, " "))
        return csr_found(CSR_FAULT_NAME, "dNSName is a blank");
    if (bytes_find(name, '@') < name.len)
        return csr_found(CSR_FAULT_NAME, "dNSName holds a mailbox");
    return ip_parse(name, &ip) ? csr_found(CSR_FAULT_NAME, "dNSName is an IP address") : CSR_SOUND;
}

/* The two that identify hardware must be readable: they are looked at later (CSR-75, CSR-76). */
static struct csr_finding judge_other(const struct general_name *name, bool has_serial)
{
    struct hardware_module_name hardware;
    struct permanent_identifier permanent;

    if (bytes_equal(name->oid, OID_HARDWARE_MODULE_NAME) &&
        !hardware_module_name_decode(name->value, &hardware))
        return csr_found(CSR_FAULT_SYNTAX, "HardwareModuleName malformed");
    if (!bytes_equal(name->oid, OID_PERMANENT_IDENTIFIER))
        return CSR_SOUND;
    if (!permanent_identifier_decode(name->value, &permanent))
        return csr_found(CSR_FAULT_SYNTAX, "permanentIdentifier malformed");
    return permanent.has_value || has_serial
               ? CSR_SOUND
               : csr_found(CSR_FAULT_SYNTAX, "permanentIdentifier without value or serialNumber");
}

static bool has_several(const struct distinguished_name *subject, struct bytes oid)
{
    size_t count;

    (void)name_find(subject, oid, &count);
    return count > 1;
}

/* An RDN of the subject stands in for an absent attribute; both must agree when both are there. */
static bool merge(const struct distinguished_name *subject, struct bytes oid, struct bytes *attribute)
{
    size_t count;
    struct bytes rdn = name_find(subject, oid, &count);

    if (count == 0)
        return true;
    if (count > 1 || (attribute->len > 0 && !bytes_equal_nocase(*attribute, rdn)))
        return false;
    *attribute = rdn;
    return true;
}

struct csr_finding csr_names_judge(struct requested *r)
{
    bool has_serial = name_find(&r->subject, OID_SERIAL_NUMBER, NULL).len > 0;

    if (!merge(&r->subject, OID_UNSTRUCTURED_NAME, &r->unstructured_name) ||
        !merge(&r->subject, OID_UNSTRUCTURED_ADDRESS, &r->unstructured_address))
        return csr_found(CSR_FAULT_NAME, "unstructuredName or unstructuredAddress in contradiction");
    if (r->subject.count == 0 && r->san.count == 0 && r->unstructured_name.len == 0)
        return csr_found(CSR_FAULT_NAME, "no subject and no subjectAltName");
    if (has_several(&r->subject, OID_COMMON_NAME) || has_several(&r->subject, OID_SERIAL_NUMBER))
        return csr_found(CSR_FAULT_NAME, "more than one commonName or serialNumber");
    for (size_t i = 0; i < r->san.count; i++) {
        const struct general_name *name = &r->san.item[i];
        struct csr_finding finding = CSR_SOUND;

        if (name->kind == GENERAL_NAME_DNS)
            finding = judge_dns(name->value);
        else if (name->kind == GENERAL_NAME_OTHER)
            finding = judge_other(name, has_serial);
        if (finding.fault != CSR_OK)
            return finding;
    }
    return CSR_SOUND;
}
