/* CMP-1 to CMP-10: HTTP and paths (RFC 9811). */
#include "tests/conformance/cmp/cmp_case.h"

static struct http_response post(struct cmp_case *c, const char *path, const char *type, struct bytes body)
{
    return cmp_http(c, HTTP_METHOD_POST, path, type, body);
}

static struct bytes an_ir(struct cmp_case *c)
{
    return cmp_message_of(c, (struct cmp_plan){ .body = CMP_IR });
}

static void cmp_1_a_message_is_answered_200_in_the_media_type(void **state)
{
    struct cmp_case *c = *state;
    struct http_response response = post(c, CMP_PATH, CMP_TYPE, an_ir(c));

    assert_int_equal(response.status, 200);
    assert_text(cmp_http_header(&response, "Content-Type"), CMP_TYPE);
}

static void cmp_2_an_error_is_http_200(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .protection.broken = true });

    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK); /* cmp_ask() takes nothing but 200 */
}

static void cmp_3_the_well_known_path_is_the_default_procedure(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said;

    c->path = "/.well-known/cmp";
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_IR });
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_4_paths_name_procedure_and_operation(void **state)
{
    static const char *const paths[] = {
        "/.well-known/cmp/",
        "/.well-known/cmp/p/demo",
        "/.well-known/cmp/p/demo/",
        "/.well-known/cmp/getcacerts",
        "/.well-known/cmp/getcacerts/",
        "/.well-known/cmp/p/demo/getcacerts",
        "/.well-known/cmp/p/demo/getcacerts/",
        "/cmp",
        "/cmp/demo",
        "/cmp/demo/getcacerts",
        "/pkix",
        "/pkix/",
    };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct cmp_said said;

        c->path = paths[i];
        said = cmp_ask(c, (struct cmp_plan){ .body = CMP_GENM });
        assert_int_equal(said.body, CMP_GENP);
    }
}

static void cmp_4_a_procedure_or_label_that_is_not_known_is_404(void **state)
{
    static const char *const paths[] = {
        "/.well-known/cmp/p",
        "/.well-known/cmp/p/",
        "/.well-known/cmp/p/other",
        "/.well-known/cmp/p/demo/sing",
        "/.well-known/cmp/sing",
        "/.well-known/cmp/p/demo/getcacerts/more",
        "/cmp/other",
        "/pkix/demo",
        "/.well-known/cmpp",
    };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct http_response response = post(c, paths[i], CMP_TYPE, an_ir(c));

        assert_no_message(&response, 404);
    }
}

/* One message for each label; what it says is for other rows. */
static const struct {
    const char *label;
    enum cmp_body body, answer;
} OPERATIONS[] = {
    { "initialization", CMP_IR, CMP_IP },    { "certification", CMP_CR, CMP_CP },
    { "pkcs10", CMP_P10CR, CMP_CP },         { "getcacerts", CMP_GENM, CMP_GENP },
    { "getrootupdate", CMP_GENM, CMP_GENP }, { "getcertreqtemplate", CMP_GENM, CMP_GENP },
    { "getcrls", CMP_GENM, CMP_GENP },       { "keyupdate", CMP_KUR, CMP_KUP },
    { "revocation", CMP_RR, CMP_RP },
};

static void cmp_5_each_operation_has_its_label(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person updated = cmp_enrolled(c);
    const struct cmp_person revoked = cmp_enrolled_as(
        c, (struct cmp_plan){ .body = CMP_IR, .request.key = cmp_client_key("P-256", 3) });

    for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++) {
        const struct cmp_person *signer = OPERATIONS[i].body == CMP_KUR  ? &updated
                                          : OPERATIONS[i].body == CMP_RR ? &revoked
                                                                         : NULL;
        struct cmp_plan plan = { .body = OPERATIONS[i].body,
                                 .signer = signer,
                                 .request.san = "DNS:router5.example.com",
                                 .request.key = cmp_client_key("P-256", 2),
                                 .revoke.certificate = revoked.certificate,
                                 .implicit_confirm = OPERATIONS[i].body != CMP_GENM &&
                                                     OPERATIONS[i].body != CMP_RR };
        char path[128];
        struct cmp_said said;

        (void)snprintf(path, sizeof(path), "/.well-known/cmp/p/demo/%s", OPERATIONS[i].label);
        c->path = path;
        said = cmp_ask(c, plan);
        assert_int_equal(said.body, OPERATIONS[i].answer);
    }
}

