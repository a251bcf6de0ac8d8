#include "proto/est/csrattrs.h"

static const uint8_t OID_CHALLENGE_PASSWORD[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07 };
static const uint8_t OID_RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t OID_SHA256_RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b };
static const uint8_t OID_EC[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t OID_P256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t OID_P384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t OID_P521[] = { 0x2b, 0x81, 0x04, 0x00, 0x23 };
static const uint8_t OID_ECDSA_SHA256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const uint8_t OID_ECDSA_SHA384[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };
static const uint8_t OID_ECDSA_SHA512[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04 };
static const uint8_t OID_ED25519_KEY[] = { 0x2b, 0x65, 0x70 };
static const uint8_t OID_ED448_KEY[] = { 0x2b, 0x65, 0x71 };

/* Several curves and nothing else: "EC" is all that can be said. */
static void demand_ec(const struct key_rules *k, struct est_csrattrs *a)
{
    a->key = BYTES_ARRAY(OID_EC);
    if (k->p256 + k->p384 + k->p521 != 1)
        return;
    if (k->p256) {
        a->curve = BYTES_ARRAY(OID_P256);
        a->signature = BYTES_ARRAY(OID_ECDSA_SHA256);
    } else if (k->p384) {
        a->curve = BYTES_ARRAY(OID_P384);
        a->signature = BYTES_ARRAY(OID_ECDSA_SHA384);
    } else {
        a->curve = BYTES_ARRAY(OID_P521);
        a->signature = BYTES_ARRAY(OID_ECDSA_SHA512);
    }
}

struct est_csrattrs est_csrattrs_of(const struct procedure *procedure)
{
    const struct key_rules *k = &procedure->profile->keys;
    struct est_csrattrs a = { .challenge_password = procedure->est_link_required };
    bool rsa = k->rsa_bits_max > 0, ec = k->p256 || k->p384 || k->p521;

    if (rsa + k->rsa_pss + ec + k->ed25519 + k->ed448 != 1)
        return a;
    if (rsa) {
        a.key = BYTES_ARRAY(OID_RSA);
        a.rsa_bits = k->rsa_bits_min;
        a.signature = BYTES_ARRAY(OID_SHA256_RSA);
    } else if (ec) {
        demand_ec(k, &a);
    } else if (k->ed25519) {
        a.key = BYTES_ARRAY(OID_ED25519_KEY);
    } else if (k->ed448) {
        a.key = BYTES_ARRAY(OID_ED448_KEY);
    }
    return a;
}

bool est_csrattrs_is_empty(const struct est_csrattrs *a)
{
    return !a->challenge_password && a->key.len == 0 && a->bare.len == 0 && a->signature.len == 0;
}

/* Attribute { type = algorithm, values = { curve, size or nothing } }. */
static void put_key(const struct est_csrattrs *a, struct buffer *out)
{
    size_t attribute = der_begin(out, DER_SEQUENCE), values;

    der_put_oid(out, a->key);
    values = der_begin(out, DER_SET);
    if (a->curve.len > 0)
        der_put_oid(out, a->curve);
    else if (a->rsa_bits > 0)
        der_put_uint(out, a->rsa_bits);
    der_end(out, values);
    der_end(out, attribute);
}

void est_csrattrs_encode(const struct est_csrattrs *a, struct buffer *out)
{
    size_t list = der_begin(out, DER_SEQUENCE);

    if (a->challenge_password)
        der_put_oid(out, BYTES_ARRAY(OID_CHALLENGE_PASSWORD));
    if (a->key.len > 0)
        put_key(a, out);
    if (a->bare.len > 0)
        der_put_oid(out, a->bare);
    if (a->signature.len > 0)
        der_put_oid(out, a->signature);
    der_end(out, list);
}

/* --- what an operator wrote (RFC 8951 3, RFC 9908 3.2) --- */
static const uint8_t OID_EXTENSION_REQUEST[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e };
enum { EXTENSIONS_MAX = 64 };

/* Extensions: none twice. */
static const char *extensions_fault(struct der in)
{
    struct bytes seen[EXTENSIONS_MAX];
    size_t count = 0;

    while (der_more(&in)) {
        struct der extension = der_enter(&in, DER_SEQUENCE);
        struct bytes oid = der_value(&extension, DER_OID);

        if (der_next_is(&extension, DER_BOOLEAN))
            (void)der_boolean(&extension);
        (void)der_value(&extension, DER_OCTET_STRING);
        if (!der_finished(&extension) || oid.len == 0)
            return "well-formed extensions";
        for (size_t i = 0; i < count; i++)
            if (bytes_equal(seen[i], oid))
                return "no extension twice";
        if (count == EXTENSIONS_MAX)
            return "fewer extensions";
        seen[count++] = oid;
    }
    return der_finished(&in) && count > 0 ? NULL : "extensions in the extension request";
}

/* SET { Extensions }. */
static const char *extension_request_fault(struct der values)
{
    const char *fault = extensions_fault(der_enter(&values, DER_SEQUENCE));

    if (fault == NULL && !der_finished(&values))
        fault = "one value in the extension request";
    return fault;
}

static const char *attribute_fault(struct der attribute, bool *has_extension_request)
{
    struct bytes type = der_value(&attribute, DER_OID);
    struct der values = der_enter(&attribute, DER_SET);

    if (!der_finished(&attribute) || type.len == 0)
        return "attributes of an OID and a SET";
    if (!bytes_equal(type, BYTES_ARRAY(OID_EXTENSION_REQUEST)))
        return NULL;
    if (*has_extension_request)
        return "one extension request";
    *has_extension_request = true;
    return extension_request_fault(values);
}

const char *est_csrattrs_fault(struct bytes der)
{
    struct der in = der_of(der), list = der_enter(&in, DER_SEQUENCE);
    bool has_extension_request = false;
    const char *fault = NULL;

    while (fault == NULL && der_more(&list)) {
        if (der_next_is(&list, DER_OID))
            (void)der_value(&list, DER_OID);
        else
            fault = attribute_fault(der_enter(&list, DER_SEQUENCE), &has_extension_request);
    }
    if (fault == NULL && (!der_finished(&list) || !der_finished(&in)))
        fault = "one SEQUENCE in DER, of OIDs and attributes";
    return fault;
}
