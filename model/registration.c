#include "model/registration.h"

#include "lib/base/arena.h"

static const char *const attribute_names[ATTRIBUTE_COUNT] = {
    [ATTRIBUTE_NONE] = "",
    [ATTRIBUTE_COUNTRY] = "country",
    [ATTRIBUTE_COMMON_NAME] = "commonname",
    [ATTRIBUTE_EMAIL_ADDRESS] = "emailaddress",
    [ATTRIBUTE_DMD] = "dmd",
    [ATTRIBUTE_GIVEN_NAME] = "givenname",
    [ATTRIBUTE_INITIALS] = "initials",
    [ATTRIBUTE_KEY_PROCEDURE_ID] = "keyprocedureid",
    [ATTRIBUTE_LOCALITY] = "locality",
    [ATTRIBUTE_ORGANISATION] = "organisation",
    [ATTRIBUTE_ORGANIZATION_IDENTIFIER] = "organizationidentifier",
    [ATTRIBUTE_PSEUDONYM] = "pseudonym",
    [ATTRIBUTE_TITLE] = "title",
    [ATTRIBUTE_UNIQUE_IDENTIFIER] = "uniqueidentifier",
    [ATTRIBUTE_SURNAME] = "surname",
    [ATTRIBUTE_TELEPHONE_NUMBER] = "telephonenumber",
    [ATTRIBUTE_STREET] = "street",
    [ATTRIBUTE_STATE_OR_PROVINCE] = "stateorprovince",
    [ATTRIBUTE_POSTAL_CODE] = "postalcode",
    [ATTRIBUTE_ENCODING] = "encoding",
    [ATTRIBUTE_OTHER_NAME_OID] = "othernameoid",
    [ATTRIBUTE_OTHER_NAME_ENCODING] = "othernameencoding",
    [ATTRIBUTE_OTHER_NAME_VALUE] = "othernamevalue",
    [ATTRIBUTE_ORGANISATION_UNIT] = "organisationunit",
    [ATTRIBUTE_POSTAL_ADDRESS] = "postaladdress",
    [ATTRIBUTE_SAN_EMAIL_ADDRESS] = "sanemailaddress",
    [ATTRIBUTE_IP_ADDRESS] = "ipaddress",
    [ATTRIBUTE_DNS] = "dns",
    [ATTRIBUTE_DIRECTORY] = "directory",
    [ATTRIBUTE_URI] = "uri",
    [ATTRIBUTE_REGISTERED_ID] = "registeredid",
};

struct domain_id domain_id_of(struct bytes name)
{
    struct domain_id id = { 0 };
    struct digest256 digest;

    if (!sha256(name, &digest))
        return id; /* a domain that holds nothing: all is refused */
    for (size_t i = 0; i < sizeof(id.value); i++)
        id.value = id.value << 8 | digest.bytes[i];
    return id;
}

const char *attribute_name(enum attribute_kind kind)
{
    return (unsigned)kind < ATTRIBUTE_COUNT ? attribute_names[kind] : "";
}

enum attribute_kind attribute_from_name(struct bytes name)
{
    for (unsigned kind = ATTRIBUTE_NONE + 1; kind < ATTRIBUTE_COUNT; kind++)
        if (bytes_is_nocase(name, attribute_names[kind]))
            return (enum attribute_kind)kind;
    return ATTRIBUTE_NONE;
}

bool attribute_is_multiple(enum attribute_kind kind)
{
    return kind >= ATTRIBUTE_ORGANISATION_UNIT && kind < ATTRIBUTE_COUNT;
}

struct bytes registration_attribute(const struct registration *r, enum attribute_kind kind, size_t n)
{
    for (size_t i = 0; i < r->attribute_count; i++)
        if (r->attribute[i].kind == kind && n-- == 0)
            return r->attribute[i].value;
    return BYTES_NONE;
}

bool registration_is_open(const struct registration *r)
{
    return r->state == REGISTRATION_OPEN;
}

bool registration_is_expired(const struct registration *r, int64_t now_s)
{
    enum { DAY_S = 24 * 60 * 60 };

    return r->valid_days > 0 && now_s - r->accepted_s >= (int64_t)r->valid_days * DAY_S;
}

/* --- copying --- */
static bool copy_bytes(struct bytes *b, struct arena *arena)
{
    struct bytes copy;

    if (b->len == 0) {
        *b = BYTES_NONE;
        return true;
    }
    copy = arena_copy(arena, *b);
    if (copy.data == NULL)
        return false;
    *b = copy;
    return true;
}

static bool copy_allowed_domains(struct registration *r, struct arena *arena)
{
    struct bytes *copy;

    if (r->allowed_domain_count == 0) {
        r->allowed_domain = NULL;
        return true;
    }
    copy = arena_array(arena, r->allowed_domain_count, sizeof(*copy));
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < r->allowed_domain_count; i++) {
        copy[i] = r->allowed_domain[i];
        if (!copy_bytes(&copy[i], arena))
            return false;
    }
    r->allowed_domain = copy;
    return true;
}

static bool copy_attributes(struct registration *r, struct arena *arena)
{
    struct attribute *copy;

    if (r->attribute_count == 0) {
        r->attribute = NULL;
        return true;
    }
    copy = arena_array(arena, r->attribute_count, sizeof(*copy));
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < r->attribute_count; i++) {
        copy[i] = r->attribute[i];
        if (!copy_bytes(&copy[i].value, arena))
            return false;
    }
    r->attribute = copy;
    return true;
}

bool registration_copy(const struct registration *from, struct arena *arena, struct registration *out)
{
    struct registration copy = *from;

    if (!copy_bytes(&copy.procedure, arena) || !copy_bytes(&copy.serial_number, arena) ||
        !copy_bytes(&copy.email, arena) || !copy_bytes(&copy.user_name, arena) ||
        !copy_bytes(&copy.realm, arena) || !copy_bytes(&copy.key_id, arena) ||
        !copy_bytes(&copy.sealed_secret, arena) || !copy_bytes(&copy.officer, arena) ||
        !copy_allowed_domains(&copy, arena) || !copy_attributes(&copy, arena))
        return false;
    *out = copy;
    return true;
}

bool serial_number_fold(struct bytes serial, struct arena *arena, struct bytes *out)
{
    uint8_t *folded = arena_alloc(arena, serial.len + 1);
    size_t len = 0;

    if (folded == NULL)
        return false;
    for (size_t i = 0; i < serial.len; i++) {
        uint8_t c = serial.data[i];

        if (c == ' ' && (len == 0 || folded[len - 1] == ' '))
            continue;
        folded[len++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
    }
    if (len > 0 && folded[len - 1] == ' ')
        len--;
    *out = bytes_of(folded, len);
    return true;
}
