#include "tests/unit/enroll/enroll_world.h"

#include "registry/audit.h"

static const struct registration plain = { .revision = 0 };

static struct registration router5(struct world *w)
{
    return registered(w, "router5.example.com", "s3cret", plain);
}

/* --- issuance --- */
static void a_registered_device_gets_its_certificate_and_all_is_recorded(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w);
    struct bytes der = issued(w, &(struct asking){ 0 });
    struct certificate c = decoded(w, der);
    struct certificate_id id;
    struct certificate_record record;
    struct audit_entry entry[8];
    size_t count = 0;
    bool found = false;

    assert_text(name_format(&c.subject, w->arena), "CN=router5.example.com");
    assert_true(names_dns(&c, "router5.example.com"));
    assert_string_equal(w->turn.facts.verdict, "issued");
    assert_text(w->turn.facts.fqdn, "router5.example.com");
    assert_int_equal(w->turn.facts.serial.len, 2 * CA_SERIAL_LEN);
    begin_turn(w);
    assert_true(certificate_id_of(c.issuer.encoded, c.serial, &id));
    assert_true(registry_certificate_by_id(w->view, &id, w->arena, &found, &record, NULL));
    assert_true(found);
    assert_bytes(record.der, der);
    assert_memory_equal(&record.registration, &r.id, sizeof(r.id));
    assert_string_equal(record.fqdn.text, "router5.example.com");
    assert_true(registry_audit_read(w->view, 0, 8, w->arena, entry, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(entry[0].kind, AUDIT_ISSUED);
    assert_non_null(memmem(entry[0].content.data, entry[0].content.len, "router5.example.com", 19));
    assert_null(memmem(entry[0].content.data, entry[0].content.len, "s3cret", 6));
}

static void reasons_of_admission_reach_the_result(void **state)
{
    struct world *w = *state;

    assert_refused(w, REFUSAL_NO_REGISTRATION, .password = NULL);
    router5(w);
    assert_refused(w, REFUSAL_SECRET, .password = "wrong");
    assert_refused(w, REFUSAL_NO_CREDENTIAL, .password = "");
    assert_refused(w, REFUSAL_NO_FQDN, .subject = "CN=SCEP Client 7");
    assert_refused(w, REFUSAL_NAME, .subject = "CN=a..b.example.com");
    assert_refused(w, REFUSAL_NAME_POLICY, .email = "a@example.com");
    assert_refused(w, REFUSAL_PROTOCOL, .protocol = PROTOCOL_CMP);
}

static void a_wrong_secret_is_a_strike_and_a_right_one_is_not(void **state)
{
    struct world *w = *state;

    router5(w);
    assert_refused(w, REFUSAL_SECRET, .password = "wrong");
    assert_true(w->turn.strike);
    assert_refused(w, REFUSAL_NO_REGISTRATION, .subject = "CN=nobody.example.com");
    assert_true(w->turn.strike); /* unknown names too: it must not tell */
    assert_false(w->turn.credential_held);
    assert_refused(w, REFUSAL_NAME_POLICY, .dns = { "other.example.com" });
    assert_false(w->turn.strike);
    assert_true(w->turn.credential_held); /* its strikes are forgotten */
    assert_issued(w, .password = NULL);
    assert_false(w->turn.strike);
    assert_true(w->turn.credential_held);
    assert_issued(w, .password = NULL);
    assert_true(w->turn.credential_held); /* the repetition proves itself too */
}

static void after_wrong_secrets_the_next_try_waits(void **state)
{
    struct world *w = *state;
    struct enroll_result result;

    router5(w);
    w->procedure.slow_after = 2;
    w->procedure.slow_max_s = 60;
    assert_true(slow_down_new(64, &w->slow_down, NULL));
    w->service.slow_down = w->slow_down;
    for (unsigned i = 0; i < 2; i++) {
        assert_refused(w, REFUSAL_SECRET, .password = "wrong", .peer = "192.0.2.1");
        assert_true(w->turn.strike);
        slow_down_strike(w->slow_down, &w->turn.strike_key, w->now_s);
    }
    result = asks(w, .peer = "192.0.2.77"); /* of the same network, with the right secret */
    assert_int_equal(result.reason, REFUSAL_LOCKED);
    assert_int_equal(result.retry_after_s, 1);
    assert_false(result.credential_held);
    assert_false(w->turn.strike);
    assert_refused(w, REFUSAL_NO_REGISTRATION, .subject = "CN=other.example.com", .peer = "192.0.2.1");
    w->now_s++;
    assert_issued(w, .peer = "192.0.2.1");
}

static void elsewhere_is_not_slowed_down(void **state)
{
    struct world *w = *state;

    router5(w);
    w->procedure.slow_after = 1;
    w->procedure.slow_max_s = 60;
    assert_true(slow_down_new(64, &w->slow_down, NULL));
    w->service.slow_down = w->slow_down;
    assert_refused(w, REFUSAL_SECRET, .password = "wrong", .peer = "192.0.2.1");
    slow_down_strike(w->slow_down, &w->turn.strike_key, w->now_s);
    assert_refused(w, REFUSAL_LOCKED, .peer = "192.0.2.1");
    assert_issued(w, .peer = "198.51.100.1");
}

/* --- repetition --- */
static void csr_103_the_same_request_gets_the_same_certificate(void **state)
{
    struct world *w = *state;
    struct bytes first;
    struct enroll_result again;

    registered(w, "router5.example.com", "s3cret", (struct registration){ .one_time = true });
    first = issued(w, &(struct asking){ 0 });
    w->now_s += 10 * DAY_S;
    again = asks(w, .password = NULL);
    assert_int_equal(again.kind, ENROLL_ISSUED);
    assert_true(again.repeated);
    assert_bytes(again.certificate, first);
    assert_int_equal(w->turn.changes.count, 0);
}

static void csr_103_a_repetition_proves_itself_again(void **state)
{
    struct world *w = *state;

    router5(w);
    assert_issued(w, .password = NULL);
    assert_refused(w, REFUSAL_SECRET, .password = "wrong");
    assert_true(w->turn.strike);
}

/* The officer wants the device kept out: what was issued before is not handed out again either. */
static void csr_102_a_repetition_ends_with_its_registration(void **state)
{
    struct world *w = *state;
    struct registration r = registered(w, "router5.example.com", "s3cret",
                                       (struct registration){ .valid_days = 2, .one_time = true });
    struct bytes first = issued(w, &(struct asking){ 0 });

    set_state(w, r, REGISTRATION_CLOSED);
    assert_refused(w, REFUSAL_CLOSED, .password = NULL);
    r.revision++;
    set_state(w, r, REGISTRATION_OPEN);
    assert_bytes(issued(w, &(struct asking){ 0 }), first);
    w->now_s += 3 * DAY_S;
    assert_refused(w, REFUSAL_EXPIRED, .password = NULL);
}

static void csr_102_a_repeated_renewal_ends_with_its_registration(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w);
    struct bytes old = issued(w, &(struct asking){ 0 });
    struct asking again = { .certificate = &old, .key = "device-2", .transaction = "t2", .signer = "old" };
    struct bytes renewed = issued(w, &again);

    assert_bytes(issued(w, &again), renewed);
    set_state(w, r, REGISTRATION_CLOSED);
    assert_refused(w, REFUSAL_CLOSED, .certificate = &old, .key = "device-2", .transaction = "t2",
                   .signer = "old");
}

