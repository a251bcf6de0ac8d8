#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/pki/public_key.h"
#include "tests/unit/lib/pki/fixtures.h"
#include "tests/unit/lib/pki/moduli.h"

static struct public_key key;

static enum key_fault judged_by(struct bytes spki, struct key_rules rules)
{
    const char *detail = NULL;
    enum key_fault fault;

    memset(&key, 0, sizeof(key));
    fault = public_key_decode(spki, &rules, &key, &detail);
    if (fault != KEY_OK) {
        assert_non_null(detail);
        assert_int_equal(key.kind, KEY_NONE);
    }
    return fault;
}

static enum key_fault judged(struct bytes spki)
{
    return judged_by(spki, KEY_RULES_DEFAULT);
}

static struct bytes bits_of(struct bytes content)
{
    return wrap(DER_BIT_STRING, join(hex("00"), content));
}

static struct bytes integer(struct bytes magnitude)
{
    struct buffer out = BUFFER(8192);

    der_put_integer(&out, magnitude);
    return kept(&out);
}

static struct bytes rsa_of(struct bytes n, struct bytes e)
{
    return wrap(DER_SEQUENCE,
                join(hex("300d 06092a864886f70d010101 0500"), bits_of(wrap(DER_SEQUENCE, join(n, e)))));
}

static struct bytes rsa(const char *modulus, const char *exponent)
{
    return rsa_of(integer(hex(modulus)), integer(hex(exponent)));
}

/* A modulus of that many bits which trial division passes: cut from the ring's, made odd and tried. */
static struct bytes modulus_of(unsigned bits)
{
    struct key_rules any = { .rsa_bits_min = 1, .rsa_bits_max = bits };
    uint8_t *n = arena_alloc(arena, bits / 8);
    const char *detail;
    struct public_key found;

    memset(n, 0xc5, bits / 8);
    for (unsigned i = 0; i < 60000; i++) {
        n[bits / 8 - 1] = (uint8_t)(2 * i + 1);
        n[bits / 8 - 2] = (uint8_t)(i >> 7);
        if (public_key_decode(rsa_of(integer(bytes_of(n, bits / 8)), hex("0203010001")), &any, &found,
                              &detail) == KEY_OK)
            return integer(bytes_of(n, bits / 8));
    }
    fail();
    return BYTES_NONE;
}

static void csr_22_rsa_sizes_are_bounded_before_arithmetic(void **state)
{
    struct bytes e = hex("0203010001");

    (void)state;
    assert_int_equal(judged(rsa_of(modulus_of(2048), e)), KEY_OK);
    assert_int_equal(key.bits, 2048);
    assert_int_equal(judged(rsa_of(modulus_of(4096), e)), KEY_OK);
    assert_int_equal(judged(rsa_of(modulus_of(8192), e)), KEY_OK);
    assert_int_equal(judged(rsa_of(modulus_of(1024), e)), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(modulus_of(2040), e)), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(modulus_of(8200), e)), KEY_FAULT_WEAK);
    assert_int_equal(judged_by(rsa_of(modulus_of(2048), e), (struct key_rules){ .p256 = true }),
                     KEY_FAULT_WEAK);
}

