#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/pki/certificate.h"
#include "lib/pki/csr.h"
#include "tests/unit/lib/pki/requests.h"

/* A request, by default a good one; every test changes one thing before it is signed. */
struct recipe {
    const char *key;      /* "p256" */
    const char *signer;   /* the key */
    struct bytes version; /* INTEGER 0 */
    struct bytes subject; /* Name element: CN=router5.example.com */
    struct bytes spki;    /* of the key */
    struct bytes attributes;
    bool no_attributes;
    struct bytes algorithm; /* AlgorithmIdentifier: by the key */
    struct bytes tail;      /* after the request */
};

#define CHALLENGE    "2a864886f70d010907"
#define EXTENSIONS   "2a864886f70d01090e"
#define MICROSOFT    "2b060104018237 02010e"
#define UNSTRUCTURED "2a864886f70d010902"
#define ADDRESS      "2a864886f70d010908"

static struct bytes request(struct recipe r)
{
    struct buffer out = BUFFER(256 * 1024);
    const char *key = r.key != NULL ? r.key : "p256", *signer = r.signer != NULL ? r.signer : key;
    enum key_kind kind = keys_kind(ring, signer, NULL);
    enum digest_algorithm hash = signature_default_hash(kind);
    struct bytes info, signature;
    size_t seq = der_begin(&out, DER_SEQUENCE), part;

    buffer_append(&out, r.version.len > 0 ? r.version : hex("020100"));
    if (r.subject.len > 0)
        buffer_append(&out, r.subject);
    else
        assert_true(name_parse(BYTES_LITERAL("CN=router5.example.com"), &out));
    buffer_append(&out, r.spki.len > 0 ? r.spki : keys_public(ring, key));
    if (!r.no_attributes) {
        part = der_begin(&out, DER_CONTEXT(0));
        buffer_append(&out, r.attributes);
        der_end(&out, part);
    }
    der_end(&out, seq);
    info = kept(&out);
    assert_true(keys_sign(ring, signer, hash, info, arena, &signature, &err));
    seq = der_begin(&out, DER_SEQUENCE);
    buffer_append(&out, info);
    if (r.algorithm.len > 0)
        buffer_append(&out, r.algorithm);
    else
        assert_true(signature_algorithm_put(&out, kind, hash));
    der_put_bits(&out, signature);
    der_end(&out, seq);
    buffer_append(&out, r.tail);
    return kept(&out);
}

#define A_REQUEST(...) request((struct recipe){ __VA_ARGS__ })

static struct csr csr;

static enum csr_fault decode_under(struct bytes der, struct csr_rules rules)
{
    const char *detail = NULL;
    enum csr_fault fault;

    memset(&csr, 0, sizeof(csr));
    fault = csr_decode(der, &rules, arena, &csr, &detail);
    if (fault != CSR_OK) {
        assert_non_null(detail);
        assert_null(csr.encoded.data); /* outputs untouched */
    }
    return fault;
}

static enum csr_fault decode(struct bytes der)
{
    struct csr_rules rules = { .key = KEY_RULES_DEFAULT };

    rules.key.ed25519 = rules.key.ed448 = rules.key.rsa_pss = true;
    return decode_under(der, rules);
}

#define ACCEPTED(...)     assert_int_equal(decode(A_REQUEST(__VA_ARGS__)), CSR_OK)
#define REFUSED(why, ...) assert_int_equal(decode(A_REQUEST(__VA_ARGS__)), why)

static struct bytes attribute(const char *oid, struct bytes values)
{
    return wrap(DER_SEQUENCE, join(wrap(DER_OID, hex(oid)), wrap(DER_SET, values)));
}

static struct bytes extensions(struct bytes list)
{
    return attribute(EXTENSIONS, wrap(DER_SEQUENCE, list));
}

/* One extension alone. */
static struct bytes one(const char *oid, const char *value)
{
    return extensions(extension(oid, false, hex(value)));
}

static struct bytes san(struct bytes names)
{
    return extensions(extension("551d11", false, wrap(DER_SEQUENCE, names)));
}

/* --- decoding --- */

static void csr_1_only_version_0_is_decoded(void **state)
{
    (void)state;
    ACCEPTED(.version = hex("020100"));
    REFUSED(CSR_FAULT_SYNTAX, .version = hex("020101"));
    REFUSED(CSR_FAULT_SYNTAX, .version = hex("020102"));
    REFUSED(CSR_FAULT_SYNTAX, .version = hex("0201ff"));
}

static void csr_2_bytes_after_the_request_are_refused(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_SYNTAX, .tail = hex("00"));
    REFUSED(CSR_FAULT_SYNTAX, .tail = hex("0500"));
}

