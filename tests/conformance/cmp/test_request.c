/* CMP-45 to CMP-65: ir, cr, p10cr (RFC 9810 5.3.1 to 5.3.5); key updates are in test_update.c. CMP-122,
 * CMP-130 to CMP-132. */
#include "tests/conformance/cmp/cmp_case.h"

static struct cmp_plan an_ir(struct cmp_request_plan request)
{
    return (struct cmp_plan){ .body = CMP_IR, .request = request };
}

/* --- what is granted --- */

static void cmp_45_an_ir_under_a_secret(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .san = "DNS:router5.example.com" }));
    X509 *certificate = assert_granted(c, &said, CMP_IP);

    assert_int_equal(said.cert_req_id, 0);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), cmp_client_key("P-256", 0)), 1);
    assert_int_equal(X509_check_host(certificate, "router5.example.com", 0, 0, NULL), 1);
    assert_int_equal(said.extra_count, 1);
    assert_int_equal(X509_cmp(said.extra[0], c->ca), 0);
}

static void cmp_45_130_an_ir_under_a_vendors_certificate(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c,
                                                       (struct cmp_certificate_plan){ .cn = "Base station" });
    struct cmp_plan plan = { .signer = &device, .request.cn = "router6.example.com" };
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
    assert_int_equal(said.cert_req_id, 0);
    assert_int_equal(said.extra_count, 2);
    assert_int_equal(X509_cmp(said.extra[0], c->ra), 0);
    assert_int_equal(X509_cmp(said.extra[1], c->ca), 0);
    cmp_confirmed(c, plan, &said);
}

static void cmp_45_a_cr_under_the_certificate_that_was_issued(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = { .body = CMP_CR,
                             .signer = &device,
                             .request = { .key = cmp_client_key("P-256", 1),
                                          .san = "DNS:router5.example.com" } };
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted(c, &said, CMP_CP);
    cmp_confirmed(c, plan, &said);
}

/* --- the form --- */

static void cmp_46_one_request_a_message(void **state)
{
    static const uint8_t none[] = { DER_SEQUENCE, 0 };
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .more = 1 }));

    assert_error(c, &said, CMP_BAD_REQUEST);
    said = cmp_ask(c, (struct cmp_plan){ .content = BYTES_ARRAY(none) });
    assert_error(c, &said, CMP_BAD_DATA_FORMAT); /* SEQUENCE SIZE (1..MAX) */
}

static void cmp_47_cert_req_id_is_zero(void **state)
{
    static const int64_t ids[] = { 1, -1, 255 };
    struct cmp_case *c = *state;
    struct cmp_said said;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        said = cmp_ask(c, an_ir((struct cmp_request_plan){ .cert_req_id = ids[i] }));
        assert_rejected(c, &said, CMP_IP, CMP_BAD_REQUEST);
    }
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_CR, .request.cert_req_id = 1 });
    assert_rejected(c, &said, CMP_CP, CMP_BAD_REQUEST);
}

static void cmp_48_what_the_ca_decides_is_not_asked_for(void **state)
{
    static const uint8_t serial[] = { 0x81, 1, 5 }, uid[] = { 0x87, 2, 0, 5 },
                         subject_uid[] = { 0x88, 2, 0, 5 },
                         algorithm[] = { 0xa2, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };
    const struct cmp_request_plan requests[] = {
        { .version = "\1" },
        { .version = "\3" },
        { .before_issuer = BYTES_ARRAY(serial) },
        { .before_issuer = BYTES_ARRAY(algorithm) },
        { .after_key = BYTES_ARRAY(uid) },
        { .after_key = BYTES_ARRAY(subject_uid) },
    };
    struct cmp_case *c = *state;
    struct cmp_said said;

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        said = cmp_ask(c, an_ir(requests[i]));
        assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
    }
    said = cmp_ask(c, an_ir((struct cmp_request_plan){ .version = "\2" }));
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_49_names_that_are_missing_are_a_bad_cert_template(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .no_subject = true }));

    assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
    said = cmp_ask(c, an_ir((struct cmp_request_plan){ .cn = "" }));
    assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
    said = cmp_ask(c, an_ir((struct cmp_request_plan){ .cn = "", .san = "DNS:router5.example.com" }));
    (void)assert_granted_as(c, &said, CMP_IP, said.status);
}

