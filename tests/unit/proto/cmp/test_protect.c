#include "proto/cmp/protect.h"

#include "tests/lib/test.h"
#include "tests/unit/proto/cmp/cmp_peer.h"

static const struct password_mac_rules any_mac = { .iterations_max = 100000,
                                                   .allow_hmac_sha1 = true,
                                                   .allow_sha1 = true };
static const char *const signing_keys[] = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448" };

static struct cmp_header a_header(void)
{
    return (struct cmp_header){
        .pvno = 2,
        .recipient = wrap(DER_CONTEXT(4), name_of("CN=router5.example.com")),
        .has_message_time = true,
        .message_time_s = NOW_S,
        .has_transaction_id = true,
        .transaction_id = hex("00112233445566778899aabbccddeeff"),
        .has_sender_nonce = true,
        .sender_nonce = hex("ffeeddccbbaa99887766554433221100"),
    };
}

static struct cmp_protector by_mac(enum password_mac_kind kind, enum digest_algorithm hash,
                                   enum digest_algorithm mac)
{
    return (struct cmp_protector){
        .kind = CMP_PROTECTION_MAC,
        .mac = { .kind = kind,
                 .salt = hex("000102030405060708090a0b0c0d0e0f"),
                 .iterations = 500,
                 .hash = hash,
                 .mac = mac,
                 .key_len = kind == PASSWORD_MAC_PBMAC1 ? 32 : 0 },
        .secret = BYTES_LITERAL(PEER_SECRET),
    };
}

static struct cmp_protector by_key(const char *key, const struct certificate *certificate)
{
    return (struct cmp_protector){
        .kind = CMP_PROTECTION_SIGNATURE, .keys = ring, .key_name = key, .certificate = certificate
    };
}

static struct certificate signer_of(const char *subject, const char *key)
{
    return decoded(device_certificate(keys_public(ring, key), subject, "31"));
}

/* An error message under that protection. */
static struct bytes protected(const struct cmp_protector *protector, const struct bytes *extra_cert,
                              size_t count)
{
    struct cmp_status_info status = { CMP_REJECTION, CMP_BAD_REQUEST, BYTES_LITERAL("no") };
    struct buffer content = BUFFER(1024);
    struct bytes der;

    cmp_error_put(&content, &status);
    if (!cmp_protect(protector, a_header(), CMP_ERROR, kept(&content), extra_cert, count, arena, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

static struct cmp_message read(struct bytes der)
{
    struct cmp_message message;

    assert_int_equal(cmp_message_decode(der, &message), CMP_DECODED_ALL);
    return message;
}

static bool mac_holds(const struct cmp_message *message, const char *secret)
{
    struct password_mac mac;
    struct bytes part;

    assert_int_equal(password_mac_decode(message->header.protection_alg, &any_mac, &mac), PASSWORD_MAC_OK);
    assert_true(cmp_protected_part(message, arena, &part));
    return password_mac_holds(&mac, bytes_text(secret), part, message->protection);
}

/* --- what is made --- */

static void a_mac_holds_under_its_secret_alone(void **state)
{
    static const enum password_mac_kind kinds[] = { PASSWORD_MAC_PBM, PASSWORD_MAC_PBMAC1 };
    static const enum digest_algorithm hashes[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (size_t k = 0; k < COUNT_OF(hashes); k++) {
            struct cmp_protector protector = by_mac(kinds[i], DIGEST_SHA256, hashes[k]);
            struct cmp_message message = read(protected(&protector, NULL, 0));

            assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_MAC);
            assert_true(mac_holds(&message, PEER_SECRET));
            assert_false(mac_holds(&message, PEER_SECRET "!"));
            assert_false(mac_holds(&message, ""));
            assert_int_equal(message.extra_cert_count, 0);
        }
    }
}

static void a_mac_leaves_sender_and_key_identifier_to_the_caller(void **state)
{
    struct cmp_protector protector = by_mac(PASSWORD_MAC_PBM, DIGEST_SHA256, DIGEST_SHA256);
    struct cmp_header header = a_header();
    struct cmp_message message;
    struct bytes der;

    (void)state;
    header.sender = wrap(DER_CONTEXT(4), name_of("CN=RA"));
    header.sender_kid = BYTES_LITERAL(PEER_REF);
    assert_true(cmp_protect(&protector, header, CMP_PKICONF, hex("0500"), NULL, 0, arena, &der, &err));
    message = read(der);
    assert_bytes(message.header.sender, header.sender);
    assert_text(message.header.sender_kid, PEER_REF);
}

static void a_signature_holds_under_its_key_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(signing_keys); i++) {
        struct certificate certificate = signer_of("CN=RA", signing_keys[i]);
        struct certificate other = signer_of("CN=RA",
                                             strcmp(signing_keys[i], "p256") == 0 ? "other" : "p256");
        struct cmp_protector protector = by_key(signing_keys[i], &certificate);
        struct bytes extra[] = { certificate.encoded, root_of("CN=Root", "p256") };
        struct cmp_message message = read(protected(&protector, extra, 2));

        assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_SIGNATURE);
        assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_OK);
        assert_int_equal(cmp_verify_signature(&message, &other.key, arena), SIGNATURE_WRONG);
        assert_int_equal(message.extra_cert_count, 2);
        assert_bytes(message.extra_cert[0], extra[0]);
        assert_bytes(message.extra_cert[1], extra[1]);
    }
}

