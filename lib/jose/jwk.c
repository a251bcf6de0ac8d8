#include "lib/jose/jwk.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "lib/base/encode.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_EXPONENT_MAX = 8, SPKI_MAX = 2048 };

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_POINTER(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
AUTO_POINTER(OSSL_PARAM, OSSL_PARAM_free)
AUTO_POINTER(BIGNUM, BN_free)

/* The SubjectPublicKeyInfo of these two differs in the key alone (RFC 5480 2, RFC 8410 4). */
static const uint8_t p256_head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
static const uint8_t ed25519_head[] = {
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
};
enum { COORDINATE_LEN = 32 };

static bool has_head(struct bytes spki, struct bytes head, size_t key_len)
{
    return spki.len == head.len + key_len && bytes_equal(bytes_slice(spki, 0, head.len), head);
}

/* Decoded, and written in exactly this one way. */
static EVP_PKEY *decoded(struct bytes spki)
{
    const unsigned char *at = spki.data;
    AUTO(EVP_PKEY) *key = NULL;
    unsigned char *again = NULL;
    bool same;
    int len;

    if (spki.len == 0 || spki.len > SPKI_MAX)
        return NULL;
    key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    if (key == NULL)
        return NULL;
    len = i2d_PUBKEY(key, &again);
    same = len > 0 && bytes_equal(spki, bytes_of(again, (size_t)len));
    OPENSSL_free(again);
    return same ? take(key) : NULL;
}

static bool is_sound_rsa(const EVP_PKEY *key)
{
    AUTO(BIGNUM) *e = NULL;

    return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN &&
           EVP_PKEY_get_bits(key) <= RSA_BITS_MAX && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
           BN_is_odd(e) && !BN_is_one(e) && BN_num_bytes(e) <= RSA_EXPONENT_MAX;
}

enum key_kind jwk_kind_of(struct bytes spki)
{
    AUTO(EVP_PKEY) *key = decoded(spki);

    if (key == NULL)
        return KEY_NONE;
    if (has_head(spki, BYTES_ARRAY(p256_head), 2 * COORDINATE_LEN))
        return KEY_EC_P256; /* the decoder has checked that the point is on the curve */
    if (has_head(spki, BYTES_ARRAY(ed25519_head), COORDINATE_LEN))
        return KEY_ED25519;
    return is_sound_rsa(key) ? KEY_RSA : KEY_NONE;
}

static bool put_number(json_t *jwk, const char *name, const EVP_PKEY *key, const char *parameter)
{
    AUTO(BIGNUM) *n = NULL;
    uint8_t magnitude[RSA_BITS_MAX / 8];

    if (!EVP_PKEY_get_bn_param(key, parameter, &n) || BN_num_bytes(n) > (int)sizeof(magnitude))
        return false;
    return json_put_base64url(jwk, name, bytes_of(magnitude, (size_t)BN_bn2bin(n, magnitude)));
}

static bool put_rsa(json_t *jwk, struct bytes spki)
{
    AUTO(EVP_PKEY) *key = decoded(spki);

    return key != NULL && put_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N) &&
           put_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E) && json_put(jwk, "kty", json_string("RSA"));
}

static bool put_key(json_t *jwk, struct bytes spki)
{
    struct bytes point = bytes_from(spki, sizeof(p256_head));

    switch (jwk_kind_of(spki)) {
    case KEY_EC_P256:
        return json_put(jwk, "kty", json_string("EC")) && json_put(jwk, "crv", json_string("P-256")) &&
               json_put_base64url(jwk, "x", bytes_slice(point, 0, COORDINATE_LEN)) &&
               json_put_base64url(jwk, "y", bytes_from(point, COORDINATE_LEN));
    case KEY_ED25519:
        return json_put(jwk, "kty", json_string("OKP")) && json_put(jwk, "crv", json_string("Ed25519")) &&
               json_put_base64url(jwk, "x", bytes_from(spki, sizeof(ed25519_head)));
    case KEY_RSA: return put_rsa(jwk, spki);
    case KEY_NONE:
    case KEY_RSA_PSS:
    case KEY_EC_P384:
    case KEY_EC_P521:
    case KEY_ED448: break;
    }
    return false;
}

json_t *jwk_of_spki(struct bytes spki)
{
    AUTO(json_t) *jwk = json_object();

    return jwk != NULL && put_key(jwk, spki) ? take(jwk) : NULL;
}

