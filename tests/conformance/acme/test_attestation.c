/* Devices that say themselves who they are (device-attest-01, permanent-identifier). */
#include "tests/conformance/acme/acme_case.h"
#include "tests/lib/attestation_maker.h"

static const char SERIAL[] = "C02XK1";

static void register_serial(struct acme_case *c, const char *serial)
{
    struct registration changed = c->registration;

    changed.serial_number = bytes_text(serial);
    acme_change(c, changed);
    changed.revision++;
    c->registration = changed;
}

static int set_up(void **state)
{
    struct acme_case *c;
    struct procedure *p;
    struct bytes root;

    (void)acme_case_setup(state);
    c = *state;
    p = &c->g->procedure;
    p->acme_challenges |= ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01);
    root = attestation_root(c->arena, c->g->now_s);
    for (unsigned i = 0; i < ATTESTATION_FORMAT_COUNT; i++)
        assert_true(anchors_new(&root, 1, &p->acme_attestation_anchors[i], NULL));
    register_serial(c, SERIAL);
    acme_joined(c, ACME_KEY_A);
    return 0;
}

static int tear_down(void **state)
{
    struct acme_case *c = *state;

    for (unsigned i = 0; i < ATTESTATION_FORMAT_COUNT; i++)
        anchors_free(c->g->procedure.acme_attestation_anchors[i]);
    return acme_case_teardown(state);
}

#define ATTESTATION_ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static struct http_response order_device_as(struct acme_case *c, enum acme_client_key key, const char *type,
                                            const char *value)
{
    return acme_ask(c, (struct acme_plan){ .resource = "new-order",
                                           .key = key,
                                           .payload = acme_text(c->arena,
                                                                "{\"identifiers\":[{\"type\":\"%s\","
                                                                "\"value\":\"%s\"}]}",
                                                                type, value) });
}

static struct http_response order_device(struct acme_case *c, const char *value)
{
    return order_device_as(c, ACME_KEY_A, "permanent-identifier", value);
}

struct device_order {
    const char *order, *authz;
    struct acme_challenged challenge;
};

static struct device_order ordered(struct acme_case *c, const char *value)
{
    struct http_response r = order_device(c, value);
    struct device_order o = { 0 };

    assert_status(c, &r, 201);
    assert_member(c, "status", "pending");
    o.order = acme_path(c, acme_header(&r, "Location", 0));
    o.authz = acme_path(c, json_bytes(json_array_get(json_object_get(c->json, "authorizations"), 0)));
    o.challenge = acme_challenge_of(c, o.authz, "device-attest-01");
    assert_non_null(o.challenge.path);
    return o;
}

/* What the device of this order says, unless the plan says otherwise. */
static struct bytes statement(struct acme_case *c, const struct device_order *o, struct attestation_plan plan)
{
    plan.token = plan.token != NULL ? plan.token : o->challenge.token;
    plan.authorization = plan.authorization != NULL ? plan.authorization
                                                    : acme_key_authorization(c, o->challenge.token);
    plan.key = plan.key != NULL ? plan.key : attestation_device_key(false);
    plan.now_s = c->g->now_s;
    return attestation_make(c->arena, &plan);
}

static struct http_response answer(struct acme_case *c, const struct device_order *o, struct bytes object)
{
    const char *text = acme_client_base64url(c->arena, object);

    return acme_ask(c, (struct acme_plan){ .resource = o->challenge.path,
                                           .payload = acme_text(c->arena, "{\"attObj\":\"%s\"}", text) });
}

static void attested(struct acme_case *c, const struct device_order *o, struct attestation_plan plan)
{
    struct http_response r = answer(c, o, statement(c, o, plan));

    assert_status(c, &r, 200);
    if (!bytes_is(json_member(c->json, "status"), "valid"))
        fail_msg("%.*s", BYTES_FMT(r.body));
}

