/* Health: well when everything is, and else the first failure by name. */
#include "jobs/crl.h"
#include "jobs/health.h"
#include "tests/unit/jobs/ca_world.h"

static struct health probe(struct world *w, const struct health_service *service, int64_t now_s)
{
    struct health health = { 0 };

    begin_turn(w, now_s);
    health_probe(&w->turn, service, &health);
    assert_int_equal(w->turn.changes.count, 0);
    return health;
}

static void all_is_well(void **state)
{
    struct world *w = *state;
    struct ca ca;
    const struct health_certificate tls = { .what = "listener tls", .not_after_s = NOW_S + 30 * 86400 };

    make_ca(w, "ca", &ca);
    const struct health_service service = {
        .registry = w->registry, .ca = &ca, .ca_count = 1, .certificate = &tls, .certificate_count = 1
    };
    struct health health = probe(w, &service, NOW_S);
    assert_string_equal(health.what, "");
    assert_true(health.ok);
    assert_int_equal(health.days_left, 30);
    assert_string_equal(health.ends_first, "listener tls");
    ca_release(&ca);
}

static void a_key_that_does_not_sign_is_named(void **state)
{
    struct world *w = *state;
    struct ca ca;

    make_ca(w, "ca", &ca);
    ca.key_name = "lost";
    const struct health_service service = { .registry = w->registry, .ca = &ca, .ca_count = 1 };
    struct health health = probe(w, &service, NOW_S);
    assert_false(health.ok);
    assert_non_null(strstr(health.what, "key of ca ca"));
    ca_release(&ca);
}

static void an_expired_certificate_is_named(void **state)
{
    struct world *w = *state;
    const struct health_certificate certificate[] = {
        { .what = "listener a", .not_after_s = NOW_S + 86400 },
        { .what = "scep ra b", .not_after_s = NOW_S },
    };
    const struct health_service service = { .registry = w->registry,
                                            .certificate = certificate,
                                            .certificate_count = 2 };

    struct health health = probe(w, &service, NOW_S);
    assert_false(health.ok);
    assert_string_equal(health.what, "certificate of scep ra b has expired");
    assert_int_equal(health.days_left, 0);
    health = probe(w, &service, NOW_S + 1);
    assert_int_equal(health.days_left, -1);
    assert_string_equal(health.ends_first, "scep ra b");
}

static void a_certificate_that_is_not_there_yet_is_named(void **state)
{
    struct world *w = *state;
    const struct health_certificate certificate[] = {
        { .what = "listener a", .not_after_s = NOW_S + 9 * 86400 },
        { .what = "scep ra b", .awaited = true },
    };
    const struct health_service service = { .registry = w->registry,
                                            .certificate = certificate,
                                            .certificate_count = 2 };
    struct health health = probe(w, &service, NOW_S);

    assert_false(health.ok);
    assert_string_equal(health.what, "certificate of scep ra b: not there yet");
    assert_string_equal(health.ends_first, "listener a"); /* it has no end */
    assert_int_equal(health.days_left, 9);
}

static void the_ca_s_own_end_counts(void **state)
{
    struct world *w = *state;
    struct ca ca;

    make_ca(w, "ca", &ca);
    const struct health_service service = { .registry = w->registry, .ca = &ca, .ca_count = 1 };
    struct health health = probe(w, &service, ca.certificate.not_after_s + 1);
    assert_false(health.ok);
    assert_string_equal(health.what, "certificate of ca ca has expired");
    ca_release(&ca);
}

static void a_list_that_is_over_is_named(void **state)
{
    struct world *w = *state;
    struct ca ca;
    const struct job_event due = { .kind = JOB_EVENT_DUE };
    const struct job_record job = { .kind = BYTES_LITERAL("crl") };
    struct job_step step;

    make_ca(w, "ca", &ca);
    const struct crl_service lists = { .ca = &ca, .count = 1 };
    const struct health_service service = { .registry = w->registry, .ca = &ca, .ca_count = 1 };
    begin_turn(w, NOW_S);
    assert_true(job_crl_run(&w->turn, &lists, &job, &due, &step, &w->err));
    assert_int_equal(apply_turn(w), APPLY_DONE);
    assert_true(probe(w, &service, NOW_S + 7 * 86400 - 1).ok);
    struct health health = probe(w, &service, NOW_S + 7 * 86400);
    assert_false(health.ok);
    assert_string_equal(health.what, "certificate list of ca ca is out of date");
    ca_release(&ca);
}

static void keep(void *context, const struct health *health)
{
    *(struct health *)context = *health;
}

static void the_job_reports_and_comes_back(void **state)
{
    struct world *w = *state;
    struct health seen = { 0 };
    const struct health_service service = { .registry = w->registry, .report = keep, .context = &seen };
    const struct job_event due = { .kind = JOB_EVENT_DUE };
    const struct job_record job = { .kind = BYTES_LITERAL("health") };
    struct job_step step = { 0 };

    assert_true(job_health_run(&w->turn, &service, &job, &due, &step, &w->err));
    assert_true(seen.ok);
    assert_int_equal(step.effect.kind, JOB_EFFECT_WAIT);
    assert_int_equal(step.effect.until_s, NOW_S + HEALTH_PERIOD_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(all_is_well),
        jobs_test(a_key_that_does_not_sign_is_named),
        jobs_test(an_expired_certificate_is_named),
        jobs_test(a_certificate_that_is_not_there_yet_is_named),
        jobs_test(the_ca_s_own_end_counts),
        jobs_test(a_list_that_is_over_is_named),
        jobs_test(the_job_reports_and_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
