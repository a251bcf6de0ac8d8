#include "lib/pki/crmf.h"
#include "tests/unit/lib/pki/certificates.h"
#include "tests/unit/lib/pki/requests.h"

/* A CertReqMsg, by default a good one; every test changes one thing before it is signed. */
struct recipe {
    const char *key;     /* "p256" */
    const char *signer;  /* the key */
    const char *id;      /* INTEGER element: 0 */
    struct bytes before; /* fields [0] to [4] of the template */
    bool no_subject, no_key;
    struct bytes subject;    /* Name element: CN=router5.example.com */
    struct bytes spki;       /* of the key */
    struct bytes after;      /* fields [7], [8] */
    struct bytes extensions; /* Extension elements; none: no [9] */
    struct bytes controls;   /* AttributeTypeAndValue elements; none: absent */
    struct bytes input;      /* content of poposkInput; none: absent */
    bool over_request;       /* the signature is over the CertRequest although there is a poposkInput */
    struct bytes pop;        /* element that stands for the signature */
    bool no_pop;
    struct bytes algorithm; /* AlgorithmIdentifier: by the key */
    struct bytes reg_info;  /* element after the proof */
    struct bytes tail;      /* after the request */
};

#define OLD_CERT_ID   "2b0601050507050105"
#define REG_TOKEN     "2b0601050507050101"
#define AUTHENTICATOR "2b0601050507050102"
#define UTF8_PAIRS    "2b0601050507050201"

static struct bytes spki_of(struct recipe r)
{
    return r.spki.len > 0 ? r.spki : keys_public(ring, r.key != NULL ? r.key : "p256");
}

/* An element's content under another tag. */
static struct bytes retagged(unsigned tag, struct bytes element)
{
    struct der in = der_of(element);

    return wrap(tag, der_value(&in, element.data[0]));
}

static struct bytes cert_request(struct recipe r)
{
    struct buffer out = BUFFER(256 * 1024);
    size_t request = der_begin(&out, DER_SEQUENCE), template;

    buffer_append(&out, hex(r.id != NULL ? r.id : "020100"));
    template = der_begin(&out, DER_SEQUENCE);
    buffer_append(&out, r.before);
    if (!r.no_subject)
        der_put(&out, DER_CONTEXT(5), r.subject.len > 0 ? r.subject : name_of("CN=router5.example.com"));
    if (!r.no_key)
        buffer_append(&out, retagged(DER_CONTEXT(6), spki_of(r)));
    buffer_append(&out, r.after);
    if (r.extensions.len > 0)
        der_put(&out, DER_CONTEXT(9), r.extensions);
    der_end(&out, template);
    if (r.controls.len > 0)
        der_put(&out, DER_SEQUENCE, r.controls);
    der_end(&out, request);
    return kept(&out);
}

static struct bytes signature_pop(struct recipe r, struct bytes request)
{
    struct buffer out = BUFFER(256 * 1024);
    const char *signer = r.signer != NULL ? r.signer : r.key != NULL ? r.key : "p256";
    enum key_kind kind = keys_kind(ring, signer, NULL);
    enum digest_algorithm hash = signature_default_hash(kind);
    struct bytes message = r.input.len > 0 && !r.over_request ? wrap(DER_SEQUENCE, r.input) : request,
                 signature;

    assert_true(keys_sign(ring, signer, hash, message, arena, &signature, &err));
    if (r.input.len > 0)
        der_put(&out, DER_CONTEXT(0), r.input);
    if (r.algorithm.len > 0)
        buffer_append(&out, r.algorithm);
    else
        assert_true(signature_algorithm_put(&out, kind, hash));
    der_put_bits(&out, signature);
    return wrap(DER_CONTEXT(1), kept(&out));
}

static struct bytes request(struct recipe r)
{
    struct bytes body = cert_request(r);
    struct bytes pop = r.no_pop ? BYTES_NONE : r.pop.len > 0 ? r.pop : signature_pop(r, body);

