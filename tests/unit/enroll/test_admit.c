#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };

/* One enrollment against these registrations, most specific first. */
static struct verdict judge(struct world *w, const struct asking *a, struct registration *r, size_t count,
                            enum match_rule rule)
{
    struct enrollment e = an_enrollment(w, a);
    struct identity identity;
    struct proof proof = {
        .credential = &e.credential, .second = &e.second, .keys = w->keys, .arena = w->arena
    };
    struct candidates candidates = { .item = r, .count = count };
    enum refusal why = REFUSAL_COUNT;
    const char *detail = NULL;

    if (!identity_of(&e, NULL, w->arena, &identity, &why, &detail))
        fail_msg("%s: %s", refusal_name(why), detail);
    return admit(&e, &identity, &candidates, &proof, rule, w->now_s);
}

static struct verdict judge_one(struct world *w, struct registration r, const struct asking *a)
{
    struct verdict verdict = judge(w, a, &r, 1, MATCH_ANY);

    assert_int_equal(verdict.registration != NULL, true);
    verdict.registration = NULL; /* it stood on this stack */
    return verdict;
}

#define assert_admitted(w, r, ...) assert_true(judge_one((w), (r), &(struct asking){ __VA_ARGS__ }).admitted)

#define assert_denied(w, r, why, ...)                                                   \
    do {                                                                                \
        struct verdict verdict_ = judge_one((w), (r), &(struct asking){ __VA_ARGS__ }); \
        assert_false(verdict_.admitted);                                                \
        assert_string_equal(refusal_name(verdict_.reason), refusal_name(why));          \
        assert_true(verdict_.credential_held); /* so the reason may be told */          \
    } while (0)

static struct registration router5(struct world *w, struct registration fields)
{
    return a_registration(w, "router5.example.com", "s3cret", fields);
}

static void a_zeroed_registration_admits_nothing(void **state)
{
    struct world *w = *state;
    struct registration zero = { 0 };

    assert_false(judge(w, &(struct asking){ 0 }, &zero, 1, MATCH_ANY).admitted);
}

static void the_right_secret_admits(void **state)
{
    struct world *w = *state;

    assert_admitted(w, router5(w, plain), .password = NULL);
}

static void a_wrong_secret_is_refused_and_holds_nothing(void **state)
{
    static const char *const wrong[] = { "s3cre", "s3cret ", "S3cret", "s3cret\n", "x" };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct verdict v = judge_one(w, router5(w, plain), &(struct asking){ .password = wrong[i] });

        assert_false(v.admitted);
        assert_int_equal(v.reason, REFUSAL_SECRET);
        assert_false(v.credential_held);
    }
}

static void an_empty_password_proves_nothing_ever(void **state)
{
    struct world *w = *state;
    struct registration none = a_registration(w, "router5.example.com", NULL, plain),
                        empty = a_registration(w, "router5.example.com", "", plain);
    struct enrollment e = an_enrollment(w, &(struct asking){ 0 });
    struct identity identity = { .fqdn = { .len = 1, .text = "r" } };
    struct proof proof = { .credential = &e.credential, .keys = w->keys, .arena = w->arena };

    e.credential.secret.secret = BYTES_LITERAL("");
    assert_false(credential_holds(&e, &identity, &none, &proof));
    assert_false(credential_holds(&e, &identity, &empty, &proof));
    e.credential.secret.secret = BYTES_LITERAL("s3cret");
    assert_false(credential_holds(&e, &identity, &none, &proof));
}

static void a_secret_is_bound_to_its_registration(void **state)
{
    struct world *w = *state;
    struct registration a = router5(w, plain), b = router5(w, plain);

    b.sealed_secret = a.sealed_secret;
    assert_false(judge_one(w, b, &(struct asking){ 0 }).admitted);
}

