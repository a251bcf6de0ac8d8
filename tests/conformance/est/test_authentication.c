#include "enroll/slow_down.h"
#include "tests/conformance/est/est_case.h"

static const char *const algorithms[] = { "SHA-256", "MD5" };

static struct http_response ask_digest(struct est_case *c, const struct est_digest_plan *plan)
{
    return est_ask(c, (struct est_plan){ .authorization = est_client_digest(c->arena, plan) });
}

/* A request without credential, for its challenge. */
static struct http_response challenged(struct est_case *c)
{
    struct http_response response = est_ask(c, (struct est_plan){ 0 });

    assert_status(c, &response, 401);
    return response;
}

static bool is_stale(const struct http_response *response)
{
    return bytes_ends_with(est_client_header(response, "WWW-Authenticate", 0), "stale=true");
}

static void est_70_73_the_challenge_names_what_is_on(void **state)
{
    struct est_case *c = *state;
    struct http_response response = challenged(c);

    assert_true(bytes_starts_with(est_client_header(&response, "WWW-Authenticate", 0),
                                  "Digest realm=\"demo\", qop=\"auth\", algorithm=SHA-256, nonce=\""));
    assert_text(est_client_header(&response, "WWW-Authenticate", 1),
                "Basic realm=\"demo\", charset=\"UTF-8\"");
    assert_null(est_client_header(&response, "WWW-Authenticate", 2).data);
    c->g->procedure.dialect.est_digest_md5 = true;
    response = challenged(c);
    assert_true(bytes_starts_with(est_client_header(&response, "WWW-Authenticate", 1),
                                  "Digest realm=\"demo\", qop=\"auth\", algorithm=MD5, "));
    c->g->procedure.est_digest = false;
    response = challenged(c);
    assert_text(est_client_header(&response, "WWW-Authenticate", 0),
                "Basic realm=\"demo\", charset=\"UTF-8\"");
}

static void est_71_a_label_of_certificates_alone_never_challenges(void **state)
{
    struct est_case *c = *state;
    struct http_response response;

    c->g->procedure.est_basic = c->g->procedure.est_digest = false;
    response = est_ask(c, (struct est_plan){ 0 });
    assert_status(c, &response, 403);
    response = est_ask(c, (struct est_plan){ .password = "s3cret" });
    assert_status(c, &response, 403);
}

static void est_72_a_password_without_user_name_is_accepted(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ .user = "", .password = "s3cret" });

    (void)assert_issued(c, &response);
}

static void a_registered_user_name_must_be_shown(void **state)
{
    struct est_case *c = *state;
    struct http_response response;

    (void)a_gateway_register(c->g, "named.example.com", "s3cret",
                             (struct registration){ .user_name = BYTES_LITERAL("estuser") });
    response = est_ask(
        c, (struct est_plan){ .user = "other", .password = "s3cret", .csr.cn = "named.example.com" });
    assert_status(c, &response, 401);
    response = est_ask(
        c, (struct est_plan){ .user = "estuser", .password = "s3cret", .csr.cn = "named.example.com" });
    (void)assert_issued(c, &response);
}

static void est_73_digest_proves_the_password(void **state)
{
    struct est_case *c = *state;

    c->g->procedure.dialect.est_digest_md5 = true;
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        struct http_response challenge = challenged(c), response;
        struct est_digest_plan plan = {
            .challenge = &challenge, .algorithm = algorithms[i], .user = "u", .password = "s3cret"
        };

        response = ask_digest(c, &plan);
        (void)assert_issued(c, &response);
        plan.nc = "00000002";
        plan.password = "wrong";
        response = ask_digest(c, &plan);
        assert_status(c, &response, 401);
        assert_false(is_stale(&response));
        assert_reason(c, "secret");
    }
}

static void est_73_md5_is_not_accepted_where_it_is_off(void **state)
{
    struct est_case *c = *state;
    struct http_response challenge, response;
    struct est_digest_plan plan = {
        .challenge = &challenge, .algorithm = "MD5", .user = "u", .password = "s3cret"
    };
    struct bytes answer;

    c->g->procedure.dialect.est_digest_md5 = true;
    challenge = challenged(c);
    answer = est_client_digest(c->arena, &plan);
    c->g->procedure.dialect.est_digest_md5 = false;
    response = est_ask(c, (struct est_plan){ .authorization = answer });
    assert_status(c, &response, 401);
}

