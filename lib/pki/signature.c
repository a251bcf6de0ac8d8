#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/base/thread.h"
#include "lib/pki/public_key_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }
#define PKCS1(last) OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01" last)

enum { HASHES = DIGEST_SHA512 + 1 };

/* How a signature is made. */
enum scheme { SCHEME_REFUSED, SCHEME_RSA, SCHEME_PSS, SCHEME_ECDSA, SCHEME_ED25519, SCHEME_ED448 };

static const struct algorithm {
    struct bytes oid;
    enum scheme scheme;
    enum digest_algorithm hash;
} algorithms[] = {
    { PKCS1("\x0b"), SCHEME_RSA, DIGEST_SHA256 },
    { PKCS1("\x0c"), SCHEME_RSA, DIGEST_SHA384 },
    { PKCS1("\x0d"), SCHEME_RSA, DIGEST_SHA512 },
    { PKCS1("\x0e"), SCHEME_RSA, DIGEST_SHA224 },
    { PKCS1("\x05"), SCHEME_RSA, DIGEST_SHA1 },
    { OID("\x2b\x0e\x03\x02\x1d"), SCHEME_RSA, DIGEST_SHA1 }, /* sha-1WithRSAEncryption of OIW */
    { PKCS1("\x0a"), SCHEME_PSS, DIGEST_NONE },               /* the parameters say */
    { OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), SCHEME_ECDSA, DIGEST_SHA256 },
    { OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), SCHEME_ECDSA, DIGEST_SHA384 },
    { OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), SCHEME_ECDSA, DIGEST_SHA512 },
    { OID("\x2a\x86\x48\xce\x3d\x04\x03\x01"), SCHEME_ECDSA, DIGEST_SHA224 },
    { OID("\x2a\x86\x48\xce\x3d\x04\x01"), SCHEME_ECDSA, DIGEST_SHA1 },
    { OID("\x2b\x65\x70"), SCHEME_ED25519, DIGEST_NONE },
    { OID("\x2b\x65\x71"), SCHEME_ED448, DIGEST_NONE },
};

static const struct {
    struct bytes oid;
    enum digest_algorithm hash;
} hashes[] = {
    { OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), DIGEST_SHA256 },
    { OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), DIGEST_SHA384 },
    { OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), DIGEST_SHA512 },
    { OID("\x60\x86\x48\x01\x65\x03\x04\x02\x04"), DIGEST_SHA224 },
    { OID("\x2b\x0e\x03\x02\x1a"), DIGEST_SHA1 },
    { OID("\x2a\x86\x48\x86\xf7\x0d\x02\x05"), DIGEST_MD5 },
};

static const struct bytes mgf1 = PKCS1("\x08");

enum digest_algorithm digest_from_oid(struct bytes oid)
{
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        if (bytes_equal(oid, hashes[i].oid))
            return hashes[i].hash;
    return DIGEST_NONE;
}

struct bytes digest_oid(enum digest_algorithm hash)
{
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        if (hashes[i].hash == hash)
            return hashes[i].oid;
    return BYTES_NONE;
}

static const struct algorithm *algorithm_of(struct bytes oid)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (bytes_equal(oid, algorithms[i].oid))
            return &algorithms[i];
    return NULL;
}

/* --- RSASSA-PSS-params (RFC 4055 3.1) --- */

static enum digest_algorithm hash_of(struct bytes algorithm, bool *malformed)
{
    struct bytes oid, parameters;

    if (!algorithm_split(algorithm, &oid, &parameters) ||
        (parameters.data != NULL && !parameters_are_null(parameters))) {
        *malformed = true;
        return DIGEST_NONE;
    }
    return digest_from_oid(oid);
}

/* The element inside an explicit tag; none when absent. */
static struct bytes inside(struct der *in, unsigned n)
{
    bool present;
    struct bytes content = der_optional(in, DER_CONTEXT(n), &present);

    return present ? content : BYTES_NONE;
}

enum digest_algorithm pss_hash(struct bytes parameters, bool *malformed)
{
    struct der in = der_of(parameters), seq = der_enter(&in, DER_SEQUENCE), salt_in, trailer_in;
    struct bytes hash_id = inside(&seq, 0), mask = inside(&seq, 1), salt = inside(&seq, 2),
                 trailer = inside(&seq, 3), mask_oid, mask_hash;
    enum digest_algorithm hash;
    uint64_t salt_len, trailer_value;

    *malformed = !der_finished(&seq) || !der_finished(&in);
    if (*malformed || hash_id.len == 0 || mask.len == 0 || salt.len == 0)
        return DIGEST_NONE; /* the defaults are SHA-1 */
    hash = hash_of(hash_id, malformed);
    if (!algorithm_split(mask, &mask_oid, &mask_hash)) {
        *malformed = true;
        return DIGEST_NONE;
    }
    salt_in = der_of(salt);
    salt_len = der_uint(&salt_in);
    trailer_in = der_of(trailer);
    trailer_value = trailer.len == 0 ? 1 : der_uint(&trailer_in);
    if (!der_finished(&salt_in) || !der_finished(&trailer_in))
        *malformed = true;
    if (*malformed || !bytes_equal(mask_oid, mgf1) || hash_of(mask_hash, malformed) != hash ||
        salt_len != digest_len(hash) || trailer_value != 1)
        return DIGEST_NONE;
    return hash == DIGEST_SHA256 || hash == DIGEST_SHA384 || hash == DIGEST_SHA512 ? hash : DIGEST_NONE;
}

