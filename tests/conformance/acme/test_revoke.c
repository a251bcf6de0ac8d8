/* Revocation, renewal information and profiles (RFC 8555 7.6, RFC 9773). */
#include "tests/conformance/acme/acme_case.h"

static X509 *issued(struct acme_case *c, const char *name, unsigned key)
{
    struct acme_ordered o = acme_ready(c, name);
    struct http_response r = acme_finalized(c, o.order,
                                            (struct est_csr_plan){ .cn = name, .key = est_client_key(key) });

    assert_status(c, &r, 200);
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    assert_status(c, &r, 200);
    return acme_leaf(r.body);
}

static const char *revocation(struct acme_case *c, X509 *leaf, const char *more)
{
    return acme_text(c->arena, "{\"certificate\":\"%s\"%s}",
                     acme_client_base64url(c->arena, scep_client_der(c->arena, leaf)), more);
}

static struct http_response revoke_as(struct acme_case *c, enum acme_client_key key, X509 *leaf,
                                      const char *more)
{
    return acme_ask(
        c, (struct acme_plan){ .resource = "revoke-cert", .key = key, .payload = revocation(c, leaf, more) });
}

static void acme_110_112_the_account_that_ordered_it_revokes(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    leaf = issued(c, "a.example.com", 0);
    r = revoke_as(c, ACME_KEY_A, leaf, ",\"reason\":1");
    assert_status(c, &r, 200);
    assert_int_equal(r.body.len, 0);
    r = revoke_as(c, ACME_KEY_A, leaf, "");
    assert_problem(c, &r, "alreadyRevoked", 400); /* ACME-112 */
    X509_free(leaf);
}

static void acme_110_111_one_that_holds_all_authorizations_revokes(void **state)
{
    struct acme_case *c = *state;
    struct registration closed = c->registration;
    struct acme_challenged challenge;
    struct http_response r;
    X509 *leaf;
    const char *authz;

    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    leaf = issued(c, "a.example.com", 0);
    r = revoke_as(c, ACME_KEY_B, leaf, "");
    assert_problem(c, &r, "unauthorized", 403); /* ACME-111 */
    r = acme_order_as(c, ACME_KEY_B, "a.example.com");
    authz = acme_path(c, json_bytes(json_array_get(json_object_get(c->json, "authorizations"), 0)));
    r = revoke_as(c, ACME_KEY_B, leaf, "");
    assert_problem(c, &r, "unauthorized", 403); /* pending */
    r = acme_ask(c, (struct acme_plan){ .resource = authz, .key = ACME_KEY_B });
    challenge.path = acme_text(c->arena, "challenge%s/http-01", authz + strlen("authz"));
    r = acme_ask(c, (struct acme_plan){ .resource = challenge.path, .key = ACME_KEY_B, .payload = "{}" });
    challenge.token = arena_text(c->arena, json_member(c->json, "token"));
    (void)acme_step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    (void)acme_step(c, (struct job_event){ .kind = JOB_EVENT_HTTP,
                                           .http_ok = true,
                                           .http_status = 200,
                                           .fault = NET_OK,
                                           .http_body = bytes_text(
                                               acme_text(c->arena, "%s.%s", challenge.token,
                                                         acme_client_thumbprint(c->arena, ACME_KEY_B))) });
    closed.state = REGISTRATION_CLOSED;
    acme_change(c, closed);
    r = revoke_as(c, ACME_KEY_B, leaf, "");
    assert_problem(c, &r, "unauthorized", 403); /* it counts no more */
    closed.revision = 2;
    closed.state = REGISTRATION_OPEN;
    acme_change(c, closed);
    r = revoke_as(c, ACME_KEY_B, leaf, "");
    assert_status(c, &r, 200);
    X509_free(leaf);
}

/* Nobody has proved it: another account's certificate, or a device's, is not its to revoke. */
static void acme_111_what_was_spared_a_challenge_revokes_nothing(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    leaf = issued(c, "a.example.com", 0);
    changed.pre_authorised = true;
    acme_change(c, changed);
    r = acme_order_as(c, ACME_KEY_B, "a.example.com");
    assert_member(c, "status", "ready");
    r = revoke_as(c, ACME_KEY_B, leaf, "");
    assert_problem(c, &r, "unauthorized", 403);
    r = revoke_as(c, ACME_KEY_A, leaf, "");
    assert_status(c, &r, 200);
    X509_free(leaf);
}

