#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/crmf.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include "lib/base/random.h"
#include "lib/pki/password_mac.h"
#include "tests/unit/lib/pki/fixtures.h"
#include "tests/unit/lib/pki/openssl_cmp.h"

/* Parameters, by default good ones of PasswordBasedMac; every test changes one thing. */
struct recipe {
    const char *salt;       /* OCTET STRING element */
    const char *owf;        /* AlgorithmIdentifier: SHA-256 */
    const char *iterations; /* INTEGER element: 1000 */
    const char *mac;        /* AlgorithmIdentifier: HMAC-SHA-256 */
    const char *tail;       /* after them */
};

#define PBM        "06092a864886f67d07420d"
#define PBMAC1     "06092a864886f70d01050e"
#define PBKDF2     "06092a864886f70d01050c"
#define SALT       "0408 0102030405060708"
#define ROUNDS     "020203e8"
#define SHA1       "3007 06052b0e03021a"
#define SHA256     "300d 0609608648016503040201 0500"
#define MD5        "300c 06082a864886f70d0205 0500"
#define HMAC(last) "300c 06082a864886f70d02" last " 0500"
#define HMAC_SHA1  "300c 06082b06010505080102 0500"
#define HMAC_MD5   "300c 06082b06010505080101 0500"

static const struct password_mac_rules strict = { .iterations_max = 10000 };
static const struct password_mac_rules lax = { .iterations_max = 10000,
                                               .allow_hmac_sha1 = true,
                                               .allow_sha1 = true };

static struct password_mac mac;

static enum password_mac_fault decode_under(struct bytes algorithm, const struct password_mac_rules *rules)
{
    enum password_mac_fault fault;

    memset(&mac, 0, sizeof(mac));
    fault = password_mac_decode(algorithm, rules, &mac);
    if (fault != PASSWORD_MAC_OK)
        assert_int_equal(mac.kind, PASSWORD_MAC_NONE); /* outputs untouched */
    return fault;
}

static struct bytes pick(const char *given, const char *usual)
{
    return hex(given != NULL ? given : usual);
}

static struct bytes pbm(struct recipe r)
{
    struct bytes params = join(join(pick(r.salt, SALT), pick(r.owf, SHA256)),
                               join(pick(r.iterations, ROUNDS), pick(r.mac, HMAC("09"))));

    return wrap(DER_SEQUENCE, join(hex(PBM), wrap(DER_SEQUENCE, join(params, pick(r.tail, "")))));
}

/* PBMAC1; `owf` is the pseudo-random function with what stands before it (the key length). */
static struct bytes pbmac1(struct recipe r)
{
    struct bytes inner = join(join(pick(r.salt, SALT), pick(r.iterations, ROUNDS)),
                              pick(r.owf, "020120" HMAC("09")));
    struct bytes derivation = wrap(DER_SEQUENCE, join(hex(PBKDF2), wrap(DER_SEQUENCE, inner)));
    struct bytes params = join(join(derivation, pick(r.mac, HMAC("09"))), pick(r.tail, ""));

    return wrap(DER_SEQUENCE, join(hex(PBMAC1), wrap(DER_SEQUENCE, params)));
}

#define DECODED(kind, ...) decode_under(kind((struct recipe){ __VA_ARGS__ }), &strict)
#define LAXLY(kind, ...)   decode_under(kind((struct recipe){ __VA_ARGS__ }), &lax)

/* --- reading --- */

static void cmp_33_the_parameters_of_password_based_mac_are_read(void **state)
{
    (void)state;
    assert_int_equal(DECODED(pbm), PASSWORD_MAC_OK);
    assert_int_equal(mac.kind, PASSWORD_MAC_PBM);
    assert_true(bytes_equal(mac.salt, hex("0102030405060708")));
    assert_int_equal(mac.iterations, 1000);
    assert_int_equal(mac.hash, DIGEST_SHA256);
    assert_int_equal(mac.mac, DIGEST_SHA256);
    assert_int_equal(DECODED(pbm, .owf = "300b 0609608648016503040201"), PASSWORD_MAC_OK); /* no NULL */
    assert_int_equal(DECODED(pbm, .mac = "300a 06082a864886f70d0209"), PASSWORD_MAC_OK);
}

