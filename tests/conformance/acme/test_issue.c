/* Finalization and certificates (RFC 8555 7.4). */
#include "tests/conformance/acme/acme_case.h"

#include "enroll/pending.h"

static void acme_62_an_order_ends_in_a_certificate(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com,b.example.com");
    r = acme_get(c, o.order);
    assert_member(c, "status", "ready");
    r = acme_finalized(
        c, o.order,
        (struct est_csr_plan){ .cn = "a.example.com", .san = "DNS:b.example.com,DNS:a.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    assert_status(c, &r, 200);
    assert_text(acme_header(&r, "Content-Type", 0), "application/pem-certificate-chain");
    leaf = acme_leaf(r.body);
    assert_int_equal(X509_check_host(leaf, "b.example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "a.example.com", 0, 0, NULL), 1);
    X509_free(leaf);
}

static int count_names(X509 *leaf)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    int count = sk_GENERAL_NAME_num(names);

    GENERAL_NAMES_free(names);
    return count;
}

static void acme_62_wildcards_and_addresses_alone(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct acme_ordered o;
    struct http_response r;
    X509 *leaf;

    changed.pre_authorised = true;
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.1"), &changed.ip));
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "*.example.com,192.0.2.1");
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "", .san = "DNS:*.example.com,IP:192.0.2.1" });
    assert_status(c, &r, 200);
    leaf = acme_certificate_of(c, o.order);
    assert_int_equal(count_names(leaf), 2);
    assert_int_equal(X509_check_ip_asc(leaf, "192.0.2.1", 0), 1);
    assert_int_equal(X509_check_host(leaf, "example.com", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 0);
    X509_free(leaf);
    o = acme_ordered(c, "192.0.2.1");
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "", .san = "IP:192.0.2.1", .key = est_client_key(1) });
    assert_status(c, &r, 200);
    leaf = acme_certificate_of(c, o.order);
    assert_int_equal(count_names(leaf), 1);
    X509_free(leaf);
}

static void acme_61_only_what_is_ready(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_problem(c, &r, "orderNotReady", 403);
    acme_proved(c, o.authz[0]);
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_status(c, &r, 200);
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com", .key = est_client_key(1) });
    assert_problem(c, &r, "orderNotReady", 403);
}

static void acme_61_the_same_csr_again_is_the_same_order(void **state)
{
    struct acme_case *c = *state;
    struct est_csr_plan plan = { .cn = "a.example.com" };
    struct acme_ordered o;
    const char *payload;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    payload = acme_text(c->arena, "{\"csr\":\"%s\"}",
                        acme_client_base64url(c->arena, est_client_csr(c->arena, &plan)));
    for (int i = 0; i < 2; i++) {
        r = acme_ask(c, (struct acme_plan){ .resource = acme_text(c->arena, "%s/finalize", o.order),
                                            .payload = payload });
        assert_status(c, &r, 200);
        assert_member(c, "status", "valid");
    }
}

static void acme_63_the_names_are_exactly_the_orders(void **state)
{
    static const struct est_csr_plan plans[] = {
        { .cn = "a.example.com" },                                                    /* one is missing */
        { .cn = "", .san = "DNS:a.example.com,DNS:b.example.com,DNS:c.example.com" }, /* one more */
        { .cn = "c.example.com", .san = "DNS:a.example.com,DNS:b.example.com" },      /* CN */
        { .cn = "", .san = "DNS:a.example.com,DNS:b.example.com,IP:192.0.2.1" },
        { .cn = "", .san = "DNS:a.example.com,DNS:b.example.com,email:a@example.com" },
        { .cn = "", .san = "DNS:a.example.com,DNS:b.example.com,URI:http://a.example.com/" },
        { .cn = "", .san = "DNS:a.example.com,DNS:b.example.com,otherName:1.2.3;UTF8:x" },
        { .cn = "", .san = "DNS:a.example.com,DNS:b.example.com,DNS:*.example.com" },
        { .cn = "A device", .san = "DNS:a.example.com,DNS:b.example.com" },
    };
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com,b.example.com");
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        r = acme_finalized(c, o.order, plans[i]);
        assert_problem(c, &r, "badCSR", 400);
    }
    (void)acme_get(c, o.order);
    assert_member(c, "status", "ready");
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "", .san = "DNS:A.example.com,DNS:b.example.com" });
    assert_status(c, &r, 200);
}

