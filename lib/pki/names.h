/* names.h: X.501 names and GeneralNames, decoded to values and encoded again (RFC 5280 4.1.2.4, 4.2.1.6).
 * Text is checked UTF-8 without control characters, whatever string type it came in (CSR-52, CSR-53). */
#ifndef MUSTER_PKI_NAMES_H
#define MUSTER_PKI_NAMES_H

#include "lib/pki/der.h"

enum { NAME_ATTRIBUTES_MAX = 32, GENERAL_NAMES_MAX = 100 };

struct name_attribute {
    struct bytes oid;  /* content octets */
    struct bytes text; /* UTF-8 */
    uint8_t string_tag;
    uint8_t rdn; /* index of the RDN that it stands in; equal for a multi-valued one */
};

struct distinguished_name {
    struct bytes encoded; /* the Name, DER */
    struct name_attribute *attribute;
    size_t count;
};

enum general_name_kind { /* the context tags of RFC 5280 */
                         GENERAL_NAME_OTHER = 0,
                         GENERAL_NAME_EMAIL = 1,
                         GENERAL_NAME_DNS = 2,
                         GENERAL_NAME_X400 = 3,
                         GENERAL_NAME_DIRECTORY = 4,
                         GENERAL_NAME_EDI = 5,
                         GENERAL_NAME_URI = 6,
                         GENERAL_NAME_IP = 7,
                         GENERAL_NAME_REGISTERED_ID = 8,
};

struct general_name {
    enum general_name_kind kind;
    struct bytes encoded; /* whole element */
    struct bytes value;   /* text, address octets, OID content, or (DIRECTORY, OTHER) the inner DER element */
    struct bytes oid;     /* OTHER: type-id content octets */
};

struct general_names {
    struct general_name *item;
    size_t count;
};

/* Content octets of the OIDs that are met everywhere. */
extern const struct bytes OID_COMMON_NAME, OID_SERIAL_NUMBER, OID_COUNTRY, OID_LOCALITY, OID_STATE,
    OID_STREET, OID_ORGANIZATION, OID_ORGANIZATIONAL_UNIT, OID_TITLE, OID_SURNAME, OID_GIVEN_NAME,
    OID_INITIALS, OID_PSEUDONYM, OID_UNIQUE_IDENTIFIER, OID_TELEPHONE_NUMBER, OID_POSTAL_CODE,
    OID_POSTAL_ADDRESS, OID_ORGANIZATION_IDENTIFIER, OID_DOMAIN_COMPONENT, OID_EMAIL_ADDRESS,
    OID_UNSTRUCTURED_NAME, OID_UNSTRUCTURED_ADDRESS, OID_HARDWARE_MODULE_NAME, OID_PERMANENT_IDENTIFIER;

/* Text of a postalAddress (a SEQUENCE of lines) has '$' between its lines, as RFC 4517 3.3.28 writes it. */

/* How a name was at fault; NAME_OK is not zero, so that nothing passes by accident. */
enum name_fault {
    NAME_FAULT_SYNTAX = 0,
    NAME_FAULT_VALUE /* characters, bounds */,
    NAME_FAULT_MEMORY,
    NAME_OK
};

/* `encoded` is the Name element whole. More than NAME_ATTRIBUTES_MAX attributes: SYNTAX. Characters outside
 * the string type, control characters, empty values, upper bounds (CSR-52 to CSR-54), values that are no
 * text: VALUE. */
enum name_fault name_decode(struct bytes encoded, struct arena *arena, struct distinguished_name *out);

/* The same for names in certificates of other issuers, which must be readable though they are not good:
 * bounds and string types are not held against them, and a value that is no text reads as '#' and its DER in
 * hexadecimal. Control characters stay VALUE. */
enum name_fault name_decode_lenient(struct bytes encoded, struct arena *arena,
                                    struct distinguished_name *out);

/* From attributes (rdn ascending) to DER; string type by the attribute: PrintableString for country and
 * serialNumber (UTF8String when its characters ask for it), IA5String for emailAddress and domainComponent,
 * UTF8String else. False: a text does not fit its type, a count over the bound, or the buffer failed. */
MUST_USE bool name_encode(const struct name_attribute *attribute, size_t count, struct buffer *out);

/* First text of that attribute type; none when absent. *count (may be NULL) says how many there are. */
struct bytes name_find(const struct distinguished_name *name, struct bytes oid, size_t *count);

/* RFC 5280 7.1: same RDNs in the same order, values compared without case, inner blanks as one. */
bool name_equal(const struct distinguished_name *a, const struct distinguished_name *b);

/* RFC 4514 text for people and the log ("CN=router5.example.com,O=Example"); control characters escaped. */
struct bytes name_format(const struct distinguished_name *name, struct arena *arena);

/* "CN=a,O=b" (RFC 4514 subset: keywords CN C L ST STREET O OU serialNumber DC emailAddress title, dotted
 * OIDs; escapes with backslash) to DER, first written RDN first in the encoding reversed as RFC 4514 says.
 * For configuration. */
MUST_USE bool name_parse(struct bytes text, struct buffer *out);

/* `encoded` is the GeneralNames SEQUENCE whole. Zero names, empty dNSName, iPAddress not 4 or 16 octets:
 * VALUE. */
enum name_fault general_names_decode(struct bytes encoded, struct arena *arena, struct general_names *out);

/* Equal as sets of encoded names (CSR-100). */
bool general_names_equal(const struct general_names *a, const struct general_names *b);

/* Appends one GeneralName; value as in struct general_name. */
void general_name_put(struct buffer *out, enum general_name_kind kind, struct bytes value, struct bytes oid);

/* HardwareModuleName {hwType OID, hwSerialNum OCTET STRING} (RFC 4108 5) and PermanentIdentifier
 * {identifierValue UTF8String OPTIONAL, assigner OID OPTIONAL} (RFC 4043 2) from the inner DER of an
 * otherName. */
struct hardware_module_name {
    struct bytes type, serial;
};
MUST_USE bool hardware_module_name_decode(struct bytes der, struct hardware_module_name *out);
struct permanent_identifier {
    struct bytes value, assigner;
    bool has_value, has_assigner;
};
MUST_USE bool permanent_identifier_decode(struct bytes der, struct permanent_identifier *out);

#endif