static void libests_digest_names_the_uri_without_label(void **state)
{
    struct est_case *c = *state;
    struct http_response challenge, response;

    c->g->procedure.dialect.est_digest_md5 = true;
    challenge = challenged(c);
    response = ask_digest(c, &(struct est_digest_plan){ .challenge = &challenge,
                                                        .algorithm = "MD5",
                                                        .user = "u",
                                                        .password = "s3cret",
                                                        .uri = "/.well-known/est/simpleenroll" });
    (void)assert_issued(c, &response);
}

static void est_74_an_expired_nonce_is_stale(void **state)
{
    struct est_case *c = *state;
    struct http_response challenge = challenged(c), response;
    struct est_digest_plan plan = {
        .challenge = &challenge, .algorithm = "SHA-256", .user = "u", .password = "s3cret"
    };

    c->g->now_s += 301;
    response = ask_digest(c, &plan);
    assert_status(c, &response, 401);
    assert_true(is_stale(&response));
    challenge = response;
    response = ask_digest(c, &plan);
    (void)assert_issued(c, &response);
}

static void est_75_replays_wrong_uris_and_missing_parts_are_refused(void **state)
{
    struct est_case *c = *state;
    struct http_response challenge = challenged(c), response;
    struct est_digest_plan plan = {
        .challenge = &challenge, .algorithm = "SHA-256", .user = "u", .password = "s3cret"
    };
    struct bytes answer = est_client_digest(c->arena, &plan);

    response = est_ask(c, (struct est_plan){ .authorization = answer });
    (void)assert_issued(c, &response);
    response = est_ask(c, (struct est_plan){ .authorization = answer });
    assert_status(c, &response, 401);
    assert_false(is_stale(&response));
    plan.nc = "00000002";
    plan.uri = "/.well-known/est/demo/simplereenroll";
    response = ask_digest(c, &plan);
    assert_status(c, &response, 401);
    plan.uri = NULL;
    plan.no_cnonce = true;
    response = ask_digest(c, &plan);
    assert_status(c, &response, 401);
    plan.no_cnonce = false;
    plan.nonce = "000000000000000000000000000000000000000000000000";
    response = ask_digest(c, &plan);
    assert_status(c, &response, 401);
    plan.nonce = NULL;
    response = ask_digest(c, &plan);
    (void)assert_issued(c, &response);
}

/* Another run of the same request (a changed registry, an approval) is no replay. */
static void another_turn_of_the_same_request_takes_its_nonce_again(void **state)
{
    struct est_case *c = *state;
    struct http_response challenge = challenged(c);
    struct est_digest_plan plan = {
        .challenge = &challenge, .algorithm = "SHA-256", .user = "u", .password = "s3cret"
    };
    struct est_plan asked = { .authorization = est_client_digest(c->arena, &plan) };
    struct http_request *request = est_client_request(c->arena, &asked);
    struct answering a;

    assert_false(answer_at_once(&a, &c->g->config, request));
    for (int turn = 0; turn < 3; turn++) {
        answer_turn(&a, a_gateway_view(c->g), c->g->random, c->g->now_s);
        assert_int_equal(a.response.status, 200);
    }
    registry_view_reset(c->g->view);
}

static void est_76_a_one_time_password_is_consumed_with_issuance(void **state)
{
    struct est_case *c = *state;
    struct est_plan plan = { .password = "0nce", .csr.cn = "once.example.com" };
    struct http_response response;

    (void)a_gateway_register(c->g, "once.example.com", "0nce", (struct registration){ .one_time = true });
    response = est_ask(c, plan);
    (void)assert_issued(c, &response);
    plan.csr.key = est_client_key(1);
    response = est_ask(c, plan);
    assert_true(response.status == 401 || response.status == 403);
    assert_reason(c, "used");
}

