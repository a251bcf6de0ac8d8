#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "tests/unit/lib/pki/cms_peer.h"

#define ENVELOPING(plain_, cipher_) \
    (&(struct cms_enveloping){ .plain = (plain_), .cipher = (cipher_), .random = &random_system })

static const struct bytes content = BYTES_LITERAL("what is hidden, and longer than two blocks of a cipher");

/* To the ring's RSA key `key`, by libcrypto. */
static struct bytes hidden_elsewhere(struct bytes certificate, const EVP_CIPHER *cipher, unsigned flags,
                                     const char *oaep_md)
{
    X509 *x = peer_certificate(certificate);
    BIO *in = bio_of(content);
    CMS_ContentInfo *cms;
    CMS_RecipientInfo *info;

    flags |= CMS_BINARY | CMS_PARTIAL;
    cms = CMS_encrypt(NULL, NULL, cipher, flags);
    assert_non_null(cms);
    info = CMS_add1_recipient_cert(cms, x, flags | (oaep_md != NULL ? CMS_KEY_PARAM : 0));
    assert_non_null(info);
    if (oaep_md != NULL) {
        EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(info);

        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, oaep_md, NULL), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, oaep_md, NULL), 1);
    }
    if ((flags & CMS_STREAM) == 0)
        assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
    BIO_free(in);
    X509_free(x);
    return peer_write(cms, content, (flags & CMS_STREAM) != 0);
}

static bool opens(struct bytes message, struct bytes certificate, const char *key, struct bytes *plain)
{
    struct certificate c = decoded(certificate);
    struct cms_enveloped e;
    struct bytes der;

    return ber_to_der(arena, message, &der) && cms_enveloped_decode(der, &e) &&
           cms_enveloped_open(&e, &c, ring, key, arena, plain);
}

static void assert_opens(struct bytes message, struct bytes certificate)
{
    struct bytes plain;

    assert_true(opens(message, certificate, "rsa", &plain));
    assert_true(bytes_equal(plain, content));
}

static void messages_of_libcrypto_are_opened(void **state)
{
    struct bytes ra = root_of("CN=RA", "rsa");

    (void)state;
    assert_opens(hidden_elsewhere(ra, EVP_aes_128_cbc(), 0, NULL), ra);
    assert_opens(hidden_elsewhere(ra, EVP_aes_192_cbc(), 0, NULL), ra);
    assert_opens(hidden_elsewhere(ra, EVP_aes_256_cbc(), 0, NULL), ra);
    assert_opens(hidden_elsewhere(ra, EVP_des_ede3_cbc(), 0, NULL), ra);
    assert_opens(hidden_elsewhere(ra, EVP_aes_256_cbc(), CMS_STREAM, NULL), ra);
    assert_opens(hidden_elsewhere(ra, EVP_aes_256_cbc(), CMS_USE_KEYID, NULL), ra);
    assert_opens(hidden_elsewhere(ra, EVP_aes_256_cbc(), 0, "SHA256"), ra);
    assert_opens(hidden_elsewhere(ra, EVP_aes_256_cbc(), 0, "SHA1"), ra);
}

static void scep_50_all_ways_to_fail_look_the_same(void **state)
{
    struct bytes ra = root_of("CN=RA", "rsa"), other = root_of("CN=Other", "rsa2"),
                 message = hidden_elsewhere(ra, EVP_aes_128_cbc(), 0, NULL), plain = BYTES_NONE;
    uint8_t *copy = arena_alloc(arena, message.len);

    (void)state;
    assert_false(opens(message, other, "rsa2", &plain)); /* no recipient is ours */
    if (opens(message, ra, "rsa2", &plain))              /* a random key, as good as any: garbage, */
        assert_false(bytes_equal(plain, content));       /* or most times a padding that is wrong */
    memcpy(copy, message.data, message.len);
    copy[message.len - 1] ^= 1;
    if (opens(bytes_of(copy, message.len), ra, "rsa", &plain))
        assert_false(bytes_equal(plain, content));
}