/* Not even a name that the account could have ordered, and that needs no challenge. */
static void acme_63_an_unstructured_name_adds_none(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct acme_ordered o;
    struct http_response r;
    X509 *leaf;

    changed.pre_authorised = true;
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "*.example.com");
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "",
                                              .san = "DNS:*.example.com",
                                              .oid = "1.2.840.113549.1.9.2",
                                              .text = "secret.b.example.com" });
    assert_status(c, &r, 200);
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    leaf = acme_leaf(r.body);
    assert_int_equal(X509_check_host(leaf, "a.example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "secret.b.example.com", 0, 0, NULL), 0);
    X509_free(leaf);
}

static void acme_64_what_is_no_csr(void **state)
{
    static const char *const payloads[] = { "{}", "{\"csr\":\"\"}", "{\"csr\":\"AA==\"}",
                                            "{\"csr\":\"AAAA\"}", "{\"csr\":1}" };
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        r = acme_ask(c, (struct acme_plan){ .resource = acme_text(c->arena, "%s/finalize", o.order),
                                            .payload = payloads[i] });
        assert_problem(c, &r, "badCSR", 400);
    }
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com", .broken_signature = true });
    assert_problem(c, &r, "badCSR", 400);
    r = acme_finalized(c, o.order,
                       (struct est_csr_plan){ .cn = "a.example.com", .key = acme_client_key(ACME_KEY_A) });
    assert_problem(c, &r, "badCSR", 400); /* the account's key */
    r = acme_finalized(
        c, o.order,
        (struct est_csr_plan){ .cn = "a.example.com", .key = acme_client_key(ACME_KEY_RSA_1024) });
    assert_problem(c, &r, "badPublicKey", 400);
}

static void acme_51_an_order_keeps_its_names_and_authorizations(void **state)
{
    static const char *const lists[] = { "identifiers", "authorizations" };
    struct acme_case *c = *state;
    struct acme_ordered o;
    json_t *first;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com,b.example.com");
    first = json_incref(c->json);
    for (int stage = 0; stage < 4; stage++) {
        if (stage == 1)
            (void)acme_ask(c, (struct acme_plan){ .resource = o.order,
                                                  .payload = "{\"identifiers\":[],\"authorizations\":[]}" });
        for (size_t i = 0; stage == 2 && i < o.authz_count; i++)
            acme_proved(c, o.authz[i]);
        if (stage == 3)
            (void)acme_finalized(
                c, o.order, (struct est_csr_plan){ .cn = "", .san = "DNS:a.example.com,DNS:b.example.com" });
        (void)acme_get(c, o.order);
        for (size_t i = 0; i < COUNT_OF(lists); i++)
            assert_true(json_equal(json_object_get(first, lists[i]), json_object_get(c->json, lists[i])));
    }
    assert_member(c, "status", "valid");
    assert_int_equal(json_array_size(json_object_get(first, "authorizations")), 2);
    json_decref(first);
}

