#include "officer_fixture.h"

static void a_registration_is_made_and_its_secret_rests_sealed(void **state)
{
    struct world *w = *state;
    struct act_outcome outcome = register_with(w, "chief", ROUTER("router5.example.com"), "s3cret", "s3cret");
    AUTO_STRUCT(secret) plain = { 0 };
    struct registration r;

    assert_int_equal(outcome.result, ACT_DONE);
    assert_int_equal(outcome.revision, 1);
    assert_true(find(w, "router5.example.com", &r));
    assert_memory_equal(r.id.bytes, outcome.registration.bytes, ID_LEN);
    assert_int_equal(r.state, REGISTRATION_OPEN);
    assert_int_equal(r.protocols, w->procedure[0].protocols);
    assert_int_equal(r.accepted_s, NOW_S);
    assert_true(keys_open(w->keys, r.sealed_secret, registration_id_bytes(&r.id), &plain, &w->err));
    assert_true(bytes_is(bytes_from(secret_bytes(&plain), ACT_SALT_LEN), "s3cret"));
    assert_null(memmem(r.sealed_secret.data, r.sealed_secret.len, "s3cret", 6));
    assert_true(check_audit(w).sound);
}

static void no_secret_is_in_the_audit(void **state)
{
    struct world *w = *state;

    assert_int_equal(register_with(w, "chief", ROUTER("a.example.com"), "s3cret-one", "s3cret-one").result,
                     ACT_DONE);
    assert_int_equal(register_with(w, "chief", ROUTER("b.example.com"), "s3cret-two", "s3cret-bad").result,
                     ACT_SECRET);
    /* put into the signed request by mistake: refused, and not kept */
    assert_int_equal(
        act_as(w, "chief", REGISTER(ROUTER("c.example.com") ",\"password\":\"s3cret-three\"")).result,
        ACT_FIELD);
    assert_false(audit_contains(w, "s3cret"));
    assert_false(audit_contains(w, "czNjcmV0")); /* its base64url */
    assert_false(audit_contains(w, "InMzY3Jl"));
}

static void an_act_seen_before_is_refused_for_ever(void **state)
{
    struct world *w = *state;
    struct bytes jws;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com"))).result, ACT_DONE);
    jws = w->last_jws;
    assert_int_equal(send_jws(w, jws).result, ACT_REPLAYED);
    assert_int_equal(send_jws(w, jws).result, ACT_REPLAYED);
    assert_true(audit_contains(w, "replayed"));
}

static void a_refused_act_does_not_come_back_either(void **state)
{
    struct world *w = *state;
    struct bytes refused;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com"))).result, ACT_DONE);
    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com"))).result, ACT_HELD);
    refused = w->last_jws;
    assert_int_equal(
        act_as(w, "chief", "{\"act\":\"close\",\"procedure\":\"routers\",\"fqdn\":\"a.example.com\"}").result,
        ACT_DONE);
    assert_int_equal(send_jws(w, refused).result, ACT_REPLAYED);
}

static void an_altered_act_is_refused(void **state)
{
    struct world *w = *state;
    struct bytes jws = sign(w, "chief", BYTES_LITERAL(REGISTER(ROUTER("a.example.com"))), URL, NOW_S);
    uint8_t *altered = arena_alloc(w->arena, jws.len);
    uint8_t *payload;
    struct registration r;

    assert_non_null(altered);
    memcpy(altered, jws.data, jws.len);
    payload = memmem(altered, jws.len, "\"payload\":\"", 11);
    assert_non_null(payload);
    payload[30] = payload[30] == 'A' ? 'B' : 'A';
    assert_int_equal(send_jws(w, bytes_of(altered, jws.len)).result, ACT_BAD_SIGNATURE);
    assert_false(find(w, "a.example.com", &r));
    assert_true(audit_contains(w, "bad_signature"));
}

