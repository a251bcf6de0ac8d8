#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "officer/rights.h"

static struct bytes routers[] = { { (const uint8_t *)"routers", 7 } };
static struct bytes example[] = { { (const uint8_t *)"example.com", 11 } };

static struct officer_record an_officer(uint32_t rights)
{
    return (struct officer_record){ .rights = rights };
}

static void zeroed_it_may_nothing(void **state)
{
    const struct officer_record nobody = { 0 };
    const char *why = NULL;

    (void)state;
    for (uint32_t right = 1; right <= RIGHTS_ALL; right <<= 1)
        assert_false(officer_may(&nobody, right, BYTES_NONE, &why));
    assert_non_null(why);
}

static void each_right_stands_for_itself(void **state)
{
    const char *why;

    (void)state;
    for (uint32_t has = 1; has <= RIGHTS_ALL; has <<= 1)
        for (uint32_t needs = 1; needs <= RIGHTS_ALL; needs <<= 1) {
            const struct officer_record officer = an_officer(has);

            assert_int_equal(officer_may(&officer, needs, BYTES_NONE, &why), has == needs);
        }
}

static void a_suffix_ends_at_a_label(void **state)
{
    struct officer_record officer = an_officer(RIGHT_REGISTER);
    const char *why;

    (void)state;
    officer.suffix = example;
    officer.suffix_count = 1;
    assert_true(officer_may_name(&officer, BYTES_LITERAL("example.com"), &why));
    assert_true(officer_may_name(&officer, BYTES_LITERAL("a.example.com"), &why));
    assert_true(officer_may_name(&officer, BYTES_LITERAL("*.example.com"), &why));
    assert_false(officer_may_name(&officer, BYTES_LITERAL("evilexample.com"), &why));
    assert_false(officer_may_name(&officer, BYTES_LITERAL("*example.com"), &why));
    assert_false(officer_may_name(&officer, BYTES_LITERAL("example.com.evil.org"), &why));
    assert_false(officer_may_name(&officer, BYTES_LITERAL("*"), &why));
    assert_false(officer_may_name(&officer, BYTES_LITERAL("com"), &why));
    assert_false(officer_may_name(&officer, BYTES_NONE, &why));
}

static void a_procedure_that_is_not_its_own_is_refused(void **state)
{
    struct officer_record officer = an_officer(RIGHT_CLOSE);
    const char *why;

    (void)state;
    officer.procedure = routers;
    officer.procedure_count = 1;
    assert_true(officer_may(&officer, RIGHT_CLOSE, BYTES_LITERAL("routers"), &why));
    assert_false(officer_may(&officer, RIGHT_CLOSE, BYTES_LITERAL("router"), &why));
    officer.disabled = true;
    assert_false(officer_may(&officer, RIGHT_CLOSE, BYTES_LITERAL("routers"), &why));
}

static void pre_authorising_everything_needs_the_right_to_any_name(void **state)
{
    const struct officer_record some = an_officer(RIGHT_REGISTER | RIGHT_PRE_AUTHORISE);
    const struct officer_record any = an_officer(RIGHT_REGISTER | RIGHT_PRE_AUTHORISE | RIGHT_ANY_NAME);
    const struct registration r = { .order = ORDER_ACME, .pre_authorised = true };
    const char *why;

    (void)state;
    assert_false(officer_may_register(&some, &r, &why));
    assert_true(officer_may_register(&any, &r, &why));
}

static void limits_are_inherited(void **state)
{
    struct officer_record chief = an_officer(RIGHT_OFFICERS | RIGHT_READ), other = an_officer(RIGHT_READ);
    const char *why;

    (void)state;
    assert_true(officer_may_appoint(&chief, NULL, &other, &why));
    chief.suffix = example;
    chief.suffix_count = 1;
    assert_false(officer_may_appoint(&chief, NULL, &other, &why));
    other.suffix = example;
    other.suffix_count = 1;
    assert_true(officer_may_appoint(&chief, NULL, &other, &why));
    chief.procedure = routers;
    chief.procedure_count = 1;
    assert_false(officer_may_appoint(&chief, NULL, &other, &why));
    other.procedure = routers;
    other.procedure_count = 1;
    assert_true(officer_may_appoint(&chief, NULL, &other, &why));
    {
        const struct officer_record above = an_officer(RIGHT_REVOKE);

        assert_false(officer_may_appoint(&chief, &above, &other, &why));
    }
}

static void a_common_name_is_within_the_suffixes_too(void **state)
{
    static const struct {
        const char *name;
        bool may;
    } row[] = {
        { "Router 5", true },       { "a.example.com", true },      { "*.example.com", true },
        { "a.example.org", false }, { "*.example.org", false },     { "*", false },
        { "*.EXAMPLE.COM", true },  { "*.b.*.example.org", false }, { "**.example.com", false },
    };
    struct officer_record officer = an_officer(RIGHT_REGISTER | RIGHT_WILDCARD | RIGHT_ANY_NAME);
    const char *why;

    (void)state;
    officer.suffix = example;
    officer.suffix_count = 1;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct attribute name = { .kind = ATTRIBUTE_COMMON_NAME, .value = bytes_text(row[i].name) };
        const struct registration r = { .order = ORDER_SCEP,
                                        .fqdn = { .len = 13, .text = "a.example.com" },
                                        .attribute = &name,
                                        .attribute_count = 1 };

        assert_int_equal(officer_may_register(&officer, &r, &why), row[i].may);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_it_may_nothing),
        cmocka_unit_test(each_right_stands_for_itself),
        cmocka_unit_test(a_suffix_ends_at_a_label),
        cmocka_unit_test(a_procedure_that_is_not_its_own_is_refused),
        cmocka_unit_test(pre_authorising_everything_needs_the_right_to_any_name),
        cmocka_unit_test(limits_are_inherited),
        cmocka_unit_test(a_common_name_is_within_the_suffixes_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
