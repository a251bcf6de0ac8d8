/* cmp_case.h: what every CMP row starts from: a gateway with one registration, and a client. */
#ifndef MUSTER_TESTS_CMP_CASE_H
#define MUSTER_TESTS_CMP_CASE_H

#include <stdio.h>
#include <stdlib.h>

#include "enroll/confirm.h"
#include "enroll/pending.h"
#include "registry/certificates.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/cmp_client.h"

static const char CMP_PATH[] = "/.well-known/cmp/p/demo";
static const char CMP_TYPE[] = "application/pkixcmp";

struct cmp_case {
    struct a_gateway *g;
    struct arena *arena;
    X509 *ca, *ra;
    const char *path;
    struct turn_facts facts; /* of the last request */
    struct bytes sent, reply;
    struct cmp_person vendor_ca, ra_ca; /* once they are trusted */
};

static inline int cmp_case_setup(void **state)
{
    struct cmp_case *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->g = a_gateway_new(1);
    c->arena = arena_new(64 << 20);
    c->path = CMP_PATH;
    c->ca = cmp_client_certificate(c->g->ca.chain[0]);
    c->ra = cmp_client_certificate(c->g->cmp_ra.certificate.encoded);
    (void)a_gateway_register(c->g, "router5.example.com", "s3cret",
                             (struct registration){ .order = ORDER_CMP });
    *state = c;
    return 0;
}

static inline int cmp_case_teardown(void **state)
{
    struct cmp_case *c = *state;

    anchors_free(c->g->procedure.vendor_anchors);
    anchors_free(c->g->procedure.cmp_ra_anchors);
    a_gateway_free(c->g);
    arena_free(c->arena);
    free(c);
    cmp_client_reset();
    scep_client_reset();
    return 0;
}

#define CMP_ROW(test) cmocka_unit_test_setup_teardown(test, cmp_case_setup, cmp_case_teardown)

/* --- HTTP --- */

static inline struct http_response cmp_http(struct cmp_case *c, enum http_method method, const char *path,
                                            const char *type, struct bytes body)
{
    const struct http_header header = { .name = BYTES_LITERAL("Content-Type"), .value = bytes_text(type) };
    struct http_request request = {
        .method = method,
        .path = bytes_text(path),
        .minor_version = 0,
        .header = &header,
        .header_count = type != NULL ? 1 : 0,
        .body = body,
        .base_url = "http://127.0.0.1:8080",
        .arena = c->arena,
    };

    assert_true(ip_parse(BYTES_LITERAL("192.0.2.7"), &request.peer.address));
    c->facts = (struct turn_facts){ 0 };
    return a_gateway_ask(c->g, &request, &c->facts);
}

static inline struct bytes cmp_http_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (bytes_is_nocase(response->header[i].name, name))
            return response->header[i].value;
    return BYTES_NONE;
}

/* What goes wrong in HTTP carries no PKIMessage. */
static inline void assert_no_message(const struct http_response *response, int status)
{
    assert_int_equal(response->status, status);
    assert_false(bytes_is(cmp_http_header(response, "Content-Type"), CMP_TYPE));
    assert_true(response->body.len < 100);
}

/* --- messages --- */

static inline struct cmp_trust cmp_trust_of(const struct cmp_case *c)
{
    return (struct cmp_trust){ .ca = c->ca, .ra = c->ra, .now_s = c->g->now_s };
}

/* Sends octets and reads the answer, which must be one to `asked`. */
static inline struct cmp_said cmp_send_for(struct cmp_case *c, struct bytes message, struct bytes asked)
{
    struct http_response response = cmp_http(c, HTTP_METHOD_POST, c->path, CMP_TYPE, message);
    const struct cmp_trust trust = cmp_trust_of(c);

    c->sent = message;
    if (response.status != 200)
        fail_msg("HTTP %d: %.*s (%s)", response.status, BYTES_FMT(response.body), c->facts.error);
    assert_text(cmp_http_header(&response, "Content-Type"), CMP_TYPE);
    c->reply = response.body;
    return cmp_client_read(c->arena, response.body, asked, &trust);
}

static inline struct cmp_said cmp_send(struct cmp_case *c, struct bytes message)
{
    return cmp_send_for(c, message, message);
}

