#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };
static const uint8_t cmc_ra[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x1c },
                     client_auth[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02 };
static const struct bytes cmc_ra_usage = BYTES_ARRAY(cmc_ra), client_auth_usage = BYTES_ARRAY(client_auth);

/* --- builders --- */
struct ra_asking {             /* differences from a good certificate of an RA */
    const char *issuer;        /* key that signs; NULL: "other-ca" */
    const struct bytes *usage; /* NULL: cmcRA */
    uint32_t key_usage;        /* 0: digitalSignature */
    bool any_key_usage;        /* without that extension */
    int64_t begins_s, lasts_s; /* from now; 0: at once, for a year */
};

static struct bytes an_ra_of(struct world *w, const struct ra_asking *a)
{
    static const uint8_t serial[] = { 0x21 };
    const struct certificate_template t = {
        .serial = BYTES_ARRAY(serial),
        .issuer = a_dn(w->arena, "CN=Plant CA"),
        .subject = a_dn(w->arena, "CN=Plant RA"),
        .not_before_s = w->now_s + a->begins_s,
        .not_after_s = w->now_s + (a->lasts_s != 0 ? a->lasts_s : 365 * DAY_S),
        .spki = keys_public(w->keys, "ra"),
        .path_len = -1,
        .key_usage = a->any_key_usage    ? 0
                     : a->key_usage != 0 ? a->key_usage
                                         : (uint32_t)KEY_USAGE_DIGITAL_SIGNATURE,
        .extended_key_usage = a->usage != NULL ? a->usage : &cmc_ra_usage,
        .extended_key_usage_count = 1,
    };
    struct error err = { 0 };
    struct bytes der;

    if (!certificate_sign(&t, w->keys, a->issuer != NULL ? a->issuer : "other-ca", DIGEST_NONE, w->arena,
                          &der, &err))
        fail_msg("%s", err.text);
    return der;
}

#define an_ra(w, ...) an_ra_of((w), &(struct ra_asking){ __VA_ARGS__ })

static int trusting_set_up(void **state)
{
    struct world *w;
    struct bytes root;
    int result = set_up(state);

    w = *state;
    open_cmp(w);
    root = a_root(w, "other-ca", "CN=Plant CA");
    assert_true(anchors_new(&root, 1, &w->procedure.cmp_ra_anchors, NULL));
    return result;
}

static int trusting_tear_down(void **state)
{
    struct world *w = *state;

    anchors_free(w->procedure.cmp_ra_anchors);
    return tear_down(state);
}

#define ra_test(name) cmocka_unit_test_setup_teardown(name, trusting_set_up, trusting_tear_down)

static bool is_trusted(struct world *w, struct bytes der)
{
    const char *detail = NULL;
    struct error err = { 0 };
    bool trusted = false;

    begin_turn(w);
    if (!enroll_judge_ra(&w->turn, &w->service, &w->procedure, der, NULL, 0, &trusted, &detail, &err))
        fail_msg("%s", err.text);
    assert_int_equal(detail == NULL, trusted);
    return trusted;
}

/* --- which RA is trusted --- */
static void an_ra_is_trusted_by_its_chain_and_usages(void **state)
{
    struct world *w = *state;
    struct bytes garbage = BYTES_LITERAL("\x30\x03\x02\x01\x01");

    assert_true(is_trusted(w, an_ra(w, .usage = NULL)));
    assert_true(is_trusted(w, an_ra(w, .any_key_usage = true))); /* RFC 5280 4.2.1.3: no restriction */
    assert_false(is_trusted(w, an_ra(w, .usage = &client_auth_usage)));
    assert_false(is_trusted(w, an_ra(w, .key_usage = KEY_USAGE_KEY_ENCIPHERMENT)));
    assert_false(is_trusted(w, an_ra(w, .issuer = "ca")));
    assert_false(is_trusted(w, an_ra(w, .begins_s = DAY_S)));
    assert_false(is_trusted(w, an_ra(w, .begins_s = -2 * DAY_S, .lasts_s = -DAY_S)));
    assert_false(is_trusted(w, garbage));
    assert_false(is_trusted(w, BYTES_NONE));
}

static void without_anchors_no_ra_is_trusted(void **state)
{
    struct world *w = *state;
    struct anchors *anchors = w->procedure.cmp_ra_anchors;

    w->procedure.cmp_ra_anchors = NULL;
    assert_false(is_trusted(w, an_ra(w, .usage = NULL)));
    w->procedure.cmp_ra_anchors = anchors;
}

/* An RA whose certificate we issued ourselves. */
static struct bytes an_ra_of_ours(struct world *w)
{
    struct bytes der;

    anchors_free(w->procedure.cmp_ra_anchors);
    assert_true(anchors_new(w->ca.chain, 1, &w->procedure.cmp_ra_anchors, NULL));
    w->profile.extended_key_usage = &cmc_ra_usage;
    w->profile.extended_key_usage_count = 1;
    registered(w, "ra.example.com", "s3cret", plain);
    der = issued(w, &(struct asking){ .subject = "CN=ra.example.com", .key = "vendor" });
    w->profile.extended_key_usage_count = 0;
    return der;
}

