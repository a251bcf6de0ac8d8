#include "registry_fixture.h"

static bool sees(struct registry_view *view, struct fixture *f, const char *fqdn)
{
    struct fqdn_pattern pattern = a_pattern(fqdn);
    struct registration r;
    bool found = false;

    assert_true(registry_registration_by_fqdn(view, the_domain(), &pattern, f->arena, &found, &r, &f->err));
    return found;
}

static void a_view_keeps_what_it_saw_until_it_is_renewed(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view = begin_view(f);

    put_registration(f, "router5.example.com");
    assert_false(sees(view, f, "router5.example.com"));
    assert_true(registry_view_renew(view, &f->err));
    assert_true(sees(view, f, "router5.example.com"));
    registry_view_end(view);
}

static void a_reset_view_can_be_renewed_or_ended(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view = begin_view(f);

    registry_view_reset(view);
    registry_view_reset(view);
    put_registration(f, "router5.example.com");
    assert_true(registry_view_renew(view, &f->err));
    assert_true(sees(view, f, "router5.example.com"));
    registry_view_reset(view);
    registry_view_end(view);
    registry_view_end(NULL);
}

static void there_are_as_many_views_as_were_asked_for(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view[64];
    unsigned n = 0;

    registry_close(f->registry);
    f->registry = NULL;
    remove_file(f->directory, "lock.mdb");
    f->options.readers_max = 20;
    reopen(f);
    while (n < 64 && registry_view_begin(f->registry, &view[n], &f->err))
        n++;
    assert_true(n >= 20 && n < 64);
    assert_int_equal(f->err.code, ERROR_LIMIT);
    while (n > 0)
        registry_view_end(view[--n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(a_view_keeps_what_it_saw_until_it_is_renewed),
        registry_test(a_reset_view_can_be_renewed_or_ended),
        registry_test(there_are_as_many_views_as_were_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