static void a_revoked_certificate_is_not_handed_out_again(void **state)
{
    struct world *w = *state;
    struct bytes first, second;
    struct certificate c;
    struct certificate_id id;

    router5(w);
    first = issued(w, &(struct asking){ 0 });
    c = decoded(w, first);
    assert_true(certificate_id_of(c.issuer.encoded, c.serial, &id));
    begin_turn(w);
    change_certificate_revoke(&w->turn.changes, &id, REVOCATION_SUPERSEDED, w->now_s);
    assert_int_equal(apply(w), APPLY_DONE);
    second = issued(w, &(struct asking){ 0 });
    assert_false(bytes_equal(first, second));
}

static void csr_104_the_same_id_for_something_else_is_a_conflict(void **state)
{
    struct world *w = *state;
    struct bytes first;

    registered(w, "*.example.com", "s3cret", plain);
    first = issued(w, &(struct asking){ 0 });
    assert_refused(w, REFUSAL_CONFLICT, .key = "device-2");
    assert_refused(w, REFUSAL_CONFLICT, .signer = "someone else");
    assert_refused(w, REFUSAL_CONFLICT, .dns = { "more.example.com" });
    assert_refused(w, REFUSAL_SECRET, .key = "device-2", .password = "wrong"); /* strangers learn nothing */
    assert_bytes(issued(w, &(struct asking){ 0 }), first);
}

