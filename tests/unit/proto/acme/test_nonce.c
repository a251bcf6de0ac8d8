#include "proto/acme/nonce.h"

#include "tests/lib/test.h"

static const int64_t NOW_S = 1790000000;

struct fixture {
    struct acme_service service;
    struct procedure procedure, other;
    struct arena *arena;
    uint64_t seed;
    struct random_source random;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .service = { .nonce_valid_s = 300 },
                          .procedure = { .name = "demo" },
                          .other = { .name = "other" },
                          .seed = 1 };
    f.random = random_seeded(&f.seed);
    f.arena = arena_new(1 << 20);
    assert_true(acme_nonces_new(64, &f.random, &f.service.nonces, NULL));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    acme_nonces_free(f->service.nonces);
    arena_free(f->arena);
    return 0;
}

static struct bytes make(struct fixture *f)
{
    struct bytes nonce;

    assert_true(acme_nonce_make(&f->service, &f->procedure, NOW_S, &f->random, f->arena, &nonce, NULL));
    assert_int_equal(nonce.len, ACME_NONCE_LEN);
    return nonce;
}

static enum acme_nonce_verdict take_at(struct fixture *f, struct bytes nonce, const struct http_request *r,
                                       int64_t now_s)
{
    return acme_nonce_take(&f->service, &f->procedure, nonce, r, now_s);
}

static void acme_26_a_nonce_is_good_once(void **state)
{
    struct http_request a = { 0 }, b = { 0 };
    struct fixture *f = *state;
    struct bytes nonce = make(f);

    assert_int_equal(take_at(f, nonce, &a, NOW_S), ACME_NONCE_GOOD);
    assert_int_equal(take_at(f, nonce, &a, NOW_S + 1000), ACME_NONCE_GOOD); /* another turn */
    assert_int_equal(take_at(f, nonce, &b, NOW_S), ACME_NONCE_BAD);
    a.number++; /* a later request at the same address */
    assert_int_equal(take_at(f, nonce, &a, NOW_S), ACME_NONCE_BAD);
}

static void acme_26_a_nonce_has_its_time(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take_at(f, make(f), NULL, NOW_S + 301), ACME_NONCE_BAD);
    assert_int_equal(take_at(f, make(f), NULL, NOW_S - 301), ACME_NONCE_BAD);
    assert_int_equal(take_at(f, make(f), NULL, NOW_S + 300), ACME_NONCE_GOOD);
}

static void acme_31_a_nonce_is_of_one_directory(void **state)
{
    struct fixture *f = *state;
    struct bytes nonce = make(f);

    assert_int_equal(acme_nonce_take(&f->service, &f->other, nonce, NULL, NOW_S), ACME_NONCE_BAD);
    assert_int_equal(take_at(f, nonce, NULL, NOW_S), ACME_NONCE_GOOD);
}

static void acme_30_a_nonce_is_of_one_start(void **state)
{
    struct fixture *f = *state;
    struct bytes nonce = make(f);

    acme_nonces_free(f->service.nonces);
    assert_true(acme_nonces_new(64, &f->random, &f->service.nonces, NULL));
    assert_int_equal(take_at(f, nonce, NULL, NOW_S), ACME_NONCE_BAD);
}

static void altered_nonces_are_bad(void **state)
{
    struct fixture *f = *state;
    struct bytes nonce = make(f);
    char *text = arena_text(f->arena, nonce);

    for (size_t i = 0; i < nonce.len; i++) {
        char was = text[i];

        text[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(take_at(f, bytes_text(text), NULL, NOW_S), ACME_NONCE_BAD);
        text[i] = was;
    }
    assert_int_equal(take_at(f, BYTES_NONE, NULL, NOW_S), ACME_NONCE_BAD);
    assert_int_equal(take_at(f, bytes_slice(nonce, 0, 42), NULL, NOW_S), ACME_NONCE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(acme_26_a_nonce_is_good_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(acme_26_a_nonce_has_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(acme_31_a_nonce_is_of_one_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(acme_30_a_nonce_is_of_one_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(altered_nonces_are_bad, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
