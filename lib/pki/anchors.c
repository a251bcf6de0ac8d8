/* Chains. X509_STORE is built once and shared: adding is slow, verifying is not, and it does not grow with
 * the number of anchors. */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

#include "lib/pki/certificate.h"

enum { DEPTH_MAX = 8, SECURITY_LEVEL = 1, OTHERS_MAX = 32 };

struct anchors {
    X509_STORE *store;
};

static void free_stack(STACK_OF(X509) * stack)
{
    sk_X509_pop_free(stack, X509_free);
}

typedef STACK_OF(X509) x509_stack;
AUTO_POINTER(X509, X509_free)
AUTO_POINTER(X509_STORE_CTX, X509_STORE_CTX_free)
AUTO_POINTER(x509_stack, free_stack)

static X509 *decoded(struct bytes der)
{
    const unsigned char *at = der.data;
    AUTO(X509) *x = der.len > LONG_MAX ? NULL : d2i_X509(NULL, &at, (long)der.len);

    return x != NULL && at == der.data + der.len ? take(x) : NULL;
}

void anchors_free(struct anchors *anchors)
{
    if (anchors == NULL)
        return;
    X509_STORE_free(anchors->store);
    free(anchors);
}

static inline void auto_anchors(struct anchors **anchors)
{
    anchors_free(*anchors);
}

bool anchors_new(const struct bytes *der, size_t count, struct anchors **out, struct error *err)
{
    __attribute__((cleanup(auto_anchors))) struct anchors *anchors = calloc(1, sizeof(*anchors));

    if (anchors == NULL)
        return error_set(err, ERROR_MEMORY, "trust anchors");
    anchors->store = X509_STORE_new();
    if (anchors->store == NULL)
        /* The analyzer knows no cleanup. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        return error_openssl(err, "trust anchors");
    for (size_t i = 0; i < count; i++) {
        AUTO(X509) *x = decoded(der[i]);

        if (x == NULL || X509_STORE_add_cert(anchors->store, x) != 1)
            return error_openssl(err, "trust anchor");
    }
    *out = take(anchors);
    return true;
}

/* Dates of the leaf are noted and passed over: they decide only when all else holds. */
static int on_error(int ok, X509_STORE_CTX *ctx)
{
    enum chain_fault *dates = X509_STORE_CTX_get_app_data(ctx);

    if (ok || X509_STORE_CTX_get_error_depth(ctx) != 0)
        return ok;
    if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_HAS_EXPIRED)
        *dates = CHAIN_EXPIRED;
    else if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_NOT_YET_VALID)
        *dates = CHAIN_NOT_YET_VALID;
    else
        return 0;
    return 1;
}

static bool prepare(X509_STORE_CTX *ctx, const struct anchors *anchors, X509 *leaf, x509_stack *others,
                    int64_t at_s, enum chain_fault *dates)
{
    X509_VERIFY_PARAM *param;

    if (X509_STORE_CTX_init(ctx, anchors->store, leaf, others) != 1)
        return false;
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)at_s);
    X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL); /* no MD5, no SHA-1 on the way */
    X509_STORE_CTX_set_verify_cb(ctx, on_error);
    return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
           X509_STORE_CTX_set_app_data(ctx, dates) == 1;
}

/* What does not decode cannot help: the chain is looked for without it. */
static bool push(x509_stack *others, struct bytes der)
{
    AUTO(X509) *x = decoded(der);

    if (x == NULL)
        return true;
    if (sk_X509_push(others, x) == 0)
        return false;
    (void)take(x);
    return true;
}

enum chain_fault anchors_verify(const struct anchors *anchors, struct bytes leaf, const struct bytes *others,
                                size_t count, int64_t at_s)
{
    AUTO(X509) *x = decoded(leaf);
    AUTO(x509_stack) *stack = sk_X509_new_null();
    AUTO(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
    enum chain_fault dates = CHAIN_OK;
    bool holds;

    if (stack == NULL || ctx == NULL)
        return CHAIN_INTERNAL;
    if (x == NULL || count > OTHERS_MAX) {
        ERR_clear_error();
        return CHAIN_UNTRUSTED;
    }
    for (size_t i = 0; i < count; i++)
        if (!push(stack, others[i]))
            return CHAIN_INTERNAL;
    if (!prepare(ctx, anchors, x, stack, at_s, &dates))
        return CHAIN_INTERNAL;
    holds = X509_verify_cert(ctx) == 1;
    ERR_clear_error();
    return holds ? dates : CHAIN_UNTRUSTED;
}
