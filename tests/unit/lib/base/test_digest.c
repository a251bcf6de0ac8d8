#include "lib/base/digest.h"

#include "lib/base/encode.h"
#include "tests/lib/test.h"

static bool is_hex(struct bytes value, const char *text)
{
    uint8_t expected[DIGEST_MAX];

    return hex_decode(bytes_text(text), expected) && bytes_equal(value, bytes_of(expected, strlen(text) / 2));
}

static void hashes_are_those_of_their_standards(void **state)
{
    struct digest256 d;
    uint8_t out[DIGEST_MAX];
    size_t len;

    (void)state;
    assert_true(sha256(bytes_text("abc"), &d));
    assert_memory_equal(d.bytes, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
    assert_true(sha256_parts((struct bytes[]){ bytes_text("a"), bytes_text("bc") }, 2, &d));
    assert_memory_equal(d.bytes, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
    assert_true(digest(DIGEST_SHA1, bytes_text("abc"), out, &len));
    assert_int_equal(len, 20);
    assert_false(digest(DIGEST_NONE, bytes_text("abc"), out, &len));
}

static void a_hash_over_parts_is_that_over_the_whole(void **state)
{
    static const enum digest_algorithm all[] = { DIGEST_MD5,    DIGEST_SHA1,   DIGEST_SHA224,
                                                 DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
    const struct bytes parts[] = { bytes_text("a"), BYTES_NONE, bytes_text("bc") };
    uint8_t whole[DIGEST_MAX], pieces[DIGEST_MAX];
    size_t whole_len, pieces_len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_true(digest(all[i], bytes_text("abc"), whole, &whole_len));
        assert_true(digest_parts(all[i], parts, COUNT_OF(parts), pieces, &pieces_len));
        assert_int_equal(whole_len, digest_len(all[i]));
        assert_bytes(bytes_of(pieces, pieces_len), bytes_of(whole, whole_len));
    }
    assert_true(digest(DIGEST_SHA1, bytes_text("abc"), whole, &whole_len));
    assert_true(digest(DIGEST_SHA1, bytes_of(whole, whole_len), whole, &whole_len)); /* in place */
    assert_true(is_hex(bytes_of(whole, whole_len), "0d3ced9bec10a777aec23ccc353a8c08a633045e"));
    assert_false(digest_parts(DIGEST_NONE, parts, COUNT_OF(parts), pieces, &pieces_len));
}

static void a_hash_repeated_is_the_hash_of_the_hash(void **state)
{
    static const enum digest_algorithm all[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGEST_SHA256 };
    uint8_t one_by_one[DIGEST_MAX], at_once[DIGEST_MAX];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_true(digest(all[i], bytes_text("abc"), one_by_one, &len));
        memcpy(at_once, one_by_one, len);
        for (size_t n = 0; n < 500; n++)
            assert_true(digest(all[i], bytes_of(one_by_one, len), one_by_one, &len));
        assert_true(digest_repeat(all[i], at_once, 500));
        assert_memory_equal(at_once, one_by_one, len);
        assert_true(digest_repeat(all[i], at_once, 0));
        assert_memory_equal(at_once, one_by_one, len);
    }
    assert_false(digest_repeat(DIGEST_NONE, at_once, 1));
}

static void pbkdf2_has_the_values_of_rfc_6070(void **state)
{
    uint8_t key[25];

    (void)state;
    assert_true(pbkdf2(DIGEST_SHA1, BYTES_LITERAL("password"), BYTES_LITERAL("salt"), 1, key, 20));
    assert_true(is_hex(bytes_of(key, 20), "0c60c80f961f0e71f3a9b524af6012062fe037a6"));
    assert_true(pbkdf2(DIGEST_SHA1, BYTES_LITERAL("password"), BYTES_LITERAL("salt"), 4096, key, 20));
    assert_true(is_hex(bytes_of(key, 20), "4b007901b765489abead49d926f721d065a429c1"));
    assert_true(pbkdf2(DIGEST_SHA1, BYTES_LITERAL("passwordPASSWORDpassword"),
                       BYTES_LITERAL("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 4096, key, 25));
    assert_true(is_hex(bytes_of(key, 25), "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"));
    assert_false(pbkdf2(DIGEST_NONE, BYTES_LITERAL("p"), BYTES_LITERAL("s"), 1, key, 20));
    assert_false(pbkdf2(DIGEST_SHA1, BYTES_LITERAL("p"), BYTES_LITERAL("s"), 0, key, 20));
    assert_false(pbkdf2(DIGEST_SHA1, BYTES_LITERAL("p"), BYTES_LITERAL("s"), 1, key, 0));
}

static void hmac_has_the_values_of_rfc_4231(void **state)
{
    static const struct {
        enum digest_algorithm hash;
        const char *value;
    } rows[] = {
        { DIGEST_SHA224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
        { DIGEST_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { DIGEST_SHA384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
                         "8e2240ca5e69e2c78b3239ecfab21649" },
        { DIGEST_SHA512, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
        { DIGEST_SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" }, /* RFC 2202 */
    };
    struct bytes message = BYTES_LITERAL("what do ya want for nothing?");
    uint8_t value[DIGEST_MAX];
    struct digest256 short_form;
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(hmac(rows[i].hash, BYTES_LITERAL("Jefe"), message, value, &len));
        assert_true(is_hex(bytes_of(value, len), rows[i].value));
    }
    assert_true(hmac_sha256(BYTES_LITERAL("Jefe"), message, &short_form));
    assert_true(is_hex(digest256_bytes(&short_form), rows[1].value));
    assert_true(hmac(DIGEST_SHA256, BYTES_NONE, BYTES_NONE, value, &len));
    assert_true(
        is_hex(bytes_of(value, len), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
    assert_false(hmac(DIGEST_NONE, BYTES_LITERAL("Jefe"), message, value, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_their_standards),
        cmocka_unit_test(a_hash_over_parts_is_that_over_the_whole),
        cmocka_unit_test(a_hash_repeated_is_the_hash_of_the_hash),
        cmocka_unit_test(hmac_has_the_values_of_rfc_4231),
        cmocka_unit_test(pbkdf2_has_the_values_of_rfc_6070),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
