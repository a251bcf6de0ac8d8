#include "lib/pki/certificate.h"

#include "lib/pki/public_key_internal.h"

enum { SERIAL_MAX = 64, EXTENSIONS_MAX = 64 };

/* TBSCertificate up to the optional parts (RFC 5280 4.1). v1 has no version and no extensions. */
static bool tbs_decode(struct der *tbs, struct arena *arena, struct certificate *out, struct bytes *inner)
{
    struct bytes issuer, subject;
    struct der validity;

    if (der_next_is(tbs, DER_CONTEXT(0))) {
        struct der version = der_enter(tbs, DER_CONTEXT(0));

        if (der_uint(&version) > 2 || !der_finished(&version))
            return false;
    }
    out->serial = der_value(tbs, DER_INTEGER);
    *inner = der_element(tbs, DER_SEQUENCE);
    issuer = der_element(tbs, DER_SEQUENCE);
    validity = der_enter(tbs, DER_SEQUENCE);
    out->not_before_s = der_time(&validity);
    out->not_after_s = der_time(&validity);
    subject = der_element(tbs, DER_SEQUENCE);
    out->key.spki = der_element(tbs, DER_SEQUENCE);
    (void)der_optional(tbs, DER_CONTEXT_PRIMITIVE(1), NULL); /* unique identifiers */
    (void)der_optional(tbs, DER_CONTEXT_PRIMITIVE(2), NULL);
    return !tbs->failed && der_finished(&validity) && out->serial.len > 0 && out->serial.len <= SERIAL_MAX &&
           name_decode_lenient(issuer, arena, &out->issuer) == NAME_OK &&
           name_decode_lenient(subject, arena, &out->subject) == NAME_OK;
}

static bool take_san(struct bytes value, struct arena *arena, struct certificate *out)
{
    return general_names_decode(value, arena, &out->san) == NAME_OK;
}

static bool take_key_usage(struct bytes value, struct arena *arena, struct certificate *out)
{
    struct der in = der_of(value);

    (void)arena;
    out->key_usage = der_named_bits(&in);
    out->has_key_usage = true;
    return der_finished(&in);
}

static bool take_basic_constraints(struct bytes value, struct arena *arena, struct certificate *out)
{
    struct der in = der_of(value), seq = der_enter(&in, DER_SEQUENCE);

    (void)arena;
    out->is_ca = der_next_is(&seq, DER_BOOLEAN) && der_boolean(&seq);
    if (der_next_is(&seq, DER_INTEGER))
        (void)der_uint(&seq);
    return der_finished(&seq) && der_finished(&in);
}

static bool take_extended_key_usage(struct bytes value, struct arena *arena, struct certificate *out)
{
    struct der in = der_of(value), list = der_enter(&in, DER_SEQUENCE);

    (void)arena;
    while (der_more(&list)) {
        struct bytes oid = der_value(&list, DER_OID);

        if (oid.len == 0 || out->extended_key_usage_count == COUNT_OF(out->extended_key_usage))
            return false;
        out->extended_key_usage[out->extended_key_usage_count++] = oid;
    }
    return der_finished(&list) && der_finished(&in);
}

static bool take_subject_key_id(struct bytes value, struct arena *arena, struct certificate *out)
{
    struct der in = der_of(value);

    (void)arena;
    out->subject_key_id = der_value(&in, DER_OCTET_STRING);
    return der_finished(&in);
}

static bool take_authority_key_id(struct bytes value, struct arena *arena, struct certificate *out)
{
    struct der in = der_of(value), seq = der_enter(&in, DER_SEQUENCE);

    (void)arena;
    out->authority_key_id = der_optional(&seq, DER_CONTEXT_PRIMITIVE(0), NULL);
    while (der_more(&seq)) /* the issuer's names and serial number */
        (void)der_any(&seq, NULL);
    return der_finished(&seq) && der_finished(&in);
}