static void cmp_5_the_nested_label_takes_nested_messages(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct bytes ir = an_ir(c);
    struct cmp_said said;

    c->path = "/.well-known/cmp/p/demo/nested";
    said = cmp_send_for(c, cmp_message_of(c, a_nested(&ra, ir)), ir);
    assert_int_equal(said.body, CMP_IP);
}

static void cmp_5_follow_ups_arrive_where_the_first_message_went(void **state)
{
    struct cmp_case *c = *state;

    c->path = "/.well-known/cmp/p/demo/initialization";
    (void)cmp_enrolled(c); /* ir and certConf */
}

static void cmp_6_a_label_that_contradicts_the_body_is_a_bad_request(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said;

    c->path = "/.well-known/cmp/p/demo/certification";
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_IR });
    assert_error(c, &said, CMP_BAD_REQUEST);
    c->path = "/.well-known/cmp/p/demo/getcacerts";
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_IR });
    assert_error(c, &said, CMP_BAD_REQUEST);
}

static void cmp_6_a_follow_up_fits_any_label_of_the_procedure(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR };
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted(c, &said, CMP_IP);
    c->path = "/.well-known/cmp/p/demo/revocation";
    cmp_confirmed(c, plan, &said);
}

static void cmp_7_what_is_no_message_is_400_with_an_empty_body(void **state)
{
    struct cmp_case *c = *state;
    struct bytes ir = an_ir(c);
    const struct bytes bodies[] = { BYTES_LITERAL("hello"), BYTES_LITERAL("\x30\x00"),
                                    bytes_slice(ir, 0, ir.len - 1), bytes_slice(ir, 0, 20) };

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct http_response response = post(c, CMP_PATH, CMP_TYPE, bodies[i]);

        assert_no_message(&response, 400);
        assert_int_equal(response.body.len, 0);
    }
}

static void cmp_7_octets_after_the_message_are_400(void **state)
{
    struct cmp_case *c = *state;
    struct http_response response = post(c, CMP_PATH, CMP_TYPE, arena_format(c->arena, "%.*s", 0, ""));
    uint8_t *longer;
    struct bytes ir = an_ir(c);

    assert_no_message(&response, 400); /* nothing at all */
    longer = arena_alloc(c->arena, ir.len + 1);
    assert_non_null(longer);
    memcpy(longer, ir.data, ir.len);
    response = post(c, CMP_PATH, CMP_TYPE, bytes_of(longer, ir.len + 1));
    assert_no_message(&response, 400);
}

static void cmp_7_a_header_alone_is_enough_for_an_answer(void **state)
{
    static const uint8_t not_a_request[] = { DER_INTEGER, 1, 5 }, garbage[] = { 0x1f, 0x20, 1 };
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .content = BYTES_ARRAY(not_a_request) });

    assert_error(c, &said, CMP_BAD_DATA_FORMAT);
    said = cmp_ask(c, (struct cmp_plan){ .content = BYTES_ARRAY(garbage) });
    assert_error(c, &said, CMP_BAD_DATA_FORMAT);
}

static void cmp_8_other_methods_are_405(void **state)
{
    static const enum http_method methods[] = { HTTP_METHOD_GET, HTTP_METHOD_HEAD, HTTP_METHOD_PUT,
                                                HTTP_METHOD_DELETE };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        struct http_response response = cmp_http(c, methods[i], CMP_PATH, CMP_TYPE, an_ir(c));

        assert_no_message(&response, 405);
        assert_text(cmp_http_header(&response, "Allow"), "POST");
    }
}

static void cmp_8_a_missing_or_wrong_media_type_is_415(void **state)
{
    static const char *const types[] = { NULL, "", "application/pkcs10", "application/pkixcmp2",
                                         "text/plain" };
    struct cmp_case *c = *state;
    struct http_response response;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        response = post(c, CMP_PATH, types[i], an_ir(c));
        assert_no_message(&response, 415);
    }
    response = post(c, CMP_PATH, "Application/PKIXCMP; charset=binary", an_ir(c));
    assert_int_equal(response.status, 200);
}

