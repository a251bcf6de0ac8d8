#include "proto/est/link.h"

#include "lib/base/encode.h"
#include "tests/lib/test.h"

static const uint8_t CHALLENGE_PASSWORD[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07 };
static const uint8_t UNSTRUCTURED_NAME[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x02 };
static const uint8_t IDENTITY_LINKING[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x3a
};
static const uint8_t OTP_CHALLENGE[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x38 };

static int set_up(void **state)
{
    *state = arena_new(1 << 20);
    return *state == NULL;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

struct attribute_plan {
    struct bytes oid;
    const char *value;
};

/* A CSR as csr_decode would leave it, with a signature that differs from call to call. */
static struct csr make(struct arena *arena, const struct attribute_plan *plan, size_t count)
{
    static uint8_t signature;
    AUTO_STRUCT(buffer) out = BUFFER(4096);
    size_t request = der_begin(&out, DER_SEQUENCE), info = der_begin(&out, DER_SEQUENCE), attributes;
    struct csr csr = { 0 };

    der_put_uint(&out, 0);
    der_put(&out, DER_SEQUENCE, BYTES_NONE);
    der_put(&out, DER_SEQUENCE, BYTES_LITERAL("key"));
    attributes = der_begin(&out, DER_CONTEXT(0));
    for (size_t i = 0; i < count; i++) {
        size_t attribute = der_begin(&out, DER_SEQUENCE), set;

        der_put_oid(&out, plan[i].oid);
        set = der_begin(&out, DER_SET);
        der_put(&out, DER_PRINTABLE_STRING, bytes_text(plan[i].value));
        der_end(&out, set);
        der_end(&out, attribute);
        if (bytes_equal(plan[i].oid, BYTES_ARRAY(CHALLENGE_PASSWORD)))
            csr.requested.challenge_password = bytes_text(plan[i].value);
    }
    der_end(&out, attributes);
    der_end(&out, info);
    der_put(&out, DER_SEQUENCE, BYTES_NONE);
    der_put_bits(&out, bytes_of(&signature, 1));
    signature++;
    der_end(&out, request);
    assert_false(buffer_failed(&out));
    csr.encoded = arena_copy(arena, buffer_bytes(&out));
    return csr;
}

static struct http_peer peer_1_2(void)
{
    return (struct http_peer){ .tls = true,
                               .tls_version = 0x0303,
                               .tls_extended_master_secret = true,
                               .tls_unique = { 1, 2, 3 },
                               .tls_unique_len = 3 };
}

static struct http_peer peer_1_3(void)
{
    return (struct http_peer){ .tls = true,
                               .tls_version = 0x0304,
                               .tls_extended_master_secret = true,
                               .tls_exporter = { 9 },
                               .has_tls_exporter = true };
}

static const char UNIQUE[] = "AQID";
static const char EXPORTER[] = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static enum est_link linked(struct arena *arena, const char *password, struct http_peer peer)
{
    struct attribute_plan plan = { BYTES_ARRAY(CHALLENGE_PASSWORD), password };
    struct csr csr = make(arena, &plan, password != NULL ? 1 : 0);

    return est_link_verify(&csr, &peer, arena);
}

static void est_63_tls_unique_links_up_to_tls_1_2(void **state)
{
    assert_int_equal(linked(*state, UNIQUE, peer_1_2()), EST_LINK_HOLDS);
    assert_int_equal(linked(*state, "AQIE", peer_1_2()), EST_LINK_WRONG);
}

static void est_65_tls_exporter_links_in_tls_1_3(void **state)
{
    assert_int_equal(linked(*state, EXPORTER, peer_1_3()), EST_LINK_HOLDS);
    assert_int_equal(linked(*state, "CQ==", peer_1_3()), EST_LINK_WRONG);
}

static void est_66_the_other_versions_value_does_not_link(void **state)
{
    struct http_peer both = peer_1_3();

    both.tls_unique[0] = 1;
    both.tls_unique[1] = 2;
    both.tls_unique[2] = 3;
    both.tls_unique_len = 3;
    assert_int_equal(linked(*state, UNIQUE, both), EST_LINK_WRONG);
    both.tls_version = 0x0303;
    assert_int_equal(linked(*state, EXPORTER, both), EST_LINK_WRONG);
    assert_int_equal(linked(*state, UNIQUE, both), EST_LINK_HOLDS);
}

static void est_64_without_extended_master_secret_the_value_is_not_safe(void **state)
{
    struct http_peer peer = peer_1_2();

    peer.tls_extended_master_secret = false;
    assert_int_equal(linked(*state, UNIQUE, peer), EST_LINK_UNSAFE);
    assert_int_equal(linked(*state, "AQIE", peer), EST_LINK_WRONG);
}

static void nothing_links_to_a_connection_without_a_value(void **state)
{
    struct http_peer none = { .tls = true, .tls_version = 0x0303, .tls_extended_master_secret = true };
    struct http_peer plain = peer_1_2();

    plain.tls = false;
    assert_int_equal(linked(*state, "", none), EST_LINK_ABSENT);
    assert_int_equal(linked(*state, "====", none), EST_LINK_WRONG);
    assert_int_equal(linked(*state, UNIQUE, plain), EST_LINK_WRONG);
    none.tls_version = 0x0304;
    assert_int_equal(linked(*state, EXPORTER, none), EST_LINK_WRONG);
}

static void est_62_nothing_to_verify_is_absent(void **state)
{
    assert_int_equal(linked(*state, NULL, peer_1_2()), EST_LINK_ABSENT);
}

static void est_67_each_challenge_attribute_must_hold(void **state)
{
    struct attribute_plan plan[2] = { { BYTES_ARRAY(CHALLENGE_PASSWORD), UNIQUE },
                                      { BYTES_ARRAY(IDENTITY_LINKING), UNIQUE } };
    struct http_peer peer = peer_1_2();
    struct csr csr = make(*state, plan, 2);

    assert_int_equal(est_link_verify(&csr, &peer, *state), EST_LINK_HOLDS);
    csr = make(*state, plan + 1, 1);
    assert_int_equal(est_link_verify(&csr, &peer, *state), EST_LINK_HOLDS);
    plan[1].value = "AQIE";
    csr = make(*state, plan, 2);
    assert_int_equal(est_link_verify(&csr, &peer, *state), EST_LINK_WRONG);
    plan[1] = (struct attribute_plan){ BYTES_ARRAY(OTP_CHALLENGE), "123456" };
    csr = make(*state, plan, 2);
    assert_int_equal(est_link_verify(&csr, &peer, *state), EST_LINK_UNSUPPORTED);
    plan[1].value = ""; /* an echo of csrattrs */
    csr = make(*state, plan, 2);
    assert_int_equal(est_link_verify(&csr, &peer, *state), EST_LINK_HOLDS);
}

static void est_49_content_leaves_out_what_changes_with_the_session(void **state)
{
    struct attribute_plan plan[2] = { { BYTES_ARRAY(CHALLENGE_PASSWORD), "AQID" },
                                      { BYTES_ARRAY(UNSTRUCTURED_NAME), "a.example.com" } };
    struct csr first = make(*state, plan, 2), second, other;
    struct digest256 a, b, c;

    plan[0].value = "AQIE";
    second = make(*state, plan, 2);
    plan[1].value = "b.example.com";
    other = make(*state, plan, 2);
    assert_true(est_link_content(&first, *state, &a));
    assert_true(est_link_content(&second, *state, &b));
    assert_true(est_link_content(&other, *state, &c));
    assert_true(digest256_equal(&a, &b));
    assert_false(digest256_equal(&a, &c));
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(est_63_tls_unique_links_up_to_tls_1_2),
        WITH_ARENA(est_65_tls_exporter_links_in_tls_1_3),
        WITH_ARENA(est_66_the_other_versions_value_does_not_link),
        WITH_ARENA(est_64_without_extended_master_secret_the_value_is_not_safe),
        WITH_ARENA(nothing_links_to_a_connection_without_a_value),
        WITH_ARENA(est_62_nothing_to_verify_is_absent),
        WITH_ARENA(est_67_each_challenge_attribute_must_hold),
        WITH_ARENA(est_49_content_leaves_out_what_changes_with_the_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
