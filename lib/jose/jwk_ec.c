#include "lib/base/thread.h"
#include "lib/jose/jwk_internal.h"

static const struct {
    enum key_kind kind;
    const char *group;
} groups[] = { { KEY_EC_P256, "P-256" }, { KEY_EC_P384, "P-384" }, { KEY_EC_P521, "P-521" } };

static _Thread_local EVP_PKEY *template[COUNT_OF(groups)];

static void forget(void)
{
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        EVP_PKEY_free(take(template[i]));
}

static EVP_PKEY *make_template(const char *group)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *made = NULL;

    thread_at_end(forget);
    if (ctx == NULL || EVP_PKEY_paramgen_init(ctx) != 1 || EVP_PKEY_CTX_set_group_name(ctx, group) != 1 ||
        EVP_PKEY_paramgen(ctx, &made) != 1)
        return NULL;
    return made;
}

EVP_PKEY *jwk_ec_key(enum key_kind kind, struct bytes point)
{
    AUTO(EVP_PKEY) *key = EVP_PKEY_new();
    size_t i = 0;

    while (i < COUNT_OF(groups) && groups[i].kind != kind)
        i++;
    if (i == COUNT_OF(groups))
        return NULL;
    if (template[i] == NULL)
        template[i] = make_template(groups[i].group);
    if (key == NULL || template[i] == NULL || EVP_PKEY_copy_parameters(key, template[i]) != 1 ||
        EVP_PKEY_set1_encoded_public_key(key, point.data, point.len) != 1)
        return NULL;
    return take(key);
}
