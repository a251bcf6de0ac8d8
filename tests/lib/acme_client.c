#include "tests/lib/acme_client.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/test.h"

enum { TEXT_MAX = 128 * 1024, HASH_LEN = 32 };

EVP_PKEY *acme_client_key(enum acme_client_key key)
{
    static EVP_PKEY *made[ACME_CLIENT_KEYS];

    if (made[key] != NULL)
        return made[key];
    switch (key) {
    case ACME_KEY_RSA: made[key] = EVP_RSA_gen(2048); break;
    case ACME_KEY_RSA_1024: made[key] = EVP_RSA_gen(1024); break;
    case ACME_KEY_ED25519: made[key] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
    case ACME_KEY_P384: made[key] = EVP_EC_gen("P-384"); break;
    case ACME_KEY_A:
    case ACME_KEY_B:
    case ACME_KEY_C:
    case ACME_CLIENT_KEYS: made[key] = EVP_EC_gen("P-256"); break;
    }
    assert_non_null(made[key]);
    return made[key];
}

static bool is_rsa(enum acme_client_key key)
{
    return key == ACME_KEY_RSA || key == ACME_KEY_RSA_1024;
}

const char *acme_client_alg(enum acme_client_key key)
{
    if (is_rsa(key))
        return "RS256";
    if (key == ACME_KEY_ED25519)
        return "EdDSA";
    return key == ACME_KEY_P384 ? "ES384" : "ES256";
}

const char *acme_text(struct arena *arena, const char *format, ...)
{
    va_list values;
    char *text;
    int len;

    va_start(values, format);
    len = vsnprintf(NULL, 0, format, values);
    va_end(values);
    assert_in_range(len, 0, TEXT_MAX);
    text = arena_alloc(arena, (size_t)len + 1);
    assert_non_null(text);
    va_start(values, format);
    (void)vsnprintf(text, (size_t)len + 1, format, values);
    va_end(values);
    return text;
}

/* Of OpenSSL's base64, with the other alphabet and without padding. */
const char *acme_client_base64url(struct arena *arena, struct bytes in)
{
    char *text = arena_alloc(arena, in.len / 3 * 4 + 8);
    int len;

    assert_non_null(text);
    len = EVP_EncodeBlock((unsigned char *)text, in.len > 0 ? in.data : (const uint8_t *)"", (int)in.len);
    while (len > 0 && text[len - 1] == '=')
        text[--len] = '\0';
    for (int i = 0; i < len; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    return text;
}

static const char *number(struct arena *arena, EVP_PKEY *key, const char *name)
{
    uint8_t octets[512];
    BIGNUM *value = NULL;
    int len;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &value), 1);
    len = BN_bn2bin(value, octets);
    BN_free(value);
    return acme_client_base64url(arena, bytes_of(octets, (size_t)len));
}

static const char *coordinate(struct arena *arena, EVP_PKEY *key, const char *name, int len)
{
    uint8_t octets[66];
    BIGNUM *value = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &value), 1);
    assert_int_equal(BN_bn2binpad(value, octets, len), len);
    BN_free(value);
    return acme_client_base64url(arena, bytes_of(octets, (size_t)len));
}

const char *acme_client_jwk(struct arena *arena, enum acme_client_key which)
{
    EVP_PKEY *key = acme_client_key(which);
    uint8_t raw[32];
    size_t len = sizeof(raw);
    int size = which == ACME_KEY_P384 ? 48 : 32;

    if (is_rsa(which))
        return acme_text(arena, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
                         number(arena, key, OSSL_PKEY_PARAM_RSA_E),
                         number(arena, key, OSSL_PKEY_PARAM_RSA_N));
    if (which == ACME_KEY_ED25519) {
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &len), 1);
        return acme_text(arena, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}",
                         acme_client_base64url(arena, bytes_of(raw, len)));
    }
    return acme_text(arena, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                     which == ACME_KEY_P384 ? "P-384" : "P-256",
                     coordinate(arena, key, OSSL_PKEY_PARAM_EC_PUB_X, size),
                     coordinate(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

static const char *hash64(struct arena *arena, const char *text)
{
    uint8_t hash[HASH_LEN];

    assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, text, strlen(text), hash, NULL), 1);
    return acme_client_base64url(arena, BYTES_ARRAY(hash));
}

const char *acme_client_thumbprint(struct arena *arena, enum acme_client_key key)
{
    return hash64(arena, acme_client_jwk(arena, key));
}

/* r || s, each `size` long. */
static struct bytes raw_ecdsa(struct arena *arena, struct bytes der, int size)
{
    const unsigned char *at = der.data;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    uint8_t *raw = arena_alloc(arena, 2 * (size_t)size);

    assert_non_null(parts);
    assert_non_null(raw);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(parts), raw, size), size);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(parts), raw + size, size), size);
    ECDSA_SIG_free(parts);
    return bytes_of(raw, 2 * (size_t)size);
}

static const char *sign(struct arena *arena, enum acme_client_key which, const char *text)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = which == ACME_KEY_ED25519 ? NULL
                       : which == ACME_KEY_P384  ? EVP_sha384()
                                                 : EVP_sha256();
    uint8_t *out = arena_alloc(arena, 1024);
    size_t len = 1024;
    struct bytes signature;

    assert_non_null(out);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, md, NULL, acme_client_key(which)), 1);
    assert_int_equal(EVP_DigestSign(ctx, out, &len, (const uint8_t *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    signature = bytes_of(out, len);
    if (!is_rsa(which) && which != ACME_KEY_ED25519)
        signature = raw_ecdsa(arena, signature, which == ACME_KEY_P384 ? 48 : 32);
    return acme_client_base64url(arena, signature);
}

struct bytes acme_client_jws(struct arena *arena, enum acme_client_key key, const char *header,
                             const char *payload)
{
    const char *first = acme_client_base64url(arena, bytes_text(header));
    const char *second = acme_client_base64url(arena, bytes_text(payload));
    const char *signature = sign(arena, key, acme_text(arena, "%s.%s", first, second));

    return bytes_text(acme_text(arena, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}",
                                first, second, signature));
}

const char *acme_client_mac(struct arena *arena, const char *secret, const char *header, const char *payload)
{
    const char *first = acme_client_base64url(arena, bytes_text(header));
    const char *second = acme_client_base64url(arena, bytes_text(payload));
    const char *all = acme_text(arena, "%s.%s", first, second);
    uint8_t mac[HASH_LEN];

    assert_non_null(
        HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)all, strlen(all), mac, NULL));
    return acme_text(arena, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", first, second,
                     acme_client_base64url(arena, BYTES_ARRAY(mac)));
}
