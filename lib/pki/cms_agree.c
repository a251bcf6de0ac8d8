/* EnvelopedData for a certificate whose key agrees on keys (RFC 5652 6.2.2, RFC 5753 3.1.1). */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "lib/pki/cms_internal.h"
#include "lib/pki/public_key_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

enum {
    OVERHEAD = 16 * 1024,
    KEK_LEN = 32,
    SHARED_MAX = 66,
    WRAPPED_MAX = CIPHER_KEY_MAX + 8,
    POINT_MAX = 133
};

static const struct bytes std_dh_sha256_kdf = OID("\x2b\x81\x04\x01\x0b\x01");
static const struct bytes aes_256_wrap = OID("\x60\x86\x48\x01\x65\x03\x04\x01\x2d");
static const struct bytes ec_public_key = OID("\x2a\x86\x48\xce\x3d\x02\x01");

AUTO_POINTER(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
AUTO_POINTER(EVP_CIPHER, EVP_CIPHER_free)
AUTO_POINTER(EVP_KDF, EVP_KDF_free)
AUTO_POINTER(EVP_KDF_CTX, EVP_KDF_CTX_free)

/* A key on the recipient's curve, for this one message, and what both sides can compute. */
struct agreement {
    uint8_t point[POINT_MAX]; /* the ephemeral public key */
    size_t point_len;
    uint8_t shared[SHARED_MAX];
    size_t shared_len;
};

static const char *curve_name(enum key_kind kind)
{
    switch (kind) {
    case KEY_EC_P256: return "P-256";
    case KEY_EC_P384: return "P-384";
    case KEY_EC_P521: return "P-521";
    case KEY_NONE:
    case KEY_RSA:
    case KEY_RSA_PSS:
    case KEY_ED25519:
    case KEY_ED448: break;
    }
    return NULL;
}

static bool agree(const struct certificate *recipient, struct agreement *out, struct error *err)
{
    const char *curve = curve_name(recipient->key.kind);
    AUTO(EVP_PKEY) *theirs = curve == NULL ? NULL : public_key_evp(&recipient->key);
    AUTO(EVP_PKEY) *ours = theirs == NULL ? NULL : EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
    AUTO(EVP_PKEY_CTX) *ctx = ours == NULL ? NULL : EVP_PKEY_CTX_new(ours, NULL);

    if (curve == NULL)
        return error_set(err, ERROR_UNSUPPORTED, "a recipient whose key is on no NIST curve");
    out->shared_len = sizeof(out->shared);
    if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, theirs) != 1 ||
        EVP_PKEY_derive(ctx, out->shared, &out->shared_len) != 1 ||
        EVP_PKEY_get_octet_string_param(ours, OSSL_PKEY_PARAM_PUB_KEY, out->point, sizeof(out->point),
                                        &out->point_len) != 1)
        return error_openssl(err, "key agreement");
    return true;
}

static void put_wrap_algorithm(struct buffer *out)
{
    size_t algorithm = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, aes_256_wrap);
    der_end(out, algorithm);
}

/* ECC-CMS-SharedInfo (RFC 5753 7.2): what the key is for, and its length in bits. */
static void put_shared_info(struct buffer *out)
{
    static const uint8_t bits[] = { 0, 0, KEK_LEN * 8 >> 8, KEK_LEN * 8 & 0xff };
    size_t info = der_begin(out, DER_SEQUENCE), tagged;

    put_wrap_algorithm(out);
    tagged = der_begin(out, DER_CONTEXT(2));
    der_put(out, DER_OCTET_STRING, BYTES_ARRAY(bits));
    der_end(out, tagged);
    der_end(out, info);
}

static bool derive(const struct agreement *agreement, struct secret *kek)
{
    AUTO_STRUCT(buffer) info = BUFFER(256);
    AUTO(EVP_KDF) *kdf = EVP_KDF_fetch(NULL, "X963KDF", NULL);
    AUTO(EVP_KDF_CTX) *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[4], *p = params;

    put_shared_info(&info);
    if (ctx == NULL || buffer_failed(&info))
        return false;
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA2-256", 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)agreement->shared,
                                             agreement->shared_len);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data, info.len);
    *p = OSSL_PARAM_construct_end();
    return EVP_KDF_derive(ctx, kek->data, kek->len, params) == 1;
}

