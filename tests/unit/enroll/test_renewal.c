#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };

/* --- builders --- */
static struct bytes issued_by_mac(struct world *w, const struct registration *r, const char *more)
{
    return issued(w, &(struct asking){ .protocol = PROTOCOL_CMP,
                                       .mac_of = r,
                                       .dns = { more != NULL ? "router5.example.com" : NULL, more } });
}

static struct registration devices(struct world *w)
{
    open_cmp(w);
    return registered(w, "*.example.com", "s3cret", plain);
}

static struct asking a_kur(const struct bytes *old, const char *transaction)
{
    return (struct asking){ .protocol = PROTOCOL_CMP,
                            .certificate = old,
                            .renewal = true,
                            .key = "device-2",
                            .transaction = transaction };
}

static bool says_the_same(struct world *w, struct bytes a, struct bytes b)
{
    struct certificate left = decoded(w, a), right = decoded(w, b);

    return name_equal(&left.subject, &right.subject) && general_names_equal(&left.san, &right.san);
}

/* --- key update --- */
static void cmp_58_a_key_update_keeps_its_names(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);
    struct bytes old = issued_by_mac(w, &r, "b.example.com");
    struct asking kur = a_kur(&old, "t2");

    kur.dns[0] = "router5.example.com";
    kur.dns[1] = "c.example.com";
    assert_int_equal(ask(w, &kur).reason, REFUSAL_RENEW_MISMATCH);
    kur.dns[1] = NULL;
    assert_int_equal(ask(w, &kur).reason, REFUSAL_RENEW_MISMATCH); /* a name would be lost */
    kur.dns[1] = "b.example.com";
    assert_true(says_the_same(w, issued(w, &kur), old));
    assert_says(last_entry(w), "\"renews\":");
}

static void cmp_58_what_counts_is_what_the_certificate_would_say(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);
    struct bytes old = issued_by_mac(w, &r, NULL);
    struct asking kur = a_kur(&old, "t2");

    kur.subject = "CN=router5.example.com,O=Of The Request"; /* of which the profile takes nothing */
    assert_true(says_the_same(w, issued(w, &kur), old));
    w->profile.subject = SUBJECT_FROM_REQUEST;
    kur.transaction = "t3";
    assert_int_equal(ask(w, &kur).reason, REFUSAL_RENEW_MISMATCH);
}

static void a_key_update_without_san_keeps_the_names_of_the_certificate(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);
    struct bytes old = issued_by_mac(w, &r, "b.example.com");
    struct asking kur = a_kur(&old, "t2");

    assert_true(says_the_same(w, issued(w, &kur), old));
    kur.transaction = "t3";
    set_state(w, registered(w, "b.example.com", "own", plain), REGISTRATION_CLOSED);
    assert_int_equal(ask(w, &kur).reason, REFUSAL_NAME_POLICY); /* that name is another's now */
}

static void cmp_58_policy_may_let_names_change(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);
    struct bytes old = issued_by_mac(w, &r, NULL);
    struct asking kur = a_kur(&old, "t2");

    w->procedure.renewal_rename = true;
    kur.subject = "CN=router6.example.com";
    assert_int_equal(ask(w, &kur).kind, ENROLL_ISSUED);
}

static void a_key_update_needs_a_certificate_of_ours(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);

    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .mac_of = &r, .renewal = true);
}

/* --- one more --- */
static void cr_with_other_names_asks_for_an_additional_certificate(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);
    struct bytes old = issued_by_mac(w, &r, NULL);

    assert_issued(w, .protocol = PROTOCOL_CMP, .certificate = &old, .transaction = "t2",
                  .dns = { "router5.example.com", "b.example.com" });
    assert_issued(w, .protocol = PROTOCOL_CMP, .certificate = &old, .transaction = "t3"); /* the same names */
    assert_says(last_entry(w), "\"renews\":");
    assert_refused(w, REFUSAL_NAME_POLICY, .protocol = PROTOCOL_CMP, .certificate = &old, .transaction = "t4",
                   .dns = { "router5.example.com", "b.example.net" });
    assert_refused(w, REFUSAL_RENEW_MISMATCH, .protocol = PROTOCOL_CMP, .certificate = &old,
                   .transaction = "t5", .subject = "CN=router6.example.com");
    assert_refused(w, REFUSAL_RENEW_MISMATCH, .certificate = &old, .transaction = "t6",
                   .dns = { "router5.example.com", "b.example.com" }); /* SCEP has no words for it */
}

static void an_additional_certificate_is_one_more_of_a_one_time_registration(void **state)
{
    struct world *w = *state;
    struct registration r;
    struct bytes old;

    open_cmp(w);
    r = registered(w, "router5.*.com", "s3cret", (struct registration){ .one_time = true });
    old = issued_by_mac(w, &r, NULL);
    assert_refused(w, REFUSAL_USED, .protocol = PROTOCOL_CMP, .certificate = &old, .transaction = "t2",
                   .dns = { "router5.example.com", "router5.other.com" });
}

/* --- who may ask by a MAC --- */
static void cmp_64_a_message_under_anothers_secret_is_authentic_and_refused(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w), other = registered(w, "router6.example.com", "other", plain);
    struct enroll_result result;

    result = asks(w, .protocol = PROTOCOL_CMP, .mac_of = &other);
    assert_int_equal(result.reason, REFUSAL_NO_REGISTRATION);
    assert_string_equal(result.detail, "the secret is another registration's");
    assert_true(result.credential_held);
    assert_int_equal(refusal_on_wire(result.reason, result.credential_held), REFUSAL_NO_REGISTRATION);
    assert_issued(w, .protocol = PROTOCOL_CMP, .mac_of = &r);
    assert_issued(w, .protocol = PROTOCOL_CMP, .mac_of = &r); /* the same again */
    assert_refused(w, REFUSAL_NO_REGISTRATION, .protocol = PROTOCOL_CMP, .mac_of = &other);
    set_state(w, r, REGISTRATION_CLOSED);
    assert_refused(w, REFUSAL_CLOSED, .protocol = PROTOCOL_CMP, .mac_of = &r);
}