static void acme_65_no_extension_goes_beyond_the_profile(void **state)
{
    static const struct est_csr_plan plans[] = {
        { .cn = "a.example.com", .san = "DNS:a.example.com", .basic = "CA:TRUE" },
        { .cn = "a.example.com", .san = "DNS:a.example.com", .key_usage = "keyCertSign" },
        { .cn = "a.example.com", .san = "DNS:a.example.com", .usage = "codeSigning,OCSPSigning" },
    };
    struct acme_case *c = *state;

    acme_joined(c, ACME_KEY_A);
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct acme_ordered o = acme_ready(c, "a.example.com");
        struct http_response r = acme_finalized(c, o.order, plans[i]);
        X509 *leaf;

        if (r.status != 200 || i < 2) { /* a CA's are refused, whatever else */
            assert_problem(c, &r, "badCSR", 400);
            continue;
        }
        leaf = acme_certificate_of(c, o.order);
        assert_int_equal(X509_check_ca(leaf), 0);
        assert_int_equal(X509_get_extended_key_usage(leaf) & (XKU_CODE_SIGN | XKU_OCSP_SIGN), 0);
        X509_free(leaf);
    }
}

static void decide(struct acme_case *c, bool approve)
{
    struct turn turn = acme_turn(c);
    struct pending waiting[4];
    size_t count = 0;
    bool found = false;

    assert_true(pending_list(&turn, BYTES_LITERAL("demo"), COUNT_OF(waiting), waiting, &count, NULL));
    assert_int_equal(count, 1);
    assert_true(pending_decide(&turn, waiting[0].id, approve, BYTES_LITERAL("test-officer"), &found, NULL));
    assert_true(found);
    acme_apply(c, &turn);
}

static void acme_66_an_order_waits_and_is_asked_for(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;
    X509 *leaf;

    c->g->procedure.manual_approval = true;
    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "processing");
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
    r = acme_get(c, o.order);
    assert_member(c, "status", "processing");
    decide(c, true);
    leaf = acme_certificate_of(c, o.order);
    X509_free(leaf);
}

static void acme_66_a_rejected_order_is_invalid(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    c->g->procedure.manual_approval = true;
    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_member(c, "status", "processing");
    decide(c, false);
    r = acme_get(c, o.order);
    assert_status(c, &r, 200);
    assert_member(c, "status", "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"),
                "urn:ietf:params:acme:error:unauthorized");
}

static const char *csr_text(struct acme_case *c, struct est_csr_plan plan)
{
    return acme_client_base64url(c->arena, est_client_csr(c->arena, &plan));
}

static struct http_request *finalization(struct acme_case *c, const char *order, const char *csr)
{
    return acme_make(c, (struct acme_plan){ .resource = acme_text(c->arena, "%s/finalize", order),
                                            .payload = acme_text(c->arena, "{\"csr\":\"%s\"}", csr) });
}

static void acme_67_of_two_at_once_one_issues(void **state)
{
    struct acme_case *c = *state;
    struct acme_race race;
    struct acme_ordered o;
    struct turn turn;
    struct http_response r;
    const char *csr;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    csr = csr_text(c, (struct est_csr_plan){ .cn = "a.example.com" });
    for (unsigned i = 0; i < 2; i++)
        race.request[i] = finalization(c, o.order, csr);
    acme_run_both(c, &race);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(race.response[i].status, 200);
    assert_int_equal(race.result[0], APPLY_DONE);
    assert_int_equal(race.result[1], APPLY_CONFLICT);
    r = acme_run(c, race.request[1], &turn);
    assert_int_equal(r.status, 200);
    assert_int_equal(turn.changes.count, 0);
}

/* Another CSR for the same order: it is too late. */
static void acme_67_of_two_csrs_at_once_one_is_taken(void **state)
{
    struct acme_case *c = *state;
    struct acme_race race;
    struct acme_ordered o;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    for (unsigned i = 0; i < 2; i++)
        race.request[i] = finalization(
            c, o.order,
            csr_text(c, (struct est_csr_plan){ .cn = "a.example.com", .key = est_client_key(i) }));
    acme_run_both(c, &race);
    assert_int_equal(race.result[0], APPLY_DONE);
    assert_int_equal(race.result[1], APPLY_CONFLICT);
    r = acme_run_again(c, race.request[1]);
    assert_problem(c, &r, "orderNotReady", 403);
    leaf = acme_certificate_of(c, o.order);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(leaf), est_client_key(0)), 1);
    X509_free(leaf);
}

