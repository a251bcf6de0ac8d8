#include "lib/pki/public_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/pki/public_key_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

enum { EXPONENT_BITS_MAX = 256, EXPONENT_MIN = 65537 };

static const struct bytes rsa_encryption = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
static const struct bytes rsassa_pss = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a");
static const struct bytes ec_public_key = OID("\x2a\x86\x48\xce\x3d\x02\x01");
static const struct bytes ed25519 = OID("\x2b\x65\x70");
static const struct bytes ed448 = OID("\x2b\x65\x71");

static const struct curve {
    struct bytes oid;
    enum key_kind kind;
    unsigned bits;
} curves[] = {
    { OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), KEY_EC_P256, 256 },
    { OID("\x2b\x81\x04\x00\x22"), KEY_EC_P384, 384 },
    { OID("\x2b\x81\x04\x00\x23"), KEY_EC_P521, 521 },
};

bool algorithm_split(struct bytes element, struct bytes *oid, struct bytes *parameters)
{
    struct der in = der_of(element), seq = der_enter(&in, DER_SEQUENCE);
    struct bytes name = der_value(&seq, DER_OID);
    struct bytes rest = der_more(&seq) ? der_any(&seq, NULL) : BYTES_NONE;

    if (!der_finished(&seq) || !der_finished(&in) || name.len == 0)
        return false;
    *oid = name;
    *parameters = rest;
    return true;
}

bool parameters_are_null(struct bytes parameters)
{
    return parameters.len == 2 && parameters.data[0] == DER_NULL && parameters.data[1] == 0;
}

bool spki_split(struct bytes spki, struct spki_parts *out)
{
    struct der in = der_of(spki), seq = der_enter(&in, DER_SEQUENCE);
    struct bytes algorithm = der_element(&seq, DER_SEQUENCE);
    struct bytes key = der_bits(&seq);
    struct spki_parts parts = { .key = key };

    if (!der_finished(&seq) || !der_finished(&in) ||
        !algorithm_split(algorithm, &parts.algorithm, &parts.parameters))
        return false;
    *out = parts;
    return true;
}

/* A verdict and what the log says of it. */
struct finding {
    enum key_fault fault;
    const char *detail;
};

static struct finding found(enum key_fault fault, const char *detail)
{
    return (struct finding){ fault, detail };
}

static const struct finding sound = { KEY_OK, "" };

static unsigned bits_of(struct bytes magnitude)
{
    unsigned bits = (unsigned)magnitude.len * 8;

    for (unsigned top = 0x80; magnitude.len > 0 && (magnitude.data[0] & top) == 0 && top > 0; top >>= 1)
        bits--;
    return bits;
}

static struct bytes magnitude_of(struct bytes integer)
{
    return integer.len > 1 && integer.data[0] == 0 ? bytes_from(integer, 1) : integer;
}

static struct finding rsa_parse(const struct spki_parts *parts, struct public_key *out)
{
    struct der in = der_of(parts->key), seq = der_enter(&in, DER_SEQUENCE);
    struct bytes n = der_integer(&seq), e = der_integer(&seq);

    if (!der_finished(&seq) || !der_finished(&in))
        return found(KEY_FAULT_SYNTAX, "RSA key malformed");
    if (n.data[0] >= 0x80 || e.data[0] >= 0x80)
        return found(KEY_FAULT_WEAK, "RSA modulus or exponent negative");
    out->modulus = magnitude_of(n);
    out->exponent = magnitude_of(e);
    out->bits = bits_of(out->modulus);
    return sound;
}

static struct finding ec_parse(const struct spki_parts *parts, struct public_key *out)
{
    struct der in = der_of(parts->parameters);
    const struct curve *curve = NULL;
    struct bytes oid;
    size_t octets;