static void cmp_49_keys_that_are_refused_are_a_bad_cert_template(void **state)
{
    static const char *const kinds[] = { "RSA-1024", "ED25519", "ED448" };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct cmp_said said = cmp_ask(
            c, an_ir((struct cmp_request_plan){ .key = cmp_client_key(kinds[i], 0) }));

        assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
    }
}

static void cmp_49_extensions_that_are_refused_are_a_bad_cert_template(void **state)
{
    /* basicConstraints, CA */
    static const uint8_t ca[] = { DER_SEQUENCE, 15, 6, 3, 0x55, 0x1d, 0x13, 1, 1, 0xff, 4, 5,
                                  DER_SEQUENCE, 3,  1, 1, 0xff };
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .extensions = BYTES_ARRAY(ca) }));

    assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
}

static void cmp_49_key_and_proof_of_another_kind_are_a_bad_pop(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c,
                                   an_ir((struct cmp_request_plan){ .pop_key = cmp_client_key("RSA", 0) }));

    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
}

/* --- proof of possession --- */

static void cmp_50_a_missing_or_wrong_proof_is_a_bad_pop(void **state)
{
    const struct cmp_request_plan requests[] = {
        { .pop = CMP_POP_NONE },
        { .broken_pop = true },
        { .pop_key = cmp_client_key("P-256", 1) },
    };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct cmp_said said = cmp_ask(c, an_ir(requests[i]));

        assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    }
}

static void cmp_51_signed_input_stands_where_the_template_says_too_little(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .sk_input = CMP_SK_SENDER }));

    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    said = cmp_ask(c,
                   an_ir((struct cmp_request_plan){ .no_subject = true, .san = "DNS:router5.example.com" }));
    assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE); /* no subject (CMP-49): told first */
}

static void cmp_52_signed_input_names_the_sender_and_the_key(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan good = an_ir((struct cmp_request_plan){
                        .no_subject = true, .san = "DNS:router6.example.com", .sk_input = CMP_SK_SENDER }),
                    bad;
    struct cmp_said said;

    AUTO_STRUCT(buffer) sender = BUFFER(1024);

    der_put(&sender, DER_CONTEXT(GENERAL_NAME_DIRECTORY),
            cmp_client_name(c->arena, X509_get_subject_name(device.certificate)));
    good.signer = &device;
    good.request.sk_sender = buffer_bytes(&sender);
    bad = good;
    bad.request.sk_sender = cmp_client_sender(c->arena, "router5.example.com");
    said = cmp_ask(c, bad);
    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    bad = good;
    bad.request.sk_key = cmp_client_key("P-256", 1);
    said = cmp_ask(c, bad);
    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    said = cmp_ask(c, good);
    (void)assert_granted_as(c, &said, CMP_IP, said.status);
}

/* Or what another device signed would prove that its key is mine. */
static void cmp_52_a_secret_makes_no_sender_authentic(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .no_subject = true,
                                                                       .san = "DNS:router5.example.com",
                                                                       .sk_input = CMP_SK_SENDER }));

    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
}

static void cmp_52_a_mac_over_the_key_is_under_the_shared_secret(void **state)
{
    struct cmp_request_plan request = {
        .no_subject = true, .san = "DNS:router5.example.com", .sk_input = CMP_SK_MAC, .sk_secret = "wrong"
    };
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir(request));

    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    request.sk_secret = NULL;
    said = cmp_ask(c, an_ir(request));
    (void)assert_granted_as(c, &said, CMP_IP, said.status);
}

static void cmp_52_a_signer_has_no_secret_to_make_a_mac_with(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){
               .body = CMP_CR,
               .signer = &device,
               .request = { .no_subject = true, .san = "DNS:router5.example.com", .sk_input = CMP_SK_MAC } });

    assert_rejected(c, &said, CMP_CP, CMP_BAD_POP);
}