static void a_stranger_is_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(act_as(w, "stranger", REGISTER(ROUTER("a.example.com"))).result, ACT_UNKNOWN_OFFICER);
    assert_int_equal(send_jws(w, BYTES_LITERAL("{}")).result, ACT_MALFORMED);
    assert_true(audit_contains(w, "unknown_officer"));
    assert_true(audit_contains(w, "malformed"));
}

static void an_act_for_another_place_or_time_is_refused(void **state)
{
    struct world *w = *state;
    struct bytes payload = BYTES_LITERAL(REGISTER(ROUTER("a.example.com")));

    assert_int_equal(
        send_jws(w, sign(w, "chief", payload, "https://127.0.0.2:8444/api/v1/acts", NOW_S)).result,
        ACT_WRONG_URL);
    assert_int_equal(send_jws(w, sign(w, "chief", payload, URL, NOW_S - SKEW_S - 1)).result, ACT_WRONG_TIME);
    assert_int_equal(send_jws(w, sign(w, "chief", payload, URL, NOW_S + SKEW_S + 1)).result, ACT_WRONG_TIME);
    assert_int_equal(send_jws(w, sign(w, "chief", payload, URL, NOW_S + SKEW_S)).result, ACT_DONE);
}

static void a_secret_must_be_the_one_that_was_signed(void **state)
{
    struct world *w = *state;
    struct registration r;

    assert_int_equal(register_with(w, "chief", ROUTER("a.example.com"), "one", "two").result, ACT_SECRET);
    assert_int_equal(register_with(w, "chief", ROUTER("a.example.com"), "one", NULL).result, ACT_SECRET);
    assert_int_equal(register_with(w, "chief", ROUTER("a.example.com"), "", "").result, ACT_SECRET);
    assert_false(find(w, "a.example.com", &r));
}

static void an_officer_keeps_to_its_rights(void **state)
{
    static const char *const outside[] = {
        REGISTER(ROUTER("a.example.org")),
        REGISTER(ROUTER("a.evilexample.com")),
        REGISTER(ROUTER("*.example.com")),
        REGISTER(ROUTER("*")),
        REGISTER(ROUTER("a.example.com") ",\"attributes\":{\"dns\":[\"a.example.org\"]}"),
        REGISTER(ROUTER("a.example.com") ",\"attributes\":{\"dns\":[\"*.example.com\"]}"),
        REGISTER(ROUTER("a.example.com") ",\"attributes\":{\"commonname\":\"www.example.org\"}"),
        REGISTER("\"order\":\"scep\",\"procedure\":\"phones\",\"fqdn\":\"a.example.com\""),
        REGISTER("\"order\":\"acme\",\"procedure\":\"routers\",\"keyId\":\"k\""),
        REGISTER("\"order\":\"acme\",\"procedure\":\"routers\",\"keyId\":\"k\",\"allowedDomains\":[\"example."
                 "org\"]"),
        REGISTER("\"order\":\"acme\",\"procedure\":\"routers\",\"keyId\":\"k\",\"allowedDomains\":[\"example."
                 "com\"],"
                 "\"preAuthorised\":true"),
    };
    struct world *w = *state;
    struct registration r;

    appoint_clerk(w);
    for (size_t i = 0; i < COUNT_OF(outside); i++)
        if (act_as(w, "clerk", outside[i]).result != ACT_NO_RIGHT)
            fail_msg("not refused: %s", outside[i]);
    assert_int_equal(act_as(w, "clerk", REGISTER(ROUTER("a.example.com"))).result, ACT_DONE);
    assert_true(find(w, "a.example.com", &r));
    assert_true(check_audit(w).sound);
}

static void nobody_appoints_above_himself(void **state)
{
    struct world *w = *state;
    struct bytes more = an_appointment(w, "stranger", "\"rights\":[\"register\",\"revoke\"]");

    appoint_clerk(w);
    assert_int_equal(send_jws(w, sign(w, "clerk", more, URL, NOW_S)).result, ACT_NO_RIGHT);
    assert_int_equal(send_jws(w, sign(w, "chief", more, URL, NOW_S)).result, ACT_DONE);
    assert_int_equal(send_jws(w, sign(w, "chief", more, URL, NOW_S)).result, ACT_REVISION);
}