static void a_secret_for_another_protocol_does_not_open_cmp(void **state)
{
    struct world *w = *state;
    struct registration r = registered(w, "router5.example.com", "s3cret", plain); /* SCEP and EST */

    open_cmp(w);
    assert_refused(w, REFUSAL_PROTOCOL, .protocol = PROTOCOL_CMP, .mac_of = &r);
}

/* --- profiles and keys --- */
static void the_profile_asked_for_shapes_the_certificate(void **state)
{
    struct profile other = { .name = "other",
                             .validity_s = 10 * DAY_S,
                             .key_usage = KEY_USAGE_KEY_AGREEMENT,
                             .subject = SUBJECT_FROM_REQUEST,
                             .san_kinds = 1u << GENERAL_NAME_EMAIL,
                             .keys = KEY_RULES_DEFAULT };
    const struct profile *const listed[] = { &other };
    struct world *w = *state;
    struct registration r = devices(w);
    struct certificate c;
    struct bytes der;

    assert_refused(w, REFUSAL_PROFILE, .protocol = PROTOCOL_CMP, .mac_of = &r, .profile = &other);
    w->procedure.cmp_profile = listed;
    w->procedure.cmp_profile_count = 1;
    assert_refused(w, REFUSAL_NAME_POLICY, .protocol = PROTOCOL_CMP, .mac_of = &r, .email = "a@example.com");
    der = issued(w, &(struct asking){ .protocol = PROTOCOL_CMP,
                                      .mac_of = &r,
                                      .profile = &other,
                                      .subject = "CN=router5.example.com,O=Example",
                                      .email = "a@example.com" });
    c = decoded(w, der);
    assert_text(name_format(&c.subject, w->arena), "CN=router5.example.com,O=Example");
    assert_int_equal(c.key_usage, KEY_USAGE_KEY_AGREEMENT);
    assert_int_equal(c.not_after_s, w->now_s + 10 * DAY_S);
    assert_text(record_of(w, der).profile, "other");
}

static void the_key_of_an_ra_for_cmp_is_no_devices(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);

    w->procedure.cmp_ra_key = keys_public(w->keys, "vendor");
    assert_refused(w, REFUSAL_KEY_REUSE, .protocol = PROTOCOL_CMP, .mac_of = &r, .key = "vendor");
}

/* --- who holds it --- */
static struct holder judged(struct world *w, struct bytes der)
{
    struct holder h;

    begin_turn(w);
    assert_true(enroll_holder(&w->turn, &w->service, &w->procedure, der, NULL, 0, &h, NULL));
    return h;
}

static void a_certificate_that_is_not_plainly_of_the_ca_is_searched_for(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);
    struct bytes der = issued_by_mac(w, &r, NULL);
    struct public_key key = w->ca.certificate.key;

    assert_true(judged(w, der).usable);
    assert_true(public_key_parse(keys_public(w->keys, "other-ca"), &w->ca.certificate.key));
    assert_true(judged(w, der).usable); /* by the chain that the anchors hold */
    w->ca.certificate.key = key;
    w->now_s = decoded(w, der).not_after_s + 1;
    assert_string_equal(judged(w, der).detail, "the certificate is expired");
}

static void who_was_judged_is_believed_for_that_certificate_alone(void **state)
{
    struct world *w = *state;
    struct registration r = devices(w);
    struct bytes old = issued_by_mac(w, &r, NULL);
    struct holder held = judged(w, old);
    struct asking kur = a_kur(&old, "t2");
    struct enrollment e = an_enrollment(w, &kur);
    struct enroll_result result;

    held.usable = false;
    held.fault = REFUSAL_RENEW_STATE;
    assert_true(enroll_held(&w->turn, &w->service, &e, &held, &result, NULL));
    assert_int_equal(result.reason, REFUSAL_RENEW_STATE);
    held.certificate.encoded = bytes_slice(old, 0, old.len - 1);
    begin_turn(w);
    assert_true(enroll_held(&w->turn, &w->service, &e, &held, &result, NULL));
    assert_int_equal(result.kind, ENROLL_ISSUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(cmp_58_a_key_update_keeps_its_names),
        world_test(cmp_58_what_counts_is_what_the_certificate_would_say),
        world_test(a_key_update_without_san_keeps_the_names_of_the_certificate),
        world_test(cmp_58_policy_may_let_names_change),
        world_test(a_key_update_needs_a_certificate_of_ours),
        world_test(cr_with_other_names_asks_for_an_additional_certificate),
        world_test(an_additional_certificate_is_one_more_of_a_one_time_registration),
        world_test(cmp_64_a_message_under_anothers_secret_is_authentic_and_refused),
        world_test(a_secret_for_another_protocol_does_not_open_cmp),
        world_test(the_profile_asked_for_shapes_the_certificate),
        world_test(the_key_of_an_ra_for_cmp_is_no_devices),
        world_test(a_certificate_that_is_not_plainly_of_the_ca_is_searched_for),
        world_test(who_was_judged_is_believed_for_that_certificate_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
