#include "enroll/revoke.h"

#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };

static enum revoke_outcome ask_to_revoke(struct world *w, const struct certificate_id *id, int reason,
                                         const char *by)
{
    enum revoke_outcome outcome = REVOKE_UNKNOWN;
    struct error err = { 0 };

    begin_turn(w);
    if (!enroll_revoke(&w->turn, &w->procedure, id, reason, by, &outcome, &err))
        fail_msg("%s", err.text);
    if (outcome != REVOKE_DONE)
        assert_int_equal(w->turn.changes.count, 0);
    return outcome;
}

static struct certificate_id a_certificate(struct world *w)
{
    registered(w, "router5.example.com", "s3cret", plain);
    return id_of(w, issued(w, &(struct asking){ 0 }));
}

static struct certificate_record read_back(struct world *w, const struct certificate_id *id)
{
    struct certificate_record record;
    bool found = false;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_certificate_by_id(w->view, id, w->arena, &found, &record, NULL));
    assert_true(found);
    return record;
}

static void cmp_92_a_certificate_is_revoked_and_it_is_written_down_who_asked(void **state)
{
    struct world *w = *state;
    const struct certificate_id id = a_certificate(w);
    struct certificate_record record;
    struct audit_entry entry;

    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_KEY_COMPROMISE, "holder"), REVOKE_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    record = read_back(w, &id);
    assert_int_equal(record.status, CERTIFICATE_REVOKED);
    assert_int_equal(record.revocation_reason, REVOCATION_KEY_COMPROMISE);
    assert_int_equal(record.revoked_s, w->now_s);
    entry = last_entry(w);
    assert_int_equal(entry.kind, AUDIT_REVOKED);
    assert_says(entry, "\"fqdn\":\"router5.example.com\"");
    assert_says(entry, "\"reason\":\"keyCompromise\"");
    assert_says(entry, "\"by\":\"holder\"");
    assert_audit_is_sound(w);
}

static void cmp_95_revoked_is_revoked(void **state)
{
    struct world *w = *state;
    const struct certificate_id id = a_certificate(w);

    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_UNSPECIFIED, "ra"), REVOKE_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_KEY_COMPROMISE, "ra"), REVOKE_ALREADY);
    assert_int_equal(read_back(w, &id).revocation_reason, REVOCATION_UNSPECIFIED);
}

static void cmp_94_one_that_is_not_there_or_of_another_domain_is_unknown(void **state)
{
    struct world *w = *state;
    const struct certificate_id id = a_certificate(w);
    struct certificate_id other = id;

    other.serial[0] ^= 1;
    assert_int_equal(ask_to_revoke(w, &other, REVOCATION_UNSPECIFIED, "holder"), REVOKE_UNKNOWN);
    other = id;
    other.issuer.bytes[0] ^= 1;
    assert_int_equal(ask_to_revoke(w, &other, REVOCATION_UNSPECIFIED, "holder"), REVOKE_UNKNOWN);
    w->domain.id = domain_id_of(BYTES_LITERAL("offices"));
    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_UNSPECIFIED, "holder"), REVOKE_UNKNOWN);
}

static void a_reason_that_is_not_ours_to_give_is_unspecified(void **state)
{
    static const int reasons[] = { -1, 7, 8, 10, 99 };
    struct world *w = *state;
    const struct certificate_id id = a_certificate(w);

    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        assert_int_equal(ask_to_revoke(w, &id, reasons[i], "holder"), REVOKE_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_int_equal(read_back(w, &id).revocation_reason, REVOCATION_UNSPECIFIED);
    assert_says(last_entry(w), "\"reason\":\"unspecified\"");
}

static void of_two_at_once_one_revokes(void **state)
{
    struct world *w = *state;
    const struct certificate_id id = a_certificate(w);
    struct turn slower;

    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_SUPERSEDED, "holder"), REVOKE_DONE);
    slower = w->turn;
    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_KEY_COMPROMISE, "ra"), REVOKE_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    w->turn = slower;
    assert_int_equal(apply(w), APPLY_CONFLICT);
    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_SUPERSEDED, "holder"), REVOKE_ALREADY);
    assert_int_equal(read_back(w, &id).revocation_reason, REVOCATION_KEY_COMPROMISE);
}

static void what_was_revoked_renews_nothing(void **state)
{
    struct world *w = *state;
    struct certificate_id id;
    struct bytes old;

    registered(w, "router5.example.com", "s3cret", plain);
    old = issued(w, &(struct asking){ 0 });
    id = id_of(w, old);
    assert_int_equal(ask_to_revoke(w, &id, REVOCATION_CESSATION, "holder"), REVOKE_DONE);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_refused(w, REFUSAL_RENEW_STATE, .certificate = &old, .transaction = "t2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(cmp_92_a_certificate_is_revoked_and_it_is_written_down_who_asked),
        world_test(cmp_95_revoked_is_revoked),
        world_test(cmp_94_one_that_is_not_there_or_of_another_domain_is_unknown),
        world_test(a_reason_that_is_not_ours_to_give_is_unspecified),
        world_test(of_two_at_once_one_revokes),
        world_test(what_was_revoked_renews_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
