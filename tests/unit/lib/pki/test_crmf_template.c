#include "lib/pki/crmf.h"
#include "tests/unit/lib/pki/certificates.h"
#include "tests/unit/lib/pki/requests.h"

static struct crmf_template template;

static bool decodes(struct bytes content)
{
    struct der in = der_of(content);
    bool good;

    memset(&template, 0, sizeof(template));
    good = crmf_template_decode(&in, arena, &template);
    if (!good)
        assert_false(template.has_version || template.has_key || template.has_subject); /* untouched */
    return good;
}

#define KEY_FIELD "a622 3009 06072a8648ce3d0201 0315 00 0102030405060708090a0b0c0d0e0f1011121314"

static void nothing_is_a_template_too(void **state)
{
    (void)state;
    assert_true(decodes(BYTES_NONE));
    assert_false(template.has_version || template.has_serial || template.has_signing_algorithm ||
                 template.has_issuer || template.has_validity || template.has_subject || template.has_key ||
                 template.has_issuer_uid || template.has_subject_uid || template.has_extensions);
}

static void every_field_is_read(void **state)
{
    struct bytes issuer = wrap(DER_CONTEXT(3), name_of("CN=Issuing CA")),
                 subject = wrap(DER_CONTEXT(5), name_of("CN=router5.example.com")),
                 validity = wrap(DER_CONTEXT(4), hex("a00f 170d3236303130313030303030305a")),
                 extensions = wrap(DER_CONTEXT(9), extension("551d0f", false, hex("03020780")));

    (void)state;
    assert_true(
        decodes(join(join(hex("800102 810200ff a20a06082a8648ce3d040302"), join(issuer, validity)),
                     join(join(subject, hex(KEY_FIELD)), join(hex("8702 00ff 8802 0780"), extensions)))));
    assert_true(template.has_version && template.has_serial && template.has_signing_algorithm &&
                template.has_issuer && template.has_validity && template.has_subject && template.has_key &&
                template.has_issuer_uid && template.has_subject_uid && template.has_extensions);
    assert_int_equal(template.version, 2);
    assert_true(bytes_equal(template.serial, hex("00ff")));
    assert_true(bytes_equal(template.issuer, name_of("CN=Issuing CA")));
    assert_true(bytes_equal(template.subject, name_of("CN=router5.example.com")));
    assert_true(bytes_equal(
        template.spki, hex("3022 3009 06072a8648ce3d0201 0315 00 0102030405060708090a0b0c0d0e0f1011121314")));
    assert_false(template.key_is_empty);
    assert_true(
        bytes_equal(template.extensions, wrap(DER_SEQUENCE, extension("551d0f", false, hex("03020780")))));
}

/* What a revocation request says of a certificate (CMP-93, CMP-94). */
static void cmp_93_issuer_and_serial_number_name_a_certificate(void **state)
{
    struct bytes serial = hex("8109 00ffffffffffffffff"),
                 issuer = wrap(DER_CONTEXT(3), name_of("CN=Issuing CA"));

    (void)state;
    assert_true(decodes(join(serial, issuer)));
    assert_true(template.has_serial && template.has_issuer && !template.has_subject);
    assert_true(bytes_equal(template.serial, hex("00ffffffffffffffff")));
    assert_true(decodes(issuer));
    assert_false(template.has_serial);
    assert_true(decodes(hex("8101ff"))); /* a negative one is read: it names nothing */
    assert_true(bytes_equal(template.serial, hex("ff")));
}

static void cmp_120_a_key_of_no_bits_is_told(void **state)
{
    (void)state;
    assert_true(decodes(hex("a60e 3009 06072a8648ce3d0201 030100")));
    assert_true(template.has_key && template.key_is_empty);
    assert_false(decodes(hex("a60d 3009 06072a8648ce3d0201 0300")));
    assert_false(decodes(hex("a60b 3009 06072a8648ce3d0201")));
}

static void a_field_that_is_malformed_is_refused(void **state)
{
    static const char *const broken[] = {
        "8000",                                   /* version without a value */
        "8001ff",                                 /* negative */
        "80020002",                               /* not minimal */
        "8009010000000000000000",                 /* over 64 bits */
        "a003020102",                             /* explicit, or constructed */
        "8100",                                   /* serialNumber */
        "8102007f",                               /* not minimal */
        "a103020101",                             /* explicit */
        "a200",                                   /* signingAlg */
        "a20c300a06082a8648ce3d040302",           /* explicit */
        "820a06082a8648ce3d040302",               /* primitive */
        "a300",                                   /* issuer without a Name */
        "a3020500",                               /* another element */
        "a30430003000",                           /* two */
        "a400",                                   /* validity without a time */
        "a411a20f170d3236303130313030303030305a", /* notAfter is [1] */
        "a40f800d3236303130313030303030305a",     /* implicit */
        "a411a00f170d3236303130313030303030305b",
        "a402a000",
        "a500",
        "a50431023000", /* a SET */
        "a600",
        "a6023000",
        "a60430020500",
        "8700", /* unique identifiers are BIT STRINGs */
        "87020800",
        "870107",
        "8800",
        "a70403020000",
        "880207f0", /* bits beyond the last */
        "8900",     /* extensions are constructed */
        "8a00",     /* no such field */
        "aa00",
        "020102",
        "0500",
        "30",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        if (decodes(hex(broken[i])))
            fail_msg("%s", broken[i]);
}

static void validity_has_one_time_or_two(void **state)
{
    struct bytes before = hex("a00f 170d3236303130313030303030305a"),
                 after = hex("a111 180f32303630303130313030303030305a");

    (void)state;
    assert_true(decodes(wrap(DER_CONTEXT(4), before)));
    assert_true(decodes(wrap(DER_CONTEXT(4), after)));
    assert_true(decodes(wrap(DER_CONTEXT(4), join(before, after))));
    assert_true(template.has_validity);
    assert_false(decodes(wrap(DER_CONTEXT(4), join(after, before))));
    assert_false(decodes(wrap(DER_CONTEXT(4), join(before, before))));
}

static void fields_stand_in_their_order_and_once(void **state)
{
    struct bytes subject = wrap(DER_CONTEXT(5), name_of("CN=a")),
                 issuer = wrap(DER_CONTEXT(3), name_of("CN=b"));

    (void)state;
    assert_true(decodes(join(issuer, subject)));
    assert_false(decodes(join(subject, issuer)));
    assert_false(decodes(join(subject, subject)));
    assert_false(decodes(join(subject, hex("800102"))));
    assert_false(decodes(join(subject, hex("0500"))));
}

static void memory_may_run_out(void **state)
{
    struct der in = der_of(hex("800102"));
    struct crmf_template t;

    (void)state;
    arena_fail_after(arena, 1);
    assert_false(crmf_template_decode(&in, arena, &t));
    arena_fail_after(arena, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_a_template_too),
        TEST(every_field_is_read),
        TEST(cmp_93_issuer_and_serial_number_name_a_certificate),
        TEST(cmp_120_a_key_of_no_bits_is_told),
        TEST(a_field_that_is_malformed_is_refused),
        TEST(validity_has_one_time_or_two),
        TEST(fields_stand_in_their_order_and_once),
        TEST(memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
