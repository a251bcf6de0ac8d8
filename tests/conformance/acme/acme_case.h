/* acme_case.h: what every ACME row starts from: a gateway with one registration of key id "kid-1" for
 * example.com and below, and a client. */
#ifndef MUSTER_TESTS_ACME_CASE_H
#define MUSTER_TESTS_ACME_CASE_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/jose/json.h"
#include "proto/acme/acme.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/acme_client.h"
#include "tests/lib/est_client.h"

static const char ACME_BASE[] = "https://ra.example.com";
static const char ACME_SECRET[] = "a hmac key of thirty-two octets!";

struct acme_case {
    struct a_gateway *g;
    struct acme_service service;
    struct arena *arena;
    struct turn_facts facts;           /* of the last request */
    const char *kid[ACME_CLIENT_KEYS]; /* accounts by key */
    struct bytes allowed[4];
    struct registration registration;
    json_t *json; /* of the last answer; NULL: no JSON */
    struct job_id job;
    uint64_t arrived; /* requests */
};

struct acme_plan {
    const char *resource; /* "new-order" */
    const char *payload;  /* JSON; NULL: POST-as-GET */
    enum acme_client_key key;
    bool by_key;              /* jwk, though the key has an account */
    const char *kid;          /* NULL: the account's */
    const char *nonce;        /* NULL: a fresh one; "": none */
    const char *url;          /* NULL: where it is sent */
    const char *alg;          /* NULL: the key's */
    const char *more;         /* further members of the header, ",..." */
    const char *content_type; /* NULL: application/jose+json */
    const char *query;
    const char *accept;
    enum http_method method; /* OTHER: POST */
    struct bytes body;       /* instead of the JWS */
    bool plain;
    const char *procedure; /* NULL: demo */
};

static inline struct bytes acme_header(const struct http_response *r, const char *name, unsigned n)
{
    return est_client_header(r, name, n);
}

static inline void acme_apply(struct acme_case *c, struct turn *turn)
{
    registry_view_reset(c->g->view);
    if (turn->changes.count > 0)
        a_gateway_apply(c->g, &turn->changes);
}

static inline struct turn acme_turn(struct acme_case *c)
{
    struct turn turn = { .view = a_gateway_view(c->g),
                         .keys = c->g->config.keys,
                         .random = c->g->random,
                         .now_s = c->g->now_s,
                         .arena = c->arena };

    changes_begin(&turn.changes, c->arena);
    return turn;
}

static inline struct bytes acme_resource_of(const struct http_request *request)
{
    struct bytes path = bytes_from(request->path, strlen("/acme/"));

    return bytes_from(path, bytes_find(path, '/') + 1);
}

/* One turn without writing: for races. */
static inline struct http_response acme_run(struct acme_case *c, const struct http_request *request,
                                            struct turn *turn)
{
    struct http_response response = { 0 };
    struct error err = { 0 };

    *turn = acme_turn(c);
    if (!acme_serve(turn, &c->service, &c->g->procedure, acme_resource_of(request), request, &response, &err))
        fail_msg("%s", err.text);
    c->facts = turn->facts;
    return response;
}

/* Two requests that see the same: their changes go in together. */
struct acme_race {
    struct http_request *request[2];
    struct http_response response[2];
    enum apply_result result[2];
};

static inline void acme_run_both(struct acme_case *c, struct acme_race *race)
{
    struct turn turn[2];
    const struct changes *changes[2] = { &turn[0].changes, &turn[1].changes };
    struct error err;

    for (unsigned i = 0; i < 2; i++)
        race->response[i] = acme_run(c, race->request[i], &turn[i]);
    registry_view_reset(c->g->view);
    assert_true(registry_apply(c->g->registry, changes, 2, c->g->now_s, race->result, &err));
}

static inline void acme_hear(struct acme_case *c, const struct http_response *response)
{
    json_decref(take(c->json));
    c->json = response->body.len > 0 && response->body.data[0] == '{' ? json_read(response->body) : NULL;
}

