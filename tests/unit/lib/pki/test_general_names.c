#include "lib/pki/names.h"
#include "tests/unit/lib/pki/fixtures.h"

static struct general_names decoded(const char *content)
{
    struct general_names names;

    assert_int_equal(general_names_decode(wrap(DER_SEQUENCE, hex(content)), arena, &names), NAME_OK);
    return names;
}

static void names_are_equal_as_sets(void **state)
{
    struct general_names a = decoded("820161 820162 8704c0000201"), b = decoded("8704c0000201 820162 820161"),
                         c = decoded("820161 820162"), none = { 0 };

    (void)state;
    assert_true(general_names_equal(&a, &b));
    assert_false(general_names_equal(&a, &c));
    assert_false(general_names_equal(&c, &a));
    assert_true(general_names_equal(&none, &none));
    assert_false(general_names_equal(&a, &none));
}

static void what_was_decoded_encodes_to_the_same(void **state)
{
    static const char content[] =
        "820161 810161 860161 8704c0000201 88022a03 a410 300e310c300a060355040a0c034f7267 "
        "a008 06022a03 a002 0500 a302 0500 a504 a102 0500";
    struct general_names names = decoded(content);
    struct buffer out = BUFFER(4096);

    (void)state;
    assert_int_equal(names.count, 9);
    for (size_t i = 0; i < names.count; i++)
        general_name_put(&out, names.item[i].kind, names.item[i].value, names.item[i].oid);
    assert_true(bytes_equal(kept(&out), hex(content)));
}

static void malformed_names_are_refused(void **state)
{
    static const struct {
        const char *content;
        enum name_fault fault;
    } row[] = {
        { "", NAME_FAULT_VALUE },
        { "8200", NAME_FAULT_VALUE },
        { "820100", NAME_FAULT_VALUE },
        { "8201c3", NAME_FAULT_VALUE },
        { "8703c00002", NAME_FAULT_VALUE },
        { "8800", NAME_FAULT_SYNTAX },
        { "880180", NAME_FAULT_SYNTAX },
        { "8901aa", NAME_FAULT_SYNTAX },
        { "0500", NAME_FAULT_SYNTAX },
        { "a400", NAME_FAULT_SYNTAX },
        { "a000", NAME_FAULT_SYNTAX },
        { "82", NAME_FAULT_SYNTAX },
        { "a004 06022a03", NAME_FAULT_SYNTAX },
    };
    struct general_names names;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(row); i++)
        assert_int_equal(general_names_decode(wrap(DER_SEQUENCE, hex(row[i].content)), arena, &names),
                         row[i].fault);
    assert_int_equal(general_names_decode(hex("3003 820161 00"), arena, &names), NAME_FAULT_SYNTAX);
}

static void csr_75_the_pair_is_read(void **state)
{
    struct hardware_module_name name;

    (void)state;
    assert_true(hardware_module_name_decode(hex("3008 06022a03 0402aabb"), &name));
    assert_true(bytes_equal(name.type, hex("2a03")));
    assert_true(bytes_equal(name.serial, hex("aabb")));
    assert_false(hardware_module_name_decode(hex("3006 06022a03 0400"), &name));
    assert_false(hardware_module_name_decode(hex("3007 0402aabb 0600"), &name));
    assert_false(hardware_module_name_decode(hex("3008 06022a03 0402aabb 00"), &name));
}

static void csr_76_77_both_parts_are_optional(void **state)
{
    struct permanent_identifier id;

    (void)state;
    assert_true(permanent_identifier_decode(hex("3000"), &id));
    assert_false(id.has_value || id.has_assigner);
    assert_true(permanent_identifier_decode(hex("3003 0c0161"), &id));
    assert_true(id.has_value && !id.has_assigner);
    assert_true(permanent_identifier_decode(hex("3007 0c0161 06022a03"), &id));
    assert_true(id.has_value && id.has_assigner);
    assert_false(permanent_identifier_decode(hex("3007 06022a03 0c0161"), &id));
    assert_false(permanent_identifier_decode(hex("3003 0c0100"), &id));
    assert_false(permanent_identifier_decode(hex("3002 0c00"), &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_equal_as_sets),           TEST(what_was_decoded_encodes_to_the_same),
        TEST(malformed_names_are_refused),       TEST(csr_75_the_pair_is_read),
        TEST(csr_76_77_both_parts_are_optional),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
