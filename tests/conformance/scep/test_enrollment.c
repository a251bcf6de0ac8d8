/* SCEP-60 to SCEP-80: PKCSReq and RenewalReq. */
#include "tests/conformance/scep/scep_case.h"

enum { DAY_S = 86400 };

static struct scep_said assert_refused(struct scep_case *c, struct scep_plan plan)
{
    struct scep_said said = scep_ask(c, plan);

    assert_failure(&said, BAD_REQUEST);
    assert_string_equal(c->facts.verdict, "refused");
    return said;
}

static X509 *assert_issued(struct scep_case *c, struct scep_plan plan)
{
    struct scep_said said = scep_ask(c, plan);

    return assert_success(c, &said);
}

static bool same(X509 *a, X509 *b)
{
    return X509_cmp(a, b) == 0;
}

/* --- first enrollment --- */

static void scep_60_a_registered_device_gets_a_certificate(void **state)
{
    struct scep_case *c = *state;
    X509 *x = scep_enrolled(c, "t1");

    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), scep_client_key(0)), 1);
    assert_int_equal(X509_check_host(x, "router5.example.com", 0, 0, NULL), 1);
    assert_string_equal(c->facts.verdict, "issued");
    assert_string_equal(c->facts.operation, "PKCSReq");
    assert_text(c->facts.transaction, "t1");
}

static void scep_60_66_a_one_time_registration_serves_once_and_repeats(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.cn = "once.example.com",
                              .csr.password = "pw-once",
                              .transaction_id = "o1" };
    struct scep_plan other = { .csr.cn = "once.example.com",
                               .csr.password = "pw-once",
                               .csr.key = scep_client_key(1),
                               .transaction_id = "o2" };
    X509 *first;

    (void)a_gateway_register(c->g, "once.example.com", "pw-once",
                             (struct registration){ .order = ORDER_SCEP, .one_time = true });
    first = assert_issued(c, plan);
    assert_true(same(first, assert_issued(c, plan)));
    (void)assert_refused(c, other);
    assert_string_equal(c->facts.reason, "used");
    a_gateway_restart(c->g);
    assert_true(same(first, assert_issued(c, plan)));
}

static void scep_61_a_request_without_subject_and_names_is_refused(void **state)
{
    (void)assert_refused(*state, (struct scep_plan){ .csr.cn = "", .csr.password = "s3cret" });
}

static void scep_62_the_signer_must_hold_the_key_that_is_certified(void **state)
{
    (void)assert_refused(*state, (struct scep_plan){ .csr.password = "s3cret",
                                                     .csr.key = scep_client_key(1),
                                                     .signer_key = scep_client_key(0) });
}

/* The log says what it was; on the wire it is one with garbage, so that a captured envelope tells nothing
 * (SCEP-50). */
static void scep_63_50_a_wrong_csr_signature_is_refused_like_garbage(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said = assert_refused(
        c, (struct scep_plan){ .csr = { .password = "s3cret", .broken_signature = true } });
    struct scep_said garbage;

    assert_string_equal(c->facts.reason, "pop");
    garbage = assert_refused(c, (struct scep_plan){ .content = BYTES_LITERAL("garbage") });
    assert_string_equal(said.text, garbage.text);
}

static void scep_64_a_self_signed_certificate_proves_nothing(void **state)
{
    (void)assert_refused(*state, (struct scep_plan){ .csr.password = NULL });
    (void)assert_refused(*state, (struct scep_plan){ .csr.password = "" });
}

static void scep_65_a_wrong_password_looks_like_an_unknown_device(void **state)
{
    struct scep_case *c = *state;
    struct scep_said wrong = assert_refused(c, (struct scep_plan){ .csr.password = "wrong" });
    struct scep_said unknown;

    assert_string_equal(c->facts.reason, "secret");
    unknown = assert_refused(c,
                             (struct scep_plan){ .csr.password = "s3cret", .csr.cn = "nobody.example.com" });
    assert_string_equal(c->facts.reason, "no_registration");
    assert_string_equal(wrong.text, unknown.text);
}

static void scep_67_an_expired_registration_is_refused(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.cn = "short.example.com", .csr.password = "pw-short" };

    (void)a_gateway_register(c->g, "short.example.com", "pw-short",
                             (struct registration){ .order = ORDER_SCEP, .valid_days = 1 });
    c->g->now_s += 2 * DAY_S;
    (void)assert_refused(c, plan);
    assert_string_equal(c->facts.reason, "expired");
}