static void cmp_33_the_parameters_of_pbmac1_are_read(void **state)
{
    (void)state;
    assert_int_equal(DECODED(pbmac1), PASSWORD_MAC_OK);
    assert_int_equal(mac.kind, PASSWORD_MAC_PBMAC1);
    assert_true(bytes_equal(mac.salt, hex("0102030405060708")));
    assert_int_equal(mac.iterations, 1000);
    assert_int_equal(mac.hash, DIGEST_SHA256);
    assert_int_equal(mac.mac, DIGEST_SHA256);
    assert_int_equal(mac.key_len, 32);
    assert_int_equal(DECODED(pbmac1, .owf = HMAC("0a"), .mac = HMAC("0b")), PASSWORD_MAC_OK);
    assert_int_equal(mac.hash, DIGEST_SHA384);
    assert_int_equal(mac.mac, DIGEST_SHA512);
    assert_int_equal(mac.key_len, 64); /* not named: as long as the MAC's hash */
}

static void the_two_kinds_are_known_by_their_identifiers(void **state)
{
    (void)state;
    assert_true(password_mac_is(pbm((struct recipe){ 0 })));
    assert_true(password_mac_is(pbmac1((struct recipe){ 0 })));
    assert_false(password_mac_is(hex("300d 06092a864886f70d01010b 0500")));
    assert_false(password_mac_is(hex("300b 06092a864886f67d07421e"))); /* DHBasedMac */
    assert_false(password_mac_is(hex("30")));
    assert_false(password_mac_is(BYTES_NONE));
    assert_int_equal(decode_under(hex("300b 06092a864886f67d07421e"), &lax), PASSWORD_MAC_ALGORITHM);
}