/* Challenge, authorization and order are invalid, and say why. */
static void refused_at(struct acme_case *c, const struct device_order *o, struct bytes object, bool identity,
                       int line)
{
    struct http_response r = answer(c, o, object);
    const json_t *error, *list;

    assert_status_at(c, &r, 200, line);
    error = json_object_get(c->json, "error");
    list = json_object_get(error, "subproblems");
    if (!bytes_is(json_member(c->json, "status"), "invalid") ||
        !bytes_is(json_member(error, "type"), "urn:ietf:params:acme:error:badAttestationStatement") ||
        (list != NULL) != identity)
        fail_msg("line %d: %.*s", line, BYTES_FMT(r.body));
    if (identity) {
        const json_t *one = json_array_get(list, 0);

        assert_text(json_member(one, "type"), "urn:ietf:params:acme:error:rejectedIdentifier");
        assert_text(json_member(json_object_get(one, "identifier"), "value"), SERIAL);
    }
    (void)acme_get(c, o->authz);
    assert_member(c, "status", "invalid");
    (void)acme_get(c, o->order);
    assert_member(c, "status", "invalid");
    assert_text(json_member(json_object_get(c->json, "error"), "type"),
                "urn:ietf:params:acme:error:badAttestationStatement");
}
#define assert_refused(c, o, object, identity) refused_at(c, o, object, identity, __LINE__)

static struct http_response finalized(struct acme_case *c, const struct device_order *o,
                                      struct est_csr_plan csr)
{
    if (csr.cn == NULL) /* a request names something: in its subject, if not in the SAN */
        csr.cn = csr.device != NULL ? "" : SERIAL;
    csr.key = csr.key != NULL ? csr.key : attestation_device_key(false);
    return acme_finalized(c, o->order, csr);
}

/* The certificate of the order names the device, and is over that key. */
static void assert_certified(struct acme_case *c, const struct device_order *o, const char *device,
                             EVP_PKEY *key)
{
    struct http_response r = acme_get(c, o->order);
    struct permanent_identifier id;
    struct certificate certificate;
    unsigned char *der = NULL;
    X509 *leaf;
    int len;

    assert_member(c, "status", "valid");
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    leaf = acme_leaf(r.body);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(leaf), key), 1);
    len = i2d_X509(leaf, &der);
    assert_true(certificate_decode(bytes_of(der, (size_t)len), c->arena, &certificate));
    assert_int_equal(certificate.san.count, 1);
    assert_true(permanent_identifier_decode(certificate.san.item[0].value, &id));
    assert_text(id.value, device);
    OPENSSL_free(der);
    X509_free(leaf);
}

static void acme_103_devices_have_a_challenge_of_their_own(void **state)
{
    struct acme_case *c = *state;
    struct device_order o = ordered(c, SERIAL);
    struct acme_ordered named;

    (void)acme_get(c, o.authz);
    assert_int_equal(json_array_size(json_object_get(c->json, "challenges")), 1);
    assert_text(json_member(json_object_get(c->json, "identifier"), "type"), "permanent-identifier");
    assert_text(json_member(json_object_get(c->json, "identifier"), "value"), SERIAL);
    named = acme_ordered(c, "a.example.com");
    assert_null(acme_challenge_of(c, named.authz[0], "device-attest-01").path);
}

static void acme_103_identifiers_that_are_not_taken(void **state)
{
    static const char *const malformed[] = { "", "a\\u0007b", "a\\u0000b" };
    struct acme_case *c = *state;
    struct http_response r = order_device_as(c, ACME_KEY_A, "hardware-module", "x");

    assert_problem(c, &r, "unsupportedIdentifier", 400);
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        r = order_device(c, malformed[i]);
        assert_problem(c, &r, "malformed", 400);
    }
    r = order_device(c, acme_text(c->arena, "%0129d", 1));
    assert_problem(c, &r, "malformed", 400);
    c->g->procedure.acme_challenges &= ~ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01);
    r = order_device(c, SERIAL);
    assert_problem(c, &r, "unsupportedIdentifier", 400);
}

static void acme_103_an_account_must_be_bound(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    c->g->procedure.acme_binding = c->g->procedure.preregistration = false;
    r = acme_join(c, ACME_KEY_B, "{}");
    assert_status(c, &r, 201);
    r = order_device_as(c, ACME_KEY_B, "permanent-identifier", SERIAL);
    assert_problem(c, &r, "externalAccountRequired", 403);
    r = acme_ask(c, (struct acme_plan){ .resource = "new-authz",
                                        .key = ACME_KEY_B,
                                        .payload = "{\"identifier\":{\"type\":\"permanent-identifier\","
                                                   "\"value\":\"C02XK1\"}}" });
    assert_problem(c, &r, "externalAccountRequired", 403);
}

