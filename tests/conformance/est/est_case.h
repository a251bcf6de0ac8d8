/* est_case.h: what every EST row starts from: a gateway with one registration, and a client. */
#ifndef MUSTER_TESTS_EST_CASE_H
#define MUSTER_TESTS_EST_CASE_H

#include <stdlib.h>

#include "enroll/pending.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/est_client.h"

struct est_case {
    struct a_gateway *g;
    struct arena *arena;
    struct turn_facts facts; /* of the last request */
};

static const char REENROLL[] = "/.well-known/est/demo/simplereenroll";

static inline int est_case_setup(void **state)
{
    struct est_case *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->g = a_gateway_new(1);
    c->arena = arena_new(64 << 20);
    (void)a_gateway_register(c->g, "router5.example.com", "s3cret",
                             (struct registration){ .order = ORDER_EST });
    *state = c;
    return 0;
}

static inline int est_case_teardown(void **state)
{
    struct est_case *c = *state;

    a_gateway_free(c->g);
    arena_free(c->arena);
    free(c);
    scep_client_reset();
    return 0;
}

#define EST_ROW(test) cmocka_unit_test_setup_teardown(test, est_case_setup, est_case_teardown)

static inline struct http_response est_ask(struct est_case *c, struct est_plan plan)
{
    return a_gateway_ask(c->g, est_client_request(c->arena, &plan), &c->facts);
}

static inline struct http_response est_get(struct est_case *c, const char *path)
{
    return est_ask(c, (struct est_plan){ .path = path, .method = HTTP_METHOD_GET, .content_type = "" });
}

static inline void assert_reason(struct est_case *c, const char *reason)
{
    assert_non_null(c->facts.reason);
    assert_string_equal(c->facts.reason, reason);
}

/* Words for people, never a certificate (EST-46). */
static inline void assert_status(struct est_case *c, const struct http_response *response, int status)
{
    if (response->status != status)
        fail_msg("HTTP %d: %.*s (%s, %s, %s), not %d", response->status, BYTES_FMT(response->body),
                 c->facts.reason != NULL ? c->facts.reason : "",
                 c->facts.detail != NULL ? c->facts.detail : "", c->facts.error, status);
    assert_text(est_client_header(response, "Content-Type", 0), "text/plain; charset=utf-8");
    assert_true(response->body.len > 0);
    assert_true((status == 401) == (est_client_header(response, "WWW-Authenticate", 0).data != NULL));
}

/* The one certificate of a 200, issued by our CA and on record. */
static inline X509 *assert_issued(struct est_case *c, const struct http_response *response)
{
    X509 *certificate[2];

    if (response->status != 200)
        fail_msg("HTTP %d: %.*s (%s, %s, %s)", response->status, BYTES_FMT(response->body),
                 c->facts.reason != NULL ? c->facts.reason : "",
                 c->facts.detail != NULL ? c->facts.detail : "", c->facts.error);
    assert_int_equal(est_client_bag(c->arena, response, certificate, 2), 1);
    assert_int_equal(
        X509_verify(certificate[0], X509_get0_pubkey(scep_client_certificate(c->g->ca.chain[0]))), 1);
    assert_true(a_gateway_has_certificate(c->g, scep_client_der(c->arena, certificate[0])));
    return certificate[0];
}

/* A first enrollment of router5 with key 0. */
static inline X509 *est_enrolled(struct est_case *c)
{
    struct http_response response = est_ask(c, (struct est_plan){ .user = "router5", .password = "s3cret" });

    return assert_issued(c, &response);
}

static inline struct bytes est_der(struct est_case *c, X509 *certificate)
{
    return scep_client_der(c->arena, certificate);
}

/* A certificate that a vendor gave a device at birth, and the vendor's root as *anchors. */
static inline struct bytes est_vendor(struct est_case *c, const char *subject, struct anchors **anchors)
{
    static const uint8_t vendor_name[] = { 0x30, 0x11, 0x31, 0x0f, 0x30, 0x0d, 0x06, 0x03, 0x55, 0x04,
                                           0x03, 0x0c, 0x06, 'V',  'e',  'n',  'd',  'o',  'r' };
    AUTO_STRUCT(buffer) name = BUFFER(512);
    struct ca vendor = {
        .name = "vendor", .connector = &ca_local_connector, .chain_count = 1, .key_name = "root"
    };
    struct ca_make make = { .subject = BYTES_ARRAY(vendor_name),
                            .validity_s = 3650u * 86400,
                            .now_s = c->g->now_s };
    struct bytes der = BYTES_NONE;
    struct keys *keys = NULL;
    struct error err = { 0 };

    assert_true(name_parse(bytes_text(subject), &name));
    if (!keys_new(&keys, &err) || !keys_generate(keys, "root", KEY_EC_P256, 0, &err) ||
        !keys_generate(keys, "device", KEY_EC_P256, 0, &err) ||
        !ca_make_root(&make, keys, "root", &c->g->random, c->arena, &vendor.chain[0], &err) ||
        !ca_prepare(&vendor, keys, &err))
        fail_msg("%s", err.text);
    make.subject = buffer_bytes(&name);
    if (!ca_make_service(&vendor, SERVICE_OFFICER, &make, BYTES_NONE, keys, "device", &c->g->random, c->arena,
                         &der, &err) ||
        !anchors_new(vendor.chain, 1, anchors, &err))
        fail_msg("%s", err.text);
    ca_release(&vendor);
    keys_unref(keys);
    return der;
}

static inline struct turn est_turn(struct est_case *c)
{
    struct turn turn = {
        .view = a_gateway_view(c->g),
        .keys = c->g->config.keys,
        .random = c->g->random,
        .now_s = c->g->now_s,
        .arena = c->arena,
    };

    changes_begin(&turn.changes, c->arena);
    return turn;
}

static inline void est_decide(struct est_case *c, bool approve)
{
    struct turn turn = est_turn(c);
    struct pending waiting[4];
    size_t count = 0;
    bool found = false;
    struct error err = { 0 };

    if (!pending_list(&turn, BYTES_LITERAL("demo"), COUNT_OF(waiting), waiting, &count, &err))
        fail_msg("%s", err.text);
    assert_int_equal(count, 1);
    if (!pending_decide(&turn, waiting[0].id, approve, BYTES_LITERAL("test-officer"), &found, &err))
        fail_msg("%s", err.text);
    assert_true(found);
    a_gateway_apply(c->g, &turn.changes);
}

static inline void est_revoke(struct est_case *c, X509 *certificate)
{
    struct changes changes;
    struct certificate decoded;
    struct certificate_id id;

    assert_true(certificate_decode(est_der(c, certificate), c->arena, &decoded));
    assert_true(certificate_id_of(decoded.issuer.encoded, decoded.serial, &id));
    changes_begin(&changes, c->arena);
    change_certificate_revoke(&changes, &id, REVOCATION_KEY_COMPROMISE, c->g->now_s);
    a_gateway_apply(c->g, &changes);
}

#endif