static void acme_67_two_orders_of_one_account_at_once(void **state)
{
    static const char *const names[] = { "a.example.com", "b.example.com" };
    struct acme_case *c = *state;
    struct acme_ordered o[2];
    struct acme_race race;
    X509 *leaf[2];

    acme_joined(c, ACME_KEY_A);
    for (unsigned i = 0; i < 2; i++) {
        o[i] = acme_ready(c, names[i]);
        race.request[i] = finalization(
            c, o[i].order, csr_text(c, (struct est_csr_plan){ .cn = names[i], .key = est_client_key(i) }));
    }
    acme_run_both(c, &race);
    assert_int_equal(race.result[0], APPLY_DONE);
    if (race.result[1] == APPLY_CONFLICT)
        race.response[1] = acme_run_again(c, race.request[1]);
    assert_int_equal(race.response[1].status, 200);
    for (unsigned i = 0; i < 2; i++) {
        leaf[i] = acme_certificate_of(c, o[i].order);
        assert_int_equal(X509_check_host(leaf[i], names[i], 0, 0, NULL), 1);
    }
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(leaf[0]), X509_get0_serialNumber(leaf[1])),
                         0);
    X509_free(leaf[0]);
    X509_free(leaf[1]);
}

static void acme_66_the_same_csr_again_waits_on(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;
    const char *csr;
    X509 *leaf;

    c->g->procedure.manual_approval = true;
    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    csr = csr_text(c, (struct est_csr_plan){ .cn = "a.example.com" });
    for (unsigned i = 0; i < 2; i++) {
        r = acme_send(c, finalization(c, o.order, csr));
        assert_status(c, &r, 200);
        assert_member(c, "status", "processing");
    }
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com", .key = est_client_key(1) });
    assert_problem(c, &r, "orderNotReady", 403);
    decide(c, true);
    r = acme_send(c, finalization(c, o.order, csr));
    assert_member(c, "status", "valid");
    leaf = acme_certificate_of(c, o.order);
    X509_free(leaf);
}

static void acme_63_a_cn_may_be_the_address(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct acme_ordered o;
    struct http_response r;

    changed.pre_authorised = true;
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.1"), &changed.ip));
    acme_change(c, changed);
    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "192.0.2.1");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "192.0.2.2", .san = "IP:192.0.2.1" });
    assert_problem(c, &r, "badCSR", 400);
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "192.0.2.1", .san = "IP:192.0.2.1" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
}

static void acme_61_changed_terms_come_first(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    c->g->procedure.acme_terms_url = "https://example.com/terms-1";
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_problem(c, &r, "userActionRequired", 403);
    c->g->procedure.acme_terms_url = NULL;
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_status(c, &r, 200);
}

static void acme_68_70_certificates_come_as_pem(void **state)
{
    struct acme_case *c = *state;
    const char *certificate;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    certificate = acme_path(c, json_member(c->json, "certificate"));
    r = acme_ask(c, (struct acme_plan){ .resource = certificate, .accept = "application/pkix-cert" });
    assert_problem(c, &r, "malformed", 406);
    r = acme_ask(c, (struct acme_plan){ .resource = certificate,
                                        .accept = "text/html, application/pem-certificate-chain;q=0.5" });
    assert_status(c, &r, 200);
    assert_true(bytes_starts_with(r.body, "-----BEGIN CERTIFICATE-----\n"));
    acme_joined(c, ACME_KEY_B);
    r = acme_ask(c, (struct acme_plan){ .resource = certificate, .key = ACME_KEY_B });
    assert_problem(c, &r, "malformed", 404); /* ACME-70 */
    r = acme_get(c, acme_text(c->arena, "%s/1", certificate));
    assert_problem(c, &r, "malformed", 404); /* there is one chain */
}