    return join(wrap(DER_SEQUENCE, join(join(body, pop), r.reg_info)), r.tail);
}

#define A_REQUEST(...) request((struct recipe){ __VA_ARGS__ })

static struct crmf_request crmf;

static enum csr_fault decode_under(struct bytes der, struct crmf_rules rules)
{
    const char *detail = NULL;
    enum csr_fault fault;

    memset(&crmf, 0, sizeof(crmf));
    fault = crmf_decode(der, &rules, arena, &crmf, &detail);
    if (fault != CSR_OK) {
        static const struct requested nothing;

        assert_non_null(detail);
        assert_memory_equal(&crmf.requested, &nothing, sizeof(nothing));
    }
    return fault;
}

static struct crmf_rules usual(void)
{
    struct crmf_rules rules = { .key = KEY_RULES_DEFAULT };

    rules.key.ed25519 = rules.key.ed448 = rules.key.rsa_pss = true;
    return rules;
}

static enum csr_fault decode(struct bytes der)
{
    return decode_under(der, usual());
}

#define ACCEPTED(...)     assert_int_equal(decode(A_REQUEST(__VA_ARGS__)), CSR_OK)
#define REFUSED(why, ...) assert_int_equal(decode(A_REQUEST(__VA_ARGS__)), why)

static struct bytes attribute(const char *oid, struct bytes value)
{
    return wrap(DER_SEQUENCE, join(wrap(DER_OID, hex(oid)), value));
}

static struct bytes san(const char *name)
{
    return extension("551d11", false, wrap(DER_SEQUENCE, dns(name)));
}

static struct bytes directory_name(const char *name)
{
    return wrap(DER_CONTEXT(4), name_of(name));
}

/* poposkInput of a requester that is authenticated otherwise. */
static struct bytes input_of(const char *sender, const char *key)
{
    return join(wrap(DER_CONTEXT(0), directory_name(sender)), keys_public(ring, key));
}

/* --- what is read --- */

static void cmp_45_all_parts_of_a_request_are_read(void **state)
{
    struct bytes usage = extension("551d0f", true, hex("03020780")),
                 client = extension("551d25", false, hex("300a 06082b06010505070302")), der;

    (void)state;
    der = A_REQUEST(.extensions = join(san("a.example.com"), join(usage, client)));
    assert_int_equal(decode(der), CSR_OK);
    assert_true(bytes_equal(crmf.encoded, der));
    assert_int_equal(crmf.cert_req_id, 0);
    assert_int_equal(crmf.pop, CRMF_POP_SIGNATURE);
    assert_true(bytes_equal(crmf.requested.subject.encoded, name_of("CN=router5.example.com")));
    assert_true(bytes_is(name_find(&crmf.requested.subject, OID_COMMON_NAME, NULL), "router5.example.com"));
    assert_true(bytes_equal(crmf.requested.key.spki, keys_public(ring, "p256")));
    assert_int_equal(crmf.requested.key.kind, KEY_EC_P256);
    assert_int_equal(crmf.requested.san.count, 1);
    assert_true(bytes_is(crmf.requested.san.item[0].value, "a.example.com"));
    assert_true(crmf.requested.has_key_usage);
    assert_int_equal(crmf.requested.key_usage, KEY_USAGE_DIGITAL_SIGNATURE);
    assert_int_equal(crmf.requested.extended_key_usage_count, 1);
    assert_int_equal(crmf.requested.challenge_password.len, 0);
    assert_false(crmf.has_sk_input);
    assert_false(crmf.has_old_cert_id);
}

static void cmp_47_the_id_is_read_whatever_it_is(void **state)
{
    (void)state;
    ACCEPTED(.id = "0201ff");
    assert_int_equal(crmf.cert_req_id, -1);
    ACCEPTED(.id = "02020080");
    assert_int_equal(crmf.cert_req_id, 128);
    ACCEPTED(.id = "02088000000000000000");
    assert_true(crmf.cert_req_id == INT64_MIN);
    REFUSED(CSR_FAULT_SYNTAX, .id = "0209008000000000000000");
    REFUSED(CSR_FAULT_SYNTAX, .id = "020200 01");
    REFUSED(CSR_FAULT_SYNTAX, .id = "040100");
}

