#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/encode.h"
#include "lib/jose/jws.h"

/* RFC 8037 A.4, put into the flattened form. */
static const char RFC8037[] =
    "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"payload\":\"RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc\","
    "\"signature\":\"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
    "MuM0KAg\"}";
static const char ED_JWK[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";

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
        !keys_generate(world.keys, "ec", KEY_EC_P256, 0, &err) ||
        !keys_generate(world.keys, "rsa", KEY_RSA, 2048, &err) ||
        !keys_generate(world.keys, "ed", KEY_ED25519, 0, &err) ||
        !keys_generate(world.keys, "p384", KEY_EC_P384, 0, &err))
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

static struct bytes signed_with(struct world *w, const char *key, struct bytes payload)
{
    struct error err;
    struct bytes text = BYTES_NONE;

    if (!jws_sign(&JWS_RULES_OFFICER,
                  &(struct jws_header){ .kid = BYTES_LITERAL("k"),
                                        .url = BYTES_LITERAL("https://a.example/acts"),
                                        .jti = BYTES_LITERAL("1"),
                                        .has_iat = true,
                                        .iat_s = 17 },
                  payload, w->keys, key, w->arena, &text, &err))
        fail_msg("%s", err.text);
    return text;
}

static void the_signature_of_rfc_8037_verifies(void **state)
{
    struct world *w = *state;
    AUTO(json_t) *jwk = json_read(BYTES_LITERAL(ED_JWK));
    struct bytes spki;
    struct jws jws;

    assert_true(jwk_read(jwk, JWK_OFFICER, w->arena, &spki) == JWK_OK);
    assert_int_equal(jws_parse(BYTES_LITERAL(RFC8037), &JWS_RULES_OFFICER, w->arena, &jws), JWS_OK);
    assert_true(bytes_is(jws.payload, "Example of Ed25519 signing"));
    assert_int_equal(jws_verify(&jws, spki), JWS_OK);
}

static void what_is_signed_verifies_with_each_algorithm(void **state)
{
    static const struct {
        const char *key;
        enum jws_algorithm algorithm;
    } rows[] = { { "ec", JWS_ES256 }, { "rsa", JWS_RS256 }, { "ed", JWS_EDDSA } };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes text = signed_with(w, rows[i].key, BYTES_LITERAL("{\"a\":1}"));
        struct jws jws;

        assert_int_equal(jws_parse(text, &JWS_RULES_OFFICER, w->arena, &jws), JWS_OK);
        assert_int_equal(jws.header.algorithm, rows[i].algorithm);
        assert_true(bytes_is(jws.payload, "{\"a\":1}"));
        assert_true(bytes_is(jws.header.kid, "k"));
        assert_true(bytes_is(jws.header.url, "https://a.example/acts"));
        assert_true(jws.header.has_iat && jws.header.iat_s == 17);
        assert_int_equal(jws_verify(&jws, keys_public(w->keys, rows[i].key)), JWS_OK);
    }
}

static void another_key_does_not_verify(void **state)
{
    struct world *w = *state;
    struct error err;
    struct jws jws;

    assert_int_equal(jws_parse(signed_with(w, "ec", BYTES_LITERAL("x")), &JWS_RULES_OFFICER, w->arena, &jws),
                     JWS_OK);
    assert_true(keys_generate(w->keys, "other", KEY_EC_P256, 0, &err));
    assert_int_equal(jws_verify(&jws, keys_public(w->keys, "other")), JWS_SIGNATURE);
    assert_int_equal(jws_verify(&jws, keys_public(w->keys, "rsa")), JWS_ALGORITHM);
    assert_int_equal(jws_verify(&jws, keys_public(w->keys, "p384")), JWS_ALGORITHM);
    assert_int_equal(jws_verify(&jws, BYTES_NONE), JWS_ALGORITHM);
}

static void one_changed_character_does_not_verify(void **state)
{
    struct world *w = *state;
    struct bytes text = signed_with(w, "ec", BYTES_LITERAL("{\"act\":\"close\"}"));

    for (size_t i = 0; i < text.len; i++) {
        uint8_t *copy = arena_alloc(w->arena, text.len);
        struct jws jws;

        assert_non_null(copy);
        memcpy(copy, text.data, text.len);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        assert_false(jws_parse(bytes_of(copy, text.len), &JWS_RULES_OFFICER, w->arena, &jws) == JWS_OK &&
                     jws_verify(&jws, keys_public(w->keys, "ec")) == JWS_OK);
    }
}

