/* Certificates for wildcards, and the registrations around them (RFC 8555 7.1.3). */
#include "tests/conformance/acme/acme_case.h"

/* A name that is registered has the wildcards that its officer wrote down: a free name in front opens none.
 */
static void a_free_name_opens_no_wildcard_of_a_registered_one(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    c->g->procedure.acme_binding = c->g->procedure.preregistration = false;
    (void)a_gateway_register(c->g, "b.example.net", "s3cret",
                             (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_ACME) });
    r = acme_join(c, ACME_KEY_A, "{}");
    o = acme_ordered(c, "*.b.example.net");
    acme_prove_in_dns(c, o.authz[0]);
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "", .san = "DNS:*.b.example.net" });
    assert_problem(c, &r, "unauthorized", 403);
    o = acme_ordered(c, "host.example.net,*.b.example.net");
    acme_prove_in_dns(c, o.authz[0]);
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "", .san = "DNS:host.example.net,DNS:*.b.example.net" });
    assert_problem(c, &r, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "name_policy");
    o = acme_ordered(c, "host.example.net,*.free.example.net");
    acme_prove_in_dns(c, o.authz[1]);
    r = acme_finalized(
        c, o.order, (struct est_csr_plan){ .cn = "", .san = "DNS:host.example.net,DNS:*.free.example.net" });
    assert_status(c, &r, 200);
}

/* `*.example.com` is not example.com: its certificate is no credential for what somebody registered there. */
static void a_wildcard_is_no_credential_for_its_name(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct turn_facts facts;
    struct acme_ordered o;
    struct http_response r;
    struct est_plan plan = { .csr = { .cn = "example.com", .key = est_client_key(1) } };
    X509 *leaf;

    (void)a_gateway_register(c->g, "example.com", "s3cret", (struct registration){ .order = ORDER_EST });
    c->allowed[0] = BYTES_LITERAL("*.example.com");
    changed.pre_authorised = true;
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "*.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "", .san = "DNS:*.example.com" });
    assert_status(c, &r, 200);
    leaf = acme_certificate_of(c, o.order);
    plan.certificate = scep_client_der(c->arena, leaf);
    r = a_gateway_ask(c->g, est_client_request(c->arena, &plan), &facts);
    assert_int_equal(r.status, 403);
    assert_string_equal(facts.reason, "renew_mismatch");
    X509_free(leaf);
}

/* Nor is it a later certificate of that device, which would end the device's renewals. */
static void a_wildcard_supersedes_no_certificate_of_its_name(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct est_plan plan = { .user = "", .password = "s3cret", .csr = { .cn = "example.com" } };
    struct turn_facts facts;
    struct acme_ordered o;
    struct http_response r;
    X509 *device[2];

    c->g->procedure.latest_only = true;
    (void)a_gateway_register(c->g, "example.com", "s3cret", (struct registration){ .order = ORDER_EST });
    r = a_gateway_ask(c->g, est_client_request(c->arena, &plan), &facts);
    assert_int_equal(r.status, 200);
    assert_int_equal(est_client_bag(c->arena, &r, device, 2), 1);
    c->allowed[0] = BYTES_LITERAL("*.example.com");
    changed.pre_authorised = true;
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "*.example.com");
    r = acme_finalized(
        c, o.order, (struct est_csr_plan){ .cn = "", .san = "DNS:*.example.com", .key = est_client_key(1) });
    assert_status(c, &r, 200);
    plan = (struct est_plan){ .path = "/.well-known/est/demo/simplereenroll",
                              .csr = { .cn = "example.com" },
                              .certificate = scep_client_der(c->arena, device[0]) };
    r = a_gateway_ask(c->g, est_client_request(c->arena, &plan), &facts);
    assert_int_equal(r.status, 200);
    X509_free(device[0]);
}

/* Without challenges: what is tried here is what the registration opens. Neighbours have other keys. */
static struct http_response ask_for_wildcard(struct acme_case *c, const char *wildcard)
{
    struct acme_ordered o = acme_ordered(c, wildcard);
    const char *san = arena_text(c->arena, arena_format(c->arena, "DNS:%s", wildcard));
    EVP_PKEY *key = est_client_key((unsigned)wildcard[2] % EST_CLIENT_KEYS);

    return acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "", .san = san, .key = key });
}

static void join_pre_authorised(struct acme_case *c)
{
    struct registration changed = c->registration;

    changed.pre_authorised = true;
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
}

static void assert_kept(struct acme_case *c, const char *wildcard)
{
    struct http_response r = ask_for_wildcard(c, wildcard);

    assert_problem(c, &r, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "name_policy");
}

static void assert_opened(struct acme_case *c, const char *wildcard)
{
    struct http_response r = ask_for_wildcard(c, wildcard);

    assert_status(c, &r, 200);
}

static void a_wildcard_opens_no_closed_name_under_it(void **state)
{
    static const struct registration closed = { .state = REGISTRATION_CLOSED };
    struct acme_case *c = *state;

    (void)a_gateway_register(c->g, "printer.a.example.com", "s3cret", closed);
    (void)a_gateway_register(c->g, "lab-*.b.example.com", "s3cret", closed);
    (void)a_gateway_register(c->g, "*.c.example.com", "s3cret", closed);
    (void)a_gateway_register(c->g, "deep.er.d.example.com", "s3cret", closed);
    (void)a_gateway_register(c->g, "open.e.example.com", "s3cret", (struct registration){ .revision = 0 });
    join_pre_authorised(c);
    assert_kept(c, "*.a.example.com");
    assert_kept(c, "*.b.example.com");
    assert_kept(c, "*.c.example.com");
    assert_opened(c, "*.d.example.com"); /* a '*' is one label */
    assert_opened(c, "*.e.example.com");
    c->g->domain.match = MATCH_MOST_SPECIFIC;
    assert_kept(c, "*.e.example.com");
}

static void a_wildcard_that_the_officer_listed_is_the_registrations(void **state)
{
    struct acme_case *c = *state;

    (void)a_gateway_register(c->g, "printer.a.example.com", "s3cret",
                             (struct registration){ .state = REGISTRATION_CLOSED });
    c->allowed[0] = BYTES_LITERAL("*.a.example.com");
    join_pre_authorised(c);
    assert_opened(c, "*.a.example.com");
}

static void without_a_registration_no_name_under_a_wildcard_is_registered(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    c->g->procedure.acme_binding = c->g->procedure.preregistration = false;
    (void)a_gateway_register(c->g, "router.c.example.net", "s3cret", (struct registration){ .revision = 0 });
    r = acme_join(c, ACME_KEY_A, "{}");
    o = acme_ordered(c, "host.example.net,*.c.example.net");
    acme_prove_in_dns(c, o.authz[0]);
    acme_prove_in_dns(c, o.authz[1]);
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "", .san = "DNS:host.example.net,DNS:*.c.example.net" });
    assert_problem(c, &r, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "name_policy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(a_free_name_opens_no_wildcard_of_a_registered_one),
        ACME_ROW(a_wildcard_is_no_credential_for_its_name),
        ACME_ROW(a_wildcard_supersedes_no_certificate_of_its_name),
        ACME_ROW(a_wildcard_opens_no_closed_name_under_it),
        ACME_ROW(a_wildcard_that_the_officer_listed_is_the_registrations),
        ACME_ROW(without_a_registration_no_name_under_a_wildcard_is_registered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
