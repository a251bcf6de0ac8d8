/* CMP-30 to CMP-43: who protects a message, and how (RFC 9810 5.1.3, RFC 9481). CMP-131: hash algorithms. */
#include "lib/pki/password_mac.h"
#include "tests/conformance/cmp/cmp_case.h"

/* --- none, half, wrong --- */

static void cmp_30_a_message_without_protection_is_a_bad_message_check(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR, CMP_GENM };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_said said = cmp_ask(
            c, (struct cmp_plan){ .body = bodies[i], .protection.by = CMP_BY_NOTHING });

        assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    }
}

static void cmp_30_half_a_protection_is_none(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person *const signers[] = { NULL, &device };

    for (size_t i = 0; i < COUNT_OF(signers); i++) {
        struct cmp_said said = cmp_ask(
            c, (struct cmp_plan){ .body = CMP_GENM, .signer = signers[i], .protection.no_bits = true });

        assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
        said = cmp_ask(
            c, (struct cmp_plan){ .body = CMP_GENM, .signer = signers[i], .protection.no_algorithm = true });
        assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    }
}

static void cmp_30_a_follow_up_needs_protection_too(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR }, next;
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.protection.by = CMP_BY_NOTHING;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_MESSAGE_CHECK);
    next.body = CMP_ERROR;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_MESSAGE_CHECK);
    cmp_confirmed(c, plan, &said);
}

static void cmp_31_a_wrong_mac_or_signature_is_a_bad_message_check(void **state)
{
    static const enum cmp_protection_choice macs[] = { CMP_BY_PBM, CMP_BY_PBMAC1 };
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan kur = a_kur(&device);
    struct cmp_said said;

    for (size_t i = 0; i < COUNT_OF(macs); i++) {
        said = cmp_ask(c, (struct cmp_plan){ .protection = { .by = macs[i], .broken = true } });
        assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
        said = cmp_ask(c, (struct cmp_plan){ .protection = { .by = macs[i], .secret = "s3cre" } });
        assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    }
    kur.protection.broken = true;
    said = cmp_ask(c, kur);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
}

static void cmp_31_another_key_than_the_certificates_is_a_bad_message_check(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said;

    device.key = cmp_client_key("P-256", 4);
    said = cmp_ask(c, a_kur(&device));
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
}

/* --- algorithms --- */

static void cmp_32_unknown_and_old_algorithms_are_bad_alg(void **state)
{
    static const int nids[] = { NID_sha256, NID_dsa_with_SHA256, NID_md5WithRSAEncryption,
                                NID_sha1WithRSAEncryption, NID_ecdsa_with_SHA1 };
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan kur = a_kur(&device);

    for (size_t i = 0; i < COUNT_OF(nids); i++) {
        struct cmp_said said;

        kur.protection.algorithm = cmp_client_algorithm(c->arena, nids[i]);
        said = cmp_ask(c, kur);
        assert_error(c, &said, CMP_BAD_ALG);
    }
}

/* DHBasedMac 1.2.840.113533.7.66.30 and KemBasedMac .24: nobody signs, no certificate is sent. */
static void cmp_32_other_macs_are_bad_alg(void **state)
{
    static const char *const oids[] = { "1.2.840.113533.7.66.30", "1.2.840.113533.7.66.24" };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(oids); i++) {
        int nid = OBJ_txt2nid(oids[i]);
        struct cmp_said said;

        if (nid == NID_undef)
            nid = OBJ_create(oids[i], NULL, NULL);
        said = cmp_ask(c, (struct cmp_plan){ .protection.algorithm = cmp_client_algorithm(c->arena, nid) });
        assert_error(c, &said, CMP_BAD_ALG);
    }
}

static void cmp_32_131_signatures_with_md5_and_sha_1_are_bad_alg(void **state)
{
    static const char *const kinds[] = { "RSA", "P-256" }, *const digests[] = { "MD5", "SHA1" };
    struct cmp_case *c = *state;

    for (size_t k = 0; k < COUNT_OF(kinds); k++)
        for (size_t d = k; d < COUNT_OF(digests); d++) { /* ECDSA has none with MD5 */
            const struct cmp_person device = cmp_vendor_device(
                c, (struct cmp_certificate_plan){ .key = cmp_client_key(kinds[k], 3) });
            struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .signer = &device,
                                                                 .protection.digest = digests[d],
                                                                 .request.cn = "router6.example.com" });

            assert_error(c, &said, CMP_BAD_ALG);
        }
}