static void est_77_both_credentials_are_demanded_where_the_label_says_so(void **state)
{
    struct est_case *c = *state;
    struct bytes held = est_der(c, est_enrolled(c));
    struct est_plan plan = { .csr.key = est_client_key(1) };
    struct http_response response;

    c->g->procedure.est_certificate_and_http = true;
    plan.password = "s3cret";
    response = est_ask(c, plan);
    assert_status(c, &response, 403);
    plan.password = NULL;
    plan.certificate = held;
    response = est_ask(c, plan);
    assert_status(c, &response, 401);
    plan.password = "wrong";
    response = est_ask(c, plan);
    assert_status(c, &response, 401);
    plan.password = "s3cret";
    response = est_ask(c, plan);
    (void)assert_issued(c, &response);
}

/* Two answers are equal but for the nonce, which is new in each. */
static void assert_same_answer(const struct http_response *a, const struct http_response *b)
{
    assert_int_equal(a->status, b->status);
    assert_bytes(a->body, b->body);
    assert_int_equal(a->header_count, b->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        assert_bytes(a->header[i].name, b->header[i].name);
        assert_int_equal(a->header[i].value.len, b->header[i].value.len);
        if (!bytes_starts_with(a->header[i].value, "Digest"))
            assert_bytes(a->header[i].value, b->header[i].value);
    }
}

static void csr_111_est_78_a_stranger_cannot_tell_one_reason_from_another(void **state)
{
    struct est_case *c = *state;
    const struct {
        const char *fqdn;
        struct registration fields;
        const char *reason;
    } rows[] = {
        { "closed.example.com", { .state = REGISTRATION_CLOSED }, "closed" },
        { "expired.example.com", { .accepted_s = c->g->now_s - 10 * 86400, .valid_days = 1 }, "expired" },
        { "used.example.com", { .one_time = true, .used = true }, "used" },
        { "scep.example.com", { .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) }, "protocol" },
        { "ip.example.com", { .ip = { .len = 4, .bytes = { 10, 0, 0, 1 } } }, "ip" },
        { "serial.example.com", { .serial_number = BYTES_LITERAL("4711") }, "serial" },
        { "key.example.com", { .has_key_fingerprint = true }, "key_fingerprint" },
    };
    struct http_response wrong = est_ask(c, (struct est_plan){ .password = "wrong" }), response;

    assert_status(c, &wrong, 401);
    assert_reason(c, "secret");
    response = est_ask(c, (struct est_plan){ .password = "wrong", .csr.cn = "nobody.example.com" });
    assert_reason(c, "no_registration");
    assert_same_answer(&response, &wrong);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)a_gateway_register(c->g, rows[i].fqdn, "right", rows[i].fields);
        response = est_ask(c, (struct est_plan){ .password = "wrong", .csr.cn = rows[i].fqdn });
        assert_reason(c, rows[i].reason);
        assert_same_answer(&response, &wrong);
    }
}

/* The names are locked alike whether they are registered or not, before anything is looked at. */
static void est_78_too_many_tries_have_to_wait(void **state)
{
    static const char *const names[] = { "router5.example.com", "nobody.example.com" };
    struct est_case *c = *state;
    struct slow_down *slow_down = NULL;

    assert_true(slow_down_new(64, &slow_down, NULL));
    c->g->config.enroll.slow_down = slow_down;
    c->g->procedure.slow_after = 3;
    c->g->procedure.slow_max_s = 60;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct http_request *request = est_client_request(
            c->arena, &(struct est_plan){ .password = "wrong", .csr.cn = names[i] });
        struct http_response response;
        struct answering a;

        for (int n = 0; n < 6; n++) {
            assert_false(answer_at_once(&a, &c->g->config, request));
            answer_turn(&a, a_gateway_view(c->g), c->g->random, c->g->now_s);
            if (a.turn.strike)
                slow_down_strike(slow_down, &a.turn.strike_key, c->g->now_s);
        }
        registry_view_reset(c->g->view);
        response = est_ask(c, (struct est_plan){ .password = "s3cret", .csr.cn = names[i] });
        assert_status(c, &response, 429);
        assert_reason(c, "locked");
        assert_true(est_client_header(&response, "Retry-After", 0).len > 0);
    }
    c->g->now_s += 61;
    (void)est_enrolled(c);
    c->g->config.enroll.slow_down = NULL;
    slow_down_free(slow_down);
}

