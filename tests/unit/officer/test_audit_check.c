#include "officer_fixture.h"

/* Writes what no officer signed. */
static void smuggle(struct world *w, const struct registration *r, uint64_t revision)
{
    struct changes changes;

    changes_begin(&changes, w->arena);
    change_registration_put(&changes, r, revision);
    assert_int_equal(apply_changes(w, &changes), APPLY_DONE);
}

static void assert_unsound(struct world *w, const char *what)
{
    struct audit_report report = check_audit(w);

    assert_false(report.sound);
    if (strstr(report.fault, what) == NULL)
        fail_msg("'%s' is not about '%s'", report.fault, what);
}

static void what_officers_signed_is_sound(void **state)
{
    struct world *w = *state;
    struct audit_report report;

    appoint_clerk(w);
    assert_int_equal(register_with(w, "clerk", ROUTER("a.example.com"), "one", "one").result, ACT_DONE);
    assert_int_equal(
        act_as(
            w, "chief",
            REGISTER("\"order\":\"acme\",\"procedure\":\"phones\",\"keyId\":\"k 1\",\"allowedDomains\":"
                     "\"a.example.com,b.example.com\",\"attributes\":{\"organisationUnit\":\"x\\\\,y,z\"}"))
            .result,
        ACT_DONE);
    assert_int_equal(act_as(w, "clerk", REGISTER(ROUTER("*"))).result, ACT_NO_RIGHT);
    report = check_audit(w);
    if (!report.sound)
        fail_msg("%s", report.fault);
    assert_int_equal(report.officers, 2);
    assert_int_equal(report.acts, 4);
    assert_int_equal(report.refused_acts, 1);
    assert_int_equal(report.registrations, 2);
    assert_int_equal(report.secrets, 1);
}

static void a_registration_that_nobody_signed_is_found(void **state)
{
    struct world *w = *state;
    struct registration r;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com"))).result, ACT_DONE);
    assert_true(find(w, "a.example.com", &r));
    r.id.bytes[0] ^= 1;
    r.fqdn.text[0] = 'b';
    smuggle(w, &r, 0);
    assert_unsound(w, "no signed act");
}

static void a_field_that_nobody_signed_is_found(void **state)
{
    struct world *w = *state;
    struct registration r;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com") ",\"serialNumber\":\"7\"")).result,
                     ACT_DONE);
    assert_true(find(w, "a.example.com", &r));
    r.serial_number = BYTES_NONE;
    smuggle(w, &r, 1);
    assert_unsound(w, "not what was signed");
}

static void a_registration_opened_by_nobody_is_found(void **state)
{
    struct world *w = *state;
    struct registration r;

    assert_int_equal(act_as(w, "chief", REGISTER(ROUTER("a.example.com"))).result, ACT_DONE);
    assert_int_equal(
        act_as(w, "chief", "{\"act\":\"close\",\"procedure\":\"routers\",\"fqdn\":\"a.example.com\"}").result,
        ACT_DONE);
    assert_true(find(w, "a.example.com", &r));
    r.state = REGISTRATION_OPEN;
    smuggle(w, &r, 2);
    assert_unsound(w, "state");
}

static void another_secret_is_found(void **state)
{
    struct world *w = *state;
    struct registration r;
    uint8_t plain[ACT_SALT_LEN + 3] = "";

    assert_int_equal(register_with(w, "chief", ROUTER("a.example.com"), "one", "one").result, ACT_DONE);
    assert_true(find(w, "a.example.com", &r));
    must(w, keys_seal(w->keys, BYTES_ARRAY(plain), registration_id_bytes(&r.id), w->arena, &r.sealed_secret,
                      &w->err));
    smuggle(w, &r, 1);
    assert_unsound(w, "registration"); /* its revision, or its secret: whichever is seen first */
}

static void an_officer_that_nobody_appointed_is_found(void **state)
{
    struct world *w = *state;
    struct changes changes;
    struct officer_record officer = { .key_id = BYTES_LITERAL("smuggled"),
                                      .name = BYTES_LITERAL("x"),
                                      .spki = keys_public(w->keys, "stranger"),
                                      .rights = RIGHTS_ALL };

    changes_begin(&changes, w->arena);
    change_officer_put(&changes, &officer);
    assert_int_equal(apply_changes(w, &changes), APPLY_DONE);
    assert_unsound(w, "officer");
}

static void a_second_first_officer_is_found(void **state)
{
    struct world *w = *state;
    struct bytes payload = an_appointment(w, "stranger", "\"rights\":[\"register\"]");
    struct changes changes;
    struct act_outcome outcome;

    changes_begin(&changes, w->arena);
    must(w,
         officer_act_first(&changes, sign(w, "stranger", payload, "muster:init", NOW_S), &outcome, &w->err));
    assert_int_equal(apply_changes(w, &changes), APPLY_DONE);
    assert_unsound(w, "no officer appointed");
}

static void an_act_that_was_forged_is_found(void **state)
{
    struct world *w = *state;
    struct bytes jws = sign(w, "stranger", BYTES_LITERAL(REGISTER(ROUTER("a.example.com"))), URL, NOW_S);
    struct bytes entry = arena_format(w->arena, "{\"effect\":{},\"jws\":%.*s}", BYTES_FMT(jws));
    struct changes changes;

    changes_begin(&changes, w->arena);
    change_audit_append(&changes, AUDIT_ACT, entry);
    assert_int_equal(apply_changes(w, &changes), APPLY_DONE);
    assert_unsound(w, "signed by nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        officer_test(what_officers_signed_is_sound),
        officer_test(a_registration_that_nobody_signed_is_found),
        officer_test(a_field_that_nobody_signed_is_found),
        officer_test(a_registration_opened_by_nobody_is_found),
        officer_test(another_secret_is_found),
        officer_test(an_officer_that_nobody_appointed_is_found),
        officer_test(a_second_first_officer_is_found),
        officer_test(an_act_that_was_forged_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
