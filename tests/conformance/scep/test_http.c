/* SCEP-1 to SCEP-13: the HTTP binding. */
#include "tests/conformance/scep/scep_case.h"

static struct bytes a_message(struct scep_case *c, struct scep_plan *plan)
{
    plan->csr.password = "s3cret";
    return scep_message(c, plan);
}

static void assert_issued(struct scep_case *c, const struct http_response *response,
                          const struct scep_plan *plan)
{
    struct scep_said said;

    assert_http(response, 200, PKI_MESSAGE);
    said = scep_client_read(response->body, c->ra, plan);
    (void)assert_success(c, &said);
}

/* GET with the message as base64 in the given spelling. */
enum spelling { PERCENT, WRAPPED, TWICE, BLANKS, URL_ALPHABET, MESSAGE_FIRST, BARE };

static void put_character(struct buffer *out, char ch, enum spelling spelling)
{
    bool escape = ch == '+' || ch == '/' || ch == '=';

    switch (spelling) {
    case PERCENT:
    case MESSAGE_FIRST:
        if (escape)
            buffer_format(out, "%%%02X", (unsigned)ch);
        else
            buffer_append_byte(out, (uint8_t)ch);
        return;
    case WRAPPED: /* sscep */
        if (escape && ch != '/')
            buffer_format(out, "%%%02X", (unsigned)ch);
        else if (ch == '\n')
            buffer_append_text(out, "%0A");
        else
            buffer_append_byte(out, (uint8_t)ch);
        return;
    case TWICE:
        if (escape)
            buffer_format(out, "%%25%02X", (unsigned)ch);
        else
            buffer_append_byte(out, (uint8_t)ch);
        return;
    case BLANKS: /* '+' became a blank, padding was lost */
        if (ch == '+')
            buffer_append_text(out, "%20");
        else if (ch != '=')
            buffer_append_byte(out, (uint8_t)ch);
        return;
    case URL_ALPHABET: /* scepclient */
        if (ch == '=')
            buffer_append_text(out, "%3D");
        else
            buffer_append_byte(out, (uint8_t)(ch == '+' ? '-' : ch == '/' ? '_' : ch));
        return;
    case BARE: buffer_append_byte(out, (uint8_t)ch); return;
    }
}

static struct http_response get_message(struct scep_case *c, struct bytes message, enum spelling spelling)
{
    AUTO_STRUCT(buffer) base64 = BUFFER(1 << 20);
    AUTO_STRUCT(buffer) query = BUFFER(1 << 20);
    struct bytes copy;

    base64_encode(&base64, message, spelling == WRAPPED ? 64 : 0);
    if (spelling != MESSAGE_FIRST)
        buffer_append_text(&query, "operation=PKIOperation&");
    buffer_append_text(&query, "message=");
    for (size_t i = 0; i < base64.len; i++)
        put_character(&query, (char)base64.data[i], spelling);
    if (spelling == MESSAGE_FIRST)
        buffer_append_text(&query, "&operation=PKIOperation");
    copy = arena_copy(c->arena, buffer_bytes(&query));
    assert_non_null(copy.data);
    return scep_http(c, HTTP_METHOD_GET, "/scep/demo", copy, BYTES_NONE);
}

static void check_get(struct scep_case *c, enum spelling spelling)
{
    struct scep_plan plan = { 0 };
    struct bytes message = a_message(c, &plan);
    struct http_response response = get_message(c, message, spelling);

    assert_issued(c, &response, &plan);
}

static void scep_1_10_a_message_posted_over_plain_http_is_answered_in_binary(void **state)
{
    struct scep_plan plan = { 0 };
    struct http_response response = scep_post(*state, a_message(*state, &plan));

    assert_issued(*state, &response, &plan);
}

static void scep_2_get_with_escaped_base64(void **state)
{
    check_get(*state, PERCENT);
}

static void scep_2_get_with_message_before_operation(void **state)
{
    check_get(*state, MESSAGE_FIRST);
}

static void scep_3_get_with_wrapped_base64(void **state)
{
    check_get(*state, WRAPPED);
}

static void scep_3_get_with_base64_escaped_twice(void **state)
{
    check_get(*state, TWICE);
}

static void scep_3_get_with_blanks_for_plus_and_no_padding(void **state)
{
    check_get(*state, BLANKS);
}

static void scep_3_get_with_nothing_escaped(void **state)
{
    check_get(*state, BARE);
}

static void scep_4_get_in_the_url_alphabet(void **state)
{
    check_get(*state, URL_ALPHABET);
}

static void scep_4_what_is_no_base64_is_400(void **state)
{
    struct http_response response = scep_get(*state, "operation=PKIOperation&message=M*A");

    assert_http_error(&response, 400);
    response = scep_get(*state, "operation=PKIOperation&message=%zz");
    assert_http_error(&response, 400);
    response = scep_get(*state, "operation=PKIOperation");
    assert_http_error(&response, 400);
}

static void scep_5_every_path_of_the_service_is_the_service(void **state)
{
    static const char *const paths[] = { "/scep", "/scep/demo", "/scep/demo/pkiclient.exe",
                                         "/scep/pkiclient.exe", "/cgi-bin/pkiclient.exe" };

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct http_response response = scep_http(*state, HTTP_METHOD_GET, paths[i],
                                                  BYTES_LITERAL("operation=GetCACaps"), BYTES_NONE);

        assert_http(&response, 200, "text/plain");
    }
}

