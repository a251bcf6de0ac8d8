/* `tpm` (WebAuthn 8.3): certInfo, signed by the attestation key that the leaf certifies, says that the key of
 * pubArea lives in the same TPM and never leaves it; extraData binds it to the key authorization. The leaf
 * names the device. */
#include "proto/acme/attestation_internal.h"

#include "lib/base/encode.h"
#include "proto/acme/tpm_internal.h"

enum {
    SIGNATURE_MAX = 2 * 1024,
    SPKI_MAX = 8 * 1024,
    OID_TEXT_MAX = 128,
    RSA_BITS_MIN = 2048,
    DEVICE_SERIAL_MAX = 128
};

/* 2.23.133.8.3, tcg-kp-AIKCertificate */
static const uint8_t OID_ATTESTATION_KEY[] = { 0x67, 0x81, 0x05, 0x08, 0x03 };

/* COSE algorithms (RFC 9053, RFC 8812). */
static const struct algorithm {
    int64_t cose;
    bool is_rsa;
    enum digest_algorithm hash;
} algorithms[] = {
    { -7, false, DIGEST_SHA256 },  { -35, false, DIGEST_SHA384 }, { -36, false, DIGEST_SHA512 },
    { -257, true, DIGEST_SHA256 }, { -258, true, DIGEST_SHA384 }, { -259, true, DIGEST_SHA512 },
};

static const struct algorithm *algorithm_of(int64_t cose)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (algorithms[i].cose == cose)
            return &algorithms[i];
    return NULL;
}

