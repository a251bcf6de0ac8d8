#include "tests/unit/lib/pki/certificates.h"

static struct bytes root, middle, leaf;

/* CN=Root (rsa) > CN=Middle (p384) > CN=leaf (p256) */
static int open_chain(void **state)
{
    struct certificate_template t;

    if (open_arena(state) != 0)
        return -1;
    root = root_of("CN=Root", "rsa");
    t = plain("CN=Middle", "p384");
    t.issuer = name_of("CN=Root");
    t.is_ca = true;
    t.key_usage = KEY_USAGE_KEY_CERT_SIGN;
    middle = signed_by("rsa", t);
    t = plain("CN=leaf", "p256");
    t.issuer = name_of("CN=Middle");
    leaf = signed_by("p384", t);
    return 0;
}

#define CHAIN_TEST(name) cmocka_unit_test_setup_teardown(name, open_chain, close_arena)

static enum chain_fault judged(struct bytes anchor, struct bytes subject, bool with_middle, int64_t at_s)
{
    struct anchors *anchors;
    enum chain_fault fault;

    assert_true(anchors_new(&anchor, 1, &anchors, &err));
    fault = anchors_verify(anchors, subject, &middle, with_middle ? 1 : 0, at_s);
    anchors_free(anchors);
    return fault;
}

static void a_chain_leads_to_its_anchor(void **state)
{
    (void)state;
    assert_int_equal(judged(root, leaf, true, NOW_S), CHAIN_OK);
    assert_int_equal(judged(root, leaf, false, NOW_S), CHAIN_UNTRUSTED);
    assert_int_equal(judged(root_of("CN=Root", "rsa2"), leaf, true, NOW_S), CHAIN_UNTRUSTED);
}

static void an_intermediate_may_be_the_anchor(void **state)
{
    (void)state;
    assert_int_equal(judged(middle, leaf, false, NOW_S), CHAIN_OK);
    assert_int_equal(judged(leaf, leaf, false, NOW_S), CHAIN_OK);
}

static void dates_of_the_leaf_are_told_apart(void **state)
{
    struct certificate_template t = plain("CN=leaf", "p256");
    struct bytes early, late;

    (void)state;
    t.issuer = name_of("CN=Root");
    t.not_after_s = NOW_S - 1;
    early = signed_by("rsa", t);
    t.not_before_s = NOW_S + 1;
    t.not_after_s = NOW_S + 2;
    late = signed_by("rsa", t);
    assert_int_equal(judged(root, early, false, NOW_S), CHAIN_EXPIRED);
    assert_int_equal(judged(root, late, false, NOW_S), CHAIN_NOT_YET_VALID);
    assert_int_equal(judged(root_of("CN=Root", "rsa2"), early, false, NOW_S), CHAIN_UNTRUSTED);
}

static void an_expired_intermediate_is_no_grace(void **state)
{
    struct certificate_template t = plain("CN=Middle", "p384");

    (void)state;
    t.issuer = name_of("CN=Root");
    t.is_ca = true;
    t.not_after_s = NOW_S - 1;
    middle = signed_by("rsa", t);
    assert_int_equal(judged(root, leaf, true, NOW_S), CHAIN_UNTRUSTED);
}

static void what_is_no_ca_issues_nothing(void **state)
{
    struct certificate_template t = plain("CN=Middle", "p384");

    (void)state;
    t.issuer = name_of("CN=Root");
    middle = signed_by("rsa", t);
    assert_int_equal(judged(root, leaf, true, NOW_S), CHAIN_UNTRUSTED);
}

static void a_purpose_is_not_looked_at(void **state)
{
    struct certificate_template t = plain("CN=leaf", "p256");
    struct bytes code_signing = BYTES_LITERAL("\x2b\x06\x01\x05\x05\x07\x03\x03");

    (void)state;
    t.issuer = name_of("CN=Root");
    t.extended_key_usage = &code_signing;
    t.extended_key_usage_count = 1;
    assert_int_equal(judged(root, signed_by("rsa", t), false, NOW_S), CHAIN_OK);
}

static void nonsense_is_untrusted_or_an_error_at_start(void **state)
{
    struct anchors *anchors = NULL;
    struct bytes nonsense = hex("3003020101"), longer = join(root, hex("00"));

    (void)state;
    assert_int_equal(judged(root, nonsense, true, NOW_S), CHAIN_UNTRUSTED);
    assert_int_equal(judged(root, join(leaf, hex("00")), true, NOW_S), CHAIN_UNTRUSTED);
    assert_false(anchors_new(&nonsense, 1, &anchors, &err));
    assert_false(anchors_new(&longer, 1, &anchors, &err));
    assert_null(anchors);
    assert_true(anchors_new(NULL, 0, &anchors, &err));
    assert_int_equal(anchors_verify(anchors, leaf, &middle, 1, NOW_S), CHAIN_UNTRUSTED);
    anchors_free(anchors);
    anchors_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAIN_TEST(a_chain_leads_to_its_anchor),
        CHAIN_TEST(an_intermediate_may_be_the_anchor),
        CHAIN_TEST(dates_of_the_leaf_are_told_apart),
        CHAIN_TEST(an_expired_intermediate_is_no_grace),
        CHAIN_TEST(what_is_no_ca_issues_nothing),
        CHAIN_TEST(a_purpose_is_not_looked_at),
        CHAIN_TEST(nonsense_is_untrusted_or_an_error_at_start),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
