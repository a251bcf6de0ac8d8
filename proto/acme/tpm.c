#include "proto/acme/tpm_internal.h"

#include "lib/pki/der.h"

enum { /* TPM_ALG_ID, 6.3 */
       ALG_RSA = 0x0001,
       ALG_SHA256 = 0x000b,
       ALG_SHA384 = 0x000c,
       ALG_SHA512 = 0x000d,
       ALG_NULL = 0x0010,
       ALG_RSASSA = 0x0014,
       ALG_RSAES = 0x0015,
       ALG_ECDSA = 0x0018,
       ALG_ECDAA = 0x001a,
       ALG_ECC = 0x0023,
};
enum { CURVE_P256 = 3, CURVE_P384 = 4, CURVE_P521 = 5, ST_ATTEST_CERTIFY = 0x8017, EXPONENT_DEFAULT = 65537 };
enum { CLOCK_INFO_LEN = 8 + 4 + 4 + 1, FIRMWARE_LEN = 8, NAME_MAX_LEN = 2 + DIGEST_MAX };
static const uint32_t GENERATED = 0xff544347; /* TPM_GENERATED_VALUE */

/* --- reading: big-endian; what fails yields nothing and stays failed --- */
struct tpm_reader {
    struct bytes rest;
    bool failed;
};

static struct bytes take_octets(struct tpm_reader *in, size_t len)
{
    struct bytes out = bytes_slice(in->rest, 0, len);

    if (in->failed || in->rest.len < len) {
        in->failed = true;
        return BYTES_NONE;
    }
    in->rest = bytes_from(in->rest, len);
    return out;
}

static uint32_t take_number(struct tpm_reader *in, size_t len)
{
    struct bytes octets = take_octets(in, len);
    uint32_t number = 0;

    for (size_t i = 0; i < octets.len; i++)
        number = number << 8 | octets.data[i];
    return number;
}

static uint16_t take_u16(struct tpm_reader *in)
{
    return (uint16_t)take_number(in, 2);
}

/* TPM2B: a length of two octets before it. */
static struct bytes take_sized(struct tpm_reader *in)
{
    return take_octets(in, take_u16(in));
}

static bool finished(const struct tpm_reader *in)
{
    return !in->failed && in->rest.len == 0;
}

/* SHA-1 is none here. */
static enum digest_algorithm hash_of(uint16_t id)
{
    switch (id) {
    case ALG_SHA256: return DIGEST_SHA256;
    case ALG_SHA384: return DIGEST_SHA384;
    case ALG_SHA512: return DIGEST_SHA512;
    }
    return DIGEST_NONE;
}

/* --- TPMT_PUBLIC --- */
static void skip_symmetric(struct tpm_reader *in)
{
    if (take_u16(in) != ALG_NULL)
        (void)take_octets(in, 2 + 2); /* key bits, mode */
}

static void skip_scheme(struct tpm_reader *in)
{
    uint16_t scheme = take_u16(in);

    if (scheme != ALG_NULL && scheme != ALG_RSAES)
        (void)take_octets(in, scheme == ALG_ECDAA ? 2 + 2 : 2); /* hash, and a count */
}

static void read_rsa(struct tpm_reader *in, struct tpm_public *out)
{
    skip_symmetric(in);
    skip_scheme(in);
    (void)take_u16(in); /* bits: the modulus says it */
    out->exponent = take_number(in, 4);
    if (out->exponent == 0)
        out->exponent = EXPONENT_DEFAULT;
    out->x = take_sized(in);
}

static void read_ecc(struct tpm_reader *in, struct tpm_public *out)
{
    skip_symmetric(in);
    skip_scheme(in);
    out->curve = take_u16(in);
    skip_scheme(in); /* of key derivation */
    out->x = take_sized(in);
    out->y = take_sized(in);
    in->failed |= out->curve == 0;
}

bool tpm_public_read(struct bytes in, struct tpm_public *out)
{
    struct tpm_reader r = { .rest = in };
    struct tpm_public key = { .encoded = in };
    uint16_t type = take_u16(&r);

    key.name_hash = hash_of(take_u16(&r));
    key.attributes = take_number(&r, 4);
    (void)take_sized(&r); /* policy */
    if (type == ALG_RSA)
        read_rsa(&r, &key);
    else if (type == ALG_ECC)
        read_ecc(&r, &key);
    else
        return false;
    if (!finished(&r) || key.name_hash == DIGEST_NONE)
        return false;
    *out = key;
    return true;
}

