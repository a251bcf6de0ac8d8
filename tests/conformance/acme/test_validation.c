/* Authorizations, challenges and their validation (RFC 8555 7.5, 8; RFC 8737; RFC 8738; dns-account-01). */
#include "tests/conformance/acme/acme_case.h"

static const struct job_event DUE = { .kind = JOB_EVENT_DUE };

/* An account with one order for a.example.com, and a challenge of it that the client says is met. */
static struct acme_challenged taken_up(struct acme_case *c, const char *name, const char *type,
                                       struct acme_ordered *o)
{
    struct acme_challenged challenge;

    if (c->kid[ACME_KEY_A] == NULL)
        acme_joined(c, ACME_KEY_A);
    *o = acme_ordered(c, name);
    challenge = acme_challenge_of(c, o->authz[0], type);
    assert_non_null(challenge.path);
    acme_respond_to(c, challenge.path);
    return challenge;
}

static void assert_authz(struct acme_case *c, const struct acme_ordered *o, const char *status)
{
    struct http_response r = acme_get(c, o->authz[0]);

    assert_status(c, &r, 200);
    assert_member(c, "status", status);
}

/* The error of the one challenge that is shown. */
static void assert_fault(struct acme_case *c, const char *challenge, const char *status, const char *problem)
{
    struct http_response r = acme_get(c, challenge);

    assert_status(c, &r, 200);
    assert_member(c, "status", status);
    assert_text(json_member(json_object_get(c->json, "error"), "type"),
                acme_text(c->arena, "urn:ietf:params:acme:error:%s", problem));
}

static struct job_event http(int status, const char *body)
{
    return (struct job_event){ .kind = JOB_EVENT_HTTP,
                               .http_ok = true,
                               .http_status = status,
                               .fault = NET_OK,
                               .http_body = bytes_text(body) };
}

static void acme_71_an_authorization_shows_what_is_allowed(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    c->g->procedure.acme_challenges = ACME_CHALLENGE_BIT(ACME_HTTP_01) | ACME_CHALLENGE_BIT(ACME_DNS_01);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    r = acme_get(c, o.authz[0]);
    assert_status(c, &r, 200);
    assert_member(c, "status", "pending");
    assert_int_equal(json_array_size(json_object_get(c->json, "challenges")), 2);
    acme_proved(c, o.authz[0]);
    assert_authz(c, &o, "valid");
    assert_int_equal(json_array_size(json_object_get(c->json, "challenges")), 1);
    assert_true(json_member(c->json, "expires").len > 0);
}

static void acme_10_72_a_challenge_object(void **state)
{
    struct acme_case *c = *state;
    struct acme_challenged challenge;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    challenge = acme_challenge_of(c, o.authz[0], "http-01");
    assert_int_equal(strlen(challenge.token), 43);
    assert_string_not_equal(challenge.token, acme_challenge_of(c, o.authz[0], "dns-01").token);
    acme_proved(c, o.authz[0]);
    r = acme_get(c, challenge.path);
    assert_member(c, "status", "valid");
    assert_true(json_member(c->json, "validated").len > 0);
    assert_text(acme_header(&r, "Link", 0),
                acme_text(c->arena, "<%s>;rel=\"up\"", acme_url_text(c, o.authz[0]))); /* ACME-10 */
}