static void csr_3_ber_is_refused_unless_switched_on(void **state)
{
    struct csr_rules rules = { .key = KEY_RULES_DEFAULT, .accept_ber = true };
    struct bytes der = A_REQUEST(.key = "p256"), ber;
    struct der in = der_of(der), content = der_enter(&in, DER_SEQUENCE);

    (void)state;
    ber = join(join(hex("3080"), content.rest), hex("0000"));
    assert_int_equal(decode(ber), CSR_FAULT_SYNTAX);
    assert_int_equal(decode_under(ber, rules), CSR_OK);
    assert_true(bytes_equal(csr.encoded, der));
}

/* The signature is checked over the bytes as received: BER inside what is signed was signed as BER. */
static void csr_3_a_signature_over_ber_covers_the_ber(void **state)
{
    struct csr_rules rules = { .key = KEY_RULES_DEFAULT, .accept_ber = true };
    struct bytes signed_der = A_REQUEST(.key = "p256"), ber_info;
    struct der in = der_of(signed_der), parts = der_enter(&in, DER_SEQUENCE), info;
    struct buffer out = BUFFER(8192);
    struct bytes signature;

    (void)state;
    info = der_enter(&parts, DER_SEQUENCE);
    ber_info = join(join(hex("3080"), info.rest), hex("0000"));
    assert_int_equal(decode_under(wrap(DER_SEQUENCE, join(ber_info, parts.rest)), rules), CSR_FAULT_POP);
    assert_true(keys_sign(ring, "p256", DIGEST_SHA256, ber_info, arena, &signature, &err));
    buffer_append(&out, ber_info);
    assert_true(signature_algorithm_put(&out, KEY_EC_P256, DIGEST_SHA256));
    der_put_bits(&out, signature);
    assert_int_equal(decode_under(wrap(DER_SEQUENCE, kept(&out)), rules), CSR_OK);
    assert_true(bytes_equal(csr.info, ber_info));
}

static void csr_4_pem_is_read_with_either_label(void **state)
{
    struct buffer out = BUFFER(8192);
    struct bytes der = A_REQUEST(.key = "p256"), back, pem;

    (void)state;
    assert_true(pem_encode("CERTIFICATE REQUEST", der, &out));
    pem = kept(&out);
    assert_true(csr_from_pem(pem, arena, &back));
    assert_true(bytes_equal(back, der));
    assert_true(csr_from_pem(bytes_slice(pem, 0, pem.len - 1), arena, &back)); /* no final newline */
    assert_true(pem_encode("NEW CERTIFICATE REQUEST", der, &out));
    assert_true(csr_from_pem(kept(&out), arena, &back));
    assert_true(pem_encode("CERTIFICATE", der, &out));
    assert_false(csr_from_pem(kept(&out), arena, &back));
    assert_false(csr_from_pem(join(pem, pem), arena, &back));
    assert_false(csr_from_pem(join(hex("41"), pem), arena, &back));
}

static void csr_4_pem_with_crlf_is_read(void **state)
{
    struct buffer out = BUFFER(8192);
    struct bytes der = A_REQUEST(.key = "p256"), pem, line, back;

    (void)state;
    assert_true(pem_encode("CERTIFICATE REQUEST", der, &out));
    pem = kept(&out);
    while (bytes_split(&pem, '\n', &line)) {
        buffer_append(&out, line);
        buffer_append_text(&out, "\r\n");
    }
    assert_true(csr_from_pem(kept(&out), arena, &back));
    assert_true(bytes_equal(back, der));
}

static struct bytes many_names(size_t count)
{
    struct buffer out = BUFFER(64 * 1024);

    for (size_t i = 0; i < count; i++)
        buffer_append(&out, dns("a.example.com"));
    return kept(&out);
}

static struct bytes many_rdns(size_t count)
{
    struct buffer out = BUFFER(64 * 1024);

    for (size_t i = 0; i < count; i++)
        buffer_append(&out, rdn("55040b", DER_UTF8_STRING, BYTES_LITERAL("unit")));
    return wrap(DER_SEQUENCE, kept(&out));
}

static void csr_5_bounds_hold(void **state)
{
    struct bytes deep = hex("0500");

    (void)state;
    ACCEPTED(.attributes = san(many_names(100)));
    assert_int_equal(csr.requested.san.count, 100);
    REFUSED(CSR_FAULT_SYNTAX, .attributes = san(many_names(101)));
    ACCEPTED(.subject = many_rdns(32));
    REFUSED(CSR_FAULT_SYNTAX, .subject = many_rdns(33));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute("2a0304", wrap(DER_OCTET_STRING, text_of(70000))));
    for (int i = 0; i < 40; i++)
        deep = wrap(DER_SEQUENCE, deep);
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute("2a0304", deep));
}