/* --- SubjectPublicKeyInfo --- */
static const struct curve {
    uint16_t id;
    uint8_t len; /* of a coordinate */
    struct bytes oid;
} curves[] = {
    { CURVE_P256, 32, { (const uint8_t *)"\x2a\x86\x48\xce\x3d\x03\x01\x07", 8 } },
    { CURVE_P384, 48, { (const uint8_t *)"\x2b\x81\x04\x00\x22", 5 } },
    { CURVE_P521, 66, { (const uint8_t *)"\x2b\x81\x04\x00\x23", 5 } },
};

static bool put_coordinate(struct buffer *out, struct bytes value, size_t len)
{
    while (value.len > 0 && value.data[0] == 0)
        value = bytes_from(value, 1);
    if (value.len > len)
        return false;
    for (size_t i = value.len; i < len; i++)
        buffer_append_byte(out, 0);
    buffer_append(out, value);
    return true;
}

static bool put_ecc(const struct tpm_public *key, struct buffer *out)
{
    static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
    AUTO_STRUCT(buffer) point = BUFFER(256);
    const struct curve *curve = NULL;
    size_t spki, algorithm;

    for (size_t i = 0; i < COUNT_OF(curves); i++)
        if (curves[i].id == key->curve)
            curve = &curves[i];
    if (curve == NULL)
        return false;
    buffer_append_byte(&point, 4);
    if (!put_coordinate(&point, key->x, curve->len) || !put_coordinate(&point, key->y, curve->len) ||
        buffer_failed(&point))
        return false;
    spki = der_begin(out, DER_SEQUENCE);
    algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, BYTES_ARRAY(oid));
    der_put_oid(out, curve->oid);
    der_end(out, algorithm);
    der_put_bits(out, buffer_bytes(&point));
    der_end(out, spki);
    return !buffer_failed(out);
}

static bool put_rsa(const struct tpm_public *key, struct buffer *out)
{
    static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
    AUTO_STRUCT(buffer) numbers = BUFFER(8 * 1024);
    size_t spki, algorithm, begun = der_begin(&numbers, DER_SEQUENCE);

    der_put_integer(&numbers, key->x);
    der_put_uint(&numbers, key->exponent);
    der_end(&numbers, begun);
    if (buffer_failed(&numbers))
        return false;
    spki = der_begin(out, DER_SEQUENCE);
    algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, BYTES_ARRAY(oid));
    der_put_null(out);
    der_end(out, algorithm);
    der_put_bits(out, buffer_bytes(&numbers));
    der_end(out, spki);
    return !buffer_failed(out);
}

bool tpm_public_spki(const struct tpm_public *key, struct buffer *out)
{
    return key->curve != 0 ? put_ecc(key, out) : put_rsa(key, out);
}

bool tpm_public_has_name(const struct tpm_public *key, struct bytes name)
{
    uint8_t expected[NAME_MAX_LEN];
    size_t len = 0;

    /* nameAlg as it stands in the key */
    memcpy(expected, bytes_from(key->encoded, 2).data, 2);
    return digest(key->name_hash, key->encoded, expected + 2, &len) &&
           bytes_equal(name, bytes_of(expected, 2 + len));
}

/* --- TPMS_ATTEST --- */
bool tpm_certified_read(struct bytes in, struct tpm_certified *out)
{
    struct tpm_reader r = { .rest = in };
    struct tpm_certified certified = { 0 };
    bool is = take_number(&r, 4) == GENERATED && take_u16(&r) == ST_ATTEST_CERTIFY;

    (void)take_sized(&r); /* name of the signer */
    certified.extra = take_sized(&r);
    (void)take_octets(&r, CLOCK_INFO_LEN + FIRMWARE_LEN);
    certified.name = take_sized(&r);
    (void)take_sized(&r); /* qualified name */
    if (!is || !finished(&r))
        return false;
    *out = certified;
    return true;
}

/* --- TPMT_SIGNATURE --- */
bool tpm_signature_read(struct bytes in, struct tpm_signature *signature, struct buffer *out)
{
    struct tpm_reader r = { .rest = in };
    uint16_t scheme = take_u16(&r);
    struct tpm_signature s = { .is_rsa = scheme == ALG_RSASSA, .hash = hash_of(take_u16(&r)) };
    struct bytes first = take_sized(&r), second = scheme == ALG_ECDSA ? take_sized(&r) : BYTES_NONE;
    size_t begun;

    if (!finished(&r) || s.hash == DIGEST_NONE || (scheme != ALG_RSASSA && scheme != ALG_ECDSA))
        return false;
    if (s.is_rsa) {
        buffer_append(out, first);
    } else {
        begun = der_begin(out, DER_SEQUENCE);
        der_put_integer(out, first);
        der_put_integer(out, second);
        der_end(out, begun);
    }
    *signature = s;
    return !buffer_failed(out);
}