static void acme_103_the_serial_number_is_the_registered_one(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = order_device(c, "C02XK2");

    assert_problem(c, &r, "unauthorized", 403);
    r = order_device(c, "c02xk1"); /* by code points */
    assert_problem(c, &r, "unauthorized", 403);
}

/* Who is spared challenges for names is not spared to say which key the device holds. */
static void acme_103_a_pre_authorised_account_attests_too(void **state)
{
    struct acme_case *c = *state;
    struct registration changed = c->registration;
    struct device_order o;
    struct http_response r;

    changed.pre_authorised = true;
    acme_change(c, changed);
    o = ordered(c, SERIAL);
    r = finalized(c, &o, (struct est_csr_plan){ 0 });
    assert_problem(c, &r, "orderNotReady", 403);
    attested(c, &o, (struct attestation_plan){ 0 });
    r = finalized(c, &o, (struct est_csr_plan){ 0 });
    assert_status(c, &r, 200);
    assert_certified(c, &o, SERIAL, attestation_device_key(false));
}

static void acme_103_124_no_auto_renewal_for_devices(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    c->g->procedure.acme_star = true;
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-order",
                        .payload = acme_text(
                            c->arena,
                            "{\"identifiers\":[{\"type\":\"permanent-identifier\",\"value\":\"%s\"}],"
                            "\"auto-renewal\":{\"end-date\":\"2099-01-01T00:00:00Z\",\"lifetime\":345600}}",
                            SERIAL) });
    assert_problem(c, &r, "malformed", 400);
    assert_member(c, "detail", "there is no auto-renewal for devices");
}

static void acme_104_statements_that_hold(void **state)
{
    static const struct attestation_plan plans[] = {
        { .format = "apple" },
        { .format = "apple", .auth_data = true },
        { .format = "tpm" },
        { .format = "tpm", .auth_data = true },
        { .format = "tpm", .rsa = true },
        { .format = "tpm", .hardware = "C02XK1" },
    };
    struct acme_case *c = *state;

    for (size_t i = 0; i < 2 * COUNT_OF(plans); i++) {
        struct attestation_plan plan = plans[i / 2];
        struct device_order o = ordered(c, SERIAL);
        struct http_response r;

        plan.key = attestation_device_key(i % 2 == 1);
        attested(c, &o, plan);
        (void)acme_get(c, o.order);
        assert_member(c, "status", "ready");
        r = finalized(c, &o, (struct est_csr_plan){ .key = plan.key });
        assert_status(c, &r, 200);
        assert_certified(c, &o, SERIAL, plan.key);
    }
}

/* The octets of a HardwareModuleName are written in hexadecimal, or with their type. */
static void acme_104_hardware_modules(void **state)
{
    struct acme_case *c = *state;
    struct device_order o;

    register_serial(c, "433032");
    o = ordered(c, "433032");
    attested(c, &o, (struct attestation_plan){ .format = "tpm", .hardware = "C02" });
    register_serial(c, "1.3.6.1.4.1.9:433032");
    o = ordered(c, "1.3.6.1.4.1.9:433032");
    attested(c, &o, (struct attestation_plan){ .format = "tpm", .hardware = "C02" });
}

/* Each order wants a statement of its own: about the key that it is for. */
static void acme_104_a_statement_serves_one_order(void **state)
{
    struct acme_case *c = *state;
    struct device_order o = ordered(c, SERIAL), next;

    attested(c, &o, (struct attestation_plan){ 0 });
    next = ordered(c, SERIAL);
    assert_string_not_equal(next.authz, o.authz);
    assert_refused(c, &next, statement(c, &o, (struct attestation_plan){ 0 }), false);
}

static void acme_105_what_is_no_attestation_object_changes_nothing(void **state)
{
    static const char *const payloads[] = {
        "{}",
        "{\"attObj\":7}",
        "{\"attObj\":\"\"}",
        "{\"attObj\":\"a+b=\"}",
        "{\"attObj\":\"AAAA\"}",
        "{\"attObj\":\"oWNmbXRlYXBwbGU\"}",              /* fmt alone */
        "{\"attObj\":\"omNmbXRlYXBwbGVjZm10ZWFwcGxl\"}", /* twice */
    };
    struct acme_case *c = *state;
    struct device_order o = ordered(c, SERIAL);
    struct bytes good = statement(c, &o, (struct attestation_plan){ 0 });
    struct http_response r;

    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        r = acme_ask(c, (struct acme_plan){ .resource = o.challenge.path, .payload = payloads[i] });
        assert_problem(c, &r, "malformed", 400);
    }
    for (size_t len = 1; len < good.len; len += 7) {
        r = answer(c, &o, bytes_slice(good, 0, len));
        assert_problem(c, &r, "malformed", 400);
    }
    (void)acme_get(c, o.challenge.path);
    assert_member(c, "status", "pending");
    r = answer(c, &o, good);
    assert_member(c, "status", "valid");
}

