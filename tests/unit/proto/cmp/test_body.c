#include "tests/lib/test.h"
#include "tests/unit/proto/cmp/cmp_peer.h"

#define SHA256_ALGORITHM "300b0609608648016503040201"
#define ACCEPTED         "3003020100"

static struct bytes list_of(struct bytes item, size_t count)
{
    struct buffer out = BUFFER(1 << 16);

    for (size_t i = 0; i < count; i++)
        buffer_append(&out, item);
    return wrap(DER_SEQUENCE, kept(&out));
}

/* The whole message around a body, without protection: OpenSSL reads it, and would write the same. */
static void assert_openssl_takes(enum cmp_body body, struct bytes content)
{
    struct buffer header = BUFFER(1024), tagged = BUFFER(1 << 16), out = BUFFER(1 << 16);
    struct bytes header_der, body_der, der;
    OSSL_CMP_MSG *peer;

    cmp_header_put(&header, &(struct cmp_header){ .pvno = 2 });
    cmp_body_put(&tagged, body, content);
    header_der = kept(&header);
    body_der = kept(&tagged);
    cmp_message_put(&out, header_der, body_der, BYTES_NONE, NULL, 0);
    der = kept(&out);
    peer = peer_read(der);
    assert_int_equal(OSSL_CMP_MSG_get_bodytype(peer), body - 1);
    assert_bytes(peer_write(peer), der);
    OSSL_CMP_MSG_free(peer);
}

static bool reads(enum cmp_body body, struct bytes content)
{
    struct bytes element[CMP_ITEMS_MAX];
    struct cmp_cert_rep rep;
    struct cmp_cert_status status[CMP_ITEMS_MAX];
    struct cmp_status_info info[CMP_ITEMS_MAX];
    struct cmp_rev_details details[4];
    struct cmp_poll_rep polls[CMP_ITEMS_MAX];
    struct cmp_info general[CMP_INFO_MAX];
    int64_t ids[CMP_ITEMS_MAX];
    size_t count;

    switch (body) {
    case CMP_IR:
    case CMP_NESTED: return cmp_elements_decode(content, element, CMP_ITEMS_MAX, &count);
    case CMP_IP: return cmp_cert_rep_decode(content, arena, &rep);
    case CMP_CERT_CONF: return cmp_cert_conf_decode(content, status, CMP_ITEMS_MAX, &count);
    case CMP_POLL_REQ: return cmp_poll_req_decode(content, ids, CMP_ITEMS_MAX, &count);
    case CMP_POLL_REP: return cmp_poll_rep_decode(content, polls, CMP_ITEMS_MAX, &count);
    case CMP_RR: return cmp_rev_req_decode(content, arena, details, COUNT_OF(details), &count);
    case CMP_RP: return cmp_rev_rep_decode(content, info, CMP_ITEMS_MAX, &count);
    case CMP_GENM: return cmp_general_decode(content, general, CMP_INFO_MAX, &count);
    default: assert_int_equal(body, CMP_ERROR); return cmp_error_decode(content, info);
    }
}

/* Bodies with all their options, one of each kind that has a decoder. */
static const struct {
    enum cmp_body body;
    const char *content;
} samples[] = {
    { CMP_IR, "3004 3000 3000" },
    { CMP_IP, "303f a106 3004 3000 3000" /* caPubs */
              "3035"
              "3018 020100" ACCEPTED /* certificate, key, publicationInfo */
              "300e a002 3000 a004 a002 0500 a102 3000"
              "300f 0201ff 3007 020102 03020520 040101" /* a refusal and rspInfo */
              "3008 020101" ACCEPTED },
    { CMP_CERT_CONF, "301d 301b 0402abcd 020100" ACCEPTED "a00d" SHA256_ALGORITHM },
    { CMP_POLL_REQ, "300a 3003 020100 3003 0201ff" },
    { CMP_POLL_REP, "300d 300b 020100 02013c 3003 0c0161" },
    { CMP_RR, "3018 3016 3007 810101 a302 3000 300b 3009 0603551d15 0402 0a01" },
    { CMP_RP, "3016 3005" ACCEPTED "a007 3005 3003 020101 a104 3002 3000" },
    { CMP_GENM, "300f 3005 06012a 0500 3006 06042a030405" },
    { CMP_ERROR, "3011 3003 020102 020107 3007 0c0161 0c02c3a9" },
};