static void csr_5_empty_sequences_and_sets_are_refused(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(EXTENSIONS, hex("3000")));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(EXTENSIONS, BYTES_NONE));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = hex("3000"));
    REFUSED(CSR_FAULT_SYNTAX, .subject = hex("3002 3100"));
    REFUSED(CSR_FAULT_SYNTAX, .subject = hex("3004 3102 3000"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = one("551d25", "3000"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = one("551d20", "3000"));
    REFUSED(CSR_FAULT_SYNTAX, .spki = hex("3000"));
    REFUSED(CSR_FAULT_SYNTAX, .algorithm = hex("3000"));
}

static void csr_6_absent_attributes_are_empty(void **state)
{
    (void)state;
    ACCEPTED(.no_attributes = true);
    assert_int_equal(csr.requested.unknown_attribute_count, 0);
}

static void csr_7_an_attribute_has_values_once(void **state)
{
    struct bytes password = attribute(CHALLENGE, hex("0c0161"));

    (void)state;
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(CHALLENGE, BYTES_NONE));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(CHALLENGE, hex("0c0161 0c0162")));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = join(password, password));
    REFUSED(CSR_FAULT_SYNTAX,
            .attributes = join(attribute("2a0304", hex("0500")), attribute("2a0304", hex("0500"))));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute("2a0304", BYTES_NONE));
}

static void csr_8_an_unknown_attribute_is_recorded(void **state)
{
    (void)state;
    ACCEPTED(.attributes = attribute("2a0304", hex("0500 0101ff")));
    assert_int_equal(csr.requested.unknown_attribute_count, 1);
    assert_true(bytes_equal(csr.requested.unknown_attribute[0], hex("2a0304")));
}

/* strongSwan sends the set unsorted: a re-encoding would have another order and another signature. */
static void csr_9_attributes_in_any_order_keep_their_signature(void **state)
{
    struct bytes password = attribute(CHALLENGE, hex("0c0161")), names = san(dns("a.example.com")), der;

    (void)state;
    der = A_REQUEST(.attributes = join(names, password));
    assert_int_equal(decode(der), CSR_OK);
    assert_true(bytes_is(csr.requested.challenge_password, "a"));
    assert_int_equal(csr.requested.san.count, 1);
    assert_int_equal(decode(A_REQUEST(.attributes = join(password, names))), CSR_OK);
    assert_true(csr.info.data > csr.encoded.data && csr.info.data < csr.encoded.data + csr.encoded.len);
}

/* --- proof of possession --- */

static void csr_12_a_signature_by_another_key_proves_nothing(void **state)
{
    struct bytes der, bent;
    uint8_t *copy;

    (void)state;
    REFUSED(CSR_FAULT_POP, .signer = "other");
    der = A_REQUEST(.key = "rsa");
    copy = arena_alloc(arena, der.len);
    memcpy(copy, der.data, der.len);
    copy[der.len - 1] ^= 1;
    bent = bytes_of(copy, der.len);
    assert_int_equal(decode(bent), CSR_FAULT_POP);
}

static void csr_12_every_kind_of_key_signs_for_itself(void **state)
{
    static const char *const names[] = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        ACCEPTED(.key = names[i]);
        assert_int_equal(csr.requested.key.kind, keys_kind(ring, names[i], NULL));
        assert_true(bytes_equal(csr.requested.key.spki, keys_public(ring, names[i])));
    }
}

static void csr_13_algorithm_and_key_must_fit(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_POP, .key = "p256", .signer = "rsa");
    REFUSED(CSR_FAULT_POP, .key = "rsa", .signer = "p256");
    REFUSED(CSR_FAULT_POP, .key = "ed25519", .signer = "ed448");
    ACCEPTED(.key = "rsa", .algorithm = hex("300b 06092a864886f70d01010b")); /* absent, Q */
    REFUSED(CSR_FAULT_SYNTAX, .key = "rsa", .algorithm = hex("300e 06092a864886f70d01010b 020100"));
    REFUSED(CSR_FAULT_SYNTAX, .key = "p256", .algorithm = hex("300c 06082a8648ce3d040302 0500"));
    REFUSED(CSR_FAULT_SYNTAX, .key = "ed25519", .algorithm = hex("3007 06032b6570 0500"));
}

static void csr_14_md5_and_older_are_refused_by_name(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa", .algorithm = hex("300d 06092a864886f70d010102 0500"));
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa", .algorithm = hex("300d 06092a864886f70d010103 0500"));
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa", .algorithm = hex("300d 06092a864886f70d010104 0500"));
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa", .algorithm = hex("3003 06012a"));
}