static void cmp_33_131_signatures_that_are_taken(void **state)
{
    static const struct {
        const char *kind, *digest;
        bool pss;
    } kinds[] = { { "RSA", "SHA256", false },   { "RSA", "SHA384", false },     { "RSA", "SHA512", false },
                  { "P-256", "SHA256", false }, { "P-384", "SHA384", false },   { "P-521", "SHA512", false },
                  { "RSA", "SHA256", true },    { "RSA-PSS", "SHA256", false }, { "ED25519", NULL, false },
                  { "ED448", NULL, false } };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct cmp_person device = cmp_vendor_device(
            c, (struct cmp_certificate_plan){ .key = cmp_client_key(kinds[i].kind, 3) });
        struct cmp_plan plan = { .signer = &device,
                                 .protection = { .digest = kinds[i].digest, .pss = kinds[i].pss },
                                 .request.cn = "router6.example.com" };
        struct cmp_said said = cmp_ask(c, plan);

        (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
        assert_false(said.by_mac);
        cmp_confirmed(c, plan, &said);
    }
}

static void cmp_33_macs_that_are_taken(void **state)
{
    static const struct cmp_protection_plan plans[] = {
        { .by = CMP_BY_PBM },
        { .by = CMP_BY_PBM, .mac = NID_hmac_sha1 }, /* what `openssl cmp` sends unasked */
        { .by = CMP_BY_PBM, .owf = NID_sha512, .mac = NID_hmacWithSHA512, .iterations = 10000 },
        { .by = CMP_BY_PBM, .iterations = 100 },
        { .by = CMP_BY_PBMAC1 },
        { .by = CMP_BY_PBMAC1, .iterations = 10000 },
        { .by = CMP_BY_PBMAC1, .key_len = -1 },
    };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct cmp_plan plan = { .protection = plans[i] };
        struct cmp_said said = cmp_ask(c, plan);

        (void)assert_granted(c, &said, CMP_IP);
        assert_true(said.by_mac);
        cmp_confirmed(c, plan, &said);
    }
}

static void cmp_33_sha_1_in_a_mac_needs_its_dialect(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_plan hmac = { .protection.mac = NID_hmac_sha1 },
                          owf = { .protection = { .mac = NID_hmac_sha1, .owf = NID_sha1 } };
    struct cmp_said said = cmp_ask(c, owf);

    assert_error(c, &said, CMP_BAD_ALG);
    c->g->procedure.dialect.cmp_hmac_sha1 = false;
    said = cmp_ask(c, hmac);
    assert_error(c, &said, CMP_BAD_ALG);
    c->g->procedure.dialect.cmp_sha1 = true;
    said = cmp_ask(c, owf);
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_34_too_few_and_too_many_rounds_are_bad_alg(void **state)
{
    static const struct cmp_protection_plan plans[] = {
        { .by = CMP_BY_PBM, .iterations = 99 },       { .by = CMP_BY_PBM, .iterations = 1 },
        { .by = CMP_BY_PBM, .iterations = 10001 },    { .by = CMP_BY_PBM, .iterations = 2000000000 },
        { .by = CMP_BY_PBMAC1, .iterations = 10001 }, { .by = CMP_BY_PBMAC1, .iterations = 2000000000 },
        { .by = CMP_BY_PBMAC1, .owf = NID_sha256 },   { .by = CMP_BY_PBMAC1, .mac = NID_sha256 },
        { .by = CMP_BY_PBMAC1, .key_len = 1000 },     { .by = CMP_BY_PBM, .mac = NID_hmac_md5 },
        { .by = CMP_BY_PBM, .owf = NID_md5 },
    };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .protection = plans[i] });

        assert_error(c, &said, CMP_BAD_ALG);
    }
}

static void cmp_34_a_procedure_sets_its_own_cap(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said;

    c->g->procedure.cmp_iterations_max = 20000;
    said = cmp_ask(c, (struct cmp_plan){ .protection.iterations = 20000 });
    (void)assert_granted(c, &said, CMP_IP);
    said = cmp_ask(c, (struct cmp_plan){ .protection.iterations = 20001 });
    assert_error(c, &said, CMP_BAD_ALG);
}

