/* CMP-92 to CMP-97: rr (RFC 9810 5.3.9, RFC 9483 4.2). */
#include "tests/conformance/cmp/cmp_case.h"

enum {
    UNSPECIFIED = 1,
    KEY_COMPROMISE = 2,
    HOLD = 7,
    UNUSED_REASON = 8,
    REMOVE_FROM_CRL = 9,
    AA_COMPROMISE = 11
};

/* The holder's own rr. */
static struct cmp_plan an_rr(const struct cmp_person *device)
{
    return (struct cmp_plan){ .body = CMP_RR,
                              .signer = device,
                              .revoke = { .certificate = device->certificate, .reason = KEY_COMPROMISE } };
}

static void assert_revoked(struct cmp_case *c, struct cmp_plan plan, enum revocation_reason reason)
{
    struct cmp_said said = cmp_ask(c, plan);
    struct certificate_record record;

    cmp_expect(c, &said, CMP_RP, CMP_ACCEPTED, 0);
    record = cmp_record(c, plan.revoke.certificate);
    assert_int_equal(record.status, CERTIFICATE_REVOKED);
    assert_int_equal(record.revocation_reason, reason);
}

static void cmp_92_the_holder_revokes_its_own_certificate(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);

    assert_revoked(c, an_rr(&device), REVOCATION_KEY_COMPROMISE);
    a_gateway_restart(c->g);
    assert_true(cmp_is_revoked(c, device.certificate));
}

static void cmp_92_without_a_reason_it_is_unspecified(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = an_rr(&device);

    plan.revoke.reason = 0; /* no crlEntryDetails at all: `openssl cmp` without -revreason */
    assert_revoked(c, plan, REVOCATION_UNSPECIFIED);
}

static void cmp_92_the_reason_is_kept(void **state)
{
    static const int reasons[] = { 0, 1, 2, 3, 4, 5, 6, 9, 10 };
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });

    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        struct cmp_plan enrollment = { .body = CMP_IR,
                                       .request.key = cmp_client_key("P-256", 10 + (unsigned)i) };
        const struct cmp_person device = cmp_enrolled_as(c, enrollment);
        struct cmp_plan plan = an_rr(&device);

        plan.signer = &ra;
        plan.revoke.reason = reasons[i] + 1;
        /* aACompromise is about attribute certificates: it says nothing of ours. */
        assert_revoked(c, plan,
                       (enum revocation_reason)(reasons[i] == 10 ? REVOCATION_UNSPECIFIED : reasons[i]));
    }
}

static void cmp_92_a_trusted_ra_revokes_any(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = an_rr(&device);

    plan.signer = &ra;
    plan.revoke.version = "\2";
    assert_revoked(c, plan, REVOCATION_KEY_COMPROMISE);
}

static void cmp_92_nobody_elses_certificate_revokes(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person other = cmp_enrolled_as(
        c, (struct cmp_plan){ .body = CMP_IR, .request.key = cmp_client_key("P-256", 2) });
    const struct cmp_person vendors = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person *const signers[] = { &other, &vendors };

    for (size_t i = 0; i < COUNT_OF(signers); i++) {
        struct cmp_plan plan = an_rr(&device);
        struct cmp_said said;

        plan.signer = signers[i];
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_RP, CMP_NOT_AUTHORIZED);
    }
    assert_false(cmp_is_revoked(c, device.certificate));
}

static void cmp_92_a_certificate_may_be_revoked_before_it_is_confirmed(void **state)
{
    const struct cmp_plan plan = { .body = CMP_IR };
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, plan), end;
    const struct cmp_person device = { .key = cmp_client_key("P-256", 0),
                                       .certificate = assert_granted(c, &said, CMP_IP) };

    assert_revoked(c, an_rr(&device), REVOCATION_KEY_COMPROMISE);
    end = cmp_ask(c, cmp_client_next(plan, &said, CMP_CERT_CONF));
    assert_error(c, &end, CMP_BAD_REQUEST);
    c->g->now_s += c->g->procedure.cmp_confirm_wait_s + 1;
    cmp_run_confirm_jobs(c);
    assert_int_equal(cmp_record(c, device.certificate).revocation_reason, REVOCATION_KEY_COMPROMISE);
}

static void cmp_93_issuer_and_serial_number_are_needed(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = an_rr(&device);
    struct cmp_said said;

    plan.revoke.no_issuer = true;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_ADD_INFO_NOT_AVAILABLE);
    plan.revoke.no_issuer = false;
    plan.revoke.no_serial = true;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_ADD_INFO_NOT_AVAILABLE);
}

