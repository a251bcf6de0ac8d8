#include "bench/key_type.h"

#include <string.h>

static const struct key_type row[] = {
    { "p256", "P-256", KEY_EC_P256, 0, "EC", "P-256", VERIFY_P256, PRIMITIVE_NONE },
    { "p384", "P-384", KEY_EC_P384, 0, "EC", "P-384", VERIFY_P384, PRIMITIVE_NONE },
    { "rsa2048", "RSA-2048", KEY_RSA, 2048, "RSA", NULL, VERIFY_RSA2048, WRAP_RSA2048 },
    { "rsa3072", "RSA-3072", KEY_RSA, 3072, "RSA", NULL, VERIFY_RSA3072, WRAP_RSA3072 },
    { "ed25519", "Ed25519", KEY_ED25519, 0, "ED25519", NULL, VERIFY_ED25519, PRIMITIVE_NONE },
};

const struct key_type *key_type_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(row); i++)
        if (strcmp(row[i].name, name) == 0)
            return &row[i];
    return NULL;
}