/* Another turn of a request that has arrived: the one before conflicted. */
static inline struct http_response acme_run_again(struct acme_case *c, const struct http_request *request)
{
    struct turn turn;
    struct http_response response = acme_run(c, request, &turn);

    acme_apply(c, &turn);
    acme_hear(c, &response);
    return response;
}

/* It arrives, as a request that there was not before. */
static inline struct http_response acme_send(struct acme_case *c, struct http_request *request)
{
    struct http_response response = { 0 };

    request->number = ++c->arrived;
    if (!acme_serve_public(&c->service, &c->g->procedure, acme_resource_of(request), request, &response))
        return acme_run_again(c, request);
    acme_hear(c, &response);
    return response;
}

static inline struct http_request *acme_request(struct acme_case *c, enum http_method method,
                                                const char *resource)
{
    struct http_request *request = arena_alloc(c->arena, sizeof(*request));

    assert_non_null(request);
    *request = (struct http_request){
        .method = method,
        .path = bytes_text(acme_text(c->arena, "/acme/demo/%s", resource)),
        .minor_version = 1,
        .peer = { .tls = true, .tls_version = 0x0304, .address = { .len = 4, .bytes = { 192, 0, 2, 7 } } },
        .base_url = ACME_BASE,
        .arena = c->arena,
    };
    return request;
}

static inline const char *acme_nonce(struct acme_case *c)
{
    struct http_response r = acme_send(c, acme_request(c, HTTP_METHOD_HEAD, "new-nonce"));

    assert_int_equal(r.status, 200);
    return arena_text(c->arena, acme_header(&r, "Replay-Nonce", 0));
}

static inline const char *acme_url_text(struct acme_case *c, const char *resource)
{
    return acme_text(c->arena, "%s/acme/demo/%s", ACME_BASE, resource);
}

static inline struct http_request *acme_make(struct acme_case *c, struct acme_plan p)
{
    struct http_request *request = acme_request(
        c, p.method == HTTP_METHOD_OTHER ? HTTP_METHOD_POST : p.method, p.resource);
    struct http_header *header = arena_array(c->arena, 2, sizeof(*header));
    const char *url = p.url != NULL ? p.url : acme_url_text(c, p.resource);
    const char *nonce = p.nonce != NULL ? p.nonce : acme_nonce(c);
    const char *kid = p.kid != NULL ? p.kid : c->kid[p.key];
    const char *who = p.by_key || kid == NULL
                          ? acme_text(c->arena, "\"jwk\":%s", acme_client_jwk(c->arena, p.key))
                          : acme_text(c->arena, "\"kid\":\"%s\"", kid);
    const char *nonce_member = nonce[0] != '\0' ? acme_text(c->arena, "\"nonce\":\"%s\",", nonce) : "";
    const char *protected_header;

    if (p.query != NULL) {
        request->query = bytes_text(p.query);
        url = p.url != NULL ? p.url : acme_text(c->arena, "%s?%s", url, p.query);
    }
    protected_header = acme_text(c->arena, "{\"alg\":\"%s\",%s\"url\":\"%s\",%s%s}",
                                 p.alg != NULL ? p.alg : acme_client_alg(p.key), nonce_member, url, who,
                                 p.more != NULL ? p.more : "");
    header[0] = (struct http_header){ BYTES_LITERAL("Content-Type"),
                                      bytes_text(p.content_type != NULL ? p.content_type
                                                                        : "application/jose+json") };
    header[1] = (struct http_header){ BYTES_LITERAL("Accept"), bytes_text(p.accept) };
    request->header = header;
    request->header_count = p.accept != NULL ? 2 : 1;
    request->peer.tls = !p.plain;
    request->body = p.body.data != NULL ? p.body
                                        : acme_client_jws(c->arena, p.key, protected_header,
                                                          p.payload != NULL ? p.payload : "");
    return request;
}

static inline struct http_response acme_ask(struct acme_case *c, struct acme_plan p)
{
    return acme_send(c, acme_make(c, p));
}

