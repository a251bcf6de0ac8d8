#include "lib/cbor/cbor.h"

#include <stdlib.h>

#include "tests/lib/test.h"

#define READER(text) cbor_reader_of(BYTES_LITERAL(text))

static void items_of_each_kind(void **state)
{
    struct cbor_reader in = READER("\x83\x18\x2a\x39\x01\x00\xa1\x61\x61\x42\x01\x02");

    (void)state;
    assert_int_equal(cbor_take_array(&in), 3);
    assert_int_equal(cbor_take_int(&in), 42);
    assert_int_equal(cbor_take_int(&in), -257);
    assert_int_equal(cbor_take_map(&in), 1);
    assert_text(cbor_take_text(&in), "a");
    assert_bytes(cbor_take_bytes(&in), BYTES_LITERAL("\x01\x02"));
    assert_true(cbor_finished(&in));
}

static void an_item_is_passed_over_whole(void **state)
{
    struct cbor_reader in = READER("\x83\xa1\x01\x82\x20\xf5\xf9\x3c\x00\xf6\x07");

    (void)state;
    assert_int_equal(cbor_take_any(&in).len, 10);
    assert_int_equal(cbor_take_int(&in), 7);
    assert_true(cbor_finished(&in));
}

static void what_is_not_taken(void **state)
{
    static const struct bytes rows[] = {
        BYTES_LITERAL(""),
        BYTES_LITERAL("\x18\x01"),                             /* longer than it need be */
        BYTES_LITERAL("\x58\x01\x00"),                         /* the same, of a string */
        BYTES_LITERAL("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), /* past 63 bits */
        BYTES_LITERAL("\x5f\x41\x00\xff"),                     /* without end */
        BYTES_LITERAL("\x9f\xff"),
        BYTES_LITERAL("\xbf\xff"),
        BYTES_LITERAL("\xff"),
        BYTES_LITERAL("\xc0\x00"), /* a tag */
        BYTES_LITERAL("\x61\xff"), /* no UTF-8 */
        BYTES_LITERAL("\x42\x00"), /* too short */
        BYTES_LITERAL("\x82\x00"),
        BYTES_LITERAL("\xa1\x00"),
        BYTES_LITERAL("\x9b\x00\x00\x00\x01\x00\x00\x00\x00"), /* more than there are octets */
        BYTES_LITERAL("\xbb\x80\x00\x00\x00\x00\x00\x00\x01"),
        BYTES_LITERAL("\x1c"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cbor_reader in = cbor_reader_of(rows[i]);

        assert_int_equal(cbor_take_any(&in).len, 0);
        assert_true(in.failed);
        assert_false(cbor_finished(&in));
    }
}

static void what_has_failed_stays_failed(void **state)
{
    struct cbor_reader in = READER("\x01\x02");

    (void)state;
    assert_int_equal(cbor_take_text(&in).len, 0);
    assert_int_equal(cbor_take_int(&in), 0);
    assert_false(cbor_finished(&in));
}

/* A million arrays within each other: neither stack nor memory grows. */
static void nesting_costs_nothing(void **state)
{
    enum { DEPTH = 1000000 };
    uint8_t *octets = calloc(1, DEPTH + 1);
    struct cbor_reader in = cbor_reader_of(bytes_of(octets, DEPTH + 1));

    (void)state;
    assert_non_null(octets);
    memset(octets, 0x81, DEPTH);
    octets[DEPTH] = 0;
    assert_int_equal(cbor_take_any(&in).len, DEPTH + 1);
    assert_true(cbor_finished(&in));
    free(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_each_kind),    cmocka_unit_test(an_item_is_passed_over_whole),
        cmocka_unit_test(what_is_not_taken),     cmocka_unit_test(what_has_failed_stays_failed),
        cmocka_unit_test(nesting_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