static void a_signature_names_its_certificate(void **state)
{
    struct certificate certificate = signer_of("CN=RA,O=Example", "p256");
    struct cmp_protector protector = by_key("p256", &certificate);
    struct cmp_header header = a_header();
    struct cmp_message message;
    struct bytes der;

    (void)state;
    header.sender = wrap(DER_CONTEXT(4), name_of("CN=somebody else"));
    header.sender_kid = BYTES_LITERAL("other");
    assert_true(cmp_protect(&protector, header, CMP_PKICONF, hex("0500"), NULL, 0, arena, &der, &err));
    message = read(der);
    assert_bytes(message.header.sender_name, certificate.subject.encoded);
    assert_bytes(message.header.sender_kid, certificate.subject_key_id);
    certificate.subject_key_id = BYTES_NONE;
    assert_true(cmp_protect(&protector, header, CMP_PKICONF, hex("0500"), NULL, 0, arena, &der, &err));
    assert_null(read(der).header.sender_kid.data);
}

static void the_hash_that_is_chosen_is_used(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "rsa");
    struct cmp_protector protector = by_key("rsa", &certificate);
    struct cmp_message message;

    (void)state;
    protector.hash = DIGEST_SHA512;
    message = read(protected(&protector, NULL, 0));
    assert_int_equal(signature_algorithm_hash(message.header.protection_alg), DIGEST_SHA512);
    assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_OK);
    protector.hash = DIGEST_NONE;
    message = read(protected(&protector, NULL, 0));
    assert_int_equal(signature_algorithm_hash(message.header.protection_alg), DIGEST_SHA256);
}

static void eddsa_has_no_hash_to_choose(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "ed25519");
    struct cmp_protector protector = by_key("ed25519", &certificate);
    struct cmp_message message;

    (void)state;
    protector.hash = DIGEST_SHA384;
    message = read(protected(&protector, NULL, 0));
    assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_OK);
}

static void without_protection_nothing_is_said_of_it(void **state)
{
    struct cmp_protector protector = { .kind = CMP_PROTECTION_NONE };
    struct cmp_header header = a_header();
    struct cmp_message message;
    struct bytes der;

    (void)state;
    header.protection_alg = hex("300506032b6570");
    assert_true(cmp_protect(&protector, header, CMP_PKICONF, hex("0500"), NULL, 0, arena, &der, &err));
    message = read(der);
    assert_null(message.header.protection_alg.data);
    assert_false(message.has_protection);
    assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_NONE);
}