static void acme_105_statements_that_do_not_hold(void **state)
{
    static const struct attestation_plan plans[] = {
        { .format = "none" },
        { .format = "packed" },
        { .format = "apple", .flaw = FLAW_NO_X5C },
        { .format = "apple", .flaw = FLAW_EMPTY_X5C },
        { .format = "apple", .flaw = FLAW_FOREIGN_ROOT },
        { .format = "apple", .flaw = FLAW_EXPIRED },
        { .format = "apple", .flaw = FLAW_CA },
        { .format = "apple", .flaw = FLAW_EMPTY_PURPOSES },
        { .format = "apple", .flaw = FLAW_NO_FRESHNESS },
        { .format = "tpm", .flaw = FLAW_NO_X5C },
        { .format = "tpm", .flaw = FLAW_EMPTY_X5C },
        { .format = "tpm", .flaw = FLAW_FOREIGN_ROOT },
        { .format = "tpm", .flaw = FLAW_EXPIRED },
        { .format = "tpm", .flaw = FLAW_CA },
        { .format = "tpm", .flaw = FLAW_EMPTY_PURPOSES },
        { .format = "tpm", .flaw = FLAW_NO_PURPOSES },
        { .format = "tpm", .flaw = FLAW_EMPTY_SAN },
        { .format = "tpm", .flaw = FLAW_VERSION },
        { .format = "tpm", .flaw = FLAW_ALGORITHM },
        { .format = "tpm", .flaw = FLAW_ALGORITHM, .rsa = true },
        { .format = "tpm", .flaw = FLAW_SHA1_NAME },
        { .format = "tpm", .flaw = FLAW_NAME },
        { .format = "tpm", .flaw = FLAW_MAGIC },
        { .format = "tpm", .flaw = FLAW_TYPE },
        { .format = "tpm", .flaw = FLAW_SIGNATURE },
        { .format = "tpm", .flaw = FLAW_SIGNATURE, .rsa = true },
        { .format = "tpm", .flaw = FLAW_EXPORTABLE },
        { .format = "tpm", .flaw = FLAW_LONG_CERT_INFO },
        { .format = "tpm", .flaw = FLAW_SHORT_PUB_AREA },
        { .format = "apple", .token = "another" },
        { .format = "tpm", .authorization = "another" },
    };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct device_order o = ordered(c, SERIAL);

        print_message("%zu: %s, flaw %d\n", i, plans[i].format, (int)plans[i].flaw);
        assert_refused(c, &o, statement(c, &o, plans[i]), false);
    }
}

static void acme_105_another_device(void **state)
{
    static const struct attestation_plan plans[] = {
        { .format = "apple", .serial = "C02XK2" }, { .format = "apple", .serial = "" },
        { .format = "tpm", .serial = "C02XK2" },   { .format = "tpm", .serial = "" },
        { .format = "tpm", .hardware = "C02XK2" },
    };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct device_order o = ordered(c, SERIAL);

        assert_refused(c, &o, statement(c, &o, plans[i]), true);
    }
}

static void acme_105_a_format_without_anchors_is_off(void **state)
{
    struct acme_case *c = *state;
    struct anchors **tpm = &c->g->procedure.acme_attestation_anchors[ATTESTATION_TPM];
    struct device_order o = ordered(c, SERIAL);

    anchors_free(*tpm);
    *tpm = NULL;
    assert_refused(c, &o, statement(c, &o, (struct attestation_plan){ .format = "tpm" }), false);
}

