#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/admin.h"
#include "lib/base/encode.h"
#include "officer/act.h"
#include "registry/audit.h"
#include "registry/state.h"

enum { NOW_S = 1800000000, YEAR_S = 365 * 86400 };
static const char BASE_URL[] = "https://127.0.0.1:8444";
static const char ACTS_URL[] = "https://127.0.0.1:8444/api/v1/acts";

struct world {
    char directory[256];
    struct registry *registry;
    struct arena *arena;
    struct keys *keys;
    struct error err;
    struct domain domain;
    struct profile profile;
    struct procedure procedure;
    const struct procedure *procedures[1];
    const struct domain *domains[1];
    struct enroll_service enroll;
    struct admin_service service;
    struct bytes certificate, reader_certificate, stranger_certificate;
    int64_t now_s;
};

static void must(struct world *w, bool ok)
{
    if (!ok)
        fail_msg("%s", w->err.text);
}

static void apply(struct world *w, const struct changes *changes)
{
    enum apply_result result = APPLY_NONE;

    must(w, registry_apply(w->registry, &changes, 1, w->now_s, &result, &w->err));
    assert_int_equal(result, APPLY_DONE);
}

static struct bytes a_certificate(struct world *w, const char *key)
{
    AUTO_STRUCT(buffer) subject = BUFFER(256);
    struct bytes der = BYTES_NONE;

    must(w, keys_generate(w->keys, key, KEY_EC_P256, 0, &w->err) &&
                name_parse(BYTES_LITERAL("CN=x"), &subject) &&
                ca_make_root(&(struct ca_make){ buffer_bytes(&subject), YEAR_S, NOW_S }, w->keys, key,
                             &random_system, w->arena, &der, &w->err));
    return der;
}

/* The key of the ring that signs, and a certificate over it, with these rights. */
static struct bytes an_appointment(struct world *w, const char *key, struct bytes certificate,
                                   const char *rights)
{
    AUTO(json_t) *jwk = jwk_of_spki(keys_public(w->keys, key));
    struct digest256 digest;
    char hex[2 * DIGEST256_LEN + 1];
    struct bytes text;

    assert_true(sha256(certificate, &digest));
    hex_encode(digest256_bytes(&digest), hex);
    assert_true(json_write(jwk, w->arena, &text));
    return arena_format(w->arena,
                        "{\"act\":\"officer\",\"officer\":{\"name\":\"x\",\"key\":%.*s,\"certificate\":\"%"
                        "s\",\"rights\":[%s]}}",
                        BYTES_FMT(text), hex, rights);
}

static struct bytes signed_act(struct world *w, const char *key, struct bytes payload)
{
    struct bytes jws;

    must(w, officer_act_sign(w->keys, key, payload, bytes_text(ACTS_URL), w->now_s, &random_system, w->arena,
                             &jws, &w->err));
    return jws;
}

static struct http_response call(struct world *w, enum http_method method, const char *target,
                                 struct bytes body, struct bytes certificate)
{
    static const struct http_header json = { BYTES_LITERAL("Content-Type"),
                                             BYTES_LITERAL("application/json") };
    struct bytes rest = bytes_text(target), path;
    struct turn turn = { .keys = w->keys, .random = random_system, .now_s = w->now_s, .arena = w->arena };
    struct http_request request = { .method = method,
                                    .body = body,
                                    .header = &json,
                                    .header_count = 1,
                                    .base_url = BASE_URL,
                                    .arena = w->arena,
                                    .peer.certificate = certificate };
    struct http_response response;

    (void)bytes_split(&rest, '?', &path);
    request.path = path;
    request.query = rest;
    must(w, registry_view_begin(w->registry, &turn.view, &w->err));
    changes_begin(&turn.changes, w->arena);
    must(w, admin_serve(&turn, &w->service, &request, &response, &w->err));
    response.body = arena_copy(w->arena, response.body);
    registry_view_end(turn.view);
    if (turn.changes.count > 0)
        apply(w, &turn.changes);
    return response;
}

static struct http_response get(struct world *w, const char *target)
{
    return call(w, HTTP_METHOD_GET, target, BYTES_NONE, w->certificate);
}

