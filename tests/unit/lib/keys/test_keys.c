#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/keys/keys.h"

static struct arena *arena;
static struct keys *ring;
static struct error err;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1024 * 1024);
    return arena != NULL && keys_new(&ring, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    keys_unref(ring);
    arena_free(arena);
    return 0;
}

static EVP_PKEY *public_half(const char *name)
{
    struct bytes spki = keys_public(ring, name);
    const unsigned char *at = spki.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);

    assert_non_null(pkey);
    return pkey;
}

static bool verifies(const char *name, const char *md, struct bytes message, struct bytes signature)
{
    EVP_PKEY *pkey = public_half(name);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit_ex(ctx, NULL, md, NULL, NULL, pkey, NULL) == 1 &&
              EVP_DigestVerify(ctx, signature.data, signature.len, message.data, message.len) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}

static void a_signature_of_every_kind_of_key_verifies_elsewhere(void **state)
{
    static const struct {
        enum key_kind kind;
        unsigned bits;
        enum digest_algorithm hash;
        const char *md;
    } row[] = {
        { KEY_RSA, 2048, DIGEST_SHA256, "SHA256" },    { KEY_RSA_PSS, 2048, DIGEST_SHA256, "SHA256" },
        { KEY_EC_P256, 256, DIGEST_SHA256, "SHA256" }, { KEY_EC_P384, 384, DIGEST_SHA384, "SHA384" },
        { KEY_EC_P521, 521, DIGEST_SHA512, "SHA512" }, { KEY_ED25519, 0, DIGEST_NONE, NULL },
        { KEY_ED448, 0, DIGEST_NONE, NULL },
    };
    struct bytes message = BYTES_LITERAL("message"), signature;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++) {
        char name[8] = { (char)('a' + i) };
        unsigned bits = 0;

        assert_true(keys_generate(ring, name, row[i].kind, row[i].bits, &err));
        assert_int_equal(keys_kind(ring, name, &bits), row[i].kind);
        assert_true(row[i].bits == 0 || bits == row[i].bits);
        assert_true(keys_sign(ring, name, row[i].hash, message, arena, &signature, &err));
        assert_true(verifies(name, row[i].md, message, signature));
        assert_false(verifies(name, row[i].md, BYTES_LITERAL("other"), signature));
    }
}

static void a_raw_signature_is_two_coordinates(void **state)
{
    struct bytes signature;

    (void)state;
    assert_true(keys_generate(ring, "p", KEY_EC_P256, 0, &err));
    assert_true(keys_generate(ring, "q", KEY_EC_P521, 0, &err));
    for (int i = 0; i < 40; i++) { /* short r or s get their zeros */
        assert_true(keys_sign_raw(ring, "p", DIGEST_SHA256, BYTES_LITERAL("m"), arena, &signature, &err));
        assert_int_equal(signature.len, 64);
    }
    assert_true(keys_sign_raw(ring, "q", DIGEST_SHA512, BYTES_LITERAL("m"), arena, &signature, &err));
    assert_int_equal(signature.len, 132);
}

