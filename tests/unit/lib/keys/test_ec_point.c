#include "lib/keys/ec_point.h"

#include <openssl/err.h>

#include "lib/base/digest.h"
#include "tests/lib/test.h"

enum { SIGNERS = 2, POINT_ROOM = 256, SIGNATURE_ROOM = 256 };

static const struct curve_case {
    enum key_kind kind;
    const char *group;
} curves[] = { { KEY_EC_P256, "P-256" }, { KEY_EC_P384, "P-384" }, { KEY_EC_P521, "P-521" } };

static const struct bytes message = { (const uint8_t *)"message", 7 };

struct signer {
    uint8_t point[POINT_ROOM], signature[SIGNATURE_ROOM];
    size_t point_len, signature_len;
};

static struct bytes point_of(const struct signer *s)
{
    return bytes_of(s->point, s->point_len);
}

static void make_signer(const char *group, struct signer *out)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    struct digest256 hash;

    out->signature_len = sizeof(out->signature);
    assert_true(EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", out->point, sizeof(out->point),
                                                &out->point_len));
    assert_true(sha256(message, &hash) && EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_sign(ctx, out->signature, &out->signature_len, hash.bytes, sizeof(hash.bytes)) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static bool holds(EVP_PKEY_CTX *ctx, const struct signer *s)
{
    struct digest256 hash;
    bool held;

    assert_non_null(ctx);
    assert_true(sha256(message, &hash) && EVP_PKEY_verify_init(ctx) == 1);
    held = EVP_PKEY_verify(ctx, s->signature, s->signature_len, hash.bytes, sizeof(hash.bytes)) == 1;
    ERR_clear_error();
    return held;
}

/* By turns, so that each use finds the point of the other. */
static void a_signature_holds_under_its_own_point_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        struct signer s[SIGNERS];

        for (size_t n = 0; n < SIGNERS; n++)
            make_signer(curves[i].group, &s[n]);
        for (size_t n = 0; n < 3 * SIGNERS; n++) {
            const struct signer *this = &s[n % SIGNERS], *other = &s[(n + 1) % SIGNERS];

            assert_true(holds(ec_point_verifier(curves[i].kind, point_of(this)), this));
            assert_false(holds(ec_point_verifier(curves[i].kind, point_of(this)), other));
        }
    }
}

static void a_point_that_was_refused_leaves_nothing_behind(void **state)
{
    struct signer s, bad;
    struct bytes refused[4];

    (void)state;
    make_signer("P-256", &s);
    assert_true(holds(ec_point_verifier(KEY_EC_P256, point_of(&s)), &s));
    bad = s;
    bad.point[bad.point_len - 1] ^= 1;
    refused[0] = point_of(&bad);                     /* off its curve */
    refused[1] = bytes_of(s.point, s.point_len - 1); /* short */
    refused[2] = BYTES_LITERAL("\0");                /* the point at infinity */
    refused[3] = BYTES_NONE;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_null(ec_point_verifier(KEY_EC_P256, refused[i]));
        assert_null(ec_point_verifier(KEY_EC_P256, refused[i]));
        assert_null(ec_point_key(KEY_EC_P256, refused[i]));
        assert_true(holds(ec_point_verifier(KEY_EC_P256, point_of(&s)), &s));
    }
    assert_null(ec_point_verifier(KEY_EC_P384, point_of(&s)));
    assert_null(ec_point_verifier(KEY_ED25519, point_of(&s)));
    assert_null(ec_point_key(KEY_RSA, point_of(&s)));
    ERR_clear_error();
}

static void a_key_is_its_point(void **state)
{
    uint8_t again[POINT_ROOM];
    struct signer s;
    EVP_PKEY *key;
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        make_signer(curves[i].group, &s);
        key = ec_point_key(curves[i].kind, point_of(&s));
        assert_non_null(key);
        assert_true(EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", again, sizeof(again), &len));
        assert_bytes(bytes_of(again, len), point_of(&s));
        EVP_PKEY_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_holds_under_its_own_point_alone),
        cmocka_unit_test(a_point_that_was_refused_leaves_nothing_behind),
        cmocka_unit_test(a_key_is_its_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
