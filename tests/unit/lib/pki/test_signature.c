#include "lib/pki/public_key.h"
#include "tests/unit/lib/pki/fixtures.h"

static const struct bytes message = BYTES_LITERAL("message");

static struct bytes algorithm_of(enum key_kind kind, enum digest_algorithm hash)
{
    struct buffer out = BUFFER(1024);

    assert_true(signature_algorithm_put(&out, kind, hash));
    return kept(&out);
}

static enum signature_fault judged(const char *name, const char *signer, enum digest_algorithm hash,
                                   struct bytes algorithm, bool allow_sha1)
{
    struct public_key key;
    struct bytes signature;

    assert_true(public_key_parse(keys_public(ring, name), &key));
    assert_true(keys_sign(ring, signer, hash, message, arena, &signature, &err));
    if (algorithm.len == 0)
        algorithm = algorithm_of(key.kind, hash);
    return signature_verify(&key, algorithm, message, signature, allow_sha1);
}

static void every_algorithm_verifies_its_own(void **state)
{
    static const char *const names[] = { "rsa", "pss", "p256", "p384", "p521" };
    static const enum digest_algorithm hashes[] = { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (size_t k = 0; k < COUNT_OF(hashes); k++)
            assert_int_equal(judged(names[i], names[i], hashes[k], BYTES_NONE, false), SIGNATURE_OK);
    assert_int_equal(judged("ed25519", "ed25519", DIGEST_NONE, BYTES_NONE, false), SIGNATURE_OK);
    assert_int_equal(judged("ed448", "ed448", DIGEST_NONE, BYTES_NONE, false), SIGNATURE_OK);
}

static void another_key_or_hash_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(judged("p256", "other", DIGEST_SHA256, BYTES_NONE, false), SIGNATURE_WRONG);
    assert_int_equal(judged("rsa", "rsa2", DIGEST_SHA256, BYTES_NONE, false), SIGNATURE_WRONG);
    assert_int_equal(judged("rsa", "rsa", DIGEST_SHA256, algorithm_of(KEY_RSA, DIGEST_SHA384), false),
                     SIGNATURE_WRONG);
    assert_int_equal(judged("p256", "p256", DIGEST_SHA256, algorithm_of(KEY_RSA, DIGEST_SHA256), false),
                     SIGNATURE_WRONG);
    assert_int_equal(judged("pss", "pss", DIGEST_SHA256, algorithm_of(KEY_RSA, DIGEST_SHA256), false),
                     SIGNATURE_WRONG);
}

static void csr_14_refused_hashes_are_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(judged("rsa", "rsa", DIGEST_MD5, hex("300d 06092a864886f70d010104 0500"), true),
                     SIGNATURE_ALGORITHM);
    assert_int_equal(judged("rsa", "rsa", DIGEST_SHA1, BYTES_NONE, false), SIGNATURE_ALGORITHM);
    assert_int_equal(judged("rsa", "rsa", DIGEST_SHA1, BYTES_NONE, true), SIGNATURE_OK);
    assert_int_equal(judged("p256", "p256", DIGEST_SHA1, BYTES_NONE, false), SIGNATURE_ALGORITHM);
    assert_int_equal(judged("p256", "p256", DIGEST_SHA1, BYTES_NONE, true), SIGNATURE_OK);
}

static void malformed_algorithms_are_syntax(void **state)
{
    static const char *const malformed[] = { "",
                                             "3000",
                                             "0500",
                                             "3002 0600",
                                             "3004 06022a03 00",
                                             "300d 06092a864886f70d01010b 0201",
                                             "300c 06082a8648ce3d040302 0500" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        struct public_key key;

        assert_true(public_key_parse(keys_public(ring, "p256"), &key));
        assert_int_equal(signature_verify(&key, hex(malformed[i]), message, hex("00"), false),
                         SIGNATURE_SYNTAX);
    }
}

static void empty_and_bent_signatures_are_wrong(void **state)
{
    struct public_key key;
    struct bytes signature;
    uint8_t *copy;

    (void)state;
    assert_true(public_key_parse(keys_public(ring, "p256"), &key));
    assert_true(keys_sign(ring, "p256", DIGEST_SHA256, message, arena, &signature, &err));
    assert_int_equal(signature_verify_with(&key, DIGEST_SHA256, message, signature), SIGNATURE_OK);
    assert_int_equal(signature_verify_with(&key, DIGEST_SHA256, message, BYTES_NONE), SIGNATURE_WRONG);
    copy = arena_alloc(arena, signature.len);
    for (size_t i = 0; i < signature.len; i++) {
        memcpy(copy, signature.data, signature.len);
        copy[i] ^= 1;
        assert_int_equal(signature_verify_with(&key, DIGEST_SHA256, message, bytes_of(copy, signature.len)),
                         SIGNATURE_WRONG);
    }
    assert_int_equal(signature_verify_with(&key, DIGEST_NONE, message, signature), SIGNATURE_ALGORITHM);
    assert_int_equal(signature_verify_with(&key, DIGEST_MD5, message, signature), SIGNATURE_ALGORITHM);
}

static void hashes_and_their_oids_are_a_pair(void **state)
{
    (void)state;
    for (int hash = DIGEST_MD5; hash <= DIGEST_SHA512; hash++)
        assert_int_equal(digest_from_oid(digest_oid((enum digest_algorithm)hash)), hash);
    assert_int_equal(digest_from_oid(hex("2a03")), DIGEST_NONE);
    assert_int_equal(signature_algorithm_hash(algorithm_of(KEY_EC_P384, DIGEST_SHA384)), DIGEST_SHA384);
    assert_int_equal(signature_algorithm_hash(algorithm_of(KEY_RSA_PSS, DIGEST_SHA512)), DIGEST_SHA512);
    assert_int_equal(signature_algorithm_hash(algorithm_of(KEY_ED25519, DIGEST_NONE)), DIGEST_NONE);
    assert_int_equal(signature_algorithm_hash(hex("3003 06012a")), DIGEST_NONE);
}

static void a_mac_is_no_signature_algorithm(void **state)
{
    (void)state;
    assert_true(signature_algorithm_is_known(algorithm_of(KEY_EC_P384, DIGEST_SHA384)));
    assert_true(signature_algorithm_is_known(algorithm_of(KEY_ED448, DIGEST_NONE)));
    assert_true(signature_algorithm_is_known(hex("300d 06092a864886f70d010105 0500"))); /* sha1WithRSA */
    assert_false(signature_algorithm_is_known(hex("300b 06092a864886f67d07421e")));     /* DHBasedMac */
    assert_false(signature_algorithm_is_known(hex("3003 06012a")));
    assert_false(signature_algorithm_is_known(BYTES_NONE));
}

static void what_cannot_be_named_is_not_written(void **state)
{
    struct buffer out = BUFFER(1024);

    (void)state;
    assert_false(signature_algorithm_put(&out, KEY_NONE, DIGEST_SHA256));
    assert_false(signature_algorithm_put(&out, KEY_RSA, DIGEST_MD5));
    assert_false(signature_algorithm_put(&out, KEY_RSA_PSS, DIGEST_SHA1));
    assert_false(signature_algorithm_put(&out, KEY_EC_P256, DIGEST_NONE));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_algorithm_verifies_its_own),          TEST(another_key_or_hash_is_wrong),
        TEST(csr_14_refused_hashes_are_refused_by_name), TEST(malformed_algorithms_are_syntax),
        TEST(empty_and_bent_signatures_are_wrong),       TEST(hashes_and_their_oids_are_a_pair),
        TEST(a_mac_is_no_signature_algorithm),           TEST(what_cannot_be_named_is_not_written),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
