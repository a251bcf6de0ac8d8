/* SCEP-90 to SCEP-97: CertRep. What a reply must be for every client is checked by scep_client_read(), too:
 * one signer, the RA; PrintableString and OCTET STRING attributes; messageType 3. */
#include "tests/conformance/scep/scep_case.h"

static const uint8_t NONCE[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static void scep_90_a_reply_echoes_transaction_and_nonce(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret", .nonce = NONCE };
    struct scep_said said;

    plan.transaction_id = "SSCEP transactionId +/=";
    said = scep_ask(c, plan);
    (void)assert_success(c, &said);
    assert_string_equal(said.transaction_id, plan.transaction_id);
    assert_int_equal(said.recipient_nonce_len, 16);
    assert_memory_equal(said.recipient_nonce, NONCE, 16);
    assert_int_equal(said.sender_nonce_len, 16);
    assert_memory_not_equal(said.sender_nonce, NONCE, 16);
}

static void scep_90_each_reply_has_a_nonce_of_its_own(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret", .nonce = NONCE };
    struct scep_said first = scep_ask(c, plan), second = scep_ask(c, plan);

    (void)assert_success(c, &second);
    assert_memory_not_equal(first.sender_nonce, second.sender_nonce, 16);
}

static void scep_90_a_failure_echoes_them_too(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said = scep_ask(
        c, (struct scep_plan){ .csr.password = "wrong", .nonce = NONCE, .transaction_id = "f1" });

    assert_failure(&said, BAD_REQUEST);
    assert_string_equal(said.transaction_id, "f1");
    assert_memory_equal(said.recipient_nonce, NONCE, 16);
    assert_int_equal(said.sender_nonce_len, 16);
}

static void scep_91_the_issued_certificate_is_the_leaf(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said = scep_ask(c, (struct scep_plan){ .csr.password = "s3cret" });

    (void)assert_success(c, &said);
    assert_int_equal(said.certificate_count, 1);
    c->g->procedure.dialect.scep_ca_in_reply = true;
    said = scep_ask(c, (struct scep_plan){ .csr.password = "s3cret" });
    (void)assert_success(c, &said);
    assert_int_equal(said.certificate_count, 2);
    assert_int_equal(X509_cmp(said.certificate[1], c->ca), 0);
}

/* RFC 8894 leaves the content out; certmonger takes only one that is there and empty, and so does everybody.
 */
static void scep_92_failure_and_pending_carry_an_empty_content(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said = scep_ask(c, (struct scep_plan){ .csr.password = "wrong" });

    assert_failure(&said, BAD_REQUEST);
    assert_true(said.has_content);
    assert_true(strlen(said.text) > 0);
    c->g->procedure.manual_approval = true;
    said = scep_ask(c, (struct scep_plan){ .csr.password = "s3cret", .transaction_id = "p1" });
    assert_pending(&said);
    assert_true(said.has_content);
}

static void scep_93_the_reply_is_for_the_signers_key(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.key = scep_client_key(1),
                              .signer = scep_enrolled(c, "t1"),
                              .signer_key = scep_client_key(0),
                              .message_type = "17",
                              .transaction_id = "t2" };
    struct scep_said said = scep_ask(c, plan); /* scep_client_read decrypts with the signer's key */

    (void)assert_success(c, &said);
}

static void scep_94_the_default_is_aes_128_and_sha_256(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said = scep_ask(c, (struct scep_plan){ .csr.password = "s3cret" });

    assert_int_equal(said.cipher, NID_aes_128_cbc);
    assert_int_equal(said.digest, NID_sha256);
}

static void scep_95_parsers_of_pkcs7_read_the_reply(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret" };
    struct http_response response = scep_post(c, scep_message(c, &plan));
    const unsigned char *p = response.body.data;
    PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)response.body.len);
    PKCS7_SIGNER_INFO *si;

    assert_non_null(p7);
    assert_true(p == response.body.data + response.body.len);
    assert_true(PKCS7_type_is_signed(p7));
    assert_int_equal(ASN1_INTEGER_get(p7->d.sign->version), 1);
    si = sk_PKCS7_SIGNER_INFO_value(p7->d.sign->signer_info, 0);
    assert_non_null(PKCS7_cert_from_signer_info(p7, si)); /* by issuer and serial, and embedded */
    assert_int_equal(OBJ_obj2nid(p7->d.sign->contents->type), NID_pkcs7_data);
    PKCS7_free(p7);
}

static void scep_96_the_ra_signs_what_get_ca_cert_lists(void **state)
{
    struct scep_case *c = *state;
    struct http_response listed = scep_get(c, "operation=GetCACert");
    struct scep_said said = scep_ask(c, (struct scep_plan){ .csr.password = "s3cret" });
    X509 *bag[4];

    (void)assert_success(c, &said); /* signed by c->ra, or scep_client_read would have failed */
    assert_int_equal(scep_client_bag(listed.body, bag, 4), 2);
    assert_int_equal(X509_cmp(bag[0], c->ra), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCEP_ROW(scep_90_a_reply_echoes_transaction_and_nonce),
        SCEP_ROW(scep_90_each_reply_has_a_nonce_of_its_own),
        SCEP_ROW(scep_90_a_failure_echoes_them_too),
        SCEP_ROW(scep_91_the_issued_certificate_is_the_leaf),
        SCEP_ROW(scep_92_failure_and_pending_carry_an_empty_content),
        SCEP_ROW(scep_93_the_reply_is_for_the_signers_key),
        SCEP_ROW(scep_94_the_default_is_aes_128_and_sha_256),
        SCEP_ROW(scep_95_parsers_of_pkcs7_read_the_reply),
        SCEP_ROW(scep_96_the_ra_signs_what_get_ca_cert_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