static void cmp_53_ra_verified_is_an_ras_word(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person vendors = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person ours = cmp_enrolled(c);
    struct cmp_plan plan = an_ir((struct cmp_request_plan){ .pop = CMP_POP_RA_VERIFIED });
    struct cmp_said said = cmp_ask(c, plan);

    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
    plan.signer = &ours;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
    plan.signer = &vendors;
    plan.request.cn = "router6.example.com";
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
}

static void cmp_54_a_trusted_ra_may_give_it(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = { .signer = &ra,
                             .request = { .pop = CMP_POP_RA_VERIFIED, .san = "DNS:router5.example.com" } };
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted(c, &said, CMP_IP);
    cmp_confirmed(c, plan, &said);
    plan.body = CMP_CR;
    plan.request.key = cmp_client_key("P-256", 1);
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_CP);
}

static void cmp_54_for_registered_devices_alone(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .signer = &ra,
                              .request = { .pop = CMP_POP_RA_VERIFIED, .cn = "router9.example.com" } });

    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
}

static void cmp_54_and_never_for_a_key_update(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = a_kur(&ra);
    struct cmp_said said;

    plan.request.old = device.certificate;
    plan.request.pop = CMP_POP_RA_VERIFIED;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_KUP, CMP_NOT_AUTHORIZED);
}

static void cmp_13_55_encryption_and_agreement_are_no_proof_here(void **state)
{
    struct cmp_case *c = *state;

    for (uint64_t pvno = 2; pvno <= 3; pvno++) {
        struct cmp_plan plan = { .pvno = pvno };
        struct cmp_said said;

        plan.request.key = cmp_client_key("RSA", 0);
        plan.request.pop = CMP_POP_ENCIPHER;
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
        plan.request.key = NULL;
        plan.request.pop = CMP_POP_AGREE;
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    }
}

/* --- trust anchors --- */

static void cmp_56_108_anchors_are_given_to_those_who_know_us_by_a_secret(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .key = cmp_client_key("P-256", 1) }));

    (void)assert_granted(c, &said, CMP_IP);
    assert_int_equal(said.ca_pub_count, 0); /* unless the procedure wants it */
    c->g->procedure.cmp_ca_pubs = true;
    said = cmp_ask(c, an_ir((struct cmp_request_plan){ .key = cmp_client_key("P-256", 2) }));
    (void)assert_granted(c, &said, CMP_IP);
    assert_int_equal(said.ca_pub_count, 1);
    assert_int_equal(X509_cmp(said.ca_pub[0], c->ca), 0);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_CR, .request.key = cmp_client_key("P-256", 3) });
    (void)assert_granted(c, &said, CMP_CP);
    assert_int_equal(said.ca_pub_count, 0);
    said = cmp_ask(c, a_kur(&device));
    (void)assert_granted(c, &said, CMP_KUP);
    assert_int_equal(said.ca_pub_count, 0);
}

static void cmp_56_108_a_signed_ir_is_given_none(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_said said;

    c->g->procedure.cmp_ca_pubs = true;
    said = cmp_ask(c, (struct cmp_plan){ .signer = &device, .request.cn = "router6.example.com" });
    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
    assert_int_equal(said.ca_pub_count, 0);
}

static void cmp_57_a_cr_under_another_pkis_certificate_is_not_authorized(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .body = CMP_CR, .signer = &device, .request.cn = "router6.example.com" });

    assert_rejected(c, &said, CMP_CP, CMP_NOT_AUTHORIZED);
}

/* --- PKCS#10 --- */

static void cmp_61_a_pkcs10_is_answered_by_cp_with_minus_one(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_P10CR, .csr.san = "DNS:router5.example.com" };
    struct cmp_said said = cmp_ask(c, plan), other;
    struct cmp_plan next;

    (void)assert_granted(c, &said, CMP_CP);
    assert_int_equal(said.cert_req_id, -1);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.confirm.cert_req_id = 0;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_REQUEST);
    cmp_confirmed(c, plan, &said);
}

