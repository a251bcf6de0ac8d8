#include "registry_fixture.h"

#include "registry/registration_rows_internal.h"

static void names_stand_under_their_suffix(void **state)
{
    static const char *const sorted[] = { "com",           "example.com",     "*.example.com",
                                          "a.example.com", "b.a.example.com", "a-b.example.com",
                                          "b.org" };
    struct key before = { 0 }, key;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sorted); i++) {
        row_key_name(the_domain(), bytes_text(sorted[i]), &key);
        /* "a-b" comes behind what stands below "a": NUL is less than any character */
        assert_true(bytes_compare(key_bytes(&before), key_bytes(&key)) < 0);
        before = key;
    }
    row_key_name(the_domain(), BYTES_LITERAL("b.example.com"), &key);
    assert_int_equal(key.len, 8 + 13);
    assert_memory_equal(key.data + 8, "com\0example\0b", 13);
}

static void key_ids_stand_behind_all_names(void **state)
{
    struct key name, key_id;
    struct error err;

    (void)state;
    row_key_name(the_domain(), BYTES_LITERAL("zz.zz"), &name);
    assert_true(row_key_key_id(the_domain(), BYTES_LITERAL("!"), &key_id, &err));
    assert_true(bytes_compare(key_bytes(&name), key_bytes(&key_id)) < 0);
}

static void the_longest_name_fits_a_key(void **state)
{
    char text[DNS_NAME_MAX];
    struct key key;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 == 0 ? 'a' : '.';
    row_key_name(the_domain(), BYTES_ARRAY(text), &key);
    assert_int_equal(key.len, 8 + DNS_NAME_MAX);
}

static void a_row_is_hidden_while_its_import_is(void **state)
{
    struct fixture *f = *state;
    AUTO_STRUCT(buffer) row = BUFFER(10000);
    struct registration r = a_registration(f, "a.example.com");
    struct txn txn = { 0 };

    row_encode(&row, 5, &r);
    assert_false(row_is_hidden(&txn, buffer_bytes(&row)));
    txn.hidden = 5;
    assert_true(row_is_hidden(&txn, buffer_bytes(&row)));
    txn.hidden = 6;
    assert_false(row_is_hidden(&txn, buffer_bytes(&row)));
    row.len = 0;
    row_encode(&row, 0, &r);
    txn.hidden = 0;
    assert_false(row_is_hidden(&txn, buffer_bytes(&row)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stand_under_their_suffix),
        cmocka_unit_test(key_ids_stand_behind_all_names),
        cmocka_unit_test(the_longest_name_fits_a_key),
        registry_test(a_row_is_hidden_while_its_import_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
