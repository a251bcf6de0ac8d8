#include "enroll/confirm.h"
#include "lib/base/record.h"
#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };

static void approval_on(struct world *w)
{
    w->procedure.manual_approval = true;
    registered(w, "*.example.com", "s3cret", plain);
}

static size_t listed(struct world *w, struct pending *out, size_t max)
{
    size_t count = 99;

    begin_turn(w);
    assert_true(pending_list(&w->turn, BYTES_NONE, max, out, &count, NULL));
    return count;
}

static bool decide(struct world *w, struct bytes id, bool approve)
{
    bool found = false;

    begin_turn(w);
    assert_true(pending_decide(&w->turn, id, approve, BYTES_LITERAL("officer"), &found, NULL));
    if (found)
        assert_int_equal(apply(w), APPLY_DONE);
    else
        assert_int_equal(w->turn.changes.count, 0);
    return found;
}

static struct enroll_result polled(struct world *w, const char *transaction, const char *signer, bool *found)
{
    struct enroll_result result = { 0 };
    struct digest256 digest;
    struct error err = { 0 };

    assert_true(sha256(bytes_text(signer), &digest));
    begin_turn(w);
    *found = true;
    if (!enroll_poll(&w->turn, &w->service, &w->procedure, PROTOCOL_SCEP, bytes_text(transaction), &digest,
                     found, &result, &err))
        fail_msg("%s", err.text);
    assert_int_equal(apply(w), APPLY_DONE);
    return result;
}

static struct enroll_result poll_own(struct world *w)
{
    bool found;
    struct enroll_result result = polled(w, "t1", "self", &found);

    assert_true(found);
    return result;
}

static void a_first_enrollment_waits_and_is_listed(void **state)
{
    struct world *w = *state;
    struct enroll_result result;
    struct pending item[4], one;
    bool found = false;

    approval_on(w);
    result = asks(w, .password = NULL);
    assert_int_equal(result.kind, ENROLL_PENDING);
    assert_int_equal(result.retry_after_s, 30);
    assert_false(result.repeated);
    result = asks(w, .password = NULL);
    assert_int_equal(result.kind, ENROLL_PENDING);
    assert_true(result.repeated);
    assert_int_equal(result.retry_after_s, 30);
    assert_int_equal(w->turn.changes.count, 0);
    assert_int_equal(listed(w, item, 4), 1);
    assert_string_equal(item[0].fqdn.text, "router5.example.com");
    assert_text(item[0].procedure, "routers");
    assert_text(item[0].subject, "CN=router5.example.com");
    assert_int_equal(item[0].asked_s, w->now_s);
    assert_true(pending_find(&w->turn, item[0].id, &found, &one, NULL));
    assert_true(found);
    assert_int_equal(one.protocol, PROTOCOL_SCEP);
}

static void an_approved_one_is_issued_to_who_asks_again(void **state)
{
    struct world *w = *state;
    struct pending item[4];
    struct bytes der;

    approval_on(w);
    asks(w, .password = NULL);
    assert_int_equal(listed(w, item, 4), 1);
    assert_true(decide(w, item[0].id, true));
    assert_false(decide(w, item[0].id, true)); /* decided already */
    assert_int_equal(listed(w, item, 4), 0);
    assert_refused(w, REFUSAL_SECRET, .password = "wrong");
    der = issued(w, &(struct asking){ 0 });
    assert_bytes(issued(w, &(struct asking){ 0 }), der);
}

static void an_approved_one_is_issued_to_who_polls(void **state)
{
    struct world *w = *state;
    struct pending item[4];
    struct enroll_result result;
    struct certificate c;
    struct bytes der;

    approval_on(w);
    asks(w, .dns = { "router5.example.com", "www.example.com" });
    assert_int_equal(poll_own(w).kind, ENROLL_PENDING);
    assert_int_equal(listed(w, item, 4), 1);
    assert_true(decide(w, item[0].id, true));
    result = poll_own(w);
    assert_int_equal(result.kind, ENROLL_ISSUED);
    der = arena_copy(w->arena, result.certificate);
    c = decoded(w, der);
    assert_true(names_dns(&c, "www.example.com"));
    result = poll_own(w);
    assert_true(result.repeated);
    assert_bytes(result.certificate, der);
    assert_bytes(issued(w, &(struct asking){ .dns = { "router5.example.com", "www.example.com" } }), der);
}

static void scep_101_an_unknown_transaction_is_not_found_and_anothers_is_a_conflict(void **state)
{
    struct world *w = *state;
    struct enroll_result result;
    bool found;

    approval_on(w);
    asks(w, .password = NULL);
    polled(w, "t9", "self", &found);
    assert_false(found);
    result = polled(w, "t1", "someone else", &found);
    assert_true(found);
    assert_int_equal(result.kind, ENROLL_REFUSED);
    assert_int_equal(result.reason, REFUSAL_CONFLICT);
}

