#include "tests/lib/scep_client.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

enum { RSA_KEYS = 4, KEPT_MAX = 256 };

#define ATTRIBUTE(n) "2.16.840.1.113733.1.9." #n
static const char FAIL_INFO_TEXT[] = "1.3.6.1.5.5.7.24.1";

static X509 *kept[KEPT_MAX];
static size_t kept_count;

static X509 *keep(X509 *x)
{
    assert_non_null(x);
    assert_true(kept_count < KEPT_MAX);
    kept[kept_count++] = x;
    return x;
}

void scep_client_reset(void)
{
    while (kept_count > 0)
        X509_free(kept[--kept_count]);
    ERR_clear_error();
}

/* A library context of its own: single DES and MD5 must not come into the gateway's through a test. */
static OSSL_LIB_CTX *context(void)
{
    static OSSL_LIB_CTX *ctx;

    if (ctx == NULL) {
        ctx = OSSL_LIB_CTX_new();
        assert_non_null(OSSL_PROVIDER_load(ctx, "default"));
        assert_non_null(OSSL_PROVIDER_load(ctx, "legacy"));
    }
    return ctx;
}

static EVP_MD *digest_named(const char *name)
{
    static EVP_MD *known[8];
    size_t i;

    if (name == NULL)
        name = "SHA256";
    for (i = 0; i < COUNT_OF(known) && known[i] != NULL; i++)
        if (EVP_MD_is_a(known[i], name))
            return known[i];
    assert_true(i < COUNT_OF(known));
    known[i] = EVP_MD_fetch(context(), name, NULL);
    assert_non_null(known[i]);
    return known[i];
}

static EVP_CIPHER *cipher_named(const char *name)
{
    static EVP_CIPHER *known[8];
    size_t i;

    if (name == NULL)
        name = "AES-128-CBC";
    for (i = 0; i < COUNT_OF(known) && known[i] != NULL; i++)
        if (EVP_CIPHER_is_a(known[i], name))
            return known[i];
    assert_true(i < COUNT_OF(known));
    known[i] = EVP_CIPHER_fetch(context(), name, NULL);
    assert_non_null(known[i]);
    return known[i];
}

EVP_PKEY *scep_client_key(unsigned n)
{
    static EVP_PKEY *key[RSA_KEYS];

    assert_true(n < RSA_KEYS);
    if (key[n] == NULL)
        key[n] = EVP_PKEY_Q_keygen(context(), NULL, "RSA", (size_t)2048);
    assert_non_null(key[n]);
    return key[n];
}

EVP_PKEY *scep_client_ec_key(void)
{
    static EVP_PKEY *key;

    if (key == NULL)
        key = EVP_PKEY_Q_keygen(context(), NULL, "EC", "P-256");
    assert_non_null(key);
    return key;
}

/* --- certificates and requests --- */

X509 *scep_client_certificate(struct bytes der)
{
    const unsigned char *p = der.data;
    X509 *x = X509_new_ex(context(), NULL);

    assert_non_null(x);
    keep(x);
    assert_non_null(d2i_X509(&kept[kept_count - 1], &p, (long)der.len));
    return kept[kept_count - 1];
}

struct bytes scep_client_der(struct arena *arena, X509 *certificate)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    struct bytes copy;

    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    assert_non_null(copy.data);
    return copy;
}

