/* Resources, methods, what every answer carries (RFC 8555 6.1 to 6.3, 7.1). */
#include "tests/conformance/acme/acme_case.h"

static void acme_1_plain_http_is_not_served(void **state)
{
    struct acme_case *c = *state;
    struct http_request *request = acme_request(c, HTTP_METHOD_GET, "directory");
    struct http_response r;

    request->peer.tls = false;
    r = acme_send(c, request);
    assert_problem(c, &r, "malformed", 403);
    r = acme_ask(c, (struct acme_plan){ .resource = "new-account", .payload = "{}", .plain = true });
    assert_problem(c, &r, "malformed", 403);
}

static void acme_2_any_origin_may_read(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));

    assert_text(acme_header(&r, "Access-Control-Allow-Origin", 0), "*");
    r = acme_send(c, acme_request(c, HTTP_METHOD_OPTIONS, "new-order"));
    assert_int_equal(r.status, 204);
    assert_text(acme_header(&r, "Access-Control-Allow-Origin", 0), "*");
}

static void acme_3_the_directory_names_what_is_offered(void **state)
{
    static const char *const names[] = { "newNonce",   "newAccount", "newOrder",   "newAuthz",
                                         "revokeCert", "keyChange",  "renewalInfo" };
    struct acme_case *c = *state;
    struct http_response r = acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));

    assert_status(c, &r, 200);
    assert_text(acme_header(&r, "Content-Type", 0), "application/json");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)acme_path(c, json_member(c->json, names[i]));
    assert_int_equal(json_object_size(c->json), COUNT_OF(names) + 1);
}

static void acme_4_meta_says_what_is_so(void **state)
{
    struct acme_case *c = *state;
    struct procedure *p = &c->g->procedure;
    static const char *const identities[] = { "ca.example.net" };
    const json_t *meta;

    (void)acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    meta = json_object_get(c->json, "meta");
    assert_true(json_is_true(json_object_get(meta, "externalAccountRequired")));
    assert_int_equal(json_object_size(meta), 1);
    p->acme_binding = false;
    (void)acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    assert_null(json_object_get(c->json, "meta"));
    p->acme_terms_url = "https://example.com/terms";
    p->acme_website_url = "https://example.com/";
    p->acme_caa_identity = identities;
    p->acme_caa_identity_count = 1;
    (void)acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    meta = json_object_get(c->json, "meta");
    assert_text(json_member(meta, "termsOfService"), "https://example.com/terms");
    assert_text(json_member(meta, "website"), "https://example.com/");
    assert_int_equal(json_array_size(json_object_get(meta, "caaIdentities")), 1);
}

static void acme_5_no_header_steers_a_url(void **state)
{
    static const struct http_header headers[] = { { BYTES_LITERAL("Host"), BYTES_LITERAL("evil.example") },
                                                  { BYTES_LITERAL("X-Forwarded-Host"),
                                                    BYTES_LITERAL("evil.example") } };
    struct acme_case *c = *state;
    struct http_request *request = acme_request(c, HTTP_METHOD_GET, "directory");
    struct http_response r;

    request->header = headers;
    request->header_count = COUNT_OF(headers);
    r = acme_send(c, request);
    assert_status(c, &r, 200);
    assert_member(c, "newOrder", "https://ra.example.com/acme/demo/new-order");
}

static void acme_6_get_is_405_elsewhere(void **state)
{
    struct acme_case *c = *state;
    static const char *const resources[] = { "new-account", "new-order", "account/AAAAAAAAAAAAAAAAAAAAAA",
                                             "certificate/AAAAAAAAAAAAAAAAAAAAAA", "revoke-cert" };

    for (size_t i = 0; i < COUNT_OF(resources); i++) {
        struct http_response r = acme_send(c, acme_request(c, HTTP_METHOD_GET, resources[i]));

        assert_problem(c, &r, "malformed", 405);
        assert_text(acme_header(&r, "Allow", 0), "POST");
    }
}