static void one_of_ours_is_trusted_until_it_is_revoked(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra_of_ours(w);

    assert_true(is_trusted(w, ra));
    officer_revokes(w, ra, REVOCATION_SUPERSEDED);
    assert_false(is_trusted(w, ra));
}

/* --- what its word is worth --- */
static void cmp_54_an_ra_speaks_for_a_device_that_is_registered(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra(w, .usage = NULL);

    registered(w, "router5.example.com", "s3cret", plain);
    assert_issued(w, .protocol = PROTOCOL_CMP, .ra = &ra);
    assert_says(last_entry(w), "\"ra\":\"CN=Plant RA\"");
    assert_says(last_entry(w), "\"ra_serial\":\"21\"");
    assert_false(w->turn.strike);
    assert_false(w->turn.credential_held);                 /* no secret was shown: nothing is forgotten */
    assert_issued(w, .protocol = PROTOCOL_CMP, .ra = &ra); /* the same again */
}

static void an_ra_opens_no_name_that_is_not_registered_for_it(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra(w, .usage = NULL);
    struct registration closed = registered(w, "router6.example.com", "s3cret", plain);
    struct enroll_result result;

    registered(w, "router5.example.com", "s3cret",
               (struct registration){ .serial_number = BYTES_LITERAL("S1") });
    set_state(w, closed, REGISTRATION_CLOSED);
    result = asks(w, .protocol = PROTOCOL_CMP, .ra = &ra, .subject = "CN=router6.example.com");
    assert_int_equal(result.reason, REFUSAL_CLOSED);
    assert_true(result.credential_held); /* so it may be told */
    assert_refused(w, REFUSAL_SERIAL, .protocol = PROTOCOL_CMP, .ra = &ra);
    assert_refused(w, REFUSAL_NAME_POLICY, .protocol = PROTOCOL_CMP, .ra = &ra,
                   .subject = "CN=router5.example.com,serialNumber=S1", .dns = { "router7.example.com" });
    result = asks(w, .protocol = PROTOCOL_CMP, .ra = &ra, .subject = "CN=router7.example.com");
    assert_int_equal(result.reason, REFUSAL_NO_REGISTRATION);
    assert_true(result.credential_held);
    assert_issued(w, .protocol = PROTOCOL_CMP, .ra = &ra,
                  .subject = "CN=router5.example.com,serialNumber=S1");
}

static void even_where_nobody_must_register_an_ras_devices_must(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra(w, .usage = NULL);

    w->procedure.preregistration = false;
    assert_refused(w, REFUSAL_NO_REGISTRATION, .protocol = PROTOCOL_CMP, .ra = &ra);
}

static void an_ra_that_is_not_trusted_opens_nothing(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra(w, .usage = NULL), impostor = an_ra(w, .usage = &client_auth_usage);
    struct enroll_result result;

    registered(w, "router5.example.com", "s3cret", plain);
    assert_issued(w, .protocol = PROTOCOL_CMP, .ra = &ra);
    result = asks(w, .protocol = PROTOCOL_CMP, .ra = &impostor); /* nor the answer of before */
    assert_int_equal(result.reason, REFUSAL_RENEW_STATE);
    assert_false(result.credential_held);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .ra = &impostor, .transaction = "t2");
}

static void cmp_54_an_ra_renews_nothing(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra(w, .usage = NULL);

    registered(w, "router5.example.com", "s3cret", plain);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .ra = &ra, .renewal = true);
}

static void a_one_time_registration_gives_an_ra_one_certificate(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra(w, .usage = NULL);

    registered(w, "router5.example.com", "s3cret", (struct registration){ .one_time = true });
    assert_issued(w, .protocol = PROTOCOL_CMP, .ra = &ra);
    assert_refused(w, REFUSAL_USED, .protocol = PROTOCOL_CMP, .ra = &ra, .transaction = "t2");
}

static void an_ra_that_is_revoked_meanwhile_gets_nothing(void **state)
{
    struct world *w = *state;
    struct bytes ra = an_ra_of_ours(w);
    struct turn slower;

    registered(w, "router5.example.com", "s3cret", plain);
    assert_int_equal(ask_only(w, &(struct asking){ .protocol = PROTOCOL_CMP, .ra = &ra }).kind,
                     ENROLL_ISSUED);
    slower = w->turn;
    officer_revokes(w, ra, REVOCATION_KEY_COMPROMISE);
    w->turn = slower;
    assert_int_equal(apply(w), APPLY_CONFLICT);
    assert_refused(w, REFUSAL_RENEW_STATE, .protocol = PROTOCOL_CMP, .ra = &ra);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ra_test(an_ra_is_trusted_by_its_chain_and_usages),
        ra_test(without_anchors_no_ra_is_trusted),
        ra_test(one_of_ours_is_trusted_until_it_is_revoked),
        ra_test(cmp_54_an_ra_speaks_for_a_device_that_is_registered),
        ra_test(an_ra_opens_no_name_that_is_not_registered_for_it),
        ra_test(even_where_nobody_must_register_an_ras_devices_must),
        ra_test(an_ra_that_is_not_trusted_opens_nothing),
        ra_test(cmp_54_an_ra_renews_nothing),
        ra_test(a_one_time_registration_gives_an_ra_one_certificate),
        ra_test(an_ra_that_is_revoked_meanwhile_gets_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
