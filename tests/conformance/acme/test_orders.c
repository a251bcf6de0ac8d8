/* Orders (RFC 8555 7.4, RFC 8738). */
#include "tests/conformance/acme/acme_case.h"

static void acme_50_a_new_order(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = acme_order_as(c, ACME_KEY_A, "a.example.com,b.example.com");
    assert_status(c, &r, 201);
    assert_member(c, "status", "pending");
    assert_true(json_member(c->json, "expires").len > 0);
    assert_int_equal(json_array_size(json_object_get(c->json, "identifiers")), 2);
    assert_int_equal(json_array_size(json_object_get(c->json, "authorizations")), 2);
    (void)acme_path(c, json_member(c->json, "finalize"));
    assert_null(json_object_get(c->json, "certificate"));
    (void)acme_path(c, acme_header(&r, "Location", 0));
}

static void acme_52_identifiers_are_a_list(void **state)
{
    static const char *const payloads[] = { "{}", "{\"identifiers\":[]}", "{\"identifiers\":{}}",
                                            "{\"identifiers\":[1]}",
                                            "{\"identifiers\":[{\"type\":\"dns\"}]}" };
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        r = acme_ask(c, (struct acme_plan){ .resource = "new-order", .payload = payloads[i] });
        assert_problem(c, &r, "malformed", 400);
    }
    c->g->procedure.acme_identifiers_max = 2;
    r = acme_order_as(c, ACME_KEY_A, "a.example.com,b.example.com,c.example.com");
    assert_problem(c, &r, "malformed", 400);
    r = acme_order_as(c, ACME_KEY_A, "a.example.com,A.example.com");
    assert_status(c, &r, 201);
    assert_int_equal(json_array_size(json_object_get(c->json, "identifiers")), 1);
}

static void acme_14_53_unknown_types(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    const json_t *subproblems;

    acme_joined(c, ACME_KEY_A);
    r = acme_ask(c, (struct acme_plan){ .resource = "new-order",
                                        .payload = "{\"identifiers\":[{\"type\":\"email\",\"value\":\"a@b\"},"
                                                   "{\"type\":\"dns\",\"value\":\"a.example.com\"}]}" });
    assert_problem(c, &r, "unsupportedIdentifier", 400);
    subproblems = json_object_get(c->json, "subproblems");
    assert_int_equal(json_array_size(subproblems), 1);
    assert_text(json_member(json_object_get(json_array_get(subproblems, 0), "identifier"), "value"), "a@b");
    assert_null(json_object_get(c->json, "identifier"));
}

static void refuse_each(struct acme_case *c, const char *const *names, size_t count, const char *problem)
{
    for (size_t i = 0; i < count; i++) {
        struct http_response r = acme_ask(
            c, (struct acme_plan){
                   .resource = "new-order",
                   .payload = acme_text(c->arena, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}",
                                        names[i]) });

        assert_problem(c, &r, problem, 400);
    }
}

static void acme_54_names_that_are_none(void **state)
{
    static const char *const names[] = {
        "a.example.com.", "a.example.com:443", "a.example.com/x", "192.0.2.1",      "a..example.com",
        "-a.example.com", "a_b.example.com",   "router",          "a b.example.com"
    };
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    refuse_each(c, names, COUNT_OF(names), "malformed");
    r = acme_order_as(c, ACME_KEY_A, "A.Example.COM");
    assert_status(c, &r, 201);
    assert_text(json_member(json_array_get(json_object_get(c->json, "identifiers"), 0), "value"),
                "a.example.com");
}

static void acme_55_labels_that_are_no_a_labels(void **state)
{
    static const char *const names[] = { "xn--a.example.com", "b\xc3\xbc.example.com" };
    struct acme_case *c = *state;

    acme_joined(c, ACME_KEY_A);
    refuse_each(c, names, COUNT_OF(names), "malformed");
}

static void acme_56_wildcards(void **state)
{
    static const char *const names[] = { "a.*.example.com", "*", "*a.example.com", "*.*.example.com",
                                         "**.example.com" };
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    refuse_each(c, names, COUNT_OF(names), "malformed");
    o = acme_ordered(c, "*.example.com");
    r = acme_get(c, o.authz[0]);
    assert_status(c, &r, 200);
    assert_text(json_member(json_object_get(c->json, "identifier"), "value"), "example.com");
    assert_true(json_is_true(json_object_get(c->json, "wildcard")));
    assert_null(acme_challenge_of(c, o.authz[0], "http-01").path);
    assert_null(acme_challenge_of(c, o.authz[0], "tls-alpn-01").path);
    assert_non_null(acme_challenge_of(c, o.authz[0], "dns-01").path);
    c->g->procedure.acme_wildcard = false;
    r = acme_order_as(c, ACME_KEY_A, "*.example.com");
    assert_problem(c, &r, "rejectedIdentifier", 400);
}