static void a_denied_one_stays_denied(void **state)
{
    struct world *w = *state;
    struct pending item[4];

    approval_on(w);
    asks(w, .password = NULL);
    assert_int_equal(listed(w, item, 4), 1);
    assert_true(decide(w, item[0].id, false));
    assert_refused(w, REFUSAL_DENIED, .password = NULL);
    assert_int_equal(poll_own(w).reason, REFUSAL_DENIED);
}

static void the_log_names_who_polls(void **state)
{
    struct world *w = *state;
    struct pending item[4];

    approval_on(w);
    asks(w, .password = NULL);
    assert_int_equal(poll_own(w).kind, ENROLL_PENDING);
    assert_bytes(w->turn.facts.fqdn, BYTES_LITERAL("router5.example.com"));
    assert_int_equal(listed(w, item, 4), 1);
    assert_true(decide(w, item[0].id, false));
    assert_int_equal(poll_own(w).reason, REFUSAL_DENIED);
    assert_bytes(w->turn.facts.fqdn, BYTES_LITERAL("router5.example.com"));
}

static void csr_102_an_approval_does_not_outlive_its_registration(void **state)
{
    struct world *w = *state;
    struct registration r;
    struct pending item[4];

    w->procedure.manual_approval = true;
    r = registered(w, "router5.example.com", "s3cret", plain);
    asks(w, .password = NULL);
    assert_int_equal(listed(w, item, 4), 1);
    assert_true(decide(w, item[0].id, true));
    set_state(w, r, REGISTRATION_CLOSED);
    assert_int_equal(poll_own(w).reason, REFUSAL_CLOSED);
    assert_refused(w, REFUSAL_CLOSED, .password = NULL);
}

static void waiting_ends_with_its_time(void **state)
{
    struct world *w = *state;
    struct pending item[4];
    bool found;

    approval_on(w);
    asks(w, .password = NULL);
    assert_int_equal(listed(w, item, 4), 1);
    w->now_s += 7 * DAY_S;
    assert_false(decide(w, item[0].id, true));
    assert_int_equal(listed(w, item, 4), 0);
    polled(w, "t1", "self", &found);
    assert_false(found);
    assert_int_equal(asks(w, .password = NULL).kind, ENROLL_PENDING); /* over what was not swept yet */
    assert_int_equal(listed(w, item, 4), 1);
}

static void how_many_wait_is_bounded(void **state)
{
    struct world *w = *state;
    struct pending item[2];

    approval_on(w);
    asks(w, .transaction = "t1");
    w->now_s++;
    asks(w, .transaction = "t2", .subject = "CN=router6.example.com", .key = "device-2");
    assert_refused(w, REFUSAL_CA_UNAVAILABLE, .transaction = "t3", .subject = "CN=router7.example.com",
                   .key = "vendor");
    assert_int_equal(listed(w, item, 2), 2);
    assert_string_equal(item[0].fqdn.text, "router5.example.com"); /* oldest first */
    assert_string_equal(item[1].fqdn.text, "router6.example.com");
    assert_int_equal(listed(w, item, 1), 1);
    assert_string_equal(item[0].fqdn.text, "router5.example.com");
}

static void renewals_do_not_wait(void **state)
{
    struct world *w = *state;
    struct bytes old;

    registered(w, "*.example.com", "s3cret", plain);
    old = issued(w, &(struct asking){ 0 });
    w->procedure.manual_approval = true;
    assert_issued(w, .certificate = &old, .transaction = "t2");
}

static void an_additional_certificate_waits_like_a_first_one(void **state)
{
    struct world *w = *state;
    struct bytes old;

    registered(w, "*.example.com", "s3cret", plain);
    old = issued(w, &(struct asking){ .protocol = PROTOCOL_EST });
    w->procedure.manual_approval = true;
    assert_int_equal(asks(w, .protocol = PROTOCOL_EST, .certificate = &old, .transaction = "t2",
                          .dns = { "router5.example.com", "more.example.com" })
                         .kind,
                     ENROLL_PENDING);
}

static void csr_102_an_approval_does_not_open_a_name_that_was_closed_since(void **state)
{
    struct world *w = *state;
    struct pending item[4];

    approval_on(w);
    asks(w, .dns = { "b.example.com" });
    assert_int_equal(listed(w, item, 4), 1);
    assert_true(decide(w, item[0].id, true));
    set_state(w, registered(w, "b.example.com", "own", plain), REGISTRATION_CLOSED);
    assert_int_equal(poll_own(w).reason, REFUSAL_NAME_POLICY);
    set_state(w, registered(w, "router5.example.com", "own", plain), REGISTRATION_CLOSED);
    assert_int_equal(poll_own(w).reason, REFUSAL_CLOSED);
}