static void acme_7_what_is_read_takes_an_empty_payload_alone(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    r = acme_ask(c, (struct acme_plan){ .resource = o.order, .payload = "{}" });
    assert_problem(c, &r, "malformed", 400);
    r = acme_get(c, o.order);
    assert_status(c, &r, 200);
    r = acme_get(c, "new-order");
    assert_problem(c, &r, "malformed", 400);
}

static void acme_8_directory_and_nonce_by_post(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = acme_get(c, "directory");
    assert_status(c, &r, 200);
    assert_true(json_member(c->json, "newOrder").len > 0);
    r = acme_get(c, "new-nonce");
    assert_int_equal(r.status, 200);
}

static void acme_9_answers_link_to_the_directory(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_ask(
        c, (struct acme_plan){ .resource = "new-account", .by_key = true, .payload = "{}" });

    assert_problem(c, &r, "externalAccountRequired", 403);
    assert_text(acme_header(&r, "Link", 0), "<https://ra.example.com/acme/demo/directory>;rel=\"index\"");
    r = acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    assert_int_equal(acme_header(&r, "Link", 0).len, 0);
}

static void acme_11_what_is_unknown_and_what_is_anothers_look_alike(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response foreign, unknown;
    static const char *const kinds[] = { "order", "authz", "account", "certificate" };

    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    o = acme_ordered(c, "a.example.com");
    foreign = acme_ask(c, (struct acme_plan){ .resource = o.order, .key = ACME_KEY_B });
    assert_problem(c, &foreign, "malformed", 404);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const char *path = acme_text(c->arena, "%s/AAAAAAAAAAAAAAAAAAAAAA", kinds[i]);

        unknown = acme_ask(c, (struct acme_plan){ .resource = path, .key = ACME_KEY_B });
        assert_problem(c, &unknown, "malformed", 404);
        assert_bytes(unknown.body, foreign.body);
    }
    foreign = acme_ask(c, (struct acme_plan){ .resource = o.authz[0], .key = ACME_KEY_B });
    assert_problem(c, &foreign, "malformed", 404);
    foreign = acme_ask(c, (struct acme_plan){ .resource = acme_challenge_of(c, o.authz[0], "http-01").path,
                                              .key = ACME_KEY_B,
                                              .payload = "{}" });
    assert_problem(c, &foreign, "malformed", 404);
}

static void acme_12_other_media_types_are_415(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_ask(
        c,
        (struct acme_plan){ .resource = "new-account", .payload = "{}", .content_type = "application/json" });

    assert_problem(c, &r, "malformed", 415);
    assert_true(acme_header(&r, "Replay-Nonce", 0).len > 0);
}

static void acme_15_orders_are_bounded(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    c->g->procedure.acme_orders_max = 2;
    acme_joined(c, ACME_KEY_A);
    (void)acme_ordered(c, "a.example.com");
    (void)acme_ordered(c, "a.example.com");
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_problem(c, &r, "rateLimited", 429);
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
    c->g->now_s += 8 * 86400; /* they are over */
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_status(c, &r, 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_1_plain_http_is_not_served),
        ACME_ROW(acme_2_any_origin_may_read),
        ACME_ROW(acme_3_the_directory_names_what_is_offered),
        ACME_ROW(acme_4_meta_says_what_is_so),
        ACME_ROW(acme_5_no_header_steers_a_url),
        ACME_ROW(acme_6_get_is_405_elsewhere),
        ACME_ROW(acme_7_what_is_read_takes_an_empty_payload_alone),
        ACME_ROW(acme_8_directory_and_nonce_by_post),
        ACME_ROW(acme_9_answers_link_to_the_directory),
        ACME_ROW(acme_11_what_is_unknown_and_what_is_anothers_look_alike),
        ACME_ROW(acme_12_other_media_types_are_415),
        ACME_ROW(acme_15_orders_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