/* AES-256 key wrap (RFC 3394). */
static bool wrap(struct bytes kek, struct bytes key, uint8_t out[WRAPPED_MAX], size_t *len)
{
    AUTO(EVP_CIPHER) *cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
    AUTO(EVP_CIPHER_CTX) *ctx = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
    int first = 0, last = 0;

    if (ctx == NULL || key.len + 8 > WRAPPED_MAX)
        return false;
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_EncryptInit_ex2(ctx, cipher, kek.data, NULL, NULL) != 1 ||
        EVP_EncryptUpdate(ctx, out, &first, key.data, (int)key.len) != 1 ||
        EVP_EncryptFinal_ex(ctx, out + first, &last) != 1)
        return false;
    *len = (size_t)first + (size_t)last;
    return true;
}

static bool wrap_key(const struct certificate *recipient, struct bytes key, struct agreement *agreement,
                     uint8_t wrapped[WRAPPED_MAX], size_t *len, struct error *err)
{
    AUTO_STRUCT(secret) kek = { 0 };

    if (!secret_alloc(KEK_LEN, &kek))
        return error_set(err, ERROR_MEMORY, "key of a key");
    return agree(recipient, agreement, err) &&
           ((derive(agreement, &kek) && wrap(secret_bytes(&kek), key, wrapped, len)) ||
            error_openssl(err, "key wrapping after an agreement"));
}

/* OriginatorPublicKey: the curve is the recipient's, and need not be said again (RFC 5753 3.1.1). */
static void put_originator(struct buffer *out, struct bytes point)
{
    size_t originator = der_begin(out, DER_CONTEXT(0)), key = der_begin(out, DER_CONTEXT(1));
    size_t algorithm = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, ec_public_key);
    der_end(out, algorithm);
    der_put_bits(out, point);
    der_end(out, key);
    der_end(out, originator);
}

static void put_recipient(struct buffer *out, const struct certificate *recipient, struct bytes point,
                          struct bytes wrapped)
{
    size_t info = der_begin(out, DER_CONTEXT(1)), algorithm, keys, one;

    der_put_uint(out, 3);
    put_originator(out, point);
    algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, std_dh_sha256_kdf);
    put_wrap_algorithm(out);
    der_end(out, algorithm);
    keys = der_begin(out, DER_SEQUENCE);
    one = der_begin(out, DER_SEQUENCE);
    cms_issuer_and_serial_put(out, recipient);
    der_put(out, DER_OCTET_STRING, wrapped);
    der_end(out, one);
    der_end(out, keys);
    der_end(out, info);
}

bool cms_envelop_agree(const struct cms_enveloping *e, const struct certificate *recipient,
                       struct arena *arena, struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) out = BUFFER(e->plain.len + recipient->encoded.len + OVERHEAD);
    AUTO_STRUCT(secret) key = { 0 };
    uint8_t wrapped[WRAPPED_MAX];
    struct agreement agreement = { 0 };
    struct cms_content content;
    bool agreed;
    size_t set, len = 0;

    if (!cms_content_key(cipher_row(e->cipher), e->random, &key, err))
        return false;
    agreed = wrap_key(recipient, secret_bytes(&key), &agreement, wrapped, &len, err);
    OPENSSL_cleanse(agreement.shared, sizeof(agreement.shared));
    if (!agreed)
        return false;
    content = cms_content_begin(&out, CMS_OID_ENVELOPED_DATA);
    der_put_uint(&out, 2);
    set = der_begin(&out, DER_SET);
    put_recipient(&out, recipient, bytes_of(agreement.point, agreement.point_len), bytes_of(wrapped, len));
    der_end(&out, set);
    if (!cms_encrypted_content_put(&out, e, secret_bytes(&key), arena, err))
        return false;
    cms_content_end(&out, content);
    return cms_give(&out, arena, der, err);
}