static struct bytes sample(enum cmp_body body)
{
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        if (samples[i].body == body)
            return hex(samples[i].content);
    fail_msg("no sample of %s", cmp_body_name(body));
    return BYTES_NONE;
}

/* Walks nested definite lengths: what is made by hand above is right in its lengths. */
static void samples_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        if (!reads(samples[i].body, hex(samples[i].content)))
            fail_msg("%s", cmp_body_name(samples[i].body));
}

static void a_body_that_is_cut_off_or_followed_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        struct bytes content = sample(samples[i].body);

        for (size_t len = 0; len < content.len; len++) {
            uint8_t *cut = test_malloc(len + 1);

            memcpy(cut, content.data, len);
            assert_false(reads(samples[i].body, bytes_of(cut, len)));
            test_free(cut);
        }
        assert_false(reads(samples[i].body, join(content, hex("00"))));
        assert_false(reads(samples[i].body, join(content, hex("0500"))));
        assert_false(reads(samples[i].body, wrap(DER_SET, bytes_from(content, 2))));
    }
}

static void one_element_too_many_inside_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        struct der in = der_of(sample(samples[i].body));
        struct bytes inside = der_value(&in, DER_SEQUENCE);

        assert_false(reads(samples[i].body, wrap(DER_SEQUENCE, join(inside, hex("0500")))));
    }
}

/* --- PKIStatusInfo --- */

static void a_status_reads_as_it_was_written_and_as_openssl_writes_it(void **state)
{
    static const uint32_t masks[] = { 0, CMP_BAD_ALG, CMP_BAD_POP, CMP_DUPLICATE_CERT_REQ,
                                      CMP_BAD_REQUEST | CMP_SIGNER_NOT_TRUSTED };

    (void)state;
    for (int status = CMP_ACCEPTED; status <= CMP_KEY_UPDATE_WARNING; status++) {
        for (size_t i = 0; i < COUNT_OF(masks); i++) {
            struct cmp_status_info in = { (enum cmp_status)status, masks[i], BYTES_LITERAL("na\xc3\xafve") };
            struct cmp_status_info out;
            struct buffer written = BUFFER(1024);
            OSSL_CMP_PKISI *peer = OSSL_CMP_STATUSINFO_new(status - 1, (int)masks[i], "na\xc3\xafve");
            unsigned char *der = NULL;
            int len = i2d_OSSL_CMP_PKISI(peer, &der);
            struct bytes own;

            cmp_status_info_put(&written, &in);
            own = kept(&written);
            assert_bytes(own, bytes_of(der, (size_t)len));
            assert_true(cmp_error_decode(wrap(DER_SEQUENCE, own), &out));
            assert_int_equal(out.status, in.status);
            assert_int_equal(out.fail_info, in.fail_info);
            assert_bytes(out.text, in.text);
            OPENSSL_free(der);
            OSSL_CMP_PKISI_free(peer);
        }
    }
}