/* A request made by libcrypto, signed with `md`. */
static struct bytes made_elsewhere(const EVP_MD *md, bool pss)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    X509_REQ *req = X509_REQ_new();
    X509_NAME *name = X509_NAME_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner;
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *names = X509V3_EXT_conf_nid(
        NULL, NULL, NID_subject_alt_name,
        "DNS:a.example.com,IP:192.0.2.1,IP:2001:db8::1,email:a@example.com");
    unsigned char *der = NULL;
    struct bytes copy;
    int len;

    sk_X509_EXTENSION_push(list, names);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"a.example.com", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "serialNumber", MBSTRING_UTF8, (const unsigned char *)"42", -1, -1, 1);
    assert_int_equal(X509_REQ_set_subject_name(req, name), 1);
    assert_int_equal(X509_REQ_set_pubkey(req, pkey), 1);
    assert_int_equal(X509_REQ_add_extensions(req, list), 1);
    assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_UTF8,
                                               (const unsigned char *)"s3cret", -1),
                     1);
    assert_int_equal(EVP_DigestSignInit(ctx, &inner, md, NULL, pkey), 1);
    if (pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_true(X509_REQ_sign_ctx(req, ctx) > 0);
    len = i2d_X509_REQ(req, &der);
    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_NAME_free(name);
    X509_REQ_free(req);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return copy;
}

static void csr_15_sha1_needs_the_switch(void **state)
{
    struct csr_rules rules = { .key = KEY_RULES_DEFAULT, .allow_sha1 = true };
    struct bytes der = made_elsewhere(EVP_sha1(), false);

    (void)state;
    assert_int_equal(decode(der), CSR_FAULT_ALGORITHM);
    assert_int_equal(decode_under(der, rules), CSR_OK);
}

static void csr_16_pss_is_accepted_in_its_common_form(void **state)
{
    struct csr_rules rules = { .key = KEY_RULES_DEFAULT, .allow_sha1 = true };

    (void)state;
    assert_int_equal(decode(made_elsewhere(EVP_sha256(), true)), CSR_OK);
    assert_int_equal(decode(made_elsewhere(EVP_sha384(), true)), CSR_OK);
    assert_int_equal(decode(made_elsewhere(EVP_sha512(), true)), CSR_OK);
    assert_int_equal(decode(made_elsewhere(EVP_sha224(), true)), CSR_FAULT_ALGORITHM);
    assert_int_equal(decode_under(made_elsewhere(EVP_sha1(), true), rules), CSR_FAULT_ALGORITHM);
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa", .algorithm = hex("300d 06092a864886f70d01010a 3000"));
    REFUSED(CSR_FAULT_SYNTAX, .key = "rsa", .algorithm = hex("300d 06092a864886f70d01010a 0500"));
}

static void csr_17_a_key_that_cannot_sign_proves_nothing(void **state)
{
    struct bytes key = join(hex("032100"), text_of(32));

    (void)state;
    REFUSED(CSR_FAULT_POP, .spki = wrap(DER_SEQUENCE, join(hex("3005 06032b656e"), key)));
    REFUSED(CSR_FAULT_POP, .spki = wrap(DER_SEQUENCE, join(hex("300b 0609608648016503040402"), key)));
}

static void csr_18_key_and_signature_are_not_looked_at_for_a_made_key(void **state)
{
    struct csr_rules rules = { .ignore_key = true };

    (void)state;
    assert_int_equal(
        decode_under(A_REQUEST(.signer = "other", .attributes = san(dns("a.example.com"))), rules), CSR_OK);
    assert_int_equal(csr.requested.san.count, 1);
    assert_int_equal(csr.requested.key.kind, KEY_NONE);
    assert_int_equal(decode_under(A_REQUEST(.attributes = san(dns(" "))), rules), CSR_FAULT_NAME);
}

static void csr_34_other_key_algorithms_are_refused(void **state)
{
    struct bytes dsa = hex("3009 06072a8648ce380401"), key = hex("0304 00020101");

    (void)state;
    REFUSED(CSR_FAULT_ALGORITHM, .spki = wrap(DER_SEQUENCE, join(dsa, key)));
    REFUSED(CSR_FAULT_ALGORITHM, .spki = wrap(DER_SEQUENCE, join(hex("3003 06012a"), key)));
}

/* --- attributes and extensions --- */

static void csr_40_a_request_of_libcrypto_is_read(void **state)
{
    size_t count;

    (void)state;
    assert_int_equal(decode(made_elsewhere(EVP_sha256(), false)), CSR_OK);
    assert_true(bytes_is(name_find(&csr.requested.subject, OID_COMMON_NAME, &count), "a.example.com"));
    assert_true(bytes_is(name_find(&csr.requested.subject, OID_SERIAL_NUMBER, &count), "42"));
    assert_int_equal(csr.requested.san.count, 4);
    assert_int_equal(csr.requested.san.item[0].kind, GENERAL_NAME_DNS);
    assert_true(bytes_equal(csr.requested.san.item[1].value, hex("c0000201")));
    assert_int_equal(csr.requested.san.item[2].value.len, 16);
    assert_true(bytes_is(csr.requested.san.item[3].value, "a@example.com"));
    assert_true(bytes_is(csr.requested.challenge_password, "s3cret"));
}

