/* CMP-120, CMP-121: keys that are made here for devices (RFC 9810 5.2.2, RFC 9483 4.1.6). CMP-122 is in
 * test_request.c. */
#include "tests/conformance/cmp/cmp_case.h"

/* A request without a key, in version 3. */
static struct cmp_plan without_key(struct cmp_case *c)
{
    c->g->procedure.cmp_key_generation = true;
    return (struct cmp_plan){
        .body = CMP_IR,
        .pvno = 3,
        .request = { .no_key = true, .pop = CMP_POP_NONE, .san = "DNS:router5.example.com" },
    };
}

/* The key that came is that of the certificate. */
static void assert_key(struct cmp_case *c, const struct cmp_said *said, const struct cmp_person *device,
                       const char *kind)
{
    const struct cmp_trust trust = cmp_trust_of(c);
    EVP_PKEY *key;

    assert_non_null(said->private_key.data);
    key = cmp_client_unwrap(said, device, NULL, &trust);
    assert_int_equal(EVP_PKEY_eq(key, X509_get0_pubkey(said->certificate)), 1);
    assert_true(EVP_PKEY_is_a(key, kind));
    EVP_PKEY_free(key);
}

static void cmp_120_121_a_key_under_the_secret(void **state)
{
    static const enum cmp_protection_choice macs[] = { CMP_BY_PBM, CMP_BY_PBMAC1 };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(macs); i++) {
        struct cmp_plan plan = without_key(c);
        struct cmp_said said;

        plan.protection.by = macs[i];
        said = cmp_ask(c, plan);
        (void)assert_granted(c, &said, CMP_IP);
        assert_true(said.by_mac);
        assert_key(c, &said, NULL, "EC");
        cmp_confirmed(c, plan, &said);
    }
}

static void cmp_120_each_time_another_key(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said first = cmp_ask(c, without_key(c)), second = cmp_ask(c, without_key(c));

    (void)assert_granted(c, &first, CMP_IP);
    (void)assert_granted(c, &second, CMP_IP);
    assert_int_not_equal(
        EVP_PKEY_eq(X509_get0_pubkey(first.certificate), X509_get0_pubkey(second.certificate)), 1);
}

static void cmp_120_an_empty_key_names_the_algorithm(void **state)
{
    static const struct {
        const char *asked, *made;
        int bits;
    } kinds[] = { { "P-256", "EC", 256 }, { "P-384", "EC", 384 }, { "RSA", "RSA", 2048 } };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct cmp_plan plan = without_key(c);
        struct cmp_said said;

        plan.request.no_key = false;
        plan.request.empty_key = true;
        plan.request.key = cmp_client_key(kinds[i].asked, 0);
        said = cmp_ask(c, plan);
        (void)assert_granted(c, &said, CMP_IP);
        assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(said.certificate)), kinds[i].bits);
        assert_key(c, &said, NULL, kinds[i].made);
    }
}

static void cmp_120_a_kind_that_the_profile_refuses_is_not_made(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = without_key(c);
    struct cmp_said said;

    plan.request.no_key = false;
    plan.request.empty_key = true;
    plan.request.key = cmp_client_key("ED25519", 0);
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
    assert_null(said.private_key.data);
}

static void cmp_120_nobody_proves_possession_of_it(void **state)
{
    static const enum cmp_pop_plan pops[] = { CMP_POP_SIGNATURE, CMP_POP_ENCIPHER };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(pops); i++) {
        struct cmp_plan plan = without_key(c);
        struct cmp_said said;

        plan.request.pop = pops[i];
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    }
}

static void cmp_13_120_it_needs_version_3(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = without_key(c);
    struct cmp_said said;

    plan.pvno = 2;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_BAD_REQUEST);
}

/* --- to whom --- */

/* A device with a certificate of ours over a key of that kind, whose usages are these. */
static struct cmp_person a_device(struct cmp_case *c, EVP_PKEY *key, uint32_t usage)
{
    c->g->profile.key_usage = KEY_USAGE_DIGITAL_SIGNATURE | usage;
    return cmp_enrolled_as(
        c, (struct cmp_plan){ .body = CMP_IR, .request = { .key = key, .san = "DNS:router5.example.com" } });
}

