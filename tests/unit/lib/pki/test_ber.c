#include "tests/unit/lib/pki/fixtures.h"

static void becomes(const char *ber, const char *der)
{
    struct bytes out, again;

    assert_true(ber_to_der(arena, hex(ber), &out));
    assert_true(bytes_equal(out, hex(der)));
    assert_true(ber_to_der(arena, out, &again));
    assert_ptr_equal(again.data, out.data); /* DER already */
}

static void is_malformed(const char *ber)
{
    struct bytes out;

    assert_false(ber_to_der(arena, hex(ber), &out));
}

static void der_is_returned_as_it_is(void **state)
{
    struct bytes in = hex("3006 020101 040100"), out;

    (void)state;
    assert_true(ber_to_der(arena, in, &out));
    assert_ptr_equal(out.data, in.data);
    assert_int_equal(out.len, in.len);
}

static void indefinite_lengths_become_definite(void **state)
{
    (void)state;
    becomes("3080 020101 3080 0500 0000 0000", "3007 020101 3002 0500");
    becomes("3080 0000", "3000");
}

static void long_lengths_become_minimal(void **state)
{
    (void)state;
    becomes("308103 020101", "3003 020101");
    becomes("3006 02830000 0101", "3003 020101");
}

static void segments_of_strings_are_joined(void **state)
{
    (void)state;
    becomes("2480 0401aa 0402bbcc 0000", "0403aabbcc");
    becomes("2408 2403 0401aa 0401bb", "0402aabb");
    becomes("a080 2480 0401aa 2480 0401bb 0000 0000 0000", "a004 0402aabb");
    becomes("2c04 0402c3bc", "0c02c3bc");
    becomes("2380 030200aa 030204b0 0000", "030304aab0");
}

static void only_the_last_segment_of_bits_has_unused_ones(void **state)
{
    (void)state;
    is_malformed("2380 030204b0 030200aa 0000");
    is_malformed("2380 0300 0000");
}

/* RFC 5652 6.1 EncryptedContentInfo: [0] IMPLICIT OCTET STRING after an OID and a SEQUENCE. */
static void encrypted_content_in_segments_is_joined(void **state)
{
    (void)state;
    becomes("3080 06012a 3000 a080 0401aa 0401bb 0000 0000", "3009 06012a 3000 8002aabb");
    becomes("300d 06012a 3000 a006 0401aa 0401bb", "3009 06012a 3000 8002aabb");
}

/* encapContentInfo: [0] EXPLICIT OCTET STRING after an OID. */
static void an_explicit_tag_stays_one(void **state)
{
    (void)state;
    becomes("3080 06012a a080 0401aa 0000 0000", "3008 06012a a003 0401aa");
}

static void what_is_malformed_is_refused(void **state)
{
    (void)state;
    is_malformed("");
    is_malformed("30");
    is_malformed("3080 020101");
    is_malformed("3080 020101 00");
    is_malformed("0280 0000");
    is_malformed("3003 0201");
    is_malformed("308500000000 01 00");
    is_malformed("0000");
    is_malformed("1f8101 00");
    is_malformed("3003 020101 00");
    is_malformed("3080 0000 00");
    is_malformed("2480 020101 0000");
}

static void depth_is_bounded(void **state)
{
    struct buffer in = BUFFER(1024);
    struct bytes out, deep;

    (void)state;
    for (int i = 0; i < 40; i++)
        buffer_append(&in, hex("3080"));
    for (int i = 0; i < 40; i++)
        buffer_append(&in, hex("0000"));
    assert_false(ber_to_der(arena, kept(&in), &out));
    deep = hex("0500");
    for (int i = 0; i < 40; i++)
        deep = wrap(DER_SEQUENCE, deep);
    assert_false(ber_to_der(arena, deep, &out));
    for (int i = 0; i < 80; i++)
        buffer_append(&in, hex("2480"));
    assert_false(ber_to_der(arena, kept(&in), &out));
}

static void a_large_element_may_grow_by_its_length(void **state)
{
    static uint8_t content[70000];
    struct buffer in = BUFFER(100000);
    struct bytes out;

    (void)state;
    buffer_append(&in, hex("3080 04830 11170"));
    buffer_append(&in, BYTES_ARRAY(content));
    buffer_append(&in, hex("0000"));
    assert_true(ber_to_der(arena, kept(&in), &out));
    assert_int_equal(out.len, 70000 + 5 + 5);
}

static void the_first_child_is_as_received(void **state)
{
    struct bytes child;

    (void)state;
    assert_true(ber_first_child(hex("3080 3080 0500 0000 020101 0000"), &child));
    assert_true(bytes_equal(child, hex("3080 0500 0000")));
    assert_true(ber_first_child(hex("3006 810101 020101"), &child));
    assert_true(bytes_equal(child, hex("810101")));
    assert_false(ber_first_child(hex("020101"), &child));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(der_is_returned_as_it_is),
        TEST(indefinite_lengths_become_definite),
        TEST(long_lengths_become_minimal),
        TEST(segments_of_strings_are_joined),
        TEST(only_the_last_segment_of_bits_has_unused_ones),
        TEST(encrypted_content_in_segments_is_joined),
        TEST(an_explicit_tag_stays_one),
        TEST(what_is_malformed_is_refused),
        TEST(depth_is_bounded),
        TEST(a_large_element_may_grow_by_its_length),
        TEST(the_first_child_is_as_received),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
