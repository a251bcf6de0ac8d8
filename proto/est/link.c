#include "proto/est/link.h"

#include "lib/base/encode.h"

enum { TLS_1_3 = 0x0304, ATTRIBUTES_MAX = 64 };

static const uint8_t OID_CHALLENGE_PASSWORD[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07 };
/* 1.2.840.113549.1.9.16.2.56 to .58 */
static const uint8_t OID_OTP_CHALLENGE[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x38
};
static const uint8_t OID_REVOCATION_CHALLENGE[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                                    0x01, 0x09, 0x10, 0x02, 0x39 };
static const uint8_t OID_IDENTITY_LINKING[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                                0x01, 0x09, 0x10, 0x02, 0x3a };
/* 1.3.6.1.5.5.7.7.36 */
static const uint8_t OID_CHANGE_SUBJECT_NAME[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x07, 0x24 };

/* --- the attributes of a CSR that csr_decode has found well-formed --- */

struct csr_parts {
    struct bytes version, subject, spki;
    struct der attributes;
};

static bool split(const struct csr *csr, struct csr_parts *out)
{
    struct der whole = der_of(csr->encoded), request = der_enter(&whole, DER_SEQUENCE);
    struct der in = der_enter(&request, DER_SEQUENCE);

    *out = (struct csr_parts){ 0 };
    out->version = der_element(&in, DER_INTEGER);
    out->subject = der_element(&in, DER_SEQUENCE);
    out->spki = der_element(&in, DER_SEQUENCE);
    if (der_more(&in))
        out->attributes = der_enter(&in, DER_CONTEXT(0));
    return der_finished(&in) && !request.failed;
}

/* The next attribute: its OID, its first value's octets and the whole element. */
static bool next_attribute(struct der *attributes, struct bytes *oid, struct bytes *value,
                           struct bytes *element)
{
    struct der whole, in, values;
    unsigned tag;

    if (!der_more(attributes))
        return false;
    *element = der_element(attributes, DER_SEQUENCE);
    whole = der_of(*element);
    in = der_enter(&whole, DER_SEQUENCE);
    *oid = der_value(&in, DER_OID);
    values = der_enter(&in, DER_SET);
    *value = BYTES_NONE;
    if (der_more(&values)) {
        struct bytes first = der_any(&values, &tag);
        struct der text = der_of(first);

        *value = der_value(&text, tag);
    }
    return !attributes->failed;
}

/* --- the binding --- */

static struct bytes binding_of(const struct http_peer *peer)
{
    if (peer->tls_version >= TLS_1_3)
        return peer->has_tls_exporter ? BYTES_ARRAY(peer->tls_exporter) : BYTES_NONE;
    return bytes_of(peer->tls_unique, peer->tls_unique_len);
}

/* `text` is the base64 of the binding. */
static bool is_binding(struct bytes text, const struct http_peer *peer, struct arena *arena)
{
    struct bytes binding = binding_of(peer);
    uint8_t *decoded = arena_alloc(arena, BASE64_DECODED_MAX(text.len));
    size_t len;

    return decoded != NULL && peer->tls && binding.len > 0 && base64_decode(text, decoded, &len) &&
           bytes_equal_constant_time(bytes_of(decoded, len), binding);
}

static bool is_unsupported(struct bytes oid)
{
    return bytes_equal(oid, BYTES_ARRAY(OID_OTP_CHALLENGE)) ||
           bytes_equal(oid, BYTES_ARRAY(OID_REVOCATION_CHALLENGE)) ||
           bytes_equal(oid, BYTES_ARRAY(OID_CHANGE_SUBJECT_NAME));
}

enum est_link est_link_verify(const struct csr *csr, const struct http_peer *peer, struct arena *arena)
{
    struct bytes password = csr->requested.challenge_password, oid, value, element;
    enum est_link link = EST_LINK_ABSENT;
    struct csr_parts parts;

    if (!split(csr, &parts))
        return EST_LINK_WRONG;
    if (password.len > 0)
        link = is_binding(password, peer, arena) ? EST_LINK_HOLDS : EST_LINK_WRONG;
    while (link != EST_LINK_WRONG && next_attribute(&parts.attributes, &oid, &value, &element)) {
        if (is_unsupported(oid) && value.len > 0)
            return EST_LINK_UNSUPPORTED;
        if (bytes_equal(oid, BYTES_ARRAY(OID_IDENTITY_LINKING)) && value.len > 0)
            link = is_binding(value, peer, arena) ? EST_LINK_HOLDS : EST_LINK_WRONG;
    }
    if (link == EST_LINK_HOLDS && !peer->tls_extended_master_secret)
        return EST_LINK_UNSAFE;
    return link;
}

bool est_link_content(const struct csr *csr, struct arena *arena, struct digest256 *out)
{
    struct bytes *part = arena_array(arena, 3 + ATTRIBUTES_MAX, sizeof(*part)), oid, value, element;
    struct csr_parts parts;
    size_t count = 0;

    if (part == NULL || !split(csr, &parts))
        return false;
    part[count++] = parts.version;
    part[count++] = parts.subject;
    part[count++] = parts.spki;
    while (next_attribute(&parts.attributes, &oid, &value, &element)) {
        if (bytes_equal(oid, BYTES_ARRAY(OID_CHALLENGE_PASSWORD)) ||
            bytes_equal(oid, BYTES_ARRAY(OID_IDENTITY_LINKING)))
            continue;
        if (count == 3 + ATTRIBUTES_MAX)
            return false;
        part[count++] = element;
    }
    return sha256_parts(part, count, out);
}