static void scep_68_every_string_type_carries_a_password(void **state)
{
    static const int types[] = { V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING, V_ASN1_T61STRING,
                                 V_ASN1_IA5STRING };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        (void)assert_issued(*state,
                            (struct scep_plan){ .csr.password = "s3cret", .csr.password_type = types[i] });
}

static void a_registration_for_another_protocol_does_not_open_scep(void **state)
{
    struct scep_case *c = *state;

    (void)a_gateway_register(
        c->g, "est.example.com", "pw-est",
        (struct registration){ .order = ORDER_EST, .protocols = PROTOCOL_BIT(PROTOCOL_EST) });
    (void)assert_refused(c, (struct scep_plan){ .csr.cn = "est.example.com", .csr.password = "pw-est" });
    assert_string_equal(c->facts.reason, "protocol");
}

/* --- renewal --- */

/* Key 1 asks, the certificate over key 0 signs. */
static struct scep_plan renewal(X509 *old, const char *type)
{
    return (struct scep_plan){ .csr.key = scep_client_key(1),
                               .signer = old,
                               .signer_key = scep_client_key(0),
                               .message_type = type,
                               .transaction_id = "renewal-1" };
}

static void scep_69_a_certificate_of_ours_renews_without_a_password(void **state)
{
    struct scep_case *c = *state;
    X509 *old = scep_enrolled(c, "t1"), *new = assert_issued(c, renewal(old, "17"));

    assert_false(same(old, new));
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(new), scep_client_key(1)), 1);
}

static void scep_69_the_same_key_may_renew(void **state)
{
    struct scep_case *c = *state;
    X509 *old = scep_enrolled(c, "t1");
    struct scep_plan plan = renewal(old, "17");

    plan.csr.key = scep_client_key(0);
    assert_false(same(old, assert_issued(c, plan)));
}

static void scep_70_a_password_in_a_renewal_is_ignored(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = renewal(scep_enrolled(c, "t1"), "17");

    plan.csr.password = "wrong";
    (void)assert_issued(c, plan);
}

static void scep_71_a_certificate_of_another_ca_does_not_renew(void **state)
{
    struct scep_case *c = *state;
    X509 *ca = scep_client_make_certificate(
        &(struct scep_certificate_plan){ .key = scep_client_key(2), .cn = "Another CA" });
    X509 *foreign = scep_client_make_certificate(
        &(struct scep_certificate_plan){ .key = scep_client_key(0),
                                         .cn = "router5.example.com",
                                         .issuer = ca,
                                         .issuer_key = scep_client_key(2) });

    (void)assert_refused(c, renewal(foreign, "17"));
}

static void scep_71_an_impostor_of_our_certificate_does_not_renew(void **state)
{
    struct scep_case *c = *state;
    X509 *impostor = scep_client_make_certificate(&(struct scep_certificate_plan){
        .key = scep_client_key(2), .cn = "router5.example.com", .same_name = scep_enrolled(c, "t1") });
    struct scep_plan plan = renewal(impostor, "17");

    plan.signer_key = scep_client_key(2);
    (void)assert_refused(c, plan);
}

static void scep_72_a_self_signed_signer_does_not_renew(void **state)
{
    (void)assert_refused(*state, (struct scep_plan){ .csr.password = "s3cret", .message_type = "17" });
    assert_string_equal(((struct scep_case *)*state)->facts.reason, "renew_state");
}

static void scep_72_an_expired_certificate_does_not_renew(void **state)
{
    struct scep_case *c = *state;
    X509 *old = scep_enrolled(c, "t1");

    c->g->now_s += 366 * DAY_S;
    (void)assert_refused(c, renewal(old, "17"));
}

static void scep_72_a_grace_lets_an_expired_certificate_renew(void **state)
{
    struct scep_case *c = *state;
    X509 *old = scep_enrolled(c, "t1");

    c->g->procedure.renewal_grace_s = 10 * DAY_S;
    c->g->now_s += 366 * DAY_S;
    (void)assert_issued(c, renewal(old, "17"));
}