/* --- the attestation key's certificate (WebAuthn 8.3.1) --- */
static bool is_for_attestation(const struct certificate *c)
{
    if (c->has_key_usage && (c->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
        return false;
    for (size_t i = 0; i < c->extended_key_usage_count; i++)
        if (bytes_equal(c->extended_key_usage[i], BYTES_ARRAY(OID_ATTESTATION_KEY)))
            return true;
    return false;
}

/* "oid:value" as registrations write it; `hex` in lower case. */
static bool is_typed(struct bytes device, struct bytes oid, struct bytes value)
{
    char type[OID_TEXT_MAX];
    size_t len;

    if (!oid_format(oid, type, sizeof(type)))
        return false;
    len = strlen(type);
    return bytes_starts_with(device, type) && bytes_slice(device, len, 1).len == 1 &&
           device.data[len] == ':' && bytes_equal(bytes_from(device, len + 1), value);
}

static bool is_permanent_identifier(struct bytes der, struct bytes device)
{
    struct permanent_identifier id;

    if (!permanent_identifier_decode(der, &id) || !id.has_value)
        return false;
    return bytes_equal(id.value, device) || (id.has_assigner && is_typed(device, id.assigner, id.value));
}

/* Its octets are text, or are written in hexadecimal. */
static bool is_hardware_module(struct bytes der, struct bytes device)
{
    struct hardware_module_name name;
    char hex[2 * DEVICE_SERIAL_MAX + 1];

    if (!hardware_module_name_decode(der, &name) || name.serial.len == 0 ||
        name.serial.len > DEVICE_SERIAL_MAX)
        return false;
    hex_encode(name.serial, hex);
    return bytes_equal(name.serial, device) || bytes_is(device, hex) ||
           is_typed(device, name.type, bytes_text(hex));
}

static bool names_device(const struct certificate *c, struct bytes device)
{
    for (size_t i = 0; i < c->san.count; i++) {
        const struct general_name *name = &c->san.item[i];

        if (name->kind != GENERAL_NAME_OTHER)
            continue;
        if (bytes_equal(name->oid, OID_PERMANENT_IDENTIFIER) && is_permanent_identifier(name->value, device))
            return true;
        if (bytes_equal(name->oid, OID_HARDWARE_MODULE_NAME) && is_hardware_module(name->value, device))
            return true;
    }
    return false;
}

/* --- the statement --- */
static bool fits(const struct public_key *key, bool is_rsa)
{
    if (is_rsa)
        return key->kind == KEY_RSA && key->bits >= RSA_BITS_MIN;
    return key->kind == KEY_EC_P256 || key->kind == KEY_EC_P384 || key->kind == KEY_EC_P521;
}

static enum attestation_finding judge_signature(struct attestation_inquiry *q,
                                                const struct algorithm *algorithm)
{
    const struct public_key *key = &q->leaf.key;
    AUTO_STRUCT(buffer) octets = BUFFER(SIGNATURE_MAX);
    struct tpm_signature signature;

    if (!tpm_signature_read(q->statement.sig, &signature, &octets))
        return attestation_say(q, ATTESTATION_BAD, "the signature of the attestation is malformed");
    if (signature.is_rsa != algorithm->is_rsa || signature.hash != algorithm->hash)
        return attestation_say(q, ATTESTATION_BAD, "the signature is not of the algorithm that is named");
    if (!fits(key, algorithm->is_rsa))
        return attestation_say(q, ATTESTATION_BAD, "the attestation key does not fit its algorithm");
    switch (signature_verify_with(key, algorithm->hash, q->statement.cert_info, buffer_bytes(&octets))) {
    case SIGNATURE_OK: return ATTESTATION_HOLDS;
    case SIGNATURE_INTERNAL:
        return attestation_say(q, ATTESTATION_INTERNAL, "the signature could not be judged");
    case SIGNATURE_WRONG:
    case SIGNATURE_ALGORITHM:
    case SIGNATURE_SYNTAX: break;
    }
    return attestation_say(q, ATTESTATION_BAD, "the signature of the attestation is wrong");
}

/* The key was made in the TPM and stays there. */
static bool is_bound_to_tpm(const struct tpm_public *key)
{
    const uint32_t bound = TPM_FIXED_TPM | TPM_FIXED_PARENT | TPM_SENSITIVE_DATA_ORIGIN;

    return (key->attributes & bound) == bound;
}

static enum attestation_finding judge_certified(struct attestation_inquiry *q, enum digest_algorithm hash)
{
    AUTO_STRUCT(buffer) spki = BUFFER(SPKI_MAX);
    struct tpm_certified certified;
    uint8_t expected[DIGEST_MAX];
    struct tpm_public key;
    size_t len;

    if (!tpm_certified_read(q->statement.cert_info, &certified))
        return attestation_say(q, ATTESTATION_BAD, "certInfo is not what a TPM certifies");
    if (!digest(hash, q->claim->key_authorization, expected, &len))
        return attestation_say(q, ATTESTATION_INTERNAL, "digest of a key authorization");
    if (!bytes_equal(certified.extra, bytes_of(expected, len)))
        return attestation_say(q, ATTESTATION_BAD, "the attestation is not of this challenge");
    if (!tpm_public_read(q->statement.pub_area, &key) || !tpm_public_spki(&key, &spki))
        return attestation_say(q, ATTESTATION_BAD, "pubArea is no key that is taken");
    if (!tpm_public_has_name(&key, certified.name))
        return attestation_say(q, ATTESTATION_BAD, "certInfo is of another key than pubArea");
    if (!is_bound_to_tpm(&key))
        return attestation_say(q, ATTESTATION_BAD, "the key is not bound to its TPM");
    return public_key_fingerprint(buffer_bytes(&spki), &q->key)
               ? ATTESTATION_HOLDS
               : attestation_say(q, ATTESTATION_INTERNAL, "SHA-256 of a key");
}

enum attestation_finding attestation_judge_tpm(struct attestation_inquiry *q)
{
    const struct algorithm *algorithm = algorithm_of(q->statement.alg);
    enum attestation_finding finding;

    if (!bytes_is(q->statement.ver, "2.0") || algorithm == NULL)
        return attestation_say(q, ATTESTATION_BAD, "statements of this version or algorithm are not taken");
    if (!is_for_attestation(&q->leaf))
        return attestation_say(q, ATTESTATION_BAD, "the certificate is not one of an attestation key");
    finding = judge_signature(q, algorithm);
    if (finding == ATTESTATION_HOLDS)
        finding = judge_certified(q, algorithm->hash);
    if (finding == ATTESTATION_HOLDS && !names_device(&q->leaf, q->claim->device))
        return attestation_say(q, ATTESTATION_OTHER, "the attestation is of another device");
    return finding;
}