static void csr_105_two_that_race_for_a_one_time_registration_get_one_certificate(void **state)
{
    struct world *w = *state;
    struct turn slower;

    registered(w, "router5.example.com", "s3cret", (struct registration){ .one_time = true });
    assert_int_equal(ask_only(w, &(struct asking){ .transaction = "a" }).kind, ENROLL_ISSUED);
    slower = w->turn;
    assert_int_equal(ask_only(w, &(struct asking){ .transaction = "b", .key = "device-2" }).kind,
                     ENROLL_ISSUED);
    assert_int_equal(apply(w), APPLY_DONE);
    w->turn = slower;
    assert_int_equal(apply(w), APPLY_CONFLICT);
    assert_refused(w, REFUSAL_USED, .transaction = "a"); /* run again on a fresh view */
}

static void est_50_a_request_is_a_repetition_for_its_time_only(void **state)
{
    struct world *w = *state;
    const struct asking a = { .protocol = PROTOCOL_EST, .repeat_s = 600 };
    struct bytes first;

    router5(w);
    first = issued(w, &a);
    w->now_s += 599;
    assert_bytes(issued(w, &a), first);
    w->now_s += 2;
    assert_false(bytes_equal(issued(w, &a), first));
}

static void transactions_are_each_protocols_own(void **state)
{
    struct world *w = *state;
    struct bytes first;

    router5(w);
    first = issued(w, &(struct asking){ 0 });
    assert_false(bytes_equal(issued(w, &(struct asking){ .protocol = PROTOCOL_EST }), first));
}

/* --- keys --- */
static void csr_35_a_key_is_certified_for_one_name(void **state)
{
    struct world *w = *state;

    registered(w, "*.example.com", "s3cret", plain);
    assert_issued(w, .password = NULL);
    assert_refused(w, REFUSAL_KEY_REUSE, .subject = "CN=router6.example.com", .transaction = "t2");
    assert_refused(w, REFUSAL_KEY_REUSE, .key = "ca", .transaction = "t3");
    assert_refused(w, REFUSAL_KEY_REUSE, .key = "ra", .transaction = "t4");
    w->procedure.cmp_ra_key = keys_public(w->keys, "device-2");
    assert_refused(w, REFUSAL_KEY_REUSE, .key = "device-2", .transaction = "t5");
}

static void csr_35_an_officers_key_is_no_devices(void **state)
{
    struct world *w = *state;
    struct officer_record officer = { .key_id = BYTES_LITERAL("k"),
                                      .name = BYTES_LITERAL("o"),
                                      .spki = keys_public(w->keys, "device-2"),
                                      .rights = RIGHTS_ALL };

    router5(w);
    begin_turn(w);
    for (uint8_t i = 0; i < 64; i++) {
        const uint8_t id[] = { 'a', i }; /* before it in the list */

        change_officer_put(&w->turn.changes, &(struct officer_record){ .key_id = BYTES_ARRAY(id),
                                                                       .name = BYTES_LITERAL("x"),
                                                                       .spki = BYTES_LITERAL("other") });
    }
    change_officer_put(&w->turn.changes, &officer);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_refused(w, REFUSAL_KEY_REUSE, .key = "device-2");
}

static void csr_36_a_compromised_key_is_never_certified_again(void **state)
{
    struct world *w = *state;
    struct certificate c;
    struct certificate_id id;

    router5(w);
    c = decoded(w, issued(w, &(struct asking){ 0 }));
    assert_true(certificate_id_of(c.issuer.encoded, c.serial, &id));
    begin_turn(w);
    change_certificate_revoke(&w->turn.changes, &id, REVOCATION_KEY_COMPROMISE, w->now_s);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_refused(w, REFUSAL_KEY, .transaction = "t2");
    assert_issued(w, .transaction = "t2", .key = "device-2");
}

static void csr_37_the_same_key_again_is_the_procedures_choice(void **state)
{
    struct world *w = *state;

    router5(w);
    assert_issued(w, .password = NULL);
    assert_issued(w, .transaction = "t2");
    w->procedure.same_key_renewal = false;
    assert_refused(w, REFUSAL_KEY_REUSE, .transaction = "t3");
    assert_issued(w, .transaction = "t3", .key = "device-2");
}