static void acme_73_74_what_was_taken_up_is_not_taken_up_again(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "http-01", &o);
    struct http_response r = acme_ask(c, (struct acme_plan){ .resource = challenge.path, .payload = "{}" });
    struct job_record job;

    assert_status(c, &r, 200);
    (void)acme_step(c, DUE);
    (void)acme_step(c, http(200, acme_key_authorization(c, challenge.token)));
    assert_false(acme_due(c, &job)); /* there was one job */
    r = acme_ask(c, (struct acme_plan){ .resource = challenge.path, .payload = "{}" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
    r = acme_ask(c, (struct acme_plan){ .resource = acme_text(
                                            c->arena, "challenge%sdns-01",
                                            arena_text(c->arena, bytes_slice(bytes_text(o.authz[0]), 5, 23))),
                                        .payload = "{}" });
    assert_problem(c, &r, "malformed", 404);
}

static void acme_75_a_payload_that_is_none_changes_nothing(void **state)
{
    struct acme_case *c = *state;
    struct acme_challenged challenge;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    challenge = acme_challenge_of(c, o.authz[0], "http-01");
    r = acme_ask(c, (struct acme_plan){ .resource = challenge.path, .payload = "[]" });
    assert_problem(c, &r, "malformed", 400);
    r = acme_get(c, challenge.path);
    assert_member(c, "status", "pending");
}

static void acme_76_validation_is_tried_again_and_says_why(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "http-01", &o);
    struct job_effect effect = { 0 };
    int tries = 0;

    do {
        c->g->now_s += 100;
        effect = acme_step(c, DUE);
        assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
        effect = acme_step(c, http(404, "not here"));
        if (effect.kind == JOB_EFFECT_WAIT)
            assert_fault(c, challenge.path, "processing", "incorrectResponse");
        tries++;
    } while (effect.kind == JOB_EFFECT_WAIT);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_int_equal(tries, 6);
    assert_fault(c, challenge.path, "invalid", "incorrectResponse");
    assert_authz(c, &o, "invalid");
    (void)acme_get(c, o.order);
    assert_member(c, "status", "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"),
                "urn:ietf:params:acme:error:incorrectResponse");
}

static void acme_77_a_deactivated_authorization_ends_its_orders(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o, again;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    r = acme_ask(c, (struct acme_plan){ .resource = o.authz[0], .payload = "{\"status\":\"valid\"}" });
    assert_problem(c, &r, "malformed", 400);
    r = acme_ask(c, (struct acme_plan){ .resource = o.authz[0], .payload = "{\"status\":\"deactivated\"}" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "deactivated");
    (void)acme_get(c, o.order);
    assert_member(c, "status", "invalid");
    again = acme_ordered(c, "a.example.com");
    assert_string_not_equal(again.authz[0], o.authz[0]);
    assert_member(c, "status", "pending");
}

/* Whoever has its token cannot prove anything by a challenge that the procedure has stopped taking. */
static void acme_71_a_challenge_that_is_not_taken_any_more(void **state)
{
    struct acme_case *c = *state;
    struct acme_challenged challenge;
    struct acme_ordered o, other;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    other = acme_ordered(c, "b.example.com");
    acme_respond_to(c, acme_challenge_of(c, other.authz[0], "http-01").path);
    challenge = acme_challenge_of(c, o.authz[0], "http-01");
    c->g->procedure.acme_challenges = ACME_CHALLENGE_BIT(ACME_DNS_01);
    r = acme_ask(c, (struct acme_plan){ .resource = challenge.path, .payload = "{}" });
    assert_problem(c, &r, "malformed", 400);
    assert_int_equal(acme_step(c, DUE).kind, JOB_EFFECT_DONE);
    assert_authz(c, &other, "invalid"); /* rather than processing for ever */
    (void)acme_get(c, other.order);
    assert_text(json_member(json_object_get(c->json, "error"), "detail"),
                "this challenge is not taken any more");
    other = acme_ordered(c, "a.example.com"); /* one with what is taken now */
    assert_string_not_equal(o.authz[0], other.authz[0]);
    assert_null(acme_challenge_of(c, other.authz[0], "http-01").path);
}

static void a_deactivated_authorization_is_not_validated(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "http-01", &o);
    struct http_response r;

    (void)acme_step(c, DUE);
    r = acme_ask(c, (struct acme_plan){ .resource = o.authz[0], .payload = "{\"status\":\"deactivated\"}" });
    assert_status(c, &r, 200);
    assert_int_equal(acme_step(c, http(200, acme_key_authorization(c, challenge.token))).kind,
                     JOB_EFFECT_DONE);
    assert_authz(c, &o, "deactivated");
}