static void what_cannot_protect_makes_no_message(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "p256");
    struct cmp_protector no_secret = by_mac(PASSWORD_MAC_PBM, DIGEST_SHA256, DIGEST_SHA256);
    struct cmp_protector no_mac = by_mac(PASSWORD_MAC_NONE, DIGEST_SHA256, DIGEST_SHA256);
    struct cmp_protector no_key = by_key("nobody", &certificate);
    struct cmp_protector bad_hash = by_key("p256", &certificate);
    struct cmp_protector unknown = { .kind = (enum cmp_protection_kind)7 };
    struct {
        const struct cmp_protector *protector;
        enum error_code code;
    } rows[] = { { &no_secret, ERROR_DENIED },
                 { &no_mac, ERROR_MEMORY },
                 { &no_key, ERROR_NOT_FOUND },
                 { &bad_hash, ERROR_CRYPTO },
                 { &unknown, ERROR_INTERNAL } };

    (void)state;
    no_secret.secret = BYTES_NONE;
    bad_hash.hash = DIGEST_MD5;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes der = BYTES_NONE;

        assert_false(
            cmp_protect(rows[i].protector, a_header(), CMP_PKICONF, hex("0500"), NULL, 0, arena, &der, &err));
        assert_int_equal(err.code, rows[i].code);
        assert_null(der.data);
    }
}

static void a_message_over_its_bound_beside_the_content_is_not_made(void **state)
{
    struct cmp_protector protector = by_mac(PASSWORD_MAC_PBM, DIGEST_SHA256, DIGEST_SHA256);
    uint8_t *zeros = arena_alloc(arena, CMP_MESSAGE_MAX);
    struct bytes certificate = wrap(DER_SEQUENCE, bytes_of(zeros, CMP_MESSAGE_MAX - 100)), der = BYTES_NONE;

    (void)state;
    assert_false(
        cmp_protect(&protector, a_header(), CMP_PKICONF, hex("0500"), &certificate, 1, arena, &der, &err));
    assert_int_equal(err.code, ERROR_MEMORY);
    assert_null(der.data);
}

static void every_allocation_that_fails_is_an_error(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "p256");
    const struct cmp_protector protectors[] = { by_mac(PASSWORD_MAC_PBM, DIGEST_SHA256, DIGEST_SHA256),
                                                by_key("p256", &certificate) };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(protectors); i++) {
        bool made = false;

        for (unsigned n = 1; !made; n++) {
            AUTO_ARENA *tight = arena_new(1 << 20);
            struct bytes der = BYTES_NONE;

            assert_true(n < 32);
            arena_fail_after(tight, n);
            made = cmp_protect(&protectors[i], a_header(), CMP_PKICONF, hex("0500"), NULL, 0, tight, &der,
                               &err);
            assert_int_equal(der.data != NULL, made);
            if (!made)
                assert_int_equal(err.code, ERROR_MEMORY);
        }
    }
}

/* --- what is checked --- */

static void cmp_31_no_octet_of_header_and_body_can_change(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "p256");
    struct cmp_protector signs = by_key("p256", &certificate);
    struct cmp_protector macs = by_mac(PASSWORD_MAC_PBM, DIGEST_SHA256, DIGEST_SHA256);
    struct bytes ders[] = { protected(&signs, NULL, 0), protected(&macs, NULL, 0) };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ders); i++) {
        uint8_t *changed = arena_alloc(arena, ders[i].len);

        for (size_t at = 0; at < ders[i].len; at++) {
            struct cmp_message message;
            struct password_mac mac;
            struct bytes part;

            memcpy(changed, ders[i].data, ders[i].len);
            changed[at] ^= 1;
            if (cmp_message_decode(bytes_of(changed, ders[i].len), &message) != CMP_DECODED_ALL)
                continue;
            assert_int_not_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_OK);
            if (password_mac_decode(message.header.protection_alg, &any_mac, &mac) != PASSWORD_MAC_OK)
                continue;
            assert_true(cmp_protected_part(&message, arena, &part));
            assert_false(password_mac_holds(&mac, BYTES_LITERAL(PEER_SECRET), part, message.protection));
        }
    }
}

static void cmp_30_bits_and_algorithm_come_together(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "p256");
    struct cmp_protector protector = by_key("p256", &certificate);
    struct cmp_message good = read(protected(&protector, NULL, 0)), message = good;

    (void)state;
    message.has_protection = false;
    message.protection = BYTES_NONE;
    assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_SIGNATURE);
    assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_WRONG);
    message = good;
    message.header.protection_alg = BYTES_NONE;
    assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_SIGNATURE);
    assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_WRONG);
    message = good;
    message.protection = bytes_of(good.protection.data, 0);
    assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_WRONG);
}