/* messageTime is the gateway's unless it is said; -1: left out. */
static inline struct bytes cmp_message_of(struct cmp_case *c, struct cmp_plan plan)
{
    plan.time_s = plan.time_s == 0 ? c->g->now_s : plan.time_s < 0 ? 0 : plan.time_s;
    return cmp_client_message(c->arena, &plan);
}

static inline struct cmp_said cmp_ask(struct cmp_case *c, struct cmp_plan plan)
{
    return cmp_send(c, cmp_message_of(c, plan));
}

/* --- what must hold of an answer --- */

static inline void cmp_expect(const struct cmp_case *c, const struct cmp_said *said, enum cmp_body body,
                              enum cmp_status status, uint32_t fail_info)
{
    if (said->body != body || said->status != status || said->fail_info != fail_info)
        fail_msg("%s, status %d, failInfo 0x%x: %.*s (%s, %s); expected %s, %d, 0x%x",
                 cmp_body_name(said->body), (int)said->status - 1, said->fail_info, BYTES_FMT(said->text),
                 c->facts.reason != NULL ? c->facts.reason : "",
                 c->facts.detail != NULL ? c->facts.detail : "", cmp_body_name(body), (int)status - 1,
                 fail_info);
}

static inline void assert_error(const struct cmp_case *c, const struct cmp_said *said, uint32_t fail_info)
{
    cmp_expect(c, said, CMP_ERROR, CMP_REJECTION, fail_info);
    assert_true(said->text.len > 0);
}

/* ip, cp, kup or rp. */
static inline void assert_rejected(const struct cmp_case *c, const struct cmp_said *said, enum cmp_body body,
                                   uint32_t fail_info)
{
    cmp_expect(c, said, body, CMP_REJECTION, fail_info);
    assert_null(said->certificate);
    assert_int_equal(said->ca_pub_count, 0);
    assert_false(said->implicit_confirm);
}

static inline void assert_waiting(const struct cmp_case *c, const struct cmp_said *said, enum cmp_body body)
{
    cmp_expect(c, said, body, CMP_WAITING, 0);
    assert_null(said->certificate);
    assert_false(said->implicit_confirm);
}

/* The certificate issued: of our CA, and on record. */
static inline X509 *assert_granted_as(const struct cmp_case *c, const struct cmp_said *said,
                                      enum cmp_body body, enum cmp_status status)
{
    cmp_expect(c, said, body, status, 0);
    assert_non_null(said->certificate);
    assert_int_equal(X509_verify(said->certificate, X509_get0_pubkey(c->ca)), 1);
    assert_true(a_gateway_has_certificate(c->g, cmp_client_der(c->arena, said->certificate)));
    return said->certificate;
}

static inline X509 *assert_granted(const struct cmp_case *c, const struct cmp_said *said, enum cmp_body body)
{
    return assert_granted_as(c, said, body, CMP_ACCEPTED);
}

/* The device confirms what it was given. */
static inline void cmp_confirmed(struct cmp_case *c, struct cmp_plan plan, const struct cmp_said *said)
{
    struct cmp_said end = cmp_ask(c, cmp_client_next(plan, said, CMP_CERT_CONF));

    cmp_expect(c, &end, CMP_PKICONF, CMP_STATUS_NONE, 0);
}

/* A first enrollment of `plan`, confirmed. */
static inline struct cmp_person cmp_enrolled_as(struct cmp_case *c, struct cmp_plan plan)
{
    struct cmp_said said = cmp_ask(c, plan);
    struct cmp_person person = { .key = plan.request.key != NULL ? plan.request.key
                                                                 : cmp_client_key("P-256", 0),
                                 .certificate = assert_granted(c, &said, CMP_IP) };

    cmp_confirmed(c, plan, &said);
    return person;
}

/* router5, with P-256 key 0 and its secret. */
static inline struct cmp_person cmp_enrolled(struct cmp_case *c)
{
    return cmp_enrolled_as(c, (struct cmp_plan){ .body = CMP_IR, .request.san = "DNS:router5.example.com" });
}

/* A key update signed by `person`, for a new key. */
static inline struct cmp_plan a_kur(const struct cmp_person *person)
{
    return (struct cmp_plan){ .body = CMP_KUR,
                              .signer = person,
                              .request = { .key = cmp_client_key("P-256", 1),
                                           .san = "DNS:router5.example.com" } };
}