static void cmp_34_hashes_are_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(LAXLY(pbm, .owf = MD5), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(LAXLY(pbm, .owf = "3003 06012a"), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(LAXLY(pbm, .owf = HMAC("09")), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(LAXLY(pbm, .owf = "300e 0609608648016503040201 020101"), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(LAXLY(pbm, .mac = HMAC_MD5), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(LAXLY(pbm, .mac = SHA256), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(LAXLY(pbm, .mac = "300b 0609608648016503040213"), PASSWORD_MAC_ALGORITHM);    /* KMAC */
    assert_int_equal(LAXLY(pbmac1, .mac = "300b 060960864801650304012d"), PASSWORD_MAC_ALGORITHM); /* GMAC */
    assert_int_equal(LAXLY(pbmac1, .owf = "020120" HMAC_MD5), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(LAXLY(pbmac1, .owf = "020120" SHA256), PASSWORD_MAC_ALGORITHM);
    for (int i = 8; i <= 11; i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "300c06082a864886f70d02%02x0500", (unsigned)i);
        assert_int_equal(DECODED(pbm, .mac = text), PASSWORD_MAC_OK);
        assert_int_equal(mac.mac, (int)DIGEST_SHA224 + i - 8);
    }
}

static void cmp_34_sha1_needs_its_switches(void **state)
{
    struct password_mac_rules as_mac = strict, as_function = strict;

    (void)state;
    as_mac.allow_hmac_sha1 = true;
    as_function.allow_sha1 = true;
    for (int i = 0; i < 2; i++) {
        struct bytes one = pbm((struct recipe){ .mac = i == 0 ? HMAC_SHA1 : HMAC("07") });
        struct bytes two = pbmac1((struct recipe){ .mac = i == 0 ? HMAC_SHA1 : HMAC("07") });
        struct bytes prf = pbmac1((struct recipe){ .owf = i == 0 ? "020120" HMAC("07") : "020120" });

        assert_int_equal(decode_under(one, &strict), PASSWORD_MAC_ALGORITHM);
        assert_int_equal(decode_under(one, &as_function), PASSWORD_MAC_ALGORITHM);
        assert_int_equal(decode_under(one, &as_mac), PASSWORD_MAC_OK);
        assert_int_equal(mac.mac, DIGEST_SHA1);
        assert_int_equal(decode_under(two, &as_function), PASSWORD_MAC_ALGORITHM);
        assert_int_equal(decode_under(two, &as_mac), PASSWORD_MAC_OK);
        assert_int_equal(mac.mac, DIGEST_SHA1);
        assert_int_equal(decode_under(prf, &as_mac), PASSWORD_MAC_ALGORITHM);
        assert_int_equal(decode_under(prf, &as_function), PASSWORD_MAC_OK);
        assert_int_equal(mac.hash, DIGEST_SHA1);
    }
    assert_int_equal(decode_under(pbm((struct recipe){ .owf = SHA1 }), &as_mac), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(decode_under(pbm((struct recipe){ .owf = SHA1 }), &as_function), PASSWORD_MAC_OK);
    assert_int_equal(mac.hash, DIGEST_SHA1);
}

static void cmp_34_rounds_are_bounded_before_anything_is_hashed(void **state)
{
    static const struct {
        const char *iterations;
        enum password_mac_fault fault;
    } rows[] = {
        { "020164", PASSWORD_MAC_OK }, /* 100 */
        { "020163", PASSWORD_MAC_ROUNDS },
        { "020100", PASSWORD_MAC_ROUNDS },
        { "0201ff", PASSWORD_MAC_ROUNDS },
        { "02022710", PASSWORD_MAC_OK }, /* 10000 */
        { "02022711", PASSWORD_MAC_ROUNDS },
        { "02047fffffff", PASSWORD_MAC_ROUNDS },
        { "020500ffffffff", PASSWORD_MAC_ROUNDS },
        { "02050100000064", PASSWORD_MAC_ROUNDS }, /* 100 when cut to 32 bits */
        { "020a 7f0000000000000000 64", PASSWORD_MAC_ROUNDS },
        { "020a 800000000000000000 64", PASSWORD_MAC_ROUNDS },
        { "02020064", PASSWORD_MAC_SYNTAX },
        { "0200", PASSWORD_MAC_SYNTAX },
        { "040164", PASSWORD_MAC_SYNTAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(DECODED(pbm, .iterations = rows[i].iterations), rows[i].fault);
        assert_int_equal(DECODED(pbmac1, .iterations = rows[i].iterations), rows[i].fault);
    }
}

/* Whoever sends the message names the key's length: with one octet of key a MAC is guessed, not known. */
static void a_derived_key_has_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(DECODED(pbmac1, .owf = "020114" HMAC("09")), PASSWORD_MAC_OK);
    assert_int_equal(mac.key_len, 20);
    assert_int_equal(DECODED(pbmac1, .owf = "020113" HMAC("09")), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(DECODED(pbmac1, .owf = "020101" HMAC("09")), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(DECODED(pbmac1, .owf = "020100" HMAC("09")), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(DECODED(pbmac1, .owf = "020180" HMAC("09")), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(DECODED(pbmac1, .owf = "020140" HMAC("09")), PASSWORD_MAC_OK);
    assert_int_equal(DECODED(pbmac1, .owf = "020141" HMAC("09")), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(DECODED(pbmac1, .owf = "02050100000020" HMAC("09")), PASSWORD_MAC_ALGORITHM);
}

static struct bytes salt_of(size_t len)
{
    char *text = arena_alloc(arena, 2 * len + 16);

    (void)snprintf(text, 16, len < 0x80 ? "04%02zx" : "0481%02zx", len);
    memset(text + strlen(text), 'a', 2 * len);
    return bytes_text(text);
}

static void a_salt_has_its_bounds(void **state)
{
    static const struct {
        size_t len;
        enum password_mac_fault fault;
    } rows[] = { { 0, PASSWORD_MAC_SYNTAX },
                 { 1, PASSWORD_MAC_OK },
                 { 127, PASSWORD_MAC_OK },
                 { 128, PASSWORD_MAC_OK },
                 { 129, PASSWORD_MAC_SYNTAX } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *salt = (const char *)salt_of(rows[i].len).data;

        assert_int_equal(DECODED(pbm, .salt = salt), rows[i].fault);
        assert_int_equal(DECODED(pbmac1, .salt = salt), rows[i].fault);
    }
    assert_int_equal(DECODED(pbmac1, .salt = "3003 06012a"), PASSWORD_MAC_ALGORITHM); /* otherSource */
}

static void what_is_malformed_is_refused(void **state)
{
    static const char *const broken[] = {
        "", "3000", "300b " PBM, /* no parameters */
        "300d " PBM " 0500",     /* others */
        "300d " PBMAC1 " 3000"   /* empty */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        assert_int_equal(decode_under(hex(broken[i]), &lax), PASSWORD_MAC_SYNTAX);
    assert_int_equal(DECODED(pbm, .tail = "0500"), PASSWORD_MAC_SYNTAX);
    assert_int_equal(DECODED(pbmac1, .tail = "0500"), PASSWORD_MAC_SYNTAX);
    assert_int_equal(DECODED(pbmac1, .owf = "020120" HMAC("09") "0500"), PASSWORD_MAC_SYNTAX);
    assert_int_equal(DECODED(pbm, .mac = "0500"), PASSWORD_MAC_SYNTAX);
    assert_int_equal(DECODED(pbm, .owf = "3000"), PASSWORD_MAC_SYNTAX);
    assert_int_equal(decode_under(join(pbm((struct recipe){ 0 }), hex("00")), &lax), PASSWORD_MAC_SYNTAX);
}

static void a_bent_or_cut_algorithm_never_reads_out_of_bounds(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct bytes der = kind == 0 ? pbm((struct recipe){ 0 }) : pbmac1((struct recipe){ 0 });

        for (size_t i = 0; i < der.len; i++) {
            uint8_t *copy = malloc(der.len);

            memcpy(copy, der.data, der.len);
            assert_int_equal(decode_under(bytes_of(copy, i), &lax), PASSWORD_MAC_SYNTAX);
            copy[i] ^= 0x01;
            (void)decode_under(bytes_of(copy, der.len), &lax);
            free(copy);
        }
    }
}

/* --- computing --- */

static struct bytes computed(const struct password_mac *m, struct bytes secret, struct bytes message)
{
    uint8_t value[DIGEST_MAX];
    size_t len;

    assert_true(password_mac_compute(m, secret, message, value, &len));
    assert_true(password_mac_holds(m, secret, message, bytes_of(value, len)));
    return arena_copy(arena, bytes_of(value, len));
}

static uint64_t seed = 20260101;

static size_t below(size_t bound)
{
    struct random_source random = random_seeded(&seed);
    uint32_t value;

    assert_true(random_fill(&random, (uint8_t *)&value, sizeof(value)));
    return value % bound;
}

static struct bytes some_bytes(size_t len)
{
    struct random_source random = random_seeded(&seed);
    uint8_t *out = arena_alloc(arena, len + 1);

    assert_true(random_fill(&random, out, len));
    return bytes_of(out, len);
}

static struct bytes put(const struct password_mac *m)
{
    struct buffer out = BUFFER(1024);

    password_mac_put(&out, m);
    return kept(&out);
}

/* What libcrypto computes with parameters that it decoded from ours. */
static void pbm_agrees(const struct password_mac *m, struct bytes secret, struct bytes message)
{
    struct bytes der = put(m), ours = computed(m, secret, message);
    const unsigned char *at = der.data;
    X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)der.len);
    const void *value;
    const ASN1_OBJECT *oid;
    int type;
    OSSL_CRMF_PBMPARAMETER *params;
    unsigned char *theirs = NULL;
    size_t len;

    assert_non_null(algorithm);
    X509_ALGOR_get0(&oid, &type, &value, algorithm);
    assert_int_equal(type, V_ASN1_SEQUENCE);
    assert_int_equal(OBJ_obj2nid(oid), NID_id_PasswordBasedMAC);
    at = ASN1_STRING_get0_data(value);
    params = d2i_OSSL_CRMF_PBMPARAMETER(NULL, &at, ASN1_STRING_length(value));
    assert_non_null(params);
    assert_int_equal(OSSL_CRMF_pbm_new(NULL, NULL, params, message.data, message.len, secret.data, secret.len,
                                       &theirs, &len),
                     1);
    assert_true(bytes_equal(ours, bytes_of(theirs, len)));
    OPENSSL_free(theirs);
    OSSL_CRMF_PBMPARAMETER_free(params);
    X509_ALGOR_free(algorithm);
}

static void pbmac1_agrees(const struct password_mac *m, struct bytes secret, struct bytes message)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "PBKDF2", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    unsigned rounds = m->iterations;
    int no_checks = 1;
    uint8_t key[DIGEST_MAX], value[EVP_MAX_MD_SIZE];
    size_t len;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)digest_name(m->hash), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)secret.data,
                                          secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)m->salt.data, m->salt.len),
        OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &rounds),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &no_checks),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_KDF_derive(ctx, key, m->key_len, params), 1);
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, digest_name(m->mac), NULL, key, m->key_len, message.data,
                              message.len, value, sizeof(value), &len));
    assert_true(bytes_equal(computed(m, secret, message), bytes_of(value, len)));
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static enum digest_algorithm some_hash(void)
{
    return (enum digest_algorithm)((int)DIGEST_SHA1 + (int)below(5));
}