/* Appends the decoded member; false when it is not base64url or not `len` long (0: any up to the limit). */
static bool take_member(const json_t *jwk, const char *name, size_t len, struct buffer *out)
{
    struct bytes text = json_member(jwk, name);
    uint8_t value[RSA_BITS_MAX / 8 + 3];
    size_t value_len;

    if (text.len == 0 || BASE64_DECODED_MAX(text.len) > sizeof(value) + 3 ||
        text.len > (sizeof(value) - 3) * 4 / 3 + 2 || !base64url_decode(text, value, &value_len) ||
        (len != 0 && value_len != len))
        return false;
    buffer_append(out, bytes_of(value, value_len));
    return !buffer_failed(out);
}

static bool take_number(const json_t *jwk, const char *name, BIGNUM **out)
{
    AUTO_STRUCT(buffer) value = BUFFER(RSA_BITS_MAX / 8);

    /* Base64urlUInt, RFC 7518 2: the fewest octets */
    if (!take_member(jwk, name, 0, &value) || value.data[0] == 0)
        return false;
    *out = BN_bin2bn(value.data, (int)value.len, NULL);
    return *out != NULL;
}

static bool rsa_to_spki(const json_t *jwk, struct buffer *out)
{
    AUTO(BIGNUM) *n = NULL;
    AUTO(BIGNUM) *e = NULL;
    AUTO(OSSL_PARAM_BLD) *build = OSSL_PARAM_BLD_new();
    AUTO(OSSL_PARAM) *parameters = NULL;
    AUTO(EVP_PKEY_CTX) *make = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    AUTO(EVP_PKEY) *key = NULL;
    unsigned char *der = NULL;
    int len;

    if (build == NULL || make == NULL || !take_number(jwk, "n", &n) || !take_number(jwk, "e", &e) ||
        !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) ||
        (parameters = OSSL_PARAM_BLD_to_param(build)) == NULL || EVP_PKEY_fromdata_init(make) <= 0 ||
        EVP_PKEY_fromdata(make, &key, EVP_PKEY_PUBLIC_KEY, parameters) <= 0)
        return false;
    len = i2d_PUBKEY(key, &der);
    if (len > 0)
        buffer_append(out, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return len > 0;
}

static bool is_public(const json_t *jwk)
{
    static const char *const private_member[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };

    for (size_t i = 0; i < COUNT_OF(private_member); i++)
        if (json_object_get(jwk, private_member[i]) != NULL)
            return false;
    return true;
}

bool jwk_to_spki(const json_t *jwk, struct arena *arena, struct bytes *spki)
{
    AUTO_STRUCT(buffer) der = BUFFER(SPKI_MAX);
    struct bytes kty = json_member(jwk, "kty"), crv = json_member(jwk, "crv"), copy;
    bool taken = false;

    if (!is_public(jwk))
        return false;
    if (bytes_is(kty, "EC") && bytes_is(crv, "P-256")) {
        buffer_append(&der, BYTES_ARRAY(p256_head));
        taken = take_member(jwk, "x", COORDINATE_LEN, &der) && take_member(jwk, "y", COORDINATE_LEN, &der);
    } else if (bytes_is(kty, "OKP") && bytes_is(crv, "Ed25519")) {
        buffer_append(&der, BYTES_ARRAY(ed25519_head));
        taken = take_member(jwk, "x", COORDINATE_LEN, &der);
    } else if (bytes_is(kty, "RSA")) {
        taken = rsa_to_spki(jwk, &der);
    }
    if (!taken || buffer_failed(&der) || jwk_kind_of(buffer_bytes(&der)) == KEY_NONE)
        return false;
    copy = arena_copy(arena, buffer_bytes(&der));
    if (copy.data == NULL)
        return false;
    *spki = copy;
    return true;
}

bool jwk_thumbprint(struct bytes spki, char out[JWK_THUMBPRINT_LEN + 1])
{
    AUTO(json_t) *jwk = jwk_of_spki(spki);
    AUTO_STRUCT(buffer) text = BUFFER(JWK_THUMBPRINT_LEN);
    char *canonical = jwk == NULL ? NULL : json_dumps(jwk, JSON_COMPACT | JSON_SORT_KEYS);
    struct digest256 digest;
    bool hashed = canonical != NULL && sha256(bytes_text(canonical), &digest);

    free(canonical);
    if (!hashed)
        return false;
    base64url_encode(&text, digest256_bytes(&digest));
    if (buffer_failed(&text) || text.len != JWK_THUMBPRINT_LEN)
        return false;
    memcpy(out, text.data, JWK_THUMBPRINT_LEN);
    out[JWK_THUMBPRINT_LEN] = '\0';
    return true;
}
