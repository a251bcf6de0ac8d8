/* SignedData, written (RFC 5652 5), in the shape that readers of PKCS#7 know: version 1, issuer and serial
 * number, rsaEncryption, definite lengths. */
#include "lib/pki/cms_internal.h"

enum { OVERHEAD = 64 * 1024 };

/* EdDSA hashes for itself; messageDigest is SHA-512 then (RFC 8419 3.1). */
static bool is_eddsa(enum key_kind kind)
{
    return kind == KEY_ED25519 || kind == KEY_ED448;
}

static struct bytes content_type_of(const struct cms_signing *s)
{
    return s->content_type.len > 0 ? s->content_type : CMS_OID_DATA;
}

static void put_digest_algorithm(struct buffer *out, enum digest_algorithm hash)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, digest_oid(hash));
    der_put_null(out);
    der_end(out, seq);
}

static void put_attribute(struct buffer *out, struct bytes oid, struct bytes value)
{
    size_t seq = der_begin(out, DER_SEQUENCE), set;

    der_put_oid(out, oid);
    set = der_begin(out, DER_SET);
    buffer_append(out, value);
    der_end(out, set);
    der_end(out, seq);
}

/* The attributes as SET OF, which is what gets signed. */
static bool put_attributes(struct buffer *out, const struct cms_signing *s, enum digest_algorithm hash)
{
    AUTO_STRUCT(buffer) value = BUFFER(256);
    size_t set = der_begin(out, DER_SET);
    uint8_t md[DIGEST_MAX];
    size_t len;

    if (!digest(hash, s->has_content ? s->content : BYTES_NONE, md, &len))
        return false;
    der_put_oid(&value, content_type_of(s));
    put_attribute(out, CMS_OID_CONTENT_TYPE, buffer_bytes(&value));
    value.len = 0;
    der_put(&value, DER_OCTET_STRING, bytes_of(md, len));
    put_attribute(out, CMS_OID_MESSAGE_DIGEST, buffer_bytes(&value));
    for (size_t i = 0; i < s->attribute_count; i++)
        put_attribute(out, s->attribute[i].oid, s->attribute[i].value);
    der_sort_set(out, set);
    der_end(out, set);
    return !buffer_failed(&value) && !buffer_failed(out);
}

static bool put_signature_algorithm(struct buffer *out, enum key_kind kind, enum digest_algorithm hash)
{
    size_t seq;

    if (kind != KEY_RSA)
        return signature_algorithm_put(out, kind, hash);
    seq = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, CMS_OID_RSA_ENCRYPTION);
    der_put_null(out);
    der_end(out, seq);
    return true;
}

static bool put_signer(struct buffer *out, const struct cms_signing *s, enum key_kind kind,
                       enum digest_algorithm hash, struct arena *arena, struct error *err)
{
    AUTO_STRUCT(buffer) attributes = BUFFER(OVERHEAD);
    struct bytes signature;
    size_t seq;

    if (!put_attributes(&attributes, s, hash))
        return error_set(err, ERROR_MEMORY, "signed attributes");
    if (!keys_sign(s->keys, s->key_name, is_eddsa(kind) ? DIGEST_NONE : hash, buffer_bytes(&attributes),
                   arena, &signature, err))
        return false;
    seq = der_begin(out, DER_SEQUENCE);
    der_put_uint(out, 1);
    cms_issuer_and_serial_put(out, s->certificate);
    put_digest_algorithm(out, hash);
    attributes.data[0] = DER_CONTEXT(0);
    buffer_append(out, buffer_bytes(&attributes));
    if (!put_signature_algorithm(out, kind, hash))
        return error_set(err, ERROR_CRYPTO, "key %s does not sign with this hash", s->key_name);
    der_put(out, DER_OCTET_STRING, signature);
    der_end(out, seq);
    return true;
}

static void put_content(struct buffer *out, const struct cms_signing *s)
{
    size_t encap = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, content_type_of(s));
    if (s->has_content) {
        size_t wrapped = der_begin(out, DER_CONTEXT(0));

        der_put(out, DER_OCTET_STRING, s->content);
        der_end(out, wrapped);
    }
    der_end(out, encap);
}

static size_t total(const struct bytes *item, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += item[i].len;
    return len;
}

bool cms_sign(const struct cms_signing *s, struct arena *arena, struct bytes *der, struct error *err)
{
    enum key_kind kind = keys_kind(s->keys, s->key_name, NULL);
    enum digest_algorithm hash = is_eddsa(kind)           ? DIGEST_SHA512
                                 : s->hash != DIGEST_NONE ? s->hash
                                                          : signature_default_hash(kind);
    AUTO_STRUCT(buffer)
    out = BUFFER(s->content.len + s->certificate->encoded.len + total(s->more, s->more_count) + OVERHEAD);
    struct cms_content content;
    size_t part;

    if (kind == KEY_NONE)
        return error_set(err, ERROR_NOT_FOUND, "no key %s", s->key_name);
    content = cms_content_begin(&out, CMS_OID_SIGNED_DATA);
    der_put_uint(&out, s->content_type.len > 0 ? 3 : 1); /* RFC 5652 5.1 */
    part = der_begin(&out, DER_SET);
    put_digest_algorithm(&out, hash);
    der_end(&out, part);
    put_content(&out, s);
    part = der_begin(&out, DER_CONTEXT(0));
    buffer_append(&out, s->certificate->encoded);
    for (size_t i = 0; i < s->more_count; i++)
        buffer_append(&out, s->more[i]);
    der_end(&out, part);
    part = der_begin(&out, DER_SET);
    if (!put_signer(&out, s, kind, hash, arena, err))
        return false;
    der_end(&out, part);
    cms_content_end(&out, content);
    return cms_give(&out, arena, der, err);
}

static void put_bag(struct buffer *out, unsigned tag, const struct bytes *item, size_t count)
{
    size_t bag;

    if (count == 0)
        return;
    bag = der_begin(out, tag);
    for (size_t i = 0; i < count; i++)
        buffer_append(out, item[i]);
    der_end(out, bag);
}

bool cms_bag(const struct bytes *certificate, size_t count, const struct bytes *crl, size_t crl_count,
             struct arena *arena, struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) out = BUFFER(total(certificate, count) + total(crl, crl_count) + 1024);
    struct cms_content content = cms_content_begin(&out, CMS_OID_SIGNED_DATA);
    size_t encap;

    der_put_uint(&out, 1);
    der_put(&out, DER_SET, BYTES_NONE);
    encap = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, CMS_OID_DATA);
    der_end(&out, encap);
    put_bag(&out, DER_CONTEXT(0), certificate, count);
    put_bag(&out, DER_CONTEXT(1), crl, crl_count);
    der_put(&out, DER_SET, BYTES_NONE);
    cms_content_end(&out, content);
    return cms_give(&out, arena, der, err);
}