static void bits_have_the_numbers_of_openssl(void **state)
{
    static const struct {
        uint32_t own;
        int peer;
    } rows[] = {
        { CMP_BAD_ALG, OSSL_CMP_PKIFAILUREINFO_badAlg },
        { CMP_BAD_MESSAGE_CHECK, OSSL_CMP_PKIFAILUREINFO_badMessageCheck },
        { CMP_BAD_REQUEST, OSSL_CMP_PKIFAILUREINFO_badRequest },
        { CMP_BAD_TIME, OSSL_CMP_PKIFAILUREINFO_badTime },
        { CMP_BAD_CERT_ID, OSSL_CMP_PKIFAILUREINFO_badCertId },
        { CMP_BAD_DATA_FORMAT, OSSL_CMP_PKIFAILUREINFO_badDataFormat },
        { CMP_WRONG_AUTHORITY, OSSL_CMP_PKIFAILUREINFO_wrongAuthority },
        { CMP_BAD_POP, OSSL_CMP_PKIFAILUREINFO_badPOP },
        { CMP_CERT_REVOKED, OSSL_CMP_PKIFAILUREINFO_certRevoked },
        { CMP_CERT_CONFIRMED, OSSL_CMP_PKIFAILUREINFO_certConfirmed },
        { CMP_WRONG_INTEGRITY, OSSL_CMP_PKIFAILUREINFO_wrongIntegrity },
        { CMP_BAD_RECIPIENT_NONCE, OSSL_CMP_PKIFAILUREINFO_badRecipientNonce },
        { CMP_ADD_INFO_NOT_AVAILABLE, OSSL_CMP_PKIFAILUREINFO_addInfoNotAvailable },
        { CMP_BAD_SENDER_NONCE, OSSL_CMP_PKIFAILUREINFO_badSenderNonce },
        { CMP_BAD_CERT_TEMPLATE, OSSL_CMP_PKIFAILUREINFO_badCertTemplate },
        { CMP_SIGNER_NOT_TRUSTED, OSSL_CMP_PKIFAILUREINFO_signerNotTrusted },
        { CMP_TRANSACTION_ID_IN_USE, OSSL_CMP_PKIFAILUREINFO_transactionIdInUse },
        { CMP_UNSUPPORTED_VERSION, OSSL_CMP_PKIFAILUREINFO_unsupportedVersion },
        { CMP_NOT_AUTHORIZED, OSSL_CMP_PKIFAILUREINFO_notAuthorized },
        { CMP_SYSTEM_UNAVAIL, OSSL_CMP_PKIFAILUREINFO_systemUnavail },
        { CMP_SYSTEM_FAILURE, OSSL_CMP_PKIFAILUREINFO_systemFailure },
        { CMP_DUPLICATE_CERT_REQ, OSSL_CMP_PKIFAILUREINFO_duplicateCertReq },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(rows[i].own, 1u << rows[i].peer);
}

static void a_status_that_is_unknown_is_none(void **state)
{
    static const char *const unknown[] = { "020107", "0201ff", "02020100", "0209008000000000000000" };
    struct cmp_status_info out = { CMP_ACCEPTED, 0, BYTES_NONE };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        assert_true(cmp_error_decode(wrap(DER_SEQUENCE, wrap(DER_SEQUENCE, hex(unknown[i]))), &out));
        assert_int_equal(out.status, CMP_STATUS_NONE);
    }
}

static void a_status_that_nobody_set_is_written_as_rejection(void **state)
{
    struct buffer out = BUFFER(64);

    (void)state;
    cmp_status_info_put(&out, &(struct cmp_status_info){ .status = CMP_STATUS_NONE });
    assert_bytes(kept(&out), hex("3003 020102"));
}

