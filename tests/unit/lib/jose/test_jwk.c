#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/jose/jwk.h"

/* RFC 7638 3.1 */
static const char RSA_JWK[] =
    "{\"kty\":\"RSA\",\"n\":"
    "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XP"
    "ksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-"
    "04-29\"}";
/* RFC 8037 A.2 */
static const char ED_JWK[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
/* RFC 7517 A.1 */
static const char EC_JWK[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}";

static bool spki_of(const char *text, struct arena *arena, struct bytes *spki)
{
    AUTO(json_t) *jwk = json_read(bytes_text(text));

    assert_non_null(jwk);
    return jwk_read(jwk, JWK_ANY, arena, spki) == JWK_OK;
}

static void assert_thumbprint(const char *text, enum key_kind kind, const char *expected)
{
    AUTO_ARENA *arena = arena_new(1 << 16);
    char thumbprint[JWK_THUMBPRINT_LEN + 1];
    struct bytes spki;

    assert_true(spki_of(text, arena, &spki));
    assert_int_equal(jwk_kind_of(spki), kind);
    assert_true(jwk_thumbprint(spki, thumbprint));
    assert_string_equal(thumbprint, expected);
}

static void thumbprints_are_those_of_the_rfcs(void **state)
{
    (void)state;
    assert_thumbprint(RSA_JWK, KEY_RSA, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_thumbprint(ED_JWK, KEY_ED25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

static void a_key_comes_back_as_it_went(void **state)
{
    static const char *const all[] = { RSA_JWK, ED_JWK, EC_JWK };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        AUTO_ARENA *arena = arena_new(1 << 16);
        struct bytes spki, again;

        assert_true(spki_of(all[i], arena, &spki));
        {
            AUTO(json_t) *jwk = jwk_of_spki(spki);

            assert_non_null(jwk);
            assert_true(jwk_read(jwk, JWK_ANY, arena, &again) == JWK_OK);
            assert_true(bytes_equal(spki, again));
        }
    }
}

static void broken_keys_are_refused(void **state)
{
    static const char *const broken[] = {
        "{}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
        /* not on the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
        "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyN\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}",
        /* a private member */
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"d\":"
        "\"AA\"}",
        /* too small */
        "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN\",\"e\":\"AQAB\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        AUTO_ARENA *arena = arena_new(1 << 16);
        struct bytes spki;

        if (spki_of(broken[i], arena, &spki))
            fail_msg("accepted: %s", broken[i]);
    }
}

static enum jwk_fault fault_of(const char *text, unsigned kinds)
{
    AUTO_ARENA *arena = arena_new(1 << 16);
    AUTO(json_t) *jwk = json_read(bytes_text(text));
    struct bytes spki;

    assert_non_null(jwk);
    return jwk_read(jwk, kinds, arena, &spki);
}

static void faults_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum jwk_fault fault;
    } rows[] = {
        { "{}", JWK_MALFORMED },
        { "{\"kty\":1}", JWK_MALFORMED },
        { "{\"kty\":\"EC\"}", JWK_MALFORMED },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\"}", JWK_BAD },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\"}", JWK_MALFORMED },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"A+\"}", JWK_MALFORMED },
        { "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"AA\"}", JWK_BAD },
        { "{\"kty\":\"oct\",\"k\":\"AAAA\"}", JWK_BAD },
        { "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", JWK_MALFORMED },
        { "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN\",\"e\":\"AQAB\"}", JWK_BAD },
        { "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN\",\"e\":\"AAEB\"}", JWK_MALFORMED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (fault_of(rows[i].text, JWK_ANY) != rows[i].fault)
            fail_msg("not %d: %s", rows[i].fault, rows[i].text);
    assert_int_equal(fault_of(ED_JWK, JWK_KIND(KEY_RSA)), JWK_BAD);
    assert_int_equal(fault_of(ED_JWK, JWK_OFFICER), JWK_OK);
}

static void officers_have_no_larger_curves(void **state)
{
    static const enum key_kind kinds[] = { KEY_EC_P384, KEY_EC_P521 };
    struct keys *keys;
    struct error err;

    (void)state;
    assert_true(keys_new(&keys, &err));
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        AUTO_ARENA *arena = arena_new(1 << 16);
        AUTO(json_t) *jwk = NULL;
        const char *name = i == 0 ? "a" : "b";
        struct bytes again, spki;

        assert_true(keys_generate(keys, name, kinds[i], 0, &err));
        spki = keys_public(keys, name);
        assert_int_equal(jwk_kind_of(spki), kinds[i]);
        jwk = jwk_of_spki(spki);
        assert_int_equal(jwk_read(jwk, JWK_ANY, arena, &again), JWK_OK);
        assert_true(bytes_equal(again, spki));
        assert_int_equal(jwk_read(jwk, JWK_OFFICER, arena, &again), JWK_BAD);
        assert_false(jwk_is_of(spki, JWK_OFFICER));
    }
    keys_unref(keys);
}

static void bytes_after_the_key_are_refused(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct bytes spki, longer;
    uint8_t *copy;

    (void)state;
    assert_true(spki_of(EC_JWK, arena, &spki));
    copy = arena_alloc(arena, spki.len + 1);
    assert_non_null(copy);
    memcpy(copy, spki.data, spki.len);
    longer = bytes_of(copy, spki.len + 1);
    assert_int_equal(jwk_kind_of(longer), KEY_NONE);
    assert_int_equal(jwk_kind_of(bytes_slice(spki, 0, spki.len - 1)), KEY_NONE);
    assert_int_equal(jwk_kind_of(BYTES_NONE), KEY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints_are_those_of_the_rfcs),
        cmocka_unit_test(a_key_comes_back_as_it_went),
        cmocka_unit_test(broken_keys_are_refused),
        cmocka_unit_test(faults_are_told_apart),
        cmocka_unit_test(officers_have_no_larger_curves),
        cmocka_unit_test(bytes_after_the_key_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
