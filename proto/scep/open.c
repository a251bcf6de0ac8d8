#include "proto/scep/open_internal.h"

/* More than a leaf, its issuers and a second certificate for encryption is no enrollment. */
enum { SCEP_CERTIFICATES_MAX = 8, SIGNER_BITS_MAX = 8192 };

static const uint8_t OID_DATA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
static const uint8_t OID_ENVELOPED_DATA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03 };

/* --- outside --- */

/* The first element alone, when its length is definite: what follows it is reported, not read. */
static bool first_element(struct bytes in, struct bytes *out)
{
    struct der reader = der_of(in);
    unsigned tag;
    struct bytes element = der_any(&reader, &tag);

    if (reader.failed || element.len == in.len)
        return false;
    *out = element;
    return true;
}

bool scep_open_outer(struct bytes message, struct arena *arena, struct scep_opened *out)
{
    struct bytes element;

    *out = (struct scep_opened){ 0 };
    if (!ber_to_der(arena, message, &out->der)) {
        if (!first_element(message, &element) || !ber_to_der(arena, element, &out->der))
            return false;
        out->trailing = true;
    }
    if (!cms_signed_decode(out->der, &out->signed_data) || out->signed_data.signer_count == 0)
        return false;
    scep_attributes_decode(&out->signed_data, &out->attributes);
    return out->attributes.transaction_id.len > 0;
}

/* --- checks --- */

static bool is_request(enum scep_message_type type)
{
    switch (type) {
    case SCEP_RENEWAL_REQ:
    case SCEP_PKCS_REQ:
    case SCEP_CERT_POLL:
    case SCEP_GET_CERT:
    case SCEP_GET_CRL: return true;
    case SCEP_MESSAGE_NONE:
    case SCEP_CERT_REP: return false;
    }
    return false;
}

static bool nonce_fits(struct bytes nonce, const struct dialect *dialect)
{
    if (dialect->scep_lenient_nonce || dialect->scep_legacy)
        return nonce.len <= SCEP_TRANSACTION_ID_MAX;
    return nonce.len == SCEP_NONCE_LEN;
}

static enum scep_fault check_attributes(const struct dialect *dialect, const struct scep_opened *o)
{
    const struct cms_signed *s = &o->signed_data;

    if (o->trailing || s->signer_count != 1 || s->certificate_count > SCEP_CERTIFICATES_MAX ||
        !bytes_equal(s->content_type, BYTES_ARRAY(OID_DATA)))
        return SCEP_FAULT_STRUCTURE;
    if (!o->attributes.transaction_id_fits)
        return SCEP_FAULT_TRANSACTION_ID;
    if (!is_request(o->attributes.type))
        return SCEP_FAULT_TYPE;
    if (!nonce_fits(o->attributes.sender_nonce, dialect))
        return SCEP_FAULT_NONCE;
    return SCEP_OK;
}

static bool allows_sha1(const struct dialect *dialect)
{
    return dialect->scep_legacy || dialect->scep_des;
}

static bool digest_is_accepted(enum digest_algorithm digest, const struct dialect *dialect)
{
    switch (digest) {
    case DIGEST_SHA256:
    case DIGEST_SHA384:
    case DIGEST_SHA512: return true;
    case DIGEST_SHA1: return allows_sha1(dialect);
    case DIGEST_NONE:
    case DIGEST_MD5: /* in every dialect */
    case DIGEST_SHA224: return false;
    }
    return false;
}

static enum scep_fault find_signer(struct arena *arena, struct scep_opened *o)
{
    struct bytes der = cms_signer_certificate(&o->signed_data, arena);

    if (der.len == 0 || !certificate_decode(der, arena, &o->signer))
        return SCEP_FAULT_SIGNER;
    for (size_t i = 0; i < o->signed_data.certificate_count; i++)
        if (!bytes_equal(o->signed_data.certificate[i], der))
            o->chain[o->chain_count++] = o->signed_data.certificate[i];
    if (o->signer.key.bits > SIGNER_BITS_MAX) /* before its signature costs anything */
        return SCEP_FAULT_ALGORITHM;
    return SCEP_OK;
}

