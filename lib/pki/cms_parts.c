#include "lib/pki/cms_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }
#define PKCS(rest) OID("\x2a\x86\x48\x86\xf7\x0d\x01" rest)

enum { SERIAL_MAX = 64 };

const struct bytes CMS_OID_DATA = PKCS("\x07\x01");
const struct bytes CMS_OID_SIGNED_DATA = PKCS("\x07\x02");
const struct bytes CMS_OID_ENVELOPED_DATA = PKCS("\x07\x03");
const struct bytes CMS_OID_CONTENT_TYPE = PKCS("\x09\x03");
const struct bytes CMS_OID_MESSAGE_DIGEST = PKCS("\x09\x04");
const struct bytes CMS_OID_RSA_ENCRYPTION = PKCS("\x01\x01");
const struct bytes CMS_OID_RSAES_OAEP = PKCS("\x01\x07");

static const struct der failed = { .failed = true };

struct der cms_content_enter(struct bytes der, struct bytes type)
{
    struct der in = der_of(der), whole = der_enter(&in, DER_SEQUENCE), explicit, content;
    struct bytes oid = der_value(&whole, DER_OID);

    explicit = der_enter(&whole, DER_CONTEXT(0));
    content = der_enter(&explicit, DER_SEQUENCE);
    return der_finished(&in) && der_finished(&whole) && der_finished(&explicit) && bytes_equal(oid, type)
               ? content
               : failed;
}

struct cms_content cms_content_begin(struct buffer *out, struct bytes type)
{
    struct cms_content content = { .whole = der_begin(out, DER_SEQUENCE) };

    der_put_oid(out, type);
    content.explicit = der_begin(out, DER_CONTEXT(0));
    content.sequence = der_begin(out, DER_SEQUENCE);
    return content;
}

void cms_content_end(struct buffer *out, struct cms_content content)
{
    der_end(out, content.sequence);
    der_end(out, content.explicit);
    der_end(out, content.whole);
}

void cms_issuer_and_serial_put(struct buffer *out, const struct certificate *certificate)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    buffer_append(out, certificate->issuer.encoded);
    der_put(out, DER_INTEGER, certificate->serial); /* as the certificate has it, minimal or not */
    der_end(out, seq);
}

bool cms_issuer_and_serial_read(struct der *in, struct bytes *issuer, struct bytes *serial)
{
    struct der seq = der_enter(in, DER_SEQUENCE);

    *issuer = der_element(&seq, DER_SEQUENCE);
    *serial = der_value(&seq, DER_INTEGER);
    return der_finished(&seq) && serial->len > 0 && serial->len <= SERIAL_MAX;
}

/* Without the octets that only carry the sign. */
static struct bytes minimal(struct bytes integer)
{
    while (integer.len > 1 && integer.data[0] == 0)
        integer = bytes_from(integer, 1);
    return integer;
}

bool cms_names_certificate(struct bytes issuer, struct bytes serial, const struct certificate *certificate,
                           struct arena *arena)
{
    struct distinguished_name name;

    if (!bytes_equal(minimal(serial), minimal(certificate->serial)))
        return false;
    if (bytes_equal(issuer, certificate->issuer.encoded))
        return true;
    return name_decode_lenient(issuer, arena, &name) == NAME_OK && name_equal(&name, &certificate->issuer);
}

bool cms_give(const struct buffer *written, struct arena *arena, struct bytes *der, struct error *err)
{
    struct bytes copy = buffer_failed(written) ? BYTES_NONE : arena_copy(arena, buffer_bytes(written));

    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "CMS message");
    *der = copy;
    return true;
}
