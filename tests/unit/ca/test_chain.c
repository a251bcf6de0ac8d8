/* The chain that an upstream CA tells: what is pinned decides what of it counts. */
#include "tests/unit/ca/ca_fixture.h"

static struct error err;

static int setup(void **state)
{
    struct fixture *f = fixture_new(KEY_EC_P256, KEY_EC_P256, 0);

    assert_true(keys_generate(f->keys, "one", KEY_EC_P256, 0, NULL));
    assert_true(keys_generate(f->keys, "two", KEY_EC_P256, 0, NULL));
    f->ca.anchor[0] = f->ca.chain[0];
    f->ca.anchor_count = 1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

struct link { /* defaults: a sound CA certificate of key "one" by the root */
    const char *key, *subject, *issuer, *signer;
    uint32_t key_usage;
    bool end_entity, expired;
};

static struct bytes a_link(struct fixture *f, struct link l)
{
    static const uint8_t serial[] = { 9 };
    const char *key = l.key != NULL ? l.key : "one";
    const struct certificate_template t = {
        .serial = BYTES_ARRAY(serial),
        .subject = fixture_name(f, l.subject != NULL ? l.subject : "CN=One"),
        .issuer = fixture_name(f, l.issuer != NULL ? l.issuer : "CN=Test CA,O=Example"),
        .not_before_s = NOW_S - 100,
        .not_after_s = l.expired ? NOW_S - 1 : NOW_S + 900 * (int64_t)DAY_S,
        .spki = keys_public(f->keys, key),
        .is_ca = !l.end_entity,
        .path_len = -1,
        .key_usage = l.key_usage != 0 ? l.key_usage : KEY_USAGE_KEY_CERT_SIGN,
    };
    struct bytes der;

    if (!certificate_sign(&t, f->keys, l.signer != NULL ? l.signer : "ca", DIGEST_NONE, f->arena, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

/* NULL, or why there is no chain in it. */
static const char *chosen(struct fixture *f, const struct bytes *der, size_t count, struct ca_chain *out)
{
    const struct ca_told told = { .der = der, .count = count };
    const char *fault = "unset";

    if (!ca_chain_choose(&f->ca, &told, NOW_S, f->arena, out, &fault, &err))
        fail_msg("%s", err.text);
    return fault;
}

static void cmp_100_a_chain_is_put_in_order(void **state)
{
    struct fixture *f = *state;
    const struct bytes root = f->ca.anchor[0], one = a_link(f, (struct link){ 0 });
    const struct bytes two = a_link(
        f, (struct link){ .key = "two", .subject = "CN=Two", .issuer = "CN=One", .signer = "one" });
    const struct bytes told[] = { root, one, two, one };
    struct ca_chain chain;

    assert_null(chosen(f, told, COUNT_OF(told), &chain));
    assert_int_equal(chain.chain_count, 3);
    assert_true(bytes_equal(chain.chain[0], two) && bytes_equal(chain.chain[1], one) &&
                bytes_equal(chain.chain[2], root));
    assert_int_equal(chain.other_count, 0);
    assert_null(chosen(f, &root, 1, &chain)); /* the anchor issues itself */
    assert_int_equal(chain.chain_count, 1);
}

/* One that is certified by two is on the shorter way, and it is the same one when what is kept is read. */
static void the_shortest_way_is_chosen_whatever_the_order(void **state)
{
    struct fixture *f = *state;
    const struct bytes one = a_link(f, (struct link){ 0 });
    const struct bytes long_way = a_link(
        f, (struct link){ .key = "two", .subject = "CN=Two", .issuer = "CN=One", .signer = "one" });
    const struct bytes short_way = a_link(f, (struct link){ .key = "two", .subject = "CN=Two" });
    const struct bytes first = a_link(
        f, (struct link){ .key = "ca", .subject = "CN=Three", .issuer = "CN=Two", .signer = "two" });
    const struct bytes orders[][4] = { { first, one, long_way, short_way },
                                       { short_way, long_way, one, first },
                                       { long_way, first, short_way, one } };
    struct ca_chain chain;
    struct bytes pem;

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct ca kept = { .name = "demo", .anchor = { f->ca.anchor[0] }, .anchor_count = 1 };

        assert_null(chosen(f, orders[i], COUNT_OF(orders[i]), &chain));
        assert_int_equal(chain.chain_count, 3);
        assert_true(bytes_equal(chain.chain[0], first) && bytes_equal(chain.chain[1], short_way));
        assert_int_equal(chain.other_count, 2);
        assert_true(ca_chain_pem(&chain, f->arena, &pem, &err));
        assert_true(ca_recall_chain(&kept, pem, NOW_S, f->arena, &err));
        assert_int_equal(kept.chain_count, 3);
        assert_true(bytes_equal(kept.chain[1], short_way));
        assert_int_equal(kept.other_count, 2);
    }
}

static void whom_it_issues_by_may_be_known(void **state)
{
    struct fixture *f = *state;
    const struct bytes told[] = { a_link(f, (struct link){ 0 }),
                                  a_link(f, (struct link){ .key = "two", .subject = "CN=Two" }) };
    struct ca_told with_issuer = { .der = told, .count = 2, .issuer = fixture_name(f, "CN=Two") };
    struct ca_chain chain;
    const char *fault;

    assert_true(ca_chain_choose(&f->ca, &with_issuer, NOW_S, f->arena, &chain, &fault, &err));
    assert_true(bytes_equal(chain.chain[0], told[1]));
    assert_int_equal(chain.other_count, 1);
    with_issuer.issuer = BYTES_NONE;
    with_issuer.kept = 1;
    assert_true(ca_chain_choose(&f->ca, &with_issuer, NOW_S, f->arena, &chain, &fault, &err));
    assert_true(bytes_equal(chain.chain[0], told[0])); /* the other one was told before */
    assert_true(bytes_equal(chain.other[0], told[1]));
}

static void what_is_known_counts_beside_what_is_told(void **state)
{
    struct fixture *f = *state;
    const struct bytes one = a_link(f, (struct link){ 0 }),
                       two = a_link(f, (struct link){ .key = "two", .subject = "CN=Two" });
    struct bytes der[CA_TOLD_MAX];
    struct ca_told told;
    struct ca_chain chain;
    const char *fault;

    f->ca.chain[0] = one;
    f->ca.chain[1] = f->ca.anchor[0];
    f->ca.chain_count = 2;
    f->ca.other[0] = two;
    f->ca.other_count = 1;
    ca_told_beside_known(&f->ca, NULL, 0, der, &told);
    assert_int_equal(told.count, 3);
    assert_int_equal(told.kept, 3);
    told.issuer = fixture_name(f, "CN=Two"); /* it came alone, and its issuer is known */
    assert_true(ca_chain_choose(&f->ca, &told, NOW_S, f->arena, &chain, &fault, &err));
    assert_null(fault);
    assert_int_equal(chain.chain_count, 2);
    assert_true(bytes_equal(chain.chain[0], two) && bytes_equal(chain.chain[1], f->ca.anchor[0]));
    ca_told_beside_known(&f->ca, &two, 1, der, &told);
    assert_true(bytes_equal(told.der[0], two));
    assert_int_equal(told.count - told.kept, 1);
    f->ca.chain_awaited = true; /* an anchor stands for it: not known */
    ca_told_beside_known(&f->ca, NULL, 0, der, &told);
    assert_int_equal(told.count, 1);
}

static void what_the_anchor_does_not_vouch_for_counts_for_nothing(void **state)
{
    struct fixture *f = *state;
    const struct link rows[] = {
        { .subject = "CN=Stranger", .issuer = "CN=Stranger", .signer = "one" }, /* a root of its own */
        { .signer = "two" },                                                    /* not signed by the anchor */
        { .end_entity = true },
        { .key_usage = KEY_USAGE_DIGITAL_SIGNATURE },
        { .expired = true },
    };
    struct ca_chain chain;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct bytes told = a_link(f, rows[i]);

        assert_non_null(chosen(f, &told, 1, &chain));
    }
    assert_non_null(chosen(f, NULL, 0, &chain));
    assert_non_null(chosen(f, (struct bytes[]){ BYTES_LITERAL("0") }, 1, &chain));
}

static void what_was_kept_is_recalled_while_it_holds(void **state)
{
    struct fixture *f = *state;
    const struct bytes told[] = { a_link(f, (struct link){ 0 }),
                                  a_link(f, (struct link){ .key = "two", .subject = "CN=Two" }) };
    struct ca_chain chain;
    struct bytes pem;

    assert_null(chosen(f, told, 2, &chain));
    assert_true(ca_chain_pem(&chain, f->arena, &pem, &err));
    assert_true(ca_recall_chain(&f->ca, pem, NOW_S, f->arena, &err));
    assert_false(f->ca.chain_awaited);
    assert_true(bytes_equal(f->ca.chain[0], told[0]));
    assert_int_equal(f->ca.chain_count, 2);
    assert_int_equal(f->ca.other_count, 1);
    assert_true(ca_recall_chain(&f->ca, pem, NOW_S + 1000 * (int64_t)DAY_S, f->arena, &err));
    assert_true(f->ca.chain_awaited); /* it has ended */
    assert_true(ca_recall_chain(&f->ca, bytes_slice(pem, 0, pem.len / 4), NOW_S, f->arena, &err));
    assert_true(f->ca.chain_awaited); /* it was spoilt */
    assert_true(ca_recall_chain(&f->ca, BYTES_NONE, NOW_S, f->arena, &err));
    assert_true(f->ca.chain_awaited);
    assert_true(bytes_equal(f->ca.chain[0], f->ca.anchor[0]));
}

static void its_others_are_issuers_too(void **state)
{
    struct fixture *f = *state;
    struct digest256 other;

    f->ca.other[0] = a_link(f, (struct link){ 0 });
    f->ca.other_count = 1;
    fixture_prepare(f);
    assert_true(sha256(fixture_name(f, "CN=One"), &other));
    assert_true(ca_is_issuer(&f->ca, &other));
    assert_true(ca_is_issuer(&f->ca, &f->ca.issuer));
    other.bytes[0] ^= 1;
    assert_false(ca_is_issuer(&f->ca, &other));
}

#define chain_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        chain_test(cmp_100_a_chain_is_put_in_order),
        chain_test(the_shortest_way_is_chosen_whatever_the_order),
        chain_test(whom_it_issues_by_may_be_known),
        chain_test(what_is_known_counts_beside_what_is_told),
        chain_test(what_the_anchor_does_not_vouch_for_counts_for_nothing),
        chain_test(what_was_kept_is_recalled_while_it_holds),
        chain_test(its_others_are_issuers_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
