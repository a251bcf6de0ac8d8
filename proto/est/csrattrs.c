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
