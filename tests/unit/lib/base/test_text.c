/* Base64, hexadecimal, time and addresses: text to values and back. */
#include "tests/lib/test.h"

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/ip.h"
#include "lib/base/random.h"

static void base64_of_any_bytes_decodes_to_them(void **state)
{
    uint64_t seed = 1;
    struct random_source random = random_seeded(&seed);

    (void)state;
    for (size_t len = 0; len < 200; len++) {
        AUTO_STRUCT(buffer) text = BUFFER(1000);
        AUTO_STRUCT(buffer) url = BUFFER(1000);
        uint8_t in[200], out[203];
        size_t got = 0;

        assert_true(random_fill(&random, in, len));
        base64_encode(&text, bytes_of(in, len), len % 3 == 0 ? 64 : 0);
        assert_true(base64_decode(buffer_bytes(&text), out, &got));
        assert_bytes(bytes_of(out, got), bytes_of(in, len));
        base64url_encode(&url, bytes_of(in, len));
        assert_true(base64url_decode(buffer_bytes(&url), out, &got));
        assert_bytes(bytes_of(out, got), bytes_of(in, len));
    }
}

static void base64_takes_blanks_and_lost_padding_but_no_garbage(void **state)
{
    const char *good[] = { "aGVsbG8=", "aGVs\r\nbG8=", " aGVsbG8", "aGVsbG8=\n" };
    const char *bad[] = { "aGVsbG8==", "aGVsb", "aGVsbG8=x", "aG_sbG8=", "a", "aGVsbA=", "====" };
    uint8_t out[32];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(base64_decode(bytes_text(good[i]), out, &len));
        assert_text(bytes_of(out, len), "hello");
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(base64_decode(bytes_text(bad[i]), out, &len));
    assert_false(base64url_decode(bytes_text("aGVsbG9="), out, &len)); /* no padding here */
    assert_false(base64url_decode(bytes_text("aGVsbG9x\n"), out, &len));
    assert_true(base64url_decode(bytes_text("aGVsbGk"), out, &len));
    assert_false(
        base64url_decode(bytes_text("aGVsbGl"), out, &len)); /* unused bits set: a second text of one value */
}

static void hexadecimal_is_strict(void **state)
{
    uint8_t out[4];
    char text[9];

    (void)state;
    hex_encode(bytes_of("\x00\xab\xcd\xff", 4), text);
    assert_string_equal(text, "00abcdff");
    assert_true(hex_decode(bytes_text("00ABcdFF"), out));
    assert_memory_equal(out, "\x00\xab\xcd\xff", 4);
    assert_false(hex_decode(bytes_text("0"), out));
    assert_false(hex_decode(bytes_text("0g"), out));
}

static void time_goes_to_text_and_back(void **state)
{
    const int64_t times[] = { 0, 951782400 /* 2000-02-29 */, 1767225599, 4102444800, 253402300799 };
    int64_t back;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        char text[CLOCK_TEXT_LEN];

        clock_format(times[i], text);
        assert_true(clock_parse(bytes_text(text), &back));
        assert_true(back == times[i]);
    }
    assert_true(clock_parse(bytes_text("2026-01-31T01:00:00.123+02:00"), &back));
    assert_true(back == 1769814000);
    assert_false(clock_parse(bytes_text("2026-02-30T00:00:00Z"), &back));
    assert_false(clock_parse(bytes_text("2026-02-03T00:00:00"), &back));
    assert_false(clock_parse(bytes_text("2026-02-03T24:00:00Z"), &back));
}

static void csr_73_mapped_addresses_become_their_four_bytes(void **state)
{
    struct ip_address a, b;
    char text[IP_TEXT_LEN];

    (void)state;
    assert_true(ip_parse(bytes_text("::ffff:192.0.2.1"), &a));
    assert_true(ip_parse(bytes_text("192.0.2.1"), &b));
    assert_true(ip_equal(&a, &b));
    assert_true(ip_parse(bytes_text("2001:DB8:0:0::1"), &a));
    ip_format(&a, text);
    assert_string_equal(text, "2001:db8::1");
    assert_false(ip_parse(bytes_text("192.0.2.1:80"), &a));
    assert_false(ip_parse(bytes_text("fe80::1%eth0"), &a));
    assert_false(ip_parse(bytes_text(""), &a));
}

static void a_range_holds_its_addresses_alone(void **state)
{
    struct ip_range range;
    struct ip_address ip;

    (void)state;
    assert_true(ip_range_parse(bytes_text("10.1.0.0/15"), &range) == false); /* bits beyond the prefix */
    assert_true(ip_range_parse(bytes_text("10.2.0.0/15"), &range));
    assert_true(ip_parse(bytes_text("10.3.255.255"), &ip));
    assert_true(ip_in_range(&ip, &range));
    assert_true(ip_parse(bytes_text("10.4.0.0"), &ip));
    assert_false(ip_in_range(&ip, &range));
    assert_true(ip_parse(bytes_text("2001:db8::1"), &ip));
    assert_false(ip_in_range(&ip, &range));
    assert_false(ip_range_parse(bytes_text("10.0.0.0/33"), &range));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_of_any_bytes_decodes_to_them),
        cmocka_unit_test(base64_takes_blanks_and_lost_padding_but_no_garbage),
        cmocka_unit_test(hexadecimal_is_strict),
        cmocka_unit_test(time_goes_to_text_and_back),
        cmocka_unit_test(csr_73_mapped_addresses_become_their_four_bytes),
        cmocka_unit_test(a_range_holds_its_addresses_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