static void cmp_61_a_wrong_signature_is_a_bad_pop(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .body = CMP_P10CR, .csr.broken_signature = true });

    assert_rejected(c, &said, CMP_CP, CMP_BAD_POP);
    assert_int_equal(said.cert_req_id, -1);
}

static void cmp_61_another_version_is_a_bad_cert_template(void **state)
{
    static const uint8_t zero[] = { DER_INTEGER, 1, 0 };
    struct cmp_case *c = *state;
    struct bytes csr = scep_client_csr(c->arena, &(struct scep_csr_plan){ 0 });
    uint8_t *copy = arena_alloc(c->arena, csr.len), *version;
    struct cmp_said said;

    assert_non_null(copy);
    memcpy(copy, csr.data, csr.len);
    version = memmem(copy, csr.len, zero, sizeof(zero));
    assert_non_null(version);
    version[2] = 2;
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_P10CR, .content = bytes_of(copy, csr.len) });
    assert_rejected(c, &said, CMP_CP, CMP_BAD_CERT_TEMPLATE);
}

/* --- policy --- */

static void cmp_62_the_same_request_in_another_transaction_is_issued_again(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = an_ir((struct cmp_request_plan){ 0 });
    struct cmp_said first = cmp_ask(c, plan), second;
    struct cmp_message sent;

    assert_int_equal(cmp_message_decode(c->sent, &sent), CMP_DECODED_ALL);
    plan.content = sent.content; /* octet by octet */
    cmp_confirmed(c, plan, &first);
    second = cmp_ask(c, plan);
    assert_int_not_equal(X509_cmp(assert_granted(c, &first, CMP_IP), assert_granted(c, &second, CMP_IP)), 0);
}

static void cmp_63_what_was_changed_is_granted_with_mods(void **state)
{
    struct attribute organisation = { .kind = ATTRIBUTE_ORGANISATION, .value = BYTES_LITERAL("Example") };
    struct cmp_case *c = *state;
    struct cmp_said said;

    (void)a_gateway_register(c->g, "router7.example.com", "s3cret",
                             (struct registration){ .attribute = &organisation, .attribute_count = 1 });
    said = cmp_ask(c, (struct cmp_plan){ .sender_kid = BYTES_LITERAL("router7.example.com"),
                                         .request.cn = "router7.example.com" });
    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
}

static void cmp_64_a_wrong_secret_looks_like_nobodys(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said wrong = cmp_ask(c, (struct cmp_plan){ .protection.secret = "wrong" });
    struct cmp_said unknown = cmp_ask(c,
                                      (struct cmp_plan){ .sender_kid = BYTES_LITERAL("router9.example.com"),
                                                         .request.cn = "router9.example.com" });

    assert_error(c, &wrong, CMP_BAD_MESSAGE_CHECK);
    assert_error(c, &unknown, CMP_BAD_MESSAGE_CHECK);
    assert_bytes(wrong.message.content, unknown.message.content);
}

static void cmp_64_who_is_authentic_and_not_admitted_is_not_authorized(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, an_ir((struct cmp_request_plan){ .cn = "router9.example.com" }));

    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
    (void)a_gateway_register(c->g, "router7.example.com", "s3cret",
                             (struct registration){ .state = REGISTRATION_CLOSED });
    said = cmp_ask(c, (struct cmp_plan){ .sender_kid = BYTES_LITERAL("router7.example.com"),
                                         .request.cn = "router7.example.com" });
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
    (void)a_gateway_register(c->g, "router8.example.com", "s3cret",
                             (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_EST) });
    said = cmp_ask(c, (struct cmp_plan){ .sender_kid = BYTES_LITERAL("router8.example.com"),
                                         .request.cn = "router8.example.com" });
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
}

