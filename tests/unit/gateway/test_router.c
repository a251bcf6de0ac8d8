#include "tests/lib/test.h"

#include "gateway/router.h"

static struct procedure demo = { .name = "demo",
                                 .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST) };
static struct procedure scep_only = { .name = "scep-only", .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) };
static const struct procedure *procedures[] = { &demo, &scep_only };
static struct ca ca = { .name = "demo" };
static struct config config = { .listener_count = 2,
                                .listener_role = { LISTENER_DEVICES, LISTENER_ADMINISTRATION },
                                .ca = &ca,
                                .ca_count = 1,
                                .procedure = procedures,
                                .procedure_count = 2,
                                .default_procedure = &demo };

static struct route find(const char *path, unsigned listener)
{
    struct http_request request = { .path = bytes_text(path), .listener = listener };

    return route_find(&config, &request);
}

/* The service and procedure that a path leads to, as "scep demo"; "-" for none. */
static void assert_route(const char *path, const char *service, const struct procedure *procedure,
                         const char *operation)
{
    struct route route = find(path, 0);

    if (service == NULL) {
        assert_null(route.service);
        return;
    }
    assert_non_null(route.service);
    assert_string_equal(route.service->name, service);
    assert_ptr_equal(route.procedure, procedure);
    assert_text(route.operation, operation);
}

static void scep_5_any_path_under_the_service_is_served(void **state)
{
    (void)state;
    assert_route("/scep/demo", "scep", &demo, "");
    assert_route("/scep/demo/pkiclient.exe", "scep", &demo, "");
    assert_route("/scep/scep-only/anything", "scep", &scep_only, "");
    assert_route("/scep", "scep", &demo, "");
    assert_route("/scep/pkiclient.exe", "scep", &demo, "");
    assert_route("/cgi-bin/pkiclient.exe", "scep", &demo, "");
    assert_route("/scep/nobody", NULL, NULL, "");
    assert_route("/scepx/demo", NULL, NULL, "");
}

static void est_8_9_11_12_labels_choose_the_procedure(void **state)
{
    (void)state;
    assert_route("/.well-known/est/cacerts", "est", &demo, "cacerts");
    assert_route("/.well-known/est/demo/simpleenroll", "est", &demo, "simpleenroll");
    assert_route("/demo/.well-known/est/simpleenroll", "est", &demo, "simpleenroll");
    assert_route("/.well-known/est/nobody/cacerts", NULL, NULL, "");
    assert_route("/.well-known/est/scep-only/cacerts", NULL, NULL, ""); /* not open on EST */
    assert_route("/.well-known/est/demo/cacerts/more", NULL, NULL, "");
    assert_route("/demo/.well-known/est/demo/cacerts", NULL, NULL, "");
    assert_route("/.well-known/est/", NULL, NULL, "");
}

static void lists_and_certificates_are_named_by_their_ca(void **state)
{
    (void)state;
    assert_ptr_equal(find("/crl/demo.crl", 0).ca, &ca);
    assert_ptr_equal(find("/ca/demo.cer", 0).ca, &ca);
    assert_null(find("/crl/other.crl", 0).service);
    assert_null(find("/crl/.crl", 0).service);
    assert_null(find("/crl/../demo.crl", 0).service);
}

static void a_listener_serves_its_role_alone(void **state)
{
    (void)state;
    assert_non_null(find("/api/v1/registrations", 1).service);
    assert_null(find("/api/v1/registrations", 0).service);
    assert_null(find("/scep/demo", 1).service);
    assert_null(find("/scep/demo", 2).service); /* no such listener */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scep_5_any_path_under_the_service_is_served),
        cmocka_unit_test(est_8_9_11_12_labels_choose_the_procedure),
        cmocka_unit_test(lists_and_certificates_are_named_by_their_ca),
        cmocka_unit_test(a_listener_serves_its_role_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