static void cmp_8_a_message_that_is_too_large_is_413(void **state)
{
    struct cmp_case *c = *state;
    uint8_t *large = arena_alloc(c->arena, CMP_MESSAGE_MAX + 1);
    struct http_response response;

    assert_non_null(large);
    response = post(c, CMP_PATH, CMP_TYPE, bytes_of(large, CMP_MESSAGE_MAX + 1));
    assert_no_message(&response, 413);
}

static void cmp_8_a_procedure_that_is_not_open_on_cmp_is_404(void **state)
{
    struct cmp_case *c = *state;
    struct http_response response;

    c->g->procedure.protocols = PROTOCOL_BIT(PROTOCOL_EST);
    response = post(c, CMP_PATH, CMP_TYPE, an_ir(c));
    assert_no_message(&response, 404);
}

static void cmp_9_announcements_are_403_with_an_empty_body(void **state)
{
    static const enum cmp_body bodies[] = { CMP_CKUANN, CMP_CANN, CMP_RANN, CMP_CRLANN };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_plan plan = { .body = bodies[i], .content = BYTES_LITERAL("\x30\x00") };
        struct http_response response = post(c, CMP_PATH, CMP_TYPE, cmp_message_of(c, plan));

        assert_no_message(&response, 403);
        assert_int_equal(response.body.len, 0);
    }
}

static void cmp_10_a_tls_certificate_never_replaces_protection(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    const struct http_header header = { BYTES_LITERAL("Content-Type"), BYTES_LITERAL("application/pkixcmp") };
    struct http_request request = { .method = HTTP_METHOD_POST,
                                    .path = bytes_text(CMP_PATH),
                                    .header = &header,
                                    .header_count = 1,
                                    .arena = c->arena,
                                    .base_url = "https://127.0.0.1:8443" };
    const struct cmp_trust trust = cmp_trust_of(c);
    struct http_response response;
    struct cmp_said said;

    plan.protection.by = CMP_BY_NOTHING;
    request.body = cmp_message_of(c, plan);
    request.peer.tls = true;
    request.peer.certificate = cmp_client_der(c->arena, device.certificate);
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.7"), &request.peer.address));
    response = a_gateway_ask(c->g, &request, &c->facts);
    assert_int_equal(response.status, 200);
    said = cmp_client_read(c->arena, response.body, request.body, &trust);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    plan.protection.by = CMP_BY_SIGNATURE;
    request.body = cmp_message_of(c, plan);
    response = a_gateway_ask(c->g, &request, &c->facts);
    said = cmp_client_read(c->arena, response.body, request.body, &trust);
    (void)assert_granted(c, &said, CMP_KUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_1_a_message_is_answered_200_in_the_media_type),
        CMP_ROW(cmp_2_an_error_is_http_200),
        CMP_ROW(cmp_3_the_well_known_path_is_the_default_procedure),
        CMP_ROW(cmp_4_paths_name_procedure_and_operation),
        CMP_ROW(cmp_4_a_procedure_or_label_that_is_not_known_is_404),
        CMP_ROW(cmp_5_each_operation_has_its_label),
        CMP_ROW(cmp_5_the_nested_label_takes_nested_messages),
        CMP_ROW(cmp_5_follow_ups_arrive_where_the_first_message_went),
        CMP_ROW(cmp_6_a_label_that_contradicts_the_body_is_a_bad_request),
        CMP_ROW(cmp_6_a_follow_up_fits_any_label_of_the_procedure),
        CMP_ROW(cmp_7_what_is_no_message_is_400_with_an_empty_body),
        CMP_ROW(cmp_7_octets_after_the_message_are_400),
        CMP_ROW(cmp_7_a_header_alone_is_enough_for_an_answer),
        CMP_ROW(cmp_8_other_methods_are_405),
        CMP_ROW(cmp_8_a_missing_or_wrong_media_type_is_415),
        CMP_ROW(cmp_8_a_message_that_is_too_large_is_413),
        CMP_ROW(cmp_8_a_procedure_that_is_not_open_on_cmp_is_404),
        CMP_ROW(cmp_9_announcements_are_403_with_an_empty_body),
        CMP_ROW(cmp_10_a_tls_certificate_never_replaces_protection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
