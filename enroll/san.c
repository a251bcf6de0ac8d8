/* subjectAltName: the FQDN, what was asked for and is allowed, and the registration's attributes. */
#include "enroll/names_internal.h"

#include "lib/base/encode.h"

enum { OID_MAX = 64, OTHER_NAME_MAX = 1024 };

/* The names as they grow, each once. */
struct san {
    struct buffer names; /* GeneralNames' content */
    struct buffer one;   /* the name being made */
};

static void auto_san(struct san *san)
{
    buffer_free(&san->names);
    buffer_free(&san->one);
}

static bool is_in(struct bytes names, struct bytes name)
{
    struct der in = der_of(names);
    unsigned tag;

    while (der_more(&in))
        if (bytes_equal(der_any(&in, &tag), name))
            return true;
    return false;
}

static void put(struct san *san, enum general_name_kind kind, struct bytes value, struct bytes oid)
{
    buffer_consume(&san->one, SIZE_MAX);
    general_name_put(&san->one, kind, value, oid);
    if (buffer_failed(&san->one))
        san->names.failed = true;
    else if (!is_in(buffer_bytes(&san->names), buffer_bytes(&san->one)))
        buffer_append(&san->names, buffer_bytes(&san->one));
}

/* --- what a request may ask for --- */
static bool registered_as(const struct naming *n, enum attribute_kind kind, struct bytes value)
{
    struct bytes listed;

    for (size_t i = 0; (listed = naming_attribute(n, kind, i)).len > 0; i++)
        if (bytes_equal(listed, value))
            return true;
    return false;
}

static bool registered_id_is(const struct naming *n, struct bytes oid)
{
    char text[256];

    return oid_format(oid, text, sizeof(text)) && registered_as(n, ATTRIBUTE_REGISTERED_ID, bytes_text(text));
}

static bool directory_name_is(const struct naming *n, struct bytes der)
{
    struct bytes listed;

    for (size_t i = 0; (listed = naming_attribute(n, ATTRIBUTE_DIRECTORY, i)).len > 0; i++) {
        AUTO_STRUCT(buffer) name = BUFFER(EFFECTIVE_NAMES_MAX);
        struct distinguished_name left, right;

        if (name_parse(listed, &name) && name_decode(der, n->arena, &left) == NAME_OK &&
            name_decode(buffer_bytes(&name), n->arena, &right) == NAME_OK && name_equal(&left, &right))
            return true;
    }
    return false;
}

/* Octets that were registered in hexadecimal. */
static bool from_hex(struct bytes text, uint8_t out[OTHER_NAME_MAX], struct bytes *octets)
{
    if (text.len / 2 > OTHER_NAME_MAX || !hex_decode(text, out))
        return false;
    *octets = bytes_of(out, text.len / 2);
    return true;
}

/* The value of an otherName in the encoding that was registered: UTF-8 unless said otherwise. */
static bool other_name_value(const struct naming *n, struct buffer *out)
{
    struct bytes value = naming_attribute(n, ATTRIBUTE_OTHER_NAME_VALUE, 0);
    struct bytes encoding = naming_attribute(n, ATTRIBUTE_OTHER_NAME_ENCODING, 0);
    uint8_t room[OTHER_NAME_MAX];

    if (encoding.len == 0 || bytes_is_nocase(encoding, "utf8") || bytes_is_nocase(encoding, "utf8string"))
        der_put(out, DER_UTF8_STRING, value);
    else if (bytes_is_nocase(encoding, "ia5") || bytes_is_nocase(encoding, "ia5string"))
        der_put(out, DER_IA5_STRING, value);
    else if (bytes_is_nocase(encoding, "printable") || bytes_is_nocase(encoding, "printablestring"))
        der_put(out, DER_PRINTABLE_STRING, value);
    else if (bytes_is_nocase(encoding, "octet") || bytes_is_nocase(encoding, "octetstring")) {
        if (!from_hex(value, room, &value))
            return false;
        der_put(out, DER_OCTET_STRING, value);
    } else if (bytes_is_nocase(encoding, "der")) {
        struct der in;
        unsigned tag;

        if (!from_hex(value, room, &value))
            return false;
        in = der_of(value);
        buffer_append(out, der_any(&in, &tag));
        return der_finished(&in);
    } else {
        return false;
    }
    return true;
}

/* The registered otherName. */
static bool other_name_of(const struct naming *n, struct buffer *value, uint8_t oid[OID_MAX], size_t *len)
{
    return oid_parse(naming_attribute(n, ATTRIBUTE_OTHER_NAME_OID, 0), oid, OID_MAX, len) &&
           other_name_value(n, value) && !buffer_failed(value);
}