static void acme_57_names_of_the_registration_alone(void **state)
{
    static const char *const names[] = { "evilexample.com", "example.org", "com", "example.com.evil.org" };
    struct acme_case *c = *state;
    struct http_response r;

    c->g->domain.single_label = true;
    acme_joined(c, ACME_KEY_A);
    refuse_each(c, names, COUNT_OF(names), "rejectedIdentifier");
    assert_string_equal(c->facts.reason, "name_policy");
    r = acme_order_as(c, ACME_KEY_A, "example.com,a.example.com,a.b.example.com");
    assert_status(c, &r, 201);
}

static void acme_57_patterns_among_the_allowed_domains(void **state)
{
    struct acme_case *c = *state;
    struct bytes allowed[] = { BYTES_LITERAL("*.dept.example.org"), BYTES_LITERAL("serial-*.example.net") };
    struct http_response r;

    (void)a_gateway_register(
        c->g, "kid-2", ACME_SECRET,
        (struct registration){ .order = ORDER_ACME, .allowed_domain = allowed, .allowed_domain_count = 2 });
    r = acme_join(c, ACME_KEY_A,
                  acme_text(c->arena, "{\"externalAccountBinding\":%s}",
                            acme_eab(c, ACME_KEY_A, "kid-2", ACME_SECRET)));
    assert_status(c, &r, 201);
    r = acme_order_as(c, ACME_KEY_A, "a.dept.example.org,serial-1.example.net,*.dept.example.org");
    assert_status(c, &r, 201);
    refuse_each(c,
                (const char *const[]){ "a.b.dept.example.org", "dept.example.org", "serialx.example.net",
                                       "*.example.net", "*.a.dept.example.org" },
                5, "rejectedIdentifier");
}