static void csr_41_microsofts_extensions_stand_in(void **state)
{
    struct bytes list = wrap(DER_SEQUENCE,
                             extension("551d11", false, wrap(DER_SEQUENCE, dns("a.example.com"))));
    struct bytes microsoft = attribute(MICROSOFT, list), standard = attribute(EXTENSIONS, list);

    (void)state;
    ACCEPTED(.attributes = microsoft);
    assert_int_equal(csr.requested.san.count, 1);
    REFUSED(CSR_FAULT_SYNTAX, .attributes = join(standard, microsoft));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = join(microsoft, standard));
}

static void csr_42_an_extension_stands_once(void **state)
{
    struct bytes names = extension("551d11", false, wrap(DER_SEQUENCE, dns("a.example.com")));

    (void)state;
    REFUSED(CSR_FAULT_SYNTAX, .attributes = extensions(join(names, names)));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = extensions(join(extension("2a03", false, hex("00")),
                                                            extension("2a03", false, hex("01")))));
}

static void csr_43_what_only_a_ca_has_is_refused(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_PROFILE, .attributes = one("551d13", "3003 0101ff"));
    REFUSED(CSR_FAULT_PROFILE, .attributes = one("551d0f", "03020204"));
    REFUSED(CSR_FAULT_PROFILE, .attributes = one("551d0f", "03020102"));
    REFUSED(CSR_FAULT_PROFILE, .attributes = one("551d1e", "3000"));
    REFUSED(CSR_FAULT_PROFILE, .attributes = one("551d21", "3000"));
    REFUSED(CSR_FAULT_PROFILE, .attributes = one("551d25", "3006 0604551d2500"));
    REFUSED(CSR_FAULT_PROFILE, .attributes = one("551d25", "300a 06082b06010505070309"));
    ACCEPTED(.attributes = one("551d13", "3000"));
    ACCEPTED(.attributes = one("551d13", "3003 010100"));
}

static void csr_44_other_extensions_are_a_wish(void **state)
{
    (void)state;
    ACCEPTED(.attributes = one("551d0f", "030205a0"));
    assert_true(csr.requested.has_key_usage);
    assert_int_equal(csr.requested.key_usage, 5);
    ACCEPTED(.attributes = one("551d25", "300a 06082b06010505070302"));
    assert_int_equal(csr.requested.extended_key_usage_count, 1);
    assert_true(bytes_equal(csr.requested.extended_key_usage[0], hex("2b06010505070302")));
    ACCEPTED(.attributes = one("551d20", "3006 3004 06022a03"));
    ACCEPTED(.attributes = one("2a030405", "0500"));
    ACCEPTED(.attributes = extensions(extension("551d0f", true, hex("030205a0"))));
    REFUSED(CSR_FAULT_PROFILE, .attributes = extensions(extension("2a030405", true, hex("0500"))));
}

static void csr_45_a_known_extension_must_be_readable(void **state)
{
    static const char *const known[] = { "551d11", "551d0f", "551d25", "551d13", "551d0e", "551d20" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        REFUSED(CSR_FAULT_SYNTAX, .attributes = one(known[i], "0500"));
        REFUSED(CSR_FAULT_SYNTAX, .attributes = one(known[i], ""));
    }
    REFUSED(CSR_FAULT_SYNTAX, .attributes = one("551d0f", "030205a0 00"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = one("551d11", "3003 820161 00"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = one("551d13", "3000 00"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = extensions(hex("3005 0603551d11")));
}

static bool password_is(const char *value, const char *expected)
{
    enum csr_fault fault = decode(A_REQUEST(.attributes = attribute(CHALLENGE, hex(value))));

    return fault == CSR_OK && bytes_is(csr.requested.challenge_password, expected);
}

static void csr_46_the_challenge_password_comes_as_utf8(void **state)
{
    (void)state;
    assert_true(password_is("0c03 61c3bc", "aü"));
    assert_true(password_is("1303 61623f", "ab?"));
    assert_true(password_is("1402 61fc", "aü"));
    assert_true(password_is("1e04 006100fc", "aü"));
    assert_true(password_is("1c04 00000061", "a"));
    ACCEPTED(.attributes = attribute(CHALLENGE, wrap(DER_UTF8_STRING, text_of(255))));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(CHALLENGE, wrap(DER_UTF8_STRING, text_of(256))));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(CHALLENGE, hex("0c02 c328")));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(CHALLENGE, hex("0402 6161")));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = attribute(CHALLENGE, hex("1e03 006100")));
}

static void csr_47_odd_challenge_passwords(void **state)
{
    (void)state;
    assert_true(password_is("1602 6161", "aa"));
    assert_true(password_is("1602 6100", "a"));
    assert_true(password_is("1e04 00610000", "a"));
    assert_true(password_is("1302 610a", "a\n"));
    assert_true(decode(A_REQUEST(.attributes = attribute(CHALLENGE, hex("1303 610000")))) == CSR_OK);
    assert_true(bytes_equal(csr.requested.challenge_password, hex("6100")));
    ACCEPTED(.attributes = attribute(CHALLENGE, hex("1300")));
    assert_null(csr.requested.challenge_password.data);
    ACCEPTED(.attributes = attribute(CHALLENGE, hex("160100")));
    assert_null(csr.requested.challenge_password.data);
}

