/* SCEP-40 to SCEP-55: a pkiMessage is checked before anything is decided. */
#include "tests/conformance/scep/scep_case.h"

static struct scep_said ask(struct scep_case *c, struct scep_plan plan)
{
    if (plan.csr.password == NULL)
        plan.csr.password = "s3cret";
    return scep_ask(c, plan);
}

static void assert_refused(struct scep_case *c, struct scep_plan plan, int fail_info)
{
    struct scep_said said = ask(c, plan);

    assert_failure(&said, fail_info);
    assert_string_equal(c->facts.verdict, "refused");
}

static struct scep_said assert_issued(struct scep_case *c, struct scep_plan plan)
{
    struct scep_said said = ask(c, plan);

    (void)assert_success(c, &said);
    return said;
}

static void scep_40_other_content_types_are_bad_requests(void **state)
{
    assert_refused(*state, (struct scep_plan){ .content_type = NID_pkcs7_enveloped }, BAD_REQUEST);
}

static void scep_41_unknown_message_types_are_bad_requests(void **state)
{
    static const char *const types[] = { "", "0", "1", "3", "18", "23", "99", "019", "1 9", "PKCSReq" };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_refused(*state, (struct scep_plan){ .message_type = types[i] }, BAD_REQUEST);
}

static void scep_42_a_sender_nonce_has_16_octets(void **state)
{
    static const int lengths[] = { -1, 1, 15, 17, 32 };
    struct scep_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        assert_refused(c, (struct scep_plan){ .nonce_len = lengths[i] }, BAD_REQUEST);
}

static void scep_42_a_lenient_dialect_takes_what_comes(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said;

    c->g->procedure.dialect.scep_lenient_nonce = true;
    said = assert_issued(c, (struct scep_plan){ .nonce_len = -1 });
    assert_int_equal(said.recipient_nonce_len, -1);
    said = assert_issued(c, (struct scep_plan){ .nonce_len = 8 });
    assert_int_equal(said.recipient_nonce_len, 8);
}

static void scep_43_transaction_ids_of_other_string_types_come_back_printable(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said = assert_issued(
        c, (struct scep_plan){ .transaction_id = "utf8-1", .transaction_id_type = V_ASN1_UTF8STRING });

    assert_string_equal(said.transaction_id, "utf8-1"); /* the client reads PrintableString alone */
    said = assert_issued(
        c, (struct scep_plan){ .transaction_id = "ia5-1", .transaction_id_type = V_ASN1_IA5STRING });
    assert_string_equal(said.transaction_id, "ia5-1");
}

static void scep_43_odd_and_endless_transaction_ids_are_bad_requests(void **state)
{
    struct scep_case *c = *state;
    char longest[257];

    memset(longest, 'A', sizeof(longest) - 1);
    longest[256] = '\0';
    assert_refused(c, (struct scep_plan){ .transaction_id = longest }, BAD_REQUEST);
    assert_refused(c, (struct scep_plan){ .transaction_id = "a\x01z" }, BAD_REQUEST);
    assert_refused(c, (struct scep_plan){ .transaction_id = "a*z", .transaction_id_type = V_ASN1_UTF8STRING },
                   BAD_REQUEST);
}

static void scep_44_without_the_signers_certificate_nothing_can_be_checked(void **state)
{
    assert_refused(*state, (struct scep_plan){ .without_certificate = true }, BAD_MESSAGE_CHECK);
}

static void scep_45_a_wrong_signature_is_a_bad_message_check(void **state)
{
    assert_refused(*state, (struct scep_plan){ .broken_signature = true }, BAD_MESSAGE_CHECK);
}

static void scep_45_a_signature_by_another_key_is_a_bad_message_check(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret" };
    struct bytes message;
    uint8_t *altered;
    struct scep_said said;

    message = scep_message(c, &plan);
    altered = arena_alloc(c->arena, message.len);
    memcpy(altered, message.data, message.len);
    for (size_t i = 0; i + 16 < message.len; i++) /* the signed transactionID becomes another */
        if (memcmp(altered + i, "0123456789ABCDEF", 16) == 0)
            altered[i] = '1';
    said = scep_send(c, bytes_of(altered, message.len), &plan);
    assert_failure(&said, BAD_MESSAGE_CHECK);
}

static void scep_46_md5_is_refused_in_every_dialect(void **state)
{
    struct scep_case *c = *state;

    assert_refused(c, (struct scep_plan){ .digest = "MD5" }, BAD_ALG);
    c->g->procedure.dialect.scep_legacy = true;
    c->g->procedure.dialect.scep_des = true;
    assert_refused(c, (struct scep_plan){ .digest = "MD5" }, BAD_ALG);
}