static bool other_name_is(const struct naming *n, const struct general_name *name)
{
    AUTO_STRUCT(buffer) value = BUFFER(2 * OTHER_NAME_MAX);
    uint8_t oid[OID_MAX];
    size_t len;

    return other_name_of(n, &value, oid, &len) && bytes_equal(name->oid, bytes_of(oid, len)) &&
           bytes_equal(name->value, buffer_bytes(&value));
}

/* Hardware identities were compared with the registration's serial number by admission. */
static bool is_hardware_identity(const struct general_name *name)
{
    return bytes_equal(name->oid, OID_HARDWARE_MODULE_NAME) ||
           bytes_equal(name->oid, OID_PERMANENT_IDENTIFIER);
}

/* CSR-58. DNS names and addresses were judged with the registration (admit.c). */
static bool is_allowed(const struct naming *n, const struct general_name *name)
{
    switch (name->kind) {
    case GENERAL_NAME_DNS:
    case GENERAL_NAME_IP: return true;
    case GENERAL_NAME_EMAIL:
        return naming_profile_takes(n, name->kind) ||
               registered_as(n, ATTRIBUTE_SAN_EMAIL_ADDRESS, name->value);
    case GENERAL_NAME_URI:
        return naming_profile_takes(n, name->kind) || registered_as(n, ATTRIBUTE_URI, name->value);
    case GENERAL_NAME_REGISTERED_ID:
        return naming_profile_takes(n, name->kind) || registered_id_is(n, name->value);
    case GENERAL_NAME_DIRECTORY:
        return naming_profile_takes(n, name->kind) || directory_name_is(n, name->value);
    case GENERAL_NAME_OTHER:
        return naming_profile_takes(n, name->kind) || is_hardware_identity(name) || other_name_is(n, name);
    case GENERAL_NAME_X400:
    case GENERAL_NAME_EDI: return naming_profile_takes(n, name->kind);
    }
    return false;
}

static bool requested_allowed(struct naming *n)
{
    for (size_t i = 0; i < n->e->requested->san.count; i++)
        if (!is_allowed(n, &n->e->requested->san.item[i]))
            return naming_refuse(n, REFUSAL_NAME_POLICY,
                                 "a kind of SAN that neither profile nor "
                                 "registration allows");
    if (n->registration == NULL && n->identity->wildcard_count > 0 &&
        n->e->credential.kind != CREDENTIAL_ACCOUNT)
        return naming_refuse(n, REFUSAL_NAME_POLICY, "a wildcard name that nobody registered");
    return true;
}

/* In the request's order; DNS names in their canonical form. */
static void put_requested(const struct naming *n, struct san *san)
{
    const struct identity *identity = n->identity;
    const struct general_names *asked = &n->e->requested->san;

    for (size_t i = 0; i < identity->other_count; i++)
        put(san, GENERAL_NAME_DNS, dns_name_bytes(&identity->other[i]), BYTES_NONE);
    for (size_t i = 0; i < identity->wildcard_count; i++)
        put(san, GENERAL_NAME_DNS, fqdn_pattern_bytes(&identity->wildcard[i]), BYTES_NONE);
    for (size_t i = 0; i < asked->count; i++)
        if (asked->item[i].kind != GENERAL_NAME_DNS)
            put(san, asked->item[i].kind, asked->item[i].value, asked->item[i].oid);
}

/* --- what the registration adds --- */
static void put_texts(const struct naming *n, struct san *san, enum attribute_kind attribute,
                      enum general_name_kind kind)
{
    struct bytes value;

    for (size_t i = 0; (value = naming_attribute(n, attribute, i)).len > 0; i++)
        put(san, kind, value, BYTES_NONE);
}

static bool put_addresses(struct naming *n, struct san *san)
{
    struct bytes text;

    for (size_t i = 0; (text = naming_attribute(n, ATTRIBUTE_IP_ADDRESS, i)).len > 0; i++) {
        struct ip_address ip;

        if (!ip_parse(text, &ip))
            return naming_refuse(n, REFUSAL_NAME, "attribute ipaddress is no address");
        put(san, GENERAL_NAME_IP, ip_bytes(&ip), BYTES_NONE);
    }
    return true;
}