static void cmp_94_certificates_that_are_not_ours_are_a_bad_cert_id(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person vendors = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    const X509 *const others[] = { vendors.certificate, c->ra, c->ca };
    struct cmp_plan plan = an_rr(&device);

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct cmp_said said;

        plan.revoke.certificate = others[i];
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_RP, CMP_BAD_CERT_ID);
    }
}

static void cmp_94_nor_is_one_of_another_domain(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = an_rr(&device);
    struct cmp_said said;

    c->g->domain.id = domain_id_of(BYTES_LITERAL("elsewhere"));
    plan.signer = &ra;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_BAD_CERT_ID);
    assert_false(cmp_is_revoked(c, device.certificate));
}

static void cmp_94_what_else_is_said_must_be_true(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = an_rr(&device);
    struct cmp_said said;

    plan.revoke.cn = "router6.example.com";
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_BAD_CERT_ID);
    plan.revoke.cn = NULL;
    plan.revoke.key = cmp_client_key("P-256", 1);
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_BAD_CERT_ID);
    assert_false(cmp_is_revoked(c, device.certificate));
    plan.revoke.cn = "router5.example.com";
    plan.revoke.key = device.key;
    assert_revoked(c, plan, REVOCATION_KEY_COMPROMISE);
}

static void cmp_95_a_revoked_certificate_is_cert_revoked(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = an_rr(&device);
    struct cmp_said said;

    plan.signer = &ra;
    assert_revoked(c, plan, REVOCATION_KEY_COMPROMISE);
    plan.revoke.reason = UNSPECIFIED;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_CERT_REVOKED);
    assert_int_equal(cmp_record(c, device.certificate).revocation_reason, REVOCATION_KEY_COMPROMISE);
    plan.signer = &device; /* CMP-38: it protects nothing any more */
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_CERT_REVOKED);
}

static void cmp_96_a_reason_that_is_none_is_a_bad_data_format(void **state)
{
    static const int reasons[] = { UNUSED_REASON, AA_COMPROMISE + 1, 100, 200 };
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = an_rr(&device);

    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        struct cmp_said said;

        plan.revoke.reason = reasons[i];
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_RP, CMP_BAD_DATA_FORMAT);
    }
    assert_false(cmp_is_revoked(c, device.certificate));
}

static void cmp_96_one_reason_for_one_certificate_of_version_3(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = an_rr(&device);
    struct cmp_said said;

    plan.revoke.second_reason = true;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_BAD_REQUEST);
    plan = an_rr(&device);
    plan.revoke.twice = true;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_BAD_REQUEST);
    plan = an_rr(&device);
    plan.revoke.version = "\1";
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_BAD_REQUEST);
    assert_false(cmp_is_revoked(c, device.certificate));
}

static void cmp_97_certificates_are_not_revived(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = an_rr(&device);
    struct cmp_said said;

    plan.signer = &ra;
    plan.revoke.reason = HOLD;
    assert_revoked(c, plan, REVOCATION_HOLD);
    plan.revoke.reason = REMOVE_FROM_CRL;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_RP, CMP_BAD_REQUEST);
    assert_true(cmp_is_revoked(c, device.certificate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_92_the_holder_revokes_its_own_certificate),
        CMP_ROW(cmp_92_without_a_reason_it_is_unspecified),
        CMP_ROW(cmp_92_the_reason_is_kept),
        CMP_ROW(cmp_92_a_trusted_ra_revokes_any),
        CMP_ROW(cmp_92_nobody_elses_certificate_revokes),
        CMP_ROW(cmp_92_a_certificate_may_be_revoked_before_it_is_confirmed),
        CMP_ROW(cmp_93_issuer_and_serial_number_are_needed),
        CMP_ROW(cmp_94_certificates_that_are_not_ours_are_a_bad_cert_id),
        CMP_ROW(cmp_94_nor_is_one_of_another_domain),
        CMP_ROW(cmp_94_what_else_is_said_must_be_true),
        CMP_ROW(cmp_95_a_revoked_certificate_is_cert_revoked),
        CMP_ROW(cmp_96_a_reason_that_is_none_is_a_bad_data_format),
        CMP_ROW(cmp_96_one_reason_for_one_certificate_of_version_3),
        CMP_ROW(cmp_97_certificates_are_not_revived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
