#include "lib/jose/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/base/encode.h"

enum { ES256_LEN = 64, ED25519_LEN = 64, RSA_LEN_MAX = 1024 };

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX_free)
AUTO_POINTER(ECDSA_SIG, ECDSA_SIG_free)

static const struct {
    enum jws_algorithm algorithm;
    const char *name;
    enum key_kind key;
    enum digest_algorithm hash;
} algorithms[] = {
    { JWS_ES256, "ES256", KEY_EC_P256, DIGEST_SHA256 }, /* RFC 7518 3.4 */
    { JWS_RS256, "RS256", KEY_RSA, DIGEST_SHA256 },     /* RFC 7518 3.3 */
    { JWS_EDDSA, "EdDSA", KEY_ED25519, DIGEST_NONE },   /* RFC 8037 3.1 */
};

/* --- reading --- */

static bool decode_part(struct bytes text, struct arena *arena, struct bytes *out)
{
    uint8_t *data = arena_alloc(arena, BASE64_DECODED_MAX(text.len));
    size_t len;

    if (data == NULL || !base64url_decode(text, data, &len))
        return false;
    *out = bytes_of(data, len);
    return true;
}

/* A text member of the header: absent, or of 1 to `max` bytes without control characters. */
static bool header_text(const json_t *header, const char *name, size_t max, struct arena *arena,
                        struct bytes *out)
{
    const json_t *value = json_object_get(header, name);
    struct bytes text = json_bytes(value);

    if (value == NULL)
        return true;
    if (text.len == 0 || text.len > max || bytes_has_control(text))
        return false;
    *out = arena_copy(arena, text);
    return out->data != NULL;
}

static bool header_time(const json_t *header, struct jws_header *out)
{
    const json_t *value = json_object_get(header, "iat");

    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    out->has_iat = true;
    out->iat_s = json_integer_value(value);
    return true;
}

static enum jws_fault read_header(struct bytes text, struct arena *arena, struct jws_header *out)
{
    AUTO(json_t) *header = json_read(text);
    struct bytes name = json_member(header, "alg");

    if (header == NULL)
        return JWS_MALFORMED;
    if (json_object_get(header, "crit") != NULL)
        return JWS_CRITICAL;
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (bytes_is(name, algorithms[i].name))
            out->algorithm = algorithms[i].algorithm;
    if (out->algorithm == JWS_ALGORITHM_NONE)
        return JWS_ALGORITHM;
    if (!header_text(header, "kid", JWS_KID_MAX, arena, &out->kid) ||
        !header_text(header, "url", JWS_URL_MAX, arena, &out->url) ||
        !header_text(header, "jti", JWS_JTI_MAX, arena, &out->jti) ||
        !header_text(header, "nonce", JWS_JTI_MAX, arena, &out->nonce) || !header_time(header, out))
        return JWS_MALFORMED;
    return JWS_OK;
}

enum jws_fault jws_parse(struct bytes text, struct arena *arena, struct jws *out)
{
    AUTO(json_t) *whole = text.len > JWS_MAX ? NULL : json_read(text);
    struct bytes protected_text = json_member(whole, "protected"), header;
    struct bytes payload_text = json_member(whole, "payload"),
                 signature_text = json_member(whole, "signature");
    struct jws jws = { 0 };
    enum jws_fault fault;

    if (whole == NULL || json_object_size(whole) != 3 || protected_text.len == 0 || signature_text.len == 0 ||
        !json_is_string(json_object_get(whole, "payload")))
        return JWS_MALFORMED;
    if (!decode_part(protected_text, arena, &header) || !decode_part(payload_text, arena, &jws.payload) ||
        !decode_part(signature_text, arena, &jws.signature))
        return JWS_MALFORMED;
    fault = read_header(header, arena, &jws.header);
    if (fault != JWS_OK)
        return fault;
    jws.signed_text = arena_format(arena, "%.*s.%.*s", BYTES_FMT(protected_text), BYTES_FMT(payload_text));
    if (jws.signed_text.data == NULL)
        return JWS_MEMORY;
    *out = jws;
    return JWS_OK;
}