static void scep_46_rc2_is_refused_in_every_dialect(void **state)
{
    struct scep_case *c = *state;

    assert_refused(c, (struct scep_plan){ .cipher = "RC2-40-CBC" }, BAD_ALG);
    c->g->procedure.dialect.scep_legacy = true;
    c->g->procedure.dialect.scep_des = true;
    assert_refused(c, (struct scep_plan){ .cipher = "RC2-40-CBC" }, BAD_ALG);
}

static void scep_46_single_des_needs_its_own_dialect(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said;

    assert_refused(c, (struct scep_plan){ .cipher = "DES-CBC" }, BAD_ALG);
    c->g->procedure.dialect.scep_legacy = true;
    assert_refused(c, (struct scep_plan){ .cipher = "DES-CBC" }, BAD_ALG);
    c->g->procedure.dialect.scep_des = true;
    said = assert_issued(c,
                         (struct scep_plan){ .cipher = "DES-CBC", .digest = "SHA1", .csr.digest = "SHA1" });
    assert_int_equal(said.cipher, NID_des_cbc);
    assert_int_equal(said.digest, NID_sha1);
    assert_string_equal(c->facts.weak, "single DES"); /* each use is a warning in the log */
    (void)assert_issued(c, (struct scep_plan){ .transaction_id = "another" });
    assert_null(c->facts.weak);
}

static void scep_47_sha_1_and_3des_need_the_legacy_dialect(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said;

    assert_refused(c, (struct scep_plan){ .cipher = "DES-EDE3-CBC" }, BAD_ALG);
    assert_refused(c, (struct scep_plan){ .digest = "SHA1" }, BAD_ALG);
    c->g->procedure.dialect.scep_legacy = true;
    said = assert_issued(c, (struct scep_plan){ .cipher = "DES-EDE3-CBC", .digest = "SHA1" });
    assert_int_equal(said.cipher, NID_des_ede3_cbc);
    assert_int_equal(said.digest, NID_sha1);
}

static void scep_48_unknown_algorithms_are_bad_alg(void **state)
{
    assert_refused(*state, (struct scep_plan){ .cipher = "CAMELLIA-128-CBC" }, BAD_ALG);
    assert_refused(*state, (struct scep_plan){ .digest = "RIPEMD-160" }, BAD_ALG);
}

static void scep_49_signing_time_is_checked_when_a_skew_is_set(void **state)
{
    struct scep_case *c = *state;
    int64_t now_s = c->g->now_s;

    (void)assert_issued(c, (struct scep_plan){ .signing_time_s = now_s - 86400 }); /* off by default */
    c->g->config.scep.skew_s = 600;
    assert_refused(c, (struct scep_plan){ .signing_time_s = now_s - 601 }, BAD_TIME);
    assert_refused(c, (struct scep_plan){ .signing_time_s = now_s + 601 }, BAD_TIME);
    (void)assert_issued(c, (struct scep_plan){ .signing_time_s = now_s - 599 });
}

static void scep_50_every_failure_to_decrypt_looks_the_same(void **state)
{
    struct scep_case *c = *state;
    X509 *stranger = scep_client_make_certificate(
        &(struct scep_certificate_plan){ .key = scep_client_key(1), .cn = "stranger" });
    X509 *impostor = scep_client_make_certificate(
        &(struct scep_certificate_plan){ .key = scep_client_key(1), .same_name = c->ra });
    struct scep_said no_recipient = ask(c, (struct scep_plan){ .recipient = stranger });
    struct scep_said transport = ask(c, (struct scep_plan){ .recipient = impostor });
    struct scep_said garbage = ask(
        c, (struct scep_plan){ .content = BYTES_LITERAL("no structure at all, but long enough") });

    assert_failure(&no_recipient, BAD_REQUEST);
    assert_failure(&transport, BAD_REQUEST);
    assert_failure(&garbage, BAD_REQUEST);
    assert_true(strlen(garbage.text) > 0);
    assert_string_equal(no_recipient.text, garbage.text);
    assert_string_equal(transport.text, garbage.text);
}

static void scep_51_a_request_in_clear_is_a_bad_request(void **state)
{
    assert_refused(*state, (struct scep_plan){ .clear = true }, BAD_REQUEST);
    assert_refused(*state, (struct scep_plan){ .without_content = true }, BAD_REQUEST);
}