/* The answer to a refused request names its certReqId. */
static void a_refusal_leaves_what_the_answer_needs(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_POP, .id = "020107", .signer = "other");
    assert_int_equal(crmf.cert_req_id, 7);
    assert_true(crmf.template.has_subject);
    assert_int_equal(crmf.pop, CRMF_POP_SIGNATURE);
    REFUSED(CSR_FAULT_SYNTAX, .id = "020107", .tail = hex("00"));
    assert_null(crmf.encoded.data); /* outputs untouched */
}

static void cmp_58_the_certificate_to_be_updated_is_named(void **state)
{
    struct bytes issuer = directory_name("CN=Issuing CA"),
                 id = wrap(DER_SEQUENCE, join(issuer, hex("020500c0ffee01")));

    (void)state;
    ACCEPTED(.controls = attribute(OLD_CERT_ID, id));
    assert_true(crmf.has_old_cert_id);
    assert_true(bytes_equal(crmf.old_issuer, name_of("CN=Issuing CA")));
    assert_true(bytes_equal(crmf.old_serial, hex("00c0ffee01")));
    ACCEPTED(.controls = join(attribute(REG_TOKEN, hex("0c0161")), attribute(OLD_CERT_ID, id)));
    assert_true(crmf.has_old_cert_id);
    ACCEPTED(.controls = attribute(OLD_CERT_ID,
                                   wrap(DER_SEQUENCE, join(dns("ca.example.com"), hex("020101")))));
    assert_true(crmf.has_old_cert_id);
    assert_null(crmf.old_issuer.data);
    REFUSED(CSR_FAULT_SYNTAX, .controls = join(attribute(OLD_CERT_ID, id), attribute(OLD_CERT_ID, id)));
    REFUSED(CSR_FAULT_SYNTAX, .controls = attribute(OLD_CERT_ID, issuer));
    REFUSED(CSR_FAULT_SYNTAX, .controls = attribute(OLD_CERT_ID, join(id, id)));
    REFUSED(CSR_FAULT_SYNTAX, .controls = attribute(OLD_CERT_ID, wrap(DER_SEQUENCE, issuer)));
    REFUSED(CSR_FAULT_SYNTAX,
            .controls = attribute(OLD_CERT_ID, wrap(DER_SEQUENCE, join(issuer, hex("0200")))));
    REFUSED(CSR_FAULT_SYNTAX,
            .controls = attribute(OLD_CERT_ID, wrap(DER_SEQUENCE, join(hex("a400"), hex("020101")))));
}

static struct bytes many_controls(size_t count)
{
    struct bytes list = BYTES_NONE;

    for (size_t i = 0; i < count; i++)
        list = join(list, attribute("2a03", hex("0500")));
    return list;
}

static void other_controls_and_registration_info_are_skipped(void **state)
{
    struct bytes token = attribute(REG_TOKEN, hex("0c0161")), pairs = attribute(UTF8_PAIRS, hex("0c0161"));

    (void)state;
    ACCEPTED(.controls = join(token, attribute(AUTHENTICATOR, hex("0c0162"))));
    assert_int_equal(crmf.requested.challenge_password.len, 0);
    assert_false(crmf.has_old_cert_id);
    ACCEPTED(.controls = many_controls(32));
    REFUSED(CSR_FAULT_SYNTAX, .controls = many_controls(33));
    ACCEPTED(.reg_info = wrap(DER_SEQUENCE, pairs));
    ACCEPTED(.no_pop = true, .reg_info = wrap(DER_SEQUENCE, pairs));
    ACCEPTED(.reg_info = wrap(DER_SEQUENCE, attribute(OLD_CERT_ID, hex("0500")))); /* a control there only */
    assert_false(crmf.has_old_cert_id);
    REFUSED(CSR_FAULT_SYNTAX, .reg_info = hex("3000"));
    REFUSED(CSR_FAULT_SYNTAX, .reg_info = pairs);
    REFUSED(CSR_FAULT_SYNTAX, .reg_info = hex("0500"));
    REFUSED(CSR_FAULT_SYNTAX, .controls = hex("0500"));
    REFUSED(CSR_FAULT_SYNTAX, .controls = hex("3000"));
    REFUSED(CSR_FAULT_SYNTAX, .controls = wrap(DER_SEQUENCE, hex("06022a03")));
    REFUSED(CSR_FAULT_SYNTAX, .controls = wrap(DER_SEQUENCE, hex("06022a03 0500 0500")));
    REFUSED(CSR_FAULT_SYNTAX, .controls = wrap(DER_SEQUENCE, hex("0600 0500")));
}