/* --- verifying --- */

/* r || s as DER, which libcrypto wants (RFC 7518 3.4). */
static bool es256_to_der(struct bytes raw, uint8_t *der, size_t *len)
{
    AUTO(ECDSA_SIG) *signature = ECDSA_SIG_new();
    BIGNUM *r, *s;
    unsigned char *at = der;
    int written;

    if (raw.len != ES256_LEN || signature == NULL)
        return false;
    r = BN_bin2bn(raw.data, ES256_LEN / 2, NULL);
    s = BN_bin2bn(raw.data + ES256_LEN / 2, ES256_LEN / 2, NULL);
    if (!ECDSA_SIG_set0(signature, r, s)) { /* refuses NULL; nothing was taken */
        BN_free(r);
        BN_free(s);
        return false;
    }
    written = i2d_ECDSA_SIG(signature, &at);
    *len = written > 0 ? (size_t)written : 0;
    return written > 0;
}

static bool signature_holds(struct bytes spki, const char *hash, struct bytes message, struct bytes signature)
{
    const unsigned char *at = spki.data;
    AUTO(EVP_PKEY) *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();

    return key != NULL && md != NULL && EVP_DigestVerifyInit_ex(md, NULL, hash, NULL, NULL, key, NULL) == 1 &&
           EVP_DigestVerify(md, signature.data, signature.len, message.data, message.len) == 1;
}

enum jws_fault jws_verify(const struct jws *jws, struct bytes spki)
{
    enum key_kind kind = jwk_kind_of(spki);
    uint8_t der[ES256_LEN + 16];
    struct bytes signature = jws->signature;
    const char *hash = NULL;
    bool fits = false;
    size_t len;

    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (algorithms[i].algorithm == jws->header.algorithm && algorithms[i].key == kind) {
            hash = digest_name(algorithms[i].hash);
            fits = true;
        }
    if (!fits)
        return JWS_ALGORITHM;
    if (kind == KEY_EC_P256) {
        if (!es256_to_der(signature, der, &len))
            return JWS_SIGNATURE;
        signature = bytes_of(der, len);
    }
    return signature_holds(spki, hash, jws->signed_text, signature) ? JWS_OK : JWS_SIGNATURE;
}

/* --- signing --- */

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

bool jws_sign(const struct jws_header *header, struct bytes payload, const struct keys *keys,
              const char *name, struct arena *arena, struct bytes *text, struct error *err)
{
    AUTO_STRUCT(buffer) signed_text = BUFFER(2 * JWS_MAX);
    enum key_kind kind = keys_kind(keys, name, NULL);
    struct bytes protected_header, signature;

    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        if (algorithms[i].key != kind)
            continue;
        if (!write_header(header, algorithms[i].name, arena, &protected_header))
            return error_set(err, ERROR_MEMORY, "JWS header");
        base64url_encode(&signed_text, protected_header);
        buffer_append_byte(&signed_text, '.');
        base64url_encode(&signed_text, payload);
        if (buffer_failed(&signed_text))
            return error_set(err, ERROR_LIMIT, "JWS of more than %d bytes", JWS_MAX);
        if (!keys_sign_raw(keys, name, algorithms[i].hash, buffer_bytes(&signed_text), arena, &signature,
                           err))
            return false;
        if (!write_whole(buffer_bytes(&signed_text), signature, arena, text))
            return error_set(err, ERROR_MEMORY, "JWS");
        if (text->len > JWS_MAX)
            return error_set(err, ERROR_LIMIT, "JWS of more than %d bytes", JWS_MAX);
        return true;
    }
    return error_set(err, ERROR_UNSUPPORTED, "key %s cannot sign a JWS: EC P-256, RSA or Ed25519 wanted",
                     name);
}