static void other_forms_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum jws_fault fault;
    } rows[] = {
        { "", JWS_MALFORMED },
        { "{}", JWS_MALFORMED },
        { "a.b.c", JWS_MALFORMED },
        /* an unprotected header, a further member, a member missing or given twice */
        { "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"payload\":\"\",\"signature\":\"AA\",\"header\":{}}",
          JWS_MALFORMED },
        { "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"payload\":\"\",\"signature\":\"AA\",\"x\":1}",
          JWS_MALFORMED },
        { "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"signature\":\"AA\"}", JWS_MALFORMED },
        { "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"payload\":\"\",\"payload\":\"\",\"signature\":\"AA\"}",
          JWS_MALFORMED },
        /* padding, unused bits, another alphabet */
        { "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"payload\":\"YQ==\",\"signature\":\"AA\"}",
          JWS_MALFORMED },
        { "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"payload\":\"YR\",\"signature\":\"AA\"}", JWS_MALFORMED },
        { "{\"protected\":\"eyJhbGciOiJFZERTQSJ9\",\"payload\":\"+/\",\"signature\":\"AA\"}", JWS_MALFORMED },
        /* {"alg":"none"}, {"alg":"HS256"}, {} */
        { "{\"protected\":\"eyJhbGciOiJub25lIn0\",\"payload\":\"\",\"signature\":\"AA\"}", JWS_ALGORITHM },
        { "{\"protected\":\"eyJhbGciOiJIUzI1NiJ9\",\"payload\":\"\",\"signature\":\"AA\"}", JWS_ALGORITHM },
        { "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AA\"}", JWS_MALFORMED },
        /* {"alg":"EdDSA","crit":["x"]} */
        { "{\"protected\":\"eyJhbGciOiJFZERTQSIsImNyaXQiOlsieCJdfQ\",\"payload\":\"\",\"signature\":\"AA\"}",
          JWS_CRITICAL },
        /* {"alg":"EdDSA","alg":"EdDSA"} */
        { "{\"protected\":\"eyJhbGciOiJFZERTQSIsImFsZyI6IkVkRFNBIn0\",\"payload\":\"\",\"signature\":\"AA\"}",
          JWS_MALFORMED },
        /* {"alg":"EdDSA","iat":"1"} */
        { "{\"protected\":\"eyJhbGciOiJFZERTQSIsImlhdCI6IjEifQ\",\"payload\":\"\",\"signature\":\"AA\"}",
          JWS_MALFORMED },
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct jws jws;
        enum jws_fault fault = jws_parse(bytes_text(rows[i].text), &JWS_RULES_OFFICER, w->arena, &jws);

        if (fault != rows[i].fault)
            fail_msg("%d, not %d: %s", fault, rows[i].fault, rows[i].text);
    }
}

static void a_short_or_zero_signature_does_not_verify(void **state)
{
    struct world *w = *state;
    static const uint8_t zero[64];
    struct jws jws;

    assert_int_equal(jws_parse(signed_with(w, "ec", BYTES_LITERAL("x")), &JWS_RULES_OFFICER, w->arena, &jws),
                     JWS_OK);
    jws.signature = BYTES_ARRAY(zero);
    assert_int_equal(jws_verify(&jws, keys_public(w->keys, "ec")), JWS_SIGNATURE);
    jws.signature.len = 63;
    assert_int_equal(jws_verify(&jws, keys_public(w->keys, "ec")), JWS_SIGNATURE);
    jws.signature.len = 0;
    assert_int_equal(jws_verify(&jws, keys_public(w->keys, "ec")), JWS_SIGNATURE);
}

