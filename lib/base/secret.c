#include "lib/base/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "lib/base/digest.h"

bool secret_alloc(size_t len, struct secret *out)
{
    uint8_t *data = calloc(1, len == 0 ? 1 : len);

    if (data == NULL)
        return false;
    *out = (struct secret){ .data = data, .len = len };
    return true;
}

bool secret_copy(struct bytes b, struct secret *out)
{
    if (!secret_alloc(b.len, out))
        return false;
    if (b.len > 0)
        memcpy(out->data, b.data, b.len);
    return true;
}

void secret_free(struct secret *secret)
{
    if (secret->data != NULL) {
        OPENSSL_cleanse(secret->data, secret->len);
        free(secret->data);
    }
    *secret = (struct secret){ 0 };
}

bool secret_proves(struct bytes shown, struct bytes expected)
{
    struct digest256 a, b;

    if (!sha256(shown, &a) || !sha256(expected, &b))
        return false;
    return (CRYPTO_memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0) & (shown.len > 0) & (expected.len > 0);
}
