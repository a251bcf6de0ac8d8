/* A key that was made for a device (RFC 9483 4.1.6): opened and verified by OpenSSL's CMS. */
#include <openssl/cms.h>
#include <openssl/err.h>

#include "tests/lib/cmp_client.h"

static const char KEY_PACKAGE[] = "2.16.840.1.101.2.1.2.78.5", CM_KGA[] = "1.3.6.1.5.5.7.3.32";

/* CMP carries SignedData and EnvelopedData bare: as ContentInfo again. */
static CMS_ContentInfo *content_info(int nid, struct bytes bare)
{
    AUTO_STRUCT(buffer) out = BUFFER(1 << 20);
    const ASN1_OBJECT *type = OBJ_nid2obj(nid);
    size_t seq = der_begin(&out, DER_SEQUENCE);
    const unsigned char *at;
    CMS_ContentInfo *cms;

    der_put_oid(&out, bytes_of(OBJ_get0_data(type), OBJ_length(type)));
    der_put(&out, DER_CONTEXT(0), bare);
    der_end(&out, seq);
    at = out.data;
    cms = d2i_CMS_ContentInfo(NULL, &at, (long)out.len);
    if (cms == NULL)
        ERR_print_errors_fp(stderr);
    assert_non_null(cms);
    return cms;
}

static void assert_content_type(CMS_ContentInfo *cms, const char *oid)
{
    char text[64];

    assert_true(OBJ_obj2txt(text, sizeof(text), CMS_get0_eContentType(cms), 1) > 0);
    assert_string_equal(text, oid);
}

static struct bytes content_of(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    return bytes_of(data, (size_t)len);
}

static void decrypt(CMS_ContentInfo *cms, const struct cmp_person *device, const char *secret, BIO *plain)
{
    char password[256];

    (void)snprintf(password, sizeof(password), "%s", secret != NULL ? secret : "s3cret");
    if (device == NULL)
        assert_int_equal(
            CMS_decrypt_set1_password(cms, (unsigned char *)password, (ossl_ssize_t)strlen(password)), 1);
    if (!CMS_decrypt(cms, device != NULL ? device->key : NULL, device != NULL ? device->certificate : NULL,
                     NULL, plain, CMS_BINARY)) {
        ERR_print_errors_fp(stderr);
        fail_msg("the EnvelopedData does not open");
    }
}

/* cmKGA among the extended key usages. */
static void assert_is_key_generator(X509 *signer)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(signer, NID_ext_key_usage, NULL, NULL);
    char text[64];
    bool found = false;

    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
        found |= OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1) > 0 &&
                 strcmp(text, CM_KGA) == 0;
    assert_true(found);
    EXTENDED_KEY_USAGE_free(usages);
}

static void verify(CMS_ContentInfo *cms, const struct cmp_trust *trust, BIO *content)
{
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) * signers;

    assert_int_equal(X509_STORE_add_cert(store, trust->ca), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)trust->now_s);
    assert_int_equal(X509_VERIFY_PARAM_set_purpose(X509_STORE_get0_param(store), X509_PURPOSE_ANY), 1);
    if (!CMS_verify(cms, NULL, store, NULL, content, CMS_BINARY)) {
        ERR_print_errors_fp(stderr);
        fail_msg("the SignedData around the key does not verify");
    }
    signers = CMS_get0_signers(cms);
    assert_int_equal(sk_X509_num(signers), 1);
    assert_is_key_generator(sk_X509_value(signers, 0));
    sk_X509_free(signers);
    X509_STORE_free(store);
}

/* AsymmetricKeyPackage ::= SEQUENCE OF OneAsymmetricKey, of which there is one. */
static EVP_PKEY *read_package(struct bytes package)
{
    struct der in = der_of(package), list = der_enter(&in, DER_SEQUENCE);
    struct bytes one = der_element(&list, DER_SEQUENCE);
    const unsigned char *at = one.data;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)one.len);

    assert_true(der_finished(&list));
    assert_true(der_finished(&in));
    assert_non_null(key);
    return key;
}

EVP_PKEY *cmp_client_unwrap(const struct cmp_said *said, const struct cmp_person *device, const char *secret,
                            const struct cmp_trust *trust)
{
    CMS_ContentInfo *enveloped = content_info(NID_pkcs7_enveloped, said->private_key), *signed_data;
    BIO *plain = BIO_new(BIO_s_mem()), *content = BIO_new(BIO_s_mem());
    EVP_PKEY *key;

    assert_content_type(enveloped, "1.2.840.113549.1.7.2");
    decrypt(enveloped, device, secret, plain);
    signed_data = content_info(NID_pkcs7_signed, content_of(plain));
    assert_content_type(signed_data, KEY_PACKAGE);
    verify(signed_data, trust, content);
    key = read_package(content_of(content));
    BIO_free(plain);
    BIO_free(content);
    CMS_ContentInfo_free(enveloped);
    CMS_ContentInfo_free(signed_data);
    return key;
}
