/* `apple`: the maker certifies the key itself; extensions of that certificate say which device holds it, and
 * that it was made for this challenge: SHA-256 over the token alone. */
#include "proto/acme/attestation_internal.h"

/* 1.2.840.113635.100.8.9.1, .9.2, .11.1; their content is the value as it is */
static const uint8_t OID_SERIAL[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x08, 0x09, 0x01 };
static const uint8_t OID_UDID[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x08, 0x09, 0x02 };
static const uint8_t OID_FRESHNESS[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x08, 0x0b, 0x01 };

static bool says(const struct certificate *c, struct bytes oid, struct bytes wanted)
{
    struct bytes value;

    return certificate_extension(c, oid, &value) && bytes_equal(value, wanted);
}

enum attestation_finding attestation_judge_apple(struct attestation_inquiry *q)
{
    const struct attestation_claim *claim = q->claim;
    struct digest256 fresh;

    if (!sha256(claim->token, &fresh) || !public_key_fingerprint(q->leaf.key.spki, &q->key))
        return attestation_say(q, ATTESTATION_INTERNAL, "SHA-256 of an attestation");
    if (!says(&q->leaf, BYTES_ARRAY(OID_FRESHNESS), digest256_bytes(&fresh)))
        return attestation_say(q, ATTESTATION_BAD, "the attestation is not of this challenge");
    if (!says(&q->leaf, BYTES_ARRAY(OID_SERIAL), claim->device) &&
        !says(&q->leaf, BYTES_ARRAY(OID_UDID), claim->device))
        return attestation_say(q, ATTESTATION_OTHER, "the attestation is of another device");
    return ATTESTATION_HOLDS;
}