static void bounds_and_encoding_are_strict(void **state)
{
    struct bytes der = A_REQUEST(.key = "p256");
    struct der in = der_of(der), content = der_enter(&in, DER_SEQUENCE);

    (void)state;
    REFUSED(CSR_FAULT_SYNTAX, .tail = hex("00"));
    REFUSED(CSR_FAULT_SYNTAX,
            .reg_info = wrap(DER_SEQUENCE, attribute("2a03", wrap(DER_OCTET_STRING, text_of(CRMF_LEN_MAX)))));
    assert_int_equal(decode(join(join(hex("3080"), content.rest), hex("0000"))), CSR_FAULT_SYNTAX);
    assert_int_equal(decode(BYTES_NONE), CSR_FAULT_SYNTAX);
    assert_int_equal(decode(hex("3000")), CSR_FAULT_SYNTAX);
    assert_int_equal(decode(hex("3002 3000")), CSR_FAULT_SYNTAX);
}

/* --- what a template may say --- */

static void cmp_48_what_the_ca_decides_is_not_asked_for(void **state)
{
    (void)state;
    ACCEPTED(.before = hex("800102")); /* v3 */
    REFUSED(CSR_FAULT_PROFILE, .before = hex("800100"));
    REFUSED(CSR_FAULT_PROFILE, .before = hex("800101"));
    REFUSED(CSR_FAULT_PROFILE, .before = hex("800103"));
    REFUSED(CSR_FAULT_PROFILE, .before = hex("810101"));
    REFUSED(CSR_FAULT_PROFILE, .before = hex("a20a 06082a8648ce3d040302"));
    REFUSED(CSR_FAULT_PROFILE, .after = hex("8702 00ff"));
    REFUSED(CSR_FAULT_PROFILE, .after = hex("8802 00ff"));
    REFUSED(CSR_FAULT_PROFILE, .no_pop = true, .before = hex("810101"));
    REFUSED(CSR_FAULT_PROFILE, .signer = "other", .before = hex("810101")); /* before any arithmetic */
}

static void cmp_49_a_subject_or_other_names_are_there(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_PROFILE, .no_subject = true);
    REFUSED(CSR_FAULT_PROFILE, .no_subject = true, .extensions = san("a.example.com"));
    REFUSED(CSR_FAULT_PROFILE, .no_subject = true, .no_key = true, .no_pop = true);
    REFUSED(CSR_FAULT_NAME, .subject = hex("3000"));
    ACCEPTED(.subject = hex("3000"), .extensions = san("a.example.com"));
    assert_int_equal(crmf.requested.subject.count, 0);
    assert_int_equal(crmf.requested.san.count, 1);
}

