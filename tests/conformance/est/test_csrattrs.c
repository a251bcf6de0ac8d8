#include "lib/base/encode.h"
#include "tests/conformance/est/est_case.h"

static const char PATH[] = "/.well-known/est/demo/csrattrs";

static void est_80_81_without_demands_anyone_gets_no_content(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_get(c, PATH);

    assert_int_equal(response.status, 204);
    assert_int_equal(response.body.len, 0);
}

static void est_81_82_required_linking_is_stated(void **state)
{
    struct est_case *c = *state;
    struct http_response response;

    c->g->procedure.est_link_required = true;
    response = est_get(c, PATH);
    assert_int_equal(response.status, 200);
    assert_text(est_client_header(&response, "Content-Type", 0), "application/csrattrs");
    assert_text(response.body, "MAsGCSqGSIb3DQEJBw==\n");
}

static void est_83_85_the_only_kind_of_key_is_stated(void **state)
{
    struct est_case *c = *state;
    struct http_response response;

    c->g->procedure.est_link_required = true;
    c->g->profile.keys = (struct key_rules){ .rsa_bits_min = 4096, .rsa_bits_max = 8192 };
    response = est_get(c, PATH);
    assert_text(response.body, "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==\n");
}

static void est_81_86_a_configured_answer_goes_out_as_it_is(void **state)
{
    static const char vector[] = "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==";
    struct est_case *c = *state;
    uint8_t *der = arena_alloc(c->arena, BASE64_DECODED_MAX(sizeof(vector)));
    struct http_response response;
    size_t len;

    assert_non_null(der);
    assert_true(base64_decode(BYTES_LITERAL(vector), der, &len));
    c->g->procedure.csrattrs = bytes_of(der, len);
    response = est_get(c, PATH);
    assert_int_equal(response.status, 200);
    assert_int_equal(response.body.len, sizeof(vector));
    assert_memory_equal(response.body.data, vector, sizeof(vector) - 1);
}

/* libest makes of every OID an attribute with an empty value. */
static void est_89_an_echo_of_csrattrs_is_accepted(void **state)
{
    static const char *const oids[] = { "1.2.840.10045.2.1", "1.3.132.0.34", "1.2.840.113549.1.9.16.2.58" };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(oids); i++) {
        struct http_response response = est_ask(
            c,
            (struct est_plan){ .password = "s3cret", .csr = { .oid = oids[i], .text = "", .password = "" } });

        (void)assert_issued(c, &response);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_80_81_without_demands_anyone_gets_no_content),
        EST_ROW(est_81_82_required_linking_is_stated),
        EST_ROW(est_83_85_the_only_kind_of_key_is_stated),
        EST_ROW(est_81_86_a_configured_answer_goes_out_as_it_is),
        EST_ROW(est_89_an_echo_of_csrattrs_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
