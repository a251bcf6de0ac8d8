#include "bench/work.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct mix {
    struct work_part part[LOAD_WORKS_MAX];
    size_t count;
    struct error err;
};

static bool parse(const char *text, const struct work_protocol *protocol, struct mix *mix)
{
    return work_mix_parse(text, protocol, mix->part, &mix->count, &mix->err);
}

static void a_mix_of_one_protocol_names_operations(void **state)
{
    struct mix mix = { 0 };

    (void)state;
    assert_true(parse("enroll=70,renew=20,poll", &work_est, &mix));
    assert_int_equal(mix.count, 3);
    assert_string_equal(mix.part[0].row->operation, "enroll");
    assert_int_equal(mix.part[0].weight, 70);
    assert_string_equal(mix.part[1].row->operation, "renew");
    assert_int_equal(mix.part[1].weight, 20);
    assert_string_equal(mix.part[2].row->operation, "poll");
    assert_int_equal(mix.part[2].weight, 1); /* left out */
    assert_ptr_equal(mix.part[2].protocol, &work_est);
}

static void a_mix_of_all_names_protocols_too(void **state)
{
    struct mix mix = { 0 };

    (void)state;
    assert_true(parse("est:enroll=7,acme:revoke=2,cmp:renew", NULL, &mix));
    assert_int_equal(mix.count, 3);
    assert_ptr_equal(mix.part[0].protocol, &work_est);
    assert_ptr_equal(mix.part[1].protocol, &work_acme);
    assert_string_equal(mix.part[1].row->operation, "revoke");
    assert_ptr_equal(mix.part[2].protocol, &work_cmp);
}

static void what_there_is_not_is_refused(void **state)
{
    static const char *const of_est[] = { "",         "revoke",   "enroll=",        "enroll=0",
                                          "enroll=x", "enroll,,", "enroll=1000001", "est:enroll=1",
                                          "enroll=1 " };
    static const char *const of_all[] = { "enroll",     "est:",         ":enroll",
                                          "ftp:enroll", "est:enroll:2", "scep:revoke" };
    struct mix mix = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(of_est); i++)
        assert_false(parse(of_est[i], &work_est, &mix));
    for (size_t i = 0; i < COUNT_OF(of_all); i++)
        assert_false(parse(of_all[i], NULL, &mix));
    assert_false(parse("enroll,enroll,enroll,enroll,enroll,enroll,enroll,enroll,enroll,enroll,enroll,enroll,"
                       "enroll,enroll,enroll,enroll,enroll",
                       &work_est, &mix));
}

static void keys_are_the_protocols_own_unless_told(void **state)
{
    struct load_options options = { 0 };
    struct work_order order = { .options = &options, .count = 100 };

    (void)state;
    assert_string_equal(work_key(&options, "rsa2048")->name, "rsa2048");
    assert_int_equal(work_pool(&order, key_type_find("p256")), 100); /* one each */
    assert_int_equal(work_pool(&order, key_type_find("rsa2048")), 32);
    options.key = key_type_find("p384");
    options.pool = 7;
    assert_string_equal(work_key(&options, "rsa2048")->name, "p384");
    assert_int_equal(work_pool(&order, options.key), 7);
    options.pool = 1000;
    assert_int_equal(work_pool(&order, options.key), 100); /* no more than there are exchanges */
    assert_null(key_type_find("dsa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mix_of_one_protocol_names_operations),
        cmocka_unit_test(a_mix_of_all_names_protocols_too),
        cmocka_unit_test(what_there_is_not_is_refused),
        cmocka_unit_test(keys_are_the_protocols_own_unless_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