static void a_key_without_an_algorithm_cannot_sign(void **state)
{
    struct world *w = *state;
    struct bytes text;
    struct error err;

    assert_false(jws_sign(&JWS_RULES_OFFICER, &(struct jws_header){ 0 }, BYTES_NONE, w->keys, "p384",
                          w->arena, &text, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_false(jws_sign(&JWS_RULES_OFFICER, &(struct jws_header){ 0 }, BYTES_NONE, w->keys, "nobody",
                          w->arena, &text, &err));
}

static void what_is_too_large_is_refused(void **state)
{
    static uint8_t large[JWS_MAX];
    struct world *w = *state;
    struct bytes text;
    struct error err;
    struct jws jws;

    assert_false(jws_sign(&JWS_RULES_OFFICER, &(struct jws_header){ 0 }, BYTES_ARRAY(large), w->keys, "ed",
                          w->arena, &text, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
    memset(large, ' ', sizeof(large));
    assert_int_equal(jws_parse(bytes_of(large, sizeof(large)), &JWS_RULES_OFFICER, w->arena, &jws),
                     JWS_MALFORMED);
}

/* --- ACME --- */

static struct bytes with_header(struct world *w, const char *header)
{
    AUTO_STRUCT(buffer) text = BUFFER(JWS_MAX);
    struct bytes copy;

    buffer_append_text(&text, "{\"protected\":\"");
    base64url_encode(&text, bytes_text(header));
    buffer_append_text(&text, "\",\"payload\":\"\",\"signature\":\"AA\"}");
    assert_false(buffer_failed(&text));
    copy = arena_copy(w->arena, buffer_bytes(&text));
    assert_non_null(copy.data);
    return copy;
}

#define ED_KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define URL    "\"url\":\"https://a.example/x\""
#define KID    "\"kid\":\"https://a.example/acct/1\""

struct header_row {
    const char *header;
    enum jws_fault fault;
};

static void assert_rows(struct world *w, const struct jws_rules *rules, const struct header_row *row,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct jws jws;
        enum jws_fault fault = jws_parse(with_header(w, row[i].header), rules, w->arena, &jws);

        if (fault != row[i].fault)
            fail_msg("%d, not %d: %s", fault, row[i].fault, row[i].header);
    }
}

static void acme_16_to_21_headers(void **state)
{
    static const struct header_row rows[] = {
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," URL "," KID "}", JWS_OK },
        { "{\"alg\":\"EdDSA\",\"nonce\":\"AQ\"," URL ",\"jwk\":" ED_KEY "}", JWS_OK },
        /* the answer to a missing nonce is badNonce, not this room's */
        { "{\"alg\":\"ES256\"," URL "," KID "}", JWS_OK },
        /* both, neither; no alg, no url */
        { "{\"alg\":\"EdDSA\",\"nonce\":\"AQ\"," URL "," KID ",\"jwk\":" ED_KEY "}", JWS_MALFORMED },
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," URL "}", JWS_MALFORMED },
        { "{\"nonce\":\"AQ\"," URL "," KID "}", JWS_MALFORMED },
        { "{\"alg\":7,\"nonce\":\"AQ\"," URL "," KID "}", JWS_MALFORMED },
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," KID "}", JWS_MALFORMED },
        /* nonces are base64url */
        { "{\"alg\":\"ES256\",\"nonce\":\"A=\"," URL "," KID "}", JWS_MALFORMED },
        { "{\"alg\":\"ES256\",\"nonce\":\"AR\"," URL "," KID "}", JWS_MALFORMED },
        { "{\"alg\":\"ES256\",\"nonce\":\"\"," URL "," KID "}", JWS_MALFORMED },
        /* nothing critical is understood */
        { "{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"nonce\":\"AQ\"," URL "," KID "}", JWS_CRITICAL },
        { "{\"alg\":\"ES256\",\"b64\":false,\"nonce\":\"AQ\"," URL "," KID "}", JWS_CRITICAL },
        /* algorithms */
        { "{\"alg\":\"none\",\"nonce\":\"AQ\"," URL "," KID "}", JWS_ALGORITHM },
        { "{\"alg\":\"HS256\",\"nonce\":\"AQ\"," URL "," KID "}", JWS_ALGORITHM },
        { "{\"alg\":\"RS512\",\"nonce\":\"AQ\"," URL "," KID "}", JWS_ALGORITHM },
        { "{\"alg\":\"es256\",\"nonce\":\"AQ\"," URL "," KID "}", JWS_ALGORITHM },
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," URL ",\"jwk\":" ED_KEY "}", JWS_ALGORITHM },
        { "{\"alg\":\"PS256\",\"nonce\":\"AQ\"," URL "," KID "}", JWS_OK },
        { "{\"alg\":\"ES384\",\"nonce\":\"AQ\"," URL "," KID "}", JWS_OK },
        /* keys */
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," URL ",\"jwk\":\"x\"}", JWS_MALFORMED },
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," URL ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}",
          JWS_MALFORMED },
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," URL
          ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AQ\",\"y\":\"AQ\"}}",
          JWS_KEY },
        { "{\"alg\":\"ES256\",\"nonce\":\"AQ\"," URL ",\"jwk\":{\"kty\":\"oct\",\"k\":\"AQ\"}}", JWS_KEY },
    };

    assert_rows(*state, &JWS_RULES_ACME, rows, COUNT_OF(rows));
}

