#include "lib/base/used.h"

#include "tests/lib/test.h"

static const struct used_owner NOBODY;

static struct digest256 key(uint8_t n)
{
    return (struct digest256){ .bytes = { [7] = n, [8] = n } };
}

static void a_key_is_taken_once(void **state)
{
    const struct digest256 a = key(1);
    struct used *used;
    int at, elsewhere;
    const struct used_owner owner = { &at, 1 }, other = { &elsewhere, 1 }, later = { &at, 2 };

    (void)state;
    assert_true(used_new(64, &used, NULL));
    assert_int_equal(used_take(used, &a, 100, owner, true), USED_NOW);
    assert_int_equal(used_take(used, &a, 100, owner, false), USED_NOW); /* another turn, whatever the time */
    assert_int_equal(used_take(used, &a, 100, other, true), USED_BEFORE);
    assert_int_equal(used_take(used, &a, 100, later, true), USED_BEFORE); /* at the same address */
    used_free(used);
}

static void what_is_out_of_time_is_stale(void **state)
{
    const struct digest256 a = key(1);
    struct used *used;

    (void)state;
    assert_true(used_new(64, &used, NULL));
    assert_int_equal(used_take(used, &a, 100, NOBODY, false), USED_STALE);
    assert_int_equal(used_take(used, &a, 100, NOBODY, true), USED_NOW);
    used_free(used);
}

/* One bucket: what was pushed out, and all that is as old, is stale and never good again. */
static void forgetting_lets_nothing_through(void **state)
{
    struct used *used;

    (void)state;
    assert_true(used_new(8, &used, NULL));
    for (uint8_t i = 0; i < 20; i++) {
        const struct digest256 k = key(i);

        assert_int_equal(used_take(used, &k, 100 + i, NOBODY, true), USED_NOW);
    }
    for (uint8_t i = 0; i < 20; i++) {
        const struct digest256 k = key(i);

        assert_int_not_equal(used_take(used, &k, 100 + i, NOBODY, true), USED_NOW);
    }
    used_free(used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_taken_once),
        cmocka_unit_test(what_is_out_of_time_is_stale),
        cmocka_unit_test(forgetting_lets_nothing_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