static void hash_put(struct buffer *out, enum digest_algorithm hash)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, digest_oid(hash));
    der_put_null(out);
    der_end(out, seq);
}

void pss_parameters_put(struct buffer *out, enum digest_algorithm hash)
{
    size_t seq = der_begin(out, DER_SEQUENCE), part, mask;

    part = der_begin(out, DER_CONTEXT(0));
    hash_put(out, hash);
    der_end(out, part);
    part = der_begin(out, DER_CONTEXT(1));
    mask = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, mgf1);
    hash_put(out, hash);
    der_end(out, mask);
    der_end(out, part);
    part = der_begin(out, DER_CONTEXT(2));
    der_put_uint(out, digest_len(hash));
    der_end(out, part);
    der_end(out, seq);
}

/* --- verification --- */

/* Hashes and contexts are fetched once a thread. */
static _Thread_local EVP_MD *fetched[HASHES];
static _Thread_local EVP_MD_CTX *hashing;

static void forget(void)
{
    for (unsigned i = 0; i < HASHES; i++)
        EVP_MD_free(take(fetched[i]));
    EVP_MD_CTX_free(take(hashing));
}

static bool hash_message(enum digest_algorithm hash, struct bytes message, uint8_t out[DIGEST_MAX])
{
    if (hashing == NULL)
        thread_at_end(forget);
    if (fetched[hash] == NULL)
        fetched[hash] = EVP_MD_fetch(NULL, digest_name(hash), NULL);
    if (hashing == NULL)
        hashing = EVP_MD_CTX_new();
    return fetched[hash] != NULL && hashing != NULL &&
           EVP_DigestInit_ex2(hashing, fetched[hash], NULL) == 1 &&
           EVP_DigestUpdate(hashing, message.data, message.len) == 1 &&
           EVP_DigestFinal_ex(hashing, out, NULL) == 1;
}

static bool set_rsa(EVP_PKEY_CTX *ctx, enum scheme scheme, enum digest_algorithm hash)
{
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, scheme == SCHEME_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) !=
            1 ||
        EVP_PKEY_CTX_set_signature_md(ctx, fetched[hash]) != 1)
        return false;
    return scheme != SCHEME_PSS || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* A point off its curve signs nothing. */
static enum signature_fault verify_hashed(const struct public_key *key, enum scheme scheme,
                                          enum digest_algorithm hash, struct bytes message,
                                          struct bytes signature)
{
    EVP_PKEY_CTX *ctx = public_key_verifier(key);
    uint8_t value[DIGEST_MAX];

    if (ctx == NULL)
        return SIGNATURE_WRONG;
    if (!hash_message(hash, message, value) || EVP_PKEY_verify_init(ctx) != 1 ||
        (scheme != SCHEME_ECDSA && !set_rsa(ctx, scheme, hash)))
        return SIGNATURE_INTERNAL;
    return EVP_PKEY_verify(ctx, signature.data, signature.len, value, digest_len(hash)) == 1
               ? SIGNATURE_OK
               : SIGNATURE_WRONG;
}

static enum signature_fault verify_whole(const struct public_key *key, struct bytes message,
                                         struct bytes signature)
{
    AUTO(EVP_PKEY) *pkey = public_key_evp(key);
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

    if (pkey == NULL)
        return SIGNATURE_WRONG;
    if (ctx == NULL || EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) != 1)
        return SIGNATURE_INTERNAL;
    return EVP_DigestVerify(ctx, signature.data, signature.len, message.data, message.len) == 1
               ? SIGNATURE_OK
               : SIGNATURE_WRONG;
}

static enum signature_fault verify(const struct public_key *key, enum scheme scheme,
                                   enum digest_algorithm hash, struct bytes message, struct bytes signature)
{
    enum signature_fault fault;

    if (signature.len == 0)
        return SIGNATURE_WRONG;
    if (scheme == SCHEME_ED25519 || scheme == SCHEME_ED448)
        fault = verify_whole(key, message, signature);
    else
        fault = verify_hashed(key, scheme, hash, message, signature);
    ERR_clear_error();
    return fault;
}

static bool scheme_fits(enum scheme scheme, enum key_kind kind)
{
    switch (kind) {
    case KEY_NONE: return false;
    case KEY_RSA: return scheme == SCHEME_RSA || scheme == SCHEME_PSS;
    case KEY_RSA_PSS: return scheme == SCHEME_PSS;
    case KEY_EC_P256:
    case KEY_EC_P384:
    case KEY_EC_P521: return scheme == SCHEME_ECDSA;
    case KEY_ED25519: return scheme == SCHEME_ED25519;
    case KEY_ED448: return scheme == SCHEME_ED448;
    }
    return false;
}