static bool put_directory_names(struct naming *n, struct san *san)
{
    struct bytes text;

    for (size_t i = 0; (text = naming_attribute(n, ATTRIBUTE_DIRECTORY, i)).len > 0; i++) {
        AUTO_STRUCT(buffer) name = BUFFER(EFFECTIVE_NAMES_MAX);

        if (!name_parse(text, &name))
            return naming_refuse(n, REFUSAL_NAME, "attribute directory is no distinguished name");
        put(san, GENERAL_NAME_DIRECTORY, buffer_bytes(&name), BYTES_NONE);
    }
    return true;
}

static bool put_registered_ids(struct naming *n, struct san *san)
{
    struct bytes text;

    for (size_t i = 0; (text = naming_attribute(n, ATTRIBUTE_REGISTERED_ID, i)).len > 0; i++) {
        uint8_t oid[OID_MAX];
        size_t len;

        if (!oid_parse(text, oid, sizeof(oid), &len))
            return naming_refuse(n, REFUSAL_NAME, "attribute registeredid is no OID");
        put(san, GENERAL_NAME_REGISTERED_ID, bytes_of(oid, len), BYTES_NONE);
    }
    return true;
}

static bool put_other_name(struct naming *n, struct san *san)
{
    AUTO_STRUCT(buffer) value = BUFFER(2 * OTHER_NAME_MAX);
    uint8_t oid[OID_MAX];
    size_t len;

    if (naming_attribute(n, ATTRIBUTE_OTHER_NAME_OID, 0).len == 0)
        return true;
    if (!other_name_of(n, &value, oid, &len))
        return naming_refuse(n, REFUSAL_NAME, "attributes othername*: no OID, value or known encoding");
    put(san, GENERAL_NAME_OTHER, buffer_bytes(&value), bytes_of(oid, len));
    return true;
}

/* What devices of an ACME order have attested (RFC 4043). */
static void put_devices(const struct naming *n, struct san *san)
{
    const struct credential *shown = &n->e->credential;

    if (shown->kind != CREDENTIAL_ACCOUNT)
        return;
    for (size_t i = 0; i < shown->account.proved_count; i++) {
        AUTO_STRUCT(buffer) value = BUFFER(2 * DEVICE_ID_MAX);
        struct bytes device = device_id_bytes(&shown->account.proved[i].device);
        size_t begun;

        if (device.len == 0)
            continue;
        begun = der_begin(&value, DER_SEQUENCE);
        der_put(&value, DER_UTF8_STRING, device);
        der_end(&value, begun);
        if (buffer_failed(&value))
            san->names.failed = true;
        else
            put(san, GENERAL_NAME_OTHER, buffer_bytes(&value), OID_PERMANENT_IDENTIFIER);
    }
}

static bool put_registered(struct naming *n, struct san *san)
{
    bool exact = n->e->credential.kind == CREDENTIAL_ACCOUNT; /* of an ACME order: its identifiers alone */

    if (!exact)
        put_texts(n, san, ATTRIBUTE_DNS, GENERAL_NAME_DNS);
    put_texts(n, san, ATTRIBUTE_SAN_EMAIL_ADDRESS, GENERAL_NAME_EMAIL);
    put_texts(n, san, ATTRIBUTE_URI, GENERAL_NAME_URI);
    return (exact || put_addresses(n, san)) && put_directory_names(n, san) && put_registered_ids(n, san) &&
           put_other_name(n, san);
}

static bool collect(struct naming *n, struct san *san, struct bytes *out)
{
    if (!n->identity->fqdn_implied)
        put(san, GENERAL_NAME_DNS, dns_name_bytes(&n->identity->fqdn), BYTES_NONE);
    switch (enrollment_profile(n->e)->san) {
    case SAN_FQDN_AND_REQUEST: put_requested(n, san); break;
    case SAN_FQDN_AND_REGISTRATION:
        if (n->e->credential.kind == CREDENTIAL_ACCOUNT)
            put_requested(n, san); /* an order's identifiers are the certificate's names */
        break;
    }
    put_devices(n, san);
    if (!put_registered(n, san))
        return false;
    *out = buffer_failed(&san->names) ? BYTES_NONE : arena_copy(n->arena, buffer_bytes(&san->names));
    return out->data != NULL || naming_refuse(n, REFUSAL_INTERNAL, "out of memory");
}

bool make_san(struct naming *n, struct bytes *out)
{
    AUTO_STRUCT(san) san = { .names = BUFFER(EFFECTIVE_NAMES_MAX), .one = BUFFER(EFFECTIVE_NAMES_MAX) };

    return requested_allowed(n) && collect(n, &san, out);
}
