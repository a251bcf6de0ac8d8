#include "tests/unit/lib/pki/cms_peer.h"

static const struct bytes content = BYTES_LITERAL("what is signed");

static struct cms_signing signing(const char *key, const struct certificate *c)
{
    return (struct cms_signing){
        .content = content, .has_content = true, .certificate = c, .keys = ring, .key_name = key
    };
}

static struct bytes sign(struct cms_signing s)
{
    struct bytes der;

    if (!cms_sign(&s, arena, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

static struct bytes verified_elsewhere(struct bytes der)
{
    CMS_ContentInfo *cms = peer_read(der);
    BIO *out = BIO_new(BIO_s_mem());
    int ok = CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY);

    if (ok != 1)
        ERR_print_errors_fp(stderr);
    assert_int_equal(ok, 1);
    CMS_ContentInfo_free(cms);
    return bio_take(out);
}

static void libcrypto_verifies_what_every_key_signs(void **state)
{
    static const char *const names[] = { "rsa", "p256", "p384", "p521" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct certificate c = decoded(root_of("CN=RA", names[i]));
        struct bytes der = sign(signing(names[i], &c));

        assert_true(bytes_equal(verified_elsewhere(der), content));
    }
}

/* RFC 8419; libcrypto 3.0 cannot read it. */
static void an_edwards_key_signs_what_we_verify(void **state)
{
    struct certificate c = decoded(root_of("CN=RA", "ed25519"));
    struct cms_signed back;

    (void)state;
    assert_true(cms_signed_decode(sign(signing("ed25519", &c)), &back));
    assert_int_equal(digest_from_oid(back.digest_algorithm), DIGEST_SHA512);
    assert_int_equal(cms_signed_verify(&back, &c.key, false), SIGNATURE_OK);
}

static void readers_of_pkcs7_verify_it_too(void **state)
{
    struct certificate c = decoded(root_of("CN=RA", "rsa"));
    struct cms_attribute extra[] = { { hex("6086480186f845010902"), hex("130133") },
                                     { hex("6086480186f845010905"), hex("0401aa") } };
    struct cms_signing s = signing("rsa", &c);
    struct bytes der;
    const unsigned char *at;
    BIO *out = BIO_new(BIO_s_mem());
    PKCS7 *p7;

    (void)state;
    s.attribute = extra;
    s.attribute_count = 2;
    der = sign(s);
    at = der.data;
    p7 = d2i_PKCS7(NULL, &at, (long)der.len);
    assert_non_null(p7);
    assert_int_equal(PKCS7_verify(p7, NULL, NULL, NULL, out, PKCS7_NOVERIFY | PKCS7_BINARY), 1);
    assert_true(bytes_equal(bio_take(out), content));
    PKCS7_free(p7);
}

static void further_certificates_travel_with_it(void **state)
{
    struct certificate c = decoded(root_of("CN=RA", "p256"));
    struct bytes more = root_of("CN=CA", "rsa");
    struct cms_signing s = signing("p256", &c);
    struct cms_signed back;

    (void)state;
    s.more = &more;
    s.more_count = 1;
    assert_true(cms_signed_decode(sign(s), &back));
    assert_int_equal(back.certificate_count, 2);
    assert_true(bytes_equal(back.certificate[1], more));
    assert_true(bytes_equal(cms_signer_certificate(&back, arena), c.encoded));
}

static void attributes_are_sorted(void **state)
{
    struct certificate c = decoded(root_of("CN=RA", "p256"));
    struct cms_attribute extra[] = { { hex("7a03"), hex("130133") }, { hex("2a03"), hex("130133") } };
    struct cms_signing s = signing("p256", &c);
    struct cms_signed back;
    struct der in, set;
    struct bytes before = BYTES_NONE;

    (void)state;
    s.attribute = extra;
    s.attribute_count = 2;
    assert_true(cms_signed_decode(sign(s), &back));
    in = der_of(back.signed_attributes);
    set = der_enter(&in, DER_CONTEXT(0));
    while (der_more(&set)) {
        struct bytes element = der_any(&set, NULL);

        assert_true(bytes_compare(before, element) < 0);
        before = element;
    }
    assert_int_equal(back.attribute_count, 4);
}

static void content_may_be_left_out(void **state)
{
    struct certificate c = decoded(root_of("CN=RA", "p256"));
    struct cms_signing s = signing("p256", &c);
    struct cms_signed back;

    (void)state;
    s.has_content = false;
    assert_true(cms_signed_decode(sign(s), &back));
    assert_false(back.has_content);
}

static void a_bag_keeps_its_order(void **state)
{
    struct bytes item[] = { root_of("CN=B", "rsa"), root_of("CN=A", "p256") }, der;
    struct buffer list = BUFFER(4096);
    struct bytes crl;
    STACK_OF(X509) * found;
    STACK_OF(X509_CRL) * lists;
    CMS_ContentInfo *cms;
    struct cms_signed back;

    (void)state;
    assert_true(crl_sign(
        &(struct crl_template){ .issuer = name_of("CN=A"), .this_update_s = NOW_S, .next_update_s = NOW_S },
        ring, "p256", &list, arena, &err));
    crl = kept(&list);
    assert_true(cms_bag(item, 2, &crl, 1, arena, &der, &err));
    assert_true(cms_signed_decode(der, &back));
    assert_int_equal(back.signer_count, 0);
    assert_int_equal(back.certificate_count, 2);
    assert_int_equal(back.crl_count, 1);
    assert_true(bytes_equal(back.certificate[0], item[0]));
    cms = peer_read(der);
    found = CMS_get1_certs(cms);
    lists = CMS_get1_crls(cms);
    assert_int_equal(sk_X509_num(found), 2);
    assert_int_equal(sk_X509_CRL_num(lists), 1);
    sk_X509_pop_free(found, X509_free);
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    CMS_ContentInfo_free(cms);
    assert_true(cms_bag(NULL, 0, NULL, 0, arena, &der, &err));
    assert_true(cms_signed_decode(der, &back));
}

static void without_a_key_there_is_an_error(void **state)
{
    struct certificate c = decoded(root_of("CN=RA", "p256"));
    struct cms_signing s = signing("absent", &c);
    struct bytes der = BYTES_NONE;

    (void)state;
    assert_false(cms_sign(&s, arena, &der, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_null(der.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(libcrypto_verifies_what_every_key_signs),
        TEST(an_edwards_key_signs_what_we_verify),
        TEST(readers_of_pkcs7_verify_it_too),
        TEST(further_certificates_travel_with_it),
        TEST(attributes_are_sorted),
        TEST(content_may_be_left_out),
        TEST(a_bag_keeps_its_order),
        TEST(without_a_key_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