/* --- the kind that is needed --- */

static void cmp_35_what_acts_for_a_certificate_must_be_signed(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan kur = a_kur(NULL);
    struct cmp_said said;

    kur.request.old = device.certificate;
    said = cmp_ask(c, kur);
    assert_error(c, &said, CMP_WRONG_INTEGRITY);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_RR, .revoke.certificate = device.certificate });
    assert_error(c, &said, CMP_WRONG_INTEGRITY);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_NESTED,
                                         .nested = { cmp_message_of(c, (struct cmp_plan){ 0 }) },
                                         .nested_count = 1 });
    assert_error(c, &said, CMP_WRONG_INTEGRITY);
}

static void cmp_35_a_signing_dialect_takes_no_mac(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said;

    c->g->procedure.dialect.cmp_signature_only = true;
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_IR });
    assert_error(c, &said, CMP_WRONG_INTEGRITY);
}

/* --- the signer --- */

static void cmp_36_the_signers_certificate_stands_first(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan kur = a_kur(&device);
    struct cmp_said said;

    kur.no_signer_certificate = true;
    said = cmp_ask(c, kur);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    kur.extra[0] = c->ca;
    kur.extra[1] = device.certificate;
    kur.extra_count = 2;
    said = cmp_ask(c, kur);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
}

static void cmp_36_a_follow_up_may_leave_it_out(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted(c, &said, CMP_KUP);
    a_gateway_restart(c->g);
    plan.no_signer_certificate = true;
    cmp_confirmed(c, plan, &said);
}

static void cmp_36_a_chain_that_ends_too_early_is_not_trusted(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_certificate_plan middle = { .key = cmp_client_key("P-256", 9),
                                           .cn = "Plant CA",
                                           .key_usage = "keyCertSign" };
    struct cmp_person ca, device;
    struct cmp_plan plan = { .request.cn = "router6.example.com" };
    struct cmp_said said;

    (void)cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 }); /* the vendor is trusted */
    middle.issuer = &c->vendor_ca;
    middle.is_ca = true;
    ca = cmp_client_person(&middle);
    device = cmp_client_person(&(struct cmp_certificate_plan){ .issuer = &ca, .serial_number = "S1" });
    plan.signer = &device;
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_SIGNER_NOT_TRUSTED);
    plan.extra[0] = ca.certificate;
    plan.extra_count = 1;
    said = cmp_ask(c, plan);
    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
}

static void cmp_37_a_signer_of_a_stranger_is_not_trusted(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person stranger = cmp_client_person(
        &(struct cmp_certificate_plan){ .serial_number = "S1" });
    const struct cmp_person device = cmp_client_person(
        &(struct cmp_certificate_plan){ .issuer = &stranger, .serial_number = "S1" });
    const struct cmp_person *const signers[] = { &stranger, &device };

    (void)cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    for (size_t i = 0; i < COUNT_OF(signers); i++) {
        struct cmp_said said = cmp_ask(
            c, (struct cmp_plan){ .signer = signers[i], .request.cn = "router6.example.com" });

        assert_error(c, &said, CMP_SIGNER_NOT_TRUSTED);
    }
}

static void cmp_37_an_expired_signer_is_not_trusted(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person vendors = cmp_vendor_device(
        c, (struct cmp_certificate_plan){ .not_after_s = c->g->now_s - 1 });
    const struct cmp_person ours = cmp_enrolled(c);
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .signer = &vendors, .request.cn = "router6.example.com" });

    assert_error(c, &said, CMP_SIGNER_NOT_TRUSTED);
    c->g->now_s += (int64_t)366 * 86400;
    said = cmp_ask(c, a_kur(&ours));
    assert_error(c, &said, CMP_SIGNER_NOT_TRUSTED);
}

static void cmp_37_a_signer_may_sign(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(
                                c, (struct cmp_certificate_plan){ .key_usage = "keyAgreement" }),
                            silent = cmp_vendor_device(c, (struct cmp_certificate_plan){ .key_usage = "" });
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .signer = &device, .request.cn = "router6.example.com" });

    assert_error(c, &said, CMP_SIGNER_NOT_TRUSTED);
    said = cmp_ask(c, (struct cmp_plan){ .signer = &silent, .request.cn = "router6.example.com" });
    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
}