    if (parts->parameters.len == 0)
        return found(KEY_FAULT_SYNTAX, "EC parameters absent");
    if (parts->parameters.data[0] != DER_OID)
        return found(KEY_FAULT_WEAK, "EC parameters explicit or implicit");
    oid = der_value(&in, DER_OID);
    for (size_t i = 0; i < COUNT_OF(curves); i++)
        if (bytes_equal(oid, curves[i].oid))
            curve = &curves[i];
    if (curve == NULL)
        return found(KEY_FAULT_WEAK, "EC curve not accepted");
    octets = (curve->bits + 7) / 8;
    if (parts->key.len == 0)
        return found(KEY_FAULT_SYNTAX, "EC point absent");
    switch (parts->key.data[0]) {
    case 0x04: octets *= 2; break;
    case 0x02:
    case 0x03: break;
    case 0x00: return found(KEY_FAULT_WEAK, "EC point at infinity");
    case 0x06:
    case 0x07: return found(KEY_FAULT_WEAK, "EC point in hybrid form");
    default: return found(KEY_FAULT_SYNTAX, "EC point of unknown form");
    }
    if (parts->key.len != 1 + octets)
        return found(KEY_FAULT_SYNTAX, "EC point of wrong length");
    out->kind = curve->kind;
    out->bits = curve->bits;
    out->point = parts->key;
    return sound;
}

static struct finding edwards_parse(const struct spki_parts *parts, size_t len, struct public_key *out)
{
    if (parts->parameters.data != NULL)
        return found(KEY_FAULT_SYNTAX, "EdDSA key with parameters");
    if (parts->key.len != len)
        return found(KEY_FAULT_SYNTAX, "EdDSA key of wrong length");
    out->point = parts->key;
    out->bits = out->kind == KEY_ED25519 ? 253 : 456;
    return sound;
}

static struct finding pss_parse(const struct spki_parts *parts, struct public_key *out)
{
    bool malformed = false;

    /* without parameters the key may sign with any (RFC 4055 3.1) */
    if (parts->parameters.data != NULL && pss_hash(parts->parameters, &malformed) == DIGEST_NONE)
        return malformed ? found(KEY_FAULT_SYNTAX, "RSASSA-PSS parameters malformed")
                         : found(KEY_FAULT_ALGORITHM, "RSASSA-PSS parameters not accepted");
    return rsa_parse(parts, out);
}

static struct finding parse(struct bytes spki, struct public_key *out)
{
    struct spki_parts parts;

    *out = (struct public_key){ .spki = spki };
    if (!spki_split(spki, &parts))
        return found(KEY_FAULT_SYNTAX, "SubjectPublicKeyInfo malformed");
    if (bytes_equal(parts.algorithm, rsa_encryption)) {
        out->kind = KEY_RSA;
        if (parts.parameters.data != NULL && !parameters_are_null(parts.parameters))
            return found(KEY_FAULT_SYNTAX, "RSA key with parameters");
        return rsa_parse(&parts, out);
    }
    if (bytes_equal(parts.algorithm, ec_public_key))
        return ec_parse(&parts, out);
    if (bytes_equal(parts.algorithm, rsassa_pss)) {
        out->kind = KEY_RSA_PSS;
        return pss_parse(&parts, out);
    }
    if (bytes_equal(parts.algorithm, ed25519)) {
        out->kind = KEY_ED25519;
        return edwards_parse(&parts, 32, out);
    }
    if (bytes_equal(parts.algorithm, ed448)) {
        out->kind = KEY_ED448;
        return edwards_parse(&parts, 57, out);
    }
    return found(KEY_FAULT_ALGORITHM, "key algorithm not accepted");
}

bool public_key_parse(struct bytes spki, struct public_key *out)
{
    struct public_key key;

    if (parse(spki, &key).fault != KEY_OK)
        return false;
    *out = key;
    return true;
}

static bool is_even(struct bytes magnitude)
{
    return (magnitude.data[magnitude.len - 1] & 1) == 0;
}

static bool exponent_is_small(struct bytes e)
{
    uint32_t value = 0;

    if (e.len > 3)
        return false;
    for (size_t i = 0; i < e.len; i++)
        value = value << 8 | e.data[i];
    return value < EXPONENT_MIN;
}

/* Sizes first: all that follows costs by the size. */
static struct finding judge_rsa(const struct public_key *key, const struct key_rules *rules)
{
    const char *weakness;
    bool listed = false;