/* A certificate of ours and a vendor's open different doors, and neither stands in for the other. */
static void est_6_a_vendors_certificate_is_told_from_one_of_ours(void **state)
{
    struct est_case *c = *state;
    struct procedure *p = &c->g->procedure;
    struct anchors *anchors = NULL;
    struct bytes birth = est_vendor(c, "CN=Model X,serialNumber=S1", &anchors);
    struct bytes ours = est_der(c, est_enrolled(c));
    struct est_plan born = { .certificate = birth, .csr = { .cn = "born.example.com" } };
    struct http_response response;

    born.csr.key = est_client_key(1);
    p->est_basic = p->est_digest = false;
    (void)a_gateway_register(c->g, "born.example.com", "unknown",
                             (struct registration){ .serial_number = BYTES_LITERAL("S1") });
    response = est_ask(c, born); /* a vendor's counts only where its anchors are configured */
    assert_status(c, &response, 403);
    assert_reason(c, "renew_state");
    response = est_ask(c, (struct est_plan){ .path = REENROLL, .certificate = ours }); /* ours needs none */
    (void)assert_issued(c, &response);
    p->vendor_anchors = anchors;
    response = est_ask(c, born);
    (void)assert_issued(c, &response);
    born.path = REENROLL; /* a vendor's is not what is renewed */
    response = est_ask(c, born);
    assert_status(c, &response, 403);
    response = est_ask(c, (struct est_plan){ .certificate = birth }); /* router5 names no serial number */
    assert_status(c, &response, 403);
    born.path = NULL; /* ours proves no serial number of a vendor's */
    born.certificate = ours;
    response = est_ask(c, born);
    assert_status(c, &response, 403);
    anchors_free(anchors);
}

static void a_malformed_or_foreign_authorization_is_challenged(void **state)
{
    static const char *const values[] = { "Basic !!!", "Basic", "Bearer token", "Digest x", "s3cret" };
    struct est_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct http_response response = est_ask(c,
                                                (struct est_plan){ .authorization = bytes_text(values[i]) });

        assert_status(c, &response, 401);
    }
}

static void an_empty_password_proves_nothing(void **state)
{
    struct est_case *c = *state;
    struct http_response response = est_ask(c, (struct est_plan){ .user = "u", .password = "" });

    assert_status(c, &response, 401);
    (void)a_gateway_register(c->g, "bare.example.com", "", (struct registration){ .order = ORDER_EST });
    response = est_ask(c, (struct est_plan){ .password = "", .csr.cn = "bare.example.com" });
    assert_status(c, &response, 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EST_ROW(est_70_73_the_challenge_names_what_is_on),
        EST_ROW(est_71_a_label_of_certificates_alone_never_challenges),
        EST_ROW(est_72_a_password_without_user_name_is_accepted),
        EST_ROW(a_registered_user_name_must_be_shown),
        EST_ROW(est_73_digest_proves_the_password),
        EST_ROW(est_73_md5_is_not_accepted_where_it_is_off),
        EST_ROW(libests_digest_names_the_uri_without_label),
        EST_ROW(est_74_an_expired_nonce_is_stale),
        EST_ROW(est_75_replays_wrong_uris_and_missing_parts_are_refused),
        EST_ROW(another_turn_of_the_same_request_takes_its_nonce_again),
        EST_ROW(est_76_a_one_time_password_is_consumed_with_issuance),
        EST_ROW(est_77_both_credentials_are_demanded_where_the_label_says_so),
        EST_ROW(csr_111_est_78_a_stranger_cannot_tell_one_reason_from_another),
        EST_ROW(est_78_too_many_tries_have_to_wait),
        EST_ROW(est_6_a_vendors_certificate_is_told_from_one_of_ours),
        EST_ROW(a_malformed_or_foreign_authorization_is_challenged),
        EST_ROW(an_empty_password_proves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