static void csr_49_microsofts_extras_are_ignored_and_the_template_kept(void **state)
{
    (void)state;
    ACCEPTED(.attributes = attribute("2b060104018237 0d0203", hex("1603 362e31")));
    assert_int_equal(csr.requested.unknown_attribute_count, 1);
    ACCEPTED(.attributes = one("2b060104018237 1402", "1e06 005700650062"));
    assert_true(bytes_is(csr.requested.template_name, "Web"));
}

/* --- names --- */

static void csr_52_string_types_are_decoded(void **state)
{
    (void)state;
    ACCEPTED(.subject = subject_with("550403", DER_TELETEX_STRING, hex("61fc")));
    assert_true(bytes_is(csr.requested.subject.attribute[0].text, "aü"));
    ACCEPTED(.subject = subject_with("550403", DER_BMP_STRING, hex("006100fc")));
    assert_true(bytes_is(csr.requested.subject.attribute[0].text, "aü"));
    ACCEPTED(.subject = subject_with("550403", DER_UNIVERSAL_STRING, hex("0001f600")));
    assert_int_equal(csr.requested.subject.attribute[0].text.len, 4);
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_UTF8_STRING, hex("c328")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_PRINTABLE_STRING, BYTES_LITERAL("a*b")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_PRINTABLE_STRING, BYTES_LITERAL("a@b")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_IA5_STRING, hex("61fc")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_BMP_STRING, hex("d83d")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_OCTET_STRING, hex("61")));
}

static void csr_53_control_characters_are_refused(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_NAME,
            .subject = subject_with("550403", DER_UTF8_STRING, BYTES_LITERAL("a.example.com\0.evil.com")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_UTF8_STRING, BYTES_LITERAL("a\nb")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_UTF8_STRING, hex("61c285")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_BMP_STRING, hex("00000061")));
    REFUSED(CSR_FAULT_NAME, .attributes = san(wrap(DER_CONTEXT_PRIMITIVE(2), hex("6100"))));
    REFUSED(CSR_FAULT_NAME, .attributes = attribute(UNSTRUCTURED, hex("0c02 6100")));
}

static void csr_54_upper_bounds_count_characters(void **state)
{
    static const char *const of_64[] = { "550403", "55040a", "55040b", "550405", "55040c" };
    struct buffer wide = BUFFER(256);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(of_64); i++) {
        ACCEPTED(.subject = subject_with(of_64[i], DER_UTF8_STRING, text_of(64)));
        REFUSED(CSR_FAULT_NAME, .subject = subject_with(of_64[i], DER_UTF8_STRING, text_of(65)));
    }
    for (int i = 0; i < 64; i++)
        buffer_append(&wide, hex("c3bc"));
    ACCEPTED(.subject = subject_with("55040a", DER_UTF8_STRING, kept(&wide)));
    ACCEPTED(.subject = subject_with("550406", DER_PRINTABLE_STRING, BYTES_LITERAL("DE")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550406", DER_PRINTABLE_STRING, BYTES_LITERAL("D")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550406", DER_PRINTABLE_STRING, BYTES_LITERAL("DEU")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550406", DER_PRINTABLE_STRING, BYTES_LITERAL("D1")));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("55040a", DER_UTF8_STRING, BYTES_NONE));
}

static void csr_55_an_empty_subject_needs_other_names(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_NAME, .subject = hex("3000"));
    ACCEPTED(.subject = hex("3000"), .attributes = san(dns("a.example.com")));
    ACCEPTED(.subject = hex("3000"), .attributes = attribute(UNSTRUCTURED, hex("0c0161")));
}

static void csr_56_san_has_names_and_they_are_not_empty(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_NAME, .attributes = one("551d11", "3000"));
    REFUSED(CSR_FAULT_NAME, .attributes = san(dns("")));
    REFUSED(CSR_FAULT_NAME, .attributes = san(dns(" ")));
    REFUSED(CSR_FAULT_NAME, .attributes = san(dns("someone@example.com")));
    REFUSED(CSR_FAULT_NAME, .attributes = san(dns("b\xc3\xbc"
                                                  "cher.example")));
}

static void csr_57_an_address_has_4_or_16_octets(void **state)
{
    (void)state;
    ACCEPTED(.attributes = one("551d11", "3006 8704c0000201"));
    ACCEPTED(.attributes = one("551d11", "3012 871020010db8000000000000000000000001"));
    REFUSED(CSR_FAULT_NAME, .attributes = one("551d11", "300a 8708c0000201ffffff00"));
    REFUSED(CSR_FAULT_NAME, .attributes = one("551d11", "3002 8700"));
    REFUSED(CSR_FAULT_NAME, .attributes = san(wrap(DER_CONTEXT_PRIMITIVE(7), text_of(32))));
}