static X509_NAME *name_of(const char *cn)
{
    X509_NAME *name = X509_NAME_new();

    if (cn[0] != '\0')
        assert_true(
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
    return name;
}

X509 *scep_client_make_certificate(const struct scep_certificate_plan *plan)
{
    X509 *x = keep(X509_new_ex(context(), NULL));
    X509_NAME *name = name_of(plan->cn != NULL ? plan->cn : "SCEP SIGNER");

    assert_true(X509_set_version(x, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), 4711));
    assert_true(X509_set_subject_name(x, name));
    assert_true(X509_set_issuer_name(x, plan->issuer != NULL ? X509_get_subject_name(plan->issuer) : name));
    X509_NAME_free(name);
    if (plan->same_name != NULL) {
        assert_true(X509_set_issuer_name(x, X509_get_issuer_name(plan->same_name)));
        assert_true(X509_set_serialNumber(x, X509_get_serialNumber(plan->same_name)));
    }
    assert_non_null(X509_time_adj_ex(X509_getm_notBefore(x), -1, 0, NULL));
    assert_non_null(X509_time_adj_ex(X509_getm_notAfter(x), 3650, 0, NULL));
    assert_true(X509_set_pubkey(x, plan->key));
    assert_true(X509_sign(x, plan->issuer_key != NULL ? plan->issuer_key : plan->key, digest_named(NULL)) >
                0);
    return x;
}

static void add_san(X509_REQ *req, const char *san)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    X509_EXTENSION *extension;

    if (san == NULL)
        return;
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    assert_non_null(extension);
    assert_non_null(X509v3_add_ext(&extensions, extension, -1));
    assert_true(X509_REQ_add_extensions(req, extensions));
    X509_EXTENSION_free(extension);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

struct bytes scep_client_csr(struct arena *arena, const struct scep_csr_plan *plan)
{
    EVP_PKEY *key = plan->key != NULL ? plan->key : scep_client_key(0);
    X509_REQ *req = X509_REQ_new_ex(context(), NULL);
    X509_NAME *name = name_of(plan->cn != NULL ? plan->cn : "router5.example.com");
    int type = plan->password_type != 0 ? plan->password_type : V_ASN1_UTF8STRING;
    unsigned char *der = NULL;
    uint8_t *copy;
    int len;

    assert_true(X509_REQ_set_subject_name(req, name));
    assert_true(X509_REQ_set_pubkey(req, key));
    if (plan->password != NULL)
        assert_true(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, type,
                                              (const unsigned char *)plan->password,
                                              (int)strlen(plan->password)));
    add_san(req, plan->san);
    assert_true(X509_REQ_sign(req, key, digest_named(plan->digest)) > 0);
    len = i2d_X509_REQ(req, &der);
    assert_true(len > 0);
    copy = arena_alloc(arena, (size_t)len);
    assert_non_null(copy);
    memcpy(copy, der, (size_t)len);
    if (plan->broken_signature)
        copy[len - 1] ^= 1;
    OPENSSL_free(der);
    X509_NAME_free(name);
    X509_REQ_free(req);
    return bytes_of(copy, (size_t)len);
}

/* --- messages --- */

static struct bytes encoded(struct arena *arena, CMS_ContentInfo *cms)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);
    struct bytes copy;

    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    assert_non_null(copy.data);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    return copy;
}

/* As encoded(), but in the BER of a sender that streams. */
static struct bytes streamed(struct arena *arena, CMS_ContentInfo *cms, BIO *in)
{
    BIO *out = BIO_new(BIO_s_mem());
    struct bytes copy;
    char *data;
    long len;

    assert_true(i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY));
    len = BIO_get_mem_data(out, &data);
    copy = arena_copy(arena, bytes_of(data, (size_t)len));
    assert_non_null(copy.data);
    assert_int_equal(copy.data[1], 0x80);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    return copy;
}

static struct bytes finished(struct arena *arena, CMS_ContentInfo *cms, BIO *in, bool ber)
{
    struct bytes out;

    if (ber) {
        out = streamed(arena, cms, in);
    } else {
        if (!CMS_final(cms, in, NULL, CMS_BINARY)) {
            ERR_print_errors_fp(stderr);
            fail_msg("CMS_final");
        }
        out = encoded(arena, cms);
    }
    BIO_free(in);
    return out;
}

static void add_recipient(CMS_ContentInfo *cms, const struct scep_plan *plan)
{
    CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, plan->recipient, plan->oaep ? CMS_KEY_PARAM : 0u);

    assert_non_null(ri);
    if (plan->oaep)
        assert_true(
            EVP_PKEY_CTX_set_rsa_padding(CMS_RecipientInfo_get0_pkey_ctx(ri), RSA_PKCS1_OAEP_PADDING) > 0);
}

