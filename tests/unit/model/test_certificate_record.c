#include "model/certificate_record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void leading_zeros_of_a_serial_do_not_count(void **state)
{
    static const uint8_t with[] = { 0x00, 0x80, 0x01 }, without[] = { 0x80, 0x01 };
    struct certificate_id a, b;

    (void)state;
    assert_true(certificate_id_of(BYTES_LITERAL("issuer"), BYTES_ARRAY(with), &a));
    assert_true(certificate_id_of(BYTES_LITERAL("issuer"), BYTES_ARRAY(without), &b));
    assert_memory_equal(&a, &b, sizeof(a));
    assert_true(certificate_id_of(BYTES_LITERAL("another"), BYTES_ARRAY(without), &b));
    assert_memory_not_equal(&a, &b, sizeof(a));
}

static void a_serial_that_is_too_long_is_refused(void **state)
{
    uint8_t serial[SERIAL_MAX + 1];
    struct certificate_id id = { .serial_len = 9 };

    (void)state;
    memset(serial, 1, sizeof(serial));
    assert_false(certificate_id_of(BYTES_LITERAL("issuer"), BYTES_ARRAY(serial), &id));
    assert_int_equal(id.serial_len, 9);
    assert_true(certificate_id_of(BYTES_LITERAL("issuer"), bytes_of(serial, SERIAL_MAX), &id));
}

static void revocation_reasons_have_the_names_of_rfc_5280(void **state)
{
    (void)state;
    assert_int_equal(revocation_reason_from_name(BYTES_LITERAL("keyCompromise")), REVOCATION_KEY_COMPROMISE);
    assert_string_equal(revocation_reason_name(REVOCATION_SUPERSEDED), "superseded");
    assert_int_equal(revocation_reason_from_name(BYTES_LITERAL("removeFromCRL")), -1);
    assert_int_equal(revocation_reason_from_name(BYTES_NONE), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leading_zeros_of_a_serial_do_not_count),
        cmocka_unit_test(a_serial_that_is_too_long_is_refused),
        cmocka_unit_test(revocation_reasons_have_the_names_of_rfc_5280),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