static void csr_58_all_kinds_of_names_are_read(void **state)
{
    struct bytes directory = wrap(DER_CONTEXT(4),
                                  subject_with("55040a", DER_UTF8_STRING, BYTES_LITERAL("O")));

    (void)state;
    ACCEPTED(.attributes = san(join(directory, hex("8802 2a03 860161 810161"))));
    assert_int_equal(csr.requested.san.count, 4);
    assert_int_equal(csr.requested.san.item[0].kind, GENERAL_NAME_DIRECTORY);
    assert_int_equal(csr.requested.san.item[1].kind, GENERAL_NAME_REGISTERED_ID);
    REFUSED(CSR_FAULT_SYNTAX, .attributes = san(hex("8902 2a03")));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = san(hex("a203 160161")));
}

static void csr_59_one_common_name_only(void **state)
{
    struct bytes cn = rdn("550403", DER_UTF8_STRING, BYTES_LITERAL("a.example.com"));

    (void)state;
    REFUSED(CSR_FAULT_NAME, .subject = wrap(DER_SEQUENCE, join(cn, cn)));
}

static void csr_60_a_multi_valued_rdn_is_read_by_attribute(void **state)
{
    struct bytes serial = hex("300b 0603550405 13043132 3334"),
                 cn = wrap(DER_SEQUENCE,
                           join(hex("0603550403"), wrap(DER_UTF8_STRING, BYTES_LITERAL("r.example.com"))));

    (void)state;
    ACCEPTED(.subject = wrap(DER_SEQUENCE, wrap(DER_SET, join(serial, cn))));
    assert_int_equal(csr.requested.subject.count, 2);
    assert_int_equal(csr.requested.subject.attribute[0].rdn, csr.requested.subject.attribute[1].rdn);
    assert_true(bytes_is(name_find(&csr.requested.subject, OID_SERIAL_NUMBER, NULL), "1234"));
    assert_true(bytes_is(name_find(&csr.requested.subject, OID_COMMON_NAME, NULL), "r.example.com"));
}

static void csr_62_a_dns_name_is_no_address(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_NAME, .attributes = san(dns("192.0.2.1")));
    REFUSED(CSR_FAULT_NAME, .attributes = san(dns("2001:db8::1")));
    ACCEPTED(.subject = subject_with("550403", DER_UTF8_STRING, BYTES_LITERAL("192.0.2.1")));
}

static void csr_68_unstructured_names_come_as_attribute_or_rdn(void **state)
{
    (void)state;
    ACCEPTED(.attributes = join(attribute(UNSTRUCTURED, hex("1603 612e62")),
                                attribute(ADDRESS, hex("1303 312e32"))));
    assert_true(bytes_is(csr.requested.unstructured_name, "a.b"));
    assert_true(bytes_is(csr.requested.unstructured_address, "1.2"));
    ACCEPTED(.subject = subject_with(UNSTRUCTURED, DER_IA5_STRING, BYTES_LITERAL("r.example.com")));
    assert_true(bytes_is(csr.requested.unstructured_name, "r.example.com"));
    REFUSED(CSR_FAULT_NAME,
            .subject = subject_with(UNSTRUCTURED, DER_IA5_STRING, BYTES_LITERAL("r.example.com")),
            .attributes = attribute(UNSTRUCTURED, hex("1603 612e62")));
}

static struct bytes other_name(const char *type, const char *value)
{
    return san(wrap(DER_CONTEXT(0), join(wrap(DER_OID, hex(type)), wrap(DER_CONTEXT(0), hex(value)))));
}

static void csr_75_a_hardware_module_name_is_a_pair(void **state)
{
    struct hardware_module_name name;

    (void)state;
    ACCEPTED(.attributes = other_name("2b06010505070804", "3007 06022a03 0401ff"));
    assert_true(hardware_module_name_decode(csr.requested.san.item[0].value, &name));
    assert_true(bytes_equal(name.serial, hex("ff")));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = other_name("2b06010505070804", "3004 06022a03"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = other_name("2b06010505070804", "3008 06022a03 0401ff 00"));
}