static bool same(const struct password_mac *a, const struct password_mac *b)
{
    return a->kind == b->kind && bytes_equal(a->salt, b->salt) && a->iterations == b->iterations &&
           a->hash == b->hash && a->mac == b->mac && a->key_len == b->key_len;
}

static void whatever_the_parameters_libcrypto_computes_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct password_mac m = { .kind = i % 2 == 0 ? PASSWORD_MAC_PBM : PASSWORD_MAC_PBMAC1,
                                  .salt = some_bytes(1 + below(PASSWORD_MAC_SALT_MAX)),
                                  .iterations = (uint32_t)(100 + below(300)),
                                  .hash = some_hash(),
                                  .mac = some_hash() };
        struct bytes secret = some_bytes(1 + below(200)), message = some_bytes(below(300));

        if (m.kind == PASSWORD_MAC_PBMAC1)
            m.key_len = PASSWORD_MAC_KEY_LEN_MIN +
                        below(1 + PASSWORD_MAC_KEY_LEN_MAX - PASSWORD_MAC_KEY_LEN_MIN);
        assert_int_equal(decode_under(put(&m), &lax), PASSWORD_MAC_OK);
        assert_true(same(&m, &mac));
        if (m.kind == PASSWORD_MAC_PBM)
            pbm_agrees(&m, secret, message);
        else
            pbmac1_agrees(&m, secret, message);
    }
}