static void an_authenticated_or_other_envelope_is_not_decoded(void **state)
{
    struct cms_enveloped e;
    struct bytes der = hidden_elsewhere(root_of("CN=RA", "rsa"), EVP_aes_128_gcm(), 0,
                                        NULL); /* authEnvelopedData */

    (void)state;
    assert_false(cms_enveloped_decode(der, &e));
    assert_false(cms_enveloped_decode(BYTES_NONE, &e));
    assert_false(cms_enveloped_decode(hex("3011 06092a864886f70d010703 a0043002 0500"), &e));
}

static void recipients_of_other_kinds_are_passed_over(void **state)
{
    struct peer ec = peer_new("EC");
    X509 *ra = peer_certificate(root_of("CN=RA", "rsa"));
    BIO *in = bio_of(content);
    CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_128_cbc(), CMS_BINARY | CMS_PARTIAL);
    struct cms_enveloped e;
    struct bytes der;

    (void)state;
    assert_non_null(CMS_add1_recipient_cert(cms, ec.x, 0));
    assert_non_null(CMS_add1_recipient_cert(cms, ra, 0));
    assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
    BIO_free(in);
    X509_free(ra);
    peer_free(&ec);
    der = peer_write(cms, content, false);
    assert_true(cms_enveloped_decode(der, &e));
    assert_true(e.other_recipients);
    assert_int_equal(e.recipient_count, 1);
    assert_opens(der, root_of("CN=RA", "rsa"));
}

/* SEQUENCE { version, [recipient with this key algorithm], content with this cipher }. */
static bool decodes(struct bytes key_algorithm, struct bytes cipher, struct cms_enveloped *e)
{
    struct buffer out = BUFFER(4096);
    size_t whole = der_begin(&out, DER_SEQUENCE), explicit, env, part, seq;

    der_put_oid(&out, hex("2a864886f70d010703"));
    explicit = der_begin(&out, DER_CONTEXT(0));
    env = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, 0);
    part = der_begin(&out, DER_SET);
    seq = der_begin(&out, DER_SEQUENCE);
    buffer_append(&out, hex("020100 3005 3000 020101"));
    buffer_append(&out, key_algorithm);
    buffer_append(&out, hex("0401aa"));
    der_end(&out, seq);
    der_end(&out, part);
    seq = der_begin(&out, DER_SEQUENCE);
    der_put_oid(&out, hex("2a864886f70d010701"));
    buffer_append(&out, cipher);
    buffer_append(&out, hex("8010 00000000000000000000000000000000"));
    der_end(&out, seq);
    der_end(&out, env);
    der_end(&out, explicit);
    der_end(&out, whole);
    return cms_enveloped_decode(kept(&out), e);
}

#define RSA_KEY "300d 06092a864886f70d010101 0500"
#define AES     "301d 060960864801650304012a 0410 00000000000000000000000000000000"

static void the_iv_has_the_length_of_a_block(void **state)
{
    struct cms_enveloped e;

    (void)state;
    assert_true(decodes(hex(RSA_KEY), hex(AES), &e));
    assert_int_equal(e.cipher, CMS_AES_256_CBC);
    assert_false(decodes(hex(RSA_KEY), hex("300e 060960864801650304012a 040100"), &e));
    assert_false(decodes(hex(RSA_KEY), hex("300d 060960864801650304012a 0500"), &e));
    assert_false(decodes(hex(RSA_KEY), hex("300b 060960864801650304012a"), &e));
    assert_true(decodes(hex(RSA_KEY), hex("300d 06082a864886f70d0302 020100"), &e)); /* RC2 */
    assert_int_equal(e.cipher, CMS_CIPHER_NONE);
}

