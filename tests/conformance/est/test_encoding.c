#include "tests/conformance/est/est_case.h"

static struct bytes csr(struct est_case *c)
{
    return est_client_csr(c->arena, &(struct est_csr_plan){ 0 });
}

static struct http_response send_body(struct est_case *c, struct bytes body)
{
    return est_ask(c, (struct est_plan){ .password = "s3cret", .body = body });
}

static void est_20_22_bodies_are_base64_wrapped_in_any_way(void **state)
{
    static const unsigned columns[] = { 0, 64, 76, 1 };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        struct http_response response = send_body(c, est_client_base64(c->arena, csr(c), columns[i]));

        (void)assert_issued(c, &response);
    }
}

static void est_21_content_transfer_encoding_is_ignored(void **state)
{
    static const char *const values[] = { "base64", "binary", "8bit", "nonsense" };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct http_response response = est_ask(
            c, (struct est_plan){
                   .password = "s3cret",
                   .more = { BYTES_LITERAL("Content-Transfer-Encoding"), bytes_text(values[i]) } });

        (void)assert_issued(c, &response);
    }
}

static void est_23_each_client_gets_the_lines_that_it_can_read(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_get(c, "/.well-known/est/demo/cacerts");

    assert_int_equal(bytes_find(response.body, '\n'), response.body.len - 1);
    response = est_ask(c, (struct est_plan){ .path = "/.well-known/est/demo/cacerts",
                                             .method = HTTP_METHOD_GET,
                                             .content_type = "",
                                             .user_agent = "libest 3.2.0p" });
    assert_int_equal(bytes_find(response.body, '\n'), 64);
    assert_int_equal(response.body.data[response.body.len - 1], '\n');
    assert_text(est_client_header(&response, "Content-Transfer-Encoding", 0), "base64");
}

static void est_24_der_and_pem_bodies_are_taken_and_noted(void **state)
{
    struct est_case *c = *state;
    struct bytes der = csr(c);
    struct bytes text = est_client_base64(c->arena, der, 64);
    struct bytes pem = arena_format(
        c->arena, "-----BEGIN CERTIFICATE REQUEST-----\n%.*s-----END CERTIFICATE REQUEST-----\n",
        BYTES_FMT(text));
    struct http_response response = send_body(c, der);

    (void)assert_issued(c, &response);
    assert_non_null(c->facts.detail);
    response = send_body(c, pem);
    (void)assert_issued(c, &response);
    c->g->procedure.dialect.est_strict_base64 = true;
    response = send_body(c, der);
    assert_status(c, &response, 400);
    response = send_body(c, pem);
    assert_status(c, &response, 400);
    response = send_body(c, text);
    (void)assert_issued(c, &response);
}

static void est_25_what_is_no_base64_of_one_der_element_is_malformed(void **state)
{
    struct est_case *c = *state;
    struct bytes der = csr(c), longer = arena_copy(c->arena, bytes_of(der.data, der.len));
    uint8_t *trailing = arena_alloc(c->arena, der.len + 1);
    struct bytes bad[6];

    assert_non_null(trailing);
    memcpy(trailing, der.data, der.len);
    longer = bytes_of(trailing, der.len + 1);
    bad[0] = BYTES_LITERAL("!!!!");
    bad[1] = BYTES_LITERAL("");
    bad[2] = BYTES_LITERAL("AAAA");
    bad[3] = est_client_base64(c->arena, longer, 64);
    bad[4] = est_client_base64(c->arena, bytes_slice(der, 0, der.len - 1), 64);
    bad[5] = bytes_slice(est_client_base64(c->arena, der, 64), 0, 101);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct http_response response = send_body(c, bad[i]);

        assert_status(c, &response, 400);
        assert_reason(c, "syntax");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_20_22_bodies_are_base64_wrapped_in_any_way),
        EST_ROW(est_21_content_transfer_encoding_is_ignored),
        EST_ROW(est_23_each_client_gets_the_lines_that_it_can_read),
        EST_ROW(est_24_der_and_pem_bodies_are_taken_and_noted),
        EST_ROW(est_25_what_is_no_base64_of_one_der_element_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