static void cmp_38_a_revoked_certificate_protects_nothing(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said;

    cmp_revoke(c, device.certificate);
    said = cmp_ask(c, a_kur(&device));
    assert_error(c, &said, CMP_CERT_REVOKED);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_GENM, .signer = &device });
    assert_error(c, &said, CMP_CERT_REVOKED);
}

static void cmp_38_nor_does_one_that_was_updated(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_plan kur = a_kur(&device);
    struct cmp_said said = cmp_ask(c, kur), other;

    (void)assert_granted(c, &said, CMP_KUP);
    cmp_confirmed(c, kur, &said);
    a_gateway_restart(c->g);
    other = cmp_ask(c, kur);
    assert_error(c, &other, CMP_CERT_REVOKED);
    other = cmp_ask(c, (struct cmp_plan){ .body = CMP_CR, .signer = &device });
    assert_error(c, &other, CMP_CERT_REVOKED);
}

static void cmp_39_an_authentic_sender_of_elsewhere_is_not_authorized(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said;

    c->g->domain.id = domain_id_of(BYTES_LITERAL("elsewhere"));
    said = cmp_ask(c, a_kur(&device));
    assert_rejected(c, &said, CMP_KUP, CMP_NOT_AUTHORIZED);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_CR, .signer = &device });
    assert_rejected(c, &said, CMP_CP, CMP_NOT_AUTHORIZED);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_GENM, .signer = &device });
    assert_error(c, &said, CMP_NOT_AUTHORIZED);
}

static void cmp_39_a_vendors_device_that_is_not_registered_is_not_authorized(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(
        c, (struct cmp_certificate_plan){ .serial_number = "S2" });
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .signer = &device, .request.cn = "router6.example.com" });

    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
}

/* --- follow-ups --- */

static void cmp_40_a_follow_up_is_protected_like_the_request(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR }, next;
    struct cmp_said said = cmp_ask(c, plan), other;
    struct cmp_person issued = { .key = cmp_client_key("P-256", 0) };

    issued.certificate = assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.protection.mac = NID_hmacWithSHA512;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_MESSAGE_CHECK);
    next.protection = (struct cmp_protection_plan){ .by = CMP_BY_PBMAC1 };
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_MESSAGE_CHECK);
    next.protection = (struct cmp_protection_plan){ .by = CMP_BY_SIGNATURE };
    next.signer = &issued; /* the new certificate */
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_WRONG_INTEGRITY);
    cmp_confirmed(c, plan, &said);
}

static void cmp_40_a_signed_transaction_goes_on_under_the_same_certificate(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person vendors = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = a_kur(&device), next;
    struct cmp_said said = cmp_ask(c, plan), other;
    struct cmp_person issued = { .key = cmp_client_key("P-256", 1) };

    issued.certificate = assert_granted(c, &said, CMP_KUP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.signer = &issued;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_MESSAGE_CHECK);
    next.signer = &vendors;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_MESSAGE_CHECK);
    next.signer = NULL;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_WRONG_INTEGRITY);
    cmp_confirmed(c, plan, &said);
}

static void cmp_40_another_registrations_secret_does_not_go_on(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR }, next;
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    (void)a_gateway_register(c->g, "router7.example.com", "s3cret", (struct registration){ 0 });
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.sender_kid = BYTES_LITERAL("router7.example.com");
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_MESSAGE_CHECK);
    cmp_confirmed(c, plan, &said);
}

/* --- what we answer with --- */

static void cmp_41_a_mac_is_answered_by_the_same_mac(void **state)
{
    static const struct cmp_protection_plan plans[] = { { .by = CMP_BY_PBM, .iterations = 700 },
                                                        { .by = CMP_BY_PBMAC1, .iterations = 700 } };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .protection = plans[i] });
        const struct password_mac_rules rules = { .iterations_max = 1000 };
        struct password_mac mac;

        (void)assert_granted(c, &said, CMP_IP);
        assert_true(said.by_mac);
        assert_int_equal(password_mac_decode(said.message.header.protection_alg, &rules, &mac),
                         PASSWORD_MAC_OK);
        assert_int_equal(mac.kind, i == 0 ? PASSWORD_MAC_PBM : PASSWORD_MAC_PBMAC1);
        assert_int_equal(mac.iterations, 700);
        assert_int_equal(mac.mac, DIGEST_SHA256);
        assert_text(said.message.header.sender_kid, "router5.example.com");
    }
}

