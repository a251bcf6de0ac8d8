/* The subject: the registration's attributes and, where the profile says so, the request's. */
#include "enroll/names_internal.h"

enum { COMMON_NAME_MAX = 64 /* RFC 5280 A.1 ub-common-name */, POSTAL_LINES_MAX = 6 };

static const uint8_t DMD_NAME[] = { 0x55, 0x04, 0x36 }; /* 2.5.4.54 */

struct subject_row {
    enum attribute_kind kind;
    const struct bytes *oid;
};

static const struct bytes OID_DMD_NAME = { DMD_NAME, sizeof(DMD_NAME) };

/* In the order of their RDNs; CN follows them. `encoding` and `keyprocedureid` shape no name; postaladdress
 * is a SEQUENCE and is written apart. */
static const struct subject_row rows[] = {
    { ATTRIBUTE_COUNTRY, &OID_COUNTRY },
    { ATTRIBUTE_STATE_OR_PROVINCE, &OID_STATE },
    { ATTRIBUTE_LOCALITY, &OID_LOCALITY },
    { ATTRIBUTE_POSTAL_CODE, &OID_POSTAL_CODE },
    { ATTRIBUTE_STREET, &OID_STREET },
    { ATTRIBUTE_ORGANISATION, &OID_ORGANIZATION },
    { ATTRIBUTE_ORGANIZATION_IDENTIFIER, &OID_ORGANIZATION_IDENTIFIER },
    { ATTRIBUTE_ORGANISATION_UNIT, &OID_ORGANIZATIONAL_UNIT },
    { ATTRIBUTE_DMD, &OID_DMD_NAME },
    { ATTRIBUTE_TITLE, &OID_TITLE },
    { ATTRIBUTE_SURNAME, &OID_SURNAME },
    { ATTRIBUTE_GIVEN_NAME, &OID_GIVEN_NAME },
    { ATTRIBUTE_INITIALS, &OID_INITIALS },
    { ATTRIBUTE_PSEUDONYM, &OID_PSEUDONYM },
    { ATTRIBUTE_UNIQUE_IDENTIFIER, &OID_UNIQUE_IDENTIFIER },
    { ATTRIBUTE_TELEPHONE_NUMBER, &OID_TELEPHONE_NUMBER },
    { ATTRIBUTE_EMAIL_ADDRESS, &OID_EMAIL_ADDRESS },
};

/* The subject as it grows. */
struct subject {
    struct name_attribute attribute[NAME_ATTRIBUTES_MAX];
    size_t count;
    uint8_t rdns;
};

static bool put(struct naming *n, struct subject *s, struct bytes oid, struct bytes text)
{
    if (s->count == NAME_ATTRIBUTES_MAX)
        return naming_refuse(n, REFUSAL_NAME, "the subject has too many attributes");
    s->attribute[s->count++] = (struct name_attribute){ .oid = oid, .text = text, .rdn = s->rdns++ };
    return true;
}

static bool put_row(struct naming *n, struct subject *s, const struct subject_row *row)
{
    struct bytes value;

    for (size_t i = 0; (value = naming_attribute(n, row->kind, i)).len > 0; i++)
        if (!put(n, s, *row->oid, value))
            return false;
    return true;
}

/* What the registration says, else the FQDN if it fits. */
static struct bytes common_name(const struct naming *n)
{
    struct bytes registered = naming_attribute(n, ATTRIBUTE_COMMON_NAME, 0);

    if (registered.len > 0)
        return registered;
    if (n->identity->fqdn_implied && n->identity->wildcard_count > 0)
        return n->identity->wildcard[0].len <= COMMON_NAME_MAX ? fqdn_pattern_bytes(&n->identity->wildcard[0])
                                                               : BYTES_NONE;
    return n->identity->fqdn.len <= COMMON_NAME_MAX ? dns_name_bytes(&n->identity->fqdn) : BYTES_NONE;
}

/* Where the registration names a serial number the certificate carries it, so that it identifies the device
 * at a renewal (CSR-80): as the request wrote it, which was compared with the registration, else as
 * registered. */
static struct bytes serial_number(const struct naming *n)
{
    struct bytes asked = name_find(&n->e->requested->subject, OID_SERIAL_NUMBER, NULL);

    if (n->registration == NULL || n->registration->serial_number.len == 0)
        return BYTES_NONE;
    return asked.len > 0 ? asked : n->registration->serial_number;
}

/* --- from the registration alone --- */
static bool from_registration(struct naming *n, struct subject *s)
{
    struct bytes cn = common_name(n), serial = serial_number(n);

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!put_row(n, s, &rows[i]))
            return false;
    return (cn.len == 0 || put(n, s, OID_COMMON_NAME, cn)) &&
           (serial.len == 0 || put(n, s, OID_SERIAL_NUMBER, serial));
}

/* --- from the request, overlaid --- */
static bool is_overlaid(const struct naming *n, struct bytes oid)
{
    if (bytes_equal(oid, OID_COMMON_NAME))
        return naming_attribute(n, ATTRIBUTE_COMMON_NAME, 0).len > 0;
    if (bytes_equal(oid, OID_POSTAL_ADDRESS))
        return true; /* no text: only a registered one is written */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (bytes_equal(oid, *rows[i].oid))
            return naming_attribute(n, rows[i].kind, 0).len > 0;
    return false;
}

