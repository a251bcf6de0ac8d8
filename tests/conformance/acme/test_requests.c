/* JWS and nonces (RFC 8555 6.2 to 6.5). */
#include "tests/conformance/acme/acme_case.h"

static struct http_response ask_body(struct acme_case *c, const char *body)
{
    return acme_ask(c, (struct acme_plan){ .resource = "new-order", .body = bytes_text(body) });
}

static void acme_16_17_other_forms_are_malformed(void **state)
{
    static const char *const bodies[] = {
        "",
        "e30.e30.AAAA",
        "{\"payload\":\"\",\"signatures\":[{\"protected\":\"e30\",\"signature\":\"AAAA\"}]}",
        "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AAAA\",\"header\":{}}",
        "{\"protected\":\"e30\",\"signature\":\"AAAA\"}",
        "{\"protected\":\"e30=\",\"payload\":\"\",\"signature\":\"AAAA\"}",
        "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AA+A\"}",
        "{\"protected\":\"e30\",\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"AAAA\"}",
    };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct http_response r = ask_body(c, bodies[i]);

        assert_problem(c, &r, "malformed", 400);
        assert_true(acme_header(&r, "Replay-Nonce", 0).len > 0);
    }
}

static void acme_16_crit_and_b64_are_malformed(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-order", .payload = "{}", .more = ",\"crit\":[\"exp\"],\"exp\":1" });
    assert_problem(c, &r, "malformed", 400);
    r = acme_ask(c, (struct acme_plan){ .resource = "new-order",
                                        .payload = "{}",
                                        .more = ",\"b64\":false,\"crit\":[\"b64\"]" });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_18_jwk_and_kid_exclude_each_other(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-order",
                        .payload = "{}",
                        .more = acme_text(c->arena, ",\"jwk\":%s", acme_client_jwk(c->arena, ACME_KEY_A)) });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_19_keys_of_each_kind_work(void **state)
{
    static const enum acme_client_key keys[] = { ACME_KEY_A, ACME_KEY_RSA, ACME_KEY_ED25519, ACME_KEY_P384 };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct http_response r;

        acme_joined(c, keys[i]);
        r = acme_order_as(c, keys[i], "a.example.com");
        assert_status(c, &r, 201);
    }
}

static void acme_20_algorithms_that_do_not_fit(void **state)
{
    static const char *const algorithms[] = { "none", "HS256", "ES384", "RS256", "XX999" };
    struct acme_case *c = *state;

    acme_joined(c, ACME_KEY_A);
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        struct http_response r = acme_ask(
            c, (struct acme_plan){ .resource = "new-order", .payload = "{}", .alg = algorithms[i] });

        assert_problem(c, &r, "badSignatureAlgorithm", 400);
        assert_true(json_array_size(json_object_get(c->json, "algorithms")) >= 6);
    }
}

static void acme_21_weak_keys(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_ask(
        c, (struct acme_plan){ .resource = "new-account", .key = ACME_KEY_RSA_1024, .payload = "{}" });

    assert_problem(c, &r, "badPublicKey", 400);
}

static void acme_22_a_key_signs_new_accounts_an_account_all_else(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = acme_ask(c, (struct acme_plan){ .resource = "new-order", .payload = "{}", .by_key = true });
    assert_problem(c, &r, "malformed", 400);
    r = acme_ask(c, (struct acme_plan){ .resource = "new-account", .payload = "{}" });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_23_kid_is_an_account_url_of_this_directory(void **state)
{
    static const char *const kids[] = {
        "https://ra.example.com/acme/other/account/AAAAAAAAAAAAAAAAAAAAAA",
        "https://evil.example/acme/demo/account/AAAAAAAAAAAAAAAAAAAAAA",
        "https://ra.example.com/acme/demo/account/AAAAAAAAAAAAAAAAAAAAAA",
        "https://ra.example.com/acme/demo/order/AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA",
    };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(kids); i++) {
        struct http_response r = acme_ask(
            c, (struct acme_plan){ .resource = "new-order", .payload = "{}", .kid = kids[i] });

        assert_problem(c, &r, "accountDoesNotExist", 400);
    }
}

static void acme_24_a_wrong_signature(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->kid[ACME_KEY_B] = c->kid[ACME_KEY_A];
    r = acme_ask(c, (struct acme_plan){ .resource = "new-order", .payload = "{}", .key = ACME_KEY_B });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_25_url_is_where_it_was_sent(void **state)
{
    static const char *const urls[] = {
        "https://ra.example.com/acme/demo/new-account", "https://ra.example.com/acme/other/new-order",
        "https://evil.example/acme/demo/new-order",     "http://ra.example.com/acme/demo/new-order",
        "https://ra.example.com/acme/demo/new-order?a", "https://RA.example.com/acme/demo/new-order",
    };
    struct acme_case *c = *state;

    acme_joined(c, ACME_KEY_A);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct http_response r = acme_ask(
            c, (struct acme_plan){ .resource = "new-order", .payload = "{}", .url = urls[i] });

        assert_problem(c, &r, "unauthorized", 403);
    }
}

