/* The protection of a PKIMessage, made and checked (RFC 9810 5.1.3). */
#include "proto/cmp/protect.h"

#include "lib/pki/names.h"

enum { HEADER_MAX = 64 * 1024, ALGORITHM_MAX = 1024 };

/* --- making --- */

static bool give(const struct buffer *written, struct arena *arena, struct bytes *out, struct error *err)
{
    struct bytes copy = buffer_failed(written) ? BYTES_NONE : arena_copy(arena, buffer_bytes(written));

    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "PKIMessage");
    *out = copy;
    return true;
}

static enum digest_algorithm hash_of(const struct cmp_protector *p)
{
    enum digest_algorithm by_default = signature_default_hash(keys_kind(p->keys, p->key_name, NULL));

    return by_default == DIGEST_NONE || p->hash == DIGEST_NONE ? by_default : p->hash; /* NONE: EdDSA */
}

static bool sender_put(const struct cmp_protector *p, struct cmp_header *header, struct arena *arena,
                       struct error *err)
{
    AUTO_STRUCT(buffer) name = BUFFER(HEADER_MAX);

    der_put(&name, DER_CONTEXT(GENERAL_NAME_DIRECTORY), p->certificate->subject.encoded);
    header->sender_kid = p->certificate->subject_key_id;
    return give(&name, arena, &header->sender, err);
}

/* What the header says of the protection: it is protected itself. */
static bool prepare(const struct cmp_protector *p, struct cmp_header *header, struct arena *arena,
                    struct error *err)
{
    AUTO_STRUCT(buffer) algorithm = BUFFER(ALGORITHM_MAX);

    switch (p->kind) {
    case CMP_PROTECTION_NONE: header->protection_alg = BYTES_NONE; return true;
    case CMP_PROTECTION_MAC:
        if (p->secret.len == 0 && p->mac_key == NULL)
            return error_set(err, ERROR_DENIED, "an empty secret protects nothing");
        password_mac_put(&algorithm, &p->mac);
        return give(&algorithm, arena, &header->protection_alg, err);
    case CMP_PROTECTION_SIGNATURE:
        if (keys_kind(p->keys, p->key_name, NULL) == KEY_NONE)
            return error_set(err, ERROR_NOT_FOUND, "no key %s", p->key_name);
        if (!signature_algorithm_put(&algorithm, keys_kind(p->keys, p->key_name, NULL), hash_of(p)))
            return error_set(err, ERROR_CRYPTO, "key %s does not sign with this hash", p->key_name);
        return give(&algorithm, arena, &header->protection_alg, err) && sender_put(p, header, arena, err);
    }
    return error_set(err, ERROR_INTERNAL, "no such protection");
}

static bool compute_mac(const struct cmp_protector *p, struct bytes part, uint8_t mac[DIGEST_MAX],
                        size_t *len)
{
    return p->mac_key != NULL ? password_mac_make(&p->mac, p->mac_key, part, mac, len)
                              : password_mac_compute(&p->mac, p->secret, part, mac, len);
}

static bool compute(const struct cmp_protector *p, struct bytes part, struct arena *arena,
                    struct bytes *protection, struct error *err)
{
    uint8_t mac[DIGEST_MAX];
    size_t len;

    switch (p->kind) {
    case CMP_PROTECTION_NONE: *protection = BYTES_NONE; return true;
    case CMP_PROTECTION_MAC:
        if (!compute_mac(p, part, mac, &len))
            return error_openssl(err, "MAC");
        *protection = arena_copy(arena, bytes_of(mac, len));
        return protection->data != NULL ? true : error_set(err, ERROR_MEMORY, "MAC");
    case CMP_PROTECTION_SIGNATURE:
        return keys_sign(p->keys, p->key_name, hash_of(p), part, arena, protection, err);
    }
    return error_set(err, ERROR_INTERNAL, "no such protection");
}

bool cmp_protect(const struct cmp_protector *protector, struct cmp_header header, enum cmp_body body,
                 struct bytes content, const struct bytes *extra_cert, size_t extra_cert_count,
                 struct arena *arena, struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) head = BUFFER(HEADER_MAX);
    AUTO_STRUCT(buffer) tagged = BUFFER(content.len + CMP_MESSAGE_MAX); /* a certificate list may be long */
    AUTO_STRUCT(buffer) out = BUFFER(content.len + CMP_MESSAGE_MAX);
    struct cmp_message message = { .body = body };
    struct bytes part, protection = BYTES_NONE;

    if (!prepare(protector, &header, arena, err))
        return false;
    cmp_header_put(&head, &header);
    cmp_body_put(&tagged, body, content);
    message.header_encoded = buffer_bytes(&head);
    message.body_encoded = buffer_bytes(&tagged);
    if (buffer_failed(&head) || buffer_failed(&tagged) || !cmp_protected_part(&message, arena, &part))
        return error_set(err, ERROR_MEMORY, "PKIMessage");
    if (!compute(protector, part, arena, &protection, err))
        return false;
    cmp_message_put(&out, message.header_encoded, message.body_encoded, protection, extra_cert,
                    extra_cert_count);
    return give(&out, arena, der, err);
}

/* --- checking --- */

enum cmp_protection_kind cmp_protection_of(const struct cmp_message *message)
{
    if (message->header.protection_alg.data == NULL && !message->has_protection)
        return CMP_PROTECTION_NONE;
    return password_mac_is(message->header.protection_alg) ? CMP_PROTECTION_MAC : CMP_PROTECTION_SIGNATURE;
}

enum signature_fault cmp_verify_signature(const struct cmp_message *message, const struct public_key *key,
                                          struct arena *arena)
{
    struct bytes part;

    if (!message->has_protection || message->header.protection_alg.data == NULL)
        return SIGNATURE_WRONG;
    if (!cmp_protected_part(message, arena, &part))
        return SIGNATURE_INTERNAL;
    return signature_verify(key, message->header.protection_alg, part, message->protection, false);
}

static bool is_signer(const struct cmp_header *header, const struct distinguished_name *sender,
                      const struct certificate *c)
{
    if (header->sender_kid.data != NULL && !bytes_equal(header->sender_kid, c->subject_key_id))
        return false;
    return bytes_equal(header->sender_name, c->subject.encoded) || name_equal(sender, &c->subject);
}

bool cmp_signer_certificate(const struct cmp_message *message, struct arena *arena, struct certificate *out)
{
    struct distinguished_name sender;

    if (name_decode_lenient(message->header.sender_name, arena, &sender) != NAME_OK)
        return false;
    for (size_t i = 0; i < message->extra_cert_count; i++) {
        struct certificate c;

        if (certificate_decode(message->extra_cert[i], arena, &c) &&
            is_signer(&message->header, &sender, &c)) {
            *out = c;
            return true;
        }
    }
    return false;
}