static bool is_known_address(const struct naming *n, struct bytes text)
{
    struct ip_address ip;

    return n->registration != NULL && n->registration->ip.len > 0 && ip_parse(bytes_trim(text), &ip) &&
           ip_equal(&ip, &n->registration->ip);
}

/* unstructuredName and -Address identify a router as CN does: they stay when they say what was checked. */
static bool is_dropped(const struct naming *n, const struct name_attribute *a)
{
    const struct dns_rules rules = { .trailing_dot = true, .underscore = true, .single_label = true };
    struct dns_name name;

    if (bytes_equal(a->oid, OID_UNSTRUCTURED_NAME))
        return dns_name_parse(a->text, &rules, &name) != DNS_OK || !dns_name_equal(&name, &n->identity->fqdn);
    return bytes_equal(a->oid, OID_UNSTRUCTURED_ADDRESS) && !is_known_address(n, a->text);
}

static struct bytes requested_text(const struct naming *n, const struct name_attribute *a)
{
    const struct dns_rules rules = { .trailing_dot = true,
                                     .unicode = true,
                                     .underscore = true,
                                     .single_label = n->e->procedure->domain->single_label };
    struct dns_name name;

    if (bytes_equal(a->oid, OID_COMMON_NAME) && n->identity->fqdn.len <= COMMON_NAME_MAX &&
        dns_name_parse(a->text, &rules, &name) == DNS_OK && dns_name_equal(&name, &n->identity->fqdn))
        return dns_name_bytes(&n->identity->fqdn); /* canonical */
    return a->text;
}

static bool take_requested(struct naming *n, struct subject *s, const struct name_attribute *a,
                           uint8_t *last_rdn)
{
    if (is_overlaid(n, a->oid) || is_dropped(n, a))
        return true;
    if (bytes_equal(a->oid, OID_EMAIL_ADDRESS) && !naming_profile_takes(n, GENERAL_NAME_EMAIL))
        return naming_refuse(n, REFUSAL_NAME_POLICY, "emailAddress in the subject");
    if (s->count > 0 && *last_rdn == a->rdn)
        s->rdns--; /* stands in the same RDN as the one before (CSR-60) */
    *last_rdn = a->rdn;
    return put(n, s, a->oid, requested_text(n, a));
}

static bool from_request(struct naming *n, struct subject *s)
{
    const struct distinguished_name *asked = &n->e->requested->subject;
    struct bytes cn = naming_attribute(n, ATTRIBUTE_COMMON_NAME, 0);
    uint8_t last_rdn = 0;

    for (size_t i = 0; i < asked->count; i++)
        if (!take_requested(n, s, &asked->attribute[i], &last_rdn))
            return false;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!put_row(n, s, &rows[i]))
            return false;
    return cn.len == 0 || put(n, s, OID_COMMON_NAME, cn);
}

/* --- encoding --- */
/* PostalAddress ::= SEQUENCE SIZE(1..6) OF DirectoryString (X.520): lines are separated by LF or '$'. */
static bool put_postal_address(struct naming *n, struct buffer *out)
{
    struct bytes lines = naming_attribute(n, ATTRIBUTE_POSTAL_ADDRESS, 0), line;
    size_t set, pair, sequence, count = 0;

    if (lines.len == 0)
        return true;
    set = der_begin(out, DER_SET);
    pair = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, OID_POSTAL_ADDRESS);
    sequence = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; (lines = naming_attribute(n, ATTRIBUTE_POSTAL_ADDRESS, i)).len > 0; i++) {
        while (bytes_split(&lines, bytes_find(lines, '\n') < lines.len ? '\n' : '$', &line)) {
            der_put(out, DER_UTF8_STRING, line);
            count++;
        }
    }
    der_end(out, sequence);
    der_end(out, pair);
    der_end(out, set);
    return count <= POSTAL_LINES_MAX ||
           naming_refuse(n, REFUSAL_NAME, "postaladdress has more than six lines");
}

static bool encode(struct naming *n, const struct subject *s, struct bytes *out)
{
    AUTO_STRUCT(buffer) plain = BUFFER(EFFECTIVE_NAMES_MAX);
    AUTO_STRUCT(buffer) whole = BUFFER(EFFECTIVE_NAMES_MAX);
    struct der reader;
    struct bytes rdns;
    size_t name;

    if (!name_encode(s->attribute, s->count, &plain))
        return naming_refuse(n, REFUSAL_NAME, "the effective subject cannot be encoded");
    reader = der_of(buffer_bytes(&plain));
    rdns = der_value(&reader, DER_SEQUENCE);
    name = der_begin(&whole, DER_SEQUENCE);
    if (!put_postal_address(n, &whole))
        return false;
    buffer_append(&whole, rdns);
    der_end(&whole, name);
    *out = buffer_failed(&whole) ? BYTES_NONE : arena_copy(n->arena, buffer_bytes(&whole));
    return out->data != NULL || naming_refuse(n, REFUSAL_INTERNAL, "out of memory");
}

bool make_subject(struct naming *n, struct bytes *out)
{
    struct subject s = { 0 };

    switch (enrollment_profile(n->e)->subject) {
    case SUBJECT_FROM_REGISTRATION: return from_registration(n, &s) && encode(n, &s, out);
    case SUBJECT_FROM_REQUEST: return from_request(n, &s) && encode(n, &s, out);
    }
    return naming_refuse(n, REFUSAL_INTERNAL, "unknown subject rule");
}