static void what_is_listed_of_a_long_subject_is_still_text(void **state)
{
    struct world *w = *state;
    struct name_attribute attribute[24] = { { .oid = OID_COMMON_NAME,
                                              .text = BYTES_LITERAL("router5.example.com") } };
    char unit[1 + 2 * 120];
    struct pending item[4];

    for (size_t i = 0; i < 120; i++)
        memcpy(unit + 1 + 2 * i, "\xc3\xa4", 2);
    unit[0] = 'x';
    for (uint8_t i = 1; i < COUNT_OF(attribute); i++)
        attribute[i] =
            (struct name_attribute){ .oid = OID_STREET, .text = bytes_of(unit, sizeof(unit)), .rdn = i };
    w->profile.subject = SUBJECT_FROM_REQUEST;
    approval_on(w);
    for (size_t shift = 0; shift < 2; shift++) {
        attribute[COUNT_OF(attribute) - 1].text.len = sizeof(unit) - shift;
        attribute[COUNT_OF(attribute) - 1].text.data = (const uint8_t *)unit + shift;
        assert_int_equal(asks(w, .attribute = attribute, .attribute_count = COUNT_OF(attribute),
                              .transaction = shift == 0 ? "t1" : "t2")
                             .kind,
                         ENROLL_PENDING);
    }
    assert_int_equal(listed(w, item, 4), 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(bytes_is_utf8(item[i].subject));
}

static void an_id_that_is_none_is_not_found(void **state)
{
    static const char *const ids[] = { "", "zz", "00112233445566778899aabbccddeeff",
                                       "00112233445566778899aabbccddeeffx" };
    struct world *w = *state;

    approval_on(w);
    asks(w, .password = NULL);
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_false(decide(w, bytes_text(ids[i]), true));
}

/* --- CMP --- */
static struct enroll_result polled_cmp(struct world *w)
{
    struct enroll_result result = { 0 };
    struct digest256 digest;
    struct error err = { 0 };
    bool found = false;

    assert_true(sha256(BYTES_LITERAL("self"), &digest));
    begin_turn(w);
    if (!enroll_poll(&w->turn, &w->service, &w->procedure, PROTOCOL_CMP, BYTES_LITERAL("t1"), &digest, &found,
                     &result, &err))
        fail_msg("%s", err.text);
    assert_true(found);
    assert_int_equal(apply(w), APPLY_DONE);
    return result;
}

/* Waits, and is approved. */
static void ask_and_approve(struct world *w, const struct asking *a)
{
    struct pending item[2];

    assert_int_equal(ask(w, a).kind, ENROLL_PENDING);
    assert_int_equal(polled_cmp(w).kind, ENROLL_PENDING);
    assert_int_equal(listed(w, item, 2), 1);
    assert_true(decide(w, item[0].id, true));
}

static const struct profile strong = { .name = "strong",
                                       .validity_s = 10 * DAY_S,
                                       .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
                                       .subject = SUBJECT_FROM_REQUEST,
                                       .keys = KEY_RULES_DEFAULT };
static const struct profile *const listed_profiles[] = { &strong };

static struct asking a_certificate_request_of(const struct registration *r)
{
    return (struct asking){ .protocol = PROTOCOL_CMP,
                            .mac_of = r,
                            .crmf = true,
                            .profile = &strong,
                            .subject = "CN=router5.example.com,O=Example",
                            .confirm_within_s = 300 };
}

static struct registration cmp_with_approval(struct world *w)
{
    open_cmp(w);
    w->procedure.manual_approval = true;
    w->procedure.cmp_profile = listed_profiles;
    w->procedure.cmp_profile_count = 1;
    return registered(w, "*.example.com", "s3cret", plain);
}

static void cmp_86_what_was_approved_is_read_again_as_it_was_asked(void **state)
{
    struct world *w = *state;
    struct registration r = cmp_with_approval(w);
    const struct asking a = a_certificate_request_of(&r);
    struct enroll_result result;
    struct certificate_record record;
    struct certificate c;
    struct bytes der;

    ask_and_approve(w, &a);
    w->now_s += DAY_S;
    result = polled_cmp(w);
    assert_int_equal(result.kind, ENROLL_ISSUED);
    assert_true(result.unconfirmed);
    der = arena_copy(w->arena, result.certificate);
    c = decoded(w, der);
    assert_text(name_format(&c.subject, w->arena), "CN=router5.example.com,O=Example");
    assert_bytes(c.key.spki, keys_public(w->keys, "device"));
    record = record_of(w, der);
    assert_text(record.profile, "strong");
    assert_int_equal(record.not_after_s, w->now_s + 10 * DAY_S);
    result = polled_cmp(w); /* CMP-90: a lost answer */
    assert_bytes(result.certificate, der);
    assert_true(result.unconfirmed);
}

static void a_profile_that_is_offered_no_more_refuses(void **state)
{
    struct world *w = *state;
    struct registration r = cmp_with_approval(w);
    const struct asking a = a_certificate_request_of(&r);

    ask_and_approve(w, &a);
    w->procedure.cmp_profile_count = 0;
    assert_int_equal(polled_cmp(w).reason, REFUSAL_PROFILE);
}

static void keys_are_judged_by_the_rules_of_now(void **state)
{
    static const struct profile narrower = { .name = "strong", .validity_s = 1, .keys = { .p384 = true } };
    static const struct profile *const offered[] = { &narrower };
    struct world *w = *state;
    struct registration r = cmp_with_approval(w);
    const struct asking a = a_certificate_request_of(&r);

    ask_and_approve(w, &a);
    w->procedure.cmp_profile = offered;
    assert_int_equal(polled_cmp(w).reason, REFUSAL_PROFILE);
}

static void cmp_89_what_was_given_back_is_not_fetched_again(void **state)
{
    struct world *w = *state;
    struct registration r = cmp_with_approval(w);
    const struct asking a = a_certificate_request_of(&r);
    enum confirm_outcome outcome;

    ask_and_approve(w, &a);
    assert_int_equal(polled_cmp(w).kind, ENROLL_ISSUED);
    begin_turn(w);
    assert_true(enroll_confirm(&w->turn, &w->service, &w->procedure, PROTOCOL_CMP, BYTES_LITERAL("t1"), false,
                               &outcome, NULL));
    assert_int_equal(apply(w), APPLY_DONE);
    assert_int_equal(polled_cmp(w).reason, REFUSAL_CONFLICT);
}

static void a_transaction_of_an_earlier_version_is_still_read(void **state)
{
    enum { STATUS = 1, KEY, SIGNER, NAMES, REGISTRATION, ISSUER, SERIAL, REQUEST, FQDN, APPROVED = 3 };
    struct world *w = *state;
    const struct asking a = { 0 };
    struct registration r = registered(w, "*.example.com", "s3cret", plain);
    struct enrollment e = an_enrollment(w, &a);
    AUTO_STRUCT(buffer) record = BUFFER(4096);
    struct state_key key = { BYTES_LITERAL("routers"), "txn", BYTES_LITERAL("\x01t1") };
    struct state_value value = { .expires_s = w->now_s + DAY_S };

    record_begin(&record, 1);
    record_put_u64(&record, STATUS, APPROVED);
    record_put(&record, SIGNER, digest256_bytes(&e.signer));
    record_put(&record, REGISTRATION, registration_id_bytes(&r.id));
    record_put(&record, REQUEST, e.request);
    record_put(&record, FQDN, BYTES_LITERAL("router5.example.com"));
    value.blob = buffer_bytes(&record);
    begin_turn(w);
    change_state_put(&w->turn.changes, &key, &value, 0);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_int_equal(poll_own(w).kind, ENROLL_ISSUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_first_enrollment_waits_and_is_listed),
        world_test(an_approved_one_is_issued_to_who_asks_again),
        world_test(an_approved_one_is_issued_to_who_polls),
        world_test(scep_101_an_unknown_transaction_is_not_found_and_anothers_is_a_conflict),
        world_test(a_denied_one_stays_denied),
        world_test(the_log_names_who_polls),
        world_test(csr_102_an_approval_does_not_outlive_its_registration),
        world_test(waiting_ends_with_its_time),
        world_test(how_many_wait_is_bounded),
        world_test(renewals_do_not_wait),
        world_test(what_is_listed_of_a_long_subject_is_still_text),
        world_test(an_additional_certificate_waits_like_a_first_one),
        world_test(csr_102_an_approval_does_not_open_a_name_that_was_closed_since),
        world_test(an_id_that_is_none_is_not_found),
        world_test(cmp_86_what_was_approved_is_read_again_as_it_was_asked),
        world_test(a_profile_that_is_offered_no_more_refuses),
        world_test(keys_are_judged_by_the_rules_of_now),
        world_test(cmp_89_what_was_given_back_is_not_fetched_again),
        world_test(a_transaction_of_an_earlier_version_is_still_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