static struct http_response send_act(struct world *w, const char *payload)
{
    struct bytes jws = signed_act(w, "chief", bytes_text(payload));

    return call(w, HTTP_METHOD_POST, "/api/v1/acts", arena_format(w->arena, "{\"jws\":%.*s}", BYTES_FMT(jws)),
                w->certificate);
}

static void assert_says(const struct http_response *response, const char *text)
{
    if (memmem(response->body.data, response->body.len, text, strlen(text)) == NULL)
        fail_msg("no %s in %.*s", text, BYTES_FMT(response->body));
}

static void assert_silent(const struct http_response *response, const char *text)
{
    assert_null(memmem(response->body.data, response->body.len, text, strlen(text)));
}

static void appoint(struct world *w)
{
    struct changes changes;
    struct act_outcome outcome;
    struct http_response response;

    changes_begin(&changes, w->arena);
    must(w, officer_act_first(
                &changes,
                signed_act(w, "chief",
                           an_appointment(w, "chief", w->certificate,
                                          "\"register\",\"wildcard\",\"close\",\"read\",\"officers\"")),
                &outcome, &w->err));
    assert_int_equal(outcome.result, ACT_DONE);
    apply(w, &changes);
    response = send_act(
        w, arena_text(w->arena, an_appointment(w, "clerk", w->reader_certificate, "\"register\"")));
    assert_int_equal(response.status, 200);
}

static int set_up(void **state)
{
    static const uint8_t secrets_key[32] = { 9 };
    struct world *w = calloc(1, sizeof(*w));
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;
    const char *base = getenv("TMPDIR");

    assert_non_null(w);
    (void)snprintf(w->directory, sizeof(w->directory), "%s/muster-admin-XXXXXX",
                   base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->directory));
    options.path = w->directory;
    options.map_max = (uint64_t)1 << 30;
    options.no_sync = true;
    w->now_s = NOW_S;
    w->arena = arena_new(256 << 20);
    must(w, registry_open(&options, &w->registry, &w->err) && keys_new(&w->keys, &w->err) &&
                keys_add_secrets_key(w->keys, "k1", secrets_key, &w->err));
    w->domain = (struct domain){ .name = "devices", .id = domain_id_of(BYTES_LITERAL("devices")) };
    w->profile = (struct profile){ .name = "device" };
    w->procedure = (struct procedure){ .name = "routers",
                                       .domain = &w->domain,
                                       .profile = &w->profile,
                                       .ca = "demo",
                                       .protocols = PROTOCOL_BIT(PROTOCOL_EST) };
    w->procedures[0] = &w->procedure;
    w->domains[0] = &w->domain;
    w->enroll = (struct enroll_service){ .procedure = w->procedures, .procedure_count = 1 };
    w->service = (struct admin_service){
        .enroll = &w->enroll, .domain = w->domains, .domain_count = 1, .act_skew_s = 300
    };
    w->certificate = a_certificate(w, "chief");
    w->reader_certificate = a_certificate(w, "clerk");
    w->stranger_certificate = a_certificate(w, "stranger");
    appoint(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = { "data.mdb", "lock.mdb", "daemon.lock" };
    struct world *w = *state;
    char path[512];

    registry_close(w->registry);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", w->directory, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(w->directory), 0);
    keys_unref(w->keys);
    arena_free(w->arena);
    free(w);
    return 0;
}

#define ROUTER(fqdn)                                                                                       \
    "{\"act\":\"register\",\"registration\":{\"order\":\"est\",\"procedure\":\"routers\",\"fqdn\":\"" fqdn \
    "\"}}"

static void only_officers_are_served(void **state)
{
    struct world *w = *state;

    assert_int_equal(call(w, HTTP_METHOD_GET, "/api/v1/procedures", BYTES_NONE, BYTES_NONE).status, 401);
    assert_int_equal(
        call(w, HTTP_METHOD_GET, "/api/v1/procedures", BYTES_NONE, w->stranger_certificate).status, 403);
    assert_int_equal(call(w, HTTP_METHOD_GET, "/api/v1/procedures", BYTES_NONE, w->reader_certificate).status,
                     403);
    assert_int_equal(get(w, "/api/v1/procedures").status, 200);
    w->now_s += 2 * YEAR_S; /* the certificate is over */
    assert_int_equal(get(w, "/api/v1/procedures").status, 401);
}

