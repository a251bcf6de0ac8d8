/* Secrets at rest. A sealed value is: version 1, length of the key id, key id, nonce (12), cipher text, tag
 * (16). Everything before the nonce and what it is bound to are authenticated. */
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/keys/keys_internal.h"

enum { VERSION = 1, NONCE_LEN = 12, TAG_LEN = 16, PLAIN_MAX = 1024 * 1024 };

AUTO_POINTER(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
AUTO_POINTER(EVP_CIPHER, EVP_CIPHER_free)

bool keys_add_secrets_key(struct keys *keys, const char *id, const uint8_t key[32], struct error *err)
{
    struct secrets_key *slot = &keys->secrets[keys->secrets_count];
    size_t len = strlen(id);

    if (len == 0 || len > SECRETS_ID_MAX)
        return error_set(err, ERROR_FORMAT, "secrets key id of %zu characters", len);
    if (keys->secrets_count == SECRETS_KEYS_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d secrets keys", (int)SECRETS_KEYS_MAX);
    for (size_t i = 0; i < keys->secrets_count; i++)
        if (strcmp(keys->secrets[i].id, id) == 0)
            return error_set(err, ERROR_CONFLICT, "secrets key %s is there already", id);
    memcpy(slot->id, id, len + 1);
    memcpy(slot->key, key, SECRETS_KEY_LEN);
    keys->secrets_count++;
    return true;
}

bool keys_load_secrets_key(struct keys *keys, const char *id, const char *path, struct error *err)
{
    AUTO_STRUCT(buffer) file = BUFFER(256);
    uint8_t key[SECRETS_KEY_LEN];
    bool added;

    if (!file_read(path, &file, err))
        return false;
    if (file.len == SECRETS_KEY_LEN) {
        memcpy(key, file.data, sizeof(key));
    } else {
        struct bytes hex = bytes_trim(buffer_bytes(&file));

        if (hex.len != 2 * sizeof(key) || !hex_decode(hex, key))
            return error_set(err, ERROR_FORMAT, "%s: not 32 bytes or 64 hexadecimal digits", path);
    }
    added = keys_add_secrets_key(keys, id, key, err);
    OPENSSL_cleanse(key, sizeof(key));
    return added;
}

static EVP_CIPHER_CTX *begin(const struct secrets_key *key, const uint8_t nonce[NONCE_LEN], struct bytes head,
                             struct bytes bound_to, int encrypt)
{
    AUTO(EVP_CIPHER) *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    AUTO(EVP_CIPHER_CTX) *ctx = EVP_CIPHER_CTX_new();
    int len;

    if (cipher == NULL || ctx == NULL || bound_to.len > PLAIN_MAX ||
        EVP_CipherInit_ex2(ctx, cipher, key->key, nonce, encrypt, NULL) != 1 ||
        EVP_CipherUpdate(ctx, NULL, &len, head.data, (int)head.len) != 1 ||
        (bound_to.len > 0 && EVP_CipherUpdate(ctx, NULL, &len, bound_to.data, (int)bound_to.len) != 1))
        return NULL;
    return take(ctx);
}

bool keys_seal(const struct keys *keys, struct bytes plain, struct bytes bound_to, struct arena *arena,
               struct bytes *sealed, struct error *err)
{
    const struct secrets_key *key = &keys->secrets[0];
    AUTO(EVP_CIPHER_CTX) *ctx = NULL;
    size_t id_len = strlen(key->id), head_len = 2 + id_len, whole;
    uint8_t *out, *text;
    int len, last;

    if (keys->secrets_count == 0)
        return error_set(err, ERROR_NOT_FOUND, "no secrets key");
    if (plain.len > PLAIN_MAX)
        return error_set(err, ERROR_LIMIT, "secret of %zu bytes", plain.len);
    whole = head_len + NONCE_LEN + plain.len + TAG_LEN;
    out = arena_alloc(arena, whole);
    if (out == NULL)
        return error_set(err, ERROR_MEMORY, "sealing");
    out[0] = VERSION;
    out[1] = (uint8_t)id_len;
    memcpy(out + 2, key->id, id_len);
    text = out + head_len + NONCE_LEN;
    if (RAND_bytes(out + head_len, NONCE_LEN) != 1 ||
        (ctx = begin(key, out + head_len, bytes_of(out, head_len), bound_to, 1)) == NULL ||
        EVP_CipherUpdate(ctx, text, &len, plain.len > 0 ? plain.data : text, (int)plain.len) != 1 ||
        EVP_CipherFinal_ex(ctx, text + len, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, text + plain.len) != 1)
        return error_openssl(err, "sealing");
    *sealed = bytes_of(out, whole);
    return true;
}

static const struct secrets_key *secrets_find(const struct keys *keys, struct bytes id)
{
    for (size_t i = 0; i < keys->secrets_count; i++)
        if (bytes_is(id, keys->secrets[i].id))
            return &keys->secrets[i];
    return NULL;
}

static bool decrypt(EVP_CIPHER_CTX *ctx, struct bytes text, struct bytes tag, uint8_t *out)
{
    uint8_t expected[TAG_LEN];
    int len, last;

    memcpy(expected, tag.data, TAG_LEN);
    return EVP_CipherUpdate(ctx, out, &len, text.data, (int)text.len) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, expected) == 1 &&
           EVP_CipherFinal_ex(ctx, out + len, &last) == 1;
}

bool keys_open(const struct keys *keys, struct bytes sealed, struct bytes bound_to, struct secret *plain,
               struct error *err)
{
    AUTO_STRUCT(secret) result = { 0 };
    AUTO(EVP_CIPHER_CTX) *ctx = NULL;
    const struct secrets_key *key;
    size_t head_len, text_len;

    if (sealed.len < 2 || sealed.data[0] != VERSION || sealed.len < 2u + sealed.data[1] + NONCE_LEN + TAG_LEN)
        return error_set(err, ERROR_CRYPTO, "sealed value is malformed");
    head_len = 2u + sealed.data[1];
    text_len = sealed.len - head_len - NONCE_LEN - TAG_LEN;
    key = secrets_find(keys, bytes_slice(sealed, 2, sealed.data[1]));
    if (key == NULL)
        return error_set(err, ERROR_CRYPTO, "sealed under a secrets key that is not loaded");
    if (text_len > PLAIN_MAX || !secret_alloc(text_len, &result))
        return error_set(err, ERROR_MEMORY, "opening a sealed value");
    ctx = begin(key, sealed.data + head_len, bytes_slice(sealed, 0, head_len), bound_to, 0);
    if (ctx == NULL || !decrypt(ctx, bytes_slice(sealed, head_len + NONCE_LEN, text_len),
                                bytes_from(sealed, head_len + NONCE_LEN + text_len), result.data))
        return error_openssl(err, "sealed value is altered or bound to something else");
    *plain = result;
    result = (struct secret){ 0 };
    return true;
}
