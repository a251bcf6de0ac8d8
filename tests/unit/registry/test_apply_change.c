#include "registry_fixture.h"

static void a_name_is_registered_once_in_a_domain(void **state)
{
    struct fixture *f = *state;
    struct registration other;

    put_registration(f, "router5.example.com");
    other = a_registration(f, "router5.example.com");
    change_registration_put(&f->changes, &other, 0);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    other.domain.value++;
    change_registration_put(&f->changes, &other, 0);
    assert_int_equal(apply(f), APPLY_DONE);
}

static void a_key_id_is_registered_once_in_a_domain(void **state)
{
    struct fixture *f = *state;
    static const char long_id[] = "key-id-key-id-key-id-key-id-key-id-key-id-key-id-key-id-key-id-key-id-"
                                  "key-id-key-id-key-id-key-id-key-id-key-id-key-id-key-id-key-id-key-id";
    struct registration r = a_registration(f, ""), same = a_registration(f, ""), other = same;
    struct registry_view *view;
    struct registration held;
    bool found = false;

    r.order = same.order = other.order = ORDER_ACME;
    r.key_id = same.key_id = BYTES_LITERAL(long_id);
    other.key_id = bytes_slice(r.key_id, 0, r.key_id.len - 1); /* differs in what is hashed */
    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    change_registration_put(&f->changes, &same, 0);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_registration_put(&f->changes, &other, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    assert_true(
        registry_registration_by_key_id(view, the_domain(), r.key_id, f->arena, &found, &held, &f->err));
    assert_true(found);
    assert_memory_equal(held.id.bytes, r.id.bytes, ID_LEN);
    registry_view_end(view);
}

static void a_registration_that_moved_conflicts(void **state)
{
    struct fixture *f = *state;
    struct registration r = a_registration(f, "router5.example.com"), held;

    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    r.state = REGISTRATION_CLOSED;
    change_registration_put(&f->changes, &r, 1);
    assert_int_equal(apply(f), APPLY_DONE);
    change_registration_put(&f->changes, &r, 1);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_registration_assume(&f->changes, &r.id, 1);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_registration_assume(&f->changes, &r.id, 2);
    assert_int_equal(apply(f), APPLY_DONE);
    assert_true(is_registered(f, "router5.example.com", &held));
    assert_int_equal(held.revision, 2);
    assert_int_equal(held.state, REGISTRATION_CLOSED);
}

static void a_registration_keeps_its_name_and_its_id(void **state)
{
    struct fixture *f = *state;
    struct registration r = a_registration(f, "router5.example.com");

    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    r.fqdn = a_pattern("router6.example.com");
    change_registration_put(&f->changes, &r, 1);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_registration_put(&f->changes, &r, 0); /* its id is taken */
    assert_int_equal(apply(f), APPLY_CONFLICT);
    r.id = an_id(999);
    change_registration_put(&f->changes, &r, 1); /* no such id */
    assert_int_equal(apply(f), APPLY_CONFLICT);
}

static void a_one_time_registration_is_used_once(void **state)
{
    struct fixture *f = *state;
    struct registration r = a_registration(f, "router5.example.com"), held;

    r.one_time = true;
    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    change_registration_use(&f->changes, &r.id, 1, true);
    assert_int_equal(apply(f), APPLY_DONE);
    change_registration_use(&f->changes, &r.id, 1, true);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    assert_true(is_registered(f, "router5.example.com", &held));
    assert_true(held.used);
    assert_int_equal(held.revision, 1);
    change_registration_use(&f->changes, &r.id, 1, false);
    assert_int_equal(apply(f), APPLY_DONE);
}

static void a_registration_names_its_signed_act(void **state)
{
    struct fixture *f = *state;
    struct registration r = a_registration(f, "router5.example.com"), held;

    change_audit_append(&f->changes, AUDIT_CONFIGURATION, BYTES_LITERAL("{}"));
    assert_int_equal(apply(f), APPLY_DONE);
    change_registration_put(&f->changes, &r, 0);
    change_audit_append(&f->changes, AUDIT_OFFICER, BYTES_LITERAL("{}"));
    change_audit_append(&f->changes, AUDIT_ACT, BYTES_LITERAL("{}"));
    assert_int_equal(apply(f), APPLY_DONE);
    assert_true(is_registered(f, "router5.example.com", &held));
    assert_int_equal(held.audit_index, 2);
}

static void a_registration_without_a_name_is_a_defect(void **state)
{
    struct fixture *f = *state;
    struct registration r = a_registration(f, "");

    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_INVALID);
    r.fqdn = a_pattern("a.example.com");
    r.key_id = BYTES_LITERAL("k");
    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_INVALID);
}

static void a_serial_is_issued_once(void **state)
{
    struct fixture *f = *state;
    struct certificate_record c = a_certificate(1, "router5.example.com");

    change_certificate_add(&f->changes, &c);
    assert_int_equal(apply(f), APPLY_DONE);
    change_certificate_add(&f->changes, &c);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    c.id.issuer.bytes[0]++;
    change_certificate_add(&f->changes, &c);
    assert_int_equal(apply(f), APPLY_DONE);
}