static void cmp_41_a_signature_is_answered_by_the_ras_with_its_chain(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said = cmp_ask(c, a_kur(&device));

    (void)assert_granted(c, &said, CMP_KUP);
    assert_false(said.by_mac);
    assert_true(said.extra_count >= 1);
    assert_int_equal(X509_cmp(said.extra[0], c->ra), 0);
}

static void cmp_42_the_ra_is_delegated_by_the_ca(void **state)
{
    struct cmp_case *c = *state;
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(c->ra, NID_ext_key_usage, NULL, NULL);
    bool found = false;

    assert_int_equal(X509_verify(c->ra, X509_get0_pubkey(c->ca)), 1);
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
        found |= OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == NID_cmcRA;
    assert_true(found);
    assert_true((X509_get_key_usage(c->ra) & KU_DIGITAL_SIGNATURE) != 0);
    EXTENDED_KEY_USAGE_free(usages);
}

static void cmp_43_an_error_is_under_the_mac_when_the_secret_is_known(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .request.more = 1 });

    assert_error(c, &said, CMP_BAD_REQUEST);
    assert_true(said.by_mac);
    said = cmp_ask(c, (struct cmp_plan){ .protection.secret = "wrong" });
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    assert_false(said.by_mac);
    assert_int_equal(X509_cmp(said.extra[0], c->ra), 0);
    said = cmp_ask(c, (struct cmp_plan){ .protection.by = CMP_BY_NOTHING });
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    assert_false(said.by_mac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_30_a_message_without_protection_is_a_bad_message_check),
        CMP_ROW(cmp_30_half_a_protection_is_none),
        CMP_ROW(cmp_30_a_follow_up_needs_protection_too),
        CMP_ROW(cmp_31_a_wrong_mac_or_signature_is_a_bad_message_check),
        CMP_ROW(cmp_31_another_key_than_the_certificates_is_a_bad_message_check),
        CMP_ROW(cmp_32_unknown_and_old_algorithms_are_bad_alg),
        CMP_ROW(cmp_32_other_macs_are_bad_alg),
        CMP_ROW(cmp_32_131_signatures_with_md5_and_sha_1_are_bad_alg),
        CMP_ROW(cmp_33_131_signatures_that_are_taken),
        CMP_ROW(cmp_33_macs_that_are_taken),
        CMP_ROW(cmp_33_sha_1_in_a_mac_needs_its_dialect),
        CMP_ROW(cmp_34_too_few_and_too_many_rounds_are_bad_alg),
        CMP_ROW(cmp_34_a_procedure_sets_its_own_cap),
        CMP_ROW(cmp_35_what_acts_for_a_certificate_must_be_signed),
        CMP_ROW(cmp_35_a_signing_dialect_takes_no_mac),
        CMP_ROW(cmp_36_the_signers_certificate_stands_first),
        CMP_ROW(cmp_36_a_follow_up_may_leave_it_out),
        CMP_ROW(cmp_36_a_chain_that_ends_too_early_is_not_trusted),
        CMP_ROW(cmp_37_a_signer_of_a_stranger_is_not_trusted),
        CMP_ROW(cmp_37_an_expired_signer_is_not_trusted),
        CMP_ROW(cmp_37_a_signer_may_sign),
        CMP_ROW(cmp_38_a_revoked_certificate_protects_nothing),
        CMP_ROW(cmp_38_nor_does_one_that_was_updated),
        CMP_ROW(cmp_39_an_authentic_sender_of_elsewhere_is_not_authorized),
        CMP_ROW(cmp_39_a_vendors_device_that_is_not_registered_is_not_authorized),
        CMP_ROW(cmp_40_a_follow_up_is_protected_like_the_request),
        CMP_ROW(cmp_40_a_signed_transaction_goes_on_under_the_same_certificate),
        CMP_ROW(cmp_40_another_registrations_secret_does_not_go_on),
        CMP_ROW(cmp_41_a_mac_is_answered_by_the_same_mac),
        CMP_ROW(cmp_41_a_signature_is_answered_by_the_ras_with_its_chain),
        CMP_ROW(cmp_42_the_ra_is_delegated_by_the_ca),
        CMP_ROW(cmp_43_an_error_is_under_the_mac_when_the_secret_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