static void paths_methods_types_and_sizes_are_judged(void **state)
{
    struct world *w = *state;
    uint8_t *large = arena_alloc(w->arena, 100 << 10);
    struct http_response response = call(w, HTTP_METHOD_GET, "/api/v1/acts", BYTES_NONE, w->certificate);

    assert_int_equal(response.status, 405);
    assert_string_equal((const char *)response.header[response.header_count - 1].name.data, "Allow");
    assert_int_equal(call(w, HTTP_METHOD_DELETE, "/api/v1/registrations", BYTES_NONE, w->certificate).status,
                     405);
    assert_int_equal(get(w, "/api/v1/nothing").status, 404);
    assert_int_equal(get(w, "/api/v1/").status, 404);
    assert_int_equal(get(w, "/api/v1/registrations/").status, 404);
    assert_int_equal(get(w, "/api/v1/registrations/xyz").status, 404);
    assert_int_equal(get(w, "/api/v1/registrations/00000000000000000000000000000000").status, 404);
    assert_int_equal(get(w, "/api/v1/registrations?limit=0").status, 400);
    assert_int_equal(get(w, "/api/v1/registrations?limit=1001").status, 400);
    assert_int_equal(get(w, "/api/v1/registrations?domain=nowhere").status, 404);
    assert_int_equal(get(w, "/api/v1/audit/entries?from=x").status, 400);
    assert_int_equal(get(w, "/api/v1/certificates?fqdn=not%20a%20name").status, 400);
    assert_non_null(large);
    assert_int_equal(
        call(w, HTTP_METHOD_POST, "/api/v1/acts", bytes_of(large, 100 << 10), w->certificate).status, 413);
    assert_int_equal(call(w, HTTP_METHOD_POST, "/api/v1/acts", BYTES_LITERAL("[]"), w->certificate).status,
                     400);
    assert_int_equal(
        call(w, HTTP_METHOD_POST, "/api/v1/acts", BYTES_LITERAL("{\"jws\":{},\"more\":1}"), w->certificate)
            .status,
        400);
}

static void an_act_is_performed_and_answered(void **state)
{
    struct world *w = *state;
    struct http_response response = send_act(w, ROUTER("*.example.com"));

    assert_int_equal(response.status, 201);
    assert_says(&response, "\"result\":\"done\"");
    response = send_act(w, ROUTER("a.example.com"));
    assert_int_equal(response.status, 201);
    assert_says(&response, "\"overlaps\":[\"*.example.com\"]");
    response = send_act(w, ROUTER("a.example.com"));
    assert_int_equal(response.status, 409);
    assert_says(&response, "\"error\":\"held\"");
    assert_int_equal(send_act(w, ROUTER("*")).status, 403);
    assert_int_equal(send_act(w, "{\"act\":\"approve\",\"pending\":\"00\"}").status, 404);
    response = get(w, "/api/v1/registrations?limit=1");
    assert_says(&response, "\"next\":");
    response = get(w, "/api/v1/registrations?fqdn=a.example.com");
    assert_says(&response, "\"fqdn\":\"a.example.com\"");
    assert_silent(&response, "\"fqdn\":\"*.example.com\"");
}

