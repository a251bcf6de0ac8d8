#include "lib/pki/names.h"
#include "tests/unit/lib/pki/fixtures.h"

static struct bytes parsed(const char *text)
{
    struct buffer out = BUFFER(16 * 1024);

    assert_true(name_parse(bytes_text(text), &out));
    return kept(&out);
}

static struct distinguished_name decoded(struct bytes der)
{
    struct distinguished_name name;

    assert_int_equal(name_decode(der, arena, &name), NAME_OK);
    return name;
}

static bool same(const char *a, const char *b)
{
    struct distinguished_name x = decoded(parsed(a)), y = decoded(parsed(b));

    assert_int_equal(name_equal(&x, &y), name_equal(&y, &x));
    return name_equal(&x, &y);
}

static void names_compare_without_case_and_blanks(void **state)
{
    (void)state;
    assert_true(same("CN=a", "CN=a"));
    assert_true(same("CN=Router Five,O=EXAMPLE", "CN=router  five,O=example"));
    assert_true(same("CN=\\ a\\ ", "CN=a"));
    assert_false(same("CN=ab", "CN=a b"));
    assert_false(same("CN=a,O=b", "O=b,CN=a"));
    assert_false(same("CN=a", "CN=a,O=b"));
    assert_false(same("CN=a", "O=a"));
    assert_true(same("CN=a+serialNumber=1", "serialNumber=1+CN=a"));
    assert_false(same("CN=a+serialNumber=1", "CN=a,serialNumber=1"));
    assert_false(same("OU=a+OU=a+OU=b", "OU=a+OU=b+OU=b"));
}

static void string_types_do_not_matter_to_equality(void **state)
{
    struct distinguished_name a = decoded(hex("300c 310a 3008 0603550403 0c0161")),
                              b = decoded(hex("300c 310a 3008 0603550403 130141"));

    (void)state;
    assert_true(name_equal(&a, &b));
}

static void empty_names_are_equal_and_nothing_else(void **state)
{
    struct distinguished_name a = decoded(hex("3000")), b = decoded(hex("3000")), c = decoded(parsed("CN=a"));

    (void)state;
    assert_true(name_equal(&a, &b));
    assert_false(name_equal(&a, &c));
}

static void malformed_names_are_refused(void **state)
{
    static const char *const malformed[] = {
        "",
        "3100",
        "3002 3100",
        "3004 3102 3000",
        "3000 00",
        "300b 310a 3008 0603550403 0c0161",
        "3002 0500",
        "300d 310b 3009 0603550403 0c0161 00",
        "300a 3108 3006 0600 0c026161",
    };
    struct distinguished_name name;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(malformed); i++)
        assert_int_equal(name_decode(hex(malformed[i]), arena, &name), NAME_FAULT_SYNTAX);
}

static void what_was_decoded_encodes_to_the_same(void **state)
{
    static const char *const texts[] = { "CN=router5.example.com,O=Example,C=DE",
                                         "CN=a+serialNumber=12,emailAddress=a@example.com,DC=example,DC=com",
                                         "2.5.4.16=one$two$three,street=x" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct bytes der = parsed(texts[i]);
        struct distinguished_name name = decoded(der);
        struct buffer out = BUFFER(4096);

        assert_true(name_encode(name.attribute, name.count, &out));
        assert_true(bytes_equal(kept(&out), der));
    }
}

static void string_types_follow_the_attribute(void **state)
{
    struct distinguished_name name = decoded(parsed("C=DE,serialNumber=12,emailAddress=a@b.c,DC=x,CN=y"));
    static const uint8_t expected[] = { DER_UTF8_STRING, DER_IA5_STRING, DER_IA5_STRING, DER_PRINTABLE_STRING,
                                        DER_PRINTABLE_STRING };

    (void)state;
    for (size_t i = 0; i < name.count; i++)
        assert_int_equal(name.attribute[i].string_tag, expected[i]);
}

static void text_that_does_not_fit_its_type_is_not_encoded(void **state)
{
    static const struct name_attribute bad[] = {
        { .oid = { (const uint8_t *)"\x55\x04\x06", 3 }, .text = BYTES_LITERAL("D*") },
        { .oid = { (const uint8_t *)"\x55\x04\x03", 3 }, .text = BYTES_LITERAL("a\nb") },
        { .oid = { (const uint8_t *)"\x55\x04\x03", 3 }, .text = BYTES_LITERAL("\xff") },
        { .oid = { (const uint8_t *)"\x55\x04\x10", 3 }, .text = BYTES_LITERAL("1$2$3$4$5$6$7") },
    };
    struct buffer out = BUFFER(4096);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(name_encode(&bad[i], 1, &out));
    buffer_free(&out);
}

static void the_first_of_its_kind_is_found(void **state)
{
    struct distinguished_name name = decoded(parsed("OU=b,OU=a,CN=x"));
    size_t count = 9;

    (void)state;
    assert_true(bytes_is(name_find(&name, OID_ORGANIZATIONAL_UNIT, &count), "a"));
    assert_int_equal(count, 2);
    assert_null(name_find(&name, OID_COUNTRY, &count).data);
    assert_int_equal(count, 0);
}

static void names_of_others_are_read_though_they_are_not_good(void **state)
{
    struct distinguished_name name;
    struct bytes star = hex("300e 310c 300a 0603550403 1303 612a62"),
                 empty = hex("300b 3109 3007 0603550403 0c00"),
                 bits = hex("300d 310b 3009 060355042d 03020080"),
                 control = hex("300c 310a 3008 0603550403 0c0100");

    (void)state;
    assert_int_equal(name_decode(star, arena, &name), NAME_FAULT_VALUE);
    assert_int_equal(name_decode_lenient(star, arena, &name), NAME_OK);
    assert_true(bytes_is(name.attribute[0].text, "a*b"));
    assert_int_equal(name_decode(empty, arena, &name), NAME_FAULT_VALUE);
    assert_int_equal(name_decode_lenient(empty, arena, &name), NAME_OK);
    assert_int_equal(name_decode(bits, arena, &name), NAME_FAULT_VALUE);
    assert_int_equal(name_decode_lenient(bits, arena, &name), NAME_OK);
    assert_true(bytes_is(name.attribute[0].text, "#03020080"));
    assert_int_equal(name_decode_lenient(control, arena, &name), NAME_FAULT_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_compare_without_case_and_blanks),
        TEST(string_types_do_not_matter_to_equality),
        TEST(empty_names_are_equal_and_nothing_else),
        TEST(malformed_names_are_refused),
        TEST(what_was_decoded_encodes_to_the_same),
        TEST(string_types_follow_the_attribute),
        TEST(text_that_does_not_fit_its_type_is_not_encoded),
        TEST(the_first_of_its_kind_is_found),
        TEST(names_of_others_are_read_though_they_are_not_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