static struct bytes enveloped(struct arena *arena, struct bytes plain, const struct scep_plan *plan)
{
    BIO *in = BIO_new_mem_buf(plain.data, (int)plain.len);
    CMS_ContentInfo *cms = CMS_encrypt_ex(NULL, NULL, cipher_named(plan->cipher), CMS_BINARY | CMS_PARTIAL,
                                          context(), NULL);

    assert_non_null(cms);
    assert_non_null(plan->recipient);
    add_recipient(cms, plan);
    return finished(arena, cms, in, plan->ber);
}

static struct bytes content_of(struct arena *arena, const struct scep_plan *plan)
{
    struct bytes plain = plan->content.data != NULL ? plan->content : scep_client_csr(arena, &plan->csr);

    return plan->clear ? plain : enveloped(arena, plain, plan);
}

static void add_attribute(CMS_SignerInfo *si, const char *oid, int type, const void *value, int len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    assert_true(CMS_signed_add1_attr_by_OBJ(si, object, type, value, len));
    ASN1_OBJECT_free(object);
}

static void add_attributes(CMS_SignerInfo *si, const struct scep_plan *plan)
{
    const char *type = plan->message_type != NULL ? plan->message_type : "19";
    const char *transaction = plan->transaction_id != NULL ? plan->transaction_id : "0123456789ABCDEF";
    int transaction_type = plan->transaction_id_type != 0 ? plan->transaction_id_type
                                                          : V_ASN1_PRINTABLESTRING;
    uint8_t nonce[256];
    int nonce_len = plan->nonce_len == 0 ? 16 : plan->nonce_len;

    assert_true(nonce_len <= (int)sizeof(nonce));
    assert_true(RAND_bytes(nonce, sizeof(nonce)) == 1);
    if (plan->nonce != NULL && nonce_len > 0)
        memcpy(nonce, plan->nonce, (size_t)nonce_len);
    if (type[0] != '\0')
        add_attribute(si, ATTRIBUTE(2), V_ASN1_PRINTABLESTRING, type, (int)strlen(type));
    if (transaction[0] != '\0')
        add_attribute(si, ATTRIBUTE(7), transaction_type, transaction, (int)strlen(transaction));
    if (nonce_len > 0)
        add_attribute(si, ATTRIBUTE(5), V_ASN1_OCTET_STRING, nonce, nonce_len);
    if (plan->signing_time_s != 0) {
        ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)plan->signing_time_s);

        assert_true(CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, ASN1_STRING_type(t), t, -1));
        ASN1_TIME_free(t);
    }
}

static void add_signer(CMS_ContentInfo *cms, const struct scep_plan *plan, X509 *signer, EVP_PKEY *key)
{
    unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL |
                     (plan->without_certificate ? CMS_NOCERTS : 0u) | (plan->no_attributes ? CMS_NOATTR : 0u);
    CMS_SignerInfo *si = CMS_add1_signer(cms, signer, key, digest_named(plan->digest), flags);

    assert_non_null(si);
    if (!plan->no_attributes)
        add_attributes(si, plan);
}

static X509 *signer_of(const struct scep_plan *plan, EVP_PKEY **key)
{
    *key = plan->signer_key != NULL ? plan->signer_key
           : plan->csr.key != NULL  ? plan->csr.key
                                    : scep_client_key(0);
    if (plan->signer != NULL)
        return plan->signer;
    return scep_client_make_certificate(&(struct scep_certificate_plan){ .key = *key });
}

static void add_strangers(CMS_ContentInfo *cms, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char cn[32];
        X509 *x;

        (void)snprintf(cn, sizeof(cn), "stranger %u", i);
        x = scep_client_make_certificate(
            &(struct scep_certificate_plan){ .key = scep_client_ec_key(), .cn = cn });
        assert_true(CMS_add1_cert(cms, x));
    }
}

