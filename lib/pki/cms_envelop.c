/* EnvelopedData, written (RFC 5652 6). */
#include "lib/pki/cms_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

enum {
    OVERHEAD = 16 * 1024,
    SALT_LEN = 16,
    ITERATIONS = 10000,
    WRAPPED_MAX = 3 * CIPHER_BLOCK_MAX,
    CHECK_LEN = 4 /* length octet and three check octets */
};

static const struct bytes pbkdf2_oid = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c");
static const struct bytes hmac_with_sha256 = OID("\x2a\x86\x48\x86\xf7\x0d\x02\x09");
static const struct bytes pwri_kek = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x09");

bool cms_content_key(const struct cipher_row *row, const struct random_source *random, struct secret *key,
                     struct error *err)
{
    if (row == NULL)
        return error_set(err, ERROR_UNSUPPORTED, "no cipher named");
    if (!secret_alloc(row->key_len, key))
        return error_set(err, ERROR_MEMORY, "content key");
    return random_fill(random, key->data, key->len) ? true
                                                    : error_set(err, ERROR_CRYPTO, "no randomness for a key");
}

/* KeyTransRecipientInfo (RFC 5652 6.2.1). */
static bool put_transport(struct buffer *out, const struct certificate *recipient, struct bytes key,
                          struct arena *arena, struct error *err)
{
    struct bytes wrapped;
    size_t info, algorithm;

    if (!public_key_wrap_rsa(&recipient->key, key, arena, &wrapped, err))
        return false;
    info = der_begin(out, DER_SEQUENCE);
    der_put_uint(out, 0);
    cms_issuer_and_serial_put(out, recipient);
    algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, CMS_OID_RSA_ENCRYPTION);
    der_put_null(out);
    der_end(out, algorithm);
    der_put(out, DER_OCTET_STRING, wrapped);
    der_end(out, info);
    return true;
}

bool cms_envelop(const struct cms_enveloping *e, const struct certificate *recipient, struct arena *arena,
                 struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) out = BUFFER(e->plain.len + recipient->encoded.len + OVERHEAD);
    AUTO_STRUCT(secret) key = { 0 };
    struct cms_content content;
    size_t set;

    if (!cms_content_key(cipher_row(e->cipher), e->random, &key, err))
        return false;
    content = cms_content_begin(&out, CMS_OID_ENVELOPED_DATA);
    der_put_uint(&out, 0);
    set = der_begin(&out, DER_SET);
    if (!put_transport(&out, recipient, secret_bytes(&key), arena, err))
        return false;
    der_end(&out, set);
    if (!cms_encrypted_content_put(&out, e, secret_bytes(&key), arena, err))
        return false;
    cms_content_end(&out, content);
    return cms_give(&out, arena, der, err);
}

/* --- under a password --- */

/* RFC 3211 2.3.1: length, three octets of the key inverted, key, random padding to at least two blocks; then
 * CBC over it twice, the second time with the last block of the first as IV. */
static bool wrap_key(const struct cipher_row *row, struct bytes kek, struct bytes iv, struct bytes key,
                     const struct random_source *random, uint8_t out[WRAPPED_MAX], size_t *len)
{
    uint8_t last[CIPHER_BLOCK_MAX];
    size_t block = row->block_len, whole = (CHECK_LEN + key.len + block - 1) / block * block;

    if (whole < 2 * block)
        whole = 2 * block;
    if (whole > WRAPPED_MAX || key.len < 3 || !random_fill(random, out, whole))
        return false;
    out[0] = (uint8_t)key.len;
    for (size_t i = 0; i < 3; i++)
        out[1 + i] = (uint8_t)~key.data[i];
    memcpy(out + CHECK_LEN, key.data, key.len);
    *len = whole;
    if (!cipher_encrypt_blocks(row, kek, iv.data, out, whole))
        return false;
    memcpy(last, out + whole - block, block);
    return cipher_encrypt_blocks(row, kek, last, out, whole);
}

static bool derive(struct bytes password, struct bytes salt, struct secret *kek)
{
    return password.len <= 4096 && pbkdf2(DIGEST_SHA256, password, salt, ITERATIONS, kek->data, kek->len);
}

/* [0] PBKDF2-params (RFC 8018 A.2) as an implicitly tagged AlgorithmIdentifier. */
static void put_derivation(struct buffer *out, struct bytes salt)
{
    size_t algorithm = der_begin(out, DER_CONTEXT(0)), params, prf;

    der_put_oid(out, pbkdf2_oid);
    params = der_begin(out, DER_SEQUENCE);
    der_put(out, DER_OCTET_STRING, salt);
    der_put_uint(out, ITERATIONS);
    prf = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, hmac_with_sha256);
    der_put_null(out);
    der_end(out, prf);
    der_end(out, params);
    der_end(out, algorithm);
}

static void put_encryption(struct buffer *out, const struct cipher_row *row, struct bytes iv)
{
    size_t algorithm = der_begin(out, DER_SEQUENCE), inner;

    der_put_oid(out, pwri_kek);
    inner = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, row->oid);
    der_put(out, DER_OCTET_STRING, iv);
    der_end(out, inner);
    der_end(out, algorithm);
}

/* PasswordRecipientInfo (RFC 5652 6.2.4). */
static bool put_password(struct buffer *out, const struct cipher_row *row, struct bytes password,
                         struct bytes key, const struct random_source *random, struct error *err)
{
    uint8_t salt[SALT_LEN], iv[CIPHER_BLOCK_MAX] = { 0 }, wrapped[WRAPPED_MAX];
    struct bytes iv_bytes = bytes_of(iv, row->block_len);
    AUTO_STRUCT(secret) kek = { 0 };
    size_t info, len;

    if (!secret_alloc(row->key_len, &kek))
        return error_set(err, ERROR_MEMORY, "key of a password");
    if (!random_fill(random, salt, sizeof(salt)) || !random_fill(random, iv, row->block_len) ||
        !derive(password, BYTES_ARRAY(salt), &kek) ||
        !wrap_key(row, secret_bytes(&kek), iv_bytes, key, random, wrapped, &len))
        return error_openssl(err, "key wrapping under a password");
    info = der_begin(out, DER_CONTEXT(3));
    der_put_uint(out, 0);
    put_derivation(out, BYTES_ARRAY(salt));
    put_encryption(out, row, iv_bytes);
    der_put(out, DER_OCTET_STRING, bytes_of(wrapped, len));
    der_end(out, info);
    return true;
}

bool cms_envelop_password(const struct cms_enveloping *e, struct bytes password, struct arena *arena,
                          struct bytes *der, struct error *err)
{
    const struct cipher_row *row = e->cipher == CMS_DES_CBC ? NULL : cipher_row(e->cipher);
    AUTO_STRUCT(buffer) out = BUFFER(e->plain.len + OVERHEAD);
    AUTO_STRUCT(secret) key = { 0 };
    struct cms_content content;
    size_t set;

    if (password.len == 0)
        return error_set(err, ERROR_DENIED, "no password to encrypt under");
    if (!cms_content_key(row, e->random, &key, err))
        return false;
    content = cms_content_begin(&out, CMS_OID_ENVELOPED_DATA);
    der_put_uint(&out, 3);
    set = der_begin(&out, DER_SET);
    if (!put_password(&out, row, password, secret_bytes(&key), e->random, err))
        return false;
    der_end(&out, set);
    if (!cms_encrypted_content_put(&out, e, secret_bytes(&key), arena, err))
        return false;
    cms_content_end(&out, content);
    return cms_give(&out, arena, der, err);
}