static void cmp_32_weak_and_unknown_algorithms_are_refused(void **state)
{
    static const char *const algorithms[] = {
        "300d 06092a864886f70d010105 0500", /* sha1WithRSAEncryption */
        "300d 06092a864886f70d010104 0500", /* md5WithRSAEncryption */
        "3009 06072a8648ce3d0401",          /* ecdsa-with-SHA1 */
        "3009 06072a8648ce380403",          /* DSA */
        "300b 06092a864886f67d07421e",      /* DHBasedMac */
    };
    struct certificate certificate = signer_of("CN=RA", "rsa");
    struct cmp_protector protector = by_key("rsa", &certificate);
    struct cmp_message message = read(protected(&protector, NULL, 0));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        message.header.protection_alg = hex(algorithms[i]);
        assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_SIGNATURE);
        assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_ALGORITHM);
    }
}

static void a_mac_is_no_signature(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "p256");
    struct cmp_protector protector = by_mac(PASSWORD_MAC_PBM, DIGEST_SHA256, DIGEST_SHA256);
    struct cmp_message message = read(protected(&protector, NULL, 0));

    (void)state;
    assert_int_equal(cmp_verify_signature(&message, &certificate.key, arena), SIGNATURE_ALGORITHM);
}

/* --- the certificate of the signer --- */

static void the_signer_is_found_wherever_it_stands(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "p384"), found;
    struct cmp_protector protector = by_key("p384", &certificate);
    struct bytes extra[] = { root_of("CN=Root", "p256"), hex("3000"), certificate.encoded };
    struct cmp_message message;

    (void)state;
    for (size_t count = 0; count <= 3; count++) {
        message = read(protected(&protector, extra, count));
        assert_int_equal(cmp_signer_certificate(&message, arena, &found), count == 3);
    }
    assert_bytes(found.encoded, certificate.encoded);
    assert_int_equal(cmp_verify_signature(&message, &found.key, arena), SIGNATURE_OK);
}

static void cmp_22_24_the_signer_has_the_name_and_the_key_identifier(void **state)
{
    struct certificate certificate = signer_of("CN=RA", "p384"), found;
    struct cmp_protector protector = by_key("p384", &certificate);
    struct bytes extra[] = { certificate.encoded };
    struct cmp_message good = read(protected(&protector, extra, 1)), message;

    (void)state;
    assert_true(cmp_signer_certificate(&good, arena, &found));
    message = good; /* names compare as X.501 names do */
    message.header.sender_name = hex("300d 310b 3009 0603550403 13027261");
    assert_true(cmp_signer_certificate(&message, arena, &found));
    message.header.sender_name = name_of("CN=other");
    assert_false(cmp_signer_certificate(&message, arena, &found));
    message.header.sender_name = hex("3000");
    assert_false(cmp_signer_certificate(&message, arena, &found));
    message.header.sender_name = BYTES_NONE;
    assert_false(cmp_signer_certificate(&message, arena, &found));
    message = good;
    message.header.sender_kid = BYTES_LITERAL("other");
    assert_false(cmp_signer_certificate(&message, arena, &found));
    message.header.sender_kid = bytes_of("", 0);
    assert_false(cmp_signer_certificate(&message, arena, &found));
    message.header.sender_kid = BYTES_NONE;
    assert_true(cmp_signer_certificate(&message, arena, &found));
}

static void of_two_with_one_name_the_key_identifier_decides(void **state)
{
    struct certificate first = signer_of("CN=RA", "p256"), second = signer_of("CN=RA", "p384"), found;
    struct cmp_protector protector = by_key("p384", &second);
    struct bytes extra[] = { first.encoded, second.encoded };
    struct cmp_message message = read(protected(&protector, extra, 2));

    (void)state;
    assert_true(cmp_signer_certificate(&message, arena, &found));
    assert_bytes(found.encoded, second.encoded);
}

/* --- OpenSSL --- */

