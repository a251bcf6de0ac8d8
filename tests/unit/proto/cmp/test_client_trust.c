/* Whose answers a client believes. */
#include "tests/unit/proto/cmp/client_world.h"

static enum cmp_outcome believed(const struct cmp_client *client, struct answer a)
{
    struct cmp_dialog dialog;
    struct bytes request = asks_for(client, CMP_IR, false, &dialog);

    return hears(client, &dialog, request, a).outcome;
}
#define assert_believed(client, answer) \
    assert_int_equal(believed((client), (answer)), CMP_OUTCOME_CERTIFICATE)
#define assert_not_believed(client, answer) \
    assert_int_equal(believed((client), (answer)), CMP_OUTCOME_UNBELIEVED)

static void without_protection_nothing_counts(void **state)
{
    struct anchors *anchors = anchors_of(the_root());
    const struct cmp_client by_secret = client_with_secret(), by_key = client_with_key(anchors);
    struct answer a = GRANTED;

    (void)state;
    a.unprotected = true;
    assert_not_believed(&by_secret, a);
    assert_not_believed(&by_key, a);
    a.body = CMP_ERROR;
    a.content = refusal(CMP_BAD_REQUEST, "go away");
    assert_not_believed(&by_secret, a);
    assert_not_believed(&by_key, a);
    anchors_free(anchors);
}

static void a_mac_is_under_our_secret(void **state)
{
    const struct cmp_client client = client_with_secret();
    struct answer a = GRANTED;

    (void)state;
    assert_believed(&client, a);
    a.secret = "correct horsf";
    assert_not_believed(&client, a);
}

static void a_mac_proves_nothing_to_who_has_no_secret(void **state)
{
    struct anchors *anchors = anchors_of(the_root());
    struct cmp_client client = client_with_key(anchors);

    (void)state;
    assert_not_believed(&client, GRANTED);
    client.secret = BYTES_LITERAL(SECRET); /* kind says what counts */
    assert_not_believed(&client, GRANTED);
    anchors_free(anchors);
}

static void cmp_34_what_a_mac_costs_is_bounded(void **state)
{
    const struct cmp_client client = client_with_secret();
    struct answer a = GRANTED;

    (void)state;
    a.iterations = CMP_ANSWER_ITERATIONS_MAX;
    assert_believed(&client, a);
    a.iterations = CMP_ANSWER_ITERATIONS_MAX + 1;
    assert_not_believed(&client, a);
}

static void hmac_sha1_is_for_those_who_allow_it(void **state)
{
    struct cmp_client client = client_with_secret();
    struct answer a = GRANTED;

    (void)state;
    a.mac = DIGEST_SHA1;
    assert_not_believed(&client, a);
    client.allow_hmac_sha1 = true;
    assert_believed(&client, a);
}

static void who_signs_is_the_ca_or_speaks_for_it(void **state)
{
    struct anchors *anchors = anchors_of(the_root());
    const struct cmp_client client = client_with_key(anchors);
    struct answer a = GRANTED;

    (void)state;
    a.signer = the_signer();
    assert_believed(&client, a);
    a.signer = signer_with(&CMP_KP_CMC_CA, issued_to("CN=CMP", "p384", "31"));
    assert_believed(&client, a);
    a.signer = signer_with(&CMP_KP_CM_KGA, issued_to("CN=CMP", "p384", "31"));
    assert_not_believed(&client, a);
    a.signer = device_certificate(); /* of the same CA, and good */
    a.key = "rsa";
    assert_not_believed(&client, a);
    anchors_free(anchors);
}

static void the_ca_s_own_key_signs_when_its_usage_says_so(void **state)
{
    struct certificate_template t = plain("CN=Root", "p256");
    struct anchors *anchors;
    struct cmp_client client;
    struct answer a = GRANTED;

    (void)state;
    t.is_ca = true;
    t.key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_DIGITAL_SIGNATURE;
    a.signer = signed_by("p256", t);
    a.key = "p256";
    anchors = anchors_of(a.signer);
    client = client_with_key(anchors);
    client.ca = a.signer;
    assert_believed(&client, a);
    client.ca = BYTES_NONE;
    assert_not_believed(&client, a);
    anchors_free(anchors);
    a.signer = the_root(); /* certificates and lists alone */
    anchors = anchors_of(a.signer);
    client = client_with_key(anchors);
    assert_not_believed(&client, a);
    anchors_free(anchors);
}

static void a_signer_is_checked_in_all_it_is(void **state)
{
    struct anchors *anchors = anchors_of(the_root());
    const struct cmp_client client = client_with_key(anchors);
    struct certificate_template t = issued_to("CN=CMP", "p384", "31");
    struct answer a = GRANTED;

    (void)state;
    t.key_usage = KEY_USAGE_KEY_ENCIPHERMENT;
    a.signer = signer_with(&CMP_KP_CMC_RA, t);
    assert_not_believed(&client, a); /* CMP-37 */
    t = issued_to("CN=CMP", "p384", "31");
    t.not_after_s = NOW_S - 1;
    a.signer = signer_with(&CMP_KP_CMC_RA, t);
    assert_not_believed(&client, a);
    t = issued_to("CN=CMP", "p384", "31");
    t.extended_key_usage = &CMP_KP_CMC_RA;
    t.extended_key_usage_count = 1;
    a.signer = signed_by("rsa2", t); /* another CA of that name */
    assert_not_believed(&client, a);
    a.signer = the_signer();
    a.key = "p521"; /* not its key */
    assert_not_believed(&client, a);
    a.key = NULL;
    a.no_extra_cert = true;
    assert_not_believed(&client, a);
    anchors_free(anchors);
}

static void one_that_is_pinned_and_no_other(void **state)
{
    struct anchors *anchors = anchors_of(the_root());
    struct cmp_client client = client_with_key(anchors);
    struct answer a = GRANTED;

    (void)state;
    client.signer = signed_by("p384", issued_to("CN=Own root", "p384", "41")); /* chains to nothing */
    a.signer = client.signer;
    assert_believed(&client, a);
    a.no_extra_cert = true;
    assert_believed(&client, a);
    a = GRANTED;
    a.signer = signer_with(&CMP_KP_CMC_RA, issued_to("CN=CMP", "p521", "31")); /* would do without a pin */
    a.key = "p521";
    assert_not_believed(&client, a);
    anchors_free(anchors);
}

static void under_a_secret_a_trusted_signer_counts_too(void **state)
{
    struct anchors *anchors = anchors_of(the_root());
    struct cmp_client client = client_with_secret();
    struct answer a = GRANTED;

    (void)state;
    a.signer = the_signer();
    assert_not_believed(&client, a);
    client.anchors = anchors;
    assert_believed(&client, a); /* CMP-43: errors of a CA that does not know the secret are signed */
    anchors_free(anchors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(without_protection_nothing_counts),
        CLIENT_TEST(a_mac_is_under_our_secret),
        CLIENT_TEST(a_mac_proves_nothing_to_who_has_no_secret),
        CLIENT_TEST(cmp_34_what_a_mac_costs_is_bounded),
        CLIENT_TEST(hmac_sha1_is_for_those_who_allow_it),
        CLIENT_TEST(who_signs_is_the_ca_or_speaks_for_it),
        CLIENT_TEST(the_ca_s_own_key_signs_when_its_usage_says_so),
        CLIENT_TEST(a_signer_is_checked_in_all_it_is),
        CLIENT_TEST(one_that_is_pinned_and_no_other),
        CLIENT_TEST(under_a_secret_a_trusted_signer_counts_too),
    };
    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
