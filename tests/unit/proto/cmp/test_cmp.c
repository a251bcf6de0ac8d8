/* The HTTP binding without a gateway: what is answered at once, and what goes to a worker; and what a
 * procedure needs to be open on CMP. */
#include "proto/cmp/cmp.h"

#include "proto/cmp/message.h"
#include "tests/lib/test.h"

enum { NOW_S = 1800000000, YEAR_S = 365 * 86400 };

struct fixture {
    struct arena *arena;
    struct keys *keys;
    struct random_source random;
    uint64_t seed;
    struct ca ca, other_ca;
    struct cmp_ra ra;
    struct procedure procedure;
    struct enroll_service enroll;
    struct cmp_service service;
    struct http_response response;
};

static void must(bool ok, const struct error *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

static struct bytes name_of(struct fixture *f, const char *text)
{
    AUTO_STRUCT(buffer) name = BUFFER(256);

    assert_true(name_parse(bytes_text(text), &name));
    return arena_copy(f->arena, buffer_bytes(&name));
}

static void make_ca(struct fixture *f, struct ca *ca, const char *key, const char *subject)
{
    struct ca_make make = { .subject = name_of(f, subject), .validity_s = 2 * YEAR_S, .now_s = NOW_S };
    struct error err = { 0 };

    *ca = (struct ca){ .name = "demo", .connector = &ca_local_connector, .key_name = key, .chain_count = 1 };
    must(keys_generate(f->keys, key, KEY_EC_P256, 0, &err), &err);
    must(ca_make_root(&make, f->keys, key, &f->random, f->arena, &ca->chain[0], &err), &err);
    must(ca_prepare(ca, f->keys, &err), &err);
}

/* The RA's certificate becomes one of that kind, of that CA, over that key. */
static void make_ra(struct fixture *f, const struct ca *ca, enum service_kind kind, const char *key)
{
    struct ca_make make = { .subject = name_of(f, "CN=CMP RA"), .validity_s = YEAR_S, .now_s = NOW_S };
    struct error err = { 0 };
    struct bytes der;

    must(ca_make_service(ca, kind, &make, BYTES_NONE, f->keys, key, &f->random, f->arena, &der, &err), &err);
    assert_true(certificate_decode(der, f->arena, &f->ra.certificate));
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    struct error err = { 0 };

    f->arena = arena_new(4 << 20);
    f->seed = 1;
    f->random = random_seeded(&f->seed);
    must(keys_new(&f->keys, &err), &err);
    make_ca(f, &f->ca, "ca", "CN=Test CA");
    make_ca(f, &f->other_ca, "other-ca", "CN=Test CA"); /* of the same name */
    must(keys_generate(f->keys, "cmp-ra", KEY_EC_P256, 0, &err), &err);
    must(keys_generate(f->keys, "tls", KEY_EC_P256, 0, &err), &err);
    f->ra = (struct cmp_ra){ .name = "cmp-ra", .key_name = "cmp-ra" };
    make_ra(f, &f->ca, SERVICE_CMP_RA, "cmp-ra");
    f->procedure = (struct procedure){ .name = "demo",
                                       .ca = "demo",
                                       .protocols = PROTOCOL_BIT(PROTOCOL_CMP),
                                       .preregistration = true,
                                       .cmp_ra = "cmp-ra" };
    f->enroll = (struct enroll_service){ .ca = &f->ca, .ca_count = 1 };
    f->service = (struct cmp_service){ .enroll = &f->enroll, .ra = &f->ra, .ra_count = 1 };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ca_release(&f->ca);
    ca_release(&f->other_ca);
    keys_unref(f->keys);
    arena_free(f->arena);
    test_free(f);
    return 0;
}

/* --- HTTP --- */

/* The status of what is answered at once; 0: a worker serves it. `type` may be NULL: no Content-Type. */
static int status_of(struct fixture *f, enum http_method method, const char *type, const char *label,
                     struct bytes body)
{
    struct http_header header = { BYTES_LITERAL("Content-Type"), bytes_text(type != NULL ? type : "") };
    struct http_request request = { .method = method,
                                    .path = BYTES_LITERAL("/.well-known/cmp"),
                                    .header = &header,
                                    .header_count = type != NULL,
                                    .body = body,
                                    .arena = f->arena };

    f->response = (struct http_response){ 0 };
    if (!cmp_serve_public(&f->service, &f->procedure, bytes_text(label), &request, &f->response))
        assert_int_equal(f->response.status, 0);
    return f->response.status;
}

#define MESSAGE BYTES_LITERAL("\x30\x00")

static void cmp_1_a_posted_message_goes_to_a_worker(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(status_of(f, HTTP_METHOD_POST, "application/pkixcmp", "", MESSAGE), 0);
    assert_int_equal(status_of(f, HTTP_METHOD_POST, "Application/PKIXCMP ; charset=x", "", MESSAGE), 0);
}

static void cmp_8_other_methods_are_405(void **state)
{
    static const enum http_method methods[] = { HTTP_METHOD_GET, HTTP_METHOD_HEAD, HTTP_METHOD_PUT,
                                                HTTP_METHOD_DELETE, HTTP_METHOD_OTHER };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        assert_int_equal(status_of(f, methods[i], "application/pkixcmp", "", MESSAGE), 405);
        assert_text(f->response.header[f->response.header_count - 1].name, "Allow");
        assert_text(f->response.header[f->response.header_count - 1].value, "POST");
    }
}