static void csr_76_a_permanent_identifier_has_a_value_somewhere(void **state)
{
    (void)state;
    ACCEPTED(.attributes = other_name("2b06010505070803", "3003 0c0161"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = other_name("2b06010505070803", "3004 06022a03"));
    ACCEPTED(.subject = subject_with("550405", DER_PRINTABLE_STRING, BYTES_LITERAL("12")),
             .attributes = other_name("2b06010505070803", "3004 06022a03"));
    REFUSED(CSR_FAULT_SYNTAX, .attributes = other_name("2b06010505070803", "3003 130161"));
}

static void csr_79_one_serial_number_in_any_string_type(void **state)
{
    struct bytes serial = rdn("550405", DER_UTF8_STRING, BYTES_LITERAL("12"));

    (void)state;
    ACCEPTED(.subject = wrap(DER_SEQUENCE, serial));
    REFUSED(CSR_FAULT_NAME, .subject = wrap(DER_SEQUENCE, join(serial, serial)));
}

/* Whatever byte is bent: an answer, never an accepted request but where the byte decides nothing. */
static void a_bent_request_is_refused(void **state)
{
    struct bytes der = A_REQUEST(.attributes = join(attribute(CHALLENGE, hex("0c0161")),
                                                    san(dns("a.example.com"))));
    uint8_t *copy = arena_alloc(arena, der.len);

    (void)state;
    for (size_t i = 0; i < der.len; i++) {
        memcpy(copy, der.data, der.len);
        copy[i] ^= 0x01;
        assert_int_not_equal(decode(bytes_of(copy, der.len)), CSR_OK);
        assert_int_not_equal(decode(bytes_slice(der, 0, i)), CSR_OK);
    }
}

static void every_allocation_may_fail(void **state)
{
    struct csr_rules rules = { .key = KEY_RULES_DEFAULT };
    struct bytes der = A_REQUEST(.subject = subject_with("550403", DER_BMP_STRING, hex("006100fc")),
                                 .attributes = join(attribute(CHALLENGE, hex("1402 61fc")),
                                                    san(dns("a.example.com"))));

    (void)state;
    for (unsigned n = 1;; n++) {
        enum csr_fault fault;

        arena_fail_after(arena, n);
        fault = decode_under(der, rules);
        if (fault == CSR_OK)
            break;
        assert_true(fault == CSR_FAULT_INTERNAL);
        assert_true(n < 20);
    }
    arena_fail_after(arena, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(csr_1_only_version_0_is_decoded),
        TEST(csr_2_bytes_after_the_request_are_refused),
        TEST(csr_3_ber_is_refused_unless_switched_on),
        TEST(csr_3_a_signature_over_ber_covers_the_ber),
        TEST(csr_4_pem_is_read_with_either_label),
        TEST(csr_4_pem_with_crlf_is_read),
        TEST(csr_5_bounds_hold),
        TEST(csr_5_empty_sequences_and_sets_are_refused),
        TEST(csr_6_absent_attributes_are_empty),
        TEST(csr_7_an_attribute_has_values_once),
        TEST(csr_8_an_unknown_attribute_is_recorded),
        TEST(csr_9_attributes_in_any_order_keep_their_signature),
        TEST(csr_12_a_signature_by_another_key_proves_nothing),
        TEST(csr_12_every_kind_of_key_signs_for_itself),
        TEST(csr_13_algorithm_and_key_must_fit),
        TEST(csr_14_md5_and_older_are_refused_by_name),
        TEST(csr_15_sha1_needs_the_switch),
        TEST(csr_16_pss_is_accepted_in_its_common_form),
        TEST(csr_17_a_key_that_cannot_sign_proves_nothing),
        TEST(csr_18_key_and_signature_are_not_looked_at_for_a_made_key),
        TEST(csr_34_other_key_algorithms_are_refused),
        TEST(csr_40_a_request_of_libcrypto_is_read),
        TEST(csr_41_microsofts_extensions_stand_in),
        TEST(csr_42_an_extension_stands_once),
        TEST(csr_43_what_only_a_ca_has_is_refused),
        TEST(csr_44_other_extensions_are_a_wish),
        TEST(csr_45_a_known_extension_must_be_readable),
        TEST(csr_46_the_challenge_password_comes_as_utf8),
        TEST(csr_47_odd_challenge_passwords),
        TEST(csr_49_microsofts_extras_are_ignored_and_the_template_kept),
        TEST(csr_52_string_types_are_decoded),
        TEST(csr_53_control_characters_are_refused),
        TEST(csr_54_upper_bounds_count_characters),
        TEST(csr_55_an_empty_subject_needs_other_names),
        TEST(csr_56_san_has_names_and_they_are_not_empty),
        TEST(csr_57_an_address_has_4_or_16_octets),
        TEST(csr_58_all_kinds_of_names_are_read),
        TEST(csr_59_one_common_name_only),
        TEST(csr_60_a_multi_valued_rdn_is_read_by_attribute),
        TEST(csr_62_a_dns_name_is_no_address),
        TEST(csr_68_unstructured_names_come_as_attribute_or_rdn),
        TEST(csr_75_a_hardware_module_name_is_a_pair),
        TEST(csr_76_a_permanent_identifier_has_a_value_somewhere),
        TEST(csr_79_one_serial_number_in_any_string_type),
        TEST(a_bent_request_is_refused),
        TEST(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
