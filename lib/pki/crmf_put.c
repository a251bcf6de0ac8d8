/* CertReqMsg, written. */
#include "lib/pki/crmf_internal.h"

enum { OVERHEAD = 4096 };

static void put_extensions(struct buffer *out, const struct crmf_order *order)
{
    size_t list, extension, value;

    if (order->san.len == 0 && order->extensions.len == 0)
        return;
    list = der_begin(out, DER_CONTEXT(9));
    if (order->san.len > 0) {
        extension = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, CRMF_OID_SUBJECT_ALT_NAME);
        value = der_begin(out, DER_OCTET_STRING);
        der_put(out, DER_SEQUENCE, order->san);
        der_end(out, value);
        der_end(out, extension);
    }
    buffer_append(out, order->extensions);
    der_end(out, list);
}

/* The content of an element, to stand under an implicit tag. False: `element` is not one of that tag. */
static bool put_implicit(struct buffer *out, unsigned implicit, struct bytes element, unsigned tag)
{
    struct der in = der_of(element);
    struct bytes content = der_value(&in, tag);

    der_put(out, implicit, content);
    return der_finished(&in);
}

static bool put_template(struct buffer *out, const struct crmf_order *order)
{
    size_t template = der_begin(out, DER_SEQUENCE);
    bool sound = true;

    if (order->subject.len > 0)
        der_put(out, DER_CONTEXT(5), order->subject);
    if (order->spki.len > 0)
        sound = put_implicit(out, DER_CONTEXT(6), order->spki, DER_SEQUENCE);
    put_extensions(out, order);
    der_end(out, template);
    return sound;
}

static void put_controls(struct buffer *out, const struct crmf_order *order)
{
    size_t controls, attribute, cert_id;

    if (order->old_issuer.len == 0)
        return;
    controls = der_begin(out, DER_SEQUENCE);
    attribute = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, CRMF_OID_OLD_CERT_ID);
    cert_id = der_begin(out, DER_SEQUENCE);
    der_put(out, DER_CONTEXT(GENERAL_NAME_DIRECTORY), order->old_issuer);
    der_put(out, DER_INTEGER, order->old_serial);
    der_end(out, cert_id);
    der_end(out, attribute);
    der_end(out, controls);
}

/* CertRequest. */
static bool put_request(struct buffer *out, const struct crmf_order *order)
{
    size_t request = der_begin(out, DER_SEQUENCE);
    bool sound;

    der_put_int(out, order->cert_req_id);
    sound = put_template(out, order);
    put_controls(out, order);
    der_end(out, request);
    return sound;
}

/* POPOSigningKeyInput with `sender`. */
static void put_sk_input(struct buffer *out, const struct crmf_order *order)
{
    size_t input = der_begin(out, DER_SEQUENCE);

    der_put(out, DER_CONTEXT(0), order->sk_input_sender);
    buffer_append(out, order->spki);
    der_end(out, input);
}

/* POPOSigningKey. `request` is the CertRequest element. */
static bool put_signature(struct buffer *out, struct bytes request, const struct crmf_order *order,
                          struct arena *arena, struct error *err)
{
    enum key_kind kind = keys_kind(order->keys, order->key_name, NULL);
    enum digest_algorithm hash = signature_default_hash(kind);
    AUTO_STRUCT(buffer) input = BUFFER(order->sk_input_sender.len + order->spki.len + OVERHEAD);
    bool with_input = order->sk_input_sender.len > 0;
    struct bytes signature;
    size_t seq;

    if (with_input)
        put_sk_input(&input, order);
    if (buffer_failed(&input))
        return error_set(err, ERROR_MEMORY, "proof of possession");
    if (!keys_sign(order->keys, order->key_name, hash, with_input ? buffer_bytes(&input) : request, arena,
                   &signature, err))
        return false;
    seq = der_begin(out, DER_CONTEXT(1));
    if (with_input && !put_implicit(out, DER_CONTEXT(0), buffer_bytes(&input), DER_SEQUENCE))
        return error_set(err, ERROR_INTERNAL, "proof of possession");
    if (!signature_algorithm_put(out, kind, hash))
        return error_set(err, ERROR_UNSUPPORTED, "key %s cannot prove possession", order->key_name);
    der_put_bits(out, signature);
    der_end(out, seq);
    return true;
}

static bool put_pop(struct buffer *out, struct bytes request, const struct crmf_order *order,
                    struct arena *arena, struct error *err)
{
    switch (order->pop) {
    case CRMF_POP_ABSENT: return true;
    case CRMF_POP_RA_VERIFIED: der_put(out, DER_CONTEXT_PRIMITIVE(0), BYTES_NONE); return true;
    case CRMF_POP_SIGNATURE: return put_signature(out, request, order, arena, err);
    case CRMF_POP_OTHER: break;
    }
    return error_set(err, ERROR_UNSUPPORTED, "proof of possession of another kind");
}

bool crmf_put(struct buffer *out, const struct crmf_order *order, struct arena *arena, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(CRMF_LEN_MAX), message = BUFFER(CRMF_LEN_MAX);
    size_t seq;

    if (!put_request(&request, order))
        return error_set(err, ERROR_FORMAT, "public key of a request");
    seq = der_begin(&message, DER_SEQUENCE);
    buffer_append(&message, buffer_bytes(&request));
    if (!put_pop(&message, buffer_bytes(&request), order, arena, err))
        return false;
    der_end(&message, seq);
    if (!buffer_failed(&message) && !buffer_failed(&request))
        buffer_append(out, buffer_bytes(&message));
    if (buffer_failed(&message) || buffer_failed(&request) || buffer_failed(out))
        return error_set(err, ERROR_MEMORY, "request too long");
    return true;
}
