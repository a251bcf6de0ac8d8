#include "registry_fixture.h"

/* Two outcomes in one commit. */
struct pair {
    struct changes first, second;
    enum apply_result result[2];
};

static void begin_pair(struct fixture *f, struct pair *p)
{
    changes_begin(&p->first, f->arena);
    changes_begin(&p->second, f->arena);
}

static bool apply_pair(struct fixture *f, struct pair *p)
{
    const struct changes *list[] = { &p->first, &p->second };

    return registry_apply(f->registry, list, 2, NOW_S, p->result, &f->err);
}

static uint64_t audit_size(struct fixture *f)
{
    struct registry_view *view = begin_view(f);
    struct audit_head head;

    if (!registry_audit_verify(view, f->arena, NULL, NULL, &head, &f->err))
        fail_msg("%s", f->err.text);
    registry_view_end(view);
    return head.size;
}

static void of_two_racers_one_is_done_and_one_conflicts(void **state)
{
    struct fixture *f = *state;
    struct registration a = a_registration(f, "router5.example.com"), b = a_registration(f, a.fqdn.text);
    struct pair p;

    begin_pair(f, &p);
    change_registration_put(&p.first, &a, 0);
    change_audit_append(&p.first, AUDIT_ACT, BYTES_LITERAL("{1}"));
    change_audit_append(&p.second, AUDIT_ACT, BYTES_LITERAL("{2}"));
    change_registration_put(&p.second, &b, 0);
    assert_true(apply_pair(f, &p));
    assert_int_equal(p.result[0], APPLY_DONE);
    assert_int_equal(p.result[1], APPLY_CONFLICT);
    assert_int_equal(audit_size(f), 1); /* nothing of the second was written */
    assert_true(is_registered(f, a.fqdn.text, &b));
    assert_memory_equal(b.id.bytes, a.id.bytes, ID_LEN);
}

static void an_outcome_that_contradicts_itself_falls_out_alone(void **state)
{
    struct fixture *f = *state;
    struct registration a = a_registration(f, "router5.example.com"), b = a_registration(f, a.fqdn.text),
                        c = a_registration(f, "router6.example.com");
    struct pair p;

    begin_pair(f, &p);
    change_registration_put(&p.first, &a, 0);
    change_registration_put(&p.first, &b, 0); /* each alone would do */
    change_registration_put(&p.second, &c, 0);
    assert_true(apply_pair(f, &p));
    assert_int_equal(p.result[0], APPLY_INVALID);
    assert_int_equal(p.result[1], APPLY_DONE);
    assert_false(is_registered(f, a.fqdn.text, NULL));
    assert_true(is_registered(f, c.fqdn.text, NULL));
    assert_false(apply_result_error(p.result[0], &f->err));
    assert_int_equal(f->err.code, ERROR_INTERNAL);
}

static void a_list_that_failed_is_not_applied(void **state)
{
    struct fixture *f = *state;
    struct registration a = a_registration(f, "router5.example.com");

    arena_fail_after(f->arena, 2);
    change_registration_put(&f->changes, &a, 0);
    assert_true(changes_failed(&f->changes));
    assert_int_equal(apply(f), APPLY_INVALID);
    assert_false(is_registered(f, a.fqdn.text, NULL));
}

static void too_many_like_patterns_are_refused_and_others_go_on(void **state)
{
    struct fixture *f = *state;
    struct registration exact = a_registration(f, "router5.example.com");
    struct pair p = { .result = { APPLY_DONE } };
    unsigned n = 0;

    for (; p.result[0] == APPLY_DONE && n < 1000; n++) {
        struct registration r;
        char text[128];

        begin_pair(f, &p);
        (void)snprintf(text, sizeof(text), "aaa*mmmmmmmmmmmm%03u*zzz.example.com", n);
        r = a_registration(f, text);
        change_registration_put(&p.first, &r, 0);
        if (n == 192)
            change_registration_put(&p.second, &exact, 0);
        assert_true(apply_pair(f, &p));
        assert_int_equal(p.result[1], APPLY_DONE);
    }
    assert_int_equal(n, 193);
    assert_int_equal(p.result[0], APPLY_LIMIT);
    assert_true(is_registered(f, exact.fqdn.text, NULL));
    assert_false(is_registered(f, "aaa*mmmmmmmmmmmm192*zzz.example.com", NULL));
    assert_false(apply_result_error(p.result[0], &f->err));
    assert_int_equal(f->err.code, ERROR_LIMIT);
}

/* Every call of the storage fails once: nothing is half done, and the next try does it. */
static void a_failing_disk_leaves_nothing_half_done(void **state)
{
    struct fixture *f = *state;
    struct registration r = a_registration(f, "*.example.com");
    struct certificate_record c = a_certificate(1, "router5.example.com");
    struct state_key key = { .kind = "txn", .id = BYTES_LITERAL("1") };
    struct state_value value = { .blob = BYTES_LITERAL("x"), .expires_s = NOW_S };
    const struct changes *list[] = { &f->changes };
    enum apply_result result = APPLY_NONE;
    unsigned n = 0;
    bool done = false;

    change_registration_put(&f->changes, &r, 0);
    change_certificate_add(&f->changes, &c);
    change_state_put(&f->changes, &key, &value, 0);
    change_jti_use(&f->changes, BYTES_LITERAL("o"), BYTES_LITERAL("j"));
    change_audit_append(&f->changes, AUDIT_ACT, BYTES_LITERAL("{}"));
    while (!done && n < 1000) {
        storage_fail_after(f->registry, ++n);
        done = registry_apply(f->registry, list, 1, NOW_S, &result, &f->err);
        storage_fail_after(f->registry, 0);
        if (done)
            break;
        assert_int_equal(f->err.code, ERROR_STORAGE);
        assert_int_equal(result, APPLY_NONE);
        assert_false(is_registered(f, "*.example.com", NULL));
        assert_int_equal(audit_size(f), 0);
    }
    assert_true(n > 15);
    assert_int_equal(result, APPLY_DONE);
    assert_true(is_registered(f, "*.example.com", NULL));
    assert_int_equal(audit_size(f), 1);
}

static void nothing_to_do_is_done(void **state)
{
    struct fixture *f = *state;
    enum apply_result result = APPLY_NONE;

    assert_int_equal(apply(f), APPLY_DONE);
    assert_true(registry_apply(f->registry, NULL, 0, NOW_S, &result, &f->err));
    assert_int_equal(result, APPLY_NONE);
}

static void every_result_has_its_error(void **state)
{
    struct error err;

    (void)state;
    assert_true(apply_result_error(APPLY_DONE, &err));
    assert_false(apply_result_error(APPLY_CONFLICT, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_false(apply_result_error(APPLY_BUSY, &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_false(apply_result_error(APPLY_NONE, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(of_two_racers_one_is_done_and_one_conflicts),
        registry_test(an_outcome_that_contradicts_itself_falls_out_alone),
        registry_test(a_list_that_failed_is_not_applied),
        registry_test(too_many_like_patterns_are_refused_and_others_go_on),
        registry_test(a_failing_disk_leaves_nothing_half_done),
        registry_test(nothing_to_do_is_done),
        cmocka_unit_test(every_result_has_its_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
