/* From bytes to EVP_PKEY without a decoder chain. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "lib/base/thread.h"
#include "lib/keys/ec_point.h"
#include "lib/pki/public_key_internal.h"

enum { RSA_LEN_MAX = 2048, REMEMBERED_MAX = 1100 };

AUTO_POINTER(BIGNUM, BN_free)

static _Thread_local EVP_PKEY_CTX *verifier; /* of a key that is no NIST curve's */
static _Thread_local EVP_PKEY_CTX *rsa_import;

/* The key that this thread imported last. One request asks for the same key several times: to judge it, for
 * its request, for the message that carried it. */
static _Thread_local struct {
    EVP_PKEY *pkey;
    size_t len;
    uint8_t spki[REMEMBERED_MAX];
} last;

static void forget(void)
{
    EVP_PKEY_CTX_free(take(verifier));
    EVP_PKEY_CTX_free(take(rsa_import));
    EVP_PKEY_free(take(last.pkey));
}

/* OSSL_PARAM wants numbers in the machine's order. */
static bool native_number(struct bytes magnitude, uint8_t *out)
{
    AUTO(BIGNUM) *number = BN_bin2bn(magnitude.data, (int)magnitude.len, NULL);

    return number != NULL && BN_bn2nativepad(number, out, (int)magnitude.len) == (int)magnitude.len;
}

static EVP_PKEY *rsa_key(const struct public_key *key)
{
    uint8_t n[RSA_LEN_MAX], e[RSA_LEN_MAX];
    OSSL_PARAM params[3];
    EVP_PKEY *made = NULL;

    if (key->modulus.len > sizeof(n) || key->exponent.len > sizeof(e) || !native_number(key->modulus, n) ||
        !native_number(key->exponent, e))
        return NULL;
    params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, key->modulus.len);
    params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, key->exponent.len);
    params[2] = OSSL_PARAM_construct_end();
    if (rsa_import == NULL) {
        thread_at_end(forget);
        rsa_import = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    }
    if (rsa_import == NULL || EVP_PKEY_fromdata_init(rsa_import) != 1 ||
        EVP_PKEY_fromdata(rsa_import, &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return made;
}

static EVP_PKEY *import(const struct public_key *key)
{
    switch (key->kind) {
    case KEY_NONE: break;
    case KEY_RSA:
    case KEY_RSA_PSS: return rsa_key(key); /* what it may sign with is judged before */
    case KEY_EC_P256:
    case KEY_EC_P384:
    case KEY_EC_P521: return ec_point_key(key->kind, key->point);
    case KEY_ED25519:
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, key->point.data, key->point.len);
    case KEY_ED448:
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED448", NULL, key->point.data, key->point.len);
    }
    return NULL;
}

static void remember(const struct public_key *key, EVP_PKEY *pkey)
{
    if (key->spki.len == 0 || key->spki.len > sizeof(last.spki) || EVP_PKEY_up_ref(pkey) != 1)
        return;
    thread_at_end(forget);
    EVP_PKEY_free(last.pkey);
    last.pkey = pkey;
    last.len = key->spki.len;
    memcpy(last.spki, key->spki.data, key->spki.len);
}

EVP_PKEY *public_key_evp(const struct public_key *key)
{
    EVP_PKEY *pkey;

    if (last.pkey != NULL && bytes_equal(key->spki, bytes_of(last.spki, last.len)))
        return EVP_PKEY_up_ref(last.pkey) == 1 ? last.pkey : NULL;
    pkey = import(key);
    if (pkey != NULL)
        remember(key, pkey);
    return pkey;
}

EVP_PKEY_CTX *public_key_verifier(const struct public_key *key)
{
    AUTO(EVP_PKEY) *pkey = NULL;

    switch (key->kind) {
    case KEY_EC_P256:
    case KEY_EC_P384:
    case KEY_EC_P521: return ec_point_verifier(key->kind, key->point);
    case KEY_NONE:
    case KEY_RSA:
    case KEY_RSA_PSS:
    case KEY_ED25519:
    case KEY_ED448: break;
    }
    thread_at_end(forget);
    pkey = public_key_evp(key);
    EVP_PKEY_CTX_free(take(verifier));
    verifier = pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    return verifier;
}
