#include "tests/unit/lib/pki/certificates.h"

static struct bytes block(const char *label, const char *body)
{
    struct buffer out = BUFFER(8192);

    assert_true(pem_encode(label, bytes_text(body), &out));
    return kept(&out);
}

static void all_certificates_of_a_file_are_read(void **state)
{
    struct bytes text = join(join(BYTES_LITERAL("a comment\n"), block("CERTIFICATE", "one")),
                             join(block("X509 CRL", "list"), block("CERTIFICATE", "two")));
    struct bytes der[3];
    size_t count = 0;

    (void)state;
    assert_true(certificates_from_pem(text, arena, der, 3, &count, &err));
    assert_int_equal(count, 2);
    assert_true(bytes_is(der[0], "one"));
    assert_true(bytes_is(der[1], "two"));
    assert_false(certificates_from_pem(text, arena, der, 1, &count, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
}

static void what_is_not_closed_is_not_there(void **state)
{
    struct bytes whole = block("CERTIFICATE", "one"), der[1];
    size_t count = 9;

    (void)state;
    assert_true(certificates_from_pem(bytes_slice(whole, 0, whole.len - 10), arena, der, 1, &count, &err));
    assert_int_equal(count, 0);
    assert_true(certificates_from_pem(BYTES_NONE, arena, der, 1, &count, &err));
    assert_int_equal(count, 0);
}

static void a_body_that_is_not_base64_is_an_error(void **state)
{
    struct bytes der[1];
    size_t count;

    (void)state;
    assert_false(
        certificates_from_pem(BYTES_LITERAL("-----BEGIN CERTIFICATE-----\nb!ad\n-----END CERTIFICATE-----\n"),
                              arena, der, 1, &count, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_certificates_of_a_file_are_read),
        TEST(what_is_not_closed_is_not_there),
        TEST(a_body_that_is_not_base64_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
