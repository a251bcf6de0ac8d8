/* SignedData (RFC 5652 5), read and verified. */
#include "lib/pki/cms_internal.h"
#include "lib/pki/public_key_internal.h"

enum { VERSION_MAX = 5 };

/* AlgorithmIdentifier of a digest: its OID; parameters absent or NULL. */
static bool digest_read(struct der *in, struct bytes *oid)
{
    struct bytes parameters;

    return algorithm_split(der_element(in, DER_SEQUENCE), oid, &parameters) &&
           (parameters.data == NULL || parameters_are_null(parameters));
}

static bool attributes_read(struct bytes element, struct cms_signed *out)
{
    struct der in = der_of(element), set = der_enter(&in, DER_CONTEXT(0));

    while (der_more(&set)) {
        struct der attribute = der_enter(&set, DER_SEQUENCE), values;
        struct bytes oid = der_value(&attribute, DER_OID), value, other;

        values = der_enter(&attribute, DER_SET);
        value = der_any(&values, NULL);
        if (!der_finished(&values) || !der_finished(&attribute) || oid.len == 0 ||
            out->attribute_count == CMS_ATTRIBUTES_MAX || cms_attribute_find(out, oid, &other))
            return false;
        out->attribute[out->attribute_count++] = (struct cms_attribute){ .oid = oid, .value = value };
    }
    return der_finished(&set) && out->attribute_count > 0;
}

static bool signer_read(struct der *in, struct cms_signed *out)
{
    struct der signer = der_enter(in, DER_SEQUENCE);

    if (der_uint(&signer) > VERSION_MAX)
        return false;
    if (der_next_is(&signer, DER_CONTEXT_PRIMITIVE(0)))
        out->signer_key_id = der_value(&signer, DER_CONTEXT_PRIMITIVE(0));
    else if (!cms_issuer_and_serial_read(&signer, &out->signer_issuer, &out->signer_serial))
        return false;
    if (!digest_read(&signer, &out->digest_algorithm))
        return false;
    if (der_next_is(&signer, DER_CONTEXT(0)))
        out->signed_attributes = der_element(&signer, DER_CONTEXT(0));
    out->signature_algorithm = der_element(&signer, DER_SEQUENCE);
    out->signature = der_value(&signer, DER_OCTET_STRING);
    if (der_next_is(&signer, DER_CONTEXT(1))) /* unsigned attributes: nobody vouches for them */
        (void)der_element(&signer, DER_CONTEXT(1));
    return der_finished(&signer) &&
           (out->signed_attributes.data == NULL || attributes_read(out->signed_attributes, out));
}

static bool content_read(struct der *in, struct cms_signed *out)
{
    struct der encap = der_enter(in, DER_SEQUENCE);

    out->content_type = der_value(&encap, DER_OID);
    if (der_next_is(&encap, DER_CONTEXT(0))) {
        struct der wrapped = der_enter(&encap, DER_CONTEXT(0));

        out->content = der_value(&wrapped, DER_OCTET_STRING);
        out->has_content = true;
        if (!der_finished(&wrapped))
            return false;
    }
    return der_finished(&encap);
}

/* The SEQUENCEs of a set; other choices (attribute certificates, other revocation) are passed over. */
static bool bag_read(struct der *in, unsigned tag, struct bytes *item, size_t max, size_t *count)
{
    struct der set;

    if (!der_next_is(in, tag))
        return true;
    set = der_enter(in, tag);
    while (der_more(&set)) {
        unsigned kind = 0;
        struct bytes element = der_any(&set, &kind);

        if (kind != DER_SEQUENCE)
            continue;
        if (*count == max)
            return false;
        item[(*count)++] = element;
    }
    return der_finished(&set);
}

static bool signers_read(struct der *in, struct cms_signed *out)
{
    struct der set = der_enter(in, DER_SET);

    if (der_more(&set)) {
        if (!signer_read(&set, out))
            return false;
        out->signer_count = 1;
    }
    for (; der_more(&set); out->signer_count++)
        (void)der_element(&set, DER_SEQUENCE);
    return der_finished(&set);
}

bool cms_signed_decode(struct bytes der, struct cms_signed *out)
{
    struct der content = cms_content_enter(der, CMS_OID_SIGNED_DATA);
    struct cms_signed s = { .has_content = false };

    if (content.failed || der_uint(&content) > VERSION_MAX)
        return false;
    (void)der_element(&content, DER_SET); /* digestAlgorithms: the signer says it again */
    if (!content_read(&content, &s) ||
        !bag_read(&content, DER_CONTEXT(0), s.certificate, CMS_CERTIFICATES_MAX, &s.certificate_count) ||
        !bag_read(&content, DER_CONTEXT(1), s.crl, COUNT_OF(s.crl), &s.crl_count) ||
        !signers_read(&content, &s) || !der_finished(&content))
        return false;
    *out = s;
    return true;
}