static void acme_106_the_key_is_the_attested_one(void **state)
{
    static const char *const formats[] = { "apple", "tpm" };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct device_order o = ordered(c, SERIAL);
        struct http_response r;

        attested(c, &o, (struct attestation_plan){ .format = formats[i] });
        r = finalized(c, &o, (struct est_csr_plan){ .key = est_client_key(1) });
        assert_problem(c, &r, "badCSR", 400);
        (void)acme_get(c, o.order);
        assert_member(c, "status", "ready");
        if (i > 0)
            break;
        r = finalized(c, &o, (struct est_csr_plan){ 0 });
        assert_status(c, &r, 200);
        assert_certified(c, &o, SERIAL, attestation_device_key(false));
    }
}

static void acme_107_freshness_is_of_the_token_alone(void **state)
{
    struct acme_case *c = *state;
    struct device_order o = ordered(c, SERIAL);
    const char *authorization = acme_key_authorization(c, o.challenge.token);

    assert_refused(c, &o, statement(c, &o, (struct attestation_plan){ .token = authorization }), false);
}

static void acme_107_a_udid_names_the_device_too(void **state)
{
    static const char udid[] = "00008101-000A1B2C3D4E5F60";
    struct acme_case *c = *state;
    struct device_order o;
    struct http_response r;

    register_serial(c, udid);
    o = ordered(c, udid);
    attested(c, &o, (struct attestation_plan){ .udid = udid });
    r = finalized(c, &o, (struct est_csr_plan){ .cn = udid });
    assert_status(c, &r, 200);
    assert_certified(c, &o, udid, attestation_device_key(false));
}

static void acme_108_the_request_may_name_the_device_and_no_other(void **state)
{
    struct acme_case *c = *state;
    struct device_order o = ordered(c, SERIAL);
    struct http_response r;

    attested(c, &o, (struct attestation_plan){ 0 });
    r = finalized(c, &o, (struct est_csr_plan){ .device = "C02XK2" });
    assert_problem(c, &r, "badCSR", 400);
    r = finalized(c, &o, (struct est_csr_plan){ .cn = "C02XK2" });
    assert_problem(c, &r, "badCSR", 400);
    r = finalized(c, &o, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_problem(c, &r, "badCSR", 400);
    r = finalized(c, &o, (struct est_csr_plan){ .cn = SERIAL, .device = SERIAL });
    assert_status(c, &r, 200);
    assert_certified(c, &o, SERIAL, attestation_device_key(false));
}

static void acme_108_a_device_that_is_not_registered(void **state)
{
    struct acme_case *c = *state;
    struct device_order o = ordered(c, SERIAL);
    struct http_response r;

    attested(c, &o, (struct attestation_plan){ 0 });
    register_serial(c, ""); /* meanwhile */
    r = finalized(c, &o, (struct est_csr_plan){ 0 });
    assert_problem(c, &r, "unauthorized", 403);
    r = order_device(c, SERIAL);
    assert_problem(c, &r, "unauthorized", 403);
    register_serial(c, "C02XK2");
    r = finalized(c, &o, (struct est_csr_plan){ .device = SERIAL });
    assert_problem(c, &r, "unauthorized", 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTESTATION_ROW(acme_103_devices_have_a_challenge_of_their_own),
        ATTESTATION_ROW(acme_103_identifiers_that_are_not_taken),
        ATTESTATION_ROW(acme_103_an_account_must_be_bound),
        ATTESTATION_ROW(acme_103_the_serial_number_is_the_registered_one),
        ATTESTATION_ROW(acme_103_a_pre_authorised_account_attests_too),
        ATTESTATION_ROW(acme_103_124_no_auto_renewal_for_devices),
        ATTESTATION_ROW(acme_104_statements_that_hold),
        ATTESTATION_ROW(acme_104_hardware_modules),
        ATTESTATION_ROW(acme_104_a_statement_serves_one_order),
        ATTESTATION_ROW(acme_105_what_is_no_attestation_object_changes_nothing),
        ATTESTATION_ROW(acme_105_statements_that_do_not_hold),
        ATTESTATION_ROW(acme_105_another_device),
        ATTESTATION_ROW(acme_105_a_format_without_anchors_is_off),
        ATTESTATION_ROW(acme_106_the_key_is_the_attested_one),
        ATTESTATION_ROW(acme_107_freshness_is_of_the_token_alone),
        ATTESTATION_ROW(acme_107_a_udid_names_the_device_too),
        ATTESTATION_ROW(acme_108_the_request_may_name_the_device_and_no_other),
        ATTESTATION_ROW(acme_108_a_device_that_is_not_registered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
