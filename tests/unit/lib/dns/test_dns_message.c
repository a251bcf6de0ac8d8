#include "lib/dns/dns_message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* "\1a\7example\0" begins at 12 in each of these: c0 0c points to it. */
#define FLAGS(bytes)         "\x12\x34" bytes
#define COUNTS(n)            "\0\1\0" n "\0\0\0\0"
#define QUESTION(type)       "\1A\7exaMple\0" type "\0\1"
#define AT_NAME              "\xc0\x0c"
#define RR(owner, type, len) owner type "\0\1\0\0\0\x3c" len
#define T_A                  "\0\1"
#define T_CNAME              "\0\5"
#define T_TXT                "\0\x10"
#define T_AAAA               "\0\x1c"
#define T_CAA                "\1\1"
#define GOOD                 "\x81\x80"

static struct dns_answer read_as(struct bytes message, enum dns_type type, struct arena *arena)
{
    const struct dns_rules rules = { 0 };
    struct dns_name name;

    assert_int_equal(dns_name_parse(BYTES_LITERAL("a.example"), &rules, &name), DNS_OK);
    return dns_message_read(message, &name, type, arena);
}

struct row {
    struct bytes message;
    enum dns_type type;
    enum dns_status status;
    size_t count;
    struct bytes first;
};
#define B(text)                                   \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static const struct row rows[] = {
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR(AT_NAME, T_A, "\0\4") "\1\2\3\4"), DNS_TYPE_A,
      DNS_STATUS_RECORDS, 1, B("\1\2\3\4") },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_AAAA) RR(AT_NAME, T_AAAA, "\0\x10") "0123456789abcdef"),
      DNS_TYPE_AAAA, DNS_STATUS_RECORDS, 1, B("0123456789abcdef") },
    /* no data; another type; another name */
    { B(FLAGS(GOOD) COUNTS("\0") QUESTION(T_A)), DNS_TYPE_A, DNS_STATUS_RECORDS, 0, { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR(AT_NAME, T_TXT, "\0\2") "\1x"),
      DNS_TYPE_A,
      DNS_STATUS_RECORDS,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR("\1b\0", T_A, "\0\4") "\1\2\3\4"),
      DNS_TYPE_A,
      DNS_STATUS_RECORDS,
      0,
      { 0 } },
    /* ACME-87: strings are put together, two records */
    { B(FLAGS(GOOD) COUNTS("\2") QUESTION(T_TXT)
            RR(AT_NAME, T_TXT, "\0\7") "\3abc\2de" RR(AT_NAME, T_TXT, "\0\1") "\0"),
      DNS_TYPE_TXT, DNS_STATUS_RECORDS, 2, B("abcde") },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_TXT) RR(AT_NAME, T_TXT, "\0\3") "\3ab"),
      DNS_TYPE_TXT,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_TXT) RR(AT_NAME, T_TXT, "\0\0")),
      DNS_TYPE_TXT,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_CAA) RR(AT_NAME, T_CAA, "\0\x8") "\0\5issue;"), DNS_TYPE_CAA,
      DNS_STATUS_RECORDS, 1, B("\0\5issue;") },
    /* aliases: b -> c -> c's address, in an order that is not theirs */
    { B(FLAGS(GOOD) COUNTS("\3") QUESTION(T_A) RR("\1C\0", T_A, "\0\4") "\1\2\3\4" RR(
          "\1b\0", T_CNAME, "\0\3") "\1c\0" RR(AT_NAME, T_CNAME, "\0\3") "\1B\0"),
      DNS_TYPE_A, DNS_STATUS_RECORDS, 1, B("\1\2\3\4") },
    /* an alias of itself, and one that ends nowhere */
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR(AT_NAME, T_CNAME, "\0\2") AT_NAME),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR(AT_NAME, T_CNAME, "\0\3") "\1z\0"),
      DNS_TYPE_A,
      DNS_STATUS_RECORDS,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR(AT_NAME, T_CNAME, "\0\4") "\1z\0!"),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    /* what servers say of themselves */
    { B(FLAGS("\x81\x83") COUNTS("\0") QUESTION(T_A)), DNS_TYPE_A, DNS_STATUS_NXDOMAIN, 0, { 0 } },
    { B(FLAGS("\x81\x82") COUNTS("\0") QUESTION(T_A)), DNS_TYPE_A, DNS_STATUS_SERVFAIL, 0, { 0 } },
    { B(FLAGS("\x81\x85") COUNTS("\0") QUESTION(T_A)), DNS_TYPE_A, DNS_STATUS_REFUSED, 0, { 0 } },
    { B(FLAGS("\x81\x81") COUNTS("\0") QUESTION(T_A)), DNS_TYPE_A, DNS_STATUS_MALFORMED, 0, { 0 } },
    /* a question, cut off, another question, none */
    { B(FLAGS("\x01\x00") COUNTS("\0") QUESTION(T_A)), DNS_TYPE_A, DNS_STATUS_MALFORMED, 0, { 0 } },
    { B(FLAGS("\x83\x80") COUNTS("\0") QUESTION(T_A)), DNS_TYPE_A, DNS_STATUS_MALFORMED, 0, { 0 } },
    { B(FLAGS(GOOD) COUNTS("\0") QUESTION(T_AAAA)), DNS_TYPE_A, DNS_STATUS_MALFORMED, 0, { 0 } },
    { B(FLAGS(GOOD) COUNTS("\0") "\1b\7example\0" T_A "\0\1"), DNS_TYPE_A, DNS_STATUS_MALFORMED, 0, { 0 } },
    { B(FLAGS(GOOD) COUNTS("\0") "\x9"
                                 "a.example\0" T_A "\0\1"),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) "\0\0\0\0\0\0\0\0"), DNS_TYPE_A, DNS_STATUS_MALFORMED, 0, { 0 } },
    /* addresses of another length, more answers than there are, a pointer to itself and one ahead */
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR(AT_NAME, T_A, "\0\3") "\1\2\3"),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\2") QUESTION(T_A) RR(AT_NAME, T_A, "\0\4") "\1\2\3\4"),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR("\xc0\x1b", T_A, "\0\4") "\1\2\3\4"),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR("\xc0\x1d", T_A, "\0\4") "\1\2\3\4"),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
    { B(FLAGS(GOOD) COUNTS("\1") QUESTION(T_A) RR("\x40x", T_A, "\0\4") "\1\2\3\4"),
      DNS_TYPE_A,
      DNS_STATUS_MALFORMED,
      0,
      { 0 } },
};