static void acme_79_the_key_is_that_of_the_answer(void **state)
{
    struct acme_case *c = *state;
    struct acme_challenged challenge;
    struct acme_ordered o;
    struct http_response r;
    const char *inner;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    challenge = acme_challenge_of(c, o.authz[0], "http-01");
    inner = acme_text(c->arena, "{\"alg\":\"ES256\",\"jwk\":%s,\"url\":\"%s\"}",
                      acme_client_jwk(c->arena, ACME_KEY_B), acme_url_text(c, "key-change"));
    inner = arena_text(c->arena,
                       acme_client_jws(c->arena, ACME_KEY_B, inner,
                                       acme_text(c->arena, "{\"account\":\"%s\",\"oldKey\":%s}",
                                                 c->kid[ACME_KEY_A], acme_client_jwk(c->arena, ACME_KEY_A))));
    r = acme_ask(c, (struct acme_plan){ .resource = "key-change", .payload = inner });
    assert_status(c, &r, 200);
    r = acme_ask(
        c, (struct acme_plan){
               .resource = challenge.path, .key = ACME_KEY_B, .kid = c->kid[ACME_KEY_A], .payload = "{}" });
    assert_status(c, &r, 200);
    (void)acme_step(c, DUE);
    (void)acme_step(c, http(200, acme_key_authorization(c, challenge.token))); /* the old key's */
    (void)acme_step(c, DUE);
    (void)acme_step(c, http(200, acme_text(c->arena, "%s.%s", challenge.token,
                                           acme_client_thumbprint(c->arena, ACME_KEY_B))));
    r = acme_ask(c,
                 (struct acme_plan){ .resource = o.authz[0], .key = ACME_KEY_B, .kid = c->kid[ACME_KEY_A] });
    assert_member(c, "status", "valid");
}

static void acme_81_http_01(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "http-01", &o);
    struct job_effect effect = acme_step(c, DUE);

    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
    assert_int_equal(effect.method, HTTP_METHOD_GET);
    assert_text(effect.url,
                acme_text(c->arena, "http://a.example.com/.well-known/acme-challenge/%s", challenge.token));
    assert_ptr_equal(effect.rules, &c->g->procedure.acme_reach); /* ACME-84 */
    effect = acme_step(c,
                       http(200, acme_text(c->arena, "%s \r\n", acme_key_authorization(c, challenge.token))));
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "valid");
}

static void acme_83_faults_of_http_01(void **state)
{
    static const struct {
        enum net_fault fault;
        const char *problem;
    } rows[] = {
        { NET_FAULT_DNS, "dns" },
        { NET_FAULT_CONNECT, "connection" },
        { NET_FAULT_TIMEOUT, "connection" },
        { NET_FAULT_TLS, "tls" },
        { NET_FAULT_REDIRECT, "incorrectResponse" },
        { NET_FAULT_ANSWER, "incorrectResponse" },
        { NET_FAULT_OURS, "serverInternal" },
    };
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge;

    acme_joined(c, ACME_KEY_A);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct job_effect effect;

        challenge = taken_up(c, acme_text(c->arena, "h%zu.example.com", i), "http-01", &o);
        (void)acme_step(c, DUE);
        effect = acme_step(c, (struct job_event){ .kind = JOB_EVENT_HTTP, .fault = rows[i].fault });
        assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
        assert_fault(c, challenge.path, "processing", rows[i].problem);
        (void)acme_step(c, DUE);
        effect = acme_step(c, http(200, acme_key_authorization(c, challenge.token)));
        assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    }
}

static void acme_84_a_forbidden_address_is_final(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "http-01", &o);
    struct job_effect effect;

    (void)acme_step(c, DUE);
    effect = acme_step(c, (struct job_event){ .kind = JOB_EVENT_HTTP, .fault = NET_FAULT_ADDRESS });
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_fault(c, challenge.path, "invalid", "connection");
}

static void acme_85_nothing_of_a_body_is_told(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "http-01", &o);
    struct http_response r;

    (void)acme_step(c, DUE);
    (void)acme_step(c, http(200, "metadata secret"));
    r = acme_get(c, challenge.path);
    assert_null(memmem(r.body.data, r.body.len, "metadata", 8));
}

static struct bytes txt(struct acme_case *c, const char *token)
{
    struct digest256 digest;

    assert_true(sha256(bytes_text(acme_key_authorization(c, token)), &digest));
    return bytes_text(acme_client_base64url(c->arena, digest256_bytes(&digest)));
}

static struct job_event dns(const struct dns_record *records, size_t count)
{
    return (struct job_event){ .kind = JOB_EVENT_DNS,
                               .dns = { .status = DNS_STATUS_RECORDS, .record = records, .count = count } };
}

