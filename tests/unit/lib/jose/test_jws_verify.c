#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/base/encode.h"
#include "lib/jose/jws.h"

static const struct jws_rules any = { .algorithms = ~0u, .kid_max = JWS_KID_MAX };

struct world {
    struct keys *keys;
    struct arena *arena;
};

static int set_up(void **state)
{
    static struct world world;
    struct error err;

    world.arena = arena_new(4 << 20);
    if (world.arena == NULL || !keys_new(&world.keys, &err) ||
        !keys_generate(world.keys, "p256", KEY_EC_P256, 0, &err) ||
        !keys_generate(world.keys, "p384", KEY_EC_P384, 0, &err) ||
        !keys_generate(world.keys, "p521", KEY_EC_P521, 0, &err) ||
        !keys_generate(world.keys, "rsa", KEY_RSA, 2048, &err) ||
        !keys_generate(world.keys, "ed", KEY_ED25519, 0, &err) ||
        !keys_generate(world.keys, "ed448", KEY_ED448, 0, &err))
        return -1;
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    keys_unref(world->keys);
    arena_free(world->arena);
    return 0;
}

static void each_algorithm_fits_its_key_alone(void **state)
{
    static const struct {
        const char *key;
        enum jws_algorithm algorithm;
        size_t len;
    } rows[] = { { "p256", JWS_ES256, 64 },
                 { "p384", JWS_ES384, 96 },
                 { "p521", JWS_ES512, 132 },
                 { "rsa", JWS_RS256, 256 },
                 { "ed", JWS_EDDSA, 64 } };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes text;
        struct error err;
        struct jws jws;

        if (!jws_sign(&any, &(struct jws_header){ 0 }, BYTES_LITERAL("x"), w->keys, rows[i].key, w->arena,
                      &text, &err))
            fail_msg("%s", err.text);
        assert_int_equal(jws_parse(text, &any, w->arena, &jws), JWS_OK);
        assert_int_equal(jws.header.algorithm, rows[i].algorithm);
        assert_int_equal(jws.signature.len, rows[i].len);
        for (size_t k = 0; k < COUNT_OF(rows); k++)
            assert_int_equal(jws_verify(&jws, keys_public(w->keys, rows[k].key)),
                             i == k ? JWS_OK : JWS_ALGORITHM);
        assert_int_equal(jws_verify(&jws, keys_public(w->keys, "ed448")), JWS_ALGORITHM);
        assert_int_equal(jws_verify_mac(&jws, BYTES_LITERAL("x")), JWS_ALGORITHM);
        jws.signature.len--;
        assert_int_equal(jws_verify(&jws, keys_public(w->keys, rows[i].key)), JWS_SIGNATURE);
    }
}

/* The key ring does not write PSS: libcrypto does, with the salt length given. */
static struct bytes pss_signed(struct world *w, EVP_PKEY *key, int salt_len, struct bytes text)
{
    uint8_t *signature = arena_alloc(w->arena, 512);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    size_t len = 512;

    assert_non_null(signature);
    assert_int_equal(EVP_DigestSignInit_ex(md, &ctx, "SHA256", NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt_len), 1);
    assert_int_equal(EVP_DigestSign(md, signature, &len, text.data, text.len), 1);
    EVP_MD_CTX_free(md);
    return bytes_of(signature, len);
}

static void ps256_verifies_with_a_salt_of_32_octets_alone(void **state)
{
    struct world *w = *state;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct jws jws = { .header.algorithm = JWS_PS256, .signed_text = BYTES_LITERAL("a.b") };
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    struct bytes spki = bytes_of(der, (size_t)len);

    assert_true(len > 0);
    jws.signature = pss_signed(w, key, 32, jws.signed_text);
    assert_int_equal(jws_verify(&jws, spki), JWS_OK);
    jws.header.algorithm = JWS_RS256;
    assert_int_equal(jws_verify(&jws, spki), JWS_SIGNATURE);
    jws.header.algorithm = JWS_PS256;
    jws.signature = pss_signed(w, key, 20, jws.signed_text);
    assert_int_equal(jws_verify(&jws, spki), JWS_SIGNATURE);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

/* RFC 7515 A.1 */
static void the_mac_of_rfc_7515_verifies(void **state)
{
    static const char text[] =
        "{\"protected\":\"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\",\"payload\":"
        "\"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\","
        "\"signature\":\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"}";
    struct bytes key_text = BYTES_LITERAL(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    struct world *w = *state;
    uint8_t key[128];
    struct jws jws;
    size_t len;

    assert_true(base64url_decode(key_text, key, &len));
    assert_int_equal(jws_parse(BYTES_LITERAL(text), &any, w->arena, &jws), JWS_OK);
    assert_int_equal(jws_verify_mac(&jws, bytes_of(key, len)), JWS_OK);
    assert_int_equal(jws_verify_mac(&jws, bytes_of(key, len - 1)), JWS_SIGNATURE);
    assert_int_equal(jws_verify_mac(&jws, BYTES_NONE), JWS_SIGNATURE);
    assert_int_equal(jws_verify(&jws, keys_public(w->keys, "p256")), JWS_ALGORITHM);
    jws.signature.len--;
    assert_int_equal(jws_verify_mac(&jws, bytes_of(key, len)), JWS_SIGNATURE);
}

static void a_mac_that_is_made_verifies(void **state)
{
    static const enum jws_algorithm all[] = { JWS_HS256, JWS_HS384, JWS_HS512 };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct jws_header header = { .algorithm = all[i],
                                     .kid = BYTES_LITERAL("k"),
                                     .url = BYTES_LITERAL("https://a.example/x") };
        struct bytes text;
        struct error err;
        struct jws jws;

        assert_true(jws_sign_mac(&header, BYTES_LITERAL("{}"), BYTES_LITERAL("key"), w->arena, &text, &err));
        assert_int_equal(jws_parse(text, &JWS_RULES_ACME_BINDING, w->arena, &jws), JWS_OK);
        assert_int_equal(jws_verify_mac(&jws, BYTES_LITERAL("key")), JWS_OK);
        assert_int_equal(jws_verify_mac(&jws, BYTES_LITERAL("kez")), JWS_SIGNATURE);
    }
}

static void what_cannot_be_signed_is_not(void **state)
{
    struct world *w = *state;
    struct jws_header header = { .algorithm = JWS_ES256 };
    struct jws_rules pss = { .algorithms = JWS_SET(JWS_PS256) };
    struct bytes text;
    struct error err;

    assert_false(jws_sign_mac(&header, BYTES_NONE, BYTES_LITERAL("k"), w->arena, &text, &err));
    header.algorithm = JWS_HS256;
    assert_false(jws_sign_mac(&header, BYTES_NONE, BYTES_NONE, w->arena, &text, &err));
    assert_false(jws_sign(&pss, &header, BYTES_NONE, w->keys, "rsa", w->arena, &text, &err));
    assert_false(
        jws_sign(&JWS_RULES_ACME_BINDING, &header, BYTES_NONE, w->keys, "nobody", w->arena, &text, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_fits_its_key_alone),
        cmocka_unit_test(ps256_verifies_with_a_salt_of_32_octets_alone),
        cmocka_unit_test(the_mac_of_rfc_7515_verifies),
        cmocka_unit_test(a_mac_that_is_made_verifies),
        cmocka_unit_test(what_cannot_be_signed_is_not),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