/* --- renewal --- */
static void a_certificate_of_ours_renews_without_a_secret(void **state)
{
    struct world *w = *state;
    struct bytes old, new;

    router5(w);
    old = issued(w, &(struct asking){ 0 });
    new = issued(
        w, &(struct asking){ .certificate = &old, .key = "device-2", .transaction = "t2", .signer = "old" });
    assert_false(bytes_equal(old, new));
    /* lost answer: the certificate that was shown is not the latest one any more */
    w->procedure.latest_only = true;
    assert_bytes(issued(w,
                        &(struct asking){
                            .certificate = &old, .key = "device-2", .transaction = "t2", .signer = "old" }),
                 new);
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t3", .signer = "old");
    assert_issued(w, .certificate = &new, .key = "device-2", .transaction = "t3", .signer = "new");
}

static void a_renewal_may_come_under_the_old_transaction_id(void **state)
{
    struct world *w = *state;
    struct bytes old, new;

    router5(w);
    old = issued(w, &(struct asking){ 0 });
    new = issued(w, &(struct asking){ .certificate = &old, .signer = "old" });
    assert_false(bytes_equal(old, new));
    assert_bytes(issued(w, &(struct asking){ .certificate = &old, .signer = "old" }), new);
    assert_refused(w, REFUSAL_CONFLICT, .certificate = &old, .signer = "old", .key = "device-2");
}

static void csr_100_a_renewal_keeps_its_names(void **state)
{
    struct world *w = *state;
    struct bytes old;

    registered(w, "*.example.com", "s3cret", plain);
    old = issued(w, &(struct asking){ 0 });
    assert_refused(w, REFUSAL_RENEW_MISMATCH, .certificate = &old, .transaction = "t2", .key = "device-2",
                   .subject = "CN=router6.example.com");
    assert_bytes(w->turn.facts.fqdn, BYTES_LITERAL("router5.example.com")); /* whose certificate it was */
    assert_refused(w, REFUSAL_RENEW_MISMATCH, .certificate = &old, .transaction = "t2",
                   .dns = { "router5.example.com", "router6.example.com" });
    w->procedure.renewal_rename = true;
    assert_issued(w, .certificate = &old, .transaction = "t2",
                  .dns = { "router5.example.com", "router6.example.com" });
    assert_issued(w, .certificate = &old, .transaction = "t3", .key = "device-2",
                  .subject = "CN=router6.example.com");
}

static void est_53_a_reenrollment_is_identical(void **state)
{
    struct world *w = *state;
    struct bytes old;
    struct asking a = { .protocol = PROTOCOL_EST, .renewal = true, .transaction = "t2" };

    registered(w, "*.example.com", "s3cret", plain);
    old = issued(w, &(struct asking){ .protocol = PROTOCOL_EST });
    a.certificate = &old;
    a.dns[0] = "router5.example.com";
    a.subject = "CN=router5.example.com,O=Evil";
    assert_int_equal(ask(w, &a).reason, REFUSAL_RENEW_MISMATCH);
    a.subject = NULL;
    a.dns[1] = "router6.example.com";
    assert_int_equal(ask(w, &a).reason, REFUSAL_RENEW_MISMATCH);
    a.dns[1] = NULL;
    assert_int_equal(ask(w, &a).kind, ENROLL_ISSUED);
}

static void a_reenrollment_that_names_no_san_gets_the_same_names_or_nothing(void **state)
{
    struct world *w = *state;
    struct bytes two, one, new;
    struct certificate before, after;
    struct asking a = { .protocol = PROTOCOL_EST, .renewal = true };

    registered(w, "*.example.com", "s3cret", plain);
    two = issued(
        w, &(struct asking){ .protocol = PROTOCOL_EST, .dns = { "router5.example.com", "b.example.com" } });
    a.certificate = &two;
    a.transaction = "t2";
    assert_int_equal(ask(w, &a).reason, REFUSAL_RENEW_MISMATCH); /* a name would be lost */
    one = issued(w, &(struct asking){ .protocol = PROTOCOL_EST, .transaction = "t3" });
    a.certificate = &one;
    a.transaction = "t4";
    new = issued(w, &a);
    before = decoded(w, one);
    after = decoded(w, new);
    assert_true(name_equal(&before.subject, &after.subject));
    assert_true(general_names_equal(&before.san, &after.san));
}

