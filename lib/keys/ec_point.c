#include "lib/keys/ec_point.h"

#include "lib/base/thread.h"

enum { POINT_MAX = 1 + 2 * 66 };

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

static const struct curve {
    enum key_kind kind;
    const char *group;
} curves[] = { { KEY_EC_P256, "P-256" }, { KEY_EC_P384, "P-384" }, { KEY_EC_P521, "P-521" } };

/* What this thread keeps of each. `point` is what the verifier is for at the moment; none after one that was
 * refused. */
static _Thread_local struct kept {
    EVP_PKEY *parameters;
    EVP_PKEY_CTX *verifier;
    size_t len;
    uint8_t point[POINT_MAX];
} kept[COUNT_OF(curves)];

static void forget(void)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        EVP_PKEY_free(take(kept[i].parameters));
        EVP_PKEY_CTX_free(take(kept[i].verifier));
        kept[i].len = 0;
    }
}

static size_t curve_of(enum key_kind kind)
{
    size_t i = 0;

    while (i < COUNT_OF(curves) && curves[i].kind != kind)
        i++;
    return i;
}

static EVP_PKEY *make_parameters(const char *group)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *made = NULL;

    thread_at_end(forget);
    if (ctx == NULL || EVP_PKEY_paramgen_init(ctx) != 1 || EVP_PKEY_CTX_set_group_name(ctx, group) != 1 ||
        EVP_PKEY_paramgen(ctx, &made) != 1)
        return NULL;
    return made;
}

/* One octet is the point at infinity, which libcrypto takes for a key. */
static bool is_point(struct bytes point)
{
    return point.len > 1 && point.len <= POINT_MAX;
}

static EVP_PKEY *make_key(size_t curve, struct bytes point)
{
    AUTO(EVP_PKEY) *key = EVP_PKEY_new();

    if (kept[curve].parameters == NULL)
        kept[curve].parameters = make_parameters(curves[curve].group);
    if (key == NULL || kept[curve].parameters == NULL ||
        EVP_PKEY_copy_parameters(key, kept[curve].parameters) != 1 ||
        EVP_PKEY_set1_encoded_public_key(key, point.data, point.len) != 1)
        return NULL;
    return take(key);
}

EVP_PKEY *ec_point_key(enum key_kind kind, struct bytes point)
{
    size_t curve = curve_of(kind);

    return curve < COUNT_OF(curves) && is_point(point) ? make_key(curve, point) : NULL;
}

static bool move(struct kept *k, size_t curve, struct bytes point)
{
    AUTO(EVP_PKEY) *key = NULL;

    if (k->verifier != NULL)
        return EVP_PKEY_set1_encoded_public_key(EVP_PKEY_CTX_get0_pkey(k->verifier), point.data, point.len) ==
               1;
    key = make_key(curve, point);
    k->verifier = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    return k->verifier != NULL;
}

EVP_PKEY_CTX *ec_point_verifier(enum key_kind kind, struct bytes point)
{
    size_t curve = curve_of(kind);
    struct kept *k;

    if (curve == COUNT_OF(curves) || !is_point(point))
        return NULL;
    k = &kept[curve];
    if (bytes_equal(point, bytes_of(k->point, k->len)))
        return k->verifier;
    k->len = 0;
    if (!move(k, curve, point))
        return NULL;
    memcpy(k->point, point.data, point.len);
    k->len = point.len;
    return k->verifier;
}
