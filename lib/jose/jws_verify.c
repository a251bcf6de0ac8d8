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

static bool signature_holds(EVP_PKEY *key, const struct jws_kind *kind, struct bytes message,
                            struct bytes signature)
{
    AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL; /* of md */

    return md != NULL &&
           EVP_DigestVerifyInit_ex(md, &ctx, digest_name(kind->hash), NULL, NULL, key, NULL) == 1 &&
           (!kind->pss || set_pss(ctx)) &&
           EVP_DigestVerify(md, signature.data, signature.len, message.data, message.len) == 1;
}

enum jws_fault jws_verify(const struct jws *jws, struct bytes spki)
{
    const struct jws_kind *kind = jws_kind_of(jws->header.algorithm);
    struct bytes signature = jws->signature;
    enum key_kind found = KEY_NONE;
    AUTO(EVP_PKEY) *key = jwk_evp(spki, &found);
    uint8_t der[DER_MAX];
    size_t len;

    if (kind == NULL || kind->key == KEY_NONE || kind->key != found)
        return JWS_ALGORITHM;
    if (kind->raw_len > 0) {
        if (!raw_to_der(signature, kind->raw_len, der, &len))
            return JWS_SIGNATURE;
        signature = bytes_of(der, len);
    }
    return signature_holds(key, kind, jws->signed_text, signature) ? JWS_OK : JWS_SIGNATURE;
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
