#include "tests/unit/lib/pki/cms_peer.h"

static const struct bytes content = BYTES_LITERAL("what is signed");

static struct bytes signed_elsewhere(const struct peer *peer, const EVP_MD *md, unsigned flags)
{
    BIO *in = bio_of(content);
    CMS_ContentInfo *cms;

    flags |= CMS_BINARY | CMS_PARTIAL;
    cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    assert_non_null(cms);
    assert_non_null(CMS_add1_signer(cms, peer->x, peer->pkey, md, flags));
    if ((flags & CMS_STREAM) == 0)
        assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
    BIO_free(in);
    return peer_write(cms, content, (flags & CMS_STREAM) != 0);
}

static struct bytes to_der(struct bytes ber)
{
    struct bytes der;

    assert_true(ber_to_der(arena, ber, &der));
    return der;
}

static enum signature_fault judged(struct bytes message, struct bytes certificate, bool allow_sha1)
{
    struct cms_signed s;
    struct certificate c = decoded(certificate);

    assert_true(cms_signed_decode(to_der(message), &s));
    return cms_signed_verify(&s, &c.key, allow_sha1);
}

static void a_message_of_libcrypto_is_read_and_verified(void **state)
{
    static const char *const types[] = { "RSA", "EC" };
    static const unsigned shapes[] = { 0, CMS_STREAM, CMS_NOATTR, CMS_NOSMIMECAP };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct peer peer = peer_new(types[i]), other = peer_new(types[i]);

        for (size_t k = 0; k < COUNT_OF(shapes); k++) {
            struct bytes message = signed_elsewhere(&peer, EVP_sha256(), shapes[k]), found;
            struct cms_signed s;

            assert_true(cms_signed_decode(to_der(message), &s));
            assert_true(s.has_content && bytes_equal(s.content, content));
            assert_int_equal(s.signer_count, 1);
            assert_int_equal(s.certificate_count, 1);
            found = cms_signer_certificate(&s, arena);
            assert_true(bytes_equal(found, peer.der));
            assert_int_equal(judged(message, peer.der, false), SIGNATURE_OK);
            assert_int_equal(judged(message, other.der, false), SIGNATURE_WRONG);
        }
        peer_free(&peer);
        peer_free(&other);
    }
}

static void streamed_messages_are_ber_indeed(void **state)
{
    struct peer peer = peer_new("EC");
    struct bytes message = signed_elsewhere(&peer, EVP_sha256(), CMS_STREAM);
    struct cms_signed s;

    (void)state;
    assert_int_equal(message.data[1], 0x80);
    assert_false(cms_signed_decode(message, &s));
    peer_free(&peer);
}

static void weak_digests_are_refused_before_verifying(void **state)
{
    struct peer peer = peer_new("RSA");

    (void)state;
    assert_int_equal(judged(signed_elsewhere(&peer, EVP_md5(), 0), peer.der, true), SIGNATURE_ALGORITHM);
    assert_int_equal(judged(signed_elsewhere(&peer, EVP_sha1(), 0), peer.der, false), SIGNATURE_ALGORITHM);
    assert_int_equal(judged(signed_elsewhere(&peer, EVP_sha1(), 0), peer.der, true), SIGNATURE_OK);
    assert_int_equal(judged(signed_elsewhere(&peer, EVP_sha512(), 0), peer.der, false), SIGNATURE_OK);
    peer_free(&peer);
}

static struct bytes signed_here(struct bytes shown, struct bytes attribute_value)
{
    struct certificate c = decoded(root_of("CN=RA", "rsa"));
    struct cms_attribute extra = { hex("6086480186f845010902"), attribute_value };
    struct bytes der;

    assert_true(cms_sign(&(struct cms_signing){ .content = shown,
                                                .has_content = shown.data != NULL,
                                                .certificate = &c,
                                                .keys = ring,
                                                .key_name = "rsa",
                                                .hash = DIGEST_SHA256,
                                                .attribute = &extra,
                                                .attribute_count = 1 },
                         arena, &der, &err));
    return der;
}