static inline void assert_problem_at(struct acme_case *c, const struct http_response *r, const char *problem,
                                     int status, int line)
{
    const char *type = acme_text(c->arena, "urn:ietf:params:acme:error:%s", problem);

    if (r->status != status || !bytes_is(json_member(c->json, "type"), type))
        fail_msg("line %d: HTTP %d: %.*s (%s, %s), not %s %d", line, r->status, BYTES_FMT(r->body),
                 c->facts.reason != NULL ? c->facts.reason : "",
                 c->facts.detail != NULL ? c->facts.detail : "", problem, status);
    assert_text(acme_header(r, "Content-Type", 0), "application/problem+json");
}
#define assert_problem(c, r, problem, status) assert_problem_at(c, r, problem, status, __LINE__)

static inline void assert_status_at(struct acme_case *c, const struct http_response *r, int status, int line)
{
    if (r->status != status)
        fail_msg("line %d: HTTP %d: %.*s (%s, %s), not %d", line, r->status, BYTES_FMT(r->body),
                 c->facts.reason != NULL ? c->facts.reason : "",
                 c->facts.detail != NULL ? c->facts.detail : "", status);
}
#define assert_status(c, r, status) assert_status_at(c, r, status, __LINE__)

static inline void assert_member(struct acme_case *c, const char *name, const char *value)
{
    assert_text(json_member(c->json, name), value);
}

/* What follows the directory in a URL of an answer. */
static inline const char *acme_path(struct acme_case *c, struct bytes url)
{
    const char *front = acme_url_text(c, "");

    if (!bytes_starts_with(url, front))
        fail_msg("%.*s is no URL of the directory", BYTES_FMT(url));
    return arena_text(c->arena, bytes_from(url, strlen(front)));
}

static inline const char *acme_eab(struct acme_case *c, enum acme_client_key key, const char *key_id,
                                   const char *secret)
{
    return acme_client_mac(c->arena, secret,
                           acme_text(c->arena, "{\"alg\":\"HS256\",\"kid\":\"%s\",\"url\":\"%s\"}", key_id,
                                     acme_url_text(c, "new-account")),
                           acme_client_jwk(c->arena, key));
}

static inline struct http_response acme_join(struct acme_case *c, enum acme_client_key key,
                                             const char *members)
{
    struct http_response r = acme_ask(
        c, (struct acme_plan){ .resource = "new-account", .key = key, .by_key = true, .payload = members });

    if (r.status == 201)
        c->kid[key] = arena_text(c->arena, acme_header(&r, "Location", 0));
    return r;
}

/* An account bound to kid-1. */
static inline void acme_joined(struct acme_case *c, enum acme_client_key key)
{
    struct http_response r = acme_join(
        c, key,
        acme_text(c->arena, "{\"externalAccountBinding\":%s}", acme_eab(c, key, "kid-1", ACME_SECRET)));

    assert_status(c, &r, 201);
}

static inline const char *acme_identifiers(struct acme_case *c, const char *names)
{
    AUTO_STRUCT(buffer) text = BUFFER(8192);
    struct bytes rest = bytes_text(names), name;
    struct ip_address ip;

    while (bytes_split(&rest, ',', &name))
        buffer_format(&text, "%s{\"type\":\"%s\",\"value\":\"%.*s\"}", text.len > 0 ? "," : "",
                      ip_parse(name, &ip) ? "ip" : "dns", BYTES_FMT(name));
    return acme_text(c->arena, "[%.*s]", BYTES_FMT(buffer_bytes(&text)));
}

static inline struct http_response acme_order_as(struct acme_case *c, enum acme_client_key key,
                                                 const char *names)
{
    return acme_ask(c, (struct acme_plan){ .resource = "new-order",
                                           .key = key,
                                           .payload = acme_text(c->arena, "{\"identifiers\":%s}",
                                                                acme_identifiers(c, names)) });
}