static void csr_23_24_exponents_are_odd_and_of_common_size(void **state)
{
    struct bytes n = modulus_of(2048);
    struct bytes huge = wrap(DER_INTEGER,
                             join(hex("01"), hex("0000000000000000000000000000000000000000000000000000"
                                                 "000000000001")));

    (void)state;
    assert_int_equal(judged(rsa_of(n, hex("020100"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, hex("020101"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, hex("020103"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, hex("020111"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, hex("0203010002"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, hex("020300ffff"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, hex("0201ff"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, huge)), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa_of(n, hex("02050100000001"))), KEY_OK);
}

static void csr_25_moduli_with_small_factors_are_refused(void **state)
{
    struct bytes good = modulus_of(2048), even, negative;
    uint8_t *copy = arena_alloc(arena, good.len);

    (void)state;
    assert_int_equal(judged(rsa(factor_751_modulus, "010001")), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa(factor_757_modulus, "010001")), KEY_OK);
    memcpy(copy, good.data, good.len);
    copy[good.len - 1] &= 0xfe;
    even = bytes_of(copy, good.len);
    assert_int_equal(judged(rsa_of(even, hex("0203010001"))), KEY_FAULT_WEAK);
    negative = wrap(DER_INTEGER, bytes_from(good, 5)); /* without the octet for the sign */
    assert_int_equal(judged(rsa_of(negative, hex("0203010001"))), KEY_FAULT_WEAK);
}

static void csr_25_28_full_checks_find_more(void **state)
{
    struct key_rules full = KEY_RULES_DEFAULT;

    (void)state;
    full.full_checks = true;
    assert_int_equal(judged_by(keys_public(ring, "rsa"), full), KEY_OK);
    assert_int_equal(judged_by(rsa(prime_modulus, "010001"), full), KEY_FAULT_WEAK);
    assert_int_equal(judged_by(rsa(square_modulus, "010001"), full), KEY_FAULT_WEAK);
    assert_int_equal(judged_by(rsa(cube_modulus, "010001"), full), KEY_FAULT_WEAK);
    assert_int_equal(judged_by(rsa(close_modulus, "010001"), full), KEY_FAULT_WEAK);
    assert_int_equal(judged(rsa(close_modulus, "010001")), KEY_OK); /* not by default */
}

static void csr_26_the_roca_fingerprint_is_refused(void **state)
{
    (void)state;
    assert_int_equal(judged(rsa(roca_modulus, "010001")), KEY_FAULT_WEAK);
    assert_int_equal(judged(keys_public(ring, "rsa")), KEY_OK);
    assert_int_equal(judged(keys_public(ring, "rsa2")), KEY_OK);
}

#define P256 "3013 06072a8648ce3d0201 06082a8648ce3d030107"

static struct bytes ec(const char *algorithm, struct bytes point)
{
    return wrap(DER_SEQUENCE, join(hex(algorithm), bits_of(point)));
}

static struct bytes point_of(const char *name)
{
    struct public_key found;

    assert_true(public_key_parse(keys_public(ring, name), &found));
    return found.point;
}

/* As `openssl rsa -noout -modulus | sha1sum | cut -c 21-40`, by libcrypto's printing of numbers. */
static const char *blacklisted(struct bytes magnitude)
{
    BIGNUM *n = BN_bin2bn(magnitude.data, (int)magnitude.len, NULL);
    BIO *out = BIO_new(BIO_s_mem());
    uint8_t hash[20];
    char *text, *line = arena_alloc(arena, 2 * sizeof(hash) + 1);
    long len;

    assert_true(BIO_puts(out, "Modulus=") == 8 && BN_print(out, n) == 1 && BIO_puts(out, "\n") == 1);
    len = BIO_get_mem_data(out, &text);
    assert_int_equal(EVP_Q_digest(NULL, "SHA1", NULL, text, (size_t)len, hash, NULL), 1);
    hex_encode(BYTES_ARRAY(hash), line);
    BIO_free(out);
    BN_free(n);
    return line + 20;
}

static void csr_27_a_listed_key_is_refused_where_a_list_is_configured(void **state)
{
    struct bytes spki = keys_public(ring, "rsa"), text;
    struct key_rules rules = KEY_RULES_DEFAULT;
    struct weak_list *list = NULL;

    (void)state;
    assert_int_equal(judged(spki), KEY_OK);
    text = arena_format(arena, "# weak keys\n%s\n", blacklisted(key.modulus));
    assert_true(weak_list_new(&text, 1, &list, &err));
    rules.weak = list;
    assert_int_equal(judged_by(spki, rules), KEY_FAULT_WEAK);
    assert_int_equal(judged_by(keys_public(ring, "rsa2"), rules), KEY_OK);
    assert_int_equal(judged_by(keys_public(ring, "p256"), rules), KEY_OK);
    weak_list_free(list);
}

static void csr_29_only_the_named_nist_curves(void **state)
{
    (void)state;
    assert_int_equal(judged(keys_public(ring, "p256")), KEY_OK);
    assert_int_equal(key.kind, KEY_EC_P256);
    assert_int_equal(judged(keys_public(ring, "p384")), KEY_OK);
    assert_int_equal(judged(keys_public(ring, "p521")), KEY_OK);
    assert_int_equal(key.bits, 521);
    assert_int_equal(judged_by(keys_public(ring, "p384"), (struct key_rules){ .p256 = true }),
                     KEY_FAULT_WEAK);
    /* secp256k1, brainpoolP256r1 */
    assert_int_equal(judged(ec("3010 06072a8648ce3d0201 06052b8104000a", point_of("p256"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(ec("3014 06072a8648ce3d0201 06092b2403030208010107", point_of("p256"))),
                     KEY_FAULT_WEAK);
}

static void csr_30_explicit_parameters_are_refused(void **state)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    unsigned char *der = NULL;
    int len;

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, "encoding", "explicit"), 1);
    len = i2d_PUBKEY(pkey, &der);
    assert_true(len > 200); /* it is explicit */
    assert_int_equal(judged(bytes_of(der, (size_t)len)), KEY_FAULT_WEAK);
    assert_int_equal(judged(ec("300b 06072a8648ce3d0201 0500", point_of("p256"))), KEY_FAULT_WEAK);
    assert_int_equal(judged(ec("3009 06072a8648ce3d0201", point_of("p256"))), KEY_FAULT_SYNTAX);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
}

/* The same point as it was, with another first octet and `len` octets. */
static struct bytes bent_point(uint8_t form, size_t len)
{
    uint8_t *copy = arena_alloc(arena, 65);

    memcpy(copy, point_of("p256").data, 65);
    copy[0] = form;
    return bytes_of(copy, len);
}

static void csr_31_points_are_on_the_curve_and_in_a_plain_form(void **state)
{
    struct bytes point = point_of("p256");
    uint8_t odd = point.data[64] & 1;
    struct bytes off = bent_point(4, 65);

    (void)state;
    assert_int_equal(judged(ec(P256, point)), KEY_OK);
    assert_int_equal(judged(ec(P256, bent_point((uint8_t)(2 + odd), 33))), KEY_OK);
    assert_int_equal(judged(ec(P256, bent_point((uint8_t)(6 + odd), 65))), KEY_FAULT_WEAK);
    assert_int_equal(judged(ec(P256, hex("00"))), KEY_FAULT_WEAK);
    ((uint8_t *)(uintptr_t)off.data)[64] ^= 1;
    assert_int_equal(judged(ec(P256, off)), KEY_FAULT_WEAK);
    assert_int_equal(judged(ec(P256, bent_point(4, 64))), KEY_FAULT_SYNTAX);
    assert_int_equal(judged(ec(P256, BYTES_NONE)), KEY_FAULT_SYNTAX);
    assert_int_equal(judged(ec(P256, bent_point(5, 65))), KEY_FAULT_SYNTAX);
}

static void csr_32_edwards_keys_have_no_parameters(void **state)
{
    struct key_rules rules = { .ed25519 = true };
    struct bytes point = point_of("ed25519");

    (void)state;
    assert_int_equal(judged_by(keys_public(ring, "ed25519"), rules), KEY_OK);
    assert_int_equal(judged_by(keys_public(ring, "ed448"), rules), KEY_FAULT_WEAK);
    assert_int_equal(judged(keys_public(ring, "ed25519")), KEY_FAULT_WEAK);
    assert_int_equal(judged_by(ec("3007 06032b6570 0500", point), rules), KEY_FAULT_SYNTAX);
    assert_int_equal(judged_by(ec("3005 06032b6570", bytes_slice(point, 0, 31)), rules), KEY_FAULT_SYNTAX);
}

static void csr_33_rsassa_pss_keys_need_the_rule(void **state)
{
    struct key_rules rules = KEY_RULES_DEFAULT;

    (void)state;
    assert_int_equal(judged(keys_public(ring, "pss")), KEY_FAULT_WEAK);
    rules.rsa_pss = true;
    assert_int_equal(judged_by(keys_public(ring, "pss"), rules), KEY_OK);
    assert_int_equal(key.kind, KEY_RSA_PSS);
}

static void csr_34_unknown_algorithms_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(judged(ec("3009 06072a8648ce380401", hex("020101"))), KEY_FAULT_ALGORITHM); /* DSA */
    assert_int_equal(judged(ec("3003 06012a", hex("00"))), KEY_FAULT_ALGORITHM);
    assert_int_equal(judged(hex("3000")), KEY_FAULT_SYNTAX);
    assert_int_equal(judged(BYTES_NONE), KEY_FAULT_SYNTAX);
    assert_int_equal(judged(join(keys_public(ring, "p256"), hex("00"))), KEY_FAULT_SYNTAX);
    assert_int_equal(judged(ec("300e 06092a864886f70d010101 020100", hex("3006020103020103"))),
                     KEY_FAULT_SYNTAX);
}

static void zeroed_rules_accept_nothing(void **state)
{
    static const char *const names[] = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(judged_by(keys_public(ring, names[i]), (struct key_rules){ .p256 = false }),
                         KEY_FAULT_WEAK);
}

static void a_key_is_known_by_its_hashes(void **state)
{
    struct bytes spki = keys_public(ring, "p256");
    struct digest256 fingerprint, expected;
    uint8_t id[20], of_point[DIGEST_MAX];
    size_t len;

    (void)state;
    assert_true(public_key_fingerprint(spki, &fingerprint));
    assert_true(sha256(spki, &expected));
    assert_true(digest256_equal(&fingerprint, &expected));
    assert_true(public_key_identifier(spki, id));
    assert_true(digest(DIGEST_SHA1, point_of("p256"), of_point, &len));
    assert_memory_equal(id, of_point, 20);
    assert_false(public_key_identifier(hex("3000"), id));
}

static void what_is_wrapped_unwraps(void **state)
{
    AUTO_STRUCT(secret) back = { 0 };
    struct bytes wrapped = BYTES_NONE;
    struct public_key found;

    (void)state;
    assert_true(public_key_parse(keys_public(ring, "rsa"), &found));
    assert_true(public_key_wrap_rsa(&found, BYTES_LITERAL("0123456789abcdef"), arena, &wrapped, &err));
    assert_true(keys_unwrap_rsa(ring, "rsa", DIGEST_NONE, wrapped, 16, &back, &err));
    assert_true(bytes_is(secret_bytes(&back), "0123456789abcdef"));
    assert_true(public_key_parse(keys_public(ring, "p256"), &found));
    assert_false(public_key_wrap_rsa(&found, BYTES_LITERAL("0123456789abcdef"), arena, &wrapped, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(csr_22_rsa_sizes_are_bounded_before_arithmetic),
        TEST(csr_23_24_exponents_are_odd_and_of_common_size),
        TEST(csr_25_moduli_with_small_factors_are_refused),
        TEST(csr_25_28_full_checks_find_more),
        TEST(csr_26_the_roca_fingerprint_is_refused),
        TEST(csr_27_a_listed_key_is_refused_where_a_list_is_configured),
        TEST(csr_29_only_the_named_nist_curves),
        TEST(csr_30_explicit_parameters_are_refused),
        TEST(csr_31_points_are_on_the_curve_and_in_a_plain_form),
        TEST(csr_32_edwards_keys_have_no_parameters),
        TEST(csr_33_rsassa_pss_keys_need_the_rule),
        TEST(csr_34_unknown_algorithms_are_told_apart),
        TEST(zeroed_rules_accept_nothing),
        TEST(a_key_is_known_by_its_hashes),
        TEST(what_is_wrapped_unwraps),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
