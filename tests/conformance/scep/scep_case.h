/* scep_case.h: what every SCEP row starts from: a gateway with one registration, and a client. */
#ifndef MUSTER_TESTS_SCEP_CASE_H
#define MUSTER_TESTS_SCEP_CASE_H

#include <stdio.h>
#include <stdlib.h>

#include "enroll/pending.h"
#include "lib/base/encode.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/scep_client.h"

/* As on the wire (RFC 8894 3.2.1). */
enum { SUCCESS = 0, FAILURE = 2, PENDING = 3 };
enum { BAD_ALG = 0, BAD_MESSAGE_CHECK = 1, BAD_REQUEST = 2, BAD_TIME = 3, BAD_CERT_ID = 4 };

static const char PKI_MESSAGE[] = "application/x-pki-message";

struct scep_case {
    struct a_gateway *g;
    struct arena *arena;
    X509 *ra, *ca;
    struct turn_facts facts; /* of the last request */
};

static inline int scep_case_setup(void **state)
{
    struct scep_case *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->g = a_gateway_new(1);
    c->arena = arena_new(64 << 20);
    c->ra = scep_client_certificate(c->g->ra.certificate.encoded);
    c->ca = scep_client_certificate(c->g->ca.chain[0]);
    (void)a_gateway_register(c->g, "router5.example.com", "s3cret",
                             (struct registration){ .order = ORDER_SCEP });
    *state = c;
    return 0;
}

static inline int scep_case_teardown(void **state)
{
    struct scep_case *c = *state;

    a_gateway_free(c->g);
    arena_free(c->arena);
    free(c);
    scep_client_reset();
    return 0;
}

#define SCEP_ROW(test) cmocka_unit_test_setup_teardown(test, scep_case_setup, scep_case_teardown)

/* --- HTTP --- */

static inline struct http_response scep_http(struct scep_case *c, enum http_method method, const char *path,
                                             struct bytes query, struct bytes body)
{
    struct http_request request = {
        .method = method,
        .path = bytes_text(path),
        .query = query,
        .minor_version = 1,
        .body = body,
        .base_url = "http://127.0.0.1:8080",
        .arena = c->arena,
    };

    assert_true(ip_parse(BYTES_LITERAL("192.0.2.7"), &request.peer.address));
    return a_gateway_ask(c->g, &request, &c->facts);
}

static inline struct http_response scep_get(struct scep_case *c, const char *query)
{
    return scep_http(c, HTTP_METHOD_GET, "/scep/demo", bytes_text(query), BYTES_NONE);
}

static inline struct http_response scep_post(struct scep_case *c, struct bytes body)
{
    return scep_http(c, HTTP_METHOD_POST, "/scep/demo", BYTES_LITERAL("operation=PKIOperation"), body);
}

static inline struct bytes scep_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (bytes_is_nocase(response->header[i].name, name))
            return response->header[i].value;
    return BYTES_NONE;
}

static inline void assert_http(const struct http_response *response, int status, const char *type)
{
    assert_int_equal(response->status, status);
    assert_text(scep_header(response, "Content-Type"), type);
}

/* HTTP errors carry words for people, never a CMS. */
static inline void assert_http_error(const struct http_response *response, int status)
{
    assert_int_equal(response->status, status);
    assert_true(bytes_starts_with(scep_header(response, "Content-Type"), "text/plain"));
}

/* --- messages --- */

static inline struct bytes scep_message(struct scep_case *c, struct scep_plan *plan)
{
    if (plan->recipient == NULL)
        plan->recipient = c->ra;
    return scep_client_message(c->arena, plan);
}

/* Sends octets and reads the CertRep. */
static inline struct scep_said scep_send(struct scep_case *c, struct bytes message,
                                         const struct scep_plan *plan)
{
    struct http_response response = scep_post(c, message);
    struct scep_said said;

    if (response.status != 200)
        fail_msg("HTTP %d: %.*s (%s)", response.status, BYTES_FMT(response.body), c->facts.error);
    assert_http(&response, 200, PKI_MESSAGE);
    said = scep_client_read(response.body, c->ra, plan);
    assert_int_equal(said.message_type, 3);
    return said;
}

static inline struct scep_said scep_ask(struct scep_case *c, struct scep_plan plan)
{
    struct bytes message = scep_message(c, &plan);

    return scep_send(c, message, &plan);
}

static inline void assert_failure(const struct scep_said *said, int fail_info)
{
    assert_int_equal(said->pki_status, FAILURE);
    if (said->fail_info != fail_info)
        fail_msg("failInfo %d (%s), not %d", said->fail_info, said->text, fail_info);
    assert_int_equal(said->content_len, 0);
    assert_int_equal(said->certificate_count, 0);
}

/* The certificate issued. */
static inline X509 *assert_success(struct scep_case *c, const struct scep_said *said)
{
    if (said->pki_status != SUCCESS)
        fail_msg("pkiStatus %d, failInfo %d: %s (%s, %s)", said->pki_status, said->fail_info, said->text,
                 c->facts.reason != NULL ? c->facts.reason : "",
                 c->facts.detail != NULL ? c->facts.detail : "");
    assert_int_equal(said->fail_info, -1);
    assert_true(said->certificate_count >= 1);
    assert_int_equal(X509_verify(said->certificate[0], X509_get0_pubkey(c->ca)), 1);
    assert_true(a_gateway_has_certificate(c->g, scep_client_der(c->arena, said->certificate[0])));
    return said->certificate[0];
}

static inline void assert_pending(const struct scep_said *said)
{
    assert_int_equal(said->pki_status, PENDING);
    assert_int_equal(said->fail_info, -1);
    assert_int_equal(said->content_len, 0);
}

/* A first enrollment of router5 with key 0 under `transaction`. */
static inline X509 *scep_enrolled(struct scep_case *c, const char *transaction)
{
    struct scep_said said = scep_ask(
        c, (struct scep_plan){ .csr.password = "s3cret", .transaction_id = transaction });

    return assert_success(c, &said);
}

/* A turn outside of a request: an officer's or a test's own act. */
static inline struct turn scep_turn(struct scep_case *c)
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

static inline void scep_decide(struct scep_case *c, bool approve)
{
    struct turn turn = scep_turn(c);
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

static inline void scep_revoke(struct scep_case *c, X509 *certificate)
{
    struct changes changes;
    struct certificate decoded;
    struct certificate_id id;

    assert_true(certificate_decode(scep_client_der(c->arena, certificate), c->arena, &decoded));
    assert_true(certificate_id_of(decoded.issuer.encoded, decoded.serial, &id));
    changes_begin(&changes, c->arena);
    change_certificate_revoke(&changes, &id, REVOCATION_KEY_COMPROMISE, c->g->now_s);
    a_gateway_apply(c->g, &changes);
}

#endif