static bool openssl_validates(OSSL_CMP_CTX *ctx, struct bytes der)
{
    OSSL_CMP_MSG *message = peer_read(der);
    bool good;

    (void)OSSL_CMP_CTX_set_log_verbosity(ctx, 0);
    good = OSSL_CMP_validate_msg(ctx, message) == 1;
    OSSL_CMP_MSG_free(message);
    ERR_clear_error();
    return good;
}

static void openssl_accepts_our_macs(void **state)
{
    static const enum digest_algorithm hashes[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
                                                    DIGEST_SHA512 };
    struct peer p = peer_new();
    struct conversation c = { .count = 0 };
    OSSL_CMP_CTX *right = client_with_secret(&p, &c), *wrong = client_with_secret(&p, &c);

    (void)state;
    assert_int_equal(OSSL_CMP_CTX_set1_secretValue(wrong, (const unsigned char *)"other", 5), 1);
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        for (size_t k = 0; k < COUNT_OF(hashes); k++) {
            struct cmp_protector protector = by_mac(PASSWORD_MAC_PBM, hashes[i], hashes[k]);
            struct bytes der = protected(&protector, NULL, 0);

            assert_true(openssl_validates(right, der));
            assert_false(openssl_validates(wrong, der));
        }
    }
    OSSL_CMP_CTX_free(right);
    OSSL_CMP_CTX_free(wrong);
    peer_free(&p);
}

static void openssl_accepts_our_signatures(void **state)
{
    struct peer p = peer_new(), stranger = p;
    struct conversation c = { .count = 0 };

    (void)state;
    stranger.root = peer_certificate(root_of("CN=Root", "other"));
    for (size_t i = 0; i < COUNT_OF(signing_keys); i++) {
        OSSL_CMP_CTX *right = client_of(&p, &c), *wrong = client_of(&stranger, &c);
        struct certificate certificate = signer_of("CN=RA", signing_keys[i]);
        struct cmp_protector protector = by_key(signing_keys[i], &certificate);
        struct bytes der = protected(&protector, &certificate.encoded, 1);

        if (!openssl_validates(right, der))
            fail_msg("%s", signing_keys[i]);
        assert_false(openssl_validates(wrong, der));
        OSSL_CMP_CTX_free(right);
        OSSL_CMP_CTX_free(wrong);
    }
    X509_free(stranger.root);
    peer_free(&p);
}

static void we_accept_what_openssl_protects(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR, CMP_KUR, CMP_RR, CMP_GENM };
    struct peer p = peer_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_message message = read(peer_request(&p, bodies[i], true));
        struct certificate signer;

        assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_SIGNATURE);
        assert_true(cmp_signer_certificate(&message, arena, &signer));
        assert_bytes(signer.encoded, p.device_der);
        assert_int_equal(cmp_verify_signature(&message, &signer.key, arena), SIGNATURE_OK);

        message = read(peer_request(&p, bodies[i], false));
        assert_int_equal(cmp_protection_of(&message), CMP_PROTECTION_MAC);
        assert_true(mac_holds(&message, PEER_SECRET));
        assert_false(mac_holds(&message, "other"));
    }
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_mac_holds_under_its_secret_alone),
        TEST(a_mac_leaves_sender_and_key_identifier_to_the_caller),
        TEST(a_signature_holds_under_its_key_alone),
        TEST(a_signature_names_its_certificate),
        TEST(the_hash_that_is_chosen_is_used),
        TEST(eddsa_has_no_hash_to_choose),
        TEST(without_protection_nothing_is_said_of_it),
        TEST(what_cannot_protect_makes_no_message),
        TEST(a_message_over_its_bound_beside_the_content_is_not_made),
        TEST(every_allocation_that_fails_is_an_error),
        TEST(cmp_31_no_octet_of_header_and_body_can_change),
        TEST(cmp_30_bits_and_algorithm_come_together),
        TEST(cmp_32_weak_and_unknown_algorithms_are_refused),
        TEST(a_mac_is_no_signature),
        TEST(the_signer_is_found_wherever_it_stands),
        TEST(cmp_22_24_the_signer_has_the_name_and_the_key_identifier),
        TEST(of_two_with_one_name_the_key_identifier_decides),
        TEST(openssl_accepts_our_macs),
        TEST(openssl_accepts_our_signatures),
        TEST(we_accept_what_openssl_protects),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
