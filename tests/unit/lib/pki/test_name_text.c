#include "lib/pki/names.h"
#include "tests/unit/lib/pki/fixtures.h"

static void becomes(const char *text, const char *expected)
{
    struct buffer out = BUFFER(16 * 1024);
    struct distinguished_name name;

    assert_true(name_parse(bytes_text(text), &out));
    assert_int_equal(name_decode(kept(&out), arena, &name), NAME_OK);
    assert_true(bytes_is(name_format(&name, arena), expected));
}

static void text_goes_in_and_comes_out(void **state)
{
    (void)state;
    becomes("CN=router5.example.com,O=Example", "CN=router5.example.com,O=Example");
    becomes("cn = a , o = b c ", "CN=a,O=b c");
    becomes("CN=a+serialNumber=1", "CN=a+serialNumber=1");
    becomes("1.2.3.4=x", "1.2.3.4=x");
    becomes("CN=a\\,b\\+c\\\\", "CN=a\\,b\\+c\\\\");
    becomes("CN=\\#a\\ ", "CN=\\#a\\ ");
    becomes("CN=b\\C3\\BCcher", "CN=b\xc3\xbc"
                                "cher");
}

static void the_first_written_stands_last_in_the_encoding(void **state)
{
    struct buffer out = BUFFER(4096);

    (void)state;
    assert_true(name_parse(BYTES_LITERAL("CN=a,C=DE"), &out));
    assert_true(
        bytes_equal(kept(&out), hex("3019 310b 3009 0603550406 13024445 310a 3008 0603550403 0c0161")));
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const malformed[] = { "",         "CN",        "CN=",    "=a",       "XX=a",
                                             "CN=a,",    "CN=a,,O=b", "CN=a\\", "CN=a\\zz", "CN=\"a\"",
                                             "CN=a;O=b", "CN=a\\00",  "C=D*",   "1.2.=a" };
    struct buffer out = BUFFER(4096);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        if (name_parse(bytes_text(malformed[i]), &out))
            fail_msg("accepted: %s", malformed[i]);
        buffer_free(&out);
    }
}

static void too_many_attributes_are_refused(void **state)
{
    struct buffer text = BUFFER(4096), out = BUFFER(4096);

    (void)state;
    for (int i = 0; i < NAME_ATTRIBUTES_MAX; i++)
        buffer_append_text(&text, i == 0 ? "OU=a" : ",OU=a");
    assert_true(name_parse(buffer_bytes(&text), &out));
    buffer_append_text(&text, ",OU=a");
    assert_false(name_parse(buffer_bytes(&text), &out));
    buffer_free(&text);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_goes_in_and_comes_out),
        TEST(the_first_written_stands_last_in_the_encoding),
        TEST(what_is_no_name_is_refused),
        TEST(too_many_attributes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