static void a_secret_goes_in_and_never_comes_out(void **state)
{
    static const uint8_t salt[ACT_SALT_LEN] = { 7 };
    static const char *const reads[] = { "/api/v1/registrations", "/api/v1/audit/entries",
                                         "/api/v1/officers" };
    struct world *w = *state;
    AUTO_STRUCT(buffer) text = BUFFER(64);
    AUTO_STRUCT(buffer) salt_text = BUFFER(64);
    struct digest256 commitment;
    struct bytes jws;
    struct http_response response;

    assert_true(officer_commitment(BYTES_ARRAY(salt), BYTES_LITERAL("s3cret-word"), &commitment));
    base64url_encode(&text, digest256_bytes(&commitment));
    base64url_encode(&salt_text, BYTES_ARRAY(salt));
    jws = signed_act(
        w, "chief",
        arena_format(w->arena,
                     "{\"act\":\"register\",\"registration\":{\"order\":\"est\",\"procedure\":\"routers\","
                     "\"fqdn\":\"a.example.com\",\"commitment\":\"%.*s\"}}",
                     BYTES_FMT(buffer_bytes(&text))));
    response = call(w, HTTP_METHOD_POST, "/api/v1/acts",
                    arena_format(w->arena,
                                 "{\"jws\":%.*s,\"secret\":{\"value\":\"s3cret-word\",\"salt\":\"%.*s\"}}",
                                 BYTES_FMT(jws), BYTES_FMT(buffer_bytes(&salt_text))),
                    w->certificate);
    assert_int_equal(response.status, 201);
    assert_silent(&response, "s3cret");
    for (size_t i = 0; i < COUNT_OF(reads); i++) {
        response = get(w, reads[i]);
        assert_int_equal(response.status, 200);
        assert_silent(&response, "s3cret");
        assert_silent(&response, (const char *)arena_text(w->arena, buffer_bytes(&salt_text)));
    }
    response = get(w, "/api/v1/registrations");
    assert_says(&response, "\"hasSecret\":true");
}

static struct http_response explain(struct world *w, const char *body)
{
    return call(w, HTTP_METHOD_POST, "/api/v1/explain", bytes_text(body), w->certificate);
}

static void register_key_id(struct world *w, const char *key_id, struct bytes *allowed)
{
    const struct registration r = { .id = { { 7 } },
                                    .revision = 1,
                                    .order = ORDER_ACME,
                                    .key_id = bytes_text(key_id),
                                    .procedure = BYTES_LITERAL("routers"),
                                    .domain = w->domain.id,
                                    .state = REGISTRATION_OPEN,
                                    .accepted_s = w->now_s,
                                    .protocols = PROTOCOL_BIT(PROTOCOL_ACME),
                                    .allowed_domain = allowed,
                                    .allowed_domain_count = 1,
                                    .officer = BYTES_LITERAL("chief") };
    struct changes changes;

    changes_begin(&changes, w->arena);
    change_registration_put(&changes, &r, 0);
    apply(w, &changes);
}

#define OF_KEY(more) "{\"procedure\":\"routers\",\"keyId\":\"kid-7\"" more "}"

static void explain_finds_what_an_account_is_bound_to(void **state)
{
    static struct bytes allowed[] = { BYTES_LITERAL("example.com") };
    struct world *w = *state;
    struct http_response response;

    response = explain(w, OF_KEY(""));
    assert_says(&response, "no_registration");
    register_key_id(w, "kid-7", allowed);
    response = explain(w, OF_KEY(""));
    assert_says(&response, "\"admits\":true");
    response = explain(w, OF_KEY(",\"fqdn\":\"a.example.com\""));
    assert_says(&response, "\"admits\":true");
    response = explain(w, OF_KEY(",\"fqdn\":\"a.evilexample.com\""));
    assert_says(&response, "\"admits\":false");
    assert_says(&response, "\"reason\":\"name_policy\"");
}

static void explain_names_what_stands_against_a_request(void **state)
{
    struct world *w = *state;
    struct http_response response;

    assert_int_equal(send_act(w, ROUTER("*.example.com")).status, 201);
    assert_int_equal(send_act(w, ROUTER("a.example.com")).status, 201);
    response = explain(w, "{\"procedure\":\"routers\",\"fqdn\":\"a.example.com\",\"protocol\":\"est\"}");
    assert_says(&response, "\"admits\":true");
    response = explain(w, "{\"procedure\":\"routers\",\"fqdn\":\"a.example.com\",\"protocol\":\"scep\"}");
    assert_says(&response, "\"reason\":\"protocol\"");
    /* a Closed one blocks the broader one */
    assert_int_equal(
        send_act(w, "{\"act\":\"close\",\"procedure\":\"routers\",\"fqdn\":\"a.example.com\"}").status, 200);
    response = explain(w, "{\"procedure\":\"routers\",\"fqdn\":\"a.example.com\"}");
    assert_says(&response, "\"admits\":false");
    assert_says(&response, "\"reason\":\"closed\"");
    assert_says(&response, "not looked at");
    response = explain(w, "{\"procedure\":\"routers\",\"fqdn\":\"a.b.example.com\"}");
    assert_says(&response, "no_registration");
    assert_int_equal(explain(w, "{\"procedure\":\"nobody\",\"fqdn\":\"a.b.c\"}").status, 404);
    assert_int_equal(explain(w, "{\"procedure\":\"routers\",\"fqdn\":\"*.example.com\"}").status, 400);
    assert_int_equal(explain(w, "{\"procedure\":\"routers\",\"fqdn\":\"a.b.c\",\"password\":\"x\"}").status,
                     400);
}

