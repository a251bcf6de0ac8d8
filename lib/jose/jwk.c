#include "lib/jose/jwk_internal.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "lib/base/encode.h"
#include "lib/keys/ec_point.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_EXPONENT_MAX = 8, SPKI_MAX = 2048 };

AUTO_POINTER(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
AUTO_POINTER(OSSL_PARAM, OSSL_PARAM_free)
AUTO_POINTER(BIGNUM, BN_free)

/* The SubjectPublicKeyInfo of these differs in the key alone (RFC 5480 2, RFC 8410 4). */
static const uint8_t p256_head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
static const uint8_t p384_head[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                     0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04 };
static const uint8_t p521_head[] = { 0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                     0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
                                     0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04 };
static const uint8_t ed25519_head[] = {
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
};

static const struct curve {
    enum key_kind kind;
    const char *kty, *crv;
    struct bytes head;
    size_t coordinate_len;
    bool has_y;
} curves[] = {
    { KEY_EC_P256, "EC", "P-256", { p256_head, sizeof(p256_head) }, 32, true },
    { KEY_EC_P384, "EC", "P-384", { p384_head, sizeof(p384_head) }, 48, true },
    { KEY_EC_P521, "EC", "P-521", { p521_head, sizeof(p521_head) }, 66, true },
    { KEY_ED25519, "OKP", "Ed25519", { ed25519_head, sizeof(ed25519_head) }, 32, false },
};

static const struct curve *curve_of(struct bytes spki)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        const struct curve *c = &curves[i];

        if (spki.len == c->head.len + c->coordinate_len * (c->has_y ? 2 : 1) &&
            bytes_equal(bytes_slice(spki, 0, c->head.len), c->head))
            return c;
    }
    return NULL;
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
    AUTO(BIGNUM) *n = NULL;

    return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN &&
           EVP_PKEY_get_bits(key) <= RSA_BITS_MAX && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
           BN_is_odd(e) && !BN_is_one(e) && BN_num_bytes(e) <= RSA_EXPONENT_MAX &&
           EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) && BN_is_odd(n);
}

/* With the octet that says uncompressed. */
static struct bytes point_of(const struct curve *curve, struct bytes spki)
{
    return bytes_from(spki, curve->head.len - 1);
}

/* The head has said which curve and which form it is; the points of the last one are not checked before they
 * are used. */
static EVP_PKEY *on_curve(const struct curve *curve, struct bytes spki)
{
    struct bytes point = point_of(curve, spki);

    if (curve->has_y)
        return ec_point_key(curve->kind, point);
    return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, point.data + 1, point.len - 1);
}

EVP_PKEY *jwk_evp(struct bytes spki, enum key_kind *kind)
{
    const struct curve *curve = curve_of(spki);
    AUTO(EVP_PKEY) *key = curve != NULL ? on_curve(curve, spki) : decoded(spki);

    if (key == NULL || (curve == NULL && !is_sound_rsa(key)))
        return NULL;
    *kind = curve != NULL ? curve->kind : KEY_RSA;
    return take(key);
}

EVP_PKEY_CTX *jwk_ec_verifier(struct bytes spki, enum key_kind kind)
{
    const struct curve *curve = curve_of(spki);

    return curve != NULL && curve->kind == kind ? ec_point_verifier(kind, point_of(curve, spki)) : NULL;
}

enum key_kind jwk_kind_of(struct bytes spki)
{
    enum key_kind kind = KEY_NONE;

    EVP_PKEY_free(jwk_evp(spki, &kind));
    return kind;
}

