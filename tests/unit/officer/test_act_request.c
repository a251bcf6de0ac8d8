#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "officer/act_request.h"

static void each_act_keeps_what_it_names(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct act_request r;
    struct json_fault fault;

    (void)state;
    assert_int_equal(
        act_request_parse(BYTES_LITERAL("{\"act\":\"revoke\",\"issuer\":\"00000000000000000000000000000000"
                                        "000000000000000000000000000000ff\",\"serial\":\"0000a1\","
                                        "\"reason\":\"keyCompromise\"}"),
                          arena, &r, &fault),
        REGISTRATION_JSON_OK);
    assert_int_equal(r.kind, ACT_REVOKE);
    assert_int_equal(r.reason, REVOCATION_KEY_COMPROMISE);
    assert_int_equal(r.certificate.serial_len, 1);
    assert_int_equal(r.certificate.serial[0], 0xa1);
    assert_int_equal(r.certificate.issuer.bytes[31], 0xff);
    assert_int_equal(
        act_request_parse(BYTES_LITERAL("{\"act\":\"deny\",\"pending\":\"00ff\"}"), arena, &r, &fault),
        REGISTRATION_JSON_OK);
    assert_int_equal(r.kind, ACT_DENY);
    assert_true(bytes_is(r.pending, "00ff"));
    assert_int_equal(
        act_request_parse(BYTES_LITERAL("{\"act\":\"register\",\"registration\":{\"b\":1,\"a\":2}}"), arena,
                          &r, &fault),
        REGISTRATION_JSON_OK);
    assert_true(bytes_is(r.object, "{\"a\":2,\"b\":1}"));
    assert_false(r.has_revision);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *field;
    } rows[] = {
        { "[]", "" },
        { "{}", "act" },
        { "{\"act\":\"none\"}", "act" },
        { "{\"act\":\"register\"}", "registration" },
        { "{\"act\":\"register\",\"registration\":1}", "registration" },
        { "{\"act\":\"register\",\"registration\":{},\"revision\":-1}", "revision" },
        { "{\"act\":\"register\",\"registration\":{},\"pending\":\"1\"}", "pending" },
        { "{\"act\":\"register\",\"registration\":{},\"password\":\"1\"}", "password" },
        { "{\"act\":\"close\",\"procedure\":\"p\"}", "fqdn" },
        { "{\"act\":\"close\",\"procedure\":\"p\",\"fqdn\":\"a.b.c\",\"keyId\":\"k\"}", "fqdn" },
        { "{\"act\":\"close\",\"fqdn\":\"a.b.c\"}", "procedure" },
        { "{\"act\":\"revoke\",\"serial\":\"01\"}", "issuer" },
        { "{\"act\":\"approve\"}", "pending" },
        { "{\"act\":\"approve\",\"pending\":\"\"}", "pending" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *arena = arena_new(1 << 16);
        struct act_request r;
        struct json_fault fault;

        assert_int_equal(act_request_parse(bytes_text(rows[i].text), arena, &r, &fault),
                         REGISTRATION_JSON_FAULT);
        assert_string_equal(fault.field, rows[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_act_keeps_what_it_names),
        cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