static void cmp_49_names_are_judged_as_in_a_pkcs10(void **state)
{
    struct bytes cn = rdn("550403", DER_UTF8_STRING, BYTES_LITERAL("a.example.com"));

    (void)state;
    REFUSED(CSR_FAULT_NAME, .subject = wrap(DER_SEQUENCE, join(cn, cn)));
    REFUSED(CSR_FAULT_NAME, .subject = subject_with("550403", DER_UTF8_STRING, BYTES_LITERAL("a\nb")));
    REFUSED(CSR_FAULT_SYNTAX, .subject = hex("3002 3100"));
    REFUSED(CSR_FAULT_NAME, .extensions = san("192.0.2.1"));
    REFUSED(CSR_FAULT_NAME, .extensions = san(""));
    ACCEPTED(.subject = subject_with("2a864886f70d010902", DER_IA5_STRING, BYTES_LITERAL("r.example.com")));
    assert_true(bytes_is(crmf.requested.unstructured_name, "r.example.com"));
}

static void cmp_49_extensions_are_judged_as_in_a_pkcs10(void **state)
{
    struct bytes name = san("a.example.com");

    (void)state;
    REFUSED(CSR_FAULT_PROFILE, .extensions = extension("551d13", false, hex("3003 0101ff")));
    REFUSED(CSR_FAULT_PROFILE, .extensions = extension("551d0f", false, hex("03020204")));
    REFUSED(CSR_FAULT_PROFILE, .extensions = extension("551d1e", false, hex("3000")));
    REFUSED(CSR_FAULT_PROFILE, .extensions = extension("2a03", true, hex("0500")));
    ACCEPTED(.extensions = extension("2a03", false, hex("0500")));
    REFUSED(CSR_FAULT_SYNTAX, .extensions = join(name, name));
    REFUSED(CSR_FAULT_SYNTAX, .extensions = extension("551d11", false, hex("0500")));
    REFUSED(CSR_FAULT_SYNTAX, .extensions = hex("0500"));
    REFUSED(CSR_FAULT_SYNTAX, .after = hex("a900"));
}

static void cmp_49_keys_are_judged_by_the_rules(void **state)
{
    struct crmf_rules rules = usual();
    struct bytes bits = join(hex("032100"), text_of(32));

    (void)state;
    rules.key.p256 = false;
    assert_int_equal(decode_under(A_REQUEST(.key = "p256"), rules), CSR_FAULT_KEY);
    assert_int_equal(decode_under(A_REQUEST(.no_pop = true), rules), CSR_FAULT_KEY);
    rules.key.rsa_bits_min = 3072;
    assert_int_equal(decode_under(A_REQUEST(.key = "rsa"), rules), CSR_FAULT_KEY);
    REFUSED(CSR_FAULT_POP, .spki = wrap(DER_SEQUENCE, join(hex("3005 06032b656e"), bits))); /* X25519 */
    REFUSED(CSR_FAULT_POP, .no_pop = true, .spki = wrap(DER_SEQUENCE, join(hex("3005 06032b656e"), bits)));
    REFUSED(CSR_FAULT_ALGORITHM, .spki = wrap(DER_SEQUENCE, join(hex("3003 06012a"), bits)));
}

/* --- proof of possession --- */

static void cmp_50_every_kind_of_key_proves_itself(void **state)
{
    static const char *const names[] = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        ACCEPTED(.key = names[i]);
        assert_int_equal(crmf.requested.key.kind, keys_kind(ring, names[i], NULL));
        assert_true(bytes_equal(crmf.requested.key.spki, keys_public(ring, names[i])));
    }
}