static void a_disabled_officer_may_nothing(void **state)
{
    struct world *w = *state;
    struct bytes payload = an_appointment(w, "clerk", "\"rights\":[\"register\"],\"disabled\":true");

    assert_int_equal(send_jws(w, sign(w, "chief", payload, URL, NOW_S)).result, ACT_DONE);
    assert_int_equal(act_as(w, "clerk", REGISTER(ROUTER("a.example.com"))).result, ACT_UNKNOWN_OFFICER);
}

static void an_open_name_is_held_and_its_holder_named(void **state)
{
    struct world *w = *state;
    struct act_outcome first = act_as(w, "chief", REGISTER(ROUTER("a.example.com"))), again;

    again = act_as(w, "chief", REGISTER(ROUTER("A.Example.COM.")));
    assert_int_equal(again.result, ACT_HELD);
    assert_memory_equal(again.registration.bytes, first.registration.bytes, ID_LEN);
    assert_non_null(strstr(again.detail, "a.example.com"));
    /* through another procedure of the domain in any state; in another domain it is another name */
    assert_int_equal(
        act_as(w, "chief", "{\"act\":\"close\",\"procedure\":\"routers\",\"fqdn\":\"a.example.com\"}").result,
        ACT_DONE);
    assert_int_equal(
        act_as(w, "chief", REGISTER("\"order\":\"est\",\"procedure\":\"phones\",\"fqdn\":\"a.example.com\""))
            .result,
        ACT_HELD);
    assert_int_equal(
        act_as(w, "chief", REGISTER("\"order\":\"est\",\"procedure\":\"foreign\",\"fqdn\":\"a.example.com\""))
            .result,
        ACT_DONE);
}

static void what_was_closed_opens_again_under_its_revision(void **state)
{
    static const char again[] = "{\"act\":\"register\",\"revision\":2,\"registration\":{" ROUTER(
        "a.example.com") ",\"serialNumber\":\"7\"}}";
    struct world *w = *state;
    struct act_outcome outcome = act_as(w, "chief", REGISTER(ROUTER("a.example.com")));
    struct registration_id id = outcome.registration;
    struct registration r;

    assert_int_equal(
        act_as(w, "chief", "{\"act\":\"close\",\"procedure\":\"routers\",\"fqdn\":\"a.example.com\"}").result,
        ACT_DONE);
    assert_true(find(w, "a.example.com", &r));
    assert_int_equal(r.state, REGISTRATION_CLOSED);
    assert_int_equal(r.revision, 2);
    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com"))).result, ACT_REVISION);
    outcome = act_as(w, "chief", again);
    assert_int_equal(outcome.result, ACT_DONE);
    assert_true(outcome.reopened);
    assert_true(find(w, "a.example.com", &r));
    assert_int_equal(r.state, REGISTRATION_OPEN);
    assert_int_equal(r.revision, 3);
    assert_true(bytes_is(r.serial_number, "7"));
    assert_memory_equal(r.id.bytes, id.bytes, ID_LEN);
    assert_true(check_audit(w).sound);
}

static void what_is_over_opens_again(void **state)
{
    struct world *w = *state;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com") ",\"validity\":1")).result,
                     ACT_DONE);
    w->now_s = NOW_S + 2 * 86400;
    assert_int_equal(
        act_as(w, "chief",
               "{\"act\":\"register\",\"revision\":1,\"registration\":{" ROUTER("a.example.com") "}}")
            .result,
        ACT_DONE);
    assert_true(check_audit(w).sound);
}

static void cpm_state_1001_closes(void **state)
{
    struct world *w = *state;
    struct registration r;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com") ",\"cpmState\":1000")).result,
                     ACT_DONE);
    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com") ",\"cpmState\":1001")).result,
                     ACT_DONE);
    assert_true(find(w, "a.example.com", &r));
    assert_int_equal(r.state, REGISTRATION_CLOSED);
    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com") ",\"cpmState\":1001")).result,
                     ACT_NOT_IN_STATE);
    assert_true(check_audit(w).sound);
}

