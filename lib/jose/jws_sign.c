#include "lib/base/encode.h"
#include "lib/jose/jws_internal.h"

static bool header_put(json_t *header, const char *name, struct bytes value)
{
    return value.len == 0 || json_put_text(header, name, value);
}

static bool write_header(const struct jws_header *in, const char *algorithm, struct arena *arena,
                         struct bytes *out)
{
    AUTO(json_t) *header = json_object();

    return header != NULL && json_put(header, "alg", json_string(algorithm)) &&
           header_put(header, "kid", in->kid) && header_put(header, "url", in->url) &&
           header_put(header, "jti", in->jti) && header_put(header, "nonce", in->nonce) &&
           (in->jwk.len == 0 || json_put(header, "jwk", jwk_of_spki(in->jwk))) &&
           (!in->has_iat || json_put(header, "iat", json_integer(in->iat_s))) &&
           json_write(header, arena, out);
}

static bool write_whole(struct bytes signed_text, struct bytes signature, struct arena *arena,
                        struct bytes *text)
{
    AUTO(json_t) *whole = json_object();
    size_t dot = bytes_find(signed_text, '.');

    return whole != NULL && json_put_text(whole, "protected", bytes_slice(signed_text, 0, dot)) &&
           json_put_text(whole, "payload", bytes_from(signed_text, dot + 1)) &&
           json_put_base64url(whole, "signature", signature) && json_write(whole, arena, text);
}

/* protected "." payload. */
static bool write_signed_text(const struct jws_header *header, const char *algorithm, struct bytes payload,
                              struct arena *arena, struct buffer *out, struct error *err)
{
    struct bytes protected_header;

    if (!write_header(header, algorithm, arena, &protected_header))
        return error_set(err, ERROR_MEMORY, "JWS header");
    base64url_encode(out, protected_header);
    buffer_append_byte(out, '.');
    base64url_encode(out, payload);
    return !buffer_failed(out) || error_set(err, ERROR_LIMIT, "JWS of more than %d bytes", JWS_MAX);
}

static bool finish(struct bytes signed_text, struct bytes signature, struct arena *arena, struct bytes *text,
                   struct error *err)
{
    struct bytes whole;

    if (!write_whole(signed_text, signature, arena, &whole))
        return error_set(err, ERROR_MEMORY, "JWS");
    if (whole.len > JWS_MAX)
        return error_set(err, ERROR_LIMIT, "JWS of more than %d bytes", JWS_MAX);
    *text = whole;
    return true;
}

bool jws_sign(const struct jws_rules *rules, const struct jws_header *header, struct bytes payload,
              const struct keys *keys, const char *name, struct arena *arena, struct bytes *text,
              struct error *err)
{
    AUTO_STRUCT(buffer) signed_text = BUFFER(2 * JWS_MAX);
    enum key_kind key = keys_kind(keys, name, NULL);
    struct bytes signature;

    for (size_t i = 0; i < JWS_KINDS; i++) {
        const struct jws_kind *kind = &jws_kinds[i];

        if (key == KEY_NONE || kind->key != key || kind->pss ||
            (rules->algorithms & JWS_SET(kind->algorithm)) == 0)
            continue;
        return write_signed_text(header, kind->name, payload, arena, &signed_text, err) &&
               keys_sign_raw(keys, name, kind->hash, buffer_bytes(&signed_text), arena, &signature, err) &&
               finish(buffer_bytes(&signed_text), signature, arena, text, err);
    }
    return error_set(err, ERROR_UNSUPPORTED, "key %s cannot sign this JWS: its kind has no algorithm here",
                     name);
}

bool jws_sign_mac(const struct jws_header *header, struct bytes payload, struct bytes key,
                  struct arena *arena, struct bytes *text, struct error *err)
{
    const struct jws_kind *kind = jws_kind_of(header->algorithm);
    AUTO_STRUCT(buffer) signed_text = BUFFER(2 * JWS_MAX);
    uint8_t mac[DIGEST_MAX];
    size_t len;

    if (kind == NULL || kind->key != KEY_NONE || key.len == 0)
        return error_set(err, ERROR_UNSUPPORTED, "no MAC, or no key for it");
    if (!write_signed_text(header, kind->name, payload, arena, &signed_text, err))
        return false;
    if (!hmac(kind->hash, key, buffer_bytes(&signed_text), mac, &len))
        return error_openssl(err, "HMAC");
    return finish(buffer_bytes(&signed_text), bytes_of(mac, len), arena, text, err);
}