/* The signature's octets are the last of the message. */
static struct bytes with_last_bit_flipped(struct arena *arena, struct bytes in)
{
    uint8_t *copy = arena_alloc(arena, in.len);

    assert_non_null(copy);
    memcpy(copy, in.data, in.len);
    copy[in.len - 1] ^= 1;
    return bytes_of(copy, in.len);
}

struct bytes scep_client_message(struct arena *arena, const struct scep_plan *plan)
{
    struct bytes content = plan->without_content ? BYTES_LITERAL("") : content_of(arena, plan), der;
    EVP_PKEY *key;
    X509 *signer = signer_of(plan, &key);
    BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
    CMS_ContentInfo *cms = CMS_sign_ex(NULL, NULL, NULL, in, CMS_BINARY | CMS_PARTIAL, context(), NULL);

    assert_non_null(cms);
    if (plan->content_type != 0)
        assert_true(CMS_set1_eContentType(cms, OBJ_nid2obj(plan->content_type)));
    add_signer(cms, plan, signer, key);
    if (plan->two_signers) {
        struct scep_plan second = *plan;

        second.without_certificate = true; /* it is there already */
        add_signer(cms, &second, signer, key);
    }
    add_strangers(cms, plan->more_certificates);
    der = finished(arena, cms, in, plan->ber);
    return plan->broken_signature ? with_last_bit_flipped(arena, der) : der;
}

/* --- replies --- */

static ASN1_STRING *attribute(CMS_SignerInfo *si, const char *oid, int type)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int at = CMS_signed_get_attr_by_OBJ(si, object, -1);
    ASN1_STRING *value = NULL;

    if (at >= 0)
        value = X509_ATTRIBUTE_get0_data(CMS_signed_get_attr(si, at), 0, type, NULL);
    if (at >= 0 && value == NULL)
        fail_msg("attribute %s is not of type %d", oid, type);
    ASN1_OBJECT_free(object);
    return value;
}

static int number(CMS_SignerInfo *si, const char *oid)
{
    ASN1_STRING *value = attribute(si, oid, V_ASN1_PRINTABLESTRING);
    uint64_t n;

    if (value == NULL)
        return -1;
    assert_true(
        bytes_to_u64(bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)), 99, &n));
    return (int)n;
}

static int copy(const ASN1_STRING *value, void *out, size_t max)
{
    int len = value == NULL ? -1 : ASN1_STRING_length(value);

    assert_true(len < (int)max);
    if (len > 0)
        memcpy(out, ASN1_STRING_get0_data(value), (size_t)len);
    return len;
}

static void read_attributes(CMS_SignerInfo *si, struct scep_said *said)
{
    X509_ALGOR *digest;

    said->message_type = number(si, ATTRIBUTE(2));
    said->pki_status = number(si, ATTRIBUTE(3));
    said->fail_info = number(si, ATTRIBUTE(4));
    (void)copy(attribute(si, ATTRIBUTE(7), V_ASN1_PRINTABLESTRING), said->transaction_id,
               sizeof(said->transaction_id));
    (void)copy(attribute(si, FAIL_INFO_TEXT, V_ASN1_UTF8STRING), said->text, sizeof(said->text));
    said->sender_nonce_len = copy(attribute(si, ATTRIBUTE(5), V_ASN1_OCTET_STRING), said->sender_nonce,
                                  sizeof(said->sender_nonce));
    said->recipient_nonce_len = copy(attribute(si, ATTRIBUTE(6), V_ASN1_OCTET_STRING), said->recipient_nonce,
                                     sizeof(said->recipient_nonce));
    CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
    said->digest = OBJ_obj2nid(digest->algorithm);
}

static int take_certificates(CMS_ContentInfo *cms, X509 *out[], int max)
{
    STACK_OF(X509) *certificates = CMS_get1_certs(cms);
    int count = sk_X509_num(certificates);

    assert_true(count <= max);
    for (int i = 0; i < count; i++)
        out[i] = keep(sk_X509_value(certificates, i));
    sk_X509_free(certificates);
    return count < 0 ? 0 : count;
}

