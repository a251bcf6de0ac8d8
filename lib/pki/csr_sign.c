/* CertificationRequest (RFC 2986 4), written. */
#include "lib/pki/csr.h"

static const uint8_t EXTENSION_REQUEST[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14 };
static const uint8_t SUBJECT_ALT_NAME[] = { 0x55, 0x1d, 0x11 };

static void put_extensions(struct buffer *out, const struct csr_order *order)
{
    size_t list = der_begin(out, DER_SEQUENCE), extension, value;

    if (order->san.len > 0) {
        extension = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, BYTES_ARRAY(SUBJECT_ALT_NAME));
        value = der_begin(out, DER_OCTET_STRING);
        der_put(out, DER_SEQUENCE, order->san);
        der_end(out, value);
        der_end(out, extension);
    }
    buffer_append(out, order->extensions);
    der_end(out, list);
}

static void put_info(struct buffer *out, const struct csr_order *order)
{
    size_t info = der_begin(out, DER_SEQUENCE), attributes, attribute, values;

    der_put_uint(out, 0);
    buffer_append(out, order->subject);
    buffer_append(out, order->spki);
    attributes = der_begin(out, DER_CONTEXT(0));
    if (order->san.len > 0 || order->extensions.len > 0) {
        attribute = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, BYTES_ARRAY(EXTENSION_REQUEST));
        values = der_begin(out, DER_SET);
        put_extensions(out, order);
        der_end(out, values);
        der_end(out, attribute);
    }
    der_end(out, attributes);
    der_end(out, info);
}

bool csr_sign(const struct csr_order *order, const struct keys *keys, struct arena *arena, struct bytes *der,
              struct error *err)
{
    AUTO_STRUCT(buffer) info = BUFFER(CSR_LEN_MAX), whole = BUFFER(CSR_LEN_MAX);
    enum key_kind kind = keys_kind(keys, order->key_name, NULL);
    enum digest_algorithm hash = signature_default_hash(kind);
    struct bytes signature, made;
    size_t begun;

    put_info(&info, order);
    if (buffer_failed(&info))
        return error_set(err, ERROR_MEMORY, "request too long");
    if (!keys_sign(keys, order->key_name, hash, buffer_bytes(&info), arena, &signature, err))
        return false;
    begun = der_begin(&whole, DER_SEQUENCE);
    buffer_append(&whole, buffer_bytes(&info));
    if (!signature_algorithm_put(&whole, kind, hash))
        return error_set(err, ERROR_UNSUPPORTED, "key %s cannot sign a request", order->key_name);
    der_put_bits(&whole, signature);
    der_end(&whole, begun);
    made = buffer_failed(&whole) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&whole));
    if (made.data == NULL)
        return error_set(err, ERROR_MEMORY, "request too long");
    *der = made;
    return true;
}