/* The certificate's key is an account key of the client, so that it can sign. */
static void acme_110_114_the_certificates_key_revokes(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "a.example.com", .key = acme_client_key(ACME_KEY_C) });
    assert_status(c, &r, 200);
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    leaf = acme_leaf(r.body);
    r = acme_ask(c, (struct acme_plan){ .resource = acme_path(c, bytes_text(c->kid[ACME_KEY_A])),
                                        .payload = "{\"status\":\"deactivated\"}" });
    assert_status(c, &r, 200);
    r = revoke_as(c, ACME_KEY_B, leaf, ""); /* another key */
    assert_problem(c, &r, "unauthorized", 403);
    r = revoke_as(c, ACME_KEY_C, leaf, ""); /* ACME-114 */
    assert_status(c, &r, 200);
    X509_free(leaf);
}

static void acme_111_what_is_not_ours(void **state)
{
    struct acme_case *c = *state;
    X509 *root = scep_client_certificate(c->g->ca.chain[0]);
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    r = revoke_as(c, ACME_KEY_A, root, "");
    assert_problem(c, &r, "malformed", 404);
    r = acme_ask(c, (struct acme_plan){ .resource = "revoke-cert", .payload = "{\"certificate\":\"AAAA\"}" });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_113_reasons(void **state)
{
    static const int refused[] = { 2, 6, 7, 8, 9, 10, 11, -1 };
    struct acme_case *c = *state;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    leaf = issued(c, "a.example.com", 0);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        r = revoke_as(c, ACME_KEY_A, leaf, acme_text(c->arena, ",\"reason\":%d", refused[i]));
        assert_problem(c, &r, "badRevocationReason", 400);
    }
    r = revoke_as(c, ACME_KEY_A, leaf, ",\"reason\":\"1\"");
    assert_problem(c, &r, "malformed", 400);
    r = revoke_as(c, ACME_KEY_A, leaf, ",\"reason\":4");
    assert_status(c, &r, 200);
    X509_free(leaf);
}

/* --- renewal information --- */
static const char *certificate_id(struct acme_case *c, X509 *leaf)
{
    const ASN1_OCTET_STRING *key_id = X509_get0_authority_key_id(leaf);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(leaf);
    struct bytes value = bytes_of(serial->data, (size_t)serial->length);
    uint8_t octets[64] = { 0 };

    memcpy(octets + 1, value.data, value.len);
    value = value.data[0] >= 0x80 ? bytes_of(octets, value.len + 1) : bytes_of(octets + 1, value.len);
    return acme_text(c->arena, "%s.%s",
                     acme_client_base64url(c->arena, bytes_of(key_id->data, (size_t)key_id->length)),
                     acme_client_base64url(c->arena, value));
}

static struct http_response renewal_info(struct acme_case *c, const char *id)
{
    return acme_send(c, acme_request(c, HTTP_METHOD_GET, acme_text(c->arena, "renewal-info/%s", id)));
}

static bool is_before(struct bytes a, struct bytes b)
{
    return bytes_compare(a, b) < 0;
}

static void acme_116_118_renewal_information(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    const json_t *window;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    leaf = issued(c, "a.example.com", 0);
    r = renewal_info(c, certificate_id(c, leaf));
    assert_status(c, &r, 200);
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
    window = json_object_get(c->json, "suggestedWindow");
    assert_true(is_before(json_member(window, "start"), json_member(window, "end")));
    r = revoke_as(c, ACME_KEY_A, leaf, ""); /* ACME-118 */
    r = renewal_info(c, certificate_id(c, leaf));
    window = json_object_get(c->json, "suggestedWindow");
    assert_true(is_before(json_member(window, "end"), BYTES_LITERAL("2026-09-22")));
    X509_free(leaf);
}

static void acme_117_certificates_that_are_not_known(void **state)
{
    static const char *const ids[] = { "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "x", ".", "a.b.c", "",
                                       "aYhba4dGQEHhs3uEe6CuLN4ByNQ=.AIdlQyE" };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct http_response r = renewal_info(c, ids[i]);

        assert_problem(c, &r, "malformed", 404);
    }
}

