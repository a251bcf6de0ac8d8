#include "lib/base/digest.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "lib/base/thread.h"

enum { ALGORITHMS = DIGEST_SHA512 + 1 };

AUTO_POINTER(EVP_MAC_CTX, EVP_MAC_CTX_free)

/* What was fetched, and one context, a thread: an implicit fetch costs more than the hash and takes a lock.
 */
static _Thread_local EVP_MD *thread_md[ALGORITHMS];
static _Thread_local EVP_MAC *thread_hmac;
static _Thread_local EVP_MD_CTX *thread_ctx, *thread_fresh;

static void forget(void)
{
    for (unsigned i = 0; i < ALGORITHMS; i++)
        EVP_MD_free(take(thread_md[i]));
    EVP_MAC_free(take(thread_hmac));
    EVP_MD_CTX_free(take(thread_ctx));
    EVP_MD_CTX_free(take(thread_fresh));
}

/* NULL: DIGEST_NONE, or libcrypto does not have it. */
static const EVP_MD *fetched(enum digest_algorithm algorithm)
{
    const char *name = digest_name(algorithm);

    if (name != NULL && thread_md[algorithm] == NULL) {
        thread_at_end(forget);
        thread_md[algorithm] = EVP_MD_fetch(NULL, name, NULL);
    }
    return name != NULL ? thread_md[algorithm] : NULL;
}

static EVP_MAC *fetched_hmac(void)
{
    if (thread_hmac == NULL) {
        thread_at_end(forget);
        thread_hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    }
    return thread_hmac;
}

bool digest_parts(enum digest_algorithm algorithm, const struct bytes *part, size_t count, uint8_t *out,
                  size_t *len)
{
    const EVP_MD *md = fetched(algorithm);

    if (thread_ctx == NULL)
        thread_ctx = EVP_MD_CTX_new();
    if (md == NULL || thread_ctx == NULL || EVP_DigestInit_ex2(thread_ctx, md, NULL) != 1)
        return false;
    for (size_t i = 0; i < count; i++)
        if (EVP_DigestUpdate(thread_ctx, part[i].data, part[i].len) != 1)
            return false;
    if (EVP_DigestFinal_ex(thread_ctx, out, NULL) != 1)
        return false;
    *len = digest_len(algorithm);
    return true;
}

bool digest(enum digest_algorithm algorithm, struct bytes in, uint8_t *out, size_t *len)
{
    return digest_parts(algorithm, &in, 1, out, len);
}

/* A copy of a context that has begun costs less than beginning. */
bool digest_repeat(enum digest_algorithm algorithm, uint8_t *value, uint32_t times)
{
    const EVP_MD *md = fetched(algorithm);
    size_t len = digest_len(algorithm);
    bool done;

    if (thread_ctx == NULL)
        thread_ctx = EVP_MD_CTX_new();
    if (thread_fresh == NULL)
        thread_fresh = EVP_MD_CTX_new();
    done = md != NULL && thread_ctx != NULL && thread_fresh != NULL &&
           EVP_DigestInit_ex2(thread_fresh, md, NULL) == 1;
    for (; done && times > 0; times--)
        done = EVP_MD_CTX_copy_ex(thread_ctx, thread_fresh) == 1 &&
               EVP_DigestUpdate(thread_ctx, value, len) == 1 &&
               EVP_DigestFinal_ex(thread_ctx, value, NULL) == 1;
    return done;
}

bool sha256_parts(const struct bytes *part, size_t count, struct digest256 *out)
{
    size_t len;

    return digest_parts(DIGEST_SHA256, part, count, out->bytes, &len);
}

bool sha256(struct bytes in, struct digest256 *out)
{
    return sha256_parts(&in, 1, out);
}

const char *digest_name(enum digest_algorithm algorithm)
{
    switch (algorithm) {
    case DIGEST_NONE: return NULL;
    case DIGEST_MD5: return "MD5";
    case DIGEST_SHA1: return "SHA1";
    case DIGEST_SHA224: return "SHA2-224";
    case DIGEST_SHA256: return "SHA2-256";
    case DIGEST_SHA384: return "SHA2-384";
    case DIGEST_SHA512: return "SHA2-512";
    }
    return NULL;
}

size_t digest_len(enum digest_algorithm algorithm)
{
    switch (algorithm) {
    case DIGEST_NONE: return 0;
    case DIGEST_MD5: return 16;
    case DIGEST_SHA1: return 20;
    case DIGEST_SHA224: return 28;
    case DIGEST_SHA256: return 32;
    case DIGEST_SHA384: return 48;
    case DIGEST_SHA512: return 64;
    }
    return 0;
}

bool hmac(enum digest_algorithm algorithm, struct bytes key, struct bytes in, uint8_t *out, size_t *len)
{
    static const uint8_t empty[1]; /* NULL would mean: the key of before */
    const char *name = digest_name(algorithm);
    EVP_MAC *mac = fetched_hmac();
    AUTO(EVP_MAC_CTX) *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    OSSL_PARAM params[] = {
        /* the name is read only, whatever the type of the parameter says */
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)name, 0),
        OSSL_PARAM_construct_end(),
    };
    size_t written = 0;

    if (name == NULL || ctx == NULL ||
        EVP_MAC_init(ctx, key.data != NULL ? key.data : empty, key.len, params) != 1 ||
        EVP_MAC_update(ctx, in.data, in.len) != 1 || EVP_MAC_final(ctx, out, &written, DIGEST_MAX) != 1)
        return false;
    *len = written;
    return true;
}

bool hmac_sha256(struct bytes key, struct bytes in, struct digest256 *out)
{
    uint8_t value[DIGEST_MAX];
    size_t len = 0;

    if (!hmac(DIGEST_SHA256, key, in, value, &len) || len != sizeof(out->bytes))
        return false;
    memcpy(out->bytes, value, sizeof(out->bytes));
    return true;
}

bool pbkdf2(enum digest_algorithm algorithm, struct bytes password, struct bytes salt, uint32_t iterations,
            uint8_t *out, size_t len)
{
    static const uint8_t empty[1];
    const EVP_MD *md = fetched(algorithm);

    return md != NULL && iterations >= 1 && iterations <= INT_MAX && len >= 1 && len <= INT_MAX &&
           password.len <= INT_MAX && salt.len <= INT_MAX &&
           PKCS5_PBKDF2_HMAC((const char *)(password.data != NULL ? password.data : empty), (int)password.len,
                             salt.data != NULL ? salt.data : empty, (int)salt.len, (int)iterations, md,
                             (int)len, out) == 1;
}

bool shake256(struct bytes in, uint8_t out[SHAKE256_LEN])
{
    EVP_MD *md = EVP_MD_fetch(NULL, "SHAKE256", NULL); /* rare: an Ed448 CA */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool made = md != NULL && ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
                EVP_DigestUpdate(ctx, in.data, in.len) == 1 &&
                EVP_DigestFinalXOF(ctx, out, SHAKE256_LEN) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
    return made;
}