static void cmp_8_other_media_types_are_415(void **state)
{
    static const char *const types[] = { NULL, "", "application/pkixcmp-poll", "application/pkcs10",
                                         "application/octet-stream" };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_int_equal(status_of(f, HTTP_METHOD_POST, types[i], "", MESSAGE), 415);
}

static void cmp_8_nothing_and_too_much_are_no_message(void **state)
{
    struct fixture *f = *state;
    const uint8_t *much = arena_alloc(f->arena, CMP_MESSAGE_MAX + 1);

    assert_non_null(much);
    assert_int_equal(status_of(f, HTTP_METHOD_POST, "application/pkixcmp", "", BYTES_NONE), 400);
    assert_int_equal(
        status_of(f, HTTP_METHOD_POST, "application/pkixcmp", "", bytes_of(much, CMP_MESSAGE_MAX)), 0);
    assert_int_equal(
        status_of(f, HTTP_METHOD_POST, "application/pkixcmp", "", bytes_of(much, CMP_MESSAGE_MAX + 1)), 413);
}

static void cmp_5_operations_are_known_by_name(void **state)
{
    static const char *const known[] = { "initialization",     "certification", "keyupdate",     "pkcs10",
                                         "revocation",         "getcacerts",    "getrootupdate", "getcrls",
                                         "getcertreqtemplate", "nested" };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        assert_string_equal(cmp_operation_name(bytes_text(known[i])), known[i]);
        assert_int_equal(status_of(f, HTTP_METHOD_POST, "application/pkixcmp", known[i], MESSAGE), 0);
    }
    assert_null(cmp_operation_name(BYTES_NONE));
    assert_null(cmp_operation_name(BYTES_LITERAL("Initialization")));
    assert_int_equal(status_of(f, HTTP_METHOD_POST, "application/pkixcmp", "enroll", MESSAGE), 404);
    assert_int_equal(status_of(f, HTTP_METHOD_GET, NULL, "enroll", BYTES_NONE), 404);
}

static void a_procedure_that_is_not_open_on_cmp_is_404(void **state)
{
    struct fixture *f = *state;

    f->procedure.protocols = PROTOCOL_BIT(PROTOCOL_EST);
    assert_int_equal(status_of(f, HTTP_METHOD_POST, "application/pkixcmp", "", MESSAGE), 404);
}

/* --- configuration --- */