static void est_59_an_additional_certificate_is_preregistered_like_any(void **state)
{
    struct world *w = *state;
    struct bytes old;

    registered(w, "*.example.com", "s3cret", plain);
    old = issued(
        w, &(struct asking){ .protocol = PROTOCOL_EST, .dns = { "router5.example.com", "b.example.com" } });
    assert_issued(w, .protocol = PROTOCOL_EST, .certificate = &old, .transaction = "t2");
    assert_issued(w, .protocol = PROTOCOL_EST, .certificate = &old, .transaction = "t3",
                  .dns = { "router5.example.com", "c.example.com" });
    assert_refused(w, REFUSAL_NAME_POLICY, .protocol = PROTOCOL_EST, .certificate = &old, .transaction = "t4",
                   .dns = { "router5.example.com", "router6.example.net" });
}

static void an_additional_certificate_counts_as_one_more(void **state)
{
    struct world *w = *state;
    struct bytes old;

    registered(w, "router5.*.com", "s3cret", (struct registration){ .one_time = true });
    old = issued(w, &(struct asking){ .protocol = PROTOCOL_EST });
    assert_issued(w, .protocol = PROTOCOL_EST, .certificate = &old, .transaction = "t2");
    assert_refused(w, REFUSAL_USED, .protocol = PROTOCOL_EST, .certificate = &old, .transaction = "t3",
                   .dns = { "router5.example.com", "router5.other.com" });
    /* by one registered later, once */
    registered(w, "router5.example.com", "later",
               (struct registration){
                   .one_time = true,
                   .attribute = &(struct attribute){ .kind = ATTRIBUTE_DNS, .value = BYTES_LITERAL("b.net") },
                   .attribute_count = 1 });
    assert_issued(w, .protocol = PROTOCOL_EST, .certificate = &old, .transaction = "t3",
                  .dns = { "router5.example.com", "b.net" });
    assert_refused(w, REFUSAL_USED, .password = "later", .transaction = "t4");
}

static void est_56_a_renewal_without_a_certificate_is_refused(void **state)
{
    struct world *w = *state;

    router5(w);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_EST, .renewal = true);
}

static void csr_101_dates_and_switches_of_renewal_hold(void **state)
{
    struct world *w = *state;
    struct bytes old;

    router5(w);
    old = issued(w, &(struct asking){ 0 });
    w->procedure.renewal_window_s = 10 * DAY_S;
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t2");
    w->now_s = START_S + 91 * DAY_S;
    assert_issued(w, .certificate = &old, .transaction = "t2");
    w->procedure.renewal = false;
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t3");
    w->procedure.renewal = true;
    w->now_s = START_S + 101 * DAY_S;
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t3");
    w->procedure.renewal_grace_s = 2 * DAY_S;
    assert_issued(w, .certificate = &old, .transaction = "t3");
    w->now_s = START_S + 103 * DAY_S;
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t4");
}

static void csr_101_a_revoked_certificate_renews_nothing(void **state)
{
    struct world *w = *state;
    struct bytes old;
    struct certificate c;
    struct certificate_id id;

    router5(w);
    old = issued(w, &(struct asking){ 0 });
    c = decoded(w, old);
    assert_true(certificate_id_of(c.issuer.encoded, c.serial, &id));
    begin_turn(w);
    change_certificate_revoke(&w->turn.changes, &id, REVOCATION_SUPERSEDED, w->now_s);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t2");
}

static void csr_101_a_certificate_of_another_domain_opens_nothing(void **state)
{
    struct world *w = *state;
    struct bytes old;

    router5(w);
    old = issued(w, &(struct asking){ 0 });
    w->domain.id = domain_id_of(BYTES_LITERAL("offices"));
    router5(w);
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t2");
}

static void csr_101_a_certificate_that_is_not_recorded_is_foreign(void **state)
{
    struct world *w = *state;
    struct bytes root = w->ca.chain[0], foreign = a_root(w, "other-ca", "CN=Test CA"),
                 garbage = BYTES_LITERAL("\x30\x03\x02\x01\x01");

    router5(w);
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &root);
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &foreign);
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &garbage);
}