static void scep_52_content_must_fit_the_message_type(void **state)
{
    static const uint8_t names[] = { 0x30, 4, 0x30, 0, 0x30, 0 };

    assert_refused(*state, (struct scep_plan){ .message_type = "20" }, BAD_REQUEST);
    assert_refused(*state, (struct scep_plan){ .message_type = "21" }, BAD_REQUEST);
    assert_refused(*state, (struct scep_plan){ .content = BYTES_ARRAY(names) }, BAD_REQUEST);
    assert_refused(*state, (struct scep_plan){ .message_type = "17", .content = BYTES_ARRAY(names) },
                   BAD_REQUEST);
}

static void scep_53_two_signers_are_a_bad_request(void **state)
{
    assert_refused(*state, (struct scep_plan){ .two_signers = true }, BAD_REQUEST);
}

static void scep_53_trailing_octets_are_a_bad_request(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret" };
    struct bytes message = scep_message(c, &plan);
    uint8_t *longer = arena_alloc(c->arena, message.len + 1);
    struct scep_said said;

    memcpy(longer, message.data, message.len);
    said = scep_send(c, bytes_of(longer, message.len + 1), &plan);
    assert_failure(&said, BAD_REQUEST);
}

static void scep_53_a_crowd_of_certificates_is_a_bad_request(void **state)
{
    assert_refused(*state, (struct scep_plan){ .more_certificates = 9 }, BAD_REQUEST);
    (void)assert_issued(*state, (struct scep_plan){ .more_certificates = 2 });
}

/* jscep and others stream: indefinite lengths and OCTET STRINGs in pieces. */
static void ber_is_read_outside_and_inside(void **state)
{
    (void)assert_issued(*state, (struct scep_plan){ .ber = true });
}

static void scep_55_longer_aes_keys_and_hashes_are_taken_and_mirrored(void **state)
{
    struct scep_said said = assert_issued(
        *state, (struct scep_plan){ .cipher = "AES-192-CBC", .digest = "SHA384", .transaction_id = "a" });

    assert_int_equal(said.cipher, NID_aes_192_cbc);
    assert_int_equal(said.digest, NID_sha384);
    said = assert_issued(
        *state, (struct scep_plan){ .cipher = "AES-256-CBC", .digest = "SHA512", .transaction_id = "b" });
    assert_int_equal(said.cipher, NID_aes_256_cbc);
    assert_int_equal(said.digest, NID_sha512);
}

static void scep_55_oaep_key_transport_is_taken(void **state)
{
    (void)assert_issued(*state, (struct scep_plan){ .oaep = true });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCEP_ROW(scep_40_other_content_types_are_bad_requests),
        SCEP_ROW(scep_41_unknown_message_types_are_bad_requests),
        SCEP_ROW(scep_42_a_sender_nonce_has_16_octets),
        SCEP_ROW(scep_42_a_lenient_dialect_takes_what_comes),
        SCEP_ROW(scep_43_transaction_ids_of_other_string_types_come_back_printable),
        SCEP_ROW(scep_43_odd_and_endless_transaction_ids_are_bad_requests),
        SCEP_ROW(scep_44_without_the_signers_certificate_nothing_can_be_checked),
        SCEP_ROW(scep_45_a_wrong_signature_is_a_bad_message_check),
        SCEP_ROW(scep_45_a_signature_by_another_key_is_a_bad_message_check),
        SCEP_ROW(scep_46_md5_is_refused_in_every_dialect),
        SCEP_ROW(scep_46_rc2_is_refused_in_every_dialect),
        SCEP_ROW(scep_46_single_des_needs_its_own_dialect),
        SCEP_ROW(scep_47_sha_1_and_3des_need_the_legacy_dialect),
        SCEP_ROW(scep_48_unknown_algorithms_are_bad_alg),
        SCEP_ROW(scep_49_signing_time_is_checked_when_a_skew_is_set),
        SCEP_ROW(scep_50_every_failure_to_decrypt_looks_the_same),
        SCEP_ROW(scep_51_a_request_in_clear_is_a_bad_request),
        SCEP_ROW(scep_52_content_must_fit_the_message_type),
        SCEP_ROW(scep_53_two_signers_are_a_bad_request),
        SCEP_ROW(scep_53_trailing_octets_are_a_bad_request),
        SCEP_ROW(scep_53_a_crowd_of_certificates_is_a_bad_request),
        SCEP_ROW(ber_is_read_outside_and_inside),
        SCEP_ROW(scep_55_longer_aes_keys_and_hashes_are_taken_and_mirrored),
        SCEP_ROW(scep_55_oaep_key_transport_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
