/* keys.h: private keys, used by name. No other code holds an EVP_PKEY with a private part (one exception: a
 * TLS listener's key is set into its SSL_CTX here). Works in process today; the calls are shaped so that a
 * separate key keeper can stand behind them: a name and bytes go in, bytes come out.
 *
 * A key ring is filled at start (or at a reload, into a new ring) and read-only afterwards; all threads share
 * it. */
#ifndef MUSTER_KEYS_H
#define MUSTER_KEYS_H

#include <openssl/types.h>

#include "lib/base/arena.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/secret.h"

enum key_kind {
    KEY_NONE = 0,
    KEY_RSA,
    KEY_RSA_PSS,
    KEY_EC_P256,
    KEY_EC_P384,
    KEY_EC_P521,
    KEY_ED25519,
    KEY_ED448
};

enum { KEYS_MAX = 64, KEY_NAME_MAX = 64 };

struct keys;

MUST_USE bool keys_new(struct keys **out, struct error *err);
struct keys *keys_ref(struct keys *keys);
void keys_unref(struct keys *keys); /* accepts NULL */

/* Loads a private key under `name` from an OSSL_STORE URI or a plain path. `passphrase` may be empty. Errors:
 * ERROR_NOT_FOUND (no private key there that opens), ERROR_CRYPTO, ERROR_CONFLICT (name taken), ERROR_LIMIT
 * (KEYS_MAX). Their text names a path, but of a URI the scheme alone: the rest may hold a PIN. */
MUST_USE bool keys_load(struct keys *keys, const char *name, const char *uri, struct bytes passphrase,
                        struct error *err);

/* Makes a key and keeps it under `name`, in memory only (tests, key generation by `muster init`). */
MUST_USE bool keys_generate(struct keys *keys, const char *name, enum key_kind kind, unsigned bits,
                            struct error *err);

/* Makes a key for a device: PKCS#8 (RFC 5958 OneAsymmetricKey), DER, and its SubjectPublicKeyInfo in `arena`.
 * It never enters a ring. RSA takes some 200 ms of CPU for 2048 bits, and a second for 3072; more is
 * ERROR_UNSUPPORTED. */
enum { DEVICE_RSA_BITS_MAX = 3072 };
MUST_USE bool keys_make_for_device(enum key_kind kind, unsigned bits, struct arena *arena,
                                   struct secret *pkcs8, struct bytes *spki, struct error *err);

/* Writes the private key as PKCS#8 PEM, mode 0600 (key generation by `muster init`). */
MUST_USE bool keys_save(const struct keys *keys, const char *name, const char *path, struct error *err);
/* The same as file_create(): a file that is there is not overwritten. */
MUST_USE bool keys_save_new(const struct keys *keys, const char *name, const char *path,
                            const struct file_owner *owner, struct error *err);

/* What a key is; KEY_NONE when there is none of that name. *bits may be NULL. */
enum key_kind keys_kind(const struct keys *keys, const char *name, unsigned *bits);

/* SubjectPublicKeyInfo, DER; lives as long as the ring. None when there is no such key. */
struct bytes keys_public(const struct keys *keys, const char *name);

/* Signature over `message` (hashed here). RSA: PKCS#1 v1.5; `hash` is DIGEST_NONE for EdDSA. ECDSA gives the
 * DER form (X.509, CMS); keys_sign_raw gives r || s (JOSE). The signature lives in `arena`. */
MUST_USE bool keys_sign(const struct keys *keys, const char *name, enum digest_algorithm hash,
                        struct bytes message, struct arena *arena, struct bytes *signature,
                        struct error *err);
MUST_USE bool keys_sign_raw(const struct keys *keys, const char *name, enum digest_algorithm hash,
                            struct bytes message, struct arena *arena, struct bytes *signature,
                            struct error *err);

/* RSA key transport. `expected_len` > 0 gives PKCS#1 v1.5 with Bleichenbacher protection: on any padding
 * failure the result is `expected_len` random bytes and the call still succeeds, in the same time (RFC
 * 3218 2.3.2), so that a later decryption fails like any other. With oaep_hash the padding is OAEP (MGF1 the
 * same hash). */
MUST_USE bool keys_unwrap_rsa(const struct keys *keys, const char *name, enum digest_algorithm oaep_hash,
                              struct bytes wrapped, size_t expected_len, struct secret *out,
                              struct error *err);

/* The key's private half goes into a listener's TLS context. */
MUST_USE bool keys_set_tls(const struct keys *keys, const char *name, SSL_CTX *ctx, struct error *err);

/* --- Secrets at rest: AES-256-GCM under a key of their own, each bound to what it belongs to. --- */

/* Loads a 32-byte secrets key (raw or hex) under a short id that is stored beside every sealed value. The
 * first loaded is the one that seals; the others still open (rotation). */
MUST_USE bool keys_load_secrets_key(struct keys *keys, const char *id, const char *path, struct error *err);

/* The same from memory, for tests and `muster init`. */
MUST_USE bool keys_add_secrets_key(struct keys *keys, const char *id, const uint8_t key[32],
                                   struct error *err);

/* Encrypts; `bound_to` (a registration id) is authenticated with it and must be shown again to open. */
MUST_USE bool keys_seal(const struct keys *keys, struct bytes plain, struct bytes bound_to,
                        struct arena *arena, struct bytes *sealed, struct error *err);

/* ERROR_CRYPTO when altered, bound to something else, or sealed under a key that is not loaded. */
MUST_USE bool keys_open(const struct keys *keys, struct bytes sealed, struct bytes bound_to,
                        struct secret *plain, struct error *err);

#endif
