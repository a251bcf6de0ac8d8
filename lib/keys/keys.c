#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/keys/keys_internal.h"

AUTO_POINTER(OSSL_STORE_CTX, (void)OSSL_STORE_close)
AUTO_POINTER(OSSL_STORE_INFO, OSSL_STORE_INFO_free)
AUTO_POINTER(UI_METHOD, UI_destroy_method)
AUTO_POINTER(BIO, BIO_free_all)

bool keys_new(struct keys **out, struct error *err)
{
    struct keys *keys = calloc(1, sizeof(*keys));

    if (keys == NULL)
        return error_set(err, ERROR_MEMORY, "key ring");
    atomic_init(&keys->references, 1);
    *out = keys;
    return true;
}

struct keys *keys_ref(struct keys *keys)
{
    atomic_fetch_add_explicit(&keys->references, 1, memory_order_relaxed);
    return keys;
}

void keys_unref(struct keys *keys)
{
    if (keys == NULL || atomic_fetch_sub_explicit(&keys->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < keys->count; i++) {
        EVP_PKEY_CTX_free(keys->key[i].signer);
        EVP_PKEY_free(keys->key[i].pkey);
        free((void *)(uintptr_t)keys->key[i].spki.data);
    }
    OPENSSL_cleanse(keys, sizeof(*keys));
    free(keys);
}

const struct key *keys_find(const struct keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->key[i].name, name) == 0)
            return &keys->key[i];
    return NULL;
}

static enum key_kind kind_of_curve(const EVP_PKEY *pkey)
{
    char group[64];
    size_t len;

    if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) != 1)
        return KEY_NONE;
    if (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0)
        return KEY_EC_P256;
    if (strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0)
        return KEY_EC_P384;
    return strcmp(group, "secp521r1") == 0 || strcmp(group, "P-521") == 0 ? KEY_EC_P521 : KEY_NONE;
}

static enum key_kind kind_of(const EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "RSA"))
        return KEY_RSA;
    if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
        return KEY_RSA_PSS;
    if (EVP_PKEY_is_a(pkey, "EC"))
        return kind_of_curve(pkey);
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return KEY_ED25519;
    return EVP_PKEY_is_a(pkey, "ED448") ? KEY_ED448 : KEY_NONE;
}

static bool public_of(const EVP_PKEY *pkey, struct bytes *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    uint8_t *copy = len > 0 ? malloc((size_t)len) : NULL;

    if (copy != NULL) {
        memcpy(copy, der, (size_t)len);
        *out = bytes_of(copy, (size_t)len);
    }
    OPENSSL_free(der);
    return copy != NULL;
}

/* Can `name` be added? Asked before the work of loading or making. */
static bool is_free(const struct keys *keys, const char *name, struct error *err)
{
    size_t len = strlen(name);

    if (len == 0 || len >= KEY_NAME_MAX)
        return error_set(err, ERROR_FORMAT, "key name of %zu characters", len);
    if (keys->count == KEYS_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d keys", (int)KEYS_MAX);
    if (keys_find(keys, name) != NULL)
        return error_set(err, ERROR_CONFLICT, "key %s: name taken", name);
    return true;
}

/* NULL where the key does not sign SHA-256 plainly, or its provider cannot copy what it has begun. */
static EVP_PKEY_CTX *signer_of(const struct key *key)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(key->home, key->pkey, NULL);
    AUTO(EVP_PKEY_CTX) *copy = NULL;

    if ((key->kind == KEY_RSA || key->kind == KEY_EC_P256) && ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1)
        copy = EVP_PKEY_CTX_dup(ctx);
    ERR_clear_error();
    return copy != NULL ? take(ctx) : NULL;
}