    if (rules->rsa_bits_max == 0 || (key->kind == KEY_RSA_PSS && !rules->rsa_pss))
        return found(KEY_FAULT_WEAK, "RSA keys of this kind are not accepted here");
    if (key->bits < rules->rsa_bits_min || key->bits > rules->rsa_bits_max)
        return found(KEY_FAULT_WEAK, "RSA key size not accepted here");
    if (is_even(key->exponent) || exponent_is_small(key->exponent) ||
        bits_of(key->exponent) > EXPONENT_BITS_MAX)
        return found(KEY_FAULT_WEAK, "RSA exponent even, small or very large");
    if (rules->weak != NULL && !weak_list_has(rules->weak, key->modulus, &listed))
        return found(KEY_FAULT_INTERNAL, "RSA key could not be looked up among the weak ones");
    if (listed)
        return found(KEY_FAULT_WEAK, "RSA key is listed as weak");
    weakness = weak_modulus(key->modulus);
    if (weakness == NULL && rules->full_checks && !weak_modulus_full(key, &weakness))
        return found(KEY_FAULT_INTERNAL, "RSA checks failed to run");
    return weakness != NULL ? found(KEY_FAULT_WEAK, weakness) : sound;
}

static bool curve_is_accepted(enum key_kind kind, const struct key_rules *rules)
{
    switch (kind) {
    case KEY_EC_P256: return rules->p256;
    case KEY_EC_P384: return rules->p384;
    case KEY_EC_P521: return rules->p521;
    case KEY_ED25519: return rules->ed25519;
    case KEY_ED448: return rules->ed448;
    case KEY_NONE:
    case KEY_RSA:
    case KEY_RSA_PSS: break;
    }
    return false;
}

static struct finding judge_point(const struct public_key *key, const struct key_rules *rules)
{
    bool on_curve;

    if (!curve_is_accepted(key->kind, rules))
        return found(KEY_FAULT_WEAK, "curve not accepted here");
    on_curve = public_key_verifier(key) != NULL; /* it will mostly be asked for next */
    ERR_clear_error();
    return on_curve ? sound : found(KEY_FAULT_WEAK, "point not on its curve");
}

enum key_fault public_key_decode(struct bytes spki, const struct key_rules *rules, struct public_key *out,
                                 const char **detail)
{
    struct public_key key;
    struct finding finding = parse(spki, &key);

    if (finding.fault == KEY_OK)
        finding = key.kind == KEY_RSA || key.kind == KEY_RSA_PSS ? judge_rsa(&key, rules)
                                                                 : judge_point(&key, rules);
    if (finding.fault == KEY_OK)
        *out = key;
    else
        *detail = finding.detail;
    return finding.fault;
}

bool public_key_fingerprint(struct bytes spki, struct digest256 *out)
{
    return sha256(spki, out);
}

bool public_key_identifier(struct bytes spki, uint8_t out[20])
{
    struct spki_parts parts;
    uint8_t hash[DIGEST_MAX];
    size_t len;

    if (!spki_split(spki, &parts) || !digest(DIGEST_SHA1, parts.key, hash, &len) || len != 20)
        return false;
    memcpy(out, hash, 20);
    return true;
}

bool public_key_wrap_rsa(const struct public_key *key, struct bytes plain, struct arena *arena,
                         struct bytes *out, struct error *err)
{
    AUTO(EVP_PKEY) *pkey = key->kind == KEY_RSA ? public_key_evp(key) : NULL;
    AUTO(EVP_PKEY_CTX) *ctx = pkey == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    size_t len = key->modulus.len;
    uint8_t *wrapped;

    if (ctx == NULL)
        return error_openssl(err, "key for key transport");
    wrapped = arena_alloc(arena, len);
    if (wrapped == NULL)
        return error_set(err, ERROR_MEMORY, "key transport");
    if (EVP_PKEY_encrypt_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_encrypt(ctx, wrapped, &len, plain.data, plain.len) != 1)
        return error_openssl(err, "key transport");
    *out = bytes_of(wrapped, len);
    return true;
}
