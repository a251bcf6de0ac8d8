#include "officer_fixture.h"

static void an_officer_comes_back_as_it_went(void **state)
{
    struct world *w = *state;
    struct bytes payload = an_appointment(w, "clerk",
                                          "\"rights\":\"register,read\",\"suffixes\":[\"Example.COM.\"],"
                                          "\"procedures\":[\"routers\"]");
    struct act_request request;
    struct officer_record officer, again;
    struct json_fault fault;

    assert_int_equal(act_request_parse(payload, w->arena, &request, &fault), REGISTRATION_JSON_OK);
    {
        AUTO(json_t) *object = json_read(request.object);

        assert_int_equal(officer_from_json(object, w->arena, &officer, &fault), REGISTRATION_JSON_OK);
    }
    assert_int_equal(officer.rights, RIGHT_REGISTER | RIGHT_READ);
    assert_true(bytes_is(officer.suffix[0], "example.com"));
    assert_int_equal(officer.key_id.len, JWK_THUMBPRINT_LEN);
    assert_true(bytes_equal(officer.spki, keys_public(w->keys, "clerk")));
    {
        AUTO(json_t) *object = officer_to_json(&officer);

        assert_int_equal(officer_from_json(object, w->arena, &again, &fault), REGISTRATION_JSON_OK);
    }
    assert_int_equal(again.rights, officer.rights);
    assert_true(bytes_equal(again.key_id, officer.key_id));
    assert_true(bytes_is(again.procedure[0], "routers"));
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *members, *field;
    } rows[] = {
        { "\"rights\":[\"everything\"]", "officer.rights" },
        { "\"rights\":[],\"shoe\":1", "officer.shoe" },
        { "\"rights\":[],\"certificate\":\"00\"", "officer.certificate" },
        { "\"rights\":[],\"suffixes\":[\"no name\"]", "officer.suffixes" },
        { "\"rights\":[],\"disabled\":1", "officer.disabled" },
        { "\"procedures\":[]", "officer.rights" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct act_outcome outcome = send_jws(
            w, sign(w, "chief", an_appointment(w, "clerk", rows[i].members), URL, NOW_S));

        assert_int_equal(outcome.result, ACT_FIELD);
        assert_true(bytes_starts_with(bytes_text(outcome.detail), rows[i].field));
    }
}

static void every_right_has_a_name(void **state)
{
    (void)state;
    for (uint32_t right = 1; right <= RIGHTS_ALL; right <<= 1)
        assert_int_equal(right_from_name(bytes_text(right_name(right))), right);
    assert_int_equal(right_from_name(BYTES_LITERAL("all")), 0);
    assert_null(right_name(RIGHTS_ALL + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        officer_test(an_officer_comes_back_as_it_went),
        officer_test(what_is_wrong_is_named),
        officer_test(every_right_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
