#include "proto/scep/message.h"

#include "tests/lib/test.h"
#include <stdio.h>

/* 2.16.840.1.113733.1.9.n */
#define ARC 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09
static const uint8_t MESSAGE_TYPE[] = { ARC, 2 };
static const uint8_t PKI_STATUS[] = { ARC, 3 };
static const uint8_t SENDER_NONCE[] = { ARC, 5 };
static const uint8_t TRANSACTION_ID[] = { ARC, 7 };

static int setup(void **state)
{
    *state = arena_new(1 << 20);
    return *state == NULL;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct bytes element(struct arena *arena, unsigned tag, struct bytes content)
{
    AUTO_STRUCT(buffer) out = BUFFER(4096);
    struct bytes copy;

    der_put(&out, tag, content);
    copy = arena_copy(arena, buffer_bytes(&out));
    assert_non_null(copy.data);
    return copy;
}

static struct scep_attributes decoded(struct arena *arena, struct bytes oid, unsigned tag,
                                      struct bytes content)
{
    struct cms_signed s = { .attribute_count = 1 };
    struct scep_attributes a;

    s.attribute[0] = (struct cms_attribute){ .oid = oid, .value = element(arena, tag, content) };
    scep_attributes_decode(&s, &a);
    return a;
}

static enum scep_message_type type_of(struct arena *arena, unsigned tag, const char *text)
{
    return decoded(arena, BYTES_ARRAY(MESSAGE_TYPE), tag, bytes_text(text)).type;
}

static void scep_41_only_known_message_types_have_a_value(void **state)
{
    static const struct {
        const char *text;
        enum scep_message_type type;
    } known[] = {
        { "3", SCEP_CERT_REP },   { "17", SCEP_RENEWAL_REQ }, { "19", SCEP_PKCS_REQ },
        { "20", SCEP_CERT_POLL }, { "21", SCEP_GET_CERT },    { "22", SCEP_GET_CRL },
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        assert_int_equal(type_of(*state, DER_PRINTABLE_STRING, known[i].text), known[i].type);
}

static void scep_41_every_other_number_is_none(void **state)
{
    for (int n = 0; n < 256; n++) {
        char text[8];

        (void)snprintf(text, sizeof(text), "%d", n);
        if (n != 3 && n != 17 && n != 19 && n != 20 && n != 21 && n != 22)
            assert_int_equal(type_of(*state, DER_PRINTABLE_STRING, text), SCEP_MESSAGE_NONE);
    }
}

static void scep_41_what_is_not_plain_decimal_is_none(void **state)
{
    static const char *const odd[] = {
        "", " 19", "19 ", "019", "+19", "0x13", "1 9", "19a", "-19", "PKCSReq"
    };

    for (size_t i = 0; i < COUNT_OF(odd); i++)
        assert_int_equal(type_of(*state, DER_PRINTABLE_STRING, odd[i]), SCEP_MESSAGE_NONE);
    assert_int_equal(type_of(*state, DER_UTF8_STRING, "19"), SCEP_MESSAGE_NONE);
    assert_int_equal(type_of(*state, DER_INTEGER, "19"), SCEP_MESSAGE_NONE);
}

static void absent_attributes_refuse(void **state)
{
    struct cms_signed s = { 0 };
    struct scep_attributes a;

    (void)state;
    scep_attributes_decode(&s, &a);
    assert_int_equal(a.type, SCEP_MESSAGE_NONE);
    assert_int_equal(a.status, SCEP_STATUS_NONE);
    assert_int_equal(a.transaction_id.len, 0);
    assert_false(a.transaction_id_fits);
    assert_false(a.has_signing_time);
}

static void the_undefined_status_is_none(void **state)
{
    struct scep_attributes a = decoded(*state, BYTES_ARRAY(PKI_STATUS), DER_PRINTABLE_STRING,
                                       BYTES_LITERAL("1"));

    assert_int_equal(a.status, SCEP_STATUS_NONE);
    a = decoded(*state, BYTES_ARRAY(PKI_STATUS), DER_PRINTABLE_STRING, BYTES_LITERAL("0"));
    assert_int_equal(a.status, SCEP_SUCCESS);
}

static void scep_42_a_nonce_is_an_octet_string(void **state)
{
    struct bytes nonce = BYTES_LITERAL("0123456789abcdef");

    assert_bytes(decoded(*state, BYTES_ARRAY(SENDER_NONCE), DER_OCTET_STRING, nonce).sender_nonce, nonce);
    assert_int_equal(decoded(*state, BYTES_ARRAY(SENDER_NONCE), DER_PRINTABLE_STRING, nonce).sender_nonce.len,
                     0);
}

static bool id_fits(struct arena *arena, unsigned tag, struct bytes id)
{
    struct scep_attributes a = decoded(arena, BYTES_ARRAY(TRANSACTION_ID), tag, id);

    assert_bytes(a.transaction_id, id);
    return a.transaction_id_fits;
}

static void scep_43_a_transaction_id_of_another_string_type_must_fit(void **state)
{
    uint8_t longest[SCEP_TRANSACTION_ID_MAX + 1];

    memset(longest, 'A', sizeof(longest));
    assert_true(id_fits(*state, DER_PRINTABLE_STRING, BYTES_LITERAL("SSCEP transactionId")));
    assert_true(id_fits(*state, DER_PRINTABLE_STRING, BYTES_LITERAL("q83vEg+/=")));
    assert_true(id_fits(*state, DER_UTF8_STRING, BYTES_LITERAL("abc-123")));
    assert_true(id_fits(*state, DER_IA5_STRING, BYTES_LITERAL("abc-123")));
    assert_false(id_fits(*state, DER_UTF8_STRING, BYTES_LITERAL("b\xc3\xbc")));
    assert_false(id_fits(*state, DER_IA5_STRING, BYTES_LITERAL("a_b")));
    assert_false(id_fits(*state, DER_PRINTABLE_STRING, BYTES_LITERAL("a\nb")));
    assert_false(id_fits(*state, DER_PRINTABLE_STRING, bytes_of("a\0b", 3)));
    assert_true(id_fits(*state, DER_PRINTABLE_STRING, bytes_of(longest, SCEP_TRANSACTION_ID_MAX)));
    assert_false(id_fits(*state, DER_PRINTABLE_STRING, bytes_of(longest, SCEP_TRANSACTION_ID_MAX + 1)));
}

static void octets_behind_the_value_make_an_attribute_absent(void **state)
{
    static const uint8_t trailing[] = { DER_PRINTABLE_STRING, 2, '1', '9', DER_NULL, 0 };
    struct cms_signed s = { .attribute_count = 1 };
    struct scep_attributes a;

    (void)state;
    s.attribute[0] = (struct cms_attribute){ BYTES_ARRAY(MESSAGE_TYPE), BYTES_ARRAY(trailing) };
    scep_attributes_decode(&s, &a);
    assert_int_equal(a.type, SCEP_MESSAGE_NONE);
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    const struct scep_attributes in = {
        .type = SCEP_CERT_REP,
        .status = SCEP_FAILURE,
        .fail_info = SCEP_BAD_ALG,
        .fail_info_text = BYTES_LITERAL("algorithm not accepted"),
        .transaction_id = BYTES_LITERAL("0123"),
        .sender_nonce = BYTES_LITERAL("0123456789abcdef"),
        .recipient_nonce = BYTES_LITERAL("fedcba9876543210"),
        .has_signing_time = true,
        .signing_time_s = 1790000000,
    };
    struct cms_signed s = { 0 };
    struct scep_attributes out;

    assert_true(scep_attributes_encode(&in, *state, s.attribute, &s.attribute_count));
    assert_int_equal(s.attribute_count, SCEP_ATTRIBUTES_MAX);
    scep_attributes_decode(&s, &out);
    assert_int_equal(out.type, in.type);
    assert_int_equal(out.status, in.status);
    assert_int_equal(out.fail_info, in.fail_info);
    assert_bytes(out.fail_info_text, in.fail_info_text);
    assert_bytes(out.transaction_id, in.transaction_id);
    assert_true(out.transaction_id_fits);
    assert_bytes(out.sender_nonce, in.sender_nonce);
    assert_bytes(out.recipient_nonce, in.recipient_nonce);
    assert_true(out.has_signing_time);
    assert_int_equal(out.signing_time_s, in.signing_time_s);
}

static void a_full_arena_encodes_nothing(void **state)
{
    const struct scep_attributes in = { .type = SCEP_CERT_REP, .status = SCEP_PENDING };
    struct cms_attribute out[SCEP_ATTRIBUTES_MAX];
    size_t count = 99;

    for (unsigned n = 1; n <= 2; n++) {
        arena_fail_after(*state, n);
        assert_false(scep_attributes_encode(&in, *state, out, &count));
        assert_int_equal(count, 99);
    }
}

static void issuer_and_subject_is_two_names_and_nothing_more(void **state)
{
    static const uint8_t good[] = { 0x30, 4, 0x30, 0, 0x30, 0 };
    static const uint8_t three[] = { 0x30, 6, 0x30, 0, 0x30, 0, 0x30, 0 };
    static const uint8_t one[] = { 0x30, 2, 0x30, 0 };
    static const uint8_t trailing[] = { 0x30, 4, 0x30, 0, 0x30, 0, 5, 0 };
    AUTO_STRUCT(buffer) again = BUFFER(64);
    struct scep_issuer_and_subject out = { 0 };

    (void)state;
    assert_false(scep_issuer_and_subject_decode(BYTES_ARRAY(three), &out));
    assert_false(scep_issuer_and_subject_decode(BYTES_ARRAY(one), &out));
    assert_false(scep_issuer_and_subject_decode(BYTES_ARRAY(trailing), &out));
    assert_false(scep_issuer_and_subject_decode(BYTES_NONE, &out));
    assert_null(out.issuer.data);
    assert_true(scep_issuer_and_subject_decode(BYTES_ARRAY(good), &out));
    scep_issuer_and_subject_encode(&out, &again);
    assert_bytes(buffer_bytes(&again), BYTES_ARRAY(good));
}

static void issuer_and_serial_is_a_name_and_a_number(void **state)
{
    static const uint8_t good[] = { 0x30, 6, 0x30, 0, 0x02, 2, 0x12, 0x34 };
    static const uint8_t text[] = { 0x30, 6, 0x30, 0, 0x13, 2, 0x12, 0x34 };
    static const uint8_t number[] = { 0x12, 0x34 };
    struct scep_issuer_and_serial out = { 0 };

    (void)state;
    assert_false(scep_issuer_and_serial_decode(BYTES_ARRAY(text), &out));
    assert_true(scep_issuer_and_serial_decode(BYTES_ARRAY(good), &out));
    assert_bytes(out.serial, BYTES_ARRAY(number));
}

static void scep_3_whatever_happened_to_the_base64_is_undone(void **state)
{
    static const uint8_t octets[] = { 0xfb, 0xef, 0xbe, 0xff, 0xff, 0x01 };
    static const char *const spellings[] = {
        "++++//8B",                         /* as it is */
        "%2B%2B%2B%2B%2F%2F8B",             /* escaped */
        "%252B%252B%252B%252B%252F%252F8B", /* twice */
        "%20%20%20%20//8B",                 /* '+' went through a form decoder */
        "++++%0A//8B%0A",                   /* wrapped */
        "++++%0D%0A//8B",
        "----__8B", /* SCEP-4: URL alphabet */
    };

    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        struct bytes der = BYTES_NONE;

        assert_true(scep_get_message(*state, bytes_text(spellings[i]), &der));
        assert_bytes(der, BYTES_ARRAY(octets));
    }
}

static void scep_3_padding_may_be_missing(void **state)
{
    struct bytes der;

    assert_true(scep_get_message(*state, BYTES_LITERAL("MAA"), &der));
    assert_int_equal(der.len, 2);
    assert_true(scep_get_message(*state, BYTES_LITERAL("MAA%3D"), &der));
    assert_int_equal(der.len, 2);
}

static void scep_4_what_is_not_base64_is_refused(void **state)
{
    static const char *const bad[] = { "", "%", "%2", "%zz", "M*A=", "\x80\x81", "=", "%2525252B" };
    struct bytes der = BYTES_NONE;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(scep_get_message(*state, bytes_text(bad[i]), &der));
    assert_null(der.data);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(scep_41_only_known_message_types_have_a_value),
        WITH(scep_41_every_other_number_is_none),
        WITH(scep_41_what_is_not_plain_decimal_is_none),
        WITH(absent_attributes_refuse),
        WITH(the_undefined_status_is_none),
        WITH(scep_42_a_nonce_is_an_octet_string),
        WITH(scep_43_a_transaction_id_of_another_string_type_must_fit),
        WITH(octets_behind_the_value_make_an_attribute_absent),
        WITH(what_is_encoded_decodes_to_the_same),
        WITH(a_full_arena_encodes_nothing),
        WITH(issuer_and_subject_is_two_names_and_nothing_more),
        WITH(issuer_and_serial_is_a_name_and_a_number),
        WITH(scep_3_whatever_happened_to_the_base64_is_undone),
        WITH(scep_3_padding_may_be_missing),
        WITH(scep_4_what_is_not_base64_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