/* --- the world around --- */

static inline struct certificate_record cmp_record(struct cmp_case *c, const X509 *certificate)
{
    struct certificate_record record = { 0 };
    struct certificate decoded;
    struct certificate_id id;
    bool found = false;

    assert_true(certificate_decode(cmp_client_der(c->arena, certificate), c->arena, &decoded));
    assert_true(certificate_id_of(decoded.issuer.encoded, decoded.serial, &id));
    assert_true(registry_certificate_by_id(a_gateway_view(c->g), &id, c->arena, &found, &record, NULL));
    assert_true(found);
    return record;
}

static inline bool cmp_is_revoked(struct cmp_case *c, const X509 *certificate)
{
    return cmp_record(c, certificate).status == CERTIFICATE_REVOKED;
}

/* An officer revokes. */
static inline void cmp_revoke(struct cmp_case *c, const X509 *certificate)
{
    struct certificate_record record = cmp_record(c, certificate);
    struct changes changes;

    changes_begin(&changes, c->arena);
    change_certificate_revoke(&changes, &record.id, REVOCATION_CESSATION, c->g->now_s);
    a_gateway_apply(c->g, &changes);
}

static inline struct anchors *cmp_anchors_of(struct cmp_case *c, const struct cmp_person *ca)
{
    struct bytes der = cmp_client_der(c->arena, ca->certificate);
    struct anchors *anchors = NULL;

    assert_true(anchors_new(&der, 1, &anchors, NULL));
    return anchors;
}

/* A device with a certificate of its vendor, whom the procedure trusts: serial number S1, registered as
 * router6.example.com. */
static inline struct cmp_person cmp_vendor_device(struct cmp_case *c, struct cmp_certificate_plan plan)
{
    if (c->vendor_ca.certificate == NULL) {
        c->vendor_ca = cmp_client_person(&(struct cmp_certificate_plan){
            .key = cmp_client_key("P-256", 5), .cn = "Vendor CA", .key_usage = "keyCertSign" });
        c->g->procedure.vendor_anchors = cmp_anchors_of(c, &c->vendor_ca);
        (void)a_gateway_register(
            c->g, "router6.example.com", "",
            (struct registration){ .order = ORDER_CMP, .serial_number = BYTES_LITERAL("S1") });
    }
    plan.issuer = &c->vendor_ca;
    plan.serial_number = plan.serial_number != NULL ? plan.serial_number : "S1";
    return cmp_client_person(&plan);
}

/* An RA with cmcRA that the procedure lets speak for devices. */
static inline struct cmp_person cmp_trusted_ra(struct cmp_case *c, struct cmp_certificate_plan plan)
{
    if (c->ra_ca.certificate == NULL) {
        c->ra_ca = cmp_client_person(&(struct cmp_certificate_plan){
            .key = cmp_client_key("P-256", 6), .cn = "RA CA", .key_usage = "keyCertSign" });
        c->g->procedure.cmp_ra_anchors = cmp_anchors_of(c, &c->ra_ca);
    }
    plan.issuer = &c->ra_ca;
    plan.cn = plan.cn != NULL ? plan.cn : "Site RA";
    plan.key = plan.key != NULL ? plan.key : cmp_client_key("P-256", 8);
    plan.extended_key_usage = plan.extended_key_usage != NULL ? plan.extended_key_usage
                                                              : "1.3.6.1.5.5.7.3.28";
    return cmp_client_person(&plan);
}

/* What an RA makes of an inner message: it copies transactionID and senderNonce. */
static inline struct cmp_plan a_nested(const struct cmp_person *ra, struct bytes inner)
{
    struct cmp_message m;

    assert_int_equal(cmp_message_decode(inner, &m), CMP_DECODED_ALL);
    return (struct cmp_plan){ .body = CMP_NESTED,
                              .signer = ra,
                              .transaction_id = m.header.transaction_id,
                              .nonce = m.header.sender_nonce,
                              .nested = { inner },
                              .nested_count = 1 };
}

/* A turn outside of a request: an officer's or a test's own act. */
static inline struct turn cmp_turn(struct cmp_case *c)
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

static inline void cmp_decide(struct cmp_case *c, bool approve)
{
    struct turn turn = cmp_turn(c);
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

#endif