/* Parameters as libcrypto's client writes them: no NULL, HMAC-SHA1 in the spelling of RFC 4211. */
static void cmp_33_what_libcrypto_writes_is_read(void **state)
{
    OSSL_CRMF_PBMPARAMETER *params = OSSL_CRMF_pbmp_new(NULL, 16, NID_sha256, 500, NID_hmac_sha1);
    unsigned char *der = NULL, *theirs = NULL;
    int len = i2d_OSSL_CRMF_PBMPARAMETER(params, &der);
    struct bytes secret = BYTES_LITERAL("s3cret"), message = BYTES_LITERAL("message"), algorithm;
    size_t mac_len;

    (void)state;
    assert_true(len > 0);
    algorithm = wrap(DER_SEQUENCE, join(hex(PBM), bytes_of(der, (size_t)len)));
    assert_int_equal(decode_under(algorithm, &strict), PASSWORD_MAC_ALGORITHM);
    assert_int_equal(decode_under(algorithm, &lax), PASSWORD_MAC_OK);
    assert_int_equal(mac.iterations, 500);
    assert_int_equal(OSSL_CRMF_pbm_new(NULL, NULL, params, message.data, message.len, secret.data, secret.len,
                                       &theirs, &mac_len),
                     1);
    assert_true(password_mac_holds(&mac, secret, message, bytes_of(theirs, mac_len)));
    OPENSSL_free(theirs);
    OPENSSL_free(der);
    OSSL_CRMF_PBMPARAMETER_free(params);
}

/* PKIProtection is over SEQUENCE { header, body } (RFC 9810 5.1.3). */
static void cmp_33_the_protection_of_openssls_client_holds(void **state)
{
    struct der in = der_of(hex(openssl_ir)), message = der_enter(&in, DER_SEQUENCE), fields, bits, inner;
    struct bytes header = der_element(&message, DER_SEQUENCE), body = der_element(&message, DER_CONTEXT(0)),
                 value, algorithm = BYTES_NONE, part;

    (void)state;
    bits = der_enter(&message, DER_CONTEXT(0));
    value = der_bits(&bits);
    inner = der_of(header);
    fields = der_enter(&inner, DER_SEQUENCE);
    while (der_more(&fields)) {
        unsigned tag = 0;
        struct bytes field = der_any(&fields, &tag);
        struct der explicit = der_of(field);

        if (tag == DER_CONTEXT(1))
            algorithm = der_value(&explicit, tag);
    }
    assert_true(password_mac_is(algorithm));
    assert_int_equal(decode_under(algorithm, &strict), PASSWORD_MAC_ALGORITHM); /* HMAC-SHA1 unasked */
    assert_int_equal(decode_under(algorithm, &lax), PASSWORD_MAC_OK);
    assert_int_equal(mac.hash, DIGEST_SHA256);
    assert_int_equal(mac.iterations, 500);
    part = wrap(DER_SEQUENCE, join(header, body));
    assert_true(password_mac_holds(&mac, BYTES_LITERAL("s3cret"), part, value));
    assert_false(password_mac_holds(&mac, BYTES_LITERAL("other"), part, value));
    assert_false(password_mac_holds(&mac, BYTES_LITERAL("s3cret"), join(header, body), value));
}