static void scep_72_a_revoked_certificate_does_not_renew(void **state)
{
    struct scep_case *c = *state;
    X509 *old = scep_enrolled(c, "t1");

    scep_revoke(c, old);
    (void)assert_refused(c, renewal(old, "17"));
    (void)assert_refused(c, renewal(old, "19"));
}

static void scep_73_other_names_do_not_renew(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = renewal(scep_enrolled(c, "t1"), "17");

    (void)a_gateway_register(c->g, "router6.example.com", "s3cret",
                             (struct registration){ .order = ORDER_SCEP });
    plan.csr.cn = "router6.example.com";
    (void)assert_refused(c, plan);
}

static void scep_74_a_pkcsreq_signed_by_our_certificate_is_a_renewal(void **state)
{
    struct scep_case *c = *state;

    (void)assert_issued(c, renewal(scep_enrolled(c, "t1"), "19"));
}

static void scep_74_no_renewal_when_it_is_off(void **state)
{
    struct scep_case *c = *state;
    X509 *old = scep_enrolled(c, "t1");

    c->g->procedure.renewal = false;
    (void)assert_refused(c, renewal(old, "17"));
    (void)assert_refused(c, renewal(old, "19"));
}

static void csr_102_a_closed_registration_stops_renewal(void **state)
{
    struct scep_case *c = *state;
    struct registration r = a_gateway_register(c->g, "closing.example.com", "pw-closing",
                                               (struct registration){ .order = ORDER_SCEP });
    struct scep_plan first = { .csr.cn = "closing.example.com", .csr.password = "pw-closing" };
    struct scep_plan again = renewal(assert_issued(c, first), "17");
    struct changes changes;

    r.state = REGISTRATION_CLOSED;
    r.revision = 2;
    changes_begin(&changes, c->arena);
    change_registration_put(&changes, &r, 1);
    a_gateway_apply(c->g, &changes);
    again.csr.cn = "closing.example.com";
    (void)assert_refused(c, again);
}

/* --- repetition --- */

static void scep_75_the_same_transaction_gets_the_same_certificate(void **state)
{
    struct scep_case *c = *state;
    X509 *first = scep_enrolled(c, "t1");

    assert_true(same(first, scep_enrolled(c, "t1")));
    a_gateway_restart(c->g);
    assert_true(same(first, scep_enrolled(c, "t1")));
}

static void scep_75_a_renewal_may_come_under_the_old_transaction_id(void **state)
{
    struct scep_case *c = *state;
    X509 *old = scep_enrolled(c, "t1"), *new;
    struct scep_plan plan = renewal(old, "19"); /* certmonger keeps key and transactionID */

    plan.transaction_id = "t1";
    plan.csr.key = scep_client_key(0);
    new = assert_issued(c, plan);
    assert_false(same(old, new));
    assert_true(same(new, assert_issued(c, plan)));
}

static void scep_76_another_key_under_the_same_transaction_is_refused(void **state)
{
    struct scep_case *c = *state;
    X509 *first = scep_enrolled(c, "t1");

    (void)assert_refused(c, (struct scep_plan){ .csr.password = "s3cret",
                                                .csr.key = scep_client_key(1),
                                                .transaction_id = "t1" });
    assert_string_equal(c->facts.reason, "conflict");
    assert_true(same(first, scep_enrolled(c, "t1")));
}

static void scep_77_a_new_transaction_issues_anew(void **state)
{
    struct scep_case *c = *state;
    X509 *first = scep_enrolled(c, "t1");

    assert_false(same(first, scep_enrolled(c, "t2")));
}

static void scep_78_manual_approval_is_pending(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret", .transaction_id = "m1" };
    struct scep_said said;

    c->g->procedure.manual_approval = true;
    said = scep_ask(c, plan);
    assert_pending(&said);
    said = scep_ask(c, plan); /* scepclient sends the same PKCSReq again */
    assert_pending(&said);
    scep_decide(c, true);
    (void)assert_issued(c, plan);
}

static void scep_79_weak_keys_and_foreign_names_are_refused(void **state)
{
    struct scep_case *c = *state;

    (void)assert_refused(
        c, (struct scep_plan){ .csr.password = "s3cret", .csr.san = "DNS:router6.example.com" });
    (void)assert_refused(c, (struct scep_plan){ .csr.password = "s3cret", .csr.san = "email:a@example.com" });
    c->g->profile.keys.rsa_bits_min = 3072;
    (void)assert_refused(c, (struct scep_plan){ .csr.password = "s3cret" });
    assert_string_equal(c->facts.reason, "key");
}