static void csr_102_a_closed_registration_stops_renewals(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w);
    struct bytes old = issued(w, &(struct asking){ 0 });
    struct enroll_result result;

    set_state(w, r, REGISTRATION_CLOSED);
    result = asks(w, .certificate = &old, .transaction = "t2");
    assert_int_equal(result.reason, REFUSAL_CLOSED);
    assert_true(result.credential_held); /* its holder may be told */
    assert_false(w->turn.strike);
}

static void a_one_time_registration_renews_and_is_used_once(void **state)
{
    struct world *w = *state;
    struct bytes old;

    registered(w, "router5.example.com", "s3cret", (struct registration){ .one_time = true });
    old = issued(w, &(struct asking){ 0 });
    assert_refused(w, REFUSAL_USED, .transaction = "t2");
    assert_issued(w, .transaction = "t2", .certificate = &old);
}

/* --- vendors --- */
static struct bytes a_birth_certificate(struct world *w, const char *subject)
{
    struct ca vendor = {
        .name = "vendor", .connector = &ca_local_connector, .chain_count = 1, .key_name = "other-ca"
    };
    const struct ca_make make = { .subject = a_dn(w->arena, subject),
                                  .validity_s = 3650 * DAY_S,
                                  .now_s = w->now_s };
    struct bytes der = BYTES_NONE;
    struct error err = { 0 };

    vendor.chain[0] = a_root(w, "other-ca", "CN=Vendor CA");
    if (!ca_prepare(&vendor, w->keys, &err) ||
        !ca_make_service(&vendor, SERVICE_OFFICER, &make, BYTES_NONE, w->keys, "vendor", &w->random, w->arena,
                         &der, &err) ||
        !anchors_new(vendor.chain, 1, &w->procedure.vendor_anchors, &err))
        fail_msg("%s", err.text);
    ca_release(&vendor);
    return der;
}

static void a_vendors_certificate_enrolls_the_registered_serial(void **state)
{
    struct world *w = *state;
    struct bytes birth = a_birth_certificate(w, "CN=Model X,serialNumber=S1");
    struct anchors *anchors = w->procedure.vendor_anchors;

    registered(w, "router5.example.com", "s3cret",
               (struct registration){ .serial_number = BYTES_LITERAL("S1") });
    registered(w, "router6.example.com", "s3cret",
               (struct registration){ .serial_number = BYTES_LITERAL("S2") });
    assert_issued(w, .certificate = &birth);
    assert_refused(w, REFUSAL_SERIAL, .certificate = &birth, .subject = "CN=router6.example.com",
                   .transaction = "t2");
    w->procedure.vendor_anchors = NULL;
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &birth, .transaction = "t3");
    anchors_free(anchors);
}

static void without_preregistration_a_genuine_certificate_is_the_proof(void **state)
{
    struct world *w = *state;
    struct bytes birth = a_birth_certificate(w, "CN=Model X,serialNumber=S1");
    struct anchors *anchors = w->procedure.vendor_anchors;
    struct registration closed;

    w->procedure.preregistration = false;
    assert_refused(w, REFUSAL_NO_REGISTRATION, .password = NULL);
    assert_refused(w, REFUSAL_NO_CREDENTIAL, .password = "");
    assert_issued(w, .certificate = &birth);
    closed = registered(w, "router6.example.com", "s3cret", plain);
    set_state(w, closed, REGISTRATION_CLOSED);
    assert_refused(w, REFUSAL_CLOSED, .certificate = &birth, .subject = "CN=router6.example.com",
                   .transaction = "t2", .key = "device-2");
    anchors_free(anchors);
}

static void without_preregistration_a_certificate_opens_no_name_of_anothers(void **state)
{
    struct world *w = *state;
    struct bytes birth = a_birth_certificate(w, "CN=Model X,serialNumber=S1"), ours;
    struct anchors *anchors = w->procedure.vendor_anchors;

    w->procedure.preregistration = false;
    registered(w, "victim.example.com", "own", plain);
    assert_refused(w, REFUSAL_NAME_POLICY, .certificate = &birth, .dns = { "victim.example.com" });
    ours = issued(w, &(struct asking){ .certificate = &birth });
    assert_refused(w, REFUSAL_RENEW_MISMATCH, .protocol = PROTOCOL_EST, .certificate = &ours,
                   .dns = { "more.example.com" });
    anchors_free(anchors);
}