struct acme_ordered {
    const char *order, *authz[4];
    size_t authz_count;
};
static inline struct acme_ordered acme_ordered(struct acme_case *c, const char *names)
{
    struct http_response r = acme_order_as(c, ACME_KEY_A, names);
    struct acme_ordered o = { 0 };
    const json_t *list;

    assert_status(c, &r, 201);
    o.order = acme_path(c, acme_header(&r, "Location", 0));
    list = json_object_get(c->json, "authorizations");
    for (o.authz_count = 0; o.authz_count < json_array_size(list) && o.authz_count < 4; o.authz_count++)
        o.authz[o.authz_count] = acme_path(c, json_bytes(json_array_get(list, o.authz_count)));
    return o;
}

static inline struct http_response acme_get(struct acme_case *c, const char *resource)
{
    return acme_ask(c, (struct acme_plan){ .resource = resource });
}

struct acme_challenged {
    const char *path, *token;
};
static inline struct acme_challenged acme_challenge_of(struct acme_case *c, const char *authz,
                                                       const char *type)
{
    struct http_response r = acme_get(c, authz);
    struct acme_challenged out = { 0 };
    const json_t *list = json_object_get(c->json, "challenges"), *one;
    size_t i;

    assert_status(c, &r, 200);
    json_array_foreach(list, i, one) if (bytes_is(json_member(one, "type"), type))
        out = (struct acme_challenged){ acme_path(c, json_member(one, "url")),
                                        arena_text(c->arena, json_member(one, "token")) };
    return out;
}

/* --- jobs --- */
static inline bool acme_due(struct acme_case *c, struct job_record *out)
{
    struct job_record due[16];
    size_t count = 0;
    int64_t next;

    assert_true(registry_jobs_due(a_gateway_view(c->g), c->g->now_s + 100 * 86400, 16, c->arena, due, &count,
                                  &next, NULL));
    for (size_t i = 0; i < count; i++) {
        if (bytes_is(due[i].kind, ACME_VALIDATE_JOB)) {
            *out = due[i];
            out->state = arena_copy(c->arena, due[i].state);
            return true;
        }
    }
    return false;
}

/* One step of the one validation that there is. */
static inline struct job_effect acme_step(struct acme_case *c, struct job_event event)
{
    const struct job_handler row = { .kind = ACME_VALIDATE_JOB,
                                     .run = acme_validate_run,
                                     .service = &c->service };
    struct job_effect effect = { 0 };
    struct job_record job;
    struct error err = { 0 };
    struct turn turn;

    assert_true(acme_due(c, &job));
    turn = acme_turn(c);
    if (!job_run(&turn, &row, 1, &job, &event, &effect, &err))
        fail_msg("%s", err.text);
    effect.url = arena_copy(c->arena, effect.url);
    acme_apply(c, &turn);
    return effect;
}

static inline const char *acme_key_authorization(struct acme_case *c, const char *token)
{
    return acme_text(c->arena, "%s.%s", token, acme_client_thumbprint(c->arena, ACME_KEY_A));
}

static inline void acme_respond_to(struct acme_case *c, const char *challenge)
{
    struct http_response r = acme_ask(c, (struct acme_plan){ .resource = challenge, .payload = "{}" });

    assert_status(c, &r, 200);
    assert_member(c, "status", "processing");
}

/* http-01 from the client's word to a valid authorization. */
static inline void acme_proved(struct acme_case *c, const char *authz)
{
    struct acme_challenged challenge = acme_challenge_of(c, authz, "http-01");
    struct job_effect effect;

    assert_non_null(challenge.path);
    acme_respond_to(c, challenge.path);
    effect = acme_step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
    effect = acme_step(
        c, (struct job_event){ .kind = JOB_EVENT_HTTP,
                               .http_ok = true,
                               .http_status = 200,
                               .fault = NET_OK,
                               .http_body = bytes_text(acme_key_authorization(c, challenge.token)) });
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
}