static void scep_6_a_post_without_operation_is_a_pki_operation(void **state)
{
    struct scep_plan plan = { 0 };
    struct http_response response = scep_http(*state, HTTP_METHOD_POST, "/scep/demo", BYTES_NONE,
                                              a_message(*state, &plan));

    assert_issued(*state, &response, &plan);
}

static void scep_7_other_operations_are_400(void **state)
{
    struct http_response response = scep_get(*state, "operation=Revoke");

    assert_http_error(&response, 400);
    response = scep_get(*state, "");
    assert_http_error(&response, 400);
    response = scep_http(*state, HTTP_METHOD_POST, "/scep/demo", BYTES_LITERAL("operation=GetCACert"),
                         BYTES_LITERAL("x"));
    assert_http_error(&response, 400);
    response = scep_http(*state, HTTP_METHOD_POST, "/scep/demo", BYTES_LITERAL("operation=%"),
                         BYTES_LITERAL("x"));
    assert_http_error(&response, 400);
}

static void scep_8_the_media_type_of_a_request_does_not_matter(void **state)
{
    struct scep_case *c = *state;
    static const char *const types[] = { "application/octet-stream", "text/html", "" };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct scep_plan plan = { 0 };
        const struct http_header header = { BYTES_LITERAL("Content-Type"), bytes_text(types[i]) };
        struct http_request request = {
            .method = HTTP_METHOD_POST,
            .path = BYTES_LITERAL("/scep/demo"),
            .query = BYTES_LITERAL("operation=PKIOperation"),
            .header = &header,
            .header_count = 1,
            .body = a_message(c, &plan),
            .arena = c->arena,
        };
        struct http_response response = a_gateway_ask(c->g, &request, NULL);

        assert_issued(c, &response, &plan);
    }
}

static void scep_9_a_failure_is_http_200_with_the_bare_media_type(void **state)
{
    struct scep_plan plan = { .csr.password = "wrong" };
    struct http_response response = scep_post(*state, scep_message(*state, &plan));

    assert_http(&response, 200, PKI_MESSAGE);
    assert_int_equal(scep_client_read(response.body, ((struct scep_case *)*state)->ra, &plan).pki_status,
                     FAILURE);
}

static void scep_11_other_methods_are_405(void **state)
{
    static const enum http_method methods[] = { HTTP_METHOD_PUT, HTTP_METHOD_DELETE, HTTP_METHOD_HEAD,
                                                HTTP_METHOD_PATCH, HTTP_METHOD_OTHER };

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        struct http_response response = scep_http(*state, methods[i], "/scep/demo",
                                                  BYTES_LITERAL("operation=PKIOperation"), BYTES_NONE);

        assert_http_error(&response, 405);
        assert_text(scep_header(&response, "Allow"), "GET, POST");
    }
}

static void scep_12_a_ca_identifier_is_never_an_error(void **state)
{
    struct http_response response = scep_get(*state, "operation=GetCACaps&message=0");

    assert_int_equal(response.status, 200);
    response = scep_get(*state, "operation=GetCACert&message=CAIdentifier");
    assert_int_equal(response.status, 200);
    response = scep_get(*state, "operation=GetCACert&message=My%20CA");
    assert_int_equal(response.status, 200);
}

static void scep_13_what_no_reply_can_be_correlated_with_is_400(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan no_transaction = { .transaction_id = "" }, no_attributes = { .no_attributes = true };
    const struct bytes bodies[] = {
        BYTES_LITERAL("not DER"),         BYTES_LITERAL(""),
        BYTES_LITERAL("0\x80"),           scep_client_csr(c->arena, &(struct scep_csr_plan){ 0 }),
        scep_message(c, &no_transaction), scep_message(c, &no_attributes),
    };

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct http_response response = scep_post(c, bodies[i]);

        assert_http_error(&response, 400);
        assert_string_equal(c->facts.verdict, "refused");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCEP_ROW(scep_1_10_a_message_posted_over_plain_http_is_answered_in_binary),
        SCEP_ROW(scep_2_get_with_escaped_base64),
        SCEP_ROW(scep_2_get_with_message_before_operation),
        SCEP_ROW(scep_3_get_with_wrapped_base64),
        SCEP_ROW(scep_3_get_with_base64_escaped_twice),
        SCEP_ROW(scep_3_get_with_blanks_for_plus_and_no_padding),
        SCEP_ROW(scep_3_get_with_nothing_escaped),
        SCEP_ROW(scep_4_get_in_the_url_alphabet),
        SCEP_ROW(scep_4_what_is_no_base64_is_400),
        SCEP_ROW(scep_5_every_path_of_the_service_is_the_service),
        SCEP_ROW(scep_6_a_post_without_operation_is_a_pki_operation),
        SCEP_ROW(scep_7_other_operations_are_400),
        SCEP_ROW(scep_8_the_media_type_of_a_request_does_not_matter),
        SCEP_ROW(scep_9_a_failure_is_http_200_with_the_bare_media_type),
        SCEP_ROW(scep_11_other_methods_are_405),
        SCEP_ROW(scep_12_a_ca_identifier_is_never_an_error),
        SCEP_ROW(scep_13_what_no_reply_can_be_correlated_with_is_400),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