static enum scep_fault check_signature(const struct dialect *dialect, const struct scep_opened *o)
{
    switch (cms_signed_verify(&o->signed_data, &o->signer.key, allows_sha1(dialect))) {
    case SIGNATURE_OK: return SCEP_OK;
    case SIGNATURE_ALGORITHM: return SCEP_FAULT_ALGORITHM;
    case SIGNATURE_INTERNAL: return SCEP_FAULT_INTERNAL;
    case SIGNATURE_WRONG:
    case SIGNATURE_SYNTAX: break;
    }
    return SCEP_FAULT_SIGNATURE;
}

static bool time_fits(const struct scep_service *service, const struct scep_attributes *a, int64_t now_s)
{
    if (service->skew_s <= 0 || !a->has_signing_time)
        return true;
    return a->signing_time_s >= now_s - service->skew_s && a->signing_time_s <= now_s + service->skew_s;
}

enum scep_fault scep_open_check(const struct scep_service *service, const struct dialect *dialect,
                                struct turn *turn, struct scep_opened *o)
{
    enum digest_algorithm digest = digest_from_oid(o->signed_data.digest_algorithm);
    enum scep_fault fault = check_attributes(dialect, o);

    if (fault != SCEP_OK)
        return fault;
    if (!digest_is_accepted(digest, dialect))
        return SCEP_FAULT_ALGORITHM;
    o->digest = digest;
    fault = find_signer(turn->arena, o);
    if (fault == SCEP_OK)
        fault = check_signature(dialect, o);
    if (fault == SCEP_OK && !time_fits(service, &o->attributes, turn->now_s))
        fault = SCEP_FAULT_TIME;
    return fault;
}

/* --- the envelope --- */

static bool cipher_is_accepted(enum cms_cipher cipher, const struct dialect *dialect)
{
    switch (cipher) {
    case CMS_AES_128_CBC:
    case CMS_AES_192_CBC:
    case CMS_AES_256_CBC: return true;
    case CMS_DES_EDE3_CBC: return dialect->scep_legacy;
    case CMS_DES_CBC: return dialect->scep_des;
    case CMS_CIPHER_NONE: return false;
    }
    return false;
}

static bool is_enveloped_data(struct bytes der)
{
    struct der in = der_of(der), info = der_enter(&in, DER_SEQUENCE);

    return bytes_equal(der_value(&info, DER_OID), BYTES_ARRAY(OID_ENVELOPED_DATA)) && !info.failed;
}

/* A CSR, IssuerAndSubject or IssuerAndSerialNumber begins with a SEQUENCE inside its SEQUENCE; a ContentInfo
 * with an OID. */
static bool is_clear(struct bytes der)
{
    struct der in = der_of(der), inner = der_enter(&in, DER_SEQUENCE);

    return !inner.failed && der_next_is(&inner, DER_SEQUENCE);
}

enum scep_fault scep_open_envelope(const struct scep_ra *ra, const struct dialect *dialect, struct turn *turn,
                                   struct scep_opened *o)
{
    struct cms_enveloped enveloped;
    struct bytes der, plain;

    if (!o->signed_data.has_content || o->signed_data.content.len == 0)
        return SCEP_FAULT_CLEAR;
    if (!ber_to_der(turn->arena, o->signed_data.content, &der))
        return SCEP_FAULT_ENVELOPE;
    if (is_clear(der))
        return SCEP_FAULT_CLEAR;
    if (!is_enveloped_data(der) || !cms_enveloped_decode(der, &enveloped))
        return SCEP_FAULT_ENVELOPE;
    if (!cipher_is_accepted(enveloped.cipher, dialect))
        return SCEP_FAULT_ALGORITHM;
    o->cipher = enveloped.cipher;
    if (!cms_enveloped_open(&enveloped, &ra->certificate, turn->keys, ra->key_name, turn->arena, &plain))
        return SCEP_FAULT_ENVELOPE;
    o->content = plain;
    return SCEP_OK;
}
