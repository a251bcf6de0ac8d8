#include "model/registration.h"

#include <setjmp.h>
#include <stdarg.h>

#include "lib/base/arena.h"

#include <cmocka.h>

static void attributes_are_found_by_name_in_any_case(void **state)
{
    (void)state;
    for (unsigned kind = ATTRIBUTE_NONE + 1; kind < ATTRIBUTE_COUNT; kind++)
        assert_int_equal(attribute_from_name(bytes_text(attribute_name((enum attribute_kind)kind))), kind);
    assert_int_equal(attribute_from_name(bytes_text("OrganisationUnit")), ATTRIBUTE_ORGANISATION_UNIT);
    assert_int_equal(attribute_from_name(BYTES_NONE), ATTRIBUTE_NONE);
    assert_int_equal(attribute_from_name(bytes_text("organisationunits")), ATTRIBUTE_NONE);
    assert_true(attribute_is_multiple(ATTRIBUTE_DNS));
    assert_false(attribute_is_multiple(ATTRIBUTE_COUNTRY));
}

static void validity_counts_days_from_acceptance(void **state)
{
    struct registration r = { .accepted_s = 1000, .valid_days = 2 };

    (void)state;
    assert_false(registration_is_expired(&r, 1000 + 2 * 86400 - 1));
    assert_true(registration_is_expired(&r, 1000 + 2 * 86400));
    r.valid_days = 0;
    assert_false(registration_is_expired(&r, INT64_MAX));
    assert_false(registration_is_open(&r)); /* zero refuses */
    r.state = REGISTRATION_CLOSED;
    assert_false(registration_is_open(&r));
    r.state = REGISTRATION_OPEN;
    assert_true(registration_is_open(&r));
}

static void csr_78_serial_numbers_fold_case_and_blanks_and_keep_zeros_and_dashes(void **state)
{
    static const char *const pair[][2] = {
        { "  AB  12-3 ", "ab 12-3" }, { "007", "007" }, { "", "" }, { "   ", "" }
    };
    struct arena *arena = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pair); i++) {
        struct bytes folded;

        assert_true(serial_number_fold(bytes_text(pair[i][0]), arena, &folded));
        assert_true(bytes_is(folded, pair[i][1]));
    }
    arena_free(arena);
}

static void a_copy_shares_nothing(void **state)
{
    char procedure[] = "routers", dns[] = "www.example.com", allowed[] = "example.com";
    struct attribute attribute = { ATTRIBUTE_DNS, bytes_text(dns) };
    struct bytes domain = bytes_text(allowed);
    struct registration r = { .procedure = bytes_text(procedure),
                              .attribute = &attribute,
                              .attribute_count = 1,
                              .allowed_domain = &domain,
                              .allowed_domain_count = 1 },
                        copy = { 0 };
    struct arena *arena = arena_new(4096);

    (void)state;
    assert_true(registration_copy(&r, arena, &copy));
    procedure[0] = dns[0] = allowed[0] = '!';
    attribute.kind = ATTRIBUTE_URI;
    assert_true(bytes_is(copy.procedure, "routers"));
    assert_true(bytes_is(registration_attribute(&copy, ATTRIBUTE_DNS, 0), "www.example.com"));
    assert_int_equal(registration_attribute(&copy, ATTRIBUTE_DNS, 1).len, 0);
    assert_true(bytes_is(copy.allowed_domain[0], "example.com"));
    arena_free(arena);
}

static void a_copy_that_finds_no_room_changes_nothing(void **state)
{
    struct attribute attribute = { ATTRIBUTE_DNS, BYTES_LITERAL("www.example.com") };
    struct bytes domain = BYTES_LITERAL("example.com");
    struct registration r = { .procedure = BYTES_LITERAL("routers"),
                              .email = BYTES_LITERAL("a@b"),
                              .attribute = &attribute,
                              .attribute_count = 1,
                              .allowed_domain = &domain,
                              .allowed_domain_count = 1 };
    unsigned failures = 0;

    (void)state;
    for (unsigned n = 1; n <= 7; n++) {
        struct registration copy = { .revision = 42 };
        struct arena *arena = arena_new(4096);

        arena_fail_after(arena, n);
        if (!registration_copy(&r, arena, &copy)) {
            failures++;
            assert_int_equal(copy.revision, 42);
            assert_null(copy.attribute);
        }
        arena_free(arena);
    }
    assert_int_equal(failures, 6);
}

static void domains_have_ids_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(domain_id_of(BYTES_LITERAL("a")).value, domain_id_of(BYTES_LITERAL("a")).value);
    assert_true(domain_id_of(BYTES_LITERAL("a")).value != domain_id_of(BYTES_LITERAL("b")).value);
    assert_int_equal(domain_id_of(BYTES_LITERAL("abc")).value, 0xba7816bf8f01cfeaULL); /* FIPS 180-2 B.1 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_found_by_name_in_any_case),
        cmocka_unit_test(validity_counts_days_from_acceptance),
        cmocka_unit_test(csr_78_serial_numbers_fold_case_and_blanks_and_keep_zeros_and_dashes),
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(a_copy_that_finds_no_room_changes_nothing),
        cmocka_unit_test(domains_have_ids_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