static void cmp_50_a_wrong_signature_proves_nothing(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_POP, .signer = "other");
    REFUSED(CSR_FAULT_POP, .key = "rsa", .signer = "rsa2");
    REFUSED(CSR_FAULT_POP, .key = "p256", .signer = "rsa"); /* CMP-49: key and algorithm disagree */
    REFUSED(CSR_FAULT_POP, .key = "rsa", .signer = "p256");
    REFUSED(CSR_FAULT_POP, .pop = hex("a110 300a06082a8648ce3d040302 030200ff"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a100"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a10c 300a06082a8648ce3d040302"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a112 300a06082a8648ce3d040302 030200ff 0500"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a110 300a06082a8648ce3d040302 030201fe"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a106 3000 030200ff"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("8100"));
}

static void cmp_50_a_signature_without_a_key_proves_nothing(void **state)
{
    struct bytes empty = hex("3017 3013 06072a8648ce3d0201 06082a8648ce3d030107 030100");

    (void)state;
    REFUSED(CSR_FAULT_POP, .no_key = true);
    REFUSED(CSR_FAULT_SYNTAX, .spki = empty); /* the OCTETs do not add up */
    empty = wrap(DER_SEQUENCE, hex("3013 06072a8648ce3d0201 06082a8648ce3d030107 030100"));
    REFUSED(CSR_FAULT_POP, .spki = empty);
    REFUSED(CSR_FAULT_POP, .no_key = true, .no_subject = true, .input = input_of("CN=a", "p256"));
}

static void cmp_32_signature_algorithms_are_refused_by_name(void **state)
{
    (void)state;
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa",
            .algorithm = hex("300d 06092a864886f70d010104 0500")); /* MD5 */
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa", .algorithm = hex("300d 06092a864886f70d010105 0500"));
    REFUSED(CSR_FAULT_ALGORITHM, .key = "rsa", .algorithm = hex("3003 06012a"));
    REFUSED(CSR_FAULT_SYNTAX, .key = "rsa", .algorithm = hex("3000"));
}

static void sha1_needs_the_switch(void **state)
{
    struct crmf_rules rules = usual();
    struct bytes body = cert_request((struct recipe){ .key = "rsa" }), signature, pop, der;

    (void)state;
    assert_true(keys_sign(ring, "rsa", DIGEST_SHA1, body, arena, &signature, &err));
    pop = join(hex("300d 06092a864886f70d010105 0500"), wrap(DER_BIT_STRING, join(hex("00"), signature)));
    der = wrap(DER_SEQUENCE, join(body, wrap(DER_CONTEXT(1), pop)));
    assert_int_equal(decode_under(der, rules), CSR_FAULT_ALGORITHM);
    rules.allow_sha1 = true;
    assert_int_equal(decode_under(der, rules), CSR_OK);
}

/* As libcrypto 3.0 writes it. */
static void an_rsa_algorithm_without_null_is_taken(void **state)
{
    (void)state;
    ACCEPTED(.key = "rsa", .algorithm = hex("300b 06092a864886f70d01010b"));
    REFUSED(CSR_FAULT_SYNTAX, .key = "rsa", .algorithm = hex("300e 06092a864886f70d01010b 020100"));
}

static void cmp_51_posk_input_stands_where_subject_or_key_do_not(void **state)
{
    struct bytes input = input_of("CN=router5.example.com", "p256"), names = san("a.example.com");

    (void)state;
    REFUSED(CSR_FAULT_POP, .input = input);
    REFUSED(CSR_FAULT_POP, .input = input, .over_request = true);
    REFUSED(CSR_FAULT_POP, .subject = hex("3000"), .extensions = names, .input = input);
    ACCEPTED(.no_subject = true, .extensions = names, .input = input);
    assert_true(crmf.has_sk_input);
    assert_false(crmf.template.has_subject);
    assert_int_equal(crmf.requested.subject.count, 0);
    assert_true(bytes_equal(crmf.sk_input_sender, directory_name("CN=router5.example.com")));
    assert_true(bytes_equal(crmf.sk_input_key, keys_public(ring, "p256")));
    assert_null(crmf.sk_input_mac_algorithm.data);
    REFUSED(CSR_FAULT_NAME, .no_subject = true, .input = input); /* no name at all */
}

static void cmp_52_posk_input_is_what_is_signed_and_speaks_of_the_same_key(void **state)
{
    struct bytes names = san("a.example.com"), input = input_of("CN=router5.example.com", "p256");

    (void)state;
    REFUSED(CSR_FAULT_POP, .no_subject = true, .extensions = names, .input = input, .over_request = true);
    REFUSED(CSR_FAULT_POP, .no_subject = true, .extensions = names, .input = input, .signer = "other");
    REFUSED(CSR_FAULT_POP, .no_subject = true, .extensions = names,
            .input = input_of("CN=router5.example.com", "other"), .signer = "other");
    REFUSED(CSR_FAULT_POP, .no_subject = true, .extensions = names,
            .input = input_of("CN=router5.example.com", "other"));
}