static void cmp_64_the_template_names_our_ca_or_none(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c,
                                   an_ir((struct cmp_request_plan){
                                       .issuer = cmp_client_name(c->arena, X509_get_subject_name(c->ra)) }));

    assert_rejected(c, &said, CMP_IP, CMP_WRONG_AUTHORITY);
    said = cmp_ask(c, an_ir((struct cmp_request_plan){
                          .issuer = cmp_client_name(c->arena, X509_get_subject_name(c->ca)) }));
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_65_other_bodies_are_bad_requests(void **state)
{
    static const enum cmp_body bodies[] = {
        CMP_KRR, CMP_CCR, CMP_IP,      CMP_CP,      CMP_KUP,  CMP_KRP,
        CMP_RP,  CMP_CCP, CMP_POPDECC, CMP_POPDECR, CMP_GENP, CMP_POLL_REP
    };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .body = bodies[i] });

        assert_error(c, &said, CMP_BAD_REQUEST);
    }
}

static void cmp_122_without_key_generation_a_key_must_be_there(void **state)
{
    const struct cmp_request_plan requests[] = { { .no_key = true, .pop = CMP_POP_NONE },
                                                 { .empty_key = true, .pop = CMP_POP_NONE } };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(requests); i++)
        for (uint64_t pvno = 2; pvno <= 3; pvno++) {
            struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .pvno = pvno, .request = requests[i] });

            assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_45_an_ir_under_a_secret),
        CMP_ROW(cmp_45_130_an_ir_under_a_vendors_certificate),
        CMP_ROW(cmp_45_a_cr_under_the_certificate_that_was_issued),
        CMP_ROW(cmp_46_one_request_a_message),
        CMP_ROW(cmp_47_cert_req_id_is_zero),
        CMP_ROW(cmp_48_what_the_ca_decides_is_not_asked_for),
        CMP_ROW(cmp_49_names_that_are_missing_are_a_bad_cert_template),
        CMP_ROW(cmp_49_keys_that_are_refused_are_a_bad_cert_template),
        CMP_ROW(cmp_49_extensions_that_are_refused_are_a_bad_cert_template),
        CMP_ROW(cmp_49_key_and_proof_of_another_kind_are_a_bad_pop),
        CMP_ROW(cmp_50_a_missing_or_wrong_proof_is_a_bad_pop),
        CMP_ROW(cmp_51_signed_input_stands_where_the_template_says_too_little),
        CMP_ROW(cmp_52_signed_input_names_the_sender_and_the_key),
        CMP_ROW(cmp_52_a_secret_makes_no_sender_authentic),
        CMP_ROW(cmp_52_a_mac_over_the_key_is_under_the_shared_secret),
        CMP_ROW(cmp_52_a_signer_has_no_secret_to_make_a_mac_with),
        CMP_ROW(cmp_53_ra_verified_is_an_ras_word),
        CMP_ROW(cmp_54_a_trusted_ra_may_give_it),
        CMP_ROW(cmp_54_for_registered_devices_alone),
        CMP_ROW(cmp_54_and_never_for_a_key_update),
        CMP_ROW(cmp_13_55_encryption_and_agreement_are_no_proof_here),
        CMP_ROW(cmp_56_108_anchors_are_given_to_those_who_know_us_by_a_secret),
        CMP_ROW(cmp_56_108_a_signed_ir_is_given_none),
        CMP_ROW(cmp_57_a_cr_under_another_pkis_certificate_is_not_authorized),
        CMP_ROW(cmp_61_a_pkcs10_is_answered_by_cp_with_minus_one),
        CMP_ROW(cmp_61_a_wrong_signature_is_a_bad_pop),
        CMP_ROW(cmp_61_another_version_is_a_bad_cert_template),
        CMP_ROW(cmp_62_the_same_request_in_another_transaction_is_issued_again),
        CMP_ROW(cmp_63_what_was_changed_is_granted_with_mods),
        CMP_ROW(cmp_64_a_wrong_secret_looks_like_nobodys),
        CMP_ROW(cmp_64_who_is_authentic_and_not_admitted_is_not_authorized),
        CMP_ROW(cmp_64_the_template_names_our_ca_or_none),
        CMP_ROW(cmp_65_other_bodies_are_bad_requests),
        CMP_ROW(cmp_122_without_key_generation_a_key_must_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
