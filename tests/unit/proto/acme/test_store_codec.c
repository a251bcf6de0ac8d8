#include "proto/acme/store_codec_internal.h"

#include "tests/lib/test.h"

static struct acme_identifier name(const char *text)
{
    struct acme_identifier id = { .type = ACME_IDENTIFIER_DNS };
    const struct dns_rules rules = DNS_RULES_DNS_NAME;

    assert_int_equal(dns_name_parse(bytes_text(text), &rules, &id.name), DNS_OK);
    return id;
}

static void accounts(void **state)
{
    const struct acme_account account = {
        .status = ACME_ACCOUNT_VALID,
        .spki = BYTES_LITERAL("key"),
        .contact = { BYTES_LITERAL("mailto:a@example.com"), BYTES_LITERAL("mailto:b@example.com") },
        .contact_count = 2,
        .terms = BYTES_LITERAL("https://example.com/terms"),
        .bound = true,
        .registration = { { 1, 2, 3 } },
        .binding = BYTES_LITERAL("{}"),
        .created_s = 1790000000,
    };
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_STATE_MAX);
    struct acme_account again = { 0 };

    (void)state;
    acme_account_encode(&account, &blob);
    assert_true(acme_account_decode(buffer_bytes(&blob), &again));
    assert_int_equal(again.status, ACME_ACCOUNT_VALID);
    assert_bytes(again.spki, account.spki);
    assert_int_equal(again.contact_count, 2);
    assert_bytes(again.contact[1], account.contact[1]);
    assert_bytes(again.terms, account.terms);
    assert_true(again.bound);
    assert_bytes(registration_id_bytes(&again.registration), registration_id_bytes(&account.registration));
    assert_bytes(again.binding, account.binding);
    assert_int_equal(again.created_s, account.created_s);
    again = (struct acme_account){ 0 };
    assert_false(acme_account_decode(bytes_slice(buffer_bytes(&blob), 0, blob.len - 1), &again));
    assert_false(acme_account_decode(BYTES_NONE, &again));
}

static void orders(void **state)
{
    struct acme_identifier ids[] = { name("a.example.com"), name("b.example.com") };
    struct acme_id authz[] = { { { 1 } }, { { 2 } } };
    const struct acme_order order = {
        .account = { { 9 } },
        .status = ACME_ORDER_INVALID,
        .identifier = ids,
        .identifier_count = 2,
        .authz = authz,
        .authz_count = 2,
        .created_s = 1,
        .expires_s = 2,
        .csr = BYTES_LITERAL("csr"),
        .certificate = { .issuer = { { 3 } }, .serial_len = 2, .serial = { 4, 5 } },
        .fault = { .is = true, .problem = ACME_CAA, .detail = BYTES_LITERAL("why") },
        .profile = BYTES_LITERAL("short"),
        .replaces = BYTES_LITERAL("a.b"),
        .star = { .is = true,
                  .get = true,
                  .start_s = 10,
                  .end_s = 1000,
                  .lifetime_s = 100,
                  .adjust_s = 20,
                  .renewals = 3,
                  .peer = { 4, { 192, 0, 2, 1 } },
                  .renew_s = 400 },
    };
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_STATE_MAX);
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct acme_order again = { 0 };

    (void)state;
    acme_order_encode(&order, &blob);
    assert_true(acme_order_decode(buffer_bytes(&blob), arena, &again));
    assert_int_equal(again.status, ACME_ORDER_INVALID);
    assert_int_equal(again.identifier_count, 2);
    assert_true(acme_identifier_equal(&again.identifier[1], &ids[1]));
    assert_true(acme_id_equal(&again.authz[1], &authz[1]));
    assert_true(certificate_id_equal(&again.certificate, &order.certificate));
    assert_true(again.fault.is);
    assert_int_equal(again.fault.problem, ACME_CAA);
    assert_bytes(again.fault.detail, order.fault.detail);
    assert_bytes(again.csr, order.csr);
    assert_bytes(again.profile, order.profile);
    assert_bytes(again.replaces, order.replaces);
    assert_true(again.star.is && again.star.get);
    assert_int_equal(again.star.start_s, 10);
    assert_int_equal(again.star.end_s, 1000);
    assert_int_equal(again.star.lifetime_s, 100);
    assert_int_equal(again.star.adjust_s, 20);
    assert_int_equal(again.star.renewals, 3);
    assert_true(ip_equal(&again.star.peer, &order.star.peer));
    assert_int_equal(again.star.renew_s, 400);
    again = (struct acme_order){ 0 };
    assert_false(acme_order_decode(bytes_slice(buffer_bytes(&blob), 0, 40), arena, &again));
}

static void authorizations(void **state)
{
    struct acme_authz authz = {
        .account = { { 9 } },
        .status = ACME_AUTHZ_PENDING,
        .identifier = name("a.example.com"),
        .expires_s = 7,
        .caa_s = 5,
        .caa_warned = true,
    };
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_STATE_MAX);
    struct acme_authz again = { 0 };

    (void)state;
    authz.challenge[ACME_TLS_ALPN_01] = (struct acme_challenge_state){
        .offered = true,
        .status = ACME_CHALLENGE_PROCESSING,
        .fault = { .is = true, .problem = ACME_TLS, .rejected = true, .detail = BYTES_LITERAL("why") },
    };
    authz.attested = true;
    authz.attested_key.bytes[31] = 7;
    memset(authz.challenge[ACME_TLS_ALPN_01].token, 'x', ACME_TOKEN_LEN);
    acme_authz_encode(&authz, &blob);
    assert_true(acme_authz_decode(buffer_bytes(&blob), &again));
    assert_false(again.challenge[ACME_HTTP_01].offered);
    assert_true(again.challenge[ACME_TLS_ALPN_01].offered);
    assert_int_equal(again.challenge[ACME_TLS_ALPN_01].status, ACME_CHALLENGE_PROCESSING);
    assert_string_equal(again.challenge[ACME_TLS_ALPN_01].token, authz.challenge[ACME_TLS_ALPN_01].token);
    assert_int_equal(again.challenge[ACME_TLS_ALPN_01].fault.problem, ACME_TLS);
    assert_true(again.challenge[ACME_TLS_ALPN_01].fault.rejected);
    assert_int_equal(again.caa_s, 5);
    assert_true(again.caa_warned);
    assert_true(again.attested && digest256_equal(&again.attested_key, &authz.attested_key));
    assert_true(acme_identifier_equal(&again.identifier, &authz.identifier));
    assert_int_equal(again.expires_s, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts),
        cmocka_unit_test(orders),
        cmocka_unit_test(authorizations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