static void csr_96_a_star_that_a_requester_types_is_no_pattern(void **state)
{
    struct scep_case *c = *state;

    (void)a_gateway_register(c->g, "*.dept.example.com", "pw-dept",
                             (struct registration){ .order = ORDER_SCEP });
    (void)assert_refused(c, (struct scep_plan){ .csr.cn = "*.dept.example.com", .csr.password = "pw-dept" });
    (void)assert_issued(c, (struct scep_plan){ .csr.cn = "a.dept.example.com", .csr.password = "pw-dept" });
}

/* --- keys that cannot decrypt --- */

static void scep_80_an_ec_key_gets_its_reply_under_the_password(void **state)
{
    struct scep_case *c = *state;
    X509 *x = assert_issued(c,
                            (struct scep_plan){ .csr.password = "s3cret", .csr.key = scep_client_ec_key() });

    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), scep_client_ec_key()), 1);
}

static void scep_80_without_a_password_nothing_is_issued_to_an_ec_key(void **state)
{
    struct scep_case *c = *state;
    struct scep_said said = assert_refused(c, (struct scep_plan){ .csr.key = scep_client_ec_key() });

    assert_non_null(strstr(said.text, "cannot be encrypted"));
    assert_string_equal(c->facts.reason, "scep_recipient");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCEP_ROW(scep_60_a_registered_device_gets_a_certificate),
        SCEP_ROW(scep_60_66_a_one_time_registration_serves_once_and_repeats),
        SCEP_ROW(scep_61_a_request_without_subject_and_names_is_refused),
        SCEP_ROW(scep_62_the_signer_must_hold_the_key_that_is_certified),
        SCEP_ROW(scep_63_50_a_wrong_csr_signature_is_refused_like_garbage),
        SCEP_ROW(scep_64_a_self_signed_certificate_proves_nothing),
        SCEP_ROW(scep_65_a_wrong_password_looks_like_an_unknown_device),
        SCEP_ROW(scep_67_an_expired_registration_is_refused),
        SCEP_ROW(scep_68_every_string_type_carries_a_password),
        SCEP_ROW(a_registration_for_another_protocol_does_not_open_scep),
        SCEP_ROW(scep_69_a_certificate_of_ours_renews_without_a_password),
        SCEP_ROW(scep_69_the_same_key_may_renew),
        SCEP_ROW(scep_70_a_password_in_a_renewal_is_ignored),
        SCEP_ROW(scep_71_a_certificate_of_another_ca_does_not_renew),
        SCEP_ROW(scep_71_an_impostor_of_our_certificate_does_not_renew),
        SCEP_ROW(scep_72_a_self_signed_signer_does_not_renew),
        SCEP_ROW(scep_72_an_expired_certificate_does_not_renew),
        SCEP_ROW(scep_72_a_grace_lets_an_expired_certificate_renew),
        SCEP_ROW(scep_72_a_revoked_certificate_does_not_renew),
        SCEP_ROW(scep_73_other_names_do_not_renew),
        SCEP_ROW(scep_74_a_pkcsreq_signed_by_our_certificate_is_a_renewal),
        SCEP_ROW(scep_74_no_renewal_when_it_is_off),
        SCEP_ROW(csr_102_a_closed_registration_stops_renewal),
        SCEP_ROW(scep_75_the_same_transaction_gets_the_same_certificate),
        SCEP_ROW(scep_75_a_renewal_may_come_under_the_old_transaction_id),
        SCEP_ROW(scep_76_another_key_under_the_same_transaction_is_refused),
        SCEP_ROW(scep_77_a_new_transaction_issues_anew),
        SCEP_ROW(scep_78_manual_approval_is_pending),
        SCEP_ROW(scep_79_weak_keys_and_foreign_names_are_refused),
        SCEP_ROW(csr_96_a_star_that_a_requester_types_is_no_pattern),
        SCEP_ROW(scep_80_an_ec_key_gets_its_reply_under_the_password),
        SCEP_ROW(scep_80_without_a_password_nothing_is_issued_to_an_ec_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