/* --- the CA --- */
static void a_ca_that_rejects_is_a_refusal_and_an_unknown_one_an_error(void **state)
{
    struct world *w = *state;
    struct enrollment e = an_enrollment(w, &(struct asking){ 0 });
    struct enroll_result result = { 0 };
    struct error err = { 0 };

    router5(w);
    w->profile.key_usage = KEY_USAGE_KEY_CERT_SIGN;
    assert_refused(w, REFUSAL_CA_REJECTED, .password = NULL);
    w->procedure.ca = "nowhere";
    begin_turn(w);
    assert_false(enroll(&w->turn, &w->service, &e, &result, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(result.kind, ENROLL_REFUSED); /* untouched */
}

static void every_allocation_that_fails_is_a_clean_error(void **state)
{
    struct world *w = *state;
    struct enrollment e = an_enrollment(w, &(struct asking){ .dns = { "router5.example.com" } });
    unsigned failed = 0;
    bool done = false;

    router5(w);
    for (unsigned n = 1; n < 500 && !done; n++) {
        struct enroll_result result = { 0 };
        struct error err = { 0 };

        begin_turn(w);
        w->turn.arena = arena_new(1 << 20);
        changes_begin(&w->turn.changes, w->turn.arena);
        arena_fail_after(w->turn.arena, n);
        if (enroll(&w->turn, &w->service, &e, &result, &err)) {
            assert_int_equal(result.kind, ENROLL_ISSUED); /* never the device's fault */
            done = true;
        } else {
            failed++;
            assert_int_not_equal(err.code, ERROR_NONE);
        }
        arena_free(w->turn.arena);
    }
    assert_true(done);
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_registered_device_gets_its_certificate_and_all_is_recorded),
        world_test(reasons_of_admission_reach_the_result),
        world_test(a_wrong_secret_is_a_strike_and_a_right_one_is_not),
        world_test(after_wrong_secrets_the_next_try_waits),
        world_test(elsewhere_is_not_slowed_down),
        world_test(csr_103_the_same_request_gets_the_same_certificate),
        world_test(csr_103_a_repetition_proves_itself_again),
        world_test(csr_102_a_repetition_ends_with_its_registration),
        world_test(csr_102_a_repeated_renewal_ends_with_its_registration),
        world_test(a_revoked_certificate_is_not_handed_out_again),
        world_test(csr_104_the_same_id_for_something_else_is_a_conflict),
        world_test(csr_105_two_that_race_for_a_one_time_registration_get_one_certificate),
        world_test(est_50_a_request_is_a_repetition_for_its_time_only),
        world_test(transactions_are_each_protocols_own),
        world_test(csr_35_a_key_is_certified_for_one_name),
        world_test(csr_35_an_officers_key_is_no_devices),
        world_test(csr_36_a_compromised_key_is_never_certified_again),
        world_test(csr_37_the_same_key_again_is_the_procedures_choice),
        world_test(a_certificate_of_ours_renews_without_a_secret),
        world_test(a_renewal_may_come_under_the_old_transaction_id),
        world_test(csr_100_a_renewal_keeps_its_names),
        world_test(est_53_a_reenrollment_is_identical),
        world_test(a_reenrollment_that_names_no_san_gets_the_same_names_or_nothing),
        world_test(est_59_an_additional_certificate_is_preregistered_like_any),
        world_test(an_additional_certificate_counts_as_one_more),
        world_test(est_56_a_renewal_without_a_certificate_is_refused),
        world_test(csr_101_dates_and_switches_of_renewal_hold),
        world_test(csr_101_a_revoked_certificate_renews_nothing),
        world_test(csr_101_a_certificate_of_another_domain_opens_nothing),
        world_test(csr_101_a_certificate_that_is_not_recorded_is_foreign),
        world_test(csr_102_a_closed_registration_stops_renewals),
        world_test(a_one_time_registration_renews_and_is_used_once),
        world_test(a_vendors_certificate_enrolls_the_registered_serial),
        world_test(without_preregistration_a_genuine_certificate_is_the_proof),
        world_test(without_preregistration_a_certificate_opens_no_name_of_anothers),
        world_test(a_ca_that_rejects_is_a_refusal_and_an_unknown_one_an_error),
        world_test(every_allocation_that_fails_is_a_clean_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
