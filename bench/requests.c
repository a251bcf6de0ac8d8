#include "bench/requests.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/pki/names.h"

AUTO_POINTER(X509, X509_free)
AUTO_POINTER(X509_REQ, X509_REQ_free)
AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX_free)
AUTO_POINTER(BIGNUM, BN_free)

void bench_fqdn(const char *pattern, size_t n, char out[BENCH_CN_MAX])
{
    const char *star = strchr(pattern, '*');

    if (star == NULL)
        (void)snprintf(out, BENCH_CN_MAX, "%s", pattern);
    else
        (void)snprintf(out, BENCH_CN_MAX, "%.*s%zu%s", (int)(star - pattern), pattern, n, star + 1);
}

bool bench_name(const char *cn, struct arena *arena, struct bytes *der)
{
    const struct name_attribute attribute = { .oid = OID_COMMON_NAME, .text = bytes_text(cn) };
    AUTO_STRUCT(buffer) name = BUFFER(512);

    if (!name_encode(&attribute, 1, &name) || buffer_failed(&name))
        return false;
    *der = arena_copy(arena, buffer_bytes(&name));
    return der->data != NULL;
}

bool bench_key_make(unsigned bits, const char *pattern, size_t n, struct bench_key *out, struct error *err)
{
    out->pkey = bits > 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits)
                         : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (out->pkey == NULL)
        return error_openssl(err, "key generation");
    bench_fqdn(pattern, n, out->cn);
    return true;
}

static bool add_san(X509_REQ *req, const char *cn)
{
    char text[160];
    X509_EXTENSION *extension;
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    bool added;

    (void)snprintf(text, sizeof(text), "DNS:%s", cn);
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    added = list != NULL && extension != NULL && sk_X509_EXTENSION_push(list, extension) > 0 &&
            X509_REQ_add_extensions(req, list) == 1;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return added;
}

bool bench_csr(const struct bench_key *key, const char *password, struct arena *arena, struct bytes *der,
               struct error *err)
{
    AUTO(X509_REQ) *req = X509_REQ_new();
    unsigned char *raw = NULL;
    int len;

    if (req == NULL || X509_REQ_set_version(req, 0) != 1 ||
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)key->cn, -1, -1, 0) != 1 ||
        X509_REQ_set_pubkey(req, key->pkey) != 1 || !add_san(req, key->cn) ||
        (password != NULL && X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_UTF8,
                                                       (const unsigned char *)password, -1) != 1) ||
        X509_REQ_sign(req, key->pkey, EVP_sha256()) <= 0 || (len = i2d_X509_REQ(req, &raw)) <= 0)
        return error_openssl(err, "CSR");
    *der = arena_copy(arena, bytes_of(raw, (size_t)len));
    OPENSSL_free(raw);
    return der->data != NULL || error_set(err, ERROR_MEMORY, "CSR");
}

bool bench_certificate_fits(struct bytes der, const struct bench_key *key, struct arena *arena,
                            struct bytes *serial)
{
    const unsigned char *at = der.data;
    AUTO(X509) *certificate = d2i_X509(NULL, &at, (long)der.len);
    AUTO(BIGNUM) *number = NULL;
    char *text;

    if (certificate == NULL || EVP_PKEY_eq(X509_get0_pubkey(certificate), key->pkey) != 1 ||
        X509_check_host(certificate, key->cn, 0, 0, NULL) != 1)
        return false;
    number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    text = number == NULL ? NULL : BN_bn2hex(number);
    if (text == NULL)
        return false;
    *serial = arena_copy(arena, bytes_text(text));
    OPENSSL_free(text);
    return serial->data != NULL;
}

static int by_bytes(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

size_t bench_distinct(struct bytes *text, size_t count)
{
    size_t distinct = count > 0;

    qsort(text, count, sizeof(*text), by_bytes);
    for (size_t i = 1; i < count; i++)
        distinct += !bytes_equal(text[i - 1], text[i]);
    return distinct;
}

/* --- the floor: primitives timed here and now --- */

static double thread_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

struct primitive {
    EVP_PKEY *key;
    EVP_MD *hash;
    uint8_t signature[1024], wrapped[1024];
    size_t signature_len, wrapped_len;
};

static bool sign(struct primitive *p)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

    p->signature_len = sizeof(p->signature);
    return EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, p->key, NULL) == 1 &&
           EVP_DigestSign(ctx, p->signature, &p->signature_len, (const uint8_t *)"floor", 5) == 1;
}

