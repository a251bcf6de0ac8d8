#include "tests/unit/lib/pki/fixtures.h"

static void an_element_must_be_whole_and_minimal(void **state)
{
    static const char *const malformed[] = {
        "",         "30",   "3002 00", "3080 0000", "308101 00", "30820001 00", "3085 0000000001 00",
        "1f 01 00", "0000", "3081"
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        struct der in = der_of(hex(malformed[i]));

        assert_int_equal(der_any(&in, NULL).len, 0);
        assert_true(in.failed);
        assert_false(der_finished(&in));
    }
}

static void a_failed_reader_stays_failed(void **state)
{
    struct der in = der_of(hex("020101 020102")), sub;

    (void)state;
    (void)der_value(&in, DER_OCTET_STRING);
    assert_true(in.failed);
    assert_int_equal(der_uint(&in), 0);
    sub = der_enter(&in, DER_SEQUENCE);
    assert_true(sub.failed);
    assert_false(der_more(&sub));
}

static void bytes_left_over_are_seen(void **state)
{
    struct der in = der_of(hex("020101 00"));

    (void)state;
    assert_int_equal(der_uint(&in), 1);
    assert_false(der_finished(&in));
}

static bool uint_is(const char *text, uint64_t expected)
{
    struct der in = der_of(hex(text));

    return der_uint(&in) == expected && der_finished(&in);
}

static void integers_are_minimal_and_not_negative(void **state)
{
    (void)state;
    assert_true(uint_is("020100", 0));
    assert_true(uint_is("02020080", 128));
    assert_true(uint_is("020900ffffffffffffffff", UINT64_MAX));
    assert_false(uint_is("02020001", 1));
    assert_false(uint_is("0200", 0));
    assert_false(uint_is("0201ff", 255));
    assert_false(uint_is("0209010000000000000000", 0));
    assert_false(uint_is("0202ff80", 0));
}

static void integers_of_either_sign_fit_64_bits(void **state)
{
    static const struct {
        const char *element;
        int64_t value;
    } rows[] = {
        { "020100", 0 },
        { "0201ff", -1 },
        { "02017f", 127 },
        { "02020080", 128 },
        { "020180", -128 },
        { "0202ff7f", -129 },
        { "02087fffffffffffffff", INT64_MAX },
        { "02088000000000000000", INT64_MIN },
    };
    static const char *const wrong[] = {
        "0200", "0202ff80", "02020001", "0209008000000000000000", "0209ff7fffffffffffffff", "0401ff"
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct der in = der_of(hex(rows[i].element));

        assert_true(der_int(&in) == rows[i].value && der_finished(&in));
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct der in = der_of(hex(wrong[i]));

        assert_int_equal(der_int(&in), 0);
        assert_true(in.failed);
    }
}

static void booleans_are_ff_or_00(void **state)
{
    struct der yes = der_of(hex("0101ff")), no = der_of(hex("010100")), odd = der_of(hex("010101"));

    (void)state;
    assert_true(der_boolean(&yes));
    assert_false(der_boolean(&no));
    assert_true(der_finished(&no));
    assert_false(der_boolean(&odd));
    assert_true(odd.failed);
}

static void optional_elements_may_be_absent(void **state)
{
    struct der in = der_of(hex("8001aa 020101"));
    bool present = false;

    (void)state;
    assert_int_equal(der_optional(&in, DER_CONTEXT_PRIMITIVE(0), &present).len, 1);
    assert_true(present);
    assert_int_equal(der_optional(&in, DER_CONTEXT_PRIMITIVE(1), &present).len, 0);
    assert_false(present);
    assert_int_equal(der_uint(&in), 1);
    assert_true(der_finished(&in));
}

static void bit_strings_of_keys_have_no_unused_bits(void **state)
{
    struct der whole = der_of(hex("030200aa")), odd = der_of(hex("030201aa")), empty = der_of(hex("0300"));

    (void)state;
    assert_int_equal(der_bits(&whole).len, 1);
    assert_int_equal(der_bits(&odd).len, 0);
    assert_true(odd.failed);
    (void)der_bits(&empty);
    assert_true(empty.failed);
}

static bool named_bits_are(const char *text, uint32_t expected)
{
    struct der in = der_of(hex(text));

    return der_named_bits(&in) == expected && der_finished(&in);
}

static void named_bits_count_from_the_left(void **state)
{
    (void)state;
    assert_true(named_bits_are("03020780", 1));
    assert_true(named_bits_are("030205a0", 5));
    assert_true(named_bits_are("0303070080", 1 << 8));
    assert_true(named_bits_are("030100", 0));
    assert_false(named_bits_are("03020881", 1));
    assert_false(named_bits_are("03020781", 1));
    assert_false(named_bits_are("0300", 0));
    assert_false(named_bits_are("0306000000000001", 0));
}

static bool time_is(const char *text, int64_t expected)
{
    struct der in = der_of(wrap(strlen(text) == 13 ? DER_UTC_TIME : DER_GENERALIZED_TIME, bytes_text(text)));

    return der_time(&in) == expected && der_finished(&in);
}

static void times_have_one_form(void **state)
{
    (void)state;
    assert_true(time_is("700101000000Z", 0));
    assert_true(time_is("20500101000000Z", 2524608000));
    assert_true(time_is("491231235959Z", 2524607999));
    assert_true(time_is("500101000000Z", -631152000));
    assert_false(time_is("701301000000Z", 0));
    assert_false(time_is("7001010000000", 0));
    assert_false(time_is("20500101000000+", 0));
    assert_false(time_is("2050010100000.Z", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_element_must_be_whole_and_minimal),
        TEST(a_failed_reader_stays_failed),
        TEST(bytes_left_over_are_seen),
        TEST(integers_are_minimal_and_not_negative),
        TEST(integers_of_either_sign_fit_64_bits),
        TEST(booleans_are_ff_or_00),
        TEST(optional_elements_may_be_absent),
        TEST(bit_strings_of_keys_have_no_unused_bits),
        TEST(named_bits_count_from_the_left),
        TEST(times_have_one_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