bool jwk_is_of(struct bytes spki, unsigned kinds)
{
    enum key_kind kind = jwk_kind_of(spki);

    return kind != KEY_NONE && (kinds & JWK_KIND(kind)) != 0;
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

static bool put_curve(json_t *jwk, const struct curve *curve, struct bytes spki)
{
    struct bytes point = bytes_from(spki, curve->head.len);

    return json_put(jwk, "kty", json_string(curve->kty)) && json_put(jwk, "crv", json_string(curve->crv)) &&
           json_put_base64url(jwk, "x", bytes_slice(point, 0, curve->coordinate_len)) &&
           (!curve->has_y || json_put_base64url(jwk, "y", bytes_from(point, curve->coordinate_len)));
}

static bool put_key(json_t *jwk, struct bytes spki)
{
    const struct curve *curve = curve_of(spki);

    if (jwk_kind_of(spki) == KEY_NONE)
        return false;
    return curve != NULL ? put_curve(jwk, curve, spki) : put_rsa(jwk, spki);
}

json_t *jwk_of_spki(struct bytes spki)
{
    AUTO(json_t) *jwk = json_object();

    return jwk != NULL && put_key(jwk, spki) ? take(jwk) : NULL;
}

/* Appends the decoded member, which is `len` long (0: any up to the limit). */
static enum jwk_fault take_member(const json_t *jwk, const char *name, size_t len, struct buffer *out)
{
    struct bytes text = json_member(jwk, name);
    uint8_t value[RSA_BITS_MAX / 8 + 3];
    size_t value_len;

    if (text.len == 0)
        return JWK_MALFORMED;
    if (text.len > (sizeof(value) - 3) * 4 / 3 + 2 || BASE64_DECODED_MAX(text.len) > sizeof(value) + 3)
        return JWK_BAD;
    if (!base64url_decode(text, value, &value_len))
        return JWK_MALFORMED;
    if (len != 0 && value_len != len)
        return JWK_BAD;
    buffer_append(out, bytes_of(value, value_len));
    return buffer_failed(out) ? JWK_BAD : JWK_OK;
}

static enum jwk_fault take_number(const json_t *jwk, const char *name, BIGNUM **out)
{
    AUTO_STRUCT(buffer) value = BUFFER(RSA_BITS_MAX / 8);
    enum jwk_fault fault = take_member(jwk, name, 0, &value);

    if (fault != JWK_OK)
        return fault;
    if (value.data[0] == 0) /* Base64urlUInt, RFC 7518 2: the fewest octets */
        return JWK_MALFORMED;
    *out = BN_bin2bn(value.data, (int)value.len, NULL);
    return *out != NULL ? JWK_OK : JWK_MEMORY;
}

static bool put_rsa_spki(const BIGNUM *n, const BIGNUM *e, struct buffer *out)
{
    AUTO(OSSL_PARAM_BLD) *build = OSSL_PARAM_BLD_new();
    AUTO(OSSL_PARAM) *parameters = NULL;
    AUTO(EVP_PKEY_CTX) *make = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    AUTO(EVP_PKEY) *key = NULL;
    unsigned char *der = NULL;
    int len;

    if (build == NULL || make == NULL || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) ||
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

static enum jwk_fault read_rsa(const json_t *jwk, struct buffer *out)
{
    AUTO(BIGNUM) *n = NULL;
    AUTO(BIGNUM) *e = NULL;
    enum jwk_fault fault = take_number(jwk, "n", &n);

    if (fault == JWK_OK)
        fault = take_number(jwk, "e", &e);
    if (fault == JWK_OK && !put_rsa_spki(n, e, out))
        fault = JWK_BAD;
    return fault;
}

static enum jwk_fault read_curve(const json_t *jwk, struct buffer *out)
{
    struct bytes kty = json_member(jwk, "kty"), crv = json_member(jwk, "crv");
    enum jwk_fault fault;

    if (crv.len == 0)
        return JWK_MALFORMED;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        const struct curve *curve = &curves[i];

        if (!bytes_is(kty, curve->kty) || !bytes_is(crv, curve->crv))
            continue;
        buffer_append(out, curve->head);
        fault = take_member(jwk, "x", curve->coordinate_len, out);
        if (fault == JWK_OK && curve->has_y)
            fault = take_member(jwk, "y", curve->coordinate_len, out);
        return fault;
    }
    return JWK_BAD;
}

static bool is_public(const json_t *jwk)
{
    static const char *const private_member[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };

    for (size_t i = 0; i < COUNT_OF(private_member); i++)
        if (json_object_get(jwk, private_member[i]) != NULL)
            return false;
    return true;
}

static enum jwk_fault read_key(const json_t *jwk, struct buffer *out)
{
    struct bytes kty = json_member(jwk, "kty");

    if (kty.len == 0)
        return JWK_MALFORMED;
    if (!is_public(jwk))
        return JWK_BAD;
    if (bytes_is(kty, "RSA"))
        return read_rsa(jwk, out);
    return bytes_is(kty, "EC") || bytes_is(kty, "OKP") ? read_curve(jwk, out) : JWK_BAD;
}

enum jwk_fault jwk_read(const json_t *jwk, unsigned kinds, struct arena *arena, struct bytes *spki)
{
    AUTO_STRUCT(buffer) der = BUFFER(SPKI_MAX);
    enum jwk_fault fault = read_key(jwk, &der);
    struct bytes copy;

    if (fault != JWK_OK)
        return fault;
    if (buffer_failed(&der) || !jwk_is_of(buffer_bytes(&der), kinds))
        return JWK_BAD;
    copy = arena_copy(arena, buffer_bytes(&der));
    if (copy.data == NULL)
        return JWK_MEMORY;
    *spki = copy;
    return JWK_OK;
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
