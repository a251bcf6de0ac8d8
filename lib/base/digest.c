#include "lib/base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/thread.h"

/* One fetched SHA-256 and one context a thread: an implicit fetch costs more than the hash and takes a lock.
 */
static _Thread_local EVP_MD *thread_sha256;
static _Thread_local EVP_MD_CTX *thread_ctx;

static void forget(void)
{
    EVP_MD_CTX_free(take(thread_ctx));
    EVP_MD_free(take(thread_sha256));
}

static bool ready(void)
{
    if (thread_ctx == NULL)
        thread_at_end(forget);
    if (thread_sha256 == NULL)
        thread_sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (thread_ctx == NULL)
        thread_ctx = EVP_MD_CTX_new();
    return thread_sha256 != NULL && thread_ctx != NULL;
}

bool sha256_parts(const struct bytes *part, size_t count, struct digest256 *out)
{
    if (!ready() || EVP_DigestInit_ex2(thread_ctx, thread_sha256, NULL) != 1)
        return false;
    for (size_t i = 0; i < count; i++)
        if (EVP_DigestUpdate(thread_ctx, part[i].data, part[i].len) != 1)
            return false;
    return EVP_DigestFinal_ex(thread_ctx, out->bytes, NULL) == 1;
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

bool digest(enum digest_algorithm algorithm, struct bytes in, uint8_t *out, size_t *len)
{
    const char *name = digest_name(algorithm);

    return name != NULL && EVP_Q_digest(NULL, name, NULL, in.data, in.len, out, len) == 1;
}

bool hmac_sha256(struct bytes key, struct bytes in, struct digest256 *out)
{
    static const uint8_t empty[1];
    size_t len = 0;

    return EVP_Q_mac(NULL, "HMAC", NULL, "SHA2-256", NULL, key.data != NULL ? key.data : empty, key.len,
                     in.data, in.len, out->bytes, sizeof(out->bytes), &len) != NULL &&
           len == sizeof(out->bytes);
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