static void a_hash_that_does_not_fit_is_an_error(void **state)
{
    struct bytes signature = BYTES_NONE;

    (void)state;
    assert_true(keys_generate(ring, "e", KEY_ED25519, 0, &err));
    assert_true(keys_generate(ring, "p", KEY_EC_P256, 0, &err));
    assert_false(keys_sign(ring, "e", DIGEST_SHA256, BYTES_LITERAL("m"), arena, &signature, &err));
    assert_false(keys_sign(ring, "p", DIGEST_NONE, BYTES_LITERAL("m"), arena, &signature, &err));
    assert_false(keys_sign(ring, "absent", DIGEST_SHA256, BYTES_LITERAL("m"), arena, &signature, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_null(signature.data);
}

static void a_name_is_taken_once(void **state)
{
    (void)state;
    assert_true(keys_generate(ring, "a", KEY_EC_P256, 0, &err));
    assert_false(keys_generate(ring, "a", KEY_EC_P256, 0, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_false(keys_generate(ring, "", KEY_EC_P256, 0, &err));
    assert_int_equal(keys_kind(ring, "b", NULL), KEY_NONE);
    assert_int_equal(keys_public(ring, "b").len, 0);
}

static void a_saved_key_loads_again(void **state)
{
    char path[] = "/tmp/muster-test-key-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_true(keys_generate(ring, "a", KEY_EC_P256, 0, &err));
    assert_true(keys_save(ring, "a", path, &err));
    assert_true(keys_load(ring, "b", path, BYTES_NONE, &err));
    assert_true(bytes_equal(keys_public(ring, "a"), keys_public(ring, "b")));
    (void)unlink(path);
    assert_false(keys_load(ring, "c", path, BYTES_NONE, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_new_key_takes_nobody_s_place(void **state)
{
    char path[] = "/tmp/muster-test-key-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_true(keys_generate(ring, "a", KEY_EC_P256, 0, &err));
    assert_false(keys_save_new(ring, "a", path, NULL, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_int_equal(unlink(path), 0);
    assert_false(keys_save_new(ring, "none", path, NULL, &err));
    assert_true(keys_save_new(ring, "a", path, NULL, &err));
    assert_true(keys_load(ring, "b", path, BYTES_NONE, &err));
    assert_true(bytes_equal(keys_public(ring, "a"), keys_public(ring, "b")));
    (void)unlink(path);
}

static void an_encrypted_key_needs_its_passphrase(void **state)
{
    char path[] = "/tmp/muster-test-key-XXXXXX";
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    FILE *file = fdopen(mkstemp(path), "w");

    (void)state;
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(file, pkey, EVP_aes_256_cbc(), "secret phrase", 13, NULL, NULL), 1);
    (void)fclose(file);
    EVP_PKEY_free(pkey);
    assert_false(keys_load(ring, "a", path, BYTES_NONE, &err));
    assert_false(keys_load(ring, "a", path, BYTES_LITERAL("wrong phrase."), &err));
    assert_null(strstr(err.text, "phrase."));
    assert_true(keys_load(ring, "a", path, BYTES_LITERAL("secret phrase"), &err));
    (void)unlink(path);
}

static void a_file_without_a_private_key_is_not_found(void **state)
{
    char path[] = "/tmp/muster-test-key-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    (void)state;
    assert_int_equal(PEM_write_PUBKEY(file, pkey), 1);
    (void)fclose(file);
    EVP_PKEY_free(pkey);
    assert_false(keys_load(ring, "a", path, BYTES_NONE, &err));
    (void)unlink(path);
}

static void no_message_shows_more_of_a_uri_than_its_scheme(void **state)
{
    (void)state;
    assert_false(keys_load(ring, "a", "pkcs11:object=ca;pin-value=1234", BYTES_NONE, &err));
    assert_non_null(strstr(err.text, "pkcs11:"));
    assert_null(strstr(err.text, "1234"));
    assert_null(strstr(err.text, "object"));
}

static void a_file_that_cannot_be_read_is_told_as_such(void **state)
{
    (void)state;
    assert_false(keys_load(ring, "a", "/nowhere/at-all.pem", BYTES_NONE, &err));
    assert_string_equal(err.text, "/nowhere/at-all.pem: No such file or directory");
}

static struct bytes wrapped(const char *name, int padding, struct bytes plain)
{
    static uint8_t out[512];
    size_t len = sizeof(out);
    EVP_PKEY *pkey = public_half(name);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    if (padding == RSA_PKCS1_OAEP_PADDING)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, "SHA256", NULL), 1);
    assert_int_equal(EVP_PKEY_encrypt(ctx, out, &len, plain.data, plain.len), 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return bytes_of(out, len);
}

static void an_unwrapped_key_is_what_was_wrapped(void **state)
{
    AUTO_STRUCT(secret) pkcs1 = { 0 };
    AUTO_STRUCT(secret) oaep = { 0 };
    struct bytes key = BYTES_LITERAL("0123456789abcdef");

    (void)state;
    assert_true(keys_generate(ring, "r", KEY_RSA, 2048, &err));
    assert_true(
        keys_unwrap_rsa(ring, "r", DIGEST_NONE, wrapped("r", RSA_PKCS1_PADDING, key), 16, &pkcs1, &err));
    assert_true(bytes_equal(secret_bytes(&pkcs1), key));
    assert_true(keys_unwrap_rsa(ring, "r", DIGEST_SHA256, wrapped("r", RSA_PKCS1_OAEP_PADDING, key), 16,
                                &oaep, &err));
    assert_true(bytes_equal(secret_bytes(&oaep), key));
}

/* RFC 3218 2.3.2: wrong padding, wrong length and nonsense all give a key, each time another. */
static void wrong_padding_gives_a_random_key(void **state)
{
    uint8_t block[256] = { 0, 2 };
    struct bytes nonsense = BYTES_LITERAL("much too short to be one");

    (void)state;
    assert_true(keys_generate(ring, "r", KEY_RSA, 2048, &err));
    memset(block + 2, 0x55, sizeof(block) - 2);
    block[255 - 16] = 0;
    for (int i = 0; i < 5; i++) {
        AUTO_STRUCT(secret) first = { 0 };
        AUTO_STRUCT(secret) second = { 0 };
        struct bytes broken;
        size_t expected = 16;

        block[0] = 0;
        block[1] = (uint8_t)(i == 0 ? 1 : 2);        /* type */
        block[5] = (uint8_t)(i == 1 ? 0 : 0x55);     /* zero in the padding: the message would be longer */
        block[255 - 16] = (uint8_t)(i == 2 ? 9 : 0); /* no end of the padding */
        if (i == 3)
            expected = 24; /* another length than was wrapped */
        broken = i == 4 ? nonsense : wrapped("r", RSA_NO_PADDING, BYTES_ARRAY(block));
        assert_true(keys_unwrap_rsa(ring, "r", DIGEST_NONE, broken, expected, &first, &err));
        assert_true(keys_unwrap_rsa(ring, "r", DIGEST_NONE, broken, expected, &second, &err));
        assert_int_equal(first.len, expected);
        assert_false(bytes_equal(secret_bytes(&first), secret_bytes(&second)));
    }
}

static void only_an_rsa_key_unwraps(void **state)
{
    AUTO_STRUCT(secret) out = { 0 };

    (void)state;
    assert_true(keys_generate(ring, "p", KEY_EC_P256, 0, &err));
    assert_false(keys_unwrap_rsa(ring, "p", DIGEST_NONE, BYTES_LITERAL("x"), 16, &out, &err));
    assert_null(out.data);
}

static void a_listener_takes_a_key(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    (void)state;
    assert_true(keys_generate(ring, "t", KEY_EC_P256, 0, &err));
    assert_true(keys_set_tls(ring, "t", ctx, &err));
    assert_non_null(SSL_CTX_get0_privatekey(ctx));
    assert_false(keys_set_tls(ring, "absent", ctx, &err));
    SSL_CTX_free(ctx);
}

static void a_ring_lives_as_long_as_somebody_holds_it(void **state)
{
    struct keys *second = keys_ref(ring);

    (void)state;
    assert_true(keys_generate(ring, "p", KEY_EC_P256, 0, &err));
    keys_unref(second);
    assert_int_equal(keys_kind(ring, "p", NULL), KEY_EC_P256);
    keys_unref(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signature_of_every_kind_of_key_verifies_elsewhere),
        TEST(a_raw_signature_is_two_coordinates),
        TEST(a_hash_that_does_not_fit_is_an_error),
        TEST(a_name_is_taken_once),
        TEST(a_saved_key_loads_again),
        TEST(a_new_key_takes_nobody_s_place),
        TEST(an_encrypted_key_needs_its_passphrase),
        TEST(a_file_without_a_private_key_is_not_found),
        TEST(no_message_shows_more_of_a_uri_than_its_scheme),
        TEST(a_file_that_cannot_be_read_is_told_as_such),
        TEST(an_unwrapped_key_is_what_was_wrapped),
        TEST(wrong_padding_gives_a_random_key),
        TEST(only_an_rsa_key_unwraps),
        TEST(a_listener_takes_a_key),
        TEST(a_ring_lives_as_long_as_somebody_holds_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
