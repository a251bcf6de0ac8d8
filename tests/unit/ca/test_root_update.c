/* The root that follows: what is announced to clients holds together, or nothing starts. */
#include "tests/unit/ca/ca_fixture.h"

static int setup(void **state)
{
    struct fixture *f = fixture_new(KEY_EC_P256, KEY_EC_P256, 0);

    assert_true(keys_generate(f->keys, "next", KEY_EC_P256, 0, NULL));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

struct cross { /* a root's certificate; NULL: as newWithNew */
    const char *subject, *key, *issuer, *signer;
    bool end_entity;
};

static struct bytes a_cross(struct fixture *f, struct cross c)
{
    static const uint8_t serial[] = { 9 };
    const char *subject = c.subject != NULL ? c.subject : "CN=Next CA";
    struct certificate_template t = {
        .serial = BYTES_ARRAY(serial),
        .subject = fixture_name(f, subject),
        .issuer = fixture_name(f, c.issuer != NULL ? c.issuer : subject),
        .not_before_s = NOW_S,
        .not_after_s = NOW_S + 9000 * (int64_t)DAY_S,
        .spki = keys_public(f->keys, c.key != NULL ? c.key : "next"),
        .is_ca = !c.end_entity,
        .path_len = -1,
    };
    struct error err = { 0 };
    struct bytes der;

    if (!certificate_sign(&t, f->keys, c.signer != NULL ? c.signer : "next", DIGEST_NONE, f->arena, &der,
                          &err))
        fail_msg("%s", err.text);
    return der;
}

#define OLD "CN=Test CA,O=Example"

static void announce(struct fixture *f)
{
    f->ca.root_new_with_new = a_cross(f, (struct cross){ 0 });
    f->ca.root_new_with_old = a_cross(f, (struct cross){ .issuer = OLD, .signer = "ca" });
    f->ca.root_old_with_new = a_cross(f,
                                      (struct cross){ .subject = OLD, .key = "ca", .issuer = "CN=Next CA" });
}

static void assert_refused(struct fixture *f, const char *fault)
{
    struct error err = { 0 };

    assert_false(ca_check_root_update(&f->ca, f->arena, &err));
    if (strstr(err.text, fault) == NULL)
        fail_msg("'%s' is not in '%s'", fault, err.text);
}

static void cmp_101_what_holds_together_is_announced(void **state)
{
    struct fixture *f = *state;

    assert_true(ca_check_root_update(&f->ca, f->arena, NULL));
    announce(f);
    assert_true(ca_check_root_update(&f->ca, f->arena, NULL));
    f->ca.root_old_with_new = BYTES_NONE; /* RFC 9810 5.3.19.15: it may be left out */
    assert_true(ca_check_root_update(&f->ca, f->arena, NULL));
}

static void the_new_root_signs_itself(void **state)
{
    struct fixture *f = *state;

    announce(f);
    f->ca.root_new_with_new = a_cross(f, (struct cross){ .signer = "ca" });
    assert_refused(f, "new_with_new: it is not self-signed");
    f->ca.root_new_with_new = a_cross(f, (struct cross){ .issuer = OLD });
    assert_refused(f, "new_with_new: it is not self-signed");
    f->ca.root_new_with_new = a_cross(f, (struct cross){ .end_entity = true });
    assert_refused(f, "new_with_new: it is not a CA's");
    f->ca.root_new_with_new = BYTES_LITERAL("0");
    assert_refused(f, "new_with_new: malformed");
    f->ca.root_new_with_new = a_cross(f, (struct cross){ .key = "ca", .signer = "ca" });
    assert_refused(f, "new_with_new: it has the key of the root that it is to follow");
    f->ca.root_new_with_new = BYTES_NONE;
    assert_refused(f, "new_with_new: missing");
}

static void the_old_root_vouches_for_the_new_key(void **state)
{
    struct fixture *f = *state;

    announce(f);
    f->ca.root_new_with_old = a_cross(f, (struct cross){ .issuer = OLD });
    assert_refused(f, "new_with_old: the other root has not signed it");
    f->ca.root_new_with_old = f->ca.root_new_with_new;
    assert_refused(f, "new_with_old: the other root has not signed it");
    f->ca.root_new_with_old = a_cross(f, (struct cross){ .key = "device", .issuer = OLD, .signer = "ca" });
    assert_refused(f, "new_with_old: it certifies another root's key");
    f->ca.root_new_with_old = a_cross(f, (struct cross){ .subject = "CN=X", .issuer = OLD, .signer = "ca" });
    assert_refused(f, "new_with_old: its subject is another");
    f->ca.root_new_with_old = a_cross(f, (struct cross){ .issuer = OLD, .signer = "ca", .end_entity = true });
    assert_refused(f, "new_with_old: it is not a CA's");
}

static void the_new_root_vouches_for_the_old_key(void **state)
{
    struct fixture *f = *state;

    announce(f);
    f->ca.root_old_with_new = f->ca.chain[0];
    assert_refused(f, "old_with_new: the other root has not signed it");
    f->ca.root_old_with_new = f->ca.root_new_with_new;
    assert_refused(f, "old_with_new: it certifies another root's key");
    f->ca.root_old_with_new = BYTES_LITERAL("0");
    assert_refused(f, "old_with_new: malformed");
}

static void it_follows_a_root_and_no_intermediate(void **state)
{
    struct fixture *f = *state;

    announce(f);
    f->ca.chain[0] = a_cross(f, (struct cross){ .subject = "CN=Middle", .key = "ca", .issuer = "CN=Away" });
    assert_refused(f, "the chain does not end with the root that it follows");
}

#define root_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        root_test(cmp_101_what_holds_together_is_announced), root_test(the_new_root_signs_itself),
        root_test(the_old_root_vouches_for_the_new_key),     root_test(the_new_root_vouches_for_the_old_key),
        root_test(it_follows_a_root_and_no_intermediate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
