#include "tests/unit/lib/pki/fixtures.h"

static struct buffer out = { .max = 1024 * 1024 };

static void is_written(const char *expected)
{
    struct bytes written = kept(&out);

    assert_true(bytes_equal(written, hex(expected)));
}

static void lengths_grow_as_needed(void **state)
{
    static const size_t lens[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000 };
    static uint8_t content[0x10000];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        struct bytes element = wrap(DER_OCTET_STRING, bytes_of(content, lens[i]));
        struct der in = der_of(element);

        assert_int_equal(der_value(&in, DER_OCTET_STRING).len, lens[i]);
        assert_true(der_finished(&in));
    }
}

static void nested_elements_close_from_inside(void **state)
{
    size_t outer = der_begin(&out, DER_SEQUENCE), inner;

    (void)state;
    der_put_uint(&out, 1);
    inner = der_begin(&out, DER_CONTEXT(0));
    der_put_null(&out);
    der_end(&out, inner);
    der_end(&out, outer);
    is_written("3007 020101 a002 0500");
}

static void integers_are_written_minimal(void **state)
{
    (void)state;
    der_put_uint(&out, 0);
    der_put_uint(&out, 127);
    der_put_uint(&out, 128);
    der_put_integer(&out, hex("000001"));
    der_put_integer(&out, BYTES_NONE);
    is_written("020100 02017f 02020080 020101 020100");
}

static void integers_of_either_sign_are_written_minimal(void **state)
{
    static const int64_t values[] = { 0,         1,        -1,   127,    128,    -128,
                                      -129,      255,      -256, -32768, -32769, INT64_C(1) << 40,
                                      INT64_MAX, INT64_MIN };

    (void)state;
    der_put_int(&out, 0);
    der_put_int(&out, -1);
    der_put_int(&out, 128);
    der_put_int(&out, -128);
    der_put_int(&out, -129);
    is_written("020100 0201ff 02020080 020180 0202ff7f");
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct buffer one = BUFFER(16);
        struct der in;

        der_put_int(&one, values[i]);
        in = der_of(buffer_bytes(&one));
        assert_true(der_int(&in) == values[i] && der_finished(&in));
        buffer_free(&one);
    }
}

static void named_bits_are_cut_at_the_last(void **state)
{
    (void)state;
    der_put_named_bits(&out, 5);
    der_put_named_bits(&out, 0);
    der_put_named_bits(&out, 1 << 8);
    is_written("030205a0 030100 0303070080");
}

static void times_change_form_in_2050(void **state)
{
    (void)state;
    der_put_time(&out, 0);
    der_put_time(&out, 2524608000);
    is_written("170d 3730303130313030303030305a 180f 32303530303130313030303030305a");
}

static void a_set_is_sorted_in_place(void **state)
{
    size_t set = der_begin(&out, DER_SET);

    (void)state;
    buffer_append(&out, hex("020103 0402ffff 020101 020102 020101 0401aa"));
    der_sort_set(&out, set);
    der_end(&out, set);
    is_written("3113 020101 020101 020102 020103 0401aa 0402ffff");
}

static void a_buffer_that_is_full_stays_failed(void **state)
{
    struct buffer small = BUFFER(4);
    size_t seq = der_begin(&small, DER_SEQUENCE);

    (void)state;
    der_put(&small, DER_OCTET_STRING, BYTES_LITERAL("too long"));
    der_sort_set(&small, seq);
    der_end(&small, seq);
    assert_true(buffer_failed(&small));
    buffer_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lengths_grow_as_needed),         TEST(nested_elements_close_from_inside),
        TEST(integers_are_written_minimal),   TEST(integers_of_either_sign_are_written_minimal),
        TEST(named_bits_are_cut_at_the_last), TEST(times_change_form_in_2050),
        TEST(a_set_is_sorted_in_place),       TEST(a_buffer_that_is_full_stays_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
