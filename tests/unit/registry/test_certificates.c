#include "registry_fixture.h"

static void add(struct fixture *f, const struct certificate_record *c)
{
    change_certificate_add(&f->changes, c);
    assert_int_equal(apply(f), APPLY_DONE);
}

static void a_certificate_is_found_by_its_id(void **state)
{
    struct fixture *f = *state;
    struct certificate_record c = a_certificate(5, "router5.example.com"), out;
    struct registry_view *view;
    bool found = false;

    c.registration = an_id(3);
    add(f, &c);
    view = begin_view(f);
    assert_true(registry_certificate_by_id(view, &c.id, f->arena, &found, &out, &f->err));
    assert_true(found);
    assert_true(bytes_is(out.der, "der of it"));
    assert_true(dns_name_equal(&out.fqdn, &c.fqdn));
    assert_int_equal(out.status, CERTIFICATE_GOOD);
    c.id.serial[0]++;
    assert_true(registry_certificate_by_id(view, &c.id, f->arena, &found, &out, &f->err));
    assert_false(found);
    registry_view_end(view);
}

static void by_fqdn_the_newest_comes_first(void **state)
{
    struct fixture *f = *state;
    struct certificate_record c, out[8];
    struct dns_name name = a_name("router5.example.com");
    struct registry_view *view;
    size_t count = 0;

    for (uint8_t serial = 9; serial > 4; serial--) { /* recorded against the order of their serials */
        c = a_certificate(serial, serial == 7 ? "router6.example.com" : name.text);
        add(f, &c);
    }
    view = begin_view(f);
    assert_true(registry_certificates_by_fqdn(view, the_domain(), &name, 8, f->arena, out, &count, &f->err));
    assert_int_equal(count, 4);
    assert_int_equal(out[0].id.serial[0], 5);
    assert_int_equal(out[3].id.serial[0], 9);
    assert_true(registry_certificates_by_fqdn(view, the_domain(), &name, 1, f->arena, out, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(out[0].id.serial[0], 5);
    assert_true(registry_certificates_by_fqdn(view, (struct domain_id){ 1 }, &name, 8, f->arena, out, &count,
                                              &f->err));
    assert_int_equal(count, 0);
    registry_view_end(view);
}

static void by_key_others_with_a_like_hash_are_left_out(void **state)
{
    struct fixture *f = *state;
    struct certificate_record a = a_certificate(1, "a.example.com"), b = a_certificate(2, "b.example.com"),
                              out[4];
    struct registry_view *view;
    size_t count = 0;

    b.key.bytes[31] ^= 1; /* differs behind what the index keeps */
    add(f, &a);
    add(f, &b);
    view = begin_view(f);
    assert_true(registry_certificates_by_key(view, &a.key, 4, f->arena, out, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(out[0].id.serial[0], 1);
    registry_view_end(view);
}

static void pages_go_through_all(void **state)
{
    struct fixture *f = *state;
    struct certificate_record c, out[2];
    struct certificate_id after;
    struct registry_view *view;
    size_t count = 0, seen = 0;

    for (uint8_t serial = 1; serial <= 5; serial++) {
        c = a_certificate(serial, "router5.example.com");
        add(f, &c);
    }
    view = begin_view(f);
    do {
        assert_true(
            registry_certificates_list(view, seen == 0 ? NULL : &after, 2, f->arena, out, &count, &f->err));
        for (size_t i = 0; i < count; i++)
            assert_int_equal(out[i].id.serial[0], ++seen);
        if (count > 0)
            after = out[count - 1].id;
    } while (count > 0);
    assert_int_equal(seen, 5);
    registry_view_end(view);
}

struct revoked_list {
    struct revoked_certificate first;
    size_t count;
};

static bool note(const struct revoked_certificate *r, void *context)
{
    struct revoked_list *list = context;

    if (list->count++ == 0)
        list->first = *r;
    return true;
}

static void a_revoked_certificate_is_listed_until_it_expires(void **state)
{
    struct fixture *f = *state;
    struct certificate_record a = a_certificate(1, "a.example.com"), b = a_certificate(2, "b.example.com"),
                              c = a_certificate(3, "c.example.com"), out;
    struct revoked_list list = { 0 };
    struct registry_view *view;
    bool found = false;

    b.not_after_s = NOW_S + 10;
    c.id.issuer.bytes[0]++;
    add(f, &a);
    add(f, &b);
    add(f, &c);
    change_certificate_revoke(&f->changes, &a.id, REVOCATION_KEY_COMPROMISE, NOW_S + 5);
    change_certificate_revoke(&f->changes, &b.id, REVOCATION_SUPERSEDED, NOW_S + 6);
    change_certificate_revoke(&f->changes, &c.id, REVOCATION_SUPERSEDED, NOW_S + 6);
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    assert_true(registry_revoked_each(view, &a.id.issuer, NOW_S, note, &list, &f->err));
    assert_int_equal(list.count, 2);
    list.count = 0;
    assert_true(registry_revoked_each(view, &a.id.issuer, NOW_S + 11, note, &list, &f->err));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.first.serial.len, 1);
    assert_int_equal(list.first.serial.data[0], 1);
    assert_int_equal(list.first.reason, REVOCATION_KEY_COMPROMISE);
    assert_int_equal(list.first.revoked_s, NOW_S + 5);
    assert_int_equal(list.first.not_after_s, NOW_S + 1000);
    assert_true(registry_certificate_by_id(view, &a.id, f->arena, &found, &out, &f->err));
    assert_int_equal(out.status, CERTIFICATE_REVOKED);
    assert_int_equal(out.revocation_reason, REVOCATION_KEY_COMPROMISE);
    assert_true(bytes_is(out.der, "der of it"));
    registry_view_end(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(a_certificate_is_found_by_its_id),
        registry_test(by_fqdn_the_newest_comes_first),
        registry_test(by_key_others_with_a_like_hash_are_left_out),
        registry_test(pages_go_through_all),
        registry_test(a_revoked_certificate_is_listed_until_it_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
