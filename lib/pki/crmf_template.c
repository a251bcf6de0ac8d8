/* CertTemplate (RFC 4211 5). All tags are implicit, but those around a Name and a Time, which are CHOICEs. */
#include "lib/pki/crmf_internal.h"
#include "lib/pki/public_key_internal.h"

enum { CONSTRUCTED = 0x20 };

struct bytes crmf_retag(struct bytes element, unsigned tag, struct arena *arena)
{
    uint8_t *copy = arena_alloc(arena, element.len);

    if (copy == NULL || element.len == 0)
        return BYTES_NONE;
    memcpy(copy, element.data, element.len);
    copy[0] = (uint8_t)tag;
    return bytes_of(copy, element.len);
}

struct bytes crmf_inside(struct der *in, unsigned outer, unsigned tag)
{
    struct der explicit = der_enter(in, outer);
    struct bytes element = der_element(&explicit, tag);

    if (!der_finished(&explicit))
        in->failed = true;
    return element;
}

/* --- what each field looks like inside --- */

static bool is_version(struct bytes element)
{
    struct der in = der_of(element);

    (void)der_uint(&in);
    return der_finished(&in);
}

static bool is_integer(struct bytes element)
{
    struct der in = der_of(element);

    (void)der_integer(&in);
    return der_finished(&in);
}

static bool is_algorithm(struct bytes element)
{
    struct bytes oid, parameters;

    return algorithm_split(element, &oid, &parameters);
}

static bool is_anything(struct bytes element)
{
    (void)element;
    return true;
}

/* OptionalValidity: one time at least. */
static bool is_validity(struct bytes element)
{
    struct der in = der_of(element), seq = der_enter(&in, DER_SEQUENCE);
    bool some = der_more(&seq);

    for (unsigned n = 0; n < 2; n++) {
        struct der time;

        if (!der_next_is(&seq, DER_CONTEXT(n)))
            continue;
        time = der_enter(&seq, DER_CONTEXT(n));
        (void)der_time(&time);
        if (!der_finished(&time))
            return false;
    }
    return some && der_finished(&seq) && der_finished(&in);
}

static bool is_public_key(struct bytes element)
{
    struct spki_parts parts;

    return spki_split(element, &parts);
}

/* UniqueIdentifier: unused bits are seven at most, and zero; of no bits, none are unused. */
static bool is_bits(struct bytes element)
{
    struct der in = der_of(element);
    struct bytes content = der_value(&in, DER_BIT_STRING);

    if (!der_finished(&in) || content.len == 0 || content.data[0] > 7)
        return false;
    return content.len == 1 ? content.data[0] == 0
                            : (content.data[content.len - 1] & ((1u << content.data[0]) - 1)) == 0;
}

enum field {
    VERSION,
    SERIAL,
    SIGNING_ALGORITHM,
    ISSUER,
    VALIDITY,
    SUBJECT,
    KEY,
    ISSUER_UID,
    SUBJECT_UID,
    EXTENSIONS,
    FIELDS
};

/* By context tag. */
static const struct {
    unsigned tag; /* of the element itself */
    bool is_explicit;
    bool (*is_sound)(struct bytes element);
} fields[FIELDS] = {
    [VERSION] = { DER_INTEGER, false, is_version },
    [SERIAL] = { DER_INTEGER, false, is_integer },
    [SIGNING_ALGORITHM] = { DER_SEQUENCE, false, is_algorithm },
    [ISSUER] = { DER_SEQUENCE, true, is_anything },
    [VALIDITY] = { DER_SEQUENCE, false, is_validity },
    [SUBJECT] = { DER_SEQUENCE, true, is_anything },
    [KEY] = { DER_SEQUENCE, false, is_public_key },
    [ISSUER_UID] = { DER_BIT_STRING, false, is_bits },
    [SUBJECT_UID] = { DER_BIT_STRING, false, is_bits },
    [EXTENSIONS] = { DER_SEQUENCE, false, is_anything },
};

/* The fields that are there, each as an element of its own; none where absent. */
static enum csr_fault read_fields(struct der *in, struct arena *arena, struct bytes element[FIELDS])
{
    for (unsigned n = 0; n < FIELDS; n++) {
        bool constructed = fields[n].is_explicit || (fields[n].tag & CONSTRUCTED) != 0;
        unsigned outer = constructed ? DER_CONTEXT(n) : DER_CONTEXT_PRIMITIVE(n);

        element[n] = BYTES_NONE;
        if (!der_next_is(in, outer))
            continue;
        element[n] = fields[n].is_explicit ? crmf_inside(in, outer, fields[n].tag) : der_element(in, outer);
        if (in->failed)
            return CSR_FAULT_SYNTAX;
        if (!fields[n].is_explicit)
            element[n] = crmf_retag(element[n], fields[n].tag, arena);
        if (element[n].data == NULL)
            return CSR_FAULT_INTERNAL;
        if (!fields[n].is_sound(element[n]))
            return CSR_FAULT_SYNTAX;
    }
    return der_finished(in) ? CSR_OK : CSR_FAULT_SYNTAX;
}

enum csr_fault crmf_template_read(struct der *in, struct arena *arena, struct crmf_template *out)
{
    struct bytes element[FIELDS];
    enum csr_fault fault = read_fields(in, arena, element);
    struct der version, serial;
    struct spki_parts key;

    if (fault != CSR_OK)
        return fault;
    version = der_of(element[VERSION]);
    serial = der_of(element[SERIAL]);
    *out = (struct crmf_template){
        .has_version = element[VERSION].len > 0,
        .has_serial = element[SERIAL].len > 0,
        .has_signing_algorithm = element[SIGNING_ALGORITHM].len > 0,
        .has_issuer = element[ISSUER].len > 0,
        .has_validity = element[VALIDITY].len > 0,
        .has_subject = element[SUBJECT].len > 0,
        .has_key = element[KEY].len > 0,
        .has_issuer_uid = element[ISSUER_UID].len > 0,
        .has_subject_uid = element[SUBJECT_UID].len > 0,
        .has_extensions = element[EXTENSIONS].len > 0,
        .version = der_uint(&version),
        .serial = der_integer(&serial),
        .issuer = element[ISSUER],
        .subject = element[SUBJECT],
        .spki = element[KEY],
        .key_is_empty = spki_split(element[KEY], &key) && key.key.len == 0,
        .extensions = element[EXTENSIONS],
    };
    return CSR_OK;
}

bool crmf_template_decode(struct der *in, struct arena *arena, struct crmf_template *out)
{
    return crmf_template_read(in, arena, out) == CSR_OK;
}