static const struct {
    const char *last; /* octet of id-ce (2.5.29) */
    bool (*read)(struct bytes value, struct arena *arena, struct certificate *out);
} known[] = {
    { "\x11", take_san },
    { "\x0f", take_key_usage },
    { "\x13", take_basic_constraints },
    { "\x25", take_extended_key_usage },
    { "\x0e", take_subject_key_id },
    { "\x23", take_authority_key_id },
};

static bool take_extension(struct bytes oid, struct bytes value, struct arena *arena, struct certificate *out)
{
    if (oid.len != 3 || oid.data[0] != 0x55 || oid.data[1] != 0x1d)
        return true;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (oid.data[2] == (uint8_t)known[i].last[0])
            return known[i].read(value, arena, out);
    return true;
}

static bool extensions_decode(struct der *tbs, struct arena *arena, struct certificate *out)
{
    struct der wrapped = der_enter(tbs, DER_CONTEXT(3)), list = der_enter(&wrapped, DER_SEQUENCE);
    struct bytes seen[EXTENSIONS_MAX];
    size_t count = 0;

    while (der_more(&list)) {
        struct der extension = der_enter(&list, DER_SEQUENCE);
        struct bytes oid = der_value(&extension, DER_OID), value;

        if (der_next_is(&extension, DER_BOOLEAN))
            (void)der_boolean(&extension);
        value = der_value(&extension, DER_OCTET_STRING);
        if (!der_finished(&extension) || count == EXTENSIONS_MAX)
            return false;
        for (size_t i = 0; i < count; i++)
            if (bytes_equal(seen[i], oid))
                return false;
        seen[count++] = oid;
        if (!take_extension(oid, value, arena, out))
            return false;
    }
    return der_finished(&list) && der_finished(&wrapped);
}

bool certificate_decode(struct bytes der, struct arena *arena, struct certificate *out)
{
    struct certificate c = { .encoded = der };
    struct der in = der_of(der), whole = der_enter(&in, DER_SEQUENCE), tbs_in, tbs;
    struct public_key key;
    struct bytes inner;

    c.tbs = der_element(&whole, DER_SEQUENCE);
    c.signature_algorithm = der_element(&whole, DER_SEQUENCE);
    c.signature = der_bits(&whole);
    if (!der_finished(&whole) || !der_finished(&in))
        return false;
    tbs_in = der_of(c.tbs);
    tbs = der_enter(&tbs_in, DER_SEQUENCE);
    if (!tbs_decode(&tbs, arena, &c, &inner) || !bytes_equal(inner, c.signature_algorithm) ||
        (der_more(&tbs) && !extensions_decode(&tbs, arena, &c)) || !der_finished(&tbs))
        return false;
    if (public_key_parse(c.key.spki, &key)) /* else KEY_NONE: a kind that verifies nothing here */
        c.key = key;
    *out = c;
    return true;
}

/* What is decoded has each extension once. */
bool certificate_extension(const struct certificate *c, struct bytes oid, struct bytes *value)
{
    struct der in = der_of(c->tbs), tbs = der_enter(&in, DER_SEQUENCE), wrapped, list;

    *value = BYTES_NONE;
    while (der_more(&tbs) && !der_next_is(&tbs, DER_CONTEXT(3)))
        (void)der_any(&tbs, NULL);
    wrapped = der_enter(&tbs, DER_CONTEXT(3));
    list = der_enter(&wrapped, DER_SEQUENCE);
    while (der_more(&list)) {
        struct der one = der_enter(&list, DER_SEQUENCE);
        bool is = bytes_equal(der_value(&one, DER_OID), oid);

        if (der_next_is(&one, DER_BOOLEAN))
            (void)der_boolean(&one);
        if (is) {
            *value = der_value(&one, DER_OCTET_STRING);
            return !one.failed;
        }
    }
    return false;
}

enum signature_fault certificate_verify_signature(const struct certificate *c,
                                                  const struct public_key *issuer)
{
    return signature_verify(issuer, c->signature_algorithm, c->tbs, c->signature, true);
}