static void assert_fault(const struct fixture *f, const char *part)
{
    const char *fault = cmp_procedure_fault(&f->service, &f->procedure, f->keys);

    if (fault == NULL || strstr(fault, part) == NULL)
        fail_msg("'%s' has no '%s'", fault != NULL ? fault : "nothing", part);
}

static void cmp_42_a_sound_ra_has_no_fault(void **state)
{
    struct fixture *f = *state;

    assert_null(cmp_procedure_fault(&f->service, &f->procedure, f->keys));
    f->procedure.cmp_key_generation = true;
    assert_null(cmp_procedure_fault(&f->service, &f->procedure, f->keys));
}

static void a_procedure_needs_preregistration_and_an_ra(void **state)
{
    struct fixture *f = *state;

    f->procedure.preregistration = false;
    assert_fault(f, "preregistration");
    f->procedure.preregistration = true;
    f->procedure.cmp_ra = "nobody";
    assert_fault(f, "is not configured");
    f->procedure.cmp_ra = NULL;
    assert_fault(f, "is not configured");
}

static void cmp_42_the_ra_s_certificate_is_for_its_key_and_purpose(void **state)
{
    struct fixture *f = *state;

    make_ra(f, &f->ca, SERVICE_CMP_RA, "tls");
    assert_fault(f, "not for its key");
    make_ra(f, &f->ca, SERVICE_TLS, "cmp-ra");
    assert_fault(f, "cmcRA");
    make_ra(f, &f->ca, SERVICE_CMP_RA, "cmp-ra");
    f->ra.certificate.extended_key_usage_count = 1; /* cmcRA alone */
    assert_null(cmp_procedure_fault(&f->service, &f->procedure, f->keys));
    f->procedure.cmp_key_generation = true;
    assert_fault(f, "cmKGA");
    f->ra.certificate.key_usage = KEY_USAGE_KEY_AGREEMENT;
    assert_fault(f, "digitalSignature");
    f->ra.certificate.has_key_usage = false;
    assert_fault(f, "digitalSignature");
}

static void cmp_42_the_ra_s_certificate_is_of_the_procedure_s_ca(void **state)
{
    struct fixture *f = *state;

    make_ra(f, &f->other_ca, SERVICE_CMP_RA, "cmp-ra");
    assert_fault(f, "not issued by its CA");
    make_ra(f, &f->ca, SERVICE_CMP_RA, "cmp-ra");
    f->procedure.ca = "nobody";
    assert_fault(f, "not issued by its CA");
}

static bool resume_nothing(const struct connector_call *call, struct bytes state,
                           const struct connector_event *event, struct connector_step *out, struct error *err)
{
    (void)call;
    (void)state;
    (void)event;
    (void)out;
    return error_set(err, ERROR_UNSUPPORTED, "not in this test");
}

static void keys_are_made_where_the_answer_comes_at_once(void **state)
{
    static const struct connector elsewhere = { .resume = resume_nothing };
    struct fixture *f = *state;

    f->ca.connector = &elsewhere;
    assert_null(cmp_procedure_fault(&f->service, &f->procedure, f->keys));
    f->procedure.cmp_key_generation = true;
    assert_fault(f, "another CA is asked");
    f->ca.connector = &ca_local_connector;
    f->procedure.manual_approval = true;
    assert_fault(f, "an officer approves");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(cmp_1_a_posted_message_goes_to_a_worker),
        WITH(cmp_8_other_methods_are_405),
        WITH(cmp_8_other_media_types_are_415),
        WITH(cmp_8_nothing_and_too_much_are_no_message),
        WITH(cmp_5_operations_are_known_by_name),
        WITH(a_procedure_that_is_not_open_on_cmp_is_404),
        WITH(cmp_42_a_sound_ra_has_no_fault),
        WITH(a_procedure_needs_preregistration_and_an_ra),
        WITH(cmp_42_the_ra_s_certificate_is_for_its_key_and_purpose),
        WITH(cmp_42_the_ra_s_certificate_is_of_the_procedure_s_ca),
        WITH(keys_are_made_where_the_answer_comes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
