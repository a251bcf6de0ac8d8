/* Signing and unwrapping. A key is used in the library context that it was made in: in another one libcrypto
 * would export the private half into that context's provider, which a hardware key refuses. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "lib/keys/keys_internal.h"

enum { SIGNATURE_MAX = 2048, RSA_LEN_MAX = 2048 };

AUTO_POINTER(ECDSA_SIG, ECDSA_SIG_free)

static bool is_rsa(enum key_kind kind)
{
    return kind == KEY_RSA || kind == KEY_RSA_PSS;
}

static bool is_eddsa(enum key_kind kind)
{
    return kind == KEY_ED25519 || kind == KEY_ED448;
}

/* Bytes of a coordinate; 0 for what is no EC key. */
static size_t coordinate_len(enum key_kind kind)
{
    switch (kind) {
    case KEY_EC_P256: return 32;
    case KEY_EC_P384: return 48;
    case KEY_EC_P521: return 66;
    case KEY_NONE:
    case KEY_RSA:
    case KEY_RSA_PSS:
    case KEY_ED25519:
    case KEY_ED448: break;
    }
    return 0;
}

static bool sign_from_copy(const struct key *key, struct bytes message, uint8_t *out, size_t *len)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_dup(key->signer);
    struct digest256 hash;

    return ctx != NULL && sha256(message, &hash) &&
           EVP_PKEY_sign(ctx, out, len, hash.bytes, sizeof(hash.bytes)) == 1;
}

static bool sign(const struct key *key, enum digest_algorithm hash, struct bytes message, uint8_t *out,
                 size_t *len)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL; /* of ctx */

    if (ctx == NULL ||
        EVP_DigestSignInit_ex(ctx, &inner, digest_name(hash), key->home, NULL, key->pkey, NULL) != 1)
        return false;
    if (key->kind == KEY_RSA_PSS && (EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) != 1 ||
                                     EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    return EVP_DigestSign(ctx, out, len, message.data, message.len) == 1;
}

static bool sign_checked(const struct keys *keys, const char *name, enum digest_algorithm hash,
                         struct bytes message, const struct key **which, uint8_t out[SIGNATURE_MAX],
                         size_t *len, struct error *err)
{
    const struct key *key = keys_find(keys, name);

    if (key == NULL)
        return error_set(err, ERROR_NOT_FOUND, "no key %s", name);
    if (is_eddsa(key->kind) != (hash == DIGEST_NONE))
        return error_set(err, ERROR_CRYPTO, "key %s: wrong hash for a signature with it", name);
    *which = key;
    *len = SIGNATURE_MAX;
    if (hash == DIGEST_SHA256 && key->signer != NULL)
        return sign_from_copy(key, message, out, len) ? true : error_openssl(err, "signature");
    return sign(key, hash, message, out, len) ? true : error_openssl(err, "signature");
}

static bool give(struct arena *arena, struct bytes value, struct bytes *out, struct error *err)
{
    struct bytes copy = arena_copy(arena, value);

    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "signature");
    *out = copy;
    return true;
}

bool keys_sign(const struct keys *keys, const char *name, enum digest_algorithm hash, struct bytes message,
               struct arena *arena, struct bytes *signature, struct error *err)
{
    uint8_t out[SIGNATURE_MAX];
    const struct key *key;
    size_t len;

    return sign_checked(keys, name, hash, message, &key, out, &len, err) &&
           give(arena, bytes_of(out, len), signature, err);
}

bool keys_sign_raw(const struct keys *keys, const char *name, enum digest_algorithm hash,
                   struct bytes message, struct arena *arena, struct bytes *signature, struct error *err)
{
    uint8_t out[SIGNATURE_MAX], raw[2 * 66];
    const unsigned char *at = out;
    AUTO(ECDSA_SIG) *pair = NULL;
    const struct key *key;
    size_t len, half;

    if (!sign_checked(keys, name, hash, message, &key, out, &len, err))
        return false;
    half = coordinate_len(key->kind);
    if (half == 0)
        return give(arena, bytes_of(out, len), signature, err);
    pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
    if (pair == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)half) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + half, (int)half) < 0)
        return error_openssl(err, "signature in parts");
    return give(arena, bytes_of(raw, 2 * half), signature, err);
}

