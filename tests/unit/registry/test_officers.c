#include "registry_fixture.h"

static struct officer_record an_officer(const char *key_id, uint8_t certificate)
{
    static struct bytes procedure[] = { { (const uint8_t *)"routers", 7 } };
    static struct bytes suffix[] = { { (const uint8_t *)"example.com", 11 },
                                     { (const uint8_t *)"b.org", 5 } };

    return (struct officer_record){ .key_id = bytes_text(key_id),
                                    .name = BYTES_LITERAL("Registrar"),
                                    .spki = BYTES_LITERAL("spki"),
                                    .certificate = { { certificate } },
                                    .rights = RIGHT_REGISTER | RIGHT_CLOSE,
                                    .procedure = procedure,
                                    .procedure_count = 1,
                                    .suffix = suffix,
                                    .suffix_count = 2 };
}

static void an_officer_is_found_by_key_and_by_certificate(void **state)
{
    struct fixture *f = *state;
    struct officer_record o = an_officer("kid-1", 5), out;
    struct registry_view *view;
    bool found = false;

    change_officer_put(&f->changes, &o);
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    assert_true(registry_officer(view, o.key_id, f->arena, &found, &out, &f->err));
    assert_true(found);
    assert_int_equal(out.rights, o.rights);
    assert_int_equal(out.revision, 1);
    assert_int_equal(out.procedure_count, 1);
    assert_true(bytes_is(out.procedure[0], "routers"));
    assert_int_equal(out.suffix_count, 2);
    assert_true(bytes_is(out.suffix[1], "b.org"));
    assert_true(registry_officer_by_certificate(view, &o.certificate, f->arena, &found, &out, &f->err));
    assert_true(found);
    assert_true(bytes_is(out.key_id, "kid-1"));
    assert_true(registry_officer(view, BYTES_LITERAL("kid-2"), f->arena, &found, &out, &f->err));
    assert_false(found);
    assert_true(registry_officer(view, BYTES_NONE, f->arena, &found, &out, &f->err));
    assert_false(found);
    registry_view_end(view);
}

static void an_old_certificate_opens_nothing(void **state)
{
    struct fixture *f = *state;
    struct officer_record o = an_officer("kid-1", 5), out;
    struct digest256 old = o.certificate, none = { { 0 } };
    struct registry_view *view;
    bool found = true;

    change_officer_put(&f->changes, &o);
    assert_int_equal(apply(f), APPLY_DONE);
    o.revision = 1;
    o.disabled = true;
    o.certificate = none;
    change_officer_put(&f->changes, &o);
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    assert_true(registry_officer_by_certificate(view, &old, f->arena, &found, &out, &f->err));
    assert_false(found);
    assert_true(registry_officer_by_certificate(view, &none, f->arena, &found, &out, &f->err));
    assert_false(found);
    assert_true(registry_officer(view, o.key_id, f->arena, &found, &out, &f->err));
    assert_true(found && out.disabled);
    registry_view_end(view);
}

static void officers_are_listed(void **state)
{
    struct fixture *f = *state;
    struct officer_record a = an_officer("b", 1), b = an_officer("a", 2), out[4];
    struct registry_view *view;
    size_t count = 0;

    change_officer_put(&f->changes, &a);
    change_officer_put(&f->changes, &b);
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    assert_true(registry_officers_list(view, 4, f->arena, out, &count, &f->err));
    assert_int_equal(count, 2);
    assert_true(bytes_is(out[0].key_id, "a"));
    registry_view_end(view);
}

static void a_seen_act_stays_seen(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    bool seen = true;

    view = begin_view(f);
    assert_true(registry_jti_seen(view, BYTES_LITERAL("o"), BYTES_LITERAL("j"), &seen, &f->err));
    assert_false(seen);
    change_jti_use(&f->changes, BYTES_LITERAL("o"), BYTES_LITERAL("j"));
    assert_int_equal(apply(f), APPLY_DONE);
    registry_view_end(view);
    reopen(f);
    view = begin_view(f);
    assert_true(registry_jti_seen(view, BYTES_LITERAL("o"), BYTES_LITERAL("j"), &seen, &f->err));
    assert_true(seen);
    registry_view_end(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(an_officer_is_found_by_key_and_by_certificate),
        registry_test(an_old_certificate_opens_nothing),
        registry_test(officers_are_listed),
        registry_test(a_seen_act_stays_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