static void answers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *arena = arena_new(1 << 20);
        struct dns_answer answer = read_as(rows[i].message, rows[i].type, arena);

        if (answer.status != rows[i].status || answer.count != rows[i].count)
            fail_msg("row %zu: %s, %zu records", i, dns_status_text(answer.status), answer.count);
        if (answer.count > 0) {
            assert_true(bytes_equal(answer.record[0].value, rows[i].first));
            assert_int_equal(answer.record[0].ttl_s, 60);
        }
    }
}

static void cut_off_anywhere_it_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].status != DNS_STATUS_RECORDS)
            continue;
        for (size_t len = 0; len < rows[i].message.len; len++) {
            AUTO_ARENA *arena = arena_new(1 << 20);

            assert_int_equal(read_as(bytes_slice(rows[i].message, 0, len), rows[i].type, arena).status,
                             DNS_STATUS_MALFORMED);
        }
    }
}

static void too_many_records_are_malformed(void **state)
{
    static const char head[] = FLAGS(GOOD) "\0\1\1\1\0\0\0\0" QUESTION(T_A); /* 257 */
    static const char record[] = RR(AT_NAME, T_A, "\0\4") "\1\2\3\4";
    AUTO_ARENA *arena = arena_new(1 << 20);
    uint8_t *message = arena_alloc(arena, 8192);
    size_t len = sizeof(head) - 1;

    (void)state;
    assert_non_null(message);
    memcpy(message, head, len);
    for (int i = 0; i < 257; i++, len += sizeof(record) - 1)
        memcpy(message + len, record, sizeof(record) - 1);
    assert_int_equal(read_as(bytes_of(message, len), DNS_TYPE_A, arena).status, DNS_STATUS_MALFORMED);
    message[6] = 1;
    message[7] = 0;
    assert_int_equal(read_as(bytes_of(message, len), DNS_TYPE_A, arena).count, DNS_RECORDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(cut_off_anywhere_it_is_malformed),
        cmocka_unit_test(too_many_records_are_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