/* Takes *pkey over when it succeeds. */
static bool add(struct keys *keys, const char *name, EVP_PKEY **pkey, struct error *err)
{
    struct key *key = &keys->key[keys->count];
    enum key_kind kind = kind_of(*pkey);
    struct bytes spki = BYTES_NONE;

    if (kind == KEY_NONE)
        return error_set(err, ERROR_CRYPTO, "key %s: of a kind that is not supported", name);
    if (!public_of(*pkey, &spki))
        return error_openssl(err, "public half of a key");
    *key = (struct key){ .kind = kind,
                         .bits = (unsigned)EVP_PKEY_get_bits(*pkey),
                         .home = OSSL_LIB_CTX_set0_default(NULL), /* NULL only asks */
                         .spki = spki };
    memcpy(key->name, name, strlen(name) + 1);
    key->pkey = take(*pkey);
    key->signer = signer_of(key);
    keys->count++;
    return true;
}

/* Answers libcrypto's question for a passphrase; an empty one is an error instead of a prompt. */
static int give_passphrase(char *buf, int size, int rwflag, void *context)
{
    const struct bytes *passphrase = context;

    (void)rwflag;
    if (size < 0 || passphrase->len == 0 || passphrase->len > (size_t)size)
        return -1;
    memcpy(buf, passphrase->data, passphrase->len);
    return (int)passphrase->len;
}

static EVP_PKEY *first_private(OSSL_STORE_CTX *store)
{
    while (!OSSL_STORE_eof(store)) {
        AUTO(OSSL_STORE_INFO) *info = OSSL_STORE_load(store);

        if (info == NULL && OSSL_STORE_error(store))
            return NULL;
        if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            return OSSL_STORE_INFO_get1_PKEY(info);
    }
    return NULL;
}

/* Length of "scheme:" at the front, 0 for a plain path. */
static size_t scheme_length(const char *uri)
{
    size_t len = strcspn(uri, ":/");

    return uri[len] == ':' ? len + 1 : 0;
}

/* What a message may show: of a URI its scheme alone, since the rest may hold a PIN (RFC 7512 2.3). */
static bool load_failed(struct error *err, const char *uri, const char *why)
{
    size_t scheme = scheme_length(uri);

    return scheme > 0 ? error_set(err, ERROR_NOT_FOUND, "%.*s...: %s", (int)scheme, uri, why)
                      : error_set(err, ERROR_NOT_FOUND, "%s: %s", uri, why);
}

/* OSSL_STORE tells of a file that cannot be read in the words of whatever loader came last. */
static const char *why_not_opened(const char *uri)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();
    if (scheme_length(uri) == 0 && access(uri, R_OK) != 0)
        return strerror(errno);
    return reason != NULL ? reason : "no private key there";
}

bool keys_load(struct keys *keys, const char *name, const char *uri, struct bytes passphrase,
               struct error *err)
{
    AUTO(UI_METHOD) *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
    AUTO(OSSL_STORE_CTX) *store = NULL;
    AUTO(EVP_PKEY) *pkey = NULL;

    if (!is_free(keys, name, err))
        return false;
    if (ui == NULL)
        return error_openssl(err, "passphrase method");
    store = OSSL_STORE_open(uri, ui, &passphrase, NULL, NULL);
    if (store == NULL || OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1)
        return load_failed(err, uri, why_not_opened(uri));
    pkey = first_private(store);
    return pkey != NULL ? add(keys, name, &pkey, err) : load_failed(err, uri, why_not_opened(uri));
}

static EVP_PKEY *make(enum key_kind kind, unsigned bits)
{
    AUTO(EVP_PKEY_CTX) *ctx = NULL;
    EVP_PKEY *pkey = NULL;

    switch (kind) {
    case KEY_NONE: return NULL;
    case KEY_RSA: return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    case KEY_RSA_PSS: break;
    case KEY_EC_P256: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case KEY_EC_P384: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    case KEY_EC_P521: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
    case KEY_ED25519: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case KEY_ED448: return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    }
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) != 1 || EVP_PKEY_generate(ctx, &pkey) != 1)
        return NULL;
    return pkey;
}