static void status_info_is_strict(void **state)
{
    static const struct {
        const char *inside;
        bool good;
    } rows[] = {
        { "020102", true },
        { "020102 3003 0c0161 0c0162", false }, /* length */
        { "020102 3006 0c0161 0c0162", true },
        { "020102 3000", false },
        { "020102 3003 130161", false },
        { "020102 3003 0c01e9", false },
        { "020102 030100", true },
        { "020102 03020520", true },
        { "020102 03020521", false }, /* unused bits are zero */
        { "020102 030208ff", false },
        { "020102 0305 00ffffffff", true },
        { "020102 0306 00ffffffff80", false },
        { "020102 03020520 3003 0c0161", false },
        { "0a0102", false },
        { "02020002", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(reads(CMP_ERROR, wrap(DER_SEQUENCE, wrap(DER_SEQUENCE, hex(rows[i].inside)))),
                         rows[i].good);
}

static void the_first_text_of_a_status_is_kept(void **state)
{
    struct cmp_status_info out;

    (void)state;
    assert_true(cmp_error_decode(hex("300d 300b 020102 3006 0c0161 0c0162"), &out));
    assert_text(out.text, "a");
    assert_true(cmp_error_decode(hex("3005 3003 020102"), &out));
    assert_null(out.text.data);
}

/* --- lists of requests and of messages --- */

static void requests_are_a_bounded_list(void **state)
{
    struct bytes element[3] = { BYTES_NONE };
    size_t count = 77;

    (void)state;
    assert_false(cmp_elements_decode(list_of(hex("3000"), 0), element, 3, &count));
    assert_false(cmp_elements_decode(list_of(hex("3000"), 4), element, 3, &count));
    assert_false(cmp_elements_decode(list_of(hex("3100"), 1), element, 3, &count));
    assert_int_equal(count, 77);
    assert_true(cmp_elements_decode(list_of(hex("3003020100"), 3), element, 3, &count));
    assert_int_equal(count, 3);
    assert_bytes(element[2], hex("3003020100"));
}

static void elements_are_written_as_they_are(void **state)
{
    const struct bytes in[] = { hex("3003020100"), hex("3000") };
    struct bytes out[2];
    struct buffer written = BUFFER(64);
    size_t count;

    (void)state;
    cmp_elements_put(&written, in, 2);
    assert_true(cmp_elements_decode(kept(&written), out, 2, &count));
    assert_int_equal(count, 2);
    assert_bytes(out[0], in[0]);
    assert_bytes(out[1], in[1]);
}

/* --- ip, cp, kup --- */

static struct bytes cert_rep(const struct cmp_cert_rep *rep)
{
    struct buffer out = BUFFER(1 << 16);

    cmp_cert_rep_put(&out, rep);
    return kept(&out);
}

static void assert_responses_equal(const struct cmp_cert_response *a, const struct cmp_cert_response *b)
{
    assert_int_equal(a->cert_req_id, b->cert_req_id);
    assert_int_equal(a->status.status, b->status.status);
    assert_int_equal(a->status.fail_info, b->status.fail_info);
    assert_bytes(a->status.text, b->status.text);
    assert_bytes(a->certificate, b->certificate);
    assert_bytes(a->encrypted_cert, b->encrypted_cert);
    assert_bytes(a->private_key, b->private_key);
}

static void a_response_reads_as_it_was_written(void **state)
{
    struct cmp_cert_rep in = {
        .ca_pub = { root_of("CN=Root", "p256"), root_of("CN=Root", "p384") },
        .ca_pub_count = 2,
        .response = {
            { .status = { CMP_ACCEPTED, 0, BYTES_NONE }, .certificate = root_of("CN=a", "p256") },
            { .cert_req_id = -1, .status = { CMP_REJECTION, CMP_BAD_POP, BYTES_LITERAL("no") } },
            { .cert_req_id = 1, .status = { CMP_WAITING, 0, BYTES_NONE } },
        },
        .response_count = 3,
    };
    struct cmp_cert_rep out;

    (void)state;
    assert_true(cmp_cert_rep_decode(cert_rep(&in), arena, &out));
    assert_int_equal(out.ca_pub_count, 2);
    assert_bytes(out.ca_pub[0], in.ca_pub[0]);
    assert_bytes(out.ca_pub[1], in.ca_pub[1]);
    assert_int_equal(out.response_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_responses_equal(&in.response[i], &out.response[i]);
    assert_openssl_takes(CMP_IP, cert_rep(&in));
    assert_openssl_takes(CMP_CP, cert_rep(&in));
    assert_openssl_takes(CMP_KUP, cert_rep(&in));
}

/* The choice [0] is implicit in CRMF, and stands inside the explicit [0] of CMP. */
static void a_private_key_is_enveloped_data_under_its_choice(void **state)
{
    struct cmp_cert_rep in = { .response_count = 1 }, out;
    struct cmp_cert_response *r = &in.response[0];

    (void)state;
    r->status.status = CMP_ACCEPTED;
    r->certificate = hex("3000");
    r->private_key = hex("3003 020102");
    assert_bytes(cert_rep(&in), hex("3019 3017 3015 020100" ACCEPTED "300b a002 3000 a005 a003 020102"));
    assert_true(cmp_cert_rep_decode(cert_rep(&in), arena, &out));
    assert_responses_equal(r, &out.response[0]);
}

static struct bytes pair(const char *inside)
{
    return wrap(DER_SEQUENCE, wrap(DER_SEQUENCE, wrap(DER_SEQUENCE, join(hex("020100" ACCEPTED),
                                                                         wrap(DER_SEQUENCE, hex(inside))))));
}

static void a_certified_key_pair_is_strict(void **state)
{
    static const struct {
        const char *inside;
        bool good;
    } rows[] = {
        { "a002 3000", true },
        { "a102 3000", true }, /* EncryptedValue */
        { "a102 a000", true }, /* EnvelopedData */
        { "a002 3000 a002 3000", true },
        { "a002 3000 a002 a000 a102 3000", true },
        { "a002 3000 a102 3000", true },
        { "a102 3000 a102 3000", true },
        { "", false },
        { "a002 a000", false }, /* another kind of certificate */
        { "a002 3100", false },
        { "a102 0500", false },
        { "a102 a100", false },
        { "a000", false },
        { "a004 3000 3000", false },
        { "3000", false },
        { "a002 3000 a000", false },
        { "a002 3000 a002 0500", false },
        { "a002 3000 a104 3000 3000", false },
        { "a002 3000 a102 3000 a002 3000", false }, /* order */
        { "a002 3000 a202 3000", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(reads(CMP_IP, pair(rows[i].inside)), rows[i].good);
}

static void an_encrypted_value_is_no_private_key(void **state)
{
    struct cmp_cert_rep out;

    (void)state;
    assert_true(cmp_cert_rep_decode(pair("a002 3000 a002 3000"), arena, &out));
    assert_null(out.response[0].private_key.data);
    assert_true(cmp_cert_rep_decode(pair("a102 a000 a002 a000"), arena, &out));
    assert_null(out.response[0].certificate.data);
    assert_bytes(out.response[0].encrypted_cert, hex("a000"));
    assert_bytes(out.response[0].private_key, hex("3000"));
}

static void a_full_arena_reads_no_private_key(void **state)
{
    AUTO_ARENA *tight = arena_new(1 << 12);
    struct cmp_cert_rep out = { .response_count = 7 };

    (void)state;
    arena_fail_after(tight, 1);
    assert_false(cmp_cert_rep_decode(pair("a002 3000 a002 a000"), tight, &out));
    assert_int_equal(out.response_count, 7);
}

static void responses_are_a_bounded_list(void **state)
{
    struct bytes response = hex("3008 020100" ACCEPTED), ca_pub = hex("3000");

    (void)state;
    assert_true(reads(CMP_IP, wrap(DER_SEQUENCE, list_of(response, 0))));
    assert_true(reads(CMP_IP, wrap(DER_SEQUENCE, list_of(response, CMP_ITEMS_MAX))));
    assert_false(reads(CMP_IP, wrap(DER_SEQUENCE, list_of(response, CMP_ITEMS_MAX + 1))));
    for (size_t count = 0; count <= CMP_ITEMS_MAX + 1; count++)
        assert_int_equal(reads(CMP_IP, wrap(DER_SEQUENCE, join(wrap(DER_CONTEXT(1), list_of(ca_pub, count)),
                                                               list_of(response, 1)))),
                         count >= 1 && count <= CMP_ITEMS_MAX);
}

static void cert_req_ids_are_numbers_of_either_sign(void **state)
{
    static const int64_t ids[] = { 0, -1, 1, 127, 128, -128, -129, 255, 256, INT64_MAX, INT64_MIN };
    static const char *const bad[] = { "0200", "02020001", "0202ff80", "0209008000000000000000", "0a0100" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct buffer written = BUFFER(64);
        struct bytes content;
        int64_t id;
        size_t count;

        cmp_poll_req_put(&written, ids[i]);
        content = kept(&written);
        assert_true(cmp_poll_req_decode(content, &id, 1, &count));
        assert_true(id == ids[i]);
        assert_openssl_takes(CMP_POLL_REQ, content);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(reads(CMP_POLL_REQ, wrap(DER_SEQUENCE, wrap(DER_SEQUENCE, hex(bad[i])))));
}

/* --- certConf --- */

static void a_confirmation_reads_as_it_was_written(void **state)
{
    const struct cmp_cert_status in[] = {
        { .cert_hash = hex("0011223344") },
        { .cert_hash = hex("55"),
          .cert_req_id = -1,
          .has_status = true,
          .status = { CMP_REJECTION, CMP_BAD_POP, BYTES_LITERAL("other key") } },
        { .cert_hash = hex("66"), .hash_alg = hex(SHA256_ALGORITHM) },
    };
    struct cmp_cert_status out[3];
    struct buffer written = BUFFER(1024);
    size_t count;

    (void)state;
    cmp_cert_conf_put(&written, in, 3);
    assert_true(cmp_cert_conf_decode(kept(&written), out, 3, &count));
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_bytes(out[i].cert_hash, in[i].cert_hash);
        assert_int_equal(out[i].cert_req_id, in[i].cert_req_id);
        assert_int_equal(out[i].has_status, in[i].has_status);
        assert_int_equal(out[i].status.status, in[i].status.status);
        assert_int_equal(out[i].status.fail_info, in[i].status.fail_info);
        assert_bytes(out[i].status.text, in[i].status.text);
        assert_bytes(out[i].hash_alg, in[i].hash_alg);
    }
    cmp_cert_conf_put(&written, in, 2); /* OpenSSL 3.0 knows no hashAlg */
    assert_openssl_takes(CMP_CERT_CONF, kept(&written));
}

static void an_empty_confirmation_is_well_formed(void **state)
{
    struct cmp_cert_status out;
    size_t count = 77;

    (void)state;
    assert_true(cmp_cert_conf_decode(hex("3000"), &out, 1, &count));
    assert_int_equal(count, 0);
}

static void a_confirmation_is_bounded_and_in_order(void **state)
{
    struct bytes one = hex("3006 0401aa 020100");
    struct cmp_cert_status out[2];
    size_t count = 77;

    (void)state;
    assert_false(cmp_cert_conf_decode(list_of(one, 3), out, 2, &count));
    assert_int_equal(count, 77);
    assert_true(cmp_cert_conf_decode(list_of(one, 2), out, 2, &count));
    assert_false(reads(CMP_CERT_CONF, list_of(hex("3003 0401aa"), 1)));
    assert_false(reads(CMP_CERT_CONF, list_of(hex("3003 020100"), 1)));
    assert_false(reads(CMP_CERT_CONF, list_of(hex("3006 020100 0401aa"), 1)));
    assert_false(reads(CMP_CERT_CONF, list_of(hex("300a 0401aa 020100 a002 0500"), 1)));
    assert_false(reads(CMP_CERT_CONF, list_of(hex("300f 0401aa 020100 a002 3000" ACCEPTED), 1)));
    assert_false(reads(CMP_CERT_CONF, list_of(hex("3008 0401aa 020100 3000"), 1)));
}

/* --- polling --- */

static void polling_reads_as_it_was_written(void **state)
{
    const struct cmp_poll_rep in = { .cert_req_id = -1, .check_after_s = 3600 };
    struct cmp_poll_rep out;
    struct buffer written = BUFFER(64);
    struct bytes content;
    size_t count;

    (void)state;
    cmp_poll_rep_put(&written, &in);
    content = kept(&written);
    assert_true(cmp_poll_rep_decode(content, &out, 1, &count));
    assert_int_equal(count, 1);
    assert_int_equal(out.cert_req_id, -1);
    assert_int_equal(out.check_after_s, 3600);
    assert_openssl_takes(CMP_POLL_REP, content);
}

static void polling_is_strict(void **state)
{
    (void)state;
    assert_true(reads(CMP_POLL_REQ, hex("3000")));
    assert_true(reads(CMP_POLL_REQ, list_of(hex("3003020100"), CMP_ITEMS_MAX)));
    assert_false(reads(CMP_POLL_REQ, list_of(hex("3003020100"), CMP_ITEMS_MAX + 1)));
    assert_true(reads(CMP_POLL_REP, list_of(hex("3006 020100 02013c"), CMP_ITEMS_MAX)));
    assert_false(reads(CMP_POLL_REP, list_of(hex("3006 020100 02013c"), CMP_ITEMS_MAX + 1)));
    assert_false(reads(CMP_POLL_REP, list_of(hex("3006 020100 0201ff"), 1))); /* a time that is over */
    assert_false(reads(CMP_POLL_REP, list_of(hex("3003 020100"), 1)));
    assert_false(reads(CMP_POLL_REP, list_of(hex("3008 020100 02013c 3000"), 1)));
}

/* --- rr, rp --- */

static void a_revocation_reads_as_it_was_written(void **state)
{
    struct certificate c = decoded(root_of("CN=Root", "p256"));
    struct buffer written = BUFFER(4096);
    struct cmp_rev_details out;
    struct bytes content;
    size_t count;

    (void)state;
    cmp_rev_req_put(&written, c.issuer.encoded, c.serial, 1);
    content = kept(&written);
    assert_true(cmp_rev_req_decode(content, arena, &out, 1, &count));
    assert_int_equal(count, 1);
    assert_true(out.details.has_issuer && out.details.has_serial && !out.details.has_key);
    assert_bytes(out.details.issuer, c.issuer.encoded);
    assert_bytes(out.details.serial, c.serial);
    assert_bytes(out.crl_entry_details, hex("300c 300a 0603551d15 0403 0a0101"));
    assert_openssl_takes(CMP_RR, content);

    cmp_rev_req_put(&written, c.issuer.encoded, c.serial, -1);
    content = kept(&written);
    assert_true(cmp_rev_req_decode(content, arena, &out, 1, &count));
    assert_null(out.crl_entry_details.data);
    assert_openssl_takes(CMP_RR, content);
}

static void a_revocation_may_lack_what_it_needs(void **state)
{
    struct cmp_rev_details out;
    struct buffer written = BUFFER(64);
    size_t count;

    (void)state;
    cmp_rev_req_put(&written, BYTES_NONE, BYTES_NONE, -1);
    assert_true(cmp_rev_req_decode(kept(&written), arena, &out, 1, &count));
    assert_false(out.details.has_issuer || out.details.has_serial);
}

static void revocations_are_strict(void **state)
{
    struct bytes one = wrap(DER_SEQUENCE, wrap(DER_SEQUENCE, hex("810101")));
    struct cmp_rev_details out[2];
    size_t count = 77;

    (void)state;
    assert_true(cmp_rev_req_decode(hex("3000"), arena, out, 2, &count));
    assert_int_equal(count, 0);
    assert_true(cmp_rev_req_decode(list_of(one, 2), arena, out, 2, &count));
    assert_int_equal(count, 2);
    assert_false(cmp_rev_req_decode(list_of(one, 3), arena, out, 2, &count));
    assert_int_equal(count, 2);
    assert_false(reads(CMP_RR, list_of(hex("3005 3003 020101"), 1))); /* no template */
    assert_false(reads(CMP_RR, list_of(hex("3004 3000 0500"), 1)));
    assert_false(reads(CMP_RR, list_of(hex("3006 3000 3000 3000"), 1)));
    assert_false(reads(CMP_RR, list_of(hex("3000"), 1)));
}

static void an_answer_to_a_revocation_reads_as_it_was_written(void **state)
{
    const struct cmp_status_info in = { CMP_REJECTION, CMP_BAD_CERT_ID, BYTES_LITERAL("unknown") };
    struct cmp_status_info out;
    struct buffer written = BUFFER(256);
    struct bytes content;
    size_t count;

    (void)state;
    cmp_rev_rep_put(&written, &in);
    content = kept(&written);
    assert_true(cmp_rev_rep_decode(content, &out, 1, &count));
    assert_int_equal(count, 1);
    assert_int_equal(out.status, CMP_REJECTION);
    assert_int_equal(out.fail_info, CMP_BAD_CERT_ID);
    assert_text(out.text, "unknown");
    assert_openssl_takes(CMP_RP, content);
}

static void answers_to_revocations_are_strict(void **state)
{
    struct bytes status = hex(ACCEPTED);

    (void)state;
    assert_false(reads(CMP_RP, wrap(DER_SEQUENCE, list_of(status, 0))));
    assert_true(reads(CMP_RP, wrap(DER_SEQUENCE, list_of(status, CMP_ITEMS_MAX))));
    assert_false(reads(CMP_RP, wrap(DER_SEQUENCE, list_of(status, CMP_ITEMS_MAX + 1))));
    for (unsigned n = 0; n < 2; n++) {
        struct bytes statuses = list_of(status, 1);

        for (size_t count = 0; count <= CMP_ITEMS_MAX + 1; count++) {
            struct bytes list = wrap(DER_CONTEXT(n), list_of(hex("3000"), count));

            assert_int_equal(reads(CMP_RP, wrap(DER_SEQUENCE, join(statuses, list))),
                             count >= 1 && count <= CMP_ITEMS_MAX);
        }
    }
    assert_false(reads(CMP_RP, hex("300f 3005" ACCEPTED "a102 3000 a002 3000")));
}

/* --- genm, genp, error --- */

static void general_messages_read_as_they_were_written(void **state)
{
    const struct cmp_info in[] = {
        { .oid = CMP_IT_CA_CERTS },
        { .oid = CMP_IT_UNSUPPORTED_OIDS, .value = hex("3005 06032a0304") },
    };
    struct cmp_info out[2];
    struct buffer written = BUFFER(256);
    struct bytes content;
    size_t count;

    (void)state;
    cmp_general_put(&written, in, 2);
    content = kept(&written);
    assert_true(cmp_general_decode(content, out, 2, &count));
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_bytes(out[i].oid, in[i].oid);
        assert_bytes(out[i].value, in[i].value);
    }
    assert_null(out[0].value.data);
    assert_false(cmp_general_decode(content, out, 1, &count));
    assert_openssl_takes(CMP_GENM, content);
    assert_openssl_takes(CMP_GENP, content);
    assert_true(reads(CMP_GENM, hex("3000")));
}

static void the_types_of_general_messages_are_those_of_the_standard(void **state)
{
    static const struct {
        const struct bytes *oid;
        const char *text;
    } rows[] = {
        { &CMP_IT_CA_PROT_ENC_CERT, "1.3.6.1.5.5.7.4.1" },
        { &CMP_IT_SIGN_KEY_PAIR_TYPES, "1.3.6.1.5.5.7.4.2" },
        { &CMP_IT_ENC_KEY_PAIR_TYPES, "1.3.6.1.5.5.7.4.3" },
        { &CMP_IT_PREFERRED_SYMM_ALG, "1.3.6.1.5.5.7.4.4" },
        { &CMP_IT_CA_KEY_UPDATE_INFO, "1.3.6.1.5.5.7.4.5" },
        { &CMP_IT_CURRENT_CRL, "1.3.6.1.5.5.7.4.6" },
        { &CMP_IT_UNSUPPORTED_OIDS, "1.3.6.1.5.5.7.4.7" },
        { &CMP_IT_IMPLICIT_CONFIRM, "1.3.6.1.5.5.7.4.13" },
        { &CMP_IT_CONFIRM_WAIT_TIME, "1.3.6.1.5.5.7.4.14" },
        { &CMP_IT_ORIG_PKI_MESSAGE, "1.3.6.1.5.5.7.4.15" },
        { &CMP_IT_SUPP_LANG_TAGS, "1.3.6.1.5.5.7.4.16" },
        { &CMP_IT_CA_CERTS, "1.3.6.1.5.5.7.4.17" },
        { &CMP_IT_ROOT_CA_KEY_UPDATE, "1.3.6.1.5.5.7.4.18" },
        { &CMP_IT_CERT_REQ_TEMPLATE, "1.3.6.1.5.5.7.4.19" },
        { &CMP_IT_ROOT_CA_CERT, "1.3.6.1.5.5.7.4.20" },
        { &CMP_IT_CERT_PROFILE, "1.3.6.1.5.5.7.4.21" },
        { &CMP_IT_CRL_STATUS_LIST, "1.3.6.1.5.5.7.4.22" },
        { &CMP_IT_CRLS, "1.3.6.1.5.5.7.4.23" },
        { &CMP_KP_CMC_CA, "1.3.6.1.5.5.7.3.27" },
        { &CMP_KP_CMC_RA, "1.3.6.1.5.5.7.3.28" },
        { &CMP_KP_CM_KGA, "1.3.6.1.5.5.7.3.32" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[64];

        assert_true(oid_format(*rows[i].oid, text, sizeof(text)));
        assert_string_equal(text, rows[i].text);
    }
}

static void an_error_reads_as_it_was_written(void **state)
{
    const struct cmp_status_info in = { CMP_REJECTION, CMP_BAD_DATA_FORMAT, BYTES_LITERAL("malformed") };
    struct cmp_status_info out;
    struct buffer written = BUFFER(256);
    struct bytes content;

    (void)state;
    cmp_error_put(&written, &in);
    content = kept(&written);
    assert_true(cmp_error_decode(content, &out));
    assert_int_equal(out.status, CMP_REJECTION);
    assert_int_equal(out.fail_info, CMP_BAD_DATA_FORMAT);
    assert_text(out.text, "malformed");
    assert_openssl_takes(CMP_ERROR, content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(samples_are_read),
        TEST(a_body_that_is_cut_off_or_followed_is_malformed),
        TEST(one_element_too_many_inside_is_malformed),
        TEST(a_status_reads_as_it_was_written_and_as_openssl_writes_it),
        TEST(bits_have_the_numbers_of_openssl),
        TEST(a_status_that_is_unknown_is_none),
        TEST(a_status_that_nobody_set_is_written_as_rejection),
        TEST(status_info_is_strict),
        TEST(the_first_text_of_a_status_is_kept),
        TEST(requests_are_a_bounded_list),
        TEST(elements_are_written_as_they_are),
        TEST(a_response_reads_as_it_was_written),
        TEST(a_private_key_is_enveloped_data_under_its_choice),
        TEST(a_certified_key_pair_is_strict),
        TEST(an_encrypted_value_is_no_private_key),
        TEST(a_full_arena_reads_no_private_key),
        TEST(responses_are_a_bounded_list),
        TEST(cert_req_ids_are_numbers_of_either_sign),
        TEST(a_confirmation_reads_as_it_was_written),
        TEST(an_empty_confirmation_is_well_formed),
        TEST(a_confirmation_is_bounded_and_in_order),
        TEST(polling_reads_as_it_was_written),
        TEST(polling_is_strict),
        TEST(a_revocation_reads_as_it_was_written),
        TEST(a_revocation_may_lack_what_it_needs),
        TEST(revocations_are_strict),
        TEST(an_answer_to_a_revocation_reads_as_it_was_written),
        TEST(answers_to_revocations_are_strict),
        TEST(general_messages_read_as_they_were_written),
        TEST(the_types_of_general_messages_are_those_of_the_standard),
        TEST(an_error_reads_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