static void acme_26_28_a_nonce_is_good_once(void **state)
{
    struct acme_case *c = *state;
    const char *nonce = acme_nonce(c);
    struct acme_plan plan = { .resource = "new-order", .nonce = nonce };
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    plan.payload = acme_text(c->arena, "{\"identifiers\":%s}", acme_identifiers(c, "a.example.com"));
    r = acme_ask(c, plan);
    assert_status(c, &r, 201);
    assert_true(acme_header(&r, "Replay-Nonce", 0).len > 0);
    r = acme_ask(c, plan);
    assert_problem(c, &r, "badNonce", 400);
    plan.nonce = arena_text(c->arena, acme_header(&r, "Replay-Nonce", 0));
    r = acme_ask(c, plan); /* and the client's retry succeeds */
    assert_status(c, &r, 201);
    plan.nonce = "";
    r = acme_ask(c, plan);
    assert_problem(c, &r, "badNonce", 400);
    plan.nonce = acme_nonce(c);
    c->g->now_s += ACME_NONCE_VALID_S + 1;
    r = acme_ask(c, plan);
    assert_problem(c, &r, "badNonce", 400);
}

static void acme_27_what_is_no_base64url_is_malformed(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_ask(
        c, (struct acme_plan){ .resource = "new-account", .payload = "{}", .nonce = "a+b/" });

    assert_problem(c, &r, "malformed", 400);
}

static void acme_29_new_nonce(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_send(c, acme_request(c, HTTP_METHOD_HEAD, "new-nonce"));

    assert_int_equal(r.status, 200);
    assert_text(acme_header(&r, "Cache-Control", 0), "no-store");
    assert_int_equal(acme_header(&r, "Replay-Nonce", 0).len, 43);
    r = acme_send(c, acme_request(c, HTTP_METHOD_GET, "new-nonce"));
    assert_int_equal(r.status, 204);
    assert_int_equal(acme_header(&r, "Replay-Nonce", 0).len, 43);
}

static void acme_30_nonces_of_an_earlier_start_are_bad(void **state)
{
    struct acme_case *c = *state;
    const char *nonce = acme_nonce(c);
    struct http_response r;

    acme_nonces_free(c->service.nonces);
    assert_true(acme_nonces_new(1024, &c->g->random, &c->service.nonces, NULL));
    r = acme_ask(c, (struct acme_plan){ .resource = "new-account", .payload = "{}", .nonce = nonce });
    assert_problem(c, &r, "badNonce", 400);
    assert_true(acme_header(&r, "Replay-Nonce", 0).len > 0);
}

static void acme_30_of_two_with_one_nonce_one_succeeds_however_often_it_runs(void **state)
{
    struct acme_case *c = *state;
    struct http_request *first, *second;
    struct http_response r;
    struct turn turn;
    const char *nonce;

    acme_joined(c, ACME_KEY_A);
    nonce = acme_nonce(c);
    first = acme_make(c, (struct acme_plan){ .resource = "directory", .nonce = nonce });
    second = acme_make(c, (struct acme_plan){ .resource = "directory", .nonce = nonce });
    assert_false(acme_serve_public(&c->service, &c->g->procedure, BYTES_LITERAL("directory"), first, &r));
    r = acme_run(c, first, &turn);
    assert_int_equal(r.status, 200);
    r = acme_run(c, second, &turn);
    assert_int_equal(r.status, 400);
    r = acme_run(c, first, &turn); /* another turn of the same */
    assert_int_equal(r.status, 200);
    r = acme_send(c, first); /* it arrives again: a replay at the same address */
    assert_problem(c, &r, "badNonce", 400);
}

static void acme_31_another_directorys_nonce_is_bad(void **state)
{
    struct acme_case *c = *state;
    const char *nonce = acme_nonce(c);
    struct http_response r;

    c->g->procedure.name = "other";
    r = acme_ask(c, (struct acme_plan){ .resource = "new-account", .payload = "{}", .nonce = nonce });
    assert_problem(c, &r, "badNonce", 400);
}

static void acme_32_hostile_payloads(void **state)
{
    struct acme_case *c = *state;
    AUTO_STRUCT(buffer) deep = BUFFER(4096);
    const char *const payloads[] = { "[]", "null", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}", "{", "{}{}" };
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        r = acme_ask(c, (struct acme_plan){ .resource = "new-order", .payload = payloads[i] });
        assert_problem(c, &r, "malformed", 400);
    }
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&deep, "[");
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-order",
                        .payload = acme_text(c->arena, "{\"a\":%.*s", BYTES_FMT(buffer_bytes(&deep))) });
    assert_problem(c, &r, "malformed", 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_16_17_other_forms_are_malformed),
        ACME_ROW(acme_16_crit_and_b64_are_malformed),
        ACME_ROW(acme_18_jwk_and_kid_exclude_each_other),
        ACME_ROW(acme_19_keys_of_each_kind_work),
        ACME_ROW(acme_20_algorithms_that_do_not_fit),
        ACME_ROW(acme_21_weak_keys),
        ACME_ROW(acme_22_a_key_signs_new_accounts_an_account_all_else),
        ACME_ROW(acme_23_kid_is_an_account_url_of_this_directory),
        ACME_ROW(acme_24_a_wrong_signature),
        ACME_ROW(acme_25_url_is_where_it_was_sent),
        ACME_ROW(acme_26_28_a_nonce_is_good_once),
        ACME_ROW(acme_27_what_is_no_base64url_is_malformed),
        ACME_ROW(acme_29_new_nonce),
        ACME_ROW(acme_30_nonces_of_an_earlier_start_are_bad),
        ACME_ROW(acme_30_of_two_with_one_nonce_one_succeeds_however_often_it_runs),
        ACME_ROW(acme_31_another_directorys_nonce_is_bad),
        ACME_ROW(acme_32_hostile_payloads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