static void acme_87_dns_01(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "*.example.com", "dns-01", &o);
    struct job_effect effect = acme_step(c, DUE);
    const struct dns_record records[] = { { .value = BYTES_LITERAL("other") },
                                          { .value = txt(c, challenge.token) } };

    assert_int_equal(effect.kind, JOB_EFFECT_DNS);
    assert_int_equal(effect.type, DNS_TYPE_TXT);
    assert_text(dns_name_bytes(&effect.name), "_acme-challenge.example.com");
    assert_int_equal(acme_step(c, dns(records, 2)).kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "valid");
}

static void acme_88_faults_of_dns_01(void **state)
{
    struct acme_case *c = *state;
    const struct dns_record record = { .value = BYTES_LITERAL("other") };
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "dns-01", &o);
    struct job_event nothing = dns(NULL, 0);

    (void)acme_step(c, DUE);
    (void)acme_step(c, dns(&record, 1));
    assert_fault(c, challenge.path, "processing", "incorrectResponse");
    nothing.dns.status = DNS_STATUS_NXDOMAIN;
    (void)acme_step(c, DUE);
    (void)acme_step(c, nothing);
    assert_fault(c, challenge.path, "processing", "dns");
    nothing.dns.status = DNS_STATUS_SERVFAIL;
    (void)acme_step(c, DUE);
    (void)acme_step(c, nothing);
    assert_fault(c, challenge.path, "processing", "dns");
}

static void acme_89_90_dns_account_01(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "dns-account-01", &o);
    struct job_effect effect = acme_step(c, DUE);
    const struct dns_record record = { .value = txt(c, challenge.token) };
    struct job_event nothing = dns(NULL, 0);
    struct http_response r;

    assert_true(bytes_starts_with(dns_name_bytes(&effect.name), "_"));
    assert_int_equal(bytes_find(dns_name_bytes(&effect.name), '.'), 17);
    assert_true(bytes_ends_with(dns_name_bytes(&effect.name), "._acme-challenge.a.example.com"));
    nothing.dns.status = DNS_STATUS_NXDOMAIN;
    (void)acme_step(c, nothing);
    r = acme_get(c, challenge.path); /* ACME-90 */
    assert_non_null(memmem(r.body.data, r.body.len, c->kid[ACME_KEY_A], strlen(c->kid[ACME_KEY_A])));
    (void)acme_step(c, DUE);
    assert_int_equal(acme_step(c, dns(&record, 1)).kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "valid");
}

static void acme_91_dns_persist_01(void **state)
{
    static const char *const identities[] = { "ca.example.net" };
    struct acme_case *c = *state;
    struct acme_challenged challenge;
    struct acme_ordered o;
    struct job_effect effect;
    struct dns_record record = { .ttl_s = 60 };
    struct http_response r;

    c->g->procedure.acme_caa_identity = identities;
    c->g->procedure.acme_caa_identity_count = 1;
    c->g->procedure.acme_challenges = ACME_CHALLENGE_BIT(ACME_DNS_PERSIST_01);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    challenge = acme_challenge_of(c, o.authz[0], "dns-persist-01");
    r = acme_get(c, challenge.path);
    assert_status(c, &r, 200);
    assert_null(json_object_get(c->json, "token"));
    assert_int_equal(json_array_size(json_object_get(c->json, "issuer-domain-names")), 1);
    acme_respond_to(c, challenge.path);
    effect = acme_step(c, DUE);
    assert_text(dns_name_bytes(&effect.name), "_validation-persist.a.example.com");
    record.value = bytes_text(acme_text(c->arena, "ca.example.net; accounturi=%s", c->kid[ACME_KEY_A]));
    assert_int_equal(acme_step(c, dns(&record, 1)).kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "valid");
    (void)acme_get(c, o.order);
    assert_member(c, "status", "ready");
    o = acme_ordered(c, "a.example.com"); /* not longer than the record lives */
    assert_member(c, "status", "pending");
}

