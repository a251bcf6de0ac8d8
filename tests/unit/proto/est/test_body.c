#include "proto/est/body.h"

#include "lib/base/encode.h"
#include "tests/lib/test.h"

static int set_up(void **state)
{
    *state = arena_new(1 << 20);
    return *state == NULL;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static const uint8_t DER[] = { 0x30, 0x03, 0x02, 0x01, 0x07 };

static void base64_is_read_however_it_is_wrapped(void **state)
{
    static const char *const forms[] = { "MAMCAQc=", "MAMCAQc=\n", "MAMC\r\nAQc=\r\n",
                                         " MA\tMC AQ\nc=", "MAMCAQc" };

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct bytes der = BYTES_NONE;

        assert_int_equal(est_body_decode(bytes_text(forms[i]), true, *state, &der), EST_BODY_BASE64);
        assert_bytes(der, BYTES_ARRAY(DER));
    }
}

static void der_and_pem_are_quirks_that_strictness_refuses(void **state)
{
    static const char pem[] =
        "-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQc=\n-----END CERTIFICATE REQUEST-----\n";
    struct bytes der = BYTES_NONE;

    assert_int_equal(est_body_decode(BYTES_ARRAY(DER), false, *state, &der), EST_BODY_DER);
    assert_bytes(der, BYTES_ARRAY(DER));
    assert_int_equal(est_body_decode(BYTES_LITERAL(pem), false, *state, &der), EST_BODY_PEM);
    assert_bytes(der, BYTES_ARRAY(DER));
    assert_int_equal(est_body_decode(BYTES_ARRAY(DER), true, *state, &der), EST_BODY_MALFORMED);
    assert_int_equal(est_body_decode(BYTES_LITERAL(pem), true, *state, &der), EST_BODY_MALFORMED);
}

static const char EMPTY_PEM[] = "-----BEGIN CERTIFICATE REQUEST-----\n"
                                "-----END CERTIFICATE REQUEST-----\n";

static void what_is_in_no_form_is_malformed_and_leaves_the_output(void **state)
{
    static const char *const bad[] = { "",         "\n \n",    "M",
                                       "MAM!AQc=", "MAMC=AQc", "-----BEGIN X-----\nMAMCAQc=\n",
                                       EMPTY_PEM };
    struct bytes der = BYTES_LITERAL("untouched");

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(est_body_decode(bytes_text(bad[i]), false, *state, &der), EST_BODY_MALFORMED);
    assert_text(der, "untouched");
}

static void a_full_arena_is_not_the_clients_fault(void **state)
{
    struct bytes der;

    arena_fail_after(*state, 1);
    assert_int_equal(est_body_decode(BYTES_LITERAL("MAMCAQc="), false, *state, &der), EST_BODY_MEMORY);
}

static struct bytes encoded_for(const char *user_agent, size_t len, struct arena *arena)
{
    static const uint8_t zeros[300];
    struct http_header header = { BYTES_LITERAL("User-Agent"), bytes_text(user_agent) };
    struct http_request request = { .header = &header,
                                    .header_count = user_agent != NULL ? 1 : 0,
                                    .arena = arena };
    struct bytes out = BYTES_NONE;

    assert_true(est_body_encode(bytes_of(zeros, len), &request, &out));
    return out;
}

static void libest_gets_lines_of_64_and_all_others_one_line(void **state)
{
    struct bytes wrapped = encoded_for("libest 3.2.0p", 300, *state);
    struct bytes line = encoded_for("curl/8", 300, *state);

    assert_int_equal(line.len, 401);
    assert_int_equal(bytes_find(line, '\n'), 400);
    assert_int_equal(bytes_find(wrapped, '\n'), 64);
    assert_int_equal(wrapped.len, 400 + 7);
    assert_int_equal(wrapped.data[wrapped.len - 1], '\n');
    assert_int_equal(encoded_for(NULL, 3, *state).len, 5);
    assert_int_equal(encoded_for("libest", 3, *state).len, 5);
}

static void what_was_encoded_decodes_to_itself(void **state)
{
    static const char *const agents[] = { "libest", "other" };

    for (size_t i = 0; i < COUNT_OF(agents); i++) {
        struct http_header header = { BYTES_LITERAL("User-Agent"), bytes_text(agents[i]) };
        struct http_request request = { .header = &header, .header_count = 1, .arena = *state };
        struct bytes text, der = BYTES_NONE;

        assert_true(est_body_encode(BYTES_ARRAY(DER), &request, &text));
        assert_int_equal(est_body_decode(text, true, *state, &der), EST_BODY_BASE64);
        assert_bytes(der, BYTES_ARRAY(DER));
    }
}

static void a_response_says_its_transfer_encoding(void **state)
{
    struct http_request request = { .arena = *state };
    struct http_response response;

    assert_true(est_respond(BYTES_ARRAY(DER), "application/csrattrs", &request, &response));
    assert_int_equal(response.status, 200);
    assert_text(response.header[0].name, "Content-Type");
    assert_text(response.header[0].value, "application/csrattrs");
    assert_text(response.header[1].name, "Content-Transfer-Encoding");
    assert_text(response.header[1].value, "base64");
    assert_text(response.body, "MAMCAQc=\n");
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(base64_is_read_however_it_is_wrapped),
        WITH_ARENA(der_and_pem_are_quirks_that_strictness_refuses),
        WITH_ARENA(what_is_in_no_form_is_malformed_and_leaves_the_output),
        WITH_ARENA(a_full_arena_is_not_the_clients_fault),
        WITH_ARENA(libest_gets_lines_of_64_and_all_others_one_line),
        WITH_ARENA(what_was_encoded_decodes_to_itself),
        WITH_ARENA(a_response_says_its_transfer_encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