static void every_criterion_refuses_with_its_reason(void **state)
{
    struct world *w = *state;
    struct ip_address ip;

    assert_true(ip_parse(BYTES_LITERAL("192.0.2.1"), &ip));
    assert_denied(w, router5(w, (struct registration){ .state = REGISTRATION_CLOSED }), REFUSAL_CLOSED,
                  .password = NULL);
    assert_denied(w, router5(w, (struct registration){ .valid_days = 1, .accepted_s = START_S - DAY_S }),
                  REFUSAL_EXPIRED, .password = NULL);
    assert_denied(w, router5(w, (struct registration){ .one_time = true, .used = true }), REFUSAL_USED,
                  .password = NULL);
    assert_denied(w, router5(w, (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_EST) }),
                  REFUSAL_PROTOCOL, .password = NULL);
    assert_denied(w, router5(w, (struct registration){ .ip = ip }), REFUSAL_IP, .ip = { "192.0.2.2" });
    assert_denied(w, router5(w, (struct registration){ .serial_number = BYTES_LITERAL("S1") }),
                  REFUSAL_SERIAL, .subject = "CN=router5.example.com,serialNumber=S2");
    assert_denied(w, router5(w, (struct registration){ .has_key_fingerprint = true }),
                  REFUSAL_KEY_FINGERPRINT, .password = NULL);
    assert_denied(w, router5(w, plain), REFUSAL_NAME_POLICY, .dns = { "router6.example.com" });
}

static void csr_71_every_address_asked_for_must_be_known(void **state)
{
    struct world *w = *state;
    struct attribute more = { ATTRIBUTE_IP_ADDRESS, BYTES_LITERAL("2001:db8::1") };
    struct registration fields = { .attribute = &more, .attribute_count = 1 };

    assert_true(ip_parse(BYTES_LITERAL("192.0.2.1"), &fields.ip));
    assert_admitted(w, router5(w, fields), .ip = { "192.0.2.1" });
    assert_admitted(w, router5(w, fields), .ip = { "192.0.2.1", "2001:DB8:0::1" });
    assert_admitted(w, router5(w, fields), .unstructured_address = "192.0.2.1");
    assert_denied(w, router5(w, fields), REFUSAL_IP, .ip = { "192.0.2.1", "192.0.2.3" });
    assert_denied(w, router5(w, fields), REFUSAL_IP,
                  .ip = { "2001:db8::1" }); /* allowed, but not the one set */
    assert_denied(w, router5(w, fields), REFUSAL_IP, .password = NULL);
    assert_denied(w, router5(w, fields), REFUSAL_IP, .peer = "192.0.2.1");
    w->procedure.peer_address = true;
    assert_admitted(w, router5(w, fields), .peer = "192.0.2.1");
}

static void csr_74_a_serial_number_must_be_there_and_agree(void **state)
{
    struct world *w = *state;
    struct registration fields = { .serial_number = BYTES_LITERAL("AB 12") };

    assert_admitted(w, router5(w, fields), .subject = "CN=router5.example.com,serialNumber=ab  12");
    assert_denied(w, router5(w, fields), REFUSAL_SERIAL, .password = NULL);
}

static void csr_81_empty_criteria_match_any(void **state)
{
    struct world *w = *state;

    assert_admitted(w, router5(w, plain), .ip = { "192.0.2.1" },
                    .subject = "CN=router5.example.com,serialNumber=S1");
}

static void csr_70_further_names_must_be_the_same_registrations(void **state)
{
    struct world *w = *state;
    struct attribute www = { ATTRIBUTE_DNS, BYTES_LITERAL("www.example.net") };
    struct registration fields = { .attribute = &www, .attribute_count = 1 };
    struct registration wild = a_registration(w, "*.example.com", "s3cret", fields);

    assert_admitted(w, wild, .dns = { "router5.example.com", "www.example.net", "router6.example.com" });
    assert_denied(w, wild, REFUSAL_NAME_POLICY, .dns = { "www.example.org" });
    assert_denied(w, wild, REFUSAL_NAME_POLICY, .dns = { "a.b.example.com" });
}