static void any_bent_byte_is_noticed(void **state)
{
    struct bytes root = root_of("CN=RA", "rsa");
    struct bytes der = signed_here(content, hex("130133"));
    uint8_t *copy = arena_alloc(arena, der.len);
    struct certificate c = decoded(root);
    size_t verified = 0;

    (void)state;
    for (size_t i = 0; i < der.len; i++) {
        struct cms_signed s;

        memcpy(copy, der.data, der.len);
        copy[i] ^= 0x20;
        if (cms_signed_decode(bytes_of(copy, der.len), &s) &&
            cms_signed_verify(&s, &c.key, true) == SIGNATURE_OK &&
            bytes_equal(cms_signer_certificate(&s, arena), root)) {
            assert_true(bytes_equal(s.content, content));
            verified++;
        }
        assert_false(cms_signed_decode(bytes_slice(der, 0, i), &s));
    }
    assert_true(verified < 40); /* versions, digestAlgorithms and the like decide nothing */
}

static void attributes_stand_for_content_and_type(void **state)
{
    struct bytes der = signed_here(content, hex("130133")), value;
    struct certificate c = decoded(root_of("CN=RA", "rsa"));
    struct cms_signed s;

    (void)state;
    assert_true(cms_signed_decode(der, &s));
    assert_true(cms_attribute_find(&s, hex("6086480186f845010902"), &value));
    assert_true(bytes_equal(value, hex("130133")));
    assert_false(cms_attribute_find(&s, hex("2a03"), &value));
    assert_int_equal(cms_signed_verify(&s, &c.key, false), SIGNATURE_OK);
    s.content = BYTES_LITERAL("what is signex");
    assert_int_equal(cms_signed_verify(&s, &c.key, false), SIGNATURE_WRONG);
    s.content = content;
    s.content_type = hex("2a03");
    assert_int_equal(cms_signed_verify(&s, &c.key, false), SIGNATURE_WRONG);
}

/* Without attributes a signature over DER of attributes must not pass for one over content. */
static void attributes_are_no_content(void **state)
{
    struct bytes der = signed_here(content, hex("130133"));
    struct certificate c = decoded(root_of("CN=RA", "rsa"));
    struct cms_signed s;
    uint8_t *set;

    (void)state;
    assert_true(cms_signed_decode(der, &s));
    set = arena_alloc(arena, s.signed_attributes.len);
    memcpy(set, s.signed_attributes.data, s.signed_attributes.len);
    set[0] = DER_SET;
    s.content = bytes_of(set, s.signed_attributes.len);
    s.content_type = hex("2a03");
    s.signed_attributes = BYTES_NONE;
    assert_int_not_equal(cms_signed_verify(&s, &c.key, false), SIGNATURE_OK);
}

static void a_message_without_content_is_signed_over_nothing(void **state)
{
    struct bytes der = signed_here(BYTES_NONE, hex("130133"));
    struct certificate c = decoded(root_of("CN=RA", "rsa"));
    struct cms_signed s;

    (void)state;
    assert_true(cms_signed_decode(der, &s));
    assert_false(s.has_content);
    assert_int_equal(cms_signed_verify(&s, &c.key, false), SIGNATURE_OK);
}

static void an_attribute_has_one_value_and_stands_once(void **state)
{
    struct cms_signed s;

    (void)state;
    assert_true(cms_signed_decode(signed_here(content, hex("130133")), &s));
    assert_false(cms_signed_decode(signed_here(content, hex("130133 130134")), &s));
    assert_false(cms_signed_decode(signed_here(content, BYTES_NONE), &s));
}

static void other_contents_are_not_signed_data(void **state)
{
    struct cms_signed s;

    (void)state;
    assert_false(cms_signed_decode(BYTES_NONE, &s));
    assert_false(cms_signed_decode(hex("300d 06092a864886f70d010702"), &s));
    assert_false(cms_signed_decode(hex("3011 06092a864886f70d010703 a0043002 0500"), &s));
    assert_false(cms_signed_decode(join(signed_here(content, hex("130133")), hex("00")), &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_of_libcrypto_is_read_and_verified),
        TEST(streamed_messages_are_ber_indeed),
        TEST(weak_digests_are_refused_before_verifying),
        TEST(any_bent_byte_is_noticed),
        TEST(attributes_stand_for_content_and_type),
        TEST(attributes_are_no_content),
        TEST(a_message_without_content_is_signed_over_nothing),
        TEST(an_attribute_has_one_value_and_stands_once),
        TEST(other_contents_are_not_signed_data),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
