#include "proto/acme/validate_internal.h"

#include "tests/lib/test.h"

static struct acme_authz an_authz(const char *text, enum acme_challenge which)
{
    struct acme_authz authz = { .identifier = { .type = ACME_IDENTIFIER_DNS } };
    const struct dns_rules rules = DNS_RULES_DNS_NAME;

    assert_int_equal(dns_name_parse(bytes_text(text), &rules, &authz.identifier.name), DNS_OK);
    authz.challenge[which].offered = true;
    memset(authz.challenge[which].token, 'T', ACME_TOKEN_LEN);
    return authz;
}

static struct job_effect effect_of(const struct procedure *p, const struct acme_authz *authz,
                                   enum acme_challenge which, struct arena *arena)
{
    const struct acme_validation v = {
        .challenge = which, .account_url = BYTES_LITERAL("https://example.com/acme/acct/ExampleAccount")
    };
    const struct acme_look look = { .procedure = p, .validation = &v, .authz = authz, .arena = arena };
    struct job_effect effect = { 0 };

    assert_true(acme_look_effect(&look, &effect));
    return effect;
}

static void acme_89_the_label_of_an_account(void **state)
{
    const struct acme_authz authz = an_authz("example.org", ACME_DNS_ACCOUNT_01);
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct job_effect effect = effect_of(&(struct procedure){ 0 }, &authz, ACME_DNS_ACCOUNT_01, arena);

    (void)state;
    assert_text(dns_name_bytes(&effect.name), "_ujmmovf2vn55tgye._acme-challenge.example.org");
}

static void acme_97_addresses_are_probed_by_their_reverse_name(void **state)
{
    struct acme_authz authz = an_authz("example.org", ACME_TLS_ALPN_01);
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct job_effect effect;

    (void)state;
    authz.identifier = (struct acme_identifier){ .type = ACME_IDENTIFIER_IP };
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.1"), &authz.identifier.ip));
    effect = effect_of(&(struct procedure){ 0 }, &authz, ACME_TLS_ALPN_01, arena);
    assert_text(effect.host, "192.0.2.1");
    assert_text(dns_name_bytes(&effect.name), "1.2.0.192.in-addr.arpa");
}

static void ports_of_a_procedure(void **state)
{
    const struct procedure p = { .acme_http_port = 5002, .acme_tls_port = 5001 };
    struct acme_authz authz = an_authz("example.org", ACME_HTTP_01);
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct job_effect effect = effect_of(&p, &authz, ACME_HTTP_01, arena);

    (void)state;
    assert_true(bytes_starts_with(effect.url, "http://example.org:5002/.well-known/acme-challenge/TTT"));
    assert_int_equal(effect.port, 5002);
    authz = an_authz("example.org", ACME_TLS_ALPN_01);
    effect = effect_of(&p, &authz, ACME_TLS_ALPN_01, arena);
    assert_int_equal(effect.port, 5001);
}

static void a_name_that_gets_too_long_is_asked_as_it_is(void **state)
{
    char text[DNS_NAME_MAX + 1];
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct acme_authz authz;
    struct job_effect effect;

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    for (size_t i = 60; i < sizeof(text) - 5; i += 60)
        text[i] = '.';
    text[sizeof(text) - 5] = '.';
    text[sizeof(text) - 1] = '\0';
    authz = an_authz(text, ACME_DNS_01);
    effect = effect_of(&(struct procedure){ 0 }, &authz, ACME_DNS_01, arena);
    assert_text(dns_name_bytes(&effect.name), text);
}

static void answers_of_another_kind_prove_nothing(void **state)
{
    const struct acme_authz authz = an_authz("example.org", ACME_HTTP_01);
    AUTO_ARENA *arena = arena_new(1 << 16);

    (void)state;
    for (unsigned which = 0; which < ACME_CHALLENGE_COUNT; which++) {
        const struct acme_validation v = { .challenge = (enum acme_challenge)which };
        const struct acme_look look = {
            .procedure = &(struct procedure){ 0 }, .validation = &v, .authz = &authz, .arena = arena
        };
        struct acme_fault fault = { 0 };
        uint32_t valid_s = 0;

        assert_int_equal(
            acme_look_judge(&look, &(struct job_event){ .kind = JOB_EVENT_DUE }, &valid_s, &fault),
            ACME_FINDING_OURS);
    }
}

static void the_state_of_a_job_is_read_back(void **state)
{
    struct acme_validation v = { .procedure = BYTES_LITERAL("demo"),
                                 .authz = { { 1, 2 } },
                                 .challenge = ACME_DNS_01,
                                 .account_url = BYTES_LITERAL("https://x"),
                                 .thumbprint = "abc",
                                 .stage = ACME_VALIDATION_CAA,
                                 .climbed = { .len = 3, .text = "a.b" },
                                 .tries = 4 };
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct acme_validation again;
    struct bytes blob;

    (void)state;
    assert_true(acme_validation_encode(&v, arena, &blob, NULL));
    assert_true(acme_validation_decode(blob, &again));
    assert_bytes(again.procedure, v.procedure);
    assert_true(acme_id_equal(&again.authz, &v.authz));
    assert_int_equal(again.challenge, ACME_DNS_01);
    assert_string_equal(again.thumbprint, "abc");
    assert_int_equal(again.stage, ACME_VALIDATION_CAA);
    assert_true(dns_name_equal(&again.climbed, &v.climbed));
    assert_int_equal(again.tries, 4);
    assert_false(acme_validation_decode(bytes_slice(blob, 0, blob.len - 1), &again));
    assert_false(acme_validation_decode(BYTES_NONE, &again));
}

/* Each account's looks are one share, whatever they look at; the procedure says how large it is. */
static void an_account_has_its_share(void **state)
{
    const struct procedure p = { .acme_validations_max = 3 }, silent = { 0 };
    struct acme_authz a = an_authz("example.org", ACME_HTTP_01), b = an_authz("example.com", ACME_DNS_01);
    AUTO_ARENA *arena = arena_new(1 << 16);
    struct job_effect look = effect_of(&p, &a, ACME_HTTP_01, arena), caa;

    (void)state;
    b.account.bytes[0] = 1;
    caa = acme_caa_effect(&a.identifier.name, &p, &a.account);
    assert_int_equal(look.target_share_max, 3);
    assert_int_equal(caa.target_share_max, 3);
    assert_true(look.target_share == caa.target_share);
    assert_string_equal(look.target, caa.target);
    look = effect_of(&silent, &b, ACME_DNS_01, arena);
    assert_int_equal(look.target_share_max, ACME_VALIDATIONS_DEFAULT);
    assert_true(look.target_share != caa.target_share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acme_89_the_label_of_an_account),
        cmocka_unit_test(acme_97_addresses_are_probed_by_their_reverse_name),
        cmocka_unit_test(ports_of_a_procedure),
        cmocka_unit_test(a_name_that_gets_too_long_is_asked_as_it_is),
        cmocka_unit_test(answers_of_another_kind_prove_nothing),
        cmocka_unit_test(the_state_of_a_job_is_read_back),
        cmocka_unit_test(an_account_has_its_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