static void csr_96_a_star_that_a_requester_types_is_no_wildcard(void **state)
{
    struct world *w = *state;
    struct attribute star = { ATTRIBUTE_DNS, BYTES_LITERAL("*.example.com") };
    struct registration wild = a_registration(w, "*.example.com", "s3cret", plain);
    struct registration listed = a_registration(
        w, "*.example.com", "s3cret", (struct registration){ .attribute = &star, .attribute_count = 1 });

    assert_denied(w, wild, REFUSAL_NAME_POLICY, .dns = { "*.example.com" });
    assert_admitted(w, listed, .dns = { "*.example.com" });
    assert_denied(w, listed, REFUSAL_NAME_POLICY, .dns = { "*.a.example.com" });
}

static void user_name_and_realm_count_when_registered_and_shown(void **state)
{
    struct world *w = *state;
    struct registration alice = router5(
        w, (struct registration){ .user_name = BYTES_LITERAL("alice"), .realm = BYTES_LITERAL("plant") });

    assert_admitted(w, alice, .user_name = "alice", .realm = "plant");
    assert_admitted(w, alice, .password = NULL); /* a protocol without them */
    assert_false(judge_one(w, alice, &(struct asking){ .user_name = "bob", .realm = "plant" }).admitted);
    assert_false(judge_one(w, alice, &(struct asking){ .user_name = "alice", .realm = "office" }).admitted);
    assert_admitted(w, router5(w, plain), .user_name = "anyone", .realm = "any");
}