static CMS_ContentInfo *parsed(struct bytes der)
{
    const unsigned char *p = der.data;
    CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(context(), NULL);

    assert_non_null(d2i_CMS_ContentInfo(&cms, &p, (long)der.len));
    assert_true(p == der.data + der.len);
    return cms;
}

int scep_client_bag(struct bytes der, X509 *out[], int max)
{
    CMS_ContentInfo *cms = parsed(der);
    int count = take_certificates(cms, out, max);

    CMS_ContentInfo_free(cms);
    return count;
}

/* The content cipher stands in no API: it is found where the structure has it. */
static int cipher_of(struct bytes der)
{
    static const struct {
        int nid;
        uint8_t oid[11];
        uint8_t len;
    } known[] = {
        { NID_aes_128_cbc, { 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2 }, 11 },
        { NID_aes_192_cbc, { 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22 }, 11 },
        { NID_aes_256_cbc, { 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42 }, 11 },
        { NID_des_ede3_cbc, { 6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7 }, 10 },
        { NID_des_cbc, { 6, 5, 0x2b, 0x0e, 3, 2, 7 }, 7 },
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (memmem(der.data, der.len, known[i].oid, known[i].len) != NULL)
            return known[i].nid;
    return NID_undef;
}

static void read_certificates(struct bytes envelope, const struct scep_plan *asked, struct scep_said *said)
{
    CMS_ContentInfo *cms = parsed(envelope);
    BIO *plain = BIO_new(BIO_s_mem());
    EVP_PKEY *key = asked->signer_key != NULL ? asked->signer_key
                    : asked->csr.key != NULL  ? asked->csr.key
                                              : scep_client_key(0);
    char *data;
    long len;

    said->cipher = cipher_of(envelope);
    if (EVP_PKEY_is_a(key, "RSA")) {
        assert_true(CMS_decrypt(cms, key, asked->signer, NULL, plain, CMS_BINARY));
    } else {
        size_t password_len = strlen(asked->csr.password);

        assert_true(CMS_decrypt_set1_password(cms, (unsigned char *)(uintptr_t)asked->csr.password,
                                              (ossl_ssize_t)password_len));
        assert_true(CMS_decrypt(cms, NULL, NULL, NULL, plain, CMS_BINARY));
    }
    len = BIO_get_mem_data(plain, &data);
    said->certificate_count = scep_client_bag(bytes_of(data, (size_t)len), said->certificate,
                                              SCEP_CLIENT_CERTIFICATES_MAX);
    BIO_free(plain);
    CMS_ContentInfo_free(cms);
}

struct scep_said scep_client_read(struct bytes reply, X509 *ra, const struct scep_plan *asked)
{
    struct scep_said said = { .cipher = NID_undef };
    CMS_ContentInfo *cms = parsed(reply);
    STACK_OF(X509) *signers = NULL;
    BIO *content = BIO_new(BIO_s_mem());
    ASN1_OCTET_STRING **octets = CMS_get0_content(cms);
    char *data;

    said.has_content = octets != NULL && *octets != NULL;
    if (!CMS_verify(cms, NULL, NULL, NULL, content, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY)) {
        ERR_print_errors_fp(stderr);
        fail_msg("the signature of the CertRep does not verify");
    }
    signers = CMS_get0_signers(cms);
    assert_int_equal(sk_X509_num(signers), 1);
    assert_int_equal(X509_cmp(sk_X509_value(signers, 0), ra), 0);
    sk_X509_free(signers);
    assert_int_equal(sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)), 1);
    read_attributes(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0), &said);
    said.content_len = (int)BIO_get_mem_data(content, &data);
    if (said.content_len > 0)
        read_certificates(bytes_of(data, (size_t)said.content_len), asked, &said);
    BIO_free(content);
    CMS_ContentInfo_free(cms);
    return said;
}