static void cmp_121_a_key_for_an_rsa_certificate(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = a_device(c, cmp_client_key("RSA", 0), KEY_USAGE_KEY_ENCIPHERMENT);
    struct cmp_plan plan = without_key(c);
    struct cmp_said said;

    plan.body = CMP_CR;
    plan.signer = &device;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_CP);
    assert_key(c, &said, &device, "EC");
    cmp_confirmed(c, plan, &said);
}

static void cmp_121_a_key_for_an_ec_certificate(void **state)
{
    static const char *const curves[] = { "P-256", "P-384", "P-521" };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        const struct cmp_person device = a_device(c, cmp_client_key(curves[i], 0), KEY_USAGE_KEY_AGREEMENT);
        struct cmp_plan plan = without_key(c);
        struct cmp_said said;

        plan.body = CMP_KUR;
        plan.signer = &device;
        said = cmp_ask(c, plan);
        (void)assert_granted(c, &said, CMP_KUP);
        assert_key(c, &said, &device, "EC");
        cmp_confirmed(c, plan, &said);
    }
}

static void cmp_121_without_the_usage_it_cannot_be_handed_over(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person devices[] = {
        a_device(c, cmp_client_key("RSA", 0), 0),
        a_device(c, cmp_client_key("P-256", 0), KEY_USAGE_KEY_ENCIPHERMENT),
    };

    for (size_t i = 0; i < COUNT_OF(devices); i++) {
        struct cmp_plan plan = without_key(c);
        struct cmp_said said;

        plan.body = CMP_CR;
        plan.signer = &devices[i];
        said = cmp_ask(c, plan);
        assert_rejected(c, &said, CMP_CP, CMP_NOT_AUTHORIZED);
    }
}

static void cmp_121_nor_to_a_key_that_only_signs(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(
        c, (struct cmp_certificate_plan){ .key = cmp_client_key("ED25519", 0) });
    struct cmp_plan plan = without_key(c);
    struct cmp_said said;

    plan.signer = &device;
    plan.request.cn = "router6.example.com";
    plan.request.san = NULL;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
}

static void cmp_121_a_key_update_under_a_mac_is_wrong_integrity(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = without_key(c);
    struct cmp_said said;

    plan.body = CMP_KUR;
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_WRONG_INTEGRITY);
}

/* RFC 9483 5.3.1: it could as well have made the key itself. */
static void cmp_121_an_ra_that_acts_for_a_device_is_given_the_key(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(
        c, (struct cmp_certificate_plan){ .key_usage = "digitalSignature,keyAgreement" });
    struct cmp_plan plan = without_key(c);
    struct cmp_said said;

    plan.signer = &ra;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_IP);
    assert_key(c, &said, &ra, "EC");
}

/* --- a lost reply --- */

static void cmp_15_120_the_same_message_gets_the_same_key(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = without_key(c);
    struct bytes message = cmp_message_of(c, plan), first;
    struct cmp_said said = cmp_send(c, message);

    (void)assert_granted(c, &said, CMP_IP);
    first = c->reply;
    a_gateway_restart(c->g);
    said = cmp_send(c, message);
    assert_bytes(c->reply, first);
    assert_key(c, &said, NULL, "EC");
    cmp_confirmed(c, plan, &said);
}

static void cmp_90_a_key_that_was_not_kept_is_not_polled_for(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = without_key(c);
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    other = cmp_ask(c, cmp_client_next(plan, &said, CMP_POLL_REQ));
    assert_error(c, &other, CMP_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_120_121_a_key_under_the_secret),
        CMP_ROW(cmp_120_each_time_another_key),
        CMP_ROW(cmp_120_an_empty_key_names_the_algorithm),
        CMP_ROW(cmp_120_a_kind_that_the_profile_refuses_is_not_made),
        CMP_ROW(cmp_120_nobody_proves_possession_of_it),
        CMP_ROW(cmp_13_120_it_needs_version_3),
        CMP_ROW(cmp_121_a_key_for_an_rsa_certificate),
        CMP_ROW(cmp_121_a_key_for_an_ec_certificate),
        CMP_ROW(cmp_121_without_the_usage_it_cannot_be_handed_over),
        CMP_ROW(cmp_121_nor_to_a_key_that_only_signs),
        CMP_ROW(cmp_121_a_key_update_under_a_mac_is_wrong_integrity),
        CMP_ROW(cmp_121_an_ra_that_acts_for_a_device_is_given_the_key),
        CMP_ROW(cmp_15_120_the_same_message_gets_the_same_key),
        CMP_ROW(cmp_90_a_key_that_was_not_kept_is_not_polled_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