/* Constant time in all that `block` holds: 1 when it is 00 02 PS 00 M with len(M) = message_len and no zero
 * in PS (RFC 8017 7.2.2), else 0. The length is ours, so there is no search for the end of the padding. */
static unsigned block_is_padded(const uint8_t *block, size_t len, size_t message_len)
{
    size_t end = len - message_len - 1;
    unsigned wrong = block[0] | (block[1] ^ 2u) | block[end];

    for (size_t i = 2; i < end; i++)
        wrong |= (block[i] - 1u) >> 8 & 1u; /* 1 for a zero byte */
    return (wrong - 1u) >> 31;              /* 1 only for 0 */
}

/* out becomes the message, or stays the random bytes it holds. A failure of the bare RSA operation (value
 * over the modulus) is as visible as the length of the input: it needs no hiding, but the same answer. */
static void unwrap_pkcs1(EVP_PKEY_CTX *ctx, struct bytes wrapped, size_t modulus_len, struct secret *out)
{
    uint8_t block[RSA_LEN_MAX] = { 0 };
    size_t len = sizeof(block);
    uint8_t mask;

    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
        EVP_PKEY_decrypt(ctx, block, &len, wrapped.data, wrapped.len) == 1 && len == modulus_len) {
        mask = (uint8_t)(0u - block_is_padded(block, len, out->len));
        for (size_t i = 0; i < out->len; i++) {
            uint8_t found = block[len - out->len + i];

            out->data[i] = (uint8_t)((found & mask) | (out->data[i] & (uint8_t)~mask));
        }
    }
    ERR_clear_error();
    OPENSSL_cleanse(block, sizeof(block));
}

static bool unwrap_oaep(EVP_PKEY_CTX *ctx, enum digest_algorithm hash, struct bytes wrapped,
                        struct secret *out)
{
    uint8_t block[RSA_LEN_MAX];
    size_t len = sizeof(block);
    bool done;

    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, digest_name(hash), NULL) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest_name(hash), NULL) != 1)
        return false;
    done = EVP_PKEY_decrypt(ctx, block, &len, wrapped.data, wrapped.len) == 1 &&
           secret_copy(bytes_of(block, len), out);
    OPENSSL_cleanse(block, sizeof(block));
    return done;
}

bool keys_unwrap_rsa(const struct keys *keys, const char *name, enum digest_algorithm oaep_hash,
                     struct bytes wrapped, size_t expected_len, struct secret *out, struct error *err)
{
    const struct key *key = keys_find(keys, name);
    AUTO(EVP_PKEY_CTX) *ctx = NULL;
    AUTO_STRUCT(secret) result = { 0 };
    size_t modulus_len;

    if (key == NULL || !is_rsa(key->kind))
        return error_set(err, ERROR_NOT_FOUND, "no RSA key %s", name);
    modulus_len = (key->bits + 7) / 8;
    if (modulus_len > RSA_LEN_MAX || (oaep_hash == DIGEST_NONE && expected_len == 0) ||
        expected_len + 11 > modulus_len)
        return error_set(err, ERROR_CRYPTO, "key %s does not fit what is wrapped", name);
    ctx = EVP_PKEY_CTX_new_from_pkey(key->home, key->pkey, NULL);
    if (ctx == NULL || EVP_PKEY_decrypt_init(ctx) != 1)
        return error_openssl(err, "key unwrapping");
    if (oaep_hash != DIGEST_NONE) {
        if (!unwrap_oaep(ctx, oaep_hash, wrapped, &result))
            return error_openssl(err, "key unwrapping");
    } else {
        if (!secret_alloc(expected_len, &result))
            return error_set(err, ERROR_MEMORY, "key unwrapping");
        if (RAND_priv_bytes(result.data, (int)expected_len) != 1)
            return error_openssl(err, "randomness");
        unwrap_pkcs1(ctx, wrapped, modulus_len, &result);
    }
    *out = result;
    result = (struct secret){ 0 };
    return true;
}
