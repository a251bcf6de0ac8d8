#include "bench/requests.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "lib/base/file.h"

enum { ANCHORS_MAX = 16 };

AUTO_POINTER(X509, X509_free)
AUTO_POINTER(X509_REQ, X509_REQ_free)

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

bool bench_key_make(const struct key_type *type, const char *pattern, size_t n, struct bench_key *out,
                    struct error *err)
{
    out->pkey = type->bits > 0 ? EVP_PKEY_Q_keygen(NULL, NULL, type->algorithm, (size_t)type->bits)
                               : EVP_PKEY_Q_keygen(NULL, NULL, type->algorithm, type->curve);
    if (out->pkey == NULL)
        return error_openssl(err, "key generation");
    bench_fqdn(pattern, n, out->cn);
    return true;
}

void bench_keys_free(struct bench_key *key, size_t count)
{
    for (size_t i = 0; key != NULL && i < count; i++)
        EVP_PKEY_free(key[i].pkey);
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

static bool add_attributes(X509_REQ *req, const struct bench_csr_order *order)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%zu", order->repeated);
    return (order->password == NULL ||
            X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_UTF8,
                                      (const unsigned char *)order->password, -1) == 1) &&
           (order->repeated == 0 || X509_REQ_add1_attr_by_NID(req, NID_friendlyName, MBSTRING_ASC,
                                                              (const unsigned char *)text, -1) == 1);
}

bool bench_csr(const struct bench_key *key, const struct bench_csr_order *order, struct arena *arena,
               struct bytes *der, struct error *err)
{
    AUTO(X509_REQ) *req = X509_REQ_new();
    const EVP_MD *hash = EVP_PKEY_is_a(key->pkey, "ED25519") ? NULL : EVP_sha256();
    unsigned char *raw = NULL;
    int len;

    if (EVP_PKEY_get_bits(key->pkey) == 384)
        hash = EVP_sha384();
    if (req == NULL || X509_REQ_set_version(req, 0) != 1 ||
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)order->cn, -1, -1, 0) != 1 ||
        X509_REQ_set_pubkey(req, key->pkey) != 1 || !add_san(req, order->cn) || !add_attributes(req, order) ||
        X509_REQ_sign(req, key->pkey, hash) <= 0 || (len = i2d_X509_REQ(req, &raw)) <= 0)
        return error_openssl(err, "CSR");
    *der = arena_copy(arena, bytes_of(raw, (size_t)len));
    OPENSSL_free(raw);
    return der->data != NULL || error_set(err, ERROR_MEMORY, "CSR");
}

bool bench_certificate_fits(struct bytes der, const struct bench_key *key, const char *cn)
{
    const unsigned char *at = der.data;
    AUTO(X509) *certificate = d2i_X509(NULL, &at, (long)der.len);

    return certificate != NULL && EVP_PKEY_eq(X509_get0_pubkey(certificate), key->pkey) == 1 &&
           X509_check_host(certificate, cn, 0, 0, NULL) == 1;
}

bool bench_certificate_is(const struct certificate *certificate, struct bytes spki, const char *cn)
{
    const struct general_names *san = &certificate->san;
    struct bytes name = san->count > 0 ? san->item[0].value
                                       : name_find(&certificate->subject, OID_COMMON_NAME, NULL);

    return bytes_equal(certificate->key.spki, spki) && san->count <= 1 && bytes_is(name, cn);
}

bool bench_anchors_read(const char *path, struct anchors **out, struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(1 << 20);
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct bytes der[ANCHORS_MAX];
    size_t count;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "anchors");
    return file_read(path, &pem, err) &&
           certificates_from_pem(buffer_bytes(&pem), arena, der, ANCHORS_MAX, &count, err) &&
           anchors_new(der, count, out, err);
}