/* --- tls-alpn-01 --- */
struct shown {
    const char *san, *value; /* of acmeIdentifier, OpenSSL's text; NULL: none */
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static struct bytes certificate_shown(struct acme_case *c, const struct shown *shown)
{
    static int nid;
    X509 *certificate = X509_new();
    struct bytes der;

    if (nid == 0)
        nid = OBJ_create("1.3.6.1.5.5.7.1.31", "acmeIdentifier", "acmeIdentifier");
    assert_int_equal(X509_set_version(certificate, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -7200));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), -3600)); /* over: not judged */
    assert_int_equal(X509_set_pubkey(certificate, acme_client_key(ACME_KEY_C)), 1);
    if (shown->san != NULL)
        add_extension(certificate, NID_subject_alt_name, shown->san);
    if (shown->value != NULL)
        add_extension(certificate, nid, shown->value);
    assert_true(X509_sign(certificate, acme_client_key(ACME_KEY_C), EVP_sha256()) > 0);
    der = scep_client_der(c->arena, certificate);
    X509_free(certificate);
    return der;
}

static const char *digest_value(struct acme_case *c, const char *token, const char *front)
{
    char hex[2 * DIGEST256_LEN + 1];
    struct digest256 digest;

    assert_true(sha256(bytes_text(acme_key_authorization(c, token)), &digest));
    for (size_t i = 0; i < DIGEST256_LEN; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest.bytes[i]);
    return acme_text(c->arena, "%s%s", front, hex);
}

static void acme_93_94_tls_alpn_01(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct acme_challenged challenge = taken_up(c, "a.example.com", "tls-alpn-01", &o);
    struct job_effect effect = acme_step(c, DUE);
    const struct shown shown = { "DNS:A.example.com", digest_value(c, challenge.token, "critical,DER:0420") };

    assert_int_equal(effect.kind, JOB_EFFECT_PROBE);
    assert_int_equal(effect.port, 443);
    assert_string_equal(effect.alpn, "acme-tls/1");
    assert_text(dns_name_bytes(&effect.name), "a.example.com");
    effect = acme_step(c, (struct job_event){ .kind = JOB_EVENT_PROBE,
                                              .fault = NET_OK,
                                              .probe_certificate = certificate_shown(c, &shown) });
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "valid");
}

static void acme_95_certificates_that_prove_nothing(void **state)
{
    static const struct {
        const char *san, *front, *token,
            *tail; /* front NULL: no acmeIdentifier; token NULL: the challenge's */
    } rows[] = {
        { "DNS:b.example.com", "critical,DER:0420", NULL, "" },
        { "DNS:%s,DNS:b.example.com", "critical,DER:0420", NULL, "" },
        { "DNS:%s,email:a@example.com", "critical,DER:0420", NULL, "" },
        { NULL, "critical,DER:0420", NULL, "" },
        { "DNS:%s", "DER:0420", NULL, "" }, /* not critical */
        { "DNS:%s", NULL, NULL, "" },
        { "DNS:%s", "critical,DER:0420", "another", "" },
        { "DNS:%s", "critical,DER:0420", NULL, "00" },
        { "DNS:%s", "critical,DER:0520", NULL, "" },
    };
    struct acme_case *c = *state;
    struct acme_ordered o;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *name = acme_text(c->arena, "h%zu.example.com", i);
        struct acme_challenged challenge = taken_up(c, name, "tls-alpn-01", &o);
        const char *token = rows[i].token != NULL ? rows[i].token : challenge.token;
        struct shown shown = { 0 };
        struct job_effect effect;

        if (rows[i].san != NULL)
            shown.san = strstr(rows[i].san, "%s") != NULL
                            ? acme_text(c->arena, "DNS:%s%s", name, rows[i].san + strlen("DNS:%s"))
                            : rows[i].san;
        if (rows[i].front != NULL)
            shown.value = acme_text(c->arena, "%s%s", digest_value(c, token, rows[i].front), rows[i].tail);
        (void)acme_step(c, DUE);
        effect = acme_step(c, (struct job_event){ .kind = JOB_EVENT_PROBE,
                                                  .fault = NET_OK,
                                                  .probe_certificate = certificate_shown(c, &shown) });
        assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
        assert_fault(c, challenge.path, "processing", "incorrectResponse");
        (void)acme_step(c, DUE);
        (void)acme_step(c, (struct job_event){ .kind = JOB_EVENT_PROBE, .fault = NET_FAULT_ADDRESS });
    }
}