/* A key that names its hash (RFC 4055 3.1) signs with no other. */
static bool key_allows_hash(const struct public_key *key, enum digest_algorithm hash)
{
    struct spki_parts parts;
    bool malformed;

    if (key->kind != KEY_RSA_PSS)
        return true;
    return spki_split(key->spki, &parts) &&
           (parts.parameters.data == NULL || pss_hash(parts.parameters, &malformed) == hash);
}

/* NULL or absent for RSA, absent for all else. */
static bool parameters_fit(enum scheme scheme, struct bytes parameters)
{
    return parameters.data == NULL || (scheme == SCHEME_RSA && parameters_are_null(parameters));
}

enum signature_fault signature_verify(const struct public_key *key, struct bytes algorithm,
                                      struct bytes message, struct bytes signature, bool allow_sha1)
{
    struct bytes oid, parameters;
    const struct algorithm *a;
    enum digest_algorithm hash;
    bool malformed = false;

    if (!algorithm_split(algorithm, &oid, &parameters))
        return SIGNATURE_SYNTAX;
    a = algorithm_of(oid);
    if (a == NULL || (a->hash == DIGEST_SHA1 && !allow_sha1))
        return SIGNATURE_ALGORITHM;
    hash = a->hash;
    if (a->scheme == SCHEME_PSS) {
        hash = pss_hash(parameters, &malformed);
        if (hash == DIGEST_NONE)
            return malformed ? SIGNATURE_SYNTAX : SIGNATURE_ALGORITHM;
    } else if (!parameters_fit(a->scheme, parameters)) {
        return SIGNATURE_SYNTAX;
    }
    if (!scheme_fits(a->scheme, key->kind) || !key_allows_hash(key, hash))
        return SIGNATURE_WRONG;
    return verify(key, a->scheme, hash, message, signature);
}

bool signature_algorithm_is_known(struct bytes algorithm)
{
    struct bytes oid, parameters;

    return algorithm_split(algorithm, &oid, &parameters) && algorithm_of(oid) != NULL;
}

enum digest_algorithm signature_algorithm_hash(struct bytes algorithm)
{
    struct bytes oid, parameters;
    const struct algorithm *a = algorithm_split(algorithm, &oid, &parameters) ? algorithm_of(oid) : NULL;
    bool malformed;

    if (a == NULL)
        return DIGEST_NONE;
    return a->scheme == SCHEME_PSS ? pss_hash(parameters, &malformed) : a->hash;
}

static enum scheme scheme_of(enum key_kind kind)
{
    switch (kind) {
    case KEY_NONE: break;
    case KEY_RSA: return SCHEME_RSA;
    case KEY_RSA_PSS: return SCHEME_PSS;
    case KEY_EC_P256:
    case KEY_EC_P384:
    case KEY_EC_P521: return SCHEME_ECDSA;
    case KEY_ED25519: return SCHEME_ED25519;
    case KEY_ED448: return SCHEME_ED448;
    }
    return SCHEME_REFUSED;
}

enum signature_fault signature_verify_with(const struct public_key *key, enum digest_algorithm hash,
                                           struct bytes message, struct bytes signature)
{
    enum scheme scheme = scheme_of(key->kind);
    bool is_eddsa = scheme == SCHEME_ED25519 || scheme == SCHEME_ED448;

    if (scheme == SCHEME_REFUSED || hash == DIGEST_MD5 || (hash == DIGEST_NONE && !is_eddsa))
        return SIGNATURE_ALGORITHM;
    if (!key_allows_hash(key, hash))
        return SIGNATURE_WRONG;
    return verify(key, scheme, hash, message, signature);
}

enum digest_algorithm signature_default_hash(enum key_kind kind)
{
    switch (kind) {
    case KEY_NONE:
    case KEY_ED25519:
    case KEY_ED448: return DIGEST_NONE;
    case KEY_RSA:
    case KEY_RSA_PSS:
    case KEY_EC_P256: return DIGEST_SHA256;
    case KEY_EC_P384: return DIGEST_SHA384;
    case KEY_EC_P521: return DIGEST_SHA512;
    }
    return DIGEST_NONE;
}

bool signature_algorithm_put(struct buffer *out, enum key_kind kind, enum digest_algorithm hash)
{
    enum scheme scheme = scheme_of(kind);
    bool is_hashed = scheme == SCHEME_RSA || scheme == SCHEME_ECDSA;

    if (scheme == SCHEME_REFUSED ||
        (scheme == SCHEME_PSS && hash != DIGEST_SHA256 && hash != DIGEST_SHA384 && hash != DIGEST_SHA512))
        return false;
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        size_t seq;

        if (algorithms[i].scheme != scheme || (is_hashed && algorithms[i].hash != hash))
            continue;
        seq = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, algorithms[i].oid);
        if (scheme == SCHEME_RSA)
            der_put_null(out);
        if (scheme == SCHEME_PSS)
            pss_parameters_put(out, hash);
        der_end(out, seq);
        return !buffer_failed(out);
    }
    return false;
}
