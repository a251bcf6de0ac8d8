#include "proto/est/csrattrs.h"

#include "lib/base/encode.h"
#include "tests/lib/test.h"

static const uint8_t RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t SHA256_RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b };
static const uint8_t EC[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t P384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t MAC_ADDRESS[] = { 0x2b, 0x06, 0x01, 0x01, 0x01, 0x01, 0x16 };
static const uint8_t ECDSA_SHA384[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };

static void assert_encodes(const struct est_csrattrs *a, const char *base64)
{
    AUTO_STRUCT(buffer) der = BUFFER(1024);
    AUTO_STRUCT(buffer) text = BUFFER(1024);

    est_csrattrs_encode(a, &der);
    base64_encode(&text, buffer_bytes(&der), 0);
    assert_false(buffer_failed(&der));
    assert_text(buffer_bytes(&text), base64);
}

static void est_85_the_rsa_vector_is_met(void **state)
{
    (void)state;
    assert_encodes(&(struct est_csrattrs){ .challenge_password = true,
                                           .key = BYTES_ARRAY(RSA),
                                           .rsa_bits = 4096,
                                           .signature = BYTES_ARRAY(SHA256_RSA) },
                   "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==");
}

static void est_86_the_mac_address_vector_is_met(void **state)
{
    (void)state;
    assert_encodes(&(struct est_csrattrs){ .challenge_password = true,
                                           .key = BYTES_ARRAY(EC),
                                           .curve = BYTES_ARRAY(P384),
                                           .bare = BYTES_ARRAY(MAC_ADDRESS),
                                           .signature = BYTES_ARRAY(ECDSA_SHA384) },
                   "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==");
}

static struct est_csrattrs demands(struct key_rules keys, bool link_required)
{
    const struct profile profile = { .name = "p", .keys = keys };
    const struct procedure procedure = { .name = "p",
                                         .profile = &profile,
                                         .est_link_required = link_required };

    return est_csrattrs_of(&procedure);
}

static void est_82_challenge_password_is_listed_when_linking_is_required(void **state)
{
    struct est_csrattrs a = demands(KEY_RULES_DEFAULT, true);

    (void)state;
    assert_false(est_csrattrs_is_empty(&a));
    assert_encodes(&a, "MAsGCSqGSIb3DQEJBw==");
}

static void nothing_is_demanded_where_several_kinds_of_key_will_do(void **state)
{
    struct est_csrattrs a = demands(KEY_RULES_DEFAULT, false);

    (void)state;
    assert_true(est_csrattrs_is_empty(&a));
}

static void est_83_one_kind_of_key_is_stated(void **state)
{
    struct est_csrattrs rsa = demands((struct key_rules){ .rsa_bits_min = 4096, .rsa_bits_max = 8192 }, true);
    struct est_csrattrs p384 = demands((struct key_rules){ .p384 = true }, false);
    struct est_csrattrs ec = demands((struct key_rules){ .p256 = true, .p384 = true }, false);
    struct est_csrattrs ed = demands((struct key_rules){ .ed25519 = true }, false);

    (void)state;
    assert_encodes(&rsa, "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==");
    assert_bytes(p384.curve, BYTES_ARRAY(P384));
    assert_bytes(p384.signature, BYTES_ARRAY(ECDSA_SHA384));
    assert_bytes(ec.key, BYTES_ARRAY(EC));
    assert_int_equal(ec.curve.len, 0);
    assert_int_equal(ec.signature.len, 0);
    assert_encodes(&ec, "MA0wCwYHKoZIzj0CATEA");
    assert_encodes(&ed, "MAkwBwYDK2VwMQA=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(est_85_the_rsa_vector_is_met),
        cmocka_unit_test(est_86_the_mac_address_vector_is_met),
        cmocka_unit_test(est_82_challenge_password_is_listed_when_linking_is_required),
        cmocka_unit_test(nothing_is_demanded_where_several_kinds_of_key_will_do),
        cmocka_unit_test(est_83_one_kind_of_key_is_stated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