/* --- CAA --- */
static void with_caa(struct acme_case *c, enum acme_caa mode)
{
    static const char *const identities[] = { "ca.example.net" };

    c->g->procedure.acme_caa = mode;
    c->g->procedure.acme_caa_identity = identities;
    c->g->procedure.acme_caa_identity_count = 1;
}

static struct job_effect met(struct acme_case *c, struct acme_ordered *o)
{
    struct acme_challenged challenge = taken_up(c, "a.b.example.com", "http-01", o);

    (void)acme_step(c, DUE);
    return acme_step(c, http(200, acme_key_authorization(c, challenge.token)));
}

static void acme_128_caa_is_looked_for_up_the_tree(void **state)
{
    static const char *const names[] = { "a.b.example.com", "b.example.com", "example.com", "com" };
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct job_effect effect;

    with_caa(c, ACME_CAA_ENFORCE);
    effect = met(c, &o);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(effect.kind, JOB_EFFECT_DNS);
        assert_int_equal(effect.type, DNS_TYPE_CAA);
        assert_text(dns_name_bytes(&effect.name), names[i]);
        effect = acme_step(c, dns(NULL, 0));
    }
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "valid");
}

static void acme_129_a_caa_record_forbids(void **state)
{
    static const struct dns_record record = { .value = BYTES_LITERAL("\0\5issueother.example") };
    struct acme_case *c = *state;
    struct acme_ordered o;

    with_caa(c, ACME_CAA_ENFORCE);
    (void)met(c, &o);
    assert_int_equal(acme_step(c, dns(&record, 1)).kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "invalid");
    (void)acme_get(c, o.order);
    assert_text(json_member(json_object_get(c->json, "error"), "type"), "urn:ietf:params:acme:error:caa");
}

static void acme_132_silence_of_the_dns_fails_closed_or_warns(void **state)
{
    struct acme_case *c = *state;
    struct job_event silent = dns(NULL, 0);
    struct acme_ordered o;
    struct job_effect effect = { 0 };
    int tries = 0;

    silent.dns.status = DNS_STATUS_SERVFAIL;
    with_caa(c, ACME_CAA_ENFORCE);
    (void)met(c, &o);
    for (effect = acme_step(c, silent); effect.kind == JOB_EFFECT_WAIT && tries < 20; tries++) {
        effect = acme_step(c, DUE);
        assert_int_equal(effect.kind, JOB_EFFECT_DNS);
        effect = acme_step(c, silent);
    }
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "invalid");
    with_caa(c, ACME_CAA_WARN);
    (void)met(c, &o);
    assert_int_equal(acme_step(c, silent).kind, JOB_EFFECT_DONE);
    assert_authz(c, &o, "valid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_71_an_authorization_shows_what_is_allowed),
        ACME_ROW(acme_10_72_a_challenge_object),
        ACME_ROW(acme_73_74_what_was_taken_up_is_not_taken_up_again),
        ACME_ROW(acme_75_a_payload_that_is_none_changes_nothing),
        ACME_ROW(acme_76_validation_is_tried_again_and_says_why),
        ACME_ROW(acme_77_a_deactivated_authorization_ends_its_orders),
        ACME_ROW(acme_71_a_challenge_that_is_not_taken_any_more),
        ACME_ROW(a_deactivated_authorization_is_not_validated),
        ACME_ROW(acme_79_the_key_is_that_of_the_answer),
        ACME_ROW(acme_81_http_01),
        ACME_ROW(acme_83_faults_of_http_01),
        ACME_ROW(acme_84_a_forbidden_address_is_final),
        ACME_ROW(acme_85_nothing_of_a_body_is_told),
        ACME_ROW(acme_87_dns_01),
        ACME_ROW(acme_88_faults_of_dns_01),
        ACME_ROW(acme_89_90_dns_account_01),
        ACME_ROW(acme_91_dns_persist_01),
        ACME_ROW(acme_93_94_tls_alpn_01),
        ACME_ROW(acme_95_certificates_that_prove_nothing),
        ACME_ROW(acme_128_caa_is_looked_for_up_the_tree),
        ACME_ROW(acme_129_a_caa_record_forbids),
        ACME_ROW(acme_132_silence_of_the_dns_fails_closed_or_warns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