static void cmp_52_the_mac_over_the_key_is_read(void **state)
{
    struct bytes names = san("a.example.com"), key = keys_public(ring, "p256"), mac;

    (void)state;
    mac = wrap(DER_SEQUENCE, hex("300b 06092a864886f67d07420d 030300c0de"));
    ACCEPTED(.no_subject = true, .extensions = names, .input = join(mac, key));
    assert_true(crmf.has_sk_input);
    assert_null(crmf.sk_input_sender.data);
    assert_true(bytes_equal(crmf.sk_input_mac_algorithm, hex("300b 06092a864886f67d07420d")));
    assert_true(bytes_equal(crmf.sk_input_mac, hex("c0de")));
    REFUSED(CSR_FAULT_SYNTAX, .no_subject = true, .extensions = names, .input = mac);
    REFUSED(CSR_FAULT_SYNTAX, .no_subject = true, .extensions = names, .input = key);
    REFUSED(CSR_FAULT_SYNTAX, .no_subject = true, .extensions = names, .input = join(join(mac, key), key));
    REFUSED(CSR_FAULT_SYNTAX, .no_subject = true, .extensions = names, .input = join(hex("a000"), key));
    REFUSED(CSR_FAULT_SYNTAX, .no_subject = true, .extensions = names,
            .input = join(wrap(DER_CONTEXT(0), join(dns("a"), dns("b"))), key));
}

static void cmp_53_ra_verified_is_left_to_who_knows_the_sender(void **state)
{
    (void)state;
    ACCEPTED(.pop = hex("8000"));
    assert_int_equal(crmf.pop, CRMF_POP_RA_VERIFIED);
    assert_int_equal(crmf.requested.key.kind, KEY_EC_P256);
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("800100"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a000"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a002 0500"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("8000 8000"));
}

static void cmp_55_other_proofs_are_known_and_not_looked_into(void **state)
{
    (void)state;
    ACCEPTED(.pop = hex("a203 810100")); /* subsequentMessage encrCert */
    assert_int_equal(crmf.pop, CRMF_POP_OTHER);
    ACCEPTED(.pop = hex("a303 810101"));
    assert_int_equal(crmf.pop, CRMF_POP_OTHER);
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a200"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a206 810100 810100"));
    REFUSED(CSR_FAULT_SYNTAX, .pop = hex("a403 810100"));
}

static void cmp_120_a_key_may_be_missing_without_a_proof(void **state)
{
    struct bytes empty = wrap(DER_SEQUENCE, hex("3013 06072a8648ce3d0201 06082a8648ce3d030107 030100"));

    (void)state;
    ACCEPTED(.no_pop = true);
    assert_int_equal(crmf.pop, CRMF_POP_ABSENT);
    ACCEPTED(.no_pop = true, .no_key = true);
    assert_false(crmf.template.has_key);
    assert_null(crmf.requested.key.spki.data);
    assert_int_equal(crmf.requested.key.kind, KEY_NONE);
    ACCEPTED(.no_pop = true, .spki = empty);
    assert_true(crmf.template.has_key);
    assert_true(crmf.template.key_is_empty);
    assert_true(bytes_equal(crmf.template.spki, empty));
    assert_null(crmf.requested.key.spki.data);
}

static void a_proof_that_was_judged_before_is_not_judged_again(void **state)
{
    struct crmf_rules rules = usual();

    (void)state;
    rules.ignore_pop = true;
    assert_int_equal(decode_under(A_REQUEST(.signer = "other"), rules), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_SIGNATURE);
    assert_int_equal(crmf.requested.key.kind, KEY_EC_P256);
    assert_int_equal(decode_under(A_REQUEST(.before = hex("810101")), rules), CSR_FAULT_PROFILE);
    rules.key.p256 = false;
    assert_int_equal(decode_under(A_REQUEST(.signer = "other"), rules), CSR_FAULT_KEY);
}