static void pages_follow_each_other(void **state)
{
    struct world *w = *state;
    struct http_response response;

    assert_int_equal(send_act(w, ROUTER("a.example.com")).status, 201);
    response = get(w, "/api/v1/audit/entries?limit=2");
    assert_says(&response, "\"next\":2");
    response = get(w, "/api/v1/audit/entries?from=2&limit=2");
    assert_says(&response, "\"index\":2");
    assert_silent(&response, "\"next\"");
    response = get(w, "/api/v1/audit/entries?from=99");
    assert_says(&response, "\"entries\":[]");
    response = get(w, "/api/v1/registrations?after=a.example.com");
    assert_says(&response, "\"registrations\":[]");
}

static void an_act_is_refused_where_no_place_is_configured(void **state)
{
    struct world *w = *state;
    struct turn turn = { .keys = w->keys, .random = random_system, .now_s = w->now_s, .arena = w->arena };
    static const struct http_header json = { BYTES_LITERAL("Content-Type"),
                                             BYTES_LITERAL("application/json") };
    struct http_request request = { .method = HTTP_METHOD_POST,
                                    .path = BYTES_LITERAL("/api/v1/acts"),
                                    .body = BYTES_LITERAL("{\"jws\":{}}"),
                                    .header = &json,
                                    .header_count = 1,
                                    .arena = w->arena,
                                    .peer.certificate = w->certificate };
    struct http_response response;

    must(w, registry_view_begin(w->registry, &turn.view, &w->err));
    changes_begin(&turn.changes, w->arena);
    must(w, admin_serve(&turn, &w->service, &request, &response, &w->err));
    assert_int_equal(response.status, 503);
    request.base_url = "";
    must(w, admin_serve(&turn, &w->service, &request, &response, &w->err));
    registry_view_end(turn.view);
    assert_int_equal(response.status, 503);
}

/* The log is written when the view has gone. */
static void what_the_log_says_does_not_borrow_from_the_view(void **state)
{
    struct world *w = *state;
    struct turn turn = { .keys = w->keys, .random = random_system, .now_s = w->now_s, .arena = w->arena };
    struct http_request request = { .method = HTTP_METHOD_GET,
                                    .path = BYTES_LITERAL("/api/v1/procedures"),
                                    .base_url = BASE_URL,
                                    .arena = w->arena,
                                    .peer.certificate = w->certificate };
    struct http_response response;
    struct officer_record officer;
    struct digest256 digest;
    bool found = false;

    assert_true(sha256(w->certificate, &digest));
    must(w, registry_view_begin(w->registry, &turn.view, &w->err));
    changes_begin(&turn.changes, w->arena);
    must(w, admin_serve(&turn, &w->service, &request, &response, &w->err) &&
                registry_officer_by_certificate(turn.view, &digest, w->arena, &found, &officer, &w->err));
    assert_true(found);
    assert_true(bytes_equal(turn.facts.officer, officer.key_id));
    assert_ptr_not_equal(turn.facts.officer.data, officer.key_id.data);
    registry_view_end(turn.view);
}

#define admin_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        admin_test(only_officers_are_served),
        admin_test(paths_methods_types_and_sizes_are_judged),
        admin_test(an_act_is_performed_and_answered),
        admin_test(a_secret_goes_in_and_never_comes_out),
        admin_test(explain_finds_what_an_account_is_bound_to),
        admin_test(explain_names_what_stands_against_a_request),
        admin_test(pages_follow_each_other),
        admin_test(an_act_is_refused_where_no_place_is_configured),
        admin_test(what_the_log_says_does_not_borrow_from_the_view),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