static void acme_41_and_42_a_binding_is_a_mac_without_nonce(void **state)
{
    static const struct header_row rows[] = {
        { "{\"alg\":\"HS256\"," URL ",\"kid\":\"k\"}", JWS_OK },
        { "{\"alg\":\"HS512\"," URL ",\"kid\":\"k\"}", JWS_OK },
        { "{\"alg\":\"HS256\"," URL "}", JWS_MALFORMED },
        { "{\"alg\":\"HS256\",\"kid\":\"k\"}", JWS_MALFORMED },
        { "{\"alg\":\"HS256\",\"nonce\":\"AQ\"," URL ",\"kid\":\"k\"}", JWS_MALFORMED },
        { "{\"alg\":\"ES256\"," URL ",\"kid\":\"k\"}", JWS_ALGORITHM },
    };

    assert_rows(*state, &JWS_RULES_ACME_BINDING, rows, COUNT_OF(rows));
}

static void acme_45_and_46_a_change_of_keys_brings_its_key(void **state)
{
    static const struct header_row rows[] = {
        { "{\"alg\":\"EdDSA\"," URL ",\"jwk\":" ED_KEY "}", JWS_OK },
        { "{\"alg\":\"EdDSA\"," URL "," KID "}", JWS_MALFORMED },
        { "{\"alg\":\"EdDSA\",\"nonce\":\"AQ\"," URL ",\"jwk\":" ED_KEY "}", JWS_MALFORMED },
    };

    assert_rows(*state, &JWS_RULES_ACME_KEY_CHANGE, rows, COUNT_OF(rows));
}

static void the_key_of_a_request_comes_out(void **state)
{
    struct world *w = *state;
    struct bytes text, spki = keys_public(w->keys, "p384");
    struct jws_header header = { .url = BYTES_LITERAL("https://a.example/x"),
                                 .nonce = BYTES_LITERAL("AQ"),
                                 .jwk = spki };
    struct error err;
    struct jws jws;

    assert_true(
        jws_sign(&JWS_RULES_ACME, &header, BYTES_LITERAL("{}"), w->keys, "p384", w->arena, &text, &err));
    assert_int_equal(jws_parse(text, &JWS_RULES_ACME, w->arena, &jws), JWS_OK);
    assert_true(bytes_equal(jws.header.jwk, spki));
    assert_int_equal(jws.header.algorithm, JWS_ES384);
    assert_string_equal(jws_algorithm_name(jws.header.algorithm), "ES384");
    assert_null(jws_algorithm_name(JWS_ALGORITHM_NONE));
    assert_int_equal(jws_verify(&jws, jws.header.jwk), JWS_OK);
    assert_int_equal(jws_parse(text, &JWS_RULES_OFFICER, w->arena, &jws), JWS_ALGORITHM);
}

static void officers_may_not_use_what_acme_may(void **state)
{
    static const struct header_row rows[] = {
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"jwk\":7}", JWS_OK }, /* means nothing there */
        { "{\"alg\":\"ES384\",\"kid\":\"k\"}", JWS_ALGORITHM },
        { "{\"alg\":\"PS256\",\"kid\":\"k\"}", JWS_ALGORITHM },
        { "{\"alg\":\"HS256\",\"kid\":\"k\"}", JWS_ALGORITHM },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"b64\":true}", JWS_CRITICAL },
    };

    assert_rows(*state, &JWS_RULES_OFFICER, rows, COUNT_OF(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_of_rfc_8037_verifies),
        cmocka_unit_test(what_is_signed_verifies_with_each_algorithm),
        cmocka_unit_test(another_key_does_not_verify),
        cmocka_unit_test(one_changed_character_does_not_verify),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(a_short_or_zero_signature_does_not_verify),
        cmocka_unit_test(a_key_without_an_algorithm_cannot_sign),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(acme_16_to_21_headers),
        cmocka_unit_test(acme_41_and_42_a_binding_is_a_mac_without_nonce),
        cmocka_unit_test(acme_45_and_46_a_change_of_keys_brings_its_key),
        cmocka_unit_test(the_key_of_a_request_comes_out),
        cmocka_unit_test(officers_may_not_use_what_acme_may),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