/* --- hostile octets --- */

/* Each octet is covered by the signature, or decides what is read. Copies are as long as what is decoded, for
 * AddressSanitizer. */
static void a_bent_or_cut_request_is_refused(void **state)
{
    struct bytes plain_one = A_REQUEST(.extensions = san("a.example.com"),
                                       .controls = attribute(REG_TOKEN, hex("0c0161")));
    struct bytes with_input = A_REQUEST(.no_subject = true, .extensions = san("a.example.com"),
                                        .input = input_of("CN=a", "p256"));

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct bytes der = kind == 0 ? plain_one : with_input;

        for (size_t i = 0; i < der.len; i++) {
            uint8_t *copy = malloc(der.len), *start = malloc(i + 1);

            memcpy(copy, der.data, der.len);
            memcpy(start, der.data, i);
            copy[i] ^= 0x01;
            assert_true(kind == 1 || decode(bytes_of(copy, der.len)) != CSR_OK);
            (void)decode(bytes_of(copy, der.len));
            assert_int_equal(decode(bytes_of(start, i)), CSR_FAULT_SYNTAX);
            free(copy);
            free(start);
        }
    }
}

static void every_allocation_may_fail(void **state)
{
    struct bytes der = A_REQUEST(.no_subject = true,
                                 .extensions = join(san("a.example.com"),
                                                    extension("551d0f", true, hex("03020780"))),
                                 .before = hex("800102"), .input = input_of("CN=a", "p256"));
    struct bytes with_subject = A_REQUEST(.subject = subject_with("550403", DER_BMP_STRING, hex("006100fc")));

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        for (unsigned n = 1;; n++) {
            enum csr_fault fault;

            arena_fail_after(arena, n);
            fault = decode(kind == 0 ? der : with_subject);
            if (fault == CSR_OK)
                break;
            assert_int_equal(fault, CSR_FAULT_INTERNAL);
            assert_true(n < 20);
        }
        arena_fail_after(arena, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cmp_45_all_parts_of_a_request_are_read),
        TEST(cmp_47_the_id_is_read_whatever_it_is),
        TEST(a_refusal_leaves_what_the_answer_needs),
        TEST(cmp_58_the_certificate_to_be_updated_is_named),
        TEST(other_controls_and_registration_info_are_skipped),
        TEST(bounds_and_encoding_are_strict),
        TEST(cmp_48_what_the_ca_decides_is_not_asked_for),
        TEST(cmp_49_a_subject_or_other_names_are_there),
        TEST(cmp_49_names_are_judged_as_in_a_pkcs10),
        TEST(cmp_49_extensions_are_judged_as_in_a_pkcs10),
        TEST(cmp_49_keys_are_judged_by_the_rules),
        TEST(cmp_50_every_kind_of_key_proves_itself),
        TEST(cmp_50_a_wrong_signature_proves_nothing),
        TEST(cmp_50_a_signature_without_a_key_proves_nothing),
        TEST(cmp_32_signature_algorithms_are_refused_by_name),
        TEST(sha1_needs_the_switch),
        TEST(an_rsa_algorithm_without_null_is_taken),
        TEST(cmp_51_posk_input_stands_where_subject_or_key_do_not),
        TEST(cmp_52_posk_input_is_what_is_signed_and_speaks_of_the_same_key),
        TEST(cmp_52_the_mac_over_the_key_is_read),
        TEST(cmp_53_ra_verified_is_left_to_who_knows_the_sender),
        TEST(cmp_55_other_proofs_are_known_and_not_looked_into),
        TEST(cmp_120_a_key_may_be_missing_without_a_proof),
        TEST(a_proof_that_was_judged_before_is_not_judged_again),
        TEST(a_bent_or_cut_request_is_refused),
        TEST(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