static void a_digest_is_computed_again(void **state)
{
    /* RFC 7616 3.9.1 */
    static const struct {
        enum digest_algorithm algorithm;
        const char *response;
    } row[] = { { DIGEST_MD5, "8ca523f5e9506fed4657c9700eebdbec" },
                { DIGEST_SHA256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" } };
    struct world *w = *state;
    struct registration r = a_registration(w, "router5.example.com", "Circle of Life", plain);

    for (size_t i = 0; i < COUNT_OF(row); i++) {
        struct enrollment e = an_enrollment(w, &(struct asking){ 0 });
        struct identity identity = { 0 };
        struct proof proof = { .credential = &e.credential, .keys = w->keys, .arena = w->arena };

        e.credential = (struct credential){
            .kind = CREDENTIAL_DIGEST,
            .digest = { .algorithm = row[i].algorithm,
                        .user_name = BYTES_LITERAL("Mufasa"),
                        .realm = BYTES_LITERAL("http-auth@example.org"),
                        .nonce = BYTES_LITERAL("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
                        .nc = BYTES_LITERAL("00000001"),
                        .cnonce = BYTES_LITERAL("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
                        .uri = BYTES_LITERAL("/dir/index.html"),
                        .method = BYTES_LITERAL("GET"),
                        .response = bytes_text(row[i].response) }
        };
        assert_true(credential_holds(&e, &identity, &r, &proof));
        e.credential.digest.method = BYTES_LITERAL("POST");
        assert_false(credential_holds(&e, &identity, &r, &proof));
        e.credential.digest.response = BYTES_NONE;
        assert_false(credential_holds(&e, &identity, &r, &proof));
    }
}

static void scep_64_a_registered_key_counts_without_a_secret(void **state)
{
    struct world *w = *state;
    struct registration fields = { .has_key_fingerprint = true };
    struct verdict v;

    assert_true(public_key_fingerprint(keys_public(w->keys, "device"), &fields.key_fingerprint));
    assert_admitted(w, a_registration(w, "router5.example.com", NULL, fields), .password = "");
    v = judge_one(w, a_registration(w, "router5.example.com", NULL, fields),
                  &(struct asking){ .password = "", .key = "device-2" });
    assert_int_equal(v.reason, REFUSAL_NO_CREDENTIAL);
    v = judge_one(w, router5(w, fields), &(struct asking){ .password = "" }); /* it has a secret */
    assert_int_equal(v.reason, REFUSAL_NO_CREDENTIAL);
    assert_false(v.admitted || v.credential_held);
}

static void without_a_credential_the_reason_never_tells_what_is_registered(void **state)
{
    struct world *w = *state;
    struct registration closed = router5(w, (struct registration){ .state = REGISTRATION_CLOSED });
    const struct asking nothing = { .password = "" };

    assert_int_equal(judge(w, &nothing, &closed, 1, MATCH_ANY).reason, REFUSAL_NO_CREDENTIAL);
    assert_int_equal(judge(w, &nothing, NULL, 0, MATCH_ANY).reason, REFUSAL_NO_CREDENTIAL);
}

static void nothing_that_matches_is_no_registration(void **state)
{
    struct world *w = *state;
    struct verdict v = judge(w, &(struct asking){ 0 }, NULL, 0, MATCH_ANY);

    assert_false(v.admitted || v.credential_held);
    assert_int_equal(v.reason, REFUSAL_NO_REGISTRATION);
}

/* --- several that match --- */
static void under_match_any_a_broader_one_may_admit(void **state)
{
    struct world *w = *state;
    struct registration r[] = { a_registration(w, "router5.example.com", "other", plain),
                                a_registration(w, "*.example.com", "s3cret", plain) };
    struct verdict v = judge(w, &(struct asking){ 0 }, r, 2, MATCH_ANY);

    assert_true(v.admitted);
    assert_ptr_equal(v.registration, &r[1]);
    v = judge(w, &(struct asking){ 0 }, r, 2, MATCH_MOST_SPECIFIC);
    assert_false(v.admitted);
    assert_int_equal(v.reason, REFUSAL_SECRET);
}

static void a_closed_one_blocks_every_broader_one(void **state)
{
    struct world *w = *state;
    struct registration r[] = { a_registration(w, "router5.example.com", "other",
                                               (struct registration){ .state = REGISTRATION_CLOSED }),
                                a_registration(w, "*.example.com", "s3cret", plain) };
    struct verdict v = judge(w, &(struct asking){ 0 }, r, 2, MATCH_ANY);

    assert_false(v.admitted);
    assert_int_equal(v.reason, REFUSAL_CLOSED);
    assert_false(v.credential_held);
}

static void an_expired_one_blocks_nothing(void **state)
{
    struct world *w = *state;
    struct registration r[] = { router5(w, (struct registration){ .valid_days = 1,
                                                                  .accepted_s = START_S - DAY_S }),
                                a_registration(w, "*.example.com", "s3cret", plain) };

    assert_true(judge(w, &(struct asking){ 0 }, r, 2, MATCH_ANY).admitted);
    assert_int_equal(judge(w, &(struct asking){ 0 }, r, 2, MATCH_MOST_SPECIFIC).reason, REFUSAL_EXPIRED);
}

static void the_most_specific_one_gives_the_reason(void **state)
{
    struct world *w = *state;
    struct registration r[] = { router5(w, (struct registration){ .serial_number = BYTES_LITERAL("S1") }),
                                a_registration(w, "*.example.com", "other", plain) };
    struct verdict v = judge(w, &(struct asking){ 0 }, r, 2, MATCH_ANY);

    assert_int_equal(v.reason, REFUSAL_SERIAL);
    assert_true(v.credential_held);
    assert_ptr_equal(v.registration, &r[0]);
}

/* --- certificates --- */
static struct verdict judge_certificate(struct world *w, struct registration *r, const struct asking *a,
                                        struct proof proof, const struct certificate *held)
{
    const struct bytes der = BYTES_LITERAL("judged before");
    struct asking with = *a;
    struct enrollment e;
    struct identity identity;
    enum refusal why = REFUSAL_COUNT;
    const char *detail = NULL;
    struct candidates candidates = { .item = r, .count = 1 };

    with.certificate = &der;
    e = an_enrollment(w, &with);
    proof.credential = &e.credential;
    proof.keys = w->keys;
    proof.arena = w->arena;
    if (!identity_of(&e, held, w->arena, &identity, &why, &detail))
        fail_msg("%s: %s", refusal_name(why), detail);
    return admit(&e, &identity, &candidates, &proof, MATCH_ANY, w->now_s);
}

static void a_certificate_of_ours_opens_its_own_name_only(void **state)
{
    struct world *w = *state;
    struct registration r = a_registration(w, "*.example.com", "x",
                                           (struct registration){ .one_time = true, .used = true });
    struct certificate_record record = { .fqdn = { .len = 19, .text = "router5.example.com" } };
    const struct proof ours = { .certificate_ours = true, .record = &record };
    const struct asking other = { .subject = "CN=router6.example.com" };

    assert_true(judge_certificate(w, &r, &(struct asking){ 0 }, ours, NULL).admitted);
    assert_int_equal(judge_certificate(w, &r, &other, ours, NULL).reason, REFUSAL_SECRET);
    assert_false(
        judge_certificate(w, &r, &(struct asking){ 0 }, (struct proof){ .record = &record }, NULL).admitted);
    w->procedure.renewal_rename = true;
    record.registration = r.id;
    assert_true(judge_certificate(w, &r, &other, ours, NULL).admitted);
    record.registration.bytes[5] = 1;
    assert_false(judge_certificate(w, &r, &other, ours, NULL).admitted);
    r.state = REGISTRATION_CLOSED;
    assert_int_equal(judge_certificate(w, &r, &(struct asking){ 0 }, ours, NULL).reason, REFUSAL_CLOSED);
}

static void a_vendors_certificate_admits_the_device_whose_serial_is_registered(void **state)
{
    struct world *w = *state;
    const struct proof vendor = { .certificate_vendor = true };
    struct requested *birth = a_request(w, &(struct asking){ .subject = "CN=Model X,serialNumber=S1" });
    struct certificate held = { .subject = birth->subject };
    struct registration s1 = router5(w, (struct registration){ .serial_number = BYTES_LITERAL("S1") }),
                        s2 = router5(w, (struct registration){ .serial_number = BYTES_LITERAL("S2") }),
                        any = router5(w, plain);
    const struct asking nothing_said = { 0 },
                        claims = { .subject = "CN=router5.example.com,serialNumber=S2" };

    assert_true(judge_certificate(w, &s1, &nothing_said, vendor, &held).admitted);
    assert_false(judge_certificate(w, &s2, &nothing_said, vendor, &held).admitted);
    assert_false(
        judge_certificate(w, &s2, &claims, vendor, &held).admitted); /* the request alone proves nothing */
    assert_false(judge_certificate(w, &s2, &claims, vendor, NULL).admitted);
    assert_int_equal(judge_certificate(w, &any, &nothing_said, vendor, &held).reason, REFUSAL_SECRET);
    assert_false(judge_certificate(w, &s1, &nothing_said, (struct proof){ 0 }, &held).admitted);
}

static void a_second_credential_must_hold_too(void **state)
{
    struct world *w = *state;
    struct registration r = router5(w, plain);
    struct enrollment e = an_enrollment(w, &(struct asking){ 0 });
    struct certificate_record record = { .fqdn = { .len = 19, .text = "router5.example.com" } };
    struct identity identity = { .fqdn = record.fqdn };
    struct credential certificate = { .kind = CREDENTIAL_CERTIFICATE };
    struct proof proof = { .credential = &certificate,
                           .second = &e.credential,
                           .certificate_ours = true,
                           .record = &record,
                           .keys = w->keys,
                           .arena = w->arena };

    assert_true(credential_holds(&e, &identity, &r, &proof));
    e.credential.secret.secret = BYTES_LITERAL("wrong");
    assert_false(credential_holds(&e, &identity, &r, &proof));
    e.credential.secret.secret = BYTES_LITERAL("s3cret");
    proof.certificate_ours = false;
    assert_false(credential_holds(&e, &identity, &r, &proof));
}

/* --- the secret of one registration (CMP) --- */
static void cmp_64_a_registrations_secret_admits_it_alone(void **state)
{
    struct world *w = *state;
    struct registration exact = router5(w, plain), wild = a_registration(w, "*.example.com", "wild", plain);
    struct registration both[] = { exact, wild };
    struct verdict v = judge(w, &(struct asking){ .mac_of = &exact }, both, 2, MATCH_ANY);

    assert_true(v.admitted);
    assert_ptr_equal(v.registration, &both[0]);
    v = judge(w, &(struct asking){ .mac_of = &wild }, both, 2, MATCH_ANY);
    assert_true(v.admitted);
    assert_ptr_equal(v.registration, &both[1]);
    assert_false(judge(w, &(struct asking){ .mac_of = &wild }, both, 2, MATCH_MOST_SPECIFIC).admitted);
    assert_false(judge(w, &(struct asking){ .mac_of = &wild }, both, 1, MATCH_ANY).admitted);
}

static void a_registrations_secret_learns_nothing_of_others(void **state)
{
    struct world *w = *state;
    struct registration wild = a_registration(w, "*.example.com", "wild", plain);
    struct registration other[] = {
        router5(w, plain),
        router5(w, (struct registration){ .state = REGISTRATION_CLOSED }),
        router5(w, (struct registration){ .one_time = true, .used = true }),
        router5(w, (struct registration){ .serial_number = BYTES_LITERAL("S1") }),
        router5(w, (struct registration){ .valid_days = 1, .accepted_s = START_S - 2 * DAY_S }),
    };

    for (size_t i = 0; i < COUNT_OF(other); i++) {
        struct verdict v = judge(w, &(struct asking){ .mac_of = &wild }, &other[i], 1, MATCH_ANY);

        assert_false(v.admitted);
        assert_int_equal(v.reason, REFUSAL_NO_REGISTRATION); /* as if there were none */
    }
}

static void a_registrations_secret_is_told_of_its_own(void **state)
{
    struct world *w = *state;
    struct registration wild = a_registration(w, "*.example.com", "wild",
                                              (struct registration){ .one_time = true, .used = true });
    struct registration both[] = {
        router5(w, (struct registration){ .valid_days = 1, .accepted_s = START_S - 2 * DAY_S }), wild
    };
    struct verdict v = judge(w, &(struct asking){ .mac_of = &wild }, both, 2, MATCH_ANY);

    assert_false(v.admitted);
    assert_int_equal(v.reason, REFUSAL_USED);
    assert_true(v.credential_held);
    both[0].state = REGISTRATION_CLOSED; /* blocks every broader one */
    v = judge(w, &(struct asking){ .mac_of = &wild }, both, 2, MATCH_ANY);
    assert_int_equal(v.reason, REFUSAL_NO_REGISTRATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_zeroed_registration_admits_nothing),
        world_test(the_right_secret_admits),
        world_test(a_wrong_secret_is_refused_and_holds_nothing),
        world_test(an_empty_password_proves_nothing_ever),
        world_test(a_secret_is_bound_to_its_registration),
        world_test(every_criterion_refuses_with_its_reason),
        world_test(csr_71_every_address_asked_for_must_be_known),
        world_test(csr_74_a_serial_number_must_be_there_and_agree),
        world_test(csr_81_empty_criteria_match_any),
        world_test(csr_70_further_names_must_be_the_same_registrations),
        world_test(csr_96_a_star_that_a_requester_types_is_no_wildcard),
        world_test(user_name_and_realm_count_when_registered_and_shown),
        world_test(a_digest_is_computed_again),
        world_test(scep_64_a_registered_key_counts_without_a_secret),
        world_test(without_a_credential_the_reason_never_tells_what_is_registered),
        world_test(nothing_that_matches_is_no_registration),
        world_test(under_match_any_a_broader_one_may_admit),
        world_test(a_closed_one_blocks_every_broader_one),
        world_test(an_expired_one_blocks_nothing),
        world_test(the_most_specific_one_gives_the_reason),
        world_test(a_certificate_of_ours_opens_its_own_name_only),
        world_test(a_vendors_certificate_admits_the_device_whose_serial_is_registered),
        world_test(a_second_credential_must_hold_too),
        world_test(cmp_64_a_registrations_secret_admits_it_alone),
        world_test(a_registrations_secret_learns_nothing_of_others),
        world_test(a_registrations_secret_is_told_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