static bool verify(struct primitive *p)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

    return EVP_DigestVerifyInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, p->key, NULL) == 1 &&
           EVP_DigestVerify(ctx, p->signature, p->signature_len, (const uint8_t *)"floor", 5) == 1;
}

static bool wrap(struct primitive *p)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, p->key, NULL);

    p->wrapped_len = sizeof(p->wrapped);
    return EVP_PKEY_encrypt_init(ctx) == 1 &&
           EVP_PKEY_encrypt(ctx, p->wrapped, &p->wrapped_len, (const uint8_t *)"0123456789abcdef", 16) == 1;
}

static bool unwrap(struct primitive *p)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, p->key, NULL);
    uint8_t plain[1024];
    size_t len = sizeof(plain);

    return EVP_PKEY_decrypt_init(ctx) == 1 &&
           EVP_PKEY_decrypt(ctx, plain, &len, p->wrapped, p->wrapped_len) == 1;
}

static bool exchange_keys(struct primitive *p)
{
    AUTO(EVP_PKEY) *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    AUTO(EVP_PKEY_CTX) *ctx = own == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    uint8_t shared[32];
    size_t len = sizeof(shared);

    return ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, p->key) == 1 &&
           EVP_PKEY_derive(ctx, shared, &len) == 1;
}

/* PasswordBasedMac's key: so many hashes, one after the other. */
static bool stretch(struct primitive *p)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
    bool done = EVP_DigestInit_ex2(ctx, p->hash, NULL) == 1;

    for (unsigned i = 0; done && i < BENCH_PBM_ITERATIONS; i++)
        done = EVP_DigestInit_ex2(ctx, NULL, NULL) == 1 && EVP_DigestUpdate(ctx, p->wrapped, 32) == 1 &&
               EVP_DigestFinal_ex(ctx, p->wrapped, NULL) == 1;
    return done;
}

/* The best of several rounds: what the operation costs when nothing disturbs it. */
static double cost(bool (*operation)(struct primitive *), struct primitive *p)
{
    double best = 1e12;

    for (unsigned round = 0; round < 7; round++) {
        double start = thread_us(), each;

        for (unsigned i = 0; i < 40; i++)
            if (!operation(p))
                return 0;
        each = (thread_us() - start) / 40;
        best = each < best ? each : best;
    }
    return best;
}

double bench_floor_est_us(void)
{
    struct primitive p = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };
    double us = cost(sign, &p);

    us += cost(verify, &p);
    EVP_PKEY_free(p.key);
    return us;
}

double bench_floor_acme_us(double messages)
{
    struct primitive p = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };
    double us = cost(sign, &p);

    us += (messages + 1) * cost(verify, &p);
    EVP_PKEY_free(p.key);
    return us;
}

double bench_floor_tls_us(void)
{
    struct primitive ec = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };
    struct primitive x = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519") };
    double us = cost(sign, &ec) + cost(exchange_keys, &x);

    EVP_PKEY_free(ec.key);
    EVP_PKEY_free(x.key);
    return us;
}

double bench_floor_scep_us(void)
{
    struct primitive ec = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };
    struct primitive rsa = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048) };
    double us = cost(sign, &ec) + cost(sign, &rsa);

    us += 2 * cost(verify, &rsa); /* the message and the CSR */
    us += cost(wrap, &rsa);
    us += cost(unwrap, &rsa);
    EVP_PKEY_free(ec.key);
    EVP_PKEY_free(rsa.key);
    return us;
}

double bench_floor_cmp_us(struct bench_cmp_shape shape)
{
    struct primitive p = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
                           .hash = EVP_MD_fetch(NULL, "SHA2-256", NULL) };
    unsigned messages = shape.confirmed ? 2 : 1;
    double signing = cost(sign, &p), verifying = cost(verify, &p), us = signing + verifying;

    us += shape.with_signatures ? messages * (signing + verifying) + verifying : messages * cost(stretch, &p);
    EVP_PKEY_free(p.key);
    EVP_MD_free(p.hash);
    return us;
}
