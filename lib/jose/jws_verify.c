#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "lib/base/encode.h"
#include "lib/jose/jwk_internal.h"
#include "lib/jose/jws_internal.h"

enum { RAW_MAX = 132, DER_MAX = RAW_MAX + 16 };

AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX_free)
AUTO_POINTER(ECDSA_SIG, ECDSA_SIG_free)

/* r || s as DER, which libcrypto wants (RFC 7518 3.4). */
static bool raw_to_der(struct bytes raw, size_t raw_len, uint8_t der[DER_MAX], size_t *len)
{
    AUTO(ECDSA_SIG) *signature = ECDSA_SIG_new();
    int half = (int)(raw_len / 2);
    BIGNUM *r, *s;
    unsigned char *at = der;
    int written;

    if (raw.len != raw_len || raw_len > RAW_MAX || signature == NULL)
        return false;
    r = BN_bin2bn(raw.data, half, NULL);
    s = BN_bin2bn(raw.data + half, half, NULL);
    if (!ECDSA_SIG_set0(signature, r, s)) { /* refuses NULL; nothing was taken */
        BN_free(r);
        BN_free(s);
        return false;
    }
    written = i2d_ECDSA_SIG(signature, &at);
    *len = written > 0 ? (size_t)written : 0;
    return written > 0;
}

/* RFC 7518 3.5: the salt is as long as the hash, MGF1 uses the same. */
static bool set_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static enum jws_fault verify_ec(const struct jws *jws, const struct jws_kind *kind, struct bytes spki)
{
    EVP_PKEY_CTX *ctx = jwk_ec_verifier(spki, kind->key);
    uint8_t der[DER_MAX], hash[DIGEST_MAX];
    size_t len, hash_len;

    if (ctx == NULL)
        return JWS_ALGORITHM;
    return raw_to_der(jws->signature, kind->raw_len, der, &len) &&
                   digest(kind->hash, jws->signed_text, hash, &hash_len) && EVP_PKEY_verify_init(ctx) == 1 &&
                   EVP_PKEY_verify(ctx, der, len, hash, hash_len) == 1
               ? JWS_OK
               : JWS_SIGNATURE;
}

static enum jws_fault verify_whole(const struct jws *jws, const struct jws_kind *kind, struct bytes spki)
{
    enum key_kind found = KEY_NONE;
    AUTO(EVP_PKEY) *key = jwk_evp(spki, &found);
    AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL; /* of md */

    if (kind->key != found)
        return JWS_ALGORITHM;
    return md != NULL &&
                   EVP_DigestVerifyInit_ex(md, &ctx, digest_name(kind->hash), NULL, NULL, key, NULL) == 1 &&
                   (!kind->pss || set_pss(ctx)) &&
                   EVP_DigestVerify(md, jws->signature.data, jws->signature.len, jws->signed_text.data,
                                    jws->signed_text.len) == 1
               ? JWS_OK
               : JWS_SIGNATURE;
}

enum jws_fault jws_verify(const struct jws *jws, struct bytes spki)
{
    const struct jws_kind *kind = jws_kind_of(jws->header.algorithm);

    if (kind == NULL || kind->key == KEY_NONE)
        return JWS_ALGORITHM;
    return kind->raw_len > 0 ? verify_ec(jws, kind, spki) : verify_whole(jws, kind, spki);
}

enum jws_fault jws_verify_mac(const struct jws *jws, struct bytes key)
{
    const struct jws_kind *kind = jws_kind_of(jws->header.algorithm);
    uint8_t mac[DIGEST_MAX];
    size_t len;

    if (kind == NULL || kind->key != KEY_NONE)
        return JWS_ALGORITHM;
    if (key.len == 0 || !hmac(kind->hash, key, jws->signed_text, mac, &len))
        return JWS_SIGNATURE;
    return bytes_equal_constant_time(jws->signature, bytes_of(mac, len)) ? JWS_OK : JWS_SIGNATURE;
}
