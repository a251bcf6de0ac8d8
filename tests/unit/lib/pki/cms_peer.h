/* cms_peer.h: OpenSSL's CMS and PKCS#7 as an independent reader and writer. */
#ifndef MUSTER_TEST_PKI_CMS_PEER_H
#define MUSTER_TEST_PKI_CMS_PEER_H

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "lib/pki/cms.h"
#include "tests/unit/lib/pki/certificates.h"

UNUSED static X509 *peer_certificate(struct bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);

    assert_non_null(x);
    return x;
}

UNUSED static CMS_ContentInfo *peer_read(struct bytes der)
{
    const unsigned char *at = der.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);

    assert_non_null(cms);
    assert_ptr_equal(at, der.data + der.len);
    return cms;
}

UNUSED static BIO *bio_of(struct bytes b)
{
    return BIO_new_mem_buf(b.data, (int)b.len);
}

/* What was written into a memory BIO, which is freed. */
UNUSED static struct bytes bio_take(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    struct bytes copy = arena_copy(arena, bytes_of(data, (size_t)len));

    BIO_free(bio);
    return copy;
}

/* A key of libcrypto with a self-signed certificate: what a client holds. */
struct peer {
    EVP_PKEY *pkey;
    X509 *x;
    struct bytes der;
};

UNUSED static struct peer peer_new(const char *type)
{
    struct peer peer = { .pkey = strcmp(type, "RSA") == 0
                                     ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                                     : EVP_PKEY_Q_keygen(NULL, NULL, "EC", type[0] == 'P' ? type : "P-256"),
                         .x = X509_new() };
    X509_NAME *name = X509_get_subject_name(peer.x);
    unsigned char *der = NULL;
    int len;

    assert_int_equal(X509_set_version(peer.x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(peer.x), 0x80), 1);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"client", -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(peer.x, name), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(peer.x), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(peer.x), 3600));
    assert_int_equal(X509_set_pubkey(peer.x, peer.pkey), 1);
    assert_true(X509_sign(peer.x, peer.pkey, EVP_sha256()) > 0);
    len = i2d_X509(peer.x, &der);
    peer.der = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return peer;
}

UNUSED static void peer_free(struct peer *peer)
{
    X509_free(peer->x);
    EVP_PKEY_free(peer->pkey);
}

/* To bytes: DER, or BER with indefinite lengths and cut content when `stream`. */
UNUSED static struct bytes peer_write(CMS_ContentInfo *cms, struct bytes content, bool stream)
{
    BIO *out = BIO_new(BIO_s_mem()), *in = bio_of(content);

    assert_int_equal(
        stream ? i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY) : i2d_CMS_bio(out, cms), 1);
    BIO_free(in);
    CMS_ContentInfo_free(cms);
    return bio_take(out);
}

#endif
