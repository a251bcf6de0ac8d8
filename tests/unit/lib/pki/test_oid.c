#include "tests/unit/lib/pki/fixtures.h"

static void round_trip(const char *text, const char *encoded)
{
    uint8_t oid[32];
    char back[64];
    size_t len;

    assert_true(oid_parse(bytes_text(text), oid, sizeof(oid), &len));
    assert_true(bytes_equal(bytes_of(oid, len), hex(encoded)));
    assert_true(oid_format(bytes_of(oid, len), back, sizeof(back)));
    assert_string_equal(back, text);
}

static void text_and_octets_are_two_forms_of_one(void **state)
{
    (void)state;
    round_trip("1.2.840.113549", "2a864886f70d");
    round_trip("2.5.4.3", "550403");
    round_trip("0.9.2342.19200300.100.1.25", "0992268993f22c640119");
    round_trip("2.999.1", "883701");
    round_trip("1.3.6.1.4.1.18446744073709551615", "2b06010401 81ffffffffffffffff7f");
}

static void what_is_no_oid_is_refused(void **state)
{
    static const char *const texts[] = { "",     "1",    "3.1",   "1.40",   "1..2",
                                         "1.2.", ".1.2", "1.2.x", "1.2.-3", "1.2.18446744073709551616" };
    static const char *const octets[] = { "", "80", "2a80", "2a8001", "2a86", "2affffffffffffffffffff7f" };
    uint8_t oid[32];
    char text[64];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_false(oid_parse(bytes_text(texts[i]), oid, sizeof(oid), &len));
    for (size_t i = 0; i < COUNT_OF(octets); i++)
        assert_false(oid_format(hex(octets[i]), text, sizeof(text)));
}

static void room_is_respected(void **state)
{
    uint8_t oid[3];
    char text[8];
    size_t len;

    (void)state;
    assert_true(oid_parse(BYTES_LITERAL("2.5.4.3"), oid, sizeof(oid), &len));
    assert_false(oid_parse(BYTES_LITERAL("2.5.4.128"), oid, sizeof(oid), &len));
    assert_true(oid_format(hex("550403"), text, sizeof(text)));
    assert_false(oid_format(hex("55040a"), text, sizeof(text)));
    assert_false(oid_format(hex("550403"), text, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(text_and_octets_are_two_forms_of_one),
                                        TEST(what_is_no_oid_is_refused), TEST(room_is_respected) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