bool keys_generate(struct keys *keys, const char *name, enum key_kind kind, unsigned bits, struct error *err)
{
    AUTO(EVP_PKEY) *pkey = NULL;

    if (!is_free(keys, name, err))
        return false;
    pkey = make(kind, bits);
    return pkey == NULL ? error_openssl(err, "key generation") : add(keys, name, &pkey, err);
}

/* --- for devices --- */

AUTO_POINTER(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)

static bool give_private(EVP_PKEY *pkey, struct secret *out)
{
    AUTO(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(pkey);
    int len = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
    unsigned char *at;

    if (len <= 0 || !secret_alloc((size_t)len, out))
        return false;
    at = out->data;
    if (i2d_PKCS8_PRIV_KEY_INFO(info, &at) == len)
        return true;
    secret_free(out);
    return false;
}

static bool give_public(const EVP_PKEY *pkey, struct arena *arena, struct bytes *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);

    *out = len > 0 ? arena_copy(arena, bytes_of(der, (size_t)len)) : BYTES_NONE;
    OPENSSL_free(der);
    return out->data != NULL;
}

bool keys_make_for_device(enum key_kind kind, unsigned bits, struct arena *arena, struct secret *pkcs8,
                          struct bytes *spki, struct error *err)
{
    AUTO(EVP_PKEY) *pkey = NULL;
    struct bytes public_half;

    if (kind == KEY_NONE || kind == KEY_RSA_PSS ||
        (kind == KEY_RSA && (bits < 2048 || bits > DEVICE_RSA_BITS_MAX)))
        return error_set(err, ERROR_UNSUPPORTED, "keys of this kind are not made for devices");
    pkey = make(kind, bits);
    if (pkey == NULL || !give_public(pkey, arena, &public_half) || !give_private(pkey, pkcs8))
        return error_openssl(err, "a key for a device");
    *spki = public_half;
    return true;
}

/* It lives as long as `pem`, in memory that is wiped. */
static bool pem_of(const struct keys *keys, const char *name, BIO *pem, struct bytes *out, struct error *err)
{
    const struct key *key = keys_find(keys, name);
    char *data = NULL;
    long len;

    if (key == NULL)
        return error_set(err, ERROR_NOT_FOUND, "no key %s", name);
    if (pem == NULL || PEM_write_bio_PKCS8PrivateKey(pem, key->pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
        (len = BIO_get_mem_data(pem, &data)) <= 0)
        return error_openssl(err, "private key to PEM");
    *out = bytes_of(data, (size_t)len);
    return true;
}

bool keys_save(const struct keys *keys, const char *name, const char *path, struct error *err)
{
    AUTO(BIO) *pem = BIO_new(BIO_s_secmem());
    struct bytes text;

    return pem_of(keys, name, pem, &text, err) && file_write(path, text, 0600, err);
}

bool keys_save_new(const struct keys *keys, const char *name, const char *path,
                   const struct file_owner *owner, struct error *err)
{
    AUTO(BIO) *pem = BIO_new(BIO_s_secmem());
    struct bytes text;

    return pem_of(keys, name, pem, &text, err) && file_create(path, text, 0600, owner, err);
}

enum key_kind keys_kind(const struct keys *keys, const char *name, unsigned *bits)
{
    const struct key *key = keys_find(keys, name);

    if (key == NULL)
        return KEY_NONE;
    if (bits != NULL)
        *bits = key->bits;
    return key->kind;
}

struct bytes keys_public(const struct keys *keys, const char *name)
{
    const struct key *key = keys_find(keys, name);

    return key == NULL ? BYTES_NONE : key->spki;
}

bool keys_set_tls(const struct keys *keys, const char *name, SSL_CTX *ctx, struct error *err)
{
    const struct key *key = keys_find(keys, name);

    if (key == NULL)
        return error_set(err, ERROR_NOT_FOUND, "no key %s", name);
    return SSL_CTX_use_PrivateKey(ctx, key->pkey) == 1 ? true : error_openssl(err, "key of a TLS listener");
}
