#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>

#include "lib/base/thread.h"
#include "lib/pki/cms_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }
#define AES(last) OID("\x60\x86\x48\x01\x65\x03\x04\x01" last)

AUTO_POINTER(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

static const struct cipher_row rows[] = {
    { CMS_AES_128_CBC, AES("\x02"), "AES-128-CBC", 16, 16 },
    { CMS_AES_192_CBC, AES("\x16"), "AES-192-CBC", 24, 16 },
    { CMS_AES_256_CBC, AES("\x2a"), "AES-256-CBC", 32, 16 },
    { CMS_DES_EDE3_CBC, OID("\x2a\x86\x48\x86\xf7\x0d\x03\x07"), "DES-EDE3-CBC", 24, 8 },
    { CMS_DES_CBC, OID("\x2b\x0e\x03\x02\x07"), "DES-CBC", 8, 8 },
};

const struct cipher_row *cipher_row(enum cms_cipher cipher)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].cipher == cipher)
            return &rows[i];
    return NULL;
}

const struct cipher_row *cipher_row_of(struct bytes oid)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (bytes_equal(oid, rows[i].oid))
            return &rows[i];
    return NULL;
}

/* Single DES is in the legacy provider alone. It gets a library context of its own, so that nothing else of
 * that provider can be reached. One for all threads, for the life of the process. */
static pthread_once_t legacy_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *legacy_des;

static void load_legacy(void)
{
    static OSSL_LIB_CTX *ctx; /* kept: the cipher lives in it */

    ctx = OSSL_LIB_CTX_new();
    if (ctx != NULL && OSSL_PROVIDER_load(ctx, "legacy") != NULL)
        legacy_des = EVP_CIPHER_fetch(ctx, "DES-CBC", NULL);
    ERR_clear_error();
}

static _Thread_local EVP_CIPHER *kept[COUNT_OF(rows)];

static void forget(void)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        EVP_CIPHER_free(take(kept[i]));
}

static const EVP_CIPHER *fetched(const struct cipher_row *row)
{
    EVP_CIPHER **slot = &kept[row - rows];

    if (row->cipher == CMS_DES_CBC) {
        (void)pthread_once(&legacy_once, load_legacy);
        return legacy_des;
    }
    if (*slot == NULL) {
        thread_at_end(forget);
        *slot = EVP_CIPHER_fetch(NULL, row->name, NULL);
    }
    return *slot;
}

static EVP_CIPHER_CTX *begin(const struct cipher_row *row, struct bytes key, const uint8_t *iv, int encrypt)
{
    const EVP_CIPHER *cipher = fetched(row);
    AUTO(EVP_CIPHER_CTX) *ctx = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();

    if (ctx == NULL || key.len != row->key_len ||
        EVP_CipherInit_ex2(ctx, cipher, key.data, iv, encrypt, NULL) != 1)
        return NULL;
    return take(ctx);
}

static bool run(const struct cipher_row *row, struct bytes key, struct bytes iv, struct bytes in, int encrypt,
                struct arena *arena, struct bytes *out)
{
    AUTO(EVP_CIPHER_CTX) *ctx = NULL;
    int len = 0, last = 0;
    uint8_t *data;

    if (iv.len != row->block_len || in.len > INT_MAX - CIPHER_BLOCK_MAX ||
        (data = arena_alloc(arena, in.len + CIPHER_BLOCK_MAX)) == NULL)
        return false;
    ctx = begin(row, key, iv.data, encrypt);
    if (ctx == NULL || (in.len > 0 && EVP_CipherUpdate(ctx, data, &len, in.data, (int)in.len) != 1) ||
        EVP_CipherFinal_ex(ctx, data + len, &last) != 1) {
        ERR_clear_error();
        return false;
    }
    *out = bytes_of(data, (size_t)len + (size_t)last);
    return true;
}

bool cipher_decrypt(const struct cipher_row *row, struct bytes key, struct bytes iv, struct bytes in,
                    struct arena *arena, struct bytes *out)
{
    return run(row, key, iv, in, 0, arena, out);
}

bool cipher_encrypt(const struct cipher_row *row, struct bytes key, struct bytes iv, struct bytes in,
                    struct arena *arena, struct bytes *out)
{
    return run(row, key, iv, in, 1, arena, out);
}

bool cipher_encrypt_blocks(const struct cipher_row *row, struct bytes key, const uint8_t *iv, uint8_t *data,
                           size_t len)
{
    AUTO(EVP_CIPHER_CTX) *ctx = begin(row, key, iv, 1);
    int done = 0;

    return ctx != NULL && len <= INT_MAX && EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
           EVP_CipherUpdate(ctx, data, &done, data, (int)len) == 1 && (size_t)done == len;
}

bool cms_encrypted_content_put(struct buffer *out, const struct cms_enveloping *e, struct bytes key,
                               struct arena *arena, struct error *err)
{
    const struct cipher_row *row = cipher_row(e->cipher);
    uint8_t iv[CIPHER_BLOCK_MAX] = { 0 };
    struct bytes iv_bytes = bytes_of(iv, row->block_len), encrypted;
    size_t info, algorithm;

    if (!random_fill(e->random, iv, row->block_len))
        return error_set(err, ERROR_CRYPTO, "no randomness for a cipher");
    if (!cipher_encrypt(row, key, iv_bytes, e->plain, arena, &encrypted))
        return error_set(err, ERROR_CRYPTO, "%s failed", row->name);
    info = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, e->content_type.len > 0 ? e->content_type : CMS_OID_DATA);
    algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, row->oid);
    der_put(out, DER_OCTET_STRING, iv_bytes);
    der_end(out, algorithm);
    der_put(out, DER_CONTEXT_PRIMITIVE(0), encrypted);
    der_end(out, info);
    return true;
}