static void what_a_revoked_certificate_admitted_conflicts(void **state)
{
    struct fixture *f = *state;
    struct certificate_record c = a_certificate(1, "router5.example.com");

    change_certificate_assume(&f->changes, &c.id);
    assert_int_equal(apply(f), APPLY_CONFLICT); /* there is none */
    change_certificate_add(&f->changes, &c);
    assert_int_equal(apply(f), APPLY_DONE);
    change_certificate_assume(&f->changes, &c.id);
    assert_int_equal(apply(f), APPLY_DONE);
    change_certificate_revoke(&f->changes, &c.id, REVOCATION_KEY_COMPROMISE, NOW_S);
    assert_int_equal(apply(f), APPLY_DONE);
    change_certificate_assume(&f->changes, &c.id);
    assert_int_equal(apply(f), APPLY_CONFLICT);
}

static void what_was_assumed_of_state_and_is_not_so_conflicts(void **state)
{
    struct fixture *f = *state;
    const struct state_key key = { .kind = "txn", .id = BYTES_LITERAL("a") };
    const struct state_value value = { .blob = BYTES_LITERAL("blob") };

    change_state_assume(&f->changes, &key, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    change_state_assume(&f->changes, &key, 1);
    assert_int_equal(apply(f), APPLY_CONFLICT); /* there is none */
    change_state_put(&f->changes, &key, &value, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    change_state_assume(&f->changes, &key, 0);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_state_assume(&f->changes, &key, 2);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_state_assume(&f->changes, &key, 1);
    assert_int_equal(apply(f), APPLY_DONE); /* and writes nothing: */
    change_state_assume(&f->changes, &key, 1);
    assert_int_equal(apply(f), APPLY_DONE);
}

static void a_certificate_is_revoked_once(void **state)
{
    struct fixture *f = *state;
    struct certificate_record c = a_certificate(1, "router5.example.com");

    change_certificate_revoke(&f->changes, &c.id, REVOCATION_SUPERSEDED, NOW_S);
    assert_int_equal(apply(f), APPLY_CONFLICT); /* there is none */
    change_certificate_add(&f->changes, &c);
    assert_int_equal(apply(f), APPLY_DONE);
    change_certificate_revoke(&f->changes, &c.id, REVOCATION_SUPERSEDED, NOW_S);
    assert_int_equal(apply(f), APPLY_DONE);
    change_certificate_revoke(&f->changes, &c.id, REVOCATION_SUPERSEDED, NOW_S);
    assert_int_equal(apply(f), APPLY_CONFLICT);
}

static void state_changes_under_its_revision(void **state)
{
    struct fixture *f = *state;
    struct state_key key = { .procedure = BYTES_LITERAL("p"), .kind = "txn", .id = BYTES_LITERAL("1") };
    struct state_value value = { .blob = BYTES_LITERAL("one") };

    change_state_put(&f->changes, &key, &value, 1);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_state_put(&f->changes, &key, &value, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    change_state_put(&f->changes, &key, &value, 0);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_state_put(&f->changes, &key, &value, 1);
    assert_int_equal(apply(f), APPLY_DONE);
    change_state_delete(&f->changes, &key, 1);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_state_delete(&f->changes, &key, 2);
    assert_int_equal(apply(f), APPLY_DONE);
    change_state_delete(&f->changes, &key, 0);
    assert_int_equal(apply(f), APPLY_CONFLICT); /* absent is not revision 0 to delete */
}

static void an_act_is_seen_once(void **state)
{
    struct fixture *f = *state;

    change_jti_use(&f->changes, BYTES_LITERAL("officer"), BYTES_LITERAL("jti"));
    assert_int_equal(apply(f), APPLY_DONE);
    change_jti_use(&f->changes, BYTES_LITERAL("officer"), BYTES_LITERAL("jti"));
    assert_int_equal(apply(f), APPLY_CONFLICT);
    change_jti_use(&f->changes, BYTES_LITERAL("officerj"), BYTES_LITERAL("ti"));
    assert_int_equal(apply(f), APPLY_DONE);
}

static void an_officers_certificate_is_nobody_elses(void **state)
{
    struct fixture *f = *state;
    struct officer_record a = { .key_id = BYTES_LITERAL("a"), .certificate = { { 1 } } },
                          b = { .key_id = BYTES_LITERAL("b"), .certificate = { { 1 } } };

    change_officer_put(&f->changes, &a);
    assert_int_equal(apply(f), APPLY_DONE);
    change_officer_put(&f->changes, &a);
    assert_int_equal(apply(f), APPLY_CONFLICT); /* not new any more */
    change_officer_put(&f->changes, &b);
    assert_int_equal(apply(f), APPLY_CONFLICT);
    a.revision = 1;
    a.certificate.bytes[0] = 2;
    change_officer_put(&f->changes, &a);
    assert_int_equal(apply(f), APPLY_DONE);
    change_officer_put(&f->changes, &b); /* it is free now */
    assert_int_equal(apply(f), APPLY_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(a_name_is_registered_once_in_a_domain),
        registry_test(a_key_id_is_registered_once_in_a_domain),
        registry_test(a_registration_that_moved_conflicts),
        registry_test(a_registration_keeps_its_name_and_its_id),
        registry_test(a_one_time_registration_is_used_once),
        registry_test(a_registration_names_its_signed_act),
        registry_test(a_registration_without_a_name_is_a_defect),
        registry_test(a_serial_is_issued_once),
        registry_test(what_a_revoked_certificate_admitted_conflicts),
        registry_test(what_was_assumed_of_state_and_is_not_so_conflicts),
        registry_test(a_certificate_is_revoked_once),
        registry_test(state_changes_under_its_revision),
        registry_test(an_act_is_seen_once),
        registry_test(an_officers_certificate_is_nobody_elses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