static void acme_69_the_chain_with_the_root_is_an_alternate(void **state)
{
    struct acme_case *c = *state;
    const char *certificate;
    struct acme_ordered o;
    struct http_response r, other;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    certificate = acme_path(c, json_member(c->json, "certificate"));
    c->g->ca.chain[1] = c->g->ca.chain[0]; /* as if an intermediate had issued it */
    c->g->ca.chain_count = 2;
    r = acme_get(c, certificate);
    assert_status(c, &r, 200);
    assert_text(acme_header(&r, "Link", 0),
                acme_text(c->arena, "<%s/1>;rel=\"alternate\"", acme_url_text(c, certificate)));
    other = acme_get(c, acme_text(c->arena, "%s/1", certificate));
    assert_status(c, &other, 200);
    assert_true(other.body.len > r.body.len);
    assert_bytes(bytes_slice(other.body, 0, r.body.len), r.body);
    r = acme_get(c, acme_text(c->arena, "%s/2", certificate));
    assert_problem(c, &r, "malformed", 404);
    c->g->ca.chain_count = 1;
}

/* Without a binding a registration must name ACME, and every name is proved. */
static void an_unbound_account_needs_a_registration_that_names_acme(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    c->g->procedure.acme_binding = false;
    (void)a_gateway_register(c->g, "router5.example.com", "s3cret",
                             (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_EST) });
    (void)a_gateway_register(c->g, "router6.example.com", "s3cret",
                             (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_ACME) });
    r = acme_join(c, ACME_KEY_A, "{}");
    r = acme_order_as(c, ACME_KEY_A, "router5.example.com");
    assert_problem(c, &r, "rejectedIdentifier", 400);
    r = acme_order_as(c, ACME_KEY_A, "router7.example.com");
    assert_problem(c, &r, "rejectedIdentifier", 400);
    o = acme_ready(c, "router6.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "router6.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
}

/* What a device registered of its own and closed stays closed, whatever an account may have. */
static void a_closed_name_is_kept_from_broader_accounts(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    (void)a_gateway_register(c->g, "a.example.com", "s3cret",
                             (struct registration){ .state = REGISTRATION_CLOSED });
    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_problem(c, &r, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "name_policy");
}

static void without_preregistration_a_challenge_is_the_proof(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    c->g->procedure.acme_binding = c->g->procedure.preregistration = false;
    r = acme_join(c, ACME_KEY_A, "{}");
    o = acme_ready(c, "host.example.net");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "host.example.net" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_62_an_order_ends_in_a_certificate),
        ACME_ROW(acme_62_wildcards_and_addresses_alone),
        ACME_ROW(acme_61_only_what_is_ready),
        ACME_ROW(acme_61_the_same_csr_again_is_the_same_order),
        ACME_ROW(acme_63_the_names_are_exactly_the_orders),
        ACME_ROW(acme_63_an_unstructured_name_adds_none),
        ACME_ROW(acme_64_what_is_no_csr),
        ACME_ROW(acme_65_no_extension_goes_beyond_the_profile),
        ACME_ROW(acme_51_an_order_keeps_its_names_and_authorizations),
        ACME_ROW(acme_66_an_order_waits_and_is_asked_for),
        ACME_ROW(acme_66_a_rejected_order_is_invalid),
        ACME_ROW(acme_66_the_same_csr_again_waits_on),
        ACME_ROW(acme_63_a_cn_may_be_the_address),
        ACME_ROW(acme_61_changed_terms_come_first),
        ACME_ROW(acme_67_of_two_at_once_one_issues),
        ACME_ROW(acme_67_of_two_csrs_at_once_one_is_taken),
        ACME_ROW(acme_67_two_orders_of_one_account_at_once),
        ACME_ROW(acme_68_70_certificates_come_as_pem),
        ACME_ROW(acme_69_the_chain_with_the_root_is_an_alternate),
        ACME_ROW(an_unbound_account_needs_a_registration_that_names_acme),
        ACME_ROW(a_closed_name_is_kept_from_broader_accounts),
        ACME_ROW(without_preregistration_a_challenge_is_the_proof),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