static void other_secrets_messages_and_values_do_not_hold(void **state)
{
    struct bytes secret = BYTES_LITERAL("s3cret"), message = BYTES_LITERAL("message"), value;
    uint8_t bent[DIGEST_MAX];

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        assert_int_equal(kind == 0 ? DECODED(pbm) : DECODED(pbmac1), PASSWORD_MAC_OK);
        value = computed(&mac, secret, message);
        assert_false(password_mac_holds(&mac, BYTES_LITERAL("s3creT"), message, value));
        assert_false(password_mac_holds(&mac, secret, BYTES_LITERAL("massage"), value));
        assert_false(password_mac_holds(&mac, secret, BYTES_NONE, value));
        assert_false(password_mac_holds(&mac, secret, message, BYTES_NONE));
        assert_false(password_mac_holds(&mac, secret, message, bytes_slice(value, 0, value.len - 1)));
        assert_false(password_mac_holds(&mac, secret, message, join(value, hex("00"))));
        for (size_t i = 0; i < value.len; i++) {
            memcpy(bent, value.data, value.len);
            bent[i] ^= 0x80;
            assert_false(password_mac_holds(&mac, secret, message, bytes_of(bent, value.len)));
        }
    }
}

static void a_key_that_was_derived_serves_every_message(void **state)
{
    static const char *const messages[] = { "request", "answer", "" };
    struct bytes secret = BYTES_LITERAL("s3cret"), value;
    struct password_mac_key key = { .len = 0 };
    uint8_t made[DIGEST_MAX];
    size_t len;

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        assert_int_equal(kind == 0 ? DECODED(pbm) : DECODED(pbmac1), PASSWORD_MAC_OK);
        assert_true(password_mac_derive(&mac, secret, &key));
        for (size_t i = 0; i < COUNT_OF(messages); i++) {
            value = computed(&mac, secret, bytes_text(messages[i]));
            assert_true(password_mac_proves(&mac, &key, bytes_text(messages[i]), value));
            assert_false(password_mac_proves(&mac, &key, BYTES_LITERAL("another"), value));
        }
        assert_false(password_mac_derive(&mac, BYTES_NONE, &key));
        assert_int_equal(key.len, 0);
        assert_false(password_mac_make(&mac, &key, BYTES_LITERAL("request"), made, &len));
        assert_false(password_mac_proves(&mac, &key, BYTES_LITERAL("request"), value));
    }
}

static void an_empty_secret_and_no_kind_prove_nothing(void **state)
{
    struct password_mac none = { .kind = PASSWORD_MAC_NONE, .hash = DIGEST_SHA256, .mac = DIGEST_SHA256 };
    struct buffer out = BUFFER(1024);
    uint8_t value[DIGEST_MAX];
    size_t len;

    (void)state;
    assert_int_equal(DECODED(pbm), PASSWORD_MAC_OK);
    assert_false(password_mac_compute(&mac, BYTES_NONE, BYTES_NONE, value, &len));
    assert_false(password_mac_holds(&mac, BYTES_NONE, BYTES_NONE, BYTES_NONE));
    assert_false(password_mac_compute(&none, BYTES_LITERAL("s3cret"), BYTES_NONE, value, &len));
    assert_false(password_mac_holds(&none, BYTES_LITERAL("s3cret"), BYTES_NONE, BYTES_NONE));
    password_mac_put(&out, &none);
    assert_true(buffer_failed(&out));
    buffer_free(&out);
    out = BUFFER(1024);
    mac.mac = DIGEST_NONE;
    assert_false(password_mac_compute(&mac, BYTES_LITERAL("s3cret"), BYTES_NONE, value, &len));
    password_mac_put(&out, &mac);
    assert_true(buffer_failed(&out));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cmp_33_the_parameters_of_password_based_mac_are_read),
        TEST(cmp_33_the_parameters_of_pbmac1_are_read),
        TEST(the_two_kinds_are_known_by_their_identifiers),
        TEST(cmp_34_hashes_are_refused_by_name),
        TEST(cmp_34_sha1_needs_its_switches),
        TEST(cmp_34_rounds_are_bounded_before_anything_is_hashed),
        TEST(a_derived_key_has_its_bounds),
        TEST(a_salt_has_its_bounds),
        TEST(what_is_malformed_is_refused),
        TEST(a_bent_or_cut_algorithm_never_reads_out_of_bounds),
        TEST(whatever_the_parameters_libcrypto_computes_the_same),
        TEST(cmp_33_what_libcrypto_writes_is_read),
        TEST(cmp_33_the_protection_of_openssls_client_holds),
        TEST(other_secrets_messages_and_values_do_not_hold),
        TEST(a_key_that_was_derived_serves_every_message),
        TEST(an_empty_secret_and_no_kind_prove_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