static void odd_oaep_parameters_are_not_ours(void **state)
{
    static const char *const odd[] = {
        "300b 06092a864886f70d010107",                                      /* absent */
        "300d 06092a864886f70d010107 0500",                                 /* NULL */
        "301c 06092a864886f70d010107 300f a00d300b 0609608648016503040201", /* masks with SHA-1 */
        "3020 06092a864886f70d010107 3013 a2113 00f 06092a864886f70d010109 0402aabb",
        "3003 06012a",
    };
    struct cms_enveloped e;

    (void)state;
    assert_true(decodes(hex("300d 06092a864886f70d010107 3000"), hex(AES), &e)); /* SHA-1 throughout */
    assert_int_equal(e.recipient_count, 1);
    assert_true(e.recipient[0].oaep && e.recipient[0].oaep_hash == DIGEST_SHA1);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        assert_true(decodes(hex(odd[i]), hex(AES), &e));
        assert_int_equal(e.recipient_count, 0);
        assert_true(e.other_recipients);
    }
}

/* --- what we write --- */

static void libcrypto_opens_what_we_write(void **state)
{
    static const enum cms_cipher ciphers[] = { CMS_AES_128_CBC, CMS_AES_192_CBC, CMS_AES_256_CBC,
                                               CMS_DES_EDE3_CBC };
    struct peer peer = peer_new("RSA");
    struct certificate c = decoded(peer.der);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ciphers); i++) {
        BIO *out = BIO_new(BIO_s_mem()), *old = BIO_new(BIO_s_mem());
        CMS_ContentInfo *cms;
        const unsigned char *at;
        struct bytes der;
        PKCS7 *p7;

        assert_true(cms_envelop(ENVELOPING(content, ciphers[i]), &c, arena, &der, &err));
        cms = peer_read(der);
        assert_int_equal(CMS_decrypt(cms, peer.pkey, peer.x, NULL, out, CMS_BINARY), 1);
        assert_true(bytes_equal(bio_take(out), content));
        CMS_ContentInfo_free(cms);
        at = der.data;
        p7 = d2i_PKCS7(NULL, &at, (long)der.len);
        assert_int_equal(PKCS7_decrypt(p7, peer.pkey, peer.x, old, PKCS7_BINARY), 1);
        assert_true(bytes_equal(bio_take(old), content));
        PKCS7_free(p7);
    }
    peer_free(&peer);
}

static void a_password_opens_what_we_write_under_it(void **state)
{
    static const enum cms_cipher ciphers[] = { CMS_AES_128_CBC, CMS_AES_192_CBC, CMS_AES_256_CBC,
                                               CMS_DES_EDE3_CBC };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ciphers); i++) {
        BIO *out = BIO_new(BIO_s_mem());
        CMS_ContentInfo *cms;
        struct bytes der;
        unsigned char password[] = "s3cret", wrong[] = "secret";

        assert_true(cms_envelop_password(ENVELOPING(content, ciphers[i]), BYTES_LITERAL("s3cret"), arena,
                                         &der, &err));
        cms = peer_read(der);
        assert_int_equal(CMS_decrypt_set1_password(cms, wrong, 6), 0);
        assert_int_equal(CMS_decrypt_set1_password(cms, password, 6), 1);
        assert_int_equal(CMS_decrypt(cms, NULL, NULL, NULL, out, CMS_BINARY), 1);
        assert_true(bytes_equal(bio_take(out), content));
        CMS_ContentInfo_free(cms);
    }
    ERR_clear_error();
}

static void an_empty_password_hides_nothing(void **state)
{
    struct bytes der = BYTES_NONE;

    (void)state;
    assert_false(cms_envelop_password(ENVELOPING(content, CMS_AES_128_CBC), BYTES_NONE, arena, &der, &err));
    assert_int_equal(err.code, ERROR_DENIED);
    assert_false(
        cms_envelop_password(ENVELOPING(content, CMS_DES_CBC), BYTES_LITERAL("s"), arena, &der, &err));
    assert_null(der.data);
}