static void closing_needs_the_right_name_procedure_and_right(void **state)
{
    static const char close_it[] = "{\"act\":\"close\",\"procedure\":\"routers\",\"fqdn\":\"a.example.com\"}";
    struct world *w = *state;

    assert_int_equal(act_as(w, "chief", close_it).result, ACT_NOT_FOUND);
    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com"))).result, ACT_DONE);
    assert_int_equal(
        act_as(w, "chief", "{\"act\":\"close\",\"procedure\":\"phones\",\"fqdn\":\"a.example.com\"}").result,
        ACT_HELD);
    assert_int_equal(
        act_as(w, "chief", "{\"act\":\"close\",\"procedure\":\"nobody\",\"fqdn\":\"a.example.com\"}").result,
        ACT_UNKNOWN_PROCEDURE);
    assert_int_equal(act_as(w, "chief",
                            "{\"act\":\"close\",\"procedure\":\"routers\",\"fqdn\":\"a.example.com\","
                            "\"revision\":7}")
                         .result,
                     ACT_REVISION);
    assert_int_equal(act_as(w, "chief", close_it).result, ACT_DONE);
    assert_int_equal(act_as(w, "chief", close_it).result, ACT_NOT_IN_STATE);
}

static void overlapping_patterns_are_accepted_with_a_warning(void **state)
{
    struct world *w = *state;
    struct act_outcome outcome;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("*.dept.example.com"))).overlap_count, 0);
    outcome = act_as(w, "chief", REGISTER(ROUTER("router5.dept.example.com")));
    assert_int_equal(outcome.result, ACT_DONE);
    assert_int_equal(outcome.overlap_count, 1);
    assert_true(bytes_is(fqdn_pattern_bytes(&outcome.overlap[0]), "*.dept.example.com"));
}

static void revoking_names_a_certificate_that_is_there(void **state)
{
    struct world *w = *state;

    assert_int_equal(act_as(w, "chief",
                            "{\"act\":\"revoke\",\"issuer\":"
                            "\"0000000000000000000000000000000000000000000000000000000000000000\","
                            "\"serial\":\"01\",\"reason\":\"keyCompromise\"}")
                         .result,
                     ACT_NOT_FOUND);
}

static void the_first_officer_signs_its_own_appointment(void **state)
{
    struct world *w = *state;
    struct bytes payload = an_appointment(w, "clerk", "\"rights\":[\"register\"]");
    struct changes changes;
    struct act_outcome outcome;

    changes_begin(&changes, w->arena);
    must(w,
         officer_act_first(&changes, sign(w, "stranger", payload, "muster:init", NOW_S), &outcome, &w->err));
    assert_int_equal(outcome.result, ACT_BAD_SIGNATURE);
    assert_int_equal(changes.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        officer_test(a_registration_is_made_and_its_secret_rests_sealed),
        officer_test(no_secret_is_in_the_audit),
        officer_test(an_act_seen_before_is_refused_for_ever),
        officer_test(a_refused_act_does_not_come_back_either),
        officer_test(an_altered_act_is_refused),
        officer_test(a_stranger_is_refused),
        officer_test(an_act_for_another_place_or_time_is_refused),
        officer_test(a_secret_must_be_the_one_that_was_signed),
        officer_test(an_officer_keeps_to_its_rights),
        officer_test(nobody_appoints_above_himself),
        officer_test(a_disabled_officer_may_nothing),
        officer_test(an_open_name_is_held_and_its_holder_named),
        officer_test(what_was_closed_opens_again_under_its_revision),
        officer_test(what_is_over_opens_again),
        officer_test(cpm_state_1001_closes),
        officer_test(closing_needs_the_right_name_procedure_and_right),
        officer_test(overlapping_patterns_are_accepted_with_a_warning),
        officer_test(revoking_names_a_certificate_that_is_there),
        officer_test(the_first_officer_signs_its_own_appointment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
