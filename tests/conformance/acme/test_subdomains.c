/* Authorizations that stand for the names below (RFC 9444). */
#include "tests/conformance/acme/acme_case.h"

static int set_up(void **state)
{
    struct acme_case *c;

    (void)acme_case_setup(state);
    c = *state;
    c->g->procedure.acme_subdomains = true;
    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    return 0;
}

#define SUBDOMAIN_ROW(test) cmocka_unit_test_setup_teardown(test, set_up, acme_case_teardown)

static struct http_response new_authz(struct acme_case *c, const char *name)
{
    return acme_ask(
        c, (struct acme_plan){ .resource = "new-authz",
                               .payload = acme_text(c->arena,
                                                    "{\"identifier\":{\"type\":\"dns\",\"value\":\"%s\","
                                                    "\"subdomainAuthAllowed\":true}}",
                                                    name) });
}

static struct http_response order_below(struct acme_case *c, const char *name, const char *ancestor)
{
    return acme_ask(
        c, (struct acme_plan){ .resource = "new-order",
                               .payload = acme_text(c->arena,
                                                    "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\","
                                                    "\"ancestorDomain\":\"%s\"}]}",
                                                    name, ancestor) });
}

static void acme_98_an_authorization_may_stand_for_what_is_below(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = new_authz(c, "example.com");
    const char *authz = acme_path(c, acme_header(&r, "Location", 0));

    assert_status(c, &r, 201);
    assert_true(json_is_true(json_object_get(c->json, "subdomainAuthAllowed")));
    assert_null(acme_challenge_of(c, authz, "http-01").path); /* in the DNS alone */
    assert_non_null(acme_challenge_of(c, authz, "dns-01").path);
    (void)acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    assert_true(json_is_true(json_object_get(json_object_get(c->json, "meta"), "subdomainAuthAllowed")));
    c->g->procedure.acme_subdomains = false;
    r = new_authz(c, "a.example.com");
    assert_status(c, &r, 201);
    assert_null(json_object_get(c->json, "subdomainAuthAllowed"));
}

static void acme_99_an_order_is_authorized_from_above(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = order_below(c, "a.b.example.com", "example.com");
    const char *order, *authz;

    assert_status(c, &r, 201);
    order = acme_path(c, acme_header(&r, "Location", 0));
    authz = acme_path(c, json_bytes(json_array_get(json_object_get(c->json, "authorizations"), 0)));
    r = acme_get(c, authz);
    assert_text(json_member(json_object_get(c->json, "identifier"), "value"), "example.com");
    assert_true(json_is_true(json_object_get(c->json, "subdomainAuthAllowed")));
    acme_prove_in_dns(c, authz);
    r = acme_finalized(c, order, (struct est_csr_plan){ .cn = "a.b.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
}

static void acme_100_what_is_no_ancestor(void **state)
{
    static const char *const ancestors[] = { "ample.com", "b.example.com",   "a.example.com",
                                             "com",       "x.a.example.com", "" };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(ancestors); i++) {
        struct http_response r = order_below(c, "a.example.com", ancestors[i]);

        assert_problem(c, &r, "malformed", 400);
    }
}

static void acme_101_a_valid_ancestor_serves_later_orders_of_its_account(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = new_authz(c, "example.com");
    struct acme_ordered o;

    acme_prove_in_dns(c, acme_path(c, acme_header(&r, "Location", 0)));
    o = acme_ordered(c, "a.example.com,x.b.example.com");
    assert_member(c, "status", "ready");
    assert_int_equal(o.authz_count, 1);
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "", .san = "DNS:a.example.com,DNS:x.b.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
    r = acme_order_as(c, ACME_KEY_B, "a.example.com");
    assert_member(c, "status", "pending");
    (void)acme_ordered(c, "*.example.com"); /* a wildcard is proved on its own */
    assert_member(c, "status", "pending");
    c->g->procedure.acme_subdomains = false;
    (void)acme_ordered(c, "c.example.com");
    assert_member(c, "status", "pending");
}

/* Taken back, it is worth nothing to orders that were made before. */
static void acme_99_an_ancestor_counts_as_long_as_they_are_taken(void **state)
{
    struct acme_case *c = *state;
    const struct est_csr_plan csr = { .cn = "a.example.com" };
    struct http_response r = new_authz(c, "example.com");
    struct acme_ordered o;

    acme_prove_in_dns(c, acme_path(c, acme_header(&r, "Location", 0)));
    o = acme_ordered(c, "a.example.com");
    assert_member(c, "status", "ready");
    c->g->procedure.acme_subdomains = false;
    r = acme_finalized(c, o.order, csr);
    assert_problem(c, &r, "unauthorized", 403);
    c->g->procedure.acme_subdomains = true;
    r = acme_finalized(c, o.order, csr);
    assert_status(c, &r, 200);
}

/* The ancestor is not the account's: the name stands for itself. */
static void acme_99_an_ancestor_that_is_not_allowed(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct http_response r;

    c->allowed[0] = BYTES_LITERAL("b.example.com");
    acme_change(c, changed);
    r = order_below(c, "a.b.example.com", "example.com");
    assert_status(c, &r, 201);
    r = acme_get(c, acme_path(c, json_bytes(json_array_get(json_object_get(c->json, "authorizations"), 0))));
    assert_text(json_member(json_object_get(c->json, "identifier"), "value"), "a.b.example.com");
    assert_null(json_object_get(c->json, "subdomainAuthAllowed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUBDOMAIN_ROW(acme_98_an_authorization_may_stand_for_what_is_below),
        SUBDOMAIN_ROW(acme_99_an_order_is_authorized_from_above),
        SUBDOMAIN_ROW(acme_100_what_is_no_ancestor),
        SUBDOMAIN_ROW(acme_101_a_valid_ancestor_serves_later_orders_of_its_account),
        SUBDOMAIN_ROW(acme_99_an_ancestor_counts_as_long_as_they_are_taken),
        SUBDOMAIN_ROW(acme_99_an_ancestor_that_is_not_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