bool cms_attribute_find(const struct cms_signed *s, struct bytes oid, struct bytes *value)
{
    for (size_t i = 0; i < s->attribute_count; i++) {
        if (bytes_equal(s->attribute[i].oid, oid)) {
            *value = s->attribute[i].value;
            return true;
        }
    }
    return false;
}

static bool is_signer(const struct cms_signed *s, const struct certificate *c, struct arena *arena)
{
    if (s->signer_issuer.data == NULL)
        return s->signer_key_id.len > 0 && bytes_equal(s->signer_key_id, c->subject_key_id);
    return cms_names_certificate(s->signer_issuer, s->signer_serial, c, arena);
}

struct bytes cms_signer_certificate(const struct cms_signed *s, struct arena *arena)
{
    for (size_t i = 0; i < s->certificate_count && s->signer_count > 0; i++) {
        struct certificate c;

        if (certificate_decode(s->certificate[i], arena, &c) && is_signer(s, &c, arena))
            return s->certificate[i];
    }
    return BYTES_NONE;
}

/* --- verification --- */

/* RFC 5652 5.4: contentType and messageDigest stand for the content. */
static enum signature_fault attributes_verify(const struct cms_signed *s, enum digest_algorithm hash)
{
    uint8_t expected[DIGEST_MAX];
    struct bytes type, shown;
    struct der type_in, shown_in;
    size_t len;

    if (!cms_attribute_find(s, CMS_OID_CONTENT_TYPE, &type) ||
        !cms_attribute_find(s, CMS_OID_MESSAGE_DIGEST, &shown))
        return SIGNATURE_SYNTAX;
    type_in = der_of(type);
    shown_in = der_of(shown);
    type = der_value(&type_in, DER_OID);
    shown = der_value(&shown_in, DER_OCTET_STRING);
    if (!der_finished(&type_in) || !der_finished(&shown_in))
        return SIGNATURE_SYNTAX;
    if (!digest(hash, s->content, expected, &len))
        return SIGNATURE_INTERNAL;
    return bytes_equal(type, s->content_type) && bytes_equal(shown, bytes_of(expected, len))
               ? SIGNATURE_OK
               : SIGNATURE_WRONG;
}

/* rsaEncryption leaves the hash to the digest algorithm; all others name it, and then the two agree. */
static enum signature_fault message_verify(const struct cms_signed *s, const struct public_key *key,
                                           enum digest_algorithm hash, struct bytes message, bool allow_sha1)
{
    struct bytes oid, parameters;
    enum digest_algorithm named;

    if (!algorithm_split(s->signature_algorithm, &oid, &parameters))
        return SIGNATURE_SYNTAX;
    if (bytes_equal(oid, CMS_OID_RSA_ENCRYPTION)) {
        if (parameters.data != NULL && !parameters_are_null(parameters))
            return SIGNATURE_SYNTAX;
        return key->kind == KEY_RSA ? signature_verify_with(key, hash, message, s->signature)
                                    : SIGNATURE_WRONG;
    }
    named = signature_algorithm_hash(s->signature_algorithm);
    if (named != DIGEST_NONE && named != hash)
        return SIGNATURE_WRONG;
    return signature_verify(key, s->signature_algorithm, message, s->signature, allow_sha1);
}

enum signature_fault cms_signed_verify(const struct cms_signed *s, const struct public_key *key,
                                       bool allow_sha1)
{
    enum digest_algorithm hash = digest_from_oid(s->digest_algorithm);
    AUTO_STRUCT(buffer) set = BUFFER(s->signed_attributes.len);
    enum signature_fault fault;

    if (s->signer_count == 0)
        return SIGNATURE_SYNTAX;
    if (hash == DIGEST_NONE || hash == DIGEST_MD5 || (hash == DIGEST_SHA1 && !allow_sha1))
        return SIGNATURE_ALGORITHM;
    if (s->signed_attributes.data == NULL) /* only for content of type data (RFC 5652 5.3) */
        return bytes_equal(s->content_type, CMS_OID_DATA)
                   ? message_verify(s, key, hash, s->content, allow_sha1)
                   : SIGNATURE_SYNTAX;
    fault = attributes_verify(s, hash);
    if (fault != SIGNATURE_OK)
        return fault;
    buffer_append(&set, s->signed_attributes);
    if (buffer_failed(&set))
        return SIGNATURE_INTERNAL;
    set.data[0] = DER_SET; /* signed under the tag SET OF instead of [0] (RFC 5652 5.4) */
    return message_verify(s, key, hash, buffer_bytes(&set), allow_sha1);
}