static struct http_response replace(struct acme_case *c, enum acme_client_key key, const char *name,
                                    const char *id)
{
    return acme_ask(
        c, (struct acme_plan){ .resource = "new-order",
                               .key = key,
                               .payload = acme_text(c->arena, "{\"identifiers\":%s,\"replaces\":\"%s\"}",
                                                    acme_identifiers(c, name), id) });
}

static void acme_119_120_121_an_order_replaces_a_certificate(void **state)
{
    struct acme_case *c = *state;
    const char *id, *order;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    leaf = issued(c, "a.example.com", 0);
    id = certificate_id(c, leaf);
    r = replace(c, ACME_KEY_B, "a.example.com", id);
    assert_problem(c, &r, "unauthorized", 403); /* ACME-121 */
    r = replace(c, ACME_KEY_A, "a.example.com", "AAAA.AAAA");
    assert_problem(c, &r, "unauthorized", 403);
    r = replace(c, ACME_KEY_A, "b.example.com", id);
    assert_problem(c, &r, "malformed", 400);
    r = replace(c, ACME_KEY_A, "a.example.com", id);
    assert_status(c, &r, 201);
    assert_member(c, "replaces", id);
    order = acme_path(c, acme_header(&r, "Location", 0));
    r = acme_finalized(c, order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
    r = replace(c, ACME_KEY_A, "a.example.com", id);
    assert_problem(c, &r, "alreadyReplaced", 409); /* ACME-120 */
    X509_free(leaf);
}

/* --- profiles --- */
static void acme_122_123_a_profile_is_chosen(void **state)
{
    struct acme_case *c = *state;
    struct profile short_lived = c->g->profile;
    const struct profile *const list[] = { &short_lived };
    const char *order;
    struct http_response r;
    X509 *leaf;

    short_lived.name = "short";
    short_lived.validity_s = 86400;
    c->g->procedure.acme_profile = list;
    c->g->procedure.acme_profile_count = 1;
    (void)acme_send(c, acme_request(c, HTTP_METHOD_GET, "directory"));
    assert_int_equal(json_object_size(json_object_get(json_object_get(c->json, "meta"), "profiles")), 2);
    acme_joined(c, ACME_KEY_A);
    r = acme_ask(
        c, (struct acme_plan){ .resource = "new-order",
                               .payload = acme_text(c->arena, "{\"identifiers\":%s,\"profile\":\"long\"}",
                                                    acme_identifiers(c, "a.example.com")) });
    assert_problem(c, &r, "invalidProfile", 400); /* ACME-123 */
    (void)acme_ready(c, "a.example.com");
    r = acme_ask(
        c, (struct acme_plan){ .resource = "new-order",
                               .payload = acme_text(c->arena, "{\"identifiers\":%s,\"profile\":\"short\"}",
                                                    acme_identifiers(c, "a.example.com")) });
    assert_status(c, &r, 201);
    assert_member(c, "profile", "short");
    order = acme_path(c, acme_header(&r, "Location", 0));
    r = acme_finalized(c, order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_status(c, &r, 200);
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    leaf = acme_leaf(r.body);
    {
        int days = 0, seconds = 0;

        assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(leaf), X509_get0_notAfter(leaf)),
                         1);
        assert_in_range(days, 0, 2);
    }
    X509_free(leaf);
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_member(c, "profile", c->g->profile.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_110_112_the_account_that_ordered_it_revokes),
        ACME_ROW(acme_110_111_one_that_holds_all_authorizations_revokes),
        ACME_ROW(acme_111_what_was_spared_a_challenge_revokes_nothing),
        ACME_ROW(acme_110_114_the_certificates_key_revokes),
        ACME_ROW(acme_111_what_is_not_ours),
        ACME_ROW(acme_113_reasons),
        ACME_ROW(acme_116_118_renewal_information),
        ACME_ROW(acme_117_certificates_that_are_not_known),
        ACME_ROW(acme_119_120_121_an_order_replaces_a_certificate),
        ACME_ROW(acme_122_123_a_profile_is_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