static inline struct acme_ordered acme_ready(struct acme_case *c, const char *names)
{
    struct acme_ordered o = acme_ordered(c, names);

    for (size_t i = 0; i < o.authz_count; i++) {
        (void)acme_get(c, o.authz[i]);
        if (!bytes_is(json_member(c->json, "status"), "valid"))
            acme_proved(c, o.authz[i]);
    }
    return o;
}

static inline struct http_response acme_finalized(struct acme_case *c, const char *order,
                                                  struct est_csr_plan csr)
{
    const char *text = acme_client_base64url(c->arena, est_client_csr(c->arena, &csr));

    return acme_ask(c, (struct acme_plan){ .resource = acme_text(c->arena, "%s/finalize", order),
                                           .payload = acme_text(c->arena, "{\"csr\":\"%s\"}", text) });
}

/* The leaf of a chain. */
static inline X509 *acme_leaf(struct bytes pem)
{
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);

    BIO_free(in);
    assert_non_null(leaf);
    return leaf;
}

/* --- the case --- */
static inline int acme_case_setup(void **state)
{
    struct acme_case *c = calloc(1, sizeof(*c));
    struct procedure *p;

    assert_non_null(c);
    c->g = a_gateway_new(1);
    c->arena = arena_new((size_t)1 << 30);
    p = &c->g->procedure;
    p->protocols |= PROTOCOL_BIT(PROTOCOL_ACME);
    p->acme_binding = p->acme_wildcard = p->acme_ip = true;
    p->acme_challenges = ACME_CHALLENGE_BIT(ACME_HTTP_01) | ACME_CHALLENGE_BIT(ACME_DNS_01) |
                         ACME_CHALLENGE_BIT(ACME_TLS_ALPN_01) | ACME_CHALLENGE_BIT(ACME_DNS_ACCOUNT_01);
    c->service = (struct acme_service){ .enroll = &c->g->config.enroll, .nonce_valid_s = ACME_NONCE_VALID_S };
    assert_true(acme_nonces_new(1024, &c->g->random, &c->service.nonces, NULL));
    c->allowed[0] = BYTES_LITERAL("example.com");
    c->registration = a_gateway_register(c->g, "kid-1", ACME_SECRET,
                                         (struct registration){ .order = ORDER_ACME,
                                                                .allowed_domain = c->allowed,
                                                                .allowed_domain_count = 1 });
    *state = c;
    return 0;
}

static inline int acme_case_teardown(void **state)
{
    struct acme_case *c = *state;

    json_decref(c->json);
    acme_nonces_free(c->service.nonces);
    a_gateway_free(c->g);
    arena_free(c->arena);
    free(c);
    scep_client_reset();
    return 0;
}

#define ACME_ROW(test) cmocka_unit_test_setup_teardown(test, acme_case_setup, acme_case_teardown)

static inline void acme_change(struct acme_case *c, struct registration fields)
{
    struct changes changes;

    fields.id = c->registration.id;
    changes_begin(&changes, c->arena);
    change_registration_put(&changes, &fields, fields.revision++);
    a_gateway_apply(c->g, &changes);
}

/* Of an order that is valid; the caller frees it. */
static inline X509 *acme_certificate_of(struct acme_case *c, const char *order)
{
    struct http_response r = acme_get(c, order);

    assert_member(c, "status", "valid");
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    assert_status(c, &r, 200);
    return acme_leaf(r.body);
}

/* dns-01 from the client's word to a valid authorization. */
static inline void acme_prove_in_dns(struct acme_case *c, const char *authz)
{
    struct acme_challenged challenge = acme_challenge_of(c, authz, "dns-01");
    struct dns_record record = { .ttl_s = 60 };
    struct digest256 digest;

    acme_respond_to(c, challenge.path);
    (void)acme_step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    assert_true(sha256(bytes_text(acme_key_authorization(c, challenge.token)), &digest));
    record.value = bytes_text(acme_client_base64url(c->arena, digest256_bytes(&digest)));
    (void)acme_step(
        c, (struct job_event){ .kind = JOB_EVENT_DNS,
                               .dns = { .status = DNS_STATUS_RECORDS, .record = &record, .count = 1 } });
}

#endif