static void acme_58_dates_are_not_chosen(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = acme_ask(
        c, (struct acme_plan){
               .resource = "new-order",
               .payload = acme_text(c->arena, "{\"identifiers\":%s,\"notAfter\":\"2030-01-01T00:00:00Z\"}",
                                    acme_identifiers(c, "a.example.com")) });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_59_an_order_goes_on_and_never_back(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com,b.example.com");
    acme_proved(c, o.authz[0]);
    (void)acme_get(c, o.order);
    assert_member(c, "status", "pending");
    acme_proved(c, o.authz[1]);
    (void)acme_get(c, o.order);
    assert_member(c, "status", "ready");
    c->g->now_s += 8 * 86400;
    (void)acme_get(c, o.order);
    assert_member(c, "status", "invalid");
    assert_true(json_is_object(json_object_get(c->json, "error")));
}

/* The query of the one link to the next page. */
static const char *next_page(struct acme_case *c, const struct http_response *r)
{
    const char *link = arena_text(c->arena, acme_header(r, "Link", 0));
    const char *from = strchr(link, '?'), *to = strstr(link, ">;rel=\"next\"");

    assert_true(from != NULL && to != NULL);
    return acme_text(c->arena, "%.*s", (int)(to - from - 1), from + 1);
}

static void acme_60_orders_are_listed(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered newest;
    const char *list;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    c->g->procedure.acme_orders_max = 500;
    list = acme_text(c->arena, "%s/orders", acme_path(c, bytes_text(c->kid[ACME_KEY_A])));
    r = acme_get(c, list);
    assert_status(c, &r, 200);
    assert_int_equal(json_array_size(json_object_get(c->json, "orders")), 0);
    for (int i = 0; i < 100; i++)
        (void)acme_ordered(c, "a.example.com");
    c->g->now_s++;
    newest = acme_ordered(c, "a.example.com");
    r = acme_get(c, list);
    assert_int_equal(json_array_size(json_object_get(c->json, "orders")), 100);
    assert_text(json_bytes(json_array_get(json_object_get(c->json, "orders"), 0)),
                acme_url_text(c, newest.order));
    r = acme_ask(c, (struct acme_plan){ .resource = list, .query = next_page(c, &r) });
    assert_int_equal(json_array_size(json_object_get(c->json, "orders")), 1);
    assert_int_equal(acme_header(&r, "Link", 1).len, 0);
    r = acme_ask(c, (struct acme_plan){ .resource = list, .query = "cursor=100" });
    assert_problem(c, &r, "malformed", 400);
    r = acme_ask(c, (struct acme_plan){ .resource = list, .key = ACME_KEY_B });
    assert_problem(c, &r, "malformed", 404);
}

static struct http_request *new_order(struct acme_case *c, const char *names)
{
    return acme_make(c, (struct acme_plan){ .resource = "new-order",
                                            .payload = acme_text(c->arena, "{\"identifiers\":%s}",
                                                                 acme_identifiers(c, names)) });
}

/* One account's list and number are touched by both, and neither stands in the other's way. */
static void acme_60_of_two_at_once_both_are_listed(void **state)
{
    struct acme_case *c = *state;
    struct acme_race race;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    race.request[0] = new_order(c, "a.example.com");
    race.request[1] = new_order(c, "b.example.com");
    acme_run_both(c, &race);
    assert_int_equal(race.response[0].status, 201);
    assert_int_equal(race.result[0], APPLY_DONE);
    assert_int_equal(race.response[1].status, 201);
    assert_int_equal(race.result[1], APPLY_DONE);
    r = acme_get(c, acme_text(c->arena, "%s/orders", acme_path(c, bytes_text(c->kid[ACME_KEY_A]))));
    assert_status(c, &r, 200);
    assert_int_equal(json_array_size(json_object_get(c->json, "orders")), 2);
}

/* The room for one more is taken once. */
static void of_two_at_once_one_takes_the_last_room(void **state)
{
    struct acme_case *c = *state;
    struct acme_race race;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 1;
    race.request[0] = new_order(c, "a.example.com");
    race.request[1] = new_order(c, "b.example.com");
    acme_run_both(c, &race);
    assert_int_equal(race.result[1], APPLY_CONFLICT);
    r = acme_run_again(c, race.request[1]);
    assert_problem(c, &r, "rateLimited", 429);
}

static struct http_response new_authz(struct acme_case *c, const char *type, const char *value)
{
    return acme_ask(c,
                    (struct acme_plan){
                        .resource = "new-authz",
                        .payload = acme_text(c->arena, "{\"identifier\":{\"type\":\"%s\",\"value\":\"%s\"}}",
                                             type, value) });
}

static void acme_78_what_is_no_identifier(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = new_authz(c, "email", "a@example.com");
    assert_problem(c, &r, "unsupportedIdentifier", 400);
    r = new_authz(c, "dns", "a..example.com");
    assert_problem(c, &r, "malformed", 400);
    r = acme_ask(c, (struct acme_plan){ .resource = "new-authz", .payload = "{}" });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_78_pending_authorizations_are_bounded(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 1;
    r = new_authz(c, "dns", "a.example.com");
    assert_status(c, &r, 201);
    r = new_authz(c, "dns", "b.example.com");
    assert_problem(c, &r, "rateLimited", 429);
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
}

static void acme_78_changed_terms_come_first(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_terms_url = "https://example.com/terms-1";
    r = new_authz(c, "dns", "a.example.com");
    assert_problem(c, &r, "userActionRequired", 403);
}

static void acme_78_new_authz(void **state)
{
    struct acme_case *c = *state;
    const char *first;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-authz",
                        .payload = "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example.com\"}}" });
    assert_status(c, &r, 201);
    first = acme_path(c, acme_header(&r, "Location", 0));
    acme_proved(c, first);
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-authz",
                        .payload = "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example.com\"}}" });
    assert_status(c, &r, 200);
    assert_string_equal(acme_path(c, acme_header(&r, "Location", 0)), first);
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-authz",
                        .payload = "{\"identifier\":{\"type\":\"dns\",\"value\":\"*.example.com\"}}" });
    assert_problem(c, &r, "malformed", 400);
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-authz",
                        .payload = "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example.org\"}}" });
    assert_problem(c, &r, "rejectedIdentifier", 400);
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_status(c, &r, 201);
    assert_member(c, "status", "ready"); /* the authorization counts for the order */
}

/* Given up, they are still in the way: nobody makes them without end. */
static void authorizations_without_an_order_are_bounded(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = { 0 };
    int made = 0;

    c->g->procedure.acme_orders_max = 3;
    acme_joined(c, ACME_KEY_A);
    for (made = 0; made < 10; made++) {
        r = acme_ask(c, (struct acme_plan){
                            .resource = "new-authz",
                            .payload = "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example.com\"}}" });
        if (r.status != 201)
            break;
        r = acme_ask(c, (struct acme_plan){ .resource = acme_path(c, acme_header(&r, "Location", 0)),
                                            .payload = "{\"status\":\"deactivated\"}" });
        assert_status(c, &r, 200);
    }
    assert_int_equal(made, 3);
    assert_problem(c, &r, "rateLimited", 429);
}