/* The legacy provider is somewhere else: DES works here and stays unknown to the default context. */
static void single_des_lives_in_a_context_of_its_own(void **state)
{
    struct bytes ra = root_of("CN=RA", "rsa"), der;
    struct certificate c = decoded(ra);
    EVP_CIPHER *reachable;

    (void)state;
    assert_true(cms_envelop(ENVELOPING(content, CMS_DES_CBC), &c, arena, &der, &err));
    assert_opens(der, ra);
    reachable = EVP_CIPHER_fetch(NULL, "DES-CBC", NULL);
    assert_null(reachable);
    ERR_clear_error();
}

static void only_an_rsa_certificate_receives(void **state)
{
    struct certificate c = decoded(root_of("CN=a", "p256"));
    struct bytes der = BYTES_NONE;

    (void)state;
    assert_false(cms_envelop(ENVELOPING(content, CMS_AES_128_CBC), &c, arena, &der, &err));
    assert_int_equal(err.code, ERROR_CRYPTO);
    assert_false(cms_envelop(ENVELOPING(content, CMS_CIPHER_NONE), &c, arena, &der, &err));
    assert_null(der.data);
}

/* RFC 5753: what is written for an EC certificate is opened by its key alone. */
static void a_key_that_agrees_opens_what_we_write(void **state)
{
    static const char *const curves[] = { "P-256", "P-384", "P-521" };
    static const uint8_t key_package[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x02, 0x01, 0x02, 0x4e, 0x05 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        struct peer peer = peer_new(curves[i]), other = peer_new(curves[i]);
        struct certificate c = decoded(peer.der);
        struct cms_enveloping e = *ENVELOPING(content, CMS_AES_256_CBC);
        BIO *out = BIO_new(BIO_s_mem());
        CMS_ContentInfo *cms;
        struct bytes der;

        e.content_type = BYTES_ARRAY(key_package);
        assert_true(cms_envelop_agree(&e, &c, arena, &der, &err));
        assert_true(memmem(der.data, der.len, key_package, sizeof(key_package)) != NULL);
        cms = peer_read(der);
        assert_int_not_equal(CMS_decrypt_set1_pkey(cms, other.pkey, NULL), 1);
        CMS_ContentInfo_free(cms);
        cms = peer_read(der);
        assert_int_equal(CMS_decrypt(cms, peer.pkey, peer.x, NULL, out, CMS_BINARY), 1);
        assert_true(bytes_equal(bio_take(out), content));
        CMS_ContentInfo_free(cms);
        peer_free(&peer);
        peer_free(&other);
    }
    ERR_clear_error();
}

static void a_key_that_does_not_agree_is_no_recipient(void **state)
{
    struct certificate rsa = decoded(root_of("CN=RA", "rsa"));
    struct bytes der = BYTES_NONE;

    (void)state;
    assert_false(cms_envelop_agree(ENVELOPING(content, CMS_AES_256_CBC), &rsa, arena, &der, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_null(der.data);
}

static void an_empty_content_goes_both_ways(void **state)
{
    struct bytes ra = root_of("CN=RA", "rsa"), der, plain;
    struct certificate c = decoded(ra);

    (void)state;
    assert_true(cms_envelop(ENVELOPING(BYTES_NONE, CMS_AES_128_CBC), &c, arena, &der, &err));
    assert_true(opens(der, ra, "rsa", &plain));
    assert_int_equal(plain.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_of_libcrypto_are_opened),
        TEST(scep_50_all_ways_to_fail_look_the_same),
        TEST(an_authenticated_or_other_envelope_is_not_decoded),
        TEST(recipients_of_other_kinds_are_passed_over),
        TEST(the_iv_has_the_length_of_a_block),
        TEST(odd_oaep_parameters_are_not_ours),
        TEST(libcrypto_opens_what_we_write),
        TEST(a_password_opens_what_we_write_under_it),
        TEST(an_empty_password_hides_nothing),
        TEST(single_des_lives_in_a_context_of_its_own),
        TEST(only_an_rsa_certificate_receives),
        TEST(a_key_that_agrees_opens_what_we_write),
        TEST(a_key_that_does_not_agree_is_no_recipient),
        TEST(an_empty_content_goes_both_ways),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
