#include "tests/lib/test.h"

#include "gateway/router.h"

static struct procedure demo = { .name = "demo",
                                 .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST) |
                                              PROTOCOL_BIT(PROTOCOL_CMP) | PROTOCOL_BIT(PROTOCOL_ACME) };
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

static void cmp_3_4_paths_choose_procedure_and_operation(void **state)
{
    (void)state;
    assert_route("/.well-known/cmp", "cmp", &demo, "");
    assert_route("/.well-known/cmp/", "cmp", &demo, "");
    assert_route("/.well-known/cmp/initialization", "cmp", &demo, "initialization");
    assert_route("/.well-known/cmp/pkcs10/", "cmp", &demo, "pkcs10"); /* begins like p/ */
    assert_route("/.well-known/cmp/p/demo", "cmp", &demo, "");
    assert_route("/.well-known/cmp/p/demo/", "cmp", &demo, "");
    assert_route("/.well-known/cmp/p/demo/keyupdate", "cmp", &demo, "keyupdate");
    assert_route("/.well-known/cmp/p/demo/keyupdate/", "cmp", &demo, "keyupdate");
    assert_route("/cmp", "cmp", &demo, "");
    assert_route("/cmp/", "cmp", &demo, "");
    assert_route("/cmp/demo", "cmp", &demo, "");
    assert_route("/cmp/demo/", "cmp", &demo, "");
    assert_route("/cmp/demo/getcacerts", "cmp", &demo, "getcacerts");
    assert_route("/pkix", "cmp", &demo, "");
    assert_route("/pkix/", "cmp", &demo, "");
}

static void cmp_8_other_paths_are_nobody_s(void **state)
{
    static const char *const paths[] = {
        "/",
        "/cmpx/demo",
        "/cmp/nobody",
        "/cmp/scep-only", /* not open on CMP */
        "/cmp//",
        "/cmp/demo//",
        "/cmp/demo/keyupdate/more",
        "/pkix/demo",
        "/pkix/.well-known/cmp",
        "/.well-known/cmpx",
        "/.well-known/cmp//",
        "/.well-known/cmp/p",
        "/.well-known/cmp/p/",
        "/.well-known/cmp/p/nobody",
        "/.well-known/cmp/p/scep-only",
        "/.well-known/cmp/p/demo/keyupdate/more",
        "/.well-known/cmp/demo/keyupdate",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_route(paths[i], NULL, NULL, "");
    config.default_procedure = NULL;
    assert_route("/.well-known/cmp", NULL, NULL, "");
    assert_route("/pkix/", NULL, NULL, "");
    assert_route("/cmp/demo", "cmp", &demo, "");
    config.default_procedure = &demo;
}

static void acme_paths_name_procedure_and_resource(void **state)
{
    static const char *const nobody_s[] = { "/acme",
                                            "/acme/",
                                            "/acme/demo",
                                            "/acme//directory",
                                            "/acmes/demo/directory",
                                            "/acme/nobody/directory",
                                            "/acme/scep-only/directory" };

    (void)state;
    assert_route("/acme/demo/directory", "acme", &demo, "directory");
    assert_route("/acme/demo/order/x/finalize", "acme", &demo, "order/x/finalize");
    assert_route("/acme/demo/", "acme", &demo, "");
    for (size_t i = 0; i < COUNT_OF(nobody_s); i++)
        assert_route(nobody_s[i], NULL, NULL, "");
}

static void acme_5_without_a_base_url_no_link_can_be_made(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct http_request request = { .path = BYTES_LITERAL("/acme/demo/directory"),
                                    .method = HTTP_METHOD_GET,
                                    .arena = arena,
                                    .peer = { .tls = true } };
    struct route route = route_find(&config, &request);
    struct http_response response;

    (void)state;
    assert_true(route.service->serve_public(&config, &route, &request, &response));
    assert_int_equal(response.status, 404);
    request.base_url = "https://a.example";
    assert_true(route.service->serve_public(&config, &route, &request, &response));
    assert_int_equal(response.status, 200);
    assert_non_null(
        memmem(response.body.data, response.body.len, "\"https://a.example/acme/demo/new-order\"", 39));
    request.peer.tls = false;
    assert_true(route.service->serve_public(&config, &route, &request, &response));
    assert_int_equal(response.status, 403); /* ACME-1 */
}

static const char *awaited(const char *path)
{
    struct route route = find(path, 0);

    assert_non_null(route.service->awaits);
    return route.service->awaits(&config, &route);
}

static void what_awaits_its_ra_s_certificate_is_not_served(void **state)
{
    struct scep_ra scep_ra = { .name = "ra" };
    struct cmp_ra cmp_ra = { .name = "ra" };

    (void)state;
    demo.ca = "demo";
    demo.scep_ra = demo.cmp_ra = "ra";
    config.scep = (struct scep_service){ .ra = &scep_ra, .ra_count = 1 };
    config.cmp = (struct cmp_service){ .ra = &cmp_ra, .ra_count = 1 };
    config.enroll = (struct enroll_service){ .ca = &ca, .ca_count = 1 };
    assert_string_equal(awaited("/scep/demo"), "the certificate of its RA is not there yet");
    assert_string_equal(awaited("/.well-known/cmp/p/demo"), "the certificate of its RA is not there yet");
    assert_null(awaited("/.well-known/est/demo/cacerts"));
    scep_ra.certificate.encoded = cmp_ra.certificate.encoded = BYTES_LITERAL("there");
    assert_null(awaited("/scep/demo"));
    assert_null(awaited("/.well-known/cmp/p/demo"));
    ca.chain_awaited = true;
    assert_string_equal(awaited("/scep/demo"), "the chain of its CA is not known yet");
    ca.chain_awaited = false;
    config.scep.ra_count = config.cmp.ra_count = 0;
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
    assert_null(find("/cmp/demo", 1).service);
    assert_null(find("/scep/demo", 2).service); /* no such listener */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scep_5_any_path_under_the_service_is_served),
        cmocka_unit_test(est_8_9_11_12_labels_choose_the_procedure),
        cmocka_unit_test(cmp_3_4_paths_choose_procedure_and_operation),
        cmocka_unit_test(cmp_8_other_paths_are_nobody_s),
        cmocka_unit_test(acme_paths_name_procedure_and_resource),
        cmocka_unit_test(acme_5_without_a_base_url_no_link_can_be_made),
        cmocka_unit_test(what_awaits_its_ra_s_certificate_is_not_served),
        cmocka_unit_test(lists_and_certificates_are_named_by_their_ca),
        cmocka_unit_test(a_listener_serves_its_role_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