static void acme_80_a_pre_authorised_account_needs_no_challenge(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct acme_ordered o;
    struct http_response r;

    changed.pre_authorised = true;
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com,*.example.com");
    assert_member(c, "status", "ready");
    r = acme_order_as(c, ACME_KEY_A, "a.example.org");
    assert_problem(c, &r, "rejectedIdentifier", 400);
    changed.revision = 2;
    changed.pre_authorised = false;
    acme_change(c, changed); /* taken back: what was spared a challenge is worth nothing any more */
    r = acme_finalized(
        c, o.order,
        (struct est_csr_plan){ .cn = "a.example.com", .san = "DNS:a.example.com,DNS:*.example.com" });
    assert_problem(c, &r, "unauthorized", 403);
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_member(c, "status", "pending");
    changed.revision = 3;
    changed.pre_authorised = true;
    acme_change(c, changed);
    r = acme_finalized(
        c, o.order,
        (struct est_csr_plan){ .cn = "a.example.com", .san = "DNS:a.example.com,DNS:*.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
}

static void acme_96_addresses_in_one_form(void **state)
{
    static const char *const values[] = { "192.0.2.0/24", "fe80::1%eth0",         "192.0.02.1",
                                          "2001:DB8::1",  "2001:db8:0:0:0:0:0:1", "::ffff:192.0.2.1",
                                          "host" };
    struct acme_case *c = *state;
    struct http_response r;

    (void)a_gateway_register(c->g, "any", ACME_SECRET, (struct registration){ .order = ORDER_ACME });
    r = acme_join(
        c, ACME_KEY_A,
        acme_text(c->arena, "{\"externalAccountBinding\":%s}", acme_eab(c, ACME_KEY_A, "any", ACME_SECRET)));
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        r = acme_ask(
            c, (struct acme_plan){
                   .resource = "new-order",
                   .payload = acme_text(c->arena, "{\"identifiers\":[{\"type\":\"ip\",\"value\":\"%s\"}]}",
                                        values[i]) });
        assert_problem(c, &r, "malformed", 400);
    }
    r = acme_order_as(c, ACME_KEY_A, "192.0.2.1,2001:db8::1");
    assert_status(c, &r, 201);
    c->g->procedure.acme_ip = false;
    r = acme_order_as(c, ACME_KEY_A, "192.0.2.1");
    assert_problem(c, &r, "unsupportedIdentifier", 400);
}

static void acme_97_addresses_are_not_proved_in_the_dns(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct job_effect effect;
    struct registration changed = c->registration;
    struct http_response r;

    assert_true(ip_parse(BYTES_LITERAL("2001:db8::1"), &changed.ip));
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
    r = acme_order_as(c, ACME_KEY_A, "192.0.2.1");
    assert_problem(c, &r, "rejectedIdentifier", 400); /* not the registered one */
    o = acme_ordered(c, "2001:db8::1");
    assert_null(acme_challenge_of(c, o.authz[0], "dns-01").path);
    acme_respond_to(c, acme_challenge_of(c, o.authz[0], "http-01").path);
    effect = acme_step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    assert_true(bytes_starts_with(effect.url, "http://[2001:db8::1]/.well-known/acme-challenge/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_50_a_new_order),
        ACME_ROW(acme_52_identifiers_are_a_list),
        ACME_ROW(acme_14_53_unknown_types),
        ACME_ROW(acme_54_names_that_are_none),
        ACME_ROW(acme_55_labels_that_are_no_a_labels),
        ACME_ROW(acme_56_wildcards),
        ACME_ROW(acme_57_names_of_the_registration_alone),
        ACME_ROW(acme_57_patterns_among_the_allowed_domains),
        ACME_ROW(acme_58_dates_are_not_chosen),
        ACME_ROW(acme_59_an_order_goes_on_and_never_back),
        ACME_ROW(acme_60_orders_are_listed),
        ACME_ROW(acme_60_of_two_at_once_both_are_listed),
        ACME_ROW(of_two_at_once_one_takes_the_last_room),
        ACME_ROW(acme_78_new_authz),
        ACME_ROW(authorizations_without_an_order_are_bounded),
        ACME_ROW(acme_78_what_is_no_identifier),
        ACME_ROW(acme_78_pending_authorizations_are_bounded),
        ACME_ROW(acme_78_changed_terms_come_first),
        ACME_ROW(acme_80_a_pre_authorised_account_needs_no_challenge),
        ACME_ROW(acme_96_addresses_in_one_form),
        ACME_ROW(acme_97_addresses_are_not_proved_in_the_dns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
